package store

import "time"

// Change is a write to a row. Field is empty if the row was inserted or, if Deleted is set, removed.
type Change struct {
	At       time.Time
	Resource string
	ID       int64
	Deleted  bool
	Field    string
	From, To Value
}

// journal lists the writes to fields that are watched.
type journal struct {
	watched map[string]map[string]bool // fields by resource
	changes []Change
}

// Watch notes the writes to fields of a resource, and the rows of it that are inserted and deleted, from now on.
func (s *Store) Watch(resource string, fields ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal.watched == nil {
		s.journal.watched = map[string]map[string]bool{}
	}
	watched := map[string]bool{}
	for _, field := range fields {
		watched[field] = true
	}
	s.journal.watched[resource] = watched
}

// Changes returns what was noted so far, in order.
func (s *Store) Changes() []Change {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]Change(nil), s.journal.changes...)
}

func (s *Store) note(c Change) {
	if fields, watched := s.journal.watched[c.Resource]; watched && (c.Field == "" || fields[c.Field]) {
		c.At = s.now()
		s.journal.changes = append(s.journal.changes, c)
	}
}

package balenasim

import (
	"fmt"
	"time"
)

// Change is something that happened to a row: it was created, deleted, or a field of it got another value.
type Change struct {
	At       time.Time
	Resource string
	ID       int64

	Created, Deleted bool

	Field    string // empty if the row was created or deleted
	From, To any    // as in [Simulator.Rows]
}

// Watch notes what happens from now on to the rows of a resource: which are created and deleted, and when one of the fields changes.
// Fields are named as in v7 and must not be computed. [Simulator.Changes] returns it: the truth about what a client should have noticed.
func (s *Simulator) Watch(resource string, fields ...string) error {
	t := s.store.Table(resource)
	if t == nil {
		return fmt.Errorf("unknown resource %q", resource)
	}
	for _, field := range fields {
		if i := t.Resource.Index(field); i < 0 || t.Resource.Fields[i].Computed {
			return fmt.Errorf("%s has no stored field %q", resource, field)
		}
	}
	s.store.Watch(resource, fields...)
	return nil
}

// Changes returns what happened to the rows that are watched, in order.
func (s *Simulator) Changes() []Change {
	noted := s.store.Changes()
	changes := make([]Change, len(noted))
	for i, c := range noted {
		changes[i] = Change{
			At: c.At, Resource: c.Resource, ID: c.ID, Created: c.Field == "" && !c.Deleted, Deleted: c.Deleted,
			Field: c.Field, From: goValue(c.From), To: goValue(c.To),
		}
	}
	return changes
}

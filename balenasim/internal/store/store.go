// Package store keeps the rows of a simulated balena database in memory,
// typed and indexed.
package store

import (
	"fmt"
	"sync"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
)

// Store is an in-memory database.
type Store struct {
	mu     sync.RWMutex
	tables map[string]*Table
	now    func() time.Time

	journal journal
}

// New returns an empty database. The clock timestamps writes.
func New(now func() time.Time) *Store {
	s := &Store{tables: map[string]*Table{}, now: now}
	for _, r := range schema.Resources() {
		s.tables[r.Name] = newTable(r)
	}
	return s
}

// View runs f with a read lock.
func (s *Store) View(f func()) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f()
}

// Change runs f with the write lock.
func (s *Store) Change(f func(tx *Tx)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&Tx{s})
}

// Table returns the table of a resource, nil if there is none. Use it only within
// View or Change.
func (s *Store) Table(name string) *Table { return s.tables[name] }

// Tx writes rows within Change.
type Tx struct{ s *Store }

// Table returns the table of a resource, nil if there is none.
func (tx *Tx) Table(name string) *Table { return tx.s.tables[name] }

// Insert adds a row and returns its id. Missing fields are null, except for the
// id, which is the next one, and the times of creation and modification.
func (tx *Tx) Insert(resource string, fields map[string]any) (int64, error) {
	t := tx.s.tables[resource]
	if t == nil {
		return 0, fmt.Errorf("unknown resource %q", resource)
	}
	values := make([]Value, len(t.columns))
	for name, in := range fields {
		i := t.index(name)
		if i < 0 {
			return 0, fmt.Errorf("%s has no field %q", resource, name)
		}
		v, err := Convert(t.Resource.Fields[i].Type, in)
		if err != nil {
			return 0, fmt.Errorf("%s.%s: %w", resource, name, err)
		}
		values[i] = v
	}
	now := TimeValue(tx.s.now())
	for _, name := range []string{"created_at", "modified_at"} {
		if i := t.index(name); i >= 0 && values[i].Kind == Null {
			values[i] = now
		}
	}
	r, err := t.insert(values)
	if err != nil {
		return 0, err
	}
	id := t.ID(r)
	tx.s.note(Change{Resource: resource, ID: id})
	return id, nil
}

// Update changes fields of a row, and modified_at unless it is among them. It
// reports whether there is such a row.
func (tx *Tx) Update(resource string, id int64, fields map[string]any) (bool, error) {
	t := tx.s.tables[resource]
	if t == nil {
		return false, fmt.Errorf("unknown resource %q", resource)
	}
	r := t.Find(id)
	if r == NoRow {
		return false, nil
	}
	type write struct {
		field int
		value Value
	}
	writes := make([]write, 0, len(fields)+1)
	keyed, dated := false, false
	for name, in := range fields {
		i := t.index(name)
		if i < 0 || i == t.idField {
			return true, fmt.Errorf("%s has no field %q to change", resource, name)
		}
		v, err := Convert(t.Resource.Fields[i].Type, in)
		if err != nil {
			return true, fmt.Errorf("%s.%s: %w", resource, name, err)
		}
		writes = append(writes, write{i, v})
		keyed = keyed || t.columns[i].keyed
		dated = dated || i == t.modified
	}
	if t.modified >= 0 && !dated {
		writes = append(writes, write{t.modified, TimeValue(tx.s.now())})
	}
	if keyed {
		values := make([]Value, len(t.columns))
		for i := range values {
			values[i] = t.Value(r, i)
		}
		for _, w := range writes {
			values[w.field] = w.value
		}
		if err := t.conflict(r, values); err != nil {
			return true, err
		}
	}
	// Loaded values of computed fields are no longer valid.
	for i := range t.columns {
		delete(t.columns[i].given, r)
	}
	for _, w := range writes {
		if before := t.Value(r, w.field); before != w.value {
			tx.s.note(Change{Resource: resource, ID: id, Field: t.Resource.Fields[w.field].Name, From: before, To: w.value})
		}
		t.set(r, w.field, w.value)
	}
	t.touch(r)
	return true, nil
}

// Fields returns the fields of a row in the form that Update accepts.
func (tx *Tx) Fields(resource string, id int64) map[string]any {
	t := tx.s.tables[resource]
	if t == nil {
		return nil
	}
	r := t.Find(id)
	if r == NoRow {
		return nil
	}
	out := map[string]any{}
	for i, f := range t.Resource.Fields {
		if i != t.idField {
			out[f.Name] = t.Value(r, i)
		}
	}
	return out
}

// Delete removes a row with all rows that are part of it, and sets other references
// to it to null. It reports whether there was such a row.
func (tx *Tx) Delete(resource string, id int64) bool {
	t := tx.s.tables[resource]
	if t == nil {
		return false
	}
	r := t.Find(id)
	if r == NoRow {
		return false
	}
	t.remove(r)
	tx.s.note(Change{Resource: resource, ID: id, Deleted: true})
	for name, other := range tx.s.tables {
		for i, f := range other.Resource.Fields {
			if f.To != resource || other.columns[i].refs == nil {
				continue
			}
			for _, referring := range append([]Row(nil), other.Referring(i, id)...) {
				if f.Required {
					tx.Delete(name, other.ID(referring))
				} else {
					other.set(referring, i, Value{})
				}
			}
		}
	}
	return true
}

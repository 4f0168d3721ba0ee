package store

import (
	"fmt"
)

// ConflictError reports that a row would violate a unique key.
type ConflictError struct {
	Resource string
	Fields   []string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s: %q must be unique", e.Resource, e.Fields)
}

// conflict checks the natural keys of a row before it is written.
func (t *Table) conflict(self Row, values []Value) error {
	for i := range t.columns {
		c := &t.columns[i]
		if c.unique == nil || values[i].Kind == Null {
			continue
		}
		if r, ok := c.unique[values[i].S]; ok && r != self {
			return &ConflictError{Resource: t.Resource.Name, Fields: []string{t.Resource.Fields[i].Name}}
		}
	}
	for n, key := range t.keys {
		if t.keyTaken(self, key, values) {
			return &ConflictError{Resource: t.Resource.Name, Fields: t.Resource.Keys[n]}
		}
	}
	return nil
}

// keyTaken reports whether another row has the same natural key. The first field
// of every such key is an indexed reference.
func (t *Table) keyTaken(self Row, key []int, values []Value) bool {
	first := key[0]
	if values[first].Kind == Null {
		return false
	}
	for _, r := range t.Referring(first, values[first].I) {
		same := r != self
		for _, i := range key[1:] {
			same = same && values[i].Kind != Null && t.Value(r, i) == values[i]
		}
		if same {
			return true
		}
	}
	return false
}

package pine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Ref is a reference to at most one row of T. It decodes the four shapes in which the server sends one: null, {"__id":5} when the
// link is selected, and a list of none or one row when it is expanded.
//
// An expanded reference may hold no row although it is set: the caller may not read the row.
type Ref[T any] struct {
	// ID is the id of the row referred to; 0 if there is none, or if it is expanded and cannot be read.
	ID int64

	row *T
}

// Row returns the row referred to if it was expanded and can be read.
func (r Ref[T]) Row() (T, bool) {
	if r.row == nil {
		var none T
		return none, false
	}
	return *r.row, true
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *Ref[T]) UnmarshalJSON(data []byte) error {
	*r = Ref[T]{}
	switch data = bytes.TrimSpace(data); {
	case bytes.Equal(data, []byte("null")):
		return nil
	case bytes.HasPrefix(data, []byte("[")):
		var rows []*T
		if err := json.Unmarshal(data, &rows); err != nil {
			return err
		}
		switch {
		case len(rows) == 0:
			return nil
		case len(rows) > 1:
			return fmt.Errorf("reference to one row holds %d rows", len(rows))
		case rows[0] == nil:
			return errors.New("reference to a row holds null")
		}
		r.row = rows[0]
		r.ID = shapeOf[T]().id(reflect.ValueOf(r.row).Elem())
		return nil
	default:
		var deferred struct {
			ID *int64 `json:"__id"`
		}
		if err := json.Unmarshal(data, &deferred); err != nil {
			return err
		}
		if deferred.ID == nil {
			return errors.New("reference is neither null, nor an object with __id, nor a list")
		}
		r.ID = *deferred.ID
		return nil
	}
}

// Refs is what an expansion of [Links] brought: rows, or their number if [Links.Count] was expanded.
type Refs[T any] struct {
	// Rows are the linked rows; nil if only their number was asked for.
	Rows []T

	// Count is the number of linked rows.
	Count int
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *Refs[T]) UnmarshalJSON(data []byte) error {
	*r = Refs[T]{}
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] != '[' {
		return json.Unmarshal(data, &r.Count)
	}
	if err := json.Unmarshal(data, &r.Rows); err != nil {
		return err
	}
	if shape := shapeOf[T](); shape.idIndex != nil {
		for i := range r.Rows {
			if reflect.ValueOf(&r.Rows[i]).Elem().IsZero() {
				return errors.New("list of rows holds null")
			}
		}
	}
	r.Count = len(r.Rows)
	return nil
}

// expandedOnly marks the type as no column: see shapeOf.
func (Refs[T]) expandedOnly() {}

package pine

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// link is a field that holds rows of another resource.
type link interface {
	// decode reads the next value of a stream. If it fails it may have read only a part of it.
	decode(decoder *jsontext.Decoder, rows *rowReader) error

	rowShape() *shape
}

// Ref is a reference to at most one row of T. It decodes the four shapes in which the server sends one: null, {"__id":5} if the link was
// selected, and a list of no or one row if it was expanded. It encodes to the same shapes.
//
// The zero Ref was not fetched: see [Ref.Fetched].
type Ref[T any] struct {
	// ID is the id of the row referred to. It is 0 if there is none, if the link was not fetched, and if it was expanded but the caller
	// may not read the row.
	ID ID[T]

	row  *T
	none bool // fetched, but there is no row
}

// NoRef is the reference that was fetched and refers to no row, for tests: the zero Ref was not fetched.
func NoRef[T any]() Ref[T] { return Ref[T]{none: true} }

// Fetched reports whether the response had this link. Only then does an ID of 0 mean that it refers to no row.
func (r Ref[T]) Fetched() bool { return r.none || r.ID != 0 || r.row != nil }

// Row returns the row referred to if it was expanded and the caller may read it.
func (r Ref[T]) Row() (T, bool) {
	if r.row == nil {
		var none T
		return none, false
	}
	return *r.row, true
}

// MarshalJSON implements [encoding/json.Marshaler]. A link that was not fetched becomes null; the option omitzero of a struct tag
// drops it.
func (r Ref[T]) MarshalJSON() ([]byte, error) {
	switch {
	case r.row != nil:
		return stdjson.Marshal([]*T{r.row})
	case r.ID != 0:
		return fmt.Appendf(nil, `{"__id":%d}`, r.ID), nil
	}
	return []byte("null"), nil
}

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (r *Ref[T]) UnmarshalJSON(data []byte) error { return decodeLink(data, r) }

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (r *Ref[T]) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	return r.decode(decoder, newRowReader(r.rowShape(), nil))
}

func (r *Ref[T]) rowShape() *shape { return shapeOf[T]() }

func (r *Ref[T]) decode(decoder *jsontext.Decoder, rows *rowReader) error {
	*r = Ref[T]{}
	switch kind := decoder.PeekKind(); kind {
	case jsontext.KindNull:
		r.none = true
		return decoder.SkipValue()
	case jsontext.KindBeginObject:
		return r.decodeDeferred(decoder)
	case jsontext.KindBeginArray:
		n, err := decodeList(decoder, rows, func() reflect.Value {
			r.row = new(T)
			return reflect.ValueOf(r.row).Elem()
		})
		switch {
		case err != nil:
			return err
		case n > 1:
			return fmt.Errorf("reference to one row holds %d rows", n)
		case n == 0:
			r.none = true
			return nil
		}
		r.ID = ID[T](rows.shape.idOf(reflect.ValueOf(r.row).Elem()))
		return nil
	default:
		return decodeNeither(decoder, kind, "a reference")
	}
}

// decodeDeferred reads {"__id":5}.
func (r *Ref[T]) decodeDeferred(decoder *jsontext.Decoder) error {
	if _, err := decoder.ReadToken(); err != nil {
		return err
	}
	found := false
	for decoder.PeekKind() != jsontext.KindEndObject {
		name, err := decoder.ReadValue()
		if err != nil {
			return err
		}
		if string(name) == `"__id"` && decoder.PeekKind() != jsontext.KindNull {
			found = true
			err = json.UnmarshalDecode(decoder, &r.ID)
		} else {
			err = decoder.SkipValue()
		}
		if err != nil {
			return explainValue(err)
		}
	}
	if _, err := decoder.ReadToken(); err != nil {
		return err
	}
	if !found {
		return errors.New("reference is an object without __id")
	}
	r.none = r.ID == 0
	return nil
}

// Refs is what an expansion of [Links] fetched: rows, or their number if [Links.Count] was expanded. It encodes to the same shapes.
//
// The zero Refs was not fetched: see [Refs.Fetched].
type Refs[T any] struct {
	// Rows are the linked rows; nil if only their number was fetched.
	Rows []T

	// Count is the number of linked rows.
	Count int

	none bool // fetched, but there are no rows
}

// Fetched reports whether the response had these links. Only then does a Count of 0 mean that there are none.
func (r Refs[T]) Fetched() bool { return r.none || r.Count != 0 || r.Rows != nil }

// MarshalJSON implements [encoding/json.Marshaler]. Links that were not fetched become null; the option omitzero of a struct tag drops
// them.
func (r Refs[T]) MarshalJSON() ([]byte, error) {
	switch {
	case r.Rows != nil:
		return stdjson.Marshal(r.Rows)
	case r.Fetched():
		return stdjson.Marshal(r.Count)
	}
	return []byte("null"), nil
}

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (r *Refs[T]) UnmarshalJSON(data []byte) error { return decodeLink(data, r) }

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (r *Refs[T]) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	return r.decode(decoder, newRowReader(r.rowShape(), nil))
}

func (r *Refs[T]) rowShape() *shape { return shapeOf[T]() }

func (r *Refs[T]) decode(decoder *jsontext.Decoder, rows *rowReader) error {
	*r = Refs[T]{}
	switch kind := decoder.PeekKind(); kind {
	case jsontext.KindNull:
		return decoder.SkipValue()
	case jsontext.KindNumber:
		err := json.UnmarshalDecode(decoder, &r.Count)
		r.none = r.Count == 0
		return explainValue(err)
	case jsontext.KindBeginArray:
		r.Rows = []T{}
		_, err := decodeList(decoder, rows, func() reflect.Value {
			var row T
			r.Rows = append(r.Rows, row)
			return reflect.ValueOf(&r.Rows[len(r.Rows)-1]).Elem()
		})
		r.Count = len(r.Rows)
		return err
	default:
		return decodeNeither(decoder, kind, "a list of rows or their number")
	}
}

// expandedOnly marks the type as not being a column: see shapeOf.
func (Refs[T]) expandedOnly() {}

// decodeList reads a list of rows, each into what next returns. It returns their number.
func decodeList(decoder *jsontext.Decoder, rows *rowReader, next func() reflect.Value) (n int, err error) {
	if _, err := decoder.ReadToken(); err != nil {
		return 0, err
	}
	for ; decoder.PeekKind() != jsontext.KindEndArray; n++ {
		undecodable, err := rows.read(decoder, next())
		switch {
		case err != nil:
			return n, err
		case undecodable != nil:
			return n, undecodable
		}
	}
	_, err = decoder.ReadToken()
	return n, err
}

func decodeNeither(decoder *jsontext.Decoder, kind jsontext.Kind, what string) error {
	if err := decoder.SkipValue(); err != nil {
		return err
	}
	return fmt.Errorf("JSON %s cannot be decoded as %s", kindName(kind), what)
}

// decodeLink decodes a link that stands alone.
func decodeLink(data []byte, link json.UnmarshalerFrom) error {
	decoder := newDecoder(bytes.NewReader(data))
	if err := link.UnmarshalJSONFrom(decoder); err != nil {
		return err
	}
	return expectEnd(decoder)
}

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

// selection is what a query requests explicitly. A row that lacks one of these members cannot be decoded: what is absent must not be
// mistaken for zero, false or empty.
type selection struct {
	columns    []string              // nil if the query selects no columns itself
	expansions map[string]*selection // by navigation
}

// rowReader decodes the rows of one response that are of one type.
type rowReader struct {
	shape    *shape
	order    []int        // index of the field at each position of the previous row: a guess for the next one
	required []bool       // by field: whether the row must have it
	rows     int          // rows begun
	seenIn   []int        // by field: the last row that had it
	nested   []*rowReader // by field: for the rows of expansions
	wanted   *selection
}

func newRowReader(s *shape, wanted *selection) *rowReader {
	n := len(s.fields)
	r := &rowReader{shape: s, required: make([]bool, n), seenIn: make([]int, n), nested: make([]*rowReader, n), wanted: wanted}
	if wanted == nil {
		return r
	}
	require := func(name string) {
		if i, ok := s.byName[name]; ok {
			r.required[i] = true
		}
	}
	for _, column := range wanted.columns {
		require(column)
	}
	for navigation := range wanted.expansions {
		require(navigation)
	}
	return r
}

// read decodes the next value of a stream as a row. If the row cannot be decoded it returns the reason, and has read past the row all
// the same; err means that the stream cannot be read any further.
func (r *rowReader) read(decoder *jsontext.Decoder, row reflect.Value) (undecodable, err error) {
	depth := decoder.StackDepth()
	if r.shape.opaque {
		_, length := decoder.StackIndex(depth)
		if undecodable = json.UnmarshalDecode(decoder, row.Addr().Interface()); undecodable != nil {
			err = skipTo(decoder, depth, length+1)
		}
		return explainValue(undecodable), err
	}
	if kind := decoder.PeekKind(); kind != jsontext.KindBeginObject {
		if err := decoder.SkipValue(); err != nil {
			return nil, err
		}
		return fmt.Errorf("row is %s", kindName(kind)), nil
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	r.rows++
	for position := 0; decoder.PeekKind() != jsontext.KindEndObject; position++ {
		name, err := decoder.ReadValue()
		if err != nil {
			return nil, err
		}
		failure := r.readMember(decoder, row, position, name)
		if failure == nil {
			continue
		}
		if err := skipTo(decoder, depth+1, int64(2*position+2)); err != nil {
			return nil, err
		}
		if undecodable == nil {
			undecodable = failure
		}
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	if undecodable == nil {
		undecodable = r.missing()
	}
	return undecodable, nil
}

// readMember decodes the value behind a name.
func (r *rowReader) readMember(decoder *jsontext.Decoder, row reflect.Value, position int, quoted jsontext.Value) error {
	i := r.field(quoted, position)
	if i < 0 {
		return r.readExtra(decoder, row, quoted)
	}
	field := &r.shape.fields[i]
	r.seenIn[i] = r.rows
	if r.required[i] && !field.nullable && decoder.PeekKind() == jsontext.KindNull {
		return fmt.Errorf("column %s is null", field.name)
	}
	into := fieldOf(row, field.index).Addr().Interface()
	var err error
	if link, ok := into.(link); ok {
		err = link.decode(decoder, r.nestedReader(i, link))
	} else if field.quoted {
		err = json.UnmarshalDecode(decoder, into, json.StringifyNumbers(true))
	} else {
		err = json.UnmarshalDecode(decoder, into)
	}
	if err != nil {
		return fmt.Errorf("column %s: %w", field.name, explainValue(err))
	}
	return nil
}

// readExtra decodes a column without a field, if the row type has a map for those.
func (r *rowReader) readExtra(decoder *jsontext.Decoder, row reflect.Value, quoted jsontext.Value) error {
	if r.shape.extra == nil {
		return decoder.SkipValue()
	}
	name := string(unquoted(quoted))
	value, err := decoder.ReadValue()
	if err != nil {
		return err
	}
	extra := fieldOf(row, r.shape.extra)
	if extra.IsNil() {
		extra.Set(reflect.MakeMap(extra.Type()))
	}
	extra.SetMapIndex(reflect.ValueOf(name), reflect.ValueOf(stdjson.RawMessage(value.Clone())))
	return nil
}

// field returns the index of the field of this name; -1 if there is none. It looks first where the previous row had it.
func (r *rowReader) field(quoted jsontext.Value, position int) int {
	name := unquoted(quoted)
	if position < len(r.order) {
		if i := r.order[position]; i >= 0 && r.shape.fields[i].name == string(name) {
			return i
		}
	}
	i, ok := r.shape.byName[string(name)]
	if !ok {
		return -1
	}
	for len(r.order) <= position && position < maxOrder {
		r.order = append(r.order, -1)
	}
	if position < maxOrder {
		r.order[position] = i
	}
	return i
}

// maxOrder bounds what is remembered of the order of columns. The largest resources have fewer than a hundred.
const maxOrder = 1000

// nestedReader returns the reader of a link's rows.
func (r *rowReader) nestedReader(field int, link link) *rowReader {
	if r.nested[field] == nil {
		var wanted *selection
		if r.wanted != nil {
			wanted = r.wanted.expansions[r.shape.fields[field].name]
		}
		r.nested[field] = newRowReader(link.rowShape(), wanted)
	}
	return r.nested[field]
}

// missing names a required member that the row does not have.
func (r *rowReader) missing() error {
	for i, required := range r.required {
		if required && r.seenIn[i] != r.rows {
			return fmt.Errorf("column %s is missing", r.shape.fields[i].name)
		}
	}
	return nil
}

// fieldOf returns a field of a row. It allocates embedded structs on the way to it.
func fieldOf(row reflect.Value, index []int) reflect.Value {
	for _, i := range index[:len(index)-1] {
		row = row.Field(i)
		if row.Kind() == reflect.Pointer {
			if row.IsNil() {
				row.Set(reflect.New(row.Type().Elem()))
			}
			row = row.Elem()
		}
	}
	return row.Field(index[len(index)-1])
}

// unquoted is a name without its quotes. It is valid as long as quoted is.
func unquoted(quoted jsontext.Value) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	name, _ := jsontext.AppendUnquote(nil, quoted)
	return name
}

// explainValue shortens the errors of the package json, which also name paths and offsets.
func explainValue(err error) error {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) || semantic.GoType == nil || semantic.JSONKind == jsontext.KindInvalid {
		return err
	}
	wanted := semantic.GoType.String()
	if kind := semantic.GoType.Kind(); kind <= reflect.Complex128 || kind == reflect.String {
		wanted = kind.String() // rather than the long name of an ID
	}
	explained := fmt.Errorf("JSON %s cannot be decoded as %s", kindName(semantic.JSONKind), wanted)
	if semantic.Err != nil {
		explained = fmt.Errorf("%w: %w", explained, semantic.Err)
	}
	return explained
}

func kindName(kind jsontext.Kind) string {
	switch kind {
	case jsontext.KindBeginObject:
		return "object"
	case jsontext.KindBeginArray:
		return "array"
	case jsontext.KindTrue, jsontext.KindFalse:
		return "bool"
	}
	return kind.String()
}

package pine

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// idColumn is the primary key of every resource.
const idColumn = "id"

// shape is what a row type says of itself through its struct tags.
type shape struct {
	columns []string // selected when a query selects nothing itself
	idIndex []int    // nil if the type has no field "id" of type int64
	extra   []int    // index of the field for columns that no other field takes; nil if there is none
	known   []string // all names that fields have in JSON
}

// shapes holds the shape of each row type that was seen: reading it takes longer than decoding a row.
var shapes sync.Map // from reflect.Type to shape

// shapeOf reads the json tags of T. A column is selected by default unless its field is tagged `pine:"optional"` (it exists on some
// servers only, or is large) or is a [Refs], which only an expansion fills.
func shapeOf[T any]() shape {
	t := reflect.TypeFor[T]()
	known, ok := shapes.Load(t)
	if !ok {
		known, _ = shapes.LoadOrStore(t, readShape(t))
	}
	return known.(shape)
}

func readShape(t reflect.Type) shape {
	if t.Kind() != reflect.Struct {
		return shape{}
	}
	var s shape
	for _, field := range reflect.VisibleFields(t) {
		if field.Tag.Get("pine") == "extra" && field.Type == reflect.TypeFor[map[string]json.RawMessage]() {
			s.extra = field.Index
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || name == "" || name == "-" {
			continue
		}
		if name == idColumn && field.Type.Kind() == reflect.Int64 {
			s.idIndex = field.Index
		}
		s.known = append(s.known, name)
		_, expandedOnly := reflect.Zero(field.Type).Interface().(interface{ expandedOnly() })
		if !expandedOnly && field.Tag.Get("pine") != "optional" {
			s.columns = append(s.columns, name)
		}
	}
	return s
}

// id returns the row's id; 0 if the row's type has none or the row left it out.
func (s shape) id(row reflect.Value) int64 {
	if s.idIndex == nil {
		return 0
	}
	field, err := row.FieldByIndexErr(s.idIndex)
	if err != nil {
		return 0 // it is in an embedded struct, for which the row held nothing
	}
	return field.Int()
}

// keepExtra puts what a row's text holds beyond the fields of its type into the field that is there for it.
func (s shape) keepExtra(row reflect.Value, text []byte) error {
	field, err := row.FieldByIndexErr(s.extra)
	if err != nil {
		return err
	}
	var extra map[string]json.RawMessage
	if err := json.Unmarshal(bytes.TrimLeft(text, ", \t\r\n"), &extra); err != nil {
		return err
	}
	for _, name := range s.known {
		delete(extra, name)
	}
	field.Set(reflect.ValueOf(extra))
	return nil
}

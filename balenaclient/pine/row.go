package pine

import (
	"reflect"
	"strings"
)

// idColumn is the primary key of every resource.
const idColumn = "id"

// shape is what a row type says of itself through its struct tags.
type shape struct {
	columns []string // selected when a query selects nothing itself
	idIndex []int    // nil if the type has no field "id" of type int64
}

// shapeOf reads the json tags of T. A column is selected by default unless its field is tagged `pine:"optional"` (it exists on some
// servers only, or is large) or is a [Refs], which only an expansion fills.
func shapeOf[T any]() shape {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		return shape{}
	}
	var s shape
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || name == "" || name == "-" {
			continue
		}
		if name == idColumn && field.Type.Kind() == reflect.Int64 {
			s.idIndex = field.Index
		}
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
	return row.FieldByIndex(s.idIndex).Int()
}

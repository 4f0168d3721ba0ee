package pine

import (
	"encoding"
	stdjson "encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
)

// idColumn is the primary key of every resource.
const idColumn = "id"

// shape describes a row type, from its struct tags.
type shape struct {
	fields   []rowField
	byName   map[string]int // index into fields
	columns  []string       // selected when a query selects nothing itself
	optional []string       // never selected by default
	id       int            // index into fields; -1 if there is no field "id" of an int64 type
	extra    []int          // index of the struct field for all other columns; nil if there is none
	opaque   bool           // not a struct, decodes itself, or has json options that rowReader does not support
}

// rowField is a field of a row type.
type rowField struct {
	name     string
	index    []int
	quoted   bool // a number that the server sends as a string
	nullable bool // null cannot be mistaken for a value
}

// shapes caches the shape of each row type: reading one takes longer than decoding a row.
var shapes sync.Map // reflect.Type -> *shape

// shapeOf reads the json tags of T. A column is selected by default unless its field is tagged `pine:"optional"` (it exists on some
// servers only, or is large) or is a [Refs], which only an expansion fills.
func shapeOf[T any]() *shape {
	t := reflect.TypeFor[T]()
	known, ok := shapes.Load(t)
	if !ok {
		known, _ = shapes.LoadOrStore(t, readShape(t))
	}
	return known.(*shape)
}

func readShape(t reflect.Type) *shape {
	s := &shape{id: -1, byName: map[string]int{}}
	if t.Kind() != reflect.Struct {
		s.opaque = true
		return s
	}
	s.opaque = decodesItself(t)
	var named [][]int // embedded structs that are a member themselves, so that their fields are not
	for _, field := range reflect.VisibleFields(t) {
		tag := field.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case slices.ContainsFunc(named, func(outer []int) bool { return startsWith(field.Index, outer) }):
			continue
		case field.Anonymous && name == "" && tag != "-":
			s.opaque = s.opaque || field.Type.Kind() == reflect.Pointer && !field.IsExported() // reflection cannot set it
			continue
		case field.Anonymous:
			named = append(named, field.Index)
		}
		if !field.IsExported() || tag == "-" {
			continue
		}
		if field.Tag.Get("pine") == "extra" && field.Type == reflect.TypeFor[map[string]stdjson.RawMessage]() {
			s.extra = field.Index
			continue
		}
		s.add(field, name, options)
	}
	return s
}

// add adds a field. Of two fields with the same name the outer one counts, as in Go.
func (s *shape) add(field reflect.StructField, name, options string) {
	isColumn := name != ""
	if !isColumn {
		name = field.Name
	}
	added := rowField{name: name, index: field.Index, nullable: isNullable(field.Type)}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "string":
			added.quoted = true
		case "", "omitempty", "omitzero":
		default:
			s.opaque = true
		}
	}
	i, twice := s.byName[name]
	switch {
	case !twice:
		i = len(s.fields)
		s.byName[name] = i
		s.fields = append(s.fields, added)
	case len(field.Index) < len(s.fields[i].index):
		s.fields[i] = added
	default:
		return
	}
	if name == idColumn {
		s.id = -1
		if field.Type.Kind() == reflect.Int64 {
			s.id = i
		}
	}
	_, expandedOnly := reflect.Zero(field.Type).Interface().(interface{ expandedOnly() })
	switch isOptional := field.Tag.Get("pine") == "optional"; {
	case isOptional:
		s.optional = append(s.optional, name)
	case isColumn && !expandedOnly && !slices.Contains(s.columns, name):
		s.columns = append(s.columns, name)
	}
}

// optionalIn returns the optional columns that a part of a query names.
func (s *shape) optionalIn(text string) (names []string) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') })
	for _, name := range s.optional {
		if slices.Contains(words, name) {
			names = append(names, name)
		}
	}
	return names
}

func startsWith(index, prefix []int) bool {
	return len(index) > len(prefix) && slices.Equal(index[:len(prefix)], prefix)
}

func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.UnmarshalerFrom]()) || p.Implements(reflect.TypeFor[json.Unmarshaler]()) ||
		p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// isNullable reports whether null in a field of this type cannot be mistaken for a value. For strings, null and empty are the same.
func isNullable(t reflect.Type) bool {
	if _, isRefs := reflect.Zero(t).Interface().(interface{ expandedOnly() }); isRefs {
		return false // its Count would be 0
	}
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return decodesItself(t)
	}
	return true
}

// idOf returns the row's id; 0 if its type has none or the row lacks it.
func (s *shape) idOf(row reflect.Value) int64 {
	if s.id < 0 {
		return 0
	}
	field, err := row.FieldByIndexErr(s.fields[s.id].index)
	if err != nil {
		return 0 // it is in an embedded struct for which the row held nothing
	}
	return field.Int()
}

package store

import (
	"bytes"
	"reflect"
)

// equal is [reflect.DeepEqual], except that the order of rows in an expansion does not matter: the server may change it at any time.
// It also reads unexported fields, where an expanded [pine.Ref] keeps its row.
func equal(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return a.Elem().Type() == b.Elem().Type() && equal(a.Elem(), b.Elem())
	case reflect.Func:
		return a.IsNil() && b.IsNil()
	case reflect.Struct:
		for i := range a.NumField() {
			if !equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Type().Elem().Kind() == reflect.Uint8 {
			return bytes.Equal(a.Bytes(), b.Bytes())
		}
		return equalLists(a, b)
	case reflect.Array:
		return equalLists(a, b)
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, key := range a.MapKeys() {
			if other := b.MapIndex(key); !other.IsValid() || !equal(a.MapIndex(key), other) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

func equalLists(a, b reflect.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	if index, ok := idIndex(a.Type().Elem()); ok {
		rows := map[int64]reflect.Value{}
		for i := range b.Len() {
			rows[b.Index(i).FieldByIndex(index).Int()] = b.Index(i)
		}
		if len(rows) == b.Len() { // their ids are unique
			for i := range a.Len() {
				other, ok := rows[a.Index(i).FieldByIndex(index).Int()]
				if !ok || !equal(a.Index(i), other) {
					return false
				}
			}
			return true
		}
	}
	for i := range a.Len() {
		if !equal(a.Index(i), b.Index(i)) {
			return false
		}
	}
	return true
}

// idIndex finds the field with the id of a row.
func idIndex(t reflect.Type) ([]int, bool) {
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	for i := range t.NumField() {
		if field := t.Field(i); jsonName(field) == "id" && field.Type.Kind() == reflect.Int64 {
			return field.Index, true
		}
	}
	return nil, false
}

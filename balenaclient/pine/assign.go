package pine

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Assignment sets a column of resource R: see [Settable.Set] and [SettableLink.Set].
type Assignment[R any] struct {
	column string
	value  any // as it is sent; nil for null
}

// Values are the values that a write assigns, by column: strings, bools, int64s, RFC 3339 strings for times, and nil for null.
type Values map[string]any

// Lookup returns the string that is assigned to a column, if any.
func (v Values) Lookup(column string) (string, bool) {
	s, ok := v[column].(string)
	return s, ok
}

// Rules are the rules for writing a resource.
type Rules struct {
	// Protected rows are deleted only with [AllowProtected], because much depends on them.
	Protected bool

	// Check returns an [InvalidError] for values that the server would refuse, before they are sent. It may be nil.
	Check func(resource string, values Values) error
}

// InvalidError describes a value that was not sent because the server would refuse it. It never contains the value of a variable, which
// may be secret.
type InvalidError struct {
	Resource string
	Column   string // column of the value
	Key      string // name of the variable or key of the tag, if the value belongs to one
	Value    string // the value, unless it may be secret
	Problem  string // for example: has a line break at character 3 of 8
	Remedy   string // what to do
}

func (e *InvalidError) Error() string {
	subject := e.Column
	switch {
	case e.Key != "":
		subject = fmt.Sprintf("%s of %q", e.Column, e.Key)
	case e.Value != "":
		subject = fmt.Sprintf("%s %q", e.Column, e.Value)
	}
	message := fmt.Sprintf("%s: %s %s", e.Resource, subject, e.Problem)
	if e.Remedy != "" {
		message += ": " + e.Remedy
	}
	return message
}

// Is reports whether target is [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// body renders assignments as the body of a write, after checking the resource's rules.
func (q Query[T]) body(assignments []Assignment[T]) ([]byte, error) {
	if len(assignments) == 0 {
		return nil, fmt.Errorf("pine: write of %s assigns nothing: %w", q.resource, ErrInvalid)
	}
	values := make(Values, len(assignments))
	for _, a := range assignments {
		if _, twice := values[a.column]; twice {
			return nil, fmt.Errorf("pine: write of %s assigns %s twice: %w", q.resource, a.column, ErrInvalid)
		}
		values[a.column] = a.value
	}
	if q.rules.Check != nil {
		if err := q.rules.Check(q.resource, values); err != nil {
			return nil, err
		}
	}
	return json.Marshal(values)
}

// jsonValue returns v as it is sent.
func jsonValue[V Literal](v V) any {
	if t, ok := any(v).(time.Time); ok {
		return t.UTC().Format(timeLayout)
	}
	switch value := reflect.ValueOf(v); value.Kind() {
	case reflect.Bool:
		return value.Bool()
	case reflect.Int, reflect.Int64:
		return value.Int()
	default: // Literal allows nothing else but strings.
		return value.String()
	}
}

// Settable is a [Field] that can be written.
type Settable[R any, V Literal] string

// Set assigns v to the field.
func (f Settable[R, V]) Set(v V) Assignment[R] { return Assignment[R]{string(f), jsonValue(v)} }

// Clear assigns null. The server refuses that if the field must have a value.
func (f Settable[R, V]) Clear() Assignment[R] { return Assignment[R]{string(f), nil} }

// Eq matches rows whose field equals v.
func (f Settable[R, V]) Eq(v V) Filter[R] { return Field[R, V](f).Eq(v) }

// Ne matches rows whose field does not equal v, including rows without a value.
func (f Settable[R, V]) Ne(v V) Filter[R] { return Field[R, V](f).Ne(v) }

// Gt matches rows whose field is greater than v.
func (f Settable[R, V]) Gt(v V) Filter[R] { return Field[R, V](f).Gt(v) }

// Ge matches rows whose field is greater than or equal to v.
func (f Settable[R, V]) Ge(v V) Filter[R] { return Field[R, V](f).Ge(v) }

// Lt matches rows whose field is less than v.
func (f Settable[R, V]) Lt(v V) Filter[R] { return Field[R, V](f).Lt(v) }

// Le matches rows whose field is less than or equal to v.
func (f Settable[R, V]) Le(v V) Filter[R] { return Field[R, V](f).Le(v) }

// In matches rows whose field is one of the values. Without values it matches no row.
func (f Settable[R, V]) In(values ...V) Filter[R] { return Field[R, V](f).In(values...) }

// IsNull matches rows whose field has no value.
func (f Settable[R, V]) IsNull() Filter[R] { return Field[R, V](f).IsNull() }

// NotNull matches rows whose field has a value.
func (f Settable[R, V]) NotNull() Filter[R] { return Field[R, V](f).NotNull() }

// Asc orders rows by the field, smallest first.
func (f Settable[R, V]) Asc() Order[R] { return Field[R, V](f).Asc() }

// Desc orders rows by the field, greatest first.
func (f Settable[R, V]) Desc() Order[R] { return Field[R, V](f).Desc() }

// Key names the one row whose field equals v: see [Field.Key].
func (f Settable[R, V]) Key(v V) Key[R] { return Field[R, V](f).Key(v) }

func (f Settable[R, V]) columnOf(R) string { return string(f) }

// SettableLink is a [Link] that can be written.
type SettableLink[R, S any] string

// Set makes the link refer to the row with this id.
func (l SettableLink[R, S]) Set(id ID[S]) Assignment[R] { return Assignment[R]{string(l), int64(id)} }

// Clear makes the link refer to no row. The server refuses that if the link must refer to one.
func (l SettableLink[R, S]) Clear() Assignment[R] { return Assignment[R]{string(l), nil} }

// Eq matches rows that refer to the row with this id.
func (l SettableLink[R, S]) Eq(id ID[S]) Filter[R] { return Link[R, S](l).Eq(id) }

// Ne matches rows that do not refer to the row with this id, including those that refer to no row.
func (l SettableLink[R, S]) Ne(id ID[S]) Filter[R] { return Link[R, S](l).Ne(id) }

// In matches rows that refer to one of the rows with these ids. Without ids it matches no row.
func (l SettableLink[R, S]) In(ids ...ID[S]) Filter[R] { return Link[R, S](l).In(ids...) }

// IsNull matches rows that refer to no row.
func (l SettableLink[R, S]) IsNull() Filter[R] { return Link[R, S](l).IsNull() }

// NotNull matches rows that refer to a row.
func (l SettableLink[R, S]) NotNull() Filter[R] { return Link[R, S](l).NotNull() }

// Where matches rows that refer to a row that matches all filters.
func (l SettableLink[R, S]) Where(filters ...Filter[S]) Filter[R] {
	return Link[R, S](l).Where(filters...)
}

// With expands the link: it also fetches the row referred to, as the query describes it.
func (l SettableLink[R, S]) With(q Query[S]) Expansion[R] { return Link[R, S](l).With(q) }

// Key is the part of a composite key by which rows refer to the row with this id: see [Field.Key].
func (l SettableLink[R, S]) Key(id ID[S]) Key[R] { return Link[R, S](l).Key(id) }

func (l SettableLink[R, S]) columnOf(R) string { return string(l) }

// and joins assignments without changing either list.
func and[R any](a, b []Assignment[R]) []Assignment[R] { return append(slices.Clip(a), b...) }

// Check returns the error with which [Query.Create] and [Query.Patch] would refuse to send these assignments.
func (q Query[T]) Check(assignments ...Assignment[T]) error {
	_, err := q.body(assignments)
	return err
}

package pine

import (
	"net/url"
	"slices"
)

// Field is a column of resource R whose values are of type V. Fields are constants: the name of the column.
type Field[R any, V Literal] string

// Eq matches rows whose field equals v.
func (f Field[R, V]) Eq(v V) Filter[R] { return f.compare("eq", v) }

// Ne matches rows whose field does not equal v, including rows without a value.
func (f Field[R, V]) Ne(v V) Filter[R] { return f.compare("ne", v) }

// Gt matches rows whose field is greater than v.
func (f Field[R, V]) Gt(v V) Filter[R] { return f.compare("gt", v) }

// Ge matches rows whose field is greater than or equal to v.
func (f Field[R, V]) Ge(v V) Filter[R] { return f.compare("ge", v) }

// Lt matches rows whose field is less than v.
func (f Field[R, V]) Lt(v V) Filter[R] { return f.compare("lt", v) }

// Le matches rows whose field is less than or equal to v.
func (f Field[R, V]) Le(v V) Filter[R] { return f.compare("le", v) }

// In matches rows whose field is one of the values. Without values it matches no row.
func (f Field[R, V]) In(values ...V) Filter[R] {
	operands := make([]string, len(values))
	for i, v := range values {
		operands[i] = literal(v)
	}
	return Filter[R]{oneOf(string(f), operands)}
}

// IsNull matches rows whose field has no value.
func (f Field[R, V]) IsNull() Filter[R] { return Filter[R]{compare(string(f), "eq", "null")} }

// NotNull matches rows whose field has a value.
func (f Field[R, V]) NotNull() Filter[R] { return Filter[R]{compare(string(f), "ne", "null")} }

// Asc orders rows by the field, smallest first.
func (f Field[R, V]) Asc() Order[R] { return Order[R]{string(f) + space + "asc"} }

// Desc orders rows by the field, greatest first.
func (f Field[R, V]) Desc() Order[R] { return Order[R]{string(f) + space + "desc"} }

// Key names the one row whose field equals v. The server must know the field, or the fields joined by [Key.And], as unique.
func (f Field[R, V]) Key(v V) Key[R] {
	return Key[R]{string(f) + "=" + literal(v), []Assignment[R]{{string(f), jsonValue(v)}}, f.Eq(v)}
}

func (f Field[R, V]) compare(operator string, v V) Filter[R] {
	return Filter[R]{compare(string(f), operator, literal(v))}
}

func (f Field[R, V]) columnOf(R) string { return string(f) }

// Text is a field of R that holds a text.
type Text[R any] interface {
	Selectable[R]
	Eq(string) Filter[R]
}

// Contains matches rows whose field contains the text.
func Contains[R any](f Text[R], text string) Filter[R] {
	var row R
	return Filter[R]{call("contains", f.columnOf(row), quote(text))}
}

// StartsWith matches rows whose field starts with the text.
func StartsWith[R any](f Text[R], text string) Filter[R] {
	var row R
	return Filter[R]{call("startswith", f.columnOf(row), quote(text))}
}

// EndsWith matches rows whose field ends with the text.
func EndsWith[R any](f Text[R], text string) Filter[R] {
	var row R
	return Filter[R]{call("endswith", f.columnOf(row), quote(text))}
}

// Column is a column of resource R that can be selected and nothing else, such as one that holds JSON.
type Column[R any] string

func (c Column[R]) columnOf(R) string { return string(c) }

// Link is a column of resource R that refers to at most one row of S.
type Link[R, S any] string

// Eq matches rows that refer to the row with this id.
func (l Link[R, S]) Eq(id ID[S]) Filter[R] { return Field[R, ID[S]](l).Eq(id) }

// Ne matches rows that do not refer to the row with this id, including those that refer to no row.
func (l Link[R, S]) Ne(id ID[S]) Filter[R] { return Field[R, ID[S]](l).Ne(id) }

// In matches rows that refer to one of the rows with these ids. Without ids it matches no row.
func (l Link[R, S]) In(ids ...ID[S]) Filter[R] { return Field[R, ID[S]](l).In(ids...) }

// IsNull matches rows that refer to no row.
func (l Link[R, S]) IsNull() Filter[R] { return Filter[R]{compare(string(l), "eq", "null")} }

// NotNull matches rows that refer to a row.
func (l Link[R, S]) NotNull() Filter[R] { return Filter[R]{compare(string(l), "ne", "null")} }

// Where matches rows that refer to a row that meets all the filters.
func (l Link[R, S]) Where(filters ...Filter[S]) Filter[R] {
	return Filter[R]{lambda(string(l), "any", conjunction(filters))}
}

// With fetches the row referred to together with the row that refers to it.
func (l Link[R, S]) With(q Query[S]) Expansion[R] { return expansion[R](string(l), q) }

// Key is the part of a composite key that refers to the row with this id: see [Field.Key].
func (l Link[R, S]) Key(id ID[S]) Key[R] { return Field[R, ID[S]](l).Key(id) }

func (l Link[R, S]) columnOf(R) string { return string(l) }

// Links is a navigation from a row of R to any number of rows of S.
type Links[R, S any] string

// Any matches rows with at least one linked row that meets all the filters; without filters, with at least one linked row.
func (l Links[R, S]) Any(filters ...Filter[S]) Filter[R] {
	return Filter[R]{lambda(string(l), "any", conjunction(filters))}
}

// All matches rows whose linked rows all meet all the filters.
func (l Links[R, S]) All(filters ...Filter[S]) Filter[R] {
	return Filter[R]{lambda(string(l), "all", conjunction(filters))}
}

// With fetches the linked rows that the query selects together with the row.
func (l Links[R, S]) With(q Query[S]) Expansion[R] { return expansion[R](string(l), q) }

// Count fetches the number of linked rows that meet all the filters; it arrives in [Refs.Count].
func (l Links[R, S]) Count(filters ...Filter[S]) Expansion[R] {
	text := string(l) + "/$count"
	if condition := conjunction(filters); condition != nil {
		text += "($filter=" + condition(scope{}) + ")"
	}
	return Expansion[R]{navigation: string(l), text: text, optional: shapeOf[S]().optionalIn(text)}
}

// Selectable is a column of R: a [Field], a [Link] or a [Column].
type Selectable[R any] interface {
	columnOf(R) string
}

// Order says by what rows are ordered. Its direction is always written out: left out, this server takes it for descending.
type Order[R any] struct{ text string }

// Key names one row by fields that are unique together.
type Key[R any] struct {
	text   string
	parts  []Assignment[R] // what a row with this key is made of
	filter Filter[R]       // what a row with this key meets
}

// String returns the key as it is written in a query, for example uuid='ab12'.
func (k Key[R]) String() string {
	if text, err := url.PathUnescape(k.text); err == nil {
		return text
	}
	return k.text
}

// And joins two parts of a composite key.
func (k Key[R]) And(other Key[R]) Key[R] {
	return Key[R]{k.text + "," + other.text, append(slices.Clip(k.parts), other.parts...), k.filter.And(other.filter)}
}

// Expansion is a linked resource that is fetched along.
type Expansion[R any] struct {
	navigation string
	text       string
	rows       *selection // what each of its rows must have; nil if only their number is fetched
	optional   []string   // columns that it uses and only some servers have
	fault      error      // why a query with it cannot be run
}

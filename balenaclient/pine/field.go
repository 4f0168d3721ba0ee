package pine

import (
	"net/url"
	"slices"
)

// Field is a column of resource R with values of type V. Fields are constants that hold the name of the column.
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

// Key identifies the row whose field equals v. The field, or the fields joined by [Key.And], must be unique on the server.
func (f Field[R, V]) Key(v V) Key[R] {
	return Key[R]{string(f) + "=" + literal(v), []Assignment[R]{{string(f), jsonValue(v)}}, f.Eq(v)}
}

func (f Field[R, V]) compare(operator string, v V) Filter[R] {
	return Filter[R]{compare(string(f), operator, literal(v))}
}

func (f Field[R, V]) columnOf(R) string { return string(f) }

// Column is a column of resource R that can only be selected, such as one that holds JSON.
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

// Where matches rows that refer to a row that matches all filters.
func (l Link[R, S]) Where(filters ...Filter[S]) Filter[R] {
	return Filter[R]{lambda(string(l), "any", conjunction(filters))}
}

// With expands the link: it also fetches the row referred to, as the query describes it.
func (l Link[R, S]) With(q Query[S]) Expansion[R] { return expansion[R](string(l), q) }

// Key is the part of a composite key by which rows refer to the row with this id: see [Field.Key].
func (l Link[R, S]) Key(id ID[S]) Key[R] { return Field[R, ID[S]](l).Key(id) }

func (l Link[R, S]) columnOf(R) string { return string(l) }

// Links is a navigation from a row of R to any number of rows of S.
type Links[R, S any] string

// Any matches rows with at least one linked row that matches all filters; without filters, with at least one linked row.
func (l Links[R, S]) Any(filters ...Filter[S]) Filter[R] {
	return Filter[R]{lambda(string(l), "any", conjunction(filters))}
}

// All matches rows whose linked rows all match all filters.
func (l Links[R, S]) All(filters ...Filter[S]) Filter[R] {
	return Filter[R]{lambda(string(l), "all", conjunction(filters))}
}

// With expands the links: it also fetches the linked rows, as the query describes them.
func (l Links[R, S]) With(q Query[S]) Expansion[R] { return expansion[R](string(l), q) }

// Count expands the number of linked rows that match all filters: see [Refs.Count].
func (l Links[R, S]) Count(filters ...Filter[S]) Expansion[R] {
	text := string(l) + "/$count"
	if condition := conjunction(filters); condition != nil {
		text += "($filter=" + condition(scope{}) + ")"
	}
	return Expansion[R]{navigation: string(l), text: text, optional: shapeOf[S]().optionalIn(text)}
}

// Selectable is a column of R: a [Field], a [Text], a [Link] or a [Column].
type Selectable[R any] interface {
	columnOf(R) string
}

// Order is an order of rows. Its direction is always sent: without one the server sorts in descending order.
type Order[R any] struct{ text string }

// Key identifies a row by fields that are unique together.
type Key[R any] struct {
	text   string
	parts  []Assignment[R] // set in a row with this key
	filter Filter[R]       // matches the row with this key
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

// Expansion is a linked resource that is fetched with the rows that refer to it.
type Expansion[R any] struct {
	navigation string
	text       string
	rows       *selection // what its rows must have; nil if only their number is fetched
	optional   []string   // columns that it uses and only some servers have
	fault      error      // why a query with it cannot be run
}

package pine

import (
	"slices"
	"strconv"
	"strings"
)

// space separates operators in a URL.
const space = "%20"

// Filter is a condition on rows of type R. The zero Filter matches every row.
type Filter[R any] struct {
	expr expr
}

// And matches rows that match f and all others.
func (f Filter[R]) And(others ...Filter[R]) Filter[R] {
	return Filter[R]{conjunction(append([]Filter[R]{f}, others...))}
}

// Or matches rows that match f or one of the others. If one of them is the zero Filter it matches every row.
func (f Filter[R]) Or(others ...Filter[R]) Filter[R] {
	exprs := make([]expr, 0, len(others)+1)
	for _, filter := range append([]Filter[R]{f}, others...) {
		if filter.expr == nil {
			return Filter[R]{}
		}
		exprs = append(exprs, filter.expr)
	}
	return Filter[R]{logical("or", exprs)}
}

// Not matches rows that do not match f. As in SQL, a row without a value matches neither a comparison nor its negation.
func Not[R any](f Filter[R]) Filter[R] {
	if f.expr == nil {
		return Filter[R]{nothing}
	}
	return Filter[R]{func(scope scope) string { return "not(" + f.expr(scope) + ")" }}
}

// conjunction joins filters with "and". It is nil if they match every row.
func conjunction[R any](filters []Filter[R]) expr {
	exprs := make([]expr, 0, len(filters))
	for _, filter := range filters {
		if filter.expr != nil {
			exprs = append(exprs, filter.expr)
		}
	}
	return logical("and", exprs)
}

// expr renders a condition. Its columns are relative to a scope, because the same condition may be at the top level of a query or within a
// lambda of another resource.
type expr func(scope) string

// scope is where a condition is: within a lambda columns are prefixed with its variable.
type scope struct {
	variable string
	depth    int
}

func (s scope) column(name string) string {
	if s.variable == "" {
		return name
	}
	return s.variable + "/" + name
}

// lambda opens the scope of a lambda. Variables differ by depth, so that an inner one does not hide an outer one.
func (s scope) lambda() scope {
	return scope{variable: "x" + strconv.Itoa(s.depth+1), depth: s.depth + 1}
}

// nothing matches no row, anything every row.
func nothing(scope) string  { return "1" + space + "eq" + space + "2" }
func anything(scope) string { return "1" + space + "eq" + space + "1" }

func compare(column, operator, operand string) expr {
	return func(s scope) string { return s.column(column) + space + operator + space + operand }
}

func oneOf(column string, operands []string) expr {
	if len(operands) == 0 {
		return nothing // "in ()" is a syntax error
	}
	list := "(" + strings.Join(operands, ",") + ")"
	return func(s scope) string { return s.column(column) + space + "in" + space + list }
}

func call(function, column, operand string) expr {
	return func(s scope) string { return function + "(" + s.column(column) + "," + operand + ")" }
}

func lambda(navigation, quantifier string, condition expr) expr {
	if condition == nil {
		condition = anything
	}
	return func(s scope) string {
		inner := s.lambda()
		return s.column(navigation) + "/" + quantifier + "(" + inner.variable + ":" + condition(inner) + ")"
	}
}

// logical puts every operand in parentheses: the server gives "and" and "or" the same precedence.
func logical(operator string, operands []expr) expr {
	switch len(operands) {
	case 0:
		return nil
	case 1:
		return operands[0]
	}
	operands = slices.Clone(operands)
	return func(s scope) string {
		parts := make([]string, len(operands))
		for i, operand := range operands {
			parts[i] = "(" + operand(s) + ")"
		}
		return strings.Join(parts, space+operator+space)
	}
}

package pine

import (
	"slices"
	"strconv"
	"strings"
)

// space is how operators are set apart in a URL.
const space = "%20"

// Filter is a condition on rows of type R. The zero Filter is met by every row.
type Filter[R any] struct {
	expr expr
}

// And is met by rows that meet f and all others.
func (f Filter[R]) And(others ...Filter[R]) Filter[R] {
	return Filter[R]{conjunction(append([]Filter[R]{f}, others...))}
}

// Or is met by rows that meet f or one of the others. Since the zero Filter is met by every row, so is an Or that contains one.
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

// Not is met by rows that do not meet f. As in SQL, a row without a value neither is nor is not greater or less than v.
func Not[R any](f Filter[R]) Filter[R] {
	if f.expr == nil {
		return Filter[R]{nothing}
	}
	return Filter[R]{func(scope scope) string { return "not(" + f.expr(scope) + ")" }}
}

// conjunction joins filters with "and"; it is nil when no filter says anything.
func conjunction[R any](filters []Filter[R]) expr {
	exprs := make([]expr, 0, len(filters))
	for _, filter := range filters {
		if filter.expr != nil {
			exprs = append(exprs, filter.expr)
		}
	}
	return logical("and", exprs)
}

// expr renders a condition. Its columns are relative to a scope, because the same condition may stand at the top of a query or
// within a lambda of another resource.
type expr func(scope) string

// scope says how columns are addressed: with a lambda's variable in front, or bare at the top.
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

// lambda opens the scope of a lambda. Variables differ by depth, because an inner one must not hide an outer one.
func (s scope) lambda() scope {
	return scope{variable: "x" + strconv.Itoa(s.depth+1), depth: s.depth + 1}
}

// nothing is met by no row, anything by every row.
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

// logical puts every operand in parentheses: for this server "and" and "or" bind alike.
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

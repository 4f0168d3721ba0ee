package query

import (
	"cmp"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// compare compiles a comparison. eq and ne are IS [NOT] DISTINCT FROM, which
// compares null like a value; the others are null if an operand is.
func (c *compiler) compare(op string, a, b operand) (operand, error) {
	result := func(eval func(*frame) store.Value) (operand, error) {
		return operand{typ: typeBool, eval: eval}, nil
	}
	equality := op == "eq" || op == "ne"
	if a.typ == typeNull || b.typ == typeNull {
		if !equality {
			return constant(typeBool, store.Value{}), nil
		}
		if a.typ == typeNull {
			a, b = b, a
		}
		if a.typ == typeNull {
			return constant(typeBool, store.BoolValue(op == "eq")), nil
		}
		a, err := c.typed(a, typeText)
		if err != nil {
			return operand{}, err
		}
		return result(func(f *frame) store.Value {
			return store.BoolValue((a.eval(f).Kind == store.Null) == (op == "eq"))
		})
	}
	a, b, err := c.unify(a, b)
	if err != nil {
		return operand{}, err
	}
	if equality {
		return result(func(f *frame) store.Value {
			x, y := a.eval(f), b.eval(f)
			if x.Kind == store.Null || y.Kind == store.Null {
				return store.BoolValue((x.Kind == y.Kind) == (op == "eq"))
			}
			return store.BoolValue(equal(x, y) == (op == "eq"))
		})
	}
	accept := map[string]func(int) bool{
		"gt": func(c int) bool { return c > 0 },
		"ge": func(c int) bool { return c >= 0 },
		"lt": func(c int) bool { return c < 0 },
		"le": func(c int) bool { return c <= 0 },
	}[op]
	return result(func(f *frame) store.Value {
		x, y := a.eval(f), b.eval(f)
		if x.Kind == store.Null || y.Kind == store.Null {
			return store.Value{}
		}
		return store.BoolValue(accept(compareValues(x, y)))
	})
}

func equal(a, b store.Value) bool {
	if a.Kind == store.Float || b.Kind == store.Float {
		return a.Float() == b.Float()
	}
	return a.I == b.I && a.S == b.S
}

// compareValues compares two values that are not null.
func compareValues(a, b store.Value) int {
	switch {
	case a.Kind == store.Text:
		return collate(a.S, b.S)
	case a.Kind == store.Float || b.Kind == store.Float:
		return cmp.Compare(a.Float(), b.Float())
	}
	return cmp.Compare(a.I, b.I)
}

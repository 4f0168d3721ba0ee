package query

import (
	"math"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// arithmetic compiles add, sub, mul and div. Integers stay integers.
func (c *compiler) arithmetic(op string, a, b operand) (operand, error) {
	if undetermined(a) && undetermined(b) {
		return operand{}, failf("operator is not unique")
	}
	if a.typ == typeNull || b.typ == typeNull {
		return nullArithmetic(op, max(a.typ, b.typ))
	}
	if t, ok := c.timeArithmetic(op, a, b); ok {
		return t, nil
	}
	a, b, err := c.unify(a, b)
	if err != nil {
		return operand{}, err
	}
	if !numeric(a.typ) {
		return operand{}, failf("no arithmetic on this type")
	}
	t := max(a.typ, b.typ)
	return operand{typ: t, eval: func(f *frame) store.Value {
		x, y := a.eval(f), b.eval(f)
		if x.Kind == store.Null || y.Kind == store.Null {
			return store.Value{}
		}
		if t == typeFloat {
			return c.floatMath(op, x.Float(), y.Float())
		}
		return c.intMath(op, t, x.I, y.I)
	}}, nil
}

// nullArithmetic returns the result, always null, of an operation on null and an
// operand of type t.
func nullArithmetic(op string, t typ) (operand, error) {
	switch {
	case numeric(t), op == "add" && temporal(t), t == typeInterval:
	case op == "sub" && temporal(t):
		t = typeInterval // PostgreSQL takes null for a time, too
	default:
		return operand{}, failf("no arithmetic on this type")
	}
	return constant(t, store.Value{}), nil
}

// undetermined operands give PostgreSQL no type to choose an operator by.
func undetermined(o operand) bool { return o.typ == typeNull || o.typ == typeBind }

func (c *compiler) floatMath(op string, x, y float64) store.Value {
	r := 0.0
	switch op {
	case "add":
		r = x + y
	case "sub":
		r = x - y
	case "mul":
		r = x * y
	case "div":
		r = x / y
	}
	if math.IsInf(r, 0) || math.IsNaN(r) {
		return c.x.fail("division by zero or out of range")
	}
	return store.FloatValue(r)
}

func (c *compiler) intMath(op string, t typ, x, y int64) store.Value {
	hi, r := int64(0), int64(0)
	switch op {
	case "add":
		r = x + y
		hi = (x ^ r) & (y ^ r) >> 63
	case "sub":
		r = x - y
		hi = (x ^ y) & (x ^ r) >> 63
	case "mul":
		r = x * y
		if x != 0 && (r/x != y || x == -1 && y == math.MinInt64) {
			hi = 1
		}
	default:
		if y == 0 {
			return c.x.fail("division by zero")
		}
		r = x / y
	}
	if hi != 0 || t == typeInt && r != int64(int32(r)) {
		return c.x.fail("out of range")
	}
	return store.IntValue(r)
}

// timeArithmetic compiles time ± interval and time - time.
func (c *compiler) timeArithmetic(op string, a, b operand) (operand, bool) {
	var t typ
	switch {
	case temporal(a.typ) && b.typ == typeInterval && (op == "add" || op == "sub"),
		a.typ == typeInterval && temporal(b.typ) && op == "add":
		t = typeTime
	case a.typ == typeTime && b.typ == typeTime && op == "sub":
		t = typeInterval
	default:
		return operand{}, false
	}
	kind := store.Time
	if t == typeInterval {
		kind = store.Duration
	}
	return operand{typ: t, eval: func(f *frame) store.Value {
		x, y := a.eval(f), b.eval(f)
		if x.Kind == store.Null || y.Kind == store.Null {
			return store.Value{}
		}
		v := c.intMath(op, typeBig, x.I, y.I)
		if v.Kind != store.Null {
			v.Kind = kind
		}
		return v
	}}, true
}

func toTime(v store.Value) time.Time { return time.UnixMilli(v.I).UTC() }

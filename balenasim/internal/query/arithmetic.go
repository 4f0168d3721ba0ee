package query

import (
	"math"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// arithmetic compiles add, sub, mul and div. Integers stay integers.
func arithmetic(op string, a, b operand) (operand, error) {
	if a.typ == typeNull || b.typ == typeNull {
		return constant(max(a.typ, b.typ), store.Value{}), nil
	}
	if a.typ == typeBind && b.typ == typeBind {
		return operand{}, failf("operator is not unique")
	}
	if t, ok := timeArithmetic(op, a, b); ok {
		return t, nil
	}
	a, b, err := unify(a, b)
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
			return store.FloatValue(floatMath(op, x.Float(), y.Float()))
		}
		return intMath(op, x.I, y.I)
	}}, nil
}

func floatMath(op string, x, y float64) float64 {
	switch op {
	case "add":
		return x + y
	case "sub":
		return x - y
	case "mul":
		return x * y
	}
	return x / y
}

// intMath is null where PostgreSQL would fail on a division by zero, which
// cannot be known before a row is seen.
func intMath(op string, x, y int64) store.Value {
	switch {
	case op == "add":
		return store.IntValue(x + y)
	case op == "sub":
		return store.IntValue(x - y)
	case op == "mul":
		return store.IntValue(x * y)
	case y == 0 || x == math.MinInt64:
		return store.Value{}
	}
	return store.IntValue(x / y)
}

// timeArithmetic compiles time ± interval and time - time.
func timeArithmetic(op string, a, b operand) (operand, bool) {
	var t typ
	switch {
	case a.typ == typeTime && b.typ == typeInterval && (op == "add" || op == "sub"),
		a.typ == typeInterval && b.typ == typeTime && op == "add":
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
		v := intMath(op, x.I, y.I)
		v.Kind = kind
		return v
	}}, true
}

func toTime(v store.Value) time.Time { return time.UnixMilli(v.I).UTC() }

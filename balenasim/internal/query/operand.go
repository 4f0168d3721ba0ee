package query

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// typ is the static type of an expression, as PostgreSQL sees it.
type typ uint8

const (
	typeNull typ = iota
	typeBind     // a constant, which takes the type of the other operand
	typeInt
	typeBig
	typeFloat
	typeText
	typeBool
	typeTime
	typeJSON
	typeInterval
)

// operand is a compiled expression.
type operand struct {
	typ  typ
	eval func(*frame) store.Value
	lit  *odata.Literal // of typeBind
}

func typeOf(t schema.Type) typ {
	switch t {
	case schema.Text:
		return typeText
	case schema.Bool:
		return typeBool
	case schema.Time:
		return typeTime
	case schema.JSON:
		return typeJSON
	case schema.BigInt:
		return typeBig
	default:
		return typeInt
	}
}

func constant(t typ, v store.Value) operand {
	return operand{typ: t, eval: func(*frame) store.Value { return v }}
}

// bind makes an operand of a constant of the query.
func bind(l odata.Literal) operand {
	if l.Kind == odata.Null {
		return constant(typeNull, store.Value{})
	}
	if l.Kind == odata.Duration {
		return constant(typeInterval, store.Value{Kind: store.Duration, I: l.Dur.Milliseconds()})
	}
	return operand{typ: typeBind, lit: &l}
}

// isTrue is what WHERE asks of a condition: neither false nor null.
func (o operand) isTrue() func(*frame) bool {
	return func(f *frame) bool { return o.eval(f).True() }
}

func numeric(t typ) bool { return t == typeInt || t == typeBig || t == typeFloat }

// parameter is the text that a constant is sent to PostgreSQL as.
func parameter(l odata.Literal) string {
	switch l.Kind {
	case odata.Number:
		return strconv.FormatFloat(l.Num, 'f', -1, 64)
	case odata.Bool:
		return strconv.FormatBool(l.Bool)
	case odata.Time:
		return l.Time.UTC().Format("2006-01-02T15:04:05.000+00:00")
	}
	return l.Text
}

// coerce reads a constant as a type. PostgreSQL fails on texts that are none
// of the type, such as 'abc' or 1.5 for an integer.
func coerce(l odata.Literal, t typ) (store.Value, error) {
	s := strings.TrimSpace(parameter(l))
	switch t {
	case typeInt, typeBig:
		bits := 32
		if t == typeBig {
			bits = 64
		}
		if n, err := strconv.ParseInt(s, 10, bits); err == nil {
			return store.IntValue(n), nil
		}
	case typeFloat:
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return store.FloatValue(f), nil
		}
	case typeText, typeBind:
		return store.TextValue(parameter(l)), nil
	case typeBool:
		if b, ok := parseBool(s); ok {
			return store.BoolValue(b), nil
		}
	case typeTime:
		if l.Kind == odata.Time {
			return store.TimeValue(l.Time), nil
		}
		if parsed, ok := odata.ParseTime(s); ok && l.Kind == odata.Text {
			return store.TimeValue(parsed), nil
		}
	}
	return store.Value{}, failf("%q does not fit the other operand", s)
}

// parseBool reads the spellings of booleans that PostgreSQL knows.
func parseBool(s string) (bool, bool) {
	s = strings.ToLower(s)
	switch s {
	case "1", "on":
		return true, true
	case "0", "of", "off":
		return false, true
	case "":
		return false, false
	}
	for _, word := range []string{"true", "yes"} {
		if strings.HasPrefix(word, s) {
			return true, true
		}
	}
	for _, word := range []string{"false", "no"} {
		if strings.HasPrefix(word, s) {
			return false, true
		}
	}
	return false, false
}

// typed gives a constant the type t.
func (o operand) typed(t typ) (operand, error) {
	if o.typ != typeBind {
		return o, nil
	}
	v, err := coerce(*o.lit, t)
	if err != nil {
		return operand{}, err
	}
	if t == typeBind {
		t = typeText
	}
	return constant(t, v), nil
}

// unify gives constants the type of the other operand and checks that the two
// types go together.
func unify(a, b operand) (operand, operand, error) {
	a, err := a.typed(b.typ)
	if err != nil {
		return a, b, err
	}
	if b, err = b.typed(a.typ); err != nil {
		return a, b, err
	}
	if a.typ != b.typ && !(numeric(a.typ) && numeric(b.typ)) || a.typ == typeJSON {
		return a, b, failf("operands of different types")
	}
	return a, b, nil
}

// compare compiles a comparison. eq and ne are IS [NOT] DISTINCT FROM, which
// know null; the others are null as soon as an operand is.
func compare(op string, a, b operand) (operand, error) {
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
		a, err := a.typed(typeText)
		if err != nil {
			return operand{}, err
		}
		return result(func(f *frame) store.Value {
			return store.BoolValue((a.eval(f).Kind == store.Null) == (op == "eq"))
		})
	}
	a, b, err := unify(a, b)
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

// compareValues orders two values that are not null.
func compareValues(a, b store.Value) int {
	switch {
	case a.Kind == store.Text:
		return collate(a.S, b.S)
	case a.Kind == store.Float || b.Kind == store.Float:
		return cmp.Compare(a.Float(), b.Float())
	}
	return cmp.Compare(a.I, b.I)
}

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

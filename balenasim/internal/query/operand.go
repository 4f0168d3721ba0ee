package query

import (
	"strconv"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// typ is the static type of an expression, as PostgreSQL sees it.
type typ uint8

const (
	typeNull typ = iota
	typeBind     // a constant, which adopts the type of the other operand
	typeInt
	typeBig
	typeFloat
	typeText
	typeBool
	typeTime
	typeJSON
	typeInterval
	typeClock // a time of day
	typeDate
)

// operand is a compiled expression.
type operand struct {
	typ  typ
	eval func(*frame) store.Value
	lit  *odata.Literal // of typeBind
	// untyped operands, such as fields and constants, pass the type checks of
	// the server's compiler; PostgreSQL checks them later.
	untyped bool
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

// bind returns the operand for a constant in the query.
func bind(l odata.Literal) operand {
	if l.Kind == odata.Null {
		return constant(typeNull, store.Value{})
	}
	if l.Kind == odata.Duration {
		return constant(typeInterval, store.Value{Kind: store.Duration, I: l.Dur.Milliseconds()})
	}
	return operand{typ: typeBind, lit: &l, untyped: true}
}

// isTrue tests a condition as WHERE does: neither false nor null.
func (o operand) isTrue() func(*frame) bool {
	return func(f *frame) bool { return o.eval(f).True() }
}

func numeric(t typ) bool { return t == typeInt || t == typeBig || t == typeFloat }

// asText converts an operand to text as PostgreSQL's || does.
func (o operand) asText() operand {
	eval := o.eval
	return operand{typ: typeText, eval: func(f *frame) store.Value {
		switch v := eval(f); v.Kind {
		case store.Int:
			return store.TextValue(strconv.FormatInt(v.I, 10))
		case store.Bool:
			return store.TextValue(strconv.FormatBool(v.True()))
		default:
			return v
		}
	}}
}

// temporal types are points in time, which compare with each other.
func temporal(t typ) bool { return t == typeTime || t == typeDate }

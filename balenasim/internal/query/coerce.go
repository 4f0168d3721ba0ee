package query

import (
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// clockLayout formats times of day so that they compare as strings.
const clockLayout = "15:04:05.000"

// parameter returns a constant as it is sent to PostgreSQL.
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

// coerce converts a constant to a type. Like PostgreSQL, it fails on constants
// that cannot be converted, such as 'abc' or 1.5 to an integer.
func (c *compiler) coerce(l odata.Literal, t typ) (store.Value, error) {
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
	case typeClock:
		for _, layout := range []string{"15:04:05", "15:04"} { // both accept fractions
			if t, err := time.Parse(layout, s); err == nil {
				return store.TextValue(t.Format(clockLayout)), nil
			}
		}
	case typeInterval:
		if seconds, err := strconv.ParseFloat(s, 64); err == nil {
			return store.Value{Kind: store.Duration, I: int64(seconds * 1000)}, nil
		}
	case typeTime, typeDate:
		at, ok := l.Time, l.Kind == odata.Time
		if l.Kind == odata.Text {
			at, ok = odata.ParseTime(s, c.engine.Now)
		}
		if t == typeDate {
			at = at.UTC().Truncate(24 * time.Hour)
		}
		if ok {
			return store.TimeValue(at), nil
		}
	}
	return store.Value{}, failf("%q cannot be converted to the type of the other operand", s)
}

// parseBool parses the spellings of booleans that PostgreSQL accepts.
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

// typed converts a constant to type t and returns other operands as they are.
func (c *compiler) typed(o operand, t typ) (operand, error) {
	if o.typ != typeBind {
		return o, nil
	}
	v, err := c.coerce(*o.lit, t)
	if err != nil {
		return operand{}, err
	}
	if t == typeBind {
		t = typeText
	}
	return constant(t, v), nil
}

// unify converts constants to the type of the other operand and checks that the
// types are comparable.
func (c *compiler) unify(a, b operand) (operand, operand, error) {
	a, err := c.typed(a, b.typ)
	if err != nil {
		return a, b, err
	}
	if b, err = c.typed(b, a.typ); err != nil {
		return a, b, err
	}
	if a.typ != b.typ && !(numeric(a.typ) && numeric(b.typ)) && !(temporal(a.typ) && temporal(b.typ)) || a.typ == typeJSON {
		return a, b, failf("operands of different types")
	}
	return a, b, nil
}

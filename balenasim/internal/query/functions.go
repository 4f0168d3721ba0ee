package query

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// function is a function of $filter. The first argument has the type arg, the
// others have the type rest. The result is null if an argument is.
type function struct {
	arg, rest typ
	result    typ
	eval      func(args []store.Value) store.Value
}

var booleanFunctions = map[string]bool{
	"contains": true, "endswith": true, "startswith": true, "substringof": true,
}

func textTest(test func(s, sub string) bool) function {
	return function{typeText, typeText, typeBool, func(a []store.Value) store.Value {
		return store.BoolValue(test(a[0].S, a[1].S))
	}}
}

func textMap(f func(string) string) function {
	return function{typeText, typeText, typeText, func(a []store.Value) store.Value {
		return store.TextValue(f(a[0].S))
	}}
}

func datePart(part func(time.Time) float64) function {
	return function{typeTime, typeTime, typeFloat, func(a []store.Value) store.Value {
		return store.FloatValue(part(toTime(a[0])))
	}}
}

func rounding(f func(float64) float64) function {
	return function{typeFloat, typeFloat, typeFloat, func(a []store.Value) store.Value {
		return store.FloatValue(f(a[0].Float()))
	}}
}

// functions holds the functions that the server compiles. It parses others, such
// as cast or isof, and responds with 500.
var functions = map[string]function{
	"contains":    textTest(strings.Contains),
	"startswith":  textTest(strings.HasPrefix),
	"endswith":    textTest(strings.HasSuffix),
	"substringof": textTest(func(sub, s string) bool { return strings.Contains(s, sub) }),
	"tolower":     textMap(strings.ToLower),
	"toupper":     textMap(strings.ToUpper),
	"trim":        textMap(func(s string) string { return strings.Trim(s, " ") }),
	"length": {typeText, typeText, typeInt, func(a []store.Value) store.Value {
		return store.IntValue(int64(utf8.RuneCountInString(a[0].S)))
	}},
	"indexof": {typeText, typeText, typeInt, func(a []store.Value) store.Value {
		i := strings.Index(a[0].S, a[1].S)
		if i > 0 {
			i = utf8.RuneCountInString(a[0].S[:i])
		}
		return store.IntValue(int64(i))
	}},
	"concat": {typeText, typeText, typeText, func(a []store.Value) store.Value {
		return store.TextValue(a[0].S + a[1].S)
	}},
	"replace": {typeText, typeText, typeText, replaceText},
	"substring": {typeText, typeInt, typeText, func(a []store.Value) store.Value {
		runes := []rune(a[0].S)
		from, to := a[1].I, int64(len(runes))
		if len(a) > 2 {
			to = min(to, from+max(0, a[2].I))
		}
		from = max(0, from)
		if from >= to {
			return store.TextValue("")
		}
		return store.TextValue(string(runes[from:to]))
	}},
	"year":   datePart(func(t time.Time) float64 { return float64(t.Year()) }),
	"month":  datePart(func(t time.Time) float64 { return float64(t.Month()) }),
	"day":    datePart(func(t time.Time) float64 { return float64(t.Day()) }),
	"hour":   datePart(func(t time.Time) float64 { return float64(t.Hour()) }),
	"minute": datePart(func(t time.Time) float64 { return float64(t.Minute()) }),
	"second": datePart(func(t time.Time) float64 { return float64(t.Second()) }),
	"fractionalseconds": datePart(func(t time.Time) float64 {
		return float64(t.Nanosecond()) / 1e9
	}),
	"totalseconds": {typeInterval, typeInterval, typeFloat, func(a []store.Value) store.Value {
		return store.FloatValue(float64(a[0].I) / 1000)
	}},
	"round":   rounding(math.RoundToEven),
	"floor":   rounding(math.Floor),
	"ceiling": rounding(math.Ceil),
	"date": {typeTime, typeTime, typeDate, func(a []store.Value) store.Value {
		return store.TimeValue(toTime(a[0]).Truncate(24 * time.Hour))
	}},
	"time": {typeTime, typeTime, typeClock, func(a []store.Value) store.Value {
		return store.TextValue(toTime(a[0]).Format(clockLayout))
	}},
}

// maxText limits the strings that replace can produce.
const maxText = 1 << 20

func replaceText(a []store.Value) store.Value {
	s, old, repl := a[0].S, a[1].S, a[2].S
	if old == "" {
		return a[0]
	}
	if len(s)+strings.Count(s, old)*len(repl) > maxText {
		return store.Value{}
	}
	return store.TextValue(strings.ReplaceAll(s, old, repl))
}

func (c *compiler) call(e *odata.Call, sc scope) (operand, error) {
	if e.Method == "now" {
		return constant(typeTime, store.TimeValue(c.engine.Now)), nil
	}
	fn, ok := functions[e.Method]
	if !ok {
		return operand{}, failf("function %s is not supported", e.Method)
	}
	args := make([]operand, len(e.Args))
	for i, arg := range e.Args {
		o, err := c.operand(arg, sc)
		if err != nil {
			return operand{}, err
		}
		want := fn.arg
		if i > 0 {
			want = fn.rest
		}
		if o, err = c.typed(o, want); err != nil {
			return operand{}, err
		}
		if (temporal(want) || want == typeInterval) && (o.typ == typeNull || o.typ == typeBind && o.lit.Kind == odata.Text) {
			return operand{}, failf("function %s accepts neither strings nor null", e.Method)
		}
		if e.Method == "concat" && o.untyped && o.typ != typeJSON {
			args[i] = o.asText()
			continue
		}
		if o.typ != typeNull && o.typ != want && !(numeric(o.typ) && numeric(want)) {
			return operand{}, failf("function %s does not accept this type", e.Method)
		}
		args[i] = o
	}
	return operand{typ: fn.result, eval: func(f *frame) store.Value {
		values := make([]store.Value, len(args))
		for i, o := range args {
			if values[i] = o.eval(f); values[i].Kind == store.Null {
				return store.Value{}
			}
		}
		return fn.eval(values)
	}}, nil
}

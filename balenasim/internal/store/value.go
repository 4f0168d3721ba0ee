package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
)

// Kind is the kind of a value.
type Kind uint8

// The kinds of values. A reference is an Int.
const (
	Null Kind = iota
	Int
	Float
	Text
	Bool
	Time // milliseconds since 1970
	JSON
	Duration // milliseconds
)

// Value is the value of a field or an expression. I holds integers, booleans,
// times and the bits of floating-point numbers; S holds strings and JSON.
type Value struct {
	S    string
	I    int64
	Kind Kind
}

// IntValue returns an integer.
func IntValue(i int64) Value { return Value{Kind: Int, I: i} }

// FloatValue returns a floating-point number.
func FloatValue(f float64) Value { return Value{Kind: Float, I: int64(math.Float64bits(f))} }

// TextValue returns a string.
func TextValue(s string) Value { return Value{Kind: Text, S: s} }

// BoolValue returns a boolean.
func BoolValue(b bool) Value {
	if b {
		return Value{Kind: Bool, I: 1}
	}
	return Value{Kind: Bool}
}

// TimeValue returns a time.
func TimeValue(t time.Time) Value { return Value{Kind: Time, I: t.UnixMilli()} }

// Float returns the number as a float.
func (v Value) Float() float64 {
	if v.Kind == Float {
		return math.Float64frombits(uint64(v.I))
	}
	return float64(v.I)
}

// True reports whether the value is the boolean true.
func (v Value) True() bool { return v.Kind == Bool && v.I == 1 }

// kindOf returns the kind of the values of a type.
func kindOf(t schema.Type) Kind {
	switch t {
	case schema.Text:
		return Text
	case schema.Bool:
		return Bool
	case schema.Time:
		return Time
	case schema.JSON:
		return JSON
	default:
		return Int
	}
}

// Convert converts a Go value to a value of a type. It accepts what encoding/json
// decodes, time.Time, integers, json.RawMessage, Value, and {"__id": n} for
// references.
func Convert(t schema.Type, in any) (Value, error) {
	switch v := in.(type) {
	case json.RawMessage:
		return convertRaw(t, v)
	case Value:
		return v, nil
	}
	if in == nil {
		return Value{}, nil
	}
	fail := func() (Value, error) { return Value{}, fmt.Errorf("%v (%T) is not of type %s", in, in, typeName(t)) }
	switch t {
	case schema.Text:
		if s, ok := in.(string); ok && strings.IndexByte(s, 0) < 0 {
			return TextValue(s), nil
		}
	case schema.Bool:
		if b, ok := in.(bool); ok {
			return BoolValue(b), nil
		}
	case schema.Time:
		switch v := in.(type) {
		case time.Time:
			return TimeValue(v), nil
		case string:
			if parsed, err := time.Parse(time.RFC3339Nano, v); err == nil {
				return TimeValue(parsed), nil
			}
		}
	case schema.JSON:
		b, err := json.Marshal(in)
		if err != nil {
			return fail()
		}
		return Value{Kind: JSON, S: string(b)}, nil
	case schema.Ref:
		if m, ok := in.(map[string]any); ok {
			in = m["__id"]
		}
		if n, ok := integer(in); ok {
			return IntValue(n), nil
		}
	case schema.BigInt:
		if s, ok := in.(string); ok {
			if n, err := strconv.ParseInt(s, 10, 64); err == nil {
				return IntValue(n), nil
			}
		}
		if n, ok := integer(in); ok {
			return IntValue(n), nil
		}
	case schema.Int:
		if n, ok := integer(in); ok {
			return IntValue(n), nil
		}
	}
	return fail()
}

func convertRaw(t schema.Type, raw json.RawMessage) (Value, error) {
	if bytes.Equal(raw, []byte("null")) {
		return Value{}, nil
	}
	if t == schema.JSON {
		var b bytes.Buffer
		if err := json.Compact(&b, raw); err != nil {
			return Value{}, err
		}
		return Value{Kind: JSON, S: b.String()}, nil
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return Value{}, err
	}
	if v == nil {
		return Value{}, nil
	}
	return Convert(t, v)
}

func integer(in any) (int64, bool) {
	switch n := in.(type) {
	case int:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	case float64:
		return int64(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	case json.Number:
		i, err := n.Int64()
		return i, err == nil
	}
	return 0, false
}

func typeName(t schema.Type) string {
	switch t {
	case schema.Text:
		return "string"
	case schema.Bool:
		return "boolean"
	case schema.Time:
		return "RFC 3339 time"
	case schema.JSON:
		return "JSON"
	case schema.Ref:
		return "reference"
	default:
		return "integer"
	}
}

package query

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

func quoteName(name string) string { return string(append(appendText(nil, name), ':')) }

func (x *executor) int(n int64) { x.out = strconv.AppendInt(x.out, n, 10) }

// writer compiles the output of a field.
func (c *compiler) writer(p *plan, at ref, f schema.ViewField) func(*executor, *frame) {
	read := c.reader(at.view, f)
	locate := scope{level: at.level, def: at}.locate(at)
	format := formatOf(f.Type)
	return func(x *executor, fr *frame) {
		r := locate(fr)
		if r == store.NoRow {
			x.out = append(x.out, "null"...)
			return
		}
		v := read(r)
		if v.Kind == store.Null {
			x.out = append(x.out, "null"...)
			return
		}
		if f.Fact || !p.convertible(f.Name) {
			x.fail("the server does not know the type of the field")
			return
		}
		x.out = format(x.out, v)
	}
}

func formatOf(t schema.Type) func([]byte, store.Value) []byte {
	switch t {
	case schema.Text:
		return func(b []byte, v store.Value) []byte { return appendText(b, v.S) }
	case schema.Bool:
		return func(b []byte, v store.Value) []byte { return strconv.AppendBool(b, v.I == 1) }
	case schema.Time:
		return func(b []byte, v store.Value) []byte { return appendTime(b, v.I) }
	case schema.JSON:
		return func(b []byte, v store.Value) []byte { return append(b, v.S...) }
	case schema.Ref:
		return func(b []byte, v store.Value) []byte {
			return append(strconv.AppendInt(append(b, `{"__id":`...), v.I, 10), '}')
		}
	case schema.BigInt:
		// Big integers are strings, since they exceed numbers in JavaScript.
		return func(b []byte, v store.Value) []byte {
			return append(strconv.AppendInt(append(b, '"'), v.I, 10), '"')
		}
	default:
		return func(b []byte, v store.Value) []byte { return strconv.AppendInt(b, v.I, 10) }
	}
}

// appendTime appends a time like JavaScript, with milliseconds and Z.
func appendTime(b []byte, ms int64) []byte {
	b = append(b, '"')
	b = time.UnixMilli(ms).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	return append(b, '"')
}

// appendText appends a string like JSON.stringify, which escapes less than
// encoding/json.
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		ch := s[i]
		if ch >= 0x20 && ch != '"' && ch != '\\' && ch < utf8.RuneSelf {
			i++
			continue
		}
		if ch >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		switch ch {
		case '"', '\\':
			b = append(b, '\\', ch)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[ch>>4], hex[ch&0xf])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// JSONText encodes a string as JSON the way the server does.
func JSONText(s string) []byte { return appendText(nil, s) }

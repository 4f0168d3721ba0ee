package pine

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Literal is a type of values that a field can be compared with.
type Literal interface {
	~string | ~bool | ~int | ~int64 | time.Time
}

// timeLayout has milliseconds because the server truncates its timestamps to them before it compares: a value that was read compares equal.
const timeLayout = "2006-01-02T15:04:05.000Z"

// literal renders v as the server's parser expects it within a URL.
func literal[V Literal](v V) string {
	if t, ok := any(v).(time.Time); ok {
		return "datetime'" + t.UTC().Format(timeLayout) + "'"
	}
	switch value := reflect.ValueOf(v); value.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(value.Bool())
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(value.Int(), 10)
	default: // Literal allows nothing else but strings.
		return quote(value.String())
	}
}

// quote renders s as a string literal: quotes doubled, everything but unreserved characters percent-encoded. A space becomes %20,
// because the server takes a + within a literal as a plus.
func quote(s string) string {
	const upperHex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('\'')
	for i := range len(s) {
		switch c := s[i]; {
		case isUnreserved(c):
			b.WriteByte(c)
		case c == '\'':
			b.WriteString("%27%27")
		default:
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// isUnreserved reports whether c needs no encoding in any part of a URL (RFC 3986, section 2.3).
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~'
}

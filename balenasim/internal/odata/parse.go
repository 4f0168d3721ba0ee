// Package odata parses the query language of the balena API from the raw
// request target.
//
// The grammar is that of balena-io-modules/odata-parser, a parsing expression
// grammar: choices are ordered, and a choice that matched is not revisited. The
// functions of this package follow its rules one by one, to reject what the
// server rejects: percent-encoded commas or parentheses outside string literals,
// a space after a comma, an unknown $option, a trailing slash or ampersand.
package odata

import (
	"errors"
	"strconv"
	"strings"
)

// maxDepth limits the nesting of a query. Real queries are far below it.
const maxDepth = 64

// ErrSyntax reports a target that does not match the grammar; the server
// responds with 400.
var ErrSyntax = errors.New("malformed url")

// ErrEncoding reports invalid percent-encoding in a string literal; the server
// responds with 500.
var ErrEncoding = errors.New("malformed percent-encoding")

// Parse parses a request target without its version prefix, such as
// "/device?$select=id".
func Parse(target string) (*Query, error) {
	p := &parser{in: target}
	q, ok := p.pathSegment()
	switch {
	case p.encodingErr:
		return nil, ErrEncoding
	case !ok || p.pos != len(p.in) || p.tooDeep:
		return nil, ErrSyntax
	}
	q.Aliases = p.aliases
	return q, nil
}

// parser holds the input and the position. Its rule methods return false and
// restore the position if they do not match.
type parser struct {
	in          string
	pos         int
	depth       int
	tooDeep     bool
	encodingErr bool
	aliases     map[string]Literal
}

// enter and leave limit the depth of recursive rules.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > maxDepth {
		p.tooDeep = true
	}
	return !p.tooDeep
}

func (p *parser) leave() { p.depth-- }

func (p *parser) lit(s string) bool {
	if !strings.HasPrefix(p.in[p.pos:], s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *parser) anyLit(options ...string) (string, bool) {
	for _, s := range options {
		if p.lit(s) {
			return s, true
		}
	}
	return "", false
}

func (p *parser) peek() byte {
	if p.pos < len(p.in) {
		return p.in[p.pos]
	}
	return 0
}

func (p *parser) space() bool {
	_, ok := p.anyLit(" ", "%20", "+")
	return ok
}

func (p *parser) spaces() {
	for p.space() {
	}
}

// boundary separates words: white space, or an opening parenthesis, which is not
// consumed.
func (p *parser) boundary() bool {
	if p.peek() == '(' {
		return true
	}
	if !p.space() {
		return false
	}
	p.spaces()
	return true
}

func (p *parser) dollar() bool {
	_, ok := p.anyLit("$", "%24")
	return ok
}

// reserved reports whether a character ends a name.
func reserved(c byte) bool { return strings.IndexByte(":/?#[]@!$*&()+,;=", c) >= 0 }

func (p *parser) name() (string, bool) {
	start := p.pos
	for p.pos < len(p.in) && !reserved(p.in[p.pos]) && p.in[p.pos] != ' ' && p.in[p.pos] != '%' {
		p.pos++
	}
	return p.in[start:p.pos], p.pos > start
}

func (p *parser) text() string {
	start := p.pos
	for p.pos < len(p.in) && !reserved(p.in[p.pos]) {
		p.pos++
	}
	return p.decode(p.in[start:p.pos])
}

// list parses one or more items. It does not consume a trailing separator.
func list[T any](p *parser, item func(*parser) (T, bool), separator string) ([]T, bool) {
	first, ok := item(p)
	if !ok {
		return nil, false
	}
	items := []T{first}
	for {
		at := p.pos
		if !p.lit(separator) {
			return items, true
		}
		next, ok := item(p)
		if !ok {
			p.pos = at
			return items, true
		}
		items = append(items, next)
	}
}

func (p *parser) unsigned() (int64, bool) {
	start := p.pos
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	if p.pos == start {
		return 0, false
	}
	n, err := strconv.ParseInt(p.in[start:p.pos], 10, 64)
	if err != nil {
		return 1<<63 - 1, true
	}
	return n, true
}

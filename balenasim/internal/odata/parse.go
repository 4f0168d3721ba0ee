// Package odata parses the query language of the balena API from the raw
// request target.
//
// The grammar is that of balena-io-modules/odata-parser, a parsing expression
// grammar: choices are ordered and a choice that has matched is not revisited.
// The functions of this package follow its rules one by one, so that what the
// server refuses is refused here too: percent-encoded commas or parentheses
// outside string literals, a space after a comma, an unknown $option, a
// trailing slash or ampersand.
package odata

import (
	"errors"
	"strconv"
	"strings"
)

// maxDepth bounds the nesting of a query. Real queries stay far below it.
const maxDepth = 64

// ErrSyntax says that a target is not in the grammar; the server answers 400.
var ErrSyntax = errors.New("malformed url")

// ErrEncoding says that a string literal has a bad percent-encoding; the
// server fails on it with a 500.
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

// parser walks over the input. Its rule methods return false and restore the
// position when they do not match.
type parser struct {
	in          string
	pos         int
	depth       int
	tooDeep     bool
	encodingErr bool
	aliases     map[string]Literal
}

// enter guards the recursive rules; leave ends what enter began.
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

// boundary separates words: white space, or an opening parenthesis that
// follows at once.
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

// reserved are the characters that end a name; text also admits a space.
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

func (p *parser) pathSegment() (*Query, bool) {
	if !p.lit("/") {
		return nil, false
	}
	q := &Query{}
	var ok bool
	if q.Resource, ok = p.name(); !ok {
		// The service root and the metadata document are known to the
		// grammar; the caller has no permission to either.
		if p.lit("$metadata") {
			q.Resource = "$metadata"
			return q, true
		}
		return q, true
	}
	if key, ok := p.key(); ok {
		q.Key = key
		if start := p.pos; p.lit("/$links") {
			if q.Property, ok = p.subPathSegment(); ok {
				q.Links = true
			} else {
				p.pos = start
			}
		} else {
			q.Property, _ = p.subPathSegment()
		}
	} else if p.lit("/$count") {
		q.Count = true
	}
	p.queryString(&q.Options)
	return q, true
}

func (p *parser) subPathSegment() (*Query, bool) {
	if !p.enter() {
		return nil, false
	}
	defer p.leave()
	start := p.pos
	if !p.lit("/") {
		return nil, false
	}
	q := &Query{}
	var ok bool
	if q.Resource, ok = p.name(); !ok {
		p.pos = start
		return nil, false
	}
	q.Key, _ = p.key()
	if at := p.pos; p.lit("/$links") {
		if q.Property, ok = p.subPathSegment(); ok {
			q.Links = true
		} else {
			p.pos = at
		}
	} else {
		q.Property, _ = p.subPathSegment()
	}
	q.Count = p.lit("/$count")
	p.queryString(&q.Options)
	return q, true
}

func (p *parser) queryString(o *Options) {
	if !p.lit("?") {
		return
	}
	p.options(o, "&")
}

// options parses one or more options between any of the separators.
func (p *parser) options(o *Options, separators string) bool {
	if !p.option(o) {
		return false
	}
	for p.pos < len(p.in) && strings.IndexByte(separators, p.in[p.pos]) >= 0 {
		at := p.pos
		p.pos++
		if !p.option(o) {
			p.pos = at
			break
		}
	}
	return true
}

func (p *parser) option(o *Options) bool {
	start := p.pos
	if p.dollar() && p.dollarOption(o) {
		return true
	}
	p.pos = start
	if name := p.text(); p.lit("=") {
		if o.Plain == nil {
			o.Plain = map[string]string{}
		}
		o.Plain[name] = p.text()
		return true
	}
	p.pos = start
	if p.aliasOption() {
		return true
	}
	p.pos = start
	return false
}

func (p *parser) dollarOption(o *Options) bool {
	switch {
	case p.lit("select="):
		if p.lit("*") {
			o.Select = nil
			return true
		}
		paths, ok := list(p, (*parser).propertyPath, ",")
		if ok {
			o.Select = paths
		}
		return ok
	case p.lit("filter="):
		e, ok := p.expression()
		if ok {
			o.Filter = e
		}
		return ok
	case p.lit("expand="):
		expands, ok := list(p, (*parser).expand, ",")
		if ok {
			o.Expand = expands
		}
		return ok
	case p.lit("orderby="):
		orders, ok := list(p, (*parser).order, ",")
		if ok {
			o.OrderBy = orders
		}
		return ok
	case p.lit("top="):
		n, ok := p.unsigned()
		if ok {
			o.Top = &n
		}
		return ok
	case p.lit("skip="):
		n, ok := p.unsigned()
		if ok {
			o.Skip = &n
		}
		return ok
	case p.lit("count="):
		// Inline counts are accepted and ignored, as is the format.
		_, ok := p.anyLit("true", "false")
		return ok
	case p.lit("inlinecount="):
		if _, ok := p.anyLit("allpages", "none"); !ok {
			p.text()
		}
		return true
	case p.lit("format="):
		return p.format()
	}
	return false
}

func (p *parser) format() bool {
	letters := func() bool {
		start := p.pos
		for c := p.peek() | 0x20; c >= 'a' && c <= 'z'; c = p.peek() | 0x20 {
			p.pos++
		}
		return p.pos > start
	}
	start := p.pos
	if letters() && p.lit("/") && letters() {
		if at := p.pos; p.lit("+") && !letters() {
			p.pos = at
		}
	} else {
		p.pos = start
		if _, ok := p.anyLit("json", "atom", "xml"); !ok {
			return false
		}
	}
	at := p.pos
	if p.lit(";") {
		p.lit("odata.")
		if p.lit("metadata=") {
			if _, ok := p.anyLit("none", "minimal", "full"); ok {
				return true
			}
		}
		p.pos = at
	}
	return true
}

func (p *parser) aliasOption() bool {
	if !p.lit("@") {
		return false
	}
	name := p.text()
	if !p.lit("=") {
		return false
	}
	var v Literal
	if n, ok := p.number(); ok {
		v = n
	} else if b, ok := p.anyLit("true", "false"); ok {
		v = Literal{Kind: Bool, Bool: b == "true"}
	} else if s, ok := p.quoted(); ok {
		v = Literal{Kind: Text, Text: s}
	} else if d, ok := p.date(); ok {
		v = d
	} else {
		return false
	}
	if _, taken := p.aliases[name]; taken {
		return false
	}
	if p.aliases == nil {
		p.aliases = map[string]Literal{}
	}
	p.aliases[name] = v
	return true
}

func (p *parser) order() (Order, bool) {
	path, ok := p.propertyPath()
	if !ok {
		return Order{}, false
	}
	o := Order{Path: path, Desc: true}
	at := p.pos
	if p.boundary() {
		if p.lit("asc") {
			o.Desc = false
			return o, true
		}
		if p.lit("desc") {
			return o, true
		}
	}
	p.pos = at
	return o, true
}

func (p *parser) expand() (*Expand, bool) {
	if !p.enter() {
		return nil, false
	}
	defer p.leave()
	name, ok := p.name()
	if !ok {
		return nil, false
	}
	e := &Expand{Name: name}
	e.Count = p.lit("/$count")
	if at := p.pos; p.lit("(") {
		p.options(&e.Options, "&;")
		if !p.lit(")") {
			p.pos = at
			e.Options = Options{}
		}
	}
	if at := p.pos; p.lit("/") {
		if e.Property, ok = p.propertyPath(); !ok {
			p.pos = at
		}
	}
	return e, true
}

func (p *parser) propertyPath() (*Path, bool) {
	if !p.enter() {
		return nil, false
	}
	defer p.leave()
	name, ok := p.name()
	if !ok {
		return nil, false
	}
	path := &Path{Name: name}
	next := func() bool {
		at := p.pos
		if p.lit("/") {
			if path.Property, ok = p.propertyPath(); ok {
				return true
			}
		}
		p.pos = at
		return false
	}
	if next() {
		return path, true
	}
	if p.lit("/$count") {
		path.Count = true
		at := p.pos
		if p.lit("(") && p.dollar() && p.lit("filter=") {
			if e, ok := p.expression(); ok && p.lit(")") {
				path.CountFilter = e
				return path, true
			}
		}
		p.pos = at
		return path, true
	}
	if key, ok := p.key(); ok {
		path.Key = key
		next()
	}
	return path, true
}

func (p *parser) key() (*Key, bool) {
	start := p.pos
	if !p.lit("(") {
		return nil, false
	}
	if v, ok := p.keyValue(); ok {
		if p.lit(")") {
			return &Key{Value: &v}, true
		}
		p.pos = start
		return nil, false
	}
	named, ok := list(p, (*parser).namedKey, ",")
	if ok && p.lit(")") {
		return &Key{Named: named}, true
	}
	p.pos = start
	return nil, false
}

func (p *parser) namedKey() (NamedKey, bool) {
	start := p.pos
	if name, ok := p.name(); ok && p.lit("=") {
		if v, ok := p.keyValue(); ok {
			return NamedKey{name, v}, true
		}
	}
	p.pos = start
	return NamedKey{}, false
}

func (p *parser) keyValue() (KeyValue, bool) {
	if n, ok := p.number(); ok {
		return KeyValue{Literal: n}, true
	}
	if s, ok := p.quoted(); ok {
		return KeyValue{Literal: Literal{Kind: Text, Text: s}}, true
	}
	if name, ok := p.aliasName(); ok {
		return KeyValue{Alias: name}, true
	}
	return KeyValue{}, false
}

func (p *parser) aliasName() (string, bool) {
	start := p.pos
	if p.lit("@") {
		if name, ok := p.name(); ok {
			return name, true
		}
	}
	p.pos = start
	return "", false
}

// list parses one or more items; a separator that no item follows is left.
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

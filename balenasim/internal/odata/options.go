package odata

import (
	"strings"
)

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

package odata

func (p *parser) pathSegment() (*Query, bool) {
	if !p.lit("/") {
		return nil, false
	}
	q := &Query{}
	var ok bool
	if q.Resource, ok = p.name(); !ok {
		// The grammar knows the service root and the metadata document; callers
		// have no permission for either.
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

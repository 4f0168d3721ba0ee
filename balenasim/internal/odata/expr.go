package odata

import "slices"

// precedence follows the server's grammar: and/or have the same precedence, and
// of the arithmetic operators sub binds loosest and mul tightest.
var precedence = map[string]int{
	"or": 0, "and": 0,
	"eq": 1, "ne": 1, "gt": 1, "ge": 1, "lt": 1, "le": 1,
	"sub": 2, "add": 3, "mod": 4, "div": 5, "mul": 6,
}

var operators = []string{"eq", "ne", "gt", "ge", "lt", "le", "and", "or", "sub", "add", "mod", "div", "mul"}

// arity holds the numbers of arguments that each function accepts.
var arity = map[string][]int{
	"cast": {1, 2}, "ceiling": {1}, "concat": {2}, "contains": {2}, "date": {1},
	"day": {1}, "endswith": {2}, "floor": {1}, "fractionalseconds": {1},
	"hour": {1}, "indexof": {2}, "isof": {1, 2}, "length": {1},
	"maxdatetime": {0}, "mindatetime": {0}, "minute": {1}, "month": {1},
	"now": {0}, "replace": {3}, "round": {1}, "second": {1}, "startswith": {2},
	"substringof": {2}, "substring": {2, 3}, "time": {1}, "tolower": {1},
	"totaloffsetminutes": {1}, "totalseconds": {1}, "toupper": {1},
	"trim": {1}, "year": {1},
}

func (p *parser) expression() (Expr, bool) { return p.climb(0) }

// climb parses operators that bind tighter than least (precedence climbing).
func (p *parser) climb(least int) (Expr, bool) {
	if !p.enter() {
		return nil, false
	}
	defer p.leave()
	lhs, ok := p.value()
	if !ok {
		return nil, false
	}
	for {
		at := p.pos
		if op, ok := p.operator(); ok && precedence[op]+1 > least {
			if rhs, ok := p.climb(precedence[op] + 1); ok {
				if b, same := lhs.(*Binary); same && b.Op == op {
					b.Args = append(b.Args, rhs)
				} else {
					lhs = &Binary{Op: op, Args: []Expr{lhs, rhs}}
				}
				continue
			}
		}
		p.pos = at
		if p.boundary() && p.lit("in") && p.boundary() {
			if l, ok := p.group(); ok {
				lhs = &In{Arg: lhs, List: l}
				continue
			}
		}
		p.pos = at
		return lhs, true
	}
}

func (p *parser) operator() (string, bool) {
	start := p.pos
	p.spaces()
	if op, ok := p.anyLit(operators...); ok && p.boundary() {
		return op, true
	}
	p.pos = start
	return "", false
}

func (p *parser) value() (Expr, bool) {
	if !p.enter() {
		return nil, false
	}
	defer p.leave()
	start := p.pos
	if p.lit("(") {
		p.spaces()
		if e, ok := p.expression(); ok {
			p.spaces()
			if p.lit(")") {
				return e, true
			}
		}
		p.pos = start
		return nil, false
	}
	if c, ok := p.call(); ok {
		return c, true
	}
	p.spaces()
	if p.lit("not") && p.boundary() {
		if e, ok := p.value(); ok {
			return &Not{e}, true
		}
	}
	p.pos = start
	if name, ok := p.aliasName(); ok {
		return &Alias{name}, true
	}
	return p.primitive()
}

func (p *parser) primitive() (Expr, bool) {
	if l, ok := p.literal(); ok {
		return &Value{l}, true
	}
	if path, ok := p.lambdaPath(); ok {
		return path, true
	}
	if path, ok := p.propertyPath(); ok {
		return path, true
	}
	return nil, false
}

// group is the list of "in". Members that are not constants count as null.
func (p *parser) group() ([]Literal, bool) {
	start := p.pos
	if !p.lit("(") {
		return nil, false
	}
	p.spaces()
	out, ok := list(p, func(p *parser) (Literal, bool) {
		p.spaces()
		return p.groupMember()
	}, ",")
	p.spaces()
	if !ok || !p.lit(")") {
		p.pos = start
		return nil, false
	}
	return out, true
}

func (p *parser) groupMember() (Literal, bool) {
	if !p.enter() {
		return Literal{}, false
	}
	defer p.leave()
	start := p.pos
	if p.lit("(") {
		p.spaces()
		if l, ok := p.groupMember(); ok {
			p.spaces()
			if p.lit(")") {
				return l, true
			}
		}
		p.pos = start
		return Literal{}, false
	}
	e, ok := p.primitive()
	if !ok {
		return Literal{}, false
	}
	if v, ok := e.(*Value); ok && v.Kind != Duration {
		return v.Literal, true
	}
	return Literal{Kind: Null}, true
}

func (p *parser) call() (*Call, bool) {
	start := p.pos
	name, ok := p.name()
	if !ok || arity[name] == nil || !p.lit("(") {
		p.pos = start
		return nil, false
	}
	p.spaces()
	args := p.arguments()
	p.spaces()
	if !slices.Contains(arity[name], len(args)) || !p.lit(")") {
		p.pos = start
		return nil, false
	}
	return &Call{Method: name, Args: args}, true
}

func (p *parser) arguments() []Expr {
	e, ok := p.expression()
	if !ok {
		return nil
	}
	args := []Expr{e}
	for {
		at := p.pos
		p.spaces()
		if p.lit(",") {
			p.spaces()
			if e, ok := p.expression(); ok {
				args = append(args, e)
				continue
			}
		}
		p.pos = at
		return args
	}
}

// lambdaPath is a path that ends in any(...), all(...) or a method call.
func (p *parser) lambdaPath() (*Path, bool) {
	if !p.enter() {
		return nil, false
	}
	defer p.leave()
	start := p.pos
	name, ok := p.name()
	if !ok || !p.lit("/") {
		p.pos = start
		return nil, false
	}
	if next, ok := p.lambdaPath(); ok {
		return &Path{Name: name, Property: next}, true
	}
	if l, ok := p.lambda(); ok {
		return &Path{Name: name, Lambda: l}, true
	}
	if m, ok := p.method(); ok {
		return &Path{Name: name, Method: m}, true
	}
	p.pos = start
	return nil, false
}

func (p *parser) lambda() (*Lambda, bool) {
	start := p.pos
	if kind, ok := p.anyLit("any", "all"); ok && p.lit("(") {
		p.spaces()
		if id, ok := p.name(); ok && p.lit(":") {
			if e, ok := p.expression(); ok {
				p.spaces()
				if p.lit(")") {
					return &Lambda{All: kind == "all", Identifier: id, Expr: e}, true
				}
			}
		}
	}
	p.pos = start
	return nil, false
}

func (p *parser) method() (*Call, bool) {
	start := p.pos
	name, ok := p.name()
	if !ok || !p.lit("(") {
		p.pos = start
		return nil, false
	}
	p.spaces()
	args := p.arguments()
	p.spaces()
	if !p.lit(")") {
		p.pos = start
		return nil, false
	}
	return &Call{Method: name, Args: args}, true
}

package query

import (
	"errors"
	"maps"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// lambda compiles any(...) to EXISTS and all(...) to NOT EXISTS (... NOT ...).
func (c *compiler) lambda(p *odata.Path, sc scope) (operand, error) {
	inner, rows, err := c.enter(p.Name, sc)
	if err != nil {
		return operand{}, err
	}
	inner.aliases = maps.Clone(sc.aliases)
	if inner.aliases == nil {
		inner.aliases = map[string]ref{}
	}
	inner.aliases[p.Lambda.Identifier] = inner.def
	cond, err := c.boolean(p.Lambda.Expr, inner)
	if err != nil {
		return operand{}, err
	}
	want := cond.isTrue()
	if p.Lambda.All {
		want = func(f *frame) bool { v := cond.eval(f); return v.Kind == store.Bool && v.I == 0 }
	}
	all, x, lvl := p.Lambda.All, c.x, inner.level
	return operand{typ: typeBool, eval: func(f *frame) store.Value {
		found := false
		for _, r := range rows(f) {
			x.each(lvl, r, f, func(in *frame) bool {
				found = want(in)
				return !found
			})
			if found || x.stop() {
				break
			}
		}
		return store.BoolValue(found != all)
	}}, nil
}

// counted compiles nav/$count($filter=…).
func (c *compiler) counted(p *odata.Path, sc scope) (operand, error) {
	inner, rows, err := c.enter(p.Name, sc)
	if errors.Is(err, ErrUnauthorized) && !sc.ordering {
		return operand{}, failf("the rows of %q cannot be counted", p.Name)
	}
	if err != nil {
		return operand{}, err
	}
	inner.aliases = sc.aliases
	where := func(*frame) bool { return true }
	if p.CountFilter != nil {
		cond, err := c.boolean(p.CountFilter, inner)
		if errors.Is(err, ErrUnauthorized) && !sc.ordering {
			return operand{}, failf("%v", err)
		}
		if err != nil {
			return operand{}, err
		}
		where = cond.isTrue()
	}
	x, lvl := c.x, inner.level
	return operand{typ: typeBig, untyped: true, eval: func(f *frame) store.Value {
		n := int64(0)
		for _, r := range rows(f) {
			x.each(lvl, r, f, func(in *frame) bool {
				if where(in) {
					n++
				}
				return true
			})
			if x.stop() {
				break
			}
		}
		return store.IntValue(n)
	}}, nil
}

// enter starts the level of a lambda or a count over a navigation.
func (c *compiler) enter(name string, sc scope) (scope, func(*frame) []store.Row, error) {
	nav, ok := sc.def.view.Nav(name)
	if !ok {
		return scope{}, nil, failf("%s has no navigation %q", sc.def.view.Resource.Name, name)
	}
	if _, ok := c.access(nav.Target); !ok {
		return scope{}, nil, ErrUnauthorized
	}
	follow, locate := c.follow(nav), sc.locate(sc.def)
	lvl := &level{parent: sc.level}
	inner := scope{level: lvl, def: ref{level: lvl, view: nav.Target}}
	return inner, func(f *frame) []store.Row { return follow(locate(f)) }, nil
}

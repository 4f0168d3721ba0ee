package query

import (
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// keyed returns the row of a key, using an index if there is one.
func (c *compiler) keyed(p *plan, key *odata.Key, match func(store.Row) bool) []store.Row {
	candidates := p.table.Rows()
	one := func(r store.Row) []store.Row {
		if r == store.NoRow || !match(r) {
			return nil
		}
		return []store.Row{r}
	}
	if key.Value != nil {
		if v, err := c.keyLiteral(*key.Value, typeInt); err == nil {
			return one(p.table.Find(v.I))
		}
	}
	for _, part := range key.Named {
		i := p.view.Resource.Index(part.Name)
		if i < 0 {
			continue
		}
		f := p.view.Resource.Fields[i]
		switch {
		case f.Unique:
			if v, err := c.keyLiteral(part.Value, typeText); err == nil {
				return one(p.table.FindUnique(i, v.S))
			}
		case p.table.Indexed(i):
			if v, err := c.keyLiteral(part.Value, typeInt); err == nil {
				candidates = p.table.Referring(i, v.I)
			}
		}
	}
	var out []store.Row
	for _, r := range candidates {
		if match(r) {
			out = append(out, r)
		}
	}
	return out
}

// key compiles a key to a test. The fields of a natural key must be unique.
func (c *compiler) key(view *schema.View, key *odata.Key) (func(store.Row) bool, error) {
	named := key.Named
	if key.Value != nil {
		named = []odata.NamedKey{{Name: "id", Value: *key.Value}}
	}
	return c.keyTest(view, named)
}

// keyTest compiles the parts of a key to a test. Together with the given fields
// they must form a key of the resource.
func (c *compiler) keyTest(view *schema.View, named []odata.NamedKey, given ...string) (func(store.Row) bool, error) {
	lvl := &level{}
	at := ref{level: lvl, view: view}
	names := given
	tests := make([]func(*frame) bool, 0, len(named))
	for _, part := range named {
		f, ok := view.Field(part.Name)
		if !ok {
			return nil, failf("%s has no field %q", view.Resource.Name, part.Name)
		}
		lit, err := c.keyExpr(part.Value)
		if err != nil {
			return nil, err
		}
		eq, err := c.compare("eq", c.field(at, f, scope{level: lvl, def: at}), lit)
		if err != nil {
			return nil, err
		}
		names, tests = append(names, f.Field.Name), append(tests, eq.isTrue())
	}
	if !view.Resource.IsKey(names) {
		return nil, failf("%v is not a key of %s", names, view.Resource.Name)
	}
	return func(r store.Row) bool {
		f := &frame{rows: []store.Row{r}}
		return !slices.ContainsFunc(tests, func(test func(*frame) bool) bool { return !test(f) })
	}, nil
}

func (c *compiler) keyExpr(v odata.KeyValue) (operand, error) {
	if v.Alias == "" {
		return bind(v.Literal), nil
	}
	lit, ok := c.literals[v.Alias]
	if !ok {
		return operand{}, &MissingBindingError{v.Alias}
	}
	return bind(lit), nil
}

func (c *compiler) keyLiteral(v odata.KeyValue, t typ) (store.Value, error) {
	o, err := c.keyExpr(v)
	if err != nil {
		return store.Value{}, err
	}
	return c.coerce(*o.lit, t)
}

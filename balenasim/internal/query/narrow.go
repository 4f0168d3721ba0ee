package query

import (
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// start returns the rows that a request starts from: that of its key, or those
// that its filter allows to look up.
func (c *compiler) start(p *plan, q *odata.Query) ([]store.Row, error) {
	visible, _ := c.access(p.view)
	rows := p.table.Rows()
	if q.Key != nil {
		match, err := c.key(p.view, q.Key)
		if err != nil {
			return nil, err
		}
		rows = c.keyed(p, q.Key, match)
	} else if narrowed, ok := c.narrow(p); ok {
		rows = narrowed
	}
	if visible == nil {
		return rows, nil
	}
	var out []store.Row
	for _, r := range rows {
		if visible(r) {
			out = append(out, r)
		}
	}
	return out, nil
}

// narrow looks up the conjuncts of a filter in indexes: ids, a range of ids,
// references or unique strings. The complete filter still applies.
func (c *compiler) narrow(p *plan) ([]store.Row, bool) {
	var best []store.Row
	found := false
	offer := func(rows []store.Row) {
		if !found || len(rows) < len(best) {
			best, found = rows, true
		}
	}
	for _, e := range conjuncts(p.filter) {
		name, op, values := c.simple(e)
		f, ok := p.view.Field(name)
		if !ok || f.Field.Computed {
			continue
		}
		i := p.view.Resource.Index(f.Field.Name)
		switch {
		case name == "id":
			ids, ok := c.coerceAll(values, typeInt)
			if !ok {
				continue
			}
			switch op {
			case "in":
				offer(rowsOf(p.table.Find, ids))
			case "gt", "ge":
				offer(p.table.RowsAfter(ids[0].I))
			}
		case op != "in":
		case f.Type == schema.Ref && p.table.Indexed(i):
			if ids, ok := c.coerceAll(values, typeInt); ok {
				var rows []store.Row
				for _, id := range ids {
					rows = append(rows, p.table.Referring(i, id.I)...)
				}
				offer(distinct(rows))
			}
		case f.Field.Unique:
			if texts, ok := c.coerceAll(values, typeText); ok {
				var rows []store.Row
				for _, v := range texts {
					if r := p.table.FindUnique(i, v.S); r != store.NoRow {
						rows = append(rows, r)
					}
				}
				offer(distinct(rows))
			}
		}
	}
	return best, found
}

func rowsOf(find func(int64) store.Row, ids []store.Value) []store.Row {
	var rows []store.Row
	for _, id := range ids {
		if r := find(id.I); r != store.NoRow {
			rows = append(rows, r)
		}
	}
	return distinct(rows)
}

func distinct(rows []store.Row) []store.Row {
	slices.Sort(rows)
	return slices.Compact(rows)
}

func conjuncts(e odata.Expr) []odata.Expr {
	if b, ok := e.(*odata.Binary); ok && b.Op == "and" {
		var out []odata.Expr
		for _, arg := range b.Args {
			out = append(out, conjuncts(arg)...)
		}
		return out
	}
	return []odata.Expr{e}
}

// simple splits "field op constant" and "field in (constants)"; eq is treated as
// in. Nulls are left to the filter.
func (c *compiler) simple(e odata.Expr) (field, op string, values []odata.Literal) {
	switch e := e.(type) {
	case *odata.In:
		if path, ok := e.Arg.(*odata.Path); ok && plain(path) {
			for _, l := range e.List {
				if l.Kind != odata.Null {
					values = append(values, l)
				}
			}
			return path.Name, "in", values
		}
	case *odata.Binary:
		path, ok := e.Args[0].(*odata.Path)
		v, isValue := e.Args[1].(*odata.Value)
		if ok && isValue && plain(path) && v.Kind != odata.Null {
			op = e.Op
			if op == "eq" {
				op = "in"
			}
			return path.Name, op, []odata.Literal{v.Literal}
		}
	}
	return "", "", nil
}

func plain(p *odata.Path) bool {
	return p.Property == nil && !p.Count && p.Lambda == nil && p.Method == nil
}

func (c *compiler) coerceAll(values []odata.Literal, t typ) ([]store.Value, bool) {
	out := make([]store.Value, 0, len(values))
	for _, l := range values {
		v, err := c.coerce(l, t)
		if err != nil {
			return nil, false
		}
		out = append(out, v)
	}
	return out, len(out) > 0
}

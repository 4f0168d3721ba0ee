package query

import (
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// plan is a compiled query on one resource: a request, or an expanded
// navigation.
type plan struct {
	view   *schema.View
	table  *store.Table
	level  *level
	count  bool
	where  func(*frame) bool // nil for all rows
	order  []orderKey
	byID   bool // ordered by ascending id and nothing else
	top    int64
	skip   int64
	output []output

	filter odata.Expr // what where was compiled from
}

type orderKey struct {
	eval func(*frame) store.Value
	desc bool
}

// output writes one member of a JSON object.
type output struct {
	name  string // `"name":`
	write func(*executor, *frame)
}

func (c *compiler) plan(view *schema.View, o *odata.Options, count bool) (*plan, error) {
	p := &plan{
		view: view, table: c.engine.Store.Table(view.Resource.Name), count: count,
		level: &level{}, top: -1, filter: o.Filter,
	}
	base := ref{level: p.level, view: view}
	sc := scope{level: p.level, def: base}

	if err := c.expands(p, o.Expand); err != nil {
		return nil, err
	}
	if !count {
		if err := c.selects(p, sc, o.Select); err != nil {
			return nil, err
		}
	}
	if o.Filter != nil {
		where, err := c.boolean(o.Filter, sc)
		if err != nil {
			return nil, err
		}
		p.where = where.isTrue()
	}
	// A count ignores the options that would order or cut it.
	if count {
		return p, nil
	}
	for _, ord := range o.OrderBy {
		v, err := c.property(ord.Path, sc)
		if err != nil {
			return nil, err
		}
		if v.typ == typeJSON {
			return nil, failf("JSON cannot be ordered")
		}
		p.order = append(p.order, orderKey{eval: v.eval, desc: ord.Desc})
	}
	p.byID = len(o.OrderBy) > 0 && !o.OrderBy[0].Desc && isID(o.OrderBy[0].Path)
	if o.Top != nil {
		p.top = *o.Top
	}
	if o.Skip != nil {
		p.skip = *o.Skip
	}
	return p, nil
}

func isID(p *odata.Path) bool {
	return p.Name == "id" && p.Property == nil && !p.Count && p.Lambda == nil && p.Method == nil
}

// expands compiles the expanded navigations, which come before the fields.
// Of a navigation expanded twice the last one remains.
func (c *compiler) expands(p *plan, expands []*odata.Expand) error {
	for _, e := range expands {
		nav, ok := p.view.Nav(e.Name)
		if !ok {
			return failf("%s has no navigation %q", p.view.Resource.Name, e.Name)
		}
		if _, ok := c.access(nav.Target); !ok {
			return ErrUnauthorized
		}
		options := e.Options
		if e.Property != nil {
			options.Expand = append(slices.Clone(options.Expand), expandOf(e.Property))
		}
		if e.Count && len(options.Expand) > 0 {
			return failf("a count cannot be expanded")
		}
		child, err := c.plan(nav.Target, &options, e.Count)
		if err != nil {
			return err
		}
		follow := c.follow(nav)
		out := output{name: quoteName(e.Name), write: func(x *executor, f *frame) {
			rows := follow(f.rows[0])
			if child.count {
				x.int(int64(x.count(child, rows)))
				return
			}
			x.list(child, rows)
		}}
		if i := slices.IndexFunc(p.output, func(o output) bool { return o.name == out.name }); i >= 0 {
			p.output[i] = out
			continue
		}
		p.output = append(p.output, out)
	}
	return nil
}

func expandOf(path *odata.Path) *odata.Expand {
	return &odata.Expand{Name: path.Name, Count: path.Count, Property: path.Property,
		Options: odata.Options{Filter: path.CountFilter}}
}

// selects compiles the fields of the answer. A field that is expanded is not
// repeated.
func (c *compiler) selects(p *plan, sc scope, paths []*odata.Path) error {
	expanded := len(p.output)
	add := func(name string, write func(*executor, *frame)) {
		out := output{name: quoteName(name), write: write}
		if !slices.ContainsFunc(p.output, func(o output) bool { return o.name == out.name }) {
			p.output = append(p.output, out)
		}
	}
	if paths == nil {
		for _, f := range p.view.Fields {
			name := quoteName(f.Name)
			if !slices.ContainsFunc(p.output[:expanded], func(o output) bool { return o.name == name }) {
				p.output = append(p.output, output{name: name, write: c.writer(sc.def, f)})
			}
		}
		return nil
	}
	for _, path := range paths {
		at, name, err := c.resolve(path, sc)
		if err != nil {
			return err
		}
		f, err := fieldOf(at.view, name)
		if err != nil {
			return err
		}
		add(name, c.writer(at, f))
	}
	return nil
}

// fieldOf finds a field by its name or by the name of a reference.
func fieldOf(view *schema.View, name string) (schema.ViewField, error) {
	if f, ok := view.Field(name); ok {
		return f, nil
	}
	if nav, ok := view.Nav(name); ok && nav.Forward {
		return schema.ViewField{Name: name, Type: schema.Ref, Field: nav.Field}, nil
	}
	return schema.ViewField{}, failf("%s has no field %q", view.Resource.Name, name)
}

// start finds the rows that a request begins with, from its key or, if it has
// none, from what its filter allows to be looked up.
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

// keyed finds the row of a key, by index where there is one.
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

// key compiles a key to a test. Natural keys must be unique.
func (c *compiler) key(view *schema.View, key *odata.Key) (func(store.Row) bool, error) {
	named := key.Named
	if key.Value != nil {
		named = []odata.NamedKey{{Name: "id", Value: *key.Value}}
	}
	lvl := &level{}
	at := ref{level: lvl, view: view}
	names := make([]string, 0, len(named))
	tests := make([]func(*frame) bool, 0, len(named))
	for _, part := range named {
		f, ok := view.Field(part.Name)
		if !ok {
			return nil, failf("%s has no field %q", view.Resource.Name, part.Name)
		}
		names = append(names, f.Field.Name)
		lit, err := c.keyExpr(part.Value)
		if err != nil {
			return nil, err
		}
		eq, err := compare("eq", c.field(at, f, scope{level: lvl, def: at}), lit)
		if err != nil {
			return nil, err
		}
		tests = append(tests, eq.isTrue())
	}
	if !view.Resource.IsKey(names) {
		return nil, failf("%v is no key of %s", names, view.Resource.Name)
	}
	return func(r store.Row) bool {
		f := &frame{rows: []store.Row{r}}
		for _, test := range tests {
			if !test(f) {
				return false
			}
		}
		return true
	}, nil
}

func (c *compiler) keyExpr(v odata.KeyValue) (operand, error) {
	if v.Alias == "" {
		return bind(v.Literal), nil
	}
	lit, ok := c.literals[v.Alias]
	if !ok {
		return operand{}, failf("parameter @%s is not given", v.Alias)
	}
	return bind(lit), nil
}

func (c *compiler) keyLiteral(v odata.KeyValue, t typ) (store.Value, error) {
	o, err := c.keyExpr(v)
	if err != nil {
		return store.Value{}, err
	}
	return coerce(*o.lit, t)
}

// narrow uses the indexes for the conjuncts of a filter: an id, a range of
// ids, references or unique texts. The filter itself still decides.
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
			ids, ok := coerceAll(values, typeInt)
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
			if ids, ok := coerceAll(values, typeInt); ok {
				var rows []store.Row
				for _, id := range ids {
					rows = append(rows, p.table.Referring(i, id.I)...)
				}
				offer(distinct(rows))
			}
		case f.Field.Unique:
			if texts, ok := coerceAll(values, typeText); ok {
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

func (p *plan) compareIDs(a, b store.Row) int {
	return int(max(-1, min(1, p.table.ID(a)-p.table.ID(b))))
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

// simple takes apart "field op constant" and "field in (constants)"; eq counts
// as in. Nulls are left to the filter.
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

func coerceAll(values []odata.Literal, t typ) ([]store.Value, bool) {
	out := make([]store.Value, 0, len(values))
	for _, l := range values {
		v, err := coerce(l, t)
		if err != nil {
			return nil, false
		}
		out = append(out, v)
	}
	return out, len(out) > 0
}

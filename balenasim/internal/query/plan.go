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
	// shape is the first resource of a path with several, nil otherwise.
	shape *schema.View

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
	if count && len(o.Expand) > 0 {
		return nil, failf("a count cannot be expanded")
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
	// A count ignores options for order and limits.
	if count {
		return p, nil
	}
	sc.ordering = true
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
	for _, limit := range []*int64{o.Top, o.Skip} {
		if limit != nil && float64(*limit) >= 1<<63 {
			return nil, failf("limit out of range")
		}
	}
	if o.Top != nil {
		p.top = *o.Top
	}
	if o.Skip != nil {
		p.skip = *o.Skip
	}
	return p, nil
}

// convertible reports whether the server can put a member of a response into
// JSON. It looks up the type by name in the first resource of a path.
func (p *plan) convertible(name string) bool {
	if p.shape == nil {
		return true
	}
	f, ok := p.shape.Field(name)
	return ok && !f.Fact
}

func isID(p *odata.Path) bool {
	return p.Name == "id" && p.Property == nil && !p.Count && p.Lambda == nil && p.Method == nil
}

// expands compiles the expanded navigations, which precede the fields. If a
// navigation is expanded twice, the last one counts.
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
		child, err := c.plan(nav.Target, &options, e.Count)
		if err != nil {
			return err
		}
		follow := c.follow(nav)
		out := output{name: quoteName(e.Name), write: func(x *executor, f *frame) {
			if !p.convertible(e.Name) {
				x.fail("the first resource of the path has no such field")
				return
			}
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

// selects compiles the fields of the response, without those that are expanded.
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
				p.output = append(p.output, output{name: name, write: c.writer(p, sc.def, f)})
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
		add(name, c.writer(p, at, f))
	}
	return nil
}

// fieldOf returns a field by its name or by an alias of a reference.
func fieldOf(view *schema.View, name string) (schema.ViewField, error) {
	if f, ok := view.Field(name); ok {
		return f, nil
	}
	if nav, ok := view.Nav(name); ok && nav.Forward {
		return schema.ViewField{Name: name, Type: schema.Ref, Field: nav.Field}, nil
	}
	return schema.ViewField{}, failf("%s has no field %q", view.Resource.Name, name)
}

func (p *plan) compareIDs(a, b store.Row) int {
	return int(max(-1, min(1, p.table.ID(a)-p.table.ID(b))))
}

package query

import (
	"maps"
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

type compiler struct {
	engine   *Engine
	x        *executor
	literals map[string]odata.Literal // parameter aliases
}

// level is one SELECT: a request, an expanded navigation, a lambda or a count.
type level struct {
	parent *level
	joins  []join
}

// join is a navigation to several rows inside of a level. As a LEFT JOIN does,
// it repeats the row that it starts from.
type join struct {
	from  ref
	name  string
	rows  func(*frame) []store.Row
	match func(store.Row) bool
}

// frame holds the current rows of a level: its own and those of its joins.
type frame struct {
	rows   []store.Row
	parent *frame
}

// ref is where a resource is found: in a slot of a level's frame, and from
// there along references to one row.
type ref struct {
	level *level
	slot  int
	hops  []hop
	view  *schema.View
}

type hop struct {
	name   string
	follow func(store.Row) store.Row
}

// scope is what names mean at some place of a query.
type scope struct {
	level   *level
	def     ref // the resource that bare names belong to
	aliases map[string]ref
}

// locate compiles a reference to a function that finds its row from a frame
// of the level.
func (sc scope) locate(at ref) func(*frame) store.Row {
	up := 0
	for l := sc.level; l != nil && l != at.level; l = l.parent {
		up++
	}
	slot, hops := at.slot, at.hops
	if up == 0 && len(hops) == 0 {
		return func(f *frame) store.Row { return f.rows[slot] }
	}
	return func(f *frame) store.Row {
		for range up {
			f = f.parent
		}
		r := f.rows[slot]
		for i := 0; i < len(hops) && r != store.NoRow; i++ {
			r = hops[i].follow(r)
		}
		return r
	}
}

func (c *compiler) access(v *schema.View) (func(store.Row) bool, bool) {
	if c.engine.Access == nil {
		return nil, true
	}
	return c.engine.Access(v.Resource.Name)
}

// follow compiles a navigation to a function from a row to the rows that it
// leads to and that the caller may read.
func (c *compiler) follow(nav schema.Nav) func(store.Row) []store.Row {
	all := c.followAll(nav)
	visible, ok := c.access(nav.Target)
	if !ok {
		return func(store.Row) []store.Row { return nil }
	}
	if visible == nil {
		return all
	}
	return func(r store.Row) []store.Row {
		var out []store.Row
		for _, target := range all(r) {
			if visible(target) {
				out = append(out, target)
			}
		}
		return out
	}
}

func (c *compiler) followAll(nav schema.Nav) func(store.Row) []store.Row {
	db := c.engine.Store
	target := db.Table(nav.Target.Resource.Name)
	if nav.Forward {
		one := c.forward(nav)
		return func(r store.Row) []store.Row {
			if r == store.NoRow {
				return nil
			}
			if r = one(r); r == store.NoRow {
				return nil
			}
			return []store.Row{r}
		}
	}
	if nav.Field.Computed {
		return c.followComputed(nav)
	}
	i := nav.Target.Resource.Index(nav.Field.Name)
	source := c.source(nav)
	return func(r store.Row) []store.Row {
		if r == store.NoRow {
			return nil
		}
		return target.Referring(i, source.ID(r))
	}
}

// followComputed compiles the navigation against a computed reference, of
// which there is one that is ever set: the release that a device should run.
func (c *compiler) followComputed(nav schema.Nav) func(store.Row) []store.Row {
	if nav.Field.Name != "should_be_running__release" {
		return func(store.Row) []store.Row { return nil }
	}
	db := c.engine.Store
	release, device, application := db.Table("release"), db.Table("device"), db.Table("application")
	pin := device.Resource.Index("is_pinned_on__release")
	fleet := device.Resource.Index("belongs_to__application")
	target := application.Resource.Index("should_be_running__release")
	return func(r store.Row) []store.Row {
		if r == store.NoRow {
			return nil
		}
		id := release.ID(r)
		out := slices.Clone(device.Referring(pin, id))
		for _, a := range application.Referring(target, id) {
			for _, d := range device.Referring(fleet, application.ID(a)) {
				if _, pinned := device.Int(d, pin); !pinned {
					out = append(out, d)
				}
			}
		}
		return out
	}
}

// source is the table that a reverse navigation starts from.
func (c *compiler) source(nav schema.Nav) *store.Table { return c.engine.Store.Table(nav.Field.To) }

// forward compiles a reference to a function from a row to the row referred to.
func (c *compiler) forward(nav schema.Nav) func(store.Row) store.Row {
	db := c.engine.Store
	target := db.Table(nav.Target.Resource.Name)
	owner, i := c.owner(nav.Field)
	if nav.Field.Computed {
		compute := computed(db, owner.Resource.Name, nav.Field.Name, c.engine.Model.Version)
		return func(r store.Row) store.Row {
			if v := compute(r); v.Kind == store.Int {
				return target.Find(v.I)
			}
			return store.NoRow
		}
	}
	return func(r store.Row) store.Row {
		if id, ok := owner.Int(r, i); ok {
			return target.Find(id)
		}
		return store.NoRow
	}
}

// owner finds the table that a field of the schema belongs to.
func (c *compiler) owner(f *schema.Field) (*store.Table, int) {
	for _, r := range schema.Resources() {
		for i := range r.Fields {
			if &r.Fields[i] == f {
				return c.engine.Store.Table(r.Name), i
			}
		}
	}
	return nil, -1
}

// navigate goes one step along a path, by a reference or, if the step leads to
// several rows, by a join.
func (c *compiler) navigate(sc scope, from ref, step *odata.Path) (ref, error) {
	nav, ok := from.view.Nav(step.Name)
	if !ok {
		return ref{}, failf("%s has no navigation %q", from.view.Resource.Name, step.Name)
	}
	if _, ok := c.access(nav.Target); !ok {
		return ref{}, ErrUnauthorized
	}
	var match func(store.Row) bool
	if step.Key != nil {
		var err error
		if match, err = c.joinKey(nav, step.Key); err != nil {
			return ref{}, err
		}
	}
	follow := c.follow(nav)
	if nav.Forward {
		one := func(r store.Row) store.Row {
			rows := follow(r)
			if len(rows) == 0 || match != nil && !match(rows[0]) {
				return store.NoRow
			}
			return rows[0]
		}
		hops := append(slices.Clip(from.hops), hop{step.Name, one})
		return ref{level: from.level, slot: from.slot, hops: hops, view: nav.Target}, nil
	}
	for i, j := range sc.level.joins {
		if j.name == step.Name && same(j.from, from) {
			return ref{level: sc.level, slot: i + 1, view: nav.Target}, nil
		}
	}
	locate := sc.locate(from)
	sc.level.joins = append(sc.level.joins, join{from: from, name: step.Name, match: match,
		rows: func(f *frame) []store.Row { return follow(locate(f)) }})
	return ref{level: sc.level, slot: len(sc.level.joins), view: nav.Target}, nil
}

// joinKey compiles the key of a navigation step, in which the field that was
// followed is part of the natural key without being repeated.
func (c *compiler) joinKey(nav schema.Nav, key *odata.Key) (func(store.Row) bool, error) {
	if key.Value != nil {
		return nil, failf("an id after a navigation is not supported")
	}
	var names []string
	if !nav.Forward {
		names = append(names, nav.Field.Name)
	}
	lvl := &level{}
	at := ref{level: lvl, view: nav.Target}
	var tests []func(*frame) bool
	for _, part := range key.Named {
		f, ok := nav.Target.Field(part.Name)
		if !ok {
			return nil, failf("%s has no field %q", nav.Target.Resource.Name, part.Name)
		}
		lit, err := c.keyExpr(part.Value)
		if err != nil {
			return nil, err
		}
		eq, err := compare("eq", c.field(at, f, scope{level: lvl, def: at}), lit)
		if err != nil {
			return nil, err
		}
		names, tests = append(names, f.Field.Name), append(tests, eq.isTrue())
	}
	if !nav.Target.Resource.IsKey(names) {
		return nil, failf("%v is no key of %s", names, nav.Target.Resource.Name)
	}
	return func(r store.Row) bool {
		f := &frame{rows: []store.Row{r}}
		return !slices.ContainsFunc(tests, func(test func(*frame) bool) bool { return !test(f) })
	}, nil
}

func same(a, b ref) bool {
	return a.level == b.level && a.slot == b.slot &&
		slices.EqualFunc(a.hops, b.hops, func(x, y hop) bool { return x.name == y.name })
}

// resolve walks a path to the resource and the name that it ends in. A step
// that names neither a lambda variable nor a navigation is skipped, as the
// server does.
func (c *compiler) resolve(p *odata.Path, sc scope) (ref, string, error) {
	end, sc, err := c.walk(p, sc)
	if err != nil {
		return ref{}, "", err
	}
	if end.Lambda != nil || end.Method != nil || end.Count {
		return ref{}, "", failf("%q is no field", end.Name)
	}
	return sc.def, end.Name, nil
}

// walk goes to the last step of a path and to the scope that it stands in.
func (c *compiler) walk(p *odata.Path, sc scope) (*odata.Path, scope, error) {
	for p.Property != nil {
		if at, ok := sc.aliases[p.Name]; ok {
			sc.def = at
		} else if _, ok := sc.def.view.Nav(p.Name); ok {
			at, err := c.navigate(sc, sc.def, p)
			if err != nil {
				return nil, sc, err
			}
			sc.def = at
		}
		p = p.Property
	}
	return p, sc, nil
}

// property compiles a path to its value.
func (c *compiler) property(p *odata.Path, sc scope) (operand, error) {
	end, sc, err := c.walk(p, sc)
	if err != nil {
		return operand{}, err
	}
	switch {
	case end.Method != nil:
		return operand{}, failf("unknown method %q", end.Method.Method)
	case end.Lambda != nil:
		return c.lambda(end, sc)
	case end.Count:
		return c.counted(end, sc)
	}
	f, err := fieldOf(sc.def.view, end.Name)
	if err != nil {
		return operand{}, err
	}
	return c.field(sc.def, f, sc), nil
}

// field compiles the read of a field.
func (c *compiler) field(at ref, f schema.ViewField, sc scope) operand {
	locate, read := sc.locate(at), c.reader(at.view, f)
	return operand{typ: typeOf(f.Type), eval: func(fr *frame) store.Value {
		if r := locate(fr); r != store.NoRow {
			return read(r)
		}
		return store.Value{}
	}}
}

// reader compiles the read of a field from a row.
func (c *compiler) reader(view *schema.View, f schema.ViewField) func(store.Row) store.Value {
	t := c.engine.Store.Table(view.Resource.Name)
	if f.Field.Computed {
		return computed(c.engine.Store, view.Resource.Name, f.Field.Name, c.engine.Model.Version)
	}
	i := view.Resource.Index(f.Field.Name)
	if view.Resource.Name == "user__has_direct_access_to__application" && f.Name == "id" {
		return func(store.Row) store.Value { return store.Value{} }
	}
	// In v6 contracts were texts.
	if f.Field.Name == "contract" && f.Type == schema.Text {
		return func(r store.Row) store.Value {
			v := t.Value(r, i)
			if v.Kind == store.JSON {
				v.Kind = store.Text
			}
			return v
		}
	}
	return func(r store.Row) store.Value { return t.Value(r, i) }
}

// lambda compiles any(...) and all(...): EXISTS and NOT EXISTS NOT.
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
	if err != nil {
		return operand{}, err
	}
	inner.aliases = sc.aliases
	where := func(*frame) bool { return true }
	if p.CountFilter != nil {
		cond, err := c.boolean(p.CountFilter, inner)
		if err != nil {
			return operand{}, err
		}
		where = cond.isTrue()
	}
	x, lvl := c.x, inner.level
	return operand{typ: typeBig, eval: func(f *frame) store.Value {
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

// enter opens the level of a lambda or a count over a navigation.
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

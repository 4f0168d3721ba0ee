package query

import (
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// follow compiles a navigation to a function that returns, for a row, the rows
// that it leads to and that the caller can read.
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
	i, source := nav.Owner.Index(nav.Field.Name), db.Table(nav.Field.To)
	return func(r store.Row) []store.Row {
		if r == store.NoRow {
			return nil
		}
		return target.Referring(i, source.ID(r))
	}
}

// followComputed compiles the reverse navigation of a computed reference. Only
// one such reference is ever set: the release that a device should run.
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

// forward compiles a reference to a function that returns the referenced row.
func (c *compiler) forward(nav schema.Nav) func(store.Row) store.Row {
	db := c.engine.Store
	target := db.Table(nav.Target.Resource.Name)
	owner, i := db.Table(nav.Owner.Name), nav.Owner.Index(nav.Field.Name)
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

// navigate compiles one step of a path: a reference or, if the step leads to
// several rows, a join.
func (c *compiler) navigate(sc scope, from ref, step *odata.Path) (ref, error) {
	nav, ok := from.view.Nav(step.Name)
	if !ok {
		return ref{}, failf("%s has no navigation %q", from.view.Resource.Name, step.Name)
	}
	if _, ok := c.access(nav.Target); !ok {
		return ref{}, failf("the rows of %q cannot be joined", step.Name)
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

// joinKey compiles the key of a navigation step. The followed field is implicitly
// part of the natural key.
func (c *compiler) joinKey(nav schema.Nav, key *odata.Key) (func(store.Row) bool, error) {
	if key.Value != nil {
		return nil, failf("an id after a navigation is not supported")
	}
	if nav.Forward {
		return c.keyTest(nav.Target, key.Named)
	}
	return c.keyTest(nav.Target, key.Named, nav.Field.Name)
}

func same(a, b ref) bool {
	return a.level == b.level && a.slot == b.slot &&
		slices.EqualFunc(a.hops, b.hops, func(x, y hop) bool { return x.name == y.name })
}

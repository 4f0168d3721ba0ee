package query

import (
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

// join is a navigation to several rows within a level. Like a LEFT JOIN, it
// repeats the row that it starts from.
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

// ref locates a resource: a slot of a level's frame, followed by references to
// one row.
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

// scope resolves the names at a position in a query.
type scope struct {
	level   *level
	def     ref // the resource that bare names belong to
	aliases map[string]ref
	// ordering is set in $orderby, where counting rows that the caller cannot
	// read gives 401 and not, as in a filter, 500.
	ordering bool
}

// locate compiles a reference to a function that returns its row, given a frame
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

// access returns which rows of a resource the caller can read, false if none.
// Nobody can read actors, which have no view.
func (c *compiler) access(v *schema.View) (func(store.Row) bool, bool) {
	if v == nil {
		return nil, false
	}
	if c.engine.Access == nil {
		return nil, true
	}
	return c.engine.Access(v.Resource.Name)
}

// resolve follows a path and returns the resource and the name that it ends in.
// Like the server, it skips steps that are neither lambda variables nor
// navigations.
func (c *compiler) resolve(p *odata.Path, sc scope) (ref, string, error) {
	end, sc, err := c.walk(p, sc)
	if err != nil {
		return ref{}, "", err
	}
	if end.Lambda != nil || end.Method != nil || end.Count {
		return ref{}, "", failf("%q is not a field", end.Name)
	}
	return sc.def, end.Name, nil
}

// walk returns the last step of a path and its scope.
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
	// The server truncates times to milliseconds, which gives them a type.
	t := typeOf(f.Type)
	if f.Field.Type == schema.BigInt {
		t = typeBig // v6 only formats it as an integer
	}
	return operand{typ: t, untyped: t != typeTime, eval: func(fr *frame) store.Value {
		if r := locate(fr); r != store.NoRow {
			return read(r)
		}
		return store.Value{}
	}}
}

// reader compiles the read of a field from a row.
func (c *compiler) reader(view *schema.View, f schema.ViewField) func(store.Row) store.Value {
	read := FieldReader(c.engine.Store, c.engine.Model.Version, view.Resource.Name, f.Field.Name)
	if view.Resource.Name == "user__has_direct_access_to__application" && f.Name == "id" {
		return func(store.Row) store.Value { return store.Value{} }
	}
	// In v6, contracts are strings.
	if f.Field.Name == "contract" && f.Type == schema.Text {
		return func(r store.Row) store.Value {
			v := read(r)
			if v.Kind == store.JSON {
				v.Kind = store.Text
			}
			return v
		}
	}
	return read
}

// FieldReader returns a function that reads a field of a resource, computed or
// stored. The resource must have the field, and the store must be locked when
// the function is called.
func FieldReader(db *store.Store, version schema.Version, resource, field string) func(store.Row) store.Value {
	t := db.Table(resource)
	i := t.Resource.Index(field)
	if t.Resource.Fields[i].Computed {
		return computed(db, resource, field, version)
	}
	return func(r store.Row) store.Value { return t.Value(r, i) }
}

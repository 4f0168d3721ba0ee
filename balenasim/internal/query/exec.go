package query

import (
	"context"
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// executor runs plans and writes the response.
type executor struct {
	ctx   context.Context
	out   []byte
	max   int
	steps int
	err   error
}

// stop reports whether the query must end: it failed, it ran out of time, or the
// response is too large. It checks the time on every 1,024th call.
func (x *executor) stop() bool {
	if x.err != nil {
		return true
	}
	x.steps++
	if x.steps&0x3ff == 0 && x.ctx.Err() != nil || x.max > 0 && len(x.out) > x.max {
		x.err = ErrTooExpensive
		return true
	}
	return false
}

// fail ends the query with an error that depends on the values of a row.
func (x *executor) fail(reason string) store.Value {
	if x.err == nil {
		x.err = failf("%s", reason)
	}
	return store.Value{}
}

// each visits all combinations of a row with the rows of the level's joins until
// visit returns false.
func (x *executor) each(l *level, r store.Row, parent *frame, visit func(*frame) bool) {
	f := &frame{rows: make([]store.Row, 1, 1+len(l.joins)), parent: parent}
	f.rows[0] = r
	if len(l.joins) == 0 {
		visit(f)
		return
	}
	x.join(l, f, visit)
}

func (x *executor) join(l *level, f *frame, visit func(*frame) bool) bool {
	n := len(f.rows) - 1
	if n == len(l.joins) {
		return visit(f)
	}
	if x.stop() {
		return false
	}
	j := l.joins[n]
	matched := false
	for _, r := range j.rows(f) {
		if j.match != nil && !j.match(r) {
			continue
		}
		matched = true
		if !x.join(l, &frame{rows: append(slices.Clone(f.rows), r), parent: f.parent}, visit) {
			return false
		}
	}
	if matched {
		return true
	}
	return x.join(l, &frame{rows: append(slices.Clone(f.rows), store.NoRow), parent: f.parent}, visit)
}

// collect returns the rows of a plan, filtered, ordered and limited.
func (x *executor) collect(p *plan, rows []store.Row) []*frame {
	early := p.byID && len(p.level.joins) == 0
	if early && !slices.IsSortedFunc(rows, p.compareIDs) {
		rows = slices.Clone(rows)
		slices.SortFunc(rows, p.compareIDs)
	}
	limit := int64(-1)
	if early && p.top >= 0 {
		limit = p.skip + p.top
		if limit < 0 { // overflow
			limit = -1
		}
	}
	var out []*frame
	probe := &frame{rows: []store.Row{0}}
	for _, r := range rows {
		if limit >= 0 && int64(len(out)) >= limit || x.stop() {
			break
		}
		if len(p.level.joins) == 0 {
			if probe.rows[0] = r; p.where == nil || p.where(probe) {
				out = append(out, &frame{rows: []store.Row{r}})
			}
			continue
		}
		x.each(p.level, r, nil, func(f *frame) bool {
			if p.where == nil || p.where(f) {
				out = append(out, f)
			}
			return true
		})
	}
	if !early {
		x.sort(p, out)
	}
	return page(out, p.skip, p.top)
}

func page(frames []*frame, skip, top int64) []*frame {
	frames = frames[min(skip, int64(len(frames))):]
	if top >= 0 {
		frames = frames[:min(top, int64(len(frames)))]
	}
	return frames
}

// sort orders rows by $orderby, or in physical order without it.
func (x *executor) sort(p *plan, frames []*frame) {
	if len(frames) < 2 {
		return
	}
	if len(p.order) == 0 {
		slices.SortStableFunc(frames, func(a, b *frame) int {
			switch ha, hb := p.table.Heap(a.rows[0]), p.table.Heap(b.rows[0]); {
			case ha < hb:
				return -1
			case ha > hb:
				return 1
			}
			return 0
		})
		return
	}
	type keyed struct {
		f    *frame
		keys []store.Value
	}
	all := make([]keyed, len(frames))
	values := make([]store.Value, len(frames)*len(p.order))
	for i, f := range frames {
		keys := values[i*len(p.order) : (i+1)*len(p.order)]
		for k, o := range p.order {
			keys[k] = o.eval(f)
		}
		all[i] = keyed{f, keys}
	}
	slices.SortStableFunc(all, func(a, b keyed) int {
		for k, o := range p.order {
			if c := orderValues(a.keys[k], b.keys[k]); c != 0 {
				if o.desc {
					return -c
				}
				return c
			}
		}
		return 0
	})
	for i := range all {
		frames[i] = all[i].f
	}
}

// orderValues orders nulls last, as PostgreSQL does in ascending order.
func orderValues(a, b store.Value) int {
	switch {
	case a.Kind == store.Null && b.Kind == store.Null:
		return 0
	case a.Kind == store.Null:
		return 1
	case b.Kind == store.Null:
		return -1
	}
	return compareValues(a, b)
}

// count counts the rows of a plan.
func (x *executor) count(p *plan, rows []store.Row) int {
	if p.where == nil && len(p.level.joins) == 0 {
		return len(rows)
	}
	n := 0
	f := &frame{rows: []store.Row{0}}
	for _, r := range rows {
		if x.stop() {
			break
		}
		if len(p.level.joins) == 0 {
			if f.rows[0] = r; p.where(f) {
				n++
			}
			continue
		}
		x.each(p.level, r, nil, func(f *frame) bool {
			if p.where == nil || p.where(f) {
				n++
			}
			return true
		})
	}
	return n
}

// list writes the rows of a plan as a JSON array.
func (x *executor) list(p *plan, rows []store.Row) int {
	frames := x.collect(p, rows)
	x.out = append(x.out, '[')
	for i, f := range frames {
		if x.stop() {
			break
		}
		if i > 0 {
			x.out = append(x.out, ',')
		}
		x.out = append(x.out, '{')
		for k, o := range p.output {
			if k > 0 {
				x.out = append(x.out, ',')
			}
			x.out = append(x.out, o.name...)
			o.write(x, f)
		}
		x.out = append(x.out, '}')
	}
	x.out = append(x.out, ']')
	return len(frames)
}

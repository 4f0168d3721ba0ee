package store

import (
	"math"
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
)

// Row is the position of a row in its table. A position is stable for as long
// as the row lives and is then used again.
type Row int32

// NoRow is the position of no row.
const NoRow Row = -1

const (
	nullInt = math.MinInt64
	// nullText is no possible text, since PostgreSQL has no NUL in texts.
	nullText = "\x00"
)

// Table holds the rows of a resource, a column a field: with 100,000 devices
// a map or a struct a row would cost several times the memory.
type Table struct {
	Resource *schema.Resource

	columns []column
	fields  map[string]int // positions of columns by name
	keys    [][]int        // natural keys, as positions of columns
	idField int
	// modified is the field with the date of the last change, -1 without.
	modified int
	byID     map[int64]Row
	sorted   []Row // in the order of ids
	free     []Row
	lastID   int64

	// heap is the physical order that rows without $orderby come in. Like
	// PostgreSQL, it puts a row that was written behind all others, so that
	// paging without an order loses rows.
	heap     []uint64
	lastHeap uint64
}

func newTable(r *schema.Resource) *Table {
	t := &Table{Resource: r, columns: make([]column, len(r.Fields)), byID: map[int64]Row{}}
	t.fields = make(map[string]int, len(r.Fields))
	for i, f := range r.Fields {
		t.fields[f.Name] = i
	}
	t.modified = t.index("modified_at")
	for _, key := range r.Keys {
		positions := make([]int, len(key))
		for i, name := range key {
			positions[i] = t.index(name)
		}
		t.keys = append(t.keys, positions)
	}
	for i, f := range r.Fields {
		inKey := func(key []string) bool { return slices.Contains(key, f.Name) }
		c := column{kind: kindOf(f.Type), computed: f.Computed, keyed: f.Unique || slices.ContainsFunc(r.Keys, inKey)}
		switch {
		case f.Name == "id":
			t.idField = i
		case f.Computed:
		case f.Type == schema.Ref && schema.Lookup(f.To) != nil:
			c.refs = map[int64][]Row{}
		case f.Unique:
			c.unique = map[string]Row{}
		}
		t.columns[i] = c
	}
	return t
}

// index is the position of a column, -1 if there is none of the name.
func (t *Table) index(name string) int {
	if i, ok := t.fields[name]; ok {
		return i
	}
	return -1
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.sorted) }

// Rows are all rows in the order of their ids. The caller must not keep them.
func (t *Table) Rows() []Row { return t.sorted }

// RowsAfter are the rows with an id of at least from, in the order of ids.
func (t *Table) RowsAfter(from int64) []Row {
	return t.sorted[t.position(from):]
}

func (t *Table) position(id int64) int {
	i, _ := slices.BinarySearchFunc(t.sorted, id, func(r Row, id int64) int {
		switch at := t.ID(r); {
		case at < id:
			return -1
		case at > id:
			return 1
		}
		return 0
	})
	return i
}

// Find is the row with an id.
func (t *Table) Find(id int64) Row {
	if r, ok := t.byID[id]; ok {
		return r
	}
	return NoRow
}

// FindUnique is the row with a text in a unique field.
func (t *Table) FindUnique(field int, s string) Row {
	if r, ok := t.columns[field].unique[s]; ok {
		return r
	}
	return NoRow
}

// Referring are the rows whose field refers to an id.
func (t *Table) Referring(field int, id int64) []Row { return t.columns[field].refs[id] }

// Indexed says whether Referring knows the field.
func (t *Table) Indexed(field int) bool { return t.columns[field].refs != nil }

// ID is the id of a row.
func (t *Table) ID(r Row) int64 { return t.columns[t.idField].ints[r] }

// Heap is the physical position of a row.
func (t *Table) Heap(r Row) uint64 { return t.heap[r] }

// Int is the integer, time, boolean or reference in a field.
func (t *Table) Int(r Row, field int) (int64, bool) {
	v := t.columns[field].ints[r]
	return v, v != nullInt
}

// Text is the text in a field.
func (t *Table) Text(r Row, field int) (string, bool) {
	v := t.columns[field].texts[r]
	return v, v != nullText
}

// Value is what a field holds. Of computed fields it is what was loaded.
func (t *Table) Value(r Row, field int) Value {
	c := &t.columns[field]
	switch {
	case c.computed:
		return c.given[r]
	case c.texts != nil:
		if v := c.texts[r]; v != nullText {
			return Value{Kind: c.kind, S: v}
		}
	case c.ints[r] != nullInt:
		return Value{Kind: c.kind, I: c.ints[r]}
	}
	return Value{}
}

// Given is the value that a computed field was loaded with, if it differed
// from what the rest of the row would give.
func (t *Table) Given(r Row, field int) (Value, bool) {
	v, ok := t.columns[field].given[r]
	return v, ok
}

// insert adds a row of values, one a field.
func (t *Table) insert(values []Value) (Row, error) {
	id := t.lastID + 1
	if v := values[t.idField]; v.Kind == Int {
		id = v.I
	}
	if _, taken := t.byID[id]; taken {
		return NoRow, &ConflictError{Fields: []string{"id"}}
	}
	if err := t.conflict(NoRow, values); err != nil {
		return NoRow, err
	}
	values[t.idField] = IntValue(id)
	var r Row
	if n := len(t.free); n > 0 {
		r, t.free = t.free[n-1], t.free[:n-1]
	} else {
		r = Row(len(t.heap))
		t.heap = append(t.heap, 0)
		for i := range t.columns {
			t.columns[i].grow()
		}
	}
	for i := range t.columns {
		t.set(r, i, values[i])
	}
	t.byID[id] = r
	if id > t.lastID {
		t.lastID = id
		t.sorted = append(t.sorted, r)
	} else {
		t.sorted = slices.Insert(t.sorted, t.position(id), r)
	}
	t.touch(r)
	return r, nil
}

// touch moves a row to the end of the heap.
func (t *Table) touch(r Row) {
	t.lastHeap++
	t.heap[r] = t.lastHeap
}

func (t *Table) remove(r Row) {
	at := t.position(t.ID(r))
	t.sorted = slices.Delete(t.sorted, at, at+1)
	delete(t.byID, t.ID(r))
	for i := range t.columns {
		t.set(r, i, Value{})
	}
	t.free = append(t.free, r)
}

// set writes a field and keeps its index.
func (t *Table) set(r Row, field int, v Value) {
	c := &t.columns[field]
	switch {
	case c.computed:
		if v.Kind == Null {
			delete(c.given, r)
			return
		}
		if c.given == nil {
			c.given = map[Row]Value{}
		}
		c.given[r] = v
	case c.kind == Text || c.kind == JSON:
		old, s := c.texts[r], nullText
		if v.Kind != Null {
			s = c.intern(v.S)
		}
		if c.unique != nil {
			if old != nullText {
				delete(c.unique, old)
			}
			if s != nullText {
				c.unique[s] = r
			}
		}
		c.texts[r] = s
	default:
		old, n := c.ints[r], int64(nullInt)
		if v.Kind != Null {
			n = v.I
		}
		if c.refs != nil && old != n {
			if old != nullInt {
				c.unrefer(old, r)
			}
			if n != nullInt {
				c.refs[n] = append(c.refs[n], r)
			}
		}
		c.ints[r] = n
	}
}

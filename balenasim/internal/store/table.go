package store

import (
	"math"
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
)

// Row is the position of a row in its table. It is stable until the row is deleted
// and is then reused.
type Row int32

// NoRow is returned if there is no row.
const NoRow Row = -1

const (
	nullInt = math.MinInt64
	// nullText cannot occur: PostgreSQL has no NUL in strings.
	nullText = "\x00"
)

// Table stores the rows of a resource by column. With 100,000 devices, a map or
// struct per row would take several times the memory.
type Table struct {
	Resource *schema.Resource

	columns []column
	fields  map[string]int // positions of columns by name
	keys    [][]int        // natural keys, as positions of columns
	idField int
	// modified is the index of modified_at, -1 if there is none.
	modified int
	byID     map[int64]Row
	sorted   []Row // in the order of ids
	free     []Row
	lastID   int64

	// heap is the physical order, in which rows are returned without $orderby.
	// As in PostgreSQL, a write moves a row to the end, so that paging without
	// an order loses rows.
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

// index returns the index of a column, -1 if there is none.
func (t *Table) index(name string) int {
	if i, ok := t.fields[name]; ok {
		return i
	}
	return -1
}

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.sorted) }

// Rows returns all rows ordered by id. The caller must not keep the slice.
func (t *Table) Rows() []Row { return t.sorted }

// RowsAfter returns the rows with an id of at least from, ordered by id.
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

// Find returns the row with an id, or NoRow.
func (t *Table) Find(id int64) Row {
	if r, ok := t.byID[id]; ok {
		return r
	}
	return NoRow
}

// FindUnique returns the row with a string in a unique field, or NoRow.
func (t *Table) FindUnique(field int, s string) Row {
	if r, ok := t.columns[field].unique[s]; ok {
		return r
	}
	return NoRow
}

// Referring returns the rows whose field refers to an id.
func (t *Table) Referring(field int, id int64) []Row { return t.columns[field].refs[id] }

// Indexed reports whether Referring supports the field.
func (t *Table) Indexed(field int) bool { return t.columns[field].refs != nil }

// ID returns the id of a row.
func (t *Table) ID(r Row) int64 { return t.columns[t.idField].ints[r] }

// Heap returns the physical position of a row.
func (t *Table) Heap(r Row) uint64 { return t.heap[r] }

// Int returns the integer, time, boolean or reference in a field.
func (t *Table) Int(r Row, field int) (int64, bool) {
	v := t.columns[field].ints[r]
	return v, v != nullInt
}

// Text returns the string in a field.
func (t *Table) Text(r Row, field int) (string, bool) {
	v := t.columns[field].texts[r]
	return v, v != nullText
}

// Value returns the value of a field. For computed fields it is the loaded one.
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

// Given returns the value that a computed field was loaded with, if any.
func (t *Table) Given(r Row, field int) (Value, bool) {
	v, ok := t.columns[field].given[r]
	return v, ok
}

// insert adds a row with one value per field.
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

// touch moves a row to the end of the physical order.
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

// set writes a field and updates its index.
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

package store

import (
	"slices"
)

type column struct {
	kind     Kind
	ints     []int64
	texts    []string
	computed bool
	keyed    bool              // part of a natural key
	refs     map[int64][]Row   // rows by the id that they refer to
	unique   map[string]Row    // row by value
	given    map[Row]Value     // loaded values of computed fields
	interned map[string]string // strings of columns with few distinct values
}

func (c *column) grow() {
	switch {
	case c.computed:
	case c.kind == Text || c.kind == JSON:
		c.texts = append(c.texts, nullText)
	default:
		c.ints = append(c.ints, nullInt)
	}
}

func (c *column) unrefer(id int64, r Row) {
	rows := c.refs[id]
	if i := slices.Index(rows, r); i >= 0 {
		rows = slices.Delete(rows, i, i+1)
	}
	if len(rows) == 0 {
		delete(c.refs, id)
		return
	}
	c.refs[id] = rows
}

// maxInterned is the maximum number of interned strings per column.
const maxInterned = 512

// intern keeps one copy of repeated strings, such as OS versions.
func (c *column) intern(s string) string {
	if c.unique != nil || len(s) > 4096 {
		return s
	}
	if kept, ok := c.interned[s]; ok {
		return kept
	}
	if len(c.interned) < maxInterned {
		if c.interned == nil {
			c.interned = map[string]string{}
		}
		c.interned[s] = s
	}
	return s
}

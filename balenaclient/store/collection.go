package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Collection holds the rows of one query.
type Collection[T any] struct {
	store   *Store
	query   pine.Query[T]
	columns []column

	refreshing sync.Mutex // held while rows are fetched

	// Guarded by the store's lock:
	rows    map[pine.ID[T]]T // replaced, never changed
	fetched time.Time
	dropped bool
}

// column is a field of a row.
type column struct {
	name  string // in the API
	index []int
}

// Keep adds a query to a store. Nothing is fetched before the first Refresh. T must have an id.
func Keep[T any](s *Store, query pine.Query[T]) (*Collection[T], error) {
	c := &Collection[T]{store: s, query: query, rows: map[pine.ID[T]]T{}}
	hasID := false
	if t := reflect.TypeFor[T](); t.Kind() == reflect.Struct {
		for _, field := range reflect.VisibleFields(t) {
			name := jsonName(field)
			if !field.IsExported() || field.Anonymous || name == "" {
				continue
			}
			c.columns = append(c.columns, column{name, field.Index})
			hasID = hasID || name == "id" && field.Type.Kind() == reflect.Int64
		}
	}
	if !hasID {
		return nil, fmt.Errorf("store: %T has no int64 field with the json name id, which identifies rows", *new(T))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collections = append(s.collections, c)
	return c, nil
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return strings.TrimPrefix(name, "-")
}

// Changes are what a refresh changed, by ascending id.
type Changes[T any] struct {
	Added   []T
	Changed []Change[T]
	Removed []T // as last fetched; they no longer match the query, or are gone
}

// Empty reports whether nothing changed.
func (c Changes[T]) Empty() bool { return len(c.Added)+len(c.Changed)+len(c.Removed) == 0 }

// Change is a row that changed.
type Change[T any] struct {
	Old, New T

	// Fields are the columns that changed, by their names in the API:
	//
	//	slices.Contains(change.Fields, string(device.IsOnline))
	Fields []string
}

// Refresh runs the query and replaces the collection's rows. If it fails the previous rows stay; if only some rows cannot be decoded
// ([pine.RowsError]) the others are replaced, and no row counts as removed.
func (c *Collection[T]) Refresh(ctx context.Context) (Changes[T], error) {
	c.refreshing.Lock()
	defer c.refreshing.Unlock()
	fresh := map[pine.ID[T]]T{}
	var skipped error
	for row, err := range c.query.All(ctx) {
		if partial := (*pine.RowsError)(nil); errors.As(err, &partial) {
			skipped = err
			break
		}
		if err != nil {
			return Changes[T]{}, err
		}
		if len(fresh) >= c.store.maxRows { // no need to fetch the rest
			return Changes[T]{}, fmt.Errorf("%w: the query has more than %d rows", ErrFull, c.store.maxRows)
		}
		fresh[c.id(row)] = row
	}
	return c.replace(fresh, skipped)
}

func (c *Collection[T]) replace(fresh map[pine.ID[T]]T, skipped error) (Changes[T], error) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if c.dropped {
		return Changes[T]{}, ErrDropped
	}
	if skipped != nil {
		for id, row := range c.rows {
			if _, ok := fresh[id]; !ok {
				fresh[id] = row
			}
		}
	}
	if total := c.store.rows - len(c.rows) + len(fresh); total > c.store.maxRows {
		return Changes[T]{}, fmt.Errorf("%w: %d rows exceed the limit of %d", ErrFull, total, c.store.maxRows)
	}
	var changes Changes[T]
	for _, id := range slices.Sorted(maps.Keys(fresh)) {
		old, known := c.rows[id]
		if !known {
			changes.Added = append(changes.Added, fresh[id])
		} else if fields := c.compare(old, fresh[id]); len(fields) > 0 {
			changes.Changed = append(changes.Changed, Change[T]{old, fresh[id], fields})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.rows)) {
		if _, ok := fresh[id]; !ok {
			changes.Removed = append(changes.Removed, c.rows[id])
		}
	}
	c.store.rows += len(fresh) - len(c.rows)
	c.rows, c.fetched = fresh, time.Now()
	return changes, skipped
}

// compare returns the columns in which two rows differ.
func (c *Collection[T]) compare(a, b T) []string {
	var names []string
	left, right := reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem()
	for _, column := range c.columns {
		x, errX := left.FieldByIndexErr(column.index)
		y, errY := right.FieldByIndexErr(column.index)
		if errX != nil || errY != nil { // an embedded pointer is nil
			if (errX == nil) != (errY == nil) {
				names = append(names, column.name)
			}
			continue
		}
		if !equal(x, y) {
			names = append(names, column.name)
		}
	}
	return names
}

func (c *Collection[T]) id(row T) pine.ID[T] {
	value := reflect.ValueOf(&row).Elem()
	for _, column := range c.columns {
		if column.name == "id" {
			if id, err := value.FieldByIndexErr(column.index); err == nil {
				return pine.ID[T](id.Int())
			}
		}
	}
	return 0
}

// Get returns the row with this id.
func (c *Collection[T]) Get(id pine.ID[T]) (T, bool) {
	c.store.mu.RLock()
	defer c.store.mu.RUnlock()
	row, ok := c.rows[id]
	return row, ok
}

// Resolve returns the row of the collection that a reference points to.
func (c *Collection[T]) Resolve(ref pine.Ref[T]) (T, bool) { return c.Get(ref.ID) }

// All yields the rows as they are when it begins, by ascending id.
func (c *Collection[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		c.store.mu.RLock()
		rows := c.rows
		c.store.mu.RUnlock()
		for _, id := range slices.Sorted(maps.Keys(rows)) {
			if !yield(rows[id]) {
				return
			}
		}
	}
}

// Forget removes a row from the collection, not from the API, and reports whether it was there. The next Refresh adds it again if it
// still matches the query.
func (c *Collection[T]) Forget(id pine.ID[T]) bool {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if _, ok := c.rows[id]; !ok {
		return false
	}
	c.rows = maps.Clone(c.rows)
	delete(c.rows, id)
	c.store.rows--
	return true
}

// Drop removes the collection and its rows from the store. Refreshing it is [ErrDropped] from then on.
func (c *Collection[T]) Drop() {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	c.store.collections = slices.DeleteFunc(c.store.collections, func(other AnyCollection) bool { return other == AnyCollection(c) })
	c.store.rows -= len(c.rows)
	c.rows, c.dropped = map[pine.ID[T]]T{}, true
}

// Len is the number of rows.
func (c *Collection[T]) Len() int {
	c.store.mu.RLock()
	defer c.store.mu.RUnlock()
	return len(c.rows)
}

// Fetched is when the rows were last fetched; it is zero before the first Refresh.
func (c *Collection[T]) Fetched() time.Time {
	c.store.mu.RLock()
	defer c.store.mu.RUnlock()
	return c.fetched
}

// String lists the rows. The types of package balenaclient print as their names.
func (c *Collection[T]) String() string { return fmt.Sprint(slices.Collect(c.All())) }

func (c *Collection[T]) refresh(ctx context.Context) error {
	_, err := c.Refresh(ctx)
	return err
}

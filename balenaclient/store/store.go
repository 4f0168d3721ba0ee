// Package store keeps the latest rows of queries in memory, and says what changed since they were last fetched.
//
//	s := store.New()
//	devices, err := store.Keep(s, client.Devices().Where(device.Fleet.Is(fleet)).Select(device.Name, device.IsOnline, device.RunningRelease))
//	releases, err := store.Keep(s, client.Releases().Where(release.Fleet.Is(fleet)).Select(release.RawVersion))
//	err = s.Refresh(ctx) // all of it
//	…
//	changes, err := devices.Refresh(ctx)
//	for _, change := range changes.Changed { … }
//	running, ok := store.Resolve(s, d.RunningRelease)
//
// There is no global store and no magic: a store holds what its queries brought, as it was then. Rows are values; changing one changes
// neither the store nor the API. A store and its collections are safe for use by several goroutines.
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

// DefaultMaxRows is how many rows a store holds unless told otherwise.
const DefaultMaxRows = 200_000

// ErrFull means that the rows of a query were more than the store may hold; it goes on to hold those of before.
var ErrFull = errors.New("store: full")

// Store holds collections.
type Store struct {
	maxRows int

	mu          sync.RWMutex
	rows        int
	collections []collection
}

// collection is a [Collection] of any type.
type collection interface {
	refresh(ctx context.Context) error
	row(id int64) (any, bool)
	rowType() reflect.Type
}

// Option changes how a store works.
type Option func(*Store)

// MaxRows bounds the rows of all collections together.
func MaxRows(n int) Option { return func(s *Store) { s.maxRows = n } }

// New makes an empty store.
func New(options ...Option) *Store {
	s := &Store{maxRows: DefaultMaxRows}
	for _, option := range options {
		option(s)
	}
	return s
}

// Collection is the rows of one query.
type Collection[T any] struct {
	store   *Store
	query   pine.Query[T]
	columns []column

	refreshing sync.Mutex // held while rows are fetched

	// Under the store's lock:
	rows    map[int64]T
	fetched time.Time
}

// column is a field of a row.
type column struct {
	name  string // in the API
	index []int
}

// Keep adds a query to a store. Nothing is fetched before the first Refresh. T must have an id.
func Keep[T any](s *Store, query pine.Query[T]) (*Collection[T], error) {
	c := &Collection[T]{store: s, query: query, rows: map[int64]T{}}
	hasID := false
	if t := reflect.TypeFor[T](); t.Kind() == reflect.Struct {
		for _, field := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !field.IsExported() || field.Anonymous || name == "" || name == "-" {
				continue
			}
			c.columns = append(c.columns, column{name, field.Index})
			hasID = hasID || name == "id" && field.Type.Kind() == reflect.Int64
		}
	}
	if !hasID {
		return nil, fmt.Errorf("store: %T has no int64 field with the json name id, by which rows are told apart", *new(T))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collections = append(s.collections, c)
	return c, nil
}

// Refresh refreshes all collections, one after the other. One that fails keeps its rows; the others go on.
func (s *Store) Refresh(ctx context.Context) error {
	s.mu.RLock()
	collections := slices.Clone(s.collections)
	s.mu.RUnlock()
	var errs []error
	for _, c := range collections {
		errs = append(errs, c.refresh(ctx))
	}
	return errors.Join(errs...)
}

// Len is the number of rows in all collections.
func (s *Store) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rows
}

// Resolve returns the row that a reference leads to: the expanded one or, if it was not expanded, that of a collection.
func Resolve[T any](s *Store, ref pine.Ref[T]) (T, bool) {
	if row, ok := ref.Row(); ok {
		return row, true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.collections {
		if c.rowType() == reflect.TypeFor[T]() {
			if row, ok := c.row(ref.ID); ok {
				return row.(T), true
			}
		}
	}
	var none T
	return none, false
}

// Changes are what a refresh changed, by ascending id.
type Changes[T any] struct {
	Added   []T
	Changed []Change[T]
	Removed []T // as they were last; they no longer meet the query, or are gone
}

// Empty reports whether nothing changed.
func (c Changes[T]) Empty() bool { return len(c.Added)+len(c.Changed)+len(c.Removed) == 0 }

// Change is a row that changed.
type Change[T any] struct {
	Old, New T

	// Fields are the names in the API of what changed, which are those of the fields to query by:
	//
	//	slices.Contains(change.Fields, string(device.IsOnline))
	Fields []string
}

// Refresh runs the query and takes its rows in place of those of before. If it fails the rows of before stay; only of rows that could not
// be read ([pine.RowsError]) the others are taken in, and none is taken for removed.
func (c *Collection[T]) Refresh(ctx context.Context) (Changes[T], error) {
	c.refreshing.Lock()
	defer c.refreshing.Unlock()
	fresh := map[int64]T{}
	var unread error
	for row, err := range c.query.All(ctx) {
		if partly := (*pine.RowsError)(nil); errors.As(err, &partly) {
			unread = err
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
	return c.take(fresh, unread)
}

func (c *Collection[T]) take(fresh map[int64]T, unread error) (Changes[T], error) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if unread != nil {
		for id, row := range c.rows {
			if _, ok := fresh[id]; !ok {
				fresh[id] = row
			}
		}
	}
	if total := c.store.rows - len(c.rows) + len(fresh); total > c.store.maxRows {
		return Changes[T]{}, fmt.Errorf("%w: it would hold %d rows and may hold %d", ErrFull, total, c.store.maxRows)
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
	return changes, unread
}

// compare returns the columns in which two rows differ.
func (c *Collection[T]) compare(a, b T) []string {
	var names []string
	left, right := reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem()
	for _, column := range c.columns {
		x, errX := left.FieldByIndexErr(column.index)
		y, errY := right.FieldByIndexErr(column.index)
		if errX != nil || errY != nil {
			if (errX == nil) != (errY == nil) {
				names = append(names, column.name)
			}
			continue
		}
		if !reflect.DeepEqual(x.Interface(), y.Interface()) {
			names = append(names, column.name)
		}
	}
	return names
}

func (c *Collection[T]) id(row T) int64 {
	value := reflect.ValueOf(&row).Elem()
	for _, column := range c.columns {
		if column.name == "id" {
			if id, err := value.FieldByIndexErr(column.index); err == nil {
				return id.Int()
			}
		}
	}
	return 0
}

// Get returns the row with this id.
func (c *Collection[T]) Get(id int64) (T, bool) {
	c.store.mu.RLock()
	defer c.store.mu.RUnlock()
	row, ok := c.rows[id]
	return row, ok
}

// All yields the rows as they are when it begins, by ascending id.
func (c *Collection[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		c.store.mu.RLock()
		rows := c.rows // is replaced as a whole, never changed
		c.store.mu.RUnlock()
		for _, id := range slices.Sorted(maps.Keys(rows)) {
			if !yield(rows[id]) {
				return
			}
		}
	}
}

// Len is the number of rows.
func (c *Collection[T]) Len() int {
	c.store.mu.RLock()
	defer c.store.mu.RUnlock()
	return len(c.rows)
}

// Fetched is when the rows were fetched; zero if they never were.
func (c *Collection[T]) Fetched() time.Time {
	c.store.mu.RLock()
	defer c.store.mu.RUnlock()
	return c.fetched
}

func (c *Collection[T]) refresh(ctx context.Context) error {
	_, err := c.Refresh(ctx)
	return err
}

func (c *Collection[T]) row(id int64) (any, bool) {
	row, ok := c.rows[id]
	return row, ok
}

func (c *Collection[T]) rowType() reflect.Type { return reflect.TypeFor[T]() }

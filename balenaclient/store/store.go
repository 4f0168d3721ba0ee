// Package store keeps the latest rows of queries in memory, and reports what changed since they were last fetched.
//
//	s := store.New()
//	devices, err := store.Keep(s, client.Devices().Where(device.Fleet.Eq(fleet)).Select(device.Name, device.IsOnline, device.RunningRelease))
//	releases, err := store.Keep(s, client.Releases().Where(release.Fleet.Eq(fleet)).Select(release.RawVersion))
//	err = s.Refresh(ctx) // both
//	…
//	changes, err := devices.Refresh(ctx)
//	for _, change := range changes.Changed { … }
//	running, ok := releases.Resolve(d.RunningRelease)
//
// A store holds what its queries returned when they last ran, and nothing else. Rows are values: changing one changes neither the store
// nor the API. A store and its collections are safe for concurrent use.
package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// DefaultMaxRows is the number of rows that a store holds unless [MaxRows] says otherwise.
const DefaultMaxRows = 200_000

// ErrFull means that a query returned more rows than the store may hold. The store keeps its previous rows.
var ErrFull = errors.New("store: full")

// ErrDropped means that a collection no longer belongs to a store: see [Collection.Drop].
var ErrDropped = errors.New("store: collection was dropped")

// Store holds collections.
type Store struct {
	maxRows int

	mu          sync.RWMutex
	rows        int
	collections []AnyCollection
}

// Option configures a store.
type Option func(*Store)

// MaxRows limits the rows of all collections together.
func MaxRows(n int) Option { return func(s *Store) { s.maxRows = n } }

// New returns an empty store.
func New(options ...Option) *Store {
	s := &Store{maxRows: DefaultMaxRows}
	for _, option := range options {
		option(s)
	}
	return s
}

// AnyCollection is a [Collection] of rows of any type.
type AnyCollection interface {
	fmt.Stringer
	Len() int
	Fetched() time.Time
	Drop()

	refresh(ctx context.Context) error
}

// Collections returns the store's collections, in the order in which they were added.
func (s *Store) Collections() []AnyCollection {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.collections)
}

// Refresh refreshes all collections, one after the other. A collection that fails keeps its rows and does not stop the others.
func (s *Store) Refresh(ctx context.Context) error {
	var errs []error
	for _, c := range s.Collections() {
		if err := c.refresh(ctx); !errors.Is(err, ErrDropped) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Len is the number of rows in all collections.
func (s *Store) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rows
}

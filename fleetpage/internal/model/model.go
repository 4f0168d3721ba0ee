// Package model holds what the fleet page shows: fleets, devices and releases as metrics of the balena receiver last described them, what
// is wrong with them, and what was before. It is fed by pdata alone and knows nothing of HTTP.
//
// Metrics may come from several receivers, in any number of batches: each entity keeps its own values and the time of its own last point.
// Nothing of pdata is retained, and strings that repeat are stored once, so that 100,000 devices fit into some tens of megabytes.
package model

import (
	"sync"
	"time"
	"unique"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Options configure a Store.
type Options struct {
	// History is how far back the lines of fleets reach, in HistorySlots steps.
	History time.Duration

	// Changes is how many changes are kept of each device.
	Changes int

	// Expiration is how long an entity is shown that nothing reports any more.
	Expiration time.Duration

	// SiteTag is the tag of devices that names their site.
	SiteTag string

	// Now is the clock.
	Now func() time.Time
}

// HistorySlots is the number of values in a fleet's history.
const HistorySlots = 288

// Store is the current state. Its methods may be called concurrently.
type Store struct {
	Options

	mu        sync.RWMutex
	version   uint64
	started   time.Time
	fleets    map[string]*fleet  // by slug
	devices   map[string]*device // by UUID
	receivers map[string]*receiver
	cleaned   time.Time

	issues issueCache
}

// New returns an empty store.
func New(options Options) *Store {
	return &Store{
		Options: options, started: options.Now(),
		fleets: map[string]*fleet{}, devices: map[string]*device{}, receivers: map[string]*receiver{},
	}
}

// Version changes with the state.
func (s *Store) Version() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.version
}

// resourcesPerLock bounds how long a view waits for a large scrape that is being consumed.
const resourcesPerLock = 512

// Consume updates the state. It does not retain the metrics.
func (s *Store) Consume(metrics pmetric.Metrics) {
	resources := metrics.ResourceMetrics()
	for i := 0; i < resources.Len(); i += resourcesPerLock {
		s.consume(resources, i, min(i+resourcesPerLock, resources.Len()))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeExpired()
}

func (s *Store) consume(resources pmetric.ResourceMetricsSlice, from, to int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	now := s.Now()
	for i := from; i < to; i++ {
		s.consumeResource(resources.At(i), now)
	}
}

// text is a string that repeats, such as a version or a state, and is stored once for all. The zero value is not known.
type text struct{ handle unique.Handle[string] }

func newText(value string) text {
	if value == "" {
		return text{}
	}
	return text{unique.Make(value)}
}

func (t text) String() string {
	if t == (text{}) {
		return ""
	}
	return t.handle.Value()
}

// truth is true, false or not known.
type truth int8

const (
	unknown truth = iota
	no
	yes
)

func truthOf(condition bool) truth {
	if condition {
		return yes
	}
	return no
}

// number is a value or not known.
type number struct {
	value float64
	known bool
}

func known(value float64) number { return number{value, true} }

// Tag is a tag, or an attribute that something on the way has added.
type Tag struct{ Key, Value string }

// Count is how many are in a state.
type Count struct {
	State string
	Value int64
}

// count returns the number in a state.
func count(counts []Count, state string) int64 {
	for _, c := range counts {
		if c.State == state {
			return c.Value
		}
	}
	return 0
}

// setCount returns the counts with one changed or removed. They stay sorted by state.
func setCount(counts []Count, state string, value number) []Count {
	i := 0
	for i < len(counts) && counts[i].State < state {
		i++
	}
	found := i < len(counts) && counts[i].State == state
	switch {
	case found && value.known:
		counts[i].Value = int64(value.value)
	case found:
		counts = append(counts[:i], counts[i+1:]...)
	case value.known:
		counts = append(counts, Count{})
		copy(counts[i+1:], counts[i:])
		counts[i] = Count{newText(state).String(), int64(value.value)}
	}
	return counts
}

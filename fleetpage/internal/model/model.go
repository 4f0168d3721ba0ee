// Package model holds what the fleet page shows: fleets, devices and releases as metrics of the balena receiver last described them, what
// is wrong with them, and what was before. It is fed by pdata alone and knows nothing of HTTP.
//
// Metrics may come from several receivers, in any number of batches: each entity keeps its own values and the time of its own last point.
// Nothing of pdata is retained, and strings that repeat are stored once, so that 100,000 devices fit into some tens of megabytes.
package model

import (
	"strings"
	"sync"
	"time"
	"unicode"
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

	// FleetTags and DeviceTags are the resource attributes that carry tags, by attribute, with the key of the tag. Attributes with the
	// receiver's default prefixes need not be listed.
	FleetTags, DeviceTags map[string]string

	// Now is the clock.
	Now func() time.Time
}

// HistorySlots is the number of values in a fleet's history.
const HistorySlots = 288

// Store is the current state. Its methods may be called concurrently.
type Store struct {
	Options

	mu        sync.RWMutex
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
	s.issues.valid = false
}

func (s *Store) consume(resources pmetric.ResourceMetricsSlice, from, to int) {
	s.mu.Lock()
	defer s.mu.Unlock()
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
	return text{unique.Make(Clean(value))}
}

// Bounds of what one resource can make the page remember. Metrics may come from anybody who can send OTLP.
const (
	maxString   = 256 // bytes
	maxTags     = 50  // of a fleet or device
	maxServices = 100 // of a device
	maxStates   = 50  // of the devices of a fleet, each way of counting
	maxReleases = 500 // of a fleet
	maxFailures = 100 // of a receiver
	maxKeys     = 100 // of a receiver
)

// Clean returns a string as it is stored and shown: not too long, and without characters that change what stands around them.
func Clean(value string) string {
	if len(value) <= maxString && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
		return value
	}
	value = strings.ToValidUTF8(cut(value), string(unicode.ReplacementChar))
	return cut(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, value))
}

func cut(value string) string {
	if len(value) > maxString {
		value = strings.ToValidUTF8(value[:maxString], "") + "…"
	}
	return value
}

// clip returns a copy of a string for storage.
func clip(value string) string { return strings.Clone(Clean(value)) }

// instant is a time in less space: milliseconds since 1970. Zero is not known.
type instant int64

func instantOf(t time.Time) instant {
	if t.IsZero() {
		return 0
	}
	return instant(t.UnixMilli())
}

func (i instant) time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(i))
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
	case value.known && len(counts) < maxStates:
		counts = append(counts, Count{})
		copy(counts[i+1:], counts[i:])
		counts[i] = Count{newText(state).String(), int64(value.value)}
	}
	return counts
}

package receiver

import (
	"iter"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// entityKind is what an entity is.
type entityKind uint8

const (
	receiverKind entityKind = iota
	fleetKind
	deviceKind
	releaseKind
)

// entity is what has a resource of its own: the receiver, a fleet, a device or a release.
type entity interface {
	key() entityKey

	// record records the entity's metrics as of a time and returns its resource.
	record(r *recorder, at time.Time) pcommon.Resource

	// knows reports whether what a kind of request returns about the entity is known.
	knows(kind requestKind) bool
}

// entityKey identifies an entity whatever its names.
type entityKey struct {
	kind entityKind
	id   int64
}

// recorder turns snapshots into metrics.
type recorder struct {
	mb        *metadata.MetricsBuilder
	plan      plan
	stateSets bool
	series    *seriesTracker
}

func newRecorder(mb *metadata.MetricsBuilder, p plan, stateSets bool) *recorder {
	r := &recorder{mb: mb, plan: p, stateSets: stateSets}
	r.series = newSeriesTracker(p, r.resourceMetrics)
	return r
}

// record returns the snapshot's metrics, followed by stale markers for the series that no longer exist, and the number of points about
// the account.
func (r *recorder) record(s *snapshot, gone func(entity) bool) (metrics pmetric.Metrics, points int) {
	metrics = pmetric.NewMetrics()
	for e := range s.entities() {
		points += r.recordEntity(metrics, e, s.at)
	}
	r.recordEntity(metrics, s.receiver, s.at)
	r.series.markStale(metrics, s.at, gone)
	return metrics, points
}

// recordEntity adds the metrics of an entity and returns their number of points.
func (r *recorder) recordEntity(metrics pmetric.Metrics, e entity, at time.Time) (points int) {
	resource, ok := r.resourceMetrics(e, at)
	if !ok {
		return 0
	}
	points = r.series.observe(resource, e, at)
	resource.MoveTo(metrics.ResourceMetrics().AppendEmpty())
	return points
}

// entities yields the entities of the account.
func (s *snapshot) entities() iter.Seq[entity] {
	return func(yield func(entity) bool) {
		_ = yieldAll(s.fleets, yield) && yieldAll(s.devices, yield) && yieldAll(s.releases, yield)
	}
}

func yieldAll[E entity](entities []E, yield func(entity) bool) bool {
	for _, e := range entities {
		if !yield(e) {
			return false
		}
	}
	return true
}

// resourceMetrics records one entity; ok is false, and the metrics are empty, if no enabled metric has a value for it.
func (r *recorder) resourceMetrics(e entity, at time.Time) (resource pmetric.ResourceMetrics, ok bool) {
	metrics := r.mb.Emit(metadata.WithResource(e.record(r, at)))
	if metrics.ResourceMetrics().Len() == 0 {
		return pmetric.NewResourceMetrics(), false
	}
	return metrics.ResourceMetrics().At(0), true
}

// recordState records 1 for the current state and, if state sets are enabled, 0 for every other known state; nothing if there is no
// current state.
func (r *recorder) recordState(record func(value int64, state string), current string, known []string) {
	if current == "" {
		return
	}
	record(1, current)
	if !r.stateSets {
		return
	}
	for _, state := range known {
		if state != current {
			record(0, state)
		}
	}
}

// recordCounts records counts in the order of their keys.
func recordCounts(record func(pcommon.Timestamp, int64, string), now pcommon.Timestamp, counts map[string]int64) {
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		record(now, counts[key], key)
	}
}

// recordInstant records a moment in seconds since 1970; nothing if it is not known.
func recordInstant(record func(pcommon.Timestamp, float64), now pcommon.Timestamp, moment instant) {
	if moment.known() {
		record(now, moment.seconds())
	}
}

// optional returns the attribute as an option, or no option if it is not set.
func optional(attribute func(string) metadata.MetricAttributeOption, value string) []metadata.MetricAttributeOption {
	if value == "" {
		return nil
	}
	return []metadata.MetricAttributeOption{attribute(value)}
}

func oneIf(condition bool) int64 {
	if condition {
		return 1
	}
	return 0
}

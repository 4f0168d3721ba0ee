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

// entity is what has a resource of its own: a fleet, a device or a release.
type entity interface {
	// record records the entity's metrics as of a time and returns its resource.
	record(mb *metadata.MetricsBuilder, at time.Time) pcommon.Resource
}

// recorder turns snapshots into metrics.
type recorder struct {
	mb     *metadata.MetricsBuilder
	series *seriesTracker
}

func newRecorder(mb *metadata.MetricsBuilder) *recorder {
	return &recorder{mb: mb, series: newSeriesTracker()}
}

// record returns the snapshot's metrics and the number of their points; behind them come markers for the series that have vanished
// since the last complete snapshot. What an incomplete snapshot lacks has not vanished, so it brings no markers.
func (r *recorder) record(s *snapshot, complete bool) (metrics pmetric.Metrics, points int) {
	metrics = pmetric.NewMetrics()
	for e := range s.entities() {
		if resource, ok := r.resourceMetrics(e, s.at); ok {
			if complete {
				r.series.saw(resource, e)
			}
			resource.MoveTo(metrics.ResourceMetrics().AppendEmpty())
		}
	}
	points = metrics.DataPointCount()
	if !complete {
		return metrics, points
	}
	for _, change := range r.series.next() {
		before, _ := r.resourceMetrics(change.before, s.at)
		now := pmetric.NewResourceMetrics()
		if change.now != nil {
			now, _ = r.resourceMetrics(change.now, s.at)
		}
		r.series.markVanished(before, now, pcommon.NewTimestampFromTime(s.at), metrics)
	}
	return metrics, points
}

// entities yields the entities of the snapshot.
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
	metrics := r.mb.Emit(metadata.WithResource(e.record(r.mb, at)))
	if metrics.ResourceMetrics().Len() == 0 {
		return pmetric.NewResourceMetrics(), false
	}
	resource = metrics.ResourceMetrics().At(0)
	for _, point := range points(resource) {
		point.Attributes().RemoveIf(isUnknown)
	}
	return resource, true
}

// isUnknown reports whether an attribute stands for what is not known: a generated recorder cannot leave an attribute out.
func isUnknown(_ string, value pcommon.Value) bool {
	return value.Type() == pcommon.ValueTypeStr && value.Str() == ""
}

// recordCounts records counts in the order of their keys.
func recordCounts(record func(pcommon.Timestamp, int64, string), now pcommon.Timestamp, counts map[string]int64) {
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		record(now, counts[key], key)
	}
}

// recordSince records the time since an event in seconds; nothing if there was none.
func recordSince(record func(pcommon.Timestamp, float64), now pcommon.Timestamp, event instant) {
	if event.known() {
		record(now, event.before(now.AsTime()))
	}
}

// withTags adds an entity's tags to its resource.
func withTags(resource pcommon.Resource, tags []tag) pcommon.Resource {
	for _, tag := range tags {
		resource.Attributes().PutStr(tag.attribute, tag.value)
	}
	return resource
}

func oneIf(condition bool) int64 {
	if condition {
		return 1
	}
	return 0
}

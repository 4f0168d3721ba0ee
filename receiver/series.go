package receiver

import (
	"hash/maphash"
	"iter"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// seriesTracker remembers which series were reported, to tell consumers at once which are no more: a device that was deleted or
// renamed, or a value that is no longer reported. The Prometheus exporter would otherwise serve them until they expire.
//
// A series is what Prometheus takes for one: a metric with the attributes of its resource and of its point. Only hashes of them are
// kept, and the entity that they came from, from which the few that vanish are recorded again.
type seriesTracker struct {
	seed    maphash.Seed
	last    map[seriesHash]reported // by hash of the resource's attributes, less what was seen in this round
	current map[seriesHash]reported // what was seen in this round
	changes []change
}

type seriesHash uint64

// reported is what was reported with a resource.
type reported struct {
	entity entity
	series seriesHash // of the set of its series
}

// change is a resource whose series are not those that were reported last.
type change struct {
	before entity
	now    entity // nil if the resource is not reported any more
}

func newSeriesTracker() *seriesTracker {
	return &seriesTracker{
		seed:    maphash.MakeSeed(),
		last:    map[seriesHash]reported{},
		current: map[seriesHash]reported{},
	}
}

// saw notes the series of a resource.
func (t *seriesTracker) saw(resource pmetric.ResourceMetrics, e entity) {
	var series seriesHash
	for metric, point := range points(resource) {
		series += t.hash(metric.Name(), point.Attributes()) // a sum, because their order means nothing
	}
	key := t.hash("", resource.Resource().Attributes())
	if before, known := t.last[key]; known {
		if before.series != series {
			t.changes = append(t.changes, change{before: before.entity, now: e})
		}
		delete(t.last, key) // so that the entity's memory is free for what is recorded next
	}
	t.current[key] = reported{entity: e, series: series}
}

// next ends a round and returns the resources of which a series may have vanished since the round before.
func (t *seriesTracker) next() []change {
	changes := t.changes
	for _, before := range t.last {
		changes = append(changes, change{before: before.entity})
	}
	t.last, t.current, t.changes = t.current, make(map[seriesHash]reported, len(t.current)), nil
	return changes
}

// markVanished appends to metrics a marker for each series of before that is not in now, which may be empty.
//
// Each marker is a metric of its own: the Prometheus exporter passes over the points behind a marker in the same metric.
func (t *seriesTracker) markVanished(before, now pmetric.ResourceMetrics, at pcommon.Timestamp, metrics pmetric.Metrics) {
	still := map[seriesHash]bool{}
	for metric, point := range points(now) {
		still[t.hash(metric.Name(), point.Attributes())] = true
	}
	markers := pmetric.NewScopeMetrics()
	for metric, point := range points(before) {
		if still[t.hash(metric.Name(), point.Attributes())] {
			continue
		}
		marker := pmetric.NewNumberDataPoint()
		point.Attributes().CopyTo(marker.Attributes())
		marker.SetTimestamp(at)
		marker.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		marker.MoveTo(emptyLike(metric, markers.Metrics().AppendEmpty()).AppendEmpty())
	}
	if markers.Metrics().Len() == 0 {
		return
	}
	resource := metrics.ResourceMetrics().AppendEmpty()
	before.Resource().CopyTo(resource.Resource())
	before.ScopeMetrics().At(0).Scope().CopyTo(markers.Scope())
	markers.MoveTo(resource.ScopeMetrics().AppendEmpty())
}

func (t *seriesTracker) hash(name string, attributes pcommon.Map) seriesHash {
	var h maphash.Hash
	h.SetSeed(t.seed)
	writeString(&h, name)
	for key, value := range attributes.All() {
		writeString(&h, key)
		writeString(&h, value.AsString())
	}
	return seriesHash(h.Sum64())
}

// writeString ends the text with a byte that no text contains, so that two texts cannot pass for two others.
func writeString(h *maphash.Hash, text string) {
	_, _ = h.WriteString(text) // never fails
	_ = h.WriteByte(0xff)
}

// points yields the points of a resource with their metrics.
func points(resource pmetric.ResourceMetrics) iter.Seq2[pmetric.Metric, pmetric.NumberDataPoint] {
	return func(yield func(pmetric.Metric, pmetric.NumberDataPoint) bool) {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				for _, point := range numberPoints(metric).All() {
					if !yield(metric, point) {
						return
					}
				}
			}
		}
	}
}

// numberPoints are the points of a gauge or a sum; mdatagen knows no other scraped metrics.
func numberPoints(metric pmetric.Metric) pmetric.NumberDataPointSlice {
	if metric.Type() == pmetric.MetricTypeGauge {
		return metric.Gauge().DataPoints()
	}
	return metric.Sum().DataPoints()
}

// emptyLike describes a metric like another and returns its points, of which there are none yet.
func emptyLike(metric, empty pmetric.Metric) pmetric.NumberDataPointSlice {
	empty.SetName(metric.Name())
	empty.SetDescription(metric.Description())
	empty.SetUnit(metric.Unit())
	if metric.Type() == pmetric.MetricTypeGauge {
		return empty.SetEmptyGauge().DataPoints()
	}
	sum := empty.SetEmptySum()
	sum.SetAggregationTemporality(metric.Sum().AggregationTemporality())
	sum.SetIsMonotonic(metric.Sum().IsMonotonic())
	return sum.DataPoints()
}

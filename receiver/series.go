package receiver

import (
	"encoding/binary"
	"hash/maphash"
	"iter"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// seriesTracker remembers which series were reported, to mark as stale those that no longer exist: of a device that was deleted or
// renamed, or of a value that is no longer reported. The Prometheus exporter would otherwise serve them until they expire.
//
// A series that is missing because a request failed may still exist. It is remembered until it is reported again or known to be gone.
//
// A series is what Prometheus considers one: a metric with the attributes of its resource and its point. Only its hash is kept, and the
// entity that it came from, from which the few that vanish are recorded again.
type seriesTracker struct {
	sources  map[string][]requestKind // by metric
	rerecord func(entity, time.Time) (pmetric.ResourceMetrics, bool)

	seed     maphash.Seed
	round    uint32
	entities map[entityKey]*reportedEntity
	vanished []keptSeries // found in this round
	scratch  []seriesHash
}

type seriesHash uint64

// reportedEntity is what was last reported about an entity.
type reportedEntity struct {
	entity   entity
	round    uint32
	resource seriesHash
	series   []seriesHash
	kept     []keptSeries // reported earlier, and not known to be gone
}

// keptSeries is a series with the entity that it can be recorded from.
type keptSeries struct {
	entity   entity
	metric   string
	resource seriesHash
	series   seriesHash
}

func newSeriesTracker(p plan, rerecord func(entity, time.Time) (pmetric.ResourceMetrics, bool)) *seriesTracker {
	return &seriesTracker{
		sources: p.sources, rerecord: rerecord, seed: maphash.MakeSeed(), entities: map[entityKey]*reportedEntity{},
	}
}

// observe notes the series of an entity and returns how many there are.
func (t *seriesTracker) observe(resource pmetric.ResourceMetrics, e entity, at time.Time) int {
	hash := t.hashResource(resource)
	series := t.scratch[:0]
	for metric, point := range points(resource) {
		series = append(series, t.hashSeries(hash, metric, point))
	}
	t.scratch = series

	last, known := t.entities[e.key()]
	if !known {
		last = &reportedEntity{}
		t.entities[e.key()] = last
	}
	if !slices.Equal(last.series, series) {
		t.keepMissing(last, series, at)
		last.series = slices.Clone(series)
	}
	last.entity, last.resource, last.round = e, hash, t.round
	t.dropVanished(last)
	return len(series)
}

// keepMissing keeps the series that were reported before and are not now.
func (t *seriesTracker) keepMissing(last *reportedEntity, now []seriesHash, at time.Time) {
	missing := map[seriesHash]bool{}
	for _, series := range last.series {
		missing[series] = true
	}
	for _, series := range now {
		delete(missing, series)
	}
	last.kept = slices.DeleteFunc(last.kept, func(k keptSeries) bool { return slices.Contains(now, k.series) })
	if len(missing) == 0 {
		return
	}
	before, _ := t.rerecord(last.entity, at)
	for metric, point := range points(before) {
		if series := t.hashSeries(last.resource, metric, point); missing[series] {
			last.kept = append(last.kept, keptSeries{last.entity, metric.Name(), last.resource, series})
		}
	}
}

// dropVanished moves the series to vanished that are known to be gone: those under names that the entity no longer has, and those whose
// sources are all known.
func (t *seriesTracker) dropVanished(last *reportedEntity) {
	last.kept = slices.DeleteFunc(last.kept, func(k keptSeries) bool {
		unknown := func(kind requestKind) bool { return !last.entity.knows(kind) }
		if k.resource == last.resource && slices.ContainsFunc(t.sources[k.metric], unknown) {
			return false
		}
		t.vanished = append(t.vanished, k)
		return true
	})
}

// markStale ends a round: it appends a marker to metrics for each series that vanished.
//
// Each marker is a metric of its own: the Prometheus exporter ignores the points that follow a marker in the same metric.
func (t *seriesTracker) markStale(metrics pmetric.Metrics, at time.Time, gone func(entity) bool) {
	vanished := map[seriesHash]bool{}
	var entities []entity
	add := func(e entity, series seriesHash) {
		vanished[series] = true
		if len(entities) == 0 || entities[len(entities)-1] != e {
			entities = append(entities, e)
		}
	}
	for _, k := range t.vanished {
		add(k.entity, k.series)
	}
	for key, last := range t.entities {
		if last.round == t.round || !gone(last.entity) {
			continue
		}
		for _, series := range last.series {
			add(last.entity, series)
		}
		for _, k := range last.kept {
			add(k.entity, k.series)
		}
		delete(t.entities, key)
	}
	t.vanished = t.vanished[:0]
	t.round++
	if len(vanished) == 0 {
		return
	}
	// Another entity may have the same names, such as a device that was deleted and registered again.
	for _, last := range t.entities {
		for _, series := range last.series {
			delete(vanished, series)
		}
	}
	for _, e := range entities {
		before, _ := t.rerecord(e, at)
		t.appendMarkers(before, vanished, pcommon.NewTimestampFromTime(at), metrics)
	}
}

// appendMarkers appends a marker for each vanished series of a resource, and removes the series from the set.
func (t *seriesTracker) appendMarkers(before pmetric.ResourceMetrics, vanished map[seriesHash]bool, at pcommon.Timestamp, metrics pmetric.Metrics) {
	hash := t.hashResource(before)
	markers := pmetric.NewScopeMetrics()
	for metric, point := range points(before) {
		series := t.hashSeries(hash, metric, point)
		if !vanished[series] {
			continue
		}
		delete(vanished, series)
		marker := pmetric.NewNumberDataPoint()
		point.Attributes().CopyTo(marker.Attributes())
		marker.SetStartTimestamp(point.StartTimestamp())
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

func (t *seriesTracker) hashResource(resource pmetric.ResourceMetrics) seriesHash {
	var h maphash.Hash
	h.SetSeed(t.seed)
	writeAttributes(&h, resource.Resource().Attributes())
	return seriesHash(h.Sum64())
}

func (t *seriesTracker) hashSeries(resource seriesHash, metric pmetric.Metric, point pmetric.NumberDataPoint) seriesHash {
	var h maphash.Hash
	h.SetSeed(t.seed)
	var prefix [8]byte
	binary.NativeEndian.PutUint64(prefix[:], uint64(resource))
	_, _ = h.Write(prefix[:]) // never fails
	writeString(&h, metric.Name())
	writeAttributes(&h, point.Attributes())
	return seriesHash(h.Sum64())
}

func writeAttributes(h *maphash.Hash, attributes pcommon.Map) {
	for key, value := range attributes.All() {
		writeString(h, key)
		writeString(h, value.AsString())
	}
}

// writeString terminates the string with a byte that never occurs in UTF-8, so that what is written is unambiguous.
func writeString(h *maphash.Hash, s string) {
	_, _ = h.WriteString(s) // never fails
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

// numberPoints are the points of a gauge or a sum: mdatagen generates no other metrics for scrapers.
func numberPoints(metric pmetric.Metric) pmetric.NumberDataPointSlice {
	if metric.Type() == pmetric.MetricTypeGauge {
		return metric.Gauge().DataPoints()
	}
	return metric.Sum().DataPoints()
}

// emptyLike copies the description of a metric to an empty one, and returns the points of that, of which there are none yet.
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

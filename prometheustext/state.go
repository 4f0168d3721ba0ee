package prometheustext

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unique"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// state is what is served: the latest value of each series. Times are durations since the exporter began, which no clock change disturbs.
type state struct {
	expiration time.Duration
	namer      otlptranslator.MetricNamer
	labelNames labelNames

	families  map[string]*family // by name
	metrics   map[metricKey]*family
	resources map[string]*resource // by labels
	order     []*resource          // as they came, so that pages are alike
	swept     time.Duration
	pages     pages

	// Scratch space.
	resourceLabels, labels, both []label
	text                         []byte
}

func newState(expiration time.Duration) *state {
	return &state{
		expiration: expiration,
		namer:      otlptranslator.MetricNamer{WithMetricSuffixes: true},
		labelNames: newLabelNames(),
		families:   map[string]*family{},
		metrics:    map[metricKey]*family{},
		resources:  map[string]*resource{},
	}
}

// metricKey is what the name and type of a family depend on.
type metricKey struct {
	name, unit string
	kind       pmetric.MetricType
	monotonic  bool
}

// family is a metric as Prometheus sees it.
type family struct {
	name, help, kind string
	series           int
	written          int // while a page is written: where its next series goes
}

// resource is what the series of one resource have in common.
type resource struct {
	labels string // name="value",…, sorted by name
	series []series
	index  map[seriesKey]int // for resources of many series only
}

// seriesKey identifies a series within a resource.
type seriesKey struct {
	family *family
	labels unique.Handle[string]
	whole  bool
}

// series is one of a resource. There are many, so it is small.
type series struct {
	family    *family               // nil if it is gone
	labels    unique.Handle[string] // its own, as those of the resource; many series have the same
	value     float64
	timestamp pcommon.Timestamp
	updated   time.Duration
	extra     *extra // rarely needed
}

type extra struct {
	whole bool   // the labels are those of the resource, too
	lines []line // of a histogram or summary, instead of the value
}

// line is one of several that show a histogram or summary.
type line struct {
	suffix, label string
	value         float64
}

func (s *series) whole() bool { return s.extra != nil && s.extra.whole }

// refusal says why points of a metric are not served.
type refusal struct {
	metric string
	points int
	reason string
	err    error
}

// update takes a batch in.
func (s *state) update(metrics pmetric.Metrics, now time.Duration) []refusal {
	u := update{state: s, now: now}
	s.pages.forget()
	for _, rm := range metrics.ResourceMetrics().All() {
		u.addResource(rm)
	}
	if now-s.swept > s.expiration {
		s.sweep(now)
	} else if u.removed {
		s.prune()
	}
	return u.refusals
}

// update is a batch on its way in.
type update struct {
	*state
	now      time.Duration
	resource *resource
	next     int // the series that comes next, if the resource has the same as last time
	removed  bool
	refusals []refusal
}

func (u *update) refuse(metric pmetric.Metric, points int, reason string, err error) {
	if points > 0 {
		u.refusals = append(u.refusals, refusal{metric.Name(), points, reason, err})
	}
}

func (u *update) addResource(rm pmetric.ResourceMetrics) {
	var err error
	if u.resourceLabels, err = u.labelNames.append(u.resourceLabels[:0], rm.Resource().Attributes()); err != nil {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, metric := range sm.Metrics().All() {
				u.refuse(metric, pointsOf(metric), "name", fmt.Errorf("resource: %w", err))
			}
		}
		return
	}
	u.resourceLabels = appendTarget(u.resourceLabels, rm.Resource().Attributes())
	u.text = appendLabels(u.text[:0], u.resourceLabels)
	u.next = 0
	if u.resource = u.resources[string(u.text)]; u.resource == nil {
		u.resource = &resource{labels: string(u.text)}
		u.resources[u.resource.labels] = u.resource
		u.order = append(u.order, u.resource)
		points := 0
		for _, sm := range rm.ScopeMetrics().All() {
			for _, metric := range sm.Metrics().All() {
				points += pointsOf(metric)
			}
		}
		u.resource.series = make([]series, 0, points)
	}
	removed := u.removed
	u.removed = false
	for _, sm := range rm.ScopeMetrics().All() {
		for _, metric := range sm.Metrics().All() {
			u.addMetric(metric)
		}
	}
	if u.removed {
		u.resource.compact()
	}
	u.removed = u.removed || removed || len(u.resource.series) == 0
}

func (u *update) addMetric(metric pmetric.Metric) {
	key := metricKey{name: metric.Name(), unit: metric.Unit(), kind: metric.Type()}
	cumulative := true
	switch metric.Type() {
	case pmetric.MetricTypeSum:
		key.monotonic = metric.Sum().IsMonotonic()
		cumulative = metric.Sum().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	case pmetric.MetricTypeHistogram:
		cumulative = metric.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	case pmetric.MetricTypeExponentialHistogram, pmetric.MetricTypeEmpty:
		u.refuse(metric, pointsOf(metric), "type", fmt.Errorf("the format has no %s", metric.Type()))
		return
	}
	if !cumulative {
		u.refuse(metric, pointsOf(metric), "type", errors.New("not cumulative: put a deltatocumulative processor before the exporter"))
		return
	}
	f, reason, err := u.family(key, metric.Description())
	if err != nil {
		u.refuse(metric, pointsOf(metric), reason, err)
		return
	}
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		for _, p := range metric.Gauge().DataPoints().All() {
			u.add(metric, f, numberPoint(p))
		}
	case pmetric.MetricTypeSum:
		for _, p := range metric.Sum().DataPoints().All() {
			u.add(metric, f, numberPoint(p))
		}
	case pmetric.MetricTypeHistogram:
		for _, p := range metric.Histogram().DataPoints().All() {
			u.add(metric, f, point{attributes: p.Attributes(), timestamp: p.Timestamp(), stale: p.Flags().NoRecordedValue(), lines: histogramLines(p)})
		}
	case pmetric.MetricTypeSummary:
		for _, p := range metric.Summary().DataPoints().All() {
			u.add(metric, f, point{attributes: p.Attributes(), timestamp: p.Timestamp(), stale: p.Flags().NoRecordedValue(), lines: summaryLines(p)})
		}
	}
}

// family returns the family of a metric, or why there cannot be one.
func (u *update) family(key metricKey, help string) (f *family, reason string, err error) {
	if f := u.metrics[key]; f != nil {
		return f, "", nil
	}
	kind, translated := "gauge", otlptranslator.MetricType(otlptranslator.MetricTypeGauge)
	switch {
	case key.kind == pmetric.MetricTypeHistogram:
		kind, translated = "histogram", otlptranslator.MetricTypeHistogram
	case key.kind == pmetric.MetricTypeSummary:
		kind, translated = "summary", otlptranslator.MetricTypeSummary
	case key.monotonic:
		kind, translated = "counter", otlptranslator.MetricTypeMonotonicCounter
	case key.kind == pmetric.MetricTypeSum:
		translated = otlptranslator.MetricTypeNonMonotonicCounter
	}
	name, err := u.namer.Build(otlptranslator.Metric{Name: key.name, Unit: key.unit, Type: translated})
	if err != nil {
		return nil, "name", err
	}
	f = u.families[name]
	switch {
	case f == nil:
		f = &family{name: name, help: strings.Clone(help), kind: kind}
		u.families[name] = f
		u.removed = true // see to it that it does not stay without series
	case f.kind != kind:
		return nil, "conflict", fmt.Errorf("%s is a %s already and cannot be a %s, too", name, f.kind, kind)
	}
	key.name, key.unit = strings.Clone(key.name), strings.Clone(key.unit)
	u.metrics[key] = f
	return f, "", nil
}

// add sets a series to the value of a point, or removes it.
func (u *update) add(metric pmetric.Metric, f *family, p point) {
	var err error
	if u.labels, err = u.labelNames.append(u.labels[:0], p.attributes); err != nil {
		u.refuse(metric, 1, "name", err)
		return
	}
	key := seriesKey{family: f, whole: overlap(u.resourceLabels, u.labels)}
	labels := u.labels
	if key.whole { // the resource's attribute counts if a point has it, too
		u.both = joined(append(append(u.both[:0], u.resourceLabels...), labels...))
		labels = u.both
	}
	if p.lines != nil {
		reserved, _, _ := strings.Cut(p.lines[0].label, "=")
		if has(u.resourceLabels, reserved) || has(u.labels, reserved) {
			u.refuse(metric, 1, "name", fmt.Errorf("an attribute called %s is in the way of a %s's own label", reserved, f.kind))
			return
		}
	}
	u.text = appendLabels(u.text[:0], labels)
	i, found := u.resource.find(key, u.text, u.next)
	if !found {
		if p.stale {
			return
		}
		i = len(u.resource.series)
		key.labels = unique.Make(string(u.text))
		u.resource.series = append(u.resource.series, series{family: f, labels: key.labels})
		f.series++
		if u.resource.index != nil {
			u.resource.index[key] = i
		}
	}
	u.next = i + 1
	one := &u.resource.series[i]
	switch {
	case p.timestamp < one.timestamp: // overtaken on the way
	case p.stale:
		one.family = nil
		f.series--
		u.removed = true
	default:
		one.value, one.timestamp, one.updated, one.extra = p.number, p.timestamp, u.now, nil
		if key.whole || p.lines != nil {
			one.extra = &extra{whole: key.whole, lines: p.lines}
		}
	}
}

func has(labels []label, name string) bool {
	return slices.ContainsFunc(labels, func(l label) bool { return l.name == name })
}

// fewSeries are looked through, of more there is an index.
const fewSeries = 64

// find returns where a series is. Scrapes are alike, so it is most often the next one.
func (r *resource) find(key seriesKey, labels []byte, next int) (int, bool) {
	is := func(one *series) bool {
		return one.family == key.family && one.labels.Value() == string(labels) && one.whole() == key.whole
	}
	for i := next; i < len(r.series) && i < next+8; i++ {
		if is(&r.series[i]) {
			return i, true
		}
	}
	if len(r.series) <= fewSeries {
		for i := range r.series {
			if is(&r.series[i]) {
				return i, true
			}
		}
		return 0, false
	}
	if r.index == nil {
		r.index = make(map[seriesKey]int, len(r.series))
		for i, one := range r.series {
			if one.family != nil {
				r.index[seriesKey{one.family, one.labels, one.whole()}] = i
			}
		}
	}
	key.labels = unique.Make(string(labels))
	i, ok := r.index[key]
	return i, ok && r.series[i].family != nil
}

// compact forgets the series that are gone.
func (r *resource) compact() {
	r.series = slices.DeleteFunc(r.series, func(one series) bool { return one.family == nil })
	r.index = nil
}

// sweep removes the series that have expired.
func (s *state) sweep(now time.Duration) {
	s.swept = now
	for _, r := range s.order {
		gone := false
		for i := range r.series {
			if one := &r.series[i]; now-one.updated > s.expiration {
				one.family.series--
				one.family = nil
				gone = true
			}
		}
		if gone {
			r.compact()
		}
	}
	s.prune()
}

// prune removes resources and families without series.
func (s *state) prune() {
	s.order = slices.DeleteFunc(s.order, func(r *resource) bool {
		if len(r.series) == 0 {
			delete(s.resources, r.labels)
		}
		return len(r.series) == 0
	})
	maps.DeleteFunc(s.families, func(_ string, f *family) bool { return f.series == 0 })
	maps.DeleteFunc(s.metrics, func(_ metricKey, f *family) bool { return f.series == 0 })
}

func pointsOf(metric pmetric.Metric) int {
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		return metric.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return metric.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return metric.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return metric.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return metric.Summary().DataPoints().Len()
	default:
		return 0
	}
}

// point is a data point of any type.
type point struct {
	attributes pcommon.Map
	timestamp  pcommon.Timestamp
	stale      bool // a stale marker: there is no value any more
	number     float64
	lines      []line // of a histogram or summary, instead of the number
}

func numberPoint(p pmetric.NumberDataPoint) point {
	result := point{attributes: p.Attributes(), timestamp: p.Timestamp(), stale: p.Flags().NoRecordedValue()}
	switch p.ValueType() {
	case pmetric.NumberDataPointValueTypeInt:
		result.number = float64(p.IntValue())
	case pmetric.NumberDataPointValueTypeDouble:
		result.number = p.DoubleValue()
	default: // says as much as a stale marker
		result.stale = true
	}
	return result
}

// histogramLines are the lines of a histogram: Prometheus' buckets count what is in the smaller ones, too.
func histogramLines(point pmetric.HistogramDataPoint) []line {
	var lines []line
	count := uint64(0)
	for i, bound := range point.ExplicitBounds().All() {
		if i < point.BucketCounts().Len() {
			count += point.BucketCounts().At(i)
		}
		if !math.IsInf(bound, 1) {
			lines = append(lines, line{"_bucket", `le="` + formatted(bound) + `"`, float64(count)})
		}
	}
	lines = append(lines, line{"_bucket", `le="+Inf"`, float64(point.Count())})
	if point.HasSum() {
		lines = append(lines, line{"_sum", "", point.Sum()})
	}
	return append(lines, line{"_count", "", float64(point.Count())})
}

func summaryLines(point pmetric.SummaryDataPoint) []line {
	var lines []line
	for _, q := range point.QuantileValues().All() {
		lines = append(lines, line{"", `quantile="` + formatted(q.Quantile()) + `"`, q.Value()})
	}
	return append(lines, line{"_sum", "", point.Sum()}, line{"_count", "", float64(point.Count())})
}

func formatted(value float64) string { return string(appendValue(nil, value)) }

// appendValue writes a number as Prometheus does.
func appendValue(dst []byte, value float64) []byte {
	switch {
	case value == 0 && !math.Signbit(value):
		return append(dst, '0')
	case value == 1:
		return append(dst, '1')
	case math.IsInf(value, 1):
		return append(dst, "+Inf"...)
	default: // also NaN and -Inf
		return strconv.AppendFloat(dst, value, 'g', -1, 64)
	}
}

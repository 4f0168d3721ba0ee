package prometheustext

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const expiration = 3 * time.Minute

// shown is the page that shows a state.
func shown(t testing.TB, s *state, now time.Duration) string {
	t.Helper()
	p, err := s.render(now)
	require.NoError(t, err)
	return decompressed(t, p)
}

func decompressed(t testing.TB, p *page) string {
	t.Helper()
	chunks := append(p.chunks[:0:0], p.chunks...)
	text, err := gzip.NewReader(&chunks)
	require.NoError(t, err)
	data, err := io.ReadAll(text)
	require.NoError(t, err)
	return string(data)
}

// batch builds metrics of one resource.
type batch struct {
	pmetric.Metrics
	rm pmetric.ResourceMetrics
}

func newBatch(attributes map[string]any) batch {
	metrics := pmetric.NewMetrics()
	rm := metrics.ResourceMetrics().AppendEmpty()
	if err := rm.Resource().Attributes().FromRaw(attributes); err != nil {
		panic(err)
	}
	rm.ScopeMetrics().AppendEmpty()
	return batch{metrics, rm}
}

func (b batch) metric(name, unit string) pmetric.Metric {
	metric := b.rm.ScopeMetrics().At(0).Metrics().AppendEmpty()
	metric.SetName(name)
	metric.SetUnit(unit)
	return metric
}

// gauge adds a point to a gauge of its own.
func (b batch) gauge(name string, value float64, attributes ...string) pmetric.NumberDataPoint {
	return addPoint(b.metric(name, "").SetEmptyGauge().DataPoints(), value, attributes...)
}

func addPoint(points pmetric.NumberDataPointSlice, value float64, attributes ...string) pmetric.NumberDataPoint {
	point := points.AppendEmpty()
	point.SetDoubleValue(value)
	put(point.Attributes(), attributes)
	return point
}

func put(to pcommon.Map, attributes []string) {
	for i := 0; i < len(attributes); i += 2 {
		to.PutStr(attributes[i], attributes[i+1])
	}
}

var stale = pmetric.DefaultDataPointFlags.WithNoRecordedValue(true)

func TestState_Render(t *testing.T) {
	for name, tt := range map[string]struct {
		resource map[string]any
		add      func(batch)
		want     string
	}{
		"nothing, if there is nothing": {add: func(batch) {}, want: ""},
		"a gauge with description and unit": {
			add: func(b batch) {
				m := b.metric("balena.cpu.temperature", "Cel")
				m.SetDescription("Of the \\CPU\\,\nin \"degrees\".")
				addPoint(m.SetEmptyGauge().DataPoints(), 42.5)
			},
			want: "# HELP balena_cpu_temperature_celsius Of the \\\\CPU\\\\,\\nin \"degrees\".\n# TYPE balena_cpu_temperature_celsius gauge\nbalena_cpu_temperature_celsius 42.5\n",
		},
		"a monotonic sum is a counter, an integer is a number": {
			add: func(b batch) {
				sum := b.metric("reconnections", "{event}").SetEmptySum()
				sum.SetIsMonotonic(true)
				sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
				sum.DataPoints().AppendEmpty().SetIntValue(1234567)
			},
			want: "# TYPE reconnections_total counter\nreconnections_total 1.234567e+06\n",
		},
		"another sum is a gauge": {
			add: func(b batch) {
				sum := b.metric("devices", "{device}").SetEmptySum()
				sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
				sum.DataPoints().AppendEmpty().SetIntValue(-3)
			},
			want: "# TYPE devices gauge\ndevices -3\n",
		},
		"numbers that JSON does not know": {
			add: func(b batch) {
				points := b.metric("x", "").SetEmptyGauge().DataPoints()
				for _, value := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0, 1, 1e-9} {
					addPoint(points, value, "n", fmt.Sprint(points.Len()))
				}
			},
			want: "# TYPE x gauge\n" + `x{n="0"} NaN` + "\n" + `x{n="1"} +Inf` + "\n" + `x{n="2"} -Inf` + "\n" + `x{n="3"} -0` + "\n" +
				`x{n="4"} 0` + "\n" + `x{n="5"} 1` + "\n" + `x{n="6"} 1e-09` + "\n",
		},
		"labels of resource and point, sorted": {
			resource: map[string]any{"b.y": "1", "d": int64(2), "a": true},
			add:      func(b batch) { b.gauge("x", 1, "e", "5", "c.", "3", "b", "4") },
			want:     "# TYPE x gauge\n" + `x{a="true",b="4",b_y="1",c_="3",d="2",e="5"} 1` + "\n",
		},
		"escaped labels, and what is not UTF-8 replaced": {
			resource: map[string]any{"a": `"`, "c": `\`, "d": "x\xffy"},
			add:      func(b batch) { b.gauge("x", 1, "b", "\\\"\n,b=\"") },
			want:     "# TYPE x gauge\n" + `x{a="\"",b="\\\"\n,b=\"",c="\\",d="x�y"} 1` + "\n",
		},
		"a label without a value is none": {
			resource: map[string]any{"a": "", "b": "1"},
			add:      func(b batch) { b.gauge("x", 1, "c", "") },
			want:     "# TYPE x gauge\n" + `x{b="1"} 1` + "\n",
		},
		"the resource's attribute counts if the point has it, too": {
			resource: map[string]any{"a": "resource", "b": "1"},
			add:      func(b batch) { b.gauge("x", 1, "a", "point", "c", "3") },
			want:     "# TYPE x gauge\n" + `x{a="resource",b="1",c="3"} 1` + "\n",
		},
		"attributes that have one name in Prometheus are joined": {
			resource: map[string]any{"a.b": "1", "a-b": "2", "c": "3"},
			add:      func(b batch) { b.gauge("x", 1, "a_b", "4") },
			want:     "# TYPE x gauge\n" + `x{a_b="2;1;4",c="3"} 1` + "\n",
		},
		"job and instance of a service": {
			resource: map[string]any{"service.namespace": "iot", "service.name": "collector", "service.instance.id": "1"},
			add:      func(b batch) { b.gauge("x", 1) },
			want: "# TYPE x gauge\n" +
				`x{instance="1",job="iot/collector",service_instance_id="1",service_name="collector",service_namespace="iot"} 1` + "\n",
		},
		"a histogram": {
			resource: map[string]any{"a": "b"},
			add: func(b batch) {
				h := b.metric("wait", "s").SetEmptyHistogram()
				h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
				p := h.DataPoints().AppendEmpty()
				p.ExplicitBounds().FromRaw([]float64{0.5, 1})
				p.BucketCounts().FromRaw([]uint64{1, 2, 3})
				p.SetCount(6)
				p.SetSum(7.5)
				h.DataPoints().AppendEmpty().Attributes().PutStr("without", "sum")
			},
			want: "# TYPE wait_seconds histogram\n" + `wait_seconds_bucket{a="b",le="0.5"} 1` + "\n" + `wait_seconds_bucket{a="b",le="1"} 3` + "\n" +
				`wait_seconds_bucket{a="b",le="+Inf"} 6` + "\n" + `wait_seconds_sum{a="b"} 7.5` + "\n" + `wait_seconds_count{a="b"} 6` + "\n" +
				`wait_seconds_bucket{a="b",without="sum",le="+Inf"} 0` + "\n" + `wait_seconds_count{a="b",without="sum"} 0` + "\n",
		},
		"a summary": {
			add: func(b batch) {
				p := b.metric("wait", "s").SetEmptySummary().DataPoints().AppendEmpty()
				q := p.QuantileValues().AppendEmpty()
				q.SetQuantile(0.99)
				q.SetValue(3)
				p.SetCount(6)
				p.SetSum(7.5)
			},
			want: "# TYPE wait_seconds summary\n" + `wait_seconds{quantile="0.99"} 3` + "\nwait_seconds_sum 7.5\nwait_seconds_count 6\n",
		},
		"families by name, whatever the order of metrics": {
			add: func(b batch) {
				b.gauge("b", 1)
				b.gauge("a", 1)
				b.gauge("b", 2, "c", "d")
			},
			want: "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n" + `b{c="d"} 2` + "\n",
		},
		"the last value of a series that comes twice": {
			add: func(b batch) {
				b.gauge("x", 1)
				b.gauge("x", 2)
			},
			want: "# TYPE x gauge\nx 2\n",
		},
		"no zero for a point without a value": {
			add: func(b batch) {
				b.metric("x", "").SetEmptyGauge().DataPoints().AppendEmpty()
				b.gauge("y", 1)
			},
			want: "# TYPE y gauge\ny 1\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBatch(tt.resource)
			tt.add(b)
			b.MarkReadOnly() // others may have it, too
			s := newState(expiration)
			require.Empty(t, s.update(b.Metrics, 0))
			assert.Equal(t, tt.want, shown(t, s, 0))
		})
	}
}

func TestState_Update(t *testing.T) {
	for name, tt := range map[string]struct {
		then func(batch) // the second batch; the first has x{n="1"} to x{n="3"} = 1 at second 10
		want string
	}{
		"a series that is not in the batch stays": {
			func(b batch) { b.gauge("x", 2, "n", "2").SetTimestamp(20e9) },
			"# TYPE x gauge\n" + `x{n="1"} 1` + "\n" + `x{n="2"} 2` + "\n" + `x{n="3"} 1` + "\n",
		},
		"a stale marker removes its series, and points behind it count": {
			func(b batch) {
				points := b.metric("x", "").SetEmptyGauge().DataPoints()
				marker := addPoint(points, 0, "n", "1")
				marker.SetFlags(stale)
				marker.SetTimestamp(20e9)
				addPoint(points, 2, "n", "3").SetTimestamp(20e9)
			},
			"# TYPE x gauge\n" + `x{n="2"} 1` + "\n" + `x{n="3"} 2` + "\n",
		},
		"a family without series is gone, and its name free": {
			func(b batch) {
				for n := range 3 {
					marker := b.gauge("x", 0, "n", fmt.Sprint(n+1))
					marker.SetFlags(stale)
					marker.SetTimestamp(20e9)
				}
			},
			"",
		},
		"a series can come back in the batch that removes it": {
			func(b batch) {
				for n := range 3 {
					marker := b.gauge("x", 0, "n", fmt.Sprint(n+1))
					marker.SetFlags(stale)
					marker.SetTimestamp(20e9)
				}
				b.gauge("x", 5, "n", "2").SetTimestamp(21e9)
			},
			"# TYPE x gauge\n" + `x{n="2"} 5` + "\n",
		},
		"what was overtaken on the way does not count": {
			func(b batch) {
				b.gauge("x", 2, "n", "1").SetTimestamp(9e9)
				marker := b.gauge("x", 0, "n", "2")
				marker.SetFlags(stale)
				marker.SetTimestamp(9e9)
			},
			"# TYPE x gauge\n" + `x{n="1"} 1` + "\n" + `x{n="2"} 1` + "\n" + `x{n="3"} 1` + "\n",
		},
		"a marker for what is not there": {
			func(b batch) {
				b.gauge("y", 0).SetFlags(stale)
				b.gauge("x", 0, "n", "4").SetFlags(stale)
			},
			"# TYPE x gauge\n" + `x{n="1"} 1` + "\n" + `x{n="2"} 1` + "\n" + `x{n="3"} 1` + "\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			first := newBatch(map[string]any{})
			for n := range 3 {
				first.gauge("x", 1, "n", fmt.Sprint(n+1)).SetTimestamp(10e9)
			}
			s := newState(expiration)
			require.Empty(t, s.update(first.Metrics, 0))
			shown(t, s, 0) // a page that must not be served again
			second := newBatch(map[string]any{})
			tt.then(second)
			require.Empty(t, s.update(second.Metrics, time.Minute))
			assert.Equal(t, tt.want, shown(t, s, time.Minute))
			if tt.want == "" {
				assert.Empty(t, s.families)
				assert.Empty(t, s.metrics)
				assert.Empty(t, s.resources)
				assert.Empty(t, s.order)
			}
		})
	}
}

// Sources are told apart by their resources: one that stops does not take others with it, nor does one keep another alive.
func TestState_Render_Expiration(t *testing.T) {
	s := newState(expiration)
	push := func(shard string, now time.Duration) {
		b := newBatch(map[string]any{"shard": shard})
		b.gauge("x", 1)
		require.Empty(t, s.update(b.Metrics, now))
	}
	push("1", 0)
	push("2", 0)
	push("1", 2*time.Minute)
	both := "# TYPE x gauge\n" + `x{shard="1"} 1` + "\n" + `x{shard="2"} 1` + "\n"
	assert.Equal(t, both, shown(t, s, 2*time.Minute))
	assert.Equal(t, both, shown(t, s, 3*time.Minute), "to the end of its time")
	assert.Equal(t, "# TYPE x gauge\n"+`x{shard="1"} 1`+"\n", shown(t, s, 3*time.Minute+1), "though nothing was pushed")
	assert.Empty(t, shown(t, s, 10*time.Minute))
	assert.Empty(t, s.resources)

	push("1", 20*time.Minute)
	push("2", 30*time.Minute)
	assert.Len(t, s.resources, 1, "what nobody pulls expires, too")
}

func TestState_Render_KeepsThePageUntilSomethingChanges(t *testing.T) {
	s := newState(expiration)
	b := newBatch(nil)
	b.gauge("x", 1)
	s.update(b.Metrics, 0)
	first, err := s.render(0)
	require.NoError(t, err)
	second, err := s.render(time.Minute)
	require.NoError(t, err)
	assert.Same(t, first, second)
	s.update(b.Metrics, 2*time.Minute)
	third, err := s.render(2 * time.Minute)
	require.NoError(t, err)
	assert.NotSame(t, first, third)
}

// Series are found in resources of any size and in any order.
func TestState_Update_RandomOrders(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{3, fewSeries, 500} {
		s := newState(expiration)
		want := map[string]string{}
		for round := range 20 {
			b := newBatch(map[string]any{"r": "1"})
			points := b.metric("x", "").SetEmptyGauge().DataPoints()
			for i, n := range random.Perm(size) {
				key := fmt.Sprintf(`x{n="%d",r="1"}`, n)
				point := addPoint(points, float64(round*1000+i), "n", fmt.Sprint(n))
				point.SetTimestamp(pcommon.Timestamp(round))
				want[key] = fmt.Sprint(round*1000 + i)
				if random.IntN(4) == 0 {
					point.SetFlags(stale)
					delete(want, key)
				}
			}
			require.Empty(t, s.update(b.Metrics, 0))
			got := map[string]string{}
			for line := range strings.Lines(shown(t, s, 0)) {
				if key, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok {
					got[key+"}"] = value
				}
			}
			require.Equal(t, want, got)
		}
	}
}

// What is kept of 10,000 devices is a fraction of the metrics that said so. Metrics that are kept instead are there twice when the next ones
// come, and are copied if another exporter has them, too.
func TestState_IsSmallerThanMetrics(t *testing.T) {
	const count = 10_000
	before := heap()
	metrics := devices(count)
	whole := heap() - before
	s := newState(expiration)
	s.update(metrics, 0)
	kept := heap() - before - whole
	runtime.KeepAlive(metrics)
	t.Logf("%d B a series as metrics, %d B as state", whole/count/5, kept/count/5)
	assert.Less(t, 3*kept, whole)
	assert.Contains(t, shown(t, s, 0), "balena_device_online")
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

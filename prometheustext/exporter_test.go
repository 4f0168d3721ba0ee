package prometheustext

import (
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-balena/balenareceiver/prometheustext/internal/metadata"
	"github.com/otelcol-balena/balenareceiver/prometheustext/internal/metadatatest"
)

func newTestExporter(t *testing.T) *textExporter {
	t.Helper()
	e, err := newTextExporter(createDefaultConfig().(*Config), exportertest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	return e
}

func get(e *textExporter, header ...string) *http.Response {
	recorder := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	e.serve(recorder, r)
	return recorder.Result()
}

func TestExporter_Serve(t *testing.T) {
	const want = "# TYPE x gauge\nx 1\n"
	for name, tt := range map[string]struct {
		accepts    []string
		compressed bool
	}{
		"as text to who asks for nothing":         {},
		"compressed to Prometheus":                {[]string{"Accept-Encoding", "gzip"}, true},
		"compressed to a browser":                 {[]string{"Accept-Encoding", "br, GZIP;q=0.8, *"}, true},
		"compressed by the second header":         {[]string{"Accept-Encoding", "br", "Accept-Encoding", "gzip"}, true},
		"as text to who forbids gzip":             {[]string{"Accept-Encoding", "deflate, gzip; q=0"}, false},
		"as text to who accepts other encodings":  {[]string{"Accept-Encoding", "zstd, gzipped"}, false},
		"as text to who wants OpenMetrics at all": {[]string{"Accept", "application/openmetrics-text"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newTestExporter(t)
			b := newBatch(nil)
			b.gauge("x", 1)
			require.NoError(t, e.consume(t.Context(), b.Metrics))
			for range 2 { // the second is the same page
				response := get(e, tt.accepts...)
				assert.Equal(t, http.StatusOK, response.StatusCode)
				assert.Equal(t, "text/plain; version=0.0.4; charset=utf-8", response.Header.Get("Content-Type"))
				assert.Equal(t, "Accept-Encoding", response.Header.Get("Vary"))
				var body io.Reader = response.Body
				assert.Equal(t, tt.compressed, response.Header.Get("Content-Encoding") == "gzip")
				if tt.compressed {
					var err error
					body, err = gzip.NewReader(body)
					require.NoError(t, err)
				}
				text, err := io.ReadAll(body)
				require.NoError(t, err)
				assert.Equal(t, want, string(text))
			}
		})
	}
}

func TestExporter_Start(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.NetAddr.Endpoint = "127.0.0.1:0"
	listener, err := net.Listen("tcp", config.NetAddr.Endpoint)
	require.NoError(t, err)
	address := listener.Addr().String()
	config.NetAddr.Endpoint = address
	settings := exportertest.NewNopSettings(metadata.Type)
	e, err := NewFactory().CreateMetrics(t.Context(), settings, config)
	require.NoError(t, err)
	require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), `listen at endpoint "`+address+`": `)
	require.NoError(t, e.Shutdown(t.Context()), "though it did not start")

	require.NoError(t, listener.Close())
	e, err = NewFactory().CreateMetrics(t.Context(), settings, config)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, e.Shutdown(context.WithoutCancel(t.Context()))) }()
	assert.False(t, e.Capabilities().MutatesData, "others get the same metrics, not a copy")
	b := newBatch(nil)
	b.gauge("x", 1)
	require.NoError(t, e.ConsumeMetrics(t.Context(), b.Metrics))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, tt := range []struct {
		method, path string
		status       int
		body         string
	}{
		{http.MethodGet, "/metrics", http.StatusOK, "# TYPE x gauge\nx 1\n"},
		{http.MethodHead, "/metrics", http.StatusOK, ""},
		{http.MethodPost, "/metrics", http.StatusMethodNotAllowed, "Method Not Allowed\n"},
		{http.MethodGet, "/", http.StatusNotFound, "404 page not found\n"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+address+tt.path, http.NoBody)
		require.NoError(t, err)
		response, err := client.Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, tt.status, response.StatusCode, "%s %s", tt.method, tt.path)
		assert.Equal(t, tt.body, string(body), "%s %s", tt.method, tt.path)
	}
}

// Each page shows one batch, even if it is read while the next ones come.
func TestExporter_PullWhilePushed(t *testing.T) {
	e := newTestExporter(t)
	var pushing sync.WaitGroup
	pushing.Go(func() {
		for round := range 200 {
			b := newBatch(map[string]any{"a": "b"})
			points := b.metric("x", "").SetEmptyGauge().DataPoints()
			for n := range 100 {
				addPoint(points, float64(round), "n", string(rune('A'+n)))
			}
			assert.NoError(t, e.consume(t.Context(), b.Metrics))
		}
	})
	var pulling sync.WaitGroup
	for range 4 {
		pulling.Go(func() {
			for range 50 {
				text, err := io.ReadAll(get(e).Body)
				if !assert.NoError(t, err) {
					return
				}
				values := map[string]int{}
				for line := range strings.Lines(string(text)) {
					if line[0] != '#' {
						values[line[strings.LastIndexByte(line, ' '):]]++
					}
				}
				for value, series := range values {
					assert.Len(t, values, 1, "values of several batches")
					assert.Equal(t, 100, series, value)
				}
			}
		})
	}
	pushing.Wait()
	pulling.Wait()
}

func TestExporter_Consume_Refusals(t *testing.T) {
	for name, tt := range map[string]struct {
		resource map[string]any
		add      func(batch)
		reason   string
		points   int64
		err      string
	}{
		"a delta sum": {
			add: func(b batch) {
				sum := b.metric("bad", "").SetEmptySum()
				sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
				addPoint(sum.DataPoints(), 1)
				addPoint(sum.DataPoints(), 1, "a", "b")
			},
			reason: "type", points: 2, err: "not cumulative: put a deltatocumulative processor before the exporter",
		},
		"a delta histogram": {
			add: func(b batch) {
				h := b.metric("bad", "").SetEmptyHistogram()
				h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
				h.DataPoints().AppendEmpty()
			},
			reason: "type", points: 1, err: "not cumulative: put a deltatocumulative processor before the exporter",
		},
		"an exponential histogram": {
			add:    func(b batch) { b.metric("bad", "").SetEmptyExponentialHistogram().DataPoints().AppendEmpty() },
			reason: "type", points: 1, err: "the format has no ExponentialHistogram",
		},
		"a gauge of the name of a counter": {
			add: func(b batch) {
				sum := b.metric("bad", "").SetEmptySum()
				sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
				sum.SetIsMonotonic(true)
				addPoint(sum.DataPoints(), 1)
				b.gauge("bad.total", 1)
			},
			reason: "conflict", points: 1, err: "bad_total is a counter already and cannot be a gauge, too",
		},
		"a name that cannot be translated": {
			add:    func(b batch) { b.gauge("", 1) },
			reason: "name", points: 1, err: `normalization for metric "" resulted in empty name`,
		},
		"an attribute that Prometheus reserves": {
			add:    func(b batch) { b.gauge("bad", 1, "__name__", "good") },
			reason: "name", points: 1, err: `attribute "__name__": Prometheus reserves labels that start with __`,
		},
		"an attribute without a name": {
			add:    func(b batch) { b.gauge("bad", 1, "", "x") },
			reason: "name", points: 1, err: `attribute "": label name is empty`,
		},
		"a resource with an attribute that Prometheus reserves": {
			resource: map[string]any{"__address__": "x"},
			add:      func(b batch) { b.gauge("bad", 1) },
			reason:   "name", points: 1, err: `resource: attribute "__address__": Prometheus reserves labels that start with __`,
		},
		"a histogram with an attribute called le": {
			add: func(b batch) {
				h := b.metric("bad", "").SetEmptyHistogram()
				h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
				h.DataPoints().AppendEmpty().Attributes().PutStr("le", "1")
			},
			reason: "name", points: 1, err: "an attribute called le is in the way of a histogram's own label",
		},
	} {
		t.Run(name, func(t *testing.T) {
			telemetry := componenttest.NewTelemetry()
			defer func() { require.NoError(t, telemetry.Shutdown(context.WithoutCancel(t.Context()))) }()
			core, logs := observer.New(zap.WarnLevel)
			settings := exportertest.NewNopSettings(metadata.Type)
			settings.TelemetrySettings = telemetry.NewTelemetrySettings()
			settings.Logger = zap.New(core)
			e, err := newTextExporter(createDefaultConfig().(*Config), settings)
			require.NoError(t, err)
			b := newBatch(tt.resource)
			tt.add(b)
			good := newBatch(nil)
			good.gauge("good", 1)
			good.rm.MoveTo(b.ResourceMetrics().AppendEmpty())
			for range 2 {
				require.NoError(t, e.consume(t.Context(), b.Metrics))
			}
			text, err := io.ReadAll(get(e).Body)
			require.NoError(t, err)
			assert.Contains(t, string(text), "\ngood 1\n", "what can be shown is")
			require.Len(t, logs.All(), 1, "logged once")
			assert.Equal(t, tt.err, logs.All()[0].ContextMap()["error"])
			metadatatest.AssertEqualExporterPrometheusTextRefusedPoints(t, telemetry, []metricdata.DataPoint[int64]{{
				Value:      2 * tt.points,
				Attributes: attribute.NewSet(attribute.String("exporter", settings.ID.String()), attribute.String("error.type", tt.reason)),
			}}, metricdatatest.IgnoreTimestamp())
		})
	}
}

func TestConfig_Validate(t *testing.T) {
	config := createDefaultConfig().(*Config)
	require.NoError(t, config.Validate())
	assert.Equal(t, "localhost:8000", config.NetAddr.Endpoint)
	config.NetAddr.Endpoint = ""
	config.MetricExpiration = -time.Second
	require.EqualError(t, config.Validate(), "endpoint must be set, for example to localhost:8000\nmetric_expiration must be positive, not -1s")
}

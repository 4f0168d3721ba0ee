package fleetpage

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// account returns a scrape of an account as the receiver emits it by default.
func account(devices, fleets int, now time.Time) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	at := pcommon.NewTimestampFromTime(now)
	gauge := func(scope pmetric.ScopeMetrics, name string, value float64, attributes ...string) {
		m := scope.Metrics().AppendEmpty()
		m.SetName(name)
		m.SetDescription("Metrics carry their description and unit.")
		m.SetUnit("{device}")
		p := m.SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetTimestamp(at)
		p.SetDoubleValue(value)
		for i := 0; i+1 < len(attributes); i += 2 {
			p.Attributes().PutStr(attributes[i], attributes[i+1])
		}
	}
	resource := func(attributes ...string) pmetric.ScopeMetrics {
		rm := metrics.ResourceMetrics().AppendEmpty()
		for i := 0; i+1 < len(attributes); i += 2 {
			rm.Resource().Attributes().PutStr(attributes[i], attributes[i+1])
		}
		scope := rm.ScopeMetrics().AppendEmpty()
		scope.Scope().SetName("github.com/otelcol-balena/balenareceiver/receiver")
		return scope
	}
	gauge(resource("balena.receiver.name", "balena", "balena.api.endpoint", "https://api.balena-cloud.com"), "balena.scrape.complete", 1)
	for f := range fleets {
		slug, name := fmt.Sprintf("acme/fleet-%03d", f), fmt.Sprintf("fleet-%03d", f)
		scope := resource("balena.fleet.slug", slug, "balena.fleet.name", name, "balena.fleet.id", fmt.Sprint(f), "balena.organization.handle", "acme")
		size := devices / fleets
		gauge(scope, "balena.devices.online", float64(size*9/10))
		gauge(scope, "balena.fleet.device.registered", float64(size))
		gauge(scope, "balena.fleet.device.status", float64(size*9/10), "balena.device.status", "operational")
		gauge(scope, "balena.fleet.device.status", float64(size/10), "balena.device.status", "disconnected")
		gauge(scope, "balena.fleet.device.rollout.state", float64(size/2), "balena.device.rollout.state", "on_target")
		gauge(scope, "balena.fleet.device.rollout.state", float64(size/2), "balena.device.rollout.state", "behind")
		gauge(scope, "balena.fleet.target_release.info", 1, "balena.release.version", "1.3.0")
		for d := range size {
			n := f*size + d
			scope := resource("balena.device.uuid", fmt.Sprintf("%032x", n), "balena.device.name", fmt.Sprintf("%s-device-%05d", name, d),
				"balena.device.type", "raspberrypi4-64", "balena.fleet.slug", slug, "balena.fleet.name", name)
			online, status := 1., "operational"
			if d%10 == 0 {
				online, status = 0, "disconnected"
			}
			gauge(scope, "balena.device.online", online)
			gauge(scope, "balena.device.status", 1, "balena.device.status", status)
			gauge(scope, "balena.device.last_connectivity_event.timestamp", float64(now.Unix()-int64(n%100_000)))
			gauge(scope, "balena.device.storage.utilization", float64(n%100)/100)
			gauge(scope, "balena.device.info", 1, "balena.release.version", fmt.Sprintf("1.%d.0", n%4), "balena.target_release.version", "1.3.0", "balena.os.version", "balenaOS 6.1.2",
				"balena.os.variant", "prod", "balena.supervisor.version", "17.0.0", "balena.device.pinned", "false")
		}
	}
	return metrics
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func newTestPage(tb testing.TB) *fleetPage {
	tb.Helper()
	page, err := newFleetPage(createDefaultConfig().(*Config), exportertest.NewNopSettings(NewFactory().Type()))
	require.NoError(tb, err)
	return page
}

// memory returns what the metrics of a scrape take, and what the page takes that shows them.
func memory(tb testing.TB, devices, fleets int) (page *fleetPage, scrape, shown uint64) {
	tb.Helper()
	page = newTestPage(tb)
	now := time.Now()
	before := heap()
	metrics := account(devices, fleets, now)
	scrape = heap() - before
	require.NoError(tb, page.consume(tb.Context(), metrics))
	with := heap()
	runtime.KeepAlive(metrics)
	shown = with - before - scrape
	return page, scrape, shown
}

// The page needs at most a third of what the metrics of one scrape take, let alone the receiver's own state.
func TestPage_MemoryIsAThirdOfTheScrape(t *testing.T) {
	page, scrape, shown := memory(t, 20_000, 100)
	t.Logf("20,000 devices: %d kB in metrics, %d kB in the page, %.0f B for each device", scrape>>10, shown>>10, float64(shown)/20_000)
	assert.Less(t, shown, scrape/3)
	runtime.KeepAlive(page)
}

// Scrapes that say the same leave nothing behind.
func TestPage_MemoryDoesNotGrow(t *testing.T) {
	page, _, shown := memory(t, 2000, 100)
	metrics := account(2000, 100, time.Now())
	before := heap()
	for range 50 {
		require.NoError(t, page.consume(t.Context(), metrics))
	}
	grown := int64(heap()) - int64(before)
	runtime.KeepAlive(page)
	runtime.KeepAlive(metrics)
	assert.Less(t, grown, int64(shown)/4)
}

// BenchmarkPage_Views serves each view of 100,000 devices in 500 fleets, while scrapes are consumed without a pause.
func BenchmarkPage_Views(b *testing.B) {
	const devices, fleets = 100_000, 500
	page, scrape, shown := memory(b, devices, fleets)
	metrics := account(devices, fleets, time.Now())
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = page.consume(b.Context(), metrics)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for _, view := range []struct{ name, target string }{
		{"now", "/"},
		{"fleets", "/fleets"},
		{"fleets found", "/fleets?q=fleet-4+acme"},
		{"fleet", "/fleet?slug=" + url.QueryEscape("acme/fleet-007")},
		{"device", "/device?uuid=" + fmt.Sprintf("%032x", 77_777)},
	} {
		b.Run(view.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				w := httptest.NewRecorder()
				start := time.Now()
				page.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, view.target, nil))
				took = append(took, time.Since(start))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
				_, _ = io.Copy(io.Discard, w.Body)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "ms-max")
			b.ReportMetric(float64(shown>>20), "MB-page")
			b.ReportMetric(float64(scrape>>20), "MB-scrape")
		})
	}
}

// BenchmarkPage_Consume consumes a scrape of 100,000 devices.
func BenchmarkPage_Consume(b *testing.B) {
	page := newTestPage(b)
	metrics := account(100_000, 500, time.Now())
	for b.Loop() {
		_ = page.consume(b.Context(), metrics)
	}
}

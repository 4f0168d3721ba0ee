package receiver

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// replayed responds to a request that was made before as it did then, so that a benchmark measures the receiver and not the simulator.
type replayed struct {
	http.Handler
	mu        sync.Mutex
	responses map[string]*httptest.ResponseRecorder
}

func (h *replayed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	response, known := h.responses[r.RequestURI]
	h.mu.Unlock()
	if !known {
		response = httptest.NewRecorder()
		h.Handler.ServeHTTP(response, r)
		h.mu.Lock()
		h.responses[r.RequestURI] = response
		h.mu.Unlock()
	}
	maps.Copy(w.Header(), response.Header())
	w.WriteHeader(response.Code)
	_, _ = bytes.NewReader(response.Body.Bytes()).WriteTo(w)
}

func benchmarkAccount(b *testing.B, fleets, devices int) http.Handler {
	b.Helper()
	sim := balenasim.New(balenasim.WithToken(testToken), balenasim.WithSeed(1))
	scenario, err := balenasim.ReadScenario(strings.NewReader(fmt.Sprintf("fleets: %d\ndevices: %d\n", fleets, devices)))
	require.NoError(b, err)
	require.NoError(b, sim.Play(scenario))
	return &replayed{Handler: sim, responses: map[string]*httptest.ResponseRecorder{}}
}

// BenchmarkBalenaScraper_Scrape measures steady scrapes, with the default metrics, of an account that does not change.
func BenchmarkBalenaScraper_Scrape(b *testing.B) {
	for _, size := range []struct{ fleets, devices int }{{5, 1_000}, {50, 10_000}} {
		b.Run(fmt.Sprintf("%d devices", size.devices), func(b *testing.B) {
			cfg := testConfig(serve(b, benchmarkAccount(b, size.fleets, size.devices)))
			scraper := startScraper(b, cfg)
			_, err := scraper.scrape(b.Context())
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				metrics, err := scraper.scrape(b.Context())
				require.NoError(b, err)
				require.Greater(b, metrics.DataPointCount(), size.devices)
			}
		})
	}
}

// BenchmarkRecorder_Record measures the way from a snapshot to pdata.
func BenchmarkRecorder_Record(b *testing.B) {
	const fleets, devices = 50, 10_000
	cfg := testConfig(serve(b, benchmarkAccount(b, fleets, devices)))
	scraper := startScraper(b, cfg)
	r := scraper.fetcher.fetch(b.Context())
	require.True(b, r.complete())
	s := newSnapshot(datasetTime, r)
	s.receiver = scraper.receiverEntity(datasetTime, r)
	b.ReportAllocs()
	for b.Loop() {
		metrics, _ := scraper.recorder.record(s, r.gone)
		require.Greater(b, metrics.DataPointCount(), devices)
	}
}

// BenchmarkRecorder_Floor copies the metrics that BenchmarkRecorder_Record makes: what pdata takes to hold them, whoever records them.
func BenchmarkRecorder_Floor(b *testing.B) {
	const fleets, devices = 50, 10_000
	cfg := testConfig(serve(b, benchmarkAccount(b, fleets, devices)))
	recorded, err := startScraper(b, cfg).scrape(b.Context())
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		metrics := pmetric.NewMetrics()
		recorded.CopyTo(metrics)
	}
}

package receiver

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

func TestPoller_ScrapesOnceForAllPipelines(t *testing.T) {
	t.Parallel()
	alone, together := requestsOfOneScrape(t, false), requestsOfOneScrape(t, true)
	assert.Positive(t, alone)
	assert.Equal(t, alone+1, together, "one request more, for the recent releases")
}

// requestsOfOneScrape counts the requests of a receiver in a metrics pipeline and, if it is so, in a logs pipeline too.
func requestsOfOneScrape(t *testing.T, withLogs bool) int64 {
	t.Helper()
	var requests atomic.Int64
	sim := realAccount(t)
	cfg := testConfig(serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		sim.ServeHTTP(w, r)
	})))
	cfg.InitialDelay, cfg.CollectionInterval = 0, time.Hour
	sink := new(consumertest.MetricsSink)
	factory, settings := NewFactory(), receivertest.NewNopSettings(metadata.Type)

	metrics, err := factory.CreateMetrics(t.Context(), settings, cfg, sink)
	require.NoError(t, err)
	receivers := []component.Component{metrics}
	if withLogs {
		logs, err := factory.CreateLogs(t.Context(), settings, cfg, consumertest.NewNop())
		require.NoError(t, err)
		receivers = append(receivers, logs)
	}
	for _, r := range receivers {
		assert.Zero(t, requests.Load(), "a pipeline has not started yet")
		require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	}
	require.Eventually(t, func() bool { return len(sink.AllMetrics()) > 0 }, 30*time.Second, time.Millisecond)
	for _, r := range receivers {
		require.NoError(t, r.Shutdown(t.Context()))
	}
	return requests.Load()
}

func TestFactory_Join(t *testing.T) {
	t.Parallel()
	nop, settings := consumertest.NewNop(), receivertest.NewNopSettings(metadata.Type)
	f := &factory{pollers: map[*Config]*poller{}}
	cfg := testConfig("http://127.0.0.1:1")
	metrics := f.join(cfg, settings, pipelines{metrics: nop})

	assert.Same(t, metrics.poller, f.join(cfg, settings, pipelines{logs: nop}).poller, "the other pipeline of a configuration")
	assert.NotSame(t, metrics.poller, f.join(cfg, settings, pipelines{logs: nop}).poller, "the same pipeline again")
	assert.NotSame(t, metrics.poller, f.join(testConfig("http://127.0.0.1:1"), settings, pipelines{logs: nop}).poller, "another receiver")
	last := f.join(cfg, settings, pipelines{metrics: nop})
	require.NoError(t, last.Shutdown(t.Context()))
	assert.NotSame(t, last.poller, f.join(cfg, settings, pipelines{logs: nop}).poller, "after a shutdown")
}

func TestHosts_Report(t *testing.T) {
	t.Parallel()
	a, b := &reportedHost{}, &reportedHost{}
	componentstatus.ReportStatus(hosts{a, b}, componentstatus.NewEvent(componentstatus.StatusOK))
	assert.Equal(t, []int{1, 1}, []int{a.events, b.events})
}

type reportedHost struct{ events int }

func (*reportedHost) GetExtensions() map[component.ID]component.Component { return nil }
func (h *reportedHost) Report(*componentstatus.Event)                     { h.events++ }

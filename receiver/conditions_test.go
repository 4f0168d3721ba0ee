package receiver

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

func TestBalenaScraper_Scrape_TimestampsAreTheServers(t *testing.T) {
	t.Parallel()
	cfg := testConfig(serve(t, realAccount(t)))
	enableAll(cfg)
	scrape := func(clock time.Time) pmetric.Metrics {
		scraper := startScraper(t, cfg)
		scraper.now = func() time.Time { return clock }
		metrics, err := scraper.scrape(t.Context())
		require.NoError(t, err)
		return metrics
	}
	right, slow := scrape(datasetTime), scrape(datasetTime.Add(-24*time.Hour))
	for _, name := range []string{
		"balena.device.last_connectivity_event.timestamp", "balena.device.last_vpn_event.timestamp", "balena.device.last_heartbeat_change.timestamp",
		"balena.device.service.installed.timestamp", "balena.release.created.timestamp", "balena.fleet.last_build.timestamp",
		"balena.fleet.target_release.timestamp",
	} {
		require.NotEmpty(t, values(right, name), name)
		assert.Equal(t, values(right, name), values(slow, name), "%s depends on our clock", name)
	}
}

func TestFactory_PipelineThatRefusesData(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := 0
		next, err := consumer.NewMetrics(func(context.Context, pmetric.Metrics) error {
			refused++
			return errors.New("queue is full")
		})
		require.NoError(t, err)
		cfg := testConfig("http://127.0.0.1:1") // a scrape that fails is sent too, with what the receiver says about it
		r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, next)
		require.NoError(t, err)
		require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))

		time.Sleep(10*time.Minute + 10*time.Second)
		require.NoError(t, r.Shutdown(t.Context()))

		assert.Equal(t, 11, refused, "one scrape after the initial delay and one each minute")
	})
}

func TestPoller_Shutdown_WhileThePipelineBlocks(t *testing.T) {
	t.Parallel()
	cfg := testConfig(serve(t, realAccount(t)))
	cfg.InitialDelay = 0
	blocked := make(chan struct{})
	next, err := consumer.NewMetrics(func(ctx context.Context, _ pmetric.Metrics) error {
		close(blocked)
		<-ctx.Done()
		return ctx.Err()
	})
	require.NoError(t, err)
	r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	<-blocked

	require.NoError(t, r.Shutdown(t.Context())) // or the test would time out
}

func TestFactory_CreatesReceiversAgain(t *testing.T) {
	t.Parallel()
	// On SIGHUP the Collector shuts components down, in the middle of whatever they do, and makes new ones.
	sim := realAccount(t)
	cfg := testConfig(serve(t, sim))
	cfg.InitialDelay = 0
	for range 5 {
		sink := new(consumertest.MetricsSink)
		r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, sink)
		require.NoError(t, err)
		require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, r.Shutdown(t.Context()))
	}
	sink := new(consumertest.MetricsSink)
	r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return len(sink.AllMetrics()) > 0 }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Len(t, values(sink.AllMetrics()[0], "balena.device.online"), 42)
}

func TestBalenaScraper_Warn(t *testing.T) {
	t.Parallel()
	fleets := &snapshot{fleets: []*fleetEntity{{}}}
	listed := func(unmatched ...string) *responses { return &responses{listed: true, unmatched: unmatched} }
	type scrape struct {
		snapshot  *snapshot
		responses *responses
		elapsed   time.Duration
	}
	quick := time.Second
	for name, test := range map[string]struct {
		scrapes []scrape
		want    []string
	}{
		"a slow scrape, until it is quick again": {
			[]scrape{{fleets, listed(), quick}, {fleets, listed(), 50 * time.Second}, {fleets, listed(), 51 * time.Second}, {fleets, listed(), quick}, {fleets, listed(), 50 * time.Second}},
			[]string{`Scrape takes almost as long as "timeout" allows`, `Scrape takes almost as long as "timeout" allows`},
		},
		"patterns that match no fleet, once": {
			[]scrape{{fleets, listed("acme/kisok"), quick}, {fleets, listed("acme/kisok"), quick}},
			[]string{`Patterns in "fleets" match no fleet`},
		},
		"fleets that are all gone": {
			[]scrape{{fleets, listed(), quick}, {&snapshot{}, listed(), quick}, {&snapshot{}, listed(), quick}, {fleets, listed(), quick}},
			[]string{"No fleet to report"},
		},
		"an account without fleets": {
			[]scrape{{&snapshot{}, listed(), quick}, {&snapshot{}, listed(), quick}},
			[]string{"No fleet to report"},
		},
		"nothing about fleets while they cannot be listed": {
			[]scrape{{fleets, listed(), quick}, {&snapshot{}, &responses{}, quick}},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scraper := startScraper(t, testConfig("http://127.0.0.1:1"))
			core, logs := observer.New(zap.WarnLevel)
			scraper.logger = zap.New(core)
			for _, s := range test.scrapes {
				scraper.warn(s.snapshot, s.responses, s.elapsed)
			}
			require.Equal(t, len(test.want), logs.Len())
			for i, want := range test.want {
				assert.Contains(t, logs.All()[i].Message, want)
			}
		})
	}
}

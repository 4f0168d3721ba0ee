package receiver

import (
	"context"
	"errors"
	"testing"
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

func TestClockThatLagsMakesNoNegativeTimes(t *testing.T) {
	t.Parallel()
	cfg := testConfig(serve(t, realAccount(t)))
	enableAll(cfg)
	scraper := startScraper(t, cfg)
	scraper.now = func() time.Time { return datasetTime.Add(-24 * time.Hour) }

	metrics, err := scraper.scrape(t.Context())

	require.NoError(t, err)
	for _, name := range []string{
		"balena.device.connectivity.duration", "balena.device.vpn.duration", "balena.device.heartbeat.duration",
		"balena.device.service.install.age", "balena.release.age", "balena.fleet.build.age", "balena.fleet.rollout.behind.age",
	} {
		require.NotEmpty(t, values(metrics, name), name)
		for identity, value := range values(metrics, name) {
			assert.GreaterOrEqual(t, value, 0.0, "%s of %s", name, identity)
		}
	}
}

func TestPipelineThatRefusesDataDoesNotStopScrapes(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	cfg := testConfig(serve(t, sim))
	cfg.InitialDelay, cfg.CollectionInterval, cfg.Timeout = 0, time.Second, time.Second
	r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewErr(errors.New("queue is full")))
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))

	perScrape := int64(5)
	assert.Eventually(t, func() bool { return sim.Counters().Requests >= 2*perScrape }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
}

func TestPipelineThatBlocksDoesNotHoldUpAShutdown(t *testing.T) {
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

func TestReceiverThatIsMadeAnewGoesOn(t *testing.T) {
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

func TestSlowScrapeIsSaidOnce(t *testing.T) {
	t.Parallel()
	scraper := startScraper(t, testConfig(serve(t, realAccount(t))))
	core, logs := observer.New(zap.WarnLevel)
	scraper.logger = zap.New(core)

	for _, elapsed := range []time.Duration{time.Second, 2 * time.Minute, 3 * time.Minute, time.Second, 2 * time.Minute} {
		scraper.warnIfLate(elapsed)
	}

	assert.Equal(t, 2, logs.Len(), "when it begins, and when it begins again")
}

package receiver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBudget_FleetsAreCountedWhenItRunsShort(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	cfg := testConfig(serve(t, sim))
	cfg.PageSize = 5
	cfg.RequestBudget = 8 // a scrape would make some 14
	scraper := startScraper(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()

	metrics, err := scraper.scrape(ctx)

	require.ErrorContains(t, err, `"request_budget" is exhausted: 8 requests a minute`)
	assert.LessOrEqual(t, len(sim.Requests()), 8)
	assert.Len(t, values(metrics, "balena.devices.online"), 5)

	sim.ResetRequests()
	metrics, err = scraper.scrape(ctx)
	require.Error(t, err)
	assert.Len(t, values(metrics, "balena.devices.online"), 5, "the reserve is for the next scrape's fleets")
	assert.Len(t, values(metrics, "balena.fleet.device.registered"), 5)
}

func TestBudget_Admit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(60)
		start := time.Now()
		for range 60 - budgetReserve {
			require.NoError(t, b.admit(t.Context()))
		}
		assert.Zero(t, time.Since(start), "the budget may be spent at once")
		require.NoError(t, b.admit(t.Context()))
		assert.GreaterOrEqual(t, time.Since(start), 900*time.Millisecond, "but not its reserve")

		for range budgetReserve {
			before := time.Now()
			require.NoError(t, b.admit(whileCounting(t.Context())))
			assert.Zero(t, time.Since(before), "the reserve is for counting")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		before := time.Now()
		require.ErrorContains(t, b.admit(ctx), "exhausted")
		assert.Zero(t, time.Since(before), "waiting for what cannot come in time would be in vain")
	})
}

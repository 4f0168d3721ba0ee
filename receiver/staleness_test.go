package receiver

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// The tests in this file change the account while a request fails, and check that nothing false is served.

// scrapeInto scrapes and shows the backend what came of it.
func scrapeInto(t *testing.T, shown backend, scraper *balenaScraper) pmetric.Metrics {
	t.Helper()
	metrics, _ := scraper.scrape(t.Context())
	shown.consume(metrics)
	return metrics
}

// spoil rewrites the responses for a path from the moment that the switch is set.
func spoil(sim http.Handler, path string, on *atomic.Bool, old, replacement string) http.Handler {
	spoiled := rewriteBody(sim, old, replacement)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if on.Load() && r.URL.Path == path {
			spoiled.ServeHTTP(w, r)
		} else {
			sim.ServeHTTP(w, r)
		}
	})
}

func TestSeriesTracker_MarkStale_NotForTagsInAnotherOrder(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	first, err := sim.Insert("device_tag", map[string]any{"device": int64(37), "tag_key": "shelf", "value": "7"})
	require.NoError(t, err)
	_, err = sim.Insert("device_tag", map[string]any{"device": int64(37), "tag_key": "aisle", "value": "B"})
	require.NoError(t, err)
	cfg := testConfig(serve(t, sim))
	cfg.Tags.Devices = map[string]string{"aisle": "", "shelf": ""}
	scraper := startScraper(t, cfg)
	shown := backend{}
	scrapeInto(t, shown, scraper)
	before := shown.series("balena.device.online", "solar-sensors-00")
	require.Len(t, before, 1)

	require.NoError(t, sim.Delete("device_tag", first))
	_, err = sim.Insert("device_tag", map[string]any{"device": int64(37), "tag_key": "shelf", "value": "7"})
	require.NoError(t, err)
	metrics := scrapeInto(t, shown, scraper)

	assert.Empty(t, vanished(metrics))
	assert.Equal(t, before, shown.series("balena.device.online", "solar-sensors-00"))
}

func TestFetchRun_RememberFleetTags_WhileAFleetIsSkipped(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	var on atomic.Bool
	api := &faulty{Handler: spoil(sim, "/v7/application", &on, `"slug":"globex/solar-sensors"`, `"slug":{}`)}
	cfg := testConfig(serve(t, api))
	cfg.Tags.Fleets = map[string]string{"tier": ""}
	scraper := startScraper(t, cfg)
	shown := backend{}
	complete := scrapeInto(t, shown, scraper)

	on.Store(true)
	scrapeInto(t, shown, scraper)
	on.Store(false)
	api.fault = failWith(http.StatusInternalServerError, "/v7/application_tag?")
	metrics := scrapeInto(t, shown, scraper)

	assert.Empty(t, vanished(metrics))
	assert.Equal(t, values(complete, "balena.devices.online"), values(metrics, "balena.devices.online"))
}

// expiredFrom is a fault by which the token expires with the first request whose target contains a string.
func expiredFrom(sim *balenasim.Simulator, substring string) func(string) http.HandlerFunc {
	var expired atomic.Bool
	return func(target string) http.HandlerFunc {
		if strings.Contains(target, substring) {
			expired.Store(true)
		}
		if !expired.Load() {
			return nil
		}
		return func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer expired")
			sim.ServeHTTP(w, r)
		}
	}
}

// A fleet without a usable ID may be any fleet, so nothing is known to be gone. The devices of the others have their tags all the same.
func TestFetchRun_RememberDeviceTags_OfAListThatIsIncomplete(t *testing.T) {
	t.Parallel()
	var on atomic.Bool
	on.Store(true)
	cfg := testConfig(serve(t, spoil(realAccount(t), "/v7/application", &on, `"id":4,`, `"id":"four",`)))
	cfg.Tags.Devices = map[string]string{"site": ""}

	metrics, err := startScraper(t, cfg).scrape(t.Context())

	require.ErrorContains(t, err, "fleets: ")
	assert.NotEmpty(t, values(metrics, "balena.device.online"))
}

// The only device that runs an old release was moved to another fleet, and is then missing from the responses.
func TestResponses_Gone_NotForAReleaseThatAMissingDeviceMayRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ path, old, replacement string }{
		"because its row cannot be decoded":     {"/v7/device", `"device_name":"solar-sensors-00"`, `"device_name":{}`},
		"because its fleet's cannot be decoded": {"/v7/application", `"slug":"globex/solar-sensors"`, `"slug":{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := realAccount(t)
			old, err := sim.Insert("release", map[string]any{
				"belongs_to__application": int64(1), "commit": strings.Repeat("0", 32), "status": "success", "is_final": true,
				"raw_version": "0.0.1", "created_at": "2020-01-01T00:00:00.000Z",
			})
			require.NoError(t, err)
			updateDevices(t, sim, map[string]any{"is_running__release": old}, 37)
			var on atomic.Bool
			scraper := startScraper(t, testConfig(serve(t, spoil(sim, test.path, &on, test.old, test.replacement))))
			shown := backend{}
			scrapeInto(t, shown, scraper)
			require.Len(t, shown.series("balena.release.info", "0.0.1"), 1)

			on.Store(true)
			scrapeInto(t, shown, scraper)

			assert.Len(t, shown.series("balena.release.info", "0.0.1"), 1)
		})
	}
}

// Whatever its containers are, a device that is not connected is known to report no services.
func TestSnapshot_ServicesOfADisconnectedDevice_WhileContainersCannotBeFetched(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	api := &faulty{Handler: sim}
	cfg := testConfig(serve(t, api))
	enableAll(cfg)
	scraper := startScraper(t, cfg)
	shown := backend{}
	scrapeInto(t, shown, scraper)
	require.NotEmpty(t, shown.series("balena.device.service.status", "solar-sensors-00"))

	updateDevices(t, sim, map[string]any{"is_online": false, "is_connected_to_vpn": false, "api_heartbeat_state": "offline"}, 37)
	api.fault = failWith(http.StatusInternalServerError, "/v7/image_install?")
	scrapeInto(t, shown, scraper)

	assert.Empty(t, shown.series("balena.device.service.status", "solar-sensors-00"))
	assert.NotEmpty(t, shown.series("balena.device.service.status", "solar-sensors-01"), "not known to be gone")
}

// To an expired token the API shows nothing that is private, without an error for most resources.
func TestFetchRun_CheckCredentials_WhenTheTokenExpiresDuringAScrape(t *testing.T) {
	t.Parallel()
	for _, target := range []string{deviceCountTarget, newestReleaseTarget, deviceTypeTarget, "/v7/image?", releaseTarget} {
		t.Run(fmt.Sprintf("with the request for %s", target), func(t *testing.T) {
			t.Parallel()
			sim := realAccount(t)
			require.NoError(t, sim.Update("application", 4, map[string]any{"is_public": true}))
			api := &faulty{Handler: sim}
			cfg := testConfig(serve(t, api))
			cfg.Concurrency = 1
			enableAll(cfg)
			want, err := startScraper(t, cfg).scrape(t.Context())
			require.NoError(t, err)
			scraper := startScraper(t, cfg)

			api.fault = expiredFrom(sim, target)
			metrics, err := scraper.scrape(t.Context())
			require.ErrorContains(t, err, "credentials")
			assert.Zero(t, accountPoints(metrics), "what is hidden cannot be told from what does not exist")

			api.fault = nil
			metrics, err = scraper.scrape(t.Context())
			require.NoError(t, err)
			assert.Equal(t, accountPoints(want), accountPoints(metrics), "nothing is remembered of what the API hid")
			assert.Equal(t, values(want, "balena.device.service.status"), values(metrics, "balena.device.service.status"))
		})
	}
}

// Of two fleets with one name, the younger must not take over the label of the older while that one cannot be decoded.
func TestLabels_WhileAFleetIsSkipped(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	insertFleet(t, sim, "globex", "warehouse-gateways", nil)
	var on atomic.Bool
	cfg := testConfig(serve(t, spoil(sim, "/v7/application", &on, `"slug":"acme/warehouse-gateways"`, `"slug":{}`)))
	cfg.MetricsBuilderConfig.ResourceAttributes.FleetName.Enabled = true
	scraper := startScraper(t, cfg)
	shown := backend{}
	scrapeInto(t, shown, scraper)
	before := shown.series("balena.devices.online", "")

	on.Store(true)
	for range 2 {
		assert.Empty(t, vanished(scrapeInto(t, shown, scraper)))
		assert.Equal(t, before, shown.series("balena.devices.online", ""))
	}
}

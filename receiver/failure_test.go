package receiver

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

func TestFetcher_Fetch_KindsFailIndependently(t *testing.T) {
	t.Parallel()
	fleets := []string{"balena.devices.online"}
	deviceCounts := []string{"balena.fleet.device.registered"}
	devices := []string{
		"balena.device.last_connectivity_event.timestamp", "balena.device.info", "balena.device.online", "balena.device.status",
		"balena.device.storage.utilization", "balena.fleet.device.heartbeat.state", "balena.fleet.device.status",
	}
	releases := []string{
		"balena.release.device.pinned", "balena.release.device.running", "balena.release.device.targeted", "balena.release.info",
	}
	for name, test := range map[string]struct {
		target  string
		message string
		absent  [][]string
	}{
		"fleets, without which nothing else can be requested": {
			fleetTarget, "fleets: GET /v7/application: 500 Internal Server Error", [][]string{fleets, deviceCounts, devices, releases},
		},
		"device counts": {
			deviceCountTarget, "device counts: GET /v7/application: 500 Internal Server Error", [][]string{deviceCounts},
		},
		"devices, and with them the counts made from them": {
			deviceTarget, "devices: GET /v7/device: 500 Internal Server Error", [][]string{devices, releases[:3]},
		},
		"newest releases, which may be in use all the same": {
			newestReleaseTarget, "newest releases: GET /v7/application: 500 Internal Server Error", nil,
		},
		"releases, and with them the devices' versions": {
			releaseTarget, "releases: GET /v7/release: 500 Internal Server Error", [][]string{releases, {"balena.device.info"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &faulty{Handler: realAccount(t)}
			scraper := startScraper(t, testConfig(serve(t, api)))
			complete, err := scraper.scrape(t.Context())
			require.NoError(t, err)
			api.fault = failWith(http.StatusInternalServerError, test.target)
			metrics, err := scraper.scrape(t.Context())

			require.ErrorContains(t, err, test.message)
			for _, absent := range test.absent {
				for _, metric := range absent {
					assert.NotContains(t, names(metrics), metric, "not known, so not reported")
				}
			}
			if test.absent != nil {
				assert.Equal(t, accountPoints(complete)-accountPoints(metrics), failedPoints(t, err))
			} else {
				assert.Positive(t, failedPoints(t, err))
			}
			assert.Empty(t, vanished(metrics), "what could not be asked for has not vanished")

			api.fault = nil
			metrics, err = scraper.scrape(t.Context())
			require.NoError(t, err)
			assert.Equal(t, accountPoints(complete), accountPoints(metrics))
			assert.Empty(t, vanished(metrics))
		})
	}
}

func TestFetchRun_DevicesJob_ReportsPagesThatSucceeded(t *testing.T) {
	t.Parallel()
	api := &faulty{Handler: realAccount(t)}
	cfg := testConfig(serve(t, api))
	cfg.PageSize, cfg.Concurrency = 10, 1
	scraper := startScraper(t, cfg)

	var pages atomic.Int32
	api.fault = func(target string) http.HandlerFunc {
		if strings.Contains(target, deviceTarget) && pages.Add(1) == 3 {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
		}
		return nil
	}
	metrics, err := scraper.scrape(t.Context())

	require.ErrorContains(t, err, "devices: page 3: GET /v7/device: 500")
	assert.Len(t, values(metrics, "balena.device.online"), 20)
	assert.Len(t, values(metrics, "balena.devices.online"), 5, "the server's own counts are complete")
	assert.NotContains(t, names(metrics), "balena.fleet.device.status", "a count of some devices would be wrong")
	assert.NotContains(t, names(metrics), "balena.release.device.running")
}

func TestFetcher_Fetch_MalformedResponses(t *testing.T) {
	t.Parallel()
	respond := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	for name, test := range map[string]struct {
		respond http.HandlerFunc
		message string
		is      error
	}{
		"a body that is not JSON":          {respond("It works!"), "not JSON", balenaclient.ErrMalformed},
		"a page of HTML":                   {respond("<html><body>Sign in</body></html>"), "not JSON", balenaclient.ErrMalformed},
		"a body of another shape":          {respond(`{"error":"none"}`), `does not start with {"d":[`, balenaclient.ErrMalformed},
		"a body that is cut in half":       {respond(`{"d":[{"id":1,"uuid":"82705`), "truncated response", nil},
		"a redirect to another host":       {http.RedirectHandler("http://example.com/", http.StatusFound).ServeHTTP, `set "api::endpoint" to the API itself`, balenaclient.ErrRedirected},
		"a rate limit beyond all patience": {rateLimit("86400"), "the server asks to wait 24h0m0s", balenaclient.ErrRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &faulty{Handler: realAccount(t)}
			scraper := startScraper(t, testConfig(serve(t, api)))
			api.fault = func(target string) http.HandlerFunc {
				if strings.Contains(target, deviceTarget) {
					return test.respond
				}
				return nil
			}

			metrics, err := scraper.scrape(t.Context())

			require.ErrorContains(t, err, test.message)
			require.ErrorContains(t, err, "devices: GET /v7/device")
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), testToken)
			assert.Len(t, values(metrics, "balena.devices.online"), 5)
			assert.Positive(t, failedPoints(t, err))
		})
	}
}

func TestRowReader_SkipsRowsThatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	url := serve(t, rewriteBody(realAccount(t), `"storage_usage":2543,`, `"storage_usage":"much",`))

	metrics, err := startScraper(t, testConfig(url)).scrape(t.Context())

	require.ErrorContains(t, err, "devices: skipped 1 row(s): device with id 1: ")
	require.ErrorContains(t, err, "storage_usage")
	assert.Equal(t, 5, failedPoints(t, err), "the points that a device has")
	online := values(metrics, "balena.device.online")
	assert.Len(t, online, 41)
	assert.NotContains(t, online, "warehouse-gateways-00")
}

func TestRowReader_NullIsNotZero(t *testing.T) {
	t.Parallel()
	api := &faulty{Handler: realAccount(t)}
	cfg := testConfig(serve(t, api))
	enableAll(cfg)
	scraper := startScraper(t, cfg)
	api.fault = func(target string) http.HandlerFunc {
		if !strings.Contains(target, deviceTarget) {
			return nil
		}
		return func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"d":[{"id":1,"uuid":null,"device_name":null,"is_online":null,"overall_status":null,"belongs_to__application":null}]}`))
		}
	}

	metrics, err := scraper.scrape(t.Context())

	require.ErrorContains(t, err, "devices: skipped 1 row(s): device with id 1: column is_online is null")
	assert.Empty(t, values(metrics, "balena.device.online"))
	assert.Positive(t, failedPoints(t, err))
}

func rateLimit(retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

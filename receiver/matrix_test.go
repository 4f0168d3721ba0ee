package receiver

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// outcome is the effect that a fault must have.
type outcome int

const (
	retried  outcome = iota // a retry succeeds: the scrape is complete
	lost                    // what the requests return is missing, and counted
	rowsLost                // rows are missing, and counted; everything else is there
)

// persistentFaults are faults that hit every request, and their effects.
var persistentFaults = []struct {
	fault   balenasim.Fault
	outcome outcome
	message string // in the error
}{
	{balenasim.Fault{Kind: balenasim.Unauthorized}, lost, "401"},
	{balenasim.Fault{Kind: balenasim.RateLimit, Delay: seconds(3600)}, lost, "429 Too Many Requests: Too Many Requests (the server asks to wait 1h0m0s)"},
	{balenasim.Fault{Kind: balenasim.RateLimit, Delay: seconds(3600), RetryAfter: "date"}, lost, "429 Too Many Requests"},
	{balenasim.Fault{Kind: balenasim.RateLimit, RetryAfter: "absent"}, lost, "429 Too Many Requests"},
	{balenasim.Fault{Kind: balenasim.ServerError}, lost, "500 Internal Server Error"},
	{balenasim.Fault{Kind: balenasim.BadGateway}, lost, "502 Bad Gateway"},
	{balenasim.Fault{Kind: balenasim.Unavailable}, lost, "503 Service Unavailable"},
	{balenasim.Fault{Kind: balenasim.SlowHeaders, Delay: seconds(60)}, lost, "no complete response within"},
	{balenasim.Fault{Kind: balenasim.SlowBody, Delay: seconds(60)}, lost, "no complete response within"},
	{balenasim.Fault{Kind: balenasim.CutBody}, lost, "EOF"},
	{balenasim.Fault{Kind: balenasim.ResetConnection}, lost, ""},
	{balenasim.Fault{Kind: balenasim.EndlessBody}, lost, "malformed response"},
	{balenasim.Fault{Kind: balenasim.GzipBomb}, lost, "response too large"},
	{balenasim.Fault{Kind: balenasim.WrongTypes}, rowsLost, ""},
	{balenasim.Fault{Kind: balenasim.Nulls}, rowsLost, ""},
	{balenasim.Fault{Kind: balenasim.Redirect, Location: "http://elsewhere.invalid"}, lost, "redirected to another host"},
}

// transientFaults are faults that hit one request.
var transientFaults = []balenasim.Fault{
	{Kind: balenasim.RateLimit, Delay: seconds(1)},
	{Kind: balenasim.RateLimit, RetryAfter: "absent"},
	{Kind: balenasim.BadGateway},
	{Kind: balenasim.Unavailable},
	{Kind: balenasim.CutBody},
	{Kind: balenasim.ResetConnection},
	{Kind: balenasim.SlowHeaders, Delay: seconds(60)},
	{Kind: balenasim.SlowBody, Delay: seconds(60)},
	{Kind: balenasim.PausedPage},
}

// faultyPaths are the paths that faults are tried on, with metrics that need what they return.
var faultyPaths = map[string][]string{
	"/v7/application":     {"balena.devices.online", "balena.fleet.device.registered", "balena.device.online", "balena.release.info"},
	"/v7/device":          {"balena.device.online", "balena.fleet.device.status", "balena.fleet.device.rollout.state"},
	"/v7/release":         {"balena.release.info", "balena.device.info"},
	"/v7/image_install":   {"balena.fleet.device.service.status"}, // services of some devices may be known
	"/v7/image":           nil,                                    // services of images that were returned before the failure are known
	"/v7/device_type":     {"balena.device.online"},               // devices cannot be identified
	"/v7/device_tag":      {"balena.device.online"},
	"/v7/application_tag": {"balena.devices.online"}, // fleets cannot be identified
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// matrixConfig has every metric.
func matrixConfig(url string) *Config {
	cfg := testConfig(url)
	enableAll(cfg)
	cfg.Tags = TagsConfig{Devices: map[string]string{"site": ""}, Fleets: map[string]string{"team": ""}}
	cfg.Fleets.Include = []string{"globex/solar-sensors", "acme/empty-fleet"}
	cfg.PageSize = 4
	return cfg
}

func TestBalenaScraper_Scrape_FaultMatrix(t *testing.T) {
	t.Parallel()
	complete, err := startScraper(t, matrixConfig(serve(t, realAccount(t)))).scrape(t.Context())
	require.NoError(t, err)

	for path, needing := range faultyPaths {
		for _, test := range persistentFaults {
			t.Run(fmt.Sprintf("%s %s%s on every request of the first scrape", path, test.fault.Kind, test.fault.RetryAfter), func(t *testing.T) {
				t.Parallel()
				sim, scraper := startMatrix(t, test.fault)
				test.fault.Path = path
				inject(t, sim, test.fault)

				metrics, err := scraper.scrape(t.Context())

				switch test.outcome {
				case lost:
					require.ErrorContains(t, err, test.message)
					for _, name := range needing {
						assert.NotContains(t, names(metrics), name, "not known, so not reported")
					}
				case rowsLost:
					require.ErrorContains(t, err, test.message)
				}
				checkError(t, err, path)
				if !strings.HasPrefix(path, "/v7/application") { // or application_tag
					assert.Len(t, values(metrics, "balena.devices.online"), 2, "the fleets are counted whatever else fails")
				}
				checkRecovery(t, sim, scraper, complete)
			})
		}
		for _, fault := range transientFaults {
			t.Run(fmt.Sprintf("%s %s%s once in the first scrape", path, fault.Kind, fault.RetryAfter), func(t *testing.T) {
				t.Parallel()
				sim, scraper := startMatrix(t, fault)
				fault.Path, fault.Times = path, 1
				inject(t, sim, fault)

				metrics, err := scraper.scrape(t.Context())

				require.NoError(t, err, "a retry succeeds")
				assert.Equal(t, accountPoints(complete), accountPoints(metrics))
			})
		}
	}
}

func TestBalenaScraper_Scrape_FaultsBetweenPages(t *testing.T) {
	t.Parallel()
	complete, err := startScraper(t, matrixConfig(serve(t, realAccount(t)))).scrape(t.Context())
	require.NoError(t, err)
	for _, test := range []struct {
		fault   balenasim.Fault
		devices int // that are reported
	}{
		{balenasim.Fault{Kind: balenasim.ServerError, Nth: 2}, 4},
		{balenasim.Fault{Kind: balenasim.Unauthorized, Nth: 2}, 4},
		{balenasim.Fault{Kind: balenasim.EndlessBody, Nth: 2}, 4},
		{balenasim.Fault{Kind: balenasim.GzipBomb, Nth: 2}, 4},
		{balenasim.Fault{Kind: balenasim.CutBody, Nth: 2}, 6},
		{balenasim.Fault{Kind: balenasim.ResetConnection, Nth: 2}, 6},
		{balenasim.Fault{Kind: balenasim.BadGateway, Nth: 2}, 6},
		{balenasim.Fault{Kind: balenasim.RateLimit, Nth: 2, Delay: seconds(1)}, 6},
	} {
		t.Run(fmt.Sprintf("%s on the second page of devices", test.fault.Kind), func(t *testing.T) {
			t.Parallel()
			sim, scraper := startMatrix(t, test.fault)
			test.fault.Path = "/v7/device"
			inject(t, sim, test.fault)

			metrics, err := scraper.scrape(t.Context())

			assert.Len(t, values(metrics, "balena.device.online"), test.devices)
			if test.devices == 6 {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, "devices: page 2: GET /v7/device")
				checkError(t, err, "/v7/device")
				assert.NotContains(t, names(metrics), "balena.fleet.device.status")
			}
			checkRecovery(t, sim, scraper, complete)
		})
	}
}

func TestBalenaScraper_Scrape_AccountThatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T, sim *balenasim.Simulator)
		want   []string // devices that are reported
		gone   []string
	}{
		"a device of a later page is deleted": {
			func(t *testing.T, sim *balenasim.Simulator) { require.NoError(t, sim.Delete("device", 42)) },
			[]string{"solar-sensors-00", "solar-sensors-04"}, []string{"solar-sensors-05"},
		},
		"a device of an earlier page is deleted": {
			func(t *testing.T, sim *balenasim.Simulator) { require.NoError(t, sim.Delete("device", 37)) },
			[]string{"solar-sensors-00", "solar-sensors-04", "solar-sensors-05"}, nil,
		},
		"a device of a later page moves to a fleet that is not reported": {
			func(t *testing.T, sim *balenasim.Simulator) {
				require.NoError(t, sim.Update("device", 42, map[string]any{"belongs_to__application": int64(1)}))
			},
			[]string{"solar-sensors-00", "solar-sensors-04"}, []string{"solar-sensors-05"},
		},
		"all devices are updated": {
			func(t *testing.T, sim *balenasim.Simulator) {
				for id := int64(37); id <= 42; id++ {
					require.NoError(t, sim.Update("device", id, map[string]any{"note": "updated"}))
				}
			},
			[]string{"solar-sensors-00", "solar-sensors-01", "solar-sensors-02", "solar-sensors-03", "solar-sensors-04", "solar-sensors-05"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, scraper := startMatrix(t, balenasim.Fault{})
			inject(t, sim, balenasim.Fault{Kind: balenasim.PausedPage, Path: "/v7/device", Nth: 1, During: func() { test.change(t, sim) }})

			metrics, err := scraper.scrape(t.Context())

			require.NoError(t, err)
			online := values(metrics, "balena.device.online")
			for _, name := range test.want {
				assert.Contains(t, online, name)
			}
			for _, name := range test.gone {
				assert.NotContains(t, online, name)
			}
		})
	}
}

func TestPoller_Shutdown_DuringAFault(t *testing.T) {
	t.Parallel()
	for _, fault := range []balenasim.Fault{
		{Kind: balenasim.SlowHeaders, Delay: seconds(60)},
		{Kind: balenasim.SlowBody, Delay: seconds(60)},
		{Kind: balenasim.RateLimit, Delay: seconds(60)},
		{Kind: balenasim.Unavailable},
	} {
		for _, path := range []string{"/v7/application", "/v7/device", "/v7/release"} {
			t.Run(fmt.Sprintf("%s %s", path, fault.Kind), func(t *testing.T) {
				t.Parallel()
				sim := realAccount(t)
				fault := fault // of this path
				fault.Path = path
				inject(t, sim, fault)
				var asked atomic.Bool
				cfg := matrixConfig(serve(t, &faulty{Handler: sim, fault: func(target string) http.HandlerFunc {
					asked.Store(asked.Load() || strings.HasPrefix(target, path+"?"))
					return nil
				}}))
				cfg.API.Timeout = time.Hour
				cfg.InitialDelay, cfg.CollectionInterval, cfg.Timeout = 0, time.Hour, time.Hour
				core, logs := observer.New(zap.ErrorLevel)
				settings := receivertest.NewNopSettings(metadata.Type)
				settings.Logger = zap.New(core)
				r, err := NewFactory().CreateMetrics(t.Context(), settings, cfg, consumertest.NewNop())
				require.NoError(t, err)
				require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
				require.Eventually(t, asked.Load, 30*time.Second, time.Millisecond)

				start := time.Now()
				require.NoError(t, r.Shutdown(context.WithoutCancel(t.Context())))

				assert.Less(t, time.Since(start), 30*time.Second, "a minute is what the fault would take")
				assert.Zero(t, logs.Len(), "a shutdown is no error: %v", logs.All())
			})
		}
	}
}

// startMatrix starts a scraper that does not wait long: neither for a response, if the fault delays it, nor before it retries a request.
func startMatrix(t *testing.T, fault balenasim.Fault) (*balenasim.Simulator, *balenaScraper) {
	t.Helper()
	sim := realAccount(t)
	cfg := matrixConfig(serve(t, sim))
	if fault.Kind == balenasim.SlowHeaders || fault.Kind == balenasim.SlowBody {
		cfg.API.Timeout = 400 * time.Millisecond
	}
	scraper := startScraper(t, cfg)
	scraper.retry = pine.Retry{Backoff: time.Millisecond, MaxAttempts: 2}
	useNewClient(t, scraper)
	return sim, scraper
}

func useNewClient(t *testing.T, scraper *balenaScraper) {
	t.Helper()
	client, err := scraper.newClient(t.Context(), scraper.host)
	require.NoError(t, err)
	scraper.fetcher.client = client
}

func inject(t *testing.T, sim *balenasim.Simulator, fault balenasim.Fault) {
	t.Helper()
	_, err := sim.Inject(fault)
	require.NoError(t, err)
}

// checkError checks what every error must be: counted, on one line, with the path of the request and without the token.
func checkError(t *testing.T, err error, path string) {
	t.Helper()
	if err == nil {
		return
	}
	assert.Positive(t, failedPoints(t, err))
	assert.NotContains(t, err.Error(), "\n")
	assert.NotContains(t, err.Error(), testToken)
	assert.Less(t, len(err.Error()), 4000)
	if !strings.Contains(err.Error(), "skipped") {
		assert.Contains(t, err.Error(), path)
	}
}

// checkRecovery checks that the first scrape after a fault is complete. It does so with a new client, which does not wait for the hour
// that a rate limit asked for: TestBalenaScraper_Scrape_ObeysRateLimitsAcrossScrapes shows that the old one does.
func checkRecovery(t *testing.T, sim *balenasim.Simulator, scraper *balenaScraper, complete pmetric.Metrics) {
	t.Helper()
	sim.ClearFaults()
	useNewClient(t, scraper)
	metrics, err := scraper.scrape(t.Context())
	require.NoError(t, err)
	assert.Equal(t, accountPoints(complete), accountPoints(metrics)-len(vanished(metrics)))
}

func TestBalenaScraper_Scrape_ObeysRateLimitsAcrossScrapes(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	inject(t, sim, balenasim.Fault{Kind: balenasim.RateLimit, Path: "/v7/device", Times: 1, Delay: seconds(3600)})
	scraper := startScraper(t, testConfig(serve(t, sim)))
	_, err := scraper.scrape(t.Context())
	require.ErrorContains(t, err, "the server asks to wait 1h0m0s")
	sim.ResetRequests()

	metrics, err := scraper.scrape(t.Context())

	require.ErrorContains(t, err, "devices: not requested, because the API had asked to wait for 1h0m0s")
	assert.NotZero(t, accountPoints(metrics), "what the limit is not about")
	for _, request := range sim.Requests() {
		assert.NotContains(t, request.Target, "/v7/device?", "no request before the server's time")
	}
}

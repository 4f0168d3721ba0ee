package receiver

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/scraper/scrapererror"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

var update = flag.Bool("update", false, "write the goldens instead of comparing with them")

func TestBalenaScraper_Scrape(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		golden    string
		configure func(*Config)
	}{
		{"default", func(*Config) {}},
		{"all", func(cfg *Config) {
			enableAll(cfg)
			cfg.MetricsBuilderConfig.ResourceAttributes.FleetName.Enabled = true
		}},
		{"counts", func(cfg *Config) {
			enableOnly(cfg, func(m *metadata.MetricsConfig) []*bool {
				return []*bool{&m.BalenaDevicesOnline.Enabled, &m.BalenaFleetDeviceRegistered.Enabled}
			})
		}},
	} {
		t.Run(test.golden, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(serve(t, realAccount(t)))
			cfg.Fleets.Include = []string{"globex/solar-sensors"}
			test.configure(cfg)

			metrics, err := startScraper(t, cfg).scrape(t.Context())

			require.NoError(t, err)
			compareGolden(t, test.golden, metrics)
		})
	}
}

func compareGolden(t *testing.T, name string, metrics pmetric.Metrics) {
	t.Helper()
	for _, resource := range metrics.ResourceMetrics().All() { // the port of the test's server changes
		if endpoint, ok := resource.Resource().Attributes().Get("balena.api.endpoint"); ok {
			endpoint.SetStr("https://api.example.com")
		}
	}
	path := filepath.Join("testdata", name+".yaml")
	if *update {
		require.NoError(t, golden.WriteMetricsToFile(path, metrics))
		return
	}
	expected, err := golden.ReadMetrics(path)
	require.NoError(t, err)
	require.NoError(t, pmetrictest.CompareMetrics(expected, metrics, pmetrictest.IgnoreStartTimestamp(), pmetrictest.IgnoreTimestamp(),
		pmetrictest.IgnoreResourceMetricsOrder(), pmetrictest.IgnoreMetricsOrder(), pmetrictest.IgnoreMetricDataPointsOrder()),
		"differs from %s; metrics in only one of them: %v. If that is intended, run go test ./receiver -update and read the diff",
		path, symmetricDifference(names(expected), names(metrics)))
}

func symmetricDifference(a, b []string) []string {
	only := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
	}
	return append(only(a, b), only(b, a)...)
}

func TestSelection_Includes(t *testing.T) {
	t.Parallel()
	standard := []string{"acme/edge-cameras", "acme/empty-fleet", "acme/warehouse-gateways", "globex/lab-nucs", "globex/solar-sensors"}
	for name, test := range map[string]struct {
		fleets FleetsConfig
		want   []string
	}{
		"by default all that are accessible, without host apps, blocks and archived ones": {
			FleetsConfig{}, standard,
		},
		"by glob": {
			FleetsConfig{Include: []string{"globex/*"}}, []string{"globex/lab-nucs", "globex/solar-sensors"},
		},
		"by regular expression, less what is excluded": {
			FleetsConfig{Include: []string{"/^acme/.*s$/"}, Exclude: []string{"acme/edge-cameras"}}, []string{"acme/warehouse-gateways"},
		},
		"with host apps": {
			FleetsConfig{HostApps: true}, append([]string{"balena_os/raspberrypi4-64"}, standard...),
		},
		"with blocks": {
			FleetsConfig{Blocks: true}, append([]string{"acme/shared-block"}, standard...),
		},
		"with archived ones": {
			FleetsConfig{Archived: true}, append([]string{"acme/archived"}, standard...),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := realAccount(t)
			insertFleet(t, sim, "acme", "archived", map[string]any{"is_archived": true})
			cfg := testConfig(serve(t, sim))
			cfg.Fleets = test.fleets

			metrics, err := startScraper(t, cfg).scrape(t.Context())

			require.NoError(t, err)
			var got []string
			for slug := range values(metrics, "balena.devices.online") {
				got = append(got, slug)
			}
			assert.ElementsMatch(t, test.want, got)
		})
	}
}

func TestLabels_Unique(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	insertFleet(t, sim, "globex", "warehouse-gateways", nil)
	cfg := testConfig(serve(t, sim))
	cfg.MetricsBuilderConfig.ResourceAttributes.FleetName.Enabled = true

	metrics, err := startScraper(t, cfg).scrape(t.Context())

	require.NoError(t, err)
	labels := map[string]string{}
	for _, resource := range metrics.ResourceMetrics().All() {
		attributes := resource.Resource().Attributes()
		if label := stringOf(attributes, "fleet.name"); label != "" {
			labels[stringOf(attributes, "balena.fleet.slug")] = label
		}
	}
	assert.Equal(t, "warehouse-gateways", labels["acme/warehouse-gateways"])
	assert.Equal(t, "globex/warehouse-gateways", labels["globex/warehouse-gateways"])
}

func TestHardware_Record_NotForDisconnectedDevices(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	const connected, disconnected, never = "warehouse-gateways-00", "warehouse-gateways-04", "warehouse-gateways-08"
	cfg := testConfig(serve(t, sim))
	enableAll(cfg)

	metrics, err := startScraper(t, cfg).scrape(t.Context())

	require.NoError(t, err)
	require.Contains(t, values(metrics, "balena.device.status"), disconnected+" disconnected", "the data set has this device")
	assert.Contains(t, values(metrics, "balena.device.last_connectivity_event.timestamp"), disconnected)
	assert.NotContains(t, values(metrics, "balena.device.last_connectivity_event.timestamp"), never, "it never connected")
	for _, name := range []string{
		"balena.device.cpu.temperature", "balena.device.cpu.utilization", "balena.device.memory.limit", "balena.device.memory.usage",
		"balena.device.storage.limit", "balena.device.storage.usage", "balena.device.storage.utilization", "balena.device.undervoltage",
	} {
		assert.Contains(t, values(metrics, name), connected, name)
		assert.NotContains(t, values(metrics, name), disconnected, name)
		assert.NotContains(t, values(metrics, name), never, name)
	}
}

func TestDeviceEntity_Record_OmitsNullsAndNegativeTemperatures(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	require.NoError(t, sim.Update("device", 1, map[string]any{
		"cpu_usage": nil, "cpu_temp": -1, "memory_usage": nil, "memory_total": nil, "storage_usage": nil, "storage_total": nil,
		"os_version": nil, "os_variant": nil, "supervisor_version": nil, "is_running__release": nil, "last_connectivity_event": nil,
	}))
	cfg := testConfig(serve(t, sim))
	enableAll(cfg)

	metrics, err := startScraper(t, cfg).scrape(t.Context())

	require.NoError(t, err)
	const name = "warehouse-gateways-00"
	for _, metric := range []string{
		"balena.device.cpu.temperature", "balena.device.cpu.utilization", "balena.device.memory.limit", "balena.device.memory.usage",
		"balena.device.storage.limit", "balena.device.storage.usage", "balena.device.storage.utilization", "balena.device.last_connectivity_event.timestamp",
	} {
		assert.NotContains(t, values(metrics, metric), name, metric)
	}
	assert.Contains(t, values(metrics, "balena.device.online"), name)
	assert.Contains(t, values(metrics, "balena.device.info"), name+" false 1.2.0", "attributes that are not known are not set")
}

func TestDeviceEntity_Record_PassesOnUnknownStatus(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	url := serve(t, rewriteBody(sim, `"overall_status":"operational"`, `"overall_status":"levitating"`))

	metrics, err := startScraper(t, testConfig(url)).scrape(t.Context())

	require.NoError(t, err)
	assert.InDelta(t, 1, values(metrics, "balena.device.status")["warehouse-gateways-00 levitating"], 0)
	assert.InDelta(t, 8, values(metrics, "balena.fleet.device.status")["acme/warehouse-gateways levitating"], 0)
	assert.InDelta(t, 0, values(metrics, "balena.fleet.device.status")["acme/warehouse-gateways operational"], 0)
}

func TestDeviceEntity_AddService(t *testing.T) {
	t.Parallel()
	const earlier, later = instant(1), instant(2)
	halfway := newReading(new(int64(50)))
	for name, test := range map[string]struct {
		containers []deviceService
		want       deviceService
	}{
		"the only container": {
			[]deviceService{{status: "exited", installedAt: earlier}}, deviceService{status: "exited", installedAt: earlier},
		},
		"the one that runs while the next is downloaded, with the progress of that": {
			[]deviceService{{status: "Running", installedAt: earlier}, {status: "Downloading", installedAt: later, downloadProgress: halfway}},
			deviceService{status: "Running", installedAt: earlier, downloadProgress: halfway},
		},
		"the newer one if both run": {
			[]deviceService{{status: "Running", installedAt: later}, {status: "Running", installedAt: earlier}},
			deviceService{status: "Running", installedAt: later},
		},
		"the newer one if none runs": {
			[]deviceService{{status: "exited", installedAt: earlier}, {status: "Downloaded", installedAt: later}},
			deviceService{status: "Downloaded", installedAt: later},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // in either order
				var d deviceEntity
				for _, container := range test.containers {
					container.name = "main"
					d.addService(container)
				}
				test.want.name = "main"
				assert.Equal(t, []deviceService{test.want}, d.services)
				slices.Reverse(test.containers)
			}
		})
	}
}

func TestSeriesTracker_MarkStale(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change map[string]any // of device 42, solar-sensors-05; nil deletes it
		want   []string
	}{
		"nothing when nothing changes": {
			change: map[string]any{"note": "a change that no metric shows"},
		},
		"a deleted device": {
			want: []string{
				"balena.device.info{solar-sensors-05 false balenaOS 2.108.1 prod 14.4.4 1.2.0 1.2.0}",
				"balena.device.last_connectivity_event.timestamp{solar-sensors-05}",
				"balena.device.online{solar-sensors-05}",
				"balena.device.status{solar-sensors-05 operational}",
				"balena.device.storage.utilization{solar-sensors-05}",
			},
		},
		"a renamed device under its old name": {
			change: map[string]any{"device_name": "renamed"},
			want: []string{
				"balena.device.info{solar-sensors-05 false balenaOS 2.108.1 prod 14.4.4 1.2.0 1.2.0}",
				"balena.device.last_connectivity_event.timestamp{solar-sensors-05}",
				"balena.device.online{solar-sensors-05}",
				"balena.device.status{solar-sensors-05 operational}",
				"balena.device.storage.utilization{solar-sensors-05}",
			},
		},
		"an old version and nothing else": {
			change: map[string]any{"os_version": "balenaOS 6.0.0"},
			want:   []string{"balena.device.info{solar-sensors-05 false balenaOS 2.108.1 prod 14.4.4 1.2.0 1.2.0}"},
		},
		"a value that is not reported any more": {
			change: map[string]any{"storage_total": nil},
			want:   []string{"balena.device.storage.utilization{solar-sensors-05}"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := realAccount(t)
			scraper := startScraper(t, testConfig(serve(t, sim)))
			metrics, err := scraper.scrape(t.Context())
			require.NoError(t, err)
			require.Empty(t, vanished(metrics))

			if test.change == nil {
				require.NoError(t, sim.Delete("device", 42))
			} else {
				require.NoError(t, sim.Update("device", 42, test.change))
			}
			metrics, err = scraper.scrape(t.Context())

			require.NoError(t, err)
			assert.Equal(t, test.want, vanished(metrics))
			metrics, err = scraper.scrape(t.Context())
			require.NoError(t, err)
			assert.Empty(t, vanished(metrics), "a series is marked once")
		})
	}
}

func TestSeriesTracker_MarkStale_MarkersAreLastAndAlone(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	scraper := startScraper(t, testConfig(serve(t, sim)))
	_, err := scraper.scrape(t.Context())
	require.NoError(t, err)
	require.NoError(t, sim.Delete("device", 42))
	metrics, err := scraper.scrape(t.Context())
	require.NoError(t, err)

	markers := false
	for _, resource := range metrics.ResourceMetrics().All() {
		for metric, point := range points(resource) {
			if !point.Flags().NoRecordedValue() {
				require.False(t, markers, "a value behind a marker")
				continue
			}
			markers = true
			require.Equal(t, 1, numberPoints(metric).Len(), "the Prometheus exporter passes over what is behind a marker in a metric")
		}
	}
	require.True(t, markers)
}

func TestSeriesTracker_MarkStale_Fleet(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	scraper := startScraper(t, testConfig(serve(t, sim)))
	_, err := scraper.scrape(t.Context())
	require.NoError(t, err)

	require.NoError(t, sim.Update("application", 5, map[string]any{"is_archived": true}))
	metrics, err := scraper.scrape(t.Context())

	require.NoError(t, err)
	assert.NotContains(t, values(metrics, "balena.devices.online"), "acme/empty-fleet")
	assert.Contains(t, vanished(metrics), "balena.devices.online{acme/empty-fleet}")
}

func TestFetcher_Fetch_NumberOfRequests(t *testing.T) {
	t.Parallel()
	sim := emptyAccount()
	const fleets, devices = 107, 10_000
	for i := range fleets {
		insertFleet(t, sim, "acme", fmt.Sprintf("fleet-%d", i), nil)
	}
	for i := range devices {
		_, err := sim.Insert("device", map[string]any{
			"uuid": fmt.Sprintf("%032x", i), "device_name": "device", "is_online": true, "belongs_to__application": int64(i%fleets + 1),
		})
		require.NoError(t, err)
	}
	url := serve(t, sim)

	t.Run("two requests when fleets are counted", func(t *testing.T) {
		cfg := testConfig(url)
		enableOnly(cfg, func(m *metadata.MetricsConfig) []*bool {
			return []*bool{&m.BalenaDevicesOnline.Enabled, &m.BalenaFleetDeviceRegistered.Enabled}
		})
		scraper := startScraper(t, cfg)
		for range 3 {
			sim.ResetRequests()
			metrics, err := scraper.scrape(t.Context())
			require.NoError(t, err)
			assert.Len(t, values(metrics, "balena.devices.online"), fleets)
			assert.LessOrEqual(t, len(sim.Requests()), 2)
		}
	})
	t.Run("one request when only online devices are counted", func(t *testing.T) {
		cfg := testConfig(url)
		enableOnly(cfg, func(m *metadata.MetricsConfig) []*bool { return []*bool{&m.BalenaDevicesOnline.Enabled} })
		sim.ResetRequests()
		_, err := startScraper(t, cfg).scrape(t.Context())
		require.NoError(t, err)
		assert.Len(t, sim.Requests(), 1)
	})
	t.Run("two and one a page of devices and a few more by default", func(t *testing.T) {
		scraper := startScraper(t, testConfig(url))
		for range 2 {
			sim.ResetRequests()
			metrics, err := scraper.scrape(t.Context())
			require.NoError(t, err)
			assert.Len(t, values(metrics, "balena.devices.online"), fleets)
			assert.Equal(t, devices+fleets+1, metrics.ResourceMetrics().Len(), "one is the receiver's own")
			assert.LessOrEqual(t, len(sim.Requests()), 2+devices/defaultPageSize+4)
		}
	})
}

func TestBalenaScraper_Start_WhileTheAPIIsDown(t *testing.T) {
	t.Parallel()
	cfg := testConfig("http://127.0.0.1:1")
	scraper := startScraper(t, cfg)
	scraper.retry = pine.Retry{MaxAttempts: 1}
	useNewClient(t, scraper)

	metrics, err := scraper.scrape(t.Context())

	require.ErrorContains(t, err, "balena API at http://127.0.0.1:1: fleets, device counts: GET /v7/application: dial tcp 127.0.0.1:1")
	assert.Zero(t, accountPoints(metrics))
	assert.Positive(t, failedPoints(t, err))
}

func TestFetchRun_CheckCredentials(t *testing.T) {
	t.Parallel()
	for name, configure := range map[string]func(*Config){
		"with devices": func(*Config) {},
		"with counts only": func(cfg *Config) {
			enableOnly(cfg, func(m *metadata.MetricsConfig) []*bool { return []*bool{&m.BalenaDevicesOnline.Enabled} })
		},
		"with public fleets in sight": func(cfg *Config) {
			enableOnly(cfg, func(m *metadata.MetricsConfig) []*bool { return []*bool{&m.BalenaDevicesOnline.Enabled} })
			cfg.Fleets.HostApps = true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := &statusHost{Host: componenttest.NewNopHost()}
			cfg := testConfig(serve(t, realAccount(t)))
			cfg.Token = "wrong-token"
			configure(cfg)

			metrics, err := startScraperOn(t, cfg, host).scrape(t.Context())

			require.ErrorContains(t, err, `set a valid API key in "token"`)
			assert.NotContains(t, err.Error(), "wrong-token")
			assert.Zero(t, accountPoints(metrics), "no zeros for what the API hides")
			assert.Positive(t, failedPoints(t, err))
			assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, host.statuses)
		})
	}
}

func TestFetchRun_CheckCredentials_WhenTheTokenExpires(t *testing.T) {
	t.Parallel()
	api := &faulty{Handler: realAccount(t)}
	scraper := startScraper(t, testConfig(serve(t, api)))
	before, err := scraper.scrape(t.Context())
	require.NoError(t, err)

	api.fault = func(string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer expired")
			api.Handler.ServeHTTP(w, r)
		}
	}
	metrics, err := scraper.scrape(t.Context())
	require.ErrorContains(t, err, "expired or revoked")
	assert.Zero(t, accountPoints(metrics))
	assert.Equal(t, accountPoints(before), failedPoints(t, err), "all that the last scrape had is missing")

	api.fault = nil
	after, err := scraper.scrape(t.Context())
	require.NoError(t, err)
	assert.Equal(t, accountPoints(before), accountPoints(after))
}

func TestBalenaScraper_Report(t *testing.T) {
	t.Parallel()
	api := &faulty{Handler: realAccount(t)}
	host := &statusHost{Host: componenttest.NewNopHost()}
	scraper := startScraperOn(t, testConfig(serve(t, api)), host)
	core, logs := observer.New(zap.InfoLevel)
	scraper.logger = zap.New(core)

	var points []int
	for _, fault := range []func(string) http.HandlerFunc{nil, nil, failWith(http.StatusInternalServerError, ""), nil} {
		api.fault = fault
		metrics, _ := scraper.scrape(t.Context())
		points = append(points, accountPoints(metrics))
	}

	assert.Equal(t, []componentstatus.Status{
		componentstatus.StatusOK, componentstatus.StatusOK, componentstatus.StatusRecoverableError, componentstatus.StatusOK,
	}, host.statuses)
	require.Equal(t, 2, logs.Len(), "at the first success and at the recovery")
	assert.Equal(t, "Scraping balena", logs.All()[0].Message)
	first, recovery := logs.All()[0].ContextMap(), logs.All()[1].ContextMap()
	assert.EqualValues(t, 42, first["devices"])
	assert.EqualValues(t, points[0], first["series"])
	assert.GreaterOrEqual(t, first["requests"], recovery["requests"], "of the scrape, not since the start")
	assert.Positive(t, first["bytes"])
}

func TestPoller_Shutdown_EndsARunningScrape(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	url := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	cfg := testConfig(url)
	cfg.InitialDelay = 0
	cfg.CollectionInterval, cfg.Timeout = time.Hour, time.Hour
	core, logs := observer.New(zap.ErrorLevel)
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.Logger = zap.New(core)
	r, err := NewFactory().CreateMetrics(t.Context(), settings, cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	<-asked

	stopped := make(chan error)
	go func() { stopped <- r.Shutdown(context.WithoutCancel(t.Context())) }()

	select {
	case err := <-stopped:
		require.NoError(t, err)
	case <-time.After(30 * time.Second):
		t.Fatal("the scrape went on after shutdown")
	}
	assert.Zero(t, logs.Len(), "a shutdown is not an error")
}

// failedPoints is the number of points that an error counts as failed.
func failedPoints(t *testing.T, err error) int {
	t.Helper()
	var partial scrapererror.PartialScrapeError
	require.True(t, errors.As(err, &partial), "an error that is not partial counts as nothing")
	return partial.Failed
}

// statusHost notes the statuses that are reported to it.
type statusHost struct {
	component.Host
	statuses []componentstatus.Status
}

func (h *statusHost) Report(event *componentstatus.Event) {
	h.statuses = append(h.statuses, event.Status())
}

// rewriteBody replaces a string in every response.
func rewriteBody(handler http.Handler, old, replacement string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding")
		handler.ServeHTTP(&rewriter{ResponseWriter: w, replace: strings.NewReplacer(old, replacement)}, r)
	})
}

type rewriter struct {
	http.ResponseWriter
	replace *strings.Replacer
}

func (r *rewriter) WriteHeader(status int) {
	r.Header().Del("Content-Length")
	r.ResponseWriter.WriteHeader(status)
}

func (r *rewriter) Write(data []byte) (int, error) {
	if _, err := r.ResponseWriter.Write([]byte(r.replace.Replace(string(data)))); err != nil {
		return 0, err
	}
	return len(data), nil
}

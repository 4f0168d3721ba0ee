package receiver

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// backend is what a backend shows that honors stale markers: the last value of each series.
type backend map[string]float64

func (b backend) consume(metrics pmetric.Metrics) {
	forEachPoint(metrics, func(resource pcommon.Map, metric pmetric.Metric, point pmetric.NumberDataPoint) {
		series := fmt.Sprint(metric.Name(), resource.AsRaw(), point.Attributes().AsRaw())
		if point.Flags().NoRecordedValue() {
			delete(b, series)
		} else {
			b[series] = number(point)
		}
	})
}

// series are the series of a metric that contain a string.
func (b backend) series(metric, substring string) (found []string) {
	for series := range b {
		if strings.HasPrefix(series, metric+"map[") && strings.Contains(series, substring) {
			found = append(found, series)
		}
	}
	slices.Sort(found)
	return found
}

// TestRecorder_Record_HoldsBackWhatCannotBeIdentified: series that begin without an identifying attribute, while it cannot be fetched,
// would go on beside those that have it.
func TestRecorder_Record_HoldsBackWhatCannotBeIdentified(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ target, metric string }{
		"devices of an unknown type":    {deviceTypeTarget, "balena.device.online"},
		"devices with unknown tags":     {"/v7/device_tag?", "balena.device.online"},
		"fleets with unknown tags":      {"/v7/application_tag?", "balena.devices.online"},
		"devices with tags on page two": {"/v7/device_tag?$filter=id gt", "balena.device.online"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := realAccount(t)
			_, err := sim.Insert("application_tag", map[string]any{"application": int64(1), "tag_key": "tier", "value": "gold"})
			require.NoError(t, err)
			api := &faulty{Handler: sim}
			cfg := testConfig(serve(t, api))
			cfg.Tags = TagsConfig{Devices: map[string]string{"site": ""}, Fleets: map[string]string{"tier": ""}}
			scraper := startScraper(t, cfg)
			want, err := startScraper(t, cfg).scrape(t.Context())
			require.NoError(t, err)
			shown := backend{}

			api.fault = failWith(http.StatusInternalServerError, strings.TrimSuffix(test.target, "$filter=id gt"))
			metrics, err := scraper.scrape(t.Context())
			require.Error(t, err)
			assert.Empty(t, values(metrics, test.metric))
			assert.GreaterOrEqual(t, failedPoints(t, err), len(values(want, test.metric)))
			shown.consume(metrics)

			api.fault = nil
			metrics, err = scraper.scrape(t.Context())
			require.NoError(t, err)
			shown.consume(metrics)

			assert.Len(t, shown.series(test.metric, ""), len(values(want, test.metric)), "each once")
		})
	}
}

// TestSeriesTracker_MarkStale_WhileAnotherKindFails: a lasting failure of one kind of request must not keep what others return from being
// marked.
func TestSeriesTracker_MarkStale_WhileAnotherKindFails(t *testing.T) {
	t.Parallel()
	for _, failing := range []string{
		deviceCountTarget, newestReleaseTarget, releaseTarget, "/v7/device_tag?", "/v7/image_install?", "$expand=owns__release/$count",
	} {
		t.Run(failing, func(t *testing.T) {
			t.Parallel()
			sim := realAccount(t)
			api := &faulty{Handler: sim}
			cfg := testConfig(serve(t, api))
			enableAll(cfg)
			cfg.Tags.Devices = map[string]string{"site": ""}
			scraper := startScraper(t, cfg)
			shown := backend{}
			scrape := func() {
				metrics, _ := scraper.scrape(t.Context())
				shown.consume(metrics)
			}
			scrape()
			require.Len(t, shown.series("balena.device.status", "solar-sensors-04"), 1)
			require.Len(t, shown.series("balena.device.status", "solar-sensors-05"), 1)

			api.fault = failWith(http.StatusInternalServerError, failing)
			require.NoError(t, sim.Update("device", 41, map[string]any{
				"is_online": false, "is_connected_to_vpn": false, "api_heartbeat_state": "offline", "device_name": "renamed",
			}))
			require.NoError(t, sim.Delete("device", 42))
			scrape()

			assert.Empty(t, shown.series("balena.device", "solar-sensors-05"), "deleted")
			assert.Empty(t, shown.series("balena.device", "solar-sensors-04"), "renamed")
			status := shown.series("balena.device.status", "renamed")
			require.Len(t, status, 1, "one device has one status")
			assert.Contains(t, status[0], "disconnected")
		})
	}
}

// TestSeriesTracker_MarkStale_AfterTheFailure: what a failing request could not show to be gone is marked once it can.
func TestSeriesTracker_MarkStale_AfterTheFailure(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	api := &faulty{Handler: sim}
	cfg := testConfig(serve(t, api))
	enableAll(cfg)
	scraper := startScraper(t, cfg)
	shown := backend{}
	scrape := func() pmetric.Metrics {
		metrics, _ := scraper.scrape(t.Context())
		shown.consume(metrics)
		return metrics
	}
	scrape()
	service := shown.series("balena.device.service.status", "solar-sensors-05")
	require.NotEmpty(t, service)

	api.fault = failWith(http.StatusInternalServerError, "/v7/image_install?")
	require.NoError(t, sim.Update("device", 42, map[string]any{"os_version": "balenaOS 9.0.0"}))
	for range 3 {
		scrape()
	}
	assert.Equal(t, service, shown.series("balena.device.service.status", "solar-sensors-05"), "not known to be gone")
	require.Len(t, shown.series("balena.device.info", "solar-sensors-05"), 1)

	api.fault = nil
	for _, row := range plainRows(t, sim, "/v7/image_install?$select=id&$filter=device%20eq%2042") {
		require.NoError(t, sim.Delete("image_install", int64(row["id"].(float64))))
	}
	scrape()
	assert.Empty(t, shown.series("balena.device.service.status", "solar-sensors-05"))
	assert.Empty(t, vanished(scrape()), "a series is marked once")
}

func TestSeriesTracker_MarkStale_KeepsWhatAnotherEntityReports(t *testing.T) {
	t.Parallel()
	t.Run("two devices of one name without the UUID", func(t *testing.T) {
		t.Parallel()
		sim := realAccount(t)
		require.NoError(t, sim.Update("device", 41, map[string]any{"device_name": "twin"}))
		require.NoError(t, sim.Update("device", 42, map[string]any{"device_name": "twin"}))
		cfg := testConfig(serve(t, sim))
		cfg.MetricsBuilderConfig.ResourceAttributes.BalenaDeviceUUID.Enabled = false
		scraper := startScraper(t, cfg)
		for range 3 {
			metrics, err := scraper.scrape(t.Context())
			require.NoError(t, err)
			assert.Empty(t, vanished(metrics), "both are there")
		}
		require.NoError(t, sim.Delete("device", 41))
		metrics, err := scraper.scrape(t.Context())
		require.NoError(t, err)
		assert.NotContains(t, vanished(metrics), "balena.device.online{twin}", "the other one is still there")
	})
	t.Run("a device that is registered again", func(t *testing.T) {
		t.Parallel()
		sim := realAccount(t)
		scraper := startScraper(t, testConfig(serve(t, sim)))
		_, err := scraper.scrape(t.Context())
		require.NoError(t, err)
		row := plainRows(t, sim, "/v7/device(42)")[0]
		fleet := row["belongs_to__application"].(map[string]any)["__id"].(float64)
		deviceType := row["is_of__device_type"].(map[string]any)["__id"].(float64)
		require.NoError(t, sim.Delete("device", 42))
		_, err = sim.Insert("device", map[string]any{
			"uuid": row["uuid"], "device_name": row["device_name"], "belongs_to__application": int64(fleet), "is_of__device_type": int64(deviceType),
		})
		require.NoError(t, err)

		metrics, err := scraper.scrape(t.Context())

		require.NoError(t, err)
		assert.NotContains(t, vanished(metrics), "balena.device.online{solar-sensors-05}")
		assert.Contains(t, vanished(metrics), "balena.device.status{solar-sensors-05 operational}")
	})
}

// TestConnectivity_AcrossScrapes replays, end to end, the cases in which a count by the time of the last event was wrong.
func TestConnectivity_AcrossScrapes(t *testing.T) {
	t.Parallel()
	offline := map[string]any{"is_online": false, "is_connected_to_vpn": false}
	drop := func(t *testing.T, sim *balenasim.Simulator) {
		for id := range ids(1, 40) {
			updateDevices(t, sim, offline, id)
		}
	}
	for name, test := range map[string]struct {
		fault func(t *testing.T, sim *balenasim.Simulator, api *faulty) // of the second scrape
		clock time.Duration                                             // how far the Collector's clock is ahead
	}{
		"a scrape in time": {
			fault: func(t *testing.T, sim *balenasim.Simulator, _ *faulty) { drop(t, sim) },
		},
		"a failed scrape": {
			fault: func(t *testing.T, sim *balenasim.Simulator, api *faulty) {
				drop(t, sim)
				api.fault = failWith(http.StatusInternalServerError, "")
			},
		},
		"a scrape without devices": {
			fault: func(t *testing.T, sim *balenasim.Simulator, api *faulty) {
				drop(t, sim)
				api.fault = failWith(http.StatusInternalServerError, deviceTarget)
			},
		},
		"a clock that is ahead": {
			fault: func(t *testing.T, sim *balenasim.Simulator, _ *faulty) { drop(t, sim) },
			clock: 10 * time.Minute,
		},
		"a clock that is behind": {
			fault: func(t *testing.T, sim *balenasim.Simulator, _ *faulty) { drop(t, sim) },
			clock: -10 * time.Minute,
		},
		"devices that drop while they are read": {
			fault: func(t *testing.T, sim *balenasim.Simulator, _ *faulty) {
				inject(t, sim, balenasim.Fault{Kind: balenasim.PausedPage, Path: "/v7/device", Nth: 2, During: func() { drop(t, sim) }})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := realAccount(t)
			settle(t, sim)
			api := &faulty{Handler: sim}
			cfg := testConfig(serve(t, api))
			cfg.PageSize = 10
			scraper := startScraper(t, cfg)
			scraper.now = func() time.Time { return datasetTime.Add(test.clock) }
			_, err := scraper.scrape(t.Context())
			require.NoError(t, err)

			test.fault(t, sim, api)
			_, _ = scraper.scrape(t.Context())
			api.fault = nil
			for range 3 {
				metrics, err := scraper.scrape(t.Context())
				require.NoError(t, err)
				assert.InDelta(t, 40, sum(values(metrics, "balena.fleet.device.disconnections")), 0)
				assert.Zero(t, sum(values(metrics, "balena.fleet.device.reconnections")))
			}
		})
	}
}

// TestFleetCounts_MissingValues: what a response lacks is not counted as empty or zero.
func TestFleetCounts_MissingValues(t *testing.T) {
	t.Parallel()
	t.Run("device types that cannot be fetched", func(t *testing.T) {
		t.Parallel()
		api := &faulty{Handler: realAccount(t), fault: failWith(http.StatusInternalServerError, deviceTypeTarget)}
		cfg := testConfig(serve(t, api))
		enableAll(cfg)
		metrics, err := startScraper(t, cfg).scrape(t.Context())
		require.ErrorContains(t, err, "device types: GET /v7/device_type: 500")
		assert.Empty(t, values(metrics, "balena.fleet.device.type"))
		assert.NotEmpty(t, values(metrics, "balena.fleet.device.status"))
	})
	for name, test := range map[string]struct{ old, replacement, path, absent string }{
		"a null is_online":          {`"is_online":true`, `"is_online":null`, "/v7/device", "balena.fleet.device.status"},
		"a missing is_online":       {`"is_online":true,`, ``, "/v7/device", "balena.fleet.device.status"},
		"a missing count of online": {`"owns__device":`, `"owns_device":`, "/v7/application", "balena.devices.online"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := realAccount(t)
			spoiled := rewriteBody(sim, test.old, test.replacement)
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == test.path && strings.Contains(r.URL.RawQuery, "is_online") {
					spoiled.ServeHTTP(w, r)
				} else {
					sim.ServeHTTP(w, r)
				}
			}))
			metrics, err := startScraper(t, testConfig(url)).scrape(t.Context())
			require.Error(t, err)
			for series := range values(metrics, test.absent) {
				assert.True(t, strings.HasPrefix(series, "acme/empty-fleet"), "%s: only a fleet without devices is complete", series)
			}
			assert.NotContains(t, values(metrics, "balena.device.online"), "solar-sensors-00")
			assert.NotContains(t, values(metrics, "balena.devices.online"), map[bool]string{true: "globex/solar-sensors"}[test.path == "/v7/application"])
		})
	}
}

// TestRowReader_SkippedRows: one row that cannot be decoded costs its device and the counts of its fleet, and nothing else.
func TestRowReader_SkippedRows(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	api := rewriteBody(sim, `"storage_usage":2543,`, `"storage_usage":"much",`) // of device 1, in acme/warehouse-gateways
	scraper := startScraper(t, testConfig(serve(t, api)))
	shown := backend{}
	metrics, err := scraper.scrape(t.Context())
	require.ErrorContains(t, err, "devices: ")
	shown.consume(metrics)

	fleets := slices.Collect(maps.Keys(values(metrics, "balena.fleet.device.disconnections")))
	assert.ElementsMatch(t, []string{"acme/edge-cameras", "acme/empty-fleet", "globex/lab-nucs", "globex/solar-sensors"}, fleets,
		"the counts of the fleet would be wrong, the others are right")
	assert.Contains(t, values(metrics, "balena.scrape.failure"), "devices undecodable")
	assert.InDelta(t, 0, values(metrics, "balena.scrape.complete")[""], 0)

	require.NoError(t, sim.Delete("device", 2))
	metrics, _ = scraper.scrape(t.Context())
	shown.consume(metrics)
	assert.Empty(t, shown.series("balena.device.online", "warehouse-gateways-01"), "the other rows of the fleet are known")
}

func TestFetchRun_CheckCredentials_BlamesTheKeyOnlyIfItIsRejected(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		target string
		want   string
		not    string
	}{
		"no access to releases": {releaseTarget, "releases: GET /v7/release: 401 Unauthorized: the credentials are valid, but do not give access to releases", "API key"},
		"no access to devices":  {deviceTarget, "the credentials are valid, but do not give access to devices", "API key"},
		"no access to fleets":   {"/v7/application?", "the credentials are valid, but do not give access to fleets", "API key"},
		"a rejected key":        {"", `the API rejects the credentials: they are wrong, expired or revoked; set a valid API key in "token"`, "valid, but"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &faulty{Handler: realAccount(t), fault: failWith(http.StatusUnauthorized, test.target)}
			metrics, err := startScraper(t, testConfig(serve(t, api))).scrape(t.Context())
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), test.not)
			assert.Equal(t, test.target == "", values(metrics, "balena.scrape.failure")["credentials 401"] == 1)
		})
	}
}

func TestLabels_AreUniqueAcrossShards(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	for i := range 20 {
		insertFleet(t, sim, fmt.Sprintf("organization-%d", i), "kiosk", nil)
	}
	url := serve(t, sim)
	seen := map[string]string{}
	for index := range 4 {
		cfg := testConfig(url)
		cfg.Shard = ShardConfig{Index: index, Total: 4}
		cfg.MetricsBuilderConfig.ResourceAttributes.FleetName.Enabled = true
		metrics, err := startScraper(t, cfg).scrape(t.Context())
		require.NoError(t, err)
		for _, resource := range metrics.ResourceMetrics().All() {
			attributes := resource.Resource().Attributes()
			if label := stringOf(attributes, "fleet.name"); label != "" {
				assert.NotContains(t, seen, label)
				seen[label] = stringOf(attributes, "balena.fleet.slug")
			}
		}
	}
	assert.Equal(t, "organization-0/kiosk", seen["kiosk"], "the oldest keeps the name, whatever its shard")
	assert.Len(t, seen, 25)
}

// TestFetcher_Fetch_RemembersWhatCannotBeRead: types and images that the credentials cannot read are not worth a request at each scrape.
func TestFetcher_Fetch_RemembersWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	var requests atomic.Int32
	cfg := testConfig(serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v7/device_type", "/v7/image":
			requests.Add(1)
			_, _ = w.Write([]byte(`{"d":[]}`))
		default:
			sim.ServeHTTP(w, r)
		}
	})))
	enableOnly(cfg, func(m *metadata.MetricsConfig) []*bool {
		return []*bool{&m.BalenaDeviceOnline.Enabled, &m.BalenaDeviceServiceStatus.Enabled}
	})
	scraper := startScraper(t, cfg)
	for range 3 {
		metrics, err := scraper.scrape(t.Context())
		require.NoError(t, err)
		assert.Len(t, values(metrics, "balena.device.online"), 42, "reported without a type")
	}
	assert.EqualValues(t, 2, requests.Load())
}

func TestBalenaScraper_Start_WarnsAboutSharedSeries(t *testing.T) {
	t.Parallel()
	for _, enabled := range []bool{true, false} {
		cfg := testConfig("http://127.0.0.1:1")
		cfg.MetricsBuilderConfig.ResourceAttributes.BalenaDeviceUUID.Enabled = enabled
		settings := receivertest.NewNopSettings(metadata.Type)
		core, logs := observer.New(zap.WarnLevel)
		settings.Logger = zap.New(core)
		s, err := newBalenaScraper(cfg, settings, nil)
		require.NoError(t, err)
		require.NoError(t, s.start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, s.shutdown(t.Context()))
		assert.Equal(t, !enabled, logs.FilterMessageSnippet(`"balena.device.uuid" is disabled`).Len() == 1)
	}
}

func TestRecorder_RecordState(t *testing.T) {
	t.Parallel()
	url := serve(t, realAccount(t))
	states := func(stateSets bool, metric string) map[string]float64 {
		cfg := testConfig(url)
		cfg.Fleets.Include = []string{"globex/solar-sensors"}
		enableAll(cfg)
		cfg.StateSets = stateSets
		metrics, err := startScraper(t, cfg).scrape(t.Context())
		require.NoError(t, err)
		found := map[string]float64{}
		for series, value := range values(metrics, metric) {
			if state, ok := strings.CutPrefix(series, "solar-sensors-05 "); ok {
				found[state] = value
			}
		}
		return found
	}
	for metric, known := range map[string]int{
		"balena.device.status": 7, "balena.device.heartbeat.state": 4, "balena.device.rollout.state": 6,
	} {
		current, all := states(false, metric), states(true, metric)
		assert.Len(t, current, 1, metric)
		assert.Len(t, all, known, metric)
		assert.InDelta(t, 1, sum(all), 0, "one state at a time")
		for state := range current {
			assert.InDelta(t, 1, all[state], 0, state)
		}
	}
}

// TestFetcher_Fetch_TargetReleasesWithoutDevices: which release a fleet targets is known without fetching a device.
func TestFetcher_Fetch_TargetReleasesWithoutDevices(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	cfg := testConfig(serve(t, sim))
	enableOnly(cfg, func(m *metadata.MetricsConfig) []*bool {
		return []*bool{&m.BalenaFleetTargetReleaseInfo.Enabled, &m.BalenaFleetTargetReleaseTimestamp.Enabled}
	})
	metrics, err := startScraper(t, cfg).scrape(t.Context())
	require.NoError(t, err)
	assert.InDelta(t, 1, values(metrics, "balena.fleet.target_release.info")["globex/solar-sensors 1.2.0"], 0)
	for _, request := range sim.Requests() {
		assert.NotContains(t, request.Target, "/v7/device?")
	}
}

// TestFleetEntity_Record_CountsBearTheTimeOfCounting, which a budget that runs short may put long before the end of the scrape.
func TestFleetEntity_Record_CountsBearTheTimeOfCounting(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	var elapsed atomic.Int64
	scraper := startScraper(t, testConfig(serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v7/device" {
			elapsed.Store(int64(40 * time.Second))
		}
		sim.ServeHTTP(w, r)
	}))))
	scraper.now = func() time.Time { return datasetTime.Add(time.Duration(elapsed.Load())) }
	metrics, err := scraper.scrape(t.Context())
	require.NoError(t, err)
	times := map[string]time.Duration{}
	forEachPoint(metrics, func(_ pcommon.Map, metric pmetric.Metric, point pmetric.NumberDataPoint) {
		times[metric.Name()] = point.Timestamp().AsTime().Sub(datasetTime)
	})
	assert.Zero(t, times["balena.devices.online"])
	assert.Zero(t, times["balena.fleet.device.registered"])
	assert.Equal(t, 40*time.Second, times["balena.device.online"])
}

func TestFetchRun_FetchAPIKeys(t *testing.T) {
	t.Parallel()
	expiry := datasetTime.AddDate(0, 0, 10)
	t.Run("the keys of the user that expire, once an hour", func(t *testing.T) {
		t.Parallel()
		sim := realAccount(t)
		sim.AddUserKey("expires", expiry)
		sim.AddUserKey("expired", datasetTime.AddDate(0, 0, -1))
		cfg := testConfig(serve(t, sim))
		enableOnly(cfg, func(m *metadata.MetricsConfig) []*bool { return []*bool{&m.BalenaAPIKeyExpiryTimestamp.Enabled} })
		scraper := startScraper(t, cfg)
		now := datasetTime
		scraper.now = func() time.Time { return now }
		requests := func() int {
			sim.ResetRequests()
			metrics, err := scraper.scrape(t.Context())
			require.NoError(t, err)
			found := values(metrics, "balena.api_key.expiry.timestamp")
			require.Len(t, found, 1)
			assert.InDelta(t, expiry.Unix(), sum(found), 0)
			n := 0
			for _, request := range sim.Requests() {
				if strings.HasPrefix(request.Target, "/v7/api_key") {
					n++
					assert.NotContains(t, request.Target, "key,", "the keys themselves are not requested")
				}
			}
			return n
		}
		assert.Equal(t, 1, requests())
		now = now.Add(59 * time.Minute)
		assert.Equal(t, 0, requests())
		now = now.Add(time.Minute)
		assert.Equal(t, 1, requests())
	})
	for name, test := range map[string]struct {
		token string
		want  int64 // 0 if the token does not say
	}{
		"a session token":             {"e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"id":1,"exp":1795900000}`)) + ".c2ln", 1795900000},
		"a token without an expiry":   {"e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"id":1}`)) + ".c2ln", 0},
		"an API key":                  {"8yve4xcJPt2PRCUhy7H6FWayFkiZlaUU", 0},
		"a key with dots":             {"a.b.c", 0},
		"a payload that is not JSON":  {"e30.YWJj.c2ln", 0},
		"a token that cannot be read": {"", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := apiKeys{source: func(context.Context) (string, error) {
				if test.token == "" {
					return "", errors.New("no token")
				}
				return test.token, nil
			}}
			expiry, ok := keys.sessionExpiry(t.Context())
			assert.Equal(t, test.want != 0, ok)
			if ok {
				assert.Equal(t, test.want, expiry.Unix())
			}
		})
	}
}

// TestSnapshot_JoinContainers_SkippedRow: the services of a device are not counted without one of its containers.
func TestSnapshot_JoinContainers_SkippedRow(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	install := installOf(t, sim, 37)
	spoiled := rewriteBody(sim, fmt.Sprintf(`{"id":%d,`, install), fmt.Sprintf(`{"download_progress":"much","id":%d,`, install))
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v7/image_install" && strings.Contains(r.URL.RawQuery, "download_progress") {
			spoiled.ServeHTTP(w, r)
		} else {
			sim.ServeHTTP(w, r)
		}
	}))
	cfg := testConfig(url)
	enableAll(cfg)
	metrics, err := startScraper(t, cfg).scrape(t.Context())
	require.ErrorContains(t, err, "services on devices: ")
	counts := values(metrics, "balena.fleet.device.service.status")
	assert.NotEmpty(t, counts)
	for series := range counts {
		assert.False(t, strings.HasPrefix(series, "globex/solar-sensors "), series)
	}
	assert.NotContains(t, values(metrics, "balena.device.service.status"), "solar-sensors-00 main Running")
	assert.Contains(t, values(metrics, "balena.device.service.status"), "solar-sensors-01 main Running")
}

// TestFetchRun_RememberDeviceTags_WhileAFleetIsSkipped: the tags of devices that could not be read meanwhile are not forgotten.
func TestFetchRun_RememberDeviceTags_WhileAFleetIsSkipped(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	spoiled := rewriteBody(sim, `"slug":"globex/solar-sensors"`, `"slug":{}`)
	var spoil atomic.Bool
	api := &faulty{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if spoil.Load() && r.URL.Path == "/v7/application" {
			spoiled.ServeHTTP(w, r)
		} else {
			sim.ServeHTTP(w, r)
		}
	})}
	cfg := testConfig(serve(t, api))
	cfg.Tags.Devices = map[string]string{"site": ""}
	scraper := startScraper(t, cfg)
	complete, err := scraper.scrape(t.Context())
	require.NoError(t, err)

	spoil.Store(true)
	api.fault = failWith(http.StatusInternalServerError, "/v7/device_tag?")
	metrics, err := scraper.scrape(t.Context())
	require.ErrorContains(t, err, "fleets: ")
	require.NotContains(t, values(metrics, "balena.devices.online"), "globex/solar-sensors")
	spoil.Store(false)
	metrics, err = scraper.scrape(t.Context())

	require.ErrorContains(t, err, "device tags: ")
	assert.Equal(t, values(complete, "balena.device.online"), values(metrics, "balena.device.online"))
}

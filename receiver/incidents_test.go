package receiver

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadatatest"
)

// TestIncidents shows on the simulator that the metrics tell incidents apart: of their signs, exactly the one of the incident that
// happened must show.
func TestIncidents(t *testing.T) {
	t.Parallel()
	// The data set is in some disorder; here all devices work, and those of one site share a tag.
	const site, siteDevices = "berlin", 4
	offline := map[string]any{
		"is_online": false, "is_connected_to_vpn": false, "api_heartbeat_state": "offline",
		"last_connectivity_event": datasetTime.Add(-30 * time.Second).Format(time.RFC3339), "last_vpn_event": datasetTime.Add(-30 * time.Second).Format(time.RFC3339),
	}
	withoutVPN := maps.Clone(offline)
	withoutVPN["api_heartbeat_state"] = "online"

	incidents := map[string]func(*testing.T, *balenasim.Simulator, *faulty){
		"nothing":                  func(*testing.T, *balenasim.Simulator, *faulty) {},
		"one device lost power":    func(t *testing.T, sim *balenasim.Simulator, _ *faulty) { updateDevices(t, sim, offline, 42) },
		"one site lost its uplink": func(t *testing.T, sim *balenasim.Simulator, _ *faulty) { updateDevices(t, sim, offline, 1, 2, 3, 4) },
		"balena's VPN had an incident": func(t *testing.T, sim *balenasim.Simulator, _ *faulty) {
			updateDevices(t, sim, withoutVPN, slices.Collect(ids(1, 30))...)
		},
		"the API was down": func(_ *testing.T, _ *balenasim.Simulator, api *faulty) {
			api.fault = failWith(http.StatusInternalServerError, "")
		},
		"the token expired": func(_ *testing.T, _ *balenasim.Simulator, api *faulty) {
			api.fault = failWith(http.StatusUnauthorized, "")
		},
		"a rollout got stuck": func(t *testing.T, sim *balenasim.Simulator, _ *faulty) {
			updateDevices(t, sim, map[string]any{"is_running__release": int64(6), "update_status": "aborted"}, 1, 2, 3)
		},
	}
	signs := map[string]func(pmetric.Metrics, map[int64]int64) bool{
		"one device lost power": func(m pmetric.Metrics, _ map[int64]int64) bool {
			return sum(values(m, "balena.fleet.device.disconnections")) == 1
		},
		"one site lost its uplink": func(m pmetric.Metrics, _ map[int64]int64) bool {
			return len(offlineAt(m, site)) == siteDevices && sum(values(m, "balena.fleet.device.disconnections")) == siteDevices
		},
		"balena's VPN had an incident": func(m pmetric.Metrics, _ map[int64]int64) bool {
			// Many lose the VPN at once, and their heartbeats go on.
			return sum(values(m, "balena.fleet.device.disconnections")) > 10 && sumOf(m, "balena.fleet.device.heartbeat.state", "online") == 42
		},
		"the API was down": func(_ pmetric.Metrics, requests map[int64]int64) bool {
			return requests[http.StatusInternalServerError] > 0
		},
		"the token expired": func(_ pmetric.Metrics, requests map[int64]int64) bool { return requests[http.StatusUnauthorized] > 0 },
		"a rollout got stuck": func(m pmetric.Metrics, _ map[int64]int64) bool {
			return sumOf(m, "balena.fleet.device.rollout.state", "failing") > 0
		},
	}
	for incident, happen := range incidents {
		t.Run(incident, func(t *testing.T) {
			t.Parallel()
			sim := realAccount(t)
			settle(t, sim)
			for id := int64(1); id <= siteDevices; id++ {
				_, err := sim.Insert("device_tag", map[string]any{"device": id, "tag_key": "place", "value": site})
				require.NoError(t, err)
			}
			api := &faulty{Handler: sim}
			telemetry := componenttest.NewTelemetry()
			cfg := testConfig(serve(t, api))
			cfg.Tags.Devices = map[string]string{"place": "place"}
			s, err := newBalenaScraper(cfg, metadatatest.NewSettings(telemetry), nil)
			require.NoError(t, err)
			s.now = func() time.Time { return datasetTime }
			require.NoError(t, s.start(t.Context(), componenttest.NewNopHost()))
			t.Cleanup(func() { require.NoError(t, s.shutdown(t.Context())) })

			_, err = s.scrape(t.Context())
			require.NoError(t, err)
			happen(t, sim, api)
			metrics, _ := s.scrape(t.Context())

			requests := requestsByStatus(t, telemetry)
			for sign, shows := range signs {
				assert.Equal(t, sign == incident, shows(metrics, requests), "the sign of %q when %s", sign, incident)
			}
		})
	}
}

// settle makes all devices work and run what they should.
func settle(t *testing.T, sim *balenasim.Simulator) {
	t.Helper()
	for _, row := range plainRows(t, sim, "/v7/device?$select=id&$expand=belongs_to__application($select=should_be_running__release)") {
		fleet := row["belongs_to__application"].([]any)[0].(map[string]any)
		target := fleet["should_be_running__release"].(map[string]any)["__id"]
		updateDevices(t, sim, map[string]any{
			"is_online": true, "is_connected_to_vpn": true, "api_heartbeat_state": "online", "update_status": "done",
			"is_pinned_on__release": nil, "is_running__release": int64(target.(float64)),
			"last_connectivity_event": datasetTime.Add(-time.Hour).Format(time.RFC3339), "last_vpn_event": datasetTime.Add(-time.Hour).Format(time.RFC3339),
		}, int64(row["id"].(float64)))
	}
}

func updateDevices(t *testing.T, sim *balenasim.Simulator, fields map[string]any, ids ...int64) {
	t.Helper()
	for _, id := range ids {
		require.NoError(t, sim.Update("device", id, fields))
	}
}

func ids(first, last int64) func(yield func(int64) bool) {
	return func(yield func(int64) bool) {
		for id := first; id <= last && yield(id); id++ {
		}
	}
}

func sum(values map[string]float64) (total float64) {
	for _, value := range values {
		total += value
	}
	return total
}

// sumOf sums a metric over the points with an attribute's value.
func sumOf(metrics pmetric.Metrics, name, attribute string) (total float64) {
	forEachPoint(metrics, func(_ pcommon.Map, metric pmetric.Metric, point pmetric.NumberDataPoint) {
		for _, value := range point.Attributes().All() {
			if metric.Name() == name && value.Str() == attribute {
				total += number(point)
			}
		}
	})
	return total
}

// offlineAt are the devices of a place that are not online.
func offlineAt(metrics pmetric.Metrics, place string) (devices []string) {
	forEachPoint(metrics, func(resource pcommon.Map, metric pmetric.Metric, point pmetric.NumberDataPoint) {
		if metric.Name() == "balena.device.online" && number(point) == 0 && stringOf(resource, "place") == place {
			devices = append(devices, identity(resource, point))
		}
	})
	return devices
}

func requestsByStatus(t *testing.T, telemetry *componenttest.Telemetry) map[int64]int64 {
	t.Helper()
	metric, err := telemetry.GetMetric("otelcol_receiver_balena_api_requests")
	require.NoError(t, err)
	requests := map[int64]int64{}
	for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		status, _ := point.Attributes.Value("http.response.status_code")
		requests[status.AsInt64()] += point.Value
	}
	return requests
}

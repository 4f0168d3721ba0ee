//go:build e2e && backends

package distribution

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

var (
	prometheusBinary      = flag.String("prometheus", "../dist/prometheus", "the Prometheus server to test against (make dist/prometheus)")
	victoriaMetricsBinary = flag.String("victoriametrics", "../dist/victoria-metrics", "the VictoriaMetrics server (make dist/victoria-metrics)")
)

// promoting is the configuration of a Prometheus server that keeps resource attributes.
const promoting = "otlp: {promote_all_resource_attributes: true}"

// way is one by which metrics reach Prometheus.
type way struct {
	name  string
	start func(t *testing.T, api *api) *process.Prometheus
}

func waysToPrometheus() []way {
	return []way{
		{"pulled from otelcol.yaml", func(t *testing.T, api *api) *process.Prometheus {
			return startPull(t, startCollector(t, "otelcol.yaml", api.env()))
		}},
		{"pulled from the Collector's own Prometheus exporter", func(t *testing.T, api *api) *process.Prometheus {
			return startPull(t, startCollector(t, "otelcol.yaml", api.env(), withPrometheusExporter...))
		}},
		{"remote write from prometheus-remote-write.yaml", func(t *testing.T, api *api) *process.Prometheus {
			p := startPrometheus(t, "", "--web.enable-remote-write-receiver")
			vars := api.env()
			vars["BALENA_REMOTE_WRITE_ENDPOINT"] = p.URL + "/api/v1/write"
			startCollector(t, "prometheus-remote-write.yaml", vars)
			return p
		}},
		{"OTLP from prometheus-otlp.yaml to a server with default settings", func(t *testing.T, api *api) *process.Prometheus {
			p, _ := startOTLP(t, api, "")
			return p
		}},
		{"OTLP from prometheus-otlp.yaml to a server that promotes resource attributes, too", func(t *testing.T, api *api) *process.Prometheus {
			p, _ := startOTLP(t, api, promoting)
			return p
		}},
		{"OTLP without the transform processor to a server that promotes resource attributes", func(t *testing.T, api *api) *process.Prometheus {
			p, _ := startOTLP(t, api, promoting, withoutTransform...)
			return p
		}},
		{"pulled from gateway.yaml behind otlp.yaml", func(t *testing.T, api *api) *process.Prometheus {
			endpoint := freeAddress(t)
			gateway := startCollector(t, "gateway.yaml", env{"BALENA_GATEWAY_ENDPOINT": endpoint})
			vars := api.env()
			vars["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
			vars["OTEL_EXPORTER_OTLP_INSECURE"] = "true"
			startCollector(t, "otlp.yaml", vars)
			return startPull(t, gateway)
		}},
		{"OTLP to VictoriaMetrics, as docs/recipes.md describes", func(t *testing.T, api *api) *process.Prometheus {
			p := process.StartVictoriaMetrics(t, *victoriaMetricsBinary, "-opentelemetry.usePrometheusNaming")
			vars := api.env()
			vars["OTEL_EXPORTER_OTLP_ENDPOINT"] = p.URL + "/opentelemetry"
			startCollector(t, "prometheus-otlp.yaml", vars, withoutTransform...)
			return p
		}},
	}
}

func startPrometheus(t *testing.T, config string, args ...string) *process.Prometheus {
	t.Helper()
	return process.StartPrometheus(t, *prometheusBinary, config, args...)
}

// withPrometheusExporter is the configuration of docs/operating.md.
var withPrometheusExporter = []string{
	"--config", "yaml:exporters::prometheus: {endpoint: '${env:BALENA_PROMETHEUS_ENDPOINT}', resource_to_telemetry_conversion: {enabled: true}, without_scope_info: true, metric_expiration: 3m}",
	"--config", "yaml:service::pipelines::metrics::exporters: [prometheus]",
}

// withoutTransform leaves the resource attributes to the server.
var withoutTransform = []string{"--config", "yaml:service::pipelines::metrics::processors: [memory_limiter]"}

// startOTLP starts a Prometheus server and a Collector with prometheus-otlp.yaml that sends to it.
func startOTLP(t *testing.T, api *api, serverConfig string, args ...string) (*process.Prometheus, *collector) {
	t.Helper()
	p := startPrometheus(t, serverConfig, "--web.enable-otlp-receiver")
	vars := api.env()
	vars["OTEL_EXPORTER_OTLP_ENDPOINT"] = p.URL + "/api/v1/otlp"
	return p, startCollector(t, "prometheus-otlp.yaml", vars, args...)
}

// startPull starts a Prometheus server that scrapes Collectors.
func startPull(t *testing.T, collectors ...*collector) *process.Prometheus {
	t.Helper()
	var targets []string
	for _, c := range collectors {
		targets = append(targets, strconv.Quote(strings.TrimSuffix(strings.TrimPrefix(c.metricsURL, "http://"), "/metrics")))
	}
	return startPrometheus(t, fmt.Sprintf(
		"scrape_configs: [{job_name: balena, scrape_interval: 1s, static_configs: [{targets: [%s]}]}]", strings.Join(targets, ",")))
}

// The same queries give the same results whatever way the metrics come to Prometheus.
func TestPrometheus_EachWay(t *testing.T) {
	t.Parallel()
	queries := []string{
		// Every series with all of its labels.
		`balena_devices_online`,
		`balena_fleet_device_registered`,
		`balena_fleet_device_status`,
		`balena_fleet_device_rollout_state`,
		`balena_fleet_target_release_info`,
		`balena_device_online`,
		`balena_device_status`,
		`balena_device_info`,
		`balena_device_last_connectivity_event_timestamp_seconds`,
		`balena_device_storage_utilization_ratio`,
		`balena_release_device_running`,
		`balena_scrape_complete`,
		// What people ask.
		`sum by (balena_fleet_name) (balena_devices_online) / sum by (balena_fleet_name) (balena_fleet_device_registered > 0)`,
		`count by (balena_fleet_name, balena_device_status) (balena_device_status == 1)`,
		`balena_device_online == 0 and on (balena_device_uuid) balena_device_storage_utilization_ratio > 0.1`,
		`balena_device_online * on (balena_device_uuid) group_left (balena_os_version) balena_device_info`,
		`count({__name__=~"balena_.*", __name__!~"balena_scrape_.*"})`,
	}
	want := map[string][]process.Sample{}
	panels, series := panelQueries(t), map[string][]map[string]string{}
	for _, way := range waysToPrometheus() {
		t.Run(way.name, func(t *testing.T) {
			api := startAPI(t)
			p := way.start(t, api)
			process.Eventually(t, func(t *assert.CollectT) {
				require.NotEmpty(t, p.Query(t, `balena_scrape_complete == 1`))
				require.NotEmpty(t, p.Query(t, `balena_release_info`), "the last message of the scrape")
			})
			for _, query := range queries {
				samples := alike(p.Query(t, query))
				require.NotEmpty(t, samples, query)
				if first, known := want[query]; !known {
					want[query] = samples
				} else {
					assert.Equal(t, first, samples, query)
				}
			}
			for _, query := range panels {
				var found []map[string]string
				for _, s := range alike(p.Query(t, query)) {
					found = append(found, s.Labels)
				}
				if first, known := series[query]; !known {
					series[query] = found
				} else {
					assert.ElementsMatch(t, first, found, query)
				}
			}

			// What is deleted is gone with the next scrape, not five minutes later.
			require.NoError(t, api.sim.Delete("device", warehouseDeviceID))
			process.Eventually(t, func(t *assert.CollectT) {
				require.Len(t, p.Query(t, `balena_device_online`), len(want[`balena_device_online`])-1)
			})
		})
	}
}

// alike removes what may differ: the port of the simulated API, and the last digits of values, which VictoriaMetrics rounds.
func alike(samples []process.Sample) []process.Sample {
	for i, s := range samples {
		if _, ok := s.Labels["balena_api_endpoint"]; ok {
			s.Labels["balena_api_endpoint"] = "the port differs"
		}
		samples[i].Value, _ = strconv.ParseFloat(strconv.FormatFloat(s.Value, 'g', 9, 64), 64)
	}
	return samples
}

// panelQueries are the queries of the dashboards about the fleets, for all of them. What changes over time is left to internal/observability.
func panelQueries(t *testing.T) (queries []string) {
	t.Helper()
	paths, err := filepath.Glob("../observability/dashboards/*.json")
	require.NoError(t, err)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		var dashboard struct {
			Panels []struct{ Targets []struct{ Expr string } }
		}
		require.NoError(t, json.Unmarshal(data, &dashboard))
		for _, panel := range dashboard.Panels {
			for _, target := range panel.Targets {
				query := strings.NewReplacer("$tag", "site", `="$device"`, `=~".*"`).Replace(target.Expr)
				query = regexp.MustCompile(`\$[a-z]+`).ReplaceAllString(query, ".*")
				if strings.Contains(query, "balena_") && !strings.ContainsAny(query, "[") && !strings.Contains(query, "otelcol_") {
					queries = append(queries, query)
				}
			}
		}
	}
	require.Greater(t, len(queries), 20)
	return queries
}

// Why prometheus-otlp.yaml has a transform processor.
func TestPrometheus_WithDefaultSettingsDropsResourceAttributes(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	p, c := startOTLP(t, api, "", withoutTransform...)
	process.Eventually(t, func(t *assert.CollectT) {
		require.Len(t, p.Query(t, `balena_devices_online`), 1, "five fleets are one series")
	})
	assert.NotContains(t, c.Log.String(), "error", "and nobody says so")
}

// Two Collectors that watch the same account, for availability: one of them ends, and no query changes, nor did it count twice before.
func TestPrometheus_TwoCollectors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		start func(t *testing.T, api *api) (server *process.Prometheus, first *collector)
		query string // as docs/scaling-out.md recommends
	}{
		{"pulled", func(t *testing.T, api *api) (*process.Prometheus, *collector) {
			first, second := startCollector(t, "otelcol.yaml", api.env()), startCollector(t, "otelcol.yaml", api.env())
			return startPull(t, first, second), first
		}, `sum(max without (instance) (balena_devices_online))`},
		{"by remote write", func(t *testing.T, api *api) (*process.Prometheus, *collector) {
			p := startPrometheus(t, "", "--web.enable-remote-write-receiver")
			start := func(replica string) *collector {
				vars := api.env()
				vars["BALENA_REMOTE_WRITE_ENDPOINT"] = p.URL + "/api/v1/write"
				return startCollector(t, "prometheus-remote-write.yaml", vars,
					"--config", "yaml:exporters::prometheus_remote_write::external_labels: {replica: "+replica+"}")
			}
			first := start("a")
			start("b")
			return p, first
		}, `sum(max without (replica) (balena_devices_online))`},
		{"by OTLP", func(t *testing.T, api *api) (*process.Prometheus, *collector) {
			p := startPrometheus(t, "", "--web.enable-otlp-receiver")
			start := func(replica string) *collector {
				vars := api.env()
				vars["OTEL_EXPORTER_OTLP_ENDPOINT"] = p.URL + "/api/v1/otlp"
				return startCollector(t, "prometheus-otlp.yaml", vars,
					"--config", "yaml:processors::resource::attributes: [{key: replica, value: "+replica+", action: upsert}]",
					"--config", "yaml:service::pipelines::metrics::processors: [memory_limiter, resource, transform]")
			}
			first := start("a")
			start("b")
			return p, first
		}, `sum(max without (replica) (balena_devices_online))`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := startAPI(t)
			p, first := tt.start(t, api)
			process.Eventually(t, func(t *assert.CollectT) {
				once := p.Query(t, `count(count by (balena_fleet_slug) (balena_devices_online))`)
				require.Len(t, once, 1)
				twice := p.Query(t, `count(balena_devices_online)`)
				require.Len(t, twice, 1)
				require.InDelta(t, 2*once[0].Value, twice[0].Value, 0, "both report")
			})
			online := p.Query(t, tt.query)
			require.Len(t, online, 1)
			doubled := p.Query(t, `sum(balena_devices_online)`)
			require.Len(t, doubled, 1)
			assert.InDelta(t, 2*online[0].Value, doubled[0].Value, 0)
			first.Stop(t)
			assert.Equal(t, online, p.Query(t, tt.query))
		})
	}
}

// Scrapes that waited for a server that was away arrive in their order, and none is lost.
func TestPrometheus_OutageOfTheServer(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	address := freeAddress(t)
	vars := api.env()
	vars["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://" + address + "/api/v1/otlp"
	c := startCollector(t, "prometheus-otlp.yaml", vars, "--config", "yaml:exporters::otlp_http::retry_on_failure: {initial_interval: 1s, max_interval: 1s}")
	process.Eventually(t, func(t *assert.CollectT) {
		require.GreaterOrEqual(t, c.ownMetric(t, "otelcol_exporter_queue_size"), 4.0)
	})
	p := startPrometheus(t, "", "--web.enable-otlp-receiver", "--web.listen-address", address)
	process.Eventually(t, func(t *assert.CollectT) {
		require.Zero(t, c.ownMetric(t, "otelcol_exporter_queue_size"))
		counts := p.Query(t, `count_over_time(balena_devices_online{balena_fleet_slug="acme/warehouse-gateways"}[1m])`)
		require.Len(t, counts, 1)
		require.Greater(t, counts[0].Value, 5.0)
	})
	assert.NotContains(t, c.Log.String(), "Exporting failed. Dropping data")
	assert.NotContains(t, p.Log.String(), "out-of-order")
	c.Stop(t) // while the server is there: the Collector's own metrics are sent a last time
}

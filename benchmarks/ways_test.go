//go:build bench

package benchmarks

import (
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

// prometheusBinary is what make dist/prometheus builds.
const prometheusBinary = "../dist/prometheus"

// way is one by which metrics leave the Collector.
type way struct {
	name       string
	config     string
	settings   []string
	vars       process.Env
	prometheus []string // flags of the Prometheus server that receives; none without one
	receives   string   // the variable for the path at which it receives
	path       string
	pulls      bool
	slowly     bool // takes longer than the scrape
	promotes   bool
	only       int // devices; 0 for any number
}

// limited is the same way with a limit of memory, for a number of devices only.
func (w way) limited(limit string, devices int) way {
	w.name, w.vars, w.only = "the same, `GOMEMLIMIT="+limit+"`", process.Env{"GOMEMLIMIT": limit}, devices
	return w
}

func waysOut() []way {
	transformed := way{
		name: "OTLP into Prometheus (`prometheus-otlp.yaml`)", config: "prometheus-otlp.yaml",
		prometheus: []string{"--web.enable-otlp-receiver"}, receives: "OTEL_EXPORTER_OTLP_ENDPOINT", path: "/api/v1/otlp",
	}
	promoted := transformed
	promoted.name, promoted.promotes = "OTLP into Prometheus that promotes resource attributes, no transform", true
	promoted.settings = []string{"service::pipelines::metrics::processors: [memory_limiter]"}
	pulled := way{name: "pulled once per scrape (`otelcol.yaml`)", config: "otelcol.yaml", pulls: true}
	return []way{
		{name: "dropped (debug exporter)", config: "otlp.yaml", settings: withoutPipeline},
		{name: "OTLP/gRPC, gzip (`otlp.yaml`)", config: "otlp.yaml"},
		promoted,
		promoted.limited("520MiB", 100_000),
		transformed,
		{
			name: "remote write (`prometheus-remote-write.yaml`)", config: "prometheus-remote-write.yaml",
			prometheus: []string{"--web.enable-remote-write-receiver"}, receives: "BALENA_REMOTE_WRITE_ENDPOINT", path: "/api/v1/write",
		},
		pulled,
		pulled.limited("150MiB", 10_000),
		pulled.limited("520MiB", 100_000),
		{
			name: "pulled once per scrape, from the Collector's own Prometheus exporter", config: "otelcol.yaml", pulls: true, slowly: true,
			settings: []string{
				"exporters::prometheus: {endpoint: '${env:BALENA_PROMETHEUS_ENDPOINT}', resource_to_telemetry_conversion: {enabled: true}, " +
					"without_scope_info: true, metric_expiration: 10m}",
				"service::pipelines::metrics::exporters: [prometheus]",
			},
		},
	}
}

// What each way out of the Collector costs, with a real Prometheus server where one is meant.
func TestWays(t *testing.T) {
	if _, err := os.Stat(prometheusBinary); err != nil {
		t.Fatalf("%v: run make dist/prometheus", err)
	}
	const scrapes = 2
	table := "Means of two scrapes after the first, default metrics; no limit of memory unless the row says so:\n\n" +
		"| devices | way out | series | processor time per scrape | peak memory |\n|---:|---|---:|---:|---:|\n"
	for _, size := range []struct {
		devices  int
		interval time.Duration
		slowly   time.Duration // interval when pulled slowly
	}{{1_000, 4 * time.Second, 4 * time.Second}, {10_000, 8 * time.Second, 10 * time.Second}, {100_000, 25 * time.Second, 75 * time.Second}} {
		s := startSim(t, size.devices/200, size.devices)
		for _, way := range waysOut() {
			interval := size.interval
			if way.slowly {
				interval = size.slowly
			}
			if way.only != 0 && way.only != size.devices {
				continue
			}
			t.Run(fmt.Sprintf("%d devices/%s", size.devices, way.name), func(t *testing.T) {
				used, memory, series := way.measure(t, s, interval, scrapes)
				table += fmt.Sprintf("| %d | %s | %s | %s | %.0f MB |\n", size.devices, way.name, series, seconds(used), memory)
			})
		}
	}
	publish(t, "ways", table)
}

func (w way) measure(t *testing.T, s sim, interval time.Duration, scrapes int) (cpu time.Duration, memory float64, series string) {
	vars := process.Env{"GOMEMLIMIT": "off"}
	var server *process.Prometheus
	switch {
	case w.pulls:
		vars["BALENA_PROMETHEUS_ENDPOINT"] = process.FreeAddress(t)
		vars["BALENA_PAGE_ENDPOINT"] = process.FreeAddress(t)
		server = process.StartPrometheus(t, prometheusBinary, fmt.Sprintf(
			"scrape_configs: [{job_name: balena, scrape_interval: %s, scrape_timeout: %[1]s, static_configs: [{targets: [%q]}]}]",
			interval, vars["BALENA_PROMETHEUS_ENDPOINT"]))
	case w.prometheus != nil:
		config := ""
		if w.promotes {
			config = "otlp: {promote_all_resource_attributes: true}"
		}
		server = process.StartPrometheus(t, prometheusBinary, config, w.prometheus...)
		vars[w.receives] = server.URL + w.path
	default:
		maps.Copy(vars, startSink(t).env())
	}
	maps.Copy(vars, w.vars)
	s.reset(t)
	c := startCollector(t, s, w.config, interval, vars, w.settings...)
	c.scrapes(t, s, 1)
	time.Sleep(interval) // also the first pull
	before := cpuTime(t, c.PID)
	time.Sleep(time.Duration(scrapes) * interval)
	cpu = (cpuTime(t, c.PID) - before) / time.Duration(scrapes)
	series = "-"
	if server != nil {
		process.Eventually(t, func(t *assert.CollectT) {
			counted := server.Query(t, `count({__name__=~"balena_.+"})`)
			require.Len(t, counted, 1)
			series = fmt.Sprint(int(counted[0].Value))
		})
	}
	require.NotContains(t, c.Log.String(), "\terror\t")
	if server != nil {
		require.NotContains(t, server.Log.String(), "WARN")
	}
	memory = peakMemory(t, c.PID)
	c.Stop(t)
	return cpu, memory, series
}

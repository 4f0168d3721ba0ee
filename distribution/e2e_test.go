//go:build e2e

// Package distribution tests the built Collector with the configurations of this folder: as a process, against a simulated API that
// has the data of a real server.
package distribution

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

func TestOtelcolYAML(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	vars := api.env()
	vars["BALENA_COLLECTION_INTERVAL"] = "20s" // bounds the timeout, which a busy machine must not reach
	c := startCollector(t, "otelcol.yaml", vars)

	requireGolden(t, "otelcol.prom", c.exposition)
	assert.Contains(t, get(t, c.healthURL), `"healthy":true`)
	assert.Zero(t, c.ownMetric(t, "otelcol_scraper_errored_metric_points"))
}

func TestExporterCompatYAML(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	// acme has an older fleet of this name.
	id, err := api.sim.Insert("application", map[string]any{
		"app_name":            "warehouse-gateways",
		"slug":                "globex/warehouse-gateways",
		"organization":        globexID,
		"is_of__class":        "fleet",
		"is_archived":         true, // which the old exporter ignored
		"is_host":             false,
		"is_for__device_type": 1,
	})
	require.NoError(t, err)
	require.NoError(t, api.sim.Update("device", warehouseDeviceID, map[string]any{"belongs_to__application": id}))
	c := startCollector(t, "exporter-compat.yaml", env{
		"BALENA_TOKEN":   apiToken,
		"BALENA_API_URL": api.URL,
		"CRAWL_INTERVAL": "1",
	})

	requireGolden(t, "exporter-compat.prom", c.exposition)
	for _, request := range api.sim.Requests() {
		assert.True(t, strings.HasPrefix(request.Target, "/v7/application?"), "not needed for counts: %s", request.Target)
	}
	assert.ElementsMatch(t, api.oldExporter(t), samples(get(t, c.metricsURL)))
}

func TestOTLPYAML(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	file := filepath.Join(t.TempDir(), "received.jsonl")
	endpoint := freeAddress(t)
	startCollector(t, "testdata/otlp-sink.yaml", env{"SINK_ENDPOINT": endpoint, "SINK_FILE": file})
	vars := api.env()
	vars["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
	vars["OTEL_EXPORTER_OTLP_INSECURE"] = "true"
	vars["OTEL_METRIC_EXPORT_INTERVAL"] = "1000"
	vars["BALENA_OTLP_HEADERS"] = "[{name: api-key, value: secret}]"
	startCollector(t, "otlp.yaml", vars)

	requireGolden(t, "otlp.txt", func(t require.TestingT) string {
		return flattened(t, last(t, received(t, file).balena))
	})

	// The backend also learns how the receiver is doing.
	eventually(t, func(t *assert.CollectT) {
		own := last(t, received(t, file).own)
		name, _ := own.ResourceMetrics().At(0).Resource().Attributes().Get("service.name")
		require.Equal(t, "otelcol-balena", name.Str())
		names := metricNames(own)
		require.Contains(t, names, "otelcol_receiver_balena_api_requests")
		require.Contains(t, names, "otelcol_receiver_balena_snapshot_age")
	})
}

// gRPC receivers refuse messages over 4 MiB.
func TestOTLPYAML_SplitsLargeScrapes(t *testing.T) {
	t.Parallel()
	sim := balenasim.New(balenasim.WithToken(apiToken))
	scenario, err := balenasim.ShippedScenario("calm")
	require.NoError(t, err)
	scenario.Devices = 6_000
	require.NoError(t, sim.Play(scenario))
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "received.jsonl")
	endpoint := freeAddress(t)
	startCollector(t, "testdata/otlp-sink.yaml", env{"SINK_ENDPOINT": endpoint, "SINK_FILE": file})
	c := startCollector(t, "otlp.yaml", env{
		"BALENA_API_KEY": apiToken, "BALENA_API_URL": server.URL, "BALENA_COLLECTION_INTERVAL": "20s",
		"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_INSECURE": "true",
	})
	eventually(t, func(t *assert.CollectT) {
		require.Positive(t, c.ownMetric(t, "otelcol_exporter_sent_metric_points"))
		require.InDelta(t, c.ownMetric(t, "otelcol_receiver_accepted_metric_points"), c.ownMetric(t, "otelcol_exporter_sent_metric_points"), 0)
	})
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Greater(t, bytes.Count(data, []byte("\n")), 1, "the scrape fits into one message")
}

// Two shards with a gateway behind them serve the same account as one Collector alone.
func TestShardYAML_AddsUpBehindGatewayYAML(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	endpoint := freeAddress(t)
	gateway := startCollector(t, "gateway.yaml", env{"BALENA_GATEWAY_ENDPOINT": endpoint})
	var shards []*collector
	for _, index := range []string{"0", "1"} {
		vars := api.env()
		vars["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
		vars["OTEL_EXPORTER_OTLP_INSECURE"] = "true"
		vars["BALENA_SHARD_INDEX"], vars["BALENA_SHARD_TOTAL"] = index, "2"
		shards = append(shards, startCollector(t, "otlp.yaml", vars, "--config", "shard.yaml"))
	}
	want := account(golden(t, "otelcol.prom"))
	eventually(t, func(t *assert.CollectT) {
		exposition := gateway.exposition(t)
		require.Equal(t, want, account(exposition))
		for index := range shards {
			require.Contains(t, exposition, fmt.Sprintf(`balena_scrape_complete{balena_api_endpoint="https://api",balena_receiver_name="balena",balena_shard_index="%d"} 1`, index))
		}
	})
	for _, shard := range shards {
		assert.Positive(t, shard.ownMetric(t, "otelcol_exporter_sent_metric_points"), "the shard has no fleet")
	}
}

func TestOTLPYAML_QueueIsReportedWhenFullAndSentLater(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	endpoint := freeAddress(t) // where nobody listens
	vars := api.env()
	vars["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
	vars["OTEL_EXPORTER_OTLP_INSECURE"] = "true"
	c := startCollector(t, "otlp.yaml", vars, "--config", "yaml:exporters::otlp_grpc::sending_queue::queue_size: 2",
		// By default the pauses between two attempts soon exceed the patience of this test.
		"--config", "yaml:exporters::otlp_grpc::retry_on_failure: {initial_interval: 1s, max_interval: 1s}")
	eventually(t, func(t *assert.CollectT) {
		require.Contains(t, c.Log.String(), "sending queue is full")
		require.Positive(t, c.ownMetric(t, "otelcol_exporter_enqueue_failed_metric_points"))
	})

	startCollector(t, "testdata/otlp-sink.yaml", env{"SINK_ENDPOINT": endpoint, "SINK_FILE": filepath.Join(t.TempDir(), "received.jsonl")})
	eventually(t, func(t *assert.CollectT) {
		require.Positive(t, c.ownMetric(t, "otelcol_exporter_sent_metric_points"))
	})
	c.Stop(t) // while the backend is there: its own metrics are sent a last time
}

func TestOpenbalenaYAML_PrivateCA(t *testing.T) {
	t.Parallel()
	api := startTLSAPI(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw}
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(block), 0o600))
	vars := api.env()
	vars["BALENA_CA_FILE"] = ca
	c := startCollector(t, "openbalena.yaml", vars)

	requireGolden(t, "otelcol.prom", c.exposition)
}

func TestOtelcolYAML_OutageOfTheAPI(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	c := startCollector(t, "otelcol.yaml", api.env())
	requireGolden(t, "otelcol.prom", c.exposition)

	api.breakDown(hangUp)
	errored := c.ownMetric(t, "otelcol_scraper_errored_metric_points")
	for range 2 { // intervals
		eventually(t, func(t *assert.CollectT) {
			now := c.ownMetric(t, "otelcol_scraper_errored_metric_points")
			require.Greater(t, now, errored)
			errored = now
		})
	}
	assert.Contains(t, c.Log.String(), "balena API at "+api.URL)
	c.Running(t)
	assert.Contains(t, get(t, c.healthURL), `"healthy":true`, "an outage of seconds is not worth waking anybody")
	// Values may expire, but none may change: an API that does not respond says nothing about devices.
	now := c.exposition(t)
	assert.Subset(t, samples(account(golden(t, "otelcol.prom"))), samples(account(now)))
	assert.Contains(t, now, `balena_scrape_complete{balena_api_endpoint="https://api",balena_receiver_name="balena"} 0`)

	api.repair()
	requireGolden(t, "otelcol.prom", c.exposition)
	scraped := c.ownMetric(t, "otelcol_scraper_scraped_metric_points")
	eventually(t, func(t *assert.CollectT) {
		require.Greater(t, c.ownMetric(t, "otelcol_scraper_scraped_metric_points"), scraped)
	})
}

func TestOtelcolYAML_SeriesOfDeletedDevicesDisappear(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	// Values never expire: a series that disappears does so because the receiver marked it stale.
	c := startCollector(t, "otelcol.yaml", api.env(), "--config", "yaml:exporters::prometheus_text::metric_expiration: 24h")
	const (
		device = `balena_device_uuid="827050a823694584bf5e9ff0ff50bde4"`
		fleet  = `balena_fleet_slug="acme/empty-fleet"`
		before = `balena_os_version="balenaOS 2.108.1"`
		after  = `balena_os_version="balenaOS 7.0.0"`
	)
	info := func(t require.TestingT) []string { // the info series of the device
		return slices.DeleteFunc(samples(get(t, c.metricsURL)), func(line string) bool {
			return !strings.HasPrefix(line, "balena_device_info{") || !strings.Contains(line, device)
		})
	}
	eventually(t, func(t *assert.CollectT) {
		require.Len(t, info(t), 1)
		require.Contains(t, info(t)[0], before)
		require.Contains(t, get(t, c.metricsURL), fleet)
	})

	require.NoError(t, api.sim.Update("device", warehouseDeviceID, map[string]any{"os_version": "balenaOS 7.0.0"}))
	eventually(t, func(t *assert.CollectT) {
		require.Len(t, info(t), 1, "the series of the new version replaces that of the old one")
		require.Contains(t, info(t)[0], after)
	})

	require.NoError(t, api.sim.Delete("device", warehouseDeviceID))
	require.NoError(t, api.sim.Delete("application", emptyFleetID))
	eventually(t, func(t *assert.CollectT) {
		body := get(t, c.metricsURL)
		require.NotContains(t, body, device)
		require.NotContains(t, body, fleet)
		require.Contains(t, body, `balena_fleet_slug="acme/warehouse-gateways"`)
	})
}

// exposition is what the prometheus_text exporter serves, without what differs from test to test.
func (c *collector) exposition(t require.TestingT) string {
	return normalizedExposition(get(t, c.metricsURL))
}

// samples returns the lines of an exposition that are not comments.
func samples(exposition string) []string {
	var lines []string
	for line := range strings.Lines(exposition) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// account is the part of an exposition that is about fleets, devices and releases, not about the receiver.
func account(exposition string) string {
	return regexp.MustCompile(`(?m)^(# (HELP|TYPE) )?balena_(scrape|api_key)_.*\n?`).ReplaceAllString(exposition, "")
}

func golden(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(data)
}

// messages are what the sink wrote, in the order of arrival.
type messages struct {
	balena []pmetric.Metrics // from the receiver
	own    []pmetric.Metrics // the Collector's own
}

func received(t require.TestingT, file string) (result messages) {
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	complete := data[:bytes.LastIndexByte(data, '\n')+1]
	for line := range bytes.Lines(complete) {
		metrics, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
		require.NoError(t, err)
		if _, own := metrics.ResourceMetrics().At(0).Resource().Attributes().Get("service.name"); own {
			result.own = append(result.own, metrics)
		} else {
			result.balena = append(result.balena, metrics)
		}
	}
	return result
}

func last(t require.TestingT, messages []pmetric.Metrics) pmetric.Metrics {
	require.NotEmpty(t, messages, "no message yet")
	return messages[len(messages)-1]
}

func metricNames(metrics pmetric.Metrics) (names []string) {
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, metric := range sm.Metrics().All() {
				names = append(names, metric.Name())
			}
		}
	}
	return names
}

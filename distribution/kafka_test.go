//go:build e2e && backends

package distribution

import (
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

var kafkaBinary = flag.String("kafka", "../dist/kafka", "the Kafka broker to test against (make dist/kafka)")

func startKafka(t *testing.T, address string) *process.Process {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	broker := process.Start(t, process.Command(nil, *kafkaBinary, port))
	process.Eventually(t, func(t *assert.CollectT) {
		broker.Running(t)
		require.Contains(t, broker.Log.String(), "listens")
	})
	return broker
}

// Ten scrapes wait in files while Kafka is away, over a restart of the Collector too. Prometheus then gets each of them, and a
// device that was deleted meanwhile is gone at once. The gateway goes on where it was when it is restarted.
func TestKafkaYAML_OutageAndRestarts(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	address := freeAddress(t)
	vars := api.env()
	vars["BALENA_KAFKA_BROKERS"] = "[" + address + "]"
	vars["BALENA_QUEUE_DIRECTORY"] = t.TempDir()
	backoff := []string{"--config", "yaml:exporters::kafka::retry_on_failure: {initial_interval: 1s, max_interval: 1s}"}

	// Kafka is away.
	c := startCollector(t, "kafka.yaml", vars, backoff...)
	waiting := func(atLeast float64) {
		process.Eventually(t, func(t *assert.CollectT) {
			require.GreaterOrEqual(t, c.ownMetric(t, "otelcol_exporter_queue_size"), atLeast)
		})
	}
	waiting(5)
	require.NoError(t, api.sim.Delete("device", warehouseDeviceID))
	waiting(8)
	c.Stop(t)
	c = startCollector(t, "kafka.yaml", vars, backoff...)
	waiting(10)

	// It comes, and each part is restarted.
	startKafka(t, address)
	// The scrape that was being sent when the Collector stopped is sent after those that had waited behind it.
	p := startPrometheus(t, "storage: {tsdb: {out_of_order_time_window: 1h}}", "--web.enable-remote-write-receiver")
	gatewayVars := env{"BALENA_KAFKA_BROKERS": "[" + address + "]"}
	// Prometheus' exporter keeps the last value of a series only: remote write shows them all.
	toPrometheus := []string{
		"--config", "yaml:exporters::prometheus_remote_write: {endpoint: " + p.URL + "/api/v1/write, resource_to_telemetry_conversion: {enabled: true}}",
		"--config", "yaml:service::pipelines::metrics::exporters: [prometheus_remote_write]",
	}
	gateway := startCollector(t, "kafka-gateway.yaml", gatewayVars, toPrometheus...)
	scrapes := func(t require.TestingT) float64 {
		counted := p.Query(t, `count_over_time(balena_scrape_complete[5m])`)
		require.Len(t, counted, 1, "a restart begins no other series")
		return counted[0].Value
	}
	process.Eventually(t, func(t *assert.CollectT) {
		require.Zero(t, c.ownMetric(t, "otelcol_exporter_queue_size"))
		require.GreaterOrEqual(t, scrapes(t), 10.0)
	})
	gateway.Stop(t)
	before, devices := scrapes(t), len(regexp.MustCompile(`(?m)^balena_device_online\{`).FindAllString(golden(t, "otelcol.prom"), -1))
	startCollector(t, "kafka-gateway.yaml", gatewayVars, toPrometheus...)
	process.Eventually(t, func(t *assert.CollectT) {
		require.Greater(t, scrapes(t), before+2)
		require.Len(t, p.Query(t, `balena_device_online`), devices-1)
	})
	assert.NotContains(t, c.Log.String(), "Dropping data")
	assert.NotContains(t, gateway.Log.String(), "Dropping data")
}

// A gateway whose exporter or memory limiter refuses a message offers it again, and reads on then.
func TestKafkaGatewayYAML_OffersAgainWhatWasRefused(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	address := freeAddress(t)
	startKafka(t, address)
	vars := api.env()
	vars["BALENA_KAFKA_BROKERS"] = "[" + address + "]"
	vars["BALENA_QUEUE_DIRECTORY"] = t.TempDir()
	startCollector(t, "kafka.yaml", vars)

	var mu sync.Mutex
	var refused, accepted []string
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		case len(refused) < 2:
			refused = append(refused, string(body))
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			accepted = append(accepted, string(body))
		}
	}))
	t.Cleanup(backend.Close)
	startCollector(t, "kafka-gateway.yaml", env{"BALENA_KAFKA_BROKERS": "[" + address + "]"},
		"--config", "yaml:exporters::otlp_http: {endpoint: "+backend.URL+", compression: none, sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}",
		"--config", "yaml:service::pipelines::metrics::exporters: [otlp_http]")
	process.Eventually(t, func(t *assert.CollectT) {
		mu.Lock()
		defer mu.Unlock()
		require.GreaterOrEqual(t, len(accepted), 2, "reads on")
		require.Equal(t, refused[0], accepted[0], "the first message comes first")
	})
}

package receiver

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// scrapeOnce scrapes with the metrics of the given names; with all of them if there is none.
func scrapeOnce(t *testing.T, url string, enabled ...string) pmetric.Metrics {
	t.Helper()
	cfg := testConfig(url)
	cfg.Tags.Devices = map[string]string{"site": ""}
	enableNamed(cfg, enabled...)
	metrics, err := startScraper(t, cfg).scrape(t.Context())
	require.NoError(t, err)
	return metrics
}

// enableNamed enables the metrics of the given names and no others; all metrics if there is none.
func enableNamed(cfg *Config, enabled ...string) {
	setMetrics(cfg, func(name string) bool { return len(enabled) == 0 || slices.Contains(enabled, name) })
}

// TestPlan_EachMetricAlone shows that newPlan requests what a metric needs: alone it must have the same values as among all metrics.
func TestPlan_EachMetricAlone(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	sim.AddUserKey("expires", datasetTime.AddDate(0, 1, 0))
	url := serve(t, sim)
	all := scrapeOnce(t, url)
	for name := range enabledIn(metadata.MetricsConfig{}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alone := scrapeOnce(t, url, name)
			if name != "balena.scrape.failure" { // nothing failed
				require.NotEmpty(t, values(all, name),
					"no value of %s among all metrics: is its column in its row (plan.go, fleet_counts.go), its field filled in (device_row.go, snapshot.go), is it recorded (record_*.go), and not null in the data set?", name)
			}
			assert.Equal(t, values(all, name), values(alone, name),
				"%s alone (actual) differs from %s among all metrics (expected): a column is missing in its row, or another metric's method records it", name, name)
			assert.Equal(t, resources(all, name), resources(alone, name))
		})
	}
}

// resources are the attributes of the resources with a value of a metric.
func resources(metrics pmetric.Metrics, name string) map[string]bool {
	found := map[string]bool{}
	for _, resource := range metrics.ResourceMetrics().All() {
		for metric := range points(resource) {
			if metric.Name() == name {
				attributes := resource.Resource().Attributes().AsRaw()
				keys := slices.Sorted(maps.Keys(attributes))
				found[strings.Join(keys, " ")] = true
			}
		}
	}
	return found
}

func TestPlan_HasARowForEveryMetric(t *testing.T) {
	t.Parallel()
	rows := map[string]int{}
	for _, need := range needs() {
		rows[need.metric]++
	}
	for _, count := range fleetCounts() {
		rows[count.metric]++
		rows[count.derived]++
	}
	delete(rows, "") // counts from which nothing is derived
	for name := range enabledIn(metadata.MetricsConfig{}) {
		assert.Equal(t, 1, rows[name], "rows of %s in needs (plan.go) and fleetCounts (fleet_counts.go): it must have one", name)
		delete(rows, name)
	}
	assert.Empty(t, rows)
}

// TestPlan_RowsAreForTheirEntity: a row for the wrong entity requests too much, and is not noticed otherwise.
func TestPlan_RowsAreForTheirEntity(t *testing.T) {
	t.Parallel()
	kinds := map[entityKind]string{receiverKind: "receiver", fleetKind: "fleet", deviceKind: "device", releaseKind: "release"}
	for _, need := range needs() {
		want := fleetKind // also of balena.devices.online
		switch {
		case strings.HasPrefix(need.metric, "balena.device."):
			want = deviceKind
		case strings.HasPrefix(need.metric, "balena.release."):
			want = releaseKind
		case strings.HasPrefix(need.metric, "balena.scrape."), strings.HasPrefix(need.metric, "balena.api_key."):
			want = receiverKind
		}
		assert.Equal(t, kinds[want], kinds[need.of], "entity in the row of %s", need.metric)
	}
}

// TestMetricNames holds the rules at the top of metadata.yaml.
func TestMetricNames(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	sim.AddUserKey("expires", datasetTime.AddDate(0, 1, 0))
	metrics := scrapeOnce(t, serve(t, sim))
	units, found := map[string]string{}, map[string]bool{}
	for _, resource := range metrics.ResourceMetrics().All() {
		for metric, point := range points(resource) {
			units[metric.Name()] = metric.Unit()
			if metric.Unit() == "s" && number(point) > 1e9 {
				assert.True(t, strings.HasSuffix(metric.Name(), ".timestamp"), "%s is a moment: end its name in .timestamp", metric.Name())
			}
			divided, isCount := strings.CutPrefix(metric.Name(), "balena.fleet.device.")
			for attribute := range point.Attributes().All() {
				if isCount {
					found[metric.Name()] = found[metric.Name()] || attribute == "balena.device."+divided || attribute == "balena."+divided
				}
				_, onResource := resource.Resource().Attributes().Get(attribute)
				assert.False(t, onResource, "%s: %q is on the resource and on the point", metric.Name(), attribute)
			}
		}
	}
	for name, unit := range units {
		assert.NotRegexp(t, `[._](count|total|sum|bucket|age)$`, name, "reserved by Prometheus, or different at every scrape")
		assert.Regexp(t, `^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$`, name)
		assert.True(t, strings.HasPrefix(name, "balena."), name)
		assert.NotEmpty(t, unit, name)
		if strings.HasSuffix(name, ".timestamp") {
			assert.Equal(t, "s", unit, name)
		}
		for other := range units {
			assert.False(t, strings.HasPrefix(other, name+"."), "%s is a metric and the namespace of %s", name, other)
		}
		switch counted, isFleets := strings.CutPrefix(name, "balena.fleet.device."); {
		case unit == "{device}" && !isFleets:
			assert.True(t, name == "balena.devices.online" || strings.HasPrefix(name, "balena.device.") || strings.HasPrefix(name, "balena.release.device."),
				"%s counts devices of a fleet", name)
		case unit == "{device}" && counted != "registered" && counted != "service.status":
			assert.True(t, found[name], "%s is not divided by the attribute that it is named after: balena.device.%s or balena.%s", name, counted, counted)
		}
	}
}

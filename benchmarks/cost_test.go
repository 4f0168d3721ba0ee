//go:build e2e || bench

package benchmarks

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const costFleets, costDevices = 107, 10_000

// group is a set of metrics that operators enable together.
type group struct {
	name     string
	settings []string
}

var countsOnly = metrics(true, "balena.devices.online", "balena.fleet.device.registered")

func groups() []group {
	with := func(names ...string) []string { return metrics(false, names...) }
	return []group{
		{"counts only: `balena.devices.online`, `balena.fleet.device.registered`", countsOnly},
		{"fleets: counts, status, rollout", metrics(true, "balena.devices.online", "balena.fleet.device.registered",
			"balena.fleet.device.status", "balena.fleet.device.heartbeat.state", "balena.fleet.device.disconnections",
			"balena.fleet.device.reconnections", "balena.fleet.device.rollout.state", "balena.fleet.rollout.progress")},
		{"default", nil},
		{"default + device hardware", with("balena.device.cpu.temperature", "balena.device.cpu.utilization", "balena.device.memory.usage",
			"balena.device.memory.limit", "balena.device.storage.usage", "balena.device.storage.limit", "balena.device.undervoltage")},
		{"default + services", with("balena.fleet.device.service.status", "balena.device.service.status")},
		{"default + release counts", with("balena.fleet.release.status")},
		{"default + last build", with("balena.fleet.last_build.timestamp")},
		{"default + tags", []string{"receivers::balena::tags::devices: {site: site}", "receivers::balena::tags::fleets: {team: team}"}},
	}
}

// costOf measures the second scrape: the first one fills caches.
func costOf(t *testing.T, g group) scrape {
	t.Helper()
	s := startSim(t, costFleets, costDevices)
	settings := append([]string{
		"exporters::debug::verbosity: basic",
		"service::pipelines::metrics::exporters: [debug]",
		"service::telemetry::metrics::level: none", // would be sent to a backend that is not there
	}, g.settings...)
	c := startCollector(t, s, "otlp.yaml", 5*time.Second, nil, settings...)
	costs := c.scrapes(t, s, 2)
	require.NotContains(t, c.Log.String(), "\terror\t")
	return costs[1]
}

func (s scrape) costRow(name string) string {
	return fmt.Sprintf("| %s | %d | %d |", name, s.requests, s.rows)
}

// RESULTS.md has the requests and rows that the receiver causes. (Bytes depend on how well the rows compress.)
func TestCost_IsPublished(t *testing.T) {
	published, err := os.ReadFile(resultsFile)
	require.NoError(t, err)
	rows := make([]string, len(groups()))
	t.Run("groups", func(t *testing.T) {
		for i, g := range groups() {
			t.Run(g.name, func(t *testing.T) {
				t.Parallel()
				cost := costOf(t, g)
				rows[i] = fmt.Sprintf("%s %s |\n", cost.costRow(g.name), size(cost.bytes))
				if !*update {
					require.Contains(t, string(published), cost.costRow(g.name), "make bench UPDATE=-update publishes it")
				}
			})
		}
	})
	publish(t, "cost", fmt.Sprintf("Per scrape, %d devices in %d fleets, second scrape:\n\n", costDevices, costFleets)+
		"| metrics | requests | rows | compressed bytes |\n|---|---:|---:|---:|\n"+strings.Join(rows, ""))
}

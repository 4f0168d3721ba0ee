//go:build e2e

package distribution

import (
	"flag"
	"maps"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

var binary = flag.String("binary", "../dist/otelcol-balena", "the Collector under test (make build)")

type env = process.Env

// collector is a running otelcol-balena.
type collector struct {
	*process.Process
	addresses
}

// addresses are the URLs that a configuration of this folder serves.
type addresses struct {
	metricsURL   string // what the prometheus_text exporter serves
	telemetryURL string // the Collector's own metrics
	healthURL    string // the health check
	pageURL      string // the page that shows the fleets
}

func addressesIn(vars env) addresses {
	return addresses{
		metricsURL:   "http://" + vars["BALENA_PROMETHEUS_ENDPOINT"] + "/metrics",
		pageURL:      "http://" + vars["BALENA_PAGE_ENDPOINT"] + "/",
		healthURL:    "http://" + vars["BALENA_HEALTH_ENDPOINT"] + "/status",
		telemetryURL: "http://localhost:" + vars["BALENA_TELEMETRY_PORT"] + "/metrics",
	}
}

// startCollector runs the binary until the end of the test, which fails unless the process then shuts down cleanly.
func startCollector(t *testing.T, config string, vars env, args ...string) *collector {
	t.Helper()
	vars = withFreePorts(t, vars)
	return &collector{process.Start(t, command(config, vars, args...)), addressesIn(vars)}
}

// runToExit runs the binary with input that it must refuse, and returns its output.
func runToExit(t *testing.T, config string, vars env, args ...string) string {
	t.Helper()
	cmd := command(config, vars, args...)
	timer := time.AfterFunc(process.Patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "the Collector accepted it and wrote:\n%s", out)
	require.Positive(t, exit.ExitCode(), "the Collector ran until it was killed and wrote:\n%s", out)
	return string(out)
}

func command(config string, vars env, args ...string) *exec.Cmd {
	return process.Command(vars, *binary, append([]string{"--config", config}, args...)...)
}

// ownMetric returns the sum over the series of one of the Collector's own metrics.
func (c *collector) ownMetric(t require.TestingT, name string) float64 {
	body := get(t, c.telemetryURL)
	sum, found := process.Sum(t, body, name)
	require.True(t, found, "the Collector's own telemetry has no %s:\n%s", name, body)
	return sum
}

func eventually(t *testing.T, condition func(t *assert.CollectT)) {
	t.Helper()
	process.Eventually(t, condition)
}

func get(t require.TestingT, url string) string { return process.Get(t, url) }

func freeAddress(t *testing.T) string { return process.FreeAddress(t) }

// withFreePorts adds the ports that a configuration of this folder listens on.
func withFreePorts(t *testing.T, vars env) env {
	t.Helper()
	vars = maps.Clone(vars)
	if vars == nil {
		vars = env{}
	}
	vars["BALENA_PROMETHEUS_ENDPOINT"] = freeAddress(t)
	vars["BALENA_PAGE_ENDPOINT"] = freeAddress(t)
	vars["BALENA_HEALTH_ENDPOINT"] = freeAddress(t)
	_, vars["BALENA_TELEMETRY_PORT"], _ = net.SplitHostPort(freeAddress(t))
	return vars
}

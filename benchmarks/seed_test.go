//go:build bench

package benchmarks

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

const (
	latency         = 50 * time.Millisecond
	devicesPerFleet = 10
)

// faults fail one request, the first for the fleets or the first for a single one.
var faults = []string{"server-error", "unavailable"} // 500 and 503

func (s sim) fail(t *testing.T, kind, path string) {
	t.Helper()
	s.call(t, http.MethodPost, "/faults", fmt.Sprintf(`{"kind":%q,"path":%q,"nth":1,"times":1}`, kind, path))
}

// outcome is what one scrape of the metric cost, and what happened when a request failed.
type outcome struct {
	requests int
	complete time.Duration // until the metric has all fleets
	failed   []string      // by fault
}

func (o outcome) row(fleets int, name string) string {
	return fmt.Sprintf("| %d | %s | %d | %s | %s |\n", fleets, name, o.requests, seconds(o.complete), strings.Join(o.failed, " | "))
}

func TestAgainstBalenaPrometheusExporter(t *testing.T) {
	python, err := pythonWithItsLibraries()
	var rows, note string
	for _, fleets := range []int{1, 100, 500} {
		s := startSim(t, fleets, fleets*devicesPerFleet, "--latency", latency.String())
		if err == nil {
			o, libraries := seedExporter(t, s, python)
			rows += o.row(fleets, "balena-prometheus-exporter")
			note = "The exporter is `seed_exporter.py`, which does what its documentation says, here with " + libraries + ". "
		} else {
			note = "No python3 was found: exporter-compat.yaml alone. "
		}
		rows += dropIn(t, s, fleets).row(fleets, "exporter-compat.yaml")
	}
	publish(t, "seed", fmt.Sprintf("`balena_devices_online` of %d devices a fleet, each response %s late, medians of three. %s"+
		"The last columns: one request of a scrape gets a 500 or 503.\n\n", devicesPerFleet, latency, note)+
		"| fleets | | requests per scrape | metric complete after | one 500 | one 503 |\n|---:|---|---:|---:|---|---|\n"+rows)
}

// pythonWithItsLibraries prefers an interpreter that has requests and prometheus_client, as Debian's packages give it to /usr/bin/python3.
func pythonWithItsLibraries() (string, error) {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import requests, prometheus_client").Run() == nil {
			return python, nil
		}
	}
	return exec.LookPath("python3")
}

// seedExporter scrapes the old exporter, which polls the API meanwhile.
func seedExporter(t *testing.T, s sim, python string) (outcome, string) {
	t.Helper()
	address := process.FreeAddress(t)
	vars := process.Env{"BALENA_TOKEN": "token", "BALENA_API_URL": s.url, "PORT": strings.Split(address, ":")[1]}
	cmd := process.Command(vars, python, "seed_exporter.py")
	var log process.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { // it has no clean shutdown
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		require.Contains(t, log.String(), "ready")
	}, 2*time.Minute, 100*time.Millisecond)

	scraped := func() (complete time.Duration, values int) {
		s.reset(t)
		start := time.Now()
		resp, err := http.Get("http://" + address + "/metrics")
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return time.Since(start), len(regexp.MustCompile(`(?m)^balena_devices_online\{`).FindAll(body, -1))
	}
	var runs []scrape
	fleets := 0
	for range 3 {
		var run scrape
		run.fetch, fleets = scraped()
		run.requests = int(s.count(t))
		runs = append(runs, run)
	}
	o := outcome{
		requests: median(runs, func(s scrape) int { return s.requests }),
		complete: median(runs, func(s scrape) time.Duration { return s.fetch }),
	}
	for _, kind := range faults {
		s.fail(t, kind, "/v6/application(*")
		_, values := scraped()
		lost := "all fleets there"
		if values < fleets {
			lost = fmt.Sprintf("%d of %d fleets gone", fleets-values, fleets)
		}
		o.failed = append(o.failed, fmt.Sprintf("%s, %d requests", lost, s.count(t)))
		s.call(t, http.MethodDelete, "/faults", "")
	}
	_, libraries, _ := strings.Cut(log.String(), "ready: ")
	return o, libraries
}

// dropIn runs the drop-in configuration.
func dropIn(t *testing.T, s sim, fleets int) outcome {
	t.Helper()
	s.reset(t)
	c := startCollector(t, s, "exporter-compat.yaml", 4*time.Second, nil)
	runs := c.scrapes(t, s, 3)
	o := outcome{
		requests: median(runs, func(s scrape) int { return s.requests }),
		// The simulator's clock starts when the latency has passed.
		complete: latency + median(runs, func(s scrape) time.Duration { return s.fetch }),
	}
	served := func() int { return strings.Count(process.Get(t, c.metricsURL), "\nbalena_devices_online{") }
	all := served()
	require.GreaterOrEqual(t, all, fleets)
	for _, kind := range faults {
		reported := strings.Count(c.Log.String(), "\terror\t")
		s.fail(t, kind, "/v7/application")
		requests := c.scrapes(t, s, 1)[0].requests
		lost := "all fleets there"
		if strings.Count(c.Log.String(), "\terror\t") > reported {
			lost = "last values stay, logged"
		}
		if values := served(); values < all {
			lost = fmt.Sprintf("%d of %d fleets gone", all-values, all)
		}
		o.failed = append(o.failed, fmt.Sprintf("%s, %d requests", lost, requests))
		s.call(t, http.MethodDelete, "/faults", "")
	}
	c.Stop(t)
	return o
}

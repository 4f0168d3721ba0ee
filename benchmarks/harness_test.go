//go:build e2e || bench

// Package benchmarks measures the built Collector against the built simulator, both as processes, and prints Markdown tables. The
// published ones are in RESULTS.md.
package benchmarks

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/process"
)

const (
	collectorBinary = "../dist/otelcol-balena"
	simBinary       = "../dist/balenasim"
	resultsFile     = "RESULTS.md"
)

var update = flag.Bool("update", false, "write the tables to "+resultsFile)

// sim is a running simulator in which nothing happens.
type sim struct{ url, admin string }

func startSim(t *testing.T, fleets, devices int, args ...string) sim {
	t.Helper()
	p := process.Start(t, process.Command(nil, simBinary, append([]string{
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--requests", "none", "--speed", "0",
		"--fleets", strconv.Itoa(fleets), "--devices", strconv.Itoa(devices),
	}, args...)...))
	var urls []string
	for deadline := time.Now().Add(5 * time.Minute); len(urls) < 2; time.Sleep(100 * time.Millisecond) { // many devices take a while to make up
		p.Running(t)
		require.True(t, time.Now().Before(deadline), "the simulator does not start")
		urls = regexp.MustCompile(`http://[\d.:]+`).FindAllString(p.Log.String(), -1)
	}
	return sim{url: urls[0], admin: urls[1]}
}

// requests are those since the last reset.
func (s sim) requests(t require.TestingT) []balenasim.Request {
	var requests []balenasim.Request
	require.NoError(t, json.Unmarshal([]byte(process.Get(t, s.admin+"/requests")), &requests))
	return requests
}

func (s sim) count(t require.TestingT) int64 {
	var c balenasim.Counters
	require.NoError(t, json.Unmarshal([]byte(process.Get(t, s.admin+"/counters")), &c))
	return c.Requests
}

func (s sim) reset(t *testing.T) { s.call(t, http.MethodDelete, "/requests", "") }

func (s sim) call(t *testing.T, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.admin+path, strings.NewReader(body))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Less(t, resp.StatusCode, 300)
}

// collector is a running Collector.
type collector struct {
	*process.Process
	metricsURL string // of the exporter that Prometheus pulls from, if the configuration has one
}

// startCollector runs a configuration of distribution/ against the simulator. The settings are YAML such as
// "receivers::balena::page_size: 10".
func startCollector(t *testing.T, s sim, config string, interval time.Duration, vars process.Env, settings ...string) collector {
	t.Helper()
	endpoint := process.FreeAddress(t)
	all := process.Env{
		"BALENA_API_URL":             s.url,
		"BALENA_API_KEY":             "token",
		"BALENA_TOKEN":               "token",
		"BALENA_COLLECTION_INTERVAL": interval.String(),
		"CRAWL_INTERVAL":             strconv.Itoa(int(interval.Seconds())),
		"BALENA_PROMETHEUS_ENDPOINT": endpoint,
		"BALENA_PAGE_ENDPOINT":       process.FreeAddress(t),
		"BALENA_HEALTH_ENDPOINT":     process.FreeAddress(t),
		"BALENA_TELEMETRY_PORT":      strings.Split(process.FreeAddress(t), ":")[1],
		"GOMEMLIMIT":                 "400MiB",
	}
	maps.Copy(all, vars)
	args := []string{"--config", "../distribution/" + config}
	for _, setting := range settings {
		args = append(args, "--config", "yaml:"+setting)
	}
	return collector{process.Start(t, process.Command(all, collectorBinary, args...)), "http://" + endpoint + "/metrics"}
}

// metrics enables metrics and, if only these are wanted, disables the other default ones.
func metrics(only bool, names ...string) []string {
	var settings []string
	if only {
		for _, name := range defaultMetrics() {
			if !slices.Contains(names, name) {
				settings = append(settings, "receivers::balena::metrics::"+name+"::enabled: false")
			}
		}
	}
	for _, name := range names {
		settings = append(settings, "receivers::balena::metrics::"+name+"::enabled: true")
	}
	return settings
}

// defaultMetrics are those that exporter-compat.yaml disables, and the one that it keeps: a test there ensures that the list is complete.
func defaultMetrics() []string {
	b, err := os.ReadFile("../distribution/exporter-compat.yaml")
	if err != nil {
		panic(err)
	}
	names := []string{"balena.devices.online"}
	config, _, _ := strings.Cut(string(b), "resource_attributes:")
	for _, m := range regexp.MustCompile(`(?m)^      (balena\.[a-z_.]+): \{enabled: false\}$`).FindAllStringSubmatch(config, -1) {
		names = append(names, m[1])
	}
	return names
}

// scrape is what one scrape cost.
type scrape struct {
	requests, rows int
	bytes          int64
	begin          time.Time
	fetch          time.Duration // from the first request to the last response
	cpu            time.Duration // of the process, until it is idle
}

// idleFor is how long a process must be idle to be done with a scrape.
const idleFor = 600 * time.Millisecond

// scrapes waits for n scrapes and returns what each cost.
func (c collector) scrapes(t *testing.T, s sim, n int) []scrape {
	t.Helper()
	var out []scrape
	for range n {
		before := cpuTime(t, c.PID)
		deadline := time.Now().Add(2 * time.Minute)
		for s.count(t) == 0 {
			c.Running(t)
			require.True(t, time.Now().Before(deadline), "no scrape starts")
			time.Sleep(20 * time.Millisecond)
		}
		for used, count := time.Duration(-1), int64(0); ; {
			u, n := cpuTime(t, c.PID), s.count(t)
			if u-used <= 20*time.Millisecond && n == count {
				break
			}
			used, count = u, n
			require.True(t, time.Now().Before(deadline), "the scrape does not end")
			time.Sleep(idleFor)
		}
		done := scrape{cpu: cpuTime(t, c.PID) - before}
		var end time.Time
		for _, r := range s.requests(t) {
			done.requests++
			done.rows += r.Rows
			done.bytes += r.Bytes
			if done.begin.IsZero() || r.Time.Before(done.begin) {
				done.begin = r.Time
			}
			if last := r.Time.Add(r.Duration); last.After(end) {
				end = last
			}
		}
		done.fetch = end.Sub(done.begin)
		out = append(out, done)
		s.reset(t)
	}
	return out
}

// cpuTime returns the processor time that a process has used.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skip("needs /proc to measure processes")
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] { // user and system time, in ticks of 10 ms
		n, err := strconv.Atoi(field)
		require.NoError(t, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// peakMemory returns the largest resident size of a process, in MB.
func peakMemory(t *testing.T, pid int) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(b)
	require.NotNil(t, m)
	kb, err := strconv.ParseFloat(string(m[1]), 64)
	require.NoError(t, err)
	return kb * 1024 / 1e6
}

// median is the median of a measure of the scrapes.
func median[T int | int64 | time.Duration | float64](scrapes []scrape, of func(scrape) T) T {
	values := make([]T, len(scrapes))
	for i, s := range scrapes {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// publish prints a table and, with -update, writes it to its section of the results.
func publish(t *testing.T, section, table string) {
	t.Helper()
	commit, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	table += fmt.Sprintf("\nMeasured on %d cores at commit %s.\n", runtime.NumCPU(), strings.TrimSpace(string(commit)))
	fmt.Printf("\n%s\n", table)
	if !*update {
		return
	}
	b, err := os.ReadFile(resultsFile)
	require.NoError(t, err)
	begin, end := "<!-- "+section+" -->\n", "<!-- /"+section+" -->"
	before, rest, ok := strings.Cut(string(b), begin)
	require.True(t, ok, "%s has no section %s", resultsFile, section)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	require.NoError(t, os.WriteFile(resultsFile, []byte(before+begin+table+end+after), 0o600))
}

func seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func size(bytes int64) string {
	if bytes < 1e6 {
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

//go:build e2e

package distribution

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	// patience is how long a condition may take to come true. It bounds a failing test only: a passing one goes on at once.
	patience = 30 * time.Second
	tick     = 100 * time.Millisecond
)

var binary = flag.String("binary", "../dist/otelcol-balena", "the Collector under test (make build)")

// env is the whole environment of a process: what the machine has set must not decide a test.
type env map[string]string

// collector is a running otelcol-balena.
type collector struct {
	metricsURL   string // what the prometheus exporter serves
	telemetryURL string // its own metrics
	healthURL    string

	log    *syncBuffer
	exited chan struct{} // closed when the process has ended; then waitErr may be read
	// waitErr is what exec.Cmd.Wait returned.
	waitErr error
}

// startCollector runs the binary until the end of the test, which fails unless the process then shuts down in good order.
func startCollector(t *testing.T, config string, vars env, args ...string) *collector {
	t.Helper()
	vars = withFreePorts(t, vars)
	c := &collector{
		metricsURL:   "http://" + vars["BALENA_PROMETHEUS_ENDPOINT"] + "/metrics",
		healthURL:    "http://" + vars["BALENA_HEALTH_ENDPOINT"],
		telemetryURL: "http://localhost:" + vars["BALENA_TELEMETRY_PORT"] + "/metrics",
		log:          &syncBuffer{},
		exited:       make(chan struct{}),
	}
	cmd := command(config, vars, args...)
	cmd.Stdout, cmd.Stderr = c.log, c.log
	require.NoError(t, cmd.Start(), "make build makes the binary")
	go func() {
		c.waitErr = cmd.Wait()
		close(c.exited)
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("stop the Collector: %v", err)
		}
		select {
		case <-c.exited:
			assert.NoError(t, c.waitErr, "the Collector ended badly")
		case <-time.After(patience):
			t.Errorf("the Collector still runs %s after SIGTERM", patience)
			_ = cmd.Process.Kill()
			<-c.exited
		}
		if t.Failed() {
			t.Logf("log of the Collector with %s:\n%s", config, c.log)
		}
	})
	return c
}

// runToExit runs the binary with input that it must refuse, and returns what it said.
func runToExit(t *testing.T, config string, vars env, args ...string) string {
	t.Helper()
	cmd := command(config, vars, args...)
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "the Collector accepted it and said:\n%s", out)
	require.Positive(t, exit.ExitCode(), "the Collector went on until it was killed and said:\n%s", out)
	return string(out)
}

func command(config string, vars env, args ...string) *exec.Cmd {
	cmd := exec.Command(*binary, append([]string{"--config", config}, args...)...)
	cmd.Env = []string{} // not nil, which would mean the environment of the test
	for name, value := range vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// running fails the test if the process has ended.
func (c *collector) running(t require.TestingT) {
	select {
	case <-c.exited:
		require.FailNow(t, "the Collector has ended", "%v", c.waitErr)
	default:
	}
}

// ownMetric returns the sum over the series of one of the Collector's own metrics.
func (c *collector) ownMetric(t require.TestingT, name string) float64 {
	body := get(t, c.telemetryURL)
	sum, found := 0.0, false
	for _, match := range regexp.MustCompile(`(?m)^`+name+`(?:\{.*\})? (\S+)$`).FindAllStringSubmatch(body, -1) {
		value, err := strconv.ParseFloat(match[1], 64)
		require.NoError(t, err)
		sum += value
		found = true
	}
	require.True(t, found, "the Collector's own telemetry has no %s:\n%s", name, body)
	return sum
}

// eventually waits until the condition holds; what it asserts last is what the test reports.
func eventually(t *testing.T, condition func(t *assert.CollectT)) {
	t.Helper()
	require.EventuallyWithT(t, condition, patience, tick)
}

// get returns the body of a successful answer.
func get(t require.TestingT, url string) string {
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s: %s", url, body)
	return string(body)
}

// withFreePorts adds the ports that a configuration of this folder listens on.
func withFreePorts(t *testing.T, vars env) env {
	t.Helper()
	vars = maps.Clone(vars)
	if vars == nil {
		vars = env{}
	}
	vars["BALENA_PROMETHEUS_ENDPOINT"] = freeAddress(t)
	vars["BALENA_HEALTH_ENDPOINT"] = freeAddress(t)
	_, vars["BALENA_TELEMETRY_PORT"], _ = net.SplitHostPort(freeAddress(t))
	return vars
}

// freeAddress was free a moment ago: a Collector that chose a port itself could not tell which.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// syncBuffer may be read while a process writes to it.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.TrimSpace(b.buf.String())
}

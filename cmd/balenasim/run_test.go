package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const dataset = "../../testdata/conformance/dataset"

// lines collects output and signals the first line.
type lines struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	first chan string
	once  sync.Once
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.once.Do(func() { l.first <- string(b) })
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// started runs the command until the test ends and returns its first line.
func started(t *testing.T, stderr io.Writer, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out := &lines{first: make(chan string, 1)}
	done := make(chan error, 1)
	go func() { done <- run(ctx, append([]string{"--listen", "127.0.0.1:0"}, args...), out, stderr) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			assert.NoError(t, err, "stops gracefully")
		case <-time.After(10 * time.Second):
			t.Error("does not stop")
		}
	})
	select {
	case line := <-out.first:
		return line
	case err := <-done:
		done <- err
		require.NoError(t, err)
		return ""
	}
}

var url = regexp.MustCompile(`http://[\d.:]+`)

func fetch(t *testing.T, url, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func TestRun_Dataset(t *testing.T) {
	log := &lines{first: make(chan string, 1)}
	line := started(t, log, "--dataset", dataset, "--token", "secret", "--admin", "127.0.0.1:0")
	assert.Regexp(t, `^balenasim serves .*dataset \(7 fleets, 42 devices\) at http://127\.0\.0\.1:\d+, admin at http://127\.0\.0\.1:\d+\n$`, line)
	addresses := url.FindAllString(line, -1)
	status, body := fetch(t, addresses[0]+"/v7/device/$count", "secret")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, `{"d":42}`, body)
	status, _ = fetch(t, addresses[0]+"/v7/device/$count", "other")
	assert.Equal(t, http.StatusUnauthorized, status)
	_, body = fetch(t, addresses[1]+"/counters", "")
	assert.Contains(t, body, `"requests":2`)
	assert.Contains(t, log.String(), `method=GET target=/v7/device/$count status=200`)
}

func TestRun_Scenario(t *testing.T) {
	line := started(t, io.Discard, "--fleets", "2", "--devices", "10", "--speed", "1000", "--requests", "none")
	assert.Contains(t, line, "scenario calm (2 fleets, 10 devices)")
	status, body := fetch(t, url.FindString(line)+"/v7/device/$count", "token")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, `{"d":10}`, body)
}

func TestRun_StopsWithOpenLogStreams(t *testing.T) {
	line := started(t, io.Discard, "--dataset", dataset, "--requests", "none", "--log-heartbeat", "1ms")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		url.FindString(line)+"/device/v2/827050a823694584bf5e9ff0ff50bde4/logs?stream=1", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer token")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	assert.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestRun_Command(t *testing.T) {
	var out bytes.Buffer
	const command = `printf '%s %s %s\n' "$BALENA_API_URL" "$BALENA_API_KEY" "$BALENA_TOKEN"; exit 3`
	err := run(t.Context(), []string{"--listen", "127.0.0.1:0", "--token", "secret", "--devices", "1", "--", "sh", "-c", command}, &out, io.Discard)
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "exits with the command")
	assert.Equal(t, 3, exitCode(err))
	said := strings.SplitN(out.String(), "\n", 2)
	assert.Equal(t, url.FindString(said[0])+" secret secret\n", said[1])

	ctx, cancel := context.WithCancel(t.Context())
	lines := &lines{first: make(chan string, 1)}
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--listen", "127.0.0.1:0", "--devices", "1", "--", "sh", "-c", "trap 'echo ended; exit 0' TERM; echo up; while :; do sleep 0.01; done"}, lines, io.Discard)
	}()
	require.Eventually(t, func() bool { return strings.Contains(lines.String(), "\nup\n") }, 10*time.Second, time.Millisecond)
	cancel()
	require.NoError(t, <-done)
	assert.Contains(t, lines.String(), "ended", "stops the command")

	err = run(t.Context(), []string{"--listen", "127.0.0.1:0", "--devices", "1", "--", "/nonexistent"}, io.Discard, io.Discard)
	assert.ErrorContains(t, err, "/nonexistent")
}

func TestRun_Latency(t *testing.T) {
	const latency = 50 * time.Millisecond
	line := started(t, io.Discard, "--devices", "1", "--requests", "none", "--latency", latency.String())
	start := time.Now()
	fetch(t, url.FindString(line)+"/v7/device/$count", "token")
	assert.GreaterOrEqual(t, time.Since(start), latency)
}

func TestRun_InvalidFlags(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "device.json")
	require.NoError(t, os.WriteFile(bad, []byte(`[{"id":"x"}]`), 0o600))
	scenario := filepath.Join(dir, "bad.yaml")
	require.NoError(t, os.WriteFile(scenario, []byte("fleets: many\n"), 0o600))
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"--listen", "7070"}, `--listen "7070": not an address; give a host and a port, such as 127.0.0.1:7070`},
		{[]string{"--listen", "256.0.0.1:1"}, `choose another port`},
		{[]string{"--nosuch"}, `--help lists the flags`},
		{[]string{"extra"}, `unexpected argument "extra"`},
		{[]string{"--token", ""}, `--token ""`},
		{[]string{"--dataset", "/nonexistent"}, `give a directory with files such as device.json`},
		{[]string{"--dataset", bad}, `not a directory`},
		{[]string{"--dataset", dir}, `row 0, field "id"`},
		{[]string{"--dataset", t.TempDir()}, `no *.json files`},
		{[]string{"--dataset", dir, "--devices", "5"}, `--devices and --dataset are mutually exclusive`},
		{[]string{"--scenario", "nosuch"}, `shipped are calm, noisy, outage, rollout`},
		{[]string{"--scenario", "./nosuch.yaml"}, `give a YAML file or one of calm`},
		{[]string{"--scenario", scenario}, "cannot unmarshal"},
		{[]string{"--devices", "-1"}, `--devices -1: must not be negative`},
		{[]string{"--devices", "99999999"}, `devices: 99999999 must be from 0 to`},
		{[]string{"--speed", "-1"}, `--speed -1: must be from 0`},
		{[]string{"--latency", "-1s"}, `--latency -1s: must not be negative`},
		{[]string{"--"}, `no command follows`},
		{[]string{"--requests", "loud"}, `must be text, json or none`},
	} {
		err := run(t.Context(), append([]string{"--listen", "127.0.0.1:0"}, test.args...), io.Discard, io.Discard)
		assert.ErrorContains(t, err, test.says, test.args)
	}
}

func TestRun_Help(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"--help"}, &out, io.Discard)
	require.Error(t, err)
	for _, word := range []string{"--dataset", "--scenario", "curl", "127.0.0.1:7070", "calm, noisy, outage, rollout"} {
		assert.Contains(t, out.String(), word)
	}
}

//go:build bench

package benchmarks

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/process"
)

const (
	loggingDevices = 500
	linesPerSecond = 20 // of each device
)

// What the logs of devices cost, streamed and polled.
func TestLogs(t *testing.T) {
	sc, err := balenasim.ShippedScenario("calm")
	require.NoError(t, err)
	sc.Fleets, sc.Devices = 5, loggingDevices
	simulator := balenasim.New()
	require.NoError(t, simulator.Play(sc))
	go simulator.Run(t.Context(), 1) // its clock stamps the lines
	server := httptest.NewServer(simulator)
	t.Cleanup(server.Close)

	table := fmt.Sprintf("%d devices with %d lines a second each, of some 100 bytes; `distribution/device-logs.yaml`, after all "+
		"devices were read once. The simulator writes and serves the lines, and a backend takes them, in another process:\n\n"+
		"| read by | lines written per second | lines delivered per second | requests per minute | processor time per second | per 10,000 lines | peak memory |\n"+
		"|---|---:|---:|---:|---:|---:|---:|\n", loggingDevices, linesPerSecond)
	for _, way := range []struct {
		name     string
		settings string
	}{
		{"stream", "{mode: stream, request_limit: 50}"},
		{"poll, each 20 s", "{mode: poll, poll_interval: 20s, request_limit: 50}"},
		{"stream, while nothing is written", "{mode: stream, request_limit: 50}"},
	} {
		table += measureLogs(t, simulator, server.URL, way.name, way.settings)
	}
	publish(t, "logs", table)
}

func measureLogs(t *testing.T, simulator *balenasim.Simulator, url, name, settings string) string {
	t.Helper()
	var delivered atomic.Int64
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := gzip.NewReader(r.Body)
		if !assert.NoError(t, err) {
			return
		}
		data, err := io.ReadAll(body)
		assert.NoError(t, err)
		logs := plogotlp.NewExportRequest()
		assert.NoError(t, logs.UnmarshalProto(data))
		delivered.Add(int64(logs.Logs().LogRecordCount()))
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer backend.Close()
	stop := make(chan struct{})
	written := &atomic.Int64{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !strings.Contains(name, "nothing") {
			writeLogs(t, simulator, stop, written)
		}
	}()
	c := startCollector(t, sim{url: url}, "device-logs.yaml", 10*time.Second, process.Env{
		"BALENA_STATE_DIRECTORY": t.TempDir(), "BALENA_OTLP_ENDPOINT": backend.URL, "GOMEMLIMIT": "180MiB",
	}, "receivers::balena::device_logs: "+settings)
	time.Sleep(25 * time.Second) // until each stream is open, and each device was polled
	cpu, began := cpuTime(t, c.PID), time.Now()
	lines, had, requests := written.Load(), delivered.Load(), simulator.Counters().Requests
	time.Sleep(30 * time.Second)
	used, took := cpuTime(t, c.PID)-cpu, time.Since(began).Seconds()
	writing, delivering := float64(written.Load()-lines)/took, float64(delivered.Load()-had)/took
	requests = simulator.Counters().Requests - requests
	peak := peakMemory(t, c.PID)
	close(stop)
	<-done
	if writing > 0 {
		process.Eventually(t, func(t *assert.CollectT) { assert.GreaterOrEqual(t, delivered.Load(), written.Load()-lines) })
	}
	c.Stop(t)
	per := "–"
	if writing > 0 && delivering > 0 {
		per = seconds(time.Duration(used.Seconds() / took / delivering * 1e4 * float64(time.Second)))
	}
	return fmt.Sprintf("| %s | %.0f | %.0f | %.0f | %s | %s | %.0f MB |\n", name, writing, delivering, float64(requests)/took*60,
		seconds(time.Duration(float64(used)/took)), per, peak)
}

// writeLogs writes lines to the logs of all devices.
func writeLogs(t *testing.T, simulator *balenasim.Simulator, stop chan struct{}, written *atomic.Int64) {
	uuids := deviceUUIDs(t, simulator)
	const each = linesPerSecond / 4
	ticker := time.NewTicker(time.Second / 4)
	defer ticker.Stop()
	for {
		for i, uuid := range uuids {
			lines := make([]balenasim.LogLine, each)
			for j := range lines {
				lines[j] = balenasim.LogLine{ServiceID: 1, Message: fmt.Sprintf(
					"device %d: request %d to /api/v1/measurements finished with status 200 in %d ms, %s", i, written.Load()+int64(j), 7*j, "some more")}
			}
			if err := simulator.WriteLogs(uuid, lines...); !assert.NoError(t, err) {
				return
			}
			written.Add(each)
		}
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
	}
}

func deviceUUIDs(t *testing.T, simulator *balenasim.Simulator) (uuids []string) {
	rows, err := simulator.Rows("device", "uuid")
	require.NoError(t, err)
	for _, row := range rows {
		uuids = append(uuids, row["uuid"].(string))
	}
	require.Len(t, uuids, loggingDevices)
	return uuids
}

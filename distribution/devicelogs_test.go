//go:build e2e

package distribution

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

const warehouseDeviceUUID = "827050a823694584bf5e9ff0ff50bde4"

// The shipped configuration delivers each line once, also what is written while the Collector does not run, or the backend is down.
func TestDeviceLogsYAML_OverARestart(t *testing.T) {
	t.Parallel()
	api, backend := startAPI(t), startLogBackend(t)
	vars := api.env()
	vars["BALENA_STATE_DIRECTORY"] = t.TempDir()
	vars["BALENA_OTLP_ENDPOINT"] = backend.URL
	vars["BALENA_LOGS_FLEETS"] = "[acme/warehouse-*]"
	args := []string{"--set", "exporters::otlp_http::compression=none", "--set", "receivers::balena::device_logs::start_at=beginning"}
	var want []string
	write := func(text string) {
		require.NoError(t, api.sim.WriteLogs(warehouseDeviceUUID, balenasim.LogLine{Message: text, ServiceID: 1}))
		want = append(want, text)
	}
	delivered := func() {
		eventually(t, func(t *assert.CollectT) { assert.Equal(t, want, backend.received()) })
	}

	write("before")
	c := startCollector(t, "device-logs.yaml", vars, args...)
	delivered()
	write("live")
	delivered()
	c.Stop(t)
	write("meanwhile")
	vars["BALENA_OTLP_ENDPOINT"] = "http://127.0.0.1:1"
	c = startCollector(t, "device-logs.yaml", vars, args...)
	eventually(t, func(t *assert.CollectT) {
		assert.Contains(t, c.Log.String(), "The pipeline refuses logs of devices")
	})
	c.Stop(t)
	vars["BALENA_OTLP_ENDPOINT"] = backend.URL
	startCollector(t, "device-logs.yaml", vars, args...)
	delivered()
}

func TestDeviceLogsYAML_ToAFile(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	path := filepath.Join(t.TempDir(), "logs.json")
	vars := api.env()
	vars["BALENA_STATE_DIRECTORY"] = t.TempDir()
	vars["BALENA_LOGS_EXPORTER"], vars["BALENA_LOGS_FILE"] = "file", path
	require.NoError(t, api.sim.WriteLogs(warehouseDeviceUUID, balenasim.LogLine{Message: "to a file", ServiceID: 1}))
	startCollector(t, "device-logs.yaml", vars, "--set", "receivers::balena::device_logs::start_at=beginning")
	eventually(t, func(t *assert.CollectT) {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, 1, strings.Count(string(data), `"body":{"stringValue":"to a file"}`), "%s", data)
	})
}

//go:build e2e

package distribution

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// logBackend receives OTLP over HTTP.
type logBackend struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string // of the records
}

func startLogBackend(t *testing.T) *logBackend {
	t.Helper()
	b := &logBackend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || r.Header.Get("Content-Encoding") != "" {
			http.Error(w, "unexpected body", http.StatusBadRequest)
			return
		}
		request := plogotlp.NewExportRequest()
		if err := request.UnmarshalProto(data); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, resource := range request.Logs().ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					b.bodies = append(b.bodies, record.Body().Str())
				}
			}
		}
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *logBackend) received() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.bodies...)
}

// The shipped configuration tells each change once, also what changes while the Collector does not run.
func TestEventsYAML_OverARestart(t *testing.T) {
	t.Parallel()
	api, backend := startAPI(t), startLogBackend(t)
	vars := api.env()
	vars["BALENA_STATE_DIRECTORY"] = t.TempDir()
	vars["BALENA_OTLP_ENDPOINT"] = backend.URL
	rename := func(name string) {
		require.NoError(t, api.sim.Update("device", warehouseDeviceID, map[string]any{"device_name": name}))
	}
	args := []string{"--set", "exporters::otlp_http::compression=none"}
	var want []string
	tells := func(sentence string) {
		want = append(want, sentence)
		eventually(t, func(t *assert.CollectT) { assert.Equal(t, want, backend.received()) })
	}

	c := startCollector(t, "events.yaml", vars, args...)
	eventually(t, func(t *assert.CollectT) { assert.NotEmpty(t, api.sim.Requests()) })
	eventually(t, func(t *assert.CollectT) { assert.Contains(t, get(t, c.healthURL), `"healthy":true`) })
	scraped := len(api.sim.Requests())
	eventually(t, func(t *assert.CollectT) { assert.Greater(t, len(api.sim.Requests()), scraped+20) })
	rename("one")
	tells("Device one of acme/warehouse-gateways was renamed, from warehouse-gateways-00")
	c.Stop(t)
	rename("two")
	c = startCollector(t, "events.yaml", vars, args...)
	tells("Device two of acme/warehouse-gateways was renamed, from one")
	c.Stop(t)
}

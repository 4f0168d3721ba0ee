package fleetpage

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// start serves a page on a free port and returns its URL.
func start(t *testing.T, adapt func(*Config)) (exporter.Metrics, string) {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.NetAddr.Endpoint = freeAddress(t)
	if adapt != nil {
		adapt(cfg)
	}
	e, err := NewFactory().CreateMetrics(t.Context(), exportertest.NewNopSettings(NewFactory().Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	return e, "http://" + cfg.NetAddr.Endpoint
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	return string(body)
}

func fleet(name string) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	rm := metrics.ResourceMetrics().AppendEmpty()
	attributes := rm.Resource().Attributes()
	attributes.PutStr("balena.fleet.slug", "acme/"+name)
	attributes.PutStr("balena.fleet.name", name)
	attributes.PutStr("team.name", "red")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("balena.devices.online")
	m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	return metrics
}

func TestExporter_ServesWhatItConsumes(t *testing.T) {
	e, url := start(t, func(c *Config) { c.Tags.Fleets = map[string]string{"team": "team.name", "env": ""} })
	assert.False(t, e.Capabilities().MutatesData, "the Collector need not copy metrics for it")
	assert.Contains(t, get(t, url), "Waiting for the first metrics")
	require.NoError(t, e.ConsumeMetrics(t.Context(), fleet("kiosks")))
	assert.Contains(t, get(t, url+"/fleets?q=team%3Dred"), "kiosks")
}

func TestExporter_Start_AddressInUse(t *testing.T) {
	_, url := start(t, nil)
	cfg := createDefaultConfig().(*Config)
	cfg.NetAddr.Endpoint = url[len("http://"):]
	e, err := NewFactory().CreateMetrics(t.Context(), exportertest.NewNopSettings(NewFactory().Type()), cfg)
	require.NoError(t, err)
	err = e.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorContains(t, err, `listen for the fleet page at "endpoint" `+cfg.NetAddr.Endpoint)
	require.ErrorContains(t, err, "choose another address if it is in use")
	require.NoError(t, e.Shutdown(t.Context()))
}

// Scrapes arrive while pages are read (run with -race; the package's goleak finds what stays behind).
func TestExporter_ScrapeWhileRead(t *testing.T) {
	e, url := start(t, nil)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 20 {
				assert.NoError(t, e.ConsumeMetrics(t.Context(), fleet("kiosks")))
			}
		})
		group.Go(func() {
			for range 10 {
				get(t, url+"/fleets")
			}
		})
	}
	group.Wait()
}

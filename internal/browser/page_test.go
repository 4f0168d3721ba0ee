package browser

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-balena/balenareceiver/fleetpage"
)

// served is a page that has been given metrics.
type served struct {
	exporter.Metrics
	url string
}

func serve(t *testing.T, metrics ...pmetric.Metrics) served {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	factory := fleetpage.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"endpoint": address}).Unmarshal(cfg))
	page, err := factory.CreateMetrics(t.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, page.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, page.Shutdown(context.Background())) })
	s := served{page, "http://" + address + "/"}
	s.consume(t, metrics...)
	return s
}

func (s served) consume(t *testing.T, metrics ...pmetric.Metrics) {
	t.Helper()
	for _, m := range metrics {
		require.NoError(t, s.ConsumeMetrics(t.Context(), m))
	}
}

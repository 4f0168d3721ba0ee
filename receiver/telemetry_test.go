package receiver

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadatatest"
)

func TestTelemetry(t *testing.T) {
	t.Parallel()
	reader := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, reader.Shutdown(context.WithoutCancel(t.Context()))) })
	api := &faulty{Handler: realAccount(t)}
	cfg := testConfig(serve(t, api))
	enableOnly(cfg, func(m *metadata.MetricsConfig) []*bool {
		return []*bool{&m.BalenaDevicesOnline.Enabled, &m.BalenaDeviceOnline.Enabled}
	})
	cfg.MetricsBuilderConfig.ResourceAttributes.BalenaDeviceType.Enabled = false
	settings := metadatatest.NewSettings(reader)
	settings.ID = component.MustNewIDWithName("balena", "acme")
	s, err := newBalenaScraper(cfg, settings, nil)
	require.NoError(t, err)
	now := datasetTime
	s.now = func() time.Time { return now }
	require.NoError(t, s.start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, s.shutdown(t.Context())) })

	_, err = s.scrape(t.Context())
	require.NoError(t, err)
	api.fault = failWith(http.StatusInternalServerError, deviceTarget)
	now = now.Add(time.Minute)
	_, err = s.scrape(t.Context())
	require.Error(t, err)
	now = now.Add(30 * time.Second)

	receiver := attribute.String("receiver", "balena/acme")
	of := func(attributes ...attribute.KeyValue) attribute.Set {
		return attribute.NewSet(append(attributes, receiver)...)
	}
	resource, status := func(name string) attribute.KeyValue { return attribute.String("balena.api.resource", name) },
		func(code int) attribute.KeyValue { return attribute.Int("http.response.status_code", code) }
	ignore := metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualReceiverBalenaAPIRequests(t, reader, []metricdata.DataPoint[int64]{
		{Attributes: of(resource("application"), status(200)), Value: 2},
		{Attributes: of(resource("device"), status(200)), Value: 1},
		{Attributes: of(resource("device"), status(500), attribute.String("error.type", "500")), Value: 1},
	}, ignore)
	metadatatest.AssertEqualReceiverBalenaAPIRows(t, reader, []metricdata.DataPoint[int64]{
		{Attributes: of(resource("application")), Value: 10},
		{Attributes: of(resource("device")), Value: 42},
	}, ignore)
	metadatatest.AssertEqualReceiverBalenaAPIRetries(t, reader, []metricdata.DataPoint[int64]{
		{Attributes: of(resource("application")), Value: 0},
		{Attributes: of(resource("device")), Value: 0},
	}, ignore)
	metadatatest.AssertEqualReceiverBalenaScrapeCoverage(t, reader, []metricdata.DataPoint[float64]{
		{Attributes: of(), Value: 5.0 / 47},
	}, ignore)
	metadatatest.AssertEqualReceiverBalenaSnapshotAge(t, reader, []metricdata.DataPoint[float64]{
		{Attributes: of(), Value: 90},
	}, ignore)
	for name, got := range map[string]func() (metricdata.Metrics, error){
		"bytes":    func() (metricdata.Metrics, error) { return reader.GetMetric("otelcol_receiver_balena_api_bytes") },
		"wait":     func() (metricdata.Metrics, error) { return reader.GetMetric("otelcol_receiver_balena_api_wait_time") },
		"duration": func() (metricdata.Metrics, error) { return reader.GetMetric("otelcol_receiver_balena_api_duration") },
	} {
		metric, err := got()
		require.NoError(t, err, name)
		assert.NotNil(t, metric.Data, name)
	}
}

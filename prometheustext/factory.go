package prometheustext

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otelcol-balena/balenareceiver/prometheustext/internal/metadata"
)

// NewFactory returns the factory of the exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig, exporter.WithMetrics(createMetrics, metadata.MetricsStability))
}

func createMetrics(ctx context.Context, settings exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	e, err := newTextExporter(cfg.(*Config), settings)
	if err != nil {
		return nil, err
	}
	// Values are copied out of the metrics, so others may have them too.
	return exporterhelper.NewMetrics(ctx, settings, cfg, e.consume, exporterhelper.WithStart(e.start), exporterhelper.WithShutdown(e.shutdown))
}

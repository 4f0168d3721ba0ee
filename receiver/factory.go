package receiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// NewFactory returns the factory of the balena receiver.
func NewFactory() receiver.Factory {
	f := &factory{pollers: map[*Config]*poller{}}
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithMetrics(f.createMetrics, metadata.MetricsStability),
		receiver.WithLogs(f.createLogs, metadata.LogsStability),
	)
}

func (f *factory) createMetrics(_ context.Context, settings receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	return f.join(cfg.(*Config), settings, pipelines{metrics: next}), nil
}

func (f *factory) createLogs(_ context.Context, settings receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	return f.join(cfg.(*Config), settings, pipelines{logs: next}), nil
}

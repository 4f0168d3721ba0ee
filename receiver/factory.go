package receiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// NewFactory returns the factory of the balena receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithMetrics(createMetricsReceiver, metadata.MetricsStability),
	)
}

func createMetricsReceiver(_ context.Context, settings receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	config := cfg.(*Config)
	s, err := newBalenaScraper(config, settings)
	if err != nil {
		return nil, err
	}
	metricsScraper, err := scraper.NewMetrics(s.scrape, scraper.WithStart(s.start), scraper.WithShutdown(s.shutdown))
	if err != nil {
		return nil, err
	}
	canceling, err := consumer.NewMetrics(func(ctx context.Context, metrics pmetric.Metrics) error {
		ctx, cancel := s.untilShutdown(ctx)
		defer cancel()
		return next.ConsumeMetrics(ctx, metrics)
	}, consumer.WithCapabilities(next.Capabilities()))
	if err != nil {
		return nil, err
	}
	controller, err := scraperhelper.NewMetricsController(&config.ControllerConfig, settings, canceling,
		scraperhelper.AddMetricsScraper(metadata.Type, metricsScraper))
	if err != nil {
		return nil, err
	}
	return &cancelingReceiver{Metrics: controller, cancel: s.cancel}, nil
}

// cancelingReceiver cancels a running scrape, or a pipeline that blocks, before it waits for it to end: the controller alone would wait
// until the scrape's timeout, or forever.
type cancelingReceiver struct {
	receiver.Metrics
	cancel context.CancelFunc
}

func (r *cancelingReceiver) Shutdown(ctx context.Context) error {
	r.cancel()
	return r.Metrics.Shutdown(ctx)
}

package prometheustext

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-balena/balenareceiver/prometheustext/internal/metadata"
)

// maxWarnings bounds the metrics that are remembered because they were warned about.
const maxWarnings = 1000

// textExporter receives metrics and serves pages.
type textExporter struct {
	config    *Config
	settings  exporter.Settings
	telemetry *metadata.TelemetryBuilder

	server  *http.Server
	serving sync.WaitGroup

	mu     sync.Mutex // held while a batch is taken in and while a page is written
	state  *state
	begin  time.Time
	warned map[string]struct{}
}

func newTextExporter(config *Config, settings exporter.Settings) (*textExporter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(settings.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("create the exporter's own metrics: %w", err)
	}
	return &textExporter{
		config: config, settings: settings, telemetry: telemetry,
		state: newState(config.MetricExpiration), begin: time.Now(), warned: map[string]struct{}{},
	}, nil
}

func (e *textExporter) start(ctx context.Context, host component.Host) error {
	listener, err := e.config.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("listen at endpoint %q: %w", e.config.NetAddr.Endpoint, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", http.HandlerFunc(e.serve))
	if e.server, err = e.config.ToServer(ctx, host.GetExtensions(), e.settings.TelemetrySettings, mux); err != nil {
		return errors.Join(fmt.Errorf("configure the server at endpoint %q: %w", e.config.NetAddr.Endpoint, err), listener.Close())
	}
	e.serving.Go(func() {
		if err := e.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("serve metrics: %w", err)))
		}
	})
	return nil
}

func (e *textExporter) shutdown(ctx context.Context) error {
	var err error
	if e.server != nil {
		err = e.server.Shutdown(ctx)
		e.serving.Wait()
	}
	e.telemetry.Shutdown()
	return err
}

// consume takes a batch in. What the format cannot show is counted, and the rest is served: a batch that is refused as a whole would
// be one that nobody sees.
func (e *textExporter) consume(ctx context.Context, metrics pmetric.Metrics) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.state.update(metrics, time.Since(e.begin)) {
		e.telemetry.ExporterPrometheusTextRefusedPoints.Add(ctx, int64(r.points), metric.WithAttributes(
			attribute.String("exporter", e.settings.ID.String()), attribute.String("error.type", r.reason)))
		if _, known := e.warned[r.metric]; !known && len(e.warned) < maxWarnings {
			e.warned[r.metric] = struct{}{}
			e.settings.Logger.Warn("Refusing data points that the Prometheus text format cannot show; logged once for each metric",
				zap.String("metric", r.metric), zap.Error(r.err))
		}
	}
	return nil
}

// page returns the page that shows the state now.
func (e *textExporter) page() (*page, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state.render(time.Since(e.begin))
}

func (e *textExporter) serve(w http.ResponseWriter, r *http.Request) {
	page, err := e.page()
	if err != nil {
		e.settings.Logger.Error("Writing a page failed", zap.Error(err))
		http.Error(w, "writing the page failed", http.StatusInternalServerError)
		return
	}
	if err := page.serve(w, r); err != nil {
		e.settings.Logger.Debug("Sending a page failed", zap.Error(err))
	}
}

// Package pipeline runs a balena receiver and the exporter behind it within a test, without a socket between the API, the
// receiver and whoever reads /metrics.
//
// The receiver runs in a [testing/synctest] bubble, so that hours of scrapes pass in milliseconds and each scrape can be waited for. The
// exporter listens on a socket that nobody uses. Waiting for connections is not "durably blocked", so it has to be made outside of the bubble:
//
//	exporter, err := pipeline.NewExporter(ctx, 5*time.Minute)
//	…
//	synctest.Test(t, func(t *testing.T) {
//		scrapes, err := pipeline.Start(ctx, exporter, config, transport)
//		…
//		scrapes.Next()
//		series, err := exporter.Series()
package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.opentelemetry.io/collector/pdata/pmetric"
	otelreceiver "go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-balena/balenareceiver/prometheustext"
	"github.com/otelcol-balena/balenareceiver/receiver"
)

// middleware is the id by which the configurations name the extensions that replace the network.
var middleware = component.MustNewID("inprocess")

// Exporter is an exporter from which Prometheus pulls.
type Exporter struct {
	exporter.Metrics
	handler http.Handler
}

// NewExporter starts the exporter that distribution/otelcol.yaml configures, which serves a series for the given time after its last point.
// Call it outside of a bubble.
func NewExporter(ctx context.Context, expiration time.Duration) (*Exporter, error) {
	return newExporter(ctx, prometheustext.NewFactory(), map[string]any{"metric_expiration": expiration.String()})
}

// NewPrometheusExporter starts the Collector's own Prometheus exporter in its place, as docs/operating.md configures it.
func NewPrometheusExporter(ctx context.Context, expiration time.Duration) (*Exporter, error) {
	return newExporter(ctx, prometheusexporter.NewFactory(), map[string]any{
		"resource_to_telemetry_conversion": map[string]any{"enabled": true},
		"without_scope_info":               true,
		"metric_expiration":                expiration.String(),
	})
}

func newExporter(ctx context.Context, factory exporter.Factory, config map[string]any) (*Exporter, error) {
	cfg := factory.CreateDefaultConfig()
	config["endpoint"] = "127.0.0.1:0"
	config["middlewares"] = []any{map[string]any{"id": middleware.String()}}
	if err := configure(cfg, config); err != nil {
		return nil, fmt.Errorf("configure the %s exporter: %w", factory.Type(), err)
	}
	metrics, err := factory.CreateMetrics(ctx, exportertest.NewNopSettings(factory.Type()), cfg)
	if err != nil {
		return nil, fmt.Errorf("create the %s exporter: %w", factory.Type(), err)
	}
	e := &Exporter{Metrics: metrics}
	takeHandler := extensionmiddleware.GetHTTPHandlerFunc(func(context.Context) (extensionmiddleware.WrapHTTPHandlerFunc, error) {
		return func(_ context.Context, handler http.Handler) (http.Handler, error) {
			e.handler = handler
			return handler, nil
		}, nil
	})
	if err := metrics.Start(ctx, newHost(serverMiddleware{HTTPServer: takeHandler})); err != nil {
		return nil, fmt.Errorf("start the %s exporter: %w", factory.Type(), err)
	}
	return e, nil
}

// Text is /metrics as it is served now, in the Prometheus text format.
func (e *Exporter) Text() ([]byte, error) {
	recorder := httptest.NewRecorder()
	e.handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if recorder.Code != http.StatusOK {
		return nil, fmt.Errorf("/metrics: status %d: %s", recorder.Code, recorder.Body)
	}
	return recorder.Body.Bytes(), nil
}

// Series are the values served now, by series as /metrics writes them: `name{label="value",…}` with labels in ascending order.
func (e *Exporter) Series() (map[string]float64, error) {
	text, err := e.Text()
	if err != nil {
		return nil, err
	}
	series := make(map[string]float64, bytes.Count(text, []byte{'\n'}))
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		end := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[end+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("/metrics: line %q: %w", line, err)
		}
		key := line[:end]
		if _, twice := series[key]; twice {
			return nil, fmt.Errorf("/metrics: the series %s appears twice", key)
		}
		series[key] = value
	}
	return series, nil
}

// Scrapes is a running receiver.
type Scrapes struct {
	receiver otelreceiver.Metrics
	done     chan struct{}
	logs     *observer.ObservedLogs
}

// Start starts a receiver with the given configuration, as in YAML, whose requests are served by the transport. Call it within a
// bubble. Each scrape is handed to next, the exporter for example. The receiver's own metrics go to meters, which may be nil.
func Start(ctx context.Context, next consumer.Metrics, config map[string]any, transport http.RoundTripper, meters metric.MeterProvider) (*Scrapes, error) {
	factory := receiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	if err := configure(cfg, config); err != nil {
		return nil, fmt.Errorf("configure the receiver: %w", err)
	}
	core, logs := observer.New(zap.WarnLevel)
	settings := receivertest.NewNopSettings(factory.Type())
	settings.ID = component.NewID(factory.Type())
	settings.Logger = zap.New(core)
	if meters != nil {
		settings.MeterProvider = meters
	}

	s := &Scrapes{done: make(chan struct{}, 1), logs: logs}
	scraped, err := consumer.NewMetrics(func(ctx context.Context, metrics pmetric.Metrics) error {
		err := next.ConsumeMetrics(ctx, metrics)
		s.done <- struct{}{}
		return err
	}, consumer.WithCapabilities(next.Capabilities()))
	if err != nil {
		return nil, err
	}
	if s.receiver, err = factory.CreateMetrics(ctx, settings, cfg, scraped); err != nil {
		return nil, fmt.Errorf("create the receiver: %w", err)
	}
	wrap := extensionmiddleware.GetHTTPRoundTripperFunc(func(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
		return func(context.Context, http.RoundTripper) (http.RoundTripper, error) { return transport, nil }, nil
	})
	if err := s.receiver.Start(ctx, newHost(clientMiddleware{HTTPClient: wrap})); err != nil {
		return nil, fmt.Errorf("start the receiver: %w", err)
	}
	return s, nil
}

// Endpoint is the part of a receiver's configuration that sends its requests to the transport.
func Endpoint() map[string]any {
	return map[string]any{
		"endpoint":    "https://api.balena.test",
		"middlewares": []any{map[string]any{"id": middleware.String()}},
	}
}

// Transport serves requests with a handler.
type Transport struct{ http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	t.ServeHTTP(recorder, r)
	response := recorder.Result()
	response.Request = r
	return response, nil
}

// Next lets time pass until the next scrape is over, and all that it set off.
func (s *Scrapes) Next() {
	<-s.done
	synctest.Wait()
}

// Logs returns what was logged since the last call, from warnings on.
func (s *Scrapes) Logs() []string {
	var lines []string
	for _, entry := range s.logs.TakeAll() {
		line := entry.Message
		for key, value := range entry.ContextMap() {
			line += fmt.Sprintf(" %s=%v", key, value)
		}
		lines = append(lines, line)
	}
	return lines
}

// Stop shuts the receiver down.
func (s *Scrapes) Stop(ctx context.Context) error { return s.receiver.Shutdown(ctx) }

// configure unmarshals a configuration as the Collector does, and validates it.
func configure(cfg component.Config, values map[string]any) error {
	if err := confmap.NewFromStringMap(values).Unmarshal(cfg); err != nil {
		return err
	}
	return xconfmap.Validate(cfg)
}

type (
	serverMiddleware struct {
		component.StartFunc
		component.ShutdownFunc
		extensionmiddleware.HTTPServer
	}
	clientMiddleware struct {
		component.StartFunc
		component.ShutdownFunc
		extensionmiddleware.HTTPClient
	}
	host struct {
		component.Host
		extensions map[component.ID]component.Component
	}
)

func newHost(extension component.Component) host {
	return host{Host: componenttest.NewNopHost(), extensions: map[component.ID]component.Component{middleware: extension}}
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

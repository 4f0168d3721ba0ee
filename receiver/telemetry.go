package receiver

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// telemetry records the receiver's own metrics.
type telemetry struct {
	builder  *metadata.TelemetryBuilder
	receiver attribute.KeyValue
	now      func() time.Time

	requests, bytes atomic.Int64 // since the start

	lastComplete atomic.Int64 // when the last complete scrape was, or the start (Unix nanoseconds)
}

func newTelemetry(settings receiver.Settings, now func() time.Time) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(settings.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &telemetry{builder: builder, receiver: attribute.String("receiver", settings.ID.String()), now: now}, nil
}

// start begins to report the age of the last complete scrape.
func (t *telemetry) start() error {
	t.lastComplete.Store(t.now().UnixNano())
	return t.builder.RegisterReceiverBalenaSnapshotAgeCallback(func(_ context.Context, observer metric.Float64Observer) error {
		age := t.now().Sub(time.Unix(0, t.lastComplete.Load()))
		observer.Observe(max(age, 0).Seconds(), metric.WithAttributes(t.receiver))
		return nil
	})
}

func (t *telemetry) shutdown() { t.builder.Shutdown() }

// observe records what a request cost.
func (t *telemetry) observe(call pine.Call) {
	t.requests.Add(int64(call.Attempts))
	t.bytes.Add(call.Bytes)
	ctx := context.Background()
	of := []attribute.KeyValue{t.receiver, attribute.String("balena.api.resource", call.Resource)}
	resource := metric.WithAttributeSet(attribute.NewSet(of...))
	if call.Status != 0 {
		of = append(of, attribute.Int("http.response.status_code", call.Status))
	}
	if call.Err != nil {
		of = append(of, attribute.String("error.type", errorType(call.Err)))
	}
	t.builder.ReceiverBalenaAPIRequests.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(of...)))
	t.builder.ReceiverBalenaAPIRetries.Add(ctx, int64(max(call.Attempts-1, 0)), resource)
	t.builder.ReceiverBalenaAPIRows.Add(ctx, int64(call.Rows), resource)
	t.builder.ReceiverBalenaAPIBytes.Add(ctx, call.Bytes, resource)
	t.builder.ReceiverBalenaAPIWaitTime.Add(ctx, call.Waited.Seconds(), resource)
	t.builder.ReceiverBalenaAPIDuration.Record(ctx, call.Duration.Seconds(), resource)
}

// scraped records how many of the expected points a scrape produced.
func (t *telemetry) scraped(at time.Time, points, missing int, complete bool) {
	coverage := 1.0
	if missing > 0 {
		coverage = float64(points) / float64(points+missing)
	}
	t.builder.ReceiverBalenaScrapeCoverage.Record(context.Background(), coverage, metric.WithAttributes(t.receiver))
	if complete {
		t.lastComplete.Store(at.UnixNano())
	}
}

//go:build bench

package benchmarks

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // what the exporter sends is compressed

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

// sink receives OTLP like any backend, in messages of 4 MiB at most, and keeps of it what a delivery is.
type sink struct {
	pmetricotlp.UnimplementedGRPCServer
	address string

	mu       sync.Mutex
	received delivery
}

// delivery is what the receiver's part of some messages amounts to.
type delivery struct {
	points     int
	devices    map[string]bool // UUIDs; a device may be part of two messages
	fleets     int
	registered int64 // sum of balena.fleet.device.registered
	last       time.Time
}

func startSink(t *testing.T) *sink {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &sink{address: listener.Addr().String()}
	server := grpc.NewServer()
	pmetricotlp.RegisterGRPCServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return s
}

func (s *sink) Export(_ context.Context, r pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received.add(r.Metrics())
	return pmetricotlp.NewExportResponse(), nil
}

func (d *delivery) add(metrics pmetric.Metrics) {
	if _, own := metrics.ResourceMetrics().At(0).Resource().Attributes().Get("service.name"); own {
		return
	}
	d.points += metrics.DataPointCount()
	d.last = time.Now()
	if d.devices == nil {
		d.devices = map[string]bool{}
	}
	for _, rm := range metrics.ResourceMetrics().All() {
		if uuid, ok := rm.Resource().Attributes().Get("balena.device.uuid"); ok {
			d.devices[uuid.Str()] = true
			continue
		}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, metric := range sm.Metrics().All() {
				if metric.Name() == "balena.fleet.device.registered" {
					d.fleets++
					d.registered += metric.Sum().DataPoints().At(0).IntValue()
				}
			}
		}
	}
}

func (s *sink) env() process.Env {
	return process.Env{"OTEL_EXPORTER_OTLP_ENDPOINT": s.address, "OTEL_EXPORTER_OTLP_INSECURE": "true"}
}

// take returns what arrived since it was last called.
func (s *sink) take() delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	received := s.received
	s.received = delivery{}
	return received
}

// measured is a configuration at a size.
type measured struct {
	scrapes   []scrape // without the first
	points    int      // delivered per scrape
	delivered time.Duration
	peak      float64 // MB
}

func measure(t *testing.T, s sim, interval time.Duration, settings ...string) measured {
	t.Helper()
	sink := startSink(t)
	s.reset(t)
	c := startCollector(t, s, "otlp.yaml", interval, sink.env(), settings...)
	c.scrapes(t, s, 1)
	sink.take()
	var m measured
	for range 3 {
		done := c.scrapes(t, s, 1)
		m.scrapes = append(m.scrapes, done...)
		delivered := sink.take()
		m.points, m.delivered = delivered.points, delivered.last.Sub(done[0].begin)
	}
	m.peak = peakMemory(t, c.PID)
	require.NotContains(t, c.Log.String(), "\terror\t")
	c.Stop(t)
	return m
}

// withoutPipeline drops the points right after the receiver.
var withoutPipeline = []string{
	"exporters::debug::verbosity: basic",
	"service::pipelines::metrics::processors: []",
	"service::pipelines::metrics::exporters: [debug]",
}

func TestScale(t *testing.T) {
	table := "Medians of three scrapes after the first; GOMEMLIMIT=400MiB, otlp.yaml, everything on one machine:\n\n" +
		"| devices | fleets | metrics | requests | rows | compressed bytes | fetched within | delivered within | points | processor time: receiver | processor time: complete process | peak memory |\n" +
		"|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
	for _, devices := range []int{1_000, 10_000, 100_000} {
		s := startSim(t, devices/200, devices)
		for _, g := range []group{{"default", nil}, {"counts only", countsOnly}} {
			interval := 3 * time.Second
			if g.name == "default" {
				interval += time.Duration(devices) * time.Second / 10_000
			}
			complete := measure(t, s, interval, g.settings...)
			alone := measure(t, s, interval, append(g.settings, withoutPipeline...)...)
			cpu := func(s scrape) time.Duration { return s.cpu }
			table += fmt.Sprintf("| %d | %d | %s | %d | %d | %s | %s | %s | %d | %s | %s | %.0f MB |\n", devices, devices/200, g.name,
				median(complete.scrapes, func(s scrape) int { return s.requests }), median(complete.scrapes, func(s scrape) int { return s.rows }),
				size(median(complete.scrapes, func(s scrape) int64 { return s.bytes })),
				seconds(median(complete.scrapes, func(s scrape) time.Duration { return s.fetch })), seconds(complete.delivered), complete.points,
				seconds(median(alone.scrapes, cpu)), seconds(median(complete.scrapes, cpu)), complete.peak)
		}
	}
	publish(t, "scale", table)
}

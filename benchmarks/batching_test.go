//go:build bench

package benchmarks

import (
	"fmt"
	"testing"
	"time"
)

// Why otlp.yaml splits its messages in the exporter.
func TestBatching(t *testing.T) {
	s := startSim(t, 500, 100_000)
	table := "Splitting the points of 100000 devices into messages, default metrics, medians of three scrapes after the first:\n\n" +
		"| split by | delivered within | points | processor time | peak memory |\n|---|---:|---:|---:|---:|\n"
	for _, way := range []struct {
		name     string
		settings []string
	}{
		{"the exporter (`otlp.yaml`)", nil},
		{"the batch processor, 4096 points", []string{
			"processors::batch: {send_batch_size: 4096, send_batch_max_size: 4096}",
			"service::pipelines::metrics::processors: [memory_limiter, batch]",
			"exporters::otlp_grpc::sending_queue: {batch: null, queue_size: 1000}",
		}},
	} {
		m := measure(t, s, 13*time.Second, way.settings...)
		table += fmt.Sprintf("| %s | %s | %d | %s | %.0f MB |\n", way.name, seconds(m.delivered), m.points,
			seconds(median(m.scrapes, func(s scrape) time.Duration { return s.cpu })), m.peak)
	}
	publish(t, "batching", table)
}

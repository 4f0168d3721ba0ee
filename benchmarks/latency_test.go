//go:build bench

package benchmarks

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What reading side by side is for: a network on which each request takes its time.
func TestLatency(t *testing.T) {
	const latency, defaultConcurrency = 100 * time.Millisecond, 4
	table := fmt.Sprintf("Medians of three scrapes after the first; each response %v late, default metrics:\n\n"+
		"| devices | fleets | `concurrency` | requests | fetched within |\n|---:|---:|---:|---:|---:|\n", latency)
	for _, devices := range []int{1_000, 10_000, 100_000} {
		s := startSim(t, devices/200, devices, "--latency", latency.String())
		fetched, requests := map[int]time.Duration{}, map[int]int{}
		for _, concurrency := range []int{1, defaultConcurrency} {
			interval := 5*time.Second + time.Duration(devices/concurrency)*time.Second/5_000
			settings := append(withoutPipeline, fmt.Sprintf("receivers::balena::concurrency: %d", concurrency))
			s.reset(t)
			c := startCollector(t, s, "otlp.yaml", interval, startSink(t).env(), settings...)
			c.scrapes(t, s, 1)
			scrapes := c.scrapes(t, s, 3)
			c.Stop(t)
			fetched[concurrency] = median(scrapes, func(s scrape) time.Duration { return s.fetch })
			requests[concurrency] = median(scrapes, func(s scrape) int { return s.requests })
			table += fmt.Sprintf("| %d | %d | %d | %d | %s |\n", devices, devices/200, concurrency, requests[concurrency], seconds(fetched[concurrency]))
		}
		assert.LessOrEqual(t, fetched[defaultConcurrency], fetched[1], "%d devices", devices)
		require.LessOrEqual(t, requests[defaultConcurrency]-requests[1], defaultConcurrency, "%d devices: more requests than parts", devices)
	}
	publish(t, "latency", table)
}

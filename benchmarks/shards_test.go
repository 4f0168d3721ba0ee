//go:build bench

package benchmarks

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A million devices in ten shards, which run one after the other because one machine is too small for all: together they report the
// account, each device once, and each costs what a Collector for a tenth of it costs.
func TestShards(t *testing.T) {
	const devices, fleets, shards = 1_000_000, 5_000, 10
	s := startSim(t, fleets, devices)
	table := "Second scrape of each shard, default metrics, `otlp.yaml` with `shard.yaml`, GOMEMLIMIT=400MiB. With an interval of 60 s the requests are those of a minute:\n\n" +
		"| shard | fleets | devices | requests | points | processor time | peak memory |\n|---:|---:|---:|---:|---:|---:|---:|\n"
	seen := make(map[string]bool, devices)
	var sum delivery
	for shard := range shards {
		sink := startSink(t)
		s.reset(t)
		c := startCollector(t, s, "otlp.yaml", 30*time.Second, sink.env(),
			fmt.Sprintf("receivers::balena::shard: {index: %d, total: %d}", shard, shards))
		c.scrapes(t, s, 1)
		sink.take()
		scraped := c.scrapes(t, s, 1)[0]
		delivered := sink.take()
		peak := peakMemory(t, c.PID)
		require.NotContains(t, c.Log.String(), "\terror\t")
		c.Stop(t)

		for uuid := range delivered.devices {
			require.False(t, seen[uuid], "shard %d reports device %s, as another shard does", shard, uuid)
			seen[uuid] = true
		}
		sum.fleets += delivered.fleets
		sum.registered += delivered.registered
		table += fmt.Sprintf("| %d | %d | %d | %d | %d | %s | %.0f MB |\n",
			shard, delivered.fleets, len(delivered.devices), scraped.requests, delivered.points, seconds(scraped.cpu), peak)
	}
	assert.Len(t, seen, devices)
	assert.EqualValues(t, devices, sum.registered, "balena.fleet.device.registered, summed up")
	assert.Equal(t, fleets, sum.fleets)
	publish(t, "shards", table)
}

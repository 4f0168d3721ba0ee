package receiver

import (
	"flag"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenasim"
)

var soakScrapes = flag.Int("soak", 2000, "number of scrapes of the soak test")

// TestSoak scrapes a living account with faults in stepped time. In the end the metrics must agree with the simulator's rows, and no
// memory must have been lost on the way. It runs alone, so that the memory is its own.
func TestSoak(t *testing.T) {
	clock := balenasim.NewClock(datasetTime)
	sim := balenasim.New(balenasim.WithToken(testToken), balenasim.WithClock(clock), balenasim.WithSeed(7))
	scenario, err := balenasim.ReadScenario(strings.NewReader(soakScenario))
	require.NoError(t, err)
	require.NoError(t, sim.Play(scenario))
	cfg := testConfig(serve(t, sim))
	scraper := startScraper(t, cfg)
	scraper.now = sim.Now
	scraper.retry = pine.Retry{Backoff: time.Microsecond, MaxAttempts: 2}
	useNewClient(t, scraper)

	random := rand.New(rand.NewPCG(7, 7))
	faults := []balenasim.FaultKind{
		balenasim.Unauthorized, balenasim.ServerError, balenasim.BadGateway, balenasim.Unavailable, balenasim.CutBody,
		balenasim.ResetConnection, balenasim.WrongTypes, balenasim.Nulls, balenasim.EndlessBody,
	}
	var heapAfterWarmUp uint64
	failed := 0
	for i := range *soakScrapes {
		sim.Step(time.Minute)
		sim.ClearFaults()
		if random.IntN(4) == 0 {
			inject(t, sim, balenasim.Fault{Kind: faults[random.IntN(len(faults))], Rate: 0.3})
		}
		if _, err := scraper.scrape(t.Context()); err != nil {
			failed++
			require.NotContains(t, err.Error(), testToken)
		}
		if i == *soakScrapes/10 {
			heapAfterWarmUp = heapInUse()
		}
	}
	sim.ClearFaults()
	last, err := scraper.scrape(t.Context())
	require.NoError(t, err)
	heap := heapInUse()

	t.Logf("%d scrapes, %d with faults that cost something; heap %d kB after a tenth, %d kB at the end",
		*soakScrapes, failed, heapAfterWarmUp>>10, heap>>10)
	assert.Positive(t, failed, "the faults had no effect")
	assert.Less(t, heap, 2*heapAfterWarmUp+16<<20, "memory grows")

	// What the simulator itself holds is the truth.
	truth := readRows(t, sim)
	online, count := map[string]float64{}, map[string]float64{}
	for id, slug := range truth.fleets {
		online[slug], count[slug] = 0, 0
		for _, d := range truth.devices {
			if d.fleet == id {
				count[slug]++
				online[slug] += float64(oneIf(d.online))
			}
		}
	}
	assert.Equal(t, online, values(last, "balena.devices.online"))
	assert.Equal(t, count, values(last, "balena.fleet.device.registered"))
	devices := map[string]float64{}
	for _, d := range truth.devices {
		devices[d.name] = float64(oneIf(d.online))
	}
	assert.Equal(t, devices, values(last, "balena.device.online"))
}

// soakScenario makes devices drop, fill their disks, get renamed, moved, deleted and added, while releases roll out.
const soakScenario = `
fleets: 5
devices: 40
services: [main, metrics-agent]
releases: 3
pinned: 0.1
life:
  report_every: 1m
  drops_per_day: 48
  offline_for: 5m
  heartbeat_after: 3m
  hot: 0.2
  undervolted: 0.1
  disk_growth: 400
  renames_per_hour: 6
  moves_per_hour: 6
  deletes_per_hour: 4
  joins_per_hour: 4
rollout:
  first: 5m
  every: 2h
  spread: 30m
  download: 2m
  failing: 0.15
`

type truth struct {
	fleets  map[int64]string
	devices []truthDevice
}

type truthDevice struct {
	name   string
	fleet  int64
	online bool
}

// readRows reads the simulator's rows over its own API, all at once and without the client that is tested.
func readRows(t *testing.T, sim http.Handler) truth {
	t.Helper()
	read := func(target string) []map[string]any { return plainRows(t, sim, target) }
	result := truth{fleets: map[int64]string{}}
	for _, row := range read("/v7/application?$select=id,slug,is_of__class,is_host,is_archived") {
		if row["is_of__class"] == "fleet" && row["is_host"] == false && row["is_archived"] == false {
			result.fleets[int64(row["id"].(float64))] = row["slug"].(string)
		}
	}
	for _, row := range read("/v7/device?$select=id,device_name,is_online,belongs_to__application") {
		fleet := int64(row["belongs_to__application"].(map[string]any)["__id"].(float64))
		if result.fleets[fleet] != "" {
			result.devices = append(result.devices, truthDevice{row["device_name"].(string), fleet, row["is_online"].(bool)})
		}
	}
	return result
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

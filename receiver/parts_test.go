package receiver

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

func TestCutAccount(t *testing.T) {
	t.Parallel()
	fleets := func(sizes ...int64) (list []fleetSize) {
		for i, size := range sizes {
			list = append(list, fleetSize{id: fleetID(i + 1), devices: size})
		}
		return list
	}
	for name, test := range map[string]struct {
		fleets  []fleetSize
		workers int
		want    []part
	}{
		"one part for a few pages": {
			fleets(300, 0, 400, 500), 4, []part{{fleets: []fleetID{1, 2, 3, 4}}},
		},
		"one part for one worker": {
			fleets(3000, 4000), 1, []part{{fleets: []fleetID{1, 2}}},
		},
		"one part for fleets of unknown size": {
			fleets(0, 0, 0), 4, []part{{fleets: []fleetID{1, 2, 3}}},
		},
		"parts that fill their pages": {
			fleets(1500, 400, 1900, 2000, 0, 1600, 90), 4,
			[]part{{fleets: []fleetID{4, 5}}, {fleets: []fleetID{3, 7}}, {fleets: []fleetID{6}}, {fleets: []fleetID{1, 2}}},
		},
		"a large fleet by the IDs of its devices": {
			[]fleetSize{{1, 100, nil}, {2, 8000, []deviceID{10, 20, 30, 40, 50, 60, 70}}}, 4,
			[]part{
				{fleets: []fleetID{2}, upTo: 30}, {fleets: []fleetID{2}, after: 30, upTo: 60}, {fleets: []fleetID{2}, after: 60},
				{fleets: []fleetID{1}},
			},
		},
		"a large fleet as a whole while its IDs are not known": {
			fleets(100, 8000), 4, []part{{fleets: []fleetID{2}}, {fleets: []fleetID{1}}},
		},
		"no fleets": {nil, 4, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, cutAccount(test.fleets, 1000, test.workers))
		})
	}
}

// FuzzCutAccount: each device is in exactly one part, and the parts take at most one request more each than a single sequence.
func FuzzCutAccount(f *testing.F) {
	f.Add(uint8(4), uint16(1000), []byte{1, 2, 3, 200, 255, 0})
	f.Fuzz(func(t *testing.T, workers uint8, pageSize uint16, sizes []byte) {
		if workers == 0 || pageSize == 0 {
			return
		}
		var fleets []fleetSize
		var devices []*deviceRow
		for i, size := range sizes {
			id := fleetID(i + 1)
			fleets = append(fleets, fleetSize{id: id, devices: int64(size)})
			for range size {
				devices = append(devices, &deviceRow{id: deviceID(len(devices) + 1), fleetID: id})
			}
		}
		cuts := pageCuts(devices, int(pageSize))
		for i := range fleets {
			fleets[i].cuts = cuts[fleets[i].id]
		}
		parts := cutAccount(slices.Clone(fleets), int(pageSize), int(workers))
		requests := 0
		counts := make([]int, len(parts))
		for _, d := range devices {
			owners := 0
			for i, p := range parts {
				if slices.Contains(p.fleets, d.fleetID) && d.id > p.after && (p.upTo == 0 || d.id <= p.upTo) {
					owners++
					counts[i]++
				}
			}
			require.Equal(t, 1, owners, "parts that have device %d", d.id)
		}
		for _, count := range counts {
			requests += count/int(pageSize) + 1
		}
		assert.LessOrEqual(t, requests, len(devices)/int(pageSize)+1+len(parts))
		seen := fleetSet{}
		for _, p := range parts {
			for _, id := range p.fleets {
				seen[id] = true
			}
		}
		assert.Len(t, seen, len(fleets), "every fleet is in a part")
	})
}

// largeAccount has fleets of 20 devices each, and one of 200, the last.
func largeAccount(t *testing.T) http.Handler {
	t.Helper()
	sim := emptyAccount()
	const fleets, perFleet = 20, 20
	for i := range fleets + 1 {
		fleetID := insertFleet(t, sim, "acme", fmt.Sprintf("fleet-%02d", i), nil)
		devices := perFleet
		if i == fleets {
			devices = 10 * perFleet
		}
		for j := range devices {
			_, err := sim.Insert("device", map[string]any{
				"uuid": fmt.Sprintf("%016x%016x", i, j), "device_name": fmt.Sprintf("device-%d-%d", i, j), "is_online": true, "belongs_to__application": fleetID,
			})
			require.NoError(t, err)
		}
	}
	return sim
}

func TestFetcher_Fetch_PartsSideBySide(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int32
	var once sync.Once
	gate := make(chan struct{})
	sim := largeAccount(t)
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v7/device" {
			if running.Add(1) == 4 {
				once.Do(func() { close(gate) }) // four at once: the others need not wait
			}
			<-gate
			defer running.Add(-1)
		}
		most.Store(max(most.Load(), running.Load()))
		sim.ServeHTTP(w, r)
	})
	cfg := testConfig(serve(t, api))
	cfg.PageSize = 20
	enableOnly(cfg, func(m *metadata.MetricsConfig) []*bool {
		return []*bool{&m.BalenaDeviceOnline.Enabled, &m.BalenaFleetDeviceRegistered.Enabled}
	})
	scraper := startScraper(t, cfg)

	metrics, err := scraper.scrape(t.Context()) // would block forever if the parts were read one after the other

	require.NoError(t, err)
	assert.Len(t, values(metrics, "balena.device.online"), 600)
	assert.LessOrEqual(t, most.Load(), int32(cfg.Concurrency))
}

func TestFetcher_Fetch_AFailedPartCostsItsFleetsOnly(t *testing.T) {
	t.Parallel()
	sim := largeAccount(t)
	api := &faulty{Handler: sim}
	cfg := testConfig(serve(t, api))
	cfg.PageSize = 20
	scraper := startScraper(t, cfg)
	complete, err := scraper.scrape(t.Context())
	require.NoError(t, err)
	require.Len(t, values(complete, "balena.fleet.device.status"), 21*7)

	// The second scrape knows how to cut the large fleet, fleet 21.
	api.fault = failWith(http.StatusInternalServerError, "belongs_to__application%20in%20(21)")
	metrics, err := scraper.scrape(t.Context())

	require.ErrorContains(t, err, "devices: of acme/fleet-20: GET /v7/device: 500")
	assert.Len(t, values(metrics, "balena.fleet.device.status"), 20*7, "the other fleets are complete")
	assert.GreaterOrEqual(t, len(values(metrics, "balena.device.online")), 400)
	assert.Empty(t, vanished(metrics), "and nothing has vanished")
	for series := range values(metrics, "balena.fleet.device.disconnections") {
		assert.NotContains(t, series, "fleet-20")
	}

	api.fault = nil
	metrics, err = scraper.scrape(t.Context())
	require.NoError(t, err)
	assert.Equal(t, accountPoints(complete), accountPoints(metrics))
}

func TestFetcher_Fetch_PartsTakeHardlyMoreRequests(t *testing.T) {
	t.Parallel()
	sim := largeAccount(t)
	requests := func(concurrency int) (first, second int) {
		var n atomic.Int32
		cfg := testConfig(serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v7/device") && r.URL.Path != "/v7/device_type" {
				n.Add(1)
			}
			sim.ServeHTTP(w, r)
		})))
		cfg.PageSize, cfg.Concurrency = 50, concurrency
		scraper := startScraper(t, cfg)
		for _, count := range []*int{&first, &second} {
			n.Store(0)
			metrics, err := scraper.scrape(t.Context())
			require.NoError(t, err)
			require.Len(t, values(metrics, "balena.device.online"), 600)
			*count = int(n.Load())
		}
		return first, second
	}
	sequence, _ := requests(1)
	first, second := requests(4)
	assert.Equal(t, 600/50+1, sequence)
	assert.LessOrEqual(t, first, sequence+4)
	assert.LessOrEqual(t, second, sequence+4)
}

package balenasim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	largeFleets  = 500
	largeDevices = 100_000
)

// large returns a simulator of the size that benchmarks of clients use.
var large = sync.OnceValues(func() (*Simulator, error) {
	sc, err := ShippedScenario("calm")
	if err != nil {
		return nil, err
	}
	sc.Fleets, sc.Devices = largeFleets, largeDevices
	sim := New(WithSeed(1))
	return sim, sim.Play(sc)
})

const receiverFields = "id,uuid,device_name,overall_status,overall_progress,api_heartbeat_state," +
	"changed_api_heartbeat_state_on__date,is_connected_to_vpn,last_vpn_event,update_status,last_update_status_event," +
	"os_version,os_variant,supervisor_version,memory_usage,memory_total,storage_usage,storage_total,cpu_usage,cpu_temp," +
	"is_undervolted,is_running__release,should_be_running__release,is_pinned_on__release,belongs_to__application,is_of__device_type"

// devicePage is a page as the receiver requests it, with keyset paging.
func devicePage(after int) string {
	return fmt.Sprintf("/v7/device?$select=%s&$filter=(belongs_to__application%%20in%%20(2,3,4,5,6,7,8,9,10,11))%%20and%%20(id%%20gt%%20%d)&$orderby=id%%20asc&$top=1000",
		receiverFields, after)
}

const (
	allPages   = "/v7/device?$select=id,uuid,device_name,is_online&$filter=id%20gt%2090000&$orderby=id%20asc&$top=1000"
	fleetSizes = "/v7/application?$select=id,slug&$expand=owns__device/$count($filter=is_online%20eq%20true)"
)

func TestSimulator_Scale(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceDetector {
		t.Skip("100,000 devices are slow, and the race detector distorts memory usage")
	}
	start := time.Now()
	sim, err := large()
	require.NoError(t, err)
	took := time.Since(start)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d devices in %s, %d MB", sim.Count("device"), took.Round(time.Millisecond), m.HeapAlloc>>20)
	assert.Less(t, m.HeapAlloc, uint64(700<<20))
	for _, target := range []string{devicePage(0), allPages, fleetSizes} {
		require.Equal(t, http.StatusOK, get(sim, target).Code, target)
	}
}

func benchmark(b *testing.B, target string, header ...string) {
	sim, err := large()
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		r := &http.Request{Method: http.MethodGet, RequestURI: target, Header: http.Header{"Authorization": {"Bearer token"}}}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

func BenchmarkDevicePage(b *testing.B)        { benchmark(b, devicePage(0)) }
func BenchmarkDevicePageZipped(b *testing.B)  { benchmark(b, devicePage(0), "Accept-Encoding", "gzip") }
func BenchmarkDevicePageFromFar(b *testing.B) { benchmark(b, allPages) }
func BenchmarkFleetCounts(b *testing.B)       { benchmark(b, fleetSizes) }
func BenchmarkCountAll(b *testing.B) {
	benchmark(b, "/v7/device/$count?$filter=is_online%20eq%20true%20and%20overall_status%20eq%20'operational'")
}

// BenchmarkLife simulates a minute of 100,000 devices.
func BenchmarkLife(b *testing.B) {
	sim, err := large()
	require.NoError(b, err)
	for b.Loop() {
		sim.Step(time.Minute)
	}
}

package receiver

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// TestModifiedAt_MissesChanges is why a scrape fetches all devices, and not only those with modified_at after the last scrape: each of
// these changes would be missed. They do not touch the device's row, or delete it.
func TestModifiedAt_MissesChanges(t *testing.T) {
	t.Parallel()
	const deviceID, fleetID = 37, 4
	for name, change := range map[string]func(*testing.T, *balenasim.Simulator){
		"overall_status, computed from a download of one of the device's images": func(t *testing.T, sim *balenasim.Simulator) {
			require.NoError(t, sim.Update("image_install", installOf(t, sim, deviceID), map[string]any{"status": "Downloading", "download_progress": int64(10)}))
		},
		"the target release of devices that follow their fleet": func(t *testing.T, sim *balenasim.Simulator) {
			require.NoError(t, sim.Update("application", fleetID, map[string]any{"should_be_running__release": int64(33)}))
		},
		"the deletion of a device": func(t *testing.T, sim *balenasim.Simulator) {
			require.NoError(t, sim.Delete("device", deviceID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := balenasim.NewClock(datasetTime)
			sim := loadAccount(t, balenasim.WithClock(clock))
			const target = "/v7/device?$select=id,overall_status,should_be_running__release&$filter=belongs_to__application%20eq%204&$orderby=id%20asc"
			// Rows that were loaded keep what the real server computed until they change.
			for id := range ids(deviceID, 42) {
				updateDevices(t, sim, map[string]any{"note": "touched"}, id)
			}
			before := plainRows(t, sim, target)
			last := clock.Now()
			clock.Step(time.Minute)

			change(t, sim)

			assert.NotEqual(t, before, plainRows(t, sim, target), "something changed that metrics show")
			since := url.PathEscape(last.UTC().Format("2006-01-02T15:04:05.000Z"))
			changed := plainRows(t, sim, strings.Replace(target, "$filter=", "$filter=modified_at%20gt%20datetime'"+since+"'%20and%20", 1))
			assert.Empty(t, changed, "but a query by modified_at does not tell")
		})
	}
}

func installOf(t *testing.T, sim *balenasim.Simulator, deviceID int64) int64 {
	t.Helper()
	for _, row := range plainRows(t, sim, "/v7/image_install?$select=id,device,status&$filter=status%20ne%20'deleted'") {
		if int64(row["device"].(map[string]any)["__id"].(float64)) == deviceID {
			return int64(row["id"].(float64))
		}
	}
	t.Fatalf("device %d has no image", deviceID)
	return 0
}

package receiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDeviceEntity_RolloutState(t *testing.T) {
	t.Parallel()
	const older, target, other = 1, 2, 3
	for name, test := range map[string]struct {
		device deviceRow
		want   string
	}{
		"on target when it runs the target":                    {deviceRow{runningID: target, connected: true}, rolloutOnTarget},
		"on target even while it is not connected":             {deviceRow{runningID: target}, rolloutOnTarget},
		"on target when pinned to the target and there":        {deviceRow{runningID: target, pinnedID: target, connected: true}, rolloutOnTarget},
		"behind when pinned to the target and not there":       {deviceRow{runningID: older, pinnedID: target, connected: true}, rolloutBehind},
		"pinned when pinned to another":                        {deviceRow{runningID: other, pinnedID: other, connected: true}, rolloutPinned},
		"pinned even while it still runs the target":           {deviceRow{runningID: target, pinnedID: other, connected: true}, rolloutPinned},
		"pinned even while it is not connected":                {deviceRow{runningID: older, pinnedID: other}, rolloutPinned},
		"behind when it runs another":                          {deviceRow{runningID: older, updateStatus: "done", connected: true}, rolloutBehind},
		"behind when it runs none":                             {deviceRow{connected: true}, rolloutBehind},
		"updating while it downloads":                          {deviceRow{runningID: older, updateStatus: "downloading", connected: true}, rolloutUpdating},
		"updating while it applies changes":                    {deviceRow{runningID: older, updateStatus: "applying changes", connected: true}, rolloutUpdating},
		"failing when the update was rejected":                 {deviceRow{runningID: older, updateStatus: "rejected", connected: true}, rolloutFailing},
		"on target whatever became of the update before":       {deviceRow{runningID: target, updateStatus: "rejected", connected: true}, rolloutOnTarget},
		"unreachable when it has been off for a year":          {deviceRow{runningID: older, updateStatus: "done"}, rolloutUnreachable},
		"unreachable when it has never connected":              {deviceRow{}, rolloutUnreachable},
		"unreachable when it disconnected while it downloaded": {deviceRow{runningID: older, updateStatus: "downloading"}, rolloutUnreachable},
		"unreachable when it disconnected after it aborted":    {deviceRow{runningID: older, updateStatus: "aborted"}, rolloutUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deviceEntity{deviceRow: &test.device, fleet: &fleetEntity{targetReleaseID: target}}
			assert.Equal(t, test.want, d.rolloutState())
		})
	}
}

func TestRolloutProgress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		devices  map[string]int64
		progress float64
		known    bool
	}{
		"half of those that follow":         {map[string]int64{rolloutOnTarget: 2, rolloutBehind: 1, rolloutUpdating: 1, rolloutPinned: 9}, 0.5, true},
		"all of those that can be reached":  {map[string]int64{rolloutOnTarget: 2, rolloutUnreachable: 7}, 1, true},
		"none of those that follow":         {map[string]int64{rolloutFailing: 2}, 0, true},
		"unknown if none follows":           {map[string]int64{rolloutPinned: 9}, 0, false},
		"unknown if none can be reached":    {map[string]int64{rolloutUnreachable: 9}, 0, false},
		"unknown without devices or target": {nil, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			progress, known := rolloutProgress(test.devices)
			assert.InDelta(t, test.progress, progress, 0)
			assert.Equal(t, test.known, known)
		})
	}
}

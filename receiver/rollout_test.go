package receiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDeviceEntity_RolloutState(t *testing.T) {
	t.Parallel()
	const older, target, other = 1, 2, 3
	for name, test := range map[string]struct {
		device deviceEntity
		want   string
	}{
		"on target when it runs the target":                    {deviceEntity{runningID: target, connected: true}, rolloutOnTarget},
		"on target even while it is not connected":             {deviceEntity{runningID: target}, rolloutOnTarget},
		"on target when pinned to the target and there":        {deviceEntity{runningID: target, pinnedID: target, connected: true}, rolloutOnTarget},
		"behind when pinned to the target and not there":       {deviceEntity{runningID: older, pinnedID: target, connected: true}, rolloutBehind},
		"pinned when pinned to another":                        {deviceEntity{runningID: other, pinnedID: other, connected: true}, rolloutPinned},
		"pinned even while it still runs the target":           {deviceEntity{runningID: target, pinnedID: other, connected: true}, rolloutPinned},
		"pinned even while it is not connected":                {deviceEntity{runningID: older, pinnedID: other}, rolloutPinned},
		"behind when it runs another":                          {deviceEntity{runningID: older, updateStatus: "done", connected: true}, rolloutBehind},
		"behind when it runs none":                             {deviceEntity{connected: true}, rolloutBehind},
		"updating while it downloads":                          {deviceEntity{runningID: older, updateStatus: "downloading", connected: true}, rolloutUpdating},
		"updating while it applies changes":                    {deviceEntity{runningID: older, updateStatus: "applying changes", connected: true}, rolloutUpdating},
		"failing when the update was rejected":                 {deviceEntity{runningID: older, updateStatus: "rejected", connected: true}, rolloutFailing},
		"on target whatever became of the update before":       {deviceEntity{runningID: target, updateStatus: "rejected", connected: true}, rolloutOnTarget},
		"unreachable when it has been off for a year":          {deviceEntity{runningID: older, updateStatus: "done"}, rolloutUnreachable},
		"unreachable when it has never connected":              {deviceEntity{}, rolloutUnreachable},
		"unreachable when it disconnected while it downloaded": {deviceEntity{runningID: older, updateStatus: "downloading"}, rolloutUnreachable},
		"unreachable when it disconnected after it aborted":    {deviceEntity{runningID: older, updateStatus: "aborted"}, rolloutUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.device.fleet = &fleetEntity{targetReleaseID: target}
			assert.Equal(t, test.want, test.device.rolloutState())
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

package receiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRolloutStateOfADevice(t *testing.T) {
	t.Parallel()
	const older, target, other = 1, 2, 3
	for name, test := range map[string]struct {
		device deviceEntity
		want   string
	}{
		"on target when it runs the target":              {deviceEntity{runningID: target}, onTarget},
		"on target when pinned to the target and there":  {deviceEntity{runningID: target, pinnedID: target}, onTarget},
		"behind when pinned to the target and not there": {deviceEntity{runningID: older, pinnedID: target}, behind},
		"pinned when pinned to another":                  {deviceEntity{runningID: other, pinnedID: other}, pinned},
		"pinned even while it still runs the target":     {deviceEntity{runningID: target, pinnedID: other}, pinned},
		"behind when it runs another":                    {deviceEntity{runningID: older, updateStatus: "done"}, behind},
		"behind when it runs none":                       {deviceEntity{}, behind},
		"updating while it downloads":                    {deviceEntity{runningID: older, updateStatus: "downloading", connected: true}, updating},
		"updating while it applies changes":              {deviceEntity{runningID: older, updateStatus: "applying changes", connected: true}, updating},
		"behind when it dropped while it downloaded":     {deviceEntity{runningID: older, updateStatus: "downloading"}, behind},
		"failing when the update was rejected":           {deviceEntity{runningID: older, updateStatus: "rejected", connected: true}, failing},
		"failing when it dropped after it was aborted":   {deviceEntity{runningID: older, updateStatus: "aborted"}, failing},
		"on target whatever the update before came to":   {deviceEntity{runningID: target, updateStatus: "rejected"}, onTarget},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.device.fleet = &fleetEntity{targetReleaseID: target}
			assert.Equal(t, test.want, test.device.rolloutState())
		})
	}
}

func TestRolloutProgressLeavesPinnedDevicesOut(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rollout map[string]int64
		share   float64
		known   bool
	}{
		"half of those that follow": {map[string]int64{onTarget: 2, behind: 1, updating: 1, pinned: 9}, 0.5, true},
		"all of those that follow":  {map[string]int64{onTarget: 2, pinned: 9}, 1, true},
		"none of those that follow": {map[string]int64{failing: 2}, 0, true},
		"unknown if none follows":   {map[string]int64{pinned: 9}, 0, false},
		"unknown without devices":   {map[string]int64{}, 0, false},
		"unknown without a target":  {nil, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			share, known := (&census{rollout: test.rollout}).rolloutProgress()
			assert.InDelta(t, test.share, share, 0)
			assert.Equal(t, test.known, known)
		})
	}
}

func TestConnectionsLostWithinTheLastIntervalAreCounted(t *testing.T) {
	t.Parallel()
	f := &fleetEntity{}
	at := func(seconds time.Duration) instant {
		return instant(datasetTime.Add(seconds * time.Second).UnixMilli())
	}
	lost := newCensus(false)
	for _, d := range []deviceEntity{
		{fleet: f, lastConnectivityEvent: at(-59)},               // counts
		{fleet: f, lastConnectivityEvent: at(-61)},               // before
		{fleet: f, lastConnectivityEvent: at(-59), online: true}, // came back
		{fleet: f}, // never connected
	} {
		lost.add(&d, datasetTime, time.Minute)
	}
	assert.EqualValues(t, 1, lost.connectionLost)
}

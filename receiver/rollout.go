package receiver

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
)

// The states of a device in a rollout.
const (
	rolloutOnTarget    = "on_target"
	rolloutPinned      = "pinned"
	rolloutUpdating    = "updating"
	rolloutFailing     = "failing"
	rolloutBehind      = "behind"
	rolloutUnreachable = "unreachable"
)

func rolloutStates() []string {
	return []string{rolloutBehind, rolloutFailing, rolloutOnTarget, rolloutPinned, rolloutUnreachable, rolloutUpdating}
}

// rolloutColumns are the columns that the state of a device in a rollout is derived from.
func rolloutColumns() []column[balenaclient.Device] {
	return whenConnected(device.RunningRelease, device.PinnedRelease, device.UpdateStatus)
}

// rolloutState is the device's state in the rollout of its fleet's target release. The fleet must have one.
func (d *deviceEntity) rolloutState() string {
	target := d.fleet.targetReleaseID
	switch {
	case d.runningID == target && (d.pinnedID == 0 || d.pinnedID == target):
		return rolloutOnTarget
	case d.pinnedID != 0 && d.pinnedID != target:
		return rolloutPinned
	case !d.connected: // what it last reported is stale, and an update cannot reach it
		return rolloutUnreachable
	}
	switch d.updateStatus {
	case "rejected", "aborted":
		return rolloutFailing
	case "downloading", "downloaded", "applying changes":
		return rolloutUpdating
	}
	return rolloutBehind
}

// rolloutProgress is the fraction of devices on target among those that follow the fleet and can be reached; known is false if there
// are none.
func rolloutProgress(devices map[string]int64) (progress float64, known bool) {
	following := devices[rolloutOnTarget] + devices[rolloutUpdating] + devices[rolloutFailing] + devices[rolloutBehind]
	if following == 0 {
		return 0, false
	}
	return float64(devices[rolloutOnTarget]) / float64(following), true
}

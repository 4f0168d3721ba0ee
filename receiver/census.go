package receiver

import "time"

// The values that balena documents, reported with 0 when no device has them. Others are reported when a device has them.
var (
	knownStatuses = []string{
		"configuring", "disconnected", "inactive", "operational", "post-provisioning", "reduced-functionality", "updating",
	}
	knownHeartbeats = []string{"offline", "online", "timeout", "unknown"}
)

// The states of a device in a rollout.
const (
	onTarget = "on_target"
	pinned   = "pinned"
	updating = "updating"
	failing  = "failing"
	behind   = "behind"
)

var rolloutStates = []string{behind, failing, onTarget, pinned, updating}

func newCensus(hasTarget bool) *census {
	c := &census{
		status:            zeros(knownStatuses),
		heartbeat:         zeros(knownHeartbeats),
		osVersion:         map[string]int64{},
		supervisorVersion: map[string]int64{},
		deviceType:        map[string]int64{},
		updateStatus:      map[string]int64{},
	}
	if hasTarget {
		c.rollout = zeros(rolloutStates)
	}
	return c
}

func zeros(keys []string) map[string]int64 {
	counts := make(map[string]int64, len(keys))
	for _, key := range keys {
		counts[key] = 0
	}
	return counts
}

func (c *census) add(d *deviceEntity, at time.Time, interval time.Duration) {
	if d.status != "" {
		c.status[d.status]++
	}
	if d.heartbeat != "" {
		c.heartbeat[d.heartbeat]++
	}
	c.osVersion[d.osVersion]++
	c.supervisorVersion[d.supervisorVersion]++
	c.deviceType[d.deviceType]++
	c.updateStatus[d.updateStatus]++
	if c.rollout != nil {
		c.rollout[d.rolloutState()]++
	}
	if !d.online && d.lastConnectivityEvent > instant(at.Add(-interval).UnixMilli()) {
		c.connectionLost++
	}
}

// rolloutState says how the device stands to the release that its fleet targets.
func (d *deviceEntity) rolloutState() string {
	target := d.fleet.targetReleaseID
	switch {
	case d.runningID == target && (d.pinnedID == 0 || d.pinnedID == target):
		return onTarget
	case d.pinnedID != 0 && d.pinnedID != target:
		return pinned
	}
	switch d.updateStatus {
	case "rejected", "aborted":
		return failing
	case "downloading", "downloaded", "applying changes":
		if d.connected { // otherwise this was its last word, and nothing is under way
			return updating
		}
	}
	return behind
}

// rolloutProgress is the share of devices on target of those not pinned away from it; known is false if there are none.
func (c *census) rolloutProgress() (share float64, known bool) {
	following := int64(0)
	for state, devices := range c.rollout {
		if state != pinned {
			following += devices
		}
	}
	if following == 0 {
		return 0, false
	}
	return float64(c.rollout[onTarget]) / float64(following), true
}

// someBehind reports whether a device that follows the fleet does not run what it targets.
func (c *census) someBehind() bool {
	return c.rollout[behind]+c.rollout[failing]+c.rollout[updating] > 0
}

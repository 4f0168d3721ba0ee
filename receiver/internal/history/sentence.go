package history

import (
	"cmp"
	"fmt"
	"strings"
)

// Sentence tells the change to a person.
func (c Change) Sentence() string {
	switch {
	case c.Resource.Device != nil:
		return deviceSentence(c, fmt.Sprintf("Device %s of %s", name(c.Resource.Device), c.Resource.Device.FleetSlug))
	case c.Resource.Fleet != nil:
		return fleetSentence(c, "Fleet "+c.Resource.Fleet.Slug)
	case c.Resource.Release != nil:
		return releaseSentence(c, fmt.Sprintf("release %s of %s", cmp.Or(c.Resource.Release.Version, c.Resource.Release.Commit), c.Resource.Release.FleetSlug))
	}
	return accountSentence(c)
}

func name(d *DeviceResource) string { return cmp.Or(d.Name, d.UUID) }

func deviceSentence(c Change, device string) string {
	switch c.Kind {
	case DeviceCreated:
		return device + " was created"
	case DeviceDeleted:
		return device + " was deleted"
	case DeviceRenamed:
		return fmt.Sprintf("%s was renamed, from %s", device, c.From)
	case DeviceMoved:
		return fmt.Sprintf("Device %s was moved to %s%s", name(c.Resource.Device), c.Resource.Device.FleetSlug, from(c))
	case DeviceConnected:
		return device + " connected"
	case DeviceDisconnected:
		return device + " disconnected"
	case DeviceStatusChanged:
		return fmt.Sprintf("%s is %s%s", device, cmp.Or(c.To, "in no status"), was(c))
	case DeviceReleaseChanged:
		return fmt.Sprintf("%s runs %s%s", device, releaseOrNone(c.To), was(c))
	case DevicePinned:
		return fmt.Sprintf("%s was pinned to release %s%s", device, c.To, was(c))
	case DeviceUnpinned:
		return fmt.Sprintf("%s is no longer pinned to release %s", device, c.From)
	case DeviceOSUpdated:
		return fmt.Sprintf("%s runs %s%s", device, cmp.Or(c.To, "an unknown OS"), was(c))
	case DeviceSupervisorUpdated:
		return fmt.Sprintf("%s runs supervisor %s%s", device, cmp.Or(c.To, "unknown"), was(c))
	case DeviceUndervoltageDetected:
		return device + " had too low a supply voltage"
	case DeviceUndervoltageCleared:
		return device + " has sufficient supply voltage again"
	case DeviceStorageExceeded:
		return device + " has nearly full storage"
	case DeviceStorageRecovered:
		return device + " has free storage again"
	case DeviceServiceStatusChanged:
		return fmt.Sprintf("Service %s on %s is %s%s", c.Service, strings.Replace(device, "Device", "device", 1), cmp.Or(c.To, "gone"), was(c))
	}
	return device + ": " + string(c.Kind)
}

func fleetSentence(c Change, fleet string) string {
	switch c.Kind {
	case FleetCreated:
		return fleet + " was created"
	case FleetDeleted:
		return fleet + " was deleted"
	case FleetRenamed:
		return fmt.Sprintf("%s was renamed, from %s", fleet, c.From)
	case FleetTargetChanged:
		return fmt.Sprintf("%s has target release %s%s", fleet, cmp.Or(c.To, "none"), was(c))
	case FleetDevicesDisconnected:
		return fmt.Sprintf("%s lost %d of its %d online devices%s", fleet, c.Many.Devices, c.Many.Of, shared(c.Many.Tags))
	case FleetDevicesConnected:
		return fmt.Sprintf("%s has %d of its %d offline devices back%s", fleet, c.Many.Devices, c.Many.Of, shared(c.Many.Tags))
	case RolloutBegun:
		return fmt.Sprintf("%s: rollout of release %s has begun, %s", fleet, c.To, progress(c.Rollout))
	case RolloutCompleted:
		return fmt.Sprintf("%s: rollout of release %s is complete, %s", fleet, c.To, progress(c.Rollout))
	case RolloutStuck:
		return fmt.Sprintf("%s: rollout of release %s is stuck, %s", fleet, c.To, progress(c.Rollout))
	}
	return fleet + ": " + string(c.Kind)
}

func releaseSentence(c Change, release string) string {
	switch c.Kind {
	case ReleaseCreated:
		return capital(release) + " was created"
	case ReleaseFinalized:
		return capital(release) + " was finalized"
	case BuildSucceeded:
		return "Build of " + release + " succeeded"
	case BuildFailed:
		return fmt.Sprintf("Build of %s ended: %s", release, c.To)
	}
	return capital(release) + ": " + string(c.Kind)
}

func accountSentence(c Change) string {
	switch c.Kind {
	case AccountDevicesDisconnected:
		return fmt.Sprintf("%d fleets lost %d of their %d online devices", c.Many.Fleets, c.Many.Devices, c.Many.Of)
	case AccountDevicesConnected:
		return fmt.Sprintf("%d fleets have %d of their %d offline devices back", c.Many.Fleets, c.Many.Devices, c.Many.Of)
	case APIKeyExpiring:
		if c.APIKey == "" {
			return "The session token expires at " + c.To
		}
		return fmt.Sprintf("API key %s expires at %s", c.APIKey, c.To)
	}
	return string(c.Kind)
}

func progress(counts *RolloutCounts) string {
	following := counts.OnTarget + counts.Updating + counts.Failing + counts.Behind
	text := fmt.Sprintf("%d of %d devices run it", counts.OnTarget, following)
	if counts.Failing > 0 {
		text += fmt.Sprintf(", %d failed to update", counts.Failing)
	}
	if counts.Unreachable > 0 {
		text += fmt.Sprintf(", %d more cannot be reached", counts.Unreachable)
	}
	return text
}

func shared(tags []Tag) string {
	if len(tags) == 0 {
		return ""
	}
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = tag.Attribute + "=" + tag.Value
	}
	return ": those with " + strings.Join(names, " and ")
}

func was(c Change) string {
	if c.From == "" {
		return ""
	}
	return ", was " + c.From
}

func from(c Change) string {
	if c.From == "" {
		return ""
	}
	return " from " + c.From
}

func releaseOrNone(version string) string {
	if version == "" {
		return "no release"
	}
	return "release " + version
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

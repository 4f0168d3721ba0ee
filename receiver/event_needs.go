package receiver

import (
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/imageinstall"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/history"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// addEvents adds what the enabled events need.
func (p *plan) addEvents(config metadata.EventsConfig) {
	enabled := enabledIn(config)
	for _, of := range eventNeeds() {
		if !slices.ContainsFunc(of.events, func(event history.Kind) bool { return enabled[string(event)] }) {
			continue
		}
		for kind := range p.addColumns(of.need) {
			p.events[kind] = true
		}
	}
}

// eventNeed is what some events need if one of them is enabled.
type eventNeed struct {
	events []history.Kind
	need   need
}

// eventNeeds lists what the events need. The events of fleets that are created, deleted or renamed need nothing but the list of fleets.
func eventNeeds() []eventNeed {
	type (
		events     = []history.Kind
		devices    = []column[balenaclient.Device]
		releases   = []column[balenaclient.Release]
		containers = []column[balenaclient.ImageInstall]
	)
	return []eventNeed{
		{
			events{history.DeviceConnected, history.DeviceDisconnected, history.FleetDevicesConnected, history.FleetDevicesDisconnected,
				history.AccountDevicesConnected, history.AccountDevicesDisconnected},
			need{devices: devices{device.IsOnline, device.LastConnectivityEvent}},
		},
		{
			events{history.DeviceCreated},
			need{releases: releases{}, devices: devices{device.CreatedAt, device.IsOnline, device.OverallStatus, device.OSVersion,
				device.SupervisorVersion, device.RunningRelease, device.PinnedRelease}},
		},
		{events{history.DeviceDeleted, history.DeviceRenamed, history.DeviceMoved}, need{devices: devices{}}},
		{events{history.DeviceStatusChanged}, need{devices: devices{device.OverallStatus}}},
		{
			events{history.DeviceReleaseChanged, history.DevicePinned, history.DeviceUnpinned},
			need{releases: releases{}, devices: devices{device.RunningRelease, device.PinnedRelease}},
		},
		{events{history.DeviceOSUpdated}, need{devices: devices{device.OSVersion}}},
		{events{history.DeviceSupervisorUpdated}, need{devices: devices{device.SupervisorVersion}}},
		{
			events{history.DeviceUndervoltageDetected, history.DeviceUndervoltageCleared},
			need{devices: whenConnected(device.IsUndervolted)},
		},
		{
			events{history.DeviceStorageExceeded, history.DeviceStorageRecovered},
			need{devices: whenConnected(device.StorageUsage, device.StorageTotal)},
		},
		{
			events{history.DeviceServiceStatusChanged},
			need{devices: whenConnected(), containers: containers{imageinstall.Status, imageinstall.InstalledAt}},
		},
		{events{history.FleetTargetChanged}, need{releases: releases{}}},
		{
			events{history.RolloutBegun, history.RolloutCompleted, history.RolloutStuck},
			need{releases: releases{}, devices: rolloutColumns()},
		},
		{
			events{history.ReleaseCreated, history.ReleaseFinalized, history.BuildSucceeded, history.BuildFailed},
			need{also: []requestKind{recentReleaseRequest}},
		},
		{events{history.APIKeyExpiring}, need{also: []requestKind{apiKeyRequest}}},
	}
}

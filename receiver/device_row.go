package receiver

import "github.com/otelcol-balena/balenareceiver/balenaclient"

// deviceRow is what a scrape keeps of a device's row. There may be 100,000 of them, so it is smaller than what the client returns.
type deviceRow struct {
	id                  deviceID
	fleetID             fleetID
	typeID              deviceTypeID
	runningID, pinnedID releaseID

	uuid, name string
	createdAt  instant

	online, vpnConnected                                    bool
	heartbeat, status, updateStatus                         string
	lastConnectivityEvent, lastVPNEvent, heartbeatChangedAt instant
	updateProgress                                          reading // percent

	osVersion, osVariant, supervisorVersion string

	// What a connected device reports about itself. The server keeps the last report of a device that disconnected, which may be
	// old: it is not reported.
	connected bool
	hardware  hardware
}

// hardware is what a device reports about its hardware.
type hardware struct {
	cpuUsage                  reading // percent
	cpuTemperature            reading // °C
	memoryUsage, memoryLimit  reading // MiB
	storageUsage, storageSize reading // MiB
	undervoltage              bool
}

func newDeviceRow(row balenaclient.Device, shared sharedStrings) *deviceRow {
	return &deviceRow{
		id: row.ID, fleetID: row.Fleet.ID, typeID: row.DeviceType.ID,
		runningID: row.RunningRelease.ID, pinnedID: row.PinnedRelease.ID,
		uuid:                  row.UUID,
		name:                  row.Name,
		createdAt:             newInstant(row.CreatedAt),
		online:                row.IsOnline,
		vpnConnected:          row.IsConnectedToVPN,
		heartbeat:             shared.get(row.HeartbeatState),
		status:                shared.get(row.OverallStatus),
		updateStatus:          shared.get(row.UpdateStatus),
		lastConnectivityEvent: newInstant(row.LastConnectivityEvent),
		lastVPNEvent:          newInstant(row.LastVPNEvent),
		heartbeatChangedAt:    newInstant(row.HeartbeatChangedAt),
		updateProgress:        newReading(row.OverallProgress),
		osVersion:             shared.get(row.OSVersion),
		osVariant:             shared.get(row.OSVariant),
		supervisorVersion:     shared.get(row.SupervisorVersion),
		connected:             row.IsOnline || row.HeartbeatState == "online" || row.HeartbeatState == "timeout",
		hardware: hardware{
			cpuUsage:       newReading(row.CPUUsage),
			cpuTemperature: newReading(row.CPUTemp),
			memoryUsage:    newReading(row.MemoryUsage),
			memoryLimit:    newReading(row.MemoryTotal),
			storageUsage:   newReading(row.StorageUsage),
			storageSize:    newReading(row.StorageTotal),
			undervoltage:   row.IsUndervolted,
		},
	}
}

package receiver

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// plan says what a scrape asks the API for. What no enabled metric needs is not asked for.
type plan struct {
	onlineCounts   bool // devices online, counted by the server: comes with the fleets
	deviceCounts   bool // devices in total, counted by the server: one request
	devices        bool // the devices, page by page
	deviceTypes    bool // slugs of device types: one request when an unknown type turns up
	releases       bool // the releases in use: one request
	newestReleases bool // the newest release of each fleet: one request

	deviceColumns  []deviceColumn
	releaseColumns []releaseColumn

	metricsOf       map[requestKind]int // number of enabled metrics that each kind of request serves
	pointsPerDevice int                 // number of enabled metrics that each device has a point of, at most
}

type (
	deviceColumn  = pine.Selectable[balenaclient.Device]
	releaseColumn = pine.Selectable[balenaclient.Release]
)

// deviceNeed is a metric that needs columns of the devices.
type deviceNeed struct {
	enabled bool
	columns []deviceColumn
}

func (p *plan) needDevices(columns []deviceColumn) {
	p.devices = true
	p.deviceColumns = append(p.deviceColumns, columns...)
	p.metricsOf[deviceRequest]++
}

func newPlan(config metadata.MetricsBuilderConfig) plan {
	m := config.Metrics

	// Hardware values are kept by the server when a device disconnects: these columns tell whether they are current.
	hardware := func(columns ...deviceColumn) []deviceColumn {
		return append(columns, device.IsOnline, device.HeartbeatState)
	}
	runs := []deviceColumn{device.RunningRelease}
	pinned := []deviceColumn{device.PinnedRelease}

	p := plan{
		onlineCounts: m.BalenaDevicesOnline.Enabled,
		deviceCounts: m.BalenaFleetDeviceCount.Enabled,
		metricsOf:    map[requestKind]int{},
	}
	for _, need := range []deviceNeed{
		{m.BalenaDeviceConnectivityDuration.Enabled, []deviceColumn{device.LastConnectivityEvent}},
		{m.BalenaDeviceCPUTemperature.Enabled, hardware(device.CPUTemp)},
		{m.BalenaDeviceCPUUtilization.Enabled, hardware(device.CPUUsage)},
		{m.BalenaDeviceHeartbeat.Enabled, []deviceColumn{device.HeartbeatState}},
		{m.BalenaDeviceInfo.Enabled, append([]deviceColumn{device.OSVersion, device.OSVariant, device.SupervisorVersion}, append(runs, pinned...)...)},
		{m.BalenaDeviceMemoryLimit.Enabled, hardware(device.MemoryTotal)},
		{m.BalenaDeviceMemoryUsage.Enabled, hardware(device.MemoryUsage)},
		{m.BalenaDeviceOnline.Enabled, []deviceColumn{device.IsOnline}},
		{m.BalenaDeviceStatus.Enabled, []deviceColumn{device.OverallStatus}},
		{m.BalenaDeviceStorageLimit.Enabled, hardware(device.StorageTotal)},
		{m.BalenaDeviceStorageUsage.Enabled, hardware(device.StorageUsage)},
		{m.BalenaDeviceStorageUtilization.Enabled, hardware(device.StorageUsage, device.StorageTotal)},
		{m.BalenaDeviceUndervoltage.Enabled, hardware(device.IsUndervolted)},
		{m.BalenaDeviceUpdateProgress.Enabled, []deviceColumn{device.OverallProgress}},
		{m.BalenaDeviceVpnConnected.Enabled, []deviceColumn{device.IsConnectedToVPN}},
	} {
		if need.enabled {
			p.pointsPerDevice++
			p.needDevices(need.columns)
		}
	}
	for _, need := range []deviceNeed{
		{m.BalenaFleetHeartbeatCount.Enabled, []deviceColumn{device.HeartbeatState}},
		{m.BalenaFleetStatusCount.Enabled, []deviceColumn{device.OverallStatus}},
		{m.BalenaReleaseDevicePinned.Enabled, pinned},
		{m.BalenaReleaseDeviceRunning.Enabled, runs},
		{m.BalenaReleaseDeviceTargeted.Enabled, pinned},
	} {
		if need.enabled {
			p.needDevices(need.columns)
		}
	}
	if p.devices {
		p.deviceColumns = append(p.deviceColumns, device.UUID, device.Name, device.Fleet)
	}
	if p.devices && config.ResourceAttributes.BalenaDeviceType.Enabled {
		p.deviceTypes = true
		p.deviceColumns = append(p.deviceColumns, device.DeviceType)
	}

	for _, need := range []struct {
		enabled bool
		columns []releaseColumn
	}{
		{m.BalenaReleaseAge.Enabled, []releaseColumn{release.CreatedAt}},
		{m.BalenaReleaseBuildDuration.Enabled, []releaseColumn{release.StartedAt, release.EndedAt}},
		{m.BalenaReleaseDevicePinned.Enabled, nil},
		{m.BalenaReleaseDeviceRunning.Enabled, nil},
		{m.BalenaReleaseDeviceTargeted.Enabled, nil},
		{m.BalenaReleaseInfo.Enabled, []releaseColumn{release.Status, release.IsFinal}},
	} {
		if need.enabled {
			p.newestReleases = true
			p.releaseColumns = append(p.releaseColumns, need.columns...)
			p.metricsOf[releaseRequest]++
		}
	}
	if m.BalenaDeviceInfo.Enabled {
		p.metricsOf[releaseRequest]++
	}
	p.releases = p.newestReleases || m.BalenaDeviceInfo.Enabled
	p.releaseColumns = append(p.releaseColumns, release.Commit, release.RawVersion, release.Fleet)

	if p.onlineCounts {
		p.metricsOf[fleetRequest] = 1
	}
	if p.deviceCounts {
		p.metricsOf[deviceCountRequest] = 1
	}
	return p
}

package receiver

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/image"
	"github.com/otelcol-balena/balenareceiver/balenaclient/imageinstall"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
	"github.com/otelcol-balena/balenareceiver/balenaclient/releaseimage"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// plan says what a scrape asks the API for. What no enabled metric needs is not asked for.
type plan struct {
	// metricsOf counts the enabled metrics that each kind of request serves. A kind that serves none is not asked, but for the
	// fleets: they are always listed, and their online devices counted along if a metric needs that.
	metricsOf map[requestKind]int

	devices    []column[balenaclient.Device]
	releases   []column[balenaclient.Release]
	images     []expansion[balenaclient.Release] // fetched along with releases
	containers []column[balenaclient.ImageInstall]

	// pointsPerDevice is the number of points that a device has at most, not counting those of its services.
	pointsPerDevice int
}

type (
	column[R any]    = pine.Selectable[R]
	expansion[R any] = pine.Expansion[R]
)

// need is what one metric needs.
type need struct {
	enabled    bool
	devices    []column[balenaclient.Device]
	releases   []column[balenaclient.Release]
	containers []column[balenaclient.ImageInstall]
	images     []expansion[balenaclient.Release]
	also       []requestKind
	perDevice  bool // whether each device has a point
	perRelease bool // whether each release has a point, the newest of each fleet among them
}

func newPlan(config metadata.MetricsBuilderConfig) plan {
	m := config.Metrics

	// What a device reports of itself is kept by the server when it disconnects: two columns tell whether it is connected.
	whenConnected := func(columns ...column[balenaclient.Device]) []column[balenaclient.Device] {
		return append(columns, device.IsOnline, device.HeartbeatState)
	}
	devices := func(columns ...column[balenaclient.Device]) []column[balenaclient.Device] { return columns }
	releases := func(columns ...column[balenaclient.Release]) []column[balenaclient.Release] {
		return append(columns, release.Commit, release.RawVersion, release.Fleet)
	}
	containers := func(columns ...column[balenaclient.ImageInstall]) []column[balenaclient.ImageInstall] {
		// While a service is updated it has two, of which the time of installation tells the newer.
		return append(columns, imageinstall.Device, imageinstall.Image, imageinstall.InstalledAt)
	}
	rollout := whenConnected(device.RunningRelease, device.PinnedRelease, device.UpdateStatus)

	p := plan{metricsOf: map[requestKind]int{}}
	for _, need := range []need{
		{enabled: m.BalenaDevicesOnline.Enabled, also: []requestKind{fleetRequest}},
		{enabled: m.BalenaFleetDeviceCount.Enabled, also: []requestKind{deviceCountRequest}},
		{enabled: m.BalenaFleetStatusCount.Enabled, devices: devices(device.OverallStatus)},
		{enabled: m.BalenaFleetHeartbeatCount.Enabled, devices: devices(device.HeartbeatState)},
		{enabled: m.BalenaFleetConnectivityLost.Enabled, devices: devices(device.IsOnline, device.LastConnectivityEvent)},
		{enabled: m.BalenaFleetRolloutDeviceCount.Enabled, devices: rollout},
		{enabled: m.BalenaFleetRolloutProgress.Enabled, devices: rollout},
		{enabled: m.BalenaFleetRolloutBehindAge.Enabled, devices: rollout, releases: releases(release.CreatedAt, release.FinalizedAt)},
		{enabled: m.BalenaFleetOsVersionCount.Enabled, devices: devices(device.OSVersion)},
		{enabled: m.BalenaFleetSupervisorVersionCount.Enabled, devices: devices(device.SupervisorVersion)},
		{enabled: m.BalenaFleetTypeCount.Enabled, devices: devices(device.DeviceType)},
		{enabled: m.BalenaFleetUpdateStatusCount.Enabled, devices: devices(device.UpdateStatus)},
		{enabled: m.BalenaFleetServiceDeviceCount.Enabled, devices: whenConnected(), containers: containers(imageinstall.Status)},
		{enabled: m.BalenaFleetBuildAge.Enabled, also: []requestKind{lastBuildRequest}},
		{enabled: m.BalenaFleetReleaseCount.Enabled, also: []requestKind{releaseCountRequest}},

		{perDevice: true, enabled: m.BalenaDeviceOnline.Enabled, devices: devices(device.IsOnline)},
		{perDevice: true, enabled: m.BalenaDeviceConnectivityDuration.Enabled, devices: devices(device.LastConnectivityEvent)},
		{perDevice: true, enabled: m.BalenaDeviceVpnConnected.Enabled, devices: devices(device.IsConnectedToVPN)},
		{perDevice: true, enabled: m.BalenaDeviceVpnDuration.Enabled, devices: devices(device.LastVPNEvent)},
		{perDevice: true, enabled: m.BalenaDeviceHeartbeat.Enabled, devices: devices(device.HeartbeatState)},
		{perDevice: true, enabled: m.BalenaDeviceHeartbeatDuration.Enabled, devices: devices(device.HeartbeatChangedAt)},
		{perDevice: true, enabled: m.BalenaDeviceStatus.Enabled, devices: devices(device.OverallStatus)},
		{perDevice: true, enabled: m.BalenaDeviceUpdateStatus.Enabled, devices: devices(device.UpdateStatus)},
		{perDevice: true, enabled: m.BalenaDeviceUpdateProgress.Enabled, devices: devices(device.OverallProgress)},
		{perDevice: true, enabled: m.BalenaDeviceInfo.Enabled, releases: releases(),
			devices: devices(device.OSVersion, device.OSVariant, device.SupervisorVersion, device.RunningRelease, device.PinnedRelease)},
		{perDevice: true, enabled: m.BalenaDeviceCPUTemperature.Enabled, devices: whenConnected(device.CPUTemp)},
		{perDevice: true, enabled: m.BalenaDeviceCPUUtilization.Enabled, devices: whenConnected(device.CPUUsage)},
		{perDevice: true, enabled: m.BalenaDeviceMemoryLimit.Enabled, devices: whenConnected(device.MemoryTotal)},
		{perDevice: true, enabled: m.BalenaDeviceMemoryUsage.Enabled, devices: whenConnected(device.MemoryUsage)},
		{perDevice: true, enabled: m.BalenaDeviceStorageLimit.Enabled, devices: whenConnected(device.StorageTotal)},
		{perDevice: true, enabled: m.BalenaDeviceStorageUsage.Enabled, devices: whenConnected(device.StorageUsage)},
		{perDevice: true, enabled: m.BalenaDeviceStorageUtilization.Enabled, devices: whenConnected(device.StorageUsage, device.StorageTotal)},
		{perDevice: true, enabled: m.BalenaDeviceUndervoltage.Enabled, devices: whenConnected(device.IsUndervolted)},
		{enabled: m.BalenaDeviceServiceStatus.Enabled, devices: whenConnected(), containers: containers(imageinstall.Status)},
		{enabled: m.BalenaDeviceServiceDownloadProgress.Enabled, devices: whenConnected(), containers: containers(imageinstall.DownloadProgress)},
		{enabled: m.BalenaDeviceServiceInstallAge.Enabled, devices: whenConnected(), containers: containers()},

		{perRelease: true, enabled: m.BalenaReleaseDeviceRunning.Enabled, devices: devices(device.RunningRelease), releases: releases()},
		{perRelease: true, enabled: m.BalenaReleaseDeviceTargeted.Enabled, devices: devices(device.PinnedRelease), releases: releases()},
		{perRelease: true, enabled: m.BalenaReleaseDevicePinned.Enabled, devices: devices(device.PinnedRelease), releases: releases()},
		{perRelease: true, enabled: m.BalenaReleaseInfo.Enabled, releases: releases(release.Status, release.IsFinal)},
		{perRelease: true, enabled: m.BalenaReleaseAge.Enabled, releases: releases(release.CreatedAt)},
		{perRelease: true, enabled: m.BalenaReleaseBuildDuration.Enabled, releases: releases(release.StartedAt, release.EndedAt)},
		{perRelease: true, enabled: m.BalenaReleaseImageSize.Enabled, releases: releases(),
			images: []expansion[balenaclient.Release]{release.ReleaseImages.With(
				pine.Select(releaseimage.ID).Expand(releaseimage.Image.With(pine.Select(image.Size))))}},
	} {
		if need.enabled {
			p.add(need)
		}
	}
	p.complete(config)
	return p
}

func (p *plan) add(n need) {
	p.devices = append(p.devices, n.devices...)
	p.releases = append(p.releases, n.releases...)
	p.images = append(p.images, n.images...)
	p.containers = append(p.containers, n.containers...)
	for kind, needed := range map[requestKind]bool{
		deviceRequest:    n.devices != nil,
		releaseRequest:   n.releases != nil,
		containerRequest: n.containers != nil,
	} {
		if needed {
			p.metricsOf[kind]++
		}
	}
	for _, kind := range n.also {
		p.metricsOf[kind]++
	}
	if n.perDevice {
		p.pointsPerDevice++
	}
	if n.perRelease {
		p.metricsOf[newestReleaseRequest] = 1 // they are in use too, for the most part: without them a point may be missing, and not one a metric
	}
}

// complete adds what metrics need that have no value of their own in it.
func (p *plan) complete(config metadata.MetricsBuilderConfig) {
	if p.needs(deviceRequest) {
		p.devices = append(p.devices, device.UUID, device.Name, device.Fleet)
		if config.ResourceAttributes.BalenaDeviceType.Enabled || config.Metrics.BalenaFleetTypeCount.Enabled {
			p.devices = append(p.devices, device.DeviceType)
			p.metricsOf[deviceTypeRequest] = 1
		}
	}
}

// needs reports whether an enabled metric needs a kind of request.
func (p plan) needs(kind requestKind) bool { return p.metricsOf[kind] > 0 }

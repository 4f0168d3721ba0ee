package receiver

import (
	"reflect"
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/image"
	"github.com/otelcol-balena/balenareceiver/balenaclient/imageinstall"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
	"github.com/otelcol-balena/balenareceiver/balenaclient/releaseimage"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// requestKind identifies a class of requests that fails independently.
type requestKind string

const (
	credentialRequest    requestKind = "credentials"
	fleetRequest         requestKind = "fleets"
	deviceCountRequest   requestKind = "device counts"
	fleetTagRequest      requestKind = "fleet tags"
	newestReleaseRequest requestKind = "newest releases"
	recentReleaseRequest requestKind = "recent releases"
	lastBuildRequest     requestKind = "last successful builds"
	releaseCountRequest  requestKind = "release counts"
	deviceRequest        requestKind = "devices"
	deviceTagRequest     requestKind = "device tags"
	containerRequest     requestKind = "services on devices"
	deviceTypeRequest    requestKind = "device types"
	imageRequest         requestKind = "images"
	releaseRequest       requestKind = "releases"
	apiKeyRequest        requestKind = "API keys"
)

// requestKinds lists all kinds in the order in which they are requested.
func requestKinds() []requestKind {
	return []requestKind{
		credentialRequest, fleetRequest, deviceCountRequest, fleetTagRequest, newestReleaseRequest, recentReleaseRequest, lastBuildRequest, releaseCountRequest,
		deviceRequest, deviceTagRequest, containerRequest, deviceTypeRequest, imageRequest, releaseRequest, apiKeyRequest,
	}
}

// plan says what a scrape requests from the API. Nothing is requested that no enabled metric or event needs.
type plan struct {
	// metrics counts the enabled metrics that need each kind of request. A kind that neither a metric nor an event needs is not
	// requested, except for the fleets: they are always listed, and their online devices counted in the same request if a metric needs
	// that.
	metrics map[requestKind]int

	// events holds the kinds of requests that an enabled event needs.
	events map[requestKind]bool

	// sources are the kinds of requests that the values of a metric come from, besides the one that lists its entity.
	sources map[string][]requestKind

	devices    []column[balenaclient.Device]
	releases   []column[balenaclient.Release]
	images     []expansion[balenaclient.Release] // expanded in releases
	containers []column[balenaclient.ImageInstall]

	fleetCounts []fleetCount // those that are enabled

	typeIdentifies bool // whether the type of a device is among the attributes that identify it

	// pointsPerDevice is the number of points that a device has at most, not counting those of its services.
	pointsPerDevice int
}

type (
	column[R any]    = pine.Selectable[R]
	expansion[R any] = pine.Expansion[R]
)

// need is what a metric or an event needs. Columns imply the request that fetches them.
type need struct {
	metric     string // or event
	of         entityKind
	devices    []column[balenaclient.Device]
	releases   []column[balenaclient.Release]
	images     []expansion[balenaclient.Release]
	containers []column[balenaclient.ImageInstall]
	also       []requestKind
}

func newPlan(config metadata.MetricsBuilderConfig, events metadata.EventsConfig, others ...need) plan {
	p := plan{metrics: map[requestKind]int{}, events: map[requestKind]bool{}, sources: map[string][]requestKind{}}
	enabled := enabledIn(config.Metrics)
	for _, n := range needs() {
		if enabled[n.metric] {
			p.add(n)
		}
	}
	for _, count := range fleetCounts() {
		for _, metric := range []string{count.metric, count.derived} {
			if enabled[metric] {
				p.add(need{metric: metric, of: fleetKind, devices: count.columns, also: count.also})
			}
		}
		if enabled[count.metric] || enabled[count.derived] {
			p.fleetCounts = append(p.fleetCounts, count)
		}
	}
	p.addEvents(events)
	for _, n := range others {
		for kind := range p.addColumns(n) {
			p.events[kind] = true
		}
	}
	if p.needs(deviceRequest) {
		p.devices = append(p.devices, device.UUID, device.Name, device.Fleet)
		if config.ResourceAttributes.BalenaDeviceType.Enabled {
			p.devices = append(p.devices, device.DeviceType)
			p.metrics[deviceTypeRequest]++
			p.typeIdentifies = true
		}
	}
	return p
}

// enabledIn returns the names of the enabled metrics or events. The generated configuration has a field for each, tagged with its name.
func enabledIn[C metadata.MetricsConfig | metadata.EventsConfig](config C) map[string]bool {
	enabled := map[string]bool{}
	fields := reflect.ValueOf(config)
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Tag.Get("mapstructure")
		enabled[name] = fields.Field(i).FieldByName("Enabled").Bool()
	}
	return enabled
}

// needs lists what each metric needs, except for those in fleetCounts.
func needs() []need {
	type (
		devices    = []column[balenaclient.Device]
		releases   = []column[balenaclient.Release]
		containers = []column[balenaclient.ImageInstall]
		also       = []requestKind
	)
	metrics := metadata.MetricsInfo
	connectivity := devices{device.IsOnline, device.LastConnectivityEvent}
	rollout := rolloutColumns()
	// A service has two containers while it is being updated: status and time of installation decide which one counts.
	service := containers{imageinstall.Status, imageinstall.InstalledAt}

	return []need{
		{metric: metrics.BalenaScrapeComplete.Name, of: receiverKind},
		{metric: metrics.BalenaScrapeFailure.Name, of: receiverKind},
		{metric: metrics.BalenaScrapeLastCompleteTimestamp.Name, of: receiverKind},
		{metric: metrics.BalenaAPIKeyExpiryTimestamp.Name, of: receiverKind, also: also{apiKeyRequest}},

		{metric: metrics.BalenaDevicesOnline.Name, of: fleetKind, also: also{fleetRequest}},
		{metric: metrics.BalenaFleetDeviceRegistered.Name, of: fleetKind, also: also{deviceCountRequest}},
		{metric: metrics.BalenaFleetDeviceDisconnections.Name, of: fleetKind, devices: connectivity},
		{metric: metrics.BalenaFleetDeviceReconnections.Name, of: fleetKind, devices: connectivity},
		{metric: metrics.BalenaFleetDeviceServiceStatus.Name, of: fleetKind, devices: whenConnected(), containers: service},
		{metric: metrics.BalenaFleetTargetReleaseInfo.Name, of: fleetKind, releases: releases{}},
		{metric: metrics.BalenaFleetTargetReleaseTimestamp.Name, of: fleetKind, releases: releases{release.CreatedAt, release.FinalizedAt}},
		{metric: metrics.BalenaFleetLastBuildTimestamp.Name, of: fleetKind, also: also{lastBuildRequest}},
		{metric: metrics.BalenaFleetReleaseStatus.Name, of: fleetKind, also: also{releaseCountRequest}},

		{metric: metrics.BalenaDeviceOnline.Name, of: deviceKind, devices: devices{device.IsOnline}},
		{metric: metrics.BalenaDeviceLastConnectivityEventTimestamp.Name, of: deviceKind, devices: devices{device.LastConnectivityEvent}},
		{metric: metrics.BalenaDeviceVpnConnected.Name, of: deviceKind, devices: devices{device.IsConnectedToVPN}},
		{metric: metrics.BalenaDeviceLastVpnEventTimestamp.Name, of: deviceKind, devices: devices{device.LastVPNEvent}},
		{metric: metrics.BalenaDeviceHeartbeatState.Name, of: deviceKind, devices: devices{device.HeartbeatState}},
		{metric: metrics.BalenaDeviceLastHeartbeatChangeTimestamp.Name, of: deviceKind, devices: devices{device.HeartbeatChangedAt}},
		{metric: metrics.BalenaDeviceStatus.Name, of: deviceKind, devices: devices{device.OverallStatus}},
		{metric: metrics.BalenaDeviceUpdateStatus.Name, of: deviceKind, devices: devices{device.UpdateStatus}},
		{metric: metrics.BalenaDeviceUpdateProgress.Name, of: deviceKind, devices: devices{device.OverallProgress}},
		{metric: metrics.BalenaDeviceRolloutState.Name, of: deviceKind, devices: rollout},
		{metric: metrics.BalenaDeviceInfo.Name, of: deviceKind, releases: releases{},
			devices: devices{device.OSVersion, device.OSVariant, device.SupervisorVersion, device.RunningRelease, device.PinnedRelease}},
		{metric: metrics.BalenaDeviceCPUTemperature.Name, of: deviceKind, devices: whenConnected(device.CPUTemp)},
		{metric: metrics.BalenaDeviceCPUUtilization.Name, of: deviceKind, devices: whenConnected(device.CPUUsage)},
		{metric: metrics.BalenaDeviceMemoryLimit.Name, of: deviceKind, devices: whenConnected(device.MemoryTotal)},
		{metric: metrics.BalenaDeviceMemoryUsage.Name, of: deviceKind, devices: whenConnected(device.MemoryUsage)},
		{metric: metrics.BalenaDeviceStorageLimit.Name, of: deviceKind, devices: whenConnected(device.StorageTotal)},
		{metric: metrics.BalenaDeviceStorageUsage.Name, of: deviceKind, devices: whenConnected(device.StorageUsage)},
		{metric: metrics.BalenaDeviceStorageUtilization.Name, of: deviceKind, devices: whenConnected(device.StorageUsage, device.StorageTotal)},
		{metric: metrics.BalenaDeviceUndervoltage.Name, of: deviceKind, devices: whenConnected(device.IsUndervolted)},
		{metric: metrics.BalenaDeviceServiceStatus.Name, of: deviceKind, devices: whenConnected(), containers: service},
		{metric: metrics.BalenaDeviceServiceDownloadProgress.Name, of: deviceKind, devices: whenConnected(),
			containers: append(service, imageinstall.DownloadProgress)},
		{metric: metrics.BalenaDeviceServiceInstalledTimestamp.Name, of: deviceKind, devices: whenConnected(), containers: service},

		{metric: metrics.BalenaReleaseDeviceRunning.Name, of: releaseKind, also: also{deviceRequest}},
		{metric: metrics.BalenaReleaseDeviceTargeted.Name, of: releaseKind, also: also{deviceRequest}},
		{metric: metrics.BalenaReleaseDevicePinned.Name, of: releaseKind, also: also{deviceRequest}},
		{metric: metrics.BalenaReleaseInfo.Name, of: releaseKind, releases: releases{release.Status, release.IsFinal}},
		{metric: metrics.BalenaReleaseCreatedTimestamp.Name, of: releaseKind, releases: releases{release.CreatedAt}},
		{metric: metrics.BalenaReleaseBuildDuration.Name, of: releaseKind, releases: releases{release.StartedAt, release.EndedAt}},
		{metric: metrics.BalenaReleaseImageSize.Name, of: releaseKind, images: []expansion[balenaclient.Release]{release.ReleaseImages.With(
			pine.Select(releaseimage.ID).Expand(releaseimage.Image.With(pine.Select(image.Size))))}},
	}
}

// whenConnected adds the columns that tell whether a device is connected: the server keeps what it last reported.
func whenConnected(columns ...column[balenaclient.Device]) []column[balenaclient.Device] {
	return append(columns, device.IsOnline, device.HeartbeatState)
}

func (p *plan) add(n need) {
	if n.of == deviceKind {
		p.pointsPerDevice++
	}
	for kind := range p.addColumns(n) {
		p.metrics[kind]++
	}
	p.sources[n.metric] = n.sources()
}

// addColumns adds the columns that are needed and returns the kinds of requests.
func (p *plan) addColumns(n need) map[requestKind]bool {
	kinds := map[requestKind]bool{}
	if n.of == releaseKind { // the releases in use and the newest ones are reported
		p.devices = append(p.devices, device.RunningRelease, device.PinnedRelease)
		kinds[newestReleaseRequest] = true
	}
	if n.devices != nil || n.of == deviceKind || n.of == releaseKind {
		p.devices = append(p.devices, n.devices...)
		kinds[deviceRequest] = true
	}
	if n.releases != nil || n.of == releaseKind {
		p.releases = append(p.releases, release.Commit, release.RawVersion, release.Fleet)
		p.releases = append(p.releases, n.releases...)
		p.images = append(p.images, n.images...)
		kinds[releaseRequest] = true
	}
	if n.containers != nil {
		p.containers = append(p.containers, imageinstall.Device, imageinstall.Image)
		p.containers = append(p.containers, n.containers...)
		kinds[containerRequest], kinds[imageRequest] = true, true
	}
	for _, kind := range n.also {
		kinds[kind] = true
	}
	return kinds
}

// sources are the kinds of requests that the metric's values come from, besides the one that lists its entity.
func (n need) sources() []requestKind {
	kinds := slices.Clone(n.also)
	if n.devices != nil && n.of != deviceKind {
		kinds = append(kinds, deviceRequest)
	}
	if n.releases != nil && n.of != releaseKind {
		kinds = append(kinds, releaseRequest)
	}
	if n.containers != nil {
		kinds = append(kinds, containerRequest)
	}
	return kinds
}

// needs reports whether an enabled metric or event needs a kind of request.
func (p plan) needs(kind requestKind) bool { return p.metrics[kind] > 0 || p.events[kind] }

package receiver

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/history"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

func (d *deviceEntity) key() entityKey { return entityKey{deviceKind, int64(d.id)} }

func (d *deviceEntity) knows(kind requestKind) bool {
	switch kind {
	case releaseRequest:
		return d.releasesKnown
	case containerRequest:
		return d.servicesKnown
	}
	return true
}

func (d *deviceEntity) record(r *recorder, at time.Time) pcommon.Resource {
	mb, now := r.mb, pcommon.NewTimestampFromTime(at)
	mb.RecordBalenaDeviceOnlineDataPoint(now, oneIf(d.online))
	mb.RecordBalenaDeviceVpnConnectedDataPoint(now, oneIf(d.vpnConnected))
	d.recordStates(r, now)
	recordInstant(mb.RecordBalenaDeviceLastConnectivityEventTimestampDataPoint, now, d.lastConnectivityEvent)
	recordInstant(mb.RecordBalenaDeviceLastVpnEventTimestampDataPoint, now, d.lastVPNEvent)
	recordInstant(mb.RecordBalenaDeviceLastHeartbeatChangeTimestampDataPoint, now, d.heartbeatChangedAt)
	if d.updateProgress.known {
		mb.RecordBalenaDeviceUpdateProgressDataPoint(now, d.updateProgress.ratio())
	}
	if d.releasesKnown {
		mb.RecordBalenaDeviceInfoDataPoint(now, 1, d.pinnedID != 0, d.versions()...)
	}
	if d.connected {
		d.hardware.record(mb, now)
	}
	for _, service := range d.services {
		service.record(mb, now)
	}

	return deviceResource(mb.NewResourceBuilder(), d.resource())
}

func (d *deviceEntity) resource() history.DeviceResource {
	return history.DeviceResource{
		UUID: d.uuid, Name: d.name, Type: d.deviceType, FleetName: d.fleet.name, FleetSlug: d.fleet.slug, Tags: d.tags,
	}
}

func (d *deviceEntity) recordStates(r *recorder, now pcommon.Timestamp) {
	mb := r.mb
	r.recordState(func(value int64, state string) {
		mb.RecordBalenaDeviceStatusDataPoint(now, value, state)
	}, d.status, knownStatuses())
	r.recordState(func(value int64, state string) {
		mb.RecordBalenaDeviceHeartbeatStateDataPoint(now, value, state)
	}, d.heartbeat, knownHeartbeatStates())
	r.recordState(func(value int64, state string) {
		mb.RecordBalenaDeviceUpdateStatusDataPoint(now, value, optional(metadata.WithBalenaDeviceUpdateStatusMetricAttribute, state)...)
	}, d.updateStatus, knownUpdateStatuses())
	if d.fleet.targetReleaseID != 0 {
		r.recordState(func(value int64, state string) {
			mb.RecordBalenaDeviceRolloutStateDataPoint(now, value, state)
		}, d.rolloutState(), rolloutStates())
	}
}

// versions are the attributes of balena.device.info that are known.
func (d *deviceEntity) versions() []metadata.MetricAttributeOption {
	return slices.Concat(
		optional(metadata.WithBalenaOsVersionMetricAttribute, d.osVersion),
		optional(metadata.WithBalenaOsVariantMetricAttribute, d.osVariant),
		optional(metadata.WithBalenaSupervisorVersionMetricAttribute, d.supervisorVersion),
		optional(metadata.WithBalenaReleaseVersionMetricAttribute, d.running.versionOrNone()),
		optional(metadata.WithBalenaTargetReleaseVersionMetricAttribute, d.target.versionOrNone()),
	)
}

func (h hardware) record(mb *metadata.MetricsBuilder, now pcommon.Timestamp) {
	mb.RecordBalenaDeviceUndervoltageDataPoint(now, oneIf(h.undervoltage))
	if h.cpuUsage.known {
		mb.RecordBalenaDeviceCPUUtilizationDataPoint(now, h.cpuUsage.ratio())
	}
	if h.cpuTemperature.known && h.cpuTemperature.value >= 0 { // boards without a sensor report -1
		mb.RecordBalenaDeviceCPUTemperatureDataPoint(now, int64(h.cpuTemperature.value))
	}
	if h.memoryUsage.known {
		mb.RecordBalenaDeviceMemoryUsageDataPoint(now, h.memoryUsage.bytes())
	}
	if h.memoryLimit.known {
		mb.RecordBalenaDeviceMemoryLimitDataPoint(now, h.memoryLimit.bytes())
	}
	if h.storageUsage.known {
		mb.RecordBalenaDeviceStorageUsageDataPoint(now, h.storageUsage.bytes())
	}
	if h.storageSize.known {
		mb.RecordBalenaDeviceStorageLimitDataPoint(now, h.storageSize.bytes())
	}
	if used := h.storageUtilization(); used >= 0 {
		mb.RecordBalenaDeviceStorageUtilizationDataPoint(now, used)
	}
}

// storageUtilization is the part of the storage in use; below 0 if it is not known.
func (h hardware) storageUtilization() float64 {
	if !h.storageUsage.known || !h.storageSize.known || h.storageSize.value <= 0 {
		return -1
	}
	return float64(h.storageUsage.value) / float64(h.storageSize.value)
}

func (s deviceService) record(mb *metadata.MetricsBuilder, now pcommon.Timestamp) {
	if s.status != "" {
		mb.RecordBalenaDeviceServiceStatusDataPoint(now, 1, s.name, s.status)
	}
	if s.downloadProgress.known {
		mb.RecordBalenaDeviceServiceDownloadProgressDataPoint(now, s.downloadProgress.ratio(), s.name)
	}
	if s.installedAt.known() {
		mb.RecordBalenaDeviceServiceInstalledTimestampDataPoint(now, s.installedAt.seconds(), s.name)
	}
}

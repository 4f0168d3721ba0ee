package receiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

func (d *deviceEntity) record(mb *metadata.MetricsBuilder, at time.Time) pcommon.Resource {
	now := pcommon.NewTimestampFromTime(at)
	mb.RecordBalenaDeviceOnlineDataPoint(now, oneIf(d.online))
	mb.RecordBalenaDeviceVpnConnectedDataPoint(now, oneIf(d.vpnConnected))
	if d.heartbeat != "" {
		mb.RecordBalenaDeviceHeartbeatDataPoint(now, 1, d.heartbeat)
	}
	if d.status != "" {
		mb.RecordBalenaDeviceStatusDataPoint(now, 1, d.status)
	}
	if d.updateStatus != "" {
		mb.RecordBalenaDeviceUpdateStatusDataPoint(now, 1, d.updateStatus)
	}
	recordSince(mb.RecordBalenaDeviceConnectivityDurationDataPoint, now, d.lastConnectivityEvent)
	recordSince(mb.RecordBalenaDeviceVpnDurationDataPoint, now, d.lastVPNEvent)
	recordSince(mb.RecordBalenaDeviceHeartbeatDurationDataPoint, now, d.heartbeatChangedAt)
	if d.updateProgress.known {
		mb.RecordBalenaDeviceUpdateProgressDataPoint(now, d.updateProgress.ratio())
	}
	if d.versionsKnown {
		mb.RecordBalenaDeviceInfoDataPoint(now, 1, d.osVersion, d.osVariant, d.supervisorVersion,
			d.running.versionOrNone(), d.target.versionOrNone(), d.pinnedID != 0)
	}
	if d.connected {
		d.hardware.record(mb, now)
	}
	for _, service := range d.services {
		service.record(mb, now)
	}

	rb := mb.NewResourceBuilder()
	rb.SetBalenaDeviceUUID(d.uuid)
	rb.SetBalenaDeviceName(d.name)
	if d.deviceType != "" {
		rb.SetBalenaDeviceType(d.deviceType)
	}
	rb.SetBalenaFleetName(d.fleet.name)
	rb.SetBalenaFleetSlug(d.fleet.slug)
	return withTags(rb.Emit(), d.tags)
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
	if h.storageUsage.known && h.storageSize.known && h.storageSize.value > 0 {
		mb.RecordBalenaDeviceStorageUtilizationDataPoint(now, float64(h.storageUsage.value)/float64(h.storageSize.value))
	}
}

func (s deviceService) record(mb *metadata.MetricsBuilder, now pcommon.Timestamp) {
	if s.status != "" {
		mb.RecordBalenaDeviceServiceStatusDataPoint(now, 1, s.name, s.status)
	}
	if s.downloadProgress.known {
		mb.RecordBalenaDeviceServiceDownloadProgressDataPoint(now, s.downloadProgress.ratio(), s.name)
	}
	if s.installedAt.known() {
		mb.RecordBalenaDeviceServiceInstallAgeDataPoint(now, s.installedAt.before(now.AsTime()), s.name)
	}
}

package receiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

const mebibyte = 1 << 20

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
	if d.updateProgress != nil {
		mb.RecordBalenaDeviceUpdateProgressDataPoint(now, percent(*d.updateProgress))
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
	if h.cpuUsage != nil {
		mb.RecordBalenaDeviceCPUUtilizationDataPoint(now, percent(*h.cpuUsage))
	}
	if h.cpuTemperature != nil && *h.cpuTemperature >= 0 { // boards without a sensor report -1
		mb.RecordBalenaDeviceCPUTemperatureDataPoint(now, *h.cpuTemperature)
	}
	if h.memoryUsage != nil {
		mb.RecordBalenaDeviceMemoryUsageDataPoint(now, *h.memoryUsage*mebibyte)
	}
	if h.memoryLimit != nil {
		mb.RecordBalenaDeviceMemoryLimitDataPoint(now, *h.memoryLimit*mebibyte)
	}
	if h.storageUsage != nil {
		mb.RecordBalenaDeviceStorageUsageDataPoint(now, *h.storageUsage*mebibyte)
	}
	if h.storageSize != nil {
		mb.RecordBalenaDeviceStorageLimitDataPoint(now, *h.storageSize*mebibyte)
	}
	if h.storageUsage != nil && h.storageSize != nil && *h.storageSize > 0 {
		mb.RecordBalenaDeviceStorageUtilizationDataPoint(now, float64(*h.storageUsage)/float64(*h.storageSize))
	}
}

func (s deviceService) record(mb *metadata.MetricsBuilder, now pcommon.Timestamp) {
	if s.status != "" {
		mb.RecordBalenaDeviceServiceStatusDataPoint(now, 1, s.name, s.status)
	}
	if s.downloadProgress != nil {
		mb.RecordBalenaDeviceServiceDownloadProgressDataPoint(now, percent(*s.downloadProgress), s.name)
	}
	if s.installedAt != nil {
		mb.RecordBalenaDeviceServiceInstallAgeDataPoint(now, since(*s.installedAt, now.AsTime()), s.name)
	}
}

package receiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// fleetCount is a metric that counts the devices of a fleet by one of their values.
type fleetCount struct {
	metric  string
	columns []column[balenaclient.Device]
	also    []requestKind

	// applies reports whether a fleet has such counts; nil if every fleet has.
	applies func(*fleetEntity) bool

	// value returns the value by which a device is counted; ok is false if the device is not counted.
	value func(*deviceEntity) (value string, ok bool)

	// known are the values that are reported with 0 if no device has them.
	known []string

	record func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, devices int64, value string)

	// derived is another metric, which is computed from the counts; empty if there is none.
	derived       string
	recordDerived func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, counts map[string]int64)
}

// fleetCounts lists the metrics that count the devices of a fleet. A new one takes a row here and an entry in metadata.yaml.
func fleetCounts() []fleetCount {
	type columns = []column[balenaclient.Device]
	metrics := metadata.MetricsInfo
	return []fleetCount{
		{
			metric: metrics.BalenaFleetDeviceStatus.Name, columns: columns{device.OverallStatus}, known: knownStatuses(),
			value:  func(d *deviceEntity) (string, bool) { return d.status, d.status != "" },
			record: (*metadata.MetricsBuilder).RecordBalenaFleetDeviceStatusDataPoint,
		},
		{
			metric: metrics.BalenaFleetDeviceHeartbeatState.Name, columns: columns{device.HeartbeatState}, known: knownHeartbeatStates(),
			value:  func(d *deviceEntity) (string, bool) { return d.heartbeat, d.heartbeat != "" },
			record: (*metadata.MetricsBuilder).RecordBalenaFleetDeviceHeartbeatStateDataPoint,
		},
		{
			metric: metrics.BalenaFleetDeviceRolloutState.Name, columns: rolloutColumns(), known: rolloutStates(),
			applies: func(f *fleetEntity) bool { return f.targetReleaseID != 0 },
			value:   func(d *deviceEntity) (string, bool) { return d.rolloutState(), true },
			record:  (*metadata.MetricsBuilder).RecordBalenaFleetDeviceRolloutStateDataPoint,
			derived: metrics.BalenaFleetRolloutProgress.Name,
			recordDerived: func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, counts map[string]int64) {
				if progress, known := rolloutProgress(counts); known {
					mb.RecordBalenaFleetRolloutProgressDataPoint(now, progress)
				}
			},
		},
		{
			metric: metrics.BalenaFleetDeviceType.Name, columns: columns{device.DeviceType}, also: []requestKind{deviceTypeRequest},
			value:  func(d *deviceEntity) (string, bool) { return d.deviceType, true },
			record: (*metadata.MetricsBuilder).RecordBalenaFleetDeviceTypeDataPoint,
		},
		{
			metric: metrics.BalenaFleetDeviceOsVersion.Name, columns: columns{device.OSVersion},
			value: func(d *deviceEntity) (string, bool) { return d.osVersion, true },
			record: func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, devices int64, version string) {
				mb.RecordBalenaFleetDeviceOsVersionDataPoint(now, devices, optional(metadata.WithBalenaOsVersionMetricAttribute, version)...)
			},
		},
		{
			metric: metrics.BalenaFleetDeviceSupervisorVersion.Name, columns: columns{device.SupervisorVersion},
			value: func(d *deviceEntity) (string, bool) { return d.supervisorVersion, true },
			record: func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, devices int64, version string) {
				mb.RecordBalenaFleetDeviceSupervisorVersionDataPoint(now, devices, optional(metadata.WithBalenaSupervisorVersionMetricAttribute, version)...)
			},
		},
		{
			metric: metrics.BalenaFleetDeviceUpdateStatus.Name, columns: columns{device.UpdateStatus},
			value: func(d *deviceEntity) (string, bool) { return d.updateStatus, true },
			record: func(mb *metadata.MetricsBuilder, now pcommon.Timestamp, devices int64, status string) {
				mb.RecordBalenaFleetDeviceUpdateStatusDataPoint(now, devices, optional(metadata.WithBalenaDeviceUpdateStatusMetricAttribute, status)...)
			},
		},
	}
}

// start returns the counts of a fleet before any of its devices is counted; nil if it has none.
func (c fleetCount) start(f *fleetEntity) map[string]int64 {
	if c.applies != nil && !c.applies(f) {
		return nil
	}
	counts := make(map[string]int64, len(c.known))
	for _, value := range c.known {
		counts[value] = 0
	}
	return counts
}

// The values that balena documents. Others are reported when a device has them.
func knownStatuses() []string {
	return []string{"configuring", "disconnected", "inactive", "operational", "post-provisioning", "reduced-functionality", "updating"}
}

func knownHeartbeatStates() []string { return []string{"offline", "online", "timeout", "unknown"} }

func knownUpdateStatuses() []string {
	return []string{"aborted", "applying changes", "done", "downloaded", "downloading", "rejected"}
}

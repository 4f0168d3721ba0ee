package receiver

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

const mebibyte = 1 << 20

// entity is what has a resource of its own: a fleet, a device or a release.
type entity interface {
	// record records the entity's metrics as of a time and returns its resource.
	record(mb *metadata.MetricsBuilder, at time.Time) pcommon.Resource
}

// recorder turns snapshots into metrics.
type recorder struct {
	mb     *metadata.MetricsBuilder
	series *seriesTracker
}

func newRecorder(mb *metadata.MetricsBuilder) *recorder {
	return &recorder{mb: mb, series: newSeriesTracker()}
}

// record returns the snapshot's metrics and the number of their points; behind them come markers for the series that have vanished
// since the last snapshot. What an incomplete snapshot lacks has not vanished, so it brings no markers.
func (r *recorder) record(s *snapshot, complete bool) (metrics pmetric.Metrics, points int) {
	metrics = pmetric.NewMetrics()
	for e := range s.entities() {
		if resource, ok := r.resourceMetrics(e, s.at); ok {
			r.series.saw(resource, e)
			resource.MoveTo(metrics.ResourceMetrics().AppendEmpty())
		}
	}
	points = metrics.DataPointCount()
	if !complete {
		r.series.forget()
		return metrics, points
	}
	for _, change := range r.series.next() {
		before, _ := r.resourceMetrics(change.before, s.at)
		now := pmetric.NewResourceMetrics()
		if change.now != nil {
			now, _ = r.resourceMetrics(change.now, s.at)
		}
		r.series.markVanished(before, now, pcommon.NewTimestampFromTime(s.at), metrics)
	}
	return metrics, points
}

// entities yields the entities of the snapshot.
func (s *snapshot) entities() iter.Seq[entity] {
	return func(yield func(entity) bool) {
		_ = yieldAll(s.fleets, yield) && yieldAll(s.devices, yield) && yieldAll(s.releases, yield)
	}
}

func yieldAll[E entity](entities []E, yield func(entity) bool) bool {
	for _, e := range entities {
		if !yield(e) {
			return false
		}
	}
	return true
}

// resourceMetrics records one entity; ok is false, and the metrics are empty, if no enabled metric has a value for it.
func (r *recorder) resourceMetrics(e entity, at time.Time) (resource pmetric.ResourceMetrics, ok bool) {
	metrics := r.mb.Emit(metadata.WithResource(e.record(r.mb, at)))
	if metrics.ResourceMetrics().Len() == 0 {
		return pmetric.NewResourceMetrics(), false
	}
	resource = metrics.ResourceMetrics().At(0)
	for _, point := range points(resource) {
		point.Attributes().RemoveIf(isUnknown)
	}
	return resource, true
}

// isUnknown reports whether an attribute stands for what is not known: a generated recorder cannot leave an attribute out.
func isUnknown(_ string, value pcommon.Value) bool {
	return value.Type() == pcommon.ValueTypeStr && value.Str() == ""
}

func (f *fleetEntity) record(mb *metadata.MetricsBuilder, at time.Time) pcommon.Resource {
	now := pcommon.NewTimestampFromTime(at)
	if f.online != nil {
		mb.RecordBalenaDevicesOnlineDataPoint(now, *f.online)
	}
	if f.devices != nil {
		mb.RecordBalenaFleetDeviceCountDataPoint(now, *f.devices)
	}
	for _, status := range slices.Sorted(maps.Keys(f.byStatus)) {
		mb.RecordBalenaFleetStatusCountDataPoint(now, f.byStatus[status], status)
	}
	for _, state := range slices.Sorted(maps.Keys(f.byHeartbeat)) {
		mb.RecordBalenaFleetHeartbeatCountDataPoint(now, f.byHeartbeat[state], state)
	}

	organization, _, _ := strings.Cut(f.slug, "/")
	rb := mb.NewResourceBuilder()
	rb.SetBalenaFleetID(f.id)
	rb.SetBalenaFleetName(f.name)
	rb.SetBalenaFleetSlug(f.slug)
	rb.SetBalenaOrganizationHandle(organization)
	rb.SetFleetName(f.label)
	return rb.Emit()
}

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
	if d.lastConnectivityEvent != nil {
		mb.RecordBalenaDeviceConnectivityDurationDataPoint(now, since(*d.lastConnectivityEvent, at))
	}
	if d.updateProgress != nil {
		mb.RecordBalenaDeviceUpdateProgressDataPoint(now, percent(*d.updateProgress))
	}
	if d.versionsKnown {
		mb.RecordBalenaDeviceInfoDataPoint(now, 1,
			d.osVersion, d.osVariant, d.supervisorVersion, d.running.versionOrNone(), d.target.versionOrNone(), d.pinned)
	}
	if d.hardware.current {
		d.hardware.record(mb, now)
	}

	rb := mb.NewResourceBuilder()
	rb.SetBalenaDeviceUUID(d.uuid)
	rb.SetBalenaDeviceName(d.name)
	if d.deviceType != "" {
		rb.SetBalenaDeviceType(d.deviceType)
	}
	rb.SetBalenaFleetName(d.fleet.name)
	rb.SetBalenaFleetSlug(d.fleet.slug)
	return rb.Emit()
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

func (r *releaseEntity) record(mb *metadata.MetricsBuilder, at time.Time) pcommon.Resource {
	now := pcommon.NewTimestampFromTime(at)
	mb.RecordBalenaReleaseInfoDataPoint(now, 1, r.status, r.final)
	if r.devicesKnown {
		mb.RecordBalenaReleaseDeviceRunningDataPoint(now, r.running)
		mb.RecordBalenaReleaseDeviceTargetedDataPoint(now, r.targeted)
		mb.RecordBalenaReleaseDevicePinnedDataPoint(now, r.pinned)
	}
	if r.createdAt != nil {
		mb.RecordBalenaReleaseAgeDataPoint(now, since(*r.createdAt, at))
	}
	if r.startedAt != nil && r.endedAt != nil {
		mb.RecordBalenaReleaseBuildDurationDataPoint(now, since(*r.startedAt, *r.endedAt))
	}

	rb := mb.NewResourceBuilder()
	rb.SetBalenaReleaseCommit(r.commit)
	rb.SetBalenaReleaseVersion(r.version)
	rb.SetBalenaFleetName(r.fleet.name)
	rb.SetBalenaFleetSlug(r.fleet.slug)
	return rb.Emit()
}

func (r *releaseEntity) versionOrNone() string {
	if r == nil {
		return ""
	}
	return r.version
}

// since is the time from an event to now in seconds; 0 if the server's clock is ahead of ours.
func since(event, now time.Time) float64 { return max(now.Sub(event), 0).Seconds() }

// percent is a ratio of a percentage.
func percent(value int64) float64 { return float64(value) / 100 }

func oneIf(condition bool) int64 {
	if condition {
		return 1
	}
	return 0
}

package receiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

func (r *releaseEntity) record(mb *metadata.MetricsBuilder, at time.Time) pcommon.Resource {
	now := pcommon.NewTimestampFromTime(at)
	if r.status != "" {
		mb.RecordBalenaReleaseInfoDataPoint(now, 1, r.status, r.final)
	}
	if r.devicesKnown {
		mb.RecordBalenaReleaseDeviceRunningDataPoint(now, r.devices.running)
		mb.RecordBalenaReleaseDeviceTargetedDataPoint(now, r.devices.targeted)
		mb.RecordBalenaReleaseDevicePinnedDataPoint(now, r.devices.pinned)
	}
	recordSince(mb.RecordBalenaReleaseAgeDataPoint, now, r.createdAt)
	if r.startedAt.known() && r.endedAt.known() {
		mb.RecordBalenaReleaseBuildDurationDataPoint(now, r.startedAt.before(time.UnixMilli(int64(r.endedAt))))
	}
	if r.imageSize != nil {
		mb.RecordBalenaReleaseImageSizeDataPoint(now, *r.imageSize)
	}

	rb := mb.NewResourceBuilder()
	rb.SetBalenaReleaseCommit(r.commit)
	rb.SetBalenaReleaseVersion(r.version)
	rb.SetBalenaFleetName(r.fleet.name)
	rb.SetBalenaFleetSlug(r.fleet.slug)
	return rb.Emit()
}

// versionOrNone is the release's version; empty if there is no release.
func (r *releaseEntity) versionOrNone() string {
	if r == nil {
		return ""
	}
	return r.version
}

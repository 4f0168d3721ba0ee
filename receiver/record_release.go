package receiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/history"
)

func (r *releaseEntity) key() entityKey { return entityKey{releaseKind, int64(r.id)} }

func (r *releaseEntity) knows(kind requestKind) bool { return kind != deviceRequest || r.devicesKnown }

func (r *releaseEntity) record(recorder *recorder, at time.Time) pcommon.Resource {
	mb, now := recorder.mb, pcommon.NewTimestampFromTime(at)
	if r.status != "" {
		mb.RecordBalenaReleaseInfoDataPoint(now, 1, r.status, r.final)
	}
	if r.devicesKnown {
		mb.RecordBalenaReleaseDeviceRunningDataPoint(now, r.devices.running)
		mb.RecordBalenaReleaseDeviceTargetedDataPoint(now, r.devices.targeted)
		mb.RecordBalenaReleaseDevicePinnedDataPoint(now, r.devices.pinned)
	}
	recordInstant(mb.RecordBalenaReleaseCreatedTimestampDataPoint, now, r.createdAt)
	if r.startedAt.known() && r.endedAt.known() {
		mb.RecordBalenaReleaseBuildDurationDataPoint(now, max(r.endedAt-r.startedAt, 0).seconds())
	}
	if r.imageSize != nil {
		mb.RecordBalenaReleaseImageSizeDataPoint(now, *r.imageSize)
	}

	return releaseResource(mb.NewResourceBuilder(), history.ReleaseResource{
		Commit: r.commit, Version: r.version, FleetName: r.fleet.name, FleetSlug: r.fleet.slug,
	})
}

// versionOrNone is the release's version; empty if there is no release.
func (r *releaseEntity) versionOrNone() string {
	if r == nil {
		return ""
	}
	return r.version
}

package receiver

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/history"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

func (f *fleetEntity) key() entityKey { return entityKey{fleetKind, int64(f.id)} }

func (f *fleetEntity) knows(kind requestKind) bool {
	switch kind {
	case deviceCountRequest:
		return f.devices != nil
	case deviceRequest:
		return f.devicesKnown
	case deviceTypeRequest:
		return f.typesKnown
	case containerRequest:
		return f.services != nil
	case releaseRequest:
		return f.targetKnown
	case lastBuildRequest:
		return f.buildsKnown
	case releaseCountRequest:
		return f.releases != nil
	}
	return true
}

func (f *fleetEntity) record(r *recorder, at time.Time) pcommon.Resource {
	mb, now, countedAt := r.mb, pcommon.NewTimestampFromTime(at), pcommon.NewTimestampFromTime(f.countedAt)
	if f.online != nil {
		mb.RecordBalenaDevicesOnlineDataPoint(countedAt, *f.online)
	}
	if f.devices != nil {
		mb.RecordBalenaFleetDeviceRegisteredDataPoint(countedAt, *f.devices)
	}
	if f.connections != nil {
		mb.RecordBalenaFleetDeviceDisconnectionsDataPoint(now, f.connections.lost)
		mb.RecordBalenaFleetDeviceReconnectionsDataPoint(now, f.connections.regained)
	}
	if f.target != nil {
		mb.RecordBalenaFleetTargetReleaseInfoDataPoint(now, 1, optional(metadata.WithBalenaReleaseVersionMetricAttribute, f.target.version)...)
		recordInstant(mb.RecordBalenaFleetTargetReleaseTimestampDataPoint, now, cmp.Or(f.target.finalAt, f.target.createdAt))
	}
	recordInstant(mb.RecordBalenaFleetLastBuildTimestampDataPoint, now, f.lastBuild)
	recordCounts(mb.RecordBalenaFleetReleaseStatusDataPoint, now, f.releases)
	f.recordCounts(r, now)
	for _, key := range slices.SortedFunc(maps.Keys(f.services), serviceStatus.compare) {
		mb.RecordBalenaFleetDeviceServiceStatusDataPoint(now, f.services[key], key.service, key.status)
	}

	return fleetResource(mb.NewResourceBuilder(), history.FleetResource{
		ID: int64(f.id), Name: f.name, Slug: f.slug, Label: f.label, Tags: f.tags,
	})
}

// recordCounts records what was counted from the devices, unless some are missing: a count of some would be wrong.
func (f *fleetEntity) recordCounts(r *recorder, now pcommon.Timestamp) {
	for i, count := range r.plan.fleetCounts {
		known := f.devicesKnown && !slices.ContainsFunc(count.also, func(kind requestKind) bool { return !f.knows(kind) })
		if !known {
			continue
		}
		recordCounts(func(now pcommon.Timestamp, devices int64, value string) {
			count.record(r.mb, now, devices, value)
		}, now, f.counts[i])
		if count.derived != "" {
			count.recordDerived(r.mb, now, f.counts[i])
		}
	}
}

func (s serviceStatus) compare(other serviceStatus) int {
	return cmp.Or(strings.Compare(s.service, other.service), strings.Compare(s.status, other.status))
}

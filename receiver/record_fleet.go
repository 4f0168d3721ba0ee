package receiver

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

func (f *fleetEntity) record(mb *metadata.MetricsBuilder, at time.Time) pcommon.Resource {
	now := pcommon.NewTimestampFromTime(at)
	if f.online != nil {
		mb.RecordBalenaDevicesOnlineDataPoint(now, *f.online)
	}
	if f.devices != nil {
		mb.RecordBalenaFleetDeviceCountDataPoint(now, *f.devices)
	}
	if f.census != nil {
		f.census.record(mb, now)
		if f.target != nil && f.census.someBehind() {
			recordSince(mb.RecordBalenaFleetRolloutBehindAgeDataPoint, now, cmp.Or(f.target.finalAt, f.target.createdAt))
		}
	}
	recordSince(mb.RecordBalenaFleetBuildAgeDataPoint, now, f.lastBuild)
	recordCounts(mb.RecordBalenaFleetReleaseCountDataPoint, now, f.releases)
	for _, key := range slices.SortedFunc(maps.Keys(f.services), serviceStatus.compare) {
		mb.RecordBalenaFleetServiceDeviceCountDataPoint(now, f.services[key], key.service, key.status)
	}

	organization, _, _ := strings.Cut(f.slug, "/")
	rb := mb.NewResourceBuilder()
	rb.SetBalenaFleetID(f.id)
	rb.SetBalenaFleetName(f.name)
	rb.SetBalenaFleetSlug(f.slug)
	rb.SetBalenaOrganizationHandle(organization)
	rb.SetFleetName(f.label)
	return withTags(rb.Emit(), f.tags)
}

func (c *census) record(mb *metadata.MetricsBuilder, now pcommon.Timestamp) {
	recordCounts(mb.RecordBalenaFleetStatusCountDataPoint, now, c.status)
	recordCounts(mb.RecordBalenaFleetHeartbeatCountDataPoint, now, c.heartbeat)
	recordCounts(mb.RecordBalenaFleetOsVersionCountDataPoint, now, c.osVersion)
	recordCounts(mb.RecordBalenaFleetSupervisorVersionCountDataPoint, now, c.supervisorVersion)
	recordCounts(mb.RecordBalenaFleetTypeCountDataPoint, now, c.deviceType)
	recordCounts(mb.RecordBalenaFleetUpdateStatusCountDataPoint, now, c.updateStatus)
	recordCounts(mb.RecordBalenaFleetRolloutDeviceCountDataPoint, now, c.rollout)
	if share, known := c.rolloutProgress(); known {
		mb.RecordBalenaFleetRolloutProgressDataPoint(now, share)
	}
	mb.RecordBalenaFleetConnectivityLostDataPoint(now, c.connectionLost)
}

func (s serviceStatus) compare(other serviceStatus) int {
	return cmp.Or(strings.Compare(s.service, other.service), strings.Compare(s.status, other.status))
}

package receiver

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/history"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// The resources of metrics and of events are the same, so that they can be joined.

func fleetResource(rb *metadata.ResourceBuilder, f history.FleetResource) pcommon.Resource {
	organization, _, _ := strings.Cut(f.Slug, "/")
	rb.SetBalenaFleetID(f.ID)
	rb.SetBalenaFleetName(f.Name)
	rb.SetBalenaFleetSlug(f.Slug)
	rb.SetBalenaOrganizationHandle(organization)
	rb.SetFleetName(f.Label)
	return withTags(rb.Emit(), f.Tags)
}

func deviceResource(rb *metadata.ResourceBuilder, d history.DeviceResource) pcommon.Resource {
	rb.SetBalenaDeviceUUID(d.UUID)
	rb.SetBalenaDeviceName(d.Name)
	if d.Type != "" {
		rb.SetBalenaDeviceType(d.Type)
	}
	rb.SetBalenaFleetName(d.FleetName)
	rb.SetBalenaFleetSlug(d.FleetSlug)
	return withTags(rb.Emit(), d.Tags)
}

func releaseResource(rb *metadata.ResourceBuilder, r history.ReleaseResource) pcommon.Resource {
	rb.SetBalenaReleaseCommit(r.Commit)
	rb.SetBalenaReleaseVersion(r.Version)
	rb.SetBalenaFleetName(r.FleetName)
	rb.SetBalenaFleetSlug(r.FleetSlug)
	return rb.Emit()
}

func receiverResource(rb *metadata.ResourceBuilder, a history.Account) pcommon.Resource {
	rb.SetBalenaReceiverName(a.Receiver)
	rb.SetBalenaAPIEndpoint(a.Endpoint)
	if a.Shards > 1 {
		rb.SetBalenaShardIndex(int64(a.ShardIndex))
	}
	return rb.Emit()
}

// withTags adds an entity's tags to its resource.
func withTags(resource pcommon.Resource, tags []history.Tag) pcommon.Resource {
	for _, tag := range tags {
		resource.Attributes().PutStr(tag.Attribute, tag.Value)
	}
	return resource
}

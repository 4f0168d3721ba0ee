package balenaclient

import (
	"context"
	"fmt"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Tags are the tags of one device, fleet or release, as a map. To find what has a tag, filter by Tags:
//
//	client.Devices().Where(device.Tags.Any(devicetag.Key.Eq("site"), pine.Contains(devicetag.Value, "oslo")))
type Tags struct{ pairs pairs }

// DeviceTagsOf are the tags of a device.
func (c *Client) DeviceTagsOf(device int64) Tags {
	return Tags{pairsOf[DeviceTag]{
		owner: fmt.Sprintf("tags of device %d", device),
		rows:  c.DeviceTags(), of: deviceTagDevice.Is(device), name: deviceTagKey, value: deviceTagValue,
		key:  func(name string) pine.Key[DeviceTag] { return deviceTagDevice.Key(device).And(deviceTagKey.Is(name)) },
		pair: func(t DeviceTag) (string, string) { return t.Key, t.Value },
	}}
}

// FleetTagsOf are the tags of a fleet.
func (c *Client) FleetTagsOf(fleet int64) Tags {
	return Tags{pairsOf[FleetTag]{
		owner: fmt.Sprintf("tags of fleet %d", fleet),
		rows:  c.FleetTags(), of: fleetTagFleet.Is(fleet), name: fleetTagKey, value: fleetTagValue,
		key:  func(name string) pine.Key[FleetTag] { return fleetTagFleet.Key(fleet).And(fleetTagKey.Is(name)) },
		pair: func(t FleetTag) (string, string) { return t.Key, t.Value },
	}}
}

// ReleaseTagsOf are the tags of a release.
func (c *Client) ReleaseTagsOf(release int64) Tags {
	return Tags{pairsOf[ReleaseTag]{
		owner: fmt.Sprintf("tags of release %d", release),
		rows:  c.ReleaseTags(), of: releaseTagRelease.Is(release), name: releaseTagKey, value: releaseTagValue,
		key: func(name string) pine.Key[ReleaseTag] {
			return releaseTagRelease.Key(release).And(releaseTagKey.Is(name))
		},
		pair: func(t ReleaseTag) (string, string) { return t.Key, t.Value },
	}}
}

// Map returns all tags. Of an owner that does not exist, or that the credentials do not reach, there are none: the API does not tell.
func (t Tags) Map(ctx context.Context) (map[string]string, error) { return t.pairs.all(ctx) }

// Get returns a tag's value, which may be empty, or [ErrNotFound].
func (t Tags) Get(ctx context.Context, key string) (string, error) { return t.pairs.get(ctx, key) }

// Set makes a tag or changes its value. It is [ErrInvalid] if the key is none, and [ErrConflict] if the owner does not exist.
func (t Tags) Set(ctx context.Context, key, value string) error { return t.pairs.set(ctx, key, value) }

// Unset removes a tag. It is [ErrNotFound] if there is none.
func (t Tags) Unset(ctx context.Context, key string) error { return t.pairs.unset(ctx, key) }

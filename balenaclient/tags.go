package balenaclient

import (
	"context"
	"fmt"
)

// Tags are the tags of one device, fleet or release. To find what has a tag, filter by it:
//
//	client.Devices().Where(device.Tags.Any(devicetag.Key.Eq("site"), devicetag.Value.Eq("oslo")))
type Tags struct{ pairs pairs }

// DeviceTagsOf returns the tags of a device.
func (c *Client) DeviceTagsOf(device DeviceID) Tags {
	return Tags{newPairs(fmt.Sprintf("tags of device %d", device), device, c.DeviceTags(), deviceTagDevice, deviceTagKey, deviceTagValue,
		func(t DeviceTag) (string, string) { return t.Key, t.Value }).ownedBy(c.deviceExists(device))}
}

// FleetTagsOf returns the tags of a fleet.
func (c *Client) FleetTagsOf(fleet FleetID) Tags {
	return Tags{newPairs(fmt.Sprintf("tags of fleet %d", fleet), fleet, c.FleetTags(), fleetTagFleet, fleetTagKey, fleetTagValue,
		func(t FleetTag) (string, string) { return t.Key, t.Value }).ownedBy(c.fleetExists(fleet))}
}

// ReleaseTagsOf returns the tags of a release.
func (c *Client) ReleaseTagsOf(release ReleaseID) Tags {
	return Tags{newPairs(fmt.Sprintf("tags of release %d", release), release, c.ReleaseTags(), releaseTagRelease, releaseTagKey, releaseTagValue,
		func(t ReleaseTag) (string, string) { return t.Key, t.Value }).ownedBy(func(ctx context.Context) error {
		return exists(ctx, c.Releases(), "release", release)
	})}
}

func (c *Client) deviceExists(device DeviceID) func(context.Context) error {
	return func(ctx context.Context) error { return exists(ctx, c.Devices(), "device", device) }
}

func (c *Client) fleetExists(fleet FleetID) func(context.Context) error {
	return func(ctx context.Context) error { return exists(ctx, c.AllFleets(), "fleet", fleet) }
}

// Map returns all tags. The error is [ErrNotFound] if the device, fleet or release does not exist.
func (t Tags) Map(ctx context.Context) (map[string]string, error) { return t.pairs.all(ctx) }

// Get returns a tag's value, which may be empty. The error is [ErrNotFound] if there is no such tag, device, fleet or release.
func (t Tags) Get(ctx context.Context, key string) (string, error) { return t.pairs.get(ctx, key) }

// Set creates a tag or changes its value. The error is [ErrInvalid] if the API would refuse the key, and [ErrNotFound] if the device,
// fleet or release does not exist.
func (t Tags) Set(ctx context.Context, key, value string) error { return t.pairs.set(ctx, key, value) }

// Unset deletes a tag. The error is [ErrNotFound] if there is no such tag, device, fleet or release.
func (t Tags) Unset(ctx context.Context, key string) error { return t.pairs.unset(ctx, key) }

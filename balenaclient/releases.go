package balenaclient

import (
	"context"
	"fmt"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// ErrWrongFleet means that a device is not in the fleet of the release that it should run, perhaps because it moved. It is [ErrInvalid]
// too.
var ErrWrongFleet = fmt.Errorf("in another fleet: %w", ErrInvalid)

// LatestRelease returns the latest release of a fleet that devices can run: the one created last of those that are built, final and not
// invalidated. The error is [ErrNotFound] if there is none.
func (c *Client) LatestRelease(ctx context.Context, fleet FleetID, shape ...Query[Release]) (Release, error) {
	release, err := shaped(c.Releases(), shape).
		Where(releaseFleet.Eq(fleet), releaseStatus.Eq("success"), releaseIsFinal.Eq(true), releaseIsInvalidated.Eq(false)).
		OrderBy(releaseCreatedAt.Desc(), releaseID.Desc()).First(ctx)
	return release, named(fmt.Sprintf("latest release of fleet %d", fleet), err)
}

// ReleaseByCommit returns the release of a fleet with this commit, or the only one whose commit begins with these digits. The error is
// [ErrNotFound], or an [AmbiguousError] with the versions of all that match: a commit can be built more than once.
func (c *Client) ReleaseByCommit(ctx context.Context, fleet FleetID, commit string, shape ...Query[Release]) (Release, error) {
	commit = strings.ToLower(commit)
	if commit == "" {
		return Release{}, &InvalidError{Resource: "release", Column: "commit", Problem: "is empty", Remedy: "give at least its first digits"}
	}
	return one(ctx, c.Releases().Where(releaseFleet.Eq(fleet), releaseCommit.StartsWith(commit)), shape,
		fmt.Sprintf("release %s… of fleet %d", commit, fleet), "give more digits, or ask for it by version", releaseRawVersion,
		func(r Release) string { return r.RawVersion })
}

// ReleaseByVersion returns the release of a fleet with this version, for example 1.2.3, 1.2.3+rev1 or 1.2.3-1700000000000.
func (c *Client) ReleaseByVersion(ctx context.Context, fleet FleetID, version string, shape ...Query[Release]) (Release, error) {
	return one(ctx, c.Releases().Where(releaseFleet.Eq(fleet), releaseRawVersion.Eq(version)), shape,
		fmt.Sprintf("release %s of fleet %d", version, fleet), "ask for it by commit", releaseCommit,
		func(r Release) string { return r.Commit })
}

// PinDevices pins devices to a release of their fleet, whatever the fleet runs. Nothing is changed if the release cannot be run
// ([ErrInvalid]) or belongs to another fleet ([ErrWrongFleet]). If a device moves at the same time the error is [ErrWrongFleet] too: that
// device is not pinned, and the others are.
func (c *Client) PinDevices(ctx context.Context, release ReleaseID, devices ...DeviceID) error {
	r, err := c.runnable(ctx, release)
	if err != nil {
		return err
	}
	rows, err := c.devices(ctx, devices)
	if err != nil {
		return err
	}
	for _, d := range rows {
		if d.Fleet.ID != r.Fleet.ID {
			return fmt.Errorf("device %s (%s) is in fleet %d and release %d is of fleet %d: %w: nothing was changed",
				d.UUID, d.Name, d.Fleet.ID, r.ID, r.Fleet.ID, ErrWrongFleet)
		}
	}
	if err := c.patchDevices(ctx, devices, deviceFleet.Eq(r.Fleet.ID), devicePinnedRelease.Set(release)); err != nil {
		return err
	}
	rows, err = c.devices(ctx, devices)
	if err != nil {
		return fmt.Errorf("pinned, but not verified: %w", err)
	}
	for _, d := range rows {
		if d.PinnedRelease.ID != release && d.Fleet.ID != r.Fleet.ID {
			return fmt.Errorf("device %s (%s) moved to fleet %d and was not pinned: %w", d.UUID, d.Name, d.Fleet.ID, ErrWrongFleet)
		}
	}
	return nil
}

// UnpinDevices lets devices run what their fleet runs.
func (c *Client) UnpinDevices(ctx context.Context, devices ...DeviceID) error {
	return c.changeDevices(ctx, devices, devicePinnedRelease.Clear())
}

// PinOption limits [Client.PinAllDevices] and [Client.UnpinAllDevices].
type PinOption func(*pinning)

type pinning struct{ exceptTagged []string }

// ExceptTagged spares devices that have one of the tags, whatever its value.
func ExceptTagged(keys ...string) PinOption {
	return func(p *pinning) { p.exceptTagged = append(p.exceptTagged, keys...) }
}

func pinFilter(options []PinOption) pine.Filter[Device] {
	var p pinning
	for _, option := range options {
		option(&p)
	}
	if len(p.exceptTagged) == 0 {
		return pine.Filter[Device]{}
	}
	return pine.Not(deviceTags.Any(deviceTagKey.In(p.exceptTagged...)))
}

// PinAllDevices pins all devices of the release's fleet, with a single change. It returns the number of devices, counted just before.
func (c *Client) PinAllDevices(ctx context.Context, release ReleaseID, options ...PinOption) (int, error) {
	r, err := c.runnable(ctx, release)
	if err != nil {
		return 0, err
	}
	return patchCounted(ctx, c.Devices().Where(deviceFleet.Eq(r.Fleet.ID), pinFilter(options)), devicePinnedRelease.Set(release))
}

// UnpinAllDevices unpins all devices of a fleet, with a single change. It returns the number of devices that were pinned, counted just
// before.
func (c *Client) UnpinAllDevices(ctx context.Context, fleet FleetID, options ...PinOption) (int, error) {
	return patchCounted(ctx, c.Devices().Where(deviceFleet.Eq(fleet), devicePinnedRelease.NotNull(), pinFilter(options)),
		devicePinnedRelease.Clear())
}

func patchCounted[T any](ctx context.Context, q pine.Query[T], assignments ...pine.Assignment[T]) (int, error) {
	count, err := q.Count(ctx)
	if err != nil || count == 0 {
		return 0, err
	}
	return count, q.Patch(ctx, assignments...)
}

// PinFleet makes a release the target of its fleet, which stops tracking the latest one.
func (c *Client) PinFleet(ctx context.Context, release ReleaseID) error {
	r, err := c.runnable(ctx, release)
	if err != nil {
		return err
	}
	return c.AllFleets().Where(fleetID.Eq(r.Fleet.ID)).MustMatch().
		Patch(ctx, fleetTargetRelease.Set(release), fleetTracksLatestRelease.Set(false))
}

// TrackLatest makes the latest release the target of a fleet, now and whenever there is a newer one. A fleet may not have a release yet.
func (c *Client) TrackLatest(ctx context.Context, fleet FleetID) error {
	assignments := []pine.Assignment[Fleet]{fleetTracksLatestRelease.Set(true)}
	switch latest, err := c.LatestRelease(ctx, fleet); {
	case err == nil:
		assignments = append(assignments, fleetTargetRelease.Set(latest.ID))
	case !isNotFound(err):
		return err
	}
	return c.AllFleets().Where(fleetID.Eq(fleet)).MustMatch().Patch(ctx, assignments...)
}

// runnable returns a release if devices can run it.
func (c *Client) runnable(ctx context.Context, id ReleaseID) (Release, error) {
	r, err := c.Releases().Select(releaseFleet, releaseStatus, releaseIsInvalidated, releaseCommit).Get(ctx, id)
	switch {
	case err != nil:
		return r, named(fmt.Sprintf("release %d", id), err)
	case r.Status != "success":
		return r, fmt.Errorf("release %d (%s): %w: its build is %s, so devices cannot run it: nothing was changed", id, r.Commit, ErrInvalid, r.Status)
	case r.IsInvalidated:
		return r, fmt.Errorf("release %d (%s): %w: it was invalidated: nothing was changed", id, r.Commit, ErrInvalid)
	}
	return r, nil
}

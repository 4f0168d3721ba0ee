package balenaclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// maxIDs is how many ids stand in one request, as in balena's own SDKs: a URL must not become longer than the server accepts.
const maxIDs = 200

// AmbiguousError lists what met a query for one. It is [ErrNotUnique] too.
type AmbiguousError struct {
	What       string   // what was asked for, for example: device named "kiosk"
	Candidates []string // UUIDs of devices, slugs of fleets, commits of releases
	Remedy     string   // how to ask for one of them
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%s: %s: %s: %s", e.What, ErrNotUnique, strings.Join(e.Candidates, ", "), e.Remedy)
}

// Is reports whether target is [ErrNotUnique].
func (e *AmbiguousError) Is(target error) bool { return target == ErrNotUnique }

// maxCandidates is how many rows are fetched to be named in an AmbiguousError.
const maxCandidates = 5

// only returns the one row of a query. The key names it, should it not be alone.
func only[T any](ctx context.Context, q pine.Query[T], what, remedy string, key func(T) string) (T, error) {
	var none T
	rows, err := q.Top(maxCandidates).List(ctx)
	switch {
	case err != nil:
		return none, err
	case len(rows) == 0:
		return none, fmt.Errorf("%s: %w", what, ErrNotFound)
	case len(rows) > 1:
		ambiguous := &AmbiguousError{What: what, Remedy: remedy}
		for _, row := range rows {
			ambiguous.Candidates = append(ambiguous.Candidates, key(row))
		}
		if len(rows) == maxCandidates {
			ambiguous.Candidates[maxCandidates-1] += ", …"
		}
		return none, ambiguous
	}
	return rows[0], nil
}

// DeviceByUUID returns the device with this UUID, or whose UUID alone begins like this. It is [ErrNotFound], or an [AmbiguousError] if
// the beginning fits several devices.
func (c *Client) DeviceByUUID(ctx context.Context, uuid string) (Device, error) {
	uuid = strings.ToLower(uuid)
	if uuid == "" || !isHex(uuid) || len(uuid) > 62 {
		return Device{}, &InvalidError{Resource: "device", Column: "uuid", Value: uuid, Problem: "is no UUID",
			Remedy: "it has 32 or 62 hexadecimal digits, of which the first will do if no other device's are the same"}
	}
	if len(uuid) == 32 || len(uuid) == 62 {
		d, err := c.Devices().GetBy(ctx, deviceUUID.Is(uuid))
		if !errors.Is(err, ErrNotFound) || len(uuid) == 62 {
			return d, err
		}
	}
	return only(ctx, c.Devices().Where(pine.StartsWith(deviceUUID, uuid)), fmt.Sprintf("device with UUID %s…", uuid),
		"give more digits", func(d Device) string { return d.UUID })
}

// DeviceByName returns the only device of this name that the credentials reach. It is [ErrNotFound], or an [AmbiguousError] with the
// UUIDs of the devices of this name: names need not be unique.
func (c *Client) DeviceByName(ctx context.Context, name string) (Device, error) {
	return only(ctx, c.Devices().Where(deviceName.Eq(name)), fmt.Sprintf("device named %q", name),
		"ask for it by UUID", func(d Device) string { return d.UUID })
}

// FleetBySlug returns the fleet with this slug, organization/fleet; capitals do not matter.
func (c *Client) FleetBySlug(ctx context.Context, slug string) (Fleet, error) {
	fleet, err := c.Fleets().GetBy(ctx, fleetSlug.Is(strings.ToLower(slug)))
	if err != nil {
		return fleet, fmt.Errorf("fleet %q: %w", slug, err)
	}
	return fleet, nil
}

// FleetByName returns the only fleet of this name that the user has access to. It is [ErrNotFound], or an [AmbiguousError] with the
// slugs of the fleets of this name: names are unique within an organization only. [Client.FleetBySlug] is never ambiguous.
func (c *Client) FleetByName(ctx context.Context, name string) (Fleet, error) {
	return only(ctx, c.AccessibleFleets().Where(fleetName.Eq(name)), fmt.Sprintf("fleet named %q", name),
		"ask for it by slug", func(f Fleet) string { return f.Slug })
}

// RenameDevice gives a device a name. It need not be unique.
func (c *Client) RenameDevice(ctx context.Context, device int64, name string) error {
	return c.changeDevices(ctx, []int64{device}, deviceName.Set(name))
}

// SetDeviceNote sets the note of a device; an empty one removes it.
func (c *Client) SetDeviceNote(ctx context.Context, device int64, note string) error {
	if note == "" {
		return c.changeDevices(ctx, []int64{device}, deviceNote.Clear())
	}
	return c.changeDevices(ctx, []int64{device}, deviceNote.Set(note))
}

// SetPublicURL turns the public URL of devices on or off. openBalena has none.
func (c *Client) SetPublicURL(ctx context.Context, on bool, devices ...int64) error {
	return c.changeDevices(ctx, devices, deviceIsWebAccessible.Set(on))
}

// MoveDevices moves devices to a fleet. They lose their pins, and what is set for the services of their former fleet; variables for all
// services stay. To take those of services along, read them first and apply them when the new services are there:
//
//	env, err := client.DeviceEnv(id).All(ctx)
//	err = client.MoveDevices(ctx, fleet, id)
//	_, err = client.DeviceEnv(id).Apply(ctx, env)
func (c *Client) MoveDevices(ctx context.Context, fleet int64, devices ...int64) error {
	if _, err := c.Fleets().Select(fleetSlug).Get(ctx, fleet); err != nil {
		return fmt.Errorf("fleet %d: %w: nothing was changed", fleet, err)
	}
	return c.changeDevices(ctx, devices, deviceFleet.Set(fleet))
}

// changeDevices changes devices, all of which must exist.
func (c *Client) changeDevices(ctx context.Context, ids []int64, assignments ...pine.Assignment[Device]) error {
	if err := c.Devices().Check(assignments...); err != nil {
		return err
	}
	if _, err := c.devices(ctx, ids); err != nil {
		return err
	}
	return c.patchDevices(ctx, ids, pine.Filter[Device]{}, assignments...)
}

// devices fetches devices, or says which do not exist.
func (c *Client) devices(ctx context.Context, ids []int64) ([]Device, error) {
	if len(ids) == 0 {
		return nil, fmt.Errorf("no device was named: %w", ErrInvalid)
	}
	var found []Device
	for chunk := range slices.Chunk(ids, maxIDs) {
		rows, err := c.Devices().Where(deviceID.In(chunk...)).
			Select(deviceUUID, deviceName, deviceFleet, devicePinnedRelease).List(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, rows...)
	}
	for _, id := range ids {
		if !slices.ContainsFunc(found, func(d Device) bool { return d.ID == id }) {
			return nil, fmt.Errorf("device %d: %w: nothing was changed", id, ErrNotFound)
		}
	}
	return found, nil
}

// patchDevices changes those of the devices that meet a filter, with one request for as many as fit into a URL.
func (c *Client) patchDevices(ctx context.Context, ids []int64, filter pine.Filter[Device], assignments ...pine.Assignment[Device]) error {
	done := 0
	for chunk := range slices.Chunk(ids, maxIDs) {
		if err := c.Devices().Where(deviceID.In(chunk...), filter).Patch(ctx, assignments...); err != nil {
			if len(ids) > maxIDs {
				err = fmt.Errorf("after %d of %d devices: %w", done, len(ids), err)
			}
			return err
		}
		done += len(chunk)
	}
	return nil
}

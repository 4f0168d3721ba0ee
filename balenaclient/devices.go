package balenaclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// maxIDs is how many ids go into one request, as in balena's own SDKs: servers limit the length of a URL.
const maxIDs = 200

// AmbiguousError lists what matched a query for one row. It is [ErrNotUnique] too.
type AmbiguousError struct {
	What       string   // what was asked for, for example: device named "kiosk"
	Candidates []string // UUIDs of devices, slugs of fleets, versions or commits of releases
	More       bool     // whether there are more than Candidates lists
	Remedy     string   // how to ask for one of them
}

func (e *AmbiguousError) Error() string {
	candidates := strings.Join(e.Candidates, ", ")
	if e.More {
		candidates += ", …"
	}
	return fmt.Sprintf("%s: %s: %s: %s", e.What, ErrNotUnique, candidates, e.Remedy)
}

// Is reports whether target is [ErrNotUnique].
func (e *AmbiguousError) Is(target error) bool { return target == ErrNotUnique }

// maxCandidates limits [AmbiguousError.Candidates].
const maxCandidates = 5

// one returns the only row of a query. The column stands for a row in an AmbiguousError.
func one[T any](ctx context.Context, q Query[T], shape []Query[T], what, remedy string, column pine.Selectable[T], key func(T) string) (T, error) {
	var none T
	rows, err := shaped(q, shape).Top(2).List(ctx)
	switch {
	case err != nil:
		return none, fmt.Errorf("%s: %w", what, err)
	case len(rows) == 0:
		return none, fmt.Errorf("%s: %w", what, ErrNotFound)
	case len(rows) == 1:
		return rows[0], nil
	}
	if rows, err = q.Select(column).Top(maxCandidates + 1).List(ctx); err != nil {
		return none, fmt.Errorf("%s: %w", what, err)
	}
	ambiguous := &AmbiguousError{What: what, Remedy: remedy, More: len(rows) > maxCandidates}
	for _, row := range rows[:min(len(rows), maxCandidates)] {
		ambiguous.Candidates = append(ambiguous.Candidates, key(row))
	}
	return none, ambiguous
}

// shaped adds what a caller wants to know of a row to the query that finds it.
func shaped[T any](q Query[T], shape []Query[T]) Query[T] {
	for _, s := range shape {
		q = q.With(s)
	}
	return q
}

// DeviceByUUID returns the device with this UUID, or the only one whose UUID begins with these digits. The error is [ErrNotFound], or an
// [AmbiguousError] if several UUIDs do.
//
// Like all methods that find one row it takes queries that say what to fetch, for example device.Select(device.Name).
func (c *Client) DeviceByUUID(ctx context.Context, uuid string, shape ...Query[Device]) (Device, error) {
	uuid = strings.ToLower(uuid)
	if uuid == "" || !isHex(uuid) || len(uuid) > 62 {
		return Device{}, &InvalidError{Resource: "device", Column: "uuid", Value: uuid, Problem: "is not a UUID",
			Remedy: "it has 32 or 62 hexadecimal digits; the first ones suffice if they are unique"}
	}
	if len(uuid) == 32 || len(uuid) == 62 {
		d, err := shaped(c.Devices(), shape).GetBy(ctx, deviceUUID.Key(uuid))
		if !errors.Is(err, ErrNotFound) || len(uuid) == 62 {
			return d, err
		}
	}
	return one(ctx, c.Devices().Where(deviceUUID.StartsWith(uuid)), shape, fmt.Sprintf("device with UUID %s…", uuid),
		"give more digits", deviceUUID, func(d Device) string { return d.UUID })
}

// DeviceByName returns the device of this name. The error is [ErrNotFound], or an [AmbiguousError] with the UUIDs of all devices of this
// name, since names need not be unique.
func (c *Client) DeviceByName(ctx context.Context, name string, shape ...Query[Device]) (Device, error) {
	return one(ctx, c.Devices().Where(deviceName.Eq(name)), shape, fmt.Sprintf("device named %q", name),
		"ask for it by UUID", deviceUUID, func(d Device) string { return d.UUID })
}

// FleetBySlug returns the fleet with this slug, organization/fleet, in upper or lower case.
func (c *Client) FleetBySlug(ctx context.Context, slug string, shape ...Query[Fleet]) (Fleet, error) {
	fleet, err := shaped(c.AllFleets(), shape).GetBy(ctx, fleetSlug.Key(strings.ToLower(slug)))
	return fleet, named(fmt.Sprintf("fleet %q", slug), err)
}

// FleetByName returns the fleet of this name that the user has access to. The error is [ErrNotFound], or an [AmbiguousError] with the slugs
// of all fleets of this name, since names are unique within an organization only. [Client.FleetBySlug] is never ambiguous.
func (c *Client) FleetByName(ctx context.Context, name string, shape ...Query[Fleet]) (Fleet, error) {
	return one(ctx, c.Fleets().Where(fleetName.Eq(name)), shape, fmt.Sprintf("fleet named %q", name),
		"ask for it by slug", fleetSlug, func(f Fleet) string { return f.Slug })
}

// RenameDevice changes the name of a device, which need not be unique.
func (c *Client) RenameDevice(ctx context.Context, device DeviceID, name string) error {
	return c.changeDevices(ctx, []DeviceID{device}, deviceName.Set(name))
}

// SetDeviceNote sets the note of a device; an empty one removes it.
func (c *Client) SetDeviceNote(ctx context.Context, device DeviceID, note string) error {
	if note == "" {
		return c.changeDevices(ctx, []DeviceID{device}, deviceNote.Clear())
	}
	return c.changeDevices(ctx, []DeviceID{device}, deviceNote.Set(note))
}

// SetPublicURL enables or disables the public URL of devices, which exists on balenaCloud only.
func (c *Client) SetPublicURL(ctx context.Context, enabled bool, devices ...DeviceID) error {
	return c.changeDevices(ctx, devices, deviceIsWebAccessible.Set(enabled))
}

// MoveDevices moves devices to a fleet. They lose their pins and the variables of single services, but keep those for all services. To
// keep the others too, read them first and apply them once the device has the services of its new fleet:
//
//	env, err := client.DeviceEnv(id).All(ctx)
//	err = client.MoveDevices(ctx, fleet, id)
//	_, err = client.DeviceEnv(id).Apply(ctx, env)
func (c *Client) MoveDevices(ctx context.Context, fleet FleetID, devices ...DeviceID) error {
	if _, err := c.AllFleets().Select(fleetSlug).Get(ctx, fleet); err != nil {
		return fmt.Errorf("%w: nothing was changed", named(fmt.Sprintf("fleet %d", fleet), err))
	}
	return c.changeDevices(ctx, devices, deviceFleet.Set(fleet))
}

// changeDevices changes devices, all of which must exist.
func (c *Client) changeDevices(ctx context.Context, ids []DeviceID, assignments ...pine.Assignment[Device]) error {
	if err := c.Devices().Check(assignments...); err != nil {
		return err
	}
	if _, err := c.devices(ctx, ids); err != nil {
		return err
	}
	return c.patchDevices(ctx, ids, pine.Filter[Device]{}, assignments...)
}

// devices fetches devices. If one does not exist the error names it.
func (c *Client) devices(ctx context.Context, ids []DeviceID) ([]Device, error) {
	if len(ids) == 0 {
		return nil, fmt.Errorf("no device given: %w", ErrInvalid)
	}
	var devices []Device
	found := make(map[DeviceID]bool, len(ids))
	for chunk := range slices.Chunk(ids, maxIDs) {
		rows, err := c.Devices().Where(deviceID.In(chunk...)).
			Select(deviceUUID, deviceName, deviceFleet, devicePinnedRelease).List(ctx)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			devices, found[row.ID] = append(devices, row), true
		}
	}
	for _, id := range ids {
		if !found[id] {
			return nil, fmt.Errorf("device %d: %w: nothing was changed", id, ErrNotFound)
		}
	}
	return devices, nil
}

// patchDevices changes those of the devices that match a filter, with one request for as many as fit into a URL.
func (c *Client) patchDevices(ctx context.Context, ids []DeviceID, filter pine.Filter[Device], assignments ...pine.Assignment[Device]) error {
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

// named says in a user's words which row could not be read, or does not exist.
func named(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case isNotFound(err):
		return fmt.Errorf("%s: %w", what, ErrNotFound) // without the resource's name in the API
	}
	return fmt.Errorf("%s: %w", what, err)
}

// exists returns ErrNotFound unless there is a row with this id.
func exists[T any](ctx context.Context, q pine.Query[T], what string, id pine.ID[T]) error {
	const column = pine.Field[T, pine.ID[T]]("id")
	switch count, err := q.Where(column.Eq(id)).Count(ctx); {
	case err != nil:
		return err
	case count == 0:
		return fmt.Errorf("%s %d: %w", what, id, ErrNotFound)
	}
	return nil
}

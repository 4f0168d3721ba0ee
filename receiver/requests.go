package receiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/devicetag"
	"github.com/otelcol-balena/balenareceiver/balenaclient/devicetype"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleet"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleettag"
	"github.com/otelcol-balena/balenareceiver/balenaclient/image"
	"github.com/otelcol-balena/balenareceiver/balenaclient/imageinstall"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
	servicefields "github.com/otelcol-balena/balenareceiver/balenaclient/service"
)

// maxIDListSize bounds a list of ids within a URL, in bytes. The server accepts some 16 KiB for URL and headers together.
const maxIDListSize = 12 << 10

// releaseStatuses are those that balena documents. The server counts one at a time.
var releaseStatuses = []string{"cancelled", "error", "failed", "interrupted", "running", "success"}

func (r *fetching) fetchFleets(ctx context.Context) error {
	query := r.selection.fleets(r.client).Select(fleet.Name, fleet.Slug, fleet.TargetRelease)
	if r.plan.needs(fleetRequest) {
		query = query.Expand(fleet.Devices.Count(device.IsOnline.Eq(true), r.selection.deviceFilter))
	}
	return forEachRow(ctx, func(row balenaclient.Fleet) error {
		if row.Slug == "" {
			return fmt.Errorf("fleet with id %d has no slug", row.ID)
		}
		if r.selection.includes(row) {
			r.answers.fleets = append(r.answers.fleets, row)
		}
		return nil
	}, query)
}

func (r *fetching) fetchDeviceCounts(ctx context.Context) error {
	r.answers.deviceCounts = map[int64]int64{}
	return forEachRow(ctx, func(row balenaclient.Fleet) error {
		r.answers.deviceCounts[row.ID] = int64(row.Devices.Count)
		return nil
	}, r.selection.fleets(r.client).Select(fleet.ID).Expand(fleet.Devices.Count(r.selection.deviceFilter)))
}

func (r *fetching) fetchFleetTags(ctx context.Context) error {
	tags := map[int64][]tag{}
	keys := slices.Sorted(maps.Keys(r.tags.Fleets))
	err := forEachRow(ctx, func(row balenaclient.FleetTag) error {
		attribute := cmp.Or(r.tags.Fleets[row.Key], "balena.fleet.tag."+row.Key)
		tags[row.Fleet.ID] = append(tags[row.Fleet.ID], tag{attribute, row.Value})
		return nil
	}, forIDs(r.fleetIDs(), func(ids []int64) pine.Query[balenaclient.FleetTag] {
		return r.client.FleetTags().Where(fleettag.Fleet.In(ids...), fleettag.Key.In(keys...)).PageSize(maxPageSize)
	})...)
	if err == nil {
		r.fetcher.fleetTags = tags
	}
	return err
}

func (r *fetching) fetchDevices(ctx context.Context) error {
	return forEachRow(ctx, func(row balenaclient.Device) error {
		if row.UUID == "" {
			return fmt.Errorf("device with id %d has no uuid", row.ID)
		}
		r.answers.devices = append(r.answers.devices, newDeviceEntity(row, r.texts))
		return nil
	}, forIDs(r.fleetIDs(), func(ids []int64) pine.Query[balenaclient.Device] {
		return r.client.Devices().Where(device.Fleet.In(ids...), r.selection.deviceFilter).Select(r.plan.devices...)
	})...)
}

func (r *fetching) fetchDeviceTags(ctx context.Context) error {
	tags := map[int64][]tag{}
	keys := slices.Sorted(maps.Keys(r.tags.Devices))
	shared := texts{}
	err := forEachRow(ctx, func(row balenaclient.DeviceTag) error {
		attribute := cmp.Or(r.tags.Devices[row.Key], shared.shared("balena.device.tag."+row.Key))
		tags[row.Device.ID] = append(tags[row.Device.ID], tag{attribute, shared.shared(row.Value)})
		return nil
	}, forIDs(r.fleetIDs(), func(ids []int64) pine.Query[balenaclient.DeviceTag] {
		return r.client.DeviceTags().Where(
			devicetag.Key.In(keys...), devicetag.Device.Where(device.Fleet.In(ids...), r.selection.deviceFilter))
	})...)
	if err == nil {
		r.fetcher.deviceTags = tags
	}
	return err
}

func (r *fetching) fetchContainers(ctx context.Context) error {
	statuses := texts{}
	return forEachRow(ctx, func(row balenaclient.ImageInstall) error {
		r.answers.containers = append(r.answers.containers, container{
			deviceID:         row.Device.ID,
			imageID:          row.Image.ID,
			status:           statuses.shared(row.Status),
			installedAt:      newInstant(row.InstalledAt),
			downloadProgress: newReading(row.DownloadProgress),
		})
		return nil
	}, forIDs(r.fleetIDs(), func(ids []int64) pine.Query[balenaclient.ImageInstall] {
		// Rows of images that were removed stay for ever.
		return r.client.ImageInstalls().Select(r.plan.containers...).Where(
			imageinstall.Status.Ne("deleted"), imageinstall.Device.Where(device.Fleet.In(ids...), r.selection.deviceFilter))
	})...)
}

// fetchServices fetches of which services the images are that were not seen before.
func (r *fetching) fetchServices(ctx context.Context) error {
	unknown := map[int64]bool{}
	for _, c := range r.answers.containers {
		if _, known := r.services[c.imageID]; !known && c.imageID != 0 {
			unknown[c.imageID] = true
		}
	}
	if r.services == nil || len(r.services)+len(unknown) > maxServices {
		r.fetcher.services = map[int64]service{}
		for _, c := range r.answers.containers {
			unknown[c.imageID] = true
		}
	}
	names := texts{}
	return forEachRow(ctx, func(row balenaclient.Image) error {
		if of, ok := row.Service.Row(); ok {
			r.services[row.ID] = service{name: names.shared(of.Name), fleetID: of.Fleet.ID}
		}
		return nil
	}, forIDs(slices.Sorted(maps.Keys(unknown)), func(ids []int64) pine.Query[balenaclient.Image] {
		return r.client.Images().Where(image.ID.In(ids...)).PageSize(maxPageSize).
			Select(image.ID).Expand(image.Service.With(pine.Select(servicefields.Name, servicefields.Fleet)))
	})...)
}

func (r *fetching) hasUnknownDeviceType() bool {
	return slices.ContainsFunc(r.answers.devices, func(d *deviceEntity) bool {
		_, known := r.deviceTypes[d.typeID]
		return !known && d.typeID != 0
	})
}

func (r *fetching) fetchDeviceTypes(ctx context.Context) error {
	deviceTypes := map[int64]string{}
	err := forEachRow(ctx, func(row balenaclient.DeviceType) error {
		deviceTypes[row.ID] = row.Slug
		return nil
	}, r.client.DeviceTypes().Select(devicetype.Slug).PageSize(maxPageSize))
	if err == nil {
		r.fetcher.deviceTypes = deviceTypes
	}
	return err
}

func (r *fetching) fetchNewestReleases(ctx context.Context) error {
	newest := pine.Select(release.ID).OrderBy(release.CreatedAt.Desc(), release.ID.Desc()).Top(1)
	return r.forEachFleetRelease(ctx, newest, func(_ int64, row balenaclient.Release) { r.newest = append(r.newest, row.ID) })
}

func (r *fetching) fetchLastBuilds(ctx context.Context) error {
	r.answers.lastBuilds = map[int64]instant{}
	last := pine.Select(release.EndedAt).
		Where(release.Status.Eq("success"), release.EndedAt.NotNull()).OrderBy(release.EndedAt.Desc(), release.ID.Desc()).Top(1)
	return r.forEachFleetRelease(ctx, last, func(fleetID int64, row balenaclient.Release) {
		r.answers.lastBuilds[fleetID] = newInstant(row.EndedAt)
	})
}

// forEachFleetRelease hands over the releases that a query selects of each fleet.
func (r *fetching) forEachFleetRelease(
	ctx context.Context, releases pine.Query[balenaclient.Release], accept func(fleetID int64, row balenaclient.Release),
) error {
	return forEachRow(ctx, func(row balenaclient.Fleet) error {
		for _, release := range row.Releases.Rows {
			accept(row.ID, release)
		}
		return nil
	}, forIDs(r.fleetIDs(), func(ids []int64) pine.Query[balenaclient.Fleet] {
		return r.client.Fleets().Where(fleet.ID.In(ids...)).Select(fleet.ID).Expand(fleet.Releases.With(releases)).PageSize(maxPageSize)
	})...)
}

func (r *fetching) fetchReleaseCounts(ctx context.Context) error {
	r.answers.releaseCounts = map[int64]map[string]int64{}
	var leftOut *balenaclient.RowsError
	for _, status := range releaseStatuses {
		err := forEachRow(ctx, func(row balenaclient.Fleet) error {
			counts := r.answers.releaseCounts[row.ID]
			if counts == nil {
				counts = map[string]int64{}
				r.answers.releaseCounts[row.ID] = counts
			}
			counts[status] = int64(row.Releases.Count)
			return nil
		}, r.selection.fleets(r.client).Select(fleet.ID).Expand(fleet.Releases.Count(release.Status.Eq(status))))
		if err != nil && !errors.As(err, &leftOut) {
			return err
		}
	}
	if leftOut != nil {
		return leftOut
	}
	return nil
}

// fetchReleases fetches the releases that a device runs or is pinned to, those that fleets target, and the newest ones.
func (r *fetching) fetchReleases(ctx context.Context) error {
	ids := map[int64]bool{}
	for _, row := range r.answers.fleets {
		ids[row.TargetRelease.ID] = true
	}
	for _, d := range r.answers.devices {
		ids[d.runningID] = true
		ids[d.pinnedID] = true
	}
	for _, id := range r.newest {
		ids[id] = true
	}
	delete(ids, 0)
	return forEachRow(ctx, func(row balenaclient.Release) error {
		r.answers.releases = append(r.answers.releases, row)
		return nil
	}, forIDs(slices.Sorted(maps.Keys(ids)), func(ids []int64) pine.Query[balenaclient.Release] {
		return r.client.Releases().Where(release.ID.In(ids...)).PageSize(maxPageSize).
			Select(r.plan.releases...).Expand(r.plan.images...)
	})...)
}

func (r *fetching) fleetIDs() []int64 {
	ids := make([]int64, len(r.answers.fleets))
	for i, row := range r.answers.fleets {
		ids[i] = row.ID
	}
	return ids
}

// forEachRow hands over the rows of all queries. Rows that do not fit their type, and those that accept refuses, are left out and
// counted in a RowsError at the end; any other error ends it.
func forEachRow[T any](ctx context.Context, accept func(T) error, queries ...pine.Query[T]) error {
	var leftOut *balenaclient.RowsError
	leaveOut := func(rows int, err error) {
		if leftOut == nil {
			leftOut = &balenaclient.RowsError{Err: err}
		}
		leftOut.Rows += rows
	}
	for _, query := range queries {
		for row, err := range query.All(ctx) {
			var unfit *balenaclient.RowsError
			switch {
			case errors.As(err, &unfit):
				leaveOut(unfit.Rows, unfit.Err)
			case err != nil:
				return err
			default:
				if err := accept(row); err != nil {
					leaveOut(1, err)
				}
			}
		}
	}
	if leftOut != nil {
		return leftOut
	}
	return nil
}

// forIDs makes as many queries as it takes for the ids to fit into their URLs.
func forIDs[T any](ids []int64, query func(ids []int64) pine.Query[T]) []pine.Query[T] {
	var queries []pine.Query[T]
	start, size := 0, 0
	for i, id := range ids {
		length := len(strconv.FormatInt(id, 10)) + len(",")
		if size+length > maxIDListSize {
			queries = append(queries, query(ids[start:i]))
			start, size = i, 0
		}
		size += length
	}
	if start < len(ids) {
		queries = append(queries, query(ids[start:]))
	}
	return queries
}

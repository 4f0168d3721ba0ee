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

// maxIDListSize bounds a list of IDs within a URL, in bytes. The server accepts some 16 KiB for URL and headers together, of which
// maxFilterSize is for what the configuration selects by.
const (
	maxIDListSize = 8 << 10
	maxFilterSize = 4 << 10
)

// releaseStatuses returns those that balena documents. The server counts one at a time.
func releaseStatuses() []string {
	return []string{"cancelled", "error", "failed", "interrupted", "running", "success"}
}

func (r *fetchRun) fetchFleets(ctx context.Context) error {
	query := r.selection.fleets(r.client).Select(fleet.Name, fleet.Slug, fleet.TargetRelease)
	if r.plan.needs(fleetRequest) {
		query = query.Expand(fleet.Devices.Count(device.IsOnline.Eq(true), r.selection.deviceFilter))
	}
	labels := newLabels()
	matches := r.selection.slugs.newMatches()
	rows := forEachRow(ctx, func(row balenaclient.Fleet) error {
		if row.Slug == "" {
			return skip(int64(row.ID), "fleet with id %d has no slug")
		}
		label := labels.unique(row) // by ascending ID: the oldest fleet of a name comes first
		matches.note(row.Slug)
		if r.selection.includes(row) {
			r.responses.fleets = append(r.responses.fleets, row)
			r.responses.labels[int64(row.ID)] = label
		}
		return nil
	}, everything(query))
	r.responses.skippedFleets.add(rows.skipped...)
	r.responses.listed = len(rows.failed) == 0 && !rows.skippedUnknown
	r.responses.unmatched = matches.unmatched()
	return rows.err
}

func (r *fetchRun) fetchDeviceCounts(ctx context.Context) error {
	r.responses.deviceCounts = map[int64]int64{}
	return forEachRow(ctx, func(row balenaclient.Fleet) error {
		r.responses.deviceCounts[int64(row.ID)] = int64(row.Devices.Count)
		return nil
	}, everything(r.selection.fleets(r.client).Select(fleet.ID).Expand(fleet.Devices.Count(r.selection.deviceFilter)))).err
}

// fetchFleetTags replaces the tags of the fleets for which all tags were fetched.
func (r *fetchRun) fetchFleetTags(ctx context.Context) error {
	fetched := map[int64][]tag{}
	attributes := tagAttributes(r.tags.Fleets, fleetTagPrefix)
	keys := slices.Sorted(maps.Keys(attributes))
	rows := forEachRow(ctx, func(row balenaclient.FleetTag) error {
		fetched[int64(row.Fleet.ID)] = append(fetched[int64(row.Fleet.ID)], tag{attributes[row.Key], row.Value})
		return nil
	}, forIDs(r.fleetIDs(), func(ids []balenaclient.FleetID) pine.Query[balenaclient.FleetTag] {
		return r.client.FleetTags().Where(fleettag.Fleet.In(ids...), fleettag.Key.In(keys...)).PageSize(maxPageSize)
	})...)
	failed := rowSet{}
	failed.add(rows.failed...)
	tags := map[int64][]tag{}
	for _, id := range r.fleetIDs() {
		if before, known := r.fleetTags[id]; known {
			tags[id] = before
		}
		if !failed[id] && !rows.anySkipped() {
			tags[id] = fetched[id]
		}
	}
	r.fetcher.fleetTags = tags
	return rows.err
}

func (r *fetchRun) fetchDevices(ctx context.Context) error {
	rows := forEachRow(ctx, func(row balenaclient.Device) error {
		if row.UUID == "" {
			return skip(int64(row.ID), "device with id %d has no uuid")
		}
		r.responses.devices = append(r.responses.devices, newDeviceEntity(row, r.shared))
		return nil
	}, forIDs(r.fleetIDs(), func(ids []balenaclient.FleetID) pine.Query[balenaclient.Device] {
		return r.client.Devices().Where(device.Fleet.In(ids...), r.selection.deviceFilter).Select(r.plan.devices...)
	})...)
	r.responses.skippedDevices.add(rows.skipped...)
	r.unlist(deviceRequest, rows.failed...)
	if rows.skippedUnknown {
		r.unlist(deviceRequest, r.fleetIDs()...)
	}
	fleets, known := parents(ctx, rows.skipped, func(ids []balenaclient.DeviceID) pine.Query[balenaclient.Device] {
		return r.client.Devices().Where(device.ID.In(ids...)).Select(device.ID, device.Fleet)
	}, func(row balenaclient.Device) int64 { return int64(row.Fleet.ID) })
	r.miss(deviceRequest, fleets...)
	if !known {
		r.miss(deviceRequest, r.fleetIDs()...)
	}
	return rows.err
}

func (r *fetchRun) fetchDeviceTags(ctx context.Context) error {
	r.tagged = map[int64][]tag{}
	attributes := tagAttributes(r.tags.Devices, deviceTagPrefix)
	keys := slices.Sorted(maps.Keys(attributes))
	shared := sharedStrings{}
	rows := forEachRow(ctx, func(row balenaclient.DeviceTag) error {
		r.tagged[int64(row.Device.ID)] = append(r.tagged[int64(row.Device.ID)], tag{attributes[row.Key], shared.get(row.Value)})
		return nil
	}, forIDs(r.fleetIDs(), func(ids []balenaclient.FleetID) pine.Query[balenaclient.DeviceTag] {
		return r.client.DeviceTags().Where(
			devicetag.Key.In(keys...), devicetag.Device.Where(device.Fleet.In(ids...), r.selection.deviceFilter))
	})...)
	r.miss(deviceTagRequest, rows.failed...)
	if rows.anySkipped() {
		r.miss(deviceTagRequest, r.fleetIDs()...)
	}
	return rows.err
}

func (r *fetchRun) fetchContainers(ctx context.Context) error {
	statuses := sharedStrings{}
	rows := forEachRow(ctx, func(row balenaclient.ImageInstall) error {
		r.responses.containers = append(r.responses.containers, container{
			deviceID:         int64(row.Device.ID),
			imageID:          int64(row.Image.ID),
			status:           statuses.get(row.Status),
			installedAt:      newInstant(row.InstalledAt),
			downloadProgress: newReading(row.DownloadProgress),
		})
		return nil
	}, forIDs(r.fleetIDs(), func(ids []balenaclient.FleetID) pine.Query[balenaclient.ImageInstall] {
		// Rows of images that were removed stay for ever.
		return r.client.ImageInstalls().Select(r.plan.containers...).Where(
			imageinstall.Status.Ne("deleted"), imageinstall.Device.Where(device.Fleet.In(ids...), r.selection.deviceFilter))
	})...)
	r.miss(containerRequest, rows.failed...)
	devices, known := parents(ctx, rows.skipped, func(ids []balenaclient.ImageInstallID) pine.Query[balenaclient.ImageInstall] {
		return r.client.ImageInstalls().Where(imageinstall.ID.In(ids...)).Select(imageinstall.ID, imageinstall.Device)
	}, func(row balenaclient.ImageInstall) int64 { return int64(row.Device.ID) })
	r.responses.unknownServices.add(devices...)
	if !known || rows.skippedUnknown {
		r.miss(containerRequest, r.fleetIDs()...)
	}
	return rows.err
}

// fetchServices fetches the services of images that were not seen before.
func (r *fetchRun) fetchServices(ctx context.Context) error {
	unknown := rowSet{}
	for _, c := range r.responses.containers {
		if _, known := r.services[c.imageID]; !known && c.imageID != 0 {
			unknown.add(c.imageID)
		}
	}
	if r.services == nil || len(r.services)+len(unknown) > maxServices {
		r.fetcher.services = map[int64]service{}
		for _, c := range r.responses.containers {
			unknown.add(c.imageID)
		}
	}
	names := sharedStrings{}
	ids := slices.Sorted(maps.Keys(unknown))
	rows := forEachRow(ctx, func(row balenaclient.Image) error {
		if of, ok := row.Service.Row(); ok {
			r.services[int64(row.ID)] = service{name: names.get(of.Name), fleetID: int64(of.Fleet.ID)}
		}
		return nil
	}, forIDs(ids, func(ids []balenaclient.ImageID) pine.Query[balenaclient.Image] {
		return r.client.Images().Where(image.ID.In(ids...)).PageSize(maxPageSize).
			Select(image.ID).Expand(image.Service.With(pine.Select(servicefields.Name, servicefields.Fleet)))
	})...)
	rows.forMissing(ids, func(id int64) {
		if _, returned := r.services[id]; !returned {
			r.services[id] = service{} // not readable, so not worth another request
		}
	})
	return rows.err
}

func (r *fetchRun) hasUnknownDeviceType() bool {
	return slices.ContainsFunc(r.responses.devices, func(d *deviceEntity) bool {
		_, known := r.deviceTypes[d.typeID]
		return !known && d.typeID != 0
	})
}

func (r *fetchRun) fetchDeviceTypes(ctx context.Context) error {
	deviceTypes := maps.Clone(r.deviceTypes)
	if deviceTypes == nil {
		deviceTypes = map[int64]string{}
	}
	rows := forEachRow(ctx, func(row balenaclient.DeviceType) error {
		deviceTypes[int64(row.ID)] = row.Slug
		return nil
	}, everything(r.client.DeviceTypes().Select(devicetype.Slug).PageSize(maxPageSize)))
	if rows.err == nil {
		for _, d := range r.responses.devices {
			if _, returned := deviceTypes[d.typeID]; !returned {
				deviceTypes[d.typeID] = "" // not readable, so not worth another request
			}
		}
	}
	r.fetcher.deviceTypes = deviceTypes
	return rows.err
}

func (r *fetchRun) fetchNewestReleases(ctx context.Context) error {
	newest := pine.Select(release.ID).OrderBy(release.CreatedAt.Desc(), release.ID.Desc()).Top(1)
	return r.forEachFleetRelease(ctx, newestReleaseRequest, newest, func(_ int64, row balenaclient.Release) {
		r.newest = append(r.newest, int64(row.ID))
	})
}

func (r *fetchRun) fetchLastBuilds(ctx context.Context) error {
	r.responses.lastBuilds = map[int64]instant{}
	last := pine.Select(release.EndedAt).
		Where(release.Status.Eq("success"), release.EndedAt.NotNull()).OrderBy(release.EndedAt.Desc(), release.ID.Desc()).Top(1)
	return r.forEachFleetRelease(ctx, lastBuildRequest, last, func(fleetID int64, row balenaclient.Release) {
		r.responses.lastBuilds[fleetID] = newInstant(row.EndedAt)
	})
}

// forEachFleetRelease calls accept with the releases that a query selects of each fleet.
func (r *fetchRun) forEachFleetRelease(
	ctx context.Context, kind requestKind, releases pine.Query[balenaclient.Release], accept func(fleetID int64, row balenaclient.Release),
) error {
	rows := forEachRow(ctx, func(row balenaclient.Fleet) error {
		for _, release := range row.Releases.Rows {
			accept(int64(row.ID), release)
		}
		return nil
	}, forIDs(r.fleetIDs(), func(ids []balenaclient.FleetID) pine.Query[balenaclient.Fleet] {
		return r.client.Fleets().Where(fleet.ID.In(ids...)).Select(fleet.ID).Expand(fleet.Releases.With(releases)).PageSize(maxPageSize)
	})...)
	r.miss(kind, rows.failed...)
	r.miss(kind, rows.skipped...)
	if rows.skippedUnknown {
		r.miss(kind, r.fleetIDs()...)
	}
	return rows.err
}

// fetchReleaseCounts counts by one status at a time. A fleet of which one count is missing has none.
func (r *fetchRun) fetchReleaseCounts(ctx context.Context) error {
	counts := map[int64]map[string]int64{}
	var first error
	for _, status := range releaseStatuses() {
		rows := forEachRow(ctx, func(row balenaclient.Fleet) error {
			if counts[int64(row.ID)] == nil {
				counts[int64(row.ID)] = map[string]int64{}
			}
			counts[int64(row.ID)][status] = int64(row.Releases.Count)
			return nil
		}, everything(r.selection.fleets(r.client).Select(fleet.ID).Expand(fleet.Releases.Count(release.Status.Eq(status)))))
		if first = cmp.Or(first, rows.err); len(rows.failed) > 0 {
			break
		}
	}
	maps.DeleteFunc(counts, func(_ int64, of map[string]int64) bool { return len(of) < len(releaseStatuses()) })
	r.responses.releaseCounts = counts
	return first
}

// fetchReleases fetches the releases that a device runs or is pinned to, those that fleets target, and the newest ones.
func (r *fetchRun) fetchReleases(ctx context.Context) error {
	wanted := rowSet{}
	for _, row := range r.responses.fleets {
		wanted.add(int64(row.TargetRelease.ID))
	}
	for _, d := range r.responses.devices {
		wanted.add(d.runningID, d.pinnedID)
	}
	wanted.add(r.newest...)
	delete(wanted, 0)
	ids := slices.Sorted(maps.Keys(wanted))
	rows := forEachRow(ctx, func(row balenaclient.Release) error {
		r.responses.releases = append(r.responses.releases, row)
		return nil
	}, forIDs(ids, func(ids []balenaclient.ReleaseID) pine.Query[balenaclient.Release] {
		return r.client.Releases().Where(release.ID.In(ids...)).PageSize(maxPageSize).
			Select(r.plan.releases...).Expand(r.plan.images...)
	})...)
	r.responses.unresolvedReleases.add(rows.failed...)
	r.responses.unresolvedReleases.add(rows.skipped...)
	if rows.skippedUnknown {
		r.responses.unresolvedReleases.add(ids...)
		for _, row := range r.responses.releases {
			delete(r.responses.unresolvedReleases, int64(row.ID))
		}
	}
	return rows.err
}

func (r *fetchRun) fleetIDs() []int64 {
	ids := make([]int64, len(r.responses.fleets))
	for i, row := range r.responses.fleets {
		ids[i] = int64(row.ID)
	}
	return ids
}

// batch is a query about some of the IDs that a kind of request is about.
type batch[T any] struct {
	query pine.Query[T]
	ids   []int64
}

// everything is the only batch of a query that does not go by IDs.
func everything[T any](query pine.Query[T]) batch[T] { return batch[T]{query: query, ids: []int64{0}} }

// forIDs returns as many queries as it takes for the IDs to fit into their URLs.
func forIDs[T, S any](ids []int64, query func(ids []pine.ID[S]) pine.Query[T]) []batch[T] {
	var batches []batch[T]
	start, size := 0, 0
	for i, id := range ids {
		length := len(strconv.FormatInt(id, 10)) + len(",")
		if size+length > maxIDListSize {
			batches = append(batches, batch[T]{query(pine.IDs[S](ids[start:i])), ids[start:i]})
			start, size = i, 0
		}
		size += length
	}
	if start < len(ids) {
		batches = append(batches, batch[T]{query(pine.IDs[S](ids[start:])), ids[start:]})
	}
	return batches
}

// fetchedRows says which rows of some batches are missing.
type fetchedRows struct {
	failed         []int64 // IDs of the batches that failed
	skipped        []int64 // IDs of rows that could not be decoded
	skippedUnknown bool    // whether there are others, of which not even the ID could be decoded
	err            error   // why; nil if nothing is missing
}

func (f fetchedRows) anySkipped() bool { return len(f.skipped) > 0 || f.skippedUnknown }

// forMissing calls f for those of the requested IDs that the server was asked for successfully, and may still not have returned.
func (f fetchedRows) forMissing(ids []int64, visit func(id int64)) {
	if f.skippedUnknown {
		return
	}
	unresolved := rowSet{}
	unresolved.add(f.failed...)
	unresolved.add(f.skipped...)
	for _, id := range ids {
		if !unresolved[id] {
			visit(id)
		}
	}
}

// forEachRow calls accept with the rows of all batches. Rows that cannot be decoded, and those that accept refuses, are skipped and
// counted in a RowsError. A batch that fails does not keep the others from being fetched, unless the context has ended.
func forEachRow[T any](ctx context.Context, accept func(T) error, batches ...batch[T]) fetchedRows {
	var result fetchedRows
	var skipped *balenaclient.RowsError
	for _, batch := range batches {
		if err := ctx.Err(); err != nil {
			result.failed = append(result.failed, batch.ids...)
			result.err = cmp.Or(result.err, err)
			continue
		}
		for row, err := range batch.query.All(ctx) {
			if err == nil {
				err = accept(row)
			}
			var rows *balenaclient.RowsError
			switch {
			case err == nil:
			case errors.As(err, &rows):
				skipped = mergeRowsErrors(skipped, rows)
			default:
				result.failed = append(result.failed, batch.ids...)
				result.err = cmp.Or(result.err, err)
			}
		}
	}
	if skipped != nil {
		result.skipped, result.skippedUnknown = skipped.IDs, len(skipped.IDs) < skipped.Rows
		if result.err == nil {
			result.err = skipped
		}
	}
	return result
}

// skip returns the error for a row that is of no use.
func skip(id int64, format string) error {
	return &balenaclient.RowsError{Rows: 1, IDs: []int64{id}, Err: fmt.Errorf(format, id)}
}

func mergeRowsErrors(a, b *balenaclient.RowsError) *balenaclient.RowsError {
	if a == nil {
		return b
	}
	return &balenaclient.RowsError{Rows: a.Rows + b.Rows, IDs: slices.Concat(a.IDs, b.IDs), Err: a.Err}
}

// maxParents bounds the rows whose parents are worth a request.
const maxParents = 100

// parents returns the IDs of the rows that some rows belong to, by requesting nothing but that. It serves for rows that cannot be
// decoded because of one of their other columns. known is false if one is still missing.
func parents[T any](
	ctx context.Context, ids []int64, query func(ids []pine.ID[T]) pine.Query[T], parent func(T) int64,
) (parentIDs []int64, known bool) {
	if len(ids) == 0 {
		return nil, true
	}
	if len(ids) > maxParents {
		return nil, false
	}
	for row, err := range query(pine.IDs[T](ids)).All(ctx) {
		if err != nil {
			return parentIDs, false
		}
		parentIDs = append(parentIDs, parent(row))
	}
	return parentIDs, len(parentIDs) == len(ids)
}

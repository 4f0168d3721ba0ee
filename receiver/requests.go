package receiver

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

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

func (r *fetchRun) fleetsJob() job {
	query := r.selection.fleets(r.client).Select(fleet.Name, fleet.Slug, fleet.TargetRelease)
	if r.plan.needs(fleetRequest) {
		query = query.Expand(fleet.Devices.Count(device.IsOnline.Eq(true), r.selection.deviceFilter))
	}
	labels := newLabels()
	matches := r.selection.slugs.newMatches()
	return newJob(everything(query), func(row balenaclient.Fleet) error {
		if row.Slug == "" {
			return skip(row.ID, "fleet with id %d has no slug")
		}
		label := labels.unique(row) // by ascending ID: the oldest fleet of a name comes first
		matches.note(row.Slug)
		if r.selection.includes(row) {
			r.responses.fleets = append(r.responses.fleets, row)
			r.responses.labels[row.ID] = label
		}
		return nil
	}, func(_ context.Context, rows fetchedRows) error {
		r.responses.skippedFleets.add(rows.skipped...)
		r.responses.listed = len(rows.failed) == 0 && !rows.skippedUnknown
		r.responses.unmatched = matches.unmatched()
		return rows.err
	})
}

func (r *fetchRun) deviceCountsJob() job {
	r.responses.deviceCounts = map[int64]int64{}
	query := r.selection.fleets(r.client).Select(fleet.ID).Expand(fleet.Devices.Count(r.selection.deviceFilter))
	return newJob(everything(query), func(row balenaclient.Fleet) error {
		r.responses.deviceCounts[row.ID] = int64(row.Devices.Count)
		return nil
	}, returnError)
}

func returnError(_ context.Context, rows fetchedRows) error { return rows.err }

// fleetTagsJob replaces the tags of the fleets for which all tags were fetched.
func (r *fetchRun) fleetTagsJob() job {
	fetched := map[int64][]tag{}
	attributes := tagAttributes(r.tags.Fleets, fleetTagPrefix)
	keys := slices.Sorted(maps.Keys(attributes))
	return newJob(forIDs(r.fleetIDs(), func(ids []int64) pine.Query[balenaclient.FleetTag] {
		return r.client.FleetTags().Where(fleettag.Fleet.In(ids...), fleettag.Key.In(keys...)).PageSize(maxPageSize)
	}), func(row balenaclient.FleetTag) error {
		fetched[row.Fleet.ID] = append(fetched[row.Fleet.ID], tag{attributes[row.Key], row.Value})
		return nil
	}, func(_ context.Context, rows fetchedRows) error {
		failed := newRowSet(rows.failed...)
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
		return r.ofFleets(rows)
	})
}

func (r *fetchRun) devicesJob() job {
	index := map[int64]int{}
	return newJob(forSets(r.sets, func(of pine.Filter[balenaclient.Device]) pine.Query[balenaclient.Device] {
		return r.client.Devices().Where(of, r.selection.deviceFilter).Select(r.plan.devices...)
	}), func(row balenaclient.Device) error {
		if row.UUID == "" {
			return skip(row.ID, "device with id %d has no uuid")
		}
		d := newDeviceEntity(row, r.shared)
		if i, again := index[d.id]; again { // moved from one set of fleets to another meanwhile
			r.responses.devices[i] = d
			return nil
		}
		index[d.id] = len(r.responses.devices)
		r.responses.devices = append(r.responses.devices, d)
		return nil
	}, func(ctx context.Context, rows fetchedRows) error {
		r.responses.skippedDevices.add(rows.skipped...)
		r.responses.unlisted.add(deviceRequest, rows.failed...)
		r.responses.missing.add(deviceRequest, rows.failed...)
		if rows.skippedUnknown {
			r.responses.unlisted.add(deviceRequest, r.fleetIDs()...)
		}
		fleets, known := parents(ctx, rows.skipped, func(ids []int64) pine.Query[balenaclient.Device] {
			return r.client.Devices().Where(device.ID.In(ids...)).Select(device.ID, device.Fleet)
		}, func(row balenaclient.Device) int64 { return row.Fleet.ID })
		r.responses.missing.add(deviceRequest, fleets...)
		if !known || rows.skippedUnknown {
			r.responses.missing.add(deviceRequest, r.fleetIDs()...)
		}
		return r.ofFleets(rows)
	})
}

func (r *fetchRun) deviceTagsJob() job {
	r.tagged = map[int64][]tag{}
	attributes := tagAttributes(r.tags.Devices, deviceTagPrefix)
	keys := slices.Sorted(maps.Keys(attributes))
	shared := sharedStrings{}
	return newJob(forSets(r.sets, func(of pine.Filter[balenaclient.Device]) pine.Query[balenaclient.DeviceTag] {
		return r.client.DeviceTags().Where(devicetag.Key.In(keys...), devicetag.Device.Where(of, r.selection.deviceFilter))
	}), func(row balenaclient.DeviceTag) error {
		r.tagged[row.Device.ID] = append(r.tagged[row.Device.ID], tag{attributes[row.Key], shared.get(row.Value)})
		return nil
	}, func(_ context.Context, rows fetchedRows) error {
		r.responses.missing.add(deviceTagRequest, rows.failed...)
		if rows.anySkipped() {
			r.responses.missing.add(deviceTagRequest, r.fleetIDs()...)
		}
		return r.ofFleets(rows)
	})
}

func (r *fetchRun) containersJob() job {
	statuses := sharedStrings{}
	return newJob(forSets(r.sets, func(of pine.Filter[balenaclient.Device]) pine.Query[balenaclient.ImageInstall] {
		// Rows of images that were removed stay forever.
		return r.client.ImageInstalls().Select(r.plan.containers...).
			Where(imageinstall.Status.Ne("deleted"), imageinstall.Device.Where(of, r.selection.deviceFilter))
	}), func(row balenaclient.ImageInstall) error {
		r.responses.containers = append(r.responses.containers, container{
			deviceID:         row.Device.ID,
			imageID:          row.Image.ID,
			status:           statuses.get(row.Status),
			installedAt:      newInstant(row.InstalledAt),
			downloadProgress: newReading(row.DownloadProgress),
		})
		return nil
	}, func(ctx context.Context, rows fetchedRows) error {
		r.responses.missing.add(containerRequest, rows.failed...)
		devices, known := parents(ctx, rows.skipped, func(ids []int64) pine.Query[balenaclient.ImageInstall] {
			return r.client.ImageInstalls().Where(imageinstall.ID.In(ids...)).Select(imageinstall.ID, imageinstall.Device)
		}, func(row balenaclient.ImageInstall) int64 { return row.Device.ID })
		r.responses.unknownServices.add(devices...)
		if !known || rows.skippedUnknown {
			r.responses.missing.add(containerRequest, r.fleetIDs()...)
		}
		return r.ofFleets(rows)
	})
}

// servicesJob fetches the services of images that were not seen before.
func (r *fetchRun) servicesJob() job {
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
	return newJob(forIDs(ids, func(ids []int64) pine.Query[balenaclient.Image] {
		return r.client.Images().Where(image.ID.In(ids...)).PageSize(maxPageSize).
			Select(image.ID).Expand(image.Service.With(pine.Select(servicefields.Name, servicefields.Fleet)))
	}), func(row balenaclient.Image) error {
		if of, ok := row.Service.Row(); ok {
			r.services[row.ID] = service{name: names.get(of.Name), fleetID: of.Fleet.ID}
		}
		return nil
	}, func(_ context.Context, rows fetchedRows) error {
		for _, id := range rows.resolved(ids) {
			if _, returned := r.services[id]; !returned {
				r.services[id] = service{} // not readable, so not worth another request
			}
		}
		return rows.err
	})
}

func (r *fetchRun) hasUnknownDeviceType() bool {
	return slices.ContainsFunc(r.responses.devices, func(d *deviceEntity) bool {
		_, known := r.deviceTypes[d.typeID]
		return !known && d.typeID != 0
	})
}

func (r *fetchRun) deviceTypesJob() job {
	deviceTypes := map[int64]string{}
	maps.Copy(deviceTypes, r.deviceTypes)
	query := r.client.DeviceTypes().Select(devicetype.Slug).PageSize(maxPageSize)
	return newJob(everything(query), func(row balenaclient.DeviceType) error {
		deviceTypes[row.ID] = row.Slug
		return nil
	}, func(_ context.Context, rows fetchedRows) error {
		if rows.err == nil {
			for _, d := range r.responses.devices {
				if _, returned := deviceTypes[d.typeID]; !returned {
					deviceTypes[d.typeID] = "" // not readable, so not worth another request
				}
			}
		}
		r.fetcher.deviceTypes = deviceTypes
		return rows.err
	})
}

func (r *fetchRun) newestReleasesJob() job {
	newest := pine.Select(release.ID).OrderBy(release.CreatedAt.Desc(), release.ID.Desc()).Top(1)
	return r.fleetReleasesJob(newestReleaseRequest, newest, func(_ int64, row balenaclient.Release) {
		r.newest = append(r.newest, row.ID)
	})
}

func (r *fetchRun) lastBuildsJob() job {
	r.responses.lastBuilds = map[int64]instant{}
	last := pine.Select(release.EndedAt).
		Where(release.Status.Eq("success"), release.EndedAt.NotNull()).OrderBy(release.EndedAt.Desc(), release.ID.Desc()).Top(1)
	return r.fleetReleasesJob(lastBuildRequest, last, func(fleetID int64, row balenaclient.Release) {
		r.responses.lastBuilds[fleetID] = newInstant(row.EndedAt)
	})
}

// fleetReleasesJob calls accept with the releases that a query selects of each fleet.
func (r *fetchRun) fleetReleasesJob(kind requestKind, releases pine.Query[balenaclient.Release], accept func(fleetID int64, row balenaclient.Release)) job {
	return newJob(forIDs(r.fleetIDs(), func(ids []int64) pine.Query[balenaclient.Fleet] {
		return r.client.Fleets().Where(fleet.ID.In(ids...)).Select(fleet.ID).Expand(fleet.Releases.With(releases)).PageSize(maxPageSize)
	}), func(row balenaclient.Fleet) error {
		for _, release := range row.Releases.Rows {
			accept(row.ID, release)
		}
		return nil
	}, func(_ context.Context, rows fetchedRows) error {
		r.responses.missing.add(kind, rows.failed...)
		r.responses.missing.add(kind, rows.skipped...)
		if rows.skippedUnknown {
			r.responses.missing.add(kind, r.fleetIDs()...)
		}
		return r.ofFleets(rows)
	})
}

// releaseCountsJob counts by one status at a time. A fleet of which one count is missing has none.
func (r *fetchRun) releaseCountsJob() job {
	counts := map[int64]map[string]int64{}
	all := job{}
	var finish []func(context.Context) error
	for _, status := range releaseStatuses() {
		query := r.selection.fleets(r.client).Select(fleet.ID).Expand(fleet.Releases.Count(release.Status.Eq(status)))
		of := map[int64]int64{}
		one := newJob(everything(query), func(row balenaclient.Fleet) error {
			of[row.ID] = int64(row.Releases.Count)
			return nil
		}, func(_ context.Context, rows fetchedRows) error {
			for fleetID, count := range of {
				if counts[fleetID] == nil {
					counts[fleetID] = map[string]int64{}
				}
				counts[fleetID][status] = count
			}
			return rows.err
		})
		all.batches = append(all.batches, one.batches...)
		finish = append(finish, one.finish)
	}
	all.finish = func(ctx context.Context) (err error) {
		for _, one := range finish {
			err = cmp.Or(err, one(ctx))
		}
		maps.DeleteFunc(counts, func(_ int64, of map[string]int64) bool { return len(of) < len(releaseStatuses()) })
		r.responses.releaseCounts = counts
		return err
	}
	return all
}

// releasesJob fetches the releases that a device runs or is pinned to, those that fleets target, and the newest ones.
func (r *fetchRun) releasesJob() job {
	wanted := newRowSet(r.newest...)
	for _, row := range r.responses.fleets {
		wanted.add(row.TargetRelease.ID)
	}
	for _, d := range r.responses.devices {
		wanted.add(d.runningID, d.pinnedID)
	}
	delete(wanted, 0)
	ids := slices.Sorted(maps.Keys(wanted))
	return newJob(forIDs(ids, func(ids []int64) pine.Query[balenaclient.Release] {
		return r.client.Releases().Where(release.ID.In(ids...)).PageSize(maxPageSize).
			Select(r.plan.releases...).Expand(r.plan.images...)
	}), func(row balenaclient.Release) error {
		r.responses.releases = append(r.responses.releases, row)
		delete(wanted, row.ID)
		return nil
	}, func(_ context.Context, rows fetchedRows) error {
		for _, id := range rows.resolved(ids) {
			delete(wanted, id) // not readable
		}
		r.responses.unresolvedReleases = wanted
		return rows.err
	})
}

func (r *fetchRun) fleetIDs() []int64 {
	ids := make([]int64, len(r.responses.fleets))
	for i, row := range r.responses.fleets {
		ids[i] = row.ID
	}
	return ids
}

// ofFleets names the fleets for which requests failed, if they did not fail for all.
func (r *fetchRun) ofFleets(rows fetchedRows) error {
	failed := newRowSet(rows.failed...)
	if len(failed) == 0 || len(failed) == len(r.responses.fleets) {
		return rows.err
	}
	const named = 3
	var slugs []string
	for _, row := range r.responses.fleets {
		if failed[row.ID] && len(slugs) < named {
			slugs = append(slugs, row.Slug)
		}
	}
	of := strings.Join(slugs, ", ")
	if more := len(failed) - len(slugs); more > 0 {
		of += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Errorf("of %s: %w", of, rows.err)
}

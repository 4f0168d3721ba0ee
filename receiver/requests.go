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
	if r.releasesSince != nil { // there are events
		query = query.Select(fleet.CreatedAt)
	}
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
	}, func(_ context.Context, rows fetchedRows[balenaclient.Fleet, balenaclient.Fleet]) error {
		r.responses.skippedFleets.add(rows.skipped...)
		r.responses.listed = len(rows.failed) == 0 && !rows.skippedUnknown
		r.responses.unmatched = matches.unmatched()
		if rows.err == nil {
			r.fetcher.labels = r.responses.labels
			return nil
		}
		for id := range r.responses.labels {
			if before, known := r.labels[id]; known {
				r.responses.labels[id] = before
			}
		}
		return rows.err
	})
}

func (r *fetchRun) deviceCountsJob() job {
	r.responses.deviceCounts = map[fleetID]int64{}
	query := r.selection.fleets(r.client).Select(fleet.ID).Expand(fleet.Devices.Count(r.selection.deviceFilter))
	return newJob(everything(query), func(row balenaclient.Fleet) error {
		r.responses.deviceCounts[row.ID] = int64(row.Devices.Count)
		return nil
	}, returnError)
}

func returnError[T, S any](_ context.Context, rows fetchedRows[T, S]) error { return rows.err }

func (r *fetchRun) fleetTagsJob() job {
	r.fleetTagged = map[fleetID][]tag{}
	attributes := tagAttributes(r.tags.Fleets, fleetTagPrefix)
	keys := slices.Sorted(maps.Keys(attributes))
	return newJob(forIDs(r.fleetIDs(), func(ids []fleetID) pine.Query[balenaclient.FleetTag] {
		return r.client.FleetTags().Where(fleettag.Fleet.In(ids...), fleettag.Key.In(keys...)).PageSize(maxPageSize)
	}), func(row balenaclient.FleetTag) error {
		r.fleetTagged[row.Fleet.ID] = addTag(r.fleetTagged[row.Fleet.ID], tag{Attribute: attributes[row.Key], Value: row.Value})
		return nil
	}, func(_ context.Context, rows fetchedRows[balenaclient.FleetTag, balenaclient.Fleet]) error {
		return r.tagsFetched(fleetTagRequest, rows.failed, rows.anySkipped(), rows.err)
	})
}

// tagsFetched records the fleets for which tags are missing: all of them if a row was skipped, since it may belong to any.
func (r *fetchRun) tagsFetched(kind requestKind, failed []fleetID, anySkipped bool, err error) error {
	r.responses.missing.add(kind, failed...)
	if anySkipped {
		r.responses.missing.add(kind, r.fleetIDs()...)
	}
	return r.ofFleets(failed, err)
}

func (r *fetchRun) devicesJob() job {
	index := map[deviceID]int{}
	return newJob(forParts(r.parts, func(of pine.Filter[balenaclient.Device]) pine.Query[balenaclient.Device] {
		return r.client.Devices().Where(of, r.selection.deviceFilter).Select(r.plan.devices...)
	}), func(row balenaclient.Device) error {
		if row.UUID == "" {
			return skip(row.ID, "device with id %d has no uuid")
		}
		d := newDeviceRow(row, r.shared)
		if i, again := index[d.id]; again { // moved from one set of fleets to another meanwhile
			r.responses.devices[i] = d
			return nil
		}
		index[d.id] = len(r.responses.devices)
		r.responses.devices = append(r.responses.devices, d)
		return nil
	}, func(ctx context.Context, rows fetchedRows[balenaclient.Device, balenaclient.Fleet]) error {
		r.responses.skippedDevices.add(rows.skipped...)
		r.responses.unlisted.add(deviceRequest, rows.failed...)
		r.responses.missing.add(deviceRequest, rows.failed...)
		if rows.skippedUnknown {
			r.responses.unlisted.add(deviceRequest, r.fleetIDs()...)
		}
		fleets, known := parents(ctx, rows.skipped, func(ids []deviceID) pine.Query[balenaclient.Device] {
			return r.client.Devices().Where(device.ID.In(ids...)).Select(device.ID, device.Fleet)
		}, func(row balenaclient.Device) fleetID { return row.Fleet.ID })
		r.responses.missing.add(deviceRequest, fleets...)
		if !known || rows.skippedUnknown {
			r.responses.missing.add(deviceRequest, r.fleetIDs()...)
		}
		return r.ofFleets(rows.failed, rows.err)
	})
}

func (r *fetchRun) deviceTagsJob() job {
	r.deviceTagged = map[deviceID][]tag{}
	attributes := tagAttributes(r.tags.Devices, deviceTagPrefix)
	keys := slices.Sorted(maps.Keys(attributes))
	shared := sharedStrings{}
	return newJob(forParts(r.parts, func(of pine.Filter[balenaclient.Device]) pine.Query[balenaclient.DeviceTag] {
		return r.client.DeviceTags().Where(devicetag.Key.In(keys...), devicetag.Device.Where(of, r.selection.deviceFilter))
	}), func(row balenaclient.DeviceTag) error {
		r.deviceTagged[row.Device.ID] = addTag(r.deviceTagged[row.Device.ID], tag{Attribute: attributes[row.Key], Value: shared.get(row.Value)})
		return nil
	}, func(_ context.Context, rows fetchedRows[balenaclient.DeviceTag, balenaclient.Fleet]) error {
		return r.tagsFetched(deviceTagRequest, rows.failed, rows.anySkipped(), rows.err)
	})
}

func (r *fetchRun) containersJob() job {
	statuses := sharedStrings{}
	return newJob(forParts(r.parts, func(of pine.Filter[balenaclient.Device]) pine.Query[balenaclient.ImageInstall] {
		// Rows of images that were removed stay forever.
		return r.client.ImageInstalls().Select(r.plan.containers...).
			Where(imageinstall.Status.Ne("deleted"), imageinstall.Device.Where(of, r.selection.deviceFilter))
	}), func(row balenaclient.ImageInstall) error {
		r.responses.containers = append(r.responses.containers, container{
			device:           row.Device.ID,
			image:            row.Image.ID,
			status:           statuses.get(row.Status),
			installedAt:      newInstant(row.InstalledAt),
			downloadProgress: newReading(row.DownloadProgress),
		})
		return nil
	}, func(ctx context.Context, rows fetchedRows[balenaclient.ImageInstall, balenaclient.Fleet]) error {
		r.responses.missing.add(containerRequest, rows.failed...)
		devices, known := parents(ctx, rows.skipped, func(ids []balenaclient.ImageInstallID) pine.Query[balenaclient.ImageInstall] {
			return r.client.ImageInstalls().Where(imageinstall.ID.In(ids...)).Select(imageinstall.ID, imageinstall.Device)
		}, func(row balenaclient.ImageInstall) deviceID { return row.Device.ID })
		r.responses.unknownServices.add(devices...)
		if !known || rows.skippedUnknown {
			r.responses.missing.add(containerRequest, r.fleetIDs()...)
		}
		return r.ofFleets(rows.failed, rows.err)
	})
}

// servicesJob fetches the services of images that were not seen before.
func (r *fetchRun) servicesJob() job {
	unknown := r.unknownImages()
	if r.services == nil || len(r.services)+len(unknown) > maxServices {
		r.fetcher.services = map[imageID]service{}
		unknown = r.unknownImages()
	}
	names := sharedStrings{}
	ids := slices.Sorted(maps.Keys(unknown))
	return newJob(forIDs(ids, func(ids []imageID) pine.Query[balenaclient.Image] {
		return r.client.Images().Where(image.ID.In(ids...)).PageSize(maxPageSize).
			Select(image.ID).Expand(image.Service.With(pine.Select(servicefields.Name, servicefields.Fleet)))
	}), func(row balenaclient.Image) error {
		if of, ok := row.Service.Row(); ok {
			r.services[row.ID] = service{name: names.get(of.Name), fleet: of.Fleet.ID}
		}
		return nil
	}, func(_ context.Context, rows fetchedRows[balenaclient.Image, balenaclient.Image]) error {
		for _, id := range resolved(rows, ids) {
			if _, returned := r.services[id]; !returned {
				r.hidden.images = append(r.hidden.images, id)
			}
		}
		return rows.err
	})
}

// unknownImages are the images of containers whose services are not known.
func (r *fetchRun) unknownImages() rowSet[balenaclient.Image] {
	unknown := rowSet[balenaclient.Image]{}
	for _, c := range r.responses.containers {
		if _, known := r.services[c.image]; !known && c.image != 0 {
			unknown.add(c.image)
		}
	}
	return unknown
}

func (r *fetchRun) hasUnknownDeviceType() bool {
	return slices.ContainsFunc(r.responses.devices, func(d *deviceRow) bool {
		_, known := r.deviceTypes[d.typeID]
		return !known && d.typeID != 0
	})
}

func (r *fetchRun) deviceTypesJob() job {
	deviceTypes := map[deviceTypeID]string{}
	maps.Copy(deviceTypes, r.deviceTypes)
	query := r.client.DeviceTypes().Select(devicetype.Slug).PageSize(maxPageSize)
	return newJob(everything(query), func(row balenaclient.DeviceType) error {
		deviceTypes[row.ID] = row.Slug
		return nil
	}, func(_ context.Context, rows fetchedRows[balenaclient.DeviceType, balenaclient.DeviceType]) error {
		if rows.err == nil {
			for _, d := range r.responses.devices {
				if _, returned := deviceTypes[d.typeID]; !returned && d.typeID != 0 {
					r.hidden.deviceTypes = append(r.hidden.deviceTypes, d.typeID)
				}
			}
		}
		r.fetcher.deviceTypes = deviceTypes
		return rows.err
	})
}

func (r *fetchRun) newestReleasesJob() job {
	newest := pine.Select(release.ID).OrderBy(release.CreatedAt.Desc(), release.ID.Desc()).Top(1)
	return r.fleetReleasesJob(newestReleaseRequest, newest, func(_ fleetID, row balenaclient.Release) {
		r.newest = append(r.newest, row.ID)
	})
}

// recentReleasesJob fetches the releases that were created lately, for the events.
func (r *fetchRun) recentReleasesJob() job {
	recent := pine.Select(release.Fleet, release.Commit, release.RawVersion, release.Status, release.IsFinal, release.CreatedAt,
		release.EndedAt, release.FinalizedAt).Where(release.CreatedAt.Ge(r.releasesSince(r.now()))).OrderBy(release.ID.Asc())
	return r.fleetReleasesJob(recentReleaseRequest, recent, func(of fleetID, row balenaclient.Release) {
		row.Fleet.ID = of
		r.responses.recent = append(r.responses.recent, row)
	})
}

func (r *fetchRun) lastBuildsJob() job {
	r.responses.lastBuilds = map[fleetID]instant{}
	last := pine.Select(release.EndedAt).
		Where(release.Status.Eq("success"), release.EndedAt.NotNull()).OrderBy(release.EndedAt.Desc(), release.ID.Desc()).Top(1)
	return r.fleetReleasesJob(lastBuildRequest, last, func(fleet fleetID, row balenaclient.Release) {
		r.responses.lastBuilds[fleet] = newInstant(row.EndedAt)
	})
}

// fleetReleasesJob calls accept with the releases that a query selects of each fleet.
func (r *fetchRun) fleetReleasesJob(kind requestKind, releases pine.Query[balenaclient.Release], accept func(fleet fleetID, row balenaclient.Release)) job {
	returned := fleetSet{}
	return newJob(forIDs(r.fleetIDs(), func(ids []fleetID) pine.Query[balenaclient.Fleet] {
		return r.client.AllFleets().Where(fleet.ID.In(ids...)).Select(fleet.ID).Expand(fleet.Releases.With(releases)).PageSize(maxPageSize)
	}), func(row balenaclient.Fleet) error {
		returned.add(row.ID)
		for _, release := range row.Releases.Rows {
			accept(row.ID, release)
		}
		return nil
	}, func(_ context.Context, rows fetchedRows[balenaclient.Fleet, balenaclient.Fleet]) error {
		for _, id := range r.fleetIDs() {
			if !returned[id] {
				r.responses.missing.add(kind, id)
				r.hidden.fleets = r.hidden.fleets || rows.err == nil
			}
		}
		return r.ofFleets(rows.failed, rows.err)
	})
}

// releaseCountsJob counts by one status at a time. A fleet of which one count is missing has none.
func (r *fetchRun) releaseCountsJob() job {
	counts := map[fleetID]map[string]int64{}
	all := job{}
	var finish []func(context.Context) error
	for _, status := range releaseStatuses() {
		query := r.selection.fleets(r.client).Select(fleet.ID).Expand(fleet.Releases.Count(release.Status.Eq(status)))
		of := map[fleetID]int64{}
		one := newJob(everything(query), func(row balenaclient.Fleet) error {
			of[row.ID] = int64(row.Releases.Count)
			return nil
		}, func(_ context.Context, rows fetchedRows[balenaclient.Fleet, balenaclient.Fleet]) error {
			for fleet, count := range of {
				if counts[fleet] == nil {
					counts[fleet] = map[string]int64{}
				}
				counts[fleet][status] = count
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
		maps.DeleteFunc(counts, func(_ fleetID, of map[string]int64) bool { return len(of) < len(releaseStatuses()) })
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
	return newJob(forIDs(ids, func(ids []releaseID) pine.Query[balenaclient.Release] {
		return r.client.Releases().Where(release.ID.In(ids...)).PageSize(maxPageSize).
			Select(r.plan.releases...).Expand(r.plan.images...)
	}), func(row balenaclient.Release) error {
		r.responses.releases = append(r.responses.releases, row)
		delete(wanted, row.ID)
		return nil
	}, func(_ context.Context, rows fetchedRows[balenaclient.Release, balenaclient.Release]) error {
		r.hidden.releases = rowSet[balenaclient.Release]{}
		for _, id := range resolved(rows, ids) {
			if wanted[id] {
				r.hidden.releases.add(id)
				delete(wanted, id)
			}
		}
		r.responses.unresolvedReleases = wanted
		return rows.err
	})
}

func (r *fetchRun) fleetIDs() []fleetID {
	ids := make([]fleetID, len(r.responses.fleets))
	for i, row := range r.responses.fleets {
		ids[i] = row.ID
	}
	return ids
}

// ofFleets names the fleets for which requests failed, if they did not fail for all.
func (r *fetchRun) ofFleets(ids []fleetID, err error) error {
	failed := newRowSet(ids...)
	if len(failed) == 0 || len(failed) == len(r.responses.fleets) {
		return err
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
	return fmt.Errorf("of %s: %w", of, err)
}

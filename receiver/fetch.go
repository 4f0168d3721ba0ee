package receiver

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/devicetype"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleet"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
)

// maxIDListSize bounds a list of ids within a URL, in bytes. The server accepts some 16 KiB for URL and headers together.
const maxIDListSize = 12 << 10

// requestKind tells requests apart that can fail by themselves.
type requestKind string

const (
	credentialRequest    requestKind = "credentials"
	fleetRequest         requestKind = "fleets"
	deviceCountRequest   requestKind = "device counts"
	deviceRequest        requestKind = "devices"
	deviceTypeRequest    requestKind = "device types"
	releaseRequest       requestKind = "releases"
	newestReleaseRequest requestKind = "newest releases"
)

// answers is what a scrape's requests brought. Each kind of request can fail by itself.
type answers struct {
	plan         plan
	fleets       []balenaclient.Fleet // by ascending id
	deviceCounts map[int64]int64      // by fleet id
	devices      []balenaclient.Device
	deviceTypes  map[int64]string // slugs by id
	releases     []balenaclient.Release
	failures     map[requestKind]error
}

// failed reports whether requests of a kind did not bring all that they should have. Rows that were left out because they did not
// fit their type do not count: what they lack is said, and all else is there.
func (a answers) failed(kind requestKind) bool {
	var rows *balenaclient.RowsError
	err := a.failures[kind]
	return err != nil && !errors.As(err, &rows)
}

// devicesComplete reports whether all devices are known, so that counts of them are true.
func (a answers) devicesComplete() bool { return a.plan.devices && !a.failed(deviceRequest) }

// releasesComplete reports whether all releases in use are known, but for those that the credentials do not reach.
func (a answers) releasesComplete() bool { return a.plan.releases && !a.failed(releaseRequest) }

// complete reports whether everything was fetched that was planned.
func (a answers) complete() bool {
	for kind := range a.failures {
		if a.failed(kind) {
			return false
		}
	}
	return true
}

// fetcher runs a plan.
type fetcher struct {
	client      *balenaclient.Client
	plan        plan
	fleets      FleetsConfig
	filter      fleetFilter
	concurrency int

	// deviceTypes are the slugs seen so far. Device types are few, and their slugs do not change.
	deviceTypes map[int64]string
}

// fetch asks for what is planned. Requests that do not need each other run at the same time.
func (f *fetcher) fetch(ctx context.Context) answers {
	run := &fetching{fetcher: f, answers: answers{plan: f.plan, failures: map[requestKind]error{}}}

	run.together(ctx,
		task{fleetRequest, true, run.fetchFleets},
		task{deviceCountRequest, f.plan.deviceCounts, run.fetchDeviceCounts},
	)
	ids := run.fleetIDs()
	run.together(ctx,
		task{deviceRequest, f.plan.devices && len(ids) > 0, run.fetchDevices},
		task{newestReleaseRequest, f.plan.newestReleases && len(ids) > 0, run.fetchNewestReleases},
	)
	run.together(ctx,
		task{deviceTypeRequest, f.plan.deviceTypes && run.hasUnknownDeviceType(), run.fetchDeviceTypes},
		task{releaseRequest, f.plan.releases && len(ids) > 0, run.fetchReleases},
	)
	run.checkCredentials(ctx)
	run.answers.deviceTypes = f.deviceTypes
	return run.answers
}

// fetching is one run of a plan.
type fetching struct {
	*fetcher
	answers answers
	mu      sync.Mutex // guards answers.failures
	newest  []int64    // ids of the newest releases
}

type task struct {
	kind   requestKind
	needed bool
	run    func(context.Context) error
}

// together runs the tasks that are needed at the same time and notes which of them failed.
func (r *fetching) together(ctx context.Context, tasks ...task) {
	var group errgroup.Group
	group.SetLimit(r.concurrency)
	for _, task := range tasks {
		if !task.needed {
			continue
		}
		group.Go(func() error {
			if err := task.run(ctx); err != nil {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.answers.failures[task.kind] = err
			}
			return nil
		})
	}
	_ = group.Wait() // failures are noted by kind
}

// selectedFleets is the query for the fleets that the server can select; slugs are matched here.
func (r *fetching) selectedFleets() pine.Query[balenaclient.Fleet] {
	query := r.client.AccessibleFleets().PageSize(maxPageSize)
	if !r.fetcher.fleets.Archived {
		query = query.Where(fleet.IsArchived.Eq(false))
	}
	if !r.fetcher.fleets.HostApps {
		query = query.Where(fleet.IsHost.Eq(false))
	}
	if !r.fetcher.fleets.Blocks {
		query = query.Where(fleet.Class.Eq("fleet"))
	}
	return query
}

func (r *fetching) fetchFleets(ctx context.Context) error {
	query := r.selectedFleets().Select(fleet.Name, fleet.Slug, fleet.TargetRelease)
	if r.plan.onlineCounts {
		query = query.Expand(fleet.Devices.Count(device.IsOnline.Eq(true)))
	}
	for row, err := range query.All(ctx) {
		if err != nil {
			return err
		}
		if r.filter.matches(row.Slug) {
			r.answers.fleets = append(r.answers.fleets, row)
		}
	}
	return nil
}

func (r *fetching) fetchDeviceCounts(ctx context.Context) error {
	r.answers.deviceCounts = map[int64]int64{}
	for row, err := range r.selectedFleets().Select(fleet.ID).Expand(fleet.Devices.Count()).All(ctx) {
		if err != nil {
			return err
		}
		r.answers.deviceCounts[row.ID] = int64(row.Devices.Count)
	}
	return nil
}

func (r *fetching) fleetIDs() []int64 {
	ids := make([]int64, len(r.answers.fleets))
	for i, row := range r.answers.fleets {
		ids[i] = row.ID
	}
	return ids
}

func (r *fetching) fetchDevices(ctx context.Context) error {
	for ids := range idLists(r.fleetIDs()) {
		query := r.client.Devices().Where(device.Fleet.In(ids...)).Select(r.plan.deviceColumns...)
		for row, err := range query.All(ctx) {
			if err != nil {
				return err
			}
			r.answers.devices = append(r.answers.devices, row)
		}
	}
	return nil
}

func (r *fetching) hasUnknownDeviceType() bool {
	return slices.ContainsFunc(r.answers.devices, func(d balenaclient.Device) bool {
		_, known := r.deviceTypes[d.DeviceType.ID]
		return !known && d.DeviceType.ID != 0
	})
}

func (r *fetching) fetchDeviceTypes(ctx context.Context) error {
	deviceTypes := map[int64]string{}
	for deviceType, err := range r.client.DeviceTypes().Select(devicetype.Slug).PageSize(maxPageSize).All(ctx) {
		if err != nil {
			return err
		}
		deviceTypes[deviceType.ID] = deviceType.Slug
	}
	r.fetcher.deviceTypes = deviceTypes
	return nil
}

func (r *fetching) fetchNewestReleases(ctx context.Context) error {
	newest := pine.Select(release.ID).OrderBy(release.CreatedAt.Desc(), release.ID.Desc()).Top(1)
	for ids := range idLists(r.fleetIDs()) {
		query := r.client.Fleets().Where(fleet.ID.In(ids...)).PageSize(maxPageSize).
			Select(fleet.ID).Expand(fleet.Releases.With(newest))
		for row, err := range query.All(ctx) {
			if err != nil {
				return err
			}
			for _, newest := range row.Releases.Rows {
				r.newest = append(r.newest, newest.ID)
			}
		}
	}
	return nil
}

// fetchReleases fetches the releases that a device runs or is pinned to, those that fleets target, and the newest ones.
func (r *fetching) fetchReleases(ctx context.Context) error {
	ids := map[int64]bool{}
	for _, row := range r.answers.fleets {
		ids[row.TargetRelease.ID] = true
	}
	for _, row := range r.answers.devices {
		ids[row.RunningRelease.ID] = true
		ids[row.PinnedRelease.ID] = true
	}
	for _, id := range r.newest {
		ids[id] = true
	}
	delete(ids, 0)
	for list := range idLists(slices.Sorted(maps.Keys(ids))) {
		query := r.client.Releases().Where(release.ID.In(list...)).PageSize(maxPageSize).Select(r.plan.releaseColumns...)
		for row, err := range query.All(ctx) {
			if err != nil {
				return err
			}
			r.answers.releases = append(r.answers.releases, row)
		}
	}
	return nil
}

// checkCredentials makes sure that an account that looks empty is not one that the API hides: it answers wrong and expired
// credentials with the public fleets, and counts no devices in them. Any device proves the credentials.
func (r *fetching) checkCredentials(ctx context.Context) {
	if r.answers.failed(fleetRequest) || r.seesDevices() {
		return
	}
	if _, err := r.client.WhoAmI(ctx); err != nil {
		r.answers = answers{plan: r.plan, failures: map[requestKind]error{credentialRequest: err}}
	}
}

func (r *fetching) seesDevices() bool {
	if len(r.answers.devices) > 0 {
		return true
	}
	for _, row := range r.answers.fleets {
		if row.Devices.Count > 0 || r.answers.deviceCounts[row.ID] > 0 {
			return true
		}
	}
	return false
}

// idLists cuts ids into lists that fit into a URL each.
func idLists(ids []int64) iter.Seq[[]int64] {
	return func(yield func([]int64) bool) {
		start, size := 0, 0
		for i, id := range ids {
			length := len(strconv.FormatInt(id, 10)) + 1
			if size+length > maxIDListSize {
				if !yield(ids[start:i]) {
					return
				}
				start, size = i, 0
			}
			size += length
		}
		if start < len(ids) {
			yield(ids[start:])
		}
	}
}

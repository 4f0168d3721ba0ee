package receiver

import (
	"context"
	"errors"
	"fmt"
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

// requestKinds are all kinds, in the order in which they are asked.
var requestKinds = []requestKind{
	credentialRequest, fleetRequest, deviceCountRequest, deviceRequest, newestReleaseRequest, deviceTypeRequest, releaseRequest,
}

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
	return forEachRow(ctx, func(row balenaclient.Fleet) error {
		if row.Slug == "" {
			return fmt.Errorf("fleet with id %d has no slug", row.ID)
		}
		if r.filter.matches(row.Slug) {
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
	}, r.selectedFleets().Select(fleet.ID).Expand(fleet.Devices.Count()))
}

func (r *fetching) fleetIDs() []int64 {
	ids := make([]int64, len(r.answers.fleets))
	for i, row := range r.answers.fleets {
		ids[i] = row.ID
	}
	return ids
}

func (r *fetching) fetchDevices(ctx context.Context) error {
	return forEachRow(ctx, func(row balenaclient.Device) error {
		if row.UUID == "" {
			return fmt.Errorf("device with id %d has no uuid", row.ID)
		}
		r.answers.devices = append(r.answers.devices, row)
		return nil
	}, forIDs(r.fleetIDs(), func(ids []int64) pine.Query[balenaclient.Device] {
		return r.client.Devices().Where(device.Fleet.In(ids...)).Select(r.plan.deviceColumns...)
	})...)
}

func (r *fetching) hasUnknownDeviceType() bool {
	return slices.ContainsFunc(r.answers.devices, func(d balenaclient.Device) bool {
		_, known := r.deviceTypes[d.DeviceType.ID]
		return !known && d.DeviceType.ID != 0
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
	return forEachRow(ctx, func(row balenaclient.Fleet) error {
		for _, newest := range row.Releases.Rows {
			r.newest = append(r.newest, newest.ID)
		}
		return nil
	}, forIDs(r.fleetIDs(), func(ids []int64) pine.Query[balenaclient.Fleet] {
		return r.client.Fleets().Where(fleet.ID.In(ids...)).Select(fleet.ID).Expand(fleet.Releases.With(newest)).PageSize(maxPageSize)
	})...)
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
	return forEachRow(ctx, func(row balenaclient.Release) error {
		r.answers.releases = append(r.answers.releases, row)
		return nil
	}, forIDs(slices.Sorted(maps.Keys(ids)), func(ids []int64) pine.Query[balenaclient.Release] {
		return r.client.Releases().Where(release.ID.In(ids...)).Select(r.plan.releaseColumns...).PageSize(maxPageSize)
	})...)
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

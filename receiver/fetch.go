package receiver

import (
	"context"
	"errors"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// fetcher runs a plan.
type fetcher struct {
	client      *balenaclient.Client
	plan        plan
	selection   selection
	tags        TagsConfig
	pageSize    int
	concurrency int
	now         func() time.Time
	apiKeys     apiKeys

	// releasesSince returns since when recent releases must have been created; nil without events.
	releasesSince func(now time.Time) time.Time

	// What does not change is requested once.
	deviceTypes map[deviceTypeID]string // slugs; empty for types that the credentials cannot read
	services    map[imageID]service     // the zero value for images that the credentials cannot read

	unreadableReleases rowSet[balenaclient.Release] // in use, but the credentials cannot read them

	// Tags are part of what identifies a series. While they cannot be fetched the last ones are used: a series that changes its name
	// for the duration of a failure would be worse than an outdated tag.
	fleetTags  map[fleetID][]tag  // an entry for each fleet whose tags are known
	deviceTags map[deviceID][]tag // and for each device

	// Labels of fleets as of the last complete list. While the list is incomplete they are used: a fleet must not take over another's.
	labels map[fleetID]string

	// Sizes and cuts of the last scrape, by which devices are divided into parts of about equal size.
	lastSizes map[fleetID]int64      // number of devices
	pageCuts  map[fleetID][]deviceID // at which pages ended
}

// maxServices bounds what is remembered of images, of which each release brings new ones.
const maxServices = 100_000

// fetch makes the planned requests. Those that do not depend on each other run concurrently. Those that count fleets come first, and
// small ones before those that take many pages, so that nothing cheap waits for something expensive.
func (f *fetcher) fetch(ctx context.Context) *responses {
	run := &fetchRun{fetcher: f, shared: sharedStrings{}, responses: newResponses(f.plan)}

	run.runParallel(whileCounting(ctx),
		task{fleetRequest, true, run.fleetsJob},
		task{deviceCountRequest, run.plan.needs(deviceCountRequest), run.deviceCountsJob},
	)
	run.responses.countedAt = f.now()
	if len(run.responses.fleets) > 0 {
		needsDevices := run.plan.needs(deviceRequest)
		run.parts = cutAccount(run.fleetSizes(), f.pageSize, f.concurrency)
		run.runParallel(ctx,
			task{fleetTagRequest, len(run.tags.Fleets) > 0, run.fleetTagsJob},
			task{newestReleaseRequest, run.plan.needs(newestReleaseRequest), run.newestReleasesJob},
			task{recentReleaseRequest, run.plan.needs(recentReleaseRequest), run.recentReleasesJob},
			task{lastBuildRequest, run.plan.needs(lastBuildRequest), run.lastBuildsJob},
			task{releaseCountRequest, run.plan.needs(releaseCountRequest), run.releaseCountsJob},
			task{deviceRequest, needsDevices, run.devicesJob},
			task{deviceTagRequest, needsDevices && len(run.tags.Devices) > 0, run.deviceTagsJob},
			task{containerRequest, run.plan.needs(containerRequest), run.containersJob},
		)
		run.runParallel(ctx,
			task{deviceTypeRequest, run.plan.needs(deviceTypeRequest) && run.hasUnknownDeviceType(), run.deviceTypesJob},
			task{imageRequest, run.plan.needs(imageRequest), run.servicesJob},
			task{releaseRequest, run.plan.needs(releaseRequest), run.releasesJob},
		)
	}
	run.checkCredentials(whileCounting(ctx))
	if run.responses.listed {
		run.runParallel(ctx, task{apiKeyRequest, run.plan.needs(apiKeyRequest) && run.apiKeys.due(), run.apiKeysJob})
	}
	run.remember()
	return run.responses
}

// fetchRun is one run of a plan.
type fetchRun struct {
	*fetcher
	responses *responses
	parts     []part
	shared    sharedStrings // of devices
	newest    []releaseID

	fleetTagged  map[fleetID][]tag
	deviceTagged map[deviceID][]tag

	hidden hiddenRows
}

// hiddenRows are rows that were requested by ID and not returned, although the request succeeded. Either the credentials never gave
// access to them, or they have expired since the scrape began: the API then responds as if there were no such rows.
type hiddenRows struct {
	images      []imageID
	deviceTypes []deviceTypeID
	releases    rowSet[balenaclient.Release]
	fleets      bool
}

// forget leaves it open whether there are such rows.
func (h *hiddenRows) forget(r *responses) {
	maps.Copy(r.unresolvedReleases, h.releases)
	*h = hiddenRows{}
}

// task is a kind of request to make, if it is needed.
type task struct {
	kind   requestKind
	needed bool
	job    func() job
}

// runParallel runs the tasks that are needed: first their batches, concurrently, started in the order of the tasks; then, one by one, what
// remains to be done for each. It records which of them failed.
func (r *fetchRun) runParallel(ctx context.Context, tasks ...task) {
	var group errgroup.Group
	group.SetLimit(r.concurrency)
	jobs := make([]job, len(tasks))
	for i, task := range tasks {
		if !task.needed {
			continue
		}
		jobs[i] = task.job()
		for _, batch := range jobs[i].batches {
			group.Go(func() error {
				batch(ctx)
				return nil
			})
		}
	}
	_ = group.Wait() // each job knows what failed
	for i, task := range tasks {
		if !task.needed {
			continue
		}
		if err := jobs[i].finish(ctx); err != nil {
			r.responses.failures[task.kind] = err
		}
	}
}

// fleetSizes returns what is known of the fleets' sizes: the server's count, or else what the last scrape found.
func (r *fetchRun) fleetSizes() []fleetSize {
	sizes := make([]fleetSize, 0, len(r.responses.fleets))
	for _, row := range r.responses.fleets {
		devices, counted := r.responses.deviceCounts[row.ID]
		if !counted {
			devices = max(r.lastSizes[row.ID], int64(row.Devices.Count))
		}
		sizes = append(sizes, fleetSize{id: row.ID, devices: devices, cuts: r.pageCuts[row.ID]})
	}
	return sizes
}

// checkCredentials makes sure that an account that looks empty, or parts of it that do, are not hidden by the API: it responds to wrong
// and expired credentials with the public fleets, and counts no devices in them. A 401 alone proves nothing.
func (r *fetchRun) checkCredentials(ctx context.Context) {
	if !r.doubtsCredentials() {
		return
	}
	_, err := r.client.WhoAmI(ctx)
	if err == nil {
		return
	}
	if r.seesDevices() && !errors.Is(err, balenaclient.ErrUnauthorized) {
		r.hidden.forget(r.responses) // the credentials were valid when the scrape began, and may still be
		return
	}
	// Nothing in the responses can be trusted. What else failed is worth reporting unless bad credentials explain it.
	failures := map[requestKind]error{}
	if !errors.Is(err, balenaclient.ErrUnauthorized) {
		failures = r.responses.failures
	}
	failures[credentialRequest] = err
	r.responses = newResponses(r.plan)
	r.responses.failures = failures
}

// doubtsCredentials reports whether the responses look like those to credentials that were rejected from the start, or have expired
// since.
func (r *fetchRun) doubtsCredentials() bool {
	for _, err := range r.responses.failures {
		if errors.Is(err, balenaclient.ErrUnauthorized) {
			return true
		}
	}
	if r.hidden.fleets || len(r.hidden.images) > 0 || len(r.hidden.deviceTypes) > 0 {
		return true
	}
	for id := range r.hidden.releases {
		if !r.unreadableReleases[id] {
			return true
		}
	}
	return !r.responses.failed(fleetRequest) && !r.seesDevices()
}

// seesDevices reports whether a response shows that the account has devices, which proves that the credentials were valid.
func (r *fetchRun) seesDevices() bool {
	if len(r.responses.devices) > 0 {
		return true
	}
	for _, row := range r.responses.fleets {
		if row.Devices.Count > 0 || r.responses.deviceCounts[row.ID] > 0 {
			return true
		}
	}
	return false
}

// remember keeps what the next run needs, and hands what the fetcher knows to the responses.
func (r *fetchRun) remember() {
	if len(r.tags.Fleets) > 0 {
		r.rememberFleetTags()
	}
	if len(r.tags.Devices) > 0 {
		r.rememberDeviceTags()
	}
	if r.responses.failures[credentialRequest] == nil {
		r.rememberHidden()
	}
	if r.plan.needs(deviceRequest) && r.responses.listed && !r.responses.failed(deviceRequest) {
		r.fetcher.pageCuts = pageCuts(r.responses.devices, r.pageSize)
		r.fetcher.lastSizes = map[fleetID]int64{}
		for _, d := range r.responses.devices {
			r.fetcher.lastSizes[d.fleetID]++
		}
	}
	r.responses.tags = r.tags
	r.responses.deviceTypes, r.responses.services = r.deviceTypes, r.services
	r.responses.fleetTags, r.responses.deviceTags = r.fleetTags, r.deviceTags
	r.responses.apiKeys = r.apiKeys.keys
}

// rememberHidden keeps which rows the credentials give no access to, so that they are not requested again.
func (r *fetchRun) rememberHidden() {
	for _, id := range r.hidden.images {
		r.services[id] = service{}
	}
	for _, id := range r.hidden.deviceTypes {
		r.deviceTypes[id] = ""
	}
	r.fetcher.unreadableReleases = r.hidden.releases
}

// rememberFleetTags keeps the tags of all fleets for which they were fetched, now or, while they cannot be, before.
func (r *fetchRun) rememberFleetTags() {
	tags := make(map[fleetID][]tag, len(r.responses.fleets))
	if !r.responses.hasAllFleets() {
		maps.Copy(tags, r.fleetTags) // a fleet that is missing may still be there
	}
	for _, row := range r.responses.fleets {
		keepTags(tags, r.fleetTags, r.fleetTagged, row.ID, !r.responses.missing.has(fleetTagRequest, row.ID))
	}
	r.fetcher.fleetTags = tags
}

// rememberDeviceTags keeps the tags of all devices for which they were fetched, now or, while they cannot be, before.
func (r *fetchRun) rememberDeviceTags() {
	tags := make(map[deviceID][]tag, len(r.responses.devices))
	if !r.responses.hasAllDevices() {
		maps.Copy(tags, r.deviceTags) // a device that is missing may still be there
	}
	for _, d := range r.responses.devices {
		keepTags(tags, r.deviceTags, r.deviceTagged, d.id, !r.responses.missing.has(deviceTagRequest, d.fleetID))
	}
	r.fetcher.deviceTags = tags
}

// keepTags keeps the tags of a row: those that were fetched now, if they were, or else those known before.
func keepTags[R any](tags, before, now map[pine.ID[R]][]tag, id pine.ID[R], fetched bool) {
	if fetched {
		tags[id] = now[id]
	} else if last, known := before[id]; known {
		tags[id] = last
	}
}

// sharedStrings keeps one copy of each string that many devices have in common.
type sharedStrings map[string]string

func (s sharedStrings) get(value string) string {
	if known, ok := s[value]; ok {
		return known
	}
	s[value] = value
	return value
}

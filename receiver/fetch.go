package receiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// fetcher runs a plan.
type fetcher struct {
	client      *balenaclient.Client
	plan        plan
	selection   selection
	tags        TagsConfig
	concurrency int
	now         func() time.Time
	apiKeys     apiKeys

	// What does not change is requested once.
	deviceTypes map[int64]string  // slugs by ID; empty for types that the credentials cannot read
	services    map[int64]service // by image ID; the zero value for images that the credentials cannot read

	// Tags are part of what identifies a series. While they cannot be fetched the last ones are used: a series that changes its name
	// for the length of a failure would be worse than an outdated tag.
	fleetTags, deviceTags map[int64][]tag // an entry for each fleet and device whose tags are known
}

// maxServices bounds what is remembered of images, of which each release brings new ones.
const maxServices = 100_000

// fetch requests what is planned. Requests that do not need each other run at the same time. Those that count fleets come first, and
// small ones before those that take many pages, so that nothing cheap waits for something expensive.
func (f *fetcher) fetch(ctx context.Context) *responses {
	run := &fetchRun{fetcher: f, shared: sharedStrings{}, responses: newResponses(f.plan)}

	run.runParallel(whileCounting(ctx),
		task{fleetRequest, true, run.fetchFleets},
		task{deviceCountRequest, run.plan.needs(deviceCountRequest), run.fetchDeviceCounts},
	)
	run.responses.countedAt = f.now()
	if len(run.responses.fleets) > 0 {
		needsDevices := run.plan.needs(deviceRequest)
		run.runParallel(ctx,
			task{fleetTagRequest, len(run.tags.Fleets) > 0, run.fetchFleetTags},
			task{newestReleaseRequest, run.plan.needs(newestReleaseRequest), run.fetchNewestReleases},
			task{lastBuildRequest, run.plan.needs(lastBuildRequest), run.fetchLastBuilds},
			task{releaseCountRequest, run.plan.needs(releaseCountRequest), run.fetchReleaseCounts},
			task{deviceRequest, needsDevices, run.fetchDevices},
			task{deviceTagRequest, needsDevices && len(run.tags.Devices) > 0, run.fetchDeviceTags},
			task{containerRequest, run.plan.needs(containerRequest), run.fetchContainers},
		)
		run.runParallel(ctx,
			task{deviceTypeRequest, run.plan.needs(deviceTypeRequest) && run.hasUnknownDeviceType(), run.fetchDeviceTypes},
			task{imageRequest, run.plan.needs(imageRequest), run.fetchServices},
			task{releaseRequest, run.plan.needs(releaseRequest), run.fetchReleases},
		)
	}
	run.checkCredentials(whileCounting(ctx))
	if run.responses.listed {
		run.runParallel(ctx, task{apiKeyRequest, run.plan.needs(apiKeyRequest) && run.apiKeys.due(), run.fetchAPIKeys})
	}
	run.remember()
	return run.responses
}

// fetchRun is one run of a plan.
type fetchRun struct {
	*fetcher
	responses *responses
	mu        sync.Mutex    // guards failures and missing of the responses
	shared    sharedStrings // of devices
	newest    []int64       // IDs of the newest releases
	tagged    map[int64][]tag
}

type task struct {
	kind   requestKind
	needed bool
	run    func(context.Context) error
}

// runParallel runs the tasks that are needed at the same time and records which of them failed.
func (r *fetchRun) runParallel(ctx context.Context, tasks ...task) {
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
				r.responses.failures[task.kind] = err
			}
			return nil
		})
	}
	_ = group.Wait() // failures are recorded by kind
}

// miss records fleets for which a kind of request did not return everything.
func (r *fetchRun) miss(kind requestKind, fleetIDs ...int64) {
	if len(fleetIDs) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.responses.missing.add(kind, fleetIDs...)
}

// unlist records fleets of which not even the rows are known that a kind of request did not return.
func (r *fetchRun) unlist(kind requestKind, fleetIDs ...int64) {
	if len(fleetIDs) == 0 {
		return
	}
	r.miss(kind, fleetIDs...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.responses.unlisted.add(kind, fleetIDs...)
}

// checkCredentials makes sure that an account that looks empty is not one that the API hides: it responds to wrong and expired
// credentials with the public fleets, and counts no devices in them. Any device proves the credentials. A 401 alone proves nothing.
func (r *fetchRun) checkCredentials(ctx context.Context) {
	denied := errors.Is(r.responses.failures[fleetRequest], balenaclient.ErrUnauthorized)
	if !denied && (r.responses.failed(fleetRequest) || r.seesDevices()) {
		return
	}
	_, err := r.client.WhoAmI(ctx)
	if err == nil {
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

func (r *fetchRun) seesDevices() bool {
	if len(r.responses.devices) > 0 {
		return true
	}
	for _, row := range r.responses.fleets {
		if row.Devices.Count > 0 || r.responses.deviceCounts[int64(row.ID)] > 0 {
			return true
		}
	}
	return false
}

// remember hands what the fetcher knows to the responses, and keeps the tags for the next run.
func (r *fetchRun) remember() {
	if len(r.tags.Devices) > 0 && r.responses.listed {
		r.rememberDeviceTags()
	}
	r.responses.tags = r.tags
	r.responses.deviceTypes, r.responses.services = r.deviceTypes, r.services
	r.responses.fleetTags, r.responses.deviceTags = r.fleetTags, r.deviceTags
	r.responses.apiKeys = r.apiKeys.keys
}

// rememberDeviceTags keeps the tags of all devices for which they were fetched, now or, while they cannot be, before.
func (r *fetchRun) rememberDeviceTags() {
	tags := make(map[int64][]tag, len(r.responses.devices))
	for id, before := range r.deviceTags {
		if r.responses.failed(deviceRequest) {
			tags[id] = before // the device may still be there
		}
	}
	for _, d := range r.responses.devices {
		if !r.responses.missing.has(deviceTagRequest, d.fleetID) {
			tags[d.id] = r.tagged[d.id]
		} else if before, known := r.deviceTags[d.id]; known {
			tags[d.id] = before
		}
	}
	r.fetcher.deviceTags = tags
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

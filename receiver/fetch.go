package receiver

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// requestKind tells requests apart that can fail by themselves.
type requestKind string

const (
	credentialRequest    requestKind = "credentials"
	fleetRequest         requestKind = "fleets"
	deviceCountRequest   requestKind = "device counts"
	fleetTagRequest      requestKind = "fleet tags"
	deviceRequest        requestKind = "devices"
	deviceTagRequest     requestKind = "device tags"
	containerRequest     requestKind = "services on devices"
	newestReleaseRequest requestKind = "newest releases"
	lastBuildRequest     requestKind = "last successful builds"
	releaseCountRequest  requestKind = "release counts"
	deviceTypeRequest    requestKind = "device types"
	imageRequest         requestKind = "images"
	releaseRequest       requestKind = "releases"
)

// requestKinds are all kinds, in the order in which they are asked.
var requestKinds = []requestKind{
	credentialRequest, fleetRequest, deviceCountRequest, fleetTagRequest, newestReleaseRequest, lastBuildRequest, releaseCountRequest,
	deviceRequest, deviceTagRequest, containerRequest, deviceTypeRequest, imageRequest, releaseRequest,
}

// answers is what a scrape's requests brought. Each kind of request can fail by itself.
type answers struct {
	plan          plan
	fleets        []balenaclient.Fleet // by ascending id
	deviceCounts  map[int64]int64      // by fleet id
	fleetTags     map[int64][]tag
	devices       []*deviceEntity // not yet joined with anything
	deviceTags    map[int64][]tag
	deviceTypes   map[int64]string // slugs by id
	containers    []container
	services      map[int64]service          // by image id
	lastBuilds    map[int64]instant          // by fleet id
	releaseCounts map[int64]map[string]int64 // by fleet id and status
	releases      []balenaclient.Release
	failures      map[requestKind]error
}

// tag is a resource attribute made of a tag.
type tag struct {
	attribute, value string
}

// container is a service's container on a device.
type container struct {
	deviceID, imageID int64
	status            string
	installedAt       instant
	downloadProgress  reading // percent
}

// service is a service of a fleet.
type service struct {
	name    string
	fleetID int64
}

// failed reports whether requests of a kind did not bring all that they should have. Rows that were left out because they did not
// fit their type do not count: what they lack is said, and all else is there.
func (a answers) failed(kind requestKind) bool {
	var rows *balenaclient.RowsError
	err := a.failures[kind]
	return err != nil && !errors.As(err, &rows)
}

// has reports whether all was fetched that a kind of request was to bring.
func (a answers) has(kind requestKind) bool { return a.plan.needs(kind) && !a.failed(kind) }

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
	selection   selection
	tags        TagsConfig
	concurrency int

	// What does not change is asked for once.
	deviceTypes map[int64]string  // slugs by id
	services    map[int64]service // by image id

	// Tags are part of what identifies a series. When they cannot be had the last ones serve, because a series that changes its name
	// for the length of a failure would be worse than a tag that changed.
	fleetTags, deviceTags map[int64][]tag
}

// maxServices bounds what is remembered of images, of which each release brings new ones.
const maxServices = 100_000

// fetch asks for what is planned. Requests that do not need each other run at the same time; those that count fleets come first, and
// small ones before those that take many pages, so that nothing cheap waits for something heavy.
func (f *fetcher) fetch(ctx context.Context) answers {
	run := &fetching{fetcher: f, texts: texts{}, answers: answers{plan: f.plan, failures: map[requestKind]error{}}}

	run.together(whileCounting(ctx),
		task{fleetRequest, true, run.fetchFleets},
		task{deviceCountRequest, run.plan.needs(deviceCountRequest), run.fetchDeviceCounts},
	)
	if len(run.answers.fleets) > 0 {
		run.together(ctx,
			task{fleetTagRequest, len(run.tags.Fleets) > 0, run.fetchFleetTags},
			task{newestReleaseRequest, run.plan.needs(newestReleaseRequest), run.fetchNewestReleases},
			task{lastBuildRequest, run.plan.needs(lastBuildRequest), run.fetchLastBuilds},
			task{releaseCountRequest, run.plan.needs(releaseCountRequest), run.fetchReleaseCounts},
			task{deviceRequest, run.plan.needs(deviceRequest), run.fetchDevices},
			task{deviceTagRequest, run.plan.needs(deviceRequest) && len(run.tags.Devices) > 0, run.fetchDeviceTags},
			task{containerRequest, run.plan.needs(containerRequest), run.fetchContainers},
		)
		run.together(ctx,
			task{deviceTypeRequest, run.plan.needs(deviceTypeRequest) && run.hasUnknownDeviceType(), run.fetchDeviceTypes},
			task{imageRequest, true, run.fetchServices},
			task{releaseRequest, run.plan.needs(releaseRequest), run.fetchReleases},
		)
	}
	run.checkCredentials(whileCounting(ctx))
	run.answers.deviceTypes, run.answers.services = f.deviceTypes, f.services
	run.answers.fleetTags, run.answers.deviceTags = f.fleetTags, f.deviceTags
	return run.answers
}

// fetching is one run of a plan.
type fetching struct {
	*fetcher
	answers answers
	mu      sync.Mutex // guards answers.failures
	texts   texts      // of devices
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
				r.fail(task.kind, err)
			}
			return nil
		})
	}
	_ = group.Wait() // failures are noted by kind
}

func (r *fetching) fail(kind requestKind, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers.failures[kind] = err
}

// checkCredentials makes sure that an account that looks empty is not one that the API hides: it answers wrong and expired
// credentials with the public fleets, and counts no devices in them. Any device proves the credentials.
func (r *fetching) checkCredentials(ctx context.Context) {
	if r.answers.failed(fleetRequest) || r.seesDevices() {
		return
	}
	_, err := r.client.WhoAmI(ctx)
	if err == nil {
		return
	}
	// Nothing that was answered can be trusted. What else failed is worth saying unless bad credentials explain it.
	failures := map[requestKind]error{}
	if !errors.Is(err, balenaclient.ErrUnauthorized) {
		failures = r.answers.failures
	}
	failures[credentialRequest] = err
	r.answers = answers{plan: r.plan, failures: failures}
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

// texts keeps one copy of each text that many devices have in common.
type texts map[string]string

func (t texts) shared(text string) string {
	if known, ok := t[text]; ok {
		return known
	}
	t[text] = text
	return text
}

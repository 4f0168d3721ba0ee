package receiver

import (
	"errors"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// responses is what the requests of a scrape returned, and what they failed to.
type responses struct {
	plan plan
	tags TagsConfig

	listed        bool                 // whether the fleets were listed
	countedAt     time.Time            // when the fleets were listed and their devices counted
	fleets        []balenaclient.Fleet // those that are reported, by ascending ID
	labels        map[int64]string     // of the reported fleets, by ID: names made unique among all fleets
	unmatched     []string             // patterns of the configuration that match no fleet
	deviceCounts  map[int64]int64      // by fleet ID
	devices       []*deviceEntity      // not yet joined with anything
	containers    []container
	lastBuilds    map[int64]instant          // by fleet ID
	releaseCounts map[int64]map[string]int64 // by fleet ID and status
	releases      []balenaclient.Release

	// From this scrape or an earlier one; an entry says that the value is known, even if it is empty.
	fleetTags, deviceTags map[int64][]tag
	deviceTypes           map[int64]string  // slugs by ID
	services              map[int64]service // by image ID
	apiKeys               []apiKey

	failures map[requestKind]error
	missing  fleetSets // fleets for which a kind of request did not return everything
	unlisted fleetSets // those of them for which it is not even known which rows are missing

	skippedFleets, skippedDevices rowSet // rows that exist but could not be decoded
	unknownServices               rowSet // devices of which a container could not be decoded
	unresolvedReleases            rowSet // releases that were requested and not returned because of a failure
}

// tag is a resource attribute made from a tag.
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

// rowSet is a set of rows by ID.
type rowSet map[int64]bool

func newRowSet(ids ...int64) rowSet {
	s := make(rowSet, len(ids))
	s.add(ids...)
	return s
}

func (s rowSet) add(ids ...int64) {
	for _, id := range ids {
		s[id] = true
	}
}

// fleetSets holds a set of fleets for each kind of request.
type fleetSets map[requestKind]rowSet

func (s fleetSets) add(kind requestKind, fleetIDs ...int64) {
	if len(fleetIDs) == 0 {
		return
	}
	if s[kind] == nil {
		s[kind] = rowSet{}
	}
	s[kind].add(fleetIDs...)
}

func (s fleetSets) has(kind requestKind, fleetID int64) bool { return s[kind][fleetID] }

func newResponses(p plan) *responses {
	return &responses{
		plan: p, labels: map[int64]string{}, failures: map[requestKind]error{}, missing: fleetSets{}, unlisted: fleetSets{},
		skippedFleets: rowSet{}, skippedDevices: rowSet{}, unknownServices: rowSet{}, unresolvedReleases: rowSet{},
	}
}

// failed reports whether requests of a kind failed. Rows that could not be decoded are not a failure of the request.
func (r *responses) failed(kind requestKind) bool {
	var rows *balenaclient.RowsError
	err := r.failures[kind]
	return err != nil && !errors.As(err, &rows)
}

// complete reports whether everything was fetched that was planned, and every row decoded.
func (r *responses) complete() bool { return len(r.failures) == 0 }

// has reports whether a kind of request returned everything about a fleet.
func (r *responses) has(kind requestKind, fleetID int64) bool {
	return r.plan.needs(kind) && !r.missing.has(kind, fleetID)
}

// hasAll reports whether a kind of request returned everything.
func (r *responses) hasAll(kind requestKind) bool {
	return r.plan.needs(kind) && len(r.missing[kind]) == 0
}

// knowsRelease reports whether a release was fetched, or is known not to be readable. There is no release 0.
func (r *responses) knowsRelease(id int64) bool {
	return r.plan.needs(releaseRequest) && !r.unresolvedReleases[id]
}

// knowsServices reports whether all containers of a device were fetched.
func (r *responses) knowsServices(d *deviceEntity) bool {
	return r.has(containerRequest, d.fleetID) && !r.unknownServices[d.id]
}

// service returns the service of an image; known is false if it could not be fetched.
func (r *responses) service(imageID int64) (of service, known bool) {
	of, known = r.services[imageID]
	return of, known || imageID == 0
}

// deviceType returns the slug of a device type; known is false if it could not be fetched.
func (r *responses) deviceType(id int64) (slug string, known bool) {
	slug, known = r.deviceTypes[id]
	return slug, known || id == 0
}

// identifies reports whether everything that identifies a device is known.
func (r *responses) identifies(d *deviceEntity) bool {
	if _, known := r.deviceType(d.typeID); !known && r.plan.typeIdentifies {
		return false
	}
	_, known := r.deviceTags[d.id]
	return known || len(r.tags.Devices) == 0
}

// identifiesFleet reports whether everything that identifies a fleet is known.
func (r *responses) identifiesFleet(id int64) bool {
	_, known := r.fleetTags[id]
	return known || len(r.tags.Fleets) == 0
}

// gone reports whether an entity that is not in the snapshot does not exist anymore, or is not reported anymore, rather than having
// been missed because a request failed.
func (r *responses) gone(e entity) bool {
	if !r.listed {
		return false
	}
	switch e := e.(type) {
	case *fleetEntity:
		return !r.skippedFleets[e.id]
	case *deviceEntity:
		if !r.reports(e.fleetID) {
			return !r.skippedFleets[e.fleetID]
		}
		return !r.unlisted.has(deviceRequest, e.fleetID) && !r.skippedDevices[e.id]
	case *releaseEntity:
		if !r.reports(e.fleet.id) {
			return !r.skippedFleets[e.fleet.id]
		}
		// A device of any fleet may run it.
		return len(r.unlisted[deviceRequest]) == 0 && r.has(deviceRequest, e.fleet.id) && r.has(newestReleaseRequest, e.fleet.id) &&
			!r.unresolvedReleases[e.id]
	}
	return false
}

func (r *responses) reports(fleetID int64) bool {
	_, reported := r.labels[fleetID]
	return reported
}

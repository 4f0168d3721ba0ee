package receiver

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/history"
)

// responses is what the requests of a scrape returned, and what they failed to return.
type responses struct {
	plan plan
	tags TagsConfig

	listed        bool                 // whether the fleets were listed
	countedAt     time.Time            // when the fleets were listed and their devices counted
	fleets        []balenaclient.Fleet // those that are reported, by ascending ID
	labels        map[fleetID]string   // of the reported fleets, by ID: names made unique among all fleets
	unmatched     []string             // patterns of the configuration that match no fleet
	deviceCounts  map[fleetID]int64
	devices       []*deviceRow
	containers    []container
	lastBuilds    map[fleetID]instant
	releaseCounts map[fleetID]map[string]int64 // by status
	releases      []balenaclient.Release
	recent        []balenaclient.Release // created lately, whether or not a device runs them

	// From this scrape or an earlier one; an entry says that the value is known, even if it is empty.
	fleetTags   map[fleetID][]tag
	deviceTags  map[deviceID][]tag
	deviceTypes map[deviceTypeID]string // slugs
	services    map[imageID]service
	apiKeys     []apiKey

	failures map[requestKind]error
	missing  fleetSets // fleets for which a kind of request did not return everything
	unlisted fleetSets // those of them for which it is not even known which rows are missing

	skippedFleets      fleetSet                     // that exist but could not be decoded
	skippedDevices     rowSet[balenaclient.Device]  // the same
	unknownServices    rowSet[balenaclient.Device]  // of which a container could not be decoded
	unresolvedReleases rowSet[balenaclient.Release] // that were requested and not returned because of a failure
}

// tag is a resource attribute made from a tag.
type tag = history.Tag

// addTag adds a tag, unless its value is empty: to Prometheus an empty label is the same as a missing one. It keeps tags sorted by
// attribute, so that a tag that is deleted and set again does not change the order. If the same tag was fetched twice, because its device
// moved to another fleet meanwhile, the last one counts.
func addTag(tags []tag, t tag) []tag {
	if t.Value == "" {
		return tags
	}
	i, found := slices.BinarySearchFunc(tags, t.Attribute, func(t tag, attribute string) int { return strings.Compare(t.Attribute, attribute) })
	if found {
		tags[i] = t
		return tags
	}
	return slices.Insert(tags, i, t)
}

// container is a service's container on a device.
type container struct {
	device           deviceID
	image            imageID
	status           string
	installedAt      instant
	downloadProgress reading // percent
}

// service is a service of a fleet.
type service struct {
	name  string
	fleet fleetID
}

func newResponses(p plan) *responses {
	return &responses{
		plan: p, labels: map[fleetID]string{}, failures: map[requestKind]error{}, missing: fleetSets{}, unlisted: fleetSets{},
		skippedFleets: fleetSet{}, skippedDevices: rowSet[balenaclient.Device]{},
		unknownServices: rowSet[balenaclient.Device]{}, unresolvedReleases: rowSet[balenaclient.Release]{},
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
func (r *responses) has(kind requestKind, fleet fleetID) bool {
	return r.plan.needs(kind) && !r.missing.has(kind, fleet)
}

// hasAllFleets reports whether every fleet was fetched.
func (r *responses) hasAllFleets() bool { return r.listed && len(r.skippedFleets) == 0 }

// hasAllDevices reports whether every device was fetched, whatever its fleet.
func (r *responses) hasAllDevices() bool {
	return r.hasAllFleets() && r.plan.needs(deviceRequest) && len(r.missing[deviceRequest]) == 0
}

// knowsRelease reports whether a release was fetched, or is known not to be readable. There is no release 0.
func (r *responses) knowsRelease(id releaseID) bool {
	return r.plan.needs(releaseRequest) && !r.unresolvedReleases[id]
}

// knowsServices reports whether all containers of a device were fetched.
func (r *responses) knowsServices(d *deviceEntity) bool {
	return r.has(containerRequest, d.fleetID) && !r.unknownServices[d.id]
}

// service returns the service of an image; known is false if it could not be fetched.
func (r *responses) service(image imageID) (of service, known bool) {
	of, known = r.services[image]
	return of, known || image == 0
}

// deviceType returns the slug of a device type; known is false if it could not be fetched.
func (r *responses) deviceType(id deviceTypeID) (slug string, known bool) {
	slug, known = r.deviceTypes[id]
	return slug, known || id == 0
}

// identifies reports whether everything that identifies a device is known.
func (r *responses) identifies(d *deviceRow) bool {
	if _, known := r.deviceType(d.typeID); !known && r.plan.typeIdentifies {
		return false
	}
	_, known := r.deviceTags[d.id]
	return known || len(r.tags.Devices) == 0
}

// identifiesFleet reports whether everything that identifies a fleet is known.
func (r *responses) identifiesFleet(id fleetID) bool {
	_, known := r.fleetTags[id]
	return known || len(r.tags.Fleets) == 0
}

// gone reports whether an entity that is not in the snapshot does not exist anymore, or is not reported anymore, rather than having
// been missed because a request failed.
func (r *responses) gone(e entity) bool {
	switch e := e.(type) {
	case *fleetEntity:
		return r.goneFleet(e.id)
	case *deviceEntity:
		return r.goneDevice(e.id, e.fleetID)
	case *releaseEntity:
		if !r.reports(e.fleet.id) {
			return r.goneFleet(e.fleet.id)
		}
		// A device of any fleet may run it.
		return r.hasAllDevices() && r.has(newestReleaseRequest, e.fleet.id) && !r.unresolvedReleases[e.id]
	}
	return false
}

func (r *responses) goneFleet(id fleetID) bool { return r.listed && !r.skippedFleets[id] }

func (r *responses) goneDevice(id deviceID, of fleetID) bool {
	if !r.reports(of) {
		return r.goneFleet(of)
	}
	return r.listed && !r.unlisted.has(deviceRequest, of) && !r.skippedDevices[id]
}

func (r *responses) reports(fleet fleetID) bool {
	_, reported := r.labels[fleet]
	return reported
}

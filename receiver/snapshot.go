package receiver

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// snapshot is what the account looked like at one moment: what was fetched, joined by ID. What is not known is nil or missing, never
// zero.
type snapshot struct {
	at       time.Time
	receiver *receiverEntity
	fleets   []*fleetEntity
	devices  []*deviceEntity
	releases []*releaseEntity
}

type fleetEntity struct {
	id              fleetID
	name, slug      string
	label           string // the name, or the slug if an older fleet has the same name
	tags            []tag
	targetReleaseID releaseID
	target          *releaseEntity // nil if there is none, or it could not be read
	targetKnown     bool           // whether the target was fetched, if there is one
	createdAt       instant

	countedAt time.Time        // when the server counted the devices
	online    *int64           // devices online, as counted by the server
	devices   *int64           // devices, as counted by the server
	lastBuild instant          // end of the last successful build
	releases  map[string]int64 // by status, as counted by the server; nil unless they are known

	devicesKnown bool                    // whether all devices of the fleet were fetched
	typesKnown   bool                    // whether the types of all devices are known
	counts       []map[string]int64      // by row of the plan's fleetCounts; nil for one that does not apply
	services     map[serviceStatus]int64 // devices by service and its status; nil unless they are known
	buildsKnown  bool                    // whether the last build was fetched, if there is one
	connections  *connections            // nil unless all devices of the fleet were fetched
}

type serviceStatus struct {
	service, status string
}

type deviceEntity struct {
	*deviceRow
	fleet      *fleetEntity
	deviceType string // slug
	tags       []tag

	running, target *releaseEntity // nil if there is none, or none that can be read
	releasesKnown   bool           // whether both were fetched

	services      []deviceService // of a connected device, by name
	servicesKnown bool
}

// deviceService is a service on a device.
type deviceService struct {
	name, status     string
	installedAt      instant
	downloadProgress reading // percent
}

type releaseEntity struct {
	id                 releaseID
	commit, version    string
	fleet              *fleetEntity // nil if it is not reported
	status             string
	final              bool
	createdAt, finalAt instant
	startedAt, endedAt instant
	imageSize          *int64 // bytes, of all images
	devices            releaseDevices
	devicesKnown       bool // whether all devices that it may run on were counted
}

// releaseDevices counts devices by what the release is to them.
type releaseDevices struct {
	running, targeted, pinned int64
}

// newSnapshot joins what was fetched.
func newSnapshot(at time.Time, r *responses) *snapshot {
	s := &snapshot{at: at}
	fleets := s.joinFleets(r)
	releases := s.joinReleases(r, fleets)
	s.joinDevices(r, fleets, releases)
	s.joinContainers(r)
	return s
}

func (s *snapshot) joinFleets(r *responses) map[fleetID]*fleetEntity {
	byID := make(map[fleetID]*fleetEntity, len(r.fleets))
	for _, row := range r.fleets {
		f := &fleetEntity{
			id: row.ID, name: row.Name, slug: row.Slug, label: r.labels[row.ID], tags: r.fleetTags[row.ID],
			targetReleaseID: row.TargetRelease.ID,
			createdAt:       newInstant(row.CreatedAt),
			countedAt:       r.countedAt,
			lastBuild:       r.lastBuilds[row.ID],
			releases:        r.releaseCounts[row.ID],
			buildsKnown:     r.has(lastBuildRequest, row.ID),
			devicesKnown:    r.has(deviceRequest, row.ID),
			typesKnown:      true,
		}
		if r.plan.needs(fleetRequest) {
			f.online = new(int64(row.Devices.Count))
		}
		if count, known := r.deviceCounts[row.ID]; known {
			f.devices = new(count)
		}
		for _, count := range r.plan.fleetCounts {
			f.counts = append(f.counts, count.start(f))
		}
		if f.devicesKnown && r.has(containerRequest, row.ID) {
			f.services = map[serviceStatus]int64{}
		}
		byID[row.ID] = f
		s.fleets = append(s.fleets, f)
	}
	return byID
}

func (s *snapshot) joinReleases(r *responses, fleets map[fleetID]*fleetEntity) map[releaseID]*releaseEntity {
	byID := make(map[releaseID]*releaseEntity, len(r.releases))
	for _, row := range r.releases {
		release := newReleaseEntity(row, fleets[row.Fleet.ID])
		byID[row.ID] = release
		// A device that was moved may run a release of a fleet that is not reported.
		if release.fleet != nil {
			release.devicesKnown = r.hasAllDevices()
			s.releases = append(s.releases, release)
		}
	}
	slices.SortFunc(s.releases, func(a, b *releaseEntity) int {
		return cmp.Or(cmp.Compare(a.fleet.id, b.fleet.id), cmp.Compare(a.id, b.id))
	})
	for _, f := range s.fleets {
		f.target = byID[f.targetReleaseID]
		f.targetKnown = r.knowsRelease(f.targetReleaseID)
	}
	return byID
}

func newReleaseEntity(row balenaclient.Release, f *fleetEntity) *releaseEntity {
	r := &releaseEntity{
		id: row.ID, commit: row.Commit, version: row.RawVersion, fleet: f, status: row.Status, final: row.IsFinal,
		createdAt: newInstant(row.CreatedAt), finalAt: newInstant(row.FinalizedAt),
		startedAt: newInstant(row.StartedAt), endedAt: newInstant(row.EndedAt),
	}
	size, known := int64(0), len(row.ReleaseImages.Rows) > 0
	for _, of := range row.ReleaseImages.Rows {
		image, ok := of.Image.Row()
		if !ok || image.Size == nil {
			known = false // the sum of some images would be wrong
			break
		}
		size += *image.Size
	}
	if known {
		r.imageSize = &size
	}
	return r
}

func (s *snapshot) joinDevices(r *responses, fleets map[fleetID]*fleetEntity, releases map[releaseID]*releaseEntity) {
	s.devices = make([]*deviceEntity, 0, len(r.devices))
	for _, row := range r.devices {
		fleet := fleets[row.fleetID]
		if fleet == nil {
			continue // moved to a fleet that is not reported while pages were being fetched
		}
		deviceType, typeKnown := r.deviceType(row.typeID)
		d := &deviceEntity{deviceRow: row, fleet: fleet, deviceType: deviceType}
		d.fleet.typesKnown = d.fleet.typesKnown && typeKnown
		d.tags = r.deviceTags[d.id]
		d.running, d.target = releases[d.runningID], releases[d.targetID()]
		d.releasesKnown = r.knowsRelease(d.runningID) && r.knowsRelease(d.targetID())
		d.servicesKnown = !d.connected || r.knowsServices(d) // a device that is not connected reports none
		s.devices = append(s.devices, d)

		if d.running != nil {
			d.running.devices.running++
		}
		if d.target != nil {
			d.target.devices.targeted++
		}
		if pinned := releases[d.pinnedID]; pinned != nil {
			pinned.devices.pinned++
		}
		d.fleet.count(d, r.plan.fleetCounts)
	}
}

func (f *fleetEntity) count(d *deviceEntity, counts []fleetCount) {
	for i, count := range counts {
		if f.counts[i] == nil {
			continue
		}
		if value, ok := count.value(d); ok {
			f.counts[i][value]++
		}
	}
}

// targetID is the release that the device should run: its pin, or its fleet's target. 0 if there is none.
func (d *deviceEntity) targetID() releaseID { return cmp.Or(d.pinnedID, d.fleet.targetReleaseID) }

// joinContainers gives devices their services. Containers of the supervisor, of the operating system and of a fleet that the device
// has left belong to no service of its fleet, and a device that is not connected may have stopped all of them.
func (s *snapshot) joinContainers(r *responses) {
	if !r.plan.needs(containerRequest) {
		return
	}
	devices := make(map[deviceID]*deviceEntity, len(s.devices))
	for _, d := range s.devices {
		devices[d.id] = d
	}
	for _, c := range r.containers {
		d := devices[c.device]
		if d == nil || !d.connected {
			continue
		}
		of, known := r.service(c.image)
		d.servicesKnown = d.servicesKnown && known
		if of.name == "" || of.fleet != d.fleetID {
			continue
		}
		d.addService(deviceService{
			name: of.name, status: c.status, installedAt: c.installedAt, downloadProgress: c.downloadProgress,
		})
	}
	for _, d := range s.devices {
		if !d.servicesKnown {
			d.services, d.fleet.services = nil, nil
		}
	}
	for _, d := range s.devices {
		if d.fleet.services == nil {
			continue
		}
		for _, service := range d.services {
			d.fleet.services[serviceStatus{service.name, service.status}]++
		}
	}
}

// addService keeps the services sorted by name. While a service is being updated it has two containers: the one that runs counts, or
// else the newer one. The download under way is that of the other one.
func (d *deviceEntity) addService(service deviceService) {
	i, found := slices.BinarySearchFunc(d.services, service.name, func(s deviceService, name string) int {
		return strings.Compare(s.name, name)
	})
	if !found {
		d.services = slices.Insert(d.services, i, service)
		return
	}
	counts, other := d.services[i], service
	if service.countsBefore(counts) {
		counts, other = other, counts
	}
	if !counts.downloadProgress.known {
		counts.downloadProgress = other.downloadProgress
	}
	d.services[i] = counts
}

func (s deviceService) countsBefore(other deviceService) bool {
	const running = "Running"
	if (s.status == running) != (other.status == running) {
		return s.status == running
	}
	return s.installedAt > other.installedAt
}

// hideUnidentified removes devices and fleets of which an identifying attribute could not be fetched, and returns how many: a series
// that has another name for the duration of a failure would be worse than one that begins later.
func (s *snapshot) hideUnidentified(r *responses) int {
	before := len(s.devices) + len(s.fleets)
	s.devices = slices.DeleteFunc(s.devices, func(d *deviceEntity) bool { return !r.identifies(d.deviceRow) })
	s.fleets = slices.DeleteFunc(s.fleets, func(f *fleetEntity) bool { return !r.identifiesFleet(f.id) })
	return before - len(s.devices) - len(s.fleets)
}

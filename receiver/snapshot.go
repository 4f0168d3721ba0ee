package receiver

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// snapshot is what the account looked like at one moment: what was fetched, joined by id. What is not known is nil or missing,
// never zero.
type snapshot struct {
	at       time.Time
	interval time.Duration // between two snapshots
	fleets   []*fleetEntity
	devices  []*deviceEntity
	releases []*releaseEntity
}

type fleetEntity struct {
	id              int64
	name, slug      string
	label           string // name, or slug if an older fleet bears the name
	tags            []tag
	targetReleaseID int64
	target          *releaseEntity // nil if there is none, or it was not fetched

	online    *int64           // devices online, as the server counts
	devices   *int64           // devices, as the server counts
	lastBuild instant          // end of the last successful build
	releases  map[string]int64 // by status, as the server counts

	*census                          // nil unless all devices are known
	services map[serviceStatus]int64 // devices by service and its status; nil unless all are known
}

// census is what is counted from a fleet's devices.
type census struct {
	status, heartbeat, osVersion, supervisorVersion, deviceType, updateStatus map[string]int64

	rollout        map[string]int64 // by rollout state; nil if the fleet targets no release
	connectionLost int64            // devices that dropped from the VPN within the last interval
}

type serviceStatus struct {
	service, status string
}

type deviceEntity struct {
	id, fleetID, typeID, runningID, pinnedID int64

	uuid, name, deviceType string
	fleet                  *fleetEntity
	tags                   []tag

	online, vpnConnected                                    bool
	heartbeat, status, updateStatus                         string
	lastConnectivityEvent, lastVPNEvent, heartbeatChangedAt instant
	updateProgress                                          reading // percent

	osVersion, osVariant, supervisorVersion string
	running, target                         *releaseEntity // nil if there is none, or none that can be read
	versionsKnown                           bool           // whether the releases were fetched

	// What a connected device reports of itself. The server keeps the last report of a device that disconnected, which may be from
	// long ago: then it is not reported.
	connected bool
	hardware  hardware
	services  []deviceService // by name
}

// hardware is what a device reports of its hardware.
type hardware struct {
	cpuUsage                  reading // percent
	cpuTemperature            reading // °C
	memoryUsage, memoryLimit  reading // MiB
	storageUsage, storageSize reading // MiB
	undervoltage              bool
}

// deviceService is a service on a device.
type deviceService struct {
	name, status     string
	installedAt      instant
	downloadProgress reading // percent
}

type releaseEntity struct {
	commit, version    string
	fleet              *fleetEntity
	status             string
	final              bool
	createdAt, finalAt instant
	startedAt, endedAt instant
	imageSize          *int64 // bytes, of all images
	devices            releaseDevices
	devicesKnown       bool // whether all devices were counted
}

// releaseDevices counts devices by what the release is to them.
type releaseDevices struct {
	running, targeted, pinned int64
}

// newSnapshot joins what was fetched.
func newSnapshot(at time.Time, interval time.Duration, a answers) *snapshot {
	s := &snapshot{at: at, interval: interval}
	fleets := s.joinFleets(a)
	releases := s.joinReleases(a, fleets)
	s.joinDevices(a, fleets, releases)
	s.joinContainers(a)
	return s
}

func (s *snapshot) joinFleets(a answers) map[int64]*fleetEntity {
	byID := make(map[int64]*fleetEntity, len(a.fleets))
	labels := make(map[string]bool, len(a.fleets))
	for _, row := range a.fleets { // by ascending id: the oldest fleet of a name comes first
		f := &fleetEntity{
			id: row.ID, name: row.Name, slug: row.Slug, label: row.Name, tags: a.fleetTags[row.ID],
			lastBuild:       a.lastBuilds[row.ID],
			targetReleaseID: row.TargetRelease.ID, releases: a.releaseCounts[row.ID],
		}
		if labels[f.label] {
			f.label = f.slug
		}
		labels[f.label] = true
		if a.plan.needs(fleetRequest) {
			f.online = new(int64(row.Devices.Count))
		}
		if count, known := a.deviceCounts[row.ID]; known {
			f.devices = new(count)
		}
		if a.has(deviceRequest) {
			f.census = newCensus(f.targetReleaseID != 0)
		}
		if a.has(deviceRequest) && a.has(containerRequest) && !a.failed(imageRequest) {
			f.services = map[serviceStatus]int64{}
		}
		byID[row.ID] = f
		s.fleets = append(s.fleets, f)
	}
	return byID
}

func (s *snapshot) joinReleases(a answers, fleets map[int64]*fleetEntity) map[int64]*releaseEntity {
	byID := make(map[int64]*releaseEntity, len(a.releases))
	for _, row := range a.releases {
		r := newReleaseEntity(row, fleets[row.Fleet.ID])
		r.devicesKnown = a.has(deviceRequest)
		byID[row.ID] = r
		// A device that was moved may run a release of a fleet that is not reported.
		if r.fleet != nil {
			s.releases = append(s.releases, r)
		}
	}
	slices.SortFunc(s.releases, func(a, b *releaseEntity) int {
		return cmp.Or(cmp.Compare(a.fleet.id, b.fleet.id), strings.Compare(a.commit, b.commit))
	})
	for _, f := range s.fleets {
		f.target = byID[f.targetReleaseID]
	}
	return byID
}

func newReleaseEntity(row balenaclient.Release, f *fleetEntity) *releaseEntity {
	r := &releaseEntity{
		commit: row.Commit, version: row.RawVersion, fleet: f, status: row.Status, final: row.IsFinal,
		createdAt: newInstant(row.CreatedAt), finalAt: newInstant(row.FinalizedAt),
		startedAt: newInstant(row.StartedAt), endedAt: newInstant(row.EndedAt),
	}
	for _, of := range row.ReleaseImages.Rows {
		image, ok := of.Image.Row()
		if !ok || image.Size == nil {
			r.imageSize = nil // a sum of some images would be wrong
			break
		}
		r.imageSize = new(valueOrZero(r.imageSize) + *image.Size)
	}
	return r
}

func valueOrZero(value *int64) int64 {
	if value == nil {
		return 0
	}
	return *value
}

func (s *snapshot) joinDevices(a answers, fleets map[int64]*fleetEntity, releases map[int64]*releaseEntity) {
	s.devices = make([]*deviceEntity, 0, len(a.devices))
	for _, d := range a.devices {
		d.fleet = fleets[d.fleetID]
		if d.fleet == nil {
			continue // moved to a fleet that is not reported while pages were fetched
		}
		d.deviceType = a.deviceTypes[d.typeID]
		d.tags = a.deviceTags[d.id]
		d.running, d.target = releases[d.runningID], releases[d.targetID()]
		d.versionsKnown = a.has(releaseRequest)
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
		if d.fleet.census != nil {
			d.fleet.census.add(d, s.at, s.interval)
		}
	}
}

// targetID is the release that the device should run: its pin, or its fleet's target. 0 if there is none.
func (d *deviceEntity) targetID() int64 { return cmp.Or(d.pinnedID, d.fleet.targetReleaseID) }

func newDeviceEntity(row balenaclient.Device, t texts) *deviceEntity {
	return &deviceEntity{
		id: row.ID, fleetID: row.Fleet.ID, typeID: row.DeviceType.ID,
		runningID: row.RunningRelease.ID, pinnedID: row.PinnedRelease.ID,
		uuid:                  row.UUID,
		name:                  row.Name,
		online:                row.IsOnline,
		vpnConnected:          row.IsConnectedToVPN,
		heartbeat:             t.shared(row.HeartbeatState),
		status:                t.shared(row.OverallStatus),
		updateStatus:          t.shared(row.UpdateStatus),
		lastConnectivityEvent: newInstant(row.LastConnectivityEvent),
		lastVPNEvent:          newInstant(row.LastVPNEvent),
		heartbeatChangedAt:    newInstant(row.HeartbeatChangedAt),
		updateProgress:        newReading(row.OverallProgress),
		osVersion:             t.shared(row.OSVersion),
		osVariant:             t.shared(row.OSVariant),
		supervisorVersion:     t.shared(row.SupervisorVersion),
		connected:             row.IsOnline || row.HeartbeatState == "online" || row.HeartbeatState == "timeout",
		hardware: hardware{
			cpuUsage:       newReading(row.CPUUsage),
			cpuTemperature: newReading(row.CPUTemp),
			memoryUsage:    newReading(row.MemoryUsage),
			memoryLimit:    newReading(row.MemoryTotal),
			storageUsage:   newReading(row.StorageUsage),
			storageSize:    newReading(row.StorageTotal),
			undervoltage:   row.IsUndervolted,
		},
	}
}

// joinContainers gives devices their services. Containers of the supervisor, of the operating system and of a fleet that the device
// has left are of no service of its fleet, and a device that is not connected may have stopped all of them.
func (s *snapshot) joinContainers(a answers) {
	if len(a.containers) == 0 || a.failed(imageRequest) {
		return
	}
	devices := make(map[int64]*deviceEntity, len(s.devices))
	for _, d := range s.devices {
		devices[d.id] = d
	}
	for _, c := range a.containers {
		d, of := devices[c.deviceID], a.services[c.imageID]
		if d == nil || !d.connected || of.name == "" || of.fleetID != d.fleetID {
			continue
		}
		d.addService(deviceService{
			name: of.name, status: c.status, installedAt: c.installedAt, downloadProgress: c.downloadProgress,
		})
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

// addService keeps the containers sorted by service. While a service is updated it has two, of which the newer counts.
func (d *deviceEntity) addService(service deviceService) {
	i, found := slices.BinarySearchFunc(d.services, service.name, func(s deviceService, name string) int {
		return strings.Compare(s.name, name)
	})
	switch {
	case !found:
		d.services = slices.Insert(d.services, i, service)
	case service.installedAt > d.services[i].installedAt:
		d.services[i] = service
	}
}

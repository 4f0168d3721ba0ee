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
	fleets   []*fleetEntity
	devices  []*deviceEntity
	releases []*releaseEntity
}

type fleetEntity struct {
	id            int64
	name, slug    string
	label         string // name, or slug if an older fleet bears the name
	targetRelease int64

	online      *int64           // devices online, as the server counts
	devices     *int64           // devices, as the server counts
	byStatus    map[string]int64 // nil unless all devices are known
	byHeartbeat map[string]int64 // nil unless all devices are known
}

type deviceEntity struct {
	uuid, name, deviceType string
	fleet                  *fleetEntity

	online, vpnConnected  bool
	heartbeat, status     string
	lastConnectivityEvent *time.Time
	updateProgress        *int64 // percent

	osVersion, osVariant, supervisorVersion string
	running, target                         *releaseEntity // nil if there is none, or none that can be read
	pinned                                  bool
	versionsKnown                           bool // whether the releases were fetched

	hardware hardware
}

// hardware is what a device reports of itself. The server keeps the last report of a device that disconnected.
type hardware struct {
	current                   bool   // whether the device is connected, so that the values are of now
	cpuUsage                  *int64 // percent
	cpuTemperature            *int64 // °C
	memoryUsage, memoryLimit  *int64 // MiB
	storageUsage, storageSize *int64 // MiB
	undervoltage              bool
}

type releaseEntity struct {
	commit, version    string
	fleet              *fleetEntity
	status             string
	final              bool
	createdAt          *time.Time
	startedAt, endedAt *time.Time
	running            int64 // devices that run it
	targeted           int64 // devices that should run it
	pinned             int64 // devices pinned to it
	devicesKnown       bool  // whether all devices were counted
}

// The values that balena documents, reported with 0 when no device has them. Others are reported when a device has them.
var (
	knownStatuses = []string{
		"configuring", "disconnected", "inactive", "operational", "post-provisioning", "reduced-functionality", "updating",
	}
	knownHeartbeats = []string{"offline", "online", "timeout", "unknown"}
)

// newSnapshot joins what was fetched.
func newSnapshot(at time.Time, a answers) *snapshot {
	s := &snapshot{at: at}
	fleets := s.joinFleets(a)
	releases := s.joinReleases(a, fleets)
	s.joinDevices(a, fleets, releases)
	return s
}

func (s *snapshot) joinFleets(a answers) map[int64]*fleetEntity {
	byID := make(map[int64]*fleetEntity, len(a.fleets))
	labels := make(map[string]bool, len(a.fleets))
	for _, row := range a.fleets { // by ascending id: the oldest fleet of a name comes first
		f := &fleetEntity{id: row.ID, name: row.Name, slug: row.Slug, label: row.Name, targetRelease: row.TargetRelease.ID}
		if labels[f.label] {
			f.label = f.slug
		}
		labels[f.label] = true
		if a.plan.onlineCounts {
			f.online = new(int64(row.Devices.Count))
		}
		if count, known := a.deviceCounts[row.ID]; known {
			f.devices = new(count)
		}
		if a.devicesComplete() {
			f.byStatus = zeros(knownStatuses)
			f.byHeartbeat = zeros(knownHeartbeats)
		}
		byID[row.ID] = f
		s.fleets = append(s.fleets, f)
	}
	return byID
}

func zeros(keys []string) map[string]int64 {
	counts := make(map[string]int64, len(keys))
	for _, key := range keys {
		counts[key] = 0
	}
	return counts
}

func (s *snapshot) joinReleases(a answers, fleets map[int64]*fleetEntity) map[int64]*releaseEntity {
	byID := make(map[int64]*releaseEntity, len(a.releases))
	for _, row := range a.releases {
		r := &releaseEntity{
			commit:       row.Commit,
			version:      row.RawVersion,
			fleet:        fleets[row.Fleet.ID],
			status:       row.Status,
			final:        row.IsFinal,
			createdAt:    row.CreatedAt,
			startedAt:    row.StartedAt,
			endedAt:      row.EndedAt,
			devicesKnown: a.devicesComplete(),
		}
		byID[row.ID] = r
		// A device that was moved may run a release of a fleet that is not reported.
		if r.fleet != nil {
			s.releases = append(s.releases, r)
		}
	}
	slices.SortFunc(s.releases, func(a, b *releaseEntity) int {
		return cmp.Or(cmp.Compare(a.fleet.id, b.fleet.id), strings.Compare(a.commit, b.commit))
	})
	return byID
}

func (s *snapshot) joinDevices(a answers, fleets map[int64]*fleetEntity, releases map[int64]*releaseEntity) {
	s.devices = make([]*deviceEntity, 0, len(a.devices))
	for _, row := range a.devices {
		f := fleets[row.Fleet.ID]
		if f == nil {
			continue // moved to a fleet that is not reported while pages were fetched
		}
		d := newDevice(row, f)
		d.deviceType = a.deviceTypes[row.DeviceType.ID]
		target := cmp.Or(row.PinnedRelease.ID, f.targetRelease)
		d.running, d.target, d.pinned = releases[row.RunningRelease.ID], releases[target], row.PinnedRelease.ID != 0
		d.versionsKnown = a.releasesComplete()
		s.devices = append(s.devices, d)

		count(d.running, func(r *releaseEntity) { r.running++ })
		count(d.target, func(r *releaseEntity) { r.targeted++ })
		count(releases[row.PinnedRelease.ID], func(r *releaseEntity) { r.pinned++ })
		if f.byStatus != nil {
			f.byStatus[d.status]++
			f.byHeartbeat[d.heartbeat]++
		}
	}
}

func count(r *releaseEntity, add func(*releaseEntity)) {
	if r != nil {
		add(r)
	}
}

func newDevice(row balenaclient.Device, f *fleetEntity) *deviceEntity {
	return &deviceEntity{
		uuid:                  row.UUID,
		name:                  row.Name,
		fleet:                 f,
		online:                row.IsOnline,
		vpnConnected:          row.IsConnectedToVPN,
		heartbeat:             row.HeartbeatState,
		status:                row.OverallStatus,
		lastConnectivityEvent: row.LastConnectivityEvent,
		updateProgress:        row.OverallProgress,
		osVersion:             row.OSVersion,
		osVariant:             row.OSVariant,
		supervisorVersion:     row.SupervisorVersion,
		hardware: hardware{
			current:        row.IsOnline || row.HeartbeatState == "online" || row.HeartbeatState == "timeout",
			cpuUsage:       row.CPUUsage,
			cpuTemperature: row.CPUTemp,
			memoryUsage:    row.MemoryUsage,
			memoryLimit:    row.MemoryTotal,
			storageUsage:   row.StorageUsage,
			storageSize:    row.StorageTotal,
			undervoltage:   row.IsUndervolted,
		},
	}
}

package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var start = time.Date(2026, time.November, 26, 3, 0, 0, 0, time.UTC)

func at(minute int) Millis { return start.Add(time.Duration(minute) * time.Minute).UnixMilli() }

// scene is what a scrape finds: the fleet acme/kiosk with two devices, unless it is changed.
type scene struct {
	fleets    []Fleet
	devices   []Device
	releases  []Release
	keys      []APIKey
	partial   bool // the fleets were not listed
	noDevices bool // the devices were not fetched
}

func newScene() *scene {
	return &scene{
		fleets:  []Fleet{{ID: 1, Name: "kiosk", Slug: "acme/kiosk", Identified: true, TargetID: 7, Target: "1.0.0", TargetKnown: true, Rollout: RolloutCounts{OnTarget: 2}}},
		devices: []Device{newDevice(1, "a"), newDevice(2, "b")},
	}
}

func newDevice(id int64, name string) Device {
	return Device{
		DeviceFacts: DeviceFacts{
			ID: id, FleetID: 1, UUID: name + name, Name: name, Online: true, Connectivity: at(-60), Status: "operational", OS: "balenaOS 6.0.0",
			Supervisor: "16.0.0", RunningID: 7, Running: "1.0.0",
		},
		Services:   []Service{{"main", "Running"}},
		Identified: true, ReleasesKnown: true, HardwareKnown: true, ServicesKnown: true, StorageUtilization: 0.5,
	}
}

func (s *scene) device(id int64) *Device {
	return &s.devices[slices.IndexFunc(s.devices, func(d Device) bool { return d.ID == id })]
}

func (s *scene) remove(id int64) {
	s.devices = slices.DeleteFunc(s.devices, func(d Device) bool { return d.ID == id })
}

func (s *scene) disconnect(id int64, at Millis) {
	d := s.device(id)
	d.Online, d.Connectivity, d.Status = false, at, "disconnected"
}

// observation is what is observed of the scene.
func (s *scene) observation(minute int) Observation {
	o := Observation{
		At: start.Add(time.Duration(minute) * time.Minute), AllFleets: !s.partial, Releases: s.releases, APIKeys: s.keys,
		Account:    Resource{Account: &Account{Receiver: "balena"}},
		GoneFleet:  func(int64) bool { return !s.partial },
		GoneDevice: func(int64, int64) bool { return !s.partial && !s.noDevices },
	}
	for _, f := range s.fleets {
		f.DevicesKnown, f.RecentReleasesKnown = !s.noDevices, true
		o.Fleets = append(o.Fleets, f)
	}
	o.Devices = slices.Values(slices.Clone(s.devices))
	if s.noDevices {
		o.Devices = slices.Values[[]Device](nil)
	}
	return o
}

func testThresholds() Thresholds {
	return Thresholds{OutageDevices: 3, OutageShare: 0.5, StorageUtilization: 0.9, RolloutStuckAfter: 30 * time.Minute, APIKeyExpiresIn: 72 * time.Hour}
}

// told is a change in short: its event without "balena.", what it is about, and what changed, with the minute if the server told it.
func told(c Change) string {
	var about string
	switch {
	case c.Resource.Device != nil:
		about = c.Resource.Device.Name
	case c.Resource.Fleet != nil:
		about = c.Resource.Fleet.Slug
	case c.Resource.Release != nil:
		about = cmp.Or(c.Resource.Release.Version, c.Resource.Release.Commit)
	default:
		about = c.Resource.Account.Receiver
	}
	text := strings.TrimPrefix(string(c.Kind), "balena.") + " " + about
	if c.Service != "" {
		text += "/" + c.Service
	}
	if c.APIKey != "" {
		text += "/" + c.APIKey
	}
	if c.From != "" || c.To != "" {
		text += fmt.Sprintf(": %s -> %s", c.From, c.To)
	}
	if c.Many != nil {
		text += fmt.Sprintf(": %d of %d", c.Many.Devices, c.Many.Of)
		for _, tag := range c.Many.Tags {
			text += " " + tag.Value
		}
	}
	if c.At != 0 {
		text += fmt.Sprintf(" @%d", time.UnixMilli(c.At).Sub(start)/time.Minute)
	}
	return text
}

func TestHistory_Observe(t *testing.T) {
	t.Parallel()
	type step = func(s *scene)
	nothing := func(*scene) {}
	for name, test := range map[string]struct {
		steps []step // each is a scrape, a minute after the last one; the first one finds the scene as it is
		want  []string
	}{
		"nothing happens": {[]step{nothing, nothing}, nil},
		"a device disconnects": {
			[]step{func(s *scene) { s.disconnect(1, at(1)) }, nothing},
			[]string{"1: device.disconnected a @1", "1: device.status.changed a: operational -> disconnected"},
		},
		"a device disconnects during two failed scrapes": {
			[]step{func(s *scene) { s.noDevices = true; s.disconnect(1, at(1)) }, nothing, func(s *scene) { s.noDevices = false }},
			[]string{"3: device.disconnected a @1", "3: device.status.changed a: operational -> disconnected"},
		},
		"a device reconnects between two scrapes": {
			[]step{func(s *scene) { s.device(1).Connectivity = at(1) }},
			[]string{"1: device.disconnected a", "1: device.connected a @1"},
		},
		"a device is missed once": {
			[]step{func(s *scene) { s.remove(1) }, func(s *scene) { s.devices = append(s.devices, newDevice(1, "a")) }}, nil,
		},
		"a device is deleted": {
			[]step{func(s *scene) { s.remove(1) }, nothing, nothing}, []string{"2: device.deleted a"},
		},
		"a device is deleted while devices cannot be fetched": {
			[]step{func(s *scene) { s.remove(1); s.noDevices = true }, nothing, func(s *scene) { s.noDevices = false }, nothing},
			[]string{"4: device.deleted a"},
		},
		"a device is created": {
			[]step{func(s *scene) {
				d := newDevice(3, "c")
				d.CreatedAt = at(1)
				s.devices = append(s.devices, d)
			}, nothing},
			[]string{"1: device.created c @1"},
		},
		"a device whose tags are not known yet is created when they are": {
			[]step{
				func(s *scene) { s.devices = append(s.devices, newDevice(3, "c")); s.device(3).Identified = false },
				func(s *scene) { s.device(3).Identified = true },
			},
			[]string{"2: device.created c"},
		},
		"a device is created while releases cannot be read": {
			[]step{
				func(s *scene) {
					d := newDevice(3, "c")
					d.ReleasesKnown, d.Running, d.PinnedID, d.Pinned = false, "unknown", 7, "unknown"
					s.devices = append(s.devices, d)
				},
				func(s *scene) { d := s.device(3); d.ReleasesKnown, d.Running, d.Pinned = true, "1.0.0", "1.0.0" },
			},
			[]string{"1: device.created c", "2: device.release.changed c:  -> 1.0.0", "2: device.pinned c:  -> 1.0.0"},
		},
		"a device is created with a pin": {
			[]step{func(s *scene) {
				d := newDevice(3, "c")
				d.PinnedID, d.Pinned = 7, "1.0.0"
				s.devices = append(s.devices, d)
			}},
			[]string{"1: device.created c", "1: device.pinned c:  -> 1.0.0"},
		},
		"a fleet is created with a target": {
			[]step{func(s *scene) {
				s.fleets = append(s.fleets, Fleet{ID: 2, Slug: "acme/signs", Identified: true, TargetID: 7, Target: "1.0.0", TargetKnown: true})
			}},
			[]string{"1: fleet.created acme/signs", "1: fleet.target.changed acme/signs:  -> 1.0.0"},
		},
		"a device moves to a new fleet whose tags are not known yet, and its fleet is deleted": {
			[]step{
				func(s *scene) {
					s.fleets = []Fleet{{ID: 2, Slug: "acme/signs", TargetKnown: true}}
					s.device(1).FleetID, s.device(2).FleetID = 2, 2
				}, nothing, nothing,
				func(s *scene) { s.fleets[0].Identified = true }, nothing,
			},
			[]string{
				"4: fleet.created acme/signs", "4: device.moved a: acme/kiosk -> acme/signs", "4: device.moved b: acme/kiosk -> acme/signs",
				"4: fleet.deleted acme/kiosk",
			},
		},
		"services that are known for the first time are no change": {
			[]step{
				func(s *scene) {
					d := newDevice(3, "c")
					d.Services, d.ServicesKnown = nil, false
					s.devices = append(s.devices, d)
				},
				func(s *scene) { s.device(3).Services, s.device(3).ServicesKnown = []Service{{"main", "Running"}}, true },
				func(s *scene) { s.device(3).Services = []Service{{"main", "exited"}} },
			},
			[]string{"1: device.created c", "3: device.service.status.changed c/main: Running -> exited"},
		},
		"what is created while scrapes fail has its time": {
			[]step{
				func(s *scene) { s.partial, s.noDevices = true, true }, nothing,
				func(s *scene) {
					s.partial, s.noDevices = false, false
					d := newDevice(3, "c")
					d.CreatedAt = at(1)
					s.devices = append(s.devices, d)
					s.releases = []Release{{ID: 9, FleetID: 1, Version: "2.0.0", Status: "success", CreatedAt: at(1), EndedAt: at(2)}}
				},
			},
			[]string{"3: device.created c @1", "3: release.created 2.0.0 @1", "3: release.build.succeeded 2.0.0:  -> success @2"},
		},
		"a device that was created long ago is selected": {
			[]step{func(s *scene) {
				d := newDevice(3, "c")
				d.CreatedAt = at(-100_000)
				s.devices = append(s.devices, d)
			}},
			[]string{"1: device.created c"},
		},
		"releases that were watched before are listed again": {
			[]step{func(s *scene) {
				s.releases = []Release{{ID: 9, FleetID: 1, Version: "2.0.0", Status: "success", CreatedAt: at(-25 * 60), EndedAt: at(-25 * 60)}}
			}},
			nil,
		},
		"a device is renamed, moved and updated": {
			[]step{
				func(s *scene) {
					s.fleets = append(s.fleets, Fleet{ID: 2, Name: "signs", Slug: "acme/signs", Identified: true, TargetKnown: true})
				},
				func(s *scene) {
					d := s.device(1)
					d.Name, d.FleetID, d.OS, d.Supervisor, d.RunningID, d.Running = "z", 2, "balenaOS 6.1.0", "16.1.0", 8, "2.0.0"
				},
			},
			[]string{
				"1: fleet.created acme/signs", "2: device.renamed z: a -> z", "2: device.moved z: acme/kiosk -> acme/signs",
				"2: device.release.changed z: 1.0.0 -> 2.0.0", "2: device.os.updated z: balenaOS 6.0.0 -> balenaOS 6.1.0",
				"2: device.supervisor.updated z: 16.0.0 -> 16.1.0",
			},
		},
		"a device is pinned, pinned elsewhere and unpinned": {
			[]step{
				func(s *scene) { d := s.device(1); d.PinnedID, d.Pinned = 7, "1.0.0" },
				func(s *scene) { d := s.device(1); d.PinnedID, d.Pinned = 8, "2.0.0" },
				func(s *scene) { d := s.device(1); d.PinnedID, d.Pinned = 0, "" },
			},
			[]string{"1: device.pinned a:  -> 1.0.0", "2: device.pinned a: 1.0.0 -> 2.0.0", "3: device.unpinned a: 2.0.0 -> "},
		},
		"releases that cannot be read are no change": {
			[]step{
				func(s *scene) { d := s.device(1); d.ReleasesKnown, d.RunningID, d.Running = false, 8, "unknown" },
				func(s *scene) { d := s.device(1); d.ReleasesKnown, d.Running = true, "2.0.0" },
			},
			[]string{"2: device.release.changed a: 1.0.0 -> 2.0.0"},
		},
		"storage crosses the threshold, hovers, and recovers": {
			[]step{
				func(s *scene) { s.device(1).StorageUtilization = 0.9 },
				func(s *scene) { s.device(1).StorageUtilization = 0.88 },
				func(s *scene) { s.device(1).StorageUtilization = 0.91 },
				func(s *scene) { s.device(1).HardwareKnown, s.device(1).StorageUtilization = false, 0.1 },
				func(s *scene) { s.device(1).HardwareKnown = true },
			},
			[]string{"1: device.storage.exceeded a", "5: device.storage.recovered a"},
		},
		"undervoltage is seen and cleared": {
			[]step{func(s *scene) { s.device(1).Undervoltage = true }, func(s *scene) { s.device(1).Undervoltage = false }},
			[]string{"1: device.undervoltage.detected a", "2: device.undervoltage.cleared a"},
		},
		"a service stops, another one appears, and both are unknown while the device is away": {
			[]step{
				func(s *scene) { s.device(1).Services = []Service{{"db", "Running"}, {"main", "exited"}} },
				func(s *scene) { s.device(1).Services, s.device(1).ServicesKnown = nil, false },
				func(s *scene) { s.device(1).Services, s.device(1).ServicesKnown = []Service{{"db", "Running"}}, true },
			},
			[]string{
				"1: device.service.status.changed a/db:  -> Running", "1: device.service.status.changed a/main: Running -> exited",
				"3: device.service.status.changed a/main: exited -> ",
			},
		},
		"a fleet is renamed, gets another target and is deleted with its devices": {
			[]step{
				func(s *scene) { s.fleets[0].Name, s.fleets[0].Slug = "stand", "acme/stand" },
				func(s *scene) { s.fleets[0].TargetID, s.fleets[0].Target = 8, "2.0.0" },
				func(s *scene) { s.fleets, s.devices = nil, nil },
				nothing,
			},
			[]string{
				"1: fleet.renamed acme/stand: acme/kiosk -> acme/stand", "2: fleet.target.changed acme/stand: 1.0.0 -> 2.0.0",
				"2: fleet.rollout.begun acme/stand:  -> 2.0.0", "2: fleet.rollout.completed acme/stand:  -> 2.0.0",
				"4: device.deleted a", "4: device.deleted b", "4: fleet.deleted acme/stand",
			},
		},
		"fleets that are not listed are not deleted": {
			[]step{func(s *scene) { s.partial, s.fleets, s.devices = true, nil, nil }, nothing, nothing}, nil,
		},
		"a release is created, built and finalized": {
			[]step{
				func(s *scene) {
					s.releases = []Release{{ID: 9, FleetID: 1, Version: "2.0.0-1", Status: "running", CreatedAt: at(1)}}
				},
				func(s *scene) { s.releases[0].Status, s.releases[0].EndedAt = "success", at(2) },
				func(s *scene) {
					s.releases[0].Final, s.releases[0].Version, s.releases[0].FinalizedAt = true, "2.0.0", at(3)
				},
				func(s *scene) { s.releases = nil },
			},
			[]string{
				"1: release.created 2.0.0-1 @1", "2: release.build.succeeded 2.0.0-1: running -> success @2",
				"3: release.finalized 2.0.0: 2.0.0-1 -> 2.0.0 @3",
			},
		},
		"a build fails between two scrapes": {
			[]step{func(s *scene) {
				s.releases = []Release{{ID: 9, FleetID: 1, Version: "2.0.0-1", Status: "failed", CreatedAt: at(0) + 1, EndedAt: at(1)}}
			}},
			[]string{"1: release.created 2.0.0-1 @0", "1: release.build.failed 2.0.0-1:  -> failed @1"},
		},
		"an API key is about to expire, once": {
			[]step{func(s *scene) { s.keys = []APIKey{{Name: "grafana", Expiry: at(60)}, {Expiry: at(100_000)}} }, nothing, func(s *scene) { s.keys = nil }, func(s *scene) { s.keys = []APIKey{{Name: "grafana", Expiry: at(60)}} }},
			[]string{"1: api_key.expiring balena/grafana:  -> 2026-11-26T04:00:00Z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, h := newScene(), New(testThresholds())
			assert.Empty(t, h.Observe(s.observation(0)), "the first observation")
			var got []string
			for i, step := range test.steps {
				step(s)
				for _, c := range h.Observe(s.observation(i + 1)) {
					got = append(got, fmt.Sprintf("%d: %s", i+1, told(c)))
				}
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestHistory_Observe_FirstObservationIsPartial(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(*scene){
		"the fleets are not listed":      func(s *scene) { s.partial, s.fleets, s.devices = true, nil, nil },
		"some fleets are missing":        func(s *scene) { s.partial = true },
		"the devices are not fetched":    func(s *scene) { s.noDevices = true },
		"a device has no identity":       func(s *scene) { s.device(1).Identified = false },
		"a fleet has no identity":        func(s *scene) { s.fleets[0].Identified = false },
		"the releases are not known yet": func(s *scene) { s.device(1).ReleasesKnown = false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, h := newScene(), New(testThresholds())
			first(s)
			assert.Empty(t, h.Observe(s.observation(0)))
			assert.Empty(t, h.Observe(newScene().observation(1)))
		})
	}
}

func TestHistory_Observe_ManyDevicesAtOnce(t *testing.T) {
	t.Parallel()
	site := func(name string) []Tag { return []Tag{{"region", "north"}, {"site", name}} }
	account := func() *scene {
		s := newScene()
		s.devices = nil
		s.fleets = append(s.fleets, Fleet{ID: 2, Name: "signs", Slug: "acme/signs", Identified: true, TargetKnown: true})
		for i := range int64(8) {
			d := newDevice(i+1, string(rune('a'+i)))
			d.FleetID, d.Tags = 1+i/4, site([]string{"port", "port", "port", "farm"}[i%4])
			s.devices = append(s.devices, d)
		}
		return s
	}
	for name, test := range map[string]struct {
		lost    []int64
		want    []string // of many
		grouped int
	}{
		"fewer than an outage":            {[]int64{1, 2}, nil, 0},
		"three of four":                   {[]int64{1, 2, 3}, []string{"fleet.devices.disconnected acme/kiosk: 3 of 4 port @1"}, 6},
		"three of four of different tags": {[]int64{1, 2, 4}, []string{"fleet.devices.disconnected acme/kiosk: 3 of 4 @1"}, 6},
		"two fleets": {
			[]int64{1, 2, 3, 5, 6, 7, 8},
			[]string{
				"account.devices.disconnected balena: 7 of 8 @1",
				"fleet.devices.disconnected acme/kiosk: 3 of 4 port @1", "fleet.devices.disconnected acme/signs: 4 of 4 @1",
			}, 14,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, h := account(), New(testThresholds())
			h.Observe(s.observation(0))
			for _, id := range test.lost {
				s.disconnect(id, at(1))
			}
			var many []string
			grouped, groups := 0, map[string]bool{}
			for _, c := range h.Observe(s.observation(1)) {
				if c.Many != nil {
					many, groups[c.ID] = append(many, told(c)), true
				} else if c.Group != "" {
					assert.True(t, groups[c.Group], "the change of many comes first")
					grouped++
				}
			}
			assert.Equal(t, test.want, many)
			assert.Equal(t, test.grouped, grouped, "connection and status of each device")

			for _, id := range test.lost {
				d := s.device(id)
				d.Online, d.Connectivity = true, at(2)
			}
			back := 0
			for _, c := range h.Observe(s.observation(2)) {
				if c.Many != nil {
					back++
				}
			}
			assert.Equal(t, len(test.want), back, "they come back as they went")
		})
	}
}

func TestHistory_Observe_ManyDevicesMoveAndDisconnect(t *testing.T) {
	t.Parallel()
	s, h := newScene(), New(testThresholds())
	s.fleets = append(s.fleets, Fleet{ID: 2, Slug: "acme/signs", Identified: true, TargetKnown: true})
	s.devices = append(s.devices, newDevice(3, "c"))
	h.Observe(s.observation(0))
	for _, id := range []int64{1, 2, 3} {
		s.device(id).FleetID = 2
		s.disconnect(id, at(1))
	}
	assert.Equal(t, "fleet.devices.disconnected acme/signs: 3 of 3 @1", told(h.Observe(s.observation(1))[0]))
}

func TestHistory_Observe_Rollout(t *testing.T) {
	t.Parallel()
	s, h := newScene(), New(testThresholds())
	var got []string
	observe := func(minute int, counts RolloutCounts) {
		s.fleets[0].Rollout = counts
		for _, c := range h.Observe(s.observation(minute)) {
			if c.Rollout != nil {
				got = append(got, fmt.Sprintf("%d: %s", minute, told(c)))
			}
		}
	}
	observe(0, RolloutCounts{OnTarget: 2})
	s.fleets[0].TargetID, s.fleets[0].Target = 8, "2.0.0"
	observe(1, RolloutCounts{Behind: 2})
	observe(2, RolloutCounts{Updating: 1, Behind: 1})
	observe(10, RolloutCounts{OnTarget: 1, Behind: 1})
	observe(39, RolloutCounts{OnTarget: 1, Behind: 1})
	observe(40, RolloutCounts{OnTarget: 1, Failing: 1})
	observe(41, RolloutCounts{OnTarget: 1, Failing: 1})
	observe(42, RolloutCounts{OnTarget: 2})
	observe(43, RolloutCounts{OnTarget: 1, Behind: 1}) // a device that was away comes back
	observe(44, RolloutCounts{OnTarget: 2})
	s.fleets[0].TargetID, s.fleets[0].Target = 9, "3.0.0"
	observe(45, RolloutCounts{OnTarget: 2}) // quicker than a minute
	observe(46, RolloutCounts{OnTarget: 2})
	assert.Equal(t, []string{
		"1: fleet.rollout.begun acme/kiosk:  -> 2.0.0", "40: fleet.rollout.stuck acme/kiosk:  -> 2.0.0",
		"42: fleet.rollout.completed acme/kiosk:  -> 2.0.0",
		"45: fleet.rollout.begun acme/kiosk:  -> 3.0.0", "45: fleet.rollout.completed acme/kiosk:  -> 3.0.0",
	}, got)
}

func TestHistory_ReleasesSince(t *testing.T) {
	t.Parallel()
	h, s := New(testThresholds()), newScene()
	assert.Equal(t, start.Add(-24*time.Hour), h.ReleasesSince(start))
	h.Observe(s.observation(0))
	assert.Equal(t, start.Add(-23*time.Hour), h.ReleasesSince(start.Add(time.Hour)))
	assert.Equal(t, start.Add(-time.Hour).Unix(), h.ReleasesSince(start.Add(72*time.Hour)).Unix(), "after three days without a scrape")
}

package history

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Thresholds decide what is worth telling.
type Thresholds struct {
	// OutageDevices and OutageShare are how many devices of a fleet, and which part of those that were online, must be lost at once
	// for an outage.
	OutageDevices int
	OutageShare   float64

	StorageUtilization float64       // of 1
	RolloutStuckAfter  time.Duration // without a device that reaches the target
	APIKeyExpiresIn    time.Duration
}

// storageHysteresis keeps a device whose storage is as full as the threshold from crossing it again and again.
const storageHysteresis = 0.05

// recentReleases is how long a release is watched after it was created.
const recentReleases = 24 * time.Hour

// releaseOverlap allows for a server whose clock is not ours.
const releaseOverlap = time.Hour

// History is what was last known of an account.
type History struct {
	thresholds Thresholds

	id       string // makes the IDs of changes unique: it is not stored, because those that came after may have been told
	sequence int64
	round    uint32

	at         Millis // of the last observation
	releasesAt Millis // of the last one that knew the recent releases of all fleets
	fleetsSeen bool   // whether all fleets were ever found: only then a fleet that is not known is a new one
	fleets     map[int64]*fleet
	devices    map[int64]*device
	expiring   []APIKey // API keys of which it was told

	changed     map[int64]bool // fleets that differ from what was last saved
	headChanged bool           // whether what fleets have in common does
}

// fleet is what was last known of a fleet.
type fleet struct {
	Fleet
	DevicesSeen  bool    `json:"devices_seen,omitempty"`  // whether all its devices were ever found
	ReleasesSeen bool    `json:"releases_seen,omitempty"` // whether all its recent releases were
	Missing      bool    `json:"missing,omitempty"`       // whether the last observation missed it
	Rollout      rollout `json:"rollout"`

	releases map[int64]Release
	round    uint32 // when it was last found
}

// device is what was last known of a device.
type device struct {
	Device
	Missing bool `json:"missing,omitempty"` // whether the last observation missed it

	round uint32
}

// New returns the history of an account of which nothing is known. Its first observation returns no changes.
func New(thresholds Thresholds) *History {
	var id [6]byte
	_, _ = rand.Read(id[:]) // never fails
	return &History{
		thresholds: thresholds, id: hex.EncodeToString(id[:]),
		fleets: map[int64]*fleet{}, devices: map[int64]*device{}, changed: map[int64]bool{},
	}
}

// ReleasesSince is since when releases must have been created to be among the recent ones.
func (h *History) ReleasesSince(now time.Time) time.Time {
	since := now.Add(-recentReleases)
	if last := time.UnixMilli(h.releasesAt).Add(-releaseOverlap); h.releasesAt != 0 && last.Before(since) {
		return last
	}
	return since
}

// Observe compares what was found with what was last known, keeps it, and returns the changes: those of many devices first, then those of
// devices, of releases, and of fleets.
//
// Rows are read in pages while the account changes: one that is missing once may have slipped through. It is gone if it is missing twice.
func (h *History) Observe(o Observation) []Change {
	h.round++
	r := &observer{History: h, Observation: o, now: o.At.UnixMilli(), connectivity: map[int64]*connectivity{}, unidentified: map[int64]bool{}}
	r.observeFleets()
	var d Device // one for all: there may be 100,000 of them
	for d = range o.Devices {
		r.observeDevice(&d)
	}
	r.removeDevices()
	r.observeReleases()
	r.observeRollouts()
	r.removeFleets()
	r.observeAPIKeys()
	changes := append(r.group(), r.changes...)
	h.at = r.now
	return changes
}

// observer is one run of Observe.
type observer struct {
	*History
	Observation
	now     Millis
	changes []Change

	connectivity map[int64]*connectivity // by fleet
	unidentified map[int64]bool          // fleets with a device that was left out
}

// add adds a change and returns it, until the next one is added.
func (r *observer) add(kind Kind, of Resource) *Change {
	r.changes = append(r.changes, r.newChange(kind, of))
	return &r.changes[len(r.changes)-1]
}

func (r *observer) newChange(kind Kind, of Resource) Change {
	r.sequence++
	return Change{Kind: kind, ID: fmt.Sprintf("%s-%d", r.id, r.sequence), Observed: r.now, Resource: of}
}

// since is a moment that the server told, unless it is so long ago that it cannot be that of the change. The last observation alone is no
// measure: it may have missed the change, and the server's clock is not ours.
func (r *observer) since(moment Millis) Millis {
	if moment > min(r.at, r.now-recentReleases.Milliseconds()) {
		return moment
	}
	return 0
}

func (r *observer) observeFleets() {
	for _, now := range r.Fleets {
		f := r.fleets[now.ID]
		if f == nil && !now.Identified {
			r.AllFleets = false // it has no name yet under which it could be told of
			continue
		}
		if f == nil {
			f = &fleet{Fleet: now, DevicesSeen: r.fleetsSeen, ReleasesSeen: r.fleetsSeen, releases: map[int64]Release{}}
			r.fleets[now.ID] = f
			r.History.changed[now.ID] = true
			if r.fleetsSeen {
				r.add(FleetCreated, f.resource()).At = r.since(now.CreatedAt)
				f.TargetID, f.Target = 0, "" // what it has by now came later
			}
		}
		r.compareFleet(f, now)
		f.round = r.round
	}
	if r.AllFleets && !r.fleetsSeen {
		r.fleetsSeen, r.headChanged = true, true
	}
}

func (r *observer) compareFleet(f *fleet, now Fleet) {
	before := f.Fleet
	if !now.Identified {
		now.Tags = before.Tags
	}
	if !now.TargetKnown {
		now.TargetID, now.Target = before.TargetID, before.Target
	}
	f.Fleet = now
	if f.Missing || !before.equal(now) {
		r.History.changed[now.ID] = true
	}
	f.Missing = false
	if before.Slug != now.Slug {
		r.add(FleetRenamed, f.resource()).fromTo(before.Slug, now.Slug)
	} else if before.Name != now.Name {
		r.add(FleetRenamed, f.resource()).fromTo(before.Name, now.Name)
	}
	if before.TargetID != now.TargetID {
		r.add(FleetTargetChanged, f.resource()).fromTo(before.Target, now.Target)
	}
}

func (f Fleet) equal(other Fleet) bool {
	return f.Name == other.Name && f.Slug == other.Slug && f.Label == other.Label && f.CreatedAt == other.CreatedAt &&
		f.TargetID == other.TargetID && f.Target == other.Target && slices.Equal(f.Tags, other.Tags)
}

func (c *Change) fromTo(from, to string) *Change {
	c.From, c.To = from, to
	return c
}

// removeFleets comes after the devices, which are gone with their fleet, or else have moved to one that could not be read.
func (r *observer) removeFleets() {
	var missing []int64
	for _, id := range slices.Sorted(maps.Keys(r.fleets)) {
		if r.fleets[id].round != r.round && r.GoneFleet(id) {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return
	}
	left := map[int64]bool{}
	for _, d := range r.devices {
		left[d.FleetID] = true
	}
	for _, id := range missing {
		f := r.fleets[id]
		switch {
		case !f.Missing:
			f.Missing = true
			r.History.changed[id] = true
		case !left[id]:
			r.add(FleetDeleted, f.resource())
			delete(r.fleets, id)
			r.History.changed[id] = true
		}
	}
}

func (r *observer) observeAPIKeys() {
	if r.APIKeys == nil {
		return
	}
	var expiring []APIKey
	for _, key := range r.APIKeys {
		if key.Expiry-r.now > r.thresholds.APIKeyExpiresIn.Milliseconds() {
			continue
		}
		expiring = append(expiring, key)
		if !slices.Contains(r.expiring, key) {
			c := r.add(APIKeyExpiring, r.Account)
			c.APIKey, c.To = key.Name, time.UnixMilli(key.Expiry).UTC().Format(time.RFC3339)
		}
	}
	if !slices.Equal(r.expiring, expiring) {
		r.expiring, r.headChanged = expiring, true
	}
}

func (f *fleet) resource() Resource {
	return Resource{Fleet: &FleetResource{ID: f.ID, Name: f.Name, Slug: f.Slug, Label: f.Label, Tags: f.Tags}}
}

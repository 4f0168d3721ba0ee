package history

import (
	"iter"
	"time"
)

// Millis is a moment in milliseconds since 1970, the server's own precision; 0 if it is not known.
type Millis = int64

// Observation is what a scrape found.
type Observation struct {
	At time.Time

	Fleets    []Fleet
	AllFleets bool // whether no fleet is missing

	Devices iter.Seq[Device]

	Releases []Release // the recent ones

	// APIKeys are those that expire; nil if they are not known.
	APIKeys []APIKey

	// Account is the resource of what concerns several fleets.
	Account Resource

	// GoneFleet, GoneDevice and GoneRelease report whether a row that was not found does not exist anymore.
	GoneFleet  func(fleet int64) bool
	GoneDevice func(device, fleet int64) bool
}

// Fleet is a fleet as it was found.
type Fleet struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
	// Label is the fleet's name, made unique.
	Label string `json:"label,omitempty"`
	Tags  []Tag  `json:"tags,omitempty"`

	// Identified tells whether the tags are known.
	Identified bool `json:"-"`

	CreatedAt Millis `json:"created,omitempty"`

	TargetID    int64  `json:"target_id,omitempty"` // 0 if it has no target
	Target      string `json:"target,omitempty"`    // version
	TargetKnown bool   `json:"-"`

	// DevicesKnown tells whether all devices of the fleet were found, and RecentReleasesKnown whether all releases created lately were.
	DevicesKnown        bool `json:"-"`
	RecentReleasesKnown bool `json:"-"`

	// Rollout counts the devices by their state in the rollout of the target.
	Rollout RolloutCounts `json:"-"`
}

// RolloutCounts counts the devices of a fleet in the rollout of its target release.
type RolloutCounts struct {
	OnTarget, Updating, Failing, Behind, Unreachable, Pinned int
}

// Device is a device as it was found.
type Device struct {
	DeviceFacts
	Tags     []Tag     `json:"tags,omitempty"`
	Services []Service `json:"services,omitempty"` // by name

	// Identified tells whether type and tags are known, ReleasesKnown whether the names of its releases are, HardwareKnown whether the
	// device reports about its hardware now, and ServicesKnown whether it does about its services; in the history, whether it ever did.
	Identified    bool `json:"-"`
	ReleasesKnown bool `json:"-"`
	HardwareKnown bool `json:"-"`
	ServicesKnown bool `json:"services_known,omitempty"`

	StorageUtilization float64 `json:"-"` // of 1; below 0 if it is not known
}

// DeviceFacts are what is compared of a device, less its services, and what it is called.
type DeviceFacts struct {
	ID      int64  `json:"id"`
	FleetID int64  `json:"fleet"`
	UUID    string `json:"uuid"`
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"` // slug

	CreatedAt Millis `json:"created,omitempty"`

	Online       bool   `json:"online,omitempty"`
	Connectivity Millis `json:"connectivity,omitempty"` // when the server last wrote whether it is online

	Status     string `json:"status,omitempty"`
	OS         string `json:"os,omitempty"`
	Supervisor string `json:"supervisor,omitempty"`

	RunningID int64  `json:"running_id,omitempty"` // 0 if it runs no release
	Running   string `json:"running,omitempty"`    // version
	PinnedID  int64  `json:"pinned_id,omitempty"`  // 0 if it is not pinned
	Pinned    string `json:"pinned,omitempty"`     // version

	Undervoltage bool `json:"undervoltage,omitempty"`
	StorageHigh  bool `json:"storage_high,omitempty"` // set by the history
}

// Service is a service on a device.
type Service struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

// Release is a release as it was found.
type Release struct {
	ID          int64  `json:"id"`
	FleetID     int64  `json:"fleet"`
	Commit      string `json:"commit"`
	Version     string `json:"version"`
	Status      string `json:"status"`
	Final       bool   `json:"final,omitempty"`
	CreatedAt   Millis `json:"created,omitempty"`
	EndedAt     Millis `json:"-"`
	FinalizedAt Millis `json:"-"`
}

// APIKey is an API key that expires, or a session token, which has no name.
type APIKey struct {
	Name   string `json:"name,omitempty"`
	Expiry Millis `json:"expiry"`
}

// Tag is a resource attribute that was made from a tag.
type Tag struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
}

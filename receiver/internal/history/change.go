package history

// Kind is what happened: the name of an event.
type Kind string

const (
	DeviceCreated              Kind = "balena.device.created"
	DeviceDeleted              Kind = "balena.device.deleted"
	DeviceRenamed              Kind = "balena.device.renamed"
	DeviceMoved                Kind = "balena.device.moved"
	DeviceConnected            Kind = "balena.device.connected"
	DeviceDisconnected         Kind = "balena.device.disconnected"
	DeviceStatusChanged        Kind = "balena.device.status.changed"
	DeviceReleaseChanged       Kind = "balena.device.release.changed"
	DevicePinned               Kind = "balena.device.pinned"
	DeviceUnpinned             Kind = "balena.device.unpinned"
	DeviceOSUpdated            Kind = "balena.device.os.updated"
	DeviceSupervisorUpdated    Kind = "balena.device.supervisor.updated"
	DeviceUndervoltageDetected Kind = "balena.device.undervoltage.detected"
	DeviceUndervoltageCleared  Kind = "balena.device.undervoltage.cleared"
	DeviceStorageExceeded      Kind = "balena.device.storage.exceeded"
	DeviceStorageRecovered     Kind = "balena.device.storage.recovered"
	DeviceServiceStatusChanged Kind = "balena.device.service.status.changed"

	FleetCreated             Kind = "balena.fleet.created"
	FleetDeleted             Kind = "balena.fleet.deleted"
	FleetRenamed             Kind = "balena.fleet.renamed"
	FleetTargetChanged       Kind = "balena.fleet.target.changed"
	FleetDevicesConnected    Kind = "balena.fleet.devices.connected"
	FleetDevicesDisconnected Kind = "balena.fleet.devices.disconnected"
	RolloutBegun             Kind = "balena.fleet.rollout.begun"
	RolloutCompleted         Kind = "balena.fleet.rollout.completed"
	RolloutStuck             Kind = "balena.fleet.rollout.stuck"

	ReleaseCreated   Kind = "balena.release.created"
	ReleaseFinalized Kind = "balena.release.finalized"
	BuildSucceeded   Kind = "balena.release.build.succeeded"
	BuildFailed      Kind = "balena.release.build.failed"

	AccountDevicesConnected    Kind = "balena.account.devices.connected"
	AccountDevicesDisconnected Kind = "balena.account.devices.disconnected"
	APIKeyExpiring             Kind = "balena.api_key.expiring"
)

// Change is something that happened. It holds all that is told about it, so that it can wait for a pipeline that refuses it, even in
// storage.
type Change struct {
	Kind Kind `json:"kind"`

	// ID is unique and stays the same however often the change is told.
	ID string `json:"id"`

	// At is when it happened, if the server tells; Observed is when it was noticed.
	At       Millis `json:"at,omitempty"`
	Observed Millis `json:"observed"`

	Resource Resource `json:"resource"`

	// From and To are what changed, as names that a person knows. Either may be empty: there was none before, or there is none now.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`

	Service string `json:"service,omitempty"` // of which the status changed
	APIKey  string `json:"api_key,omitempty"` // name

	// Group is the ID of the change that reports all devices which connected or disconnected with this one.
	Group string `json:"group,omitempty"`

	// Many is set for changes of many devices at once.
	Many *Many `json:"many,omitempty"`

	Rollout *RolloutCounts `json:"rollout,omitempty"`

	// New is the device that was created.
	New *Device `json:"new,omitempty"`
}

// Many describes devices that connected or disconnected at once.
type Many struct {
	Devices int   `json:"devices"`
	Of      int   `json:"of"`               // devices that could have
	Fleets  int   `json:"fleets,omitempty"` // of the account
	Tags    []Tag `json:"tags,omitempty"`   // which only they have in common
}

// Resource is what a change is about. Which fields are set depends on what it is.
type Resource struct {
	Account *Account         `json:"account,omitempty"`
	Fleet   *FleetResource   `json:"fleet,omitempty"`
	Device  *DeviceResource  `json:"device,omitempty"`
	Release *ReleaseResource `json:"release,omitempty"`
}

// Account is the receiver that reads the account.
type Account struct {
	Receiver   string `json:"receiver"`
	Endpoint   string `json:"endpoint"`
	ShardIndex int    `json:"shard_index,omitempty"`
	Shards     int    `json:"shards,omitempty"`
}

// FleetResource identifies a fleet.
type FleetResource struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Slug  string `json:"slug"`
	Label string `json:"label,omitempty"`
	Tags  []Tag  `json:"tags,omitempty"`
}

// DeviceResource identifies a device.
type DeviceResource struct {
	UUID      string `json:"uuid"`
	Name      string `json:"name"`
	Type      string `json:"type,omitempty"`
	FleetName string `json:"fleet_name"`
	FleetSlug string `json:"fleet_slug"`
	Tags      []Tag  `json:"tags,omitempty"`
}

// ReleaseResource identifies a release.
type ReleaseResource struct {
	Commit    string `json:"commit"`
	Version   string `json:"version"`
	FleetName string `json:"fleet_name"`
	FleetSlug string `json:"fleet_slug"`
}

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

package balenaclient

import (
	"encoding/json"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Device is a device of a fleet.
type Device struct {
	ID int64 `json:"id"`

	// UUID: 32 or 62 lower-case hexadecimal digits.
	UUID string `json:"uuid"`

	// Name: Names may repeat, also within a fleet.
	Name string `json:"device_name"`

	// CreatedAt: When the device was registered.
	CreatedAt *time.Time `json:"created_at"`

	// ModifiedAt: When the row last changed in any way.
	ModifiedAt *time.Time `json:"modified_at"`

	// Fleet: The fleet. A device may have none.
	Fleet pine.Ref[Fleet] `json:"belongs_to__application"`

	// DeviceType: The device's type.
	DeviceType pine.Ref[DeviceType] `json:"is_of__device_type"`

	// IsOnline: Follows IsConnectedToVPN; a heartbeat alone does not make a device online.
	IsOnline bool `json:"is_online"`

	// LastConnectivityEvent: When IsOnline last changed; nil if the device never connected.
	LastConnectivityEvent *time.Time `json:"last_connectivity_event"`

	// IsConnectedToVPN: Whether the device is connected to the balena VPN (cloudlink).
	IsConnectedToVPN bool `json:"is_connected_to_vpn"`

	// LastVPNEvent: When IsConnectedToVPN last changed.
	LastVPNEvent *time.Time `json:"last_vpn_event"`

	// HeartbeatState: State of the device's polling for its target state: online, timeout (for some 15 s), offline or unknown (never seen). A dead device stays online for 1.5 times its poll interval.
	HeartbeatState string `json:"api_heartbeat_state"`

	// HeartbeatChangedAt: When HeartbeatState last changed.
	HeartbeatChangedAt *time.Time `json:"changed_api_heartbeat_state_on__date"`

	// OverallStatus: operational, reduced-functionality, disconnected, updating, configuring, post-provisioning or inactive. Treat it as an open set. Computed by the server for each request.
	OverallStatus string `json:"overall_status"`

	// OverallProgress: Progress of the download or update under way in percent; nil when there is none. Computed by the server for each request.
	OverallProgress *int64 `json:"overall_progress"`

	// Status: The supervisor's own status, such as Idle.
	Status string `json:"status"`

	// ProvisioningState: Post-Provisioning, or the text of an update of the operating system.
	ProvisioningState string `json:"provisioning_state"`

	// ProvisioningProgress: In percent.
	ProvisioningProgress *int64 `json:"provisioning_progress"`

	// DownloadProgress: In percent, as old supervisors report it.
	DownloadProgress *int64 `json:"download_progress"`

	// UpdateStatus: State of the release update: rejected, downloading, downloaded, applying changes, aborted or done. Needs supervisor 16.7.
	UpdateStatus string `json:"update_status"`

	// LastUpdateStatusEvent: When UpdateStatus was last reported.
	LastUpdateStatusEvent *time.Time `json:"last_update_status_event"`

	// RunningRelease: The release that the device runs.
	RunningRelease pine.Ref[Release] `json:"is_running__release"`

	// TargetRelease: The release that the device should run: its pin, else its fleet's target. Filtering by it matches devices that merely follow their fleet; for pins use PinnedRelease. Computed by the server for each request.
	TargetRelease pine.Ref[Release] `json:"should_be_running__release"`

	// PinnedRelease: The release that the device is pinned to; unset if it follows its fleet.
	PinnedRelease pine.Ref[Release] `json:"is_pinned_on__release"`

	// TargetOSRelease: Target release of the operating system.
	TargetOSRelease pine.Ref[Release] `json:"should_be_operated_by__release"`

	// TargetSupervisorRelease: Target release of the supervisor.
	TargetSupervisorRelease pine.Ref[Release] `json:"should_be_managed_by__release"`

	// OSVersion: For example balenaOS 6.1.2.
	OSVersion string `json:"os_version"`

	// OSVariant: prod or dev.
	OSVariant string `json:"os_variant"`

	// SupervisorVersion: Version of the supervisor.
	SupervisorVersion string `json:"supervisor_version"`

	// MemoryUsage: In MiB, without caches and buffers. Reported in steps of 10 MiB, at most every 5 minutes; kept when the device disconnects.
	MemoryUsage *int64 `json:"memory_usage"`

	// MemoryTotal: In MiB.
	MemoryTotal *int64 `json:"memory_total"`

	// StorageUsage: Of the data partition, in MiB. Kept when the device disconnects.
	StorageUsage *int64 `json:"storage_usage"`

	// StorageTotal: Of the data partition, in MiB.
	StorageTotal *int64 `json:"storage_total"`

	// StorageBlockDevice: For example /dev/mmcblk0p6.
	StorageBlockDevice string `json:"storage_block_device"`

	// CPUUsage: Mean over the cores in percent. Reported in steps of 20, at most every 5 minutes; kept when the device disconnects.
	CPUUsage *int64 `json:"cpu_usage"`

	// CPUTemp: In °C. Reported in steps of 5, at most every 5 minutes; kept when the device disconnects. Some boards without a sensor report -1.
	CPUTemp *int64 `json:"cpu_temp"`

	// CPUID: Serial number of the CPU.
	CPUID string `json:"cpu_id"`

	// IsUndervolted: Whether the supply voltage was too low at any time since the device booted.
	IsUndervolted bool `json:"is_undervolted"`

	// IPAddress: Local addresses, parted by spaces.
	IPAddress string `json:"ip_address"`

	// MACAddress: Parted by spaces.
	MACAddress string `json:"mac_address"`

	// PublicAddress: Address that the API saw.
	PublicAddress string `json:"public_address"`

	// IsWebAccessible: Whether the public device URL is on.
	IsWebAccessible bool `json:"is_web_accessible"`

	// LocalID: Id in local mode.
	LocalID string `json:"local_id"`

	// Note: Free text.
	Note string `json:"note"`

	// LockedUntil: Until when updates are locked.
	LockedUntil *time.Time `json:"is_locked_until__date"`

	// IsActive: False if the device is deactivated or only registered. On balenaCloud only: never selected by default.
	IsActive *bool `json:"is_active" pine:"optional"`

	// IsFrozen: Whether the device is frozen for want of payment. On balenaCloud only: never selected by default.
	IsFrozen *bool `json:"is_frozen" pine:"optional"`

	// Latitude: In decimal degrees. On balenaCloud only: never selected by default.
	Latitude string `json:"latitude" pine:"optional"`

	// Longitude: In decimal degrees. On balenaCloud only: never selected by default.
	Longitude string `json:"longitude" pine:"optional"`

	// Location: City, country. On balenaCloud only: never selected by default.
	Location string `json:"location" pine:"optional"`

	// Tags: The device's tags.
	Tags pine.Refs[DeviceTag] `json:"device_tag"`

	// ImageInstalls: Images on the device, also deleted ones: filter by status.
	ImageInstalls pine.Refs[ImageInstall] `json:"image_install"`

	// ServiceInstalls: Services of the device.
	ServiceInstalls pine.Refs[ServiceInstall] `json:"service_install"`
}

// Devices is the query for all rows of device that the client's credentials may see.
func (c *Client) Devices() pine.Query[Device] { return pine.From[Device](c.pine, "device") }

// Fleet is a fleet, which the API calls an application. Blocks, apps and host applications are of this type too.
type Fleet struct {
	ID int64 `json:"id"`

	// UUID: 32 lower-case hexadecimal digits.
	UUID string `json:"uuid"`

	// Name: Unique within an organization only.
	Name string `json:"app_name"`

	// Slug: organization/fleet in lower case. Unique.
	Slug string `json:"slug"`

	// CreatedAt: When the fleet was created.
	CreatedAt *time.Time `json:"created_at"`

	// Organization: The organization that owns the fleet.
	Organization pine.Ref[Organization] `json:"organization"`

	// DeviceType: The type of devices that the fleet is for.
	DeviceType pine.Ref[DeviceType] `json:"is_for__device_type"`

	// TargetRelease: The release that devices without a pin should run.
	TargetRelease pine.Ref[Release] `json:"should_be_running__release"`

	// TracksLatestRelease: Whether TargetRelease follows the latest final release.
	TracksLatestRelease bool `json:"should_track_latest_release"`

	// Class: fleet, block or app.
	Class string `json:"is_of__class"`

	// IsHost: Whether this holds releases of the host operating system.
	IsHost bool `json:"is_host"`

	// IsArchived: Whether the fleet is archived.
	IsArchived bool `json:"is_archived"`

	// IsPublic: Whether anybody may see the fleet.
	IsPublic bool `json:"is_public"`

	// DirectlyAccessibleByUser: The users to whom the fleet belongs, rather than being merely public.
	DirectlyAccessibleByUser pine.Refs[User] `json:"is_directly_accessible_by__user"`

	// Devices: The fleet's devices.
	Devices pine.Refs[Device] `json:"owns__device"`

	// Releases: The fleet's releases.
	Releases pine.Refs[Release] `json:"owns__release"`

	// Services: The fleet's services.
	Services pine.Refs[Service] `json:"service"`

	// Tags: The fleet's tags.
	Tags pine.Refs[FleetTag] `json:"application_tag"`
}

// Fleets is the query for all rows of application that the client's credentials may see.
func (c *Client) Fleets() pine.Query[Fleet] { return pine.From[Fleet](c.pine, "application") }

// Release is a release of a fleet.
type Release struct {
	ID int64 `json:"id"`

	// Commit: Name of the release; the API does not hold it to be unique, not even within a fleet.
	Commit string `json:"commit"`

	// RawVersion: For example 1.2.3, 1.2.3+rev1, or 1.2.3-1700000000000 for a draft. Computed by the server for each request.
	RawVersion string `json:"raw_version"`

	// Semver: Version without revision. Computed by the server for each request.
	Semver string `json:"semver"`

	// Revision: Counts final releases of one semver from 0; nil for a draft.
	Revision *int64 `json:"revision"`

	// CreatedAt: When the release was created.
	CreatedAt *time.Time `json:"created_at"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"belongs_to__application"`

	// Status: Of the build: running, success, failed, error, cancelled or interrupted.
	Status string `json:"status"`

	// Source: cloud or local.
	Source string `json:"source"`

	// IsFinal: Whether the release is final; otherwise it is a draft. Computed by the server for each request.
	IsFinal bool `json:"is_final"`

	// FinalizedAt: When the release became final.
	FinalizedAt *time.Time `json:"is_finalized_at__date"`

	// IsInvalidated: Whether the release must no longer be used.
	IsInvalidated bool `json:"is_invalidated"`

	// InvalidationReason: Free text.
	InvalidationReason string `json:"invalidation_reason"`

	// IsPassingTests: Whether tests of the release pass.
	IsPassingTests bool `json:"is_passing_tests"`

	// Phase: next, current, sunset or end-of-life.
	Phase string `json:"phase"`

	// StartedAt: When the build started.
	StartedAt *time.Time `json:"start_timestamp"`

	// EndedAt: When the build ended; nil while it runs.
	EndedAt *time.Time `json:"end_timestamp"`

	// UpdatedAt: When the build last reported.
	UpdatedAt *time.Time `json:"update_timestamp"`

	// Note: Free text.
	Note string `json:"note"`

	// KnownIssues: Free text.
	KnownIssues string `json:"known_issue_list"`

	// Composition: The compose file. Never selected by default.
	Composition json.RawMessage `json:"composition" pine:"optional"`

	// Contract: The contract. Never selected by default.
	Contract json.RawMessage `json:"contract" pine:"optional"`

	// BuildLog: Up to 1 MB. Never selected by default.
	BuildLog string `json:"build_log" pine:"optional"`

	// RunningOn: The devices that run the release.
	RunningOn pine.Refs[Device] `json:"is_running_on__device"`

	// PinnedTo: The devices pinned to the release.
	PinnedTo pine.Refs[Device] `json:"is_pinned_to__device"`

	// TargetOf: The fleets whose target the release is.
	TargetOf pine.Refs[Fleet] `json:"should_be_running_on__application"`

	// ReleaseImages: The release's images.
	ReleaseImages pine.Refs[ReleaseImage] `json:"release_image"`
}

// Releases is the query for all rows of release that the client's credentials may see.
func (c *Client) Releases() pine.Query[Release] { return pine.From[Release](c.pine, "release") }

// Service is a service of a fleet.
type Service struct {
	ID int64 `json:"id"`

	// Name: Unique within the fleet.
	Name string `json:"service_name"`

	// CreatedAt: When the service was created.
	CreatedAt *time.Time `json:"created_at"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"application"`

	// ServiceInstalls: Where the service is installed.
	ServiceInstalls pine.Refs[ServiceInstall] `json:"service_install"`
}

// Services is the query for all rows of service that the client's credentials may see.
func (c *Client) Services() pine.Query[Service] { return pine.From[Service](c.pine, "service") }

// Image is a container image that a build made for a service.
type Image struct {
	ID int64 `json:"id"`

	// CreatedAt: When the image was created.
	CreatedAt *time.Time `json:"created_at"`

	// StartedAt: When the build started.
	StartedAt *time.Time `json:"start_timestamp"`

	// EndedAt: When the build ended.
	EndedAt *time.Time `json:"end_timestamp"`

	// PushedAt: When the image was pushed.
	PushedAt *time.Time `json:"push_timestamp"`

	// Status: As of a release.
	Status string `json:"status"`

	// Size: In bytes.
	Size *int64 `json:"image_size,string"`

	// Location: Where the registry keeps the image.
	Location string `json:"is_stored_at__image_location"`

	// ContentHash: sha256:…
	ContentHash string `json:"content_hash"`

	// ProjectType: For example Standard Dockerfile.
	ProjectType string `json:"project_type"`

	// ErrorMessage: Why the build failed.
	ErrorMessage string `json:"error_message"`

	// Service: The service.
	Service pine.Ref[Service] `json:"is_a_build_of__service"`

	// Dockerfile: The Dockerfile. Never selected by default.
	Dockerfile string `json:"dockerfile" pine:"optional"`

	// BuildLog: Up to 1.5 MB. Never selected by default.
	BuildLog string `json:"build_log" pine:"optional"`
}

// Images is the query for all rows of image that the client's credentials may see.
func (c *Client) Images() pine.Query[Image] { return pine.From[Image](c.pine, "image") }

// ReleaseImage is an image of a release.
type ReleaseImage struct {
	ID int64 `json:"id"`

	// Release: The release.
	Release pine.Ref[Release] `json:"release"`

	// Image: The image.
	Image pine.Ref[Image] `json:"image"`
}

// ReleaseImages is the query for all rows of release_image that the client's credentials may see.
func (c *Client) ReleaseImages() pine.Query[ReleaseImage] {
	return pine.From[ReleaseImage](c.pine, "release_image")
}

// ImageInstall is an image on a device. Rows with status deleted stay for ever.
type ImageInstall struct {
	ID int64 `json:"id"`

	// InstalledAt: When the image was installed.
	InstalledAt *time.Time `json:"install_date"`

	// DownloadProgress: In percent; nil when nothing is downloaded.
	DownloadProgress *int64 `json:"download_progress"`

	// Status: For example Running, Downloading, Stopping, exited, Dead or deleted; lower-case ones come from the container engine.
	Status string `json:"status"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device"`

	// Image: The image.
	Image pine.Ref[Image] `json:"installs__image"`

	// Release: The release. It may be one of the supervisor or of the operating system.
	Release pine.Ref[Release] `json:"is_provided_by__release"`
}

// ImageInstalls is the query for all rows of image_install that the client's credentials may see.
func (c *Client) ImageInstalls() pine.Query[ImageInstall] {
	return pine.From[ImageInstall](c.pine, "image_install")
}

// ServiceInstall is a service on a device. The server makes these rows, a moment after a device moved or got a release.
type ServiceInstall struct {
	ID int64 `json:"id"`

	// CreatedAt: When the row was made.
	CreatedAt *time.Time `json:"created_at"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device"`

	// Service: The service.
	Service pine.Ref[Service] `json:"installs__service"`
}

// ServiceInstalls is the query for all rows of service_install that the client's credentials may see.
func (c *Client) ServiceInstalls() pine.Query[ServiceInstall] {
	return pine.From[ServiceInstall](c.pine, "service_install")
}

// DeviceType is a type of devices. The server shows device types to everybody.
type DeviceType struct {
	ID int64 `json:"id"`

	// Slug: For example raspberrypi4-64.
	Slug string `json:"slug"`

	// Name: For example Raspberry Pi 4.
	Name string `json:"name"`

	// Logo: Up to 400 kB. Never selected by default.
	Logo string `json:"logo" pine:"optional"`

	// Contract: Up to 5 MB. Never selected by default.
	Contract json.RawMessage `json:"contract" pine:"optional"`
}

// DeviceTypes is the query for all rows of device_type that the client's credentials may see.
func (c *Client) DeviceTypes() pine.Query[DeviceType] {
	return pine.From[DeviceType](c.pine, "device_type")
}

// Organization is an organization, which owns fleets.
type Organization struct {
	ID int64 `json:"id"`

	// Name: Free text.
	Name string `json:"name"`

	// Handle: First part of the slugs of its fleets. Unique.
	Handle string `json:"handle"`

	// CreatedAt: When the organization was created.
	CreatedAt *time.Time `json:"created_at"`

	// Fleets: The organization's fleets.
	Fleets pine.Refs[Fleet] `json:"application"`
}

// Organizations is the query for all rows of organization that the client's credentials may see.
func (c *Client) Organizations() pine.Query[Organization] {
	return pine.From[Organization](c.pine, "organization")
}

// DeviceTag is a tag of a device.
type DeviceTag struct {
	ID int64 `json:"id"`

	// Key: Without white space; unique for the device.
	Key string `json:"tag_key"`

	// Value: May be empty.
	Value string `json:"value"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device"`
}

// DeviceTags is the query for all rows of device_tag that the client's credentials may see.
func (c *Client) DeviceTags() pine.Query[DeviceTag] {
	return pine.From[DeviceTag](c.pine, "device_tag")
}

// FleetTag is a tag of a fleet.
type FleetTag struct {
	ID int64 `json:"id"`

	// Key: Without white space; unique for the fleet.
	Key string `json:"tag_key"`

	// Value: May be empty.
	Value string `json:"value"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"application"`
}

// FleetTags is the query for all rows of application_tag that the client's credentials may see.
func (c *Client) FleetTags() pine.Query[FleetTag] {
	return pine.From[FleetTag](c.pine, "application_tag")
}

// User is a user of the API.
type User struct {
	ID int64 `json:"id"`

	// Name: Unique.
	Name string `json:"username"`

	// CreatedAt: When the user was created.
	CreatedAt *time.Time `json:"created_at"`
}

// Users is the query for all rows of user that the client's credentials may see.
func (c *Client) Users() pine.Query[User] { return pine.From[User](c.pine, "user") }

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

package balenaclient

import (
	"encoding/json"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// DeviceID is the id of a row of device.
type DeviceID = pine.ID[Device]

// Device is a device of a fleet.
type Device struct {
	ID DeviceID `json:"id"`

	// UUID: 32 or 62 lower-case hexadecimal digits.
	UUID string `json:"uuid"`

	// Name: Names may repeat, also within a fleet.
	Name string `json:"device_name"`

	// CreatedAt: When the device was registered.
	CreatedAt *time.Time `json:"created_at"`

	// ModifiedAt: When the row last changed in any way.
	ModifiedAt *time.Time `json:"modified_at"`

	// Fleet: The fleet. A device may have none.
	Fleet pine.Ref[Fleet] `json:"belongs_to__application,omitzero"`

	// DeviceType: The device's type.
	DeviceType pine.Ref[DeviceType] `json:"is_of__device_type,omitzero"`

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
	RunningRelease pine.Ref[Release] `json:"is_running__release,omitzero"`

	// TargetRelease: The release that the device should run: its pin, else its fleet's target. Filtering by it matches devices that merely follow their fleet; for pins use PinnedRelease. Computed by the server for each request.
	TargetRelease pine.Ref[Release] `json:"should_be_running__release,omitzero"`

	// PinnedRelease: The release that the device is pinned to; unset if it follows its fleet.
	PinnedRelease pine.Ref[Release] `json:"is_pinned_on__release,omitzero"`

	// TargetOSRelease: Target release of the operating system.
	TargetOSRelease pine.Ref[Release] `json:"should_be_operated_by__release,omitzero"`

	// TargetSupervisorRelease: Target release of the supervisor.
	TargetSupervisorRelease pine.Ref[Release] `json:"should_be_managed_by__release,omitzero"`

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

	// CustomLatitude: As set by a user; in decimal degrees. On balenaCloud only: never selected by default.
	CustomLatitude string `json:"custom_latitude" pine:"optional"`

	// CustomLongitude: As set by a user; in decimal degrees. On balenaCloud only: never selected by default.
	CustomLongitude string `json:"custom_longitude" pine:"optional"`

	// SupportAccessUntil: Until when balena's support may access the device. On balenaCloud only: never selected by default.
	SupportAccessUntil *time.Time `json:"is_accessible_by_support_until__date" pine:"optional"`

	// CreatedBy: The user who registered the device. On balenaCloud only: never selected by default.
	CreatedBy pine.Ref[User] `json:"belongs_to__user,omitzero" pine:"optional"`

	// Actor: What acts when the device's key is used. Never selected by default.
	Actor pine.Ref[Actor] `json:"actor,omitzero" pine:"optional"`

	// Tags: The device's tags.
	Tags pine.Refs[DeviceTag] `json:"device_tag,omitzero"`

	// Variables: Environment variables of all services on the device. Those of one service hang on ServiceInstalls.
	Variables pine.Refs[DeviceVariable] `json:"device_environment_variable,omitzero"`

	// ConfigVariables: Configuration of the supervisor and the operating system.
	ConfigVariables pine.Refs[DeviceConfigVariable] `json:"device_config_variable,omitzero"`

	// ImageInstalls: Images on the device, also deleted ones: filter by status.
	ImageInstalls pine.Refs[ImageInstall] `json:"image_install,omitzero"`

	// ServiceInstalls: Services of the device.
	ServiceInstalls pine.Refs[ServiceInstall] `json:"service_install,omitzero"`
}

// Devices is the query for all rows of device that the client's credentials may see.
func (c *Client) Devices() pine.Query[Device] {
	return pine.From[Device](c.pine, "device", pine.Rules{Protected: true, Check: deviceRules.check})
}

// FleetID is the id of a row of application.
type FleetID = pine.ID[Fleet]

// Fleet is a fleet, which the API calls an application. Blocks, apps and host applications are of this type too.
type Fleet struct {
	ID FleetID `json:"id"`

	// UUID: 32 lower-case hexadecimal digits.
	UUID string `json:"uuid"`

	// Name: Unique within an organization only.
	Name string `json:"app_name"`

	// Slug: organization/fleet in lower case. Unique.
	Slug string `json:"slug"`

	// CreatedAt: When the fleet was created.
	CreatedAt *time.Time `json:"created_at"`

	// Organization: The organization that owns the fleet.
	Organization pine.Ref[Organization] `json:"organization,omitzero"`

	// DeviceType: The type of devices that the fleet is for.
	DeviceType pine.Ref[DeviceType] `json:"is_for__device_type,omitzero"`

	// TargetRelease: The release that devices without a pin should run.
	TargetRelease pine.Ref[Release] `json:"should_be_running__release,omitzero"`

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

	// SupportAccessUntil: Until when balena's support may access the fleet's devices. On balenaCloud only: never selected by default.
	SupportAccessUntil *time.Time `json:"is_accessible_by_support_until__date" pine:"optional"`

	// IsDiscoverable: Whether the fleet is shown on balenaHub. On balenaCloud only: never selected by default.
	IsDiscoverable *bool `json:"is_discoverable" pine:"optional"`

	// RepositoryURL: Where the source is. On balenaCloud only: never selected by default.
	RepositoryURL string `json:"is_stored_at__repository_url" pine:"optional"`

	// Actor: What acts when the fleet's key is used. Never selected by default.
	Actor pine.Ref[Actor] `json:"actor,omitzero" pine:"optional"`

	// Variables: Environment variables of all services of the fleet. Those of one service hang on Services.
	Variables pine.Refs[FleetVariable] `json:"application_environment_variable,omitzero"`

	// ConfigVariables: Configuration of the supervisor and the operating system.
	ConfigVariables pine.Refs[FleetConfigVariable] `json:"application_config_variable,omitzero"`

	// DirectlyAccessibleByUser: The users to whom the fleet belongs, rather than being merely public.
	DirectlyAccessibleByUser pine.Refs[User] `json:"is_directly_accessible_by__user,omitzero"`

	// Devices: The fleet's devices.
	Devices pine.Refs[Device] `json:"owns__device,omitzero"`

	// Releases: The fleet's releases.
	Releases pine.Refs[Release] `json:"owns__release,omitzero"`

	// Services: The fleet's services.
	Services pine.Refs[Service] `json:"service,omitzero"`

	// Tags: The fleet's tags.
	Tags pine.Refs[FleetTag] `json:"application_tag,omitzero"`
}

// Fleets is the query for all rows of application that the client's credentials may see.
func (c *Client) Fleets() pine.Query[Fleet] {
	return pine.From[Fleet](c.pine, "application", pine.Rules{Protected: true, Check: fleetRules.check})
}

// ReleaseID is the id of a row of release.
type ReleaseID = pine.ID[Release]

// Release is a release of a fleet.
type Release struct {
	ID ReleaseID `json:"id"`

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
	Fleet pine.Ref[Fleet] `json:"belongs_to__application,omitzero"`

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

	// SemverMajor: First part of Semver. Never selected by default.
	SemverMajor int64 `json:"semver_major" pine:"optional"`

	// SemverMinor: Second part of Semver. Never selected by default.
	SemverMinor int64 `json:"semver_minor" pine:"optional"`

	// SemverPatch: Third part of Semver. Never selected by default.
	SemverPatch int64 `json:"semver_patch" pine:"optional"`

	// SemverPrerelease: What stands behind a - in Semver; may be empty. Never selected by default.
	SemverPrerelease string `json:"semver_prerelease" pine:"optional"`

	// SemverBuild: What stands behind a + in Semver; may be empty. Never selected by default.
	SemverBuild string `json:"semver_build" pine:"optional"`

	// Variant: Of an operating system's release; may be empty. Never selected by default.
	Variant string `json:"variant" pine:"optional"`

	// Version: The version in its parts. Never selected by default. Computed by the server for each request.
	Version json.RawMessage `json:"version" pine:"optional"`

	// CreatedBy: The user who pushed the release. On balenaCloud only: never selected by default.
	CreatedBy pine.Ref[User] `json:"is_created_by__user,omitzero" pine:"optional"`

	// Tags: The release's tags.
	Tags pine.Refs[ReleaseTag] `json:"release_tag,omitzero"`

	// Composition: The compose file. Never selected by default.
	Composition json.RawMessage `json:"composition" pine:"optional"`

	// Contract: The contract. Never selected by default.
	Contract json.RawMessage `json:"contract" pine:"optional"`

	// BuildLog: Up to 1 MB. Never selected by default.
	BuildLog string `json:"build_log" pine:"optional"`

	// RunningOn: The devices that run the release.
	RunningOn pine.Refs[Device] `json:"is_running_on__device,omitzero"`

	// PinnedTo: The devices pinned to the release.
	PinnedTo pine.Refs[Device] `json:"is_pinned_to__device,omitzero"`

	// TargetOf: The fleets whose target the release is.
	TargetOf pine.Refs[Fleet] `json:"should_be_running_on__application,omitzero"`

	// ReleaseImages: The release's images.
	ReleaseImages pine.Refs[ReleaseImage] `json:"release_image,omitzero"`
}

// Releases is the query for all rows of release that the client's credentials may see.
func (c *Client) Releases() pine.Query[Release] { return pine.From[Release](c.pine, "release") }

// ServiceID is the id of a row of service.
type ServiceID = pine.ID[Service]

// Service is a service of a fleet.
type Service struct {
	ID ServiceID `json:"id"`

	// Name: Unique within the fleet.
	Name string `json:"service_name"`

	// CreatedAt: When the service was created.
	CreatedAt *time.Time `json:"created_at"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"application,omitzero"`

	// ServiceInstalls: Where the service is installed.
	ServiceInstalls pine.Refs[ServiceInstall] `json:"service_install,omitzero"`

	// Variables: Environment variables of the service on all devices of the fleet.
	Variables pine.Refs[ServiceVariable] `json:"service_environment_variable,omitzero"`
}

// Services is the query for all rows of service that the client's credentials may see.
func (c *Client) Services() pine.Query[Service] { return pine.From[Service](c.pine, "service") }

// ImageID is the id of a row of image.
type ImageID = pine.ID[Image]

// Image is a container image that a build made for a service.
type Image struct {
	ID ImageID `json:"id"`

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
	Service pine.Ref[Service] `json:"is_a_build_of__service,omitzero"`

	// Contract: The contract. Never selected by default.
	Contract json.RawMessage `json:"contract" pine:"optional"`

	// ReleaseImages: Which releases the image is part of.
	ReleaseImages pine.Refs[ReleaseImage] `json:"release_image,omitzero"`

	// ImageInstalls: On which devices the image is.
	ImageInstalls pine.Refs[ImageInstall] `json:"image_install,omitzero"`

	// Dockerfile: The Dockerfile. Never selected by default.
	Dockerfile string `json:"dockerfile" pine:"optional"`

	// BuildLog: Up to 1.5 MB. Never selected by default.
	BuildLog string `json:"build_log" pine:"optional"`
}

// Images is the query for all rows of image that the client's credentials may see.
func (c *Client) Images() pine.Query[Image] { return pine.From[Image](c.pine, "image") }

// ReleaseImageID is the id of a row of release_image.
type ReleaseImageID = pine.ID[ReleaseImage]

// ReleaseImage is an image of a release.
type ReleaseImage struct {
	ID ReleaseImageID `json:"id"`

	// Release: The release.
	Release pine.Ref[Release] `json:"release,omitzero"`

	// Image: The image.
	Image pine.Ref[Image] `json:"image,omitzero"`
}

// ReleaseImages is the query for all rows of release_image that the client's credentials may see.
func (c *Client) ReleaseImages() pine.Query[ReleaseImage] {
	return pine.From[ReleaseImage](c.pine, "release_image")
}

// ImageInstallID is the id of a row of image_install.
type ImageInstallID = pine.ID[ImageInstall]

// ImageInstall is an image on a device. Rows with status deleted stay for ever.
type ImageInstall struct {
	ID ImageInstallID `json:"id"`

	// InstalledAt: When the image was installed.
	InstalledAt *time.Time `json:"install_date"`

	// DownloadProgress: In percent; nil when nothing is downloaded.
	DownloadProgress *int64 `json:"download_progress"`

	// Status: For example Running, Downloading, Stopping, exited, Dead or deleted; lower-case ones come from the container engine.
	Status string `json:"status"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device,omitzero"`

	// Image: The image.
	Image pine.Ref[Image] `json:"installs__image,omitzero"`

	// Release: The release. It may be one of the supervisor or of the operating system.
	Release pine.Ref[Release] `json:"is_provided_by__release,omitzero"`
}

// ImageInstalls is the query for all rows of image_install that the client's credentials may see.
func (c *Client) ImageInstalls() pine.Query[ImageInstall] {
	return pine.From[ImageInstall](c.pine, "image_install")
}

// ServiceInstallID is the id of a row of service_install.
type ServiceInstallID = pine.ID[ServiceInstall]

// ServiceInstall is a service on a device. The server makes these rows, a moment after a device moved or got a release.
type ServiceInstall struct {
	ID ServiceInstallID `json:"id"`

	// CreatedAt: When the row was made.
	CreatedAt *time.Time `json:"created_at"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device,omitzero"`

	// Service: The service.
	Service pine.Ref[Service] `json:"installs__service,omitzero"`

	// Variables: Environment variables of the service on this device.
	Variables pine.Refs[DeviceServiceVariable] `json:"device_service_environment_variable,omitzero"`
}

// ServiceInstalls is the query for all rows of service_install that the client's credentials may see.
func (c *Client) ServiceInstalls() pine.Query[ServiceInstall] {
	return pine.From[ServiceInstall](c.pine, "service_install")
}

// DeviceTypeID is the id of a row of device_type.
type DeviceTypeID = pine.ID[DeviceType]

// DeviceType is a type of devices. The server shows device types to everybody.
type DeviceType struct {
	ID DeviceTypeID `json:"id"`

	// Slug: For example raspberrypi4-64.
	Slug string `json:"slug"`

	// Name: For example Raspberry Pi 4.
	Name string `json:"name"`

	// CreatedAt: When the type was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// CPUArchitecture: The architecture of its CPU.
	CPUArchitecture pine.Ref[CPUArchitecture] `json:"is_of__cpu_architecture,omitzero"`

	// IsPrivate: Whether the type is shown to its owner only. On balenaCloud only: never selected by default.
	IsPrivate *bool `json:"is_private" pine:"optional"`

	// Logo: Up to 400 kB. Never selected by default.
	Logo string `json:"logo" pine:"optional"`

	// Contract: Up to 5 MB. Never selected by default.
	Contract json.RawMessage `json:"contract" pine:"optional"`
}

// DeviceTypes is the query for all rows of device_type that the client's credentials may see.
func (c *Client) DeviceTypes() pine.Query[DeviceType] {
	return pine.From[DeviceType](c.pine, "device_type")
}

// OrganizationID is the id of a row of organization.
type OrganizationID = pine.ID[Organization]

// Organization is an organization, which owns fleets.
type Organization struct {
	ID OrganizationID `json:"id"`

	// Name: Free text.
	Name string `json:"name"`

	// Handle: First part of the slugs of its fleets. Unique.
	Handle string `json:"handle"`

	// CreatedAt: When the organization was created.
	CreatedAt *time.Time `json:"created_at"`

	// CompanyName: Free text. On balenaCloud only: never selected by default.
	CompanyName string `json:"company_name" pine:"optional"`

	// IsFrozen: Whether the organization is frozen for want of payment. On balenaCloud only: never selected by default.
	IsFrozen *bool `json:"is_frozen" pine:"optional"`

	// PastDueSince: Since when an invoice is past due. On balenaCloud only: never selected by default.
	PastDueSince *time.Time `json:"has_past_due_invoice_since__date" pine:"optional"`

	// Fleets: The organization's fleets.
	Fleets pine.Refs[Fleet] `json:"application,omitzero"`
}

// Organizations is the query for all rows of organization that the client's credentials may see.
func (c *Client) Organizations() pine.Query[Organization] {
	return pine.From[Organization](c.pine, "organization", pine.Rules{Protected: true})
}

// DeviceTagID is the id of a row of device_tag.
type DeviceTagID = pine.ID[DeviceTag]

// DeviceTag is a tag of a device.
type DeviceTag struct {
	ID DeviceTagID `json:"id"`

	// Key: Without white space; unique for the device.
	Key string `json:"tag_key"`

	// Value: May be empty.
	Value string `json:"value"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device,omitzero"`
}

// DeviceTags is the query for all rows of device_tag that the client's credentials may see.
func (c *Client) DeviceTags() pine.Query[DeviceTag] {
	return pine.From[DeviceTag](c.pine, "device_tag", pine.Rules{Check: tagRules.limited(60158).check})
}

// FleetTagID is the id of a row of application_tag.
type FleetTagID = pine.ID[FleetTag]

// FleetTag is a tag of a fleet.
type FleetTag struct {
	ID FleetTagID `json:"id"`

	// Key: Without white space; unique for the fleet.
	Key string `json:"tag_key"`

	// Value: May be empty.
	Value string `json:"value"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"application,omitzero"`
}

// FleetTags is the query for all rows of application_tag that the client's credentials may see.
func (c *Client) FleetTags() pine.Query[FleetTag] {
	return pine.From[FleetTag](c.pine, "application_tag", pine.Rules{Check: tagRules.limited(1000).check})
}

// UserID is the id of a row of user.
type UserID = pine.ID[User]

// User is a user of the API.
type User struct {
	ID UserID `json:"id"`

	// Name: Unique.
	Name string `json:"username"`

	// Actor: What acts when the user's keys are used. Never selected by default.
	Actor pine.Ref[Actor] `json:"actor,omitzero" pine:"optional"`

	// CreatedAt: When the user was created.
	CreatedAt *time.Time `json:"created_at"`
}

// Users is the query for all rows of user that the client's credentials may see.
func (c *Client) Users() pine.Query[User] { return pine.From[User](c.pine, "user") }

// ReleaseTagID is the id of a row of release_tag.
type ReleaseTagID = pine.ID[ReleaseTag]

// ReleaseTag is a tag of a release.
type ReleaseTag struct {
	ID ReleaseTagID `json:"id"`

	// Key: Without white space; unique for the release.
	Key string `json:"tag_key"`

	// Value: May be empty.
	Value string `json:"value"`

	// Release: The release.
	Release pine.Ref[Release] `json:"release,omitzero"`
}

// ReleaseTags is the query for all rows of release_tag that the client's credentials may see.
func (c *Client) ReleaseTags() pine.Query[ReleaseTag] {
	return pine.From[ReleaseTag](c.pine, "release_tag", pine.Rules{Check: tagRules.limited(1000).check})
}

// DeviceVariableID is the id of a row of device_environment_variable.
type DeviceVariableID = pine.ID[DeviceVariable]

// DeviceVariable is an environment variable of all services on a device.
type DeviceVariable struct {
	ID DeviceVariableID `json:"id"`

	// Name: Letters, digits and underscores, not beginning with a digit, BALENA_ or RESIN_.
	Name string `json:"name"`

	// Value: Without line breaks; may be empty, and secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device,omitzero"`
}

// DeviceVariables is the query for all rows of device_environment_variable that the client's credentials may see.
func (c *Client) DeviceVariables() pine.Query[DeviceVariable] {
	return pine.From[DeviceVariable](c.pine, "device_environment_variable", pine.Rules{Check: environmentRules.limited(515798).check})
}

// DeviceServiceVariableID is the id of a row of device_service_environment_variable.
type DeviceServiceVariableID = pine.ID[DeviceServiceVariable]

// DeviceServiceVariable is an environment variable of one service on a device.
type DeviceServiceVariable struct {
	ID DeviceServiceVariableID `json:"id"`

	// Name: Letters, digits and underscores, not beginning with a digit, BALENA_ or RESIN_.
	Name string `json:"name"`

	// Value: Without line breaks; may be empty, and secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// ServiceInstall: The service on the device.
	ServiceInstall pine.Ref[ServiceInstall] `json:"service_install,omitzero"`
}

// DeviceServiceVariables is the query for all rows of device_service_environment_variable that the client's credentials may see.
func (c *Client) DeviceServiceVariables() pine.Query[DeviceServiceVariable] {
	return pine.From[DeviceServiceVariable](c.pine, "device_service_environment_variable", pine.Rules{Check: environmentRules.limited(285082).check})
}

// FleetVariableID is the id of a row of application_environment_variable.
type FleetVariableID = pine.ID[FleetVariable]

// FleetVariable is an environment variable of all services of a fleet.
type FleetVariable struct {
	ID FleetVariableID `json:"id"`

	// Name: Letters, digits and underscores, not beginning with a digit, BALENA_ or RESIN_.
	Name string `json:"name"`

	// Value: Without line breaks; may be empty, and secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"application,omitzero"`
}

// FleetVariables is the query for all rows of application_environment_variable that the client's credentials may see.
func (c *Client) FleetVariables() pine.Query[FleetVariable] {
	return pine.From[FleetVariable](c.pine, "application_environment_variable", pine.Rules{Check: environmentRules.limited(106104).check})
}

// ServiceVariableID is the id of a row of service_environment_variable.
type ServiceVariableID = pine.ID[ServiceVariable]

// ServiceVariable is an environment variable of one service of a fleet.
type ServiceVariable struct {
	ID ServiceVariableID `json:"id"`

	// Name: Letters, digits and underscores, not beginning with a digit, BALENA_ or RESIN_.
	Name string `json:"name"`

	// Value: Without line breaks; may be empty, and secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// Service: The service.
	Service pine.Ref[Service] `json:"service,omitzero"`
}

// ServiceVariables is the query for all rows of service_environment_variable that the client's credentials may see.
func (c *Client) ServiceVariables() pine.Query[ServiceVariable] {
	return pine.From[ServiceVariable](c.pine, "service_environment_variable", pine.Rules{Check: environmentRules.limited(100000).check})
}

// DeviceConfigVariableID is the id of a row of device_config_variable.
type DeviceConfigVariableID = pine.ID[DeviceConfigVariable]

// DeviceConfigVariable is a configuration variable of a device.
type DeviceConfigVariable struct {
	ID DeviceConfigVariableID `json:"id"`

	// Name: Begins with BALENA_ or RESIN_.
	Name string `json:"name"`

	// Value: Without line breaks; may be empty, and secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device,omitzero"`
}

// DeviceConfigVariables is the query for all rows of device_config_variable that the client's credentials may see.
func (c *Client) DeviceConfigVariables() pine.Query[DeviceConfigVariable] {
	return pine.From[DeviceConfigVariable](c.pine, "device_config_variable", pine.Rules{Check: configRules.limited(372340).check})
}

// FleetConfigVariableID is the id of a row of application_config_variable.
type FleetConfigVariableID = pine.ID[FleetConfigVariable]

// FleetConfigVariable is a configuration variable of a fleet.
type FleetConfigVariable struct {
	ID FleetConfigVariableID `json:"id"`

	// Name: Begins with BALENA_ or RESIN_.
	Name string `json:"name"`

	// Value: Without line breaks; may be empty, and secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"application,omitzero"`
}

// FleetConfigVariables is the query for all rows of application_config_variable that the client's credentials may see.
func (c *Client) FleetConfigVariables() pine.Query[FleetConfigVariable] {
	return pine.From[FleetConfigVariable](c.pine, "application_config_variable", pine.Rules{Check: configRules.limited(492001).check})
}

// CPUArchitectureID is the id of a row of cpu_architecture.
type CPUArchitectureID = pine.ID[CPUArchitecture]

// CPUArchitecture is an architecture of CPUs. The server shows architectures to everybody.
type CPUArchitecture struct {
	ID CPUArchitectureID `json:"id"`

	// Slug: For example aarch64, armv7hf, rpi, amd64 or i386.
	Slug string `json:"slug"`
}

// CPUArchitectures is the query for all rows of cpu_architecture that the client's credentials may see.
func (c *Client) CPUArchitectures() pine.Query[CPUArchitecture] {
	return pine.From[CPUArchitecture](c.pine, "cpu_architecture")
}

// APIKeyID is the id of a row of api_key.
type APIKeyID = pine.ID[APIKey]

// APIKey describes an API key. The key itself cannot be read. A user sees the keys of that user.
type APIKey struct {
	ID APIKeyID `json:"id"`

	// Name: Free text.
	Name string `json:"name"`

	// Description: Free text.
	Description string `json:"description"`

	// CreatedAt: When the key was created.
	CreatedAt *time.Time `json:"created_at"`

	// ExpiresAt: When the key expires; nil if it does not.
	ExpiresAt *time.Time `json:"expiry_date"`

	// Actor: Who acts when the key is used: see [WhoAmI.ActorID].
	Actor pine.Ref[Actor] `json:"is_of__actor,omitzero"`
}

// APIKeys is the query for all rows of api_key that the client's credentials may see.
func (c *Client) APIKeys() pine.Query[APIKey] { return pine.From[APIKey](c.pine, "api_key") }

// DeviceHistoryID is the id of a row of device_history.
type DeviceHistoryID = pine.ID[DeviceHistory]

// DeviceHistory says what a device was for a time. A row begins when one of its fields changes; connectivity is not among them.
type DeviceHistory struct {
	ID DeviceHistoryID `json:"id"`

	// CreatedAt: When the time began.
	CreatedAt *time.Time `json:"created_at"`

	// EndedAt: When it ended; nil if it has not.
	EndedAt *time.Time `json:"end_timestamp"`

	// Device: The device.
	Device pine.Ref[Device] `json:"tracks__device,omitzero"`

	// UUID: The device's.
	UUID string `json:"uuid"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"belongs_to__application,omitzero"`

	// IsActive: Whether the device was active.
	IsActive *bool `json:"is_active"`

	// RunningRelease: The release that the device ran.
	RunningRelease pine.Ref[Release] `json:"is_running__release,omitzero"`

	// PinnedRelease: The release that the device was pinned to.
	PinnedRelease pine.Ref[Release] `json:"is_pinned_on__release,omitzero"`

	// TargetSupervisorRelease: Target release of the supervisor.
	TargetSupervisorRelease pine.Ref[Release] `json:"should_be_managed_by__release,omitzero"`

	// DeviceType: The device's type.
	DeviceType pine.Ref[DeviceType] `json:"is_of__device_type,omitzero"`

	// OSVersion: For example balenaOS 6.1.2.
	OSVersion string `json:"os_version"`

	// OSVariant: prod or dev.
	OSVariant string `json:"os_variant"`

	// SupervisorVersion: Version of the supervisor.
	SupervisorVersion string `json:"supervisor_version"`

	// CPUID: Serial number of the CPU.
	CPUID string `json:"cpu_id"`

	// CreatedBy: Who made the change that began the time.
	CreatedBy pine.Ref[Actor] `json:"is_created_by__actor,omitzero"`

	// EndedBy: Who made the change that ended it.
	EndedBy pine.Ref[Actor] `json:"is_ended_by__actor,omitzero"`
}

// DeviceHistory is the query for all rows of device_history that the client's credentials may see. On balenaCloud only: another
// server answers [ErrUnauthorized].
func (c *Client) DeviceHistory() pine.Query[DeviceHistory] {
	return pine.From[DeviceHistory](c.pine, "device_history")
}

// ActorID is the id of a row of actor.
type ActorID = pine.ID[Actor]

// Actor is who acts when credentials are used. The server shows actors to nobody; they are referred to by id.
type Actor struct {
	ID ActorID `json:"id"`
}

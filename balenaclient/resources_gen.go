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

	// Name: Need not be unique, not even within a fleet.
	Name string `json:"device_name"`

	// CreatedAt: When the device was registered.
	CreatedAt *time.Time `json:"created_at"`

	// ModifiedAt: When the row last changed in any way.
	ModifiedAt *time.Time `json:"modified_at"`

	// Fleet: The fleet that the device belongs to. A device may have none.
	Fleet pine.Ref[Fleet] `json:"belongs_to__application,omitzero"`

	// DeviceType: The device's type.
	DeviceType pine.Ref[DeviceType] `json:"is_of__device_type,omitzero"`

	// IsOnline: Whether the device is online. Follows IsConnectedToVPN; a heartbeat alone does not make a device online.
	IsOnline bool `json:"is_online"`

	// LastConnectivityEvent: When IsOnline last changed; nil if the device never connected.
	LastConnectivityEvent *time.Time `json:"last_connectivity_event"`

	// IsConnectedToVPN: Whether the device is connected to the balena VPN (cloudlink).
	IsConnectedToVPN bool `json:"is_connected_to_vpn"`

	// LastVPNEvent: When IsConnectedToVPN last changed.
	LastVPNEvent *time.Time `json:"last_vpn_event"`

	// HeartbeatState: Whether the device polls for its target state: online, timeout (for some 15 s), offline or unknown (never seen). A dead device stays online for 1.5 times its poll interval.
	HeartbeatState string `json:"api_heartbeat_state"`

	// HeartbeatChangedAt: When HeartbeatState last changed.
	HeartbeatChangedAt *time.Time `json:"changed_api_heartbeat_state_on__date"`

	// OverallStatus: Status shown on the dashboard: operational, reduced-functionality, disconnected, updating, configuring, post-provisioning or inactive. More values may be added. Computed by the server for each request.
	OverallStatus string `json:"overall_status"`

	// OverallProgress: Progress of the current download or update in percent; nil if there is none. Computed by the server for each request.
	OverallProgress *int64 `json:"overall_progress"`

	// Status: Status of the supervisor, such as Idle.
	Status string `json:"status"`

	// ProvisioningState: Post-Provisioning, or a message about an update of the operating system.
	ProvisioningState string `json:"provisioning_state"`

	// ProvisioningProgress: Progress of the provisioning in percent.
	ProvisioningProgress *int64 `json:"provisioning_progress"`

	// DownloadProgress: Progress of the download in percent, reported by old supervisors only.
	DownloadProgress *int64 `json:"download_progress"`

	// UpdateStatus: State of the release update: rejected, downloading, downloaded, applying changes, aborted or done. Reported by supervisor 16.7 and later.
	UpdateStatus string `json:"update_status"`

	// LastUpdateStatusEvent: When UpdateStatus was last reported.
	LastUpdateStatusEvent *time.Time `json:"last_update_status_event"`

	// RunningRelease: The release that the device runs.
	RunningRelease pine.Ref[Release] `json:"is_running__release,omitzero"`

	// TargetRelease: The release that the device should run: its pin, or else its fleet's target. To find pinned devices filter by PinnedRelease. Computed by the server for each request.
	TargetRelease pine.Ref[Release] `json:"should_be_running__release,omitzero"`

	// PinnedRelease: The release that the device is pinned to; none if it tracks its fleet.
	PinnedRelease pine.Ref[Release] `json:"is_pinned_on__release,omitzero"`

	// TargetOSRelease: Target release of the operating system.
	TargetOSRelease pine.Ref[Release] `json:"should_be_operated_by__release,omitzero"`

	// TargetSupervisorRelease: Target release of the supervisor.
	TargetSupervisorRelease pine.Ref[Release] `json:"should_be_managed_by__release,omitzero"`

	// OSVersion: Name and version of the operating system, for example balenaOS 6.1.2.
	OSVersion string `json:"os_version"`

	// OSVariant: Variant of the operating system: prod or dev.
	OSVariant string `json:"os_variant"`

	// SupervisorVersion: Version of the supervisor.
	SupervisorVersion string `json:"supervisor_version"`

	// MemoryUsage: Used memory in MiB, without caches and buffers. Reported in steps of 10 MiB, at most every 5 minutes; kept when the device disconnects.
	MemoryUsage *int64 `json:"memory_usage"`

	// MemoryTotal: Installed memory in MiB.
	MemoryTotal *int64 `json:"memory_total"`

	// StorageUsage: Used space of the data partition in MiB. Kept when the device disconnects.
	StorageUsage *int64 `json:"storage_usage"`

	// StorageTotal: Size of the data partition in MiB.
	StorageTotal *int64 `json:"storage_total"`

	// StorageBlockDevice: Block device of the data partition, for example /dev/mmcblk0p6.
	StorageBlockDevice string `json:"storage_block_device"`

	// CPUUsage: CPU usage in percent, averaged over the cores. Reported in steps of 20, at most every 5 minutes; kept when the device disconnects.
	CPUUsage *int64 `json:"cpu_usage"`

	// CPUTemp: CPU temperature in °C. Reported in steps of 5, at most every 5 minutes; kept when the device disconnects. Some boards without a sensor report -1.
	CPUTemp *int64 `json:"cpu_temp"`

	// CPUID: Serial number of the CPU.
	CPUID string `json:"cpu_id"`

	// IsUndervolted: Whether the supply voltage has been too low since the device booted.
	IsUndervolted bool `json:"is_undervolted"`

	// IPAddress: Local IP addresses, separated by spaces.
	IPAddress string `json:"ip_address"`

	// MACAddress: MAC addresses, separated by spaces.
	MACAddress string `json:"mac_address"`

	// PublicAddress: IP address that the API sees.
	PublicAddress string `json:"public_address"`

	// IsWebAccessible: Whether the public device URL is enabled.
	IsWebAccessible bool `json:"is_web_accessible"`

	// LocalID: Identifier in local mode.
	LocalID string `json:"local_id"`

	// Note: Free text.
	Note string `json:"note"`

	// LockedUntil: When the lock on updates expires.
	LockedUntil *time.Time `json:"is_locked_until__date"`

	// IsActive: Whether the device is active; false if it was deactivated or is only preregistered. On balenaCloud only; never selected by default.
	IsActive *bool `json:"is_active" pine:"optional"`

	// IsFrozen: Whether the device is frozen: its payment is overdue or the plan's allowance is exceeded. On balenaCloud only; never selected by default.
	IsFrozen *bool `json:"is_frozen" pine:"optional"`

	// Latitude: Effective latitude in decimal degrees. On balenaCloud only; never selected by default.
	Latitude string `json:"latitude" pine:"optional"`

	// Longitude: Effective longitude in decimal degrees. On balenaCloud only; never selected by default.
	Longitude string `json:"longitude" pine:"optional"`

	// Location: Place of the device: city and country. On balenaCloud only; never selected by default.
	Location string `json:"location" pine:"optional"`

	// CustomLatitude: Latitude set by a user, in decimal degrees. On balenaCloud only; never selected by default.
	CustomLatitude string `json:"custom_latitude" pine:"optional"`

	// CustomLongitude: Longitude set by a user, in decimal degrees. On balenaCloud only; never selected by default.
	CustomLongitude string `json:"custom_longitude" pine:"optional"`

	// SupportAccessUntil: When the access of balena's support to the device expires. On balenaCloud only; never selected by default.
	SupportAccessUntil *time.Time `json:"is_accessible_by_support_until__date" pine:"optional"`

	// CreatedBy: The user who registered the device. On balenaCloud only; never selected by default.
	CreatedBy pine.Ref[User] `json:"belongs_to__user,omitzero" pine:"optional"`

	// Actor: The actor behind the device's API key. Never selected by default.
	Actor pine.Ref[Actor] `json:"actor,omitzero" pine:"optional"`

	// Tags: The device's tags.
	Tags pine.Refs[DeviceTag] `json:"device_tag,omitzero"`

	// Variables: Environment variables for all services on the device. Those for one service belong to ServiceInstalls.
	Variables pine.Refs[DeviceVariable] `json:"device_environment_variable,omitzero"`

	// ConfigVariables: Configuration of the supervisor and the operating system.
	ConfigVariables pine.Refs[DeviceConfigVariable] `json:"device_config_variable,omitzero"`

	// ImageInstalls: Images on the device, including deleted ones: filter by Status.
	ImageInstalls pine.Refs[ImageInstall] `json:"image_install,omitzero"`

	// ServiceInstalls: Services of the device.
	ServiceInstalls pine.Refs[ServiceInstall] `json:"service_install,omitzero"`
}

// String returns Name or, if that was not fetched, the id.
func (row Device) String() string { return label("device", int64(row.ID), row.Name) }

// Devices returns the query for all rows of device that the credentials may see.
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

	// Name: Unique only within an organization.
	Name string `json:"app_name"`

	// Slug: organization/fleet in lower case. Unique.
	Slug string `json:"slug"`

	// CreatedAt: When the fleet was created.
	CreatedAt *time.Time `json:"created_at"`

	// Organization: The organization that owns the fleet.
	Organization pine.Ref[Organization] `json:"organization,omitzero"`

	// DeviceType: The default type of its devices.
	DeviceType pine.Ref[DeviceType] `json:"is_for__device_type,omitzero"`

	// TargetRelease: The release that devices without a pin should run.
	TargetRelease pine.Ref[Release] `json:"should_be_running__release,omitzero"`

	// TracksLatestRelease: Whether TargetRelease tracks the latest final release.
	TracksLatestRelease bool `json:"should_track_latest_release"`

	// Class: fleet, block or app.
	Class string `json:"is_of__class"`

	// IsHost: Whether its releases are of the host operating system.
	IsHost bool `json:"is_host"`

	// IsArchived: Whether the fleet is archived.
	IsArchived bool `json:"is_archived"`

	// IsPublic: Whether everybody can see the fleet.
	IsPublic bool `json:"is_public"`

	// SupportAccessUntil: When the access of balena's support to the fleet's devices expires. On balenaCloud only; never selected by default.
	SupportAccessUntil *time.Time `json:"is_accessible_by_support_until__date" pine:"optional"`

	// IsDiscoverable: Whether the fleet is shown on balenaHub. On balenaCloud only; never selected by default.
	IsDiscoverable *bool `json:"is_discoverable" pine:"optional"`

	// RepositoryURL: URL of the source repository. On balenaCloud only; never selected by default.
	RepositoryURL string `json:"is_stored_at__repository_url" pine:"optional"`

	// Actor: The actor behind the fleet's API key. Never selected by default.
	Actor pine.Ref[Actor] `json:"actor,omitzero" pine:"optional"`

	// Variables: Environment variables for all services of the fleet. Those for one service belong to Services.
	Variables pine.Refs[FleetVariable] `json:"application_environment_variable,omitzero"`

	// ConfigVariables: Configuration of the supervisor and the operating system.
	ConfigVariables pine.Refs[FleetConfigVariable] `json:"application_config_variable,omitzero"`

	// DirectlyAccessibleByUser: The users with access to the fleet beyond its being public.
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

// String returns Slug or, if that was not fetched, the id.
func (row Fleet) String() string { return label("fleet", int64(row.ID), row.Slug) }

// AllFleets returns the query for all rows of application that the credentials may see.
func (c *Client) AllFleets() pine.Query[Fleet] {
	return pine.From[Fleet](c.pine, "application", pine.Rules{Protected: true, Check: fleetRules.check})
}

// ReleaseID is the id of a row of release.
type ReleaseID = pine.ID[Release]

// Release is a release of a fleet.
type Release struct {
	ID ReleaseID `json:"id"`

	// Commit: Commit of the release. Need not be unique, not even within a fleet.
	Commit string `json:"commit"`

	// RawVersion: For example 1.2.3, 1.2.3+rev1, or 1.2.3-1700000000000 for a draft. Computed by the server for each request.
	RawVersion string `json:"raw_version"`

	// Semver: Version without the revision. Computed by the server for each request.
	Semver string `json:"semver"`

	// Revision: Number of the final release among those of the same Semver, from 0; nil for a draft.
	Revision *int64 `json:"revision"`

	// CreatedAt: When the release was created.
	CreatedAt *time.Time `json:"created_at"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"belongs_to__application,omitzero"`

	// Status: Status of the build: running, success, failed, error, cancelled or interrupted.
	Status string `json:"status"`

	// Source: Where the release was built: cloud or local.
	Source string `json:"source"`

	// IsFinal: Whether the release is final rather than a draft. Computed by the server for each request.
	IsFinal bool `json:"is_final"`

	// FinalizedAt: When the release became final.
	FinalizedAt *time.Time `json:"is_finalized_at__date"`

	// IsInvalidated: Whether the release must no longer be used.
	IsInvalidated bool `json:"is_invalidated"`

	// InvalidationReason: Free text.
	InvalidationReason string `json:"invalidation_reason"`

	// IsPassingTests: Whether the release passes its tests.
	IsPassingTests bool `json:"is_passing_tests"`

	// Phase: next, current, sunset or end-of-life.
	Phase string `json:"phase"`

	// StartedAt: When the build started.
	StartedAt *time.Time `json:"start_timestamp"`

	// EndedAt: When the build ended; nil while it is running.
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

	// SemverPrerelease: Part of Semver after the -; may be empty. Never selected by default.
	SemverPrerelease string `json:"semver_prerelease" pine:"optional"`

	// SemverBuild: Part of Semver after the +; may be empty. Never selected by default.
	SemverBuild string `json:"semver_build" pine:"optional"`

	// Variant: Variant of a release of the operating system; may be empty. Never selected by default.
	Variant string `json:"variant" pine:"optional"`

	// Version: The parsed version. Never selected by default. Computed by the server for each request.
	Version json.RawMessage `json:"version" pine:"optional"`

	// CreatedBy: The user who pushed the release. On balenaCloud only; never selected by default.
	CreatedBy pine.Ref[User] `json:"is_created_by__user,omitzero" pine:"optional"`

	// Tags: The release's tags.
	Tags pine.Refs[ReleaseTag] `json:"release_tag,omitzero"`

	// Composition: The compose file. Never selected by default.
	Composition json.RawMessage `json:"composition" pine:"optional"`

	// Contract: The contract. Never selected by default.
	Contract json.RawMessage `json:"contract" pine:"optional"`

	// BuildLog: Log of the build, up to 1 MB. Never selected by default.
	BuildLog string `json:"build_log" pine:"optional"`

	// RunningOn: The devices that run the release.
	RunningOn pine.Refs[Device] `json:"is_running_on__device,omitzero"`

	// PinnedTo: The devices pinned to the release.
	PinnedTo pine.Refs[Device] `json:"is_pinned_to__device,omitzero"`

	// TargetOf: The fleets whose target is the release.
	TargetOf pine.Refs[Fleet] `json:"should_be_running_on__application,omitzero"`

	// ReleaseImages: The release's images.
	ReleaseImages pine.Refs[ReleaseImage] `json:"release_image,omitzero"`
}

// String returns RawVersion or, if that was not fetched, the id.
func (row Release) String() string { return label("release", int64(row.ID), row.RawVersion) }

// Releases returns the query for all rows of release that the credentials may see.
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

	// ServiceInstalls: Installations of the service on devices.
	ServiceInstalls pine.Refs[ServiceInstall] `json:"service_install,omitzero"`

	// Variables: Environment variables for the service on all devices of the fleet.
	Variables pine.Refs[ServiceVariable] `json:"service_environment_variable,omitzero"`
}

// String returns Name or, if that was not fetched, the id.
func (row Service) String() string { return label("service", int64(row.ID), row.Name) }

// Services returns the query for all rows of service that the credentials may see.
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

	// Status: Status of the build, as of a release.
	Status string `json:"status"`

	// Size: Size in bytes.
	Size *int64 `json:"image_size,string"`

	// Location: Location of the image in the registry.
	Location string `json:"is_stored_at__image_location"`

	// ContentHash: Digest of the content, sha256:….
	ContentHash string `json:"content_hash"`

	// ProjectType: Type of the project, for example Standard Dockerfile.
	ProjectType string `json:"project_type"`

	// ErrorMessage: Why the build failed.
	ErrorMessage string `json:"error_message"`

	// Service: The service.
	Service pine.Ref[Service] `json:"is_a_build_of__service,omitzero"`

	// Contract: The contract. Never selected by default.
	Contract json.RawMessage `json:"contract" pine:"optional"`

	// ReleaseImages: The releases that contain the image.
	ReleaseImages pine.Refs[ReleaseImage] `json:"release_image,omitzero"`

	// ImageInstalls: Installations of the image on devices.
	ImageInstalls pine.Refs[ImageInstall] `json:"image_install,omitzero"`

	// Dockerfile: The Dockerfile. Never selected by default.
	Dockerfile string `json:"dockerfile" pine:"optional"`

	// BuildLog: Log of the build, up to 1.5 MB. Never selected by default.
	BuildLog string `json:"build_log" pine:"optional"`
}

// String returns Location or, if that was not fetched, the id.
func (row Image) String() string { return label("image", int64(row.ID), row.Location) }

// Images returns the query for all rows of image that the credentials may see.
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

// ReleaseImages returns the query for all rows of release_image that the credentials may see.
func (c *Client) ReleaseImages() pine.Query[ReleaseImage] {
	return pine.From[ReleaseImage](c.pine, "release_image")
}

// ImageInstallID is the id of a row of image_install.
type ImageInstallID = pine.ID[ImageInstall]

// ImageInstall is an image on a device. Rows with Status deleted are kept forever.
type ImageInstall struct {
	ID ImageInstallID `json:"id"`

	// InstalledAt: When the image was installed.
	InstalledAt *time.Time `json:"install_date"`

	// DownloadProgress: Progress of the download in percent; nil if there is none.
	DownloadProgress *int64 `json:"download_progress"`

	// Status: For example Running, Downloading, Stopping, exited, Dead or deleted. Those in lower case come from the container engine.
	Status string `json:"status"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device,omitzero"`

	// Image: The image.
	Image pine.Ref[Image] `json:"installs__image,omitzero"`

	// Release: The release, which may be one of the supervisor or of the operating system.
	Release pine.Ref[Release] `json:"is_provided_by__release,omitzero"`
}

// ImageInstalls returns the query for all rows of image_install that the credentials may see.
func (c *Client) ImageInstalls() pine.Query[ImageInstall] {
	return pine.From[ImageInstall](c.pine, "image_install")
}

// ServiceInstallID is the id of a row of service_install.
type ServiceInstallID = pine.ID[ServiceInstall]

// ServiceInstall is a service on a device. The server creates these rows a moment after a device moves or gets a release.
type ServiceInstall struct {
	ID ServiceInstallID `json:"id"`

	// CreatedAt: When the service was installed.
	CreatedAt *time.Time `json:"created_at"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device,omitzero"`

	// Service: The service.
	Service pine.Ref[Service] `json:"installs__service,omitzero"`

	// Variables: Environment variables for the service on this device.
	Variables pine.Refs[DeviceServiceVariable] `json:"device_service_environment_variable,omitzero"`
}

// ServiceInstalls returns the query for all rows of service_install that the credentials may see.
func (c *Client) ServiceInstalls() pine.Query[ServiceInstall] {
	return pine.From[ServiceInstall](c.pine, "service_install")
}

// DeviceTypeID is the id of a row of device_type.
type DeviceTypeID = pine.ID[DeviceType]

// DeviceType is a type of device. Everybody can see device types.
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

	// IsPrivate: Whether only its owner can see the type. On balenaCloud only; never selected by default.
	IsPrivate *bool `json:"is_private" pine:"optional"`

	// Logo: The logo, up to 400 kB. Never selected by default.
	Logo string `json:"logo" pine:"optional"`

	// Contract: The contract, up to 5 MB. Never selected by default.
	Contract json.RawMessage `json:"contract" pine:"optional"`
}

// String returns Slug or, if that was not fetched, the id.
func (row DeviceType) String() string { return label("device type", int64(row.ID), row.Slug) }

// DeviceTypes returns the query for all rows of device_type that the credentials may see.
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

	// CompanyName: Free text. On balenaCloud only; never selected by default.
	CompanyName string `json:"company_name" pine:"optional"`

	// IsFrozen: Whether the organization is frozen. On balenaCloud only; never selected by default.
	IsFrozen *bool `json:"is_frozen" pine:"optional"`

	// PastDueSince: When an invoice became past due; nil if none is. On balenaCloud only; never selected by default.
	PastDueSince *time.Time `json:"has_past_due_invoice_since__date" pine:"optional"`

	// Fleets: The organization's fleets.
	Fleets pine.Refs[Fleet] `json:"application,omitzero"`
}

// String returns Handle or, if that was not fetched, the id.
func (row Organization) String() string { return label("organization", int64(row.ID), row.Handle) }

// Organizations returns the query for all rows of organization that the credentials may see.
func (c *Client) Organizations() pine.Query[Organization] {
	return pine.From[Organization](c.pine, "organization", pine.Rules{Protected: true})
}

// DeviceTagID is the id of a row of device_tag.
type DeviceTagID = pine.ID[DeviceTag]

// DeviceTag is a tag of a device.
type DeviceTag struct {
	ID DeviceTagID `json:"id"`

	// Key: Without white space. Unique for the device.
	Key string `json:"tag_key"`

	// Value: May be empty.
	Value string `json:"value"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device,omitzero"`
}

// String returns Key or, if that was not fetched, the id.
func (row DeviceTag) String() string { return label("device tag", int64(row.ID), row.Key) }

// DeviceTags returns the query for all rows of device_tag that the credentials may see.
func (c *Client) DeviceTags() pine.Query[DeviceTag] {
	return pine.From[DeviceTag](c.pine, "device_tag", pine.Rules{Check: tagRules.limited(60158).check})
}

// FleetTagID is the id of a row of application_tag.
type FleetTagID = pine.ID[FleetTag]

// FleetTag is a tag of a fleet.
type FleetTag struct {
	ID FleetTagID `json:"id"`

	// Key: Without white space. Unique for the fleet.
	Key string `json:"tag_key"`

	// Value: May be empty.
	Value string `json:"value"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"application,omitzero"`
}

// String returns Key or, if that was not fetched, the id.
func (row FleetTag) String() string { return label("fleet tag", int64(row.ID), row.Key) }

// FleetTags returns the query for all rows of application_tag that the credentials may see.
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

	// Actor: The actor behind the user's API keys. Never selected by default.
	Actor pine.Ref[Actor] `json:"actor,omitzero" pine:"optional"`

	// CreatedAt: When the user was created.
	CreatedAt *time.Time `json:"created_at"`
}

// String returns Name or, if that was not fetched, the id.
func (row User) String() string { return label("user", int64(row.ID), row.Name) }

// Users returns the query for all rows of user that the credentials may see.
func (c *Client) Users() pine.Query[User] { return pine.From[User](c.pine, "user") }

// ReleaseTagID is the id of a row of release_tag.
type ReleaseTagID = pine.ID[ReleaseTag]

// ReleaseTag is a tag of a release.
type ReleaseTag struct {
	ID ReleaseTagID `json:"id"`

	// Key: Without white space. Unique for the release.
	Key string `json:"tag_key"`

	// Value: May be empty.
	Value string `json:"value"`

	// Release: The release.
	Release pine.Ref[Release] `json:"release,omitzero"`
}

// String returns Key or, if that was not fetched, the id.
func (row ReleaseTag) String() string { return label("release tag", int64(row.ID), row.Key) }

// ReleaseTags returns the query for all rows of release_tag that the credentials may see.
func (c *Client) ReleaseTags() pine.Query[ReleaseTag] {
	return pine.From[ReleaseTag](c.pine, "release_tag", pine.Rules{Check: tagRules.limited(1000).check})
}

// DeviceVariableID is the id of a row of device_environment_variable.
type DeviceVariableID = pine.ID[DeviceVariable]

// DeviceVariable is an environment variable for all services on a device.
type DeviceVariable struct {
	ID DeviceVariableID `json:"id"`

	// Name: Consists of letters, digits and underscores, and does not begin with a digit, BALENA_ or RESIN_.
	Name string `json:"name"`

	// Value: A string without line breaks. May be empty; may be secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device,omitzero"`
}

// String returns Name or, if that was not fetched, the id.
func (row DeviceVariable) String() string { return label("device variable", int64(row.ID), row.Name) }

// DeviceVariables returns the query for all rows of device_environment_variable that the credentials may see.
func (c *Client) DeviceVariables() pine.Query[DeviceVariable] {
	return pine.From[DeviceVariable](c.pine, "device_environment_variable", pine.Rules{Check: environmentRules.limited(515798).check})
}

// DeviceServiceVariableID is the id of a row of device_service_environment_variable.
type DeviceServiceVariableID = pine.ID[DeviceServiceVariable]

// DeviceServiceVariable is an environment variable for one service on a device.
type DeviceServiceVariable struct {
	ID DeviceServiceVariableID `json:"id"`

	// Name: Consists of letters, digits and underscores, and does not begin with a digit, BALENA_ or RESIN_.
	Name string `json:"name"`

	// Value: A string without line breaks. May be empty; may be secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// ServiceInstall: The service on the device.
	ServiceInstall pine.Ref[ServiceInstall] `json:"service_install,omitzero"`
}

// String returns Name or, if that was not fetched, the id.
func (row DeviceServiceVariable) String() string {
	return label("device service variable", int64(row.ID), row.Name)
}

// DeviceServiceVariables returns the query for all rows of device_service_environment_variable that the credentials may see.
func (c *Client) DeviceServiceVariables() pine.Query[DeviceServiceVariable] {
	return pine.From[DeviceServiceVariable](c.pine, "device_service_environment_variable", pine.Rules{Check: environmentRules.limited(285082).check})
}

// FleetVariableID is the id of a row of application_environment_variable.
type FleetVariableID = pine.ID[FleetVariable]

// FleetVariable is an environment variable for all services of a fleet.
type FleetVariable struct {
	ID FleetVariableID `json:"id"`

	// Name: Consists of letters, digits and underscores, and does not begin with a digit, BALENA_ or RESIN_.
	Name string `json:"name"`

	// Value: A string without line breaks. May be empty; may be secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"application,omitzero"`
}

// String returns Name or, if that was not fetched, the id.
func (row FleetVariable) String() string { return label("fleet variable", int64(row.ID), row.Name) }

// FleetVariables returns the query for all rows of application_environment_variable that the credentials may see.
func (c *Client) FleetVariables() pine.Query[FleetVariable] {
	return pine.From[FleetVariable](c.pine, "application_environment_variable", pine.Rules{Check: environmentRules.limited(106104).check})
}

// ServiceVariableID is the id of a row of service_environment_variable.
type ServiceVariableID = pine.ID[ServiceVariable]

// ServiceVariable is an environment variable for one service of a fleet.
type ServiceVariable struct {
	ID ServiceVariableID `json:"id"`

	// Name: Consists of letters, digits and underscores, and does not begin with a digit, BALENA_ or RESIN_.
	Name string `json:"name"`

	// Value: A string without line breaks. May be empty; may be secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// Service: The service.
	Service pine.Ref[Service] `json:"service,omitzero"`
}

// String returns Name or, if that was not fetched, the id.
func (row ServiceVariable) String() string { return label("service variable", int64(row.ID), row.Name) }

// ServiceVariables returns the query for all rows of service_environment_variable that the credentials may see.
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

	// Value: A string without line breaks. May be empty; may be secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// Device: The device.
	Device pine.Ref[Device] `json:"device,omitzero"`
}

// String returns Name or, if that was not fetched, the id.
func (row DeviceConfigVariable) String() string {
	return label("device config variable", int64(row.ID), row.Name)
}

// DeviceConfigVariables returns the query for all rows of device_config_variable that the credentials may see.
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

	// Value: A string without line breaks. May be empty; may be secret.
	Value string `json:"value"`

	// CreatedAt: When the variable was created. Never selected by default.
	CreatedAt *time.Time `json:"created_at" pine:"optional"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"application,omitzero"`
}

// String returns Name or, if that was not fetched, the id.
func (row FleetConfigVariable) String() string {
	return label("fleet config variable", int64(row.ID), row.Name)
}

// FleetConfigVariables returns the query for all rows of application_config_variable that the credentials may see.
func (c *Client) FleetConfigVariables() pine.Query[FleetConfigVariable] {
	return pine.From[FleetConfigVariable](c.pine, "application_config_variable", pine.Rules{Check: configRules.limited(492001).check})
}

// CPUArchitectureID is the id of a row of cpu_architecture.
type CPUArchitectureID = pine.ID[CPUArchitecture]

// CPUArchitecture is a CPU architecture. Everybody can see architectures.
type CPUArchitecture struct {
	ID CPUArchitectureID `json:"id"`

	// Slug: For example aarch64, armv7hf, rpi, amd64 or i386.
	Slug string `json:"slug"`
}

// String returns Slug or, if that was not fetched, the id.
func (row CPUArchitecture) String() string { return label("cpu architecture", int64(row.ID), row.Slug) }

// CPUArchitectures returns the query for all rows of cpu_architecture that the credentials may see.
func (c *Client) CPUArchitectures() pine.Query[CPUArchitecture] {
	return pine.From[CPUArchitecture](c.pine, "cpu_architecture")
}

// APIKeyID is the id of a row of api_key.
type APIKeyID = pine.ID[APIKey]

// APIKey describes an API key. The key itself cannot be read. Users see their own keys only.
type APIKey struct {
	ID APIKeyID `json:"id"`

	// Name: Free text.
	Name string `json:"name"`

	// Description: Free text.
	Description string `json:"description"`

	// CreatedAt: When the key was created.
	CreatedAt *time.Time `json:"created_at"`

	// ExpiresAt: When the key expires; nil if it never does.
	ExpiresAt *time.Time `json:"expiry_date"`

	// Actor: The actor behind the key: see WhoAmI.ActorID.
	Actor pine.Ref[Actor] `json:"is_of__actor,omitzero"`
}

// String returns Name or, if that was not fetched, the id.
func (row APIKey) String() string { return label("api key", int64(row.ID), row.Name) }

// APIKeys returns the query for all rows of api_key that the credentials may see.
func (c *Client) APIKeys() pine.Query[APIKey] { return pine.From[APIKey](c.pine, "api_key") }

// DeviceHistoryID is the id of a row of device_history.
type DeviceHistoryID = pine.ID[DeviceHistory]

// DeviceHistory records the state of a device during a period. A new row begins when one of its fields changes; connectivity is not recorded.
type DeviceHistory struct {
	ID DeviceHistoryID `json:"id"`

	// CreatedAt: When the period began.
	CreatedAt *time.Time `json:"created_at"`

	// EndedAt: When the period ended; nil for the current one.
	EndedAt *time.Time `json:"end_timestamp"`

	// Device: The device.
	Device pine.Ref[Device] `json:"tracks__device,omitzero"`

	// UUID: UUID of the device.
	UUID string `json:"uuid"`

	// Fleet: The fleet.
	Fleet pine.Ref[Fleet] `json:"belongs_to__application,omitzero"`

	// IsActive: Whether the device was active.
	IsActive *bool `json:"is_active"`

	// RunningRelease: The release that the device ran.
	RunningRelease pine.Ref[Release] `json:"is_running__release,omitzero"`

	// PinnedRelease: The release that the device was pinned to; none if it tracked its fleet.
	PinnedRelease pine.Ref[Release] `json:"is_pinned_on__release,omitzero"`

	// TargetSupervisorRelease: Target release of the supervisor.
	TargetSupervisorRelease pine.Ref[Release] `json:"should_be_managed_by__release,omitzero"`

	// DeviceType: The device's type.
	DeviceType pine.Ref[DeviceType] `json:"is_of__device_type,omitzero"`

	// OSVersion: Name and version of the operating system, for example balenaOS 6.1.2.
	OSVersion string `json:"os_version"`

	// OSVariant: Variant of the operating system: prod or dev.
	OSVariant string `json:"os_variant"`

	// SupervisorVersion: Version of the supervisor.
	SupervisorVersion string `json:"supervisor_version"`

	// CPUID: Serial number of the CPU.
	CPUID string `json:"cpu_id"`

	// CreatedBy: Who made the change that began the period.
	CreatedBy pine.Ref[Actor] `json:"is_created_by__actor,omitzero"`

	// EndedBy: Who made the change that ended the period.
	EndedBy pine.Ref[Actor] `json:"is_ended_by__actor,omitzero"`
}

// DeviceHistory returns the query for all rows of device_history that the credentials may see. It exists on balenaCloud only; on
// another server the error is [ErrUnauthorized].
func (c *Client) DeviceHistory() pine.Query[DeviceHistory] {
	return pine.From[DeviceHistory](c.pine, "device_history")
}

// ActorID is the id of a row of actor.
type ActorID = pine.ID[Actor]

// Actor is a user, device or fleet that uses credentials. Nobody can read actors; other rows refer to them by id.
type Actor struct {
	ID ActorID `json:"id"`
}

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package device holds the columns of [balenaclient.Device], to filter, select, expand and order queries by, and to write.
package device

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.Device]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.Device, balenaclient.DeviceID] = "id"

	// UUID (uuid): 32 or 62 lower-case hexadecimal digits.
	UUID pine.SettableText[balenaclient.Device] = "uuid"

	// Name (device_name): Need not be unique, not even within a fleet.
	Name pine.SettableText[balenaclient.Device] = "device_name"

	// CreatedAt (created_at): When the device was registered.
	CreatedAt pine.Field[balenaclient.Device, time.Time] = "created_at"

	// ModifiedAt (modified_at): When the row last changed in any way.
	ModifiedAt pine.Field[balenaclient.Device, time.Time] = "modified_at"

	// Fleet (belongs_to__application): The fleet that the device belongs to. A device may have none.
	Fleet pine.SettableLink[balenaclient.Device, balenaclient.Fleet] = "belongs_to__application"

	// DeviceType (is_of__device_type): The device's type.
	DeviceType pine.SettableLink[balenaclient.Device, balenaclient.DeviceType] = "is_of__device_type"

	// IsOnline (is_online): Whether the device is online. Follows IsConnectedToVPN; a heartbeat alone does not make a device online.
	IsOnline pine.Field[balenaclient.Device, bool] = "is_online"

	// LastConnectivityEvent (last_connectivity_event): When IsOnline last changed; nil if the device never connected.
	LastConnectivityEvent pine.Field[balenaclient.Device, time.Time] = "last_connectivity_event"

	// IsConnectedToVPN (is_connected_to_vpn): Whether the device is connected to the balena VPN (cloudlink).
	IsConnectedToVPN pine.Field[balenaclient.Device, bool] = "is_connected_to_vpn"

	// LastVPNEvent (last_vpn_event): When IsConnectedToVPN last changed.
	LastVPNEvent pine.Field[balenaclient.Device, time.Time] = "last_vpn_event"

	// HeartbeatState (api_heartbeat_state): Whether the device polls for its target state: online, timeout (for some 15 s), offline or unknown (never seen). A dead device stays online for 1.5 times its poll interval.
	HeartbeatState pine.Text[balenaclient.Device] = "api_heartbeat_state"

	// HeartbeatChangedAt (changed_api_heartbeat_state_on__date): When HeartbeatState last changed.
	HeartbeatChangedAt pine.Field[balenaclient.Device, time.Time] = "changed_api_heartbeat_state_on__date"

	// OverallStatus (overall_status): Status shown on the dashboard: operational, reduced-functionality, disconnected, updating, configuring, post-provisioning or inactive. More values may be added. Computed by the server for each request.
	OverallStatus pine.Text[balenaclient.Device] = "overall_status"

	// OverallProgress (overall_progress): Progress of the current download or update in percent; nil if there is none. Computed by the server for each request.
	OverallProgress pine.Field[balenaclient.Device, int64] = "overall_progress"

	// Status (status): Status of the supervisor, such as Idle.
	Status pine.Text[balenaclient.Device] = "status"

	// ProvisioningState (provisioning_state): Post-Provisioning, or a message about an update of the operating system.
	ProvisioningState pine.Text[balenaclient.Device] = "provisioning_state"

	// ProvisioningProgress (provisioning_progress): Progress of the provisioning in percent.
	ProvisioningProgress pine.Field[balenaclient.Device, int64] = "provisioning_progress"

	// DownloadProgress (download_progress): Progress of the download in percent, reported by old supervisors only.
	DownloadProgress pine.Field[balenaclient.Device, int64] = "download_progress"

	// UpdateStatus (update_status): State of the release update: rejected, downloading, downloaded, applying changes, aborted or done. Reported by supervisor 16.7 and later.
	UpdateStatus pine.Text[balenaclient.Device] = "update_status"

	// LastUpdateStatusEvent (last_update_status_event): When UpdateStatus was last reported.
	LastUpdateStatusEvent pine.Field[balenaclient.Device, time.Time] = "last_update_status_event"

	// RunningRelease (is_running__release): The release that the device runs.
	RunningRelease pine.Link[balenaclient.Device, balenaclient.Release] = "is_running__release"

	// TargetRelease (should_be_running__release): The release that the device should run: its pin, or else its fleet's target. To find pinned devices filter by PinnedRelease. Computed by the server for each request.
	TargetRelease pine.Link[balenaclient.Device, balenaclient.Release] = "should_be_running__release"

	// PinnedRelease (is_pinned_on__release): The release that the device is pinned to; none if it tracks its fleet.
	PinnedRelease pine.SettableLink[balenaclient.Device, balenaclient.Release] = "is_pinned_on__release"

	// TargetOSRelease (should_be_operated_by__release): Target release of the operating system.
	TargetOSRelease pine.SettableLink[balenaclient.Device, balenaclient.Release] = "should_be_operated_by__release"

	// TargetSupervisorRelease (should_be_managed_by__release): Target release of the supervisor.
	TargetSupervisorRelease pine.SettableLink[balenaclient.Device, balenaclient.Release] = "should_be_managed_by__release"

	// OSVersion (os_version): Name and version of the operating system, for example balenaOS 6.1.2.
	OSVersion pine.Text[balenaclient.Device] = "os_version"

	// OSVariant (os_variant): Variant of the operating system: prod or dev.
	OSVariant pine.Text[balenaclient.Device] = "os_variant"

	// SupervisorVersion (supervisor_version): Version of the supervisor.
	SupervisorVersion pine.Text[balenaclient.Device] = "supervisor_version"

	// MemoryUsage (memory_usage): Used memory in MiB, without caches and buffers. Reported in steps of 10 MiB, at most every 5 minutes; kept when the device disconnects.
	MemoryUsage pine.Field[balenaclient.Device, int64] = "memory_usage"

	// MemoryTotal (memory_total): Installed memory in MiB.
	MemoryTotal pine.Field[balenaclient.Device, int64] = "memory_total"

	// StorageUsage (storage_usage): Used space of the data partition in MiB. Kept when the device disconnects.
	StorageUsage pine.Field[balenaclient.Device, int64] = "storage_usage"

	// StorageTotal (storage_total): Size of the data partition in MiB.
	StorageTotal pine.Field[balenaclient.Device, int64] = "storage_total"

	// StorageBlockDevice (storage_block_device): Block device of the data partition, for example /dev/mmcblk0p6.
	StorageBlockDevice pine.Text[balenaclient.Device] = "storage_block_device"

	// CPUUsage (cpu_usage): CPU usage in percent, averaged over the cores. Reported in steps of 20, at most every 5 minutes; kept when the device disconnects.
	CPUUsage pine.Field[balenaclient.Device, int64] = "cpu_usage"

	// CPUTemp (cpu_temp): CPU temperature in °C. Reported in steps of 5, at most every 5 minutes; kept when the device disconnects. Some boards without a sensor report -1.
	CPUTemp pine.Field[balenaclient.Device, int64] = "cpu_temp"

	// CPUID (cpu_id): Serial number of the CPU.
	CPUID pine.Text[balenaclient.Device] = "cpu_id"

	// IsUndervolted (is_undervolted): Whether the supply voltage has been too low since the device booted.
	IsUndervolted pine.Field[balenaclient.Device, bool] = "is_undervolted"

	// IPAddress (ip_address): Local IP addresses, separated by spaces.
	IPAddress pine.Text[balenaclient.Device] = "ip_address"

	// MACAddress (mac_address): MAC addresses, separated by spaces.
	MACAddress pine.Text[balenaclient.Device] = "mac_address"

	// PublicAddress (public_address): IP address that the API sees.
	PublicAddress pine.Text[balenaclient.Device] = "public_address"

	// IsWebAccessible (is_web_accessible): Whether the public device URL is enabled.
	IsWebAccessible pine.Settable[balenaclient.Device, bool] = "is_web_accessible"

	// LocalID (local_id): Identifier in local mode.
	LocalID pine.Text[balenaclient.Device] = "local_id"

	// Note (note): Free text.
	Note pine.SettableText[balenaclient.Device] = "note"

	// LockedUntil (is_locked_until__date): When the lock on updates expires.
	LockedUntil pine.Settable[balenaclient.Device, time.Time] = "is_locked_until__date"

	// IsActive (is_active): Whether the device is active; false if it was deactivated or is only preregistered. On balenaCloud only; never selected by default.
	IsActive pine.Field[balenaclient.Device, bool] = "is_active"

	// IsFrozen (is_frozen): Whether the device is frozen: its payment is overdue or the plan's allowance is exceeded. On balenaCloud only; never selected by default.
	IsFrozen pine.Field[balenaclient.Device, bool] = "is_frozen"

	// Latitude (latitude): Effective latitude in decimal degrees. On balenaCloud only; never selected by default.
	Latitude pine.Text[balenaclient.Device] = "latitude"

	// Longitude (longitude): Effective longitude in decimal degrees. On balenaCloud only; never selected by default.
	Longitude pine.Text[balenaclient.Device] = "longitude"

	// Location (location): Place of the device: city and country. On balenaCloud only; never selected by default.
	Location pine.Text[balenaclient.Device] = "location"

	// CustomLatitude (custom_latitude): Latitude set by a user, in decimal degrees. On balenaCloud only; never selected by default.
	CustomLatitude pine.SettableText[balenaclient.Device] = "custom_latitude"

	// CustomLongitude (custom_longitude): Longitude set by a user, in decimal degrees. On balenaCloud only; never selected by default.
	CustomLongitude pine.SettableText[balenaclient.Device] = "custom_longitude"

	// SupportAccessUntil (is_accessible_by_support_until__date): When the access of balena's support to the device expires. On balenaCloud only; never selected by default.
	SupportAccessUntil pine.Settable[balenaclient.Device, time.Time] = "is_accessible_by_support_until__date"

	// CreatedBy (belongs_to__user): The user who registered the device. On balenaCloud only; never selected by default.
	CreatedBy pine.Link[balenaclient.Device, balenaclient.User] = "belongs_to__user"

	// Actor (actor): The actor behind the device's API key. Never selected by default.
	Actor pine.Link[balenaclient.Device, balenaclient.Actor] = "actor"

	// Tags (device_tag): The device's tags.
	Tags pine.Links[balenaclient.Device, balenaclient.DeviceTag] = "device_tag"

	// Variables (device_environment_variable): Environment variables for all services on the device. Those for one service belong to ServiceInstalls.
	Variables pine.Links[balenaclient.Device, balenaclient.DeviceVariable] = "device_environment_variable"

	// ConfigVariables (device_config_variable): Configuration of the supervisor and the operating system.
	ConfigVariables pine.Links[balenaclient.Device, balenaclient.DeviceConfigVariable] = "device_config_variable"

	// ImageInstalls (image_install): Images on the device, including deleted ones: filter by Status.
	ImageInstalls pine.Links[balenaclient.Device, balenaclient.ImageInstall] = "image_install"

	// ServiceInstalls (service_install): Services of the device.
	ServiceInstalls pine.Links[balenaclient.Device, balenaclient.ServiceInstall] = "service_install"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.Device]) pine.Query[balenaclient.Device] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.Device]) pine.Query[balenaclient.Device] {
	return pine.Where(filters...)
}

// ByUUID identifies the row with this uuid.
func ByUUID(uuid string) pine.Key[balenaclient.Device] {
	return UUID.Key(uuid)
}

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package device holds the fields of [balenaclient.Device], to filter, select, expand and order queries by, and to write.
package device

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.Device]; its documentation says what they mean.
const (
	ID                      pine.Field[balenaclient.Device, balenaclient.DeviceID]             = "id"
	UUID                    pine.Settable[balenaclient.Device, string]                         = "uuid"
	Name                    pine.Settable[balenaclient.Device, string]                         = "device_name"
	CreatedAt               pine.Field[balenaclient.Device, time.Time]                         = "created_at"
	ModifiedAt              pine.Field[balenaclient.Device, time.Time]                         = "modified_at"
	Fleet                   pine.SettableLink[balenaclient.Device, balenaclient.Fleet]         = "belongs_to__application"
	DeviceType              pine.SettableLink[balenaclient.Device, balenaclient.DeviceType]    = "is_of__device_type"
	IsOnline                pine.Field[balenaclient.Device, bool]                              = "is_online"
	LastConnectivityEvent   pine.Field[balenaclient.Device, time.Time]                         = "last_connectivity_event"
	IsConnectedToVPN        pine.Field[balenaclient.Device, bool]                              = "is_connected_to_vpn"
	LastVPNEvent            pine.Field[balenaclient.Device, time.Time]                         = "last_vpn_event"
	HeartbeatState          pine.Field[balenaclient.Device, string]                            = "api_heartbeat_state"
	HeartbeatChangedAt      pine.Field[balenaclient.Device, time.Time]                         = "changed_api_heartbeat_state_on__date"
	OverallStatus           pine.Field[balenaclient.Device, string]                            = "overall_status"
	OverallProgress         pine.Field[balenaclient.Device, int64]                             = "overall_progress"
	Status                  pine.Field[balenaclient.Device, string]                            = "status"
	ProvisioningState       pine.Field[balenaclient.Device, string]                            = "provisioning_state"
	ProvisioningProgress    pine.Field[balenaclient.Device, int64]                             = "provisioning_progress"
	DownloadProgress        pine.Field[balenaclient.Device, int64]                             = "download_progress"
	UpdateStatus            pine.Field[balenaclient.Device, string]                            = "update_status"
	LastUpdateStatusEvent   pine.Field[balenaclient.Device, time.Time]                         = "last_update_status_event"
	RunningRelease          pine.Link[balenaclient.Device, balenaclient.Release]               = "is_running__release"
	TargetRelease           pine.Link[balenaclient.Device, balenaclient.Release]               = "should_be_running__release"
	PinnedRelease           pine.SettableLink[balenaclient.Device, balenaclient.Release]       = "is_pinned_on__release"
	TargetOSRelease         pine.SettableLink[balenaclient.Device, balenaclient.Release]       = "should_be_operated_by__release"
	TargetSupervisorRelease pine.SettableLink[balenaclient.Device, balenaclient.Release]       = "should_be_managed_by__release"
	OSVersion               pine.Field[balenaclient.Device, string]                            = "os_version"
	OSVariant               pine.Field[balenaclient.Device, string]                            = "os_variant"
	SupervisorVersion       pine.Field[balenaclient.Device, string]                            = "supervisor_version"
	MemoryUsage             pine.Field[balenaclient.Device, int64]                             = "memory_usage"
	MemoryTotal             pine.Field[balenaclient.Device, int64]                             = "memory_total"
	StorageUsage            pine.Field[balenaclient.Device, int64]                             = "storage_usage"
	StorageTotal            pine.Field[balenaclient.Device, int64]                             = "storage_total"
	StorageBlockDevice      pine.Field[balenaclient.Device, string]                            = "storage_block_device"
	CPUUsage                pine.Field[balenaclient.Device, int64]                             = "cpu_usage"
	CPUTemp                 pine.Field[balenaclient.Device, int64]                             = "cpu_temp"
	CPUID                   pine.Field[balenaclient.Device, string]                            = "cpu_id"
	IsUndervolted           pine.Field[balenaclient.Device, bool]                              = "is_undervolted"
	IPAddress               pine.Field[balenaclient.Device, string]                            = "ip_address"
	MACAddress              pine.Field[balenaclient.Device, string]                            = "mac_address"
	PublicAddress           pine.Field[balenaclient.Device, string]                            = "public_address"
	IsWebAccessible         pine.Settable[balenaclient.Device, bool]                           = "is_web_accessible"
	LocalID                 pine.Field[balenaclient.Device, string]                            = "local_id"
	Note                    pine.Settable[balenaclient.Device, string]                         = "note"
	LockedUntil             pine.Settable[balenaclient.Device, time.Time]                      = "is_locked_until__date"
	IsActive                pine.Field[balenaclient.Device, bool]                              = "is_active"
	IsFrozen                pine.Field[balenaclient.Device, bool]                              = "is_frozen"
	Latitude                pine.Field[balenaclient.Device, string]                            = "latitude"
	Longitude               pine.Field[balenaclient.Device, string]                            = "longitude"
	Location                pine.Field[balenaclient.Device, string]                            = "location"
	CustomLatitude          pine.Settable[balenaclient.Device, string]                         = "custom_latitude"
	CustomLongitude         pine.Settable[balenaclient.Device, string]                         = "custom_longitude"
	SupportAccessUntil      pine.Settable[balenaclient.Device, time.Time]                      = "is_accessible_by_support_until__date"
	CreatedBy               pine.Link[balenaclient.Device, balenaclient.User]                  = "belongs_to__user"
	Actor                   pine.Link[balenaclient.Device, balenaclient.Actor]                 = "actor"
	Tags                    pine.Links[balenaclient.Device, balenaclient.DeviceTag]            = "device_tag"
	Variables               pine.Links[balenaclient.Device, balenaclient.DeviceVariable]       = "device_environment_variable"
	ConfigVariables         pine.Links[balenaclient.Device, balenaclient.DeviceConfigVariable] = "device_config_variable"
	ImageInstalls           pine.Links[balenaclient.Device, balenaclient.ImageInstall]         = "image_install"
	ServiceInstalls         pine.Links[balenaclient.Device, balenaclient.ServiceInstall]       = "service_install"
)

// ByUUID names the one row with this uuid.
func ByUUID(uuid string) pine.Key[balenaclient.Device] {
	return UUID.Key(uuid)
}

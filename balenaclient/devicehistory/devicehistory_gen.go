// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package devicehistory holds the fields of [balenaclient.DeviceHistory], to filter, select, expand and order queries by, and to write.
package devicehistory

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.DeviceHistory]; its documentation says what they mean.
const (
	ID                      pine.Field[balenaclient.DeviceHistory, balenaclient.DeviceHistoryID] = "id"
	CreatedAt               pine.Field[balenaclient.DeviceHistory, time.Time]                    = "created_at"
	EndedAt                 pine.Field[balenaclient.DeviceHistory, time.Time]                    = "end_timestamp"
	Device                  pine.Link[balenaclient.DeviceHistory, balenaclient.Device]           = "tracks__device"
	UUID                    pine.Field[balenaclient.DeviceHistory, string]                       = "uuid"
	Fleet                   pine.Link[balenaclient.DeviceHistory, balenaclient.Fleet]            = "belongs_to__application"
	IsActive                pine.Field[balenaclient.DeviceHistory, bool]                         = "is_active"
	RunningRelease          pine.Link[balenaclient.DeviceHistory, balenaclient.Release]          = "is_running__release"
	PinnedRelease           pine.Link[balenaclient.DeviceHistory, balenaclient.Release]          = "is_pinned_on__release"
	TargetSupervisorRelease pine.Link[balenaclient.DeviceHistory, balenaclient.Release]          = "should_be_managed_by__release"
	DeviceType              pine.Link[balenaclient.DeviceHistory, balenaclient.DeviceType]       = "is_of__device_type"
	OSVersion               pine.Field[balenaclient.DeviceHistory, string]                       = "os_version"
	OSVariant               pine.Field[balenaclient.DeviceHistory, string]                       = "os_variant"
	SupervisorVersion       pine.Field[balenaclient.DeviceHistory, string]                       = "supervisor_version"
	CPUID                   pine.Field[balenaclient.DeviceHistory, string]                       = "cpu_id"
	CreatedBy               pine.Link[balenaclient.DeviceHistory, balenaclient.Actor]            = "is_created_by__actor"
	EndedBy                 pine.Link[balenaclient.DeviceHistory, balenaclient.Actor]            = "is_ended_by__actor"
)

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package devicehistory holds the columns of [balenaclient.DeviceHistory], to filter, select, expand and order queries by, and to write.
package devicehistory

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.DeviceHistory]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.DeviceHistory, balenaclient.DeviceHistoryID] = "id"

	// CreatedAt (created_at): When the period began.
	CreatedAt pine.Field[balenaclient.DeviceHistory, time.Time] = "created_at"

	// EndedAt (end_timestamp): When the period ended; nil for the current one.
	EndedAt pine.Field[balenaclient.DeviceHistory, time.Time] = "end_timestamp"

	// Device (tracks__device): The device.
	Device pine.Link[balenaclient.DeviceHistory, balenaclient.Device] = "tracks__device"

	// UUID (uuid): UUID of the device.
	UUID pine.Text[balenaclient.DeviceHistory] = "uuid"

	// Fleet (belongs_to__application): The fleet.
	Fleet pine.Link[balenaclient.DeviceHistory, balenaclient.Fleet] = "belongs_to__application"

	// IsActive (is_active): Whether the device was active.
	IsActive pine.Field[balenaclient.DeviceHistory, bool] = "is_active"

	// RunningRelease (is_running__release): The release that the device ran.
	RunningRelease pine.Link[balenaclient.DeviceHistory, balenaclient.Release] = "is_running__release"

	// PinnedRelease (is_pinned_on__release): The release that the device was pinned to; none if it tracked its fleet.
	PinnedRelease pine.Link[balenaclient.DeviceHistory, balenaclient.Release] = "is_pinned_on__release"

	// TargetSupervisorRelease (should_be_managed_by__release): Target release of the supervisor.
	TargetSupervisorRelease pine.Link[balenaclient.DeviceHistory, balenaclient.Release] = "should_be_managed_by__release"

	// DeviceType (is_of__device_type): The device's type.
	DeviceType pine.Link[balenaclient.DeviceHistory, balenaclient.DeviceType] = "is_of__device_type"

	// OSVersion (os_version): Name and version of the operating system, for example balenaOS 6.1.2.
	OSVersion pine.Text[balenaclient.DeviceHistory] = "os_version"

	// OSVariant (os_variant): Variant of the operating system: prod or dev.
	OSVariant pine.Text[balenaclient.DeviceHistory] = "os_variant"

	// SupervisorVersion (supervisor_version): Version of the supervisor.
	SupervisorVersion pine.Text[balenaclient.DeviceHistory] = "supervisor_version"

	// CPUID (cpu_id): Serial number of the CPU.
	CPUID pine.Text[balenaclient.DeviceHistory] = "cpu_id"

	// CreatedBy (is_created_by__actor): Who made the change that began the period.
	CreatedBy pine.Link[balenaclient.DeviceHistory, balenaclient.Actor] = "is_created_by__actor"

	// EndedBy (is_ended_by__actor): Who made the change that ended the period.
	EndedBy pine.Link[balenaclient.DeviceHistory, balenaclient.Actor] = "is_ended_by__actor"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.DeviceHistory]) pine.Query[balenaclient.DeviceHistory] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.DeviceHistory]) pine.Query[balenaclient.DeviceHistory] {
	return pine.Where(filters...)
}

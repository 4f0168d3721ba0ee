// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package devicetype holds the columns of [balenaclient.DeviceType], to filter, select, expand and order queries by, and to write.
package devicetype

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.DeviceType]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.DeviceType, balenaclient.DeviceTypeID] = "id"

	// Slug (slug): For example raspberrypi4-64.
	Slug pine.Text[balenaclient.DeviceType] = "slug"

	// Name (name): For example Raspberry Pi 4.
	Name pine.Text[balenaclient.DeviceType] = "name"

	// CreatedAt (created_at): When the type was created. Never selected by default.
	CreatedAt pine.Field[balenaclient.DeviceType, time.Time] = "created_at"

	// CPUArchitecture (is_of__cpu_architecture): The architecture of its CPU.
	CPUArchitecture pine.Link[balenaclient.DeviceType, balenaclient.CPUArchitecture] = "is_of__cpu_architecture"

	// IsPrivate (is_private): Whether only its owner can see the type. On balenaCloud only; never selected by default.
	IsPrivate pine.Field[balenaclient.DeviceType, bool] = "is_private"

	// Logo (logo): The logo, up to 400 kB. Never selected by default.
	Logo pine.Text[balenaclient.DeviceType] = "logo"

	// Contract (contract): The contract, up to 5 MB. Never selected by default.
	Contract pine.Column[balenaclient.DeviceType] = "contract"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.DeviceType]) pine.Query[balenaclient.DeviceType] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.DeviceType]) pine.Query[balenaclient.DeviceType] {
	return pine.Where(filters...)
}

// BySlug identifies the row with this slug.
func BySlug(slug string) pine.Key[balenaclient.DeviceType] {
	return Slug.Key(slug)
}

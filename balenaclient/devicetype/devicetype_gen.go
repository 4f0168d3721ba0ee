// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package devicetype holds the fields of [balenaclient.DeviceType], to filter, select, expand and order queries by, and to write.
package devicetype

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.DeviceType]; its documentation says what they mean.
const (
	ID              pine.Field[balenaclient.DeviceType, balenaclient.DeviceTypeID]   = "id"
	Slug            pine.Field[balenaclient.DeviceType, string]                      = "slug"
	Name            pine.Field[balenaclient.DeviceType, string]                      = "name"
	CreatedAt       pine.Field[balenaclient.DeviceType, time.Time]                   = "created_at"
	CPUArchitecture pine.Link[balenaclient.DeviceType, balenaclient.CPUArchitecture] = "is_of__cpu_architecture"
	IsPrivate       pine.Field[balenaclient.DeviceType, bool]                        = "is_private"
	Logo            pine.Field[balenaclient.DeviceType, string]                      = "logo"
	Contract        pine.Column[balenaclient.DeviceType]                             = "contract"
)

// BySlug names the one row with this slug.
func BySlug(slug string) pine.Key[balenaclient.DeviceType] {
	return Slug.Key(slug)
}

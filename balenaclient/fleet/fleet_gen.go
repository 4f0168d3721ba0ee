// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package fleet holds the fields of [balenaclient.Fleet], to filter, select, expand and order queries by.
package fleet

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.Fleet]; its documentation says what they mean.
const (
	ID                       pine.Field[balenaclient.Fleet, int64]                    = "id"
	UUID                     pine.Field[balenaclient.Fleet, string]                   = "uuid"
	Name                     pine.Field[balenaclient.Fleet, string]                   = "app_name"
	Slug                     pine.Field[balenaclient.Fleet, string]                   = "slug"
	CreatedAt                pine.Field[balenaclient.Fleet, time.Time]                = "created_at"
	Organization             pine.Link[balenaclient.Fleet, balenaclient.Organization] = "organization"
	DeviceType               pine.Link[balenaclient.Fleet, balenaclient.DeviceType]   = "is_for__device_type"
	TargetRelease            pine.Link[balenaclient.Fleet, balenaclient.Release]      = "should_be_running__release"
	TracksLatestRelease      pine.Field[balenaclient.Fleet, bool]                     = "should_track_latest_release"
	Class                    pine.Field[balenaclient.Fleet, string]                   = "is_of__class"
	IsHost                   pine.Field[balenaclient.Fleet, bool]                     = "is_host"
	IsArchived               pine.Field[balenaclient.Fleet, bool]                     = "is_archived"
	IsPublic                 pine.Field[balenaclient.Fleet, bool]                     = "is_public"
	DirectlyAccessibleByUser pine.Links[balenaclient.Fleet, balenaclient.User]        = "is_directly_accessible_by__user"
	Devices                  pine.Links[balenaclient.Fleet, balenaclient.Device]      = "owns__device"
	Releases                 pine.Links[balenaclient.Fleet, balenaclient.Release]     = "owns__release"
	Services                 pine.Links[balenaclient.Fleet, balenaclient.Service]     = "service"
	Tags                     pine.Links[balenaclient.Fleet, balenaclient.FleetTag]    = "application_tag"
)

// BySlug names the one row with this slug.
func BySlug(slug string) pine.Key[balenaclient.Fleet] {
	return Slug.Is(slug)
}

// ByUUID names the one row with this uuid.
func ByUUID(uuid string) pine.Key[balenaclient.Fleet] {
	return UUID.Is(uuid)
}

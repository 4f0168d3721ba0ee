// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package fleet holds the fields of [balenaclient.Fleet], to filter, select, expand and order queries by, and to write.
package fleet

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.Fleet]; its documentation says what they mean.
const (
	ID                       pine.Field[balenaclient.Fleet, balenaclient.FleetID]             = "id"
	UUID                     pine.Field[balenaclient.Fleet, string]                           = "uuid"
	Name                     pine.Settable[balenaclient.Fleet, string]                        = "app_name"
	Slug                     pine.Field[balenaclient.Fleet, string]                           = "slug"
	CreatedAt                pine.Field[balenaclient.Fleet, time.Time]                        = "created_at"
	Organization             pine.SettableLink[balenaclient.Fleet, balenaclient.Organization] = "organization"
	DeviceType               pine.SettableLink[balenaclient.Fleet, balenaclient.DeviceType]   = "is_for__device_type"
	TargetRelease            pine.SettableLink[balenaclient.Fleet, balenaclient.Release]      = "should_be_running__release"
	TracksLatestRelease      pine.Settable[balenaclient.Fleet, bool]                          = "should_track_latest_release"
	Class                    pine.Settable[balenaclient.Fleet, string]                        = "is_of__class"
	IsHost                   pine.Settable[balenaclient.Fleet, bool]                          = "is_host"
	IsArchived               pine.Settable[balenaclient.Fleet, bool]                          = "is_archived"
	IsPublic                 pine.Settable[balenaclient.Fleet, bool]                          = "is_public"
	SupportAccessUntil       pine.Settable[balenaclient.Fleet, time.Time]                     = "is_accessible_by_support_until__date"
	IsDiscoverable           pine.Settable[balenaclient.Fleet, bool]                          = "is_discoverable"
	RepositoryURL            pine.Settable[balenaclient.Fleet, string]                        = "is_stored_at__repository_url"
	Actor                    pine.Link[balenaclient.Fleet, balenaclient.Actor]                = "actor"
	Variables                pine.Links[balenaclient.Fleet, balenaclient.FleetVariable]       = "application_environment_variable"
	ConfigVariables          pine.Links[balenaclient.Fleet, balenaclient.FleetConfigVariable] = "application_config_variable"
	DirectlyAccessibleByUser pine.Links[balenaclient.Fleet, balenaclient.User]                = "is_directly_accessible_by__user"
	Devices                  pine.Links[balenaclient.Fleet, balenaclient.Device]              = "owns__device"
	Releases                 pine.Links[balenaclient.Fleet, balenaclient.Release]             = "owns__release"
	Services                 pine.Links[balenaclient.Fleet, balenaclient.Service]             = "service"
	Tags                     pine.Links[balenaclient.Fleet, balenaclient.FleetTag]            = "application_tag"
)

// BySlug names the one row with this slug.
func BySlug(slug string) pine.Key[balenaclient.Fleet] {
	return Slug.Key(slug)
}

// ByUUID names the one row with this uuid.
func ByUUID(uuid string) pine.Key[balenaclient.Fleet] {
	return UUID.Key(uuid)
}

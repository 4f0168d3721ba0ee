// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package fleet holds the columns of [balenaclient.Fleet], to filter, select, expand and order queries by, and to write.
package fleet

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.Fleet]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.Fleet, balenaclient.FleetID] = "id"

	// UUID (uuid): 32 lower-case hexadecimal digits.
	UUID pine.Text[balenaclient.Fleet] = "uuid"

	// Name (app_name): Unique only within an organization.
	Name pine.SettableText[balenaclient.Fleet] = "app_name"

	// Slug (slug): organization/fleet in lower case. Unique.
	Slug pine.Text[balenaclient.Fleet] = "slug"

	// CreatedAt (created_at): When the fleet was created.
	CreatedAt pine.Field[balenaclient.Fleet, time.Time] = "created_at"

	// Organization (organization): The organization that owns the fleet.
	Organization pine.SettableLink[balenaclient.Fleet, balenaclient.Organization] = "organization"

	// DeviceType (is_for__device_type): The default type of its devices.
	DeviceType pine.SettableLink[balenaclient.Fleet, balenaclient.DeviceType] = "is_for__device_type"

	// TargetRelease (should_be_running__release): The release that devices without a pin should run.
	TargetRelease pine.SettableLink[balenaclient.Fleet, balenaclient.Release] = "should_be_running__release"

	// TracksLatestRelease (should_track_latest_release): Whether TargetRelease tracks the latest final release.
	TracksLatestRelease pine.Settable[balenaclient.Fleet, bool] = "should_track_latest_release"

	// Class (is_of__class): fleet, block or app.
	Class pine.SettableText[balenaclient.Fleet] = "is_of__class"

	// IsHost (is_host): Whether its releases are of the host operating system.
	IsHost pine.Settable[balenaclient.Fleet, bool] = "is_host"

	// IsArchived (is_archived): Whether the fleet is archived.
	IsArchived pine.Settable[balenaclient.Fleet, bool] = "is_archived"

	// IsPublic (is_public): Whether everybody can see the fleet.
	IsPublic pine.Settable[balenaclient.Fleet, bool] = "is_public"

	// SupportAccessUntil (is_accessible_by_support_until__date): When the access of balena's support to the fleet's devices expires. On balenaCloud only; never selected by default.
	SupportAccessUntil pine.Settable[balenaclient.Fleet, time.Time] = "is_accessible_by_support_until__date"

	// IsDiscoverable (is_discoverable): Whether the fleet is shown on balenaHub. On balenaCloud only; never selected by default.
	IsDiscoverable pine.Settable[balenaclient.Fleet, bool] = "is_discoverable"

	// RepositoryURL (is_stored_at__repository_url): URL of the source repository. On balenaCloud only; never selected by default.
	RepositoryURL pine.SettableText[balenaclient.Fleet] = "is_stored_at__repository_url"

	// Actor (actor): The actor behind the fleet's API key. Never selected by default.
	Actor pine.Link[balenaclient.Fleet, balenaclient.Actor] = "actor"

	// Variables (application_environment_variable): Environment variables for all services of the fleet. Those for one service belong to Services.
	Variables pine.Links[balenaclient.Fleet, balenaclient.FleetVariable] = "application_environment_variable"

	// ConfigVariables (application_config_variable): Configuration of the supervisor and the operating system.
	ConfigVariables pine.Links[balenaclient.Fleet, balenaclient.FleetConfigVariable] = "application_config_variable"

	// DirectlyAccessibleByUser (is_directly_accessible_by__user): The users with access to the fleet beyond its being public.
	DirectlyAccessibleByUser pine.Links[balenaclient.Fleet, balenaclient.User] = "is_directly_accessible_by__user"

	// Devices (owns__device): The fleet's devices.
	Devices pine.Links[balenaclient.Fleet, balenaclient.Device] = "owns__device"

	// Releases (owns__release): The fleet's releases.
	Releases pine.Links[balenaclient.Fleet, balenaclient.Release] = "owns__release"

	// Services (service): The fleet's services.
	Services pine.Links[balenaclient.Fleet, balenaclient.Service] = "service"

	// Tags (application_tag): The fleet's tags.
	Tags pine.Links[balenaclient.Fleet, balenaclient.FleetTag] = "application_tag"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.Fleet]) pine.Query[balenaclient.Fleet] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.Fleet]) pine.Query[balenaclient.Fleet] {
	return pine.Where(filters...)
}

// BySlug identifies the row with this slug.
func BySlug(slug string) pine.Key[balenaclient.Fleet] {
	return Slug.Key(slug)
}

// ByUUID identifies the row with this uuid.
func ByUUID(uuid string) pine.Key[balenaclient.Fleet] {
	return UUID.Key(uuid)
}

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package service holds the columns of [balenaclient.Service], to filter, select, expand and order queries by, and to write.
package service

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.Service]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.Service, balenaclient.ServiceID] = "id"

	// Name (service_name): Unique within the fleet.
	Name pine.SettableText[balenaclient.Service] = "service_name"

	// CreatedAt (created_at): When the service was created.
	CreatedAt pine.Field[balenaclient.Service, time.Time] = "created_at"

	// Fleet (application): The fleet.
	Fleet pine.SettableLink[balenaclient.Service, balenaclient.Fleet] = "application"

	// ServiceInstalls (service_install): Installations of the service on devices.
	ServiceInstalls pine.Links[balenaclient.Service, balenaclient.ServiceInstall] = "service_install"

	// Variables (service_environment_variable): Environment variables for the service on all devices of the fleet.
	Variables pine.Links[balenaclient.Service, balenaclient.ServiceVariable] = "service_environment_variable"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.Service]) pine.Query[balenaclient.Service] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.Service]) pine.Query[balenaclient.Service] {
	return pine.Where(filters...)
}

// ByFleetAndName identifies the row with this application and service_name.
func ByFleetAndName(fleet balenaclient.FleetID, name string) pine.Key[balenaclient.Service] {
	return Fleet.Key(fleet).And(Name.Key(name))
}

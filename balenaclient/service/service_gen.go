// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package service holds the fields of [balenaclient.Service], to filter, select, expand and order queries by, and to write.
package service

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.Service]; its documentation says what they mean.
const (
	ID              pine.Field[balenaclient.Service, balenaclient.ServiceID]       = "id"
	Name            pine.Settable[balenaclient.Service, string]                    = "service_name"
	CreatedAt       pine.Field[balenaclient.Service, time.Time]                    = "created_at"
	Fleet           pine.SettableLink[balenaclient.Service, balenaclient.Fleet]    = "application"
	ServiceInstalls pine.Links[balenaclient.Service, balenaclient.ServiceInstall]  = "service_install"
	Variables       pine.Links[balenaclient.Service, balenaclient.ServiceVariable] = "service_environment_variable"
)

// ByFleetAndName names the one row with this application and service_name.
func ByFleetAndName(fleet balenaclient.FleetID, name string) pine.Key[balenaclient.Service] {
	return Fleet.Key(fleet).And(Name.Key(name))
}

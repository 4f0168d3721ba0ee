// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package fleetconfigvariable holds the fields of [balenaclient.FleetConfigVariable], to filter, select, expand and order queries by, and to write.
package fleetconfigvariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.FleetConfigVariable]; its documentation says what they mean.
const (
	ID        pine.Field[balenaclient.FleetConfigVariable, balenaclient.FleetConfigVariableID] = "id"
	Name      pine.Settable[balenaclient.FleetConfigVariable, string]                          = "name"
	Value     pine.Settable[balenaclient.FleetConfigVariable, string]                          = "value"
	CreatedAt pine.Field[balenaclient.FleetConfigVariable, time.Time]                          = "created_at"
	Fleet     pine.SettableLink[balenaclient.FleetConfigVariable, balenaclient.Fleet]          = "application"
)

// ByFleetAndName names the one row with this application and name.
func ByFleetAndName(fleet balenaclient.FleetID, name string) pine.Key[balenaclient.FleetConfigVariable] {
	return Fleet.Key(fleet).And(Name.Key(name))
}

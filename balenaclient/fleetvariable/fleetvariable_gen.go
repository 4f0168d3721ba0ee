// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package fleetvariable holds the fields of [balenaclient.FleetVariable], to filter, select, expand and order queries by, and to write.
package fleetvariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.FleetVariable]; its documentation says what they mean.
const (
	ID        pine.Field[balenaclient.FleetVariable, balenaclient.FleetVariableID] = "id"
	Name      pine.Settable[balenaclient.FleetVariable, string]                    = "name"
	Value     pine.Settable[balenaclient.FleetVariable, string]                    = "value"
	CreatedAt pine.Field[balenaclient.FleetVariable, time.Time]                    = "created_at"
	Fleet     pine.SettableLink[balenaclient.FleetVariable, balenaclient.Fleet]    = "application"
)

// ByFleetAndName names the one row with this application and name.
func ByFleetAndName(fleet balenaclient.FleetID, name string) pine.Key[balenaclient.FleetVariable] {
	return Fleet.Key(fleet).And(Name.Key(name))
}

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package fleetconfigvariable holds the columns of [balenaclient.FleetConfigVariable], to filter, select, expand and order queries by, and to write.
package fleetconfigvariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.FleetConfigVariable]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.FleetConfigVariable, balenaclient.FleetConfigVariableID] = "id"

	// Name (name): Begins with BALENA_ or RESIN_.
	Name pine.SettableText[balenaclient.FleetConfigVariable] = "name"

	// Value (value): A string without line breaks. May be empty; may be secret.
	Value pine.SettableText[balenaclient.FleetConfigVariable] = "value"

	// CreatedAt (created_at): When the variable was created. Never selected by default.
	CreatedAt pine.Field[balenaclient.FleetConfigVariable, time.Time] = "created_at"

	// Fleet (application): The fleet.
	Fleet pine.SettableLink[balenaclient.FleetConfigVariable, balenaclient.Fleet] = "application"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.FleetConfigVariable]) pine.Query[balenaclient.FleetConfigVariable] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.FleetConfigVariable]) pine.Query[balenaclient.FleetConfigVariable] {
	return pine.Where(filters...)
}

// ByFleetAndName identifies the row with this application and name.
func ByFleetAndName(fleet balenaclient.FleetID, name string) pine.Key[balenaclient.FleetConfigVariable] {
	return Fleet.Key(fleet).And(Name.Key(name))
}

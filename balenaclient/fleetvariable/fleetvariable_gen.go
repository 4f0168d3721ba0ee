// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package fleetvariable holds the columns of [balenaclient.FleetVariable], to filter, select, expand and order queries by, and to write.
package fleetvariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.FleetVariable]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.FleetVariable, balenaclient.FleetVariableID] = "id"

	// Name (name): Consists of letters, digits and underscores, and does not begin with a digit, BALENA_ or RESIN_.
	Name pine.SettableText[balenaclient.FleetVariable] = "name"

	// Value (value): A string without line breaks. May be empty; may be secret.
	Value pine.SettableText[balenaclient.FleetVariable] = "value"

	// CreatedAt (created_at): When the variable was created. Never selected by default.
	CreatedAt pine.Field[balenaclient.FleetVariable, time.Time] = "created_at"

	// Fleet (application): The fleet.
	Fleet pine.SettableLink[balenaclient.FleetVariable, balenaclient.Fleet] = "application"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.FleetVariable]) pine.Query[balenaclient.FleetVariable] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.FleetVariable]) pine.Query[balenaclient.FleetVariable] {
	return pine.Where(filters...)
}

// ByFleetAndName identifies the row with this application and name.
func ByFleetAndName(fleet balenaclient.FleetID, name string) pine.Key[balenaclient.FleetVariable] {
	return Fleet.Key(fleet).And(Name.Key(name))
}

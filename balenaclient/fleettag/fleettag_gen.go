// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package fleettag holds the columns of [balenaclient.FleetTag], to filter, select, expand and order queries by, and to write.
package fleettag

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.FleetTag]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.FleetTag, balenaclient.FleetTagID] = "id"

	// Key (tag_key): Without white space. Unique for the fleet.
	Key pine.SettableText[balenaclient.FleetTag] = "tag_key"

	// Value (value): May be empty.
	Value pine.SettableText[balenaclient.FleetTag] = "value"

	// Fleet (application): The fleet.
	Fleet pine.SettableLink[balenaclient.FleetTag, balenaclient.Fleet] = "application"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.FleetTag]) pine.Query[balenaclient.FleetTag] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.FleetTag]) pine.Query[balenaclient.FleetTag] {
	return pine.Where(filters...)
}

// ByFleetAndKey identifies the row with this application and tag_key.
func ByFleetAndKey(fleet balenaclient.FleetID, key string) pine.Key[balenaclient.FleetTag] {
	return Fleet.Key(fleet).And(Key.Key(key))
}

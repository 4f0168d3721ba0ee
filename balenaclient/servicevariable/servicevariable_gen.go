// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package servicevariable holds the columns of [balenaclient.ServiceVariable], to filter, select, expand and order queries by, and to write.
package servicevariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.ServiceVariable]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.ServiceVariable, balenaclient.ServiceVariableID] = "id"

	// Name (name): Consists of letters, digits and underscores, and does not begin with a digit, BALENA_ or RESIN_.
	Name pine.SettableText[balenaclient.ServiceVariable] = "name"

	// Value (value): A string without line breaks. May be empty; may be secret.
	Value pine.SettableText[balenaclient.ServiceVariable] = "value"

	// CreatedAt (created_at): When the variable was created. Never selected by default.
	CreatedAt pine.Field[balenaclient.ServiceVariable, time.Time] = "created_at"

	// Service (service): The service.
	Service pine.SettableLink[balenaclient.ServiceVariable, balenaclient.Service] = "service"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.ServiceVariable]) pine.Query[balenaclient.ServiceVariable] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.ServiceVariable]) pine.Query[balenaclient.ServiceVariable] {
	return pine.Where(filters...)
}

// ByServiceAndName identifies the row with this service and name.
func ByServiceAndName(service balenaclient.ServiceID, name string) pine.Key[balenaclient.ServiceVariable] {
	return Service.Key(service).And(Name.Key(name))
}

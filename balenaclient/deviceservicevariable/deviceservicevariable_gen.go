// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package deviceservicevariable holds the columns of [balenaclient.DeviceServiceVariable], to filter, select, expand and order queries by, and to write.
package deviceservicevariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.DeviceServiceVariable]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.DeviceServiceVariable, balenaclient.DeviceServiceVariableID] = "id"

	// Name (name): Consists of letters, digits and underscores, and does not begin with a digit, BALENA_ or RESIN_.
	Name pine.SettableText[balenaclient.DeviceServiceVariable] = "name"

	// Value (value): A string without line breaks. May be empty; may be secret.
	Value pine.SettableText[balenaclient.DeviceServiceVariable] = "value"

	// CreatedAt (created_at): When the variable was created. Never selected by default.
	CreatedAt pine.Field[balenaclient.DeviceServiceVariable, time.Time] = "created_at"

	// ServiceInstall (service_install): The service on the device.
	ServiceInstall pine.SettableLink[balenaclient.DeviceServiceVariable, balenaclient.ServiceInstall] = "service_install"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.DeviceServiceVariable]) pine.Query[balenaclient.DeviceServiceVariable] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.DeviceServiceVariable]) pine.Query[balenaclient.DeviceServiceVariable] {
	return pine.Where(filters...)
}

// ByServiceInstallAndName identifies the row with this service_install and name.
func ByServiceInstallAndName(serviceInstall balenaclient.ServiceInstallID, name string) pine.Key[balenaclient.DeviceServiceVariable] {
	return ServiceInstall.Key(serviceInstall).And(Name.Key(name))
}

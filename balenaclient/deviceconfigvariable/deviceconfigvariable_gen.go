// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package deviceconfigvariable holds the columns of [balenaclient.DeviceConfigVariable], to filter, select, expand and order queries by, and to write.
package deviceconfigvariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.DeviceConfigVariable]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.DeviceConfigVariable, balenaclient.DeviceConfigVariableID] = "id"

	// Name (name): Begins with BALENA_ or RESIN_.
	Name pine.SettableText[balenaclient.DeviceConfigVariable] = "name"

	// Value (value): A string without line breaks. May be empty; may be secret.
	Value pine.SettableText[balenaclient.DeviceConfigVariable] = "value"

	// CreatedAt (created_at): When the variable was created. Never selected by default.
	CreatedAt pine.Field[balenaclient.DeviceConfigVariable, time.Time] = "created_at"

	// Device (device): The device.
	Device pine.SettableLink[balenaclient.DeviceConfigVariable, balenaclient.Device] = "device"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.DeviceConfigVariable]) pine.Query[balenaclient.DeviceConfigVariable] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.DeviceConfigVariable]) pine.Query[balenaclient.DeviceConfigVariable] {
	return pine.Where(filters...)
}

// ByDeviceAndName identifies the row with this device and name.
func ByDeviceAndName(device balenaclient.DeviceID, name string) pine.Key[balenaclient.DeviceConfigVariable] {
	return Device.Key(device).And(Name.Key(name))
}

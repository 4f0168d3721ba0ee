// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package devicevariable holds the columns of [balenaclient.DeviceVariable], to filter, select, expand and order queries by, and to write.
package devicevariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.DeviceVariable]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.DeviceVariable, balenaclient.DeviceVariableID] = "id"

	// Name (name): Consists of letters, digits and underscores, and does not begin with a digit, BALENA_ or RESIN_.
	Name pine.SettableText[balenaclient.DeviceVariable] = "name"

	// Value (value): A string without line breaks. May be empty; may be secret.
	Value pine.SettableText[balenaclient.DeviceVariable] = "value"

	// CreatedAt (created_at): When the variable was created. Never selected by default.
	CreatedAt pine.Field[balenaclient.DeviceVariable, time.Time] = "created_at"

	// Device (device): The device.
	Device pine.SettableLink[balenaclient.DeviceVariable, balenaclient.Device] = "device"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.DeviceVariable]) pine.Query[balenaclient.DeviceVariable] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.DeviceVariable]) pine.Query[balenaclient.DeviceVariable] {
	return pine.Where(filters...)
}

// ByDeviceAndName identifies the row with this device and name.
func ByDeviceAndName(device balenaclient.DeviceID, name string) pine.Key[balenaclient.DeviceVariable] {
	return Device.Key(device).And(Name.Key(name))
}

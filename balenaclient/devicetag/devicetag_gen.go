// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package devicetag holds the columns of [balenaclient.DeviceTag], to filter, select, expand and order queries by, and to write.
package devicetag

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.DeviceTag]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.DeviceTag, balenaclient.DeviceTagID] = "id"

	// Key (tag_key): Without white space. Unique for the device.
	Key pine.SettableText[balenaclient.DeviceTag] = "tag_key"

	// Value (value): May be empty.
	Value pine.SettableText[balenaclient.DeviceTag] = "value"

	// Device (device): The device.
	Device pine.SettableLink[balenaclient.DeviceTag, balenaclient.Device] = "device"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.DeviceTag]) pine.Query[balenaclient.DeviceTag] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.DeviceTag]) pine.Query[balenaclient.DeviceTag] {
	return pine.Where(filters...)
}

// ByDeviceAndKey identifies the row with this device and tag_key.
func ByDeviceAndKey(device balenaclient.DeviceID, key string) pine.Key[balenaclient.DeviceTag] {
	return Device.Key(device).And(Key.Key(key))
}

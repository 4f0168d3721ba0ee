// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package devicetag holds the fields of [balenaclient.DeviceTag], to filter, select, expand and order queries by, and to write.
package devicetag

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.DeviceTag]; its documentation says what they mean.
const (
	ID     pine.Field[balenaclient.DeviceTag, balenaclient.DeviceTagID]   = "id"
	Key    pine.Settable[balenaclient.DeviceTag, string]                  = "tag_key"
	Value  pine.Settable[balenaclient.DeviceTag, string]                  = "value"
	Device pine.SettableLink[balenaclient.DeviceTag, balenaclient.Device] = "device"
)

// ByDeviceAndKey names the one row with this device and tag_key.
func ByDeviceAndKey(device balenaclient.DeviceID, key string) pine.Key[balenaclient.DeviceTag] {
	return Device.Key(device).And(Key.Key(key))
}

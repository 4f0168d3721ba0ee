// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package devicevariable holds the fields of [balenaclient.DeviceVariable], to filter, select, expand and order queries by, and to write.
package devicevariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.DeviceVariable]; its documentation says what they mean.
const (
	ID        pine.Field[balenaclient.DeviceVariable, balenaclient.DeviceVariableID] = "id"
	Name      pine.Settable[balenaclient.DeviceVariable, string]                     = "name"
	Value     pine.Settable[balenaclient.DeviceVariable, string]                     = "value"
	CreatedAt pine.Field[balenaclient.DeviceVariable, time.Time]                     = "created_at"
	Device    pine.SettableLink[balenaclient.DeviceVariable, balenaclient.Device]    = "device"
)

// ByDeviceAndName names the one row with this device and name.
func ByDeviceAndName(device balenaclient.DeviceID, name string) pine.Key[balenaclient.DeviceVariable] {
	return Device.Key(device).And(Name.Key(name))
}

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package deviceconfigvariable holds the fields of [balenaclient.DeviceConfigVariable], to filter, select, expand and order queries by, and to write.
package deviceconfigvariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.DeviceConfigVariable]; its documentation says what they mean.
const (
	ID        pine.Field[balenaclient.DeviceConfigVariable, balenaclient.DeviceConfigVariableID] = "id"
	Name      pine.Settable[balenaclient.DeviceConfigVariable, string]                           = "name"
	Value     pine.Settable[balenaclient.DeviceConfigVariable, string]                           = "value"
	CreatedAt pine.Field[balenaclient.DeviceConfigVariable, time.Time]                           = "created_at"
	Device    pine.SettableLink[balenaclient.DeviceConfigVariable, balenaclient.Device]          = "device"
)

// ByDeviceAndName names the one row with this device and name.
func ByDeviceAndName(device balenaclient.DeviceID, name string) pine.Key[balenaclient.DeviceConfigVariable] {
	return Device.Key(device).And(Name.Key(name))
}

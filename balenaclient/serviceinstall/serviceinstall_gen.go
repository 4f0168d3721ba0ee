// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package serviceinstall holds the fields of [balenaclient.ServiceInstall], to filter, select, expand and order queries by, and to write.
package serviceinstall

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.ServiceInstall]; its documentation says what they mean.
const (
	ID        pine.Field[balenaclient.ServiceInstall, balenaclient.ServiceInstallID]      = "id"
	CreatedAt pine.Field[balenaclient.ServiceInstall, time.Time]                          = "created_at"
	Device    pine.Link[balenaclient.ServiceInstall, balenaclient.Device]                 = "device"
	Service   pine.Link[balenaclient.ServiceInstall, balenaclient.Service]                = "installs__service"
	Variables pine.Links[balenaclient.ServiceInstall, balenaclient.DeviceServiceVariable] = "device_service_environment_variable"
)

// ByDeviceAndService names the one row with this device and installs__service.
func ByDeviceAndService(device balenaclient.DeviceID, service balenaclient.ServiceID) pine.Key[balenaclient.ServiceInstall] {
	return Device.Key(device).And(Service.Key(service))
}

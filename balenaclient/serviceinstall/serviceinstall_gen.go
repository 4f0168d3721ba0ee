// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package serviceinstall holds the columns of [balenaclient.ServiceInstall], to filter, select, expand and order queries by, and to write.
package serviceinstall

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.ServiceInstall]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.ServiceInstall, balenaclient.ServiceInstallID] = "id"

	// CreatedAt (created_at): When the service was installed.
	CreatedAt pine.Field[balenaclient.ServiceInstall, time.Time] = "created_at"

	// Device (device): The device.
	Device pine.Link[balenaclient.ServiceInstall, balenaclient.Device] = "device"

	// Service (installs__service): The service.
	Service pine.Link[balenaclient.ServiceInstall, balenaclient.Service] = "installs__service"

	// Variables (device_service_environment_variable): Environment variables for the service on this device.
	Variables pine.Links[balenaclient.ServiceInstall, balenaclient.DeviceServiceVariable] = "device_service_environment_variable"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.ServiceInstall]) pine.Query[balenaclient.ServiceInstall] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.ServiceInstall]) pine.Query[balenaclient.ServiceInstall] {
	return pine.Where(filters...)
}

// ByDeviceAndService identifies the row with this device and installs__service.
func ByDeviceAndService(device balenaclient.DeviceID, service balenaclient.ServiceID) pine.Key[balenaclient.ServiceInstall] {
	return Device.Key(device).And(Service.Key(service))
}

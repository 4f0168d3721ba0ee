// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package deviceservicevariable holds the fields of [balenaclient.DeviceServiceVariable], to filter, select, expand and order queries by, and to write.
package deviceservicevariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.DeviceServiceVariable]; its documentation says what they mean.
const (
	ID             pine.Field[balenaclient.DeviceServiceVariable, balenaclient.DeviceServiceVariableID] = "id"
	Name           pine.Settable[balenaclient.DeviceServiceVariable, string]                            = "name"
	Value          pine.Settable[balenaclient.DeviceServiceVariable, string]                            = "value"
	CreatedAt      pine.Field[balenaclient.DeviceServiceVariable, time.Time]                            = "created_at"
	ServiceInstall pine.SettableLink[balenaclient.DeviceServiceVariable, balenaclient.ServiceInstall]   = "service_install"
)

// ByServiceInstallAndName names the one row with this service_install and name.
func ByServiceInstallAndName(serviceInstall balenaclient.ServiceInstallID, name string) pine.Key[balenaclient.DeviceServiceVariable] {
	return ServiceInstall.Key(serviceInstall).And(Name.Key(name))
}

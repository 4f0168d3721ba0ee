// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package servicevariable holds the fields of [balenaclient.ServiceVariable], to filter, select, expand and order queries by, and to write.
package servicevariable

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.ServiceVariable]; its documentation says what they mean.
const (
	ID        pine.Field[balenaclient.ServiceVariable, balenaclient.ServiceVariableID] = "id"
	Name      pine.Settable[balenaclient.ServiceVariable, string]                      = "name"
	Value     pine.Settable[balenaclient.ServiceVariable, string]                      = "value"
	CreatedAt pine.Field[balenaclient.ServiceVariable, time.Time]                      = "created_at"
	Service   pine.SettableLink[balenaclient.ServiceVariable, balenaclient.Service]    = "service"
)

// ByServiceAndName names the one row with this service and name.
func ByServiceAndName(service balenaclient.ServiceID, name string) pine.Key[balenaclient.ServiceVariable] {
	return Service.Key(service).And(Name.Key(name))
}

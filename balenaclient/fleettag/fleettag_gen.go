// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package fleettag holds the fields of [balenaclient.FleetTag], to filter, select, expand and order queries by, and to write.
package fleettag

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.FleetTag]; its documentation says what they mean.
const (
	ID    pine.Field[balenaclient.FleetTag, balenaclient.FleetTagID]   = "id"
	Key   pine.Settable[balenaclient.FleetTag, string]                 = "tag_key"
	Value pine.Settable[balenaclient.FleetTag, string]                 = "value"
	Fleet pine.SettableLink[balenaclient.FleetTag, balenaclient.Fleet] = "application"
)

// ByFleetAndKey names the one row with this application and tag_key.
func ByFleetAndKey(fleet balenaclient.FleetID, key string) pine.Key[balenaclient.FleetTag] {
	return Fleet.Key(fleet).And(Key.Key(key))
}

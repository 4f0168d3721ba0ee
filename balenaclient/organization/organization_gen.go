// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package organization holds the fields of [balenaclient.Organization], to filter, select, expand and order queries by.
package organization

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.Organization]; its documentation says what they mean.
const (
	ID        pine.Field[balenaclient.Organization, int64]              = "id"
	Name      pine.Field[balenaclient.Organization, string]             = "name"
	Handle    pine.Field[balenaclient.Organization, string]             = "handle"
	CreatedAt pine.Field[balenaclient.Organization, time.Time]          = "created_at"
	Fleets    pine.Links[balenaclient.Organization, balenaclient.Fleet] = "application"
)

// ByHandle names the one row with this handle.
func ByHandle(handle string) pine.Key[balenaclient.Organization] {
	return Handle.Is(handle)
}

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package organization holds the fields of [balenaclient.Organization], to filter, select, expand and order queries by, and to write.
package organization

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.Organization]; its documentation says what they mean.
const (
	ID           pine.Field[balenaclient.Organization, balenaclient.OrganizationID] = "id"
	Name         pine.Settable[balenaclient.Organization, string]                   = "name"
	Handle       pine.Settable[balenaclient.Organization, string]                   = "handle"
	CreatedAt    pine.Field[balenaclient.Organization, time.Time]                   = "created_at"
	CompanyName  pine.Field[balenaclient.Organization, string]                      = "company_name"
	IsFrozen     pine.Field[balenaclient.Organization, bool]                        = "is_frozen"
	PastDueSince pine.Field[balenaclient.Organization, time.Time]                   = "has_past_due_invoice_since__date"
	Fleets       pine.Links[balenaclient.Organization, balenaclient.Fleet]          = "application"
)

// ByHandle names the one row with this handle.
func ByHandle(handle string) pine.Key[balenaclient.Organization] {
	return Handle.Key(handle)
}

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package organization holds the columns of [balenaclient.Organization], to filter, select, expand and order queries by, and to write.
package organization

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.Organization]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.Organization, balenaclient.OrganizationID] = "id"

	// Name (name): Free text.
	Name pine.SettableText[balenaclient.Organization] = "name"

	// Handle (handle): First part of the slugs of its fleets. Unique.
	Handle pine.SettableText[balenaclient.Organization] = "handle"

	// CreatedAt (created_at): When the organization was created.
	CreatedAt pine.Field[balenaclient.Organization, time.Time] = "created_at"

	// CompanyName (company_name): Free text. On balenaCloud only; never selected by default.
	CompanyName pine.Text[balenaclient.Organization] = "company_name"

	// IsFrozen (is_frozen): Whether the organization is frozen. On balenaCloud only; never selected by default.
	IsFrozen pine.Field[balenaclient.Organization, bool] = "is_frozen"

	// PastDueSince (has_past_due_invoice_since__date): When an invoice became past due; nil if none is. On balenaCloud only; never selected by default.
	PastDueSince pine.Field[balenaclient.Organization, time.Time] = "has_past_due_invoice_since__date"

	// Fleets (application): The organization's fleets.
	Fleets pine.Links[balenaclient.Organization, balenaclient.Fleet] = "application"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.Organization]) pine.Query[balenaclient.Organization] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.Organization]) pine.Query[balenaclient.Organization] {
	return pine.Where(filters...)
}

// ByHandle identifies the row with this handle.
func ByHandle(handle string) pine.Key[balenaclient.Organization] {
	return Handle.Key(handle)
}

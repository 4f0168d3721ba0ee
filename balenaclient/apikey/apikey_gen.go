// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package apikey holds the columns of [balenaclient.APIKey], to filter, select, expand and order queries by, and to write.
package apikey

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.APIKey]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.APIKey, balenaclient.APIKeyID] = "id"

	// Name (name): Free text.
	Name pine.SettableText[balenaclient.APIKey] = "name"

	// Description (description): Free text.
	Description pine.SettableText[balenaclient.APIKey] = "description"

	// CreatedAt (created_at): When the key was created.
	CreatedAt pine.Field[balenaclient.APIKey, time.Time] = "created_at"

	// ExpiresAt (expiry_date): When the key expires; nil if it never does.
	ExpiresAt pine.Field[balenaclient.APIKey, time.Time] = "expiry_date"

	// Actor (is_of__actor): The actor behind the key: see WhoAmI.ActorID.
	Actor pine.Link[balenaclient.APIKey, balenaclient.Actor] = "is_of__actor"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.APIKey]) pine.Query[balenaclient.APIKey] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.APIKey]) pine.Query[balenaclient.APIKey] {
	return pine.Where(filters...)
}

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package user holds the columns of [balenaclient.User], to filter, select, expand and order queries by, and to write.
package user

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.User]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.User, balenaclient.UserID] = "id"

	// Name (username): Unique.
	Name pine.Text[balenaclient.User] = "username"

	// Actor (actor): The actor behind the user's API keys. Never selected by default.
	Actor pine.Link[balenaclient.User, balenaclient.Actor] = "actor"

	// CreatedAt (created_at): When the user was created.
	CreatedAt pine.Field[balenaclient.User, time.Time] = "created_at"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.User]) pine.Query[balenaclient.User] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.User]) pine.Query[balenaclient.User] {
	return pine.Where(filters...)
}

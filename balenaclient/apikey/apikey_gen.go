// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package apikey holds the fields of [balenaclient.APIKey], to filter, select, expand and order queries by, and to write.
package apikey

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.APIKey]; its documentation says what they mean.
const (
	ID          pine.Field[balenaclient.APIKey, balenaclient.APIKeyID] = "id"
	Name        pine.Settable[balenaclient.APIKey, string]             = "name"
	Description pine.Settable[balenaclient.APIKey, string]             = "description"
	CreatedAt   pine.Field[balenaclient.APIKey, time.Time]             = "created_at"
	ExpiresAt   pine.Field[balenaclient.APIKey, time.Time]             = "expiry_date"
	Actor       pine.Link[balenaclient.APIKey, balenaclient.Actor]     = "is_of__actor"
)

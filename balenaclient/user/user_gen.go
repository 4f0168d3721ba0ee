// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package user holds the fields of [balenaclient.User], to filter, select, expand and order queries by, and to write.
package user

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.User]; its documentation says what they mean.
const (
	ID        pine.Field[balenaclient.User, balenaclient.UserID] = "id"
	Name      pine.Field[balenaclient.User, string]              = "username"
	Actor     pine.Link[balenaclient.User, balenaclient.Actor]   = "actor"
	CreatedAt pine.Field[balenaclient.User, time.Time]           = "created_at"
)

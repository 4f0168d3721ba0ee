// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package releasetag holds the columns of [balenaclient.ReleaseTag], to filter, select, expand and order queries by, and to write.
package releasetag

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.ReleaseTag]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.ReleaseTag, balenaclient.ReleaseTagID] = "id"

	// Key (tag_key): Without white space. Unique for the release.
	Key pine.SettableText[balenaclient.ReleaseTag] = "tag_key"

	// Value (value): May be empty.
	Value pine.SettableText[balenaclient.ReleaseTag] = "value"

	// Release (release): The release.
	Release pine.SettableLink[balenaclient.ReleaseTag, balenaclient.Release] = "release"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.ReleaseTag]) pine.Query[balenaclient.ReleaseTag] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.ReleaseTag]) pine.Query[balenaclient.ReleaseTag] {
	return pine.Where(filters...)
}

// ByReleaseAndKey identifies the row with this release and tag_key.
func ByReleaseAndKey(release balenaclient.ReleaseID, key string) pine.Key[balenaclient.ReleaseTag] {
	return Release.Key(release).And(Key.Key(key))
}

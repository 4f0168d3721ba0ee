// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package releasetag holds the fields of [balenaclient.ReleaseTag], to filter, select, expand and order queries by, and to write.
package releasetag

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.ReleaseTag]; its documentation says what they mean.
const (
	ID      pine.Field[balenaclient.ReleaseTag, balenaclient.ReleaseTagID]   = "id"
	Key     pine.Settable[balenaclient.ReleaseTag, string]                   = "tag_key"
	Value   pine.Settable[balenaclient.ReleaseTag, string]                   = "value"
	Release pine.SettableLink[balenaclient.ReleaseTag, balenaclient.Release] = "release"
)

// ByReleaseAndKey names the one row with this release and tag_key.
func ByReleaseAndKey(release balenaclient.ReleaseID, key string) pine.Key[balenaclient.ReleaseTag] {
	return Release.Key(release).And(Key.Key(key))
}

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package release holds the fields of [balenaclient.Release], to filter, select, expand and order queries by, and to write.
package release

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.Release]; its documentation says what they mean.
const (
	ID                 pine.Field[balenaclient.Release, balenaclient.ReleaseID]    = "id"
	Commit             pine.Settable[balenaclient.Release, string]                 = "commit"
	RawVersion         pine.Field[balenaclient.Release, string]                    = "raw_version"
	Semver             pine.Field[balenaclient.Release, string]                    = "semver"
	Revision           pine.Field[balenaclient.Release, int64]                     = "revision"
	CreatedAt          pine.Field[balenaclient.Release, time.Time]                 = "created_at"
	Fleet              pine.SettableLink[balenaclient.Release, balenaclient.Fleet] = "belongs_to__application"
	Status             pine.Settable[balenaclient.Release, string]                 = "status"
	Source             pine.Field[balenaclient.Release, string]                    = "source"
	IsFinal            pine.Field[balenaclient.Release, bool]                      = "is_final"
	FinalizedAt        pine.Field[balenaclient.Release, time.Time]                 = "is_finalized_at__date"
	IsInvalidated      pine.Settable[balenaclient.Release, bool]                   = "is_invalidated"
	InvalidationReason pine.Settable[balenaclient.Release, string]                 = "invalidation_reason"
	IsPassingTests     pine.Settable[balenaclient.Release, bool]                   = "is_passing_tests"
	Phase              pine.Settable[balenaclient.Release, string]                 = "phase"
	StartedAt          pine.Field[balenaclient.Release, time.Time]                 = "start_timestamp"
	EndedAt            pine.Field[balenaclient.Release, time.Time]                 = "end_timestamp"
	UpdatedAt          pine.Field[balenaclient.Release, time.Time]                 = "update_timestamp"
	Note               pine.Settable[balenaclient.Release, string]                 = "note"
	KnownIssues        pine.Settable[balenaclient.Release, string]                 = "known_issue_list"
	SemverMajor        pine.Field[balenaclient.Release, int64]                     = "semver_major"
	SemverMinor        pine.Field[balenaclient.Release, int64]                     = "semver_minor"
	SemverPatch        pine.Field[balenaclient.Release, int64]                     = "semver_patch"
	SemverPrerelease   pine.Field[balenaclient.Release, string]                    = "semver_prerelease"
	SemverBuild        pine.Field[balenaclient.Release, string]                    = "semver_build"
	Variant            pine.Field[balenaclient.Release, string]                    = "variant"
	Version            pine.Column[balenaclient.Release]                           = "version"
	CreatedBy          pine.Link[balenaclient.Release, balenaclient.User]          = "is_created_by__user"
	Tags               pine.Links[balenaclient.Release, balenaclient.ReleaseTag]   = "release_tag"
	Composition        pine.Column[balenaclient.Release]                           = "composition"
	Contract           pine.Column[balenaclient.Release]                           = "contract"
	BuildLog           pine.Field[balenaclient.Release, string]                    = "build_log"
	RunningOn          pine.Links[balenaclient.Release, balenaclient.Device]       = "is_running_on__device"
	PinnedTo           pine.Links[balenaclient.Release, balenaclient.Device]       = "is_pinned_to__device"
	TargetOf           pine.Links[balenaclient.Release, balenaclient.Fleet]        = "should_be_running_on__application"
	ReleaseImages      pine.Links[balenaclient.Release, balenaclient.ReleaseImage] = "release_image"
)

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package release holds the columns of [balenaclient.Release], to filter, select, expand and order queries by, and to write.
package release

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.Release]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.Release, balenaclient.ReleaseID] = "id"

	// Commit (commit): Commit of the release. Need not be unique, not even within a fleet.
	Commit pine.SettableText[balenaclient.Release] = "commit"

	// RawVersion (raw_version): For example 1.2.3, 1.2.3+rev1, or 1.2.3-1700000000000 for a draft. Computed by the server for each request.
	RawVersion pine.Text[balenaclient.Release] = "raw_version"

	// Semver (semver): Version without the revision. Computed by the server for each request.
	Semver pine.Text[balenaclient.Release] = "semver"

	// Revision (revision): Number of the final release among those of the same Semver, from 0; nil for a draft.
	Revision pine.Field[balenaclient.Release, int64] = "revision"

	// CreatedAt (created_at): When the release was created.
	CreatedAt pine.Field[balenaclient.Release, time.Time] = "created_at"

	// Fleet (belongs_to__application): The fleet.
	Fleet pine.SettableLink[balenaclient.Release, balenaclient.Fleet] = "belongs_to__application"

	// Status (status): Status of the build: running, success, failed, error, cancelled or interrupted.
	Status pine.SettableText[balenaclient.Release] = "status"

	// Source (source): Where the release was built: cloud or local.
	Source pine.Text[balenaclient.Release] = "source"

	// IsFinal (is_final): Whether the release is final rather than a draft. Computed by the server for each request.
	IsFinal pine.Field[balenaclient.Release, bool] = "is_final"

	// FinalizedAt (is_finalized_at__date): When the release became final.
	FinalizedAt pine.Field[balenaclient.Release, time.Time] = "is_finalized_at__date"

	// IsInvalidated (is_invalidated): Whether the release must no longer be used.
	IsInvalidated pine.Settable[balenaclient.Release, bool] = "is_invalidated"

	// InvalidationReason (invalidation_reason): Free text.
	InvalidationReason pine.SettableText[balenaclient.Release] = "invalidation_reason"

	// IsPassingTests (is_passing_tests): Whether the release passes its tests.
	IsPassingTests pine.Settable[balenaclient.Release, bool] = "is_passing_tests"

	// Phase (phase): next, current, sunset or end-of-life.
	Phase pine.SettableText[balenaclient.Release] = "phase"

	// StartedAt (start_timestamp): When the build started.
	StartedAt pine.Field[balenaclient.Release, time.Time] = "start_timestamp"

	// EndedAt (end_timestamp): When the build ended; nil while it is running.
	EndedAt pine.Field[balenaclient.Release, time.Time] = "end_timestamp"

	// UpdatedAt (update_timestamp): When the build last reported.
	UpdatedAt pine.Field[balenaclient.Release, time.Time] = "update_timestamp"

	// Note (note): Free text.
	Note pine.SettableText[balenaclient.Release] = "note"

	// KnownIssues (known_issue_list): Free text.
	KnownIssues pine.SettableText[balenaclient.Release] = "known_issue_list"

	// SemverMajor (semver_major): First part of Semver. Never selected by default.
	SemverMajor pine.Field[balenaclient.Release, int64] = "semver_major"

	// SemverMinor (semver_minor): Second part of Semver. Never selected by default.
	SemverMinor pine.Field[balenaclient.Release, int64] = "semver_minor"

	// SemverPatch (semver_patch): Third part of Semver. Never selected by default.
	SemverPatch pine.Field[balenaclient.Release, int64] = "semver_patch"

	// SemverPrerelease (semver_prerelease): Part of Semver after the -; may be empty. Never selected by default.
	SemverPrerelease pine.Text[balenaclient.Release] = "semver_prerelease"

	// SemverBuild (semver_build): Part of Semver after the +; may be empty. Never selected by default.
	SemverBuild pine.Text[balenaclient.Release] = "semver_build"

	// Variant (variant): Variant of a release of the operating system; may be empty. Never selected by default.
	Variant pine.Text[balenaclient.Release] = "variant"

	// Version (version): The parsed version. Never selected by default. Computed by the server for each request.
	Version pine.Column[balenaclient.Release] = "version"

	// CreatedBy (is_created_by__user): The user who pushed the release. On balenaCloud only; never selected by default.
	CreatedBy pine.Link[balenaclient.Release, balenaclient.User] = "is_created_by__user"

	// Tags (release_tag): The release's tags.
	Tags pine.Links[balenaclient.Release, balenaclient.ReleaseTag] = "release_tag"

	// Composition (composition): The compose file. Never selected by default.
	Composition pine.Column[balenaclient.Release] = "composition"

	// Contract (contract): The contract. Never selected by default.
	Contract pine.Column[balenaclient.Release] = "contract"

	// BuildLog (build_log): Log of the build, up to 1 MB. Never selected by default.
	BuildLog pine.Text[balenaclient.Release] = "build_log"

	// RunningOn (is_running_on__device): The devices that run the release.
	RunningOn pine.Links[balenaclient.Release, balenaclient.Device] = "is_running_on__device"

	// PinnedTo (is_pinned_to__device): The devices pinned to the release.
	PinnedTo pine.Links[balenaclient.Release, balenaclient.Device] = "is_pinned_to__device"

	// TargetOf (should_be_running_on__application): The fleets whose target is the release.
	TargetOf pine.Links[balenaclient.Release, balenaclient.Fleet] = "should_be_running_on__application"

	// ReleaseImages (release_image): The release's images.
	ReleaseImages pine.Links[balenaclient.Release, balenaclient.ReleaseImage] = "release_image"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.Release]) pine.Query[balenaclient.Release] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.Release]) pine.Query[balenaclient.Release] {
	return pine.Where(filters...)
}

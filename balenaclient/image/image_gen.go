// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package image holds the columns of [balenaclient.Image], to filter, select, expand and order queries by, and to write.
package image

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.Image]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.Image, balenaclient.ImageID] = "id"

	// CreatedAt (created_at): When the image was created.
	CreatedAt pine.Field[balenaclient.Image, time.Time] = "created_at"

	// StartedAt (start_timestamp): When the build started.
	StartedAt pine.Field[balenaclient.Image, time.Time] = "start_timestamp"

	// EndedAt (end_timestamp): When the build ended.
	EndedAt pine.Field[balenaclient.Image, time.Time] = "end_timestamp"

	// PushedAt (push_timestamp): When the image was pushed.
	PushedAt pine.Field[balenaclient.Image, time.Time] = "push_timestamp"

	// Status (status): Status of the build, as of a release.
	Status pine.Text[balenaclient.Image] = "status"

	// Size (image_size): Size in bytes.
	Size pine.Field[balenaclient.Image, int64] = "image_size"

	// Location (is_stored_at__image_location): Location of the image in the registry.
	Location pine.Text[balenaclient.Image] = "is_stored_at__image_location"

	// ContentHash (content_hash): Digest of the content, sha256:….
	ContentHash pine.Text[balenaclient.Image] = "content_hash"

	// ProjectType (project_type): Type of the project, for example Standard Dockerfile.
	ProjectType pine.Text[balenaclient.Image] = "project_type"

	// ErrorMessage (error_message): Why the build failed.
	ErrorMessage pine.Text[balenaclient.Image] = "error_message"

	// Service (is_a_build_of__service): The service.
	Service pine.Link[balenaclient.Image, balenaclient.Service] = "is_a_build_of__service"

	// Contract (contract): The contract. Never selected by default.
	Contract pine.Column[balenaclient.Image] = "contract"

	// ReleaseImages (release_image): The releases that contain the image.
	ReleaseImages pine.Links[balenaclient.Image, balenaclient.ReleaseImage] = "release_image"

	// ImageInstalls (image_install): Installations of the image on devices.
	ImageInstalls pine.Links[balenaclient.Image, balenaclient.ImageInstall] = "image_install"

	// Dockerfile (dockerfile): The Dockerfile. Never selected by default.
	Dockerfile pine.Text[balenaclient.Image] = "dockerfile"

	// BuildLog (build_log): Log of the build, up to 1.5 MB. Never selected by default.
	BuildLog pine.Text[balenaclient.Image] = "build_log"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.Image]) pine.Query[balenaclient.Image] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.Image]) pine.Query[balenaclient.Image] {
	return pine.Where(filters...)
}

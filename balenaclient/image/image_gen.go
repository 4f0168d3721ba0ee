// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package image holds the fields of [balenaclient.Image], to filter, select, expand and order queries by, and to write.
package image

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.Image]; its documentation says what they mean.
const (
	ID            pine.Field[balenaclient.Image, balenaclient.ImageID]      = "id"
	CreatedAt     pine.Field[balenaclient.Image, time.Time]                 = "created_at"
	StartedAt     pine.Field[balenaclient.Image, time.Time]                 = "start_timestamp"
	EndedAt       pine.Field[balenaclient.Image, time.Time]                 = "end_timestamp"
	PushedAt      pine.Field[balenaclient.Image, time.Time]                 = "push_timestamp"
	Status        pine.Field[balenaclient.Image, string]                    = "status"
	Size          pine.Field[balenaclient.Image, int64]                     = "image_size"
	Location      pine.Field[balenaclient.Image, string]                    = "is_stored_at__image_location"
	ContentHash   pine.Field[balenaclient.Image, string]                    = "content_hash"
	ProjectType   pine.Field[balenaclient.Image, string]                    = "project_type"
	ErrorMessage  pine.Field[balenaclient.Image, string]                    = "error_message"
	Service       pine.Link[balenaclient.Image, balenaclient.Service]       = "is_a_build_of__service"
	Contract      pine.Column[balenaclient.Image]                           = "contract"
	ReleaseImages pine.Links[balenaclient.Image, balenaclient.ReleaseImage] = "release_image"
	ImageInstalls pine.Links[balenaclient.Image, balenaclient.ImageInstall] = "image_install"
	Dockerfile    pine.Field[balenaclient.Image, string]                    = "dockerfile"
	BuildLog      pine.Field[balenaclient.Image, string]                    = "build_log"
)

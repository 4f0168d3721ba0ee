// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package releaseimage holds the fields of [balenaclient.ReleaseImage], to filter, select, expand and order queries by, and to write.
package releaseimage

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.ReleaseImage]; its documentation says what they mean.
const (
	ID      pine.Field[balenaclient.ReleaseImage, balenaclient.ReleaseImageID] = "id"
	Release pine.Link[balenaclient.ReleaseImage, balenaclient.Release]         = "release"
	Image   pine.Link[balenaclient.ReleaseImage, balenaclient.Image]           = "image"
)

// ByReleaseAndImage names the one row with this release and image.
func ByReleaseAndImage(release balenaclient.ReleaseID, image balenaclient.ImageID) pine.Key[balenaclient.ReleaseImage] {
	return Release.Key(release).And(Image.Key(image))
}

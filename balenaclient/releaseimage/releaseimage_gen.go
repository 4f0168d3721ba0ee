// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package releaseimage holds the columns of [balenaclient.ReleaseImage], to filter, select, expand and order queries by, and to write.
package releaseimage

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.ReleaseImage]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.ReleaseImage, balenaclient.ReleaseImageID] = "id"

	// Release (release): The release.
	Release pine.Link[balenaclient.ReleaseImage, balenaclient.Release] = "release"

	// Image (image): The image.
	Image pine.Link[balenaclient.ReleaseImage, balenaclient.Image] = "image"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.ReleaseImage]) pine.Query[balenaclient.ReleaseImage] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.ReleaseImage]) pine.Query[balenaclient.ReleaseImage] {
	return pine.Where(filters...)
}

// ByReleaseAndImage identifies the row with this release and image.
func ByReleaseAndImage(release balenaclient.ReleaseID, image balenaclient.ImageID) pine.Key[balenaclient.ReleaseImage] {
	return Release.Key(release).And(Image.Key(image))
}

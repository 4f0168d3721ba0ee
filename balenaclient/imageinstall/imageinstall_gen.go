// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package imageinstall holds the columns of [balenaclient.ImageInstall], to filter, select, expand and order queries by, and to write.
package imageinstall

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Columns of [balenaclient.ImageInstall]. Their names in the API are given in parentheses.
const (
	// ID (id): Identifies the row.
	ID pine.Field[balenaclient.ImageInstall, balenaclient.ImageInstallID] = "id"

	// InstalledAt (install_date): When the image was installed.
	InstalledAt pine.Field[balenaclient.ImageInstall, time.Time] = "install_date"

	// DownloadProgress (download_progress): Progress of the download in percent; nil if there is none.
	DownloadProgress pine.Field[balenaclient.ImageInstall, int64] = "download_progress"

	// Status (status): For example Running, Downloading, Stopping, exited, Dead or deleted. Those in lower case come from the container engine.
	Status pine.Text[balenaclient.ImageInstall] = "status"

	// Device (device): The device.
	Device pine.Link[balenaclient.ImageInstall, balenaclient.Device] = "device"

	// Image (installs__image): The image.
	Image pine.Link[balenaclient.ImageInstall, balenaclient.Image] = "installs__image"

	// Release (is_provided_by__release): The release, which may be one of the supervisor or of the operating system.
	Release pine.Link[balenaclient.ImageInstall, balenaclient.Release] = "is_provided_by__release"
)

// Select returns a query for these columns, or for the default ones without any, to expand links with.
func Select(columns ...pine.Selectable[balenaclient.ImageInstall]) pine.Query[balenaclient.ImageInstall] {
	return pine.Select(columns...)
}

// Where returns a query for the rows that match all filters, to expand links with.
func Where(filters ...pine.Filter[balenaclient.ImageInstall]) pine.Query[balenaclient.ImageInstall] {
	return pine.Where(filters...)
}

// ByDeviceAndImage identifies the row with this device and installs__image.
func ByDeviceAndImage(device balenaclient.DeviceID, image balenaclient.ImageID) pine.Key[balenaclient.ImageInstall] {
	return Device.Key(device).And(Image.Key(image))
}

// Code generated from schema.yaml by schemagen. DO NOT EDIT.

// Package imageinstall holds the fields of [balenaclient.ImageInstall], to filter, select, expand and order queries by, and to write.
package imageinstall

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Fields of [balenaclient.ImageInstall]; its documentation says what they mean.
const (
	ID               pine.Field[balenaclient.ImageInstall, balenaclient.ImageInstallID] = "id"
	InstalledAt      pine.Field[balenaclient.ImageInstall, time.Time]                   = "install_date"
	DownloadProgress pine.Field[balenaclient.ImageInstall, int64]                       = "download_progress"
	Status           pine.Field[balenaclient.ImageInstall, string]                      = "status"
	Device           pine.Link[balenaclient.ImageInstall, balenaclient.Device]          = "device"
	Image            pine.Link[balenaclient.ImageInstall, balenaclient.Image]           = "installs__image"
	Release          pine.Link[balenaclient.ImageInstall, balenaclient.Release]         = "is_provided_by__release"
)

// ByDeviceAndImage names the one row with this device and installs__image.
func ByDeviceAndImage(device balenaclient.DeviceID, image balenaclient.ImageID) pine.Key[balenaclient.ImageInstall] {
	return Device.Key(device).And(Image.Key(image))
}

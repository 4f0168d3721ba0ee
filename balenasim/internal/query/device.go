package query

import (
	"math"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// deviceFields computes the derived fields of devices, after
// open-balena-api's src/features/devices/models/device-additions.ts.
type deviceFields struct {
	device, application, install, deviceConfig, fleetConfig *store.Table

	vpn, lastEvent, heartbeat, provisioningState, provisioningProgress,
	downloadProgress, statusField, pin, fleet int
	fleetTarget                                                   int
	installDevice, installProgress, installStatus, installRelease int
}

func newDeviceFields(db *store.Store) *deviceFields {
	d := &deviceFields{
		device: db.Table("device"), application: db.Table("application"), install: db.Table("image_install"),
		deviceConfig: db.Table("device_config_variable"), fleetConfig: db.Table("application_config_variable"),
	}
	field := d.device.Resource.Index
	d.vpn, d.lastEvent, d.heartbeat = field("is_connected_to_vpn"), field("last_connectivity_event"), field("api_heartbeat_state")
	d.provisioningState, d.provisioningProgress = field("provisioning_state"), field("provisioning_progress")
	d.downloadProgress, d.statusField = field("download_progress"), field("status")
	d.pin, d.fleet = field("is_pinned_on__release"), field("belongs_to__application")
	d.fleetTarget = d.application.Resource.Index("should_be_running__release")
	field = d.install.Resource.Index
	d.installDevice, d.installProgress = field("device"), field("download_progress")
	d.installStatus, d.installRelease = field("status"), field("is_provided_by__release")
	return d
}

func (d *deviceFields) text(r store.Row, field int) string {
	s, _ := d.device.Text(r, field)
	return s
}

func (d *deviceFields) connected(r store.Row) bool {
	v, ok := d.device.Int(r, d.vpn)
	return ok && v == 1
}

func (d *deviceFields) has(r store.Row, field int) bool {
	_, ok := d.device.Int(r, field)
	return ok
}

// neverConnected devices are still being provisioned.
func (d *deviceFields) neverConnected(r store.Row) bool {
	return !d.connected(r) && !d.has(r, d.lastEvent) && d.text(r, d.heartbeat) == "unknown"
}

func (d *deviceFields) offline(r store.Row) bool {
	h := d.text(r, d.heartbeat)
	return !d.connected(r) && (h == "offline" || h == "unknown")
}

// downloading reports whether the device itself reports a download, as old
// supervisors did.
func (d *deviceFields) downloading(r store.Row) bool {
	return d.has(r, d.downloadProgress) && d.text(r, d.statusField) == "Downloading"
}

// installing reports whether one of the device's images is being downloaded.
func (d *deviceFields) installing(r store.Row) bool {
	for _, i := range d.install.Referring(d.installDevice, d.device.ID(r)) {
		if s, _ := d.install.Text(i, d.installStatus); s == "Downloading" {
			if _, ok := d.install.Int(i, d.installProgress); ok {
				return true
			}
		}
	}
	return false
}

func (d *deviceFields) status(r store.Row) store.Value {
	h := d.text(r, d.heartbeat)
	reachable := h == "online" || h == "timeout"
	status := "operational"
	switch {
	case d.text(r, d.provisioningState) == "Post-Provisioning":
		status = "post-provisioning"
	case d.neverConnected(r):
		status = "configuring"
	case d.offline(r):
		status = "disconnected"
	case reachable && d.downloading(r):
		status = "updating"
	case d.has(r, d.provisioningProgress):
		status = "configuring"
	case reachable && d.installing(r):
		status = "updating"
	case h == "timeout",
		d.connected(r) && h != "online",
		!d.connected(r) && h == "online" && d.wantsVPN(r):
		status = "reduced-functionality"
	}
	return store.TextValue(status)
}

func (d *deviceFields) statusV6(r store.Row) store.Value {
	status := "idle"
	switch {
	case d.text(r, d.provisioningState) == "Post-Provisioning":
		status = "post-provisioning"
	case d.neverConnected(r):
		status = "configuring"
	case d.offline(r):
		status = "offline"
	case d.downloading(r):
		status = "updating"
	case d.has(r, d.provisioningProgress):
		status = "configuring"
	case d.installing(r):
		status = "updating"
	}
	return store.TextValue(status)
}

// wantsVPN reports whether the VPN is enabled by configuration. That of the device
// takes precedence over that of the fleet, and BALENA_ over RESIN_.
func (d *deviceFields) wantsVPN(r store.Row) bool {
	look := func(t *store.Table, parent string, id int64) (string, bool) {
		value, found, best := "", false, ""
		for _, v := range t.Referring(t.Resource.Index(parent), id) {
			name, _ := t.Text(v, t.Resource.Index("name"))
			if name != "BALENA_SUPERVISOR_VPN_CONTROL" && name != "RESIN_SUPERVISOR_VPN_CONTROL" {
				continue
			}
			if !found || name < best {
				best, found = name, true
				value, _ = t.Text(v, t.Resource.Index("value"))
			}
		}
		return value, found
	}
	if v, ok := look(d.deviceConfig, "device", d.device.ID(r)); ok {
		return v != "false"
	}
	if fleet, ok := d.device.Int(r, d.fleet); ok {
		if v, ok := look(d.fleetConfig, "application", fleet); ok {
			return v != "false"
		}
	}
	return true
}

// target returns the release that the device should run: its pin, or the target
// of its fleet.
func (d *deviceFields) target(r store.Row) store.Value {
	if pin, ok := d.device.Int(r, d.pin); ok {
		return store.IntValue(pin)
	}
	if fleet, ok := d.device.Int(r, d.fleet); ok {
		if a := d.application.Find(fleet); a != store.NoRow {
			if release, ok := d.application.Int(a, d.fleetTarget); ok {
				return store.IntValue(release)
			}
		}
	}
	return store.Value{}
}

func (d *deviceFields) progress(r store.Row) store.Value {
	switch {
	case d.text(r, d.provisioningState) == "Post-Provisioning", d.neverConnected(r):
		return d.device.Value(r, d.provisioningProgress)
	case d.offline(r):
		return store.Value{}
	case d.downloading(r):
		return d.device.Value(r, d.downloadProgress)
	case d.has(r, d.provisioningProgress):
		return d.device.Value(r, d.provisioningProgress)
	case !d.installing(r):
		return store.Value{}
	}
	target := d.target(r)
	sum, n := 0.0, 0.0
	for _, i := range d.install.Referring(d.installDevice, d.device.ID(r)) {
		status, _ := d.install.Text(i, d.installStatus)
		release, _ := d.install.Int(i, d.installRelease)
		if status == "deleted" || status != "Downloading" && (target.Kind == store.Null || release != target.I) {
			continue
		}
		n++
		if p, ok := d.install.Int(i, d.installProgress); ok {
			sum += float64(p)
		} else {
			sum += 100
		}
	}
	return store.IntValue(int64(math.Round(sum / n)))
}

package query

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// computed compiles the read of a computed field. A value that was loaded
// with the row counts until the row changes.
func computed(db *store.Store, resource, field string, version schema.Version) func(store.Row) store.Value {
	t := db.Table(resource)
	var compute func(store.Row) store.Value
	switch resource + "." + field {
	case "device.overall_status":
		d := newDeviceFields(db)
		if version == schema.V6 {
			// v6 knows its own, older statuses; what was loaded is of v7.
			return d.statusV6
		}
		compute = d.status
	case "device.overall_progress":
		compute = newDeviceFields(db).progress
	case "device.should_be_running__release":
		compute = newDeviceFields(db).target
	case "release.is_final":
		revision := t.Resource.Index("revision")
		compute = func(r store.Row) store.Value {
			_, ok := t.Int(r, revision)
			return store.BoolValue(ok)
		}
	case "release.release_type":
		revision := t.Resource.Index("revision")
		return func(r store.Row) store.Value {
			if _, ok := t.Int(r, revision); ok {
				return store.TextValue("final")
			}
			return store.TextValue("draft")
		}
	case "release.semver":
		compute = newReleaseFields(t).semver
	case "release.raw_version":
		compute = newReleaseFields(t).rawVersion
	case "release.version":
		compute = newReleaseFields(t).version
	default:
		// Fields that v6 kept for old clients are always null.
		return func(store.Row) store.Value { return store.Value{} }
	}
	i := t.Resource.Index(field)
	return func(r store.Row) store.Value {
		if v, ok := t.Given(r, i); ok {
			return v
		}
		return compute(r)
	}
}

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

// downloading says whether the device itself, as old ones did, reports a
// download.
func (d *deviceFields) downloading(r store.Row) bool {
	return d.has(r, d.downloadProgress) && d.text(r, d.statusField) == "Downloading"
}

// installing says whether one of the device's images is being downloaded.
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

// wantsVPN says whether no configuration turns the device's VPN off. That of
// the device goes before that of the fleet, and BALENA_ before RESIN_.
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

// target is the release that the device should run: its pin, or that of its
// fleet.
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

// releaseFields computes the versions of releases, after open-balena-api's
// src/features/ci-cd/models/release-additions.ts.
type releaseFields struct {
	t                                                                  *store.Table
	major, minor, patch, prerelease, build, variant, revision, created int
}

func newReleaseFields(t *store.Table) *releaseFields {
	field := t.Resource.Index
	return &releaseFields{t, field("semver_major"), field("semver_minor"), field("semver_patch"),
		field("semver_prerelease"), field("semver_build"), field("variant"), field("revision"), field("created_at")}
}

func (f *releaseFields) text(r store.Row, field int) string {
	s, _ := f.t.Text(r, field)
	return s
}

func (f *releaseFields) core(r store.Row) string {
	major, _ := f.t.Int(r, f.major)
	minor, _ := f.t.Int(r, f.minor)
	patch, _ := f.t.Int(r, f.patch)
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

func (f *releaseFields) semver(r store.Row) store.Value {
	s := f.core(r)
	if p := f.text(r, f.prerelease); p != "" {
		s += "-" + p
	}
	if b := f.text(r, f.build); b != "" {
		s += "+" + b
	}
	return store.TextValue(s)
}

// prereleases are the parts behind the dash. A draft adds when it was made.
func (f *releaseFields) prereleases(r store.Row) []string {
	var parts []string
	if p := f.text(r, f.prerelease); p != "" {
		parts = append(parts, p)
	}
	if _, final := f.t.Int(r, f.revision); !final {
		created, _ := f.t.Int(r, f.created)
		parts = append(parts, strconv.FormatInt(created, 10))
	}
	return parts
}

// builds are the parts behind the plus: later finals of one version add their
// revision.
func (f *releaseFields) builds(r store.Row) []string {
	var parts []string
	build := f.text(r, f.build)
	if build != "" {
		parts = append(parts, build)
	}
	if n, ok := f.t.Int(r, f.revision); ok && n > 0 {
		rev := fmt.Sprintf("rev%d", n)
		if !strings.Contains("."+build+".", "."+rev+".") {
			parts = append(parts, rev)
		}
	}
	if v := f.text(r, f.variant); v != "" {
		parts = append(parts, v)
	}
	return parts
}

func (f *releaseFields) mainVersion(r store.Row) string {
	s := f.core(r)
	if parts := f.prereleases(r); len(parts) > 0 {
		s += "-" + strings.Join(parts, ".")
	}
	return s
}

func (f *releaseFields) rawVersion(r store.Row) store.Value {
	s := f.mainVersion(r)
	if parts := f.builds(r); len(parts) > 0 {
		s += "+" + strings.Join(parts, ".")
	}
	return store.TextValue(s)
}

func (f *releaseFields) version(r store.Row) store.Value {
	quoted := func(field int) []string {
		var out []string
		if s := f.text(r, field); s != "" {
			for part := range strings.SplitSeq(s, ".") {
				out = append(out, string(appendText(nil, part)))
			}
		}
		return out
	}
	prerelease := quoted(f.prerelease)
	if _, final := f.t.Int(r, f.revision); !final {
		created, _ := f.t.Int(r, f.created)
		prerelease = append(prerelease, strconv.FormatInt(created, 10))
	}
	build := quoted(f.build)
	rest := f.builds(r)
	if f.text(r, f.build) != "" {
		rest = rest[1:]
	}
	for _, part := range rest {
		build = append(build, string(appendText(nil, part)))
	}
	major, _ := f.t.Int(r, f.major)
	minor, _ := f.t.Int(r, f.minor)
	patch, _ := f.t.Int(r, f.patch)
	return store.Value{Kind: store.JSON, S: fmt.Sprintf(
		`{"raw":%s,"major":%d,"minor":%d,"patch":%d,"prerelease":[%s],"build":[%s],"version":%s}`,
		appendText(nil, f.rawVersion(r).S), major, minor, patch,
		strings.Join(prerelease, ","), strings.Join(build, ","), appendText(nil, f.mainVersion(r)))}
}

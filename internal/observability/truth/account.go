package truth

import (
	"fmt"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// account changes the simulator's state. What it draws on exists or the change is void.
type account struct {
	sim  *balenasim.Simulator
	now  func() time.Time
	made int // names given so far

	organizations, types []int64
	fleets, devices      []int64
	releases             map[int64][]int64 // by fleet
	services             map[int64][]int64 // by fleet
	images               map[int64][]int64 // by release, a service each
	fleetOf              map[int64]int64   // by device
	isOnline             map[int64]bool
	installs             []int64
	tags                 map[string]int64
	notes                []string // what was done since the last call of note
}

func (a *account) note(format string, args ...any) {
	a.notes = append(a.notes, fmt.Sprintf(format, args...))
}

// newAccount makes an account with a few fleets and devices.
func newAccount(now func() time.Time, r *source) *account {
	a := &account{
		sim: balenasim.New(balenasim.WithToken(token), balenasim.WithNow(now)), now: now,
		releases: map[int64][]int64{}, services: map[int64][]int64{}, images: map[int64][]int64{}, fleetOf: map[int64]int64{}, isOnline: map[int64]bool{}, tags: map[string]int64{},
	}
	a.insert("user", map[string]any{"username": "admin", "actor": int64(1)})
	for _, handle := range []string{"acme", "globex"} {
		a.organizations = append(a.organizations, a.insert("organization", map[string]any{"name": handle, "handle": handle}))
	}
	for _, slug := range []string{"raspberrypi4-64", "intel-nuc", "jetson-nano"} {
		a.types = append(a.types, a.insert("device_type", map[string]any{"slug": slug, "name": slug}))
	}
	for range 1 + r.next(3) {
		a.createFleet(r)
	}
	for range r.next(7) {
		a.createDevice(r)
	}
	a.notes = nil
	return a
}

func (a *account) insert(resource string, fields map[string]any) int64 {
	id, err := a.sim.Insert(resource, fields)
	if err != nil {
		panic(fmt.Sprintf("insert %s: %v", resource, err))
	}
	return id
}

func (a *account) update(resource string, id int64, fields map[string]any) {
	if err := a.sim.Update(resource, id, fields); err != nil {
		panic(fmt.Sprintf("update %s: %v", resource, err))
	}
}

// delete removes a row; that it may be gone with another one is fine.
func (a *account) delete(resource string, id int64) { _ = a.sim.Delete(resource, id) }

func (a *account) name(prefix string) string {
	a.made++
	return fmt.Sprintf("%s-%d", prefix, a.made)
}

func pick(r *source, ids []int64) (int64, bool) {
	if len(ids) == 0 {
		r.next(1)
		return 0, false
	}
	return ids[r.next(len(ids))], true
}

func without(ids []int64, id int64) []int64 {
	var rest []int64
	for _, other := range ids {
		if other != id {
			rest = append(rest, other)
		}
	}
	return rest
}

func (a *account) createFleet(r *source) {
	organization := r.next(len(a.organizations))
	name := a.name("fleet")
	if r.next(6) == 0 {
		name = "kiosk" // a name that another organization may use, too
	}
	slug := []string{"acme", "globex"}[organization] + "/" + a.name(name)
	id := a.insert("application", map[string]any{
		"app_name": name, "slug": slug, "organization": a.organizations[organization], "is_for__device_type": a.types[0],
	})
	a.fleets = append(a.fleets, id)
	for _, service := range []string{"main", "proxy"}[:1+r.next(2)] {
		a.services[id] = append(a.services[id], a.insert("service", map[string]any{"application": id, "service_name": service}))
	}
	a.note("create fleet %d (%s)", id, slug)
	for range r.next(3) {
		a.createRelease(r, id)
	}
	a.target(r, id)
}

func (a *account) createRelease(r *source, fleet int64) {
	now := a.now()
	fields := map[string]any{
		"belongs_to__application": fleet, "commit": a.name("commit"), "status": "success", "is_invalidated": false,
		"created_at": now.Add(-time.Hour), "start_timestamp": now.Add(-time.Hour), "end_timestamp": now.Add(-50 * time.Minute),
		"semver_major": int64(1), "semver_minor": int64(len(a.releases[fleet])), "semver_patch": int64(0),
		"semver_prerelease": "", "semver_build": "", "variant": "", "revision": int64(0), "is_finalized_at__date": now.Add(-49 * time.Minute),
	}
	switch r.next(5) {
	case 0: // a draft
		fields["revision"], fields["is_finalized_at__date"] = nil, nil
	case 1:
		fields["status"] = "failed"
	case 2:
		fields["status"], fields["end_timestamp"] = "running", nil
	}
	id := a.insert("release", fields)
	a.releases[fleet] = append(a.releases[fleet], id)
	a.note("create release %d of fleet %d (%s, final %t)", id, fleet, fields["status"], fields["revision"] != nil)
	for _, service := range a.services[fleet] {
		image := a.insert("image", map[string]any{
			"is_a_build_of__service": service, "image_size": int64(1000 + 10*a.made), "status": "success",
			"is_stored_at__image_location": a.name("registry/image"),
		})
		a.insert("release_image", map[string]any{"image": image, "is_part_of__release": id})
		a.images[id] = append(a.images[id], image)
	}
}

func (a *account) target(r *source, fleet int64) {
	id, ok := pick(r, a.releases[fleet])
	if !ok {
		return
	}
	a.update("application", fleet, map[string]any{"should_be_running__release": id})
	a.note("fleet %d targets release %d", fleet, id)
}

func (a *account) createDevice(r *source) {
	fleet, ok := pick(r, a.fleets)
	if !ok {
		return
	}
	name := a.name("device")
	if r.next(4) == 0 {
		name = "twin"
	}
	fields := map[string]any{
		"uuid": fmt.Sprintf("%032x", a.made), "device_name": name, "belongs_to__application": fleet, "is_of__device_type": a.types[r.next(len(a.types))],
	}
	if r.next(4) > 0 {
		for key, value := range a.online() {
			fields[key] = value
		}
		fields["os_version"], fields["os_variant"], fields["supervisor_version"] = "balenaOS 6.1.24", "prod", "17.0.3"
		fields["cpu_usage"], fields["cpu_temp"], fields["memory_usage"], fields["memory_total"] = int64(20), int64(45), int64(510), int64(1900)
		fields["storage_usage"], fields["storage_total"], fields["status"] = int64(2543), int64(28431), "Idle"
		if release, ok := pick(r, a.releases[fleet]); ok {
			fields["is_running__release"] = release
		}
	}
	id := a.insert("device", fields)
	a.devices = append(a.devices, id)
	a.fleetOf[id], a.isOnline[id] = fleet, fields["is_online"] == true
	a.note("create device %d (%s) in fleet %d, online %t", id, name, fleet, fields["is_online"] == true)
	if release, ok := fields["is_running__release"].(int64); ok {
		a.install(id, release, "Running")
	}
	if r.next(2) == 0 {
		a.tag(r, "device", id)
	}
}

func (a *account) online() map[string]any {
	now := a.now()
	return map[string]any{
		"is_online": true, "is_connected_to_vpn": true, "last_connectivity_event": now, "last_vpn_event": now,
		"api_heartbeat_state": "online", "changed_api_heartbeat_state_on__date": now,
	}
}

// install gives a device containers of a release.
func (a *account) install(device, release int64, status string) {
	for _, image := range a.images[release] {
		fields := map[string]any{
			"device": device, "installs__image": image, "is_provided_by__release": release, "status": status, "install_date": a.now(),
		}
		if status == "Downloading" {
			fields["download_progress"] = int64(40)
		}
		if id, err := a.sim.Insert("image_install", fields); err == nil {
			a.installs = append(a.installs, id)
		}
	}
}

func (a *account) tag(r *source, of string, id int64) {
	resource, key := of+"_tag", []string{"site", "rack", "other"}[r.next(3)]
	parent := of
	if of == "application" {
		key = []string{"env", "other"}[r.next(2)]
	}
	name := fmt.Sprintf("%s %d %s", of, id, key)
	if row, has := a.tags[name]; has {
		if r.next(3) == 0 {
			a.delete(resource, row)
			delete(a.tags, name)
			a.note("remove the tag %s of %s %d", key, of, id)
			return
		}
		value := a.name("value")
		a.update(resource, row, map[string]any{"value": value})
		a.note("set the tag %s of %s %d to %s", key, of, id, value)
		return
	}
	value := a.name("value")
	a.tags[name] = a.insert(resource, map[string]any{parent: id, "tag_key": key, "value": value})
	a.note("set the tag %s of %s %d to %s", key, of, id, value)
}

// changeDevice changes a device in one of many ways.
func (a *account) changeDevice(r *source) {
	id, ok := pick(r, a.devices)
	if !ok {
		return
	}
	now, fleet := a.now(), a.fleetOf[id]
	set := func(what string, fields map[string]any) {
		a.update("device", id, fields)
		a.note("device %d: %s", id, what)
	}
	online := a.isOnline[id]
	switch r.next(19) {
	case 0, 1, 2, 3, 4, 5:
		if online {
			set("disconnects", map[string]any{
				"is_online": false, "is_connected_to_vpn": false, "last_connectivity_event": now, "last_vpn_event": now,
			})
		} else {
			set("connects", a.online())
		}
		a.isOnline[id] = !online
	case 6:
		if online {
			set("is lost and comes back", map[string]any{"last_connectivity_event": now, "last_vpn_event": now})
		}
	case 7, 8:
		state := heartbeats[r.next(len(heartbeats))]
		set("heartbeat "+state, map[string]any{"api_heartbeat_state": state, "changed_api_heartbeat_state_on__date": now})
	case 9:
		name := a.name("renamed")
		if r.next(3) == 0 {
			name = "twin"
		}
		set("is renamed to "+name, map[string]any{"device_name": name})
	case 10:
		to, _ := pick(r, a.fleets)
		if to == 0 || to == fleet {
			return
		}
		a.fleetOf[id] = to
		set(fmt.Sprintf("moves from fleet %d to %d", fleet, to), map[string]any{"belongs_to__application": to, "is_pinned_on__release": nil})
	case 11:
		a.devices = without(a.devices, id)
		a.delete("device", id)
		a.note("device %d: is deleted", id)
	case 12:
		release, ok := pick(r, a.releases[fleet])
		if !ok || r.next(3) == 0 {
			set("is unpinned", map[string]any{"is_pinned_on__release": nil})
			return
		}
		set(fmt.Sprintf("is pinned to release %d", release), map[string]any{"is_pinned_on__release": release})
	case 13:
		if release, ok := pick(r, a.releases[fleet]); ok {
			set(fmt.Sprintf("runs release %d", release), map[string]any{"is_running__release": release, "update_status": "done"})
			a.install(id, release, "Running")
		}
	case 14:
		if release, ok := pick(r, a.releases[fleet]); ok {
			set(fmt.Sprintf("downloads release %d", release), map[string]any{"update_status": "downloading"})
			a.install(id, release, "Downloading")
		}
	case 15:
		status := []any{"rejected", "aborted", "applying changes", "downloaded", "done", nil}[r.next(6)]
		set(fmt.Sprintf("update status %v", status), map[string]any{"update_status": status})
	case 16:
		set("reports hardware", map[string]any{
			"cpu_usage": int64(r.next(100)), "cpu_temp": int64(r.next(90) - 1), "memory_usage": int64(r.next(1900)), "storage_usage": int64(r.next(28000)),
			"is_undervolted": r.next(2) == 0,
		})
	case 17:
		version := []any{"balenaOS 5.3.21", "balenaOS 6.1.24", nil}[r.next(3)]
		set(fmt.Sprintf("runs %v", version), map[string]any{"os_version": version, "supervisor_version": []any{"14.13.5", nil}[r.next(2)]})
	case 18:
		a.tag(r, "device", id)
	}
}

// changeContainer changes a container on a device.
func (a *account) changeContainer(r *source) {
	id, ok := pick(r, a.installs)
	if !ok {
		return
	}
	status := []string{"Running", "exited", "deleted", "Downloading", "Stopped"}[r.next(5)]
	fields := map[string]any{"status": status, "download_progress": nil}
	if status == "Downloading" {
		fields["download_progress"] = int64(r.next(100))
	}
	if a.sim.Update("image_install", id, fields) == nil {
		a.note("container %d: %s", id, status)
	}
}

// changeFleet changes a fleet in one of several ways.
func (a *account) changeFleet(r *source) {
	id, ok := pick(r, a.fleets)
	if !ok {
		return
	}
	switch r.next(8) {
	case 0:
		name := a.name("renamed")
		a.update("application", id, map[string]any{"app_name": name, "slug": "acme/" + name})
		a.note("fleet %d: is renamed to acme/%s", id, name)
	case 1:
		if r.next(2) == 0 {
			a.update("application", id, map[string]any{"is_archived": true})
			a.note("fleet %d: is archived", id)
		} else {
			a.delete("application", id)
			a.note("fleet %d: is deleted", id)
		}
		a.fleets = without(a.fleets, id)
		for device, fleet := range a.fleetOf {
			if fleet == id {
				a.devices = without(a.devices, device)
			}
		}
	case 2:
		a.createFleet(r)
	case 3:
		a.tag(r, "application", id)
	case 4, 5:
		a.target(r, id)
	default:
		a.createRelease(r, id)
	}
}

// changeRelease ends a build, or makes a draft final.
func (a *account) changeRelease(r *source) {
	fleet, _ := pick(r, a.fleets)
	id, ok := pick(r, a.releases[fleet])
	if !ok {
		return
	}
	status := []string{"success", "failed", "running"}[r.next(3)]
	fields := map[string]any{"status": status, "end_timestamp": a.now()}
	if r.next(2) == 0 {
		fields["revision"], fields["is_finalized_at__date"] = int64(0), a.now()
	}
	a.update("release", id, fields)
	a.note("release %d: %s, final %t", id, status, fields["revision"] != nil)
}

package balenasim

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// generator creates the rows of a scenario.
type generator struct {
	tx     *store.Tx
	sc     *Scenario
	rand   *rand.Rand
	now    time.Time
	actors int64
	err    error

	fleets []*fleet
	types  []int64
}

// fleet is the state of a simulated fleet beyond its row.
type fleet struct {
	id       int64
	name     string
	kind     int64   // device type
	services []int64 // in scenario order
	releases []int64
	images   map[int64][]int64 // by release, one per service
	minor    int64             // of the latest release
}

// insert adds a row and returns its id. After the first error it does nothing.
func (g *generator) insert(resource string, fields map[string]any) int64 {
	if g.err != nil {
		return 0
	}
	id, err := g.tx.Insert(resource, fields)
	if err != nil {
		g.err = fmt.Errorf("generate %s: %w", resource, err)
	}
	return id
}

func (g *generator) actor() int64 {
	g.actors++
	return g.actors
}

func (g *generator) hex(bytes int) string {
	b := make([]byte, bytes)
	for i := range b {
		b[i] = byte(g.rand.UintN(256))
	}
	return hex.EncodeToString(b)
}

var (
	places = []string{"harbour", "orchard", "quarry", "station", "mill", "depot", "garden", "tower", "bridge", "market"}
	kinds  = []string{"cameras", "gateways", "sensors", "kiosks", "meters", "pumps", "displays", "robots"}
	oses   = []string{"balenaOS 2.115.18", "balenaOS 5.3.21", "balenaOS 6.1.24+rev2"}
	supers = []string{"14.13.5", "16.7.6", "17.0.3"}
)

// createShared creates the rows that all fleets share.
func (g *generator) createShared() {
	g.insert("user", map[string]any{"actor": g.actor(), "username": "guest"})
	g.insert("user", map[string]any{"actor": g.actor(), "username": "admin", "email": "admin@balena.example"})
	g.insert("application_type", map[string]any{
		"name": "Default", "slug": "default", "supports_multicontainer": true,
		"supports_web_url": false, "supports_gateway_mode": true, "requires_payment": false, "is_legacy": false,
	})
	arch := map[string]int64{}
	for _, slug := range []string{"aarch64", "armv7hf", "amd64"} {
		arch[slug] = g.insert("cpu_architecture", map[string]any{"slug": slug})
	}
	for _, dt := range [][3]string{
		{"raspberrypi4-64", "Raspberry Pi 4", "aarch64"}, {"raspberrypi3", "Raspberry Pi 3", "armv7hf"},
		{"intel-nuc", "Intel NUC", "amd64"}, {"jetson-nano", "Nvidia Jetson Nano", "aarch64"},
	} {
		g.types = append(g.types, g.insert("device_type", map[string]any{
			"slug": dt[0], "name": dt[1], "is_of__cpu_architecture": arch[dt[2]],
		}))
	}
	g.insert("service_instance", map[string]any{
		"service_type": "vpn", "ip_address": "10.0.0.1", "last_heartbeat": g.now,
	})
	// Callers also see the public fleets of the platform.
	org := g.insert("organization", map[string]any{"name": "balena OS", "handle": "balena_os"})
	host := g.application(org, "balena_os", "raspberrypi4-64", g.types[0], true)
	if g.err == nil {
		g.err = g.tx.Grant(host)
	}
}

func (g *generator) application(org int64, handle, name string, deviceType int64, host bool) int64 {
	return g.insert("application", map[string]any{
		"actor": g.actor(), "should_track_latest_release": true, "is_of__class": "fleet",
		"organization": org, "app_name": name, "slug": handle + "/" + name,
		"is_for__device_type": deviceType, "application_type": int64(1),
		"is_host": host, "is_public": host, "is_archived": false, "uuid": g.hex(16),
		"created_at": g.now.Add(-90 * 24 * time.Hour),
	})
}

// createFleets creates the fleets with services, releases and images.
func (g *generator) createFleets() {
	var org int64
	handle := ""
	for n := range g.sc.Fleets {
		if n%10 == 0 {
			handle = fmt.Sprintf("org-%d", n/10+1)
			org = g.insert("organization", map[string]any{"name": fmt.Sprintf("Organization %d", n/10+1), "handle": handle})
		}
		f := &fleet{
			name:   fmt.Sprintf("%s-%s-%d", places[n%len(places)], kinds[n/len(places)%len(kinds)], n+1),
			kind:   g.types[n%len(g.types)],
			images: map[int64][]int64{},
		}
		f.id = g.application(org, handle, f.name, f.kind, false)
		if g.err == nil {
			g.err = g.tx.Grant(f.id)
		}
		g.insert("application_environment_variable", map[string]any{"application": f.id, "name": "LOG_LEVEL", "value": "info"})
		g.insert("application_tag", map[string]any{"application": f.id, "tag_key": "env", "value": []string{"prod", "staging"}[n%2]})
		for _, name := range g.sc.Services {
			f.services = append(f.services, g.insert("service", map[string]any{"application": f.id, "service_name": name}))
		}
		for i := range g.sc.Releases {
			g.release(f, g.now.Add(-time.Duration(g.sc.Releases-i)*7*24*time.Hour))
		}
		g.target(f)
		g.fleets = append(g.fleets, f)
	}
}

// release adds the next release of a fleet.
func (g *generator) release(f *fleet, at time.Time) int64 {
	services := map[string]any{}
	for _, name := range g.sc.Services {
		services[name] = map[string]any{"build": map[string]any{"context": name}}
	}
	built := at.Add(5 * time.Minute)
	r := g.insert("release", map[string]any{
		"belongs_to__application": f.id, "commit": g.hex(16), "composition": map[string]any{"version": "2.1", "services": services},
		"status": "success", "source": "cloud", "is_invalidated": false, "is_passing_tests": true,
		"created_at": at, "start_timestamp": at, "end_timestamp": built, "update_timestamp": built,
		"is_finalized_at__date": built, "semver_major": int64(1), "semver_minor": f.minor, "semver_patch": int64(0),
		"semver_prerelease": "", "semver_build": "", "variant": "", "revision": int64(0),
	})
	f.minor++
	for _, service := range f.services {
		image := g.insert("image", map[string]any{
			"start_timestamp": at, "end_timestamp": built, "push_timestamp": built,
			"is_a_build_of__service": service, "image_size": 50_000_000 + g.rand.Int64N(900_000_000),
			"is_stored_at__image_location": "registry2.balena.example/v2/" + g.hex(16), "status": "success",
			"content_hash": "sha256:" + g.hex(32), "project_type": "Standard Dockerfile",
		})
		g.insert("release_image", map[string]any{"image": image, "is_part_of__release": r})
		f.images[r] = append(f.images[r], image)
	}
	f.releases = append(f.releases, r)
	return r
}

// target makes the latest release the target of the fleet.
func (g *generator) target(f *fleet) {
	if g.err != nil {
		return
	}
	_, g.err = g.tx.Update("application", f.id, map[string]any{"should_be_running__release": f.latest()})
}

func (f *fleet) latest() int64 { return f.releases[len(f.releases)-1] }

// device adds a device to a fleet and returns its id.
func (g *generator) device(f *fleet, n int, online bool) int64 {
	release := f.latest()
	total := []int64{1900, 3790, 7600}[g.rand.IntN(3)]
	os := g.rand.IntN(len(oses))
	fields := map[string]any{
		"actor": g.actor(), "uuid": g.hex(16), "device_name": fmt.Sprintf("%s-%04d", f.name, n),
		"is_of__device_type": f.kind, "belongs_to__application": f.id,
		"api_heartbeat_state": "unknown", "is_online": false, "is_connected_to_vpn": false,
		"is_web_accessible": false, "is_undervolted": false,
		"os_version": oses[os], "os_variant": "prod", "supervisor_version": supers[os],
		"mac_address": fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", byte(n>>24), byte(n>>16), byte(n>>8), byte(n)),
		"created_at":  g.now.Add(-time.Duration(g.rand.Int64N(int64(80 * 24 * time.Hour)))),
	}
	if online {
		since := g.now.Add(-time.Duration(g.rand.Int64N(int64(48 * time.Hour))))
		for k, v := range map[string]any{
			"api_heartbeat_state": "online", "changed_api_heartbeat_state_on__date": since,
			"is_online": true, "is_connected_to_vpn": true, "last_connectivity_event": since, "last_vpn_event": since,
			"is_managed_by__service_instance": int64(1), "status": "Idle", "provisioning_state": "",
			"ip_address":   fmt.Sprintf("192.168.%d.%d", n>>8&255, n&255),
			"memory_total": total, "memory_usage": total / 4, "storage_total": int64(28431), "storage_usage": 2000 + g.rand.Int64N(8000),
			"storage_block_device": "/dev/mmcblk0p6", "cpu_usage": g.rand.Int64N(40), "cpu_temp": 40 + g.rand.Int64N(15),
			"cpu_id": g.hex(8), "is_running__release": release, "update_status": "done", "last_update_status_event": since,
			"is_undervolted": g.rand.Float64() < g.sc.Life.Undervolted,
		} {
			fields[k] = v
		}
	}
	if g.rand.Float64() < g.sc.Pinned {
		fields["is_pinned_on__release"] = release
	}
	id := g.insert("device", fields)
	g.insert("device_tag", map[string]any{"device": id, "tag_key": "site", "value": fmt.Sprintf("site-%d", n%20)})
	if n%10 == 0 {
		g.insert("device_environment_variable", map[string]any{"device": id, "name": "DEVICE_ROLE", "value": "primary"})
	}
	for i, service := range f.services {
		g.insert("service_install", map[string]any{"device": id, "installs__service": service})
		if online {
			g.insert("image_install", map[string]any{
				"device": id, "installs__image": f.images[release][i], "is_provided_by__release": release,
				"install_date": g.now, "status": "Running",
			})
		}
	}
	return id
}

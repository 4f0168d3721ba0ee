package truth

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// series is one that should be served.
type series struct {
	key    string // as /metrics writes it
	value  float64
	metric string // its name in Prometheus

	// Of what it is: an entity bears one identity at a time, and of the series in a group there is one at a time.
	entity   entity
	identity string
	group    string

	fleet     ref // that it belongs to
	fleetKey  fleetKey
	noRelease bool   // whether there is no release that it needs
	anyOf     []kind // requests of which one suffices to know that it is to be shown
}

// entity is a fleet, a device, a release or the receiver.
type entity struct {
	of string
	id ref
}

// need says what requests a metric is made of.
type need struct {
	metric string // its name in the configuration
	kinds  []kind
}

// needs are the requests that each metric is made of, by its name in Prometheus.
var needs = map[string]need{
	"balena_devices_online":                         {"balena.devices.online", []kind{fleetKind}},
	"balena_fleet_device_registered":                {"balena.fleet.device.registered", []kind{deviceCountKind}},
	"balena_fleet_device_status":                    {"balena.fleet.device.status", []kind{deviceKind}},
	"balena_fleet_device_heartbeat_state":           {"balena.fleet.device.heartbeat.state", []kind{deviceKind}},
	"balena_fleet_device_disconnections_total":      {"balena.fleet.device.disconnections", []kind{deviceKind}},
	"balena_fleet_device_reconnections_total":       {"balena.fleet.device.reconnections", []kind{deviceKind}},
	"balena_fleet_device_rollout_state":             {"balena.fleet.device.rollout.state", []kind{deviceKind}},
	"balena_fleet_rollout_progress_ratio":           {"balena.fleet.rollout.progress", []kind{deviceKind}},
	"balena_fleet_target_release_info":              {"balena.fleet.target_release.info", []kind{releaseKind}},
	"balena_fleet_target_release_timestamp_seconds": {"balena.fleet.target_release.timestamp", []kind{releaseKind}},
	"balena_fleet_device_os_version":                {"balena.fleet.device.os.version", []kind{deviceKind}},
	"balena_fleet_device_supervisor_version":        {"balena.fleet.device.supervisor.version", []kind{deviceKind}},
	"balena_fleet_device_type":                      {"balena.fleet.device.type", []kind{deviceKind, deviceTypeKind}},
	"balena_fleet_device_update_status":             {"balena.fleet.device.update.status", []kind{deviceKind}},
	"balena_fleet_device_service_status":            {"balena.fleet.device.service.status", []kind{deviceKind, containerKind, imageKind}},
	"balena_fleet_last_build_timestamp_seconds":     {"balena.fleet.last_build.timestamp", []kind{buildKind}},
	"balena_fleet_release_status":                   {"balena.fleet.release.status", []kind{releaseCounts}},

	"balena_device_online": {"balena.device.online", []kind{deviceKind}},
	"balena_device_last_connectivity_event_timestamp_seconds": {"balena.device.last_connectivity_event.timestamp", []kind{deviceKind}},
	"balena_device_vpn_connected":                             {"balena.device.vpn.connected", []kind{deviceKind}},
	"balena_device_last_vpn_event_timestamp_seconds":          {"balena.device.last_vpn_event.timestamp", []kind{deviceKind}},
	"balena_device_heartbeat_state":                           {"balena.device.heartbeat.state", []kind{deviceKind}},
	"balena_device_last_heartbeat_change_timestamp_seconds":   {"balena.device.last_heartbeat_change.timestamp", []kind{deviceKind}},
	"balena_device_status":                                    {"balena.device.status", []kind{deviceKind}},
	"balena_device_update_status":                             {"balena.device.update.status", []kind{deviceKind}},
	"balena_device_update_progress_ratio":                     {"balena.device.update.progress", []kind{deviceKind}},
	"balena_device_rollout_state":                             {"balena.device.rollout.state", []kind{deviceKind}},
	"balena_device_info":                                      {"balena.device.info", []kind{deviceKind, releaseKind}},
	"balena_device_cpu_temperature_celsius":                   {"balena.device.cpu.temperature", []kind{deviceKind}},
	"balena_device_cpu_utilization_ratio":                     {"balena.device.cpu.utilization", []kind{deviceKind}},
	"balena_device_memory_limit_bytes":                        {"balena.device.memory.limit", []kind{deviceKind}},
	"balena_device_memory_usage_bytes":                        {"balena.device.memory.usage", []kind{deviceKind}},
	"balena_device_storage_limit_bytes":                       {"balena.device.storage.limit", []kind{deviceKind}},
	"balena_device_storage_usage_bytes":                       {"balena.device.storage.usage", []kind{deviceKind}},
	"balena_device_storage_utilization_ratio":                 {"balena.device.storage.utilization", []kind{deviceKind}},
	"balena_device_undervoltage":                              {"balena.device.undervoltage", []kind{deviceKind}},
	"balena_device_service_status":                            {"balena.device.service.status", []kind{deviceKind, containerKind, imageKind}},
	"balena_device_service_download_progress_ratio":           {"balena.device.service.download.progress", []kind{deviceKind, containerKind, imageKind}},
	"balena_device_service_installed_timestamp_seconds":       {"balena.device.service.installed.timestamp", []kind{deviceKind, containerKind, imageKind}},

	"balena_release_device_running":            {"balena.release.device.running", []kind{deviceKind, releaseKind}},
	"balena_release_device_targeted":           {"balena.release.device.targeted", []kind{deviceKind, releaseKind}},
	"balena_release_device_pinned":             {"balena.release.device.pinned", []kind{deviceKind, releaseKind}},
	"balena_release_info":                      {"balena.release.info", []kind{releaseKind}},
	"balena_release_created_timestamp_seconds": {"balena.release.created.timestamp", []kind{releaseKind}},
	"balena_release_build_duration_seconds":    {"balena.release.build.duration", []kind{releaseKind}},
	"balena_release_image_size_bytes":          {"balena.release.image.size", []kind{releaseKind}},
}

var (
	statuses       = []string{"configuring", "disconnected", "inactive", "operational", "post-provisioning", "reduced-functionality", "updating"}
	heartbeats     = []string{"offline", "online", "timeout", "unknown"}
	rolloutStates  = []string{"behind", "failing", "on_target", "pinned", "unreachable", "updating"}
	updateStatuses = []string{"aborted", "applying changes", "done", "downloaded", "downloading", "rejected"}
	buildStatuses  = []string{"cancelled", "error", "failed", "interrupted", "running", "success"}
)

// labels are pairs of names and values, without those whose value is not known.
type labels []string

func (l labels) with(pairs ...string) labels { return append(slices.Clip(l), pairs...) }

// text writes a series as /metrics does.
func (l labels) text(name string) string {
	type pair struct{ name, value string }
	pairs := make([]pair, 0, len(l)/2)
	for i := 0; i < len(l); i += 2 {
		if l[i+1] != "" {
			pairs = append(pairs, pair{l[i], l[i+1]})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	b.WriteString(name)
	for i, p := range pairs {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(p.name + `="` + escape.Replace(p.value) + `"`)
	}
	if len(pairs) > 0 {
		b.WriteByte('}')
	}
	return b.String()
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// writer collects the series of a picture.
type writer struct {
	enabled   map[string]bool // metrics by their names in Prometheus
	stateSets bool
	entity    entity
	fleet     ref
	fleetKey  fleetKey
	noRelease bool
	anyOf     []kind
	resource  labels
	identity  string
	write     func(series)
}

func (w *writer) of(what string, id, fleet ref, resource labels, anyOf ...kind) {
	w.entity, w.fleet, w.resource, w.identity, w.anyOf = entity{what, id}, fleet, resource, resource.text(what), anyOf
}

// add adds a series whose labels do not change.
func (w *writer) add(metric string, value float64, point ...string) { w.put(metric, "", value, point) }

// single adds a series with value 1 of which there is one at a time: for each value of the group.
func (w *writer) single(metric, group string, point ...string) {
	w.put(metric, metric+" "+group, 1, point)
}

// state adds the current state, and with state sets the other known ones.
func (w *writer) state(metric, label, current string, known []string) {
	if !w.stateSets {
		w.single(metric, "", label, current)
		return
	}
	for _, other := range known {
		if other != current {
			w.add(metric, 0, label, other)
		}
	}
	w.add(metric, 1, label, current)
}

func (w *writer) put(metric, group string, value float64, point labels) {
	if _, known := needs[metric]; !known {
		panic(fmt.Sprintf("%s is missing in the table of needs", metric))
	}
	if !w.enabled[metric] {
		return
	}
	w.write(series{
		key: w.resource.with(point...).text(metric), value: value, metric: metric,
		entity: w.entity, identity: w.identity, group: group, fleet: w.fleet, fleetKey: w.fleetKey, noRelease: w.noRelease, anyOf: w.anyOf,
	})
}

func (w *writer) number(metric string, value *float64, factor float64, point ...string) {
	if value != nil {
		w.add(metric, *value*factor, point...)
	}
}

func (w *writer) time(metric string, at *time.Time, point ...string) {
	if at != nil {
		w.add(metric, float64(at.UnixMilli())/1000, point...)
	}
}

const mebibyte = 1 << 20

// fleetKey identifies the counters of a fleet: those of a fleet that is renamed begin anew.
type fleetKey struct {
	id         ref
	name, slug string
}

func (f fleet) key() fleetKey { return fleetKey{f.ID, f.Name, f.Slug} }

// counters are the transitions of a fleet's devices.
type counters struct{ disconnections, reconnections int }

// view is a picture as a scrape can know it.
type view struct {
	*picture
	enabled    map[string]bool
	setup      setup
	fleetTags  map[ref]labels
	deviceTags map[ref]labels
	counters   map[fleetKey]counters // without an entry if they are not known yet
}

// series are all series of the account.
func (v *view) series() []series {
	var all []series
	w := &writer{enabled: v.enabled, stateSets: v.setup.stateSets, write: func(s series) { all = append(all, s) }}
	byFleet := map[ref][]device{}
	for _, d := range v.devices {
		byFleet[d.Fleet] = append(byFleet[d.Fleet], d)
	}
	for _, f := range v.fleets {
		v.writeFleet(w, f, byFleet[f.ID])
		for _, d := range byFleet[f.ID] {
			v.writeDevice(w, f, d)
		}
	}
	v.writeReleases(w)
	return all
}

func (v *view) writeFleet(w *writer, f fleet, devices []device) {
	organization, _, _ := strings.Cut(f.Slug, "/")
	w.fleetKey = f.key()
	w.of("fleet", f.ID, f.ID, labels{
		"balena_fleet_id", strconv.FormatInt(int64(f.ID), 10), "balena_fleet_name", f.Name, "balena_fleet_slug", f.Slug,
		"balena_organization_handle", organization,
	}.with(v.fleetTags[f.ID]...))

	online := 0
	byStatus, byHeartbeat, byRollout := zeros(statuses), zeros(heartbeats), zeros(rolloutStates)
	byOS, bySupervisor, byType, byUpdate, byService := counts{}, counts{}, counts{}, counts{}, map[[2]string]int{}
	for _, d := range devices {
		online += int(one(d.Online))
		byStatus[d.Status]++
		byHeartbeat[d.Heartbeat]++
		byRollout[rolloutState(f, d)]++
		byOS[d.OS]++
		bySupervisor[d.Supervisor]++
		byType[v.deviceTypes[d.Type]]++
		byUpdate[d.UpdateStatus]++
		for name, c := range v.servicesOf(d) {
			byService[[2]string{name, c.Status}]++
		}
	}
	w.add("balena_devices_online", float64(online))
	w.add("balena_fleet_device_registered", float64(len(devices)))
	byStatus.write(w, "balena_fleet_device_status", "balena_device_status")
	byHeartbeat.write(w, "balena_fleet_device_heartbeat_state", "balena_device_heartbeat_state")
	byOS.write(w, "balena_fleet_device_os_version", "balena_os_version")
	bySupervisor.write(w, "balena_fleet_device_supervisor_version", "balena_supervisor_version")
	byType.write(w, "balena_fleet_device_type", "balena_device_type")
	byUpdate.write(w, "balena_fleet_device_update_status", "balena_device_update_status")
	for key, n := range byService {
		w.add("balena_fleet_device_service_status", float64(n), "balena_service_name", key[0], "balena_service_status", key[1])
	}
	if c, known := v.counters[f.key()]; known {
		w.add("balena_fleet_device_disconnections_total", float64(c.disconnections))
		w.add("balena_fleet_device_reconnections_total", float64(c.reconnections))
	}
	if f.Target != 0 {
		byRollout.write(w, "balena_fleet_device_rollout_state", "balena_device_rollout_state")
		if following := len(devices) - byRollout["pinned"] - byRollout["unreachable"]; following > 0 {
			w.add("balena_fleet_rollout_progress_ratio", float64(byRollout["on_target"])/float64(following))
		}
		if target, known := v.releases[f.Target]; known {
			w.single("balena_fleet_target_release_info", "", "balena_release_version", target.Version)
			w.time("balena_fleet_target_release_timestamp_seconds", cmp.Or(target.Finalized, target.Created))
		}
	}
	builds := zeros(buildStatuses)
	var last *time.Time
	for _, r := range v.releases {
		if r.Fleet != f.ID {
			continue
		}
		if _, documented := builds[r.Status]; documented {
			builds[r.Status]++
		}
		if r.Status == "success" && r.End != nil && (last == nil || r.End.After(*last)) {
			last = r.End
		}
	}
	builds.write(w, "balena_fleet_release_status", "balena_release_status")
	w.time("balena_fleet_last_build_timestamp_seconds", last)
}

type counts map[string]int

func zeros(keys []string) counts {
	c := counts{}
	for _, key := range keys {
		c[key] = 0
	}
	return c
}

func (c counts) write(w *writer, metric, label string) {
	for value, n := range c {
		w.add(metric, float64(n), label, value)
	}
}

// connected says whether what a device says of itself is from now.
func (d device) connected() bool {
	return d.Online || d.Heartbeat == "online" || d.Heartbeat == "timeout"
}

func rolloutState(f fleet, d device) string {
	switch {
	case f.Target == 0:
		return ""
	case d.Pinned != 0 && d.Pinned != f.Target:
		return "pinned"
	case d.Running == f.Target:
		return "on_target"
	case !d.connected():
		return "unreachable"
	case d.UpdateStatus == "rejected" || d.UpdateStatus == "aborted":
		return "failing"
	case slices.Contains([]string{"downloading", "downloaded", "applying changes"}, d.UpdateStatus):
		return "updating"
	}
	return "behind"
}

func (v *view) writeDevice(w *writer, f fleet, d device) {
	uuid := d.UUID
	if v.setup.withoutUUID {
		uuid = ""
	}
	w.of("device", d.ID, f.ID, labels{
		"balena_device_uuid", uuid, "balena_device_name", d.Name, "balena_device_type", v.deviceTypes[d.Type],
		"balena_fleet_name", f.Name, "balena_fleet_slug", f.Slug,
	}.with(v.deviceTags[d.ID]...))
	w.add("balena_device_online", one(d.Online))
	w.add("balena_device_vpn_connected", one(d.VPN))
	w.time("balena_device_last_connectivity_event_timestamp_seconds", d.LastConnectivity)
	w.time("balena_device_last_vpn_event_timestamp_seconds", d.LastVPN)
	w.time("balena_device_last_heartbeat_change_timestamp_seconds", d.HeartbeatChanged)
	w.state("balena_device_heartbeat_state", "balena_device_heartbeat_state", d.Heartbeat, heartbeats)
	w.state("balena_device_status", "balena_device_status", d.Status, statuses)
	if d.UpdateStatus != "" {
		w.state("balena_device_update_status", "balena_device_update_status", d.UpdateStatus, updateStatuses)
	}
	if state := rolloutState(f, d); state != "" {
		w.state("balena_device_rollout_state", "balena_device_rollout_state", state, rolloutStates)
	}
	w.number("balena_device_update_progress_ratio", d.Progress, 0.01)
	target := cmp.Or(d.Pinned, f.Target)
	w.noRelease = d.Running == 0 && target == 0
	w.single("balena_device_info", "", "balena_os_version", d.OS, "balena_os_variant", d.Variant, "balena_supervisor_version", d.Supervisor,
		"balena_release_version", v.releases[d.Running].Version, "balena_target_release_version", v.releases[target].Version,
		"balena_device_pinned", strconv.FormatBool(d.Pinned != 0))
	w.noRelease = false
	if !d.connected() {
		return
	}
	w.add("balena_device_undervoltage", one(d.Undervolted))
	w.number("balena_device_cpu_utilization_ratio", d.CPU, 0.01)
	if d.Temperature != nil && *d.Temperature >= 0 {
		w.add("balena_device_cpu_temperature_celsius", *d.Temperature)
	}
	w.number("balena_device_memory_usage_bytes", d.MemoryUsage, mebibyte)
	w.number("balena_device_memory_limit_bytes", d.MemoryTotal, mebibyte)
	w.number("balena_device_storage_usage_bytes", d.StorageUsage, mebibyte)
	w.number("balena_device_storage_limit_bytes", d.StorageTotal, mebibyte)
	if d.StorageUsage != nil && d.StorageTotal != nil && *d.StorageTotal > 0 {
		w.add("balena_device_storage_utilization_ratio", *d.StorageUsage / *d.StorageTotal)
	}
	for name, c := range v.servicesOf(d) {
		if c.Status != "" {
			w.single("balena_device_service_status", name, "balena_service_name", name, "balena_service_status", c.Status)
		}
		w.number("balena_device_service_download_progress_ratio", c.Progress, 0.01, "balena_service_name", name)
		w.time("balena_device_service_installed_timestamp_seconds", c.Installed, "balena_service_name", name)
	}
}

func one(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}

// servicesOf are the containers of a connected device that are of a service of its fleet: of each service the one that runs, or else the
// newest; with the progress of the download under way.
func (v *view) servicesOf(d device) map[string]container {
	all := map[string][]container{}
	for _, c := range v.containers {
		s := v.services[v.images[c.Image].Service]
		if d.connected() && c.Device == d.ID && c.Status != "deleted" && s.Fleet == d.Fleet {
			all[s.Name] = append(all[s.Name], c)
		}
	}
	found := map[string]container{}
	for name, containers := range all {
		slices.SortStableFunc(containers, func(a, b container) int {
			return cmp.Or(cmp.Compare(one(b.Status == "Running"), one(a.Status == "Running")), b.Installed.Compare(*a.Installed))
		})
		counts := containers[0]
		for _, c := range containers {
			counts.Progress = cmp.Or(counts.Progress, c.Progress)
		}
		found[name] = counts
	}
	return found
}

// writeReleases writes those that a device runs or should run, those that a fleet targets, and the newest of each fleet.
func (v *view) writeReleases(w *writer) {
	fleets, shown := map[ref]fleet{}, map[ref][]kind{}
	running, targeted, pinned := map[ref]int{}, map[ref]int{}, map[ref]int{}
	for _, f := range v.fleets {
		fleets[f.ID] = f
		newest := v.newest(f.ID)
		shown[f.Target] = append(shown[f.Target], fleetKind)
		shown[newest] = append(shown[newest], newestKind)
	}
	for _, d := range v.devices {
		target := cmp.Or(d.Pinned, fleets[d.Fleet].Target)
		running[d.Running]++
		targeted[target]++
		pinned[d.Pinned]++
		shown[d.Running], shown[d.Pinned] = append(shown[d.Running], deviceKind), append(shown[d.Pinned], deviceKind)
	}
	for id, by := range shown {
		r, known := v.releases[id]
		f, inFleet := fleets[r.Fleet]
		if !known || !inFleet {
			continue
		}
		w.of("release", id, f.ID, labels{
			"balena_release_commit", r.Commit, "balena_release_version", r.Version, "balena_fleet_name", f.Name, "balena_fleet_slug", f.Slug,
		}, by...)
		w.add("balena_release_device_running", float64(running[id]))
		w.add("balena_release_device_targeted", float64(targeted[id]))
		w.add("balena_release_device_pinned", float64(pinned[id]))
		w.single("balena_release_info", "", "balena_release_status", r.Status, "balena_release_final", strconv.FormatBool(r.Final))
		w.time("balena_release_created_timestamp_seconds", r.Created)
		if r.Start != nil && r.End != nil {
			w.add("balena_release_build_duration_seconds", r.End.Sub(*r.Start).Seconds())
		}
		if size, ok := v.size(id); ok {
			w.add("balena_release_image_size_bytes", size)
		}
	}
}

func (v *view) newest(fleet ref) ref {
	var newest release
	for _, r := range v.releases {
		if r.Fleet == fleet && (newest.ID == 0 || r.Created.After(*newest.Created) || r.Created.Equal(*newest.Created) && r.ID > newest.ID) {
			newest = r
		}
	}
	return newest.ID
}

func (v *view) size(release ref) (float64, bool) {
	sum := 0.0
	for _, id := range v.sizes[release] {
		size := v.images[id].Size
		if size == nil {
			return 0, false
		}
		bytes, err := strconv.ParseFloat(*size, 64)
		if err != nil {
			return 0, false
		}
		sum += bytes
	}
	return sum, len(v.sizes[release]) > 0
}

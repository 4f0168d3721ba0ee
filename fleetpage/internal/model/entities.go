package model

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// device is what is known of a device. Zero values are not known. What the receiver does not report by default is in details, since memory
// is spent on every device.
type device struct {
	uuid, name string
	fleet      *fleet
	tags       []Tag
	kind       text
	details    *details

	status, release, target, os, variant, supervisor text
	online, pinned                                   truth
	storage                                          float32number
	connectivity                                     instant

	first, seen instant   // first and last point
	fullSince   instant   // since when its storage is nearly full
	losses      []instant // its last disconnections, as many as make it flap
	changes     []Change  // the newest last
}

// details are what the metrics that are off by default say.
type details struct {
	heartbeat, rollout, update  text
	vpn, undervoltage           truth
	vpnEvent, heartbeatChange   instant
	temperature, cpu, progress  float32number
	memory, memoryLimit         float32number
	storageUsed, storageLimit   float32number
	services                    []service
	hotSince, undervoltageSince instant
}

// float32number is a number in less space.
type float32number struct {
	value float32
	known bool
}

func small(n number) float32number { return float32number{float32(n.value), n.known} }

type service struct {
	name, status text
	progress     float32number
	installed    instant
}

// Change is something that became different.
type Change struct {
	At         time.Time
	What       string
	Before, Is string
}

// more returns the details of which nothing may be known.
func (d *device) more() details {
	if d.details == nil {
		return details{}
	}
	return *d.details
}

func (d *device) apply(p point) {
	switch p.metric {
	case "balena.device.online":
		d.online = p.truth()
	case "balena.device.status":
		d.status = p.state(d.status, "balena.device.status")
	case "balena.device.last_connectivity_event.timestamp":
		d.connectivity = instantOf(p.moment())
	case "balena.device.storage.utilization":
		d.storage = small(p.value)
	case "balena.device.info":
		d.applyInfo(p)
	default:
		d.applyDetail(p)
	}
}

func (d *device) applyDetail(p point) {
	is := d.details
	if is == nil {
		is = &details{}
	}
	switch p.metric {
	case "balena.device.vpn.connected":
		is.vpn = p.truth()
	case "balena.device.undervoltage":
		is.undervoltage = p.truth()
	case "balena.device.heartbeat.state":
		is.heartbeat = p.state(is.heartbeat, "balena.device.heartbeat.state")
	case "balena.device.rollout.state":
		is.rollout = p.state(is.rollout, "balena.device.rollout.state")
	case "balena.device.update.status":
		is.update = p.state(is.update, "balena.device.update.status")
	case "balena.device.last_vpn_event.timestamp":
		is.vpnEvent = instantOf(p.moment())
	case "balena.device.last_heartbeat_change.timestamp":
		is.heartbeatChange = instantOf(p.moment())
	case "balena.device.storage.usage":
		is.storageUsed = small(p.value)
	case "balena.device.storage.limit":
		is.storageLimit = small(p.value)
	case "balena.device.memory.usage":
		is.memory = small(p.value)
	case "balena.device.memory.limit":
		is.memoryLimit = small(p.value)
	case "balena.device.cpu.temperature":
		is.temperature = small(p.value)
	case "balena.device.cpu.utilization":
		is.cpu = small(p.value)
	case "balena.device.update.progress":
		is.progress = small(p.value)
	case "balena.device.service.status", "balena.device.service.download.progress", "balena.device.service.installed.timestamp":
		is.applyService(p)
	default:
		return
	}
	d.details = is
}

// applyInfo takes the versions. A marker ends them only if they are those that it names.
func (d *device) applyInfo(p point) {
	var is device
	is.os, is.variant, is.supervisor = newText(p.attribute("balena.os.version")), newText(p.attribute("balena.os.variant")), newText(p.attribute("balena.supervisor.version"))
	is.release, is.target = newText(p.attribute("balena.release.version")), newText(p.attribute("balena.target_release.version"))
	is.pinned = truthOf(p.attribute("balena.device.pinned") == "true")
	if p.stale() {
		same := is.os == d.os && is.variant == d.variant && is.supervisor == d.supervisor && is.release == d.release && is.target == d.target && is.pinned == d.pinned
		if !same {
			return
		}
		is = device{}
	}
	d.os, d.variant, d.supervisor, d.release, d.target, d.pinned = is.os, is.variant, is.supervisor, is.release, is.target, is.pinned
}

func (d *details) applyService(p point) {
	name := newText(p.attribute("balena.service.name"))
	i := 0
	for i < len(d.services) && d.services[i].name != name {
		i++
	}
	if i == len(d.services) {
		if p.stale() || i == maxServices {
			return
		}
		d.services = append(d.services, service{name: name})
	}
	s := &d.services[i]
	switch p.metric {
	case "balena.device.service.status":
		s.status = p.state(s.status, "balena.service.status")
	case "balena.device.service.download.progress":
		s.progress = small(p.value)
	case "balena.device.service.installed.timestamp":
		s.installed = instantOf(p.moment())
	}
	if *s == (service{name: name}) {
		d.services = append(d.services[:i], d.services[i+1:]...)
	}
}

// known reports whether anything is.
func (d *device) known() bool {
	if d.online != unknown || d.status != (text{}) || d.pinned != unknown || d.connectivity != 0 || d.storage.known {
		return true
	}
	is := d.more()
	return is.vpn != unknown || is.heartbeat != (text{}) || is.rollout != (text{}) || is.update != (text{}) || is.cpu.known ||
		is.temperature.known || is.memory.known || is.storageUsed.known || len(is.services) > 0
}

// recordChanges adds what differs from before. What has only become known, or unknown, has not changed.
func (d *device) recordChanges(before device, updateBefore text, limit int) {
	if d.online != before.online && d.online != unknown && before.online != unknown {
		d.change("connection", onlineWord(before.online), onlineWord(d.online), limit)
		if d.online == no {
			if len(d.losses) == flappingFrom {
				d.losses = slices.Delete(d.losses, 0, 1)
			}
			d.losses = append(d.losses, d.seen)
		}
	}
	for _, field := range [...]struct {
		what       string
		before, is text
	}{
		{"status", before.status, d.status},
		{"release", before.release, d.release},
		{"target release", before.target, d.target},
		{"OS", before.os, d.os},
		{"supervisor", before.supervisor, d.supervisor},
		{"update", updateBefore, d.more().update},
	} {
		if field.before != field.is && field.before != (text{}) && field.is != (text{}) {
			d.change(field.what, field.before.String(), field.is.String(), limit)
		}
	}
}

func onlineWord(online truth) string {
	switch online {
	case yes:
		return "online"
	case no:
		return "offline"
	}
	return ""
}

func (d *device) change(what, before, is string, limit int) {
	if limit <= 0 {
		return
	}
	if len(d.changes) >= limit {
		d.changes = append(d.changes[:0], d.changes[len(d.changes)-limit+1:]...)
	}
	d.changes = append(d.changes, Change{d.seen.time(), what, newText(before).String(), newText(is).String()})
}

// trackSince notes since when a device has had a trouble that its metrics do not date.
func (d *device) trackSince() {
	track := func(since *instant, holds bool) {
		switch {
		case !holds:
			*since = 0
		case *since == 0:
			*since = d.seen
		}
	}
	track(&d.fullSince, d.full())
	if d.details != nil {
		track(&d.details.hotSince, d.hot())
		track(&d.details.undervoltageSince, d.undervoltage())
	}
}

// The values of devices that are off are those of when they were on.

func (d *device) full() bool {
	return d.online == yes && d.storage.known && d.storage.value >= storageFull
}

func (d *device) hot() bool {
	return d.online == yes && d.details != nil && d.details.temperature.known && d.details.temperature.value >= cpuTemperature
}

func (d *device) undervoltage() bool {
	return d.online == yes && d.details != nil && d.details.undervoltage == yes
}

// behind reports whether a device that follows its fleet does not run the target.
func (d *device) behind() bool {
	return d.pinned == no && d.target != (text{}) && d.release != d.target
}

// fleet is what is known of a fleet.
type fleet struct {
	slug, name, organization, id string
	tags                         []Tag
	devices                      map[*device]struct{}
	releases                     map[releaseKey]*release

	online, registered         number
	status, heartbeat, rollout []Count
	target                     text
	targetAt                   time.Time // when the target became final, as reported
	targetSince                time.Time // when it was seen to change
	targetInfo                 bool

	countedAt, statusAt time.Time // of the server's counts, and of those from the devices
	interval            time.Duration

	first        time.Time // first point of the counts
	lowSince     time.Time // since when too few devices are online
	todoSince    time.Time // since when devices that can be reached do not run the target release
	failingSince time.Time
	progressAt   time.Time // when the number on target last changed

	history history
}

func (f *fleet) apply(p point) {
	switch p.metric {
	case "balena.devices.online", "balena.fleet.device.registered":
		if p.at.Before(f.countedAt) {
			return
		}
		f.countedAt = p.at
		if p.metric == "balena.devices.online" {
			f.online = p.value
		} else {
			f.registered = p.value
		}
		return
	}
	if p.at.Before(f.statusAt) {
		return
	}
	if f.first.IsZero() {
		f.first = p.at
	}
	// Any other metric of a fleet is of the time of its devices.
	if gap := p.at.Sub(f.statusAt); !f.statusAt.IsZero() && gap > 0 {
		f.interval = gap
	}
	switch p.metric {
	case "balena.fleet.device.status":
		f.statusAt = p.at
		f.status = setCount(f.status, p.attribute("balena.device.status"), p.value)
	case "balena.fleet.device.heartbeat.state":
		f.heartbeat = setCount(f.heartbeat, p.attribute("balena.device.heartbeat.state"), p.value)
	case "balena.fleet.device.rollout.state":
		f.statusAt = p.at
		f.rollout = setCount(f.rollout, p.attribute("balena.device.rollout.state"), p.value)
	case "balena.fleet.target_release.info":
		version := newText(p.attribute("balena.release.version"))
		switch {
		case !p.stale():
			if f.targetInfo && version != f.target {
				f.targetSince, f.targetAt = p.at, time.Time{}
			}
			f.target, f.targetInfo = version, true
		case version == f.target:
			f.target, f.targetInfo = text{}, false
		}
	case "balena.fleet.target_release.timestamp":
		f.targetAt = p.moment()
	}
}

func (f *fleet) known() bool {
	return f.online.known || f.registered.known || len(f.status)+len(f.rollout)+len(f.heartbeat) > 0 || f.targetInfo
}

// track notes since when something is wrong, and when the rollout last moved.
func (f *fleet) track(before fleet) {
	since := func(moment *time.Time, holds bool, at time.Time) {
		switch {
		case !holds:
			*moment = time.Time{}
		case moment.IsZero():
			*moment = at
		}
	}
	since(&f.lowSince, f.low(), f.countedAt)
	since(&f.todoSince, f.todo() > 0, f.statusAt)
	since(&f.failingSince, count(f.rollout, "failing") > 0, f.statusAt)
	if len(before.rollout) > 0 && count(f.rollout, "on_target") != count(before.rollout, "on_target") {
		f.progressAt = f.statusAt
	}
}

// todo is the number of devices that can be reached and do not run the target release.
func (f *fleet) todo() int64 {
	return count(f.rollout, "behind") + count(f.rollout, "failing") + count(f.rollout, "updating")
}

// low reports whether too few of the registered devices are online. Those that have never been connected are not missing.
func (f *fleet) low() bool {
	missing := f.registered.value - f.online.value - float64(count(f.status, "inactive"))
	return f.online.known && f.registered.known && f.online.value < fleetOnline*f.registered.value && missing >= fleetMissing
}

// total is the number of devices.
func (f *fleet) total() int64 {
	if f.registered.known {
		return int64(f.registered.value)
	}
	return int64(len(f.devices))
}

// onlineNow is the number of devices online, counted by the server or from the devices.
func (f *fleet) onlineNow() (int64, bool) {
	if f.online.known {
		return int64(f.online.value), true
	}
	var online int64
	counted := false
	for d := range f.devices {
		counted = counted || d.online != unknown
		if d.online == yes {
			online++
		}
	}
	return online, counted
}

// history are the lowest numbers online in equal steps of time.
type history struct {
	samples []Sample
	last    int64 // number of the step of the newest sample, counted from 1970
}

var noSample = Sample{-1, -1}

func (h *history) add(span time.Duration, at time.Time, online, total number) {
	if !online.known || !total.known || at.IsZero() || span < HistorySlots {
		return
	}
	is := Sample{clamp(online.value), clamp(total.value)}
	step := at.UnixNano() / int64(span/HistorySlots)
	switch {
	case len(h.samples) == 0 || step >= h.last+HistorySlots:
		h.samples = append(h.samples[:0], is)
	case step == h.last:
		if newest := &h.samples[len(h.samples)-1]; is.Total-is.Online >= newest.Total-newest.Online {
			*newest = is
		}
		return
	case step < h.last:
		return
	default:
		for h.last++; h.last < step; h.last++ {
			h.samples = append(h.samples, noSample)
		}
		h.samples = append(h.samples, is)
		if extra := len(h.samples) - HistorySlots; extra > 0 {
			h.samples = append(h.samples[:0], h.samples[extra:]...)
		}
	}
	h.last = step
}

func clamp(value float64) int32 { return int32(max(0, min(value, math.MaxInt32))) }

type releaseKey struct{ commit, version string }

func (k releaseKey) compare(other releaseKey) int {
	return cmp.Or(strings.Compare(k.version, other.version), strings.Compare(k.commit, other.commit))
}

// label names the release after other words.
func (k releaseKey) label() string {
	if k.version == "" {
		return ""
	}
	return ": " + k.version
}

type release struct {
	key                       releaseKey
	status                    text
	final                     truth
	running, targeted, pinned number
	created                   time.Time
	size                      number
	seen                      time.Time
}

func (r *release) apply(p point) {
	if p.at.Before(r.seen) {
		return
	}
	r.seen = p.at
	switch p.metric {
	case "balena.release.info":
		r.status = p.state(r.status, "balena.release.status")
		if !p.stale() {
			r.final = truthOf(p.attribute("balena.release.final") == "true")
		}
	case "balena.release.device.running":
		r.running = p.value
	case "balena.release.device.targeted":
		r.targeted = p.value
	case "balena.release.device.pinned":
		r.pinned = p.value
	case "balena.release.created.timestamp":
		r.created = p.moment()
	case "balena.release.image.size":
		r.size = p.value
	}
}

func (r *release) known() bool {
	return r.status != text{} || r.running.known || r.targeted.known || r.pinned.known
}

// receiver is what a receiver says of itself.
type receiver struct {
	name, endpoint, shard string
	complete              truth
	lastComplete          time.Time
	failures              map[failureKey]failure
	keys                  map[string]time.Time // expiry of API keys by name
	seen                  time.Time
	interval              time.Duration
}

type failureKey struct{ kind, err string }

type failure struct{ since, seen time.Time }

func (r *receiver) apply(p point) {
	if p.at.Before(r.seen) {
		return
	}
	r.seen = p.at
	switch p.metric {
	case "balena.scrape.complete":
		r.complete = p.truth()
	case "balena.scrape.last_complete.timestamp":
		r.lastComplete = p.moment()
	case "balena.scrape.failure":
		key := failureKey{clip(p.attribute("balena.request.kind")), clip(p.attribute("error.type"))}
		if p.stale() || p.value.value == 0 {
			delete(r.failures, key)
			return
		}
		f, ok := r.failures[key]
		if !ok {
			if len(r.failures) >= maxFailures {
				return
			}
			f.since = p.at
		}
		f.seen = p.at
		r.failures[key] = f
	case "balena.api_key.expiry.timestamp":
		name := clip(p.attribute("balena.api_key.name"))
		if expiry := p.moment(); expiry.IsZero() {
			delete(r.keys, name)
		} else if _, ok := r.keys[name]; ok || len(r.keys) < maxKeys {
			r.keys[name] = expiry
		}
	}
	// A failure that the newest scrape does not report is over, even if its marker was lost.
	for key, f := range r.failures {
		if f.seen.Before(r.seen) && p.metric == "balena.scrape.complete" && r.complete == yes {
			delete(r.failures, key)
		}
	}
}

// active reports whether the newest scrape reported the failure.
func (r *receiver) active(f failure) bool { return !f.seen.Before(r.seen) }

// label names the receiver.
func (r *receiver) label() string {
	if r.shard != "" {
		return r.name + ", shard " + r.shard
	}
	return r.name
}

package model

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Severity is how urgent an issue is, as in observability/rules/incidents.yaml.
type Severity int

// From the least urgent on.
const (
	None Severity = iota
	Notice
	Warning
	Critical
)

func (s Severity) String() string {
	return [...]string{"ok", "notice", "warning", "critical"}[s]
}

// Issue is something that is wrong.
type Issue struct {
	Severity Severity
	Kind     string
	Subject  string // what is in trouble
	Fleet    string // its slug, if that is a fleet
	Text     string
	Detail   string
	Since    time.Time   // zero if not known
	Devices  []DeviceRef // the first of them
	Fleets   []FleetRef

	count int
}

// More is how many devices are not among Devices.
func (i Issue) More() int { return i.count - len(i.Devices) }

// DeviceRef names a device, FleetRef a fleet.
type (
	DeviceRef struct{ UUID, Name string }
	FleetRef  struct{ Slug, Name string }
)

// issueCache holds the issues for a moment: many views of a large account may be opened at once.
type issueCache struct {
	mu     sync.Mutex
	at     time.Time
	issues []Issue
	valid  bool
}

// currentIssues returns the issues, the worst first. The store must be locked for reading.
func (s *Store) currentIssues(now time.Time) []Issue {
	s.issues.mu.Lock()
	defer s.issues.mu.Unlock()
	c := &s.issues
	if c.valid && now.Sub(c.at) < time.Second && !now.Before(c.at) {
		return c.issues
	}
	c.issues, c.at, c.valid = s.findIssues(now), now, true
	return c.issues
}

func (s *Store) findIssues(now time.Time) []Issue {
	d := diagnosis{store: s, now: now, explained: map[*device]bool{}, inOutage: map[*fleet]bool{}}
	d.receivers()
	d.vpn()
	d.outages()
	for _, slug := range slices.Sorted(maps.Keys(s.fleets)) {
		f := s.fleets[slug]
		d.low(f)
		d.rollout(f)
		d.devices(f)
	}
	d.dead()
	slices.SortStableFunc(d.issues, func(a, b Issue) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(b.count, a.count), strings.Compare(a.Subject, b.Subject))
	})
	return d.issues
}

// rank orders the kinds of one severity: what blinds the page first, then what affects most.
func rank(kind string) int {
	return slices.Index([]string{"data", "api", "key", "vpn", "site", "outage", "low", "stuck", "failing", "partial", "behind",
		"offline", "flapping", "half", "full", "hot", "undervoltage", "build", "dead"}, kind)
}

// diagnosis finds what is wrong at one moment.
type diagnosis struct {
	store     *Store
	now       time.Time
	issues    []Issue
	vpnLost   bool
	explained map[*device]bool // lost devices that belong to an outage
	inOutage  map[*fleet]bool

	deadDevices []*device
}

func (d *diagnosis) add(issue Issue) { d.issues = append(d.issues, issue) }

// receivers finds trouble of the API, of its keys, and of the way from there to here.
func (d *diagnosis) receivers() {
	for _, key := range slices.Sorted(maps.Keys(d.store.receivers)) {
		r := d.store.receivers[key]
		patience := max(missedIntervals*r.interval, minimalPatience)
		if silent := d.now.Sub(r.seen); silent > patience {
			d.add(Issue{Severity: Critical, Kind: "data", Subject: "Receiver " + r.label(), Since: r.seen,
				Text: "no metrics arrive from it", Detail: "What is shown of its fleets is as old."})
			continue
		}
		d.requests(r)
		for name, expiry := range r.keys {
			if left := expiry.Sub(d.now); left < keyWarning {
				d.add(Issue{Severity: Warning, Kind: "key", Subject: "API key " + name,
					Text: "expires " + expiry.UTC().Format("2 January 15:04 UTC"), Detail: "Nothing is seen once it has expired. Create a new one."})
			}
		}
	}
}

func (d *diagnosis) requests(r *receiver) {
	type entry struct {
		failureKey
		failure
	}
	var active []entry
	blind, keyRejected := false, false
	for key, f := range r.failures {
		if r.active(f) {
			active = append(active, entry{key, f})
			keyRejected = keyRejected || key.kind == "credentials" && rejected(key.err)
			blind = blind || keyRejected || key.kind == "fleets"
		}
	}
	slices.SortFunc(active, func(a, b entry) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.err, b.err))
	})
	for _, f := range active {
		switch {
		case f.kind == "credentials" && rejected(f.err):
			d.add(Issue{Severity: Critical, Kind: "key", Subject: "API key of " + r.label(), Since: f.since,
				Text: fmt.Sprintf("is rejected (%s)", f.err), Detail: "It has expired or was revoked. What is shown is old. Create a new one."})
		case f.kind == "fleets" && !keyRejected && f.err != "budget":
			d.add(Issue{Severity: Critical, Kind: "api", Subject: "balena API", Since: f.since,
				Text: fmt.Sprintf("does not list the fleets of %s (%s)", r.label(), f.err), Detail: "What is shown is old."})
		case !blind:
			d.add(Issue{Severity: Warning, Kind: "partial", Subject: "balena API", Since: f.since,
				Text: fmt.Sprintf("requests for %s fail (%s)", f.kind, f.err), Detail: "What needs them is missing or old."})
		}
	}
}

func rejected(err string) bool { return err == "401" || err == "403" }

// vpn finds an incident of balena's VPN: most devices that still poll the API are off it, in most fleets.
func (d *diagnosis) vpn() {
	var off, polling, fleetsOff, fleets int64
	for _, f := range d.store.fleets {
		reduced := count(f.status, "reduced-functionality")
		off += reduced
		polling += reduced + count(f.status, "operational") + count(f.status, "updating")
		total := int64(0)
		for _, c := range f.status {
			total += c.Value
		}
		if total > 0 {
			fleets++
		}
		if reduced > 0 {
			fleetsOff++
		}
	}
	if d.vpnLost = 2*off > polling && 2*fleetsOff > fleets; !d.vpnLost {
		return
	}
	var losses []time.Time
	for _, dev := range d.store.devices {
		if dev.status.String() == "reduced-functionality" && dev.online == no {
			losses = append(losses, dev.connectivity.time())
		}
	}
	start, _ := densest(losses, atOnce)
	d.add(Issue{Severity: Warning, Kind: "vpn", Subject: "balena VPN", Since: start, count: int(off),
		Text:   fmt.Sprintf("%d of %d devices are off it but still poll the API", off, polling),
		Detail: "They work, but cannot be reached. The VPN, or what blocks it, is at fault; for some 20 minutes a power cut looks the same."})
}

// lost reports whether a device was online within a day and is not any more. While the VPN has an incident, being off it says nothing.
func (d *diagnosis) lost(dev *device) bool {
	return dev.online == no && dev.connectivity != 0 && d.now.Sub(dev.connectivity.time()) < lostFor && (!d.vpnLost || dev.status.String() == "disconnected")
}

// outages finds sites without any device online, and fleets that lost many devices at once.
func (d *diagnosis) outages() {
	sites, fleets := map[string]*group{}, map[*fleet]*group{}
	for _, dev := range d.store.devices {
		lost := d.lost(dev)
		if lost {
			groupOf(fleets, dev.fleet).add(dev)
		}
		if site := dev.tag(d.store.SiteTag); site != "" {
			g := groupOf(sites, site)
			g.alive = g.alive || dev.online == yes || d.vpnLost && dev.polls()
			if lost {
				g.add(dev)
			}
		}
	}
	for site, g := range sites {
		if g.alive || len(g.devices) < smallestSite {
			continue
		}
		d.explain(g.devices)
		since, _ := densest(g.losses(), atOnce)
		d.add(Issue{Severity: Critical, Kind: "site", Subject: "Site " + site, Since: since, count: len(g.devices),
			Text: fmt.Sprintf("no device is online; %d were lost", len(g.devices)), Detail: "The site lost its uplink or its power.", Fleets: fleetsOf(g.devices), Devices: refs(g.devices)})
	}
	for _, f := range slices.SortedFunc(maps.Keys(fleets), func(a, b *fleet) int { return strings.Compare(a.slug, b.slug) }) {
		if issue, ok := d.outage(f, fleets[f]); ok {
			d.add(issue)
		}
	}
}

// outage looks for devices of one fleet that were lost together: at once if so many were, else within an hour.
func (d *diagnosis) outage(f *fleet, g *group) (Issue, bool) {
	online, _ := f.onlineNow()
	many := func(n int) bool {
		return n >= massDisconnectFrom && float64(n) >= massDisconnect*float64(int64(n)+online)
	}
	losses, span := g.losses(), atOnce
	start, n := densest(losses, atOnce)
	if !many(n) {
		span = lostTogether
		if start, n = densest(losses, lostTogether); !many(n) {
			return Issue{}, false
		}
	}
	d.inOutage[f] = true
	var hit []*device
	polling := 0
	last := start
	for _, dev := range g.devices {
		if gap := dev.connectivity.time().Sub(start); gap >= 0 && gap <= span && !d.explained[dev] {
			hit = append(hit, dev)
			last = later(last, dev.connectivity.time())
			if dev.polls() {
				polling++
			}
		}
	}
	d.explain(g.devices)
	if len(hit) < massDisconnectFrom {
		return Issue{}, false // the others are those of a site
	}
	how := "at once"
	if took := last.Sub(start); took > atOnce {
		how = fmt.Sprintf("within %d minutes", int(took/time.Minute)+1)
	}
	detail := ""
	switch {
	case polling == len(hit):
		detail = "Whether they still run is not known for up to 22 minutes."
	case polling == 0:
		detail = "They do not poll the API either: they have lost power or network."
	}
	return Issue{Severity: Critical, Kind: "outage", Subject: f.name, Fleet: f.slug, Since: start, count: len(hit),
		Text: fmt.Sprintf("%d of %d devices lost their connection %s", len(hit), f.total(), how), Detail: detail, Devices: refs(hit)}, true
}

// low finds a fleet of which too few devices are online although they were not lost together.
func (d *diagnosis) low(f *fleet) {
	if !f.low() || d.inOutage[f] || d.vpnLost {
		return
	}
	var off []*device
	for dev := range f.devices {
		if dev.online == no {
			off = append(off, dev)
			d.explained[dev] = true
		}
	}
	d.add(Issue{Severity: Warning, Kind: "low", Subject: f.name, Fleet: f.slug, Since: f.lowSince, count: int(f.registered.value - f.online.value),
		Text:   fmt.Sprintf("only %d of %d devices are online", int64(f.online.value), int64(f.registered.value)),
		Detail: "They were lost one by one, long ago, or have never connected.", Devices: refs(off)})
}

// joined returns the issues with one line for what several fleets share: outages that began together, and otherwise any kind.
func joined(issues []Issue) []Issue {
	var result []Issue
	for len(issues) > 0 {
		first := issues[0]
		together := []Issue{first}
		var others []Issue
		for _, o := range issues[1:] {
			if o.Kind == first.Kind && o.Severity == first.Severity && o.Fleet != "" && first.Fleet != "" &&
				(o.Kind != "outage" || o.Since.Sub(first.Since).Abs() <= atOnce) {
				together = append(together, o)
			} else {
				others = append(others, o)
			}
		}
		if len(together) < joinFrom {
			result, issues = append(result, first), issues[1:]
			continue
		}
		issues = others
		result = append(result, join(together))
	}
	return result
}

func join(issues []Issue) Issue {
	one := Issue{Severity: issues[0].Severity, Kind: issues[0].Kind, Subject: fmt.Sprintf("%d fleets", len(issues)), Since: issues[0].Since}
	for _, i := range issues {
		one.count += i.count
		one.Fleets = append(one.Fleets, FleetRef{i.Fleet, i.Subject})
		if i.Since.Before(one.Since) {
			one.Since = i.Since
		}
	}
	n := devices(int64(one.count))
	switch one.Kind {
	case "outage":
		one.Text, one.Detail = n+" lost their connection at once", "What they share may be at fault: a provider, a network, a release."
	case "low":
		one.Text = "too few devices are online; " + n + " are missing"
	case "stuck":
		one.Text = "rollouts are stuck; " + n + " to go"
	case "failing":
		one.Text = n + " rejected their target release"
		_, release, _ := strings.Cut(issues[0].Text, " rejected ")
		if !slices.ContainsFunc(issues, func(i Issue) bool { return !strings.HasSuffix(i.Text, " rejected "+release) }) {
			one.Text = n + " rejected " + release
		}
	case "build":
		one.Text = "the newest build failed"
	default:
		one.Text = n + " " + deviceTrouble[one.Kind]
	}
	return one
}

// deviceTrouble says what is wrong with some devices, by the kind of the issue.
var deviceTrouble = map[string]string{
	"offline":      "offline",
	"flapping":     fmt.Sprintf("disconnected %d times or more within an hour", flappingFrom),
	"half":         "reached by only one of VPN and API",
	"behind":       "left behind on older releases",
	"full":         "nearly full",
	"hot":          "hot",
	"undervoltage": "with too low a voltage since the last boot",
}

func (d *diagnosis) explain(devices []*device) {
	for _, dev := range devices {
		d.explained[dev] = true
	}
}

// rollout finds a rollout that does not move, or whose release is rejected.
func (d *diagnosis) rollout(f *fleet) {
	behind, failing := count(f.rollout, "behind"), count(f.rollout, "failing")
	total := int64(0)
	for _, c := range f.rollout {
		total += c.Value
	}
	target := cmp.Or(f.target.String(), "its target release")
	moved := f.progressAt
	still := !moved.IsZero() && d.now.Sub(moved) >= 2*stuckAfter || moved.IsZero()
	switch {
	case f.todo() > 0 && !f.todoSince.IsZero() && d.now.Sub(f.todoSince) >= stuckAfter && still:
		d.add(Issue{Severity: Warning, Kind: "stuck", Subject: f.name, Fleet: f.slug, Since: later(f.todoSince, moved), count: int(f.todo()),
			Text: fmt.Sprintf("rollout of %s is stuck: %s of %s", target, listed(f.rollout, "behind", "failing", "updating"), devices(total))})
	case failing > 0:
		severity := Notice
		if failing >= failingFrom && float64(failing) >= failingFraction*float64(total) {
			severity = Warning
		}
		d.add(Issue{Severity: severity, Kind: "failing", Subject: f.name, Fleet: f.slug, Since: later(f.failingSince, f.targetSince), count: int(failing),
			Text: fmt.Sprintf("%d of %s rejected release %s", failing, devices(total), target), Devices: d.failingDevices(f)})
	case behind > 0:
		d.behind(f)
	}
}

func (d *diagnosis) failingDevices(f *fleet) []DeviceRef {
	var failing []*device
	for dev := range f.devices {
		if is := dev.more(); is.rollout.String() == "failing" || is.update.String() == "rejected" || is.update.String() == "aborted" {
			failing = append(failing, dev)
		}
	}
	return refs(failing)
}

// behind finds devices that are left behind by a rollout that goes on. How old the target is may not be known from before the page's start.
func (d *diagnosis) behind(f *fleet) {
	since := cmp.Or(f.targetAt, f.targetSince, f.first)
	if since.IsZero() || d.now.Sub(since) < leftBehindAfter {
		return
	}
	var left []*device
	for dev := range f.devices {
		if dev.online == yes && dev.behind() {
			left = append(left, dev)
		}
	}
	if len(left) > 0 {
		d.add(Issue{Severity: Notice, Kind: "behind", Subject: f.name, Fleet: f.slug, Since: since, count: len(left),
			Text: devices(int64(len(left))) + " " + deviceTrouble["behind"], Devices: refs(left)})
	}
}

// devices finds trouble of single devices, one line for each kind and fleet.
func (d *diagnosis) devices(f *fleet) {
	var offline, flapping, half, full, hot, weak trouble
	for dev := range f.devices {
		reduced := dev.status.String() == "reduced-functionality"
		gone := d.now.Sub(dev.connectivity.time())
		if dev.online == no && dev.connectivity != 0 && gone >= lostFor {
			d.deadDevices = append(d.deadDevices, dev)
		}
		if d.lost(dev) && !d.explained[dev] && gone >= rebootTime && (dev.status == text{} || dev.status.String() == "disconnected") {
			offline.add(dev, dev.connectivity)
		}
		if reduced && dev.connectivity != 0 && gone > halfConnectedFor && !d.vpnLost {
			half.add(dev, dev.connectivity)
		}
		if dev.flaps(d.now) && !d.inOutage[f] && !f.low() && !d.vpnLost {
			flapping.add(dev, dev.losses[0])
		}
		if dev.full() {
			full.add(dev, dev.fullSince)
		}
		if dev.hot() {
			hot.add(dev, dev.details.hotSince)
		}
		if dev.undervoltage() {
			weak.add(dev, dev.details.undervoltageSince)
		}
	}
	add := func(kind string, which trouble, detail string) {
		if n := len(which.devices); n > 0 {
			d.add(Issue{Severity: Notice, Kind: kind, Subject: f.name, Fleet: f.slug, Since: which.since.time(), count: n,
				Text: devices(int64(n)) + " " + deviceTrouble[kind], Detail: detail, Devices: refs(which.devices)})
		}
	}
	most := func(which trouble, value func(*device) float32) (highest float32) {
		for _, dev := range which.devices {
			highest = max(highest, value(dev))
		}
		return highest
	}
	add("offline", offline, "")
	add("flapping", flapping, "")
	add("half", half, "They work in part: they cannot be reached, or get no new releases.")
	add("full", full, fmt.Sprintf("Up to %.0f %% of the storage is in use.", 100*most(full, func(dev *device) float32 { return dev.storage.value })))
	add("hot", hot, fmt.Sprintf("Up to %.0f °C.", most(hot, func(dev *device) float32 { return dev.details.temperature.value })))
	add("undervoltage", weak, "")
	for _, key := range slices.SortedFunc(maps.Keys(f.releases), releaseKey.compare) {
		if status := f.releases[key].status.String(); status == "failed" || status == "error" {
			d.add(Issue{Severity: Notice, Kind: "build", Subject: f.name, Fleet: f.slug, Since: f.releases[key].created,
				Text: "the newest build failed" + key.label()})
			break
		}
	}
}

// trouble is what several devices share, since the first of them has it.
type trouble struct {
	devices []*device
	since   instant
}

func (t *trouble) add(dev *device, since instant) {
	if len(t.devices) == 0 || since < t.since {
		t.since = since
	}
	t.devices = append(t.devices, dev)
}

// flaps reports whether the device has disconnected often within an hour.
func (d *device) flaps(now time.Time) bool {
	return len(d.losses) == flappingFrom && now.Sub(d.losses[0].time()) <= time.Hour
}

// dead reports devices that have been off for longer than a day, in one line: every account has some.
func (d *diagnosis) dead() {
	if n := len(d.deadDevices); n > 0 {
		d.add(Issue{Severity: Notice, Kind: "dead", Subject: "All fleets", count: n,
			Text: devices(int64(n)) + " offline for more than a day", Devices: refs(d.deadDevices)})
	}
}

// group is a number of devices that were lost.
type group struct {
	devices []*device
	alive   bool
}

func (g *group) add(dev *device) { g.devices = append(g.devices, dev) }

func (g *group) losses() []time.Time {
	times := make([]time.Time, len(g.devices))
	for i, dev := range g.devices {
		times[i] = dev.connectivity.time()
	}
	return times
}

func groupOf[K comparable](groups map[K]*group, key K) *group {
	g, ok := groups[key]
	if !ok {
		g = &group{}
		groups[key] = g
	}
	return g
}

// densest returns the start of the window with the most of the times, and how many they are.
func densest(times []time.Time, window time.Duration) (start time.Time, most int) {
	slices.SortFunc(times, time.Time.Compare)
	first := 0
	for i, t := range times {
		for t.Sub(times[first]) > window {
			first++
		}
		if n := i - first + 1; n > most {
			start, most = times[first], n
		}
	}
	return start, most
}

// refs names the first devices by name.
func refs(devices []*device) (result []DeviceRef) {
	compare := func(a, b *device) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.uuid, b.uuid))
	}
	var first []*device // sorted; there may be very many others
	for _, dev := range devices {
		if len(first) == refsPerIssue && compare(dev, first[refsPerIssue-1]) > 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(first, dev, compare)
		first = slices.Insert(first, i, dev)[:min(len(first)+1, refsPerIssue)]
	}
	for _, dev := range first {
		result = append(result, dev.ref())
	}
	return result
}

func fleetsOf(devices []*device) []FleetRef {
	seen := map[string]string{}
	for _, dev := range devices {
		seen[dev.fleet.slug] = dev.fleet.name
	}
	var result []FleetRef
	for _, slug := range slices.Sorted(maps.Keys(seen)) {
		result = append(result, FleetRef{slug, seen[slug]})
	}
	return result
}

func (d *device) ref() DeviceRef { return DeviceRef{d.uuid, cmp.Or(d.name, d.uuid)} }

func (d *device) tag(key string) string {
	for _, t := range d.tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// polls reports whether the server still considers the device to poll the API.
func (d *device) polls() bool {
	switch d.status.String() {
	case "operational", "updating", "reduced-functionality":
		return true
	}
	return false
}

func devices(n int64) string {
	if n == 1 {
		return "1 device"
	}
	return fmt.Sprintf("%d devices", n)
}

// listed writes those counts of the states that are not zero: "4 behind, 2 failing".
func listed(counts []Count, states ...string) string {
	var parts []string
	for _, state := range states {
		if n := count(counts, state); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(parts, ", ")
}

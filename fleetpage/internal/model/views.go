package model

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Now is the state of all fleets.
type Now struct {
	Overall      Status
	Problems     []Issue // critical and warnings, the worst first
	Notices      []Issue
	Rollouts     []FleetRow // in progress, the first of them
	MoreRollouts int
	Fleets       []FleetRow // the first of all, by trouble
	Troubled     int        // fleets with problems
}

// Status is what each view says of the data.
type Status struct {
	At                      time.Time // the present
	Started                 time.Time
	Data                    time.Time // when the oldest receiver last knew everything; zero if none did
	Old                     bool      // whether that is longer ago than some scrapes take
	Fleets, Online, Devices int64
	Worst                   Severity
	Problems                int
	Empty                   bool // nothing has arrived yet
	Dashboard               bool // whether the fleets are balenaCloud's
}

// FleetRow is a fleet in a list.
type FleetRow struct {
	Slug, Name, Organization, ID string
	Tags                         []Tag
	Online, Total                int64
	OnlineKnown                  bool
	Seen                         time.Time
	States, Rollout              []Count
	Target                       string
	TargetSince                  time.Time
	History                      []Sample
	Severity                     Severity
	Trouble                      string
	Since                        time.Time
}

// Sample is a step of the history. Online is negative where nothing is known.
type Sample struct{ Online, Total int32 }

// Page is a part of a list.
type Page struct {
	Number, Pages int   // Number counts from 1
	Total         int64 // rows of all pages
}

// Fleets is a list of fleets.
type Fleets struct {
	Overall Status
	Query   string
	Page    Page
	Rows    []FleetRow
}

// Fleet is one fleet.
type Fleet struct {
	Overall Status
	FleetRow
	Issues   []Issue
	Releases []Release
	Filter   Filter
	Filters  []Count // how many devices each filter would show
	Page     Page
	Devices  []DeviceRow
}

// Filter selects devices.
type Filter struct{ Query, State string }

// Release is a release of a fleet.
type Release struct {
	Version, Commit, Status string
	Draft, IsTarget         bool
	Running, Pinned         int64
	Targeted                int64
	Created                 time.Time
	Size                    Value
}

// Value is a number that may not be known.
type Value struct {
	Number float64
	Known  bool
}

// DeviceRow is a device in a list.
type DeviceRow struct {
	UUID, Name, Status, Release, Target string
	Online, Offline, Pinned             bool
	Since                               time.Time // of being online or offline
	Storage, Temperature                Value
	Undervoltage                        bool
}

// Device is one device.
type Device struct {
	Overall Status
	DeviceRow
	Fleet                                     FleetRef
	FleetID                                   string
	Type, Heartbeat, Rollout, Update          string
	OS, Variant, Supervisor                   string
	Tags                                      []Tag
	VPN                                       string
	VPNSince, HeartbeatSince                  time.Time
	CPU, Memory, MemoryLimit                  Value
	StorageUsed, StorageLimit, UpdateProgress Value
	UndervoltageKnown                         bool
	Services                                  []Service
	First, Seen                               time.Time
	Changes                                   []Change // the newest first
}

// Service is a service of a device.
type Service struct {
	Name, Status string
	Progress     Value
	Installed    time.Time
}

func value(n number) Value             { return Value{n.value, n.known} }
func smallValue(n float32number) Value { return Value{float64(n.value), n.known} }

// Rows per page.
const (
	fleetsPerPage  = 50
	devicesPerPage = 100
	fleetsShown    = 24
	rolloutsShown  = 12
)

// Current returns the state of all fleets.
func (s *Store) Current() Now {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.Now()
	issues := s.currentIssues(now)
	view := Now{Overall: s.status(now, issues)}
	for _, issue := range joined(issues) {
		if issue.Severity >= Warning {
			view.Problems = append(view.Problems, issue)
		} else {
			view.Notices = append(view.Notices, issue)
		}
	}
	troubles := byFleet(issues)
	for _, f := range s.fleets {
		if f.rollsOut() {
			view.Rollouts = append(view.Rollouts, s.row(f, now, troubles))
		}
	}
	slices.SortFunc(view.Rollouts, func(a, b FleetRow) int { return strings.Compare(a.Slug, b.Slug) })
	if len(view.Rollouts) > rolloutsShown {
		view.MoreRollouts, view.Rollouts = len(view.Rollouts)-rolloutsShown, view.Rollouts[:rolloutsShown]
	}
	for _, issue := range troubles {
		if issue.Severity >= Warning {
			view.Troubled++
		}
	}
	for _, f := range s.sorted("", troubles)[:min(fleetsShown, len(s.fleets))] {
		view.Fleets = append(view.Fleets, s.row(f, now, troubles))
	}
	return view
}

// rollsOut reports whether devices that can be reached are on their way to the target.
func (f *fleet) rollsOut() bool {
	return count(f.rollout, "updating") > 0 || count(f.rollout, "behind") > 0
}

func (s *Store) status(now time.Time, issues []Issue) Status {
	status := Status{At: now, Started: s.started, Fleets: int64(len(s.fleets)), Empty: len(s.fleets) == 0 && len(s.receivers) == 0}
	for _, f := range s.fleets {
		online, _ := f.onlineNow()
		status.Online += online
		status.Devices += f.total()
	}
	for _, r := range s.receivers {
		data := r.lastComplete
		if r.complete == yes {
			data = r.seen
		}
		if status.Data.IsZero() || data.Before(status.Data) {
			status.Data = data
		}
		status.Old = status.Old || now.Sub(data) > max(missedIntervals*r.interval, minimalPatience)
		status.Dashboard = status.Dashboard || strings.TrimSuffix(r.endpoint, "/") == "https://api.balena-cloud.com"
	}
	for _, r := range s.receivers {
		status.Dashboard = status.Dashboard && strings.TrimSuffix(r.endpoint, "/") == "https://api.balena-cloud.com"
	}
	if len(s.receivers) == 0 {
		for _, f := range s.fleets {
			status.Data = later(status.Data, later(f.countedAt, f.statusAt))
			status.Old = now.Sub(status.Data) > max(missedIntervals*f.interval, minimalPatience)
		}
	}
	for _, issue := range issues {
		if issue.Severity >= Warning {
			status.Problems++
			status.Worst = max(status.Worst, issue.Severity)
		}
	}
	return status
}

// byFleet returns the worst issue of each fleet.
func byFleet(issues []Issue) map[string]Issue {
	result := map[string]Issue{}
	add := func(slug string, issue Issue) {
		if worst, ok := result[slug]; !ok || issue.Severity > worst.Severity {
			result[slug] = issue
		}
	}
	for _, issue := range issues {
		if issue.Fleet != "" {
			add(issue.Fleet, issue)
		}
		for _, f := range issue.Fleets {
			of := issue
			of.Text = strings.ToLower(issue.Subject[:1]) + issue.Subject[1:] + ": " + issue.Text
			add(f.Slug, of)
		}
	}
	return result
}

func (s *Store) row(f *fleet, now time.Time, troubles map[string]Issue) FleetRow {
	trouble := troubles[f.slug]
	online, counted := f.onlineNow()
	since := f.targetAt
	if since.IsZero() {
		since = f.targetSince
	}
	return FleetRow{
		Slug: f.slug, Name: f.name, Organization: f.organization, ID: f.id, Tags: f.tags,
		Online: online, Total: f.total(), OnlineKnown: counted,
		Seen: later(f.countedAt, f.statusAt), States: slices.Clone(f.status), Rollout: slices.Clone(f.rollout),
		Target: f.target.String(), TargetSince: since,
		History:  f.history.until(s.History, now),
		Severity: trouble.Severity, Trouble: trouble.Text, Since: trouble.Since,
	}
}

// until returns the complete history up to now.
func (h *history) until(span time.Duration, now time.Time) []Sample {
	if span < HistorySlots {
		return nil
	}
	result := make([]Sample, HistorySlots)
	last := now.UnixNano() / int64(span/HistorySlots)
	for i := range result {
		result[i] = noSample
		if at := len(h.samples) - 1 - int(h.last-(last-int64(HistorySlots-1-i))); at >= 0 && at < len(h.samples) {
			result[i] = h.samples[at]
		}
	}
	return result
}

// Fleets returns the fleets that match a query, by trouble.
func (s *Store) Fleets(query string, page int) Fleets {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.Now()
	issues := s.currentIssues(now)
	troubles := byFleet(issues)
	found := s.sorted(query, troubles)
	view := Fleets{Overall: s.status(now, issues), Query: query}
	var from, to int
	view.Page, from, to = paged(len(found), page, fleetsPerPage)
	for _, f := range found[from:to] {
		view.Rows = append(view.Rows, s.row(f, now, troubles))
	}
	return view
}

// sorted returns the fleets that match a query, those in trouble first.
func (s *Store) sorted(query string, troubles map[string]Issue) []*fleet {
	var found []*fleet
	offline := map[*fleet]float64{}
	for _, f := range s.fleets {
		if f.matches(query) {
			found = append(found, f)
			offline[f] = f.offlineFraction()
		}
	}
	slices.SortFunc(found, func(a, b *fleet) int {
		return cmp.Or(
			cmp.Compare(troubles[b.slug].Severity, troubles[a.slug].Severity),
			cmp.Compare(offline[b], offline[a]),
			strings.Compare(a.slug, b.slug),
		)
	})
	return found
}

func (f *fleet) offlineFraction() float64 {
	online, counted := f.onlineNow()
	if total := f.total(); counted && total > 0 {
		return 1 - float64(online)/float64(total)
	}
	return 0
}

// matches reports whether each word of a query is part of the name, the slug or a tag, in any case.
func (f *fleet) matches(query string) bool {
	return matches(query, f.tags, f.name, f.slug)
}

func (d *device) matches(query string) bool {
	return matches(query, d.tags, d.name, d.uuid, d.release.String(), d.os.String(), d.kind.String())
}

func matches(query string, tags []Tag, values ...string) bool {
words:
	for _, word := range strings.Fields(strings.ToLower(query)) {
		for _, value := range values {
			if strings.Contains(strings.ToLower(value), word) {
				continue words
			}
		}
		for _, tag := range tags {
			if strings.Contains(strings.ToLower(tag.Key+"="+tag.Value), word) {
				continue words
			}
		}
		return false
	}
	return true
}

func paged(total, page, size int) (p Page, from, to int) {
	pages := max(1, (total+size-1)/size)
	page = min(max(page, 1), pages)
	from = (page - 1) * size
	return Page{Number: page, Pages: pages, Total: int64(total)}, from, min(from+size, total)
}

// Filters of devices, in the order in which they are shown.
func filters() []string {
	return []string{"online", "offline", "behind", "pinned", "full", "hot", "undervoltage"}
}

func (d *device) is(state string) bool {
	switch state {
	case "":
		return true
	case "online":
		return d.online == yes
	case "offline":
		return d.online == no
	case "behind":
		return d.behind()
	case "pinned":
		return d.pinned == yes
	case "full":
		return d.full()
	case "hot":
		return d.hot()
	case "undervoltage":
		return d.undervoltage()
	}
	return d.status.String() == state
}

// Fleet returns a fleet by its slug.
func (s *Store) Fleet(slug string, filter Filter, page int) (Fleet, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f, ok := s.fleets[Clean(slug)]
	if !ok {
		return Fleet{}, false
	}
	now := s.Now()
	issues := s.currentIssues(now)
	view := Fleet{Overall: s.status(now, issues), FleetRow: s.row(f, now, byFleet(issues)), Filter: filter}
	for _, issue := range issues {
		if issue.Fleet == f.slug || slices.ContainsFunc(issue.Fleets, func(r FleetRef) bool { return r.Slug == f.slug }) {
			view.Issues = append(view.Issues, issue)
		}
	}
	view.Releases = f.releaseRows()
	var found []*device
	counts := map[string]int64{}
	for d := range f.devices {
		for _, state := range filters() {
			if d.is(state) {
				counts[state]++
			}
		}
		if d.is(filter.State) && d.matches(filter.Query) {
			found = append(found, d)
		}
	}
	for _, state := range filters() {
		if counts[state] > 0 {
			view.Filters = append(view.Filters, Count{state, counts[state]})
		}
	}
	// Offline ones first, those that were lost last before the others.
	slices.SortFunc(found, func(a, b *device) int {
		if a.online == no && b.online == no {
			return cmp.Or(cmp.Compare(b.connectivity, a.connectivity), strings.Compare(a.name, b.name), strings.Compare(a.uuid, b.uuid))
		}
		return cmp.Or(cmp.Compare(a.order(), b.order()), strings.Compare(a.name, b.name), strings.Compare(a.uuid, b.uuid))
	})
	var from, to int
	view.Page, from, to = paged(len(found), page, devicesPerPage)
	for _, d := range found[from:to] {
		view.Devices = append(view.Devices, d.row())
	}
	return view, true
}

func (d *device) order() int {
	switch {
	case d.online == no:
		return 0
	case d.full(), d.hot(), d.undervoltage():
		return 1
	case d.behind():
		return 2
	}
	return 3
}

func (f *fleet) releaseRows() []Release {
	var rows []Release
	for _, key := range slices.SortedFunc(maps.Keys(f.releases), func(a, b releaseKey) int {
		return cmp.Or(
			cmp.Compare(f.releases[b].running.value, f.releases[a].running.value),
			strings.Compare(b.version, a.version), strings.Compare(a.commit, b.commit))
	}) {
		r := f.releases[key]
		rows = append(rows, Release{
			Version: key.version, Commit: key.commit, Status: r.status.String(), Draft: r.final == no,
			IsTarget: f.targetInfo && key.version == f.target.String(),
			Running:  int64(r.running.value), Pinned: int64(r.pinned.value), Targeted: int64(r.targeted.value),
			Created: r.created, Size: value(r.size),
		})
	}
	return rows
}

func (d *device) row() DeviceRow {
	is := d.more()
	return DeviceRow{
		UUID: d.uuid, Name: cmp.Or(d.name, d.uuid), Status: d.status.String(), Release: d.release.String(), Target: d.target.String(),
		Online: d.online == yes, Offline: d.online == no, Pinned: d.pinned == yes, Since: d.connectivity.time(),
		Storage: smallValue(d.storage), Temperature: smallValue(is.temperature), Undervoltage: is.undervoltage == yes,
	}
}

// Device returns a device by its UUID.
func (s *Store) Device(uuid string) (Device, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	d, ok := s.devices[Clean(uuid)]
	if !ok {
		return Device{}, false
	}
	now := s.Now()
	is := d.more()
	view := Device{
		Overall: s.status(now, s.currentIssues(now)), DeviceRow: d.row(),
		Fleet: FleetRef{d.fleet.slug, d.fleet.name}, FleetID: d.fleet.id,
		Type: d.kind.String(), Heartbeat: is.heartbeat.String(), Rollout: is.rollout.String(), Update: is.update.String(),
		OS: d.os.String(), Variant: d.variant.String(), Supervisor: d.supervisor.String(), Tags: d.tags,
		VPN: map[truth]string{yes: "connected", no: "disconnected"}[is.vpn], VPNSince: is.vpnEvent.time(), HeartbeatSince: is.heartbeatChange.time(),
		CPU: smallValue(is.cpu), Memory: smallValue(is.memory), MemoryLimit: smallValue(is.memoryLimit),
		StorageUsed: smallValue(is.storageUsed), StorageLimit: smallValue(is.storageLimit), UpdateProgress: smallValue(is.progress),
		UndervoltageKnown: is.undervoltage != unknown,
		First:             d.first.time(), Seen: d.seen.time(), Changes: slices.Clone(d.changes),
	}
	slices.Reverse(view.Changes)
	for _, service := range is.services {
		view.Services = append(view.Services, Service{service.name.String(), service.status.String(), smallValue(service.progress), service.installed.time()})
	}
	slices.SortFunc(view.Services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	return view, true
}

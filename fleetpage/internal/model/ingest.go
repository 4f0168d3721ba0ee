package model

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// point is a data point of a metric.
type point struct {
	metric     string
	value      number // not known if the point is a stale marker
	at         time.Time
	attributes pcommon.Map
}

func (p point) attribute(key string) string {
	value, ok := p.attributes.Get(key)
	if !ok {
		return ""
	}
	return value.AsString()
}

func (p point) stale() bool { return !p.value.known }

// truth is the value of a metric that is 1 or 0.
func (p point) truth() truth {
	if p.stale() {
		return unknown
	}
	return truthOf(p.value.value != 0)
}

// moment is the value of a metric that is a timestamp.
func (p point) moment() time.Time {
	const latest = 253402300799 // of year 9999, so that it can be written
	if p.stale() || !(p.value.value > 0) || p.value.value > latest {
		return time.Time{}
	}
	return time.UnixMilli(int64(p.value.value * 1000))
}

// state returns the new value of a state that was current, for a point that names a state: a marker ends only the state that it names,
// since it may come after the state that follows, and a state set has zeros for the others.
func (p point) state(current text, attribute string) text {
	state := newText(p.attribute(attribute))
	switch {
	case p.stale() && current == state:
		return text{}
	case p.stale() || p.value.value == 0:
		return current
	}
	return state
}

// consumeResource applies the points of one resource. What is neither a fleet, a device, a release nor a receiver is not shown.
func (s *Store) consumeResource(resource pmetric.ResourceMetrics, now time.Time) {
	attributes := resource.Resource().Attributes()
	str := func(key string) string {
		value, ok := attributes.Get(key)
		if !ok {
			return ""
		}
		return Clean(value.AsString())
	}
	uuid, slug := str("balena.device.uuid"), str("balena.fleet.slug")
	switch {
	case uuid != "":
		s.consumeDevice(uuid, slug, str, attributes, resource, now)
	case slug != "" && (str("balena.release.commit") != "" || str("balena.release.version") != ""):
		s.consumeRelease(slug, str, resource, now)
	case slug != "":
		s.consumeFleet(slug, str, attributes, resource, now)
	case str("balena.receiver.name") != "":
		s.consumeReceiver(str, attributes, resource, now)
	}
}

// eachPoint calls f for the points of gauges and sums whose values are numbers.
func eachPoint(resource pmetric.ResourceMetrics, now time.Time, f func(point)) {
	for _, scope := range resource.ScopeMetrics().All() {
		for _, metric := range scope.Metrics().All() {
			var points pmetric.NumberDataPointSlice
			switch metric.Type() {
			case pmetric.MetricTypeGauge:
				points = metric.Gauge().DataPoints()
			case pmetric.MetricTypeSum:
				points = metric.Sum().DataPoints()
			default:
				continue
			}
			for _, p := range points.All() {
				f(newPoint(metric.Name(), p, now))
			}
		}
	}
}

func newPoint(metric string, p pmetric.NumberDataPoint, now time.Time) point {
	at := p.Timestamp().AsTime()
	if p.Timestamp() == 0 || at.After(now) { // a clock that is ahead must not make all that follows look old
		at = now
	}
	result := point{metric: metric, at: at, attributes: p.Attributes()}
	value := p.DoubleValue()
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		value = float64(p.IntValue())
	}
	if !p.Flags().NoRecordedValue() && value-value == 0 { // neither NaN nor infinite
		result.value = known(value)
	}
	return result
}

func (s *Store) consumeDevice(uuid, slug string, str func(string) string, attributes pcommon.Map, resource pmetric.ResourceMetrics, now time.Time) {
	d, exists := s.devices[uuid]
	name, kind := str("balena.device.name"), newText(str("balena.device.type"))
	var last time.Time
	live := false
	eachPoint(resource, now, func(p point) {
		last = later(last, p.at)
		live = live || !p.stale()
	})
	seen := instantOf(last)
	// Batches of several scrapes may arrive in any order. Markers with former names or of a former fleet are about series, not the device.
	if exists && seen < d.seen || !exists && !live || exists && !live && (d.name != name || d.fleet.slug != slug) {
		return
	}
	if !exists {
		uuid = strings.Clone(uuid)
		d = &device{uuid: uuid, first: seen}
		s.devices[uuid] = d
	}
	before, updateBefore := *d, d.more().update
	d.seen = seen
	if f := s.fleet(slug, str("balena.fleet.name")); d.fleet != f {
		if d.fleet != nil {
			delete(d.fleet.devices, d)
			d.change("fleet", d.fleet.slug, f.slug, s.Changes)
		}
		d.fleet = f
		f.devices[d] = struct{}{}
	}
	if d.name != name {
		if exists {
			d.change("name", d.name, name, s.Changes)
		}
		d.name = strings.Clone(name)
	}
	d.kind, d.tags = kind, tags(d.tags, attributes, "balena.device.tag.", s.DeviceTags)
	eachPoint(resource, now, d.apply)
	if exists {
		d.recordChanges(before, updateBefore, s.Changes)
	}
	d.trackSince()
	if !d.known() {
		s.removeDevice(d)
	}
}

func (s *Store) removeDevice(d *device) {
	delete(d.fleet.devices, d)
	delete(s.devices, d.uuid)
}

// fleet returns the fleet with a slug, which may be known from its devices only.
func (s *Store) fleet(slug, name string) *fleet {
	f, ok := s.fleets[slug]
	if !ok {
		slug = strings.Clone(slug)
		f = &fleet{slug: slug, name: strings.Clone(cmp.Or(name, slug)), devices: map[*device]struct{}{}}
		f.organization, _, _ = strings.Cut(slug, "/")
		s.fleets[slug] = f
	}
	return f
}

func (s *Store) consumeFleet(slug string, str func(string) string, attributes pcommon.Map, resource pmetric.ResourceMetrics, now time.Time) {
	_, exists := s.fleets[slug]
	name := str("balena.fleet.name")
	live := false
	eachPoint(resource, now, func(p point) { live = live || !p.stale() })
	if !live && (!exists || s.fleets[slug].name != name) {
		return
	}
	f := s.fleet(slug, name)
	before := *f
	before.rollout = slices.Clone(f.rollout)
	eachPoint(resource, now, f.apply)
	if live {
		f.name, f.tags = strings.Clone(cmp.Or(name, slug)), tags(f.tags, attributes, "balena.fleet.tag.", s.FleetTags)
		if id, ok := attributes.Get("balena.fleet.id"); ok {
			f.id = clip(id.AsString())
		}
	}
	f.track(before)
	f.history.add(s.History, f.countedAt, f.online, f.registered)
	if !f.known() && len(f.devices) == 0 {
		delete(s.fleets, slug)
	}
}

func (s *Store) consumeRelease(slug string, str func(string) string, resource pmetric.ResourceMetrics, now time.Time) {
	f, ok := s.fleets[slug]
	if !ok {
		f = s.fleet(slug, str("balena.fleet.name"))
	}
	key := releaseKey{str("balena.release.commit"), str("balena.release.version")}
	if f.releases == nil {
		f.releases = map[releaseKey]*release{}
	}
	r, ok := f.releases[key]
	if !ok {
		if len(f.releases) >= maxReleases {
			return
		}
		key = releaseKey{strings.Clone(key.commit), strings.Clone(key.version)}
		r = &release{key: key}
		f.releases[key] = r
	}
	eachPoint(resource, now, r.apply)
	if !r.known() {
		delete(f.releases, key)
	}
	if !f.known() && len(f.devices) == 0 && len(f.releases) == 0 {
		delete(s.fleets, slug)
	}
}

func (s *Store) consumeReceiver(str func(string) string, attributes pcommon.Map, resource pmetric.ResourceMetrics, now time.Time) {
	// All attributes tell receivers apart: shards, and Collectors whose receivers have the same name.
	var parts []string
	for name, value := range attributes.All() {
		parts = append(parts, Clean(name)+"\xff"+Clean(value.AsString()))
	}
	slices.Sort(parts) // attributes have no order
	key := strings.Join(parts, "\xff")
	r, ok := s.receivers[key]
	if !ok {
		r = &receiver{
			name: strings.Clone(str("balena.receiver.name")), endpoint: strings.Clone(str("balena.api.endpoint")), shard: strings.Clone(str("balena.shard.index")),
			failures: map[failureKey]failure{}, keys: map[string]time.Time{},
		}
		s.receivers[key] = r
	}
	before := r.seen
	eachPoint(resource, now, r.apply)
	if gap := r.seen.Sub(before); !before.IsZero() && gap > 0 {
		r.interval = gap
	}
}

// tags returns the attributes of a resource that are tags, sorted, and the current ones if they are equal. An attribute with the prefix is the
// tag whose key follows; others are those that are listed, as in the receiver's own configuration.
func tags(current []Tag, attributes pcommon.Map, prefix string, listed map[string]string) []Tag {
	var result []Tag
	for name, value := range attributes.All() {
		key, ok := strings.CutPrefix(name, prefix)
		if !ok {
			key, ok = listed[name]
		}
		if ok && len(result) < maxTags {
			result = append(result, Tag{newText(key).String(), newText(value.AsString()).String()})
		}
	}
	slices.SortFunc(result, func(a, b Tag) int { return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Value, b.Value)) })
	if slices.Equal(current, result) {
		return current
	}
	return slices.Clip(result)
}

// Intervals after which something counts as gone or silent, so that neither a slow scrape nor a lost batch does that.
const (
	missedIntervals = 3
	minimalPatience = 3 * time.Minute
)

// removeExpired removes what nothing reports any more although it left no stale marker: its receiver was restarted, or batches were lost.
// A device is gone once the counts of its fleet are newer by some intervals; fleets and releases after the expiration.
func (s *Store) removeExpired() {
	now := s.Now()
	if now.Sub(s.cleaned) < 30*time.Second {
		return
	}
	s.cleaned = now
	for _, d := range s.devices {
		patience := max(missedIntervals*d.fleet.interval, minimalPatience)
		if d.fleet.statusAt.Sub(d.seen.time()) > patience || now.Sub(d.seen.time()) > s.Expiration {
			s.removeDevice(d)
		}
	}
	for slug, f := range s.fleets {
		for key, r := range f.releases {
			if f.statusAt.Sub(r.seen) > max(missedIntervals*f.interval, minimalPatience) || now.Sub(r.seen) > s.Expiration {
				delete(f.releases, key)
			}
		}
		if now.Sub(later(f.countedAt, f.statusAt)) > s.Expiration && len(f.devices) == 0 {
			delete(s.fleets, slug)
		}
	}
	for key, r := range s.receivers {
		if now.Sub(r.seen) > s.Expiration && len(s.receivers) > 1 {
			delete(s.receivers, key)
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

package truth

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// oracle says what /metrics may show after a scrape, from the account as the simulator has it and from the requests that failed. It follows
// the documentation of the metrics and shares no code with the receiver.
type oracle struct {
	setup   setup
	enabled map[string]bool // metrics by their names in Prometheus

	// What the receiver has been told so far.
	fleetTags, deviceTags map[ref]labels // an entry, even an empty one, means that the tags are known
	tagsInDoubt           map[ref]bool
	deviceTypes, images   map[ref]bool

	// Transitions as seen by pictures that are complete, and by all rows that were delivered. They differ only if pages failed: what is
	// counted must lie between the two.
	strict, eager transitions

	served   map[string]float64 // after the last scrape
	registry map[string]series  // every series that there was reason to expect
	afterBan bool               // whether the server ever asked for silence
}

type transitions struct {
	last     map[ref]device
	counters map[fleetKey]counters // an entry means that the fleet's devices were seen
}

func newOracle(s setup, enabled map[string]bool) *oracle {
	return &oracle{
		setup: s, enabled: enabled,
		fleetTags: map[ref]labels{}, deviceTags: map[ref]labels{}, tagsInDoubt: map[ref]bool{}, deviceTypes: map[ref]bool{}, images: map[ref]bool{},
		strict:   transitions{map[ref]device{}, map[fleetKey]counters{}},
		eager:    transitions{map[ref]device{}, map[fleetKey]counters{}},
		registry: map[string]series{},
	}
}

// see takes in the devices' states and counts transitions, each for the fleet that the device is in now.
func (t *transitions) see(p *picture, sees func(device) bool, lists func(fleet) bool) {
	keys := map[ref]fleetKey{}
	for _, f := range p.fleets {
		if lists(f) {
			keys[f.ID] = f.key()
			if _, seen := t.counters[f.key()]; !seen {
				t.counters[f.key()] = counters{}
			}
		}
	}
	for _, d := range p.devices {
		key, listed := keys[d.Fleet]
		if !sees(d) || !listed {
			continue
		}
		c := t.counters[key]
		switch was, known := t.last[d.ID]; {
		case !known:
		case was.Online && !d.Online:
			c.disconnections++
		case !was.Online && d.Online:
			c.reconnections++
		case d.LastConnectivity != nil && (was.LastConnectivity == nil || !d.LastConnectivity.Equal(*was.LastConnectivity)):
			// Both, between two pictures.
			c.disconnections++
			c.reconnections++
		}
		t.counters[key], t.last[d.ID] = c, d
	}
}

// ofFleet sums what was counted for a fleet under all names that it had.
func (t *transitions) ofFleet(id ref) counters {
	var sum counters
	for key, c := range t.counters {
		if key.id == id {
			sum.disconnections += c.disconnections
			sum.reconnections += c.reconnections
		}
	}
	return sum
}

// forget drops what is known to be gone.
func (t *transitions) forget(p *picture) {
	exists := map[ref]bool{}
	for _, d := range p.devices {
		exists[d.ID] = true
	}
	maps.DeleteFunc(t.last, func(id ref, _ device) bool { return !exists[id] })
}

// certainty is how much of a kind of request a scrape brought.
type certainty int

const (
	nothing certainty = iota
	part              // some pages, or all rows but one
	everything
)

// scrape is what a scrape's requests brought.
type scrape struct {
	of        map[kind]certainty
	spoiled   map[ref]bool // devices whose rows could not be decoded
	lost      map[ref]bool // fleets whose rows could not be decoded
	delivered map[ref]bool // devices that were in any response
	whole     map[ref]bool // those of them whose response was not cut
	failed    []string
	asked     map[kind]bool
	torn      bool // whether some pages of devices came and others failed
}

// assess finds out what a scrape brought from its log. A scrape that claims to be complete is taken at its word.
func (o *oracle) assess(p *picture, log []exchange, claimsComplete bool, reported []string, rushed bool) scrape {
	s := scrape{of: map[kind]certainty{}, spoiled: map[ref]bool{}, delivered: map[ref]bool{}, whole: map[ref]bool{}, lost: map[ref]bool{}}
	last, good, spoiled := unresolved(log), map[kind]bool{}, map[kind]bool{}
	asked := map[kind]bool{}
	for _, ex := range log {
		asked[ex.kind] = true
		switch ex.failure {
		case badKey:
		case "", cut:
			good[ex.kind] = true
			if ex.kind == deviceKind {
				for _, id := range ex.ids {
					s.delivered[ref(id)] = true
					s.whole[ref(id)] = s.whole[ref(id)] || ex.failure == ""
				}
			}
		case badRow, nullValue:
			good[ex.kind] = true
			if ex.kind == fleetKind {
				s.lost[ref(ex.spoiled)] = true
				continue
			}
			spoiled[ex.kind] = true
			if ex.kind == deviceKind {
				s.spoiled[ref(ex.spoiled)] = true
				for _, id := range ex.ids {
					s.delivered[ref(id)] = id != ex.spoiled
					s.whole[ref(id)] = id != ex.spoiled
				}
			}
		}
	}
	for _, d := range p.devices {
		s.spoiled[d.ID] = s.spoiled[d.ID] || s.lost[d.Fleet]
	}
	maps.DeleteFunc(s.spoiled, func(_ ref, spoiled bool) bool { return !spoiled })
	// Without a device to prove it, the key is in doubt as long as whoami does not confirm it.
	doubted := slices.Contains(reported, string(credentialKind))
	rejected := slices.Contains(slices.Collect(maps.Values(last)), badKey) || doubted && (last[credentialKind] != "" || !asked[credentialKind])
	for _, k := range kinds {
		failure := last[k]
		lasting := failure != "" && failure.ofRequest()
		if lasting {
			s.failed = append(s.failed, string(k))
		}
		s.torn = s.torn || k == deviceKind && lasting && good[k]
		switch {
		case rejected:
			s.of[k] = nothing
		case k == deviceKind && rushed && asked[k] && !lasting && !spoiled[k]:
			s.of[k] = everything
			if slices.ContainsFunc(p.devices, func(d device) bool { return !s.delivered[d.ID] }) {
				s.of[k] = part
			}
		case spoiled[k], lasting && good[k], rushed && asked[k] && o.setup.pageSize < 100 && (k == containerKind || k == deviceTagKind),
			lasting && (k == imageKind || k == deviceTypeKind):
			s.of[k] = part
		case lasting:
			s.of[k] = nothing
		case asked[k], claimsComplete:
			s.of[k] = everything
		}
	}
	if rejected || s.of[fleetKind] == nothing {
		clear(s.of)
		return s
	}
	if s.of[fleetKind] == part {
		// The other requests were for the fleets that were listed.
		for k := range s.of {
			s.of[k] = min(s.of[k], part)
		}
		s.torn = false
	}
	if rushed {
		// Requests that were not sent in time left no trace but in what the receiver says.
		for _, k := range reported {
			s.of[kind(k)] = min(s.of[kind(k)], part)
		}
	}
	// What is remembered is not asked for again.
	s.asked = asked
	for _, k := range []kind{deviceTypeKind, imageKind} {
		if !asked[k] {
			s.of[k] = max(s.of[k], part)
		}
	}
	if !asked[deviceTypeKind] && o.typesKnown(p) {
		s.of[deviceTypeKind] = everything
	}
	if !asked[imageKind] && o.imagesKnown(p) {
		s.of[imageKind] = everything
	}
	if !asked[releaseKind] && len(p.releases) == 0 {
		s.of[releaseKind] = everything
	}
	return s
}

// unresolved are the failures that no retry resolved. After a body that was cut the rest is asked for, by another target.
func unresolved(log []exchange) map[kind]failure {
	failed := map[kind]failure{}
	type request struct {
		kind   kind
		target string
	}
	last := map[request]int{}
	lastGood := map[kind]int{}
	for i, ex := range log {
		last[request{ex.kind, ex.target}] = i
		if ex.failure == "" {
			lastGood[ex.kind] = i
		}
	}
	for r, i := range last {
		failure := log[i].failure
		if failure == "" || failure == cut && lastGood[r.kind] > i || failed[r.kind] != "" && !failure.ofRequest() {
			continue
		}
		failed[r.kind] = failure
	}
	return failed
}

// ofRequest reports whether the whole request failed, and not a row of its response.
func (f failure) ofRequest() bool { return f != badRow && f != nullValue }

func (o *oracle) typesKnown(p *picture) bool {
	return !slices.ContainsFunc(p.devices, func(d device) bool { return !o.deviceTypes[d.Type] })
}

func (o *oracle) imagesKnown(p *picture) bool {
	return !slices.ContainsFunc(p.containers, func(c container) bool { return c.Status != "deleted" && !o.images[c.Image] })
}

// learn remembers what the receiver does, too.
func (o *oracle) learn(p *picture, s scrape) {
	if s.of[deviceTypeKind] == everything && s.asked[deviceTypeKind] {
		for id := range p.deviceTypes {
			o.deviceTypes[id] = true
		}
	}
	if s.of[imageKind] == everything && s.of[containerKind] == everything && s.asked[imageKind] {
		for _, c := range p.containers {
			o.images[c.Image] = o.images[c.Image] || c.Status != "deleted" && !s.spoiled[c.Device]
		}
	}
	if s.of[fleetTagKind] == everything {
		o.fleetTags = o.tagsOf(p, true)
	}
	if s.of[deviceTagKind] == everything {
		before := o.deviceTags
		o.deviceTags = o.tagsOf(p, false)
		for id := range o.deviceTags {
			// That a device has no tags can only be known of a device that is known.
			o.tagsInDoubt[id] = s.of[deviceKind] != everything && (!s.whole[id] || s.spoiled[id])
			if old, known := before[id]; o.tagsInDoubt[id] && known {
				o.deviceTags[id] = old
			} else if o.tagsInDoubt[id] {
				delete(o.deviceTags, id)
			}
		}
	}
	listed := func(f fleet) bool { return !s.lost[f.ID] }
	switch {
	case s.of[deviceKind] == everything || len(s.spoiled) > 0 && s.of[deviceKind] == part && !slices.Contains(s.failed, string(deviceKind)):
		decoded := func(d device) bool { return !s.spoiled[d.ID] }
		o.strict.see(p, decoded, listed)
		o.eager.see(p, decoded, listed)
		o.strict.forget(p)
		o.eager.forget(p)
	case s.of[deviceKind] == part:
		o.eager.see(p, func(d device) bool { return s.delivered[d.ID] && !s.spoiled[d.ID] }, listed)
	}
}

// tagsOf are the attributes made of tags, with an entry for each fleet or device.
func (o *oracle) tagsOf(p *picture, ofFleets bool) map[ref]labels {
	tags := map[ref]labels{}
	if ofFleets {
		for _, f := range p.fleets {
			tags[f.ID] = labels{}
		}
		for _, t := range p.fleetTags {
			if label, wanted := fleetTagLabels[t.Key]; wanted && o.setup.tags && tags[t.Fleet] != nil {
				tags[t.Fleet] = append(tags[t.Fleet], label, t.Value)
			}
		}
		return tags
	}
	for _, d := range p.devices {
		tags[d.ID] = labels{}
	}
	for _, t := range p.deviceTags {
		if label, wanted := deviceTagLabels[t.Key]; wanted && o.setup.tags && tags[t.Device] != nil {
			tags[t.Device] = append(tags[t.Device], label, t.Value)
		}
	}
	return tags
}

// judgement is what /metrics must and may show.
type judgement struct {
	must map[string][]float64 // one of the values
	may  map[string][]float64
	info map[string]series
}

func (j *judgement) allow(into map[string][]float64, s series) {
	into[s.key] = append(into[s.key], s.value)
	j.info[s.key] = s
}

// expect says what must and what may be served after a scrape.
func (o *oracle) expect(p *picture, s scrape) judgement {
	j := judgement{must: map[string][]float64{}, may: map[string][]float64{}, info: map[string]series{}}
	trueFleetTags, trueDeviceTags := o.tagsOf(p, true), o.tagsOf(p, false)

	// Tags are those last known. Of what has never been known, the resource is held back: it may show under its true identity only.
	lastFleetTags, lastDeviceTags := maps.Clone(trueFleetTags), maps.Clone(trueDeviceTags)
	unsure := map[entity]bool{}
	for id := range trueFleetTags {
		known, ok := o.fleetTags[id]
		if ok {
			lastFleetTags[id] = known
		}
		unsure[entity{"fleet", id}] = s.lost[id] || o.setup.tags && (!ok || s.of[fleetTagKind] == part)
	}
	for id := range trueDeviceTags {
		known, ok := o.deviceTags[id]
		if ok {
			lastDeviceTags[id] = known
		}
		unsure[entity{"device", id}] = o.setup.tags && (!ok || o.tagsInDoubt[id] || s.of[deviceTagKind] == part)
	}
	for _, d := range p.devices {
		if !o.deviceTypes[d.Type] && s.of[deviceTypeKind] != everything || s.spoiled[d.ID] {
			unsure[entity{"device", d.ID}] = true
		}
	}

	current := &view{picture: p, setup: o.setup, enabled: o.enabled, counters: o.counters(), fleetTags: lastFleetTags, deviceTags: lastDeviceTags}
	for _, of := range current.series() {
		c := o.certainty(of, s)
		if _, counted := o.strict.counters[of.fleetKey]; !counted && strings.HasSuffix(of.metric, "_total") {
			c = min(c, part) // counted from pages that came
		}
		switch {
		case c == everything && !unsure[of.entity]:
			j.allow(j.must, of)
		case c != nothing:
			j.allow(j.may, of)
		}
	}
	if o.setup.tags {
		renamed := *current
		renamed.fleetTags, renamed.deviceTags = trueFleetTags, trueDeviceTags
		for _, of := range renamed.series() {
			if unsure[of.entity] && o.certainty(of, s) != nothing {
				j.allow(j.may, of)
			}
		}
	}
	o.allowRanges(p, &j)
	o.allowOld(p, s, unsure, &j)
	return j
}

// counters are the transitions seen by complete pictures or, before there was one, by all rows that were delivered.
func (o *oracle) counters() map[fleetKey]counters {
	all := maps.Clone(o.eager.counters)
	maps.Copy(all, o.strict.counters)
	return all
}

// certainty is how sure the values of a series are.
func (o *oracle) certainty(of series, s scrape) certainty {
	c := s.of[fleetKind]
	if s.lost[of.fleet] || len(s.lost) > 0 && strings.HasPrefix(of.metric, "balena_release_device_") {
		c = min(c, part) // a device of the fleet that could not be decoded may run any release
	}
	for _, k := range needs[of.metric].kinds {
		if k != releaseKind || !of.noRelease {
			c = min(c, s.of[k])
		}
	}
	known := nothing
	for _, k := range of.anyOf {
		if k == deviceKind && len(s.lost) > 0 {
			known = max(known, min(s.of[k], part)) // the device may be of a fleet that could not be decoded
			continue
		}
		known = max(known, s.of[k])
	}
	if len(of.anyOf) > 0 {
		c = min(c, known)
	}
	countsDevices := of.entity.of == "fleet" || strings.HasPrefix(of.metric, "balena_release_device_")
	if countsDevices && s.torn && slices.Contains(needs[of.metric].kinds, deviceKind) {
		return nothing // a count of some devices would be wrong
	}
	return c
}

// allowRanges widens the counters by what pages that came before a failure may have shown.
func (o *oracle) allowRanges(p *picture, j *judgement) {
	for key, s := range j.info {
		strict, eager := o.strict.counters[s.fleetKey], o.eager.counters[s.fleetKey]
		// If they differ, so may the name that a renamed fleet had when a transition was seen.
		ofStrict, ofEager := o.strict.ofFleet(s.fleetKey.id), o.eager.ofFleet(s.fleetKey.id)
		renamed := counters{}
		if ofStrict != ofEager {
			renamed = ofEager
		}
		var low, high int
		switch s.metric {
		case "balena_fleet_device_disconnections_total":
			low = min(strict.disconnections, eager.disconnections)
			high = max(strict.disconnections, eager.disconnections, renamed.disconnections)
		case "balena_fleet_device_reconnections_total":
			low = min(strict.reconnections, eager.reconnections)
			high = max(strict.reconnections, eager.reconnections, renamed.reconnections)
		default:
			continue
		}
		for n := low; n <= high; n++ {
			if j.must[key] != nil {
				j.must[key] = append(j.must[key], float64(n))
			} else {
				j.may[key] = append(j.may[key], float64(n))
			}
		}
	}
}

// allowOld allows what was served before, where it is not known to have changed.
func (o *oracle) allowOld(p *picture, s scrape, unsure map[entity]bool, j *judgement) {
	fleets, devices := map[ref]bool{}, map[ref]bool{}
	for _, f := range p.fleets {
		fleets[f.ID] = true
	}
	for _, d := range p.devices {
		devices[d.ID] = true
	}
	for key, value := range o.served {
		of, known := o.registry[key]
		if !known {
			continue
		}
		of.noRelease = false // it may have one by now
		fleetGone := s.of[fleetKind] == everything && !fleets[of.fleet]
		deviceGone := of.entity.of == "device" && !s.lost[of.fleet] && s.of[fleetKind] == everything && s.of[deviceKind] == everything && !devices[of.entity.id]
		sure := o.certainty(of, s) == everything && !unsure[of.entity]
		if of.entity.of == "release" {
			// A device that is not known may run it.
			sure = sure && s.of[newestKind] == everything && s.of[deviceKind] == everything && len(s.lost) == 0
		}
		if fleetGone && of.entity.of != "device" || deviceGone || sure {
			continue
		}
		j.may[key] = append(j.may[key], value)
		if _, has := j.info[key]; !has {
			j.info[key] = of
		}
	}
}

// ofReceiver are the metrics about the scrape, which are checked apart.
func ofReceiver(key string) bool {
	return strings.HasPrefix(key, "balena_scrape_") || strings.HasPrefix(key, "balena_api_key_")
}

// judge compares what is served with what must and may be, and returns what is wrong.
func (o *oracle) judge(p *picture, log []exchange, served map[string]float64, rushed bool, now time.Time) []string {
	claim, claims := find(served, "balena_scrape_complete")
	reported := reportedFailures(served)
	s := o.assess(p, log, claim == 1, reported, rushed)
	var wrong []string
	report := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	o.judgeClaims(claim == 1, claims, reported, s, log, rushed, report)
	o.afterBan = o.afterBan || slices.ContainsFunc(log, func(ex exchange) bool { return ex.failure == banned })
	o.learn(p, s)
	j := o.expect(p, s)

	identities, groups := map[entity]string{}, map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(served)) {
		value := served[key]
		if ofReceiver(key) {
			continue
		}
		if must, ok := j.must[key]; ok {
			if !oneOf(value, must) {
				report("wrong value: %s %v, want %v", key, value, must)
			}
		} else if may, ok := j.may[key]; !ok {
			report("not true: %s %v", key, value)
			continue
		} else if !oneOf(value, may) {
			report("wrong value: %s %v, want %v or nothing", key, value, may)
		}
		of := j.info[key]
		if other, has := identities[of.entity]; has && other != of.identity && !o.setup.withoutUUID {
			report("two identities: %s and %s", other, of.identity)
		}
		identities[of.entity] = of.identity
		if of.group != "" && !o.setup.withoutUUID {
			group := fmt.Sprintf("%v %s", of.entity, of.group)
			if other, has := groups[group]; has {
				report("two states: %s and %s", other, key)
			}
			groups[group] = key
		}
		if before, had := o.served[key]; had && strings.HasSuffix(of.metric, "_total") && value < before {
			report("a counter decreased: %s from %v to %v", key, before, value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(j.must)) {
		if _, has := served[key]; !has {
			report("missing: %s %v", key, j.must[key])
		}
	}
	maps.Copy(o.registry, j.info)
	o.served = served
	return wrong
}

// judgeClaims checks what the receiver says of the scrape itself.
func (o *oracle) judgeClaims(complete, claims bool, reported []string, s scrape, log []exchange, rushed bool, report func(string, ...any)) {
	if !claims {
		report("missing: balena_scrape_complete")
		return
	}
	hit := map[string]bool{}
	for _, ex := range log {
		if ex.failure != "" {
			hit[string(ex.kind)] = true
			if ex.kind == credentialKind {
				hit[string(keyKind)] = true
			}
			if ex.failure == badKey {
				hit[string(credentialKind)] = true
			}
		}
	}
	switch failed := len(s.failed) > 0 || len(s.spoiled) > 0 || len(s.lost) > 0; {
	case complete && failed:
		report("claim: the scrape is complete, but requests failed: %s", strings.Join(slices.Sorted(maps.Keys(hit)), ", "))
	case complete && len(reported) > 0, !complete && len(reported) == 0:
		report("claim: complete is %t, but failures are %s", complete, strings.Join(reported, ", "))
	case !complete && len(hit) == 0 && !rushed && !o.afterBan:
		report("claim: the scrape is incomplete, but no request failed; said to have failed: %s", strings.Join(reported, ", "))
	}
	if rushed || o.afterBan {
		return
	}
	for _, kind := range reported {
		if !hit[kind] {
			report("claim: %s failed, but no such request did", kind)
		}
	}
	for _, kind := range s.failed {
		if kind != string(credentialKind) && !slices.Contains(reported, kind) && !slices.Contains(reported, string(credentialKind)) {
			report("claim: requests for %s failed, but only %s are said to", kind, strings.Join(reported, ", "))
		}
	}
}

// reportedFailures are the kinds of requests that are said to have failed.
func reportedFailures(served map[string]float64) []string {
	var kinds []string
	for key := range served {
		if _, rest, ok := strings.Cut(key, `balena_scrape_failure{`); ok {
			_, kind, _ := strings.Cut(rest, `balena_request_kind="`)
			kind, _, _ = strings.Cut(kind, `"`)
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

func find(served map[string]float64, metric string) (float64, bool) {
	for key, value := range served {
		if key == metric || strings.HasPrefix(key, metric+"{") {
			return value, true
		}
	}
	return 0, false
}

func oneOf(value float64, wanted []float64) bool {
	return slices.ContainsFunc(wanted, func(w float64) bool { return math.Abs(value-w) < 1e-6 })
}

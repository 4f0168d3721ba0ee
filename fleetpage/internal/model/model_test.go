package model

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestStore_Consume_Device(t *testing.T) {
	const slug = "acme/kiosks"
	mark := func(samples ...sample) []sample {
		for i := range samples {
			samples[i].value = stale
		}
		return samples
	}
	online := connected(1, "operational", day.Add(-time.Hour))
	for name, test := range map[string]struct {
		then func(*feed) // a minute after a first scrape with the device "a", online and on release 1.0.0
		want func(*testing.T, Device)
		gone bool
	}{
		"keeps what it does not hear about": {
			func(f *feed) { f.add(deviceOf(slug, "a"), sample{"balena.device.storage.utilization", 0.5, nil}) },
			func(t *testing.T, d Device) {
				assert.True(t, d.Online)
				assert.Equal(t, "1.0.0", d.Release)
				assert.Equal(t, Value{0.5, true}, d.Storage)
				assert.Equal(t, day.Add(time.Minute), d.Seen.UTC(), "the age of what is shown")
			}, false,
		},
		"a stale marker ends a value without making it zero": {
			func(f *feed) { f.add(deviceOf(slug, "a"), sample{"balena.device.online", stale, nil}) },
			func(t *testing.T, d Device) {
				assert.False(t, d.Online)
				assert.False(t, d.Offline)
				assert.Empty(t, d.Changes, "not known is not a change")
			}, false,
		},
		"the marker of a former state, after the new one, does not end the new one": {
			func(f *feed) {
				f.add(deviceOf(slug, "a"), sample{"balena.device.status", 1, attributes{"balena.device.status": "updating"}}, sample{"balena.device.status", stale, attributes{"balena.device.status": "operational"}})
			},
			func(t *testing.T, d Device) { assert.Equal(t, "updating", d.Status) }, false,
		},
		"zeros of a state set are not the state": {
			func(f *feed) {
				f.add(deviceOf(slug, "a"), sample{"balena.device.status", 0, attributes{"balena.device.status": "updating"}})
			},
			func(t *testing.T, d Device) { assert.Equal(t, "operational", d.Status) }, false,
		},
		"the marker of former versions does not end new ones": {
			func(f *feed) {
				former := info("1.0.0", "2.0.0")
				former.value = stale
				f.add(deviceOf(slug, "a"), info("2.0.0", "2.0.0"), former)
			},
			func(t *testing.T, d Device) {
				assert.Equal(t, "2.0.0", d.Release)
				require.Len(t, d.Changes, 1)
				assert.Equal(t, Change{day.Add(time.Minute), "release", "1.0.0", "2.0.0"}, utc(d.Changes[0]))
			}, false,
		},
		"markers of everything remove it": {
			func(f *feed) {
				gone := info("1.0.0", "2.0.0")
				f.add(deviceOf(slug, "a"), mark(append(connected(1, "operational", day), gone)...)...)
			}, nil, true,
		},
		"a former name's markers do not remove it": {
			func(f *feed) {
				f.add(deviceOf(slug, "b"), online...) // the same UUID follows
				f.metrics.ResourceMetrics().At(0).Resource().Attributes().PutStr("balena.device.uuid", "uuid-a")
				f.add(deviceOf(slug, "a"), mark(connected(1, "operational", day)...)...)
			},
			func(t *testing.T, d Device) { assert.Equal(t, "b", d.Name); assert.Equal(t, "name", d.Changes[0].What) }, false,
		},
		"moves to another fleet": {
			func(f *feed) { f.add(deviceOf("acme/lamps", "a"), online...) },
			func(t *testing.T, d Device) {
				assert.Equal(t, FleetRef{"acme/lamps", "lamps"}, d.Fleet)
				assert.Equal(t, "fleet", d.Changes[0].What)
			}, false,
		},
		"older batches that arrive late change nothing": {
			func(f *feed) {
				f.after(-2 * time.Minute)
				f.offline(slug, "a", day)
				f.after(2 * time.Minute)
			},
			func(t *testing.T, d Device) { assert.True(t, d.Online) }, false,
		},
		"a clock that is ahead does not make what follows look old": {
			func(f *feed) {
				f.after(time.Hour)
				f.offline(slug, "a", day)
				f.after(-time.Hour)
				f.send()
				f.online(slug, "a")
			},
			func(t *testing.T, d Device) { assert.True(t, d.Online) }, false,
		},
		"details are as reported": {
			func(f *feed) {
				service := attributes{"balena.service.name": "main", "balena.service.status": "Running"}
				f.add(deviceOf(slug, "a"), sample{"balena.device.cpu.temperature", 0, nil}, sample{"balena.device.vpn.connected", 1, nil}, sample{"balena.device.service.status", 1, service})
			},
			func(t *testing.T, d Device) {
				assert.Equal(t, Value{0, true}, d.Temperature, "zero degrees are known")
				assert.Equal(t, "connected", d.VPN)
				assert.Equal(t, []Service{{Name: "main", Status: "Running"}}, d.Services)
				assert.False(t, d.CPU.Known)
			}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed(t)
			f.counts(slug, 1, 1)
			f.online(slug, "a", info("1.0.0", "2.0.0"))
			f.send()
			f.after(time.Minute)
			test.then(f)
			f.send()
			d, ok := f.store.Device("uuid-a")
			require.Equal(t, !test.gone, ok)
			if ok {
				test.want(t, d)
			}
		})
	}
}

func utc(c Change) Change { c.At = c.At.UTC(); return c }

func TestStore_Consume_KeepsChangesWithinBound(t *testing.T) {
	f := newFeed(t, func(o *Options) { o.Changes = 3 })
	for i := range 10 {
		f.add(deviceOf("acme/kiosks", "a"), info(fmt.Sprint(i), "2.0.0"))
		f.send()
		f.after(time.Minute)
	}
	d, _ := f.store.Device("uuid-a")
	require.Len(t, d.Changes, 3)
	assert.Equal(t, "9", d.Changes[0].Is, "the newest first")
	f = newFeed(t, func(o *Options) { o.Changes = 0 })
	f.online("acme/kiosks", "a", info("1", "2"))
	f.send()
	f.online("acme/kiosks", "a", info("2", "2"))
	f.send()
	d, _ = f.store.Device("uuid-a")
	assert.Empty(t, d.Changes)
}

func TestStore_Consume_RemovesWhatVanishedWithoutMarker(t *testing.T) {
	f := newFeed(t)
	f.counts("acme/kiosks", 2, 2)
	f.online("acme/kiosks", "stays")
	f.online("acme/kiosks", "goes")
	f.counts("acme/lamps", 1, 1)
	f.send()
	for range 5 {
		f.after(time.Minute)
		f.counts("acme/kiosks", 1, 1)
		f.online("acme/kiosks", "stays")
		f.send()
	}
	_, ok := f.store.Device("uuid-goes")
	assert.False(t, ok, "its fleet was counted again and again without it")
	_, ok = f.store.Device("uuid-stays")
	assert.True(t, ok)
	_, ok = f.store.Fleet("acme/lamps", Filter{}, 1)
	assert.True(t, ok, "another shard may be slower")
	f.after(time.Hour)
	f.counts("acme/kiosks", 1, 1)
	f.send()
	_, ok = f.store.Fleet("acme/lamps", Filter{}, 1)
	assert.False(t, ok, "expired")
}

// While requests for devices fail, the receiver reports the fleets' own counts only.
func TestStore_Consume_HalfFailedScrape(t *testing.T) {
	f := newFeed(t)
	f.receiver("balena")
	f.counts("acme/kiosks", 1, 1)
	f.online("acme/kiosks", "a")
	f.send()
	for range 20 {
		f.after(time.Minute)
		f.receiver("balena", failing("devices", "503"))
		f.add(fleetOf("acme/kiosks"), sample{"balena.devices.online", 1, nil}, sample{"balena.fleet.device.registered", 1, nil})
		f.send()
	}
	d, ok := f.store.Device("uuid-a")
	require.True(t, ok, "a device that cannot be read is not gone")
	assert.Equal(t, day, d.Seen.UTC(), "and as old as it is")
	assert.Equal(t, []string{"warning balena API: requests for devices fail (503), since 12:01"}, f.lines())
}

func TestStore_Consume_SeveralReceivers(t *testing.T) {
	f := newFeed(t)
	shard := func(index int, samples ...sample) {
		f.add(attributes{"balena.receiver.name": "balena", "balena.shard.index": index, "balena.api.endpoint": "https://api.balena-cloud.com"}, samples...)
	}
	complete, incomplete := sample{"balena.scrape.complete", 1, nil}, sample{"balena.scrape.complete", 0, nil}
	last := sample{"balena.scrape.last_complete.timestamp", float64(day.Add(-time.Hour).Unix()), nil}
	f.counts("acme/kiosks", 1, 1)
	shard(0, complete)
	shard(1, incomplete, last, failing("devices", "503"))
	f.send()
	assert.Equal(t, []string{"warning balena API: requests for devices fail (503), since 12:00"}, f.lines())
	assert.Equal(t, day.Add(-time.Hour), f.store.Current().Overall.Data.UTC(), "the age of the oldest counts")
	assert.True(t, f.store.Current().Overall.Old)
	assert.True(t, f.store.Current().Overall.Dashboard)

	// One shard is restarted with a gap, the other goes on.
	for range 5 {
		f.after(time.Minute)
		f.counts("acme/kiosks", 1, 1)
		shard(0, complete)
		f.send()
	}
	assert.Equal(t, []string{"critical Receiver balena, shard 1: no metrics arrive from it, since 12:00"}, f.lines())
	shard(1, complete)
	f.send()
	assert.Empty(t, f.lines())
	f.add(attributes{"balena.receiver.name": "mine", "balena.api.endpoint": "https://api.example.com"}, complete)
	f.send()
	assert.False(t, f.store.Current().Overall.Dashboard, "openBalena has no dashboard")
}

func TestStore_Fleets(t *testing.T) {
	f := newFeed(t, func(o *Options) {
		o.FleetTags = map[string]string{"deployment.environment.name": "env"}
		o.DeviceTags = map[string]string{"where": "site"}
	})
	f.counts("acme/b-well", 5, 5)
	f.counts("acme/a-well", 5, 5)
	f.counts("acme/c-trouble", 1, 9)
	f.counts("acme/d-worse", 10, 10)
	for i := range 5 {
		f.offline("acme/d-worse", fmt.Sprint(i), day.Add(-20*time.Minute))
	}
	tagged := fleetOf("acme/tagged")
	tagged["deployment.environment.name"], tagged["balena.fleet.tag.team"], tagged["service.name"] = "staging", "red", "otelcol"
	f.add(tagged, sample{"balena.devices.online", 1, nil})
	f.send()
	slugs := func(query string) (slugs []string) {
		for _, row := range f.store.Fleets(query, 1).Rows {
			slugs = append(slugs, strings.TrimPrefix(row.Slug, "acme/"))
		}
		return slugs
	}
	assert.Equal(t, []string{"d-worse", "c-trouble", "a-well", "b-well", "tagged"}, slugs(""), "by trouble, then by name")
	for query, want := range map[string][]string{
		"WELL": {"a-well", "b-well"}, "acme trouble": {"c-trouble"}, "team=red": {"tagged"}, "staging": {"tagged"}, "env=": {"tagged"}, "otelcol": nil, "nothing": nil,
	} {
		assert.Equal(t, want, slugs(query), query)
	}
	tags := f.store.Fleets("tagged", 1).Rows[0].Tags
	assert.Equal(t, []Tag{{"env", "staging"}, {"team", "red"}}, tags, "what is not a tag is not shown as one")

	t.Run("a tag by another name can be the site", func(t *testing.T) {
		for i := range 3 {
			resource := deviceOf("acme/tagged", fmt.Sprint("t", i))
			resource["where"] = "north"
			f.add(resource, connected(0, "disconnected", day.Add(-30*time.Minute))...)
		}
		f.send()
		assert.Equal(t, "critical Site north: no device is online; 3 were lost, since 11:30", f.lines()[0])
	})
	t.Run("pages", func(t *testing.T) {
		f := newFeed(t)
		for i := range 120 {
			f.counts(fmt.Sprintf("acme/%03d", i), 1, 1)
		}
		f.send()
		for page, want := range map[int]string{-1: "acme/000", 0: "acme/000", 1: "acme/000", 2: "acme/050", 3: "acme/100", 99: "acme/100"} {
			view := f.store.Fleets("", page)
			assert.Equal(t, want, view.Rows[0].Slug, page)
			assert.Equal(t, Page{Number: min(max(page, 1), 3), Pages: 3, Total: 120}, view.Page)
		}
	})
}

func TestStore_Fleet(t *testing.T) {
	f := newFeed(t)
	const slug = "acme/kiosks"
	f.counts(slug, 2, 4, target("2.0.0"), rollout("on_target", 1), rollout("behind", 1))
	f.online(slug, "on", info("2.0.0", "2.0.0"))
	f.online(slug, "behind", info("1.0.0", "2.0.0"), sample{"balena.device.storage.utilization", 0.99, nil})
	f.offline(slug, "earlier", day.Add(-time.Hour))
	f.offline(slug, "later", day.Add(-time.Minute))
	for version, running := range map[string]float64{"1.0.0": 1, "2.0.0": 3} {
		resource := fleetOf(slug)
		resource["balena.release.version"], resource["balena.release.commit"] = version, "commit-"+version
		f.add(resource, sample{"balena.release.device.running", running, nil}, sample{"balena.release.info", 1, attributes{"balena.release.status": "success", "balena.release.final": version == "2.0.0"}})
	}
	f.send()
	names := func(filter Filter) (names []string) {
		view, ok := f.store.Fleet(slug, filter, 1)
		require.True(t, ok)
		for _, d := range view.Devices {
			names = append(names, d.Name)
		}
		return names
	}
	assert.Equal(t, []string{"later", "earlier", "behind", "on"}, names(Filter{}), "trouble first")
	for filter, want := range map[Filter][]string{
		{State: "online"}: {"behind", "on"}, {State: "offline"}: {"later", "earlier"}, {State: "full"}: {"behind"}, {State: "behind"}: {"behind"},
		{Query: "1.0.0"}: {"behind"}, {Query: "uuid-on"}: {"on"}, {Query: "late", State: "offline"}: {"later"}, {State: "no such state"}: nil,
	} {
		assert.Equal(t, want, names(filter), filter)
	}
	view, _ := f.store.Fleet(slug, Filter{}, 1)
	assert.Equal(t, []Count{{"online", 2}, {"offline", 2}, {"behind", 1}, {"full", 1}}, view.Filters)
	require.Len(t, view.Releases, 2)
	assert.Equal(t, Release{Version: "2.0.0", Commit: "commit-2.0.0", Status: "success", IsTarget: true, Running: 3}, view.Releases[0])
	assert.True(t, view.Releases[1].Draft)
	_, ok := f.store.Fleet("acme/none", Filter{}, 1)
	assert.False(t, ok)
}

func TestStore_History(t *testing.T) {
	f := newFeed(t)
	scrape := func(online int) {
		f.counts("acme/kiosks", online, 10)
		f.send()
	}
	history := func() []Sample { return f.store.Fleets("", 1).Rows[0].History }
	scrape(10)
	f.after(time.Minute)
	scrape(4)
	f.after(time.Minute)
	scrape(9)
	require.Len(t, history(), HistorySlots)
	assert.Equal(t, Sample{4, 10}, history()[HistorySlots-1], "a step shows its worst")
	assert.Equal(t, noSample, history()[HistorySlots-2])
	f.after(20 * time.Minute)
	scrape(10)
	assert.Equal(t, []Sample{{4, 10}, noSample, noSample, noSample, {10, 10}}, history()[HistorySlots-5:], "a gap stays a gap")
	for range 24 * 60 / 5 * 2 {
		f.after(5 * time.Minute)
		scrape(10)
	}
	assert.Len(t, f.store.fleets["acme/kiosks"].history.samples, HistorySlots, "bound")
	assert.NotContains(t, history(), Sample{4, 10}, "forgotten after a day")
	f.after(30 * time.Minute)
	assert.Equal(t, noSample, history()[HistorySlots-1], "nothing is known of the present")
}

// Whoever can send OTLP must not be able to fill the memory with one resource, nor to stop the page.
func TestStore_Consume_Hostile(t *testing.T) {
	f := newFeed(t)
	long := strings.Repeat("é", 1000)
	resource := deviceOf("acme/kiosks", "a")
	for i := range 1000 {
		resource[fmt.Sprint("balena.device.tag.", i, long)] = long
	}
	var samples []sample
	for i := range 1000 {
		samples = append(samples, sample{"balena.device.service.status", 1, attributes{"balena.service.name": fmt.Sprint(i, long), "balena.service.status": long}})
	}
	samples = append(samples, sample{"balena.device.last_connectivity_event.timestamp", 1e300, nil}, sample{"balena.device.online", 1e300, nil}, info(long, long))
	f.add(resource, samples...)
	fleet := fleetOf("acme/kiosks")
	var states []sample
	for i := range 1000 {
		states = append(states, sample{"balena.fleet.device.status", float64(i), attributes{"balena.device.status": fmt.Sprint(i, long)}})
	}
	f.add(fleet, append(states, sample{"balena.devices.online", -1e300, nil}, sample{"balena.fleet.device.registered", 1e300, nil})...)
	for i := range 1000 {
		release := fleetOf("acme/kiosks")
		release["balena.release.version"] = fmt.Sprint(i, long)
		f.add(release, sample{"balena.release.device.running", 1, nil})
	}
	var failures []sample
	for i := range 1000 {
		failures = append(failures, failing(fmt.Sprint(i, long), long), sample{"balena.api_key.expiry.timestamp", 1, attributes{"balena.api_key.name": fmt.Sprint(i)}})
	}
	f.receiver(long, failures...)
	f.add(attributes{"balena.device.uuid": ""})
	f.add(attributes{"balena.device.uuid": pcommon.NewMap().AsRaw()})
	f.metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyHistogram().DataPoints().AppendEmpty()
	f.send()
	d, ok := f.store.Device("uuid-a")
	require.True(t, ok)
	assert.Len(t, d.Tags, maxTags)
	assert.Len(t, d.Services, maxServices)
	assert.LessOrEqual(t, len(d.Release), maxString+len("…"))
	assert.True(t, d.Since.IsZero())
	view, ok := f.store.Fleet("acme/kiosks", Filter{}, 1)
	require.True(t, ok)
	assert.Len(t, view.Releases, maxReleases)
	assert.Len(t, view.States, maxStates)
	assert.LessOrEqual(t, len(f.lines()), maxFailures+maxKeys+20)
}

func TestClean(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "kiosk 1": "kiosk 1", "Größe 😀": "Größe 😀", "a\nb\x00": "a\ufffdb\ufffd", "\u202egnol": "\ufffdgnol", "\xff": "\ufffd",
		strings.Repeat("x", 257): strings.Repeat("x", 256) + "…", "x" + strings.Repeat("é", 200): "x" + strings.Repeat("é", 127) + "…",
	} {
		assert.Equal(t, want, Clean(value))
	}
	for _, value := range []string{strings.Repeat("\x00", 300), strings.Repeat("é", 300), strings.Repeat("\u202e", 90), strings.Repeat("😀x", 90), strings.Repeat("\xff", 300)} {
		assert.Equal(t, Clean(value), Clean(Clean(value)), "a link finds what it names")
		assert.LessOrEqual(t, len(Clean(value)), maxString+len("…"))
	}
}

// Views are read while a scrape is consumed (run with -race).
func TestStore_Concurrent(t *testing.T) {
	f := newFeed(t)
	for i := range 2000 {
		f.online("acme/kiosks", fmt.Sprint(i), info("1", "2"))
	}
	f.counts("acme/kiosks", 1, 2000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10 {
			f.store.Consume(f.metrics)
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		f.store.Current()
		f.store.Fleets("kio", 1)
		f.store.Fleet("acme/kiosks", Filter{State: "online"}, 2)
		f.store.Device("uuid-1")
	}
	assert.EqualValues(t, 2000, f.store.Current().Overall.Devices)
}

package model

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

var day = time.Date(2026, time.May, 4, 12, 0, 0, 0, time.UTC)

// feed is a store whose clock stands still, and the metrics that it will be given.
type feed struct {
	t       *testing.T
	now     time.Time
	store   *Store
	metrics pmetric.Metrics
}

func newFeed(t *testing.T, options ...func(*Options)) *feed {
	f := &feed{t: t, now: day, metrics: pmetric.NewMetrics()}
	o := Options{History: 24 * time.Hour, Changes: 20, Expiration: time.Hour, SiteTag: "site", Now: func() time.Time { return f.now }}
	for _, option := range options {
		option(&o)
	}
	f.store = New(o)
	return f
}

type attributes map[string]any

// sample is a data point: {metric, value, attributes…}. The value stale makes a marker.
type sample struct {
	metric     string
	value      float64
	attributes attributes
}

var stale = math.Inf(-1)

func (f *feed) add(resource attributes, samples ...sample) {
	f.t.Helper()
	rm := f.metrics.ResourceMetrics().AppendEmpty()
	require.NoError(f.t, rm.Resource().Attributes().FromRaw(resource))
	metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
	for _, s := range samples {
		m := metrics.AppendEmpty()
		m.SetName(s.metric)
		p := m.SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(f.now))
		if s.value == stale {
			p.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		} else {
			p.SetDoubleValue(s.value)
		}
		require.NoError(f.t, p.Attributes().FromRaw(s.attributes))
	}
}

// send consumes what was added.
func (f *feed) send() {
	f.store.Consume(f.metrics)
	f.metrics = pmetric.NewMetrics()
}

func (f *feed) after(d time.Duration) { f.now = f.now.Add(d) }

func fleetOf(slug string) attributes {
	return attributes{"balena.fleet.slug": slug, "balena.fleet.name": slug[len("acme/"):], "balena.fleet.id": 7, "balena.organization.handle": "acme"}
}

// counts adds a fleet with the server's counts.
func (f *feed) counts(slug string, online, registered int, more ...sample) {
	f.t.Helper()
	f.add(fleetOf(slug), append([]sample{
		{"balena.devices.online", float64(online), nil},
		{"balena.fleet.device.registered", float64(registered), nil},
		{"balena.fleet.device.status", float64(online), attributes{"balena.device.status": "operational"}},
	}, more...)...)
}

func rollout(state string, n int) sample {
	return sample{"balena.fleet.device.rollout.state", float64(n), attributes{"balena.device.rollout.state": state}}
}

func target(version string) sample {
	return sample{"balena.fleet.target_release.info", 1, attributes{"balena.release.version": version}}
}

func deviceOf(slug, name string) attributes {
	return attributes{"balena.device.uuid": "uuid-" + name, "balena.device.name": name, "balena.device.type": "raspberrypi4-64", "balena.fleet.slug": slug, "balena.fleet.name": slug[len("acme/"):]}
}

// online adds a device that is online since an hour.
func (f *feed) online(slug, name string, more ...sample) {
	f.t.Helper()
	f.add(deviceOf(slug, name), append(connected(1, "operational", f.now.Add(-time.Hour)), more...)...)
}

// offline adds a device that was lost at a time.
func (f *feed) offline(slug, name string, since time.Time, more ...sample) {
	f.t.Helper()
	f.add(deviceOf(slug, name), append(connected(0, "disconnected", since), more...)...)
}

func connected(online float64, status string, since time.Time) []sample {
	return []sample{
		{"balena.device.online", online, nil},
		{"balena.device.status", 1, attributes{"balena.device.status": status}},
		{"balena.device.last_connectivity_event.timestamp", float64(since.UnixMilli()) / 1000, nil},
	}
}

func info(release, target string) sample {
	return sample{"balena.device.info", 1, attributes{"balena.release.version": release, "balena.target_release.version": target, "balena.device.pinned": false, "balena.os.version": "balenaOS 6.1.2"}}
}

func (f *feed) receiver(name string, more ...sample) {
	f.t.Helper()
	complete := 1.
	for _, s := range more {
		if s.metric == "balena.scrape.failure" && s.value == 1 {
			complete = 0
		}
	}
	f.add(attributes{"balena.receiver.name": name, "balena.api.endpoint": "https://api.balena-cloud.com"}, append([]sample{{"balena.scrape.complete", complete, nil}}, more...)...)
}

func failing(kind, err string) sample {
	return sample{"balena.scrape.failure", 1, attributes{"balena.request.kind": kind, "error.type": err}}
}

// lines are the issues of the store, each as "severity subject: text, since …".
func (f *feed) lines() (lines []string) {
	now := f.store.Current()
	for _, i := range append(now.Problems, now.Notices...) {
		line := fmt.Sprintf("%s %s: %s", i.Severity, i.Subject, i.Text)
		if !i.Since.IsZero() {
			line += ", since " + i.Since.UTC().Format("15:04")
		}
		lines = append(lines, line)
	}
	return lines
}

package receiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/history"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

var memoryStorage = component.MustNewID("memory_storage")

// memory is a storage extension and its only client. It outlives the receivers that use it.
type memory struct {
	mu   sync.Mutex
	data map[string][]byte
	err  error // of each write
}

func newMemory() *memory { return &memory{data: map[string][]byte{}} }

func (m *memory) Start(context.Context, component.Host) error { return nil }
func (m *memory) Shutdown(context.Context) error              { return nil }
func (m *memory) Close(context.Context) error                 { return nil }

func (m *memory) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return m, nil
}

func (m *memory) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{memoryStorage: m}
}

func (m *memory) Get(ctx context.Context, key string) ([]byte, error) {
	get := storage.GetOperation(key)
	err := m.Batch(ctx, get)
	return get.Value, err
}

func (m *memory) Set(ctx context.Context, key string, value []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, value))
}

func (m *memory) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}

func (m *memory) Batch(ctx context.Context, operations ...*storage.Operation) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range operations {
		switch o.Type {
		case storage.Get:
			o.Value = m.data[o.Key]
		case storage.Set:
			if m.err != nil {
				return m.err
			}
			m.data[o.Key] = o.Value
		case storage.Delete:
			delete(m.data, o.Key)
		}
	}
	return nil
}

func (m *memory) Walk(context.Context, storage.WalkFunc) error { return errors.New("not needed") }

// told is an event as a pipeline got it.
type told struct {
	name, body string
	resource   map[string]any
	attributes map[string]any
	record     plog.LogRecord
}

func (e told) from() string { return e.text("balena.change.from") }
func (e told) to() string   { return e.text("balena.change.to") }

func (e told) text(attribute string) string {
	text, _ := e.attributes[attribute].(string)
	return text
}

// eventSink is a pipeline that accepts, refuses or rejects.
type eventSink struct {
	mu       sync.Mutex
	err      error
	attempts int
	received int
	forget   bool // only count
	// interrupted, if set, is closed when the pipeline begins to block until it is interrupted.
	interrupted chan struct{}
	events      []told
}

func (s *eventSink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *eventSink) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if s.interrupted != nil {
		close(s.interrupted)
		<-ctx.Done()
		return consumererror.NewPermanent(ctx.Err())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts++
	if s.err != nil {
		return s.err
	}
	s.received += logs.LogRecordCount()
	if s.forget {
		return nil
	}
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				s.events = append(s.events, told{
					name: record.EventName(), body: record.Body().AsString(), record: record,
					resource: resource.Resource().Attributes().AsRaw(), attributes: record.Attributes().AsRaw(),
				})
			}
		}
	}
	return nil
}

func (s *eventSink) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *eventSink) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts
}

// watched is an account whose events are watched.
type watched struct {
	t       *testing.T
	sim     *balenasim.Simulator
	clock   *balenasim.Clock
	cfg     *Config
	sink    *eventSink
	storage *memory
	scraper *balenaScraper
}

func watch(t *testing.T, configure func(*Config)) *watched {
	t.Helper()
	clock := balenasim.NewClock(datasetTime)
	w := &watched{t: t, clock: clock, sink: &eventSink{}, storage: newMemory()}
	w.sim = loadAccount(t, balenasim.WithClock(clock))
	w.cfg = testConfig(serve(t, w.sim))
	setAll(w.cfg, false)
	w.cfg.Storage = &memoryStorage
	configure(w.cfg)
	w.start()
	t.Cleanup(w.stop)
	return w
}

func (w *watched) start() {
	w.t.Helper()
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.ID = component.NewID(metadata.Type)
	s, err := newBalenaScraper(w.cfg, settings, w.sink)
	require.NoError(w.t, err)
	s.now, s.retry = w.clock.Now, pine.Retry{MaxAttempts: 1}
	require.NoError(w.t, s.start(w.t.Context(), w.storage))
	w.scraper = s
}

func (w *watched) stop() {
	if w.scraper != nil {
		require.NoError(w.t, w.scraper.shutdown(context.Background()))
		w.scraper = nil
	}
}

func (w *watched) restart() {
	w.t.Helper()
	w.stop()
	w.start()
}

// scrape lets a minute pass, scrapes, and waits until the events are accepted or refused.
func (w *watched) scrape() error {
	w.t.Helper()
	w.clock.Step(time.Minute)
	before := w.sink.tried()
	_, err := w.scraper.scrape(w.t.Context())
	require.Eventually(w.t, func() bool {
		return w.scraper.events.queue.Len() == 0 || w.sink.tried() > before && w.sink.err != nil
	}, 10*time.Second, 50*time.Microsecond)
	return err
}

// names are the events so far, without "balena.", with what they are about.
func (w *watched) names() []string {
	var names []string
	for _, e := range w.sink.events {
		names = append(names, strings.TrimPrefix(e.name, "balena."))
	}
	return names
}

// Whatever fails, changes and restarts: the events, replayed on what the account was at first, give what it is in the end. None is lost,
// and none repeated, because each must begin where the last one ended.
func TestEvents_Replay(t *testing.T) {
	t.Parallel()
	sequences := uint64(20)
	if testing.Short() {
		sequences = 5
	}
	for seed := range sequences {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			w := watch(t, func(cfg *Config) {
				cfg.PageSize = 10
				cfg.EventDetection.OutageDevices = 3
			})
			require.NoError(t, w.scrape())
			require.Empty(t, w.sink.events, "the first scrape is silent")
			account := accountOf(t, w.sim)
			for range 25 {
				for range random.IntN(4) {
					changeSomething(t, w.sim, random)
				}
				w.misbehave(random)
				_ = w.scrape() // what fails is told by later ones
				w.sim.ClearFaults()
			}
			w.sink.refuse(nil)
			for range 3 {
				require.NoError(t, w.scrape())
			}
			ids := map[string]bool{}
			for _, e := range w.sink.events {
				uid := e.text("log.record.uid")
				require.False(t, ids[uid], "%s is told twice", uid)
				ids[uid] = true
				account.replay(t, e)
			}
			assert.Equal(t, accountOf(t, w.sim), account)
			t.Logf("%d events", len(w.sink.events))
		})
	}
}

// misbehave lets some requests fail, the pipeline refuse, or the receiver restart.
func (w *watched) misbehave(random *rand.Rand) {
	w.t.Helper()
	paths := []string{"/v7/application", "/v7/device", "/v7/release", "*"}
	kinds := []balenasim.FaultKind{balenasim.ServerError, balenasim.BadGateway, balenasim.Unauthorized, balenasim.CutBody}
	if random.IntN(3) == 0 {
		_, err := w.sim.Inject(balenasim.Fault{
			Kind: kinds[random.IntN(len(kinds))], Path: paths[random.IntN(len(paths))], Rate: 0.2 + 0.8*random.Float64(),
		})
		require.NoError(w.t, err)
	}
	switch random.IntN(8) {
	case 0:
		w.sink.refuse(errors.New("try again"))
	case 1, 2, 3:
		w.sink.refuse(nil)
	case 4:
		w.restart()
	}
}

// A device that moves to a fleet whose devices cannot be listed is neither deleted nor created.
func TestEvents_MoveToFleetThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := newResponses(plan{})
	r.listed = true
	r.labels[1], r.labels[2] = "kiosk", "signs"
	o := observation(&snapshot{receiver: &receiverEntity{}}, r)
	assert.True(t, o.GoneDevice(1, 1))
	r.unlisted.add(deviceRequest, 2)
	assert.False(t, o.GoneDevice(1, 1))
}

// API keys that were not requested, because a scrape could not list the fleets, are not known. That none expires would make them told again.
func TestEvents_APIKeysThatWereNotRequested(t *testing.T) {
	t.Parallel()
	r := newResponses(plan{})
	assert.Nil(t, observedAPIKeys(r))
	r.apiKeys = []apiKey{}
	assert.NotNil(t, observedAPIKeys(r))
}

// state is what events tell of devices, by UUID, and of fleets, by slug.
type state struct {
	devices map[string]deviceState
	fleets  map[string]string // target releases
}

type deviceState struct {
	name, fleet, status, os, supervisor, running, pinned string
	online                                               bool
}

func accountOf(t *testing.T, sim *balenasim.Simulator) state {
	t.Helper()
	rows := func(resource string, fields ...string) map[int64]map[string]any {
		list, err := sim.Rows(resource, fields...)
		require.NoError(t, err)
		byID := map[int64]map[string]any{}
		for _, row := range list {
			byID[row["id"].(int64)] = row
		}
		return byID
	}
	text := func(value any) string {
		s, _ := value.(string)
		return s
	}
	releases := rows("release", "raw_version")
	version := func(id any) string {
		if id == nil {
			return ""
		}
		return text(releases[id.(int64)]["raw_version"])
	}
	s := state{devices: map[string]deviceState{}, fleets: map[string]string{}}
	fleets := rows("application", "slug", "should_be_running__release", "is_of__class", "is_host", "is_archived", "is_public")
	for id, f := range fleets {
		if f["is_of__class"] == "fleet" && f["is_host"] == false && f["is_archived"] == false {
			s.fleets[text(f["slug"])] = version(f["should_be_running__release"])
		} else {
			delete(fleets, id)
		}
	}
	for _, d := range rows("device", "uuid", "device_name", "belongs_to__application", "overall_status", "os_version", "supervisor_version",
		"is_running__release", "is_pinned_on__release", "is_online") {
		f, reported := fleets[d["belongs_to__application"].(int64)]
		if !reported {
			continue
		}
		s.devices[text(d["uuid"])] = deviceState{
			name: text(d["device_name"]), fleet: text(f["slug"]), status: text(d["overall_status"]), os: text(d["os_version"]),
			supervisor: text(d["supervisor_version"]), running: version(d["is_running__release"]), pinned: version(d["is_pinned_on__release"]),
			online: d["is_online"].(bool),
		}
	}
	return s
}

// replay applies an event. It must begin where the last one ended.
func (s state) replay(t *testing.T, e told) {
	t.Helper()
	slug, _ := e.resource["balena.fleet.slug"].(string)
	uuid, _ := e.resource["balena.device.uuid"].(string)
	d := s.devices[uuid]
	change := func(value *string) {
		require.Equal(t, *value, e.from(), "%s %s", e.name, e.body)
		*value = e.to()
	}
	connect := func(online bool) {
		require.NotEqual(t, online, d.online, "%s %s", e.name, e.body)
		d.online = online
	}
	switch history.Kind(e.name) {
	case history.FleetCreated:
		require.NotContains(t, s.fleets, slug)
		s.fleets[slug] = ""
	case history.FleetDeleted:
		require.Contains(t, s.fleets, slug)
		delete(s.fleets, slug)
	case history.FleetRenamed:
		s.fleets[slug] = s.fleets[e.from()]
		delete(s.fleets, e.from())
		for uuid, d := range s.devices {
			if d.fleet == e.from() {
				d.fleet = slug
				s.devices[uuid] = d
			}
		}
	case history.FleetTargetChanged:
		target := s.fleets[slug]
		change(&target)
		s.fleets[slug] = target
	case history.DeviceCreated:
		require.NotContains(t, s.devices, uuid)
		name, _ := e.resource["balena.device.name"].(string)
		online, _ := e.attributes["balena.device.online"].(bool)
		s.devices[uuid] = deviceState{
			name: name, fleet: slug, online: online, status: e.text("balena.device.status"), os: e.text("balena.os.version"),
			supervisor: e.text("balena.supervisor.version"), running: e.text("balena.release.version"),
		}
		return
	case history.DeviceDeleted:
		require.Contains(t, s.devices, uuid)
		delete(s.devices, uuid)
		return
	case history.DeviceRenamed:
		change(&d.name)
	case history.DeviceMoved:
		change(&d.fleet)
	case history.DeviceConnected:
		connect(true)
	case history.DeviceDisconnected:
		connect(false)
	case history.DeviceStatusChanged:
		change(&d.status)
	case history.DeviceReleaseChanged:
		change(&d.running)
	case history.DevicePinned, history.DeviceUnpinned:
		change(&d.pinned)
	case history.DeviceOSUpdated:
		change(&d.os)
	case history.DeviceSupervisorUpdated:
		change(&d.supervisor)
	}
	if uuid != "" {
		s.devices[uuid] = d
	}
}

// changeSomething changes the account as its users and devices do.
func changeSomething(t *testing.T, sim *balenasim.Simulator, random *rand.Rand) {
	t.Helper()
	ids := func(resource string) []int64 {
		rows, err := sim.Rows(resource)
		require.NoError(t, err)
		var ids []int64
		for _, row := range rows {
			ids = append(ids, row["id"].(int64))
		}
		return ids
	}
	pick := func(ids []int64) int64 { return ids[random.IntN(len(ids))] }
	devices, fleets := ids("device"), ids("application")
	update := func(field string, value any) {
		require.NoError(t, sim.Update("device", pick(devices), map[string]any{field: value}))
	}
	word := fmt.Sprintf("name-%d", random.IntN(1e9))
	switch random.IntN(12) {
	case 0, 1, 2:
		update("is_connected_to_vpn", random.IntN(2) == 0)
	case 3:
		update("device_name", word)
	case 4:
		update("belongs_to__application", pick(fleets))
	case 5:
		update("is_running__release", pick(ids("release")))
	case 6:
		d := pick(devices)
		row, err := sim.Row("device", d, "belongs_to__application")
		require.NoError(t, err)
		pin := any(nil)
		if releases, err := sim.Rows("release", "belongs_to__application", "status"); random.IntN(2) == 0 {
			require.NoError(t, err)
			for _, r := range releases {
				if r["belongs_to__application"] == row["belongs_to__application"] && r["status"] == "success" {
					pin = r["id"]
				}
			}
		}
		require.NoError(t, sim.Update("device", d, map[string]any{"is_pinned_on__release": pin}))
	case 7:
		update("os_version", "balenaOS "+word)
	case 8:
		update("supervisor_version", word)
	case 9:
		_, err := sim.Insert("device", map[string]any{"belongs_to__application": pick(fleets), "is_of__device_type": int64(120), "device_name": word})
		require.NoError(t, err)
	case 10:
		if len(devices) > 20 {
			require.NoError(t, sim.Delete("device", pick(devices)))
		}
	case 11: // a site goes offline
		first := random.IntN(len(devices))
		for _, id := range devices[first:min(first+8, len(devices))] {
			require.NoError(t, sim.Update("device", id, map[string]any{"is_connected_to_vpn": false}))
		}
	}
}

// An outage of 40 devices, two failed scrapes and a restart in the middle: the events are those that the simulator noted itself.
func TestEvents_OutageAndRestart(t *testing.T) {
	t.Parallel()
	w := watch(t, func(cfg *Config) { cfg.EventDetection.OutageDevices = 2 })
	require.NoError(t, w.sim.Watch("device", "is_online"))
	devices, err := w.sim.Rows("device", "uuid", "is_online")
	require.NoError(t, err)
	connect := func(online bool) {
		for _, d := range devices[:40] {
			require.NoError(t, w.sim.Update("device", d["id"].(int64), map[string]any{"is_connected_to_vpn": online}))
		}
	}
	connect(true)
	require.NoError(t, w.scrape())
	noted := len(w.sim.Changes())

	connect(false)
	_, err = w.sim.Inject(balenasim.Fault{Kind: balenasim.ServerError, Path: "/v7/device"})
	require.NoError(t, err)
	require.Error(t, w.scrape())
	w.restart()
	require.Error(t, w.scrape())
	w.sim.ClearFaults()
	require.NoError(t, w.scrape())
	connect(true)
	w.restart()
	require.NoError(t, w.scrape())

	uuids := map[int64]string{}
	for _, d := range devices {
		uuids[d["id"].(int64)] = d["uuid"].(string)
	}
	var want, got []string
	for _, c := range w.sim.Changes()[noted:] {
		want = append(want, fmt.Sprintf("%s online=%t at %s", uuids[c.ID], c.To, c.At.Format(time.TimeOnly)))
	}
	outages := 0
	for _, e := range w.sink.events {
		switch history.Kind(e.name) {
		case history.DeviceConnected, history.DeviceDisconnected:
			got = append(got, fmt.Sprintf("%s online=%t at %s", e.resource["balena.device.uuid"], e.name == string(history.DeviceConnected),
				e.record.Timestamp().AsTime().Format(time.TimeOnly)))
			assert.NotEmpty(t, e.text("balena.change.group"))
		case history.AccountDevicesDisconnected, history.AccountDevicesConnected:
			outages++
			assert.EqualValues(t, 40, e.attributes["balena.affected.devices"])
		}
	}
	assert.Len(t, want, 80)
	assert.ElementsMatch(t, want, got)
	assert.Equal(t, 2, outages, "lost, and back")
}

// Each record has the attributes that the documentation lists for its event, and no other; each event that is documented exists.
func TestEvents_AreAsDocumented(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	var documented struct {
		Events map[history.Kind]struct{ Attributes []string }
	}
	require.NoError(t, yaml.Unmarshal(data, &documented))
	cfg := createDefaultConfig().(*Config)
	cfg.Events.BalenaDeviceServiceStatusChanged.Enabled = true
	recorder := newEventRecorder(cfg, receivertest.NewNopSettings(metadata.Type))
	for kind, event := range documented.Events {
		change := history.Change{Kind: kind, ID: "1-1", Group: "1-2"}
		switch {
		case strings.HasPrefix(string(kind), "balena.device."):
			change.Resource.Device = &history.DeviceResource{Name: "a", FleetSlug: "acme/kiosk"}
		case strings.HasPrefix(string(kind), "balena.fleet."):
			change.Resource.Fleet = &history.FleetResource{Slug: "acme/kiosk"}
		case strings.HasPrefix(string(kind), "balena.release."):
			change.Resource.Release = &history.ReleaseResource{Version: "1.0.0", FleetSlug: "acme/kiosk"}
		default:
			change.Resource.Account = &history.Account{Receiver: "balena"}
		}
		has := func(attribute string) bool { return slices.Contains(event.Attributes, attribute) }
		if !has("balena.change.group") {
			change.Group = ""
		}
		if has("balena.change.from") {
			change.From = "before"
		}
		if has("balena.change.to") {
			change.To = "after"
		}
		if has("balena.service.name") {
			change.Service = "main"
		}
		if has("balena.api_key.name") {
			change.APIKey = "grafana"
		}
		if has("balena.affected.devices") {
			change.Many = &history.Many{Devices: 3, Of: 4}
			if has("balena.affected.fleets") {
				change.Many.Fleets = 2
			}
			if has("balena.affected.tags") {
				change.Many.Tags = []history.Tag{{Attribute: "site", Value: "port"}}
			}
		}
		if has("balena.rollout.behind") {
			change.Rollout = &history.RolloutCounts{}
		}
		if has("balena.device.online") {
			change.New = &history.Device{DeviceFacts: history.DeviceFacts{Status: "operational", OS: "balenaOS", Supervisor: "16", Running: "1.0.0"}}
		}
		logs := recorder.record([]history.Change{change})
		require.Equal(t, 1, logs.LogRecordCount(), kind)
		record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		assert.Equal(t, string(kind), record.EventName())
		assert.NotContains(t, record.Body().AsString(), string(kind), "there is a sentence for it")
		assert.NotEqual(t, plog.SeverityNumberUnspecified, record.SeverityNumber())
		assert.ElementsMatch(t, event.Attributes, slices.Collect(maps.Keys(record.Attributes().AsRaw())), kind)
	}
	assert.Len(t, documented.Events, len(enabledIn(cfg.Events)))
}

func TestEvents_ResourceIsThatOfTheMetrics(t *testing.T) {
	t.Parallel()
	w := watch(t, func(cfg *Config) {
		setAll(cfg, true)
		cfg.Tags.Devices = map[string]string{"site": "site"}
	})
	metrics, err := w.scraper.scrape(t.Context())
	require.NoError(t, err)
	require.NoError(t, w.sim.Update("device", 1, map[string]any{"os_version": "balenaOS 9"}))
	require.NoError(t, w.sim.Update("application", 1, map[string]any{"should_be_running__release": nil, "should_track_latest_release": false}))
	require.NoError(t, w.scrape())
	known := map[string]bool{}
	forEachPoint(metrics, func(resource pcommon.Map, _ pmetric.Metric, _ pmetric.NumberDataPoint) {
		known[fmt.Sprint(resource.AsRaw())] = true
	})
	require.Equal(t, []string{"device.os.updated", "fleet.target.changed"}, sorted(w.names()))
	for _, e := range w.sink.events {
		assert.Contains(t, known, fmt.Sprint(e.resource))
	}
}

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}

func TestEvents_Pipeline(t *testing.T) {
	t.Parallel()
	rename := func(t *testing.T, w *watched, name string) {
		t.Helper()
		require.NoError(t, w.sim.Update("device", 1, map[string]any{"device_name": name}))
		require.NoError(t, w.scrape())
	}
	for name, test := range map[string]struct {
		do   func(t *testing.T, w *watched)
		want []string
	}{
		"what is refused is sent with the next scrape, in order": {
			func(t *testing.T, w *watched) {
				w.sink.refuse(errors.New("try again"))
				rename(t, w, "one")
				rename(t, w, "two")
				w.sink.refuse(nil)
				rename(t, w, "three")
			}, []string{"one", "two", "three"},
		},
		"what is refused is sent after a restart": {
			func(t *testing.T, w *watched) {
				w.sink.refuse(errors.New("try again"))
				rename(t, w, "one")
				w.stop()
				w.sink.refuse(nil)
				w.start()
				require.NoError(t, w.scrape())
			}, []string{"one"},
		},
		"what is rejected is dropped": {
			func(t *testing.T, w *watched) {
				w.sink.refuse(consumererror.NewPermanent(errors.New("never")))
				rename(t, w, "one")
				w.sink.refuse(nil)
				rename(t, w, "two")
			}, []string{"two"},
		},
		"events that cannot be stored are sent": {
			func(t *testing.T, w *watched) {
				w.storage.err = errors.New("disk full")
				rename(t, w, "one")
				w.storage.err = nil
				rename(t, w, "two")
				w.restart()
				rename(t, w, "three")
			}, []string{"one", "two", "three"},
		},
		"what a scrape found that took too long is stored": {
			func(t *testing.T, w *watched) {
				responses := w.scraper.fetcher.fetch(t.Context())
				for _, d := range responses.devices {
					if d.id == 1 {
						d.name = "one"
					}
				}
				snapshot := newSnapshot(w.clock.Now(), responses)
				snapshot.receiver = w.scraper.receiverEntity(snapshot.at, responses)
				expired, cancel := context.WithCancel(t.Context())
				cancel()
				w.sink.refuse(errors.New("try again"))
				w.scraper.events.observe(expired, snapshot, responses)
				w.restart()
				w.sink.refuse(nil)
				rename(t, w, "two")
			}, []string{"one", "two"},
		},
		"a pipeline that is interrupted calls that permanent": {
			func(t *testing.T, w *watched) {
				w.sink.interrupted = make(chan struct{})
				require.NoError(t, w.sim.Update("device", 1, map[string]any{"device_name": "one"}))
				w.clock.Step(time.Minute)
				_, err := w.scraper.scrape(t.Context())
				require.NoError(t, err)
				<-w.sink.interrupted
				w.stop()
				w.sink.interrupted = nil
				w.start()
				rename(t, w, "two")
			}, []string{"one", "two"},
		},
		"what was stored by another selection is not compared with": {
			func(t *testing.T, w *watched) {
				w.stop()
				w.cfg.Fleets.Exclude = []string{"acme/warehouse-gateways"}
				w.start()
				require.NoError(t, w.scrape())
				require.NoError(t, w.scrape())
			}, nil,
		},
		"what was stored and cannot be read is not compared with": {
			func(t *testing.T, w *watched) {
				w.stop()
				w.storage.data["fleet/1"] = []byte("{")
				w.start()
				rename(t, w, "one")
				rename(t, w, "two")
			}, []string{"two"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := watch(t, func(*Config) {})
			require.NoError(t, w.scrape())
			test.do(t, w)
			var got []string
			for _, e := range w.sink.events {
				if e.name != string(history.DeviceRenamed) {
					t.Errorf("unexpected event %s", e.body)
				}
				got = append(got, e.to())
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestEvents_Start(t *testing.T) {
	t.Parallel()
	cfg := testConfig("https://localhost")
	cfg.Storage = new(component.MustNewID("file_storage"))
	for name, test := range map[string]struct {
		extension component.Component
		want      string
	}{
		"no such extension":       {nil, `"storage" is "file_storage": there is no such extension`},
		"not a storage extension": {&struct{ component.Component }{}, `"storage" is "file_storage": this is not a storage extension`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := newEvents(cfg, receivertest.NewNopSettings(metadata.Type), &eventSink{})
			require.NoError(t, err)
			extensions := extensionHost{}
			if test.extension != nil {
				extensions[*cfg.Storage] = test.extension
			}
			require.ErrorContains(t, e.start(t.Context(), extensions), test.want)
			require.NoError(t, e.shutdown(t.Context()))
		})
	}
}

type extensionHost map[component.ID]component.Component

func (h extensionHost) GetExtensions() map[component.ID]component.Component { return h }

// All devices change at once: what the events allocate is less than what the scrape does that finds them, and so is what they have in use.
func TestEvents_AllDevicesChange(t *testing.T) {
	for name, stored := range map[string]bool{"without storage": false, "with storage": true} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, func(cfg *Config) {
				setAll(cfg, false)
				cfg.Metrics = metadata.NewDefaultMetricsBuilderConfig().Metrics
				if !stored {
					cfg.Storage = nil
				}
			})
			w.sink.forget = true
			rows, err := w.sim.Rows("device")
			require.NoError(t, err)
			template, err := w.sim.Row("device", rows[0]["id"].(int64), "belongs_to__application", "is_of__device_type")
			require.NoError(t, err)
			for i := range 3000 {
				_, err := w.sim.Insert("device", map[string]any{
					"belongs_to__application": template["belongs_to__application"], "is_of__device_type": template["is_of__device_type"],
					"device_name": fmt.Sprintf("device-%d", i), "is_connected_to_vpn": true,
				})
				require.NoError(t, err)
			}
			require.NoError(t, w.scrape())
			require.NoError(t, w.scrape())

			observe := func() (scrape, events uint64) {
				responses := w.scraper.fetcher.fetch(t.Context())
				snapshot := newSnapshot(w.clock.Now(), responses)
				snapshot.receiver = w.scraper.receiverEntity(snapshot.at, responses)
				scrape = allocated(func() { w.scraper.recorder.record(snapshot, responses.gone) })
				events = allocated(func() {
					w.scraper.events.observe(t.Context(), snapshot, responses)
					require.Eventually(t, func() bool { return w.scraper.events.queue.Len() == 0 }, time.Minute, time.Millisecond)
				})
				return scrape, events
			}
			_, quiet := observe()
			rows, err = w.sim.Rows("device")
			require.NoError(t, err)
			for _, row := range rows {
				require.NoError(t, w.sim.Update("device", row["id"].(int64), map[string]any{"is_connected_to_vpn": false}))
			}
			before := w.sink.received
			scrape, events := observe()
			t.Logf("recording the metrics: %d kB; events of a quiet scrape: %d kB, of one in which all devices change: %d kB",
				scrape>>10, quiet>>10, events>>10)
			assert.Greater(t, w.sink.received-before, 3000)
			assert.Less(t, events, scrape)
			assert.Less(t, quiet, scrape/10, "nothing happens")
		})
	}
}

func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

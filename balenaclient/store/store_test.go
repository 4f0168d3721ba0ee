package store_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/devicetag"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
	"github.com/otelcol-balena/balenareceiver/balenaclient/store"
	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func keep[T any](t *testing.T, s *store.Store, q pine.Query[T]) *store.Collection[T] {
	t.Helper()
	c, err := store.Keep(s, q)
	require.NoError(t, err)
	return c
}

func refresh[T any](t *testing.T, c *store.Collection[T]) store.Changes[T] {
	t.Helper()
	changes, err := c.Refresh(t.Context())
	require.NoError(t, err)
	return changes
}

func TestCollection_Refresh(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	devices := keep(t, store.New(), client.Devices().Where(device.Fleet.Eq(1)).
		Select(device.Name, device.IsOnline, device.Fleet, device.RunningRelease, device.LastVPNEvent, device.CPUTemp))
	assert.True(t, devices.Fetched().IsZero())

	first := refresh(t, devices)
	assert.Len(t, first.Added, 14)
	assert.WithinDuration(t, time.Now(), devices.Fetched(), time.Minute)
	assert.True(t, refresh(t, devices).Empty(), "nothing has changed")

	require.NoError(t, sim.Update("device", 1, map[string]any{"device_name": "renamed", "is_running__release": nil}))
	require.NoError(t, sim.Update("device", 2, map[string]any{"cpu_temp": 99}))
	require.NoError(t, sim.Update("device", 3, map[string]any{"belongs_to__application": 2}))
	require.NoError(t, sim.Update("device", 4, map[string]any{"note": "not asked for"}))
	require.NoError(t, sim.Delete("device", 5))
	require.NoError(t, sim.Update("device", 15, map[string]any{"belongs_to__application": 1}))
	changes := refresh(t, devices)
	require.Len(t, changes.Changed, 2)
	assert.Equal(t, []string{"device_name", "is_running__release"}, changes.Changed[0].Fields)
	assert.Equal(t, "warehouse-gateways-00", changes.Changed[0].Old.Name)
	assert.Equal(t, "renamed", changes.Changed[0].New.Name)
	assert.True(t, slices.Contains(changes.Changed[1].Fields, string(device.CPUTemp)))
	assert.Equal(t, []int64{3, 5}, ids(changes.Removed), "moved and deleted")
	assert.Equal(t, []int64{15}, ids(changes.Added))
	assert.Equal(t, 13, devices.Len())
	assert.False(t, changes.Empty())
}

func ids(devices []balenaclient.Device) []int64 {
	var all []int64
	for _, d := range devices {
		all = append(all, int64(d.ID))
	}
	return all
}

func TestCollection_Resolve(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	s := store.New()
	devices := keep(t, s, client.Devices().Select(device.RunningRelease))
	releases := keep(t, s, client.Releases().Where(release.Fleet.Eq(1)).Select(release.RawVersion))
	require.NoError(t, s.Refresh(t.Context()))
	assert.Equal(t, 51, s.Len())

	d, ok := devices.Get(1)
	require.True(t, ok)
	r, ok := releases.Resolve(d.RunningRelease)
	require.True(t, ok)
	assert.Equal(t, "1.1.0+rev1", r.RawVersion)
	other, _ := devices.Get(15)
	_, ok = releases.Resolve(other.RunningRelease)
	assert.False(t, ok, "a release of a fleet that the collection does not hold")
	_, ok = devices.Get(999)
	assert.False(t, ok)
	last := balenaclient.ReleaseID(0)
	for r := range releases.All() {
		assert.Greater(t, r.ID, last)
		last = r.ID
		if last == 3 {
			break
		}
	}
	assert.EqualValues(t, 3, last)
	assert.Len(t, slices.Collect(releases.All()), 9)
}

func TestCollection_Refresh_ExpandedRows(t *testing.T) {
	t.Parallel()
	nested := `{"id":3,"device_name":"kiosk","device_tag":[%s],"is_running__release":[{"id":7,"commit":"c","release_tag":[%s]}]}`
	tags := [2]string{`{"id":1,"tag_key":"site","value":"oslo"}`, `{"id":2,"tag_key":"ward","value":"3"}`}
	releaseTags := [2]string{`{"id":5,"tag_key":"x","value":""}`, `{"id":6,"tag_key":"y","value":""}`}
	row := fmt.Sprintf(nested, tags[0]+","+tags[1], releaseTags[0]+","+releaseTags[1])
	client := simtest.Client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"d":[`+row+`]}`) }))
	devices := keep(t, store.New(), client.Devices().Select(device.Name).
		Expand(device.Tags.With(pine.Select(devicetag.Key)), device.RunningRelease.With(pine.Select(release.Commit))))
	refresh(t, devices)

	row = fmt.Sprintf(nested, tags[1]+","+tags[0], releaseTags[1]+","+releaseTags[0])
	assert.True(t, refresh(t, devices).Empty(), "the order does not matter")

	row = fmt.Sprintf(nested, tags[1]+","+tags[0], releaseTags[1])
	assert.Equal(t, []string{"is_running__release"}, refresh(t, devices).Changed[0].Fields)

	row = fmt.Sprintf(nested, tags[1]+","+`{"id":1,"tag_key":"site","value":"bergen"}`, releaseTags[1])
	assert.Equal(t, []string{"device_tag"}, refresh(t, devices).Changed[0].Fields)

	row = `{"id":3,"device_name":"kiosk","device_tag":[],"is_running__release":[]}`
	assert.Equal(t, []string{"is_running__release", "device_tag"}, refresh(t, devices).Changed[0].Fields)
}

func TestCollection_Resolve_FromTheCollectionNamed(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	s := store.New()
	keep(t, s, client.Releases().Select(release.Commit))
	versions := keep(t, s, client.Releases().Select(release.RawVersion))
	require.NoError(t, s.Refresh(t.Context()))
	r, ok := versions.Resolve(pine.Ref[balenaclient.Release]{ID: 1})
	require.True(t, ok)
	assert.NotEmpty(t, r.RawVersion)
}

func TestCollection_Forget(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	s := store.New()
	devices := keep(t, s, client.Devices().Where(device.Fleet.Eq(1)).Select(device.Name))
	refresh(t, devices)
	for d := range devices.All() {
		devices.Forget(d.ID) // while it is read
		break
	}
	assert.Equal(t, 13, devices.Len())
	assert.Equal(t, 13, s.Len())
	assert.False(t, devices.Forget(1), "it is forgotten already")
	changes := refresh(t, devices)
	assert.Equal(t, []int64{1}, ids(changes.Added))
	assert.Equal(t, 14, s.Len())
}

func TestCollection_Drop(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	s := store.New(store.MaxRows(42))
	all := keep(t, s, client.Devices().Select(device.Name))
	releases := keep(t, s, client.Releases().Where(release.Fleet.Eq(1)).Select(release.RawVersion))
	refresh(t, all)
	require.ErrorIs(t, s.Refresh(t.Context()), store.ErrFull)
	require.Len(t, s.Collections(), 2)

	all.Drop()
	all.Drop()
	assert.Equal(t, []store.AnyCollection{releases}, s.Collections())
	assert.Zero(t, all.Len())
	assert.Zero(t, s.Len())
	_, err := all.Refresh(t.Context())
	require.ErrorIs(t, err, store.ErrDropped)
	require.NoError(t, s.Refresh(t.Context()), "there is room for the releases")
	assert.Equal(t, 9, s.Len())
}

func TestStore_Refresh_Failure(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t, balenaclient.WithRetry(pine.Retry{MaxAttempts: 1}), balenaclient.WithPageSize(10))
	s := store.New()
	devices := keep(t, s, client.Devices().Select(device.Name))
	releases := keep(t, s, client.Releases().Select(release.Commit))
	require.NoError(t, s.Refresh(t.Context()))
	before := devices.Fetched()

	_, err := sim.Inject(balenasim.Fault{Kind: balenasim.BadGateway, Path: "/v7/device", Nth: 3})
	require.NoError(t, err)
	require.NoError(t, sim.Delete("device", 1))
	require.NoError(t, sim.Delete("release_tag", 1))
	insertRelease(t, sim)
	err = s.Refresh(t.Context())
	require.ErrorIs(t, err, balenaclient.ErrServer)
	assert.ErrorContains(t, err, "page 3")
	assert.Equal(t, 42, devices.Len())
	assert.Equal(t, before, devices.Fetched())
	assert.Equal(t, 37, releases.Len(), "the other collection goes on")
	assert.Equal(t, 79, s.Len())

	changes := refresh(t, devices)
	assert.Equal(t, []int64{1}, ids(changes.Removed))
}

func insertRelease(t *testing.T, sim *balenasim.Simulator) {
	t.Helper()
	_, err := sim.Insert("release", map[string]any{"belongs_to__application": 1, "commit": "abc", "status": "running"})
	require.NoError(t, err)
}

func TestCollection_Refresh_UndecodableRow(t *testing.T) {
	t.Parallel()
	response := `{"d":[{"id":1,"device_name":"a"},{"id":2,"device_name":"b"},{"id":3,"device_name":"c"}]}`
	client := simtest.Client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(response)) }))
	devices := keep(t, store.New(), client.Devices().Select(device.Name))
	refresh(t, devices)

	response = `{"d":[{"id":1,"device_name":"changed"},{"id":2,"device_name":{}},{"id":4,"device_name":"d"}]}`
	changes, err := devices.Refresh(t.Context())
	var unread *balenaclient.RowsError
	require.ErrorAs(t, err, &unread)
	assert.Equal(t, []int64{4}, ids(changes.Added))
	assert.Len(t, changes.Changed, 1)
	assert.Empty(t, changes.Removed)
	assert.Equal(t, 4, devices.Len())
	d, _ := devices.Get(2)
	assert.Equal(t, "b", d.Name, "as it was last read")
}

func TestMaxRows(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	s := store.New(store.MaxRows(40))
	releases := keep(t, s, client.Releases().Select(release.Commit))
	refresh(t, releases)
	devices := keep(t, s, client.Devices().Where(device.Fleet.Eq(1)).Select(device.Name))
	_, err := devices.Refresh(t.Context())
	require.ErrorIs(t, err, store.ErrFull)
	assert.ErrorContains(t, err, "50 rows exceed the limit of 40")
	assert.Zero(t, devices.Len())
	assert.Equal(t, 36, s.Len())

	all := keep(t, s, client.Devices().Select(device.Name).PageSize(10))
	sim.ResetRequests()
	_, err = all.Refresh(t.Context())
	require.ErrorIs(t, err, store.ErrFull)
	assert.Len(t, sim.Requests(), 5, "no more is fetched than is needed to know")
}

func TestKeep_NoID(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	type noID struct {
		Name string `json:"device_name"`
	}
	_, err := store.Keep(store.New(), pine.As[noID](client.Devices()))
	require.ErrorContains(t, err, "has no int64 field with the json name id")
	_, err = store.Keep(store.New(), pine.As[int](client.Devices()))
	require.Error(t, err)
}

func TestCollection_Refresh_EmbeddedType(t *testing.T) {
	t.Parallel()
	type labelled struct {
		*balenaclient.Device
		Label string // no column
	}
	client, sim := simtest.New(t)
	devices := keep(t, store.New(), pine.As[labelled](client.Devices().Where(device.ID.Eq(1)).Select(device.Name)))
	refresh(t, devices)
	require.NoError(t, sim.Update("device", 1, map[string]any{"device_name": "renamed"}))
	changes := refresh(t, devices)
	require.Len(t, changes.Changed, 1)
	assert.Equal(t, []string{"device_name"}, changes.Changed[0].Fields)
}

func TestStore_Concurrency(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	s := store.New()
	devices := keep(t, s, client.Devices().Select(device.Name, device.RunningRelease))
	releases := keep(t, s, client.Releases().Select(release.Commit))
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for ctx.Err() == nil {
				for d := range devices.All() {
					releases.Resolve(d.RunningRelease)
				}
				devices.Get(1)
				s.Len()
			}
		})
	}
	for i := range 2 {
		group.Go(func() {
			for j := range 10 {
				assert.NoError(t, s.Refresh(t.Context()))
				assert.NoError(t, sim.Update("device", int64(i+1), map[string]any{"device_name": string(rune('a' + j))}))
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	cancel()
	group.Wait()
	assert.Equal(t, 42, devices.Len())
}

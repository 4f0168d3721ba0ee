package balenaclient_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/devicetag"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleet"
	"github.com/otelcol-balena/balenareceiver/balenaclient/image"
	"github.com/otelcol-balena/balenareceiver/balenaclient/imageinstall"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
	"github.com/otelcol-balena/balenareceiver/balenaclient/releaseimage"
	"github.com/otelcol-balena/balenareceiver/balenaclient/service"
	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/simtest"
)

func getDevice(t *testing.T, client *balenaclient.Client, id balenaclient.DeviceID) balenaclient.Device {
	t.Helper()
	d, err := client.Devices().Get(t.Context(), id)
	require.NoError(t, err)
	return d
}

func TestClient_DeviceByUUID(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	for name, uuid := range map[string]string{
		"complete":            "827050a823694584bf5e9ff0ff50bde4",
		"in upper case":       "827050A823694584BF5E9FF0FF50BDE4",
		"by its first digits": "827050a",
		"by its first digit":  "827",
	} {
		d, err := client.DeviceByUUID(t.Context(), uuid)
		require.NoError(t, err, name)
		assert.EqualValues(t, 1, d.ID, name)
		assert.Equal(t, "warehouse-gateways-00", d.Name, name)
	}
}

func TestClient_DeviceByUUID_Ambiguous(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	_, err := client.DeviceByUUID(t.Context(), "076e2bba7c5348bfaf92f25e45df16b6"[:1])
	var ambiguous *balenaclient.AmbiguousError
	require.ErrorAs(t, err, &ambiguous)
	require.ErrorIs(t, err, balenaclient.ErrNotUnique)
	assert.Len(t, ambiguous.Candidates, 4)
	assert.Contains(t, ambiguous.Candidates, "080aadfbe7c94b26914125c63a9bedd4")
	assert.ErrorContains(t, err, "device with UUID 0…: more than one found: ")
	assert.ErrorContains(t, err, "give more digits")
	assert.False(t, ambiguous.More)
	for id := range int64(6) {
		require.NoError(t, sim.Update("device", id+1, map[string]any{"device_name": "same"}))
	}
	_, err = client.DeviceByName(t.Context(), "same")
	require.ErrorAs(t, err, &ambiguous)
	assert.ErrorContains(t, err, ", …: ", "only the first are listed")
	assert.True(t, ambiguous.More)
	assert.Len(t, ambiguous.Candidates, 5)
}

func TestClient_DeviceByUUID_Invalid(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	for _, uuid := range []string{"", "xyz", "82 70", strings.Repeat("a", 63), "827050a8'"} {
		_, err := client.DeviceByUUID(t.Context(), uuid)
		require.ErrorIs(t, err, balenaclient.ErrInvalid, uuid)
	}
	assert.Empty(t, sim.Requests())
	for _, uuid := range []string{"ffff", strings.Repeat("f", 32), strings.Repeat("f", 62)} {
		_, err := client.DeviceByUUID(t.Context(), uuid)
		require.ErrorIs(t, err, balenaclient.ErrNotFound, uuid)
	}
}

func TestClient_DeviceByName(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	require.NoError(t, sim.Update("device", 1, map[string]any{"device_name": "O'Neil's 50% + more"}))
	d, err := client.DeviceByName(t.Context(), "O'Neil's 50% + more")
	require.NoError(t, err)
	assert.EqualValues(t, 1, d.ID)

	require.NoError(t, sim.Update("device", 2, map[string]any{"device_name": "O'Neil's 50% + more"}))
	_, err = client.DeviceByName(t.Context(), "O'Neil's 50% + more")
	require.ErrorIs(t, err, balenaclient.ErrNotUnique)
	assert.ErrorContains(t, err, "827050a823694584bf5e9ff0ff50bde4, 98ae43346c124ce8ae340454cac5b68c: ask for it by UUID")

	_, err = client.DeviceByName(t.Context(), "nobody")
	require.ErrorIs(t, err, balenaclient.ErrNotFound)
	assert.ErrorContains(t, err, `device named "nobody"`)
}

func TestClient_FleetByName(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	f, err := client.FleetBySlug(t.Context(), "Acme/Edge-Cameras")
	require.NoError(t, err)
	assert.EqualValues(t, 2, f.ID)
	_, err = client.FleetBySlug(t.Context(), "acme/nothing")
	require.ErrorIs(t, err, balenaclient.ErrNotFound)
	assert.ErrorContains(t, err, "acme/nothing")

	f, err = client.FleetByName(t.Context(), "lab-nucs")
	require.NoError(t, err)
	assert.EqualValues(t, 3, f.ID)
	require.NoError(t, sim.Update("application", 4, map[string]any{"app_name": "lab-nucs", "slug": "globex/solar-sensors"}))
	_, err = client.FleetByName(t.Context(), "lab-nucs")
	require.ErrorIs(t, err, balenaclient.ErrNotUnique)
	assert.ErrorContains(t, err, "globex/lab-nucs, globex/solar-sensors: ask for it by slug")
}

func TestClient_Finders_Shape(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	ctx := t.Context()
	byUUID, err := client.DeviceByUUID(ctx, loggingDevice, device.Select(device.Name))
	require.NoError(t, err)
	assert.Equal(t, balenaclient.Device{ID: 1, Name: "warehouse-gateways-00"}, byUUID)
	byName, err := client.DeviceByName(ctx, "warehouse-gateways-00", device.Select(device.Fleet).Expand(device.Tags.Count()))
	require.NoError(t, err)
	assert.Positive(t, byName.Tags.Count)
	assert.Empty(t, byName.UUID)
	bySlug, err := client.FleetBySlug(ctx, "acme/edge-cameras", fleet.Select().Expand(fleet.Devices.Count()))
	require.NoError(t, err)
	assert.Equal(t, 12, bySlug.Devices.Count)
	assert.Equal(t, "edge-cameras", bySlug.Name)
	byFleetName, err := client.FleetByName(ctx, "edge-cameras", fleet.Select(fleet.Slug))
	require.NoError(t, err)
	assert.Equal(t, balenaclient.Fleet{ID: 2, Slug: "acme/edge-cameras"}, byFleetName)
	for _, find := range []func(...balenaclient.Query[balenaclient.Release]) (balenaclient.Release, error){
		func(shape ...balenaclient.Query[balenaclient.Release]) (balenaclient.Release, error) {
			return client.LatestRelease(ctx, 1, shape...)
		},
		func(shape ...balenaclient.Query[balenaclient.Release]) (balenaclient.Release, error) {
			return client.ReleaseByVersion(ctx, 1, "1.2.0", shape...)
		},
		func(shape ...balenaclient.Query[balenaclient.Release]) (balenaclient.Release, error) {
			return client.ReleaseByCommit(ctx, 1, "10f1", shape...)
		},
	} {
		r, err := find(release.Select(release.Semver), release.Select().Expand(release.RunningOn.Count()))
		require.NoError(t, err)
		assert.EqualValues(t, 8, r.ID)
		assert.Positive(t, r.RunningOn.Count)
		assert.Empty(t, r.RawVersion)
	}

	require.NoError(t, sim.Update("device", 2, map[string]any{"device_name": "warehouse-gateways-00"}))
	_, err = client.DeviceByName(ctx, "warehouse-gateways-00", device.Select(device.Name))
	assert.ErrorContains(t, err, loggingDevice, "candidates are named all the same")
}

func TestClient_Fleets(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	_, err := client.AllFleets().List(t.Context())
	require.NoError(t, err)
	_, err = client.Fleets().List(t.Context())
	require.NoError(t, err)
	requests := sim.Requests()
	assert.NotContains(t, requests[0].Target, "is_directly_accessible_by__user")
	assert.Contains(t, requests[1].Target, "is_directly_accessible_by__user/any(x1:1%20eq%201)")
	require.ErrorIs(t, client.Fleets().Delete(t.Context(), balenaclient.AllowProtected()), balenaclient.ErrUnfiltered)
	require.ErrorIs(t, client.Fleets().Patch(t.Context(), fleet.IsArchived.Set(true)), balenaclient.ErrUnfiltered)
	require.NoError(t, client.Fleets().Where(fleet.ID.Eq(5)).Patch(t.Context(), fleet.IsArchived.Set(true)))
}

func TestClient_RenameDevice_SetDeviceNote_SetPublicURL(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	ctx := t.Context()
	require.NoError(t, client.RenameDevice(ctx, 1, "new 'name'"))
	require.NoError(t, client.SetDeviceNote(ctx, 1, "a\nnote"))
	require.NoError(t, client.SetPublicURL(ctx, true, 1, 2))
	d := getDevice(t, client, 1)
	assert.Equal(t, "new 'name'", d.Name)
	assert.Equal(t, "a\nnote", d.Note)
	assert.True(t, d.IsWebAccessible)
	assert.True(t, getDevice(t, client, 2).IsWebAccessible)
	assert.False(t, getDevice(t, client, 3).IsWebAccessible)
	require.NoError(t, client.SetDeviceNote(ctx, 1, ""))
	require.NoError(t, client.SetPublicURL(ctx, false, 1))
	d = getDevice(t, client, 1)
	assert.Empty(t, d.Note)
	assert.False(t, d.IsWebAccessible)
}

func TestClient_MissingDevice(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	ctx := t.Context()
	for name, err := range map[string]error{
		"rename": client.RenameDevice(ctx, 999, "x"),
		"note":   client.SetDeviceNote(ctx, 999, "x"),
		"url":    client.SetPublicURL(ctx, true, 1, 999),
		"move":   client.MoveDevices(ctx, 2, 1, 999),
		"pin":    client.PinDevices(ctx, 8, 1, 999),
		"unpin":  client.UnpinDevices(ctx, 5, 999),
	} {
		require.ErrorIs(t, err, balenaclient.ErrNotFound, name)
		assert.ErrorContains(t, err, "device 999", name)
		assert.ErrorContains(t, err, "nothing was changed", name)
	}
	err := client.MoveDevices(ctx, 999, 1)
	require.ErrorIs(t, err, balenaclient.ErrNotFound)
	assert.ErrorContains(t, err, "fleet 999")
	require.ErrorIs(t, client.MoveDevices(ctx, 2), balenaclient.ErrInvalid)
	assert.Empty(t, writes(sim))
}

func TestClient_MoveDevices(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	require.NoError(t, client.MoveDevices(t.Context(), 2, 4, 5))
	for _, id := range []balenaclient.DeviceID{4, 5} {
		d := getDevice(t, client, id)
		assert.EqualValues(t, 2, d.Fleet.ID)
		assert.True(t, tracking(t, d))
	}
	assert.Len(t, writes(sim), 1)
}

func TestClient_PinDevices_Many(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	var ids []balenaclient.DeviceID
	for i := range 450 {
		ids = append(ids, balenaclient.DeviceID(insert(t, sim, "device", map[string]any{
			"uuid": fmt.Sprintf("%032x", i), "device_name": "many", "belongs_to__application": 1, "is_of__device_type": 120,
		})))
	}
	require.NoError(t, client.PinDevices(t.Context(), 8, ids...))
	assert.Len(t, writes(sim), 3)
	n, err := client.Devices().Where(device.Name.Eq("many"), device.PinnedRelease.Eq(8)).Count(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 450, n)

	_, err = sim.Inject(balenasim.Fault{Kind: balenasim.ServerError, Method: http.MethodPatch, Nth: 2})
	require.NoError(t, err)
	err = client.UnpinDevices(t.Context(), ids...)
	require.ErrorIs(t, err, balenaclient.ErrServer)
	assert.ErrorContains(t, err, "after 200 of 450 devices")
}

// Eight times as many devices take about eight times as long, where looking each one up in a list would take 64 times as long.
func TestClient_UnpinDevices_Linear(t *testing.T) {
	client := simtest.Client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			return
		}
		_, list, _ := strings.Cut(r.URL.RawQuery, "(")
		list, _, _ = strings.Cut(list, ")")
		const columns = `,"uuid":"a","device_name":"b","belongs_to__application":null,"is_pinned_on__release":null}`
		io.WriteString(w, `{"d":[{"id":`+strings.ReplaceAll(list, ",", columns+`,{"id":`)+columns+`]}`)
	}))
	took := func(devices int64) time.Duration {
		ids := make([]balenaclient.DeviceID, devices)
		for i := range ids {
			ids[i] = balenaclient.DeviceID(i + 1)
		}
		start := time.Now()
		require.NoError(t, client.UnpinDevices(t.Context(), ids...))
		return time.Since(start)
	}
	took(1000)
	// Eight times as many devices take eight times as long, or 64 times if the time is quadratic. The shortest of several runs leaves out
	// what else the machine is doing.
	few := min(took(3000), took(3000), took(3000))
	many := min(took(24_000), took(24_000), took(24_000))
	assert.Less(t, many, 30*few)
}

func TestClient_LatestRelease(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	ctx := t.Context()
	r, err := client.LatestRelease(ctx, 1)
	require.NoError(t, err)
	assert.Equal(t, "1.2.0", r.RawVersion, "1.3.0 is being built, 1.1.1 failed")
	require.NoError(t, sim.Update("release", 8, map[string]any{"is_invalidated": true}))
	r, err = client.LatestRelease(ctx, 1)
	require.NoError(t, err)
	assert.Equal(t, "1.1.0+rev1", r.RawVersion)
	_, err = client.LatestRelease(ctx, 5)
	require.ErrorIs(t, err, balenaclient.ErrNotFound)
	assert.ErrorContains(t, err, "latest release of fleet 5")
}

func TestClient_ReleaseByCommit_ReleaseByVersion(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	ctx := t.Context()
	for _, find := range []func() (balenaclient.Release, error){
		func() (balenaclient.Release, error) { return client.ReleaseByCommit(ctx, 1, "4458A885A") },
		func() (balenaclient.Release, error) { return client.ReleaseByVersion(ctx, 1, "1.1.0+rev1") },
	} {
		r, err := find()
		require.NoError(t, err)
		assert.EqualValues(t, 6, r.ID)
	}
	_, err := client.ReleaseByCommit(ctx, 1, "1")
	require.ErrorIs(t, err, balenaclient.ErrNotUnique)
	assert.ErrorContains(t, err, "+build.7, 1.2.0: give more digits")
	_, err = client.ReleaseByCommit(ctx, 2, "4458a885a")
	require.ErrorIs(t, err, balenaclient.ErrNotFound)
	_, err = client.ReleaseByCommit(ctx, 2, "")
	require.ErrorIs(t, err, balenaclient.ErrInvalid)
	_, err = client.ReleaseByVersion(ctx, 1, "9.9.9")
	require.ErrorIs(t, err, balenaclient.ErrNotFound)
	require.NoError(t, sim.Update("release", 8, map[string]any{"commit": getRelease(t, client, 6).Commit}))
	_, err = client.ReleaseByCommit(ctx, 1, getRelease(t, client, 6).Commit)
	require.ErrorIs(t, err, balenaclient.ErrNotUnique, "a commit may be built twice")
}

func getRelease(t *testing.T, client *balenaclient.Client, id balenaclient.ReleaseID) balenaclient.Release {
	t.Helper()
	r, err := client.Releases().Get(t.Context(), id)
	require.NoError(t, err)
	return r
}

func TestClient_PinDevices(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	ctx := t.Context()
	require.NoError(t, client.PinDevices(ctx, 6, 1, 2))
	for _, id := range []balenaclient.DeviceID{1, 2} {
		d := getDevice(t, client, id)
		assert.False(t, tracking(t, d))
		assert.EqualValues(t, 6, d.TargetRelease.ID)
		assert.Equal(t, id == 1, onTarget(t, d), "device 1 runs release 6, device 2 release 8")
	}
	assert.Len(t, writes(sim), 1)
	require.NoError(t, client.UnpinDevices(ctx, 1, 2))
	d := getDevice(t, client, 2)
	assert.True(t, tracking(t, d))
	assert.True(t, onTarget(t, d))
}

func TestClient_PinDevices_Refused(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	ctx := t.Context()
	for name, tt := range map[string]struct {
		release balenaclient.ReleaseID
		is      error
		want    string
	}{
		"a release of another fleet": {17, balenaclient.ErrWrongFleet, "device 827050a823694584bf5e9ff0ff50bde4 (warehouse-gateways-00) is in fleet 1 and release 17 is of fleet 2"},
		"a release that failed":      {3, balenaclient.ErrInvalid, "its build is failed"},
		"a release being built":      {9, balenaclient.ErrInvalid, "its build is running"},
		"an invalidated release":     {2, balenaclient.ErrInvalid, "it was invalidated"},
		"no release":                 {999, balenaclient.ErrNotFound, "release 999"},
	} {
		err := client.PinDevices(ctx, tt.release, 1)
		require.ErrorIs(t, err, tt.is, name)
		assert.ErrorContains(t, err, tt.want, name)
		if tt.release != 17 {
			require.ErrorIs(t, client.PinFleet(ctx, tt.release), tt.is, name)
			_, err = client.PinAllDevices(ctx, tt.release)
			require.ErrorIs(t, err, tt.is, name)
		}
	}
	assert.Empty(t, writes(sim))
}

func TestClient_PinDevices_MovedMeanwhile(t *testing.T) {
	t.Parallel()
	sim := balenasim.New(balenasim.WithToken(simtest.Token))
	require.NoError(t, sim.Load(simtest.Dataset()))
	client := simtest.Client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch { // just before
			assert.NoError(t, sim.Update("device", 1, map[string]any{"belongs_to__application": 2}))
		}
		sim.ServeHTTP(w, r)
	}))
	err := client.PinDevices(t.Context(), 6, 1, 2)
	require.ErrorIs(t, err, balenaclient.ErrWrongFleet)
	assert.ErrorContains(t, err, "device 827050a823694584bf5e9ff0ff50bde4 (warehouse-gateways-00) moved to fleet 2 and was not pinned")
	assert.True(t, tracking(t, getDevice(t, client, 1)))
	assert.EqualValues(t, 6, getDevice(t, client, 2).PinnedRelease.ID)
}

func TestClient_PinAllDevices(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	ctx := t.Context()
	require.NoError(t, client.DeviceTagsOf(1).Set(ctx, "keep", ""))
	require.NoError(t, client.DeviceTagsOf(2).Set(ctx, "hold", "x"))
	sim.ResetRequests()
	n, err := client.PinAllDevices(ctx, 6, balenaclient.ExceptTagged("keep", "hold"))
	require.NoError(t, err)
	assert.Equal(t, 12, n)
	assert.Len(t, writes(sim), 1)
	pinned, err := client.Devices().Where(device.PinnedRelease.Eq(6)).Count(ctx)
	require.NoError(t, err)
	assert.Equal(t, 12, pinned)
	assert.True(t, tracking(t, getDevice(t, client, 1)))
	assert.True(t, tracking(t, getDevice(t, client, 15)), "of another fleet")

	n, err = client.UnpinAllDevices(ctx, 1)
	require.NoError(t, err)
	assert.Equal(t, 12, n)
	n, err = client.UnpinAllDevices(ctx, 1)
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestClient_PinFleet_TrackLatest(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	ctx := t.Context()
	state := func(id balenaclient.FleetID) (balenaclient.ReleaseID, bool) {
		f, err := client.AllFleets().Get(ctx, id)
		require.NoError(t, err)
		return f.TargetRelease.ID, f.TracksLatestRelease
	}
	require.NoError(t, client.PinFleet(ctx, 6))
	target, tracks := state(1)
	assert.EqualValues(t, 6, target)
	assert.False(t, tracks)
	require.NoError(t, client.TrackLatest(ctx, 1))
	target, tracks = state(1)
	assert.EqualValues(t, 8, target)
	assert.True(t, tracks)
	require.NoError(t, client.TrackLatest(ctx, 5), "a fleet without releases follows too")
	require.ErrorIs(t, client.TrackLatest(ctx, 999), balenaclient.ErrNotFound)
}

func TestDevice_Methods(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	d, err := client.Devices().Expand(
		device.Tags.With(pine.Query[balenaclient.DeviceTag]{}),
		device.ImageInstalls.With(pine.Where(imageinstall.Status.Ne("deleted")).
			Select(imageinstall.Status, imageinstall.DownloadProgress, imageinstall.InstalledAt, imageinstall.Release).
			Expand(imageinstall.Image.With(pine.Select(image.ID).Expand(image.Service.With(pine.Select(service.Name)))))),
	).Get(t.Context(), 7)
	require.NoError(t, err)
	percent, ok := d.Progress()
	assert.True(t, ok)
	assert.Equal(t, *d.OverallProgress, percent)
	assert.NotEmpty(t, d.IPAddresses())
	assert.NotEmpty(t, d.MACAddresses())
	assert.Regexp(t, `^\d+\.\d+\.\d+`, d.OSRelease())
	assert.NotEmpty(t, d.TagMap())
	services, ok := d.Services()
	require.True(t, ok)
	require.NotEmpty(t, services)
	for i, s := range services {
		assert.NotEmpty(t, s.Name)
		assert.NotEmpty(t, s.Status)
		assert.NotZero(t, s.Image)
		assert.NotZero(t, s.Release)
		assert.False(t, s.Since.IsZero())
		assert.NotEqual(t, "deleted", s.Status)
		if i > 0 {
			assert.LessOrEqual(t, services[i-1].Name, s.Name)
		}
	}

	none := balenaclient.Device{OSVersion: "6.1.2"}
	_, ok = none.Progress()
	assert.False(t, ok)
	assert.Equal(t, "6.1.2", none.OSRelease())
	assert.Empty(t, balenaclient.Device{}.OSRelease())
	services, _ = none.Services()
	assert.Empty(t, services)
}

func tracking(t *testing.T, d balenaclient.Device) bool {
	t.Helper()
	tracking, ok := d.IsTracking()
	require.True(t, ok)
	return tracking
}

func onTarget(t *testing.T, d balenaclient.Device) bool {
	t.Helper()
	onTarget, ok := d.IsOnTarget()
	require.True(t, ok)
	return onTarget
}

func TestDevice_Methods_NotFetched(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	require.NoError(t, client.PinDevices(t.Context(), 6, 1))
	d, err := client.Devices().Select(device.Name).Expand(device.ImageInstalls.With(imageinstall.Select())).Get(t.Context(), 1)
	require.NoError(t, err)
	_, ok := d.IsTracking()
	assert.False(t, ok, "it is pinned")
	_, ok = d.IsOnTarget()
	assert.False(t, ok)
	assert.Nil(t, d.TagMap())
	_, ok = d.Services()
	assert.False(t, ok, "images were not expanded")
	_, ok = balenaclient.Device{}.Services()
	assert.False(t, ok)
	assert.Empty(t, balenaclient.Release{}.State())

	d, err = client.Devices().Expand(device.Tags.With(devicetag.Select()), device.ImageInstalls.With(imageinstall.Where(imageinstall.ID.Eq(0)))).Get(t.Context(), 9)
	require.NoError(t, err)
	assert.NotNil(t, d.TagMap())
	_, ok = d.Services()
	assert.True(t, ok, "it has none")
}

func TestRelease_Methods(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	states := map[string]string{}
	for r, err := range client.Releases().Where(release.Fleet.Where(fleet.ID.Eq(1))).All(t.Context()) {
		require.NoError(t, err)
		states[r.RawVersion] = r.State()
		took, ended := r.BuildDuration()
		assert.Equal(t, r.EndedAt != nil, ended)
		assert.Equal(t, ended, took > 0)
	}
	assert.Equal(t, map[string]string{
		"1.0.0": "final", "1.0.1": "invalidated", "1.0.2": "failed", "1.1.0-rc.1.1793514161000+build.7": "draft", "1.1.0": "failed",
		"1.1.0+rev1": "final", "1.1.1": "failed", "1.2.0": "final", "1.3.0-1794810161000": "building",
	}, states)

	r, err := client.Releases().Expand(release.ReleaseImages.With(pine.Select(releaseimage.ID).
		Expand(releaseimage.Image.With(pine.Select(image.Size))))).Get(t.Context(), 8)
	require.NoError(t, err)
	size, ok := r.Size()
	assert.True(t, ok)
	assert.Greater(t, size, int64(1<<20))
	_, ok = balenaclient.Release{}.Size()
	assert.False(t, ok)
	var unknown balenaclient.Release
	unknown.ReleaseImages.Rows = make([]balenaclient.ReleaseImage, 1)
	_, ok = unknown.Size()
	assert.False(t, ok)
}

func TestQuery_Delete_Protected(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	ctx := t.Context()
	for name, remove := range map[string]func(...pine.DeleteOption) error{
		"device":      func(o ...pine.DeleteOption) error { return client.Devices().Where(device.ID.Eq(42)).Delete(ctx, o...) },
		"application": func(o ...pine.DeleteOption) error { return client.AllFleets().Where(fleet.ID.Eq(5)).Delete(ctx, o...) },
	} {
		before := sim.Count(name)
		err := remove()
		require.ErrorIs(t, err, balenaclient.ErrProtected)
		assert.ErrorContains(t, err, "AllowProtected")
		assert.Equal(t, before, sim.Count(name))
		require.NoError(t, remove(pine.AllowProtected()))
		assert.Equal(t, before-1, sim.Count(name))
	}
	require.ErrorIs(t, client.Devices().Delete(ctx, pine.AllowProtected()), balenaclient.ErrUnfiltered)
}

func TestQuery_Create_FleetName(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	create := func(ctx context.Context, name string) (balenaclient.Fleet, error) {
		return client.AllFleets().Create(ctx, fleet.Name.Set(name), fleet.Organization.Set(1), fleet.DeviceType.Set(120))
	}
	for name, want := range map[string]string{"abc": "3 characters long", "it's": "letters, digits", strings.Repeat("x", 101): "use 4 to 100"} {
		_, err := create(t.Context(), name)
		require.ErrorIs(t, err, balenaclient.ErrInvalid)
		assert.ErrorContains(t, err, want)
	}
	assert.Empty(t, sim.Requests())
	f, err := create(t.Context(), "New-Fleet")
	require.NoError(t, err)
	assert.NotZero(t, f.ID)
	got, err := client.FleetBySlug(t.Context(), f.Slug)
	require.NoError(t, err)
	assert.Equal(t, "New-Fleet", got.Name)
}

package balenaclient_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/devicetag"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleet"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
)

// Whatever a text holds, a query for it finds the rows that have it and no others.
func FuzzATextFindsWhatHasIt(f *testing.F) {
	for _, text := range []string{
		"plain", "it's", "''", "a&b", "1+1", "100%", "%27", "a;b", "a b", " ", "Zürich 東京", "🚢", "two\nlines", "'or 1 eq 1 or ''='", ")", "\\", "$top=1", "?#", "/a/b/",
	} {
		f.Add(text)
	}
	client, sim := simulated(f)
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" || len(text) > 300 || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			t.Skip("a database of UTF-8 texts does not hold it")
		}
		inserted, err := sim.Insert("device", map[string]any{"uuid": fmt.Sprintf("%x", text), "device_name": text, "belongs_to__application": 1, "is_of__device_type": 120})
		require.NoError(t, err)
		defer func() { require.NoError(t, sim.Delete("device", inserted)) }()
		id := balenaclient.DeviceID(inserted)
		tag, err := sim.Insert("device_tag", map[string]any{"device": inserted, "tag_key": text, "value": text})
		require.NoError(t, err)

		got, err := client.Devices().Select(device.Name).Where(device.Name.Eq(text)).One(t.Context())
		require.NoError(t, err)
		assert.Equal(t, id, got.ID)
		assert.Equal(t, text, got.Name)
		for name, filter := range map[string]pine.Filter[balenaclient.Device]{
			"in":         device.Name.In("another", text),
			"contains":   device.Name.Contains(text),
			"startswith": device.Name.StartsWith(text),
			"endswith":   device.Name.EndsWith(text),
			"any":        device.Tags.Any(devicetag.Key.Eq(text), devicetag.Value.Eq(text)),
			"not":        pine.Not(device.Name.Ne(text)),
		} {
			n, err := client.Devices().Where(filter, device.ID.Eq(id)).Count(t.Context())
			require.NoError(t, err, name)
			assert.Equal(t, 1, n, name)
		}
		n, err := client.Devices().Where(device.Name.Ne(text)).Count(t.Context())
		require.NoError(t, err)
		assert.Equal(t, sim.Count("device")-1, n)

		byKey, err := client.DeviceTags().GetBy(t.Context(), devicetag.ByDeviceAndKey(id, text))
		require.NoError(t, err)
		assert.EqualValues(t, tag, byKey.ID)
		expanded, err := client.Devices().Select(device.ID).Expand(device.Tags.With(pine.Where(devicetag.Value.Eq(text)))).Get(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, expanded.Tags.Rows, 1)
		assert.Equal(t, text, expanded.Tags.Rows[0].Value)
	})
}

// Queries that differ in how they are put find the same rows.
func TestFilter_Equivalences(t *testing.T) {
	t.Parallel()
	client, _ := simulated(t)
	all, err := client.Devices().List(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 42)
	count := func(filters ...pine.Filter[balenaclient.Device]) int {
		n, err := client.Devices().Where(filters...).Count(t.Context())
		require.NoError(t, err)
		return n
	}
	expect := func(meets func(balenaclient.Device) bool) int {
		n := 0
		for _, d := range all {
			if meets(d) {
				n++
			}
		}
		return n
	}
	online, hot := device.IsOnline.Eq(true), device.CPUTemp.Ge(60)
	isHot := func(d balenaclient.Device) bool { return d.CPUTemp != nil && *d.CPUTemp >= 60 }
	none := pine.Filter[balenaclient.Device]{}
	assert.Equal(t, 42, count())
	assert.Equal(t, 42, count(none))
	assert.Equal(t, 42, count(none.Or(online)))
	assert.Equal(t, 0, count(pine.Not(none)))
	assert.Equal(t, 0, count(device.ID.In()))
	assert.Equal(t, 42, count(pine.Not(device.ID.In())))
	assert.Equal(t, expect(func(d balenaclient.Device) bool { return d.IsOnline && isHot(d) }), count(online, hot))
	assert.Equal(t, expect(func(d balenaclient.Device) bool { return d.IsOnline || isHot(d) }), count(online.Or(hot)))
	assert.Equal(t, expect(func(d balenaclient.Device) bool { return d.IsOnline || isHot(d) && d.Fleet.ID == 1 }), count(online.Or(hot.And(device.Fleet.Eq(1)))))
	assert.Equal(t, expect(func(d balenaclient.Device) bool { return (d.IsOnline || isHot(d)) && d.Fleet.ID == 1 }), count(online.Or(hot), device.Fleet.Eq(1)))
	assert.Equal(t, expect(func(d balenaclient.Device) bool { return d.PinnedRelease.ID == 0 }), count(device.PinnedRelease.IsNull()))
	assert.Equal(t, expect(func(d balenaclient.Device) bool { return d.PinnedRelease.ID != 0 }), count(device.PinnedRelease.Where()))
	assert.Equal(t, expect(func(d balenaclient.Device) bool { return d.CPUTemp == nil || *d.CPUTemp != 56 }), count(device.CPUTemp.Ne(56)))
	assert.Equal(t, expect(func(d balenaclient.Device) bool { return d.CPUTemp == nil || *d.CPUTemp != 56 }), count(pine.Not(device.CPUTemp.Eq(56))))
	assert.Equal(t, count(device.Fleet.Eq(1)), count(device.Fleet.Where(fleet.ID.Eq(1))))
	assert.Equal(t, count(device.Fleet.Eq(1)), count(device.Fleet.In(1)))

	// A time that was read compares equal.
	for _, d := range all[:5] {
		assert.GreaterOrEqual(t, count(device.ModifiedAt.Eq(*d.ModifiedAt)), 1)
	}
}

func TestWithPageSize(t *testing.T) {
	t.Parallel()
	client, sim := simulated(t)
	want, err := client.Devices().Expand(device.RunningRelease.With(pine.Select(release.RawVersion))).List(t.Context())
	require.NoError(t, err)
	for _, size := range []int{1, 2, 7, 41, 42, 43} {
		sim.ResetRequests()
		got, err := client.Devices().Expand(device.RunningRelease.With(pine.Select(release.RawVersion))).PageSize(size).List(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, got, size)
		assert.Len(t, sim.Requests(), 42/size+1, size)
	}
}

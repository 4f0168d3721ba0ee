package balenasim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var birth = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func playing(t testing.TB, sc *Scenario, opts ...Option) *Simulator {
	t.Helper()
	sim := New(append([]Option{WithNow(func() time.Time { return birth })}, opts...)...)
	require.NoError(t, sim.Play(sc))
	return sim
}

func shippedScenario(t testing.TB, name string) *Scenario {
	t.Helper()
	sc, err := ShippedScenario(name)
	require.NoError(t, err)
	return sc
}

// number requests a count.
func number(t *testing.T, sim *Simulator, target string) int {
	t.Helper()
	w := get(sim, target)
	require.Equal(t, http.StatusOK, w.Code, target)
	var response struct{ D int }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &response), w.Body)
	return response.D
}

func TestSimulator_Play_Rollout(t *testing.T) {
	t.Parallel()
	sim := playing(t, shippedScenario(t, "rollout"))
	const behind = "/v7/device/$count?$filter=is_running__release/semver_minor%20lt%206"
	assert.Equal(t, 200, number(t, sim, behind), "before the release")
	start := time.Now()
	updating := 0
	for range 12 {
		sim.Step(5 * time.Minute)
		updating += number(t, sim, "/v7/device/$count?$filter=overall_status%20eq%20'updating'")
	}
	assert.Less(t, time.Since(start), 5*time.Second)
	assert.Positive(t, updating, "some devices are updating")
	left := number(t, sim, behind)
	assert.Less(t, left, 60, "only pinned, rejecting and offline devices are behind")
	assert.Positive(t, left)
	assert.Positive(t, number(t, sim, "/v7/device/$count?$filter=update_status%20eq%20'rejected'"))
	assert.Positive(t, number(t, sim, "/v7/image_install/$count?$filter=status%20eq%20'deleted'"))
}

func TestSimulator_Play_Outage(t *testing.T) {
	t.Parallel()
	sc := shippedScenario(t, "outage")
	sc.Life.DropsPerDay, sc.Faults = 0, nil
	sim := playing(t, sc)
	const lost = "/v7/device/$count?$filter=is_connected_to_vpn%20eq%20false"
	const disconnected = "/v7/device/$count?$filter=overall_status%20eq%20'disconnected'"
	assert.Zero(t, number(t, sim, lost))
	sim.Step(90 * time.Second)
	assert.InDelta(t, 36, number(t, sim, lost), 15, "60 % of two fleets of 30 devices")
	assert.Zero(t, number(t, sim, disconnected), "their heartbeat has not timed out yet")
	sim.Step(2 * time.Minute)
	assert.InDelta(t, 36, number(t, sim, disconnected), 15)
	sim.Step(15 * time.Minute)
	assert.Zero(t, number(t, sim, lost), "all are online again")
}

func TestSimulator_Play_ConcurrentWrites(t *testing.T) {
	t.Parallel()
	sim := playing(t, shippedScenario(t, "rollout"), WithToken("user"))
	for _, write := range []struct{ method, target, body string }{
		{http.MethodPatch, "/v7/device?$filter=belongs_to__application%20eq%203", `{"belongs_to__application":2}`},
		{http.MethodDelete, "/v7/application(4)", ""},
		{http.MethodDelete, "/v7/device?$filter=id%20lt%2010", ""},
		{http.MethodDelete, "/v7/image_install", ""},
	} {
		status, body := request(sim, write.method, write.target, write.body)
		require.Equal(t, http.StatusOK, status, body)
		sim.Step(2 * time.Minute)
	}
	sim.Step(2 * time.Hour)
	const moved = "/v7/application(2)?$select=id&$expand=owns__device/$count,service/$count"
	status, body := request(sim, http.MethodGet, moved, "")
	require.Equal(t, http.StatusOK, status)
	assert.NotContains(t, body, `"owns__device":0`)
}

func TestSimulator_Play_Faults(t *testing.T) {
	t.Parallel()
	sim := playing(t, shippedScenario(t, "outage"))
	assert.Empty(t, sim.Faults())
	sim.Step(3 * time.Minute)
	assert.Len(t, sim.Faults(), 1)
	sim.Step(2 * time.Minute)
	assert.Empty(t, sim.Faults())
}

func TestWithSeed(t *testing.T) {
	t.Parallel()
	live := func(seed uint64) string {
		sc := shippedScenario(t, "noisy")
		sc.Devices, sc.Faults = 60, nil
		sim := playing(t, sc, WithSeed(seed))
		sim.Step(20 * time.Minute)
		return get(sim, "/v7/device?$orderby=id%20asc&$expand=image_install").Body.String()
	}
	first := live(1)
	assert.Equal(t, first, live(1))
	assert.NotEqual(t, first, live(2))
}

func TestSimulator_Play_Churn(t *testing.T) {
	t.Parallel()
	sc := shippedScenario(t, "noisy")
	sc.Faults, sc.Rollout.Failing = nil, 0
	sim := playing(t, sc)
	sim.Step(30 * time.Minute)
	assert.Positive(t, number(t, sim, "/v7/device/$count?$filter=startswith(device_name,'renamed-')"))
	assert.NotEqual(t, 600, number(t, sim, "/v7/device/$count"))
	assert.Positive(t, number(t, sim, "/v7/device/$count?$filter=id%20gt%20600"), "new devices")
	assert.Zero(t, number(t, sim, "/v7/image_install/$count?$filter=device%20eq%20null"))
	const idle = "/v7/device/$count?$filter=is_running__release%20eq%20null%20and%20created_at%20lt%20(now()%20sub%20duration'PT15M')"
	assert.Zero(t, number(t, sim, idle), "new devices get a release, pinned ones their own")
}

func TestShippedScenario(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"calm", "noisy", "outage", "rollout"}, Scenarios())
	for _, name := range Scenarios() {
		sc := shippedScenario(t, name)
		assert.NotEmpty(t, sc.Description, name)
		sim := playing(t, sc)
		sim.Step(time.Minute)
		assert.Equal(t, sc.Devices, sim.Count("device"), name)
		assert.Equal(t, sc.Fleets+1, sim.Count("application"), name)
	}
}

func TestReadScenario_Invalid(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"fleets: 0":                               "fleets: 0 must be from 1",
		"devces: 3":                               "field devces not found",
		"life: {report_every: fast}":              "line 1: cannot unmarshal !!str `fast` into time.Duration; write durations like 10s",
		"life: {hot: 2}":                          "life.hot: 2 must be from 0 to 1",
		"outages: [{for: 1m, fleets: [9]}]":       "outages[0].fleets: 9 must be from 1 to 4",
		"faults: [{kind: explode}]":               "faults[0]: kind \"explode\": unknown fault",
		"rollout: {every: 0s, download: 1m}":      "rollout.every: 0s must be more than 0s",
		"life: {report_every: 0s}\nreleases: 500": "releases: 500 must be from 1 to 100",
	} {
		_, err := ReadScenario(strings.NewReader(text))
		assert.ErrorContains(t, err, says, text)
	}
	_, err := ShippedScenario("nosuch")
	assert.ErrorContains(t, err, "shipped are calm, noisy, outage, rollout")
}

func TestSimulator_Play_TokenExpiresAfter(t *testing.T) {
	t.Parallel()
	sc := shippedScenario(t, "calm")
	sc.TokenExpiresAfter = time.Hour
	sim := playing(t, sc)
	assert.JSONEq(t, `{"d":[{"expiry_date":"2026-11-22T13:00:00.000Z"}]}`, get(sim, "/v7/api_key?$select=expiry_date").Body.String())
	sim.Step(time.Hour + time.Second)
	assert.Equal(t, 401, get(sim, "/v7/api_key").Code)
	assert.Equal(t, 401, get(sim, "/actor/v1/whoami").Code)
}

func TestSimulator_Play_DeletedFleets(t *testing.T) {
	t.Parallel()
	sc := shippedScenario(t, "noisy")
	sc.Devices, sc.Life.LogsPerHour = 60, 0
	sim := playing(t, sc)
	fleets, err := sim.Rows("application", "is_host")
	require.NoError(t, err)
	fleets = slices.DeleteFunc(fleets, func(f map[string]any) bool { return f["is_host"] == true })
	remove := func(fleets []map[string]any) {
		for _, f := range fleets {
			require.NoError(t, sim.Delete("application", f["id"].(int64)))
		}
	}

	remove(fleets[:6])
	sim.Step(time.Hour)
	assert.Positive(t, sim.Count("device"))
	for _, resource := range []string{"device", "release"} {
		rows, err := sim.Rows(resource, "belongs_to__application")
		require.NoError(t, err)
		for _, row := range rows {
			fleet, err := sim.Row("application", row["belongs_to__application"].(int64))
			require.NoError(t, err)
			require.NotNil(t, fleet, "%s %d belongs to a deleted fleet", resource, row["id"])
		}
	}

	remove(fleets[6:])
	sim.Step(20 * time.Minute)
	assert.Zero(t, sim.Count("device"))
}

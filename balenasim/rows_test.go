package balenasim

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSimulator_Rows(t *testing.T) {
	t.Parallel()
	sim := loaded(t)
	devices, err := sim.Rows("device", "device_name", "is_online", "cpu_temp", "last_vpn_event",
		"belongs_to__application", "overall_status", "should_be_running__release", "note")
	require.NoError(t, err)
	require.Len(t, devices, sim.Count("device"))
	assert.Equal(t, map[string]any{
		"id": int64(1), "device_name": "warehouse-gateways-00", "is_online": true, "cpu_temp": int64(45),
		"last_vpn_event": time.Date(2026, 11, 22, 6, 22, 57, 55e6, time.UTC), "belongs_to__application": int64(1),
		"overall_status": "operational", "should_be_running__release": int64(8), "note": nil,
	}, devices[0])

	one, err := sim.Row("release", 8, "raw_version", "is_final")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"id": int64(8), "raw_version": "1.2.0", "is_final": true}, one)

	none, err := sim.Row("device", 4711)
	require.NoError(t, err)
	assert.Nil(t, none)
	_, err = sim.Rows("gadget")
	require.EqualError(t, err, `unknown resource "gadget"`)
	_, err = sim.Rows("device", "colour")
	require.EqualError(t, err, `device has no field "colour"`)
	assert.Empty(t, sim.Requests(), "Rows is not a request")
}

func TestSimulator_Update(t *testing.T) {
	t.Parallel()
	now := recordedAt.Add(time.Hour)
	sim := loaded(t, WithNow(func() time.Time { return now }))
	device := func(fields ...string) map[string]any {
		row, err := sim.Row("device", 1, fields...)
		require.NoError(t, err)
		delete(row, "id")
		return row
	}
	update := func(fields map[string]any) { require.NoError(t, sim.Update("device", 1, fields)) }

	update(map[string]any{"is_connected_to_vpn": false})
	assert.Equal(t, map[string]any{"is_online": false, "last_vpn_event": now, "last_connectivity_event": now},
		device("is_online", "last_vpn_event", "last_connectivity_event"))

	now = now.Add(time.Hour)
	update(map[string]any{"is_online": true})
	assert.Equal(t, map[string]any{"last_vpn_event": now.Add(-time.Hour), "last_connectivity_event": now},
		device("last_vpn_event", "last_connectivity_event"))

	given := now.Add(-time.Minute)
	update(map[string]any{"is_online": true, "last_connectivity_event": given, "api_heartbeat_state": "timeout"})
	assert.Equal(t, map[string]any{"last_connectivity_event": given, "changed_api_heartbeat_state_on__date": now},
		device("last_connectivity_event", "changed_api_heartbeat_state_on__date"), "given fields take precedence")

	update(map[string]any{"is_pinned_on__release": 8})
	update(map[string]any{"belongs_to__application": 2})
	moved := device("is_pinned_on__release", "should_be_running__release")
	fleet, err := sim.Row("application", 2, "should_be_running__release")
	require.NoError(t, err)
	assert.Nil(t, moved["is_pinned_on__release"])
	assert.Equal(t, fleet["should_be_running__release"], moved["should_be_running__release"])
	installs, err := sim.Rows("image_install", "device", "status")
	require.NoError(t, err)
	for _, install := range installs {
		if install["device"] == int64(1) {
			assert.Equal(t, "deleted", install["status"])
		}
	}
	assert.JSONEq(t, `{"d":0}`, get(sim, "/v7/service_install/$count?$filter=device%20eq%201%20and%20installs__service/application%20eq%201").Body.String())
	assert.NotEqual(t, `{"d":0}`, get(sim, "/v7/service_install/$count?$filter=device%20eq%201%20and%20installs__service/application%20eq%202").Body.String())

	require.NoError(t, sim.Update("application", 1, map[string]any{"app_name": "Renamed"}))
	renamed, err := sim.Row("application", 1, "slug")
	require.NoError(t, err)
	assert.Equal(t, "acme/renamed", renamed["slug"])

	require.NoError(t, sim.Delete("application", 1))
	assert.JSONEq(t, `{"d":0}`, get(sim, "/v7/device/$count?$filter=belongs_to__application%20eq%201").Body.String())
	require.EqualError(t, sim.Update("device", 4711, nil), "no device with id 4711")
}

func TestSimulator_AddUserKey(t *testing.T) {
	t.Parallel()
	now := recordedAt
	sim := loaded(t, WithToken("good"), WithNow(func() time.Time { return now }))
	expiry := now.Add(time.Hour)
	sim.AddUserKey("soon", expiry)
	sim.AddDeviceKey("device", firstDevice)
	const keys = "/v7/api_key?$select=key,expiry_date&$orderby=id%20asc"
	read := func(key string) (int, string) {
		w := get(sim, keys, "Authorization", "Bearer "+key)
		return w.Code, w.Body.String()
	}
	keyRequest := func(method, target, body string) int {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer good")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, r)
		return w.Code
	}
	status, body := read("soon")
	assert.Equal(t, 200, status)
	assert.JSONEq(t, `{"d":[{"key":"good","expiry_date":null},{"key":"soon","expiry_date":"`+expiry.Format("2006-01-02T15:04:05.000Z")+`"}]}`, body,
		"users read only their own keys")
	status, _ = read("device")
	assert.Equal(t, 401, status)
	assert.NotContains(t, sim.Requests()[0].Target, "soon")
	get(sim, "/v7/api_key?$filter=key%20eq%20'soon'", "Authorization", "Bearer soon")
	assert.NotContains(t, sim.Requests()[2].Target, "soon", "requests are logged without keys")

	now = expiry.Add(time.Second)
	status, _ = read("soon")
	assert.Equal(t, 401, status)
	require.Equal(t, 200, keyRequest("PATCH", "/v7/api_key?$filter=key%20eq%20'soon'", `{"expiry_date":null}`))
	status, _ = read("soon")
	assert.Equal(t, 200, status)
	require.Equal(t, 401, keyRequest("POST", "/v7/api_key", `{"key":"new","is_of__actor":2}`))
	require.Equal(t, 200, keyRequest("DELETE", "/v7/api_key?$filter=key%20eq%20'soon'", ""))
	status, _ = read("soon")
	assert.Equal(t, 401, status)
}

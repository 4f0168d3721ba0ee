package balenasim

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func request(sim *Simulator, method, target, body string) (int, string) {
	var e exchange
	e.Request.Method, e.Request.Target, e.Request.Body = method, target, body
	e.Request.Auth = "bearer api key"
	w := do(sim, e)
	return w.Code, w.Body.String()
}

func TestSimulator_Writes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, method, target, body string
		status                     int
		check, want                string // a read after the write
	}{
		{"a write without filter hits every row", http.MethodPatch, "/v7/application_tag", `{"value":"all"}`, 200,
			"/v7/application_tag/$count?$filter=value%20eq%20'all'", `{"d":10}`},
		{"a delete without filter hits every row", http.MethodDelete, "/v7/application_tag", "", 200,
			"/v7/application_tag/$count", `{"d":0}`},
		{"a pin changes the target", http.MethodPatch, "/v7/device(1)", `{"is_pinned_on__release":1}`, 200,
			"/v7/device(1)?$select=should_be_running__release", `{"d":[{"should_be_running__release":{"__id":1}}]}`},
		{"a pin to a release of another fleet is rejected", http.MethodPatch, "/v7/device(1)", `{"is_pinned_on__release":10}`, 400,
			"/v7/device(1)?$select=is_pinned_on__release", `{"d":[{"is_pinned_on__release":null}]}`},
		{"a pin to a failed release is rejected", http.MethodPatch, "/v7/device(1)", `{"is_pinned_on__release":7}`, 400,
			"/v7/device(1)?$select=is_pinned_on__release", `{"d":[{"is_pinned_on__release":null}]}`},
		{"v6 has the old name of the pin", http.MethodPatch, "/v6/device(1)", `{"should_be_running__release":1}`, 200,
			"/v7/device(1)?$select=is_pinned_on__release", `{"d":[{"is_pinned_on__release":{"__id":1}}]}`},
		{"a device that moves loses its pin", http.MethodPatch, "/v7/device(5)", `{"belongs_to__application":2}`, 200,
			"/v7/device(5)?$select=is_pinned_on__release", `{"d":[{"is_pinned_on__release":null}]}`},
		{"a device that moves keeps its images as deleted", http.MethodPatch, "/v7/device(1)", `{"belongs_to__application":2}`, 200,
			"/v7/image_install/$count?$filter=(device%20eq%201)%20and%20status%20ne%20'deleted'", `{"d":0}`},
		{"a device that moves gets the services of the new fleet", http.MethodPatch, "/v7/device(1)", `{"belongs_to__application":2}`, 200,
			"/v7/device(1)?$select=id&$expand=service_install($select=installs__service;$orderby=installs__service%20asc)",
			`{"d":[{"service_install":[{"installs__service":{"__id":4}},{"installs__service":{"__id":5}}],"id":1}]}`},
		{"a new name of a fleet changes its slug", http.MethodPatch, "/v7/application(1)", `{"app_name":"Renamed"}`, 200,
			"/v7/application(1)?$select=slug", `{"d":[{"slug":"acme/renamed"}]}`},
		{"a fleet is deleted with its devices", http.MethodDelete, "/v7/application(1)", "", 200,
			"/v7/device/$count", `{"d":28}`},
		{"the target release of a fleet cannot be deleted", http.MethodDelete, "/v7/release(8)", "", 400, "/v7/release/$count", `{"d":36}`},
		{"a pinned release cannot be deleted", http.MethodDelete, "/v7/release(1)", "", 400, "/v7/release/$count", `{"d":36}`},
		{"another release can be deleted", http.MethodDelete, "/v7/release(6)", "", 200, "/v7/release/$count", `{"d":35}`},
		{"a fleet that does not exist cannot be deleted by id", http.MethodDelete, "/v7/application(999)", "", 404, "/v7/application/$count", `{"d":7}`},
		{"a device cannot move to a fleet that does not exist", http.MethodPatch, "/v7/device(1)", `{"belongs_to__application":999}`, 404,
			"/v7/device(1)?$select=belongs_to__application", `{"d":[{"belongs_to__application":{"__id":1}}]}`},
		{"is_connected_to_vpn sets is_online", http.MethodPatch, "/v7/device(1)", `{"is_connected_to_vpn":false}`, 200,
			"/v7/device(1)?$select=is_online,overall_status", `{"d":[{"is_online":false,"overall_status":"reduced-functionality"}]}`},
		{"a device is deleted with its tags", http.MethodDelete, "/v7/device(1)", "", 200,
			"/v7/device_tag/$count?$filter=device%20eq%201", `{"d":0}`},
		{"a write changes all rows or none", http.MethodPatch, "/v7/device_tag?$filter=device%20eq%201", `{"tag_key":"same"}`, 409,
			"/v7/device_tag/$count?$filter=tag_key%20eq%20'same'", `{"d":0}`},
		{"a reference to a missing row is rejected", http.MethodPost, "/v7/device_tag", `{"device":999,"tag_key":"k","value":"v"}`, 409,
			"/v7/device_tag/$count", `{"d":63}`},
		{"reserved names are rejected", http.MethodPost, "/v7/device_environment_variable", `{"device":1,"name":"BALENA_X","value":"v"}`, 400,
			"/v7/device_environment_variable/$count", `{"d":15}`},
		{"a patch with only unknown fields fails", http.MethodPatch, "/v7/device(1)", `{"nosuch":1}`, 500,
			"/v7/device/$count", `{"d":42}`},
		{"a PUT on a natural key inserts the row", http.MethodPut, "/v7/device_tag(device=1,tag_key='new')", `{"value":"v"}`, 200,
			"/v7/device_tag(device=1,tag_key='new')?$select=value", `{"d":[{"value":"v"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			sim := recordedSimulator(t)
			status, body := request(sim, test.method, test.target, test.body)
			assert.Equal(t, test.status, status, body)
			_, got := request(sim, http.MethodGet, test.check, "")
			assert.Equal(t, test.want, got)
		})
	}
}

func TestQuery_PhysicalOrder(t *testing.T) {
	t.Parallel()
	sim := recordedSimulator(t)
	require.NoError(t, sim.Update("application", 1, map[string]any{"app_name": "renamed"}))
	_, got := request(sim, http.MethodGet, "/v7/application?$select=id", "")
	assert.Equal(t, `{"d":[{"id":2},{"id":3},{"id":4},{"id":5},{"id":6},{"id":7},{"id":1}]}`, got,
		"a write moves a row to the end")
}

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
		check, want                string // what a read then says
	}{
		{"a write without filter hits every row", http.MethodPatch, "/v7/application_tag", `{"value":"all"}`, 200,
			"/v7/application_tag/$count?$filter=value%20eq%20'all'", `{"d":10}`},
		{"a delete without filter hits every row", http.MethodDelete, "/v7/application_tag", "", 200,
			"/v7/application_tag/$count", `{"d":0}`},
		{"a pin changes the target", http.MethodPatch, "/v7/device(1)", `{"is_pinned_on__release":1}`, 200,
			"/v7/device(1)?$select=should_be_running__release", `{"d":[{"should_be_running__release":{"__id":1}}]}`},
		{"a pin to a release of another fleet is refused", http.MethodPatch, "/v7/device(1)", `{"is_pinned_on__release":10}`, 400,
			"/v7/device(1)?$select=is_pinned_on__release", `{"d":[{"is_pinned_on__release":null}]}`},
		{"a pin to a failed release is refused", http.MethodPatch, "/v7/device(1)", `{"is_pinned_on__release":7}`, 400,
			"/v7/device(1)?$select=is_pinned_on__release", `{"d":[{"is_pinned_on__release":null}]}`},
		{"v6 has the pin under its old name", http.MethodPatch, "/v6/device(1)", `{"should_be_running__release":1}`, 200,
			"/v7/device(1)?$select=is_pinned_on__release", `{"d":[{"is_pinned_on__release":{"__id":1}}]}`},
		{"a device that moves loses its pin", http.MethodPatch, "/v7/device(5)", `{"belongs_to__application":2}`, 200,
			"/v7/device(5)?$select=is_pinned_on__release", `{"d":[{"is_pinned_on__release":null}]}`},
		{"the VPN decides on being online", http.MethodPatch, "/v7/device(1)", `{"is_connected_to_vpn":false}`, 200,
			"/v7/device(1)?$select=is_online,overall_status", `{"d":[{"is_online":false,"overall_status":"reduced-functionality"}]}`},
		{"a device goes with all that is its own", http.MethodDelete, "/v7/device(1)", "", 200,
			"/v7/device_tag/$count?$filter=device%20eq%201", `{"d":0}`},
		{"a write takes all rows or none", http.MethodPatch, "/v7/device_tag?$filter=device%20eq%201", `{"tag_key":"same"}`, 409,
			"/v7/device_tag/$count?$filter=tag_key%20eq%20'same'", `{"d":0}`},
		{"a reference to nothing is refused", http.MethodPost, "/v7/device_tag", `{"device":999,"tag_key":"k","value":"v"}`, 409,
			"/v7/device_tag/$count", `{"d":63}`},
		{"reserved names are refused", http.MethodPost, "/v7/device_environment_variable", `{"device":1,"name":"BALENA_X","value":"v"}`, 400,
			"/v7/device_environment_variable/$count", `{"d":15}`},
		{"a patch of unknown fields only fails", http.MethodPatch, "/v7/device(1)", `{"nosuch":1}`, 500,
			"/v7/device/$count", `{"d":42}`},
		{"a PUT on a natural key makes the row", http.MethodPut, "/v7/device_tag(device=1,tag_key='new')", `{"value":"v"}`, 200,
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
		"a row that is written moves behind all others")
}

package balenasim

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const firstDevice = "827050a823694584bf5e9ff0ff50bde4"

func TestSimulator_Access(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	sim := loaded(t, WithToken("good"), WithNow(func() time.Time { return now }))
	sim.AddUserKey("expired", now.Add(-time.Second))
	sim.AddUserKey("soon", now.Add(time.Second))
	sim.AddUserKey("revoked", time.Time{})
	sim.RevokeKey("revoked")
	sim.AddDeviceKey("device", firstDevice)

	const (
		oneDevice = "/v7/device?$select=id&$filter=id%20eq%201"
		fleets    = "/v7/application?$select=id&$orderby=id%20asc"
		whoami    = "/actor/v1/whoami"
	)
	const device1 = `{"d":[{"id":1}]}`
	const publicFleets = `{"d":[{"id":6}]}`
	for _, test := range []struct {
		name, authorization, target string
		status                      int
		body                        string
	}{
		{"a user key sees devices", "Bearer good", oneDevice, 200, device1},
		{"the scheme is case-insensitive", "bearer good", oneDevice, 200, device1},
		{"a bare key is rejected", "good", oneDevice, 401, ""},
		{"the Token scheme is rejected", "Token good", oneDevice, 401, ""},
		{"a key in the query works", "", oneDevice + "&apikey=good", 200, device1},
		{"a bad key in the query fails", "Bearer good", oneDevice + "&apikey=bad", 500, ""},
		{"a key works until it expires", "Bearer soon", oneDevice, 200, device1},
		{"an expired key is rejected on devices", "Bearer expired", oneDevice, 401, ""},
		{"an expired key sees the public fleets", "Bearer expired", fleets, 200, publicFleets},
		{"a revoked key is rejected at once", "Bearer revoked", whoami, 401, ""},
		{"a bad key sees the public fleets", "Bearer bad", fleets, 200, publicFleets},
		{"a guest sees the public fleets", "", fleets, 200, publicFleets},
		{"a guest sees no device", "", "/v7/device", 401, ""},
		{"a guest does not see the devices of a public fleet", "", "/v7/application?$expand=owns__device", 401, ""},
		{"a guest sees device types", "", "/v7/device_type/$count", 200, `{"d":145}`},
		{"a guest has no direct access to fleets", "", fleets + "&$filter=is_directly_accessible_by__user/any(dau:true)", 200, `{"d":[]}`},
		{"a guest has no identity", "", whoami, 401, ""},
		{"a device sees itself", "Bearer device", "/v7/device?$select=id", 200, device1},
		{"a device does not see another", "Bearer device", "/v7/device(2)?$select=id", 200, `{"d":[]}`},
		{"a device sees no organization", "Bearer device", "/v7/organization?$select=id", 401, ""},
		{"a device sees its fleet", "Bearer device", "/v7/application(1)?$select=id", 200, device1},
		{"a device counts itself only", "Bearer device", "/v7/application(1)?$select=id&$expand=owns__device/$count", 200, `{"d":[{"owns__device":1,"id":1}]}`},
		{"whoami identifies a user", "Bearer good", whoami, 200,
			`{"id":2,"actorType":"user","actorTypeId":2,"username":"admin","email":"admin@oba.local"}`},
		{"whoami identifies a device", "Bearer device", whoami, 200,
			`{"id":4,"actorType":"device","actorTypeId":1,"uuid":"` + firstDevice + `"}`},
		{"user whoami returns the user name", "Bearer good", "/user/v1/whoami", 200, `{"id":2,"username":"admin","email":"admin@oba.local"}`},
		{"user whoami rejects a device key", "Bearer device", "/user/v1/whoami", 401, ""},
		{"ping needs no key", "", "/ping", 200, "OK"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := get(sim, test.target, "Authorization", test.authorization)
			assert.Equal(t, test.status, w.Code)
			assert.Equal(t, test.body, w.Body.String())
			if test.body == "" {
				assert.Empty(t, w.Header().Get("Content-Type"))
			}
		})
	}
}

func TestSimulator_DeviceKeyWrites(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, method, target, body string
		status                     int
	}{
		{"a device renames itself", http.MethodPatch, "/v7/device(1)", `{"device_name":"me"}`, 200},
		{"a device does not delete itself", http.MethodDelete, "/v7/device(1)", "", 401},
		{"a device tags itself", http.MethodPost, "/v7/device_tag", `{"device":1,"tag_key":"k","value":"v"}`, 201},
		{"a device does not tag another", http.MethodPost, "/v7/device_tag", `{"device":2,"tag_key":"k","value":"v"}`, 401},
		{"a device does not write its fleet", http.MethodPatch, "/v7/application(1)", `{"app_name":"mine"}`, 401},
		{"a device does not make fleets", http.MethodPost, "/v7/application", `{"app_name":"mine"}`, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			sim := recordedSimulator(t)
			var e exchange
			e.Name, e.Request.Auth = "devicekey", "other"
			e.Request.Method, e.Request.Target, e.Request.Body = test.method, test.target, test.body
			assert.Equal(t, test.status, do(sim, e).Code)
		})
	}
}

func TestSimulator_ReadOnlyResources(t *testing.T) {
	t.Parallel()
	sim := recordedSimulator(t)
	for _, resource := range []string{"organization", "device_type", "user", "cpu_architecture"} {
		status, _ := request(sim, http.MethodDelete, "/v7/"+resource, "")
		assert.Equal(t, http.StatusUnauthorized, status, resource)
	}
}

func TestSimulator_Paths(t *testing.T) {
	t.Parallel()
	sim := loaded(t)
	for target, status := range map[string]int{
		"/v7":                     http.StatusNotFound,
		"/v7/":                    http.StatusUnauthorized,
		"/v7/$metadata":           http.StatusUnauthorized,
		"/v7/Device":              http.StatusUnauthorized,
		"//v7/device":             http.StatusNotFound,
		"/v5/device":              http.StatusNotFound,
		"/v8/device":              http.StatusNotFound,
		"/resin/device":           http.StatusOK,
		"/nosuchpath":             http.StatusNotFound,
		"/config":                 http.StatusNotFound,
		"/v7/device/":             http.StatusBadRequest,
		"/v7/device?a=b&":         http.StatusBadRequest,
		"/v7/device?$a=b":         http.StatusBadRequest,
		"/v7/device?$top=":        http.StatusBadRequest,
		"/v7/device(99999999999)": http.StatusInternalServerError,
	} {
		assert.Equal(t, status, get(sim, target).Code, target)
	}
}

func TestSimulator_EntityTags(t *testing.T) {
	t.Parallel()
	sim := loaded(t)
	const target = "/v7/device?$orderby=id%20asc"
	plain := get(sim, target)
	tag := plain.Header().Get("ETag")
	zipped := get(sim, target, "Accept-Encoding", "gzip")
	assert.Equal(t, "gzip", zipped.Header().Get("Content-Encoding"))
	assert.Equal(t, tag, zipped.Header().Get("ETag"), "compression does not change the tag")
	assert.Less(t, zipped.Body.Len(), plain.Body.Len()/5)
	assert.Equal(t, http.StatusNotModified, get(sim, target, "If-None-Match", tag).Code)
	assert.Equal(t, http.StatusOK, get(sim, target, "If-None-Match", tag, "Cache-Control", "no-cache").Code)
	assert.NoError(t, sim.Update("device", 1, map[string]any{"device_name": "renamed"}))
	assert.Equal(t, http.StatusOK, get(sim, target, "If-None-Match", tag).Code)
	small := get(sim, "/v7/device?$select=id&$top=1", "Accept-Encoding", "gzip")
	assert.Empty(t, small.Header().Get("Content-Encoding"), "small bodies are not compressed")
}

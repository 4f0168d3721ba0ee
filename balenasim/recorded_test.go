package balenasim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
)

const recordedDir = "../testdata/recorded"

// exchange is a request to a real open-balena-api 49.0.12 and its response.
type exchange struct {
	Name    string
	Request struct {
		Method, Target, Body, Auth, Headers string
	}
	Response struct {
		Status  *int
		Headers map[string]string
		JSON    json.RawMessage
		Text    *string
	}
}

// notReplayed are the exchanges that are not replayed, with the reason.
var notReplayed = map[string]string{
	"apikey-new":                            "keys are created with AddUserKey",
	"apikey-list":                           "lists keys of the recorded session",
	"application-dau-resin":                 "the internal model has more fields",
	"device-one-allfields-resin":            "the internal model has more fields",
	"device-post-user":                      "the server generates the name of the device",
	"err-no-auth-device_type-v7":            "depends on the physical order of the rows",
	"http2-prior-knowledge":                 "no response was recorded",
	"http-enc-identity":                     "the devices had other metrics at the time",
	"http-if-none-match":                    "covered by TestSimulator_EntityTags",
	"misc-auth-v1-public-keys-admin-noauth": "SSH keys are not simulated",
	"misc-config-vars-noauth":               "the schema of configuration variables is not simulated",
	"misc-device-types-v1":                  "the legacy list of device types is not simulated",
	"state-v2-user":                         "target states are not simulated",
	"refresh-token-session":                 "sessions are not simulated",
	"ratelimit-login-01":                    "logins are not simulated",
	"ratelimit-login-02":                    "logins are not simulated",
	"ratelimit-login-07":                    "logins are not simulated",
	"ratelimit-login-08":                    "logins are not simulated",
	"ratelimit-login-12":                    "logins are not simulated",
	"ratelimit-devlogs-04":                  "TestLogWrites_RateLimit replays the series",
	"ratelimit-devlogs-05":                  "TestLogWrites_RateLimit replays the series",
	"ratelimit-devlogs-13":                  "TestLogWrites_RateLimit replays the series",
	"ratelimit-devlogs-14":                  "TestLogWrites_RateLimit replays the series",
	"ratelimit-devlogs-16":                  "TestLogWrites_RateLimit replays the series",
	"ratelimit-devlogs-17":                  "TestLogWrites_RateLimit replays the series",
}

func exchanges(t testing.TB) []exchange {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(recordedDir, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	out := make([]exchange, len(files))
	for i, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &out[i]), file)
	}
	return out
}

// recordedAt is shortly after the last recorded log line.
var recordedAt = time.Date(2026, 11, 22, 6, 30, 0, 0, time.UTC)

func recordedSimulator(t testing.TB) *Simulator {
	sim := loaded(t, WithToken("user"), WithClock(NewClock(recordedAt)))
	sim.AddDeviceKey("device", firstDevice)
	return sim
}

func do(sim http.Handler, e exchange) *httptest.ResponseRecorder {
	target := strings.TrimPrefix(e.Request.Target, "https://api.openbalena.test")
	body := e.Request.Body
	if e.Name == "body-too-large" { // the recording lacks the body
		body = `{"note":"` + strings.Repeat("x", 600<<10) + `"}`
	}
	r := httptest.NewRequest(e.Request.Method, "/", strings.NewReader(body))
	r.RequestURI = target
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range regexp.MustCompile(`'([\w-]+)': '([^']*)'`).FindAllStringSubmatch(e.Request.Headers, -1) {
		r.Header.Set(h[1], h[2])
	}
	switch {
	case e.Request.Auth == "bearer api key", e.Request.Auth == "session", e.Name == "nofilter-count-before",
		e.Name == "apikey-before-expiry":
		r.Header.Set("Authorization", "Bearer user")
	case strings.Contains(e.Name, "devicekey"), e.Name == "logs-post-too-many":
		r.Header.Set("Authorization", "Bearer device")
	case e.Request.Auth == "other":
		r.Header.Set("Authorization", "Bearer bad")
	}
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, r)
	return w
}

// requireResponse compares a response with the recorded one: status, content type
// and JSON. Generated values, such as ids and times of new rows, may differ.
func requireResponse(t *testing.T, e exchange, w *httptest.ResponseRecorder, generated bool) {
	t.Helper()
	require.Equal(t, *e.Response.Status, w.Code, w.Body)
	for _, name := range []string{"Content-Type", "Content-Encoding", "Cache-Control", "Retry-After"} {
		assert.Equal(t, e.Response.Headers[name], w.Header().Get(name), name)
	}
	digits := regexp.MustCompile(`\d+`)
	if want, ok := e.Response.Headers["location"]; ok {
		got := w.Header().Get("Location")
		assert.Equal(t, digits.ReplaceAllString(want, "N"), digits.ReplaceAllString(got, "N"))
	}
	if e.Response.JSON == nil {
		if w.Header().Get("Content-Encoding") == "" {
			assert.Equal(t, *e.Response.Text, w.Body.String())
		}
		return
	}
	want, got := decode(t, e.Response.JSON), decode(t, w.Body.Bytes())
	if q, err := odata.Parse(versionless(e.Request.Target)); err == nil && e.Request.Method == http.MethodGet {
		if o := last(q).Options; w.Code == http.StatusOK {
			sortUnordered(want, &o)
			sortUnordered(got, &o)
		}
	}
	if generated {
		want, got = mask(want), mask(got)
	}
	require.Equal(t, want, got)
}

func versionless(target string) string {
	target = strings.TrimPrefix(target, "https://api.openbalena.test")
	if len(target) > 3 && target[:2] == "/v" {
		return target[3:]
	}
	return ""
}

func decode(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(b, &v), string(b))
	return v
}

func mask(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			switch k {
			case "id", "created_at", "modified_at":
				v[k] = "made up"
			default:
				v[k] = mask(v[k])
			}
		}
	case []any:
		for i := range v {
			v[i] = mask(v[i])
		}
	}
	return v
}

func TestSimulator_RecordedExchanges(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	for _, q := range recordedQueries(t) {
		covered[q.Name] = true
	}
	replayed, reasons := 0, 0
	unchanged := recordedSimulator(t)
	for _, e := range exchanges(t) {
		if notReplayed[e.Name] != "" {
			reasons++
			continue
		}
		// The conformance test covers reads, and TestSimulator_RecordedWrites
		// covers series of writes.
		if covered[e.Name] || crudName.MatchString(e.Name) {
			continue
		}
		replayed++
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			sim := unchanged
			// A rejected write changes no rows.
			refused := *e.Response.Status >= http.StatusBadRequest && versionless(e.Request.Target) != ""
			if e.Request.Method != http.MethodGet && !refused || strings.HasPrefix(e.Name, "logs-history") {
				sim = recordedSimulator(t)
				prepare(t, sim, e.Name)
			}
			w := do(sim, e)
			requireResponse(t, e, w, e.Request.Method == http.MethodPost)
		})
	}
	assert.Len(t, notReplayed, reasons, "each reason has a recording")
	t.Logf("%d replayed", replayed)
}

// prepare creates the state in which an exchange was recorded.
func prepare(t *testing.T, sim *Simulator, name string) {
	t.Helper()
	switch {
	case name == "patch-natural-key", name == "put-natural-key":
		_, err := sim.Insert("device_tag", map[string]any{"device": 2, "tag_key": "noret", "value": "1"})
		require.NoError(t, err)
	case strings.HasPrefix(name, "logs-history"):
		var history struct{ Response struct{ JSON []LogLine } }
		b, err := os.ReadFile(filepath.Join(recordedDir, "logs-history-count-all.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &history))
		clock := NewClock(time.UnixMilli(0))
		now := sim.now
		sim.now = clock.Now
		for _, line := range history.Response.JSON {
			clock.Step(time.UnixMilli(line.CreatedAt).Sub(clock.Now()))
			require.NoError(t, sim.WriteLogs(firstDevice, line))
		}
		sim.now = now
	}
}

var crudName = regexp.MustCompile(`^crud-(\w+)-(v[67])-(\d[\w-]+)$`)

// TestSimulator_RecordedWrites replays recorded series of writes and reads: insert,
// conflict, read, update, delete, and writes that match nothing.
func TestSimulator_RecordedWrites(t *testing.T) {
	t.Parallel()
	steps := []string{"1post", "2post-conflict", "3get", "4patch", "5patch-filter", "6get-filter",
		"7delete-filter", "8delete-missing", "9patch-missing"}
	recorded := map[string]map[string]exchange{}
	bodies := map[string]string{}
	for _, e := range exchanges(t) {
		if m := crudName.FindStringSubmatch(e.Name); m != nil {
			life := m[1] + " " + m[2]
			if recorded[life] == nil {
				recorded[life] = map[string]exchange{}
			}
			recorded[life][m[3]] = e
			if e.Request.Method == http.MethodPost {
				bodies[m[1]] = e.Request.Body
			}
		}
	}
	require.NotEmpty(t, recorded)
	for life, exchanges := range recorded {
		t.Run(life, func(t *testing.T) {
			t.Parallel()
			resource, version, _ := strings.Cut(life, " ")
			sim := recordedSimulator(t)
			id := 0
			for _, step := range steps {
				e, ok := exchanges[step]
				if !ok {
					// Steps that were not recorded are still performed.
					e = unrecorded(step, resource, version, bodies[resource])
				}
				if e.Request.Target == "" {
					continue
				}
				e.Request.Target = regexp.MustCompile(`\(\d+\)`).ReplaceAllString(e.Request.Target, fmt.Sprintf("(%d)", id))
				w := do(sim, e)
				if step == "1post" {
					require.Equal(t, http.StatusCreated, w.Code, w.Body)
					var row struct{ ID int }
					require.NoError(t, json.Unmarshal(w.Body.Bytes(), &row))
					id = row.ID
				}
				if ok {
					requireResponse(t, e, w, true)
				}
			}
		})
	}
}

func unrecorded(step, resource, version, body string) exchange {
	var e exchange
	e.Request.Auth = "bearer api key"
	switch step {
	case "1post":
		e.Request.Method, e.Request.Target, e.Request.Body = http.MethodPost, "/"+version+"/"+resource, body
	case "5patch-filter":
		e.Request.Method, e.Request.Target = http.MethodPatch, "/"+version+"/"+resource+"(0)"
		e.Request.Body = `{"value":"3"}`
	case "7delete-filter":
		e.Request.Method, e.Request.Target = http.MethodDelete, "/"+version+"/"+resource+"(0)"
	}
	return e
}

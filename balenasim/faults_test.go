package balenasim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const onePage = "/v7/device?$select=id,device_name,is_online&$orderby=id%20asc&$top=10"

// served returns a simulator and a client that uses a real connection.
func served(t *testing.T, faults ...Fault) (*Simulator, func(target string) (*http.Response, error)) {
	t.Helper()
	sim := loaded(t)
	for _, f := range faults {
		_, err := sim.Inject(f)
		require.NoError(t, err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return sim, func(target string) (*http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+target, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer token")
		resp, err := client.Do(r)
		if err == nil {
			t.Cleanup(func() { resp.Body.Close() })
		}
		return resp, err
	}
}

func TestFault_Status(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault       Fault
		status      int
		body        string
		header, has string
	}{
		{Fault{Kind: Unauthorized}, 401, "", "", ""},
		{Fault{Kind: RateLimit}, 429, `"Too Many Requests"`, "Retry-After", "10"},
		{Fault{Kind: RateLimit, Delay: 1500 * time.Millisecond}, 429, `"Too Many Requests"`, "Retry-After", "2"},
		{Fault{Kind: RateLimit, RetryAfter: "absent"}, 429, `"Too Many Requests"`, "Retry-After", ""},
		{Fault{Kind: ServerError}, 500, "", "", ""},
		{Fault{Kind: BadGateway}, 502, proxyError, "Content-Type", "text/html"},
		{Fault{Kind: Unavailable}, 503, "", "", ""},
		{Fault{Kind: Redirect, Location: "http://other.example"}, 302, "", "Location", "http://other.example" + onePage},
	} {
		t.Run(string(test.fault.Kind)+" "+test.fault.RetryAfter, func(t *testing.T) {
			sim := loaded(t, WithClock(NewClock(recordedAt)))
			_, err := sim.Inject(test.fault)
			require.NoError(t, err)
			w := get(sim, onePage)
			assert.Equal(t, test.status, w.Code)
			assert.Equal(t, test.body, w.Body.String())
			if test.header != "" {
				assert.Equal(t, test.has, w.Header().Get(test.header))
			}
			assert.Equal(t, string(test.fault.Kind), sim.Requests()[0].Fault)
		})
	}
}

func TestFault_RetryAfterDate(t *testing.T) {
	t.Parallel()
	sim := loaded(t, WithClock(NewClock(recordedAt)))
	_, err := sim.Inject(Fault{Kind: RateLimit, RetryAfter: "date", Delay: time.Hour})
	require.NoError(t, err)
	end, err := http.ParseTime(get(sim, onePage).Header().Get("Retry-After"))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(time.Hour), end, 10*time.Second, "uses the wall clock")
}

func TestFault_Selection(t *testing.T) {
	t.Parallel()
	statuses := func(f Fault, targets ...string) []int {
		sim := loaded(t, WithSeed(1))
		f.Kind = ServerError
		_, err := sim.Inject(f)
		require.NoError(t, err)
		var out []int
		for _, target := range targets {
			out = append(out, get(sim, target).Code)
		}
		return out
	}
	four := []string{"/ping", "/ping", "/ping", "/ping"}
	assert.Equal(t, []int{200, 200, 500, 200}, statuses(Fault{Nth: 3}, four...))
	assert.Equal(t, []int{200, 500, 200, 500}, statuses(Fault{Every: 2}, four...))
	assert.Equal(t, []int{500, 500, 200, 200}, statuses(Fault{Times: 2}, four...))
	assert.Equal(t, []int{200, 500}, statuses(Fault{Path: "/v7/device"}, "/ping", onePage))
	assert.Equal(t, []int{200, 500, 500}, statuses(Fault{Path: "/v*/device*"}, "/ping", onePage, "/v6/device_tag"))
	assert.Equal(t, []int{200, 200}, statuses(Fault{Method: "POST"}, "/ping", onePage))
	mixed := statuses(Fault{Rate: 0.5}, append(four, four...)...)
	assert.Contains(t, mixed, 200)
	assert.Contains(t, mixed, 500)
	assert.Equal(t, mixed, statuses(Fault{Rate: 0.5}, append(four, four...)...), "a seed makes it reproducible")
}

func TestFault_BrokenConnection(t *testing.T) {
	t.Parallel()
	_, get := served(t, Fault{Kind: ResetConnection, Nth: 1}, Fault{Kind: CutBody, Nth: 1})
	_, err := get(onePage)
	require.Error(t, err, "reset")
	resp, err := get(onePage)
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "truncated")
	resp, err = get(onePage)
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
}

func TestFault_LargeBody(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	_, get := served(t, Fault{Kind: GzipBomb, Nth: 1, Bytes: size}, Fault{Kind: EndlessBody, Bytes: size})
	bombed, err := get(onePage)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, bombed.Body)
	require.NoError(t, err)
	assert.Greater(t, n, int64(size))
	long, err := get(onePage)
	require.NoError(t, err)
	assert.True(t, json.NewDecoder(long.Body).Decode(&struct{}{}) == nil, "the body is JSON")
}

func TestFault_WrongTypes(t *testing.T) {
	t.Parallel()
	sim := loaded(t)
	_, err := sim.Inject(Fault{Kind: WrongTypes, Nth: 1})
	require.NoError(t, err)
	_, err = sim.Inject(Fault{Kind: Nulls})
	require.NoError(t, err)
	const one = "/v7/device(1)?$select=id,device_name,is_online,is_of__device_type"
	assert.JSONEq(t, `{"d":[{"id":"1","device_name":21,"is_online":[true],"is_of__device_type":{"__id":"120"}}]}`, get(sim, one).Body.String())
	assert.JSONEq(t, `{"d":[{"id":null,"device_name":null,"is_online":null,"is_of__device_type":{"__id":null}}]}`, get(sim, one).Body.String())
}

func TestFault_Fields(t *testing.T) {
	t.Parallel()
	const two = "/v7/device?$select=id,device_name,is_online&$expand=is_of__device_type($select=id,slug)&$filter=id%20le%202&$orderby=id%20asc"
	rows := func(first string) string {
		return `{"d":[` + first + `,{"id":2,"device_name":"warehouse-gateways-01","is_online":true,"is_of__device_type":[{"id":118,"slug":"raspberrypi3-64"}]}]}`
	}
	for name, test := range map[string]struct {
		fault Fault
		want  string
	}{
		"a field of one row is null": {
			Fault{Kind: Nulls, Rows: []int64{1}, Fields: []string{"device_name"}},
			`{"id":1,"device_name":null,"is_online":true,"is_of__device_type":[{"id":120,"slug":"raspberrypi4-64"}]}`,
		},
		"a field of one row is missing": {
			Fault{Kind: MissingFields, Rows: []int64{1}, Fields: []string{"is_online"}},
			`{"id":1,"device_name":"warehouse-gateways-00","is_of__device_type":[{"id":120,"slug":"raspberrypi4-64"}]}`,
		},
		"a field of one row has the wrong type": {
			Fault{Kind: WrongTypes, Rows: []int64{1}, Fields: []string{"id"}},
			`{"id":"1","device_name":"warehouse-gateways-00","is_online":true,"is_of__device_type":[{"id":"120","slug":"raspberrypi4-64"}]}`,
		},
		"an expanded navigation has the wrong type": {
			Fault{Kind: WrongTypes, Rows: []int64{1}, Fields: []string{"is_of__device_type"}},
			`{"id":1,"device_name":"warehouse-gateways-00","is_online":true,"is_of__device_type":"unexpected"}`,
		},
		"all values of one row are null": {
			Fault{Kind: Nulls, Rows: []int64{1}},
			`{"id":null,"device_name":null,"is_online":null,"is_of__device_type":[{"id":null,"slug":null}]}`,
		},
		"rows that are not in the response are not hit": {
			Fault{Kind: Nulls, Rows: []int64{7}},
			`{"id":1,"device_name":"warehouse-gateways-00","is_online":true,"is_of__device_type":[{"id":120,"slug":"raspberrypi4-64"}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim := loaded(t)
			_, err := sim.Inject(test.fault)
			require.NoError(t, err)
			assert.JSONEq(t, rows(test.want), get(sim, two).Body.String())
		})
	}
}

func TestFault_Query(t *testing.T) {
	t.Parallel()
	const (
		list   = "/v7/application?$select=id,slug"
		online = "/v7/application?$select=id&$expand=owns__device/$count($filter=is_online%20eq%20true)"
	)
	sim := loaded(t)
	codes := func() []int { return []int{get(sim, list).Code, get(sim, online).Code} }
	for query, want := range map[string][]int{
		"*owns__device/$count*": {200, 500}, "!*owns__device/$count*": {500, 200}, "*is_online eq true*": {200, 500},
	} {
		sim.ClearFaults()
		_, err := sim.Inject(Fault{Kind: ServerError, Path: "/v7/application", Query: query, Times: 1})
		require.NoError(t, err)
		assert.Equal(t, want, codes(), query)
		assert.Equal(t, []int{200, 200}, codes(), "the fault is over")
	}
}

func TestFault_PausedPage(t *testing.T) {
	t.Parallel()
	sim := loaded(t)
	_, err := sim.Inject(Fault{Kind: PausedPage, Nth: 1, During: func() {
		assert.NoError(t, sim.Delete("device", 1))
	}})
	require.NoError(t, err)
	assert.Contains(t, get(sim, onePage).Body.String(), `{"id":1,`, "the page was created before")
	assert.NotContains(t, get(sim, onePage).Body.String(), `{"id":1,`)
}

func TestSimulator_Inject_Invalid(t *testing.T) {
	t.Parallel()
	sim := New()
	for _, test := range []struct {
		fault Fault
		says  string
	}{
		{Fault{Kind: "explode"}, "one of unauthorized, rate-limit"},
		{Fault{Kind: ServerError, Rate: 2}, "from 0 to 1"},
		{Fault{Kind: ServerError, Nth: -1}, "cannot be negative"},
		{Fault{Kind: RateLimit, RetryAfter: "soon"}, "seconds, date or absent"},
		{Fault{Kind: ServerError, Rows: []int64{1}}, "rows and fields apply to wrong-types, nulls and missing-fields, not to server-error"},
	} {
		_, err := sim.Inject(test.fault)
		assert.ErrorContains(t, err, test.says)
	}
}

func TestSimulator_AdminHandler(t *testing.T) {
	t.Parallel()
	sim := loaded(t)
	admin := httptest.NewServer(sim.AdminHandler())
	defer admin.Close()
	call := func(method, path, body string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, admin.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		resp, err := admin.Client().Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, strings.TrimSpace(string(b))
	}
	status, body := call("POST", "/faults", `{"kind":"rate-limit","path":"/v7/*","delay":"7s"}`)
	assert.Equal(t, 201, status)
	assert.JSONEq(t, `{"id":1}`, body)
	assert.Equal(t, "7", get(sim, onePage).Header().Get("Retry-After"))
	_, body = call("GET", "/faults", "")
	assert.JSONEq(t, `{"1":{"kind":"rate-limit","path":"/v7/*","delay":"7s"}}`, body)
	_, body = call("GET", "/counters", "")
	assert.Contains(t, body, `"faults":1`)
	status, body = call("POST", "/faults", `{"kind":"nosuch"}`)
	assert.Equal(t, 400, status)
	assert.Contains(t, body, "unknown fault")
	for body, says := range map[string]string{
		`{"kind":"slow-body","delay":"soon"}`: `delay "soon" is not a duration; write it like 10s or 1m30s`,
		`{"kind":"slow-body","dealy":"1s"}`:   `unknown field "dealy"`,
	} {
		status, reply := call("POST", "/faults", body)
		assert.Equal(t, 400, status)
		assert.Contains(t, reply, says)
	}
	status, _ = call("DELETE", "/faults/1", "")
	assert.Equal(t, 200, status)
	status, _ = call("DELETE", "/faults/1", "")
	assert.Equal(t, 404, status)
	assert.Equal(t, 200, get(sim, onePage).Code)
}

package balenaclient_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
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
	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// exchange is a request to a real open-balena-api 49, and its response.
type exchange struct {
	Name   string `json:"name"`
	Target string `json:"target"`
	answer
}

type answer struct {
	Status int             `json:"status"`
	JSON   json.RawMessage `json:"json"`
	Text   string          `json:"text"`
}

// exchanges are the reads that were recorded.
var exchanges = sync.OnceValue(func() []exchange {
	var all []exchange
	file, err := os.Open("../testdata/conformance/queries.jsonl")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var line struct {
			Name, Target string
			Response     answer
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			panic(err)
		}
		all = append(all, exchange{line.Name, line.Target, line.Response})
	}
	names, err := filepath.Glob("../testdata/recorded/*.json")
	if err != nil || len(names) == 0 {
		panic(fmt.Sprint("no recorded exchanges: ", err))
	}
	for _, name := range names {
		var file struct {
			Name    string
			Request struct {
				Method, Target string
				Auth           string
			}
			Response answer
		}
		data, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(data, &file)
		}
		if err != nil {
			panic(fmt.Sprint(name, ": ", err))
		}
		if file.Request.Method == http.MethodGet {
			all = append(all, exchange{file.Name, file.Request.Target, file.Response})
		}
	}
	return all
})

// replay responds as the real server did, and with 418 to requests that were not recorded.
type replay struct {
	name string // of the only exchange to replay, if not empty

	mu       sync.Mutex
	requests []*http.Request
}

func (r *replay) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.requests = append(r.requests, request)
	r.mu.Unlock()
	response := &http.Response{StatusCode: http.StatusTeapot, Header: http.Header{}, Body: http.NoBody, Request: request}
	for _, e := range exchanges() {
		if e.Target == request.URL.RequestURI() && (r.name == "" || r.name == e.Name) {
			body := e.Text
			if e.JSON != nil {
				body = string(e.JSON)
			}
			response.StatusCode, response.Body = e.Status, io.NopCloser(strings.NewReader(body))
			break
		}
	}
	return response, nil
}

func replaying(t testing.TB, options ...balenaclient.Option) (*balenaclient.Client, *replay) {
	t.Helper()
	transport := &replay{}
	client, err := balenaclient.New(append([]balenaclient.Option{
		balenaclient.WithToken("key"), balenaclient.WithHTTPClient(&http.Client{Transport: transport}),
	}, options...)...)
	require.NoError(t, err)
	return client, transport
}

// inProcess calls a handler without a network.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	body, w := io.Pipe()
	response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, Request: r}
	served := r.Clone(r.Context())
	served.RequestURI = r.URL.RequestURI()
	if served.Body == nil {
		served.Body = http.NoBody
	}
	var b strings.Builder
	p.Handler.ServeHTTP(&inProcessWriter{response, &b}, served)
	go func() {
		_, err := io.WriteString(w, b.String())
		w.CloseWithError(err)
	}()
	return response, nil
}

type inProcessWriter struct {
	response *http.Response
	body     *strings.Builder
}

func (w *inProcessWriter) Header() http.Header         { return w.response.Header }
func (w *inProcessWriter) WriteHeader(status int)      { w.response.StatusCode = status }
func (w *inProcessWriter) Write(p []byte) (int, error) { return w.body.Write(p) }

// simulated is a client of a simulator that holds the rows of the real server.
func simulated(t testing.TB, options ...balenaclient.Option) (*balenaclient.Client, *balenasim.Simulator) {
	t.Helper()
	sim := balenasim.New(balenasim.WithToken("key"))
	require.NoError(t, sim.Load(os.DirFS("../testdata/conformance/dataset")))
	client, err := balenaclient.New(append([]balenaclient.Option{
		balenaclient.WithToken("key"), balenaclient.WithHTTPClient(&http.Client{Transport: inProcess{sim}}),
	}, options...)...)
	require.NoError(t, err)
	return client, sim
}

func at(t *testing.T, text string) *time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return &parsed
}

func rows[T any](query func(*balenaclient.Client) pine.Query[T]) func(*testing.T, *balenaclient.Client) (int, error) {
	return func(t *testing.T, c *balenaclient.Client) (int, error) {
		rows, err := query(c).List(t.Context())
		return len(rows), err
	}
}

func count[T any](query func(*balenaclient.Client) pine.Query[T]) func(*testing.T, *balenaclient.Client) (int, error) {
	return func(t *testing.T, c *balenaclient.Client) (int, error) { return query(c).Count(t.Context()) }
}

// The real server has responded to exactly these requests.
func TestQuery_RecordedURLs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *balenaclient.Client) (int, error)
		want int
	}{
		{"a device by its uuid", func(t *testing.T, c *balenaclient.Client) (int, error) {
			d, err := c.Devices().Select(device.UUID, device.Name).GetBy(t.Context(), device.ByUUID("827050a823694584bf5e9ff0ff50bde4"))
			assert.Equal(t, balenaclient.Device{ID: 1, UUID: "827050a823694584bf5e9ff0ff50bde4", Name: "warehouse-gateways-00"}, d)
			return 1, err
		}, 1},
		{"devices behind an id", rows(func(c *balenaclient.Client) pine.Query[balenaclient.Device] {
			return c.Devices().Select(device.ID).Where(device.ID.Gt(3)).PageSize(3).OrderBy(device.ID.Asc()).Top(3)
		}), 3},
		{"devices whose address contains a text", rows(func(c *balenaclient.Client) pine.Query[balenaclient.Device] {
			return c.Devices().Select(device.Fleet, device.LockedUntil, device.MACAddress, device.MemoryTotal, device.Status).
				Where(device.IPAddress.Contains("92.")).OrderBy(device.ID.Asc())
		}), 39},
		{"devices without a temperature", rows(func(c *balenaclient.Client) pine.Query[balenaclient.Device] {
			return c.Devices().Select(device.PinnedRelease, device.LastConnectivityEvent).Where(device.CPUTemp.IsNull()).OrderBy(device.ID.Asc())
		}), 5},
		{"devices of another temperature, among them those without one", count(func(c *balenaclient.Client) pine.Query[balenaclient.Device] {
			return c.Devices().Where(device.CPUTemp.Ne(56))
		}), 40},
		{"devices that were ever connected", rows(func(c *balenaclient.Client) pine.Query[balenaclient.Device] {
			return c.Devices().Select(device.HeartbeatChangedAt).Where(device.LastVPNEvent.NotNull()).OrderBy(device.ID.Desc())
		}), 36},
		{"devices of one status", rows(func(c *balenaclient.Client) pine.Query[balenaclient.Device] {
			return c.Devices().Select(device.CreatedAt, device.LastConnectivityEvent, device.StorageUsage).
				Where(device.Status.In("Idle")).OrderBy(device.ID.Desc()).Top(13)
		}), 13},
		{"devices with slashes in a text", rows(func(c *balenaclient.Client) pine.Query[balenaclient.Device] {
			return c.Devices().Select(device.CPUID).Where(device.StorageBlockDevice.In("/dev/mmcblk0p6")).OrderBy(device.ID.Asc())
		}), 39},
		{"devices with one of several values", count(func(c *balenaclient.Client) pine.Query[balenaclient.Device] {
			return c.Devices().Where(device.MemoryUsage.In(1280, 1676, 800, 1404))
		}), 4},
		{"devices that meet one of two conditions, in two orders", rows(func(c *balenaclient.Client) pine.Query[balenaclient.Device] {
			return c.Devices().Select(device.IsConnectedToVPN, device.SupervisorVersion).
				Where(device.IsConnectedToVPN.Eq(true).Or(device.IsConnectedToVPN.Ne(true))).OrderBy(device.LocalID.Desc(), device.ID.Asc()).Top(8)
		}), 8},
		{"fleets but one", count(func(c *balenaclient.Client) pine.Query[balenaclient.Fleet] {
			return c.AllFleets().Where(fleet.Slug.Ne("acme/edge-cameras"))
		}), 6},
		{"fleets that are not otherwise than not public", count(func(c *balenaclient.Client) pine.Query[balenaclient.Fleet] {
			return c.AllFleets().Where(pine.Not(fleet.IsPublic.Ne(false)))
		}), 6},
		{"fleets that track their latest release", rows(func(c *balenaclient.Client) pine.Query[balenaclient.Fleet] {
			return c.AllFleets().Select(fleet.IsArchived, fleet.IsPublic, fleet.Organization, fleet.Slug).
				Where(fleet.TracksLatestRelease.Eq(true)).OrderBy(fleet.ID.Desc())
		}), 7},
		{"releases with a note", count(func(c *balenaclient.Client) pine.Query[balenaclient.Release] {
			return c.Releases().Where(release.Note.NotNull())
		}), 4},
		{"releases updated before a time", count(func(c *balenaclient.Client) pine.Query[balenaclient.Release] {
			return c.Releases().Where(release.UpdatedAt.Lt(time.Date(2026, 11, 22, 6, 22, 43, 540_000_000, time.UTC)))
		}), 8},
		{"images of small ids", rows(func(c *balenaclient.Client) pine.Query[balenaclient.Image] {
			return c.Images().Select(image.ContentHash, image.CreatedAt, image.Service, image.Location).Where(image.ID.Le(22)).OrderBy(image.ID.Asc())
		}), 22},
		{"images without an error", rows(func(c *balenaclient.Client) pine.Query[balenaclient.Image] {
			return c.Images().Select(image.ErrorMessage, image.Status).Where(pine.Not(image.ErrorMessage.NotNull())).
				OrderBy(image.ProjectType.Desc(), image.ID.Asc())
		}), 56},
		{"tags whose key contains a text", count(func(c *balenaclient.Client) pine.Query[balenaclient.DeviceTag] {
			return c.DeviceTags().Where(devicetag.Key.Contains("ite"))
		}), 42},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, _ := replaying(t)
			got, err := tt.run(t, client)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

// recordedRows are the rows of a recorded response.
func recordedRows[T any](t *testing.T, name string) []T {
	t.Helper()
	for _, e := range exchanges() {
		if e.Name == name {
			var answer struct {
				D []T `json:"d"`
			}
			require.NoError(t, json.Unmarshal(e.JSON, &answer))
			return answer.D
		}
	}
	t.Fatalf("no exchange %q", name)
	return nil
}

func TestDevice_Recorded(t *testing.T) {
	t.Parallel()
	n := func(v int64) *int64 { return &v }
	rows := recordedRows[balenaclient.Device](t, "device-one-allfields-v7")
	require.Len(t, rows, 1)
	assert.Equal(t, balenaclient.Device{
		ID:                      1,
		UUID:                    "827050a823694584bf5e9ff0ff50bde4",
		Name:                    "warehouse-gateways-00",
		CreatedAt:               at(t, "2026-11-22T06:22:43.592Z"),
		ModifiedAt:              at(t, "2026-11-22T06:22:57.092Z"),
		Actor:                   pine.Ref[balenaclient.Actor]{ID: 4},
		Fleet:                   pine.Ref[balenaclient.Fleet]{ID: 1},
		DeviceType:              pine.Ref[balenaclient.DeviceType]{ID: 120},
		IsOnline:                true,
		LastConnectivityEvent:   at(t, "2026-11-22T06:22:57.055Z"),
		IsConnectedToVPN:        true,
		LastVPNEvent:            at(t, "2026-11-22T06:22:57.055Z"),
		HeartbeatState:          "online",
		HeartbeatChangedAt:      at(t, "2026-11-22T06:22:43.887Z"),
		OverallStatus:           "operational",
		Status:                  "Idle",
		UpdateStatus:            "done",
		LastUpdateStatusEvent:   at(t, "2026-11-22T06:22:43.926Z"),
		RunningRelease:          pine.Ref[balenaclient.Release]{ID: 6},
		TargetRelease:           pine.Ref[balenaclient.Release]{ID: 8},
		PinnedRelease:           pine.NoRef[balenaclient.Release](),
		TargetOSRelease:         pine.NoRef[balenaclient.Release](),
		TargetSupervisorRelease: pine.NoRef[balenaclient.Release](),
		OSVersion:               "balenaOS 2.108.1",
		OSVariant:               "dev",
		SupervisorVersion:       "14.4.4",
		MemoryUsage:             n(672),
		MemoryTotal:             n(3790),
		StorageUsage:            n(2543),
		StorageTotal:            n(28431),
		StorageBlockDevice:      "/dev/mmcblk0p6",
		CPUUsage:                n(19),
		CPUTemp:                 n(45),
		CPUID:                   "28f49481a0a04dc4",
		IPAddress:               "192.168.0.10 fe80::0:10",
		MACAddress:              "02:00:00:00:00:01",
	}, rows[0])
}

func TestDevice_Recorded_NeverReported(t *testing.T) {
	t.Parallel()
	client, _ := simulated(t)
	d, err := client.Devices().Get(t.Context(), 9)
	require.NoError(t, err)
	assert.Equal(t, "unknown", d.HeartbeatState)
	assert.Equal(t, "configuring", d.OverallStatus)
	for _, value := range []*int64{d.MemoryUsage, d.MemoryTotal, d.StorageUsage, d.StorageTotal, d.CPUUsage, d.CPUTemp, d.OverallProgress, d.DownloadProgress} {
		assert.Nil(t, value)
	}
	assert.Nil(t, d.LastConnectivityEvent)
}

func TestRelease_Recorded(t *testing.T) {
	t.Parallel()
	rows := recordedRows[balenaclient.Release](t, "release-all-fields-v7")
	require.Len(t, rows, 1)
	r := rows[0]
	assert.EqualValues(t, 9, r.ID)
	assert.Equal(t, "382567b85cab4c97a63f1c97956269f0", r.Commit)
	assert.Equal(t, "1.3.0-1794810161000", r.RawVersion)
	assert.Equal(t, "1.3.0", r.Semver)
	assert.Nil(t, r.Revision)
	assert.Equal(t, "running", r.Status)
	assert.Equal(t, "cloud", r.Source)
	assert.False(t, r.IsFinal)
	assert.True(t, r.IsPassingTests)
	assert.EqualValues(t, 1, r.Fleet.ID)
	assert.Equal(t, at(t, "2026-11-16T06:22:41Z"), r.StartedAt)
	assert.Nil(t, r.EndedAt)
	assert.JSONEq(t, `"2.1"`, string(regexp.MustCompile(`"version":\s*("2.1")`).FindSubmatch(r.Composition)[1]))
}

func TestImageInstall_Recorded(t *testing.T) {
	t.Parallel()
	client, _ := simulated(t)
	rows, err := client.ImageInstalls().Where(imageinstall.Status.Ne("deleted"), imageinstall.Device.Eq(1)).Expand(
		imageinstall.Image.With(pine.Query[balenaclient.Image]{}),
		imageinstall.Release.With(pine.Select[balenaclient.Release](release.Commit, release.RawVersion)),
		imageinstall.Device.With(pine.Select[balenaclient.Device](device.UUID)),
	).List(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, rows)
	first := rows[0]
	assert.Equal(t, "Running", first.Status)
	assert.Equal(t, at(t, "2026-11-22T06:22:43.945Z"), first.InstalledAt)
	img, ok := first.Image.Row()
	require.True(t, ok)
	assert.EqualValues(t, 16, first.Image.ID)
	require.NotNil(t, img.Size)
	assert.Equal(t, int64(3044295294), *img.Size, "a big integer, which the server sends as a text")
	assert.Equal(t, "success", img.Status)
	assert.Empty(t, img.BuildLog, "it is large, and nobody asked for it")
	rel, ok := first.Release.Row()
	require.True(t, ok)
	assert.Equal(t, "1.1.0+rev1", rel.RawVersion)
	dev, ok := first.Device.Row()
	require.True(t, ok)
	assert.Equal(t, "827050a823694584bf5e9ff0ff50bde4", dev.UUID)
}

func TestFleet_Recorded_DeviceCount(t *testing.T) {
	t.Parallel()
	client, sim := simulated(t)
	fleets, err := client.Fleets().Where(fleet.IsHost.Eq(false), fleet.IsArchived.Eq(false), fleet.Class.Eq("fleet")).
		Select(fleet.Slug).Expand(fleet.Devices.Count(device.IsOnline.Eq(true))).List(t.Context())
	require.NoError(t, err)
	online := map[string]int{}
	for _, f := range fleets {
		online[f.Slug] = f.Devices.Count
		assert.Nil(t, f.Devices.Rows)
	}
	var want struct {
		D []struct {
			Slug    string `json:"slug"`
			Devices int    `json:"owns__device"`
			Host    bool   `json:"is_host"`
			Class   string `json:"is_of__class"`
			Archive bool   `json:"is_archived"`
		} `json:"d"`
	}
	at := slices.IndexFunc(exchanges(), func(e exchange) bool { return e.Name == "fleets-online-count-v7" })
	require.NoError(t, json.Unmarshal(exchanges()[at].JSON, &want))
	n := 0
	for _, f := range want.D {
		if !f.Host && f.Class == "fleet" && !f.Archive {
			assert.Equal(t, f.Devices, online[f.Slug], f.Slug)
			n++
		}
	}
	assert.Len(t, online, n)
	require.Len(t, sim.Requests(), 1)
	assert.Contains(t, sim.Requests()[0].Target, "is_directly_accessible_by__user/any(x1:1%20eq%201)", "the form that was measured")
}

func TestClient_WhoAmI(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		exchange string
		want     balenaclient.WhoAmI
		is       error
	}{
		"of a user": {"misc-actor-v1-whoami", balenaclient.WhoAmI{
			ActorID: 2, ActorType: "user", TypeID: 2, Username: "admin", Email: "admin@oba.local",
		}, nil},
		"of a device": {"misc-actor-whoami-devicekey", balenaclient.WhoAmI{
			ActorID: 4, ActorType: "device", TypeID: 1, UUID: "827050a823694584bf5e9ff0ff50bde4",
		}, nil},
		"of nobody": {"misc-actor-whoami-bad", balenaclient.WhoAmI{}, balenaclient.ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, transport := replaying(t)
			transport.name = tt.exchange
			got, err := client.WhoAmI(t.Context())
			require.ErrorIs(t, err, tt.is)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, "https://api.balena-cloud.com/actor/v1/whoami", transport.requests[0].URL.String())
		})
	}
	for _, body := range []string{`null`, `{}`, `{"id":5}`, `[]`, `<html>`} {
		t.Run("of a server that responds with "+body, func(t *testing.T) {
			t.Parallel()
			client, err := balenaclient.New(balenaclient.WithoutToken(), balenaclient.WithHTTPClient(&http.Client{Transport: inProcess{http.HandlerFunc(
				func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) },
			)}}))
			require.NoError(t, err)
			_, err = client.WhoAmI(t.Context())
			require.ErrorIs(t, err, balenaclient.ErrMalformed)
			assert.ErrorContains(t, err, "GET /actor/v1/whoami")
		})
	}
}

func TestError_Recorded(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		path string
		is   error
		want string
	}{
		"a malformed filter":       {"/v7/device?$filter=is_online%20eqq%20true", balenaclient.ErrBadRequest, "400 Bad Request: Malformed url: '/v7/device?$filter=is_online"},
		"an unknown column":        {"/v7/device?$select=id,nosuchfield", balenaclient.ErrServer, "500 Internal Server Error"},
		"an unknown resource":      {"/v7/nosuchthing", balenaclient.ErrUnauthorized, "401 Unauthorized"},
		"what was never asked for": {"/teapot", nil, "418 I'm a teapot"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, transport := replaying(t)
			_, err := pine.GetDocument[any](t.Context(), client.Pine(), tt.path)
			require.ErrorContains(t, err, tt.want)
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			assert.Len(t, transport.requests, 1)
		})
	}
}

func TestOption_Invalid(t *testing.T) {
	t.Parallel()
	for want, option := range map[string]balenaclient.Option{
		"balenaclient: the token is empty":                           balenaclient.WithToken(""),
		"balenaclient: the HTTP client is nil":                       balenaclient.WithHTTPClient(nil),
		`pine: base URL "" must start with https:// and name a host`: balenaclient.WithBaseURL(""),
		`pine: base URL "http://api.example.com" would send the token in clear text: use https, or allow insecure http`: balenaclient.WithBaseURL("http://api.example.com"),
	} {
		_, err := balenaclient.New(balenaclient.WithoutToken(), option)
		require.EqualError(t, err, want)
	}
	for _, option := range []balenaclient.Option{
		balenaclient.WithPageSize(-1), balenaclient.WithRequestLimit(-1), balenaclient.WithRequestTimeout(-1),
		balenaclient.WithMaxResponseSize(-1), balenaclient.WithRetry(pine.Retry{MaxAttempts: -1}),
	} {
		_, err := balenaclient.New(balenaclient.WithoutToken(), option)
		require.EqualError(t, err, "pine: sizes, times and limits must not be negative")
	}
	_, err := balenaclient.New(balenaclient.WithoutToken(), balenaclient.WithBaseURL("http://api.example.com"), balenaclient.WithInsecureHTTP())
	require.NoError(t, err)
}

func TestOption_Requests(t *testing.T) {
	t.Parallel()
	var calls []pine.Call
	client, transport := replaying(t,
		balenaclient.WithBaseURL("https://api.balena.example.com/"),
		balenaclient.WithUserAgent("otelcol-balena/1.2.3"),
		balenaclient.WithPageSize(7),
		balenaclient.WithObserver(func(call pine.Call) { calls = append(calls, call) }),
		balenaclient.WithRetry(pine.Retry{MaxAttempts: 1}),
		balenaclient.WithRequestLimit(1000), balenaclient.WithRequestTimeout(time.Second), balenaclient.WithMaxResponseSize(1<<20),
	)
	_, err := client.Organizations().List(t.Context())
	require.ErrorContains(t, err, "418")
	require.Len(t, transport.requests, 1)
	request := transport.requests[0]
	assert.Equal(t, "api.balena.example.com", request.URL.Host)
	assert.True(t, strings.HasSuffix(request.URL.RequestURI(), "&$orderby=id%20asc&$top=7"), request.URL.RequestURI())
	assert.Equal(t, "Bearer key", request.Header.Get("Authorization"))
	assert.Equal(t, "otelcol-balena/1.2.3", request.Header.Get("User-Agent"))
	assert.Equal(t, "otelcol-balena/1.2.3", request.Header.Get("X-Balena-Client"))
	require.Len(t, calls, 1)
	assert.Equal(t, "organization", calls[0].Resource)
}

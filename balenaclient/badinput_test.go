package balenaclient_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/devicetag"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/simtest"
)

var once = pine.Retry{MaxAttempts: 1}

func TestClient_BadCredentials(t *testing.T) {
	t.Parallel()
	_, sim := simtest.New(t)
	sim.AddUserKey("expired-key", time.Now().Add(-time.Hour))
	for _, token := range []string{"wrong-key", "expired-key"} {
		client := simtest.Client(t, sim, balenaclient.WithToken(token))
		_, whoami := client.WhoAmI(t.Context())
		_, devices := client.Devices().List(t.Context())
		set := client.DeviceEnv(1).Set(t.Context(), "A", "b")
		rename := client.RenameDevice(t.Context(), 1, "x")
		for _, err := range []error{whoami, devices, set, rename} {
			require.ErrorIs(t, err, balenaclient.ErrUnauthorized)
			assert.NotContains(t, err.Error(), token)
		}
		_, fleets := client.Fleets().List(t.Context())
		_, first := client.Fleets().First(t.Context())
		_, count := client.Fleets().Count(t.Context())
		_, slug := client.FleetBySlug(t.Context(), "acme/edge-cameras")
		_, name := client.FleetByName(t.Context(), "edge-cameras")
		_, tags := client.FleetTagsOf(1).Map(t.Context())
		for _, err := range []error{fleets, first, count, slug, name, tags} {
			require.ErrorIs(t, err, balenaclient.ErrUnauthorized, "the server itself shows what is public")
			assert.ErrorContains(t, err, "nothing found, and the credentials are bad: GET /actor/v1/whoami")
		}
	}
	assert.Equal(t, 15, sim.Count("device_environment_variable"))
}

func TestClient_BadCredentials_CheckedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, sim := simtest.New(t)
		checks := func() (n int) {
			for range 3 {
				devices, err := client.Devices().Where(device.Name.Eq("nobody")).List(t.Context())
				require.NoError(t, err)
				assert.Empty(t, devices)
			}
			for _, r := range sim.Requests() {
				if r.Target == "/actor/v1/whoami" {
					n++
				}
			}
			return n
		}
		assert.Equal(t, 1, checks())
		time.Sleep(5 * time.Minute)
		assert.Equal(t, 2, checks(), "keys expire")
	})
}

func TestWithoutCredentialCheck(t *testing.T) {
	t.Parallel()
	_, sim := simtest.New(t)
	for _, option := range []balenaclient.Option{balenaclient.WithoutCredentialCheck(), balenaclient.WithoutToken()} {
		client := simtest.Client(t, sim, balenaclient.WithToken("wrong"), option)
		fleets, err := client.Fleets().List(t.Context())
		require.NoError(t, err)
		assert.Empty(t, fleets)
		public, err := client.AllFleets().List(t.Context())
		require.NoError(t, err)
		assert.NotEmpty(t, public)
	}
}

// A check that fails says nothing about the credentials.
func TestClient_CheckCredentials_Unavailable(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	_, err := sim.Inject(balenasim.Fault{Kind: balenasim.ServerError, Path: "/actor/v1/whoami"})
	require.NoError(t, err)
	_, err = client.DeviceByName(t.Context(), "nobody")
	require.EqualError(t, err, `device named "nobody": not found`)
}

func TestClient_Quoting(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	const awkward = `O'Neil "&+%#?/;,()=$' or 1 eq 1 or name eq '`
	require.NoError(t, client.RenameDevice(t.Context(), 1, awkward))
	require.NoError(t, client.DeviceTagsOf(1).Set(t.Context(), "quote'd", awkward))
	d, err := client.DeviceByName(t.Context(), awkward)
	require.NoError(t, err)
	assert.EqualValues(t, 1, d.ID)
	ds, err := client.Devices().Where(device.Tags.Any(devicetag.Key.Eq("quote'd"), devicetag.Value.Eq(awkward))).List(t.Context())
	require.NoError(t, err)
	require.Len(t, ds, 1)
	require.NoError(t, client.DeviceTagsOf(1).Unset(t.Context(), "quote'd"))
}

func TestQuery_MustMatch(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	nobody := client.Devices().Where(device.Name.Eq("nobody"))
	require.NoError(t, nobody.Patch(t.Context(), device.Note.Set("x")), "the server does not say how many")
	sim.ResetRequests()
	err := nobody.MustMatch().Patch(t.Context(), device.Note.Set("x"))
	require.ErrorIs(t, err, balenaclient.ErrNotFound)
	assert.ErrorContains(t, err, "device: not found: no row matches the filter, nothing was changed")
	require.ErrorIs(t, nobody.MustMatch().Delete(t.Context(), pine.AllowProtected()), balenaclient.ErrNotFound)
	assert.Empty(t, writes(sim))
}

func TestQuery_Patch_Unfiltered(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	for name, err := range map[string]error{
		"patch":                 client.Devices().Patch(t.Context(), device.Note.Set("x")),
		"patch, empty Where":    client.Devices().Where().Patch(t.Context(), device.Note.Set("x")),
		"patch, filter of none": client.Devices().Where(pine.Filter[balenaclient.Device]{}).Patch(t.Context(), device.Note.Set("x")),
		"delete":                client.DeviceTags().Delete(t.Context()),
	} {
		require.ErrorIs(t, err, balenaclient.ErrUnfiltered, name)
		assert.ErrorContains(t, err, "it would affect every row", name)
	}
	assert.Empty(t, sim.Requests())
}

func TestQuery_List_FailsAtPageSeven(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t, balenaclient.WithPageSize(5), balenaclient.WithRetry(pine.Retry{MaxAttempts: 2, Backoff: 1}))
	for _, kind := range []balenasim.FaultKind{balenasim.CutBody, balenasim.BadGateway, balenasim.ResetConnection} {
		sim.ClearFaults()
		for range 2 { // the repetition too: the second rule does not see what the first one hits
			_, err := sim.Inject(balenasim.Fault{Kind: kind, Path: "/v7/device", Nth: 7})
			require.NoError(t, err)
		}
		rows, err := client.Devices().Select(device.Name).List(t.Context())
		require.Error(t, err, kind)
		assert.ErrorContains(t, err, "page 7: ", kind)
		assert.GreaterOrEqual(t, len(rows), 30, kind)
		for i, row := range rows {
			assert.EqualValues(t, i+1, row.ID, "nothing is missing or there twice")
		}
	}
}

func TestTags_Set_Race(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		deletions int // how often another deletes the row between our requests
		wantErr   bool
	}{
		"others have created it":        {0, false},
		"others delete it meanwhile":    {1, false},
		"others delete it repeatedly":   {3, false},
		"others never stop deleting it": {100, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := balenasim.New(balenasim.WithToken(simtest.Token))
			require.NoError(t, sim.Load(simtest.Dataset()))
			row := map[string]any{"device": 2, "tag_key": "race", "value": "theirs"}
			id := insert(t, sim, "device_tag", row)
			deletions := 0
			client := simtest.Client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sim.ServeHTTP(w, r)
				if r.Method != http.MethodPost || deletions >= tt.deletions {
					return
				}
				if deletions++; sim.Delete("device_tag", id) == nil { // behind our POST and before our PATCH
					go func() {}()
				}
			}), balenaclient.WithObserver(func(c balenaclient.Call) {
				if c.Method == http.MethodGet && c.Resource == "device_tag" && c.Rows == 0 && deletions > 0 && (deletions < tt.deletions || tt.wantErr) {
					id = insert(t, sim, "device_tag", row) // and there it is again
				}
			}))
			err := client.DeviceTagsOf(2).Set(t.Context(), "race", "ours")
			if tt.wantErr {
				require.ErrorIs(t, err, balenaclient.ErrConflict)
				assert.ErrorContains(t, err, "others keep deleting the row")
				return
			}
			require.NoError(t, err)
			got, err := client.DeviceTagsOf(2).Get(t.Context(), "race")
			require.NoError(t, err)
			assert.Equal(t, "ours", got)
		})
	}
}

func TestEnv_Set_MissingDevice(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	err := client.DeviceEnv(999).Set(t.Context(), "A", "b")
	require.EqualError(t, err, "device 999: not found")
	assert.Len(t, writes(sim), 1)
}

func TestNew_Invalid(t *testing.T) {
	t.Parallel()
	for want, option := range map[string]balenaclient.Option{
		"the token is empty":       balenaclient.WithToken(""),
		"the token source is nil":  balenaclient.WithTokenSource(nil),
		"the HTTP client is nil":   balenaclient.WithHTTPClient(nil),
		"must not be negative":     balenaclient.WithPageSize(-1),
		"in clear text":            balenaclient.WithBaseURL("http://api.example.com"),
		"must start with https://": balenaclient.WithBaseURL("api.example.com"),
	} {
		_, err := balenaclient.New(balenaclient.WithoutToken(), option)
		require.ErrorContains(t, err, want)
	}
	_, err := balenaclient.New(balenaclient.WithoutToken(), balenaclient.WithBaseURL("http://api.example.com"), balenaclient.WithInsecureHTTP(), balenaclient.WithUserAgent("x/1"),
		balenaclient.WithRequestLimit(5))
	require.NoError(t, err)
	_, err = balenaclient.New()
	require.ErrorContains(t, err, "no credentials: use WithToken, ")
}

func TestRaw(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	type row struct {
		UUID string `json:"uuid"`
		N    int    `json:"image_install"`
	}
	name := "warehouse-gateways-0" + fmt.Sprint(0)
	rows, err := balenaclient.Raw[row](t.Context(), client, "device?$select=uuid&$expand=image_install/$count&$filter=device_name eq "+pine.Quote(name))
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Equal(t, loggingDevice, rows[0].UUID)
	assert.Positive(t, rows[0].N)
	sim.ResetRequests()
	for _, query := range []string{"", "device?$filter=device_name eq 'ü'", "device?$select=id\n", `device?$filter=a eq "b"`, "device#x"} {
		_, err := balenaclient.Raw[row](t.Context(), client, query)
		require.ErrorIs(t, err, balenaclient.ErrInvalid, query)
	}
	assert.Empty(t, sim.Requests())
	_, err = balenaclient.Raw[row](t.Context(), client, "device?$filter=nonsense(")
	require.ErrorIs(t, err, balenaclient.ErrBadRequest)
	type wrong struct {
		UUID int `json:"uuid"`
	}
	_, err = balenaclient.Raw[wrong](t.Context(), client, "device?$select=uuid")
	require.ErrorIs(t, err, balenaclient.ErrMalformed)
	n, err := pine.From[row](client.Pine(), "device_family").Count(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, n)
}

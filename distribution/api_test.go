//go:build e2e

package distribution

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

const apiToken = "key-of-the-test"

// Rows of the dataset that tests change.
const (
	warehouseDeviceID = 1
	emptyFleetID      = 5
	globexID          = 3
)

// api is a balena API with the data of a real server.
type api struct {
	*httptest.Server
	sim    *balenasim.Simulator
	broken atomic.Pointer[http.HandlerFunc]
}

// breakDown replaces the API by another handler.
func (a *api) breakDown(handler http.HandlerFunc) { a.broken.Store(&handler) }

func (a *api) repair() { a.broken.Store(nil) }

// hangUp closes the connection without a response.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func startAPI(t *testing.T) *api {
	t.Helper()
	a := newAPI(t)
	a.Start()
	return a
}

func startTLSAPI(t *testing.T) *api {
	t.Helper()
	a := newAPI(t)
	a.StartTLS()
	return a
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{sim: balenasim.New(balenasim.WithToken(apiToken))}
	require.NoError(t, a.sim.Load(os.DirFS("../testdata/conformance/dataset")))
	a.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handler := a.broken.Load(); handler != nil {
			(*handler)(w, r)
			return
		}
		a.sim.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { a.Close() })
	return a
}

// env makes a configuration use the API, at the shortest interval.
func (a *api) env() env {
	return env{
		"BALENA_API_KEY":             apiToken,
		"BALENA_API_URL":             a.URL,
		"BALENA_COLLECTION_INTERVAL": "1s",
	}
}

// oldExporter returns the samples of balena-prometheus-exporter, fetched with its own requests: one for the fleets and one for each
// fleet. Where it would give two fleets the same label, the newer one gets its slug.
func (a *api) oldExporter(t *testing.T) []string {
	t.Helper()
	type fleet struct {
		ID     int64  `json:"id"`
		Name   string `json:"app_name"`
		Slug   string `json:"slug"`
		Online int64  `json:"owns__device"`
	}
	read := func(target string) []fleet {
		req, err := http.NewRequest(http.MethodGet, a.URL+strings.ReplaceAll(target, " ", "%20"), nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+apiToken)
		resp, err := a.Client().Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode, target)
		var body struct{ D []fleet }
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
		return body.D
	}
	fleets := read("/v6/application?$filter=is_directly_accessible_by__user/any(dau:1 eq 1)")
	slices.SortFunc(fleets, func(a, b fleet) int { return int(a.ID - b.ID) })
	var lines []string
	labels := map[string]bool{}
	for _, f := range fleets {
		f = read(fmt.Sprintf("/v6/application(%d)?$expand=owns__device/$count($filter=is_online eq true)", f.ID))[0]
		label := f.Name
		if labels[label] {
			label = f.Slug
		}
		labels[label] = true
		lines = append(lines, fmt.Sprintf("balena_devices_online{fleet_name=%q} %d", label, f.Online))
	}
	return lines
}

package receiver

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

const testToken = "secret-token-of-this-test"

// datasetTime is just after the last change in the data set.
var datasetTime = time.Date(2026, time.November, 22, 6, 30, 0, 0, time.UTC)

// realAccount simulates the account whose rows were read from a real server.
func realAccount(t testing.TB) *balenasim.Simulator {
	t.Helper()
	return loadAccount(t, balenasim.WithNow(func() time.Time { return datasetTime }))
}

func loadAccount(t testing.TB, options ...balenasim.Option) *balenasim.Simulator {
	t.Helper()
	sim := balenasim.New(append(options, balenasim.WithToken(testToken))...)
	require.NoError(t, sim.Load(os.DirFS("../testdata/conformance/dataset")))
	return sim
}

func emptyAccount() *balenasim.Simulator {
	return balenasim.New(balenasim.WithToken(testToken), balenasim.WithNow(func() time.Time { return datasetTime }))
}

// serve starts a server for the handler and returns its URL.
func serve(t testing.TB, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// testConfig is the default configuration for the API at the URL.
func testConfig(url string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.API.Endpoint = url
	cfg.Token = testToken
	return cfg
}

// startScraper starts a scraper for which it is always datasetTime.
func startScraper(t testing.TB, cfg *Config) *balenaScraper {
	t.Helper()
	return startScraperOn(t, cfg, componenttest.NewNopHost())
}

func startScraperOn(t testing.TB, cfg *Config, host component.Host) *balenaScraper {
	t.Helper()
	require.NoError(t, cfg.Validate())
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.ID = component.NewID(metadata.Type)
	s, err := newBalenaScraper(cfg, settings, nil)
	require.NoError(t, err)
	s.now = func() time.Time { return datasetTime }
	require.NoError(t, s.start(t.Context(), host))
	t.Cleanup(func() { require.NoError(t, s.shutdown(t.Context())) })
	return s
}

// enableAll enables every metric.
func enableAll(cfg *Config) { setAll(cfg, true) }

// enableOnly enables the metrics that pick returns pointers to.
func enableOnly(cfg *Config, pick func(*metadata.MetricsConfig) []*bool) {
	setAll(cfg, false)
	for _, enabled := range pick(&cfg.Metrics) {
		*enabled = true
	}
}

// values are the values of a metric by the attributes of resource and point, without stale markers. Identities are
// short: fleets go by slug, devices by name, releases by slug and version.
func values(metrics pmetric.Metrics, name string) map[string]float64 {
	found := map[string]float64{}
	forEachPoint(metrics, func(resource pcommon.Map, metric pmetric.Metric, point pmetric.NumberDataPoint) {
		if metric.Name() == name && !point.Flags().NoRecordedValue() {
			found[identity(resource, point)] = number(point)
		}
	})
	return found
}

// accountPoints is the number of points about the account, with stale markers.
func accountPoints(metrics pmetric.Metrics) (number int) {
	forEachPoint(metrics, func(resource pcommon.Map, _ pmetric.Metric, _ pmetric.NumberDataPoint) {
		if stringOf(resource, "balena.receiver.name") == "" {
			number++
		}
	})
	return number
}

// vanished are the series of the account with a stale marker, as metric{identity}.
func vanished(metrics pmetric.Metrics) []string {
	var found []string
	forEachPoint(metrics, func(resource pcommon.Map, metric pmetric.Metric, point pmetric.NumberDataPoint) {
		if point.Flags().NoRecordedValue() && stringOf(resource, "balena.receiver.name") == "" {
			found = append(found, fmt.Sprintf("%s{%s}", metric.Name(), identity(resource, point)))
		}
	})
	slices.Sort(found)
	return found
}

// names are the names of the metrics with a value.
func names(metrics pmetric.Metrics) []string {
	found := map[string]bool{}
	forEachPoint(metrics, func(_ pcommon.Map, metric pmetric.Metric, point pmetric.NumberDataPoint) {
		if !point.Flags().NoRecordedValue() {
			found[metric.Name()] = true
		}
	})
	return slices.Sorted(maps.Keys(found))
}

func forEachPoint(metrics pmetric.Metrics, visit func(pcommon.Map, pmetric.Metric, pmetric.NumberDataPoint)) {
	for _, resource := range metrics.ResourceMetrics().All() {
		for metric, point := range points(resource) {
			visit(resource.Resource().Attributes(), metric, point)
		}
	}
}

func identity(resource pcommon.Map, point pmetric.NumberDataPoint) string {
	parts := []string{stringOf(resource, "balena.device.name")}
	if parts[0] == "" {
		parts = []string{stringOf(resource, "balena.fleet.slug"), stringOf(resource, "balena.release.version")}
	}
	for _, value := range point.Attributes().All() {
		parts = append(parts, value.AsString())
	}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " ")
}

func stringOf(attributes pcommon.Map, key string) string {
	if value, ok := attributes.Get(key); ok {
		return value.AsString()
	}
	return ""
}

func number(point pmetric.NumberDataPoint) float64 {
	if point.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(point.IntValue())
	}
	return point.DoubleValue()
}

// faulty fails requests; the zero value passes all on.
type faulty struct {
	http.Handler
	fault func(target string) http.HandlerFunc // nil for requests that pass
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.fault != nil {
		if respond := f.fault(r.RequestURI); respond != nil {
			respond(w, r)
			return
		}
	}
	f.Handler.ServeHTTP(w, r)
}

// failWith fails the requests whose target contains a string.
func failWith(status int, substring string) func(string) http.HandlerFunc {
	return func(target string) http.HandlerFunc {
		if !strings.Contains(target, substring) {
			return nil
		}
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
}

// What the targets of the kinds of requests contain.
const (
	fleetTarget         = "/v7/application?$select=id,app_name"
	deviceCountTarget   = "/v7/application?$select=id&$expand=owns__device/$count"
	newestReleaseTarget = "$expand=owns__release("
	deviceTarget        = "/v7/device?"
	deviceTypeTarget    = "/v7/device_type?"
	releaseTarget       = "/v7/release?"
	whoamiTarget        = "/actor/v1/whoami"
)

func setAll(cfg *Config, enabled bool) { setMetrics(cfg, func(string) bool { return enabled }) }

// setMetrics enables the metrics with the names that enabled accepts, and disables the others.
func setMetrics(cfg *Config, enabled func(name string) bool) {
	metrics := reflect.ValueOf(&cfg.Metrics).Elem()
	for i := range metrics.NumField() {
		name := metrics.Type().Field(i).Tag.Get("mapstructure")
		metrics.Field(i).FieldByName("Enabled").SetBool(enabled(name))
	}
}

// insertFleet adds a fleet of an organization to which the user has access.
func insertFleet(t testing.TB, sim *balenasim.Simulator, organization, name string, fields map[string]any) int64 {
	t.Helper()
	row := map[string]any{
		"app_name": name, "slug": organization + "/" + name, "is_of__class": "fleet",
		"is_host": false, "is_archived": false, "is_public": false,
	}
	maps.Copy(row, fields)
	id, err := sim.Insert("application", row)
	require.NoError(t, err)
	return id
}

// plainRows reads rows from the simulator without the client.
func plainRows(t *testing.T, sim http.Handler, target string) []map[string]any {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, target, http.NoBody)
	request.Header.Set("Authorization", "Bearer "+testToken)
	recorder := httptest.NewRecorder()
	sim.ServeHTTP(recorder, request)
	var response struct{ D []map[string]any }
	body, err := io.ReadAll(recorder.Body)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(body, &response), string(body))
	return response.D
}

//go:build e2e

package distribution

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata, and the picture in the README, from what the Collector under test serves")

// The values of these metrics depend on the time of the test; goldens have a placeholder for them.
var volatile = []string{"balena.scrape.last_complete.timestamp"}

const recently = "<recently>"

// apiEndpoint is the address of the API in series of the receiver itself, whose port differs from test to test.
var apiEndpoint = regexp.MustCompile(`(api[._]endpoint)="https?://127\.0\.0\.1:\d+"`)

const anAPIEndpoint = `$1="https://api"`

// requireGolden waits until got returns the golden.
func requireGolden(t *testing.T, golden string, got func(t require.TestingT) string) {
	t.Helper()
	path := filepath.Join("testdata", golden)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(settled(t, got)), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -tags e2e ./distribution -update creates it")
	eventually(t, func(t *assert.CollectT) {
		require.Equal(t, string(want), got(t), "differs from %s; if that is intended, run with -update and look at the change", path)
	})
}

// settled waits until got has returned the same non-empty string for two collection intervals.
func settled(t *testing.T, got func(t require.TestingT) string) string {
	t.Helper()
	var last string
	var since time.Time
	eventually(t, func(t *assert.CollectT) {
		now := got(t)
		if now != last {
			last, since = now, time.Now()
		}
		require.NotEmpty(t, now)
		require.Greater(t, time.Since(since), 2*time.Second)
	})
	return last
}

// normalizedExposition replaces what differs from test to test in what the prometheus_text exporter serves.
func normalizedExposition(body string) string {
	for _, name := range volatile {
		name = strings.ReplaceAll(name, ".", "_")
		series := regexp.MustCompile(`(?m)^(` + name + `[a-z_]*(?:\{.*\})?) (\S+)$`)
		body = series.ReplaceAllStringFunc(body, func(line string) string {
			parts := series.FindStringSubmatch(line)
			value, err := strconv.ParseFloat(parts[2], 64)
			if err != nil || !isRecent(value) {
				return line
			}
			return parts[1] + " " + recently
		})
	}
	// Series come in the order in which they were first seen.
	return sortedSeries(apiEndpoint.ReplaceAllString(body, anAPIEndpoint))
}

// sortedSeries sorts the series within each family.
func sortedSeries(body string) string {
	lines := slices.Collect(strings.Lines(body))
	for begin := 0; begin < len(lines); {
		end := begin + 1
		if lines[begin][0] != '#' {
			for end < len(lines) && lines[end][0] != '#' {
				end++
			}
			slices.Sort(lines[begin:end])
		}
		begin = end
	}
	return strings.Join(lines, "")
}

// isRecent reports whether a timestamp, in seconds, lies within this test.
func isRecent(timestamp float64) bool {
	age := time.Since(time.Unix(int64(timestamp), 0))
	return age >= 0 && age < 2*process.Patience
}

// flattened is what arrived by OTLP, one data point per line: name, unit, type, resource attributes, attributes, value.
func flattened(t require.TestingT, metrics pmetric.Metrics) string {
	var lines []string
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, metric := range sm.Metrics().All() {
				points := pmetric.NewNumberDataPointSlice()
				kind := metric.Type().String()
				switch metric.Type() {
				case pmetric.MetricTypeGauge:
					points = metric.Gauge().DataPoints()
				case pmetric.MetricTypeSum:
					points = metric.Sum().DataPoints()
					kind = fmt.Sprintf("%s(%s, monotonic %t)", kind, metric.Sum().AggregationTemporality(), metric.Sum().IsMonotonic())
				default:
					require.Fail(t, "unexpected type of metric", "%s is a %s", metric.Name(), kind)
				}
				for _, point := range points.All() {
					require.WithinDuration(t, time.Now(), point.Timestamp().AsTime(), process.Patience, metric.Name())
					lines = append(lines, fmt.Sprintf("%s %s %s %s %s %s\n", metric.Name(), metric.Unit(), kind,
						labels(rm.Resource().Attributes()), labels(point.Attributes()), value(metric.Name(), point)))
				}
			}
		}
	}
	slices.Sort(lines)
	return apiEndpoint.ReplaceAllString(strings.Join(lines, ""), anAPIEndpoint)
}

func labels(attributes pcommon.Map) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(attributes.AsRaw())) {
		v, _ := attributes.Get(key)
		pairs = append(pairs, fmt.Sprintf("%s=%q", key, v.AsString()))
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

func value(name string, point pmetric.NumberDataPoint) string {
	switch {
	case point.Flags().NoRecordedValue():
		return "no recorded value"
	case point.ValueType() == pmetric.NumberDataPointValueTypeInt:
		return strconv.FormatInt(point.IntValue(), 10)
	case slices.Contains(volatile, name) && isRecent(point.DoubleValue()):
		return recently
	default:
		return strconv.FormatFloat(point.DoubleValue(), 'g', -1, 64)
	}
}

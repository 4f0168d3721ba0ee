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

var update = flag.Bool("update", false, "rewrite the goldens in testdata from what the Collector under test says")

// The values of these metrics depend on the time of the test: the goldens hold their series, and what a value must be like.
var volatile = []string{"balena.device.connectivity.duration"}

const someDuration = "<a positive duration>"

// requireGolden waits until what got returns is the golden.
func requireGolden(t *testing.T, golden string, got func(t require.TestingT) string) {
	t.Helper()
	path := filepath.Join("testdata", golden)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(settled(t, got)), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -tags e2e ./distribution -update makes it")
	eventually(t, func(t *assert.CollectT) {
		require.Equal(t, string(want), got(t), "differs from %s; if that is intended, run with -update and look at the change", path)
	})
}

// settled waits until got returns the same for two collection intervals, and something.
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

// normalizedExposition replaces the volatile values in what a prometheus exporter serves.
func normalizedExposition(body string) string {
	for _, name := range volatile {
		name = strings.ReplaceAll(name, ".", "_")
		series := regexp.MustCompile(`(?m)^(` + name + `[a-z_]*(?:\{.*\})?) (\S+)$`)
		body = series.ReplaceAllStringFunc(body, func(line string) string {
			parts := series.FindStringSubmatch(line)
			value, err := strconv.ParseFloat(parts[2], 64)
			if err != nil || value <= 0 {
				return line
			}
			return parts[1] + " " + someDuration
		})
	}
	return body
}

// flattened is what OTLP brought, one data point a line: name, unit, type, resource attributes, attributes, value.
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
	return strings.Join(lines, "")
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
	case slices.Contains(volatile, name) && point.DoubleValue() > 0:
		return someDuration
	default:
		return strconv.FormatFloat(point.DoubleValue(), 'g', -1, 64)
	}
}

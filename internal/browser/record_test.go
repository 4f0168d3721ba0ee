package browser

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/observability/pipeline"
	"github.com/otelcol-balena/balenareceiver/internal/simtest"
)

// moments are how long each scenario has been playing when it is looked at: in the middle of what it is about.
var moments = map[string]time.Duration{
	"calm":    23*time.Hour + 50*time.Minute,
	"rollout": 23*time.Hour + 26*time.Minute,
	"outage":  23*time.Hour + 35*time.Minute,
	"noisy":   2*time.Hour + 4*time.Minute,
}

// interval is the receiver's. A day of a scenario takes seconds with it, and would take half a minute with its default.
const interval = 5 * time.Minute

// record returns what the receiver emits in a scenario up to its moment, as if that were now.
func record(t *testing.T, scenario string) (scrapes []pmetric.Metrics) {
	t.Helper()
	moment, ok := moments[scenario]
	require.True(t, ok, "say when the scenario %s is worth a look", scenario)
	synctest.Test(t, func(t *testing.T) {
		sc, err := balenasim.ShippedScenario(scenario)
		require.NoError(t, err)
		sim := balenasim.New(balenasim.WithToken(simtest.Token))
		require.NoError(t, sim.Play(sc))
		keep, err := consumer.NewMetrics(func(_ context.Context, metrics pmetric.Metrics) error {
			scrapes = append(scrapes, metrics)
			return nil
		})
		require.NoError(t, err)
		sim.Step(moment % interval)
		time.Sleep(moment % interval)
		api := pipeline.Endpoint()
		api["endpoint"] = api["endpoint"].(string) + "/base"
		running, err := pipeline.Start(t.Context(), keep, map[string]any{
			"token": simtest.Token, "api": api, "collection_interval": interval.String(), "initial_delay": "1s",
			"tags": map[string]any{"fleets": map[string]any{"env": ""}},
			"metrics": map[string]any{
				"balena.device.cpu.temperature": map[string]any{"enabled": true},
				"balena.device.undervoltage":    map[string]any{"enabled": true},
				"balena.device.update.status":   map[string]any{"enabled": true},
			},
		}, simtest.Transport{Handler: http.StripPrefix("/base", sim)}, nil)
		require.NoError(t, err)
		running.Next()
		for range moment / interval {
			sim.Step(interval)
			running.Next()
		}
		require.NoError(t, running.Stop(t.Context()))
	})
	shift(scrapes, time.Now())
	return scrapes
}

// shift moves all times by what brings the last scrape to the present.
func shift(scrapes []pmetric.Metrics, now time.Time) {
	points := func(metrics pmetric.Metrics, f func(pmetric.Metric, pmetric.NumberDataPoint)) {
		for _, resource := range metrics.ResourceMetrics().All() {
			for _, scope := range resource.ScopeMetrics().All() {
				for _, metric := range scope.Metrics().All() {
					points := pmetric.NewNumberDataPointSlice()
					if metric.Type() == pmetric.MetricTypeGauge {
						points = metric.Gauge().DataPoints()
					} else {
						points = metric.Sum().DataPoints()
					}
					for _, point := range points.All() {
						f(metric, point)
					}
				}
			}
		}
	}
	var last pcommon.Timestamp
	points(scrapes[len(scrapes)-1], func(_ pmetric.Metric, p pmetric.NumberDataPoint) { last = max(last, p.Timestamp()) })
	by := now.Sub(last.AsTime())
	for _, scrape := range scrapes {
		points(scrape, func(metric pmetric.Metric, p pmetric.NumberDataPoint) {
			p.SetTimestamp(pcommon.NewTimestampFromTime(p.Timestamp().AsTime().Add(by)))
			if strings.HasSuffix(metric.Name(), ".timestamp") && p.ValueType() == pmetric.NumberDataPointValueTypeDouble {
				p.SetDoubleValue(p.DoubleValue() + by.Seconds())
			}
		})
	}
}

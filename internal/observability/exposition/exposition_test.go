// Package exposition compares the pages of the prometheus_text exporter with those of the Collector's Prometheus exporter.
package exposition

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/expfmt"
	commonmodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/observability/days"
	"github.com/otelcol-balena/balenareceiver/internal/observability/pipeline"
)

const expiration = 3 * time.Minute

// page is what Prometheus reads from a page.
type page struct {
	series map[string]string // values by labels
	types  map[string]string // with help, by family
}

// read reads a page as Prometheus does, and ensures that it is as the format demands, which is more.
func read(text []byte) (page, error) {
	p := page{map[string]string{}, map[string]string{}}
	strict := expfmt.NewTextParser(commonmodel.LegacyValidation)
	if _, err := strict.TextToMetricFamilies(strings.NewReader(string(text))); err != nil {
		return p, err
	}
	parser := textparse.NewPromParser(text, labels.NewSymbolTable(), false)
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return p, err
		}
		switch entry {
		case textparse.EntryHelp:
			name, help := parser.Help()
			p.types[string(name)] += " " + string(help)
		case textparse.EntryType:
			name, kind := parser.Type()
			p.types[string(name)] += " " + string(kind)
		case textparse.EntrySeries:
			_, _, value := parser.Series()
			var series labels.Labels
			parser.Labels(&series)
			if name, twice := series.HasDuplicateLabelNames(); twice {
				return p, fmt.Errorf("%s has the label %s twice", series, name)
			}
			key := series.WithoutEmpty().String()
			if _, twice := p.series[key]; twice {
				return p, fmt.Errorf("%s appears twice", key)
			}
			p.series[key] = fmt.Sprint(value)
		}
	}
}

// pair is two exporters that get the same metrics.
type pair struct{ text, prometheus *pipeline.Exporter }

func newPair(t *testing.T) pair {
	t.Helper()
	var p pair
	var err error
	if p.text, err = pipeline.NewExporter(t.Context(), expiration); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.text.Shutdown(context.WithoutCancel(t.Context())) })
	if p.prometheus, err = pipeline.NewPrometheusExporter(t.Context(), expiration); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.prometheus.Shutdown(context.WithoutCancel(t.Context())) })
	return p
}

func (p pair) consume(ctx context.Context, metrics pmetric.Metrics) error {
	copied := pmetric.NewMetrics() // one of them changes what it gets
	metrics.CopyTo(copied)
	metrics.MarkReadOnly()
	return errors.Join(p.text.ConsumeMetrics(ctx, metrics), p.prometheus.ConsumeMetrics(ctx, copied))
}

// compare returns the page that both serve.
func (p pair) compare() (page, error) {
	text, err := p.text.Text()
	if err != nil {
		return page{}, err
	}
	got, err := read(text)
	if err != nil {
		return page{}, fmt.Errorf("prometheus_text: %w", err)
	}
	if text, err = p.prometheus.Text(); err != nil {
		return page{}, err
	}
	want, err := read(text)
	if err != nil {
		return page{}, fmt.Errorf("prometheus: %w", err)
	}
	return got, errors.Join(difference(got.series, want.series), difference(got.types, want.types))
}

func difference(got, want map[string]string) error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if value, ok := got[key]; !ok {
			errs = append(errs, fmt.Errorf("missing: %s %s", key, want[key]))
		} else if value != want[key] {
			errs = append(errs, fmt.Errorf("%s is %s, want %s", key, value, want[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			errs = append(errs, fmt.Errorf("not served by prometheus: %s %s", key, got[key]))
		}
	}
	return errors.Join(errs...)
}

// hostile are names that are hard to write down.
var hostile = []string{`"`, `\`, "a\nb", `\n`, `",x="`, `}`, "#", "  ", "日本", "\r", "\u2028", "\U0001f600", `\"`, strings.Repeat("x", 2000)}

// Both exporters serve the same series with the same values, types and help, after each scrape of what the simulator can do.
func TestExporters_ServeTheSame(t *testing.T) {
	all, err := days.All()
	if err != nil {
		t.Fatal(err)
	}
	metrics := map[string]any{}
	for _, name := range all {
		metrics[name] = map[string]any{"enabled": true}
	}
	for name, stateSets := range map[string]bool{"calm": false, "noisy": false, "outage": false, "rollout": true} {
		t.Run(name, func(t *testing.T) {
			scenario, err := balenasim.ShippedScenario(name)
			if err != nil {
				t.Fatal(err)
			}
			scenario.Devices = min(scenario.Devices, 40) // more take longer and show nothing else
			both := newPair(t)
			synctest.Test(t, func(t *testing.T) {
				sim := balenasim.New(balenasim.WithToken("key"), balenasim.WithNow(time.Now), balenasim.WithSeed(7))
				if err := sim.Play(scenario); err != nil {
					t.Fatal(err)
				}
				next, err := consumer.NewMetrics(both.consume)
				if err != nil {
					t.Fatal(err)
				}
				scrapes, err := pipeline.Start(t.Context(), next, map[string]any{
					"token": "key", "api": pipeline.Endpoint(), "metrics": metrics, "state_sets": stateSets,
					"tags": map[string]any{"devices": map[string]any{"site": "", "note": ""}, "fleets": map[string]any{"env": ""}},
				}, pipeline.Transport{Handler: sim}, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer scrapes.Stop(context.WithoutCancel(t.Context()))
				most, least := 0, math.MaxInt
				for minute := range 38 {
					scrapes.Next()
					served, err := both.compare()
					if err != nil {
						t.Fatalf("minute %d: %v", minute, err)
					}
					most, least = max(most, len(served.series)), min(least, len(served.series))
					if err := disturb(sim, minute); err != nil {
						t.Fatalf("minute %d: %v", minute, err)
					}
					time.Sleep(30 * time.Second) // pages are pulled between scrapes, too
					if _, err := both.compare(); err != nil {
						t.Fatalf("half past minute %d: %v", minute, err)
					}
					sim.Step(time.Minute)
				}
				if most < 500 || least > most/4 {
					t.Errorf("between %d and %d series: nothing happened", least, most)
				}
			})
		})
	}
}

// disturb lets happen what scenarios have not.
func disturb(sim *balenasim.Simulator, minute int) error {
	rows, err := sim.Rows("device", "id")
	if err != nil {
		return err
	}
	device := rows[minute%len(rows)]["id"].(int64)
	switch {
	case minute < len(hostile):
		_, err = sim.Insert("device_tag", map[string]any{"device": device, "tag_key": "note", "value": hostile[minute]})
		return errors.Join(err, sim.Update("device", device, map[string]any{"device_name": hostile[minute]}))
	case minute < 22:
		return sim.Delete("device", device)
	case minute == 22:
		fleets, err := sim.Rows("application", "id")
		if err != nil {
			return err
		}
		return sim.Delete("application", fleets[0]["id"].(int64))
	case minute == 26: // for longer than values are served
		_, err := sim.Inject(balenasim.Fault{Kind: balenasim.ServerError})
		return err
	case minute == 33:
		sim.ClearFaults()
	}
	return nil
}

// Whatever a name, label or help text is, Prometheus reads what was meant.
func FuzzText(f *testing.F) {
	for _, text := range hostile {
		f.Add("a.b", "key", text, text, 1.5, false)
		f.Add(text, text, "value", "help", math.Inf(1), true)
	}
	exporter, err := pipeline.NewExporter(f.Context(), expiration)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { exporter.Shutdown(context.Background()) })
	f.Fuzz(func(t *testing.T, name, key, value, help string, number float64, resource bool) {
		build := func(stale bool) pmetric.Metrics {
			metrics := pmetric.NewMetrics()
			rm := metrics.ResourceMetrics().AppendEmpty()
			metric := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
			metric.SetName(name)
			metric.SetDescription(help)
			point := metric.SetEmptyGauge().DataPoints().AppendEmpty()
			point.SetDoubleValue(number)
			point.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(stale))
			point.Attributes().PutStr("other", `"`)
			if resource {
				rm.Resource().Attributes().PutStr(key, value)
			} else {
				point.Attributes().PutStr(key, value)
			}
			return metrics
		}
		if err := exporter.ConsumeMetrics(t.Context(), build(false)); err != nil {
			t.Fatal(err)
		}
		text, err := exporter.Text()
		if err != nil {
			t.Fatal(err)
		}
		p, err := read(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if len(p.series) > 1 {
			t.Fatalf("more than one series in\n%s", text)
		}
		for series, got := range p.series {
			if got != fmt.Sprint(number) {
				t.Errorf("value %s, want %v", got, number)
			}
			parsed := parseLabels(t, text)
			if utf8.ValidString(value) && value != "" && key != "other" && !slices.Contains(parsed, value) && !slices.Contains(parsed, `";`+value) && !slices.Contains(parsed, value+`;"`) {
				t.Errorf("no label of %s is %q", series, value)
			}
		}
		if err := exporter.ConsumeMetrics(t.Context(), build(true)); err != nil {
			t.Fatal(err)
		}
		if text, err = exporter.Text(); err != nil || len(text) > 0 {
			t.Fatalf("after the stale marker: %v, %s", err, text)
		}
	})
}

// parseLabels returns the values of the labels of a page's series.
func parseLabels(t *testing.T, text []byte) []string {
	t.Helper()
	parser := textparse.NewPromParser(text, labels.NewSymbolTable(), false)
	for {
		entry, err := parser.Next()
		if err != nil {
			t.Fatal(err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var series labels.Labels
		parser.Labels(&series)
		var values []string
		series.Range(func(l labels.Label) { values = append(values, l.Value) })
		return values
	}
}

// What makes prometheus_text worth having: what it keeps is a sixth at most of what the Prometheus exporter keeps, and a pull allocates a
// quarter at most, nearly all of which is the response as the test records it.
func TestExporters_Memory(t *testing.T) {
	metrics := scraped(t, 2000)
	measure := func(start func(context.Context, time.Duration) (*pipeline.Exporter, error)) (kept, pulled int) {
		exporter, err := start(t.Context(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		defer exporter.Shutdown(context.WithoutCancel(t.Context()))
		before := heap()
		for range 2 {
			consume(t, exporter, metrics)
			pull(t, exporter)
		}
		after := heap()
		consume(t, exporter, metrics) // so that the page is written again
		begin := heap()
		pull(t, exporter)
		return int(after.HeapAlloc - before.HeapAlloc), int(heap().TotalAlloc - begin.TotalAlloc)
	}
	kept, pulled := measure(pipeline.NewExporter)
	keptThere, pulledThere := measure(pipeline.NewPrometheusExporter)
	t.Logf("kept: %d kB against %d kB, allocated by a pull: %d kB against %d kB", kept>>10, keptThere>>10, pulled>>10, pulledThere>>10)
	if 6*kept > keptThere {
		t.Errorf("keeps %d B, more than a sixth of %d B", kept, keptThere)
	}
	if 4*pulled > pulledThere {
		t.Errorf("a pull allocates %d B, more than a quarter of %d B", pulled, pulledThere)
	}
}

func consume(t *testing.T, exporter *pipeline.Exporter, metrics pmetric.Metrics) {
	t.Helper()
	copied := pmetric.NewMetrics()
	metrics.CopyTo(copied)
	if err := exporter.ConsumeMetrics(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
}

func pull(t *testing.T, exporter *pipeline.Exporter) {
	t.Helper()
	text, err := exporter.Text()
	if err != nil {
		t.Fatal(err)
	}
	if len(text) == 0 {
		t.Fatal("nothing is served")
	}
}

func heap() (stats runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats
}

// scraped is what the receiver emits of so many devices.
func scraped(t *testing.T, devices int) (metrics pmetric.Metrics) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := balenasim.New(balenasim.WithToken("key"), balenasim.WithNow(time.Now))
		if err := sim.Play(&balenasim.Scenario{Fleets: 10, Devices: devices, Services: []string{"main"}, Releases: 2, Life: balenasim.Life{
			ReportEvery: time.Hour, OfflineFor: time.Minute, HeartbeatAfter: time.Minute,
		}}); err != nil {
			t.Fatal(err)
		}
		next, err := consumer.NewMetrics(func(_ context.Context, m pmetric.Metrics) error {
			metrics = m
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		scrapes, err := pipeline.Start(t.Context(), next, map[string]any{"token": "key", "api": pipeline.Endpoint()}, pipeline.Transport{Handler: sim}, nil)
		if err != nil {
			t.Fatal(err)
		}
		scrapes.Next()
		scrapes.Stop(context.WithoutCancel(t.Context()))
	})
	return metrics
}

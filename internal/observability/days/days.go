// Package days lets simulated fleets live for a day, in seconds, with the receiver looking at them each minute. What it emits is stored in
// an engine, which evaluates its rules each minute too.
package days

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/observability/engine"
	"github.com/otelcol-balena/balenareceiver/internal/observability/pipeline"
	"github.com/otelcol-balena/balenareceiver/receiver"
)

// Begin is when a day begins. Minutes are counted from here.
var Begin = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// token is the API key that the receiver uses.
const token = "key"

// Day is what happens.
type Day struct {
	Scenario *balenasim.Scenario
	Length   time.Duration
	Seed     uint64

	// Metrics are those that are on beyond the default ones, or All.
	Metrics []string
	// Events happen at the minutes that are their keys.
	Events map[int]func(*balenasim.Simulator) error
	// Copies are the Collectors that report; none means one. They differ by the attributes of what they report.
	Copies []Copy
}

// Copy is a Collector.
type Copy struct {
	// Resource is added to the attributes of all that it reports, Receiver to those of what it reports about itself.
	Resource, Receiver map[string]any
	// Lost are the minutes, from the first to the one before the second, of which nothing reaches Prometheus.
	Lost [2]int
}

func (c Copy) lost(minute int) bool { return c.Lost[0] <= minute && minute < c.Lost[1] }

// of returns what the Collector reports.
func (c Copy) of(metrics pmetric.Metrics) (pmetric.Metrics, error) {
	if c.Resource == nil && c.Receiver == nil {
		return metrics, nil
	}
	copied := pmetric.NewMetrics()
	metrics.CopyTo(copied)
	for _, rm := range copied.ResourceMetrics().All() {
		more := maps.Clone(c.Resource)
		if _, ok := rm.Resource().Attributes().Get("balena.receiver.name"); ok {
			more = c.Receiver
		}
		for key, value := range more {
			if err := rm.Resource().Attributes().PutEmpty(key).FromRaw(value); err != nil {
				return copied, err
			}
		}
	}
	return copied, nil
}

// All are the names of all metrics of the receiver.
func All() ([]string, error) {
	conf := confmap.New()
	if err := conf.Marshal(receiver.NewFactory().CreateDefaultConfig()); err != nil {
		return nil, err
	}
	metrics, err := conf.Sub("metrics")
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(metrics.ToStringMap())), nil
}

// Live lets a day happen under all shipped rules, and returns what it left until the end of the test.
func Live(t *testing.T, day Day) *engine.Engine {
	t.Helper()
	files, err := filepath.Glob("../../../observability/rules/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rule files: %v", err)
	}
	e, err := engine.Open(t.Context(), t.TempDir(), files...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) { err = day.live(t.Context(), e) })
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (d Day) live(ctx context.Context, e *engine.Engine) (err error) {
	time.Sleep(time.Until(Begin))
	sim := balenasim.New(balenasim.WithToken(token), balenasim.WithNow(time.Now), balenasim.WithSeed(d.Seed))
	if err := sim.Play(d.Scenario); err != nil {
		return err
	}
	metrics := map[string]any{}
	for _, name := range d.Metrics {
		metrics[name] = map[string]any{"enabled": true}
	}
	var failed error
	minute := 0
	copies := d.Copies
	if len(copies) == 0 {
		copies = []Copy{{}}
	}
	store, err := consumer.NewMetrics(func(ctx context.Context, metrics pmetric.Metrics) error {
		for _, c := range copies {
			if c.lost(minute) {
				continue
			}
			copied, err := c.of(metrics)
			failed = cmp.Or(failed, err, e.StoreOTLP(ctx, copied))
		}
		return nil
	})
	if err != nil {
		return err
	}
	reader := sdkmetric.NewManualReader()
	scrapes, err := pipeline.Start(ctx, store, map[string]any{
		"token": token, "api": pipeline.Endpoint(), "metrics": metrics,
		"tags": map[string]any{"devices": map[string]any{"site": ""}, "fleets": map[string]any{"env": ""}},
	}, pipeline.Transport{Handler: sim}, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		return err
	}
	defer scrapes.Stop(context.WithoutCancel(ctx))
	for minute = range int(d.Length / time.Minute) {
		if event := d.Events[minute]; event != nil {
			if err := event(sim); err != nil {
				return fmt.Errorf("event of minute %d: %w", minute, err)
			}
		}
		scrapes.Next()
		if failed != nil {
			return fmt.Errorf("store what was scraped in minute %d: %w", minute, failed)
		}
		own, err := ownMetrics(ctx, reader)
		if err != nil {
			return err
		}
		if copies[0].lost(minute) {
			own = nil
		}
		if err := e.StoreText(ctx, time.Now(), own); err != nil {
			return fmt.Errorf("store the receiver's own metrics of minute %d: %w", minute, err)
		}
		if err := e.Evaluate(ctx, time.Now()); err != nil {
			return err
		}
		next := Begin.Add(time.Duration(minute+1) * time.Minute)
		time.Sleep(time.Until(next))
		sim.Step(next.Sub(sim.Now()))
	}
	return nil
}

package pipeline_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/observability/pipeline"
)

func TestExporter_Series(t *testing.T) {
	exporter, err := pipeline.NewExporter(t.Context(), 3*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer exporter.Shutdown(context.WithoutCancel(t.Context()))
	synctest.Test(t, func(t *testing.T) {
		sim := balenasim.New(balenasim.WithToken("key"))
		if _, err := sim.Insert("application", map[string]any{"app_name": "kiosk", "slug": `acme/kiosk`}); err != nil {
			t.Fatal(err)
		}
		scrapes, err := pipeline.Start(t.Context(), exporter, map[string]any{"token": "key", "api": pipeline.Endpoint()}, pipeline.Transport{Handler: sim}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer scrapes.Stop(context.WithoutCancel(t.Context()))
		start := time.Now()
		const series = `balena_devices_online{balena_fleet_id="1",balena_fleet_name="kiosk",balena_fleet_slug="acme/kiosk",balena_organization_handle="acme"}`
		for n := range 3 {
			scrapes.Next()
			if passed, want := time.Since(start), time.Second+time.Duration(n)*time.Minute; passed != want {
				t.Errorf("scrape %d ended after %s, want %s", n, passed, want)
			}
			served, err := exporter.Series()
			if err != nil {
				t.Fatal(err)
			}
			if value, ok := served[series]; !ok || value != 0 {
				t.Errorf("%s is %v, want 0 in %v", series, value, served)
			}
		}
		if logs := scrapes.Logs(); len(logs) > 0 {
			t.Errorf("logged: %v", logs)
		}
	})
}

package incidents

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-balena/balenareceiver/internal/observability/engine"
)

const ruleFile = "../../../observability/rules/incidents.yaml"

// expected are the alerts of each incident.
var expected = map[incident][]string{
	deviceLost:   {"BalenaDeviceOffline"},
	siteLost:     {"BalenaSiteOffline"},
	vpnLost:      {"BalenaVPNIncident"},
	apiDown:      {"BalenaAPIDown"},
	keyExpired:   {"BalenaAPIKeyRejected"},
	rolloutStuck: {"BalenaRolloutStuck"},
}

// incidents are ordered so that of two the second, which is the shorter one, does not hide the first from beginning to end.
var incidents = []incident{deviceLost, siteLost, vpnLost, rolloutStuck, keyExpired, apiDown}

// TestAlerts lets each incident of docs/diagnosing-incidents.md happen alone, each pair of them at once, and each with the API failing
// in the middle of it. The alerts of what happened fire, and no others.
func TestAlerts(t *testing.T) {
	scenarios := map[string]scenario{"nothing but dead devices, flaps, drafts, pins and a rollout": {}}
	long := func(i incident) spell {
		if i == rolloutStuck {
			return spell{i, rolloutAt, 200}
		}
		return spell{i, 60, 180}
	}
	for n, a := range incidents {
		scenarios[string(a)] = scenario{long(a)}
		if a != apiDown {
			scenarios[string(a)+", and the API failed for 10 minutes"] = scenario{long(a), {apiDown, 100, 110}}
		}
		for _, b := range incidents[n+1:] {
			short := spell{b, 80, 140}
			if b == rolloutStuck {
				short = long(b)
			}
			scenarios[string(a)+", and "+string(b)] = scenario{long(a), short}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(scenarios)) {
		t.Run(name, func(t *testing.T) {
			s := scenarios[name]
			moments, err := record(t, s)
			if err != nil {
				t.Fatal(err)
			}
			fired, err := evaluate(t.Context(), t.TempDir(), moments)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]bool{}
			for _, spell := range s {
				for _, alert := range expected[spell.incident] {
					want[alert] = true
				}
			}
			start := moments[0].at
			for _, f := range fired {
				t.Log(describe(f, start))
				if !want[f.Alert] {
					t.Errorf("fired without reason: %s", describe(f, start))
				}
				if f.To.Equal(moments[len(moments)-1].at) {
					t.Errorf("still fires at the end: %s", describe(f, start))
				}
			}
			for alert := range want {
				if !slices.ContainsFunc(fired, func(f *engine.Firing) bool { return f.Alert == alert }) {
					t.Errorf("did not fire: %s", alert)
				}
			}
		})
	}
}

// evaluate evaluates the rules after each scrape, and returns what fired.
func evaluate(ctx context.Context, dir string, moments []moment) (fired []*engine.Firing, err error) {
	e, err := engine.Open(ctx, dir, ruleFile)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	for _, m := range moments {
		if err := e.StoreText(ctx, m.at, m.text); err != nil {
			return nil, fmt.Errorf("store what was served at %s: %w", m.at, err)
		}
		if err := e.Evaluate(ctx, m.at); err != nil {
			return nil, err
		}
	}
	return e.Fired(), nil
}

func describe(f *engine.Firing, start time.Time) string {
	var of []string
	for _, label := range []string{"balena_device_name", "balena_device_tag_site", "balena_fleet_slug", "error_type"} {
		if value := f.Labels.Get(label); value != "" {
			of = append(of, value)
		}
	}
	minute := func(at time.Time) int { return int(at.Sub(start) / time.Minute) }
	return fmt.Sprintf("%s (%s) %s, minutes %d to %d", f.Alert, f.Severity, strings.Join(of, " "), minute(f.From), minute(f.To))
}

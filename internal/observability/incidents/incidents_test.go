package incidents

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
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
			fired, err := evaluate(t.Context(), t.TempDir(), ruleFile, moments)
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
				t.Log(f.describe(start))
				if !want[f.name] {
					t.Errorf("fired without reason: %s", f.describe(start))
				}
				if f.to.Equal(moments[len(moments)-1].at) {
					t.Errorf("still fires at the end: %s", f.describe(start))
				}
			}
			for alert := range want {
				if !slices.ContainsFunc(fired, func(f *firing) bool { return f.name == alert }) {
					t.Errorf("did not fire: %s", alert)
				}
			}
		})
	}
}

func (f *firing) describe(start time.Time) string {
	var of []string
	for _, label := range []string{"balena_device_name", "balena_device_tag_site", "balena_fleet_slug", "error_type"} {
		if value := f.of.Get(label); value != "" {
			of = append(of, value)
		}
	}
	minute := func(at time.Time) int { return int(at.Sub(start) / time.Minute) }
	return fmt.Sprintf("%s (%s) %s, minutes %d to %d", f.name, f.severity, strings.Join(of, " "), minute(f.from), minute(f.to))
}

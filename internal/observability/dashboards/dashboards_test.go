package dashboards_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/otelcol-balena/balenareceiver/internal/observability/dashboards"
	"github.com/otelcol-balena/balenareceiver/internal/observability/days"
	"github.com/otelcol-balena/balenareceiver/internal/observability/engine"
)

// choose replaces the variables of a query, as Grafana does.
func choose(fleet, uuid string) *strings.Replacer {
	return strings.NewReplacer("$organization", ".*", "$fleet", fleet, "$tag", "site", "$value", ".*", "$device", uuid)
}

// allFleets is what All means to the variable for the fleet while the one for the organization is at All, too.
func allFleets() string {
	for _, d := range dashboards.All() {
		for _, variable := range d.Templating.List {
			if variable.Name == "fleet" {
				return strings.ReplaceAll(variable.AllValue, "${organization:regex}", ".*")
			}
		}
	}
	return ""
}

// vocabulary is which labels each metric had on a day.
type vocabulary map[string]map[string]bool

func (v vocabulary) hasLabel(pattern *regexp.Regexp) bool {
	for _, labels := range v {
		for label := range labels {
			if pattern.MatchString(label) {
				return true
			}
		}
	}
	return false
}

// check finds metrics and labels in a query that no series has.
func (v vocabulary) check(expr parser.Expr) (problems []string) {
	known := map[string]bool{"__name__": true, "release": true} // release is made by label_replace
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		if selector.Name == "" { // chosen by a pattern
			for _, labels := range v {
				for label := range labels {
					known[label] = true
				}
			}
			return nil
		}
		labels := v[selector.Name]
		if labels == nil {
			problems = append(problems, "unknown metric "+selector.Name)
		}
		for label := range labels {
			known[label] = true
		}
		for _, matcher := range selector.LabelMatchers {
			if matcher.Name != "__name__" && labels != nil && !labels[matcher.Name] {
				problems = append(problems, fmt.Sprintf("%s has no label %s", selector.Name, matcher.Name))
			}
		}
		return nil
	})
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		var used []string
		switch n := node.(type) {
		case *parser.AggregateExpr:
			if !n.Without { // a label that is removed need not be there
				used = n.Grouping
			}
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				used = append(n.VectorMatching.MatchingLabels, n.VectorMatching.Include...)
			}
		}
		for _, label := range used {
			if !known[label] {
				problems = append(problems, "no metric of the query has the label "+label)
			}
		}
		return nil
	})
	return problems
}

// TestDashboards_Queries has each query of each panel answered on a simulated day.
func TestDashboards_Queries(t *testing.T) {
	day, err := days.Eventful()
	if err != nil {
		t.Fatal(err)
	}
	e := days.Live(t, day)
	var moments []time.Time // during the rollout, while the API fails, during the outage
	for _, minute := range []int{300, 575, 640, 718} {
		moments = append(moments, days.Begin.Add(time.Duration(minute)*time.Minute+30*time.Second))
	}
	devices, err := e.Query(t.Context(), `balena_device_online{balena_device_name="harbour-cameras-1-0000"}`, moments[0])
	if err != nil || len(devices) != 1 {
		t.Fatalf("%d devices: %v", len(devices), err)
	}
	chosen := choose(allFleets(), devices[0].Metric.Get("balena_device_uuid"))
	known := vocabulary{}
	for _, at := range moments {
		all, err := e.Query(t.Context(), `{__name__=~".+"}`, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range all {
			name := sample.Metric.Get("__name__")
			if known[name] == nil {
				known[name] = map[string]bool{}
			}
			sample.Metric.Range(func(l labels.Label) { known[name][l.Name] = true })
		}
	}
	check := func(where, query string) promql.Vector {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			return nil
		}
		for _, problem := range known.check(expr) {
			t.Errorf("%s: %s", where, problem)
		}
		var results promql.Vector
		for _, at := range moments {
			result, err := e.Query(t.Context(), query, at)
			if err != nil {
				t.Errorf("%s: %v", where, err)
			}
			results = append(results, result...)
		}
		return results
	}
	labelValues := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	queryResult := regexp.MustCompile(`^query_result\((.+)\)$`)
	legend := regexp.MustCompile(`{{(\w+)}}`)
	for _, d := range dashboards.All() {
		for _, variable := range d.Templating.List {
			query, _ := variable.Query.(map[string]any)
			text, _ := query["query"].(string)
			if text == "label_names()" && !known.hasLabel(regexp.MustCompile(strings.Trim(variable.Regex, "/"))) {
				t.Errorf("%s: the variable %s has no values", d.Title, variable.Name)
			}
			if match := labelValues.FindStringSubmatch(text); match != nil {
				results := check(d.Title+", variable "+variable.Name, chosen.Replace(match[1]))
				if len(results) == 0 || !results[0].Metric.Has(match[2]) {
					t.Errorf("%s: the variable %s has no values", d.Title, variable.Name)
				}
			}
			if match := queryResult.FindStringSubmatch(text); match != nil {
				results := check(d.Title+", variable "+variable.Name, chosen.Replace(match[1]))
				pattern := regexp.MustCompile(strings.TrimSuffix(strings.TrimPrefix(variable.Regex, "/"), "/g"))
				if len(results) == 0 || len(pattern.FindAllString(results[0].Metric.String(), -1)) != 2 {
					t.Errorf("%s: the variable %s has no texts and values", d.Title, variable.Name)
				}
			}
		}
		for _, panel := range d.Panels {
			where := fmt.Sprintf("%s, panel %q", d.Title, panel.Title)
			if panel.Type != "table" && panel.FieldConfig.Defaults.NoValue == "" {
				t.Errorf("%s does not say what it shows when there is nothing", where)
			}
			found := 0
			for _, target := range panel.Targets {
				results := check(where, chosen.Replace(target.Expr))
				found += len(results)
				wanted := legend.FindAllStringSubmatch(target.LegendFormat, -1)
				for _, transformation := range panel.Transformations {
					for label := range transformation.Options["renameByName"].(map[string]any) {
						if label != "Value" {
							wanted = append(wanted, []string{"", label})
						}
					}
				}
				seen := map[string]bool{}
				for _, sample := range results {
					if problem := sensible(panel.FieldConfig.Defaults, sample.F); problem != "" {
						t.Errorf("%s: %s is %v, %s", where, sample.Metric, sample.F, problem)
					}
					sample.Metric.Range(func(l labels.Label) { seen[l.Name] = true })
				}
				for _, label := range wanted {
					if len(results) > 0 && !seen[label[1]] {
						t.Errorf("%s shows the label %s, which no result has", where, label[1])
					}
				}
			}
			if found == 0 && panel.MayBeEmpty == "" {
				t.Errorf("%s shows nothing", where)
			}
		}
	}
}

// sensible says what is wrong with a value, if anything is.
func sensible(field dashboards.Field, v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "not a number"
	case v < 0:
		return "below 0"
	case field.Max != nil && v > *field.Max:
		return "above the maximum"
	case field.Unit == "celsius" && (v < 10 || v > 110):
		return "not a temperature of a CPU"
	case field.Unit == "s" && v > 400*86400:
		return "more than a year"
	case field.Unit == "" && v != math.Trunc(v) && (field.Decimals == nil || *field.Decimals != 0) && v > 1e6:
		return "out of all proportion"
	}
	return ""
}

// begin lets the first minutes of the eventful day happen, without its events.
func begin(t *testing.T, length time.Duration) *engine.Engine {
	t.Helper()
	day, err := days.Eventful()
	if err != nil {
		t.Fatal(err)
	}
	day.Length, day.Events = length, nil
	return days.Live(t, day)
}

// TestDashboards_WithoutTags holds that the panels of devices show all of them where no tag is a label: Grafana then leaves nothing in
// place of the tag.
func TestDashboards_WithoutTags(t *testing.T) {
	e := begin(t, 2*time.Minute)
	withoutTag := strings.NewReplacer("balena_device_tag_$tag", "balena_device_tag_", "$value", ".*", "$fleet", allFleets())
	variables := 0
	for _, d := range dashboards.All() {
		for _, variable := range d.Templating.List {
			query, _ := variable.Query.(map[string]any)
			if variable.Name != "device" {
				continue
			}
			selector := withoutTag.Replace(strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(query["query"]), "query_result("), ")"))
			variables++
			at := days.Begin.Add(90 * time.Second)
			all, err := e.Query(t.Context(), "balena_device_online", at)
			if err != nil || len(all) == 0 {
				t.Fatalf("%d devices: %v", len(all), err)
			}
			if found, err := e.Query(t.Context(), selector, at); err != nil || len(found) != len(all) {
				t.Errorf("%s: %s finds %d of %d devices: %v", d.Title, selector, len(found), len(all), err)
			}
		}
	}
	if variables != 1 {
		t.Errorf("%d variables choose a device", variables)
	}
}

// store opens an engine with the series of a text, as of a time.
func store(t *testing.T, at time.Time, text string) *engine.Engine {
	t.Helper()
	e, err := engine.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := e.StoreText(t.Context(), at, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return e
}

// query is that of a panel.
func query(t *testing.T, title string) string {
	t.Helper()
	for _, d := range dashboards.All() {
		for _, panel := range d.Panels {
			if panel.Title == title {
				return panel.Targets[0].Expr
			}
		}
	}
	t.Fatalf("no panel %q", title)
	return ""
}

// TestDashboards_Alerts holds that a choice of fleets hides the alerts of other fleets only.
func TestDashboards_Alerts(t *testing.T) {
	e := store(t, days.Begin, `
ALERTS{alertname="BalenaAPIDown",alertstate="firing",severity="critical"} 1
ALERTS{alertname="BalenaFleetOnlineShareLow",alertstate="firing",severity="warning",balena_fleet_slug="acme/kiosks"} 1
ALERTS{alertname="BalenaFleetOnlineShareLow",alertstate="firing",severity="warning",balena_fleet_slug="acme/cameras"} 1
ALERTS{alertname="BalenaFleetOnlineShareLow",alertstate="pending",severity="warning",balena_fleet_slug="acme/kiosks"} 1
`)
	for fleet, want := range map[string]int{allFleets(): 3, "acme/kiosks": 2, "(acme/kiosks|acme/cameras)": 3, "acme/printers": 1} {
		count, err := e.Query(t.Context(), choose(fleet, "").Replace(query(t, "Alerts")), days.Begin)
		if err != nil || len(count) != 1 || count[0].F != float64(want) {
			t.Errorf("%s: Alerts shows %v, want %d: %v", fleet, count, want, err)
		}
		if rows, err := e.Query(t.Context(), choose(fleet, "").Replace(query(t, "Incidents")), days.Begin); err != nil || len(rows) != want {
			t.Errorf("%s: Incidents lists %v, want %d: %v", fleet, rows, want, err)
		}
	}
}

// TestDashboards_Stragglers holds that a device that should run nothing in particular is not listed.
func TestDashboards_Stragglers(t *testing.T) {
	const device = `{balena_fleet_slug="acme/kiosks",balena_device_uuid="%s",balena_release_version="%s"%s} 1`
	e := store(t, days.Begin, fmt.Sprintf("balena_device_info"+device, "behind", "1", `,balena_target_release_version="2"`)+"\n"+
		fmt.Sprintf("balena_device_info"+device, "on target", "2", `,balena_target_release_version="2"`)+"\n"+
		fmt.Sprintf("balena_device_info"+device, "without target", "1", "")+"\n"+`
balena_device_online{balena_device_uuid="behind"} 1
balena_device_online{balena_device_uuid="on target"} 1
balena_device_online{balena_device_uuid="without target"} 1
`)
	found, err := e.Query(t.Context(), choose(allFleets(), "").Replace(query(t, "Stragglers")), days.Begin)
	if err != nil || len(found) != 1 || found[0].Metric.Get("balena_device_uuid") != "behind" {
		t.Errorf("%v: %v", found, err)
	}
}

// TestDashboards_TwoCollectors holds that the panels of fleets and devices show the same if every series is there twice, told apart by one
// of the labels of docs/scaling-out.md.
func TestDashboards_TwoCollectors(t *testing.T) {
	e := begin(t, 15*time.Minute)
	devices, err := e.Query(t.Context(), "balena_device_online", days.Begin.Add(time.Minute))
	if err != nil || len(devices) == 0 {
		t.Fatalf("%d devices: %v", len(devices), err)
	}
	chosen := choose(allFleets(), devices[0].Metric.Get("balena_device_uuid"))
	const last = 14
	// again stores the day once for each value of the label.
	again := func(label string, values ...string) *engine.Engine {
		copied := store(t, days.Begin, "")
		for minute := range last + 1 {
			at := days.Begin.Add(time.Duration(minute) * time.Minute)
			all, err := e.Query(t.Context(), `{__name__=~"balena_[^:]+"}`, at)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for _, sample := range all {
				for _, value := range values {
					series := labels.NewBuilder(sample.Metric).Del("__name__").Set(label, value).Labels()
					fmt.Fprintf(&text, "%s%s %v\n", sample.Metric.Get("__name__"), series, sample.F)
				}
			}
			if err := copied.StoreText(t.Context(), at, []byte(text.String())); err != nil {
				t.Fatal(err)
			}
		}
		return copied
	}
	ask := func(e *engine.Engine, query string) (rows []string) {
		results, err := e.Query(t.Context(), query, days.Begin.Add(last*time.Minute))
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
		for _, sample := range results {
			rows = append(rows, fmt.Sprintf("%s %v", sample.Metric, sample.F))
		}
		slices.Sort(rows)
		return rows
	}
	for _, label := range []string{"instance", "pod", "replica"} {
		single, double := again(label, "a"), again(label, "a", "b")
		for _, d := range dashboards.All() {
			if d.UID == "balena-collector" {
				continue // is about the Collectors themselves
			}
			for _, panel := range d.Panels {
				for _, target := range panel.Targets {
					if query := chosen.Replace(target.Expr); !slices.Equal(ask(single, query), ask(double, query)) {
						t.Errorf("%s, panel %q: two Collectors that differ by %s change what is shown", d.Title, panel.Title, label)
					}
				}
			}
		}
	}
}

// TestDashboards_UnknownNamesFail tries the check itself.
func TestDashboards_UnknownNamesFail(t *testing.T) {
	known := vocabulary{"balena_devices_online": {"balena_fleet_slug": true}}
	for query, want := range map[string]string{
		`balena_devices_online`:                              "",
		`sum by (balena_fleet_slug) (balena_devices_online)`: "",
		`balena_device_online`:                               "unknown metric balena_device_online",
		`balena_devices_online{fleet="a"}`:                   "balena_devices_online has no label fleet",
		`sum by (fleet) (balena_devices_online)`:             "no metric of the query has the label fleet",
	} {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(known.check(expr), "; "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// TestDashboards_FilesAreGenerated holds that observability/dashboards is what make generate writes.
func TestDashboards_FilesAreGenerated(t *testing.T) {
	for _, d := range dashboards.All() {
		file := filepath.Join("../../../observability/dashboards", strings.TrimPrefix(d.UID, "balena-")+".json")
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, got); err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(d); err != nil {
			t.Fatal(err)
		}
		if compact.String() != strings.TrimSpace(want.String()) {
			t.Errorf("%s is out of date: make generate", file)
		}
	}
}

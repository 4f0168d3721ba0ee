package dashboards_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/otelcol-balena/balenareceiver/internal/observability/dashboards"
	"github.com/otelcol-balena/balenareceiver/internal/observability/days"
)

// chosen replaces the variables of a query: all fleets, and one device.
var chosen = strings.NewReplacer("$organization", ".+", "$fleet", ".+", "$tag", "site", "$value", ".*", "$device", "harbour-cameras-1-0000")

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
			used = n.Grouping
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

// TestDashboards_WithoutTags holds that the panels of devices show all of them where no tag is a label: Grafana then leaves nothing in
// place of the tag.
func TestDashboards_WithoutTags(t *testing.T) {
	day, err := days.Eventful()
	if err != nil {
		t.Fatal(err)
	}
	day.Length, day.Events = 2*time.Minute, nil
	e := days.Live(t, day)
	withoutTag := strings.NewReplacer("balena_device_tag_$tag", "balena_device_tag_", "$value", ".*", "$fleet", ".+")
	for _, d := range dashboards.All() {
		for _, variable := range d.Templating.List {
			query, _ := variable.Query.(map[string]any)
			devices, ok := strings.CutSuffix(fmt.Sprint(query["query"]), ", balena_device_name)")
			if !ok {
				continue
			}
			selector := withoutTag.Replace(strings.TrimPrefix(devices, "label_values("))
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

package incidents

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// TestRules_Annotations holds what Alertmanager configurations and people rely on: each alert has a severity, says what happened and what to do,
// and links to its section in docs/alerts.md.
func TestRules_Annotations(t *testing.T) {
	const root = "../../../"
	const pages = "https://github.com/otelcol-balena/balenareceiver/blob/main/"
	files, err := filepath.Glob(root + "observability/rules/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rule files: %v", err)
	}
	for _, file := range files {
		groups, errs := rulefmt.ParseFile(file, false, model.UTF8Validation, parser.NewParser(parser.Options{}), promslog.NewNopLogger())
		for _, err := range errs {
			t.Error(err)
		}
		if groups == nil {
			continue
		}
		for _, group := range groups.Groups {
			for _, rule := range group.Rules {
				if rule.Alert == "" {
					continue
				}
				switch severity := rule.Labels["severity"]; severity {
				case "critical", "warning", "info":
				default:
					t.Errorf("%s: severity is %q", rule.Alert, severity)
				}
				for _, name := range []string{"summary", "description", "runbook_url"} {
					if rule.Annotations[name] == "" {
						t.Errorf("%s has no %s", rule.Alert, name)
					}
				}
				runbook, err := os.ReadFile(root + "docs/alerts.md")
				if err != nil {
					t.Fatal(err)
				}
				if want := pages + "docs/alerts.md#" + strings.ToLower(rule.Alert); rule.Annotations["runbook_url"] != want {
					t.Errorf("%s: runbook_url is %q, want %q", rule.Alert, rule.Annotations["runbook_url"], want)
				}
				if !strings.Contains(string(runbook), "\n## "+rule.Alert+"\n") {
					t.Errorf("docs/alerts.md has no section %s", rule.Alert)
				}
			}
		}
	}
}

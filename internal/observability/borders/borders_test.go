// Package borders tries the rules at the borders of their thresholds, and the example for Alertmanager, with the tools that operators use.
package borders

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// tool finds a program of Debian's packages prometheus and prometheus-alertmanager. With REQUIRE_PROMTOOL=true a missing one fails.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("REQUIRE_PROMTOOL") == "true":
		t.Fatalf("%s is missing: apt-get install prometheus prometheus-alertmanager", name)
	}
	t.Skipf("NOT TESTED: %s is missing: apt-get install prometheus prometheus-alertmanager", name)
	return ""
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), tool(t, name), args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
	return string(output)
}

func TestRules_Borders(t *testing.T) { run(t, "promtool", "test", "rules", "borders.yaml") }

const alertmanager = "../../../observability/alertmanager.yaml"

func TestAlertmanager_Config(t *testing.T) { run(t, "amtool", "check-config", alertmanager) }

func TestAlertmanager_Routes(t *testing.T) {
	for severity, receiver := range map[string]string{"critical": "wake", "warning": "team", "info": "list"} {
		run(t, "amtool", "config", "routes", "test", "--config.file="+alertmanager, "--verify.receivers="+receiver,
			"alertname=BalenaAny", "severity="+severity)
	}
}

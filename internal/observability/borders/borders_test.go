// Package borders tries the rules at the borders of their thresholds, and the example for Alertmanager, with the tools that operators use.
package borders

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
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

// A running Alertmanager with the example silences what has the same cause as something else, and nothing else.
func TestAlertmanager_Inhibition(t *testing.T) {
	api := startAlertmanager(t)
	for name, test := range map[string]struct {
		source, target string
		inhibited      bool
	}{
		"a device of a fleet that lost many":     {"BalenaFleetMassDisconnect fleet=a/b", "BalenaDeviceOffline fleet=a/b", true},
		"a device of another fleet":              {"BalenaFleetMassDisconnect fleet=a/c", "BalenaDeviceOffline fleet=a/d", false},
		"the fleet that lost many":               {"BalenaFleetMassDisconnect fleet=a/e", "BalenaFleetMassDisconnect fleet=a/e", false},
		"the online share of a fleet, once":      {"BalenaFleetMassDisconnect fleet=a/f", "BalenaFleetOnlineShareLow fleet=a/f", true},
		"a rollout of a fleet that lost many":    {"BalenaFleetMassDisconnect fleet=a/g", "BalenaRolloutStuck fleet=a/g", false},
		"failing requests while the API is down": {"BalenaAPIDown receiver=one", "BalenaScrapeIncomplete receiver=one", true},
		"failing requests of another receiver":   {"BalenaAPIDown receiver=three", "BalenaScrapeIncomplete receiver=four", false},
		"a device offline in a VPN incident":     {"BalenaVPNIncident fleet=", "BalenaDeviceOffline fleet=a/i", false},
		"a device off the VPN in a VPN incident": {"BalenaVPNIncident fleet=", "BalenaDeviceHeartbeatWithoutVPN fleet=a/j", true},
		"a device while the API is down":         {"BalenaAPIDown receiver=two", "BalenaDeviceOverheating fleet=a/h", false},
	} {
		t.Run(name, func(t *testing.T) {
			source, target := labelsOf(test.source, name), labelsOf(test.target, name)
			api.send(t, source, target)
			deadline := time.Now().Add(30 * time.Second)
			for {
				state, found := api.state(t, target)
				if found && (state == "suppressed") == test.inhibited && state != "unprocessed" {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("%s besides %s is %q", test.target, test.source, state)
				}
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
}

// labelsOf reads "Alert fleet=slug" or "Alert receiver=name".
func labelsOf(text, test string) map[string]string {
	alert, of, _ := strings.Cut(text, " ")
	key, value, _ := strings.Cut(of, "=")
	labels := map[string]string{"alertname": alert, "severity": "warning", "test": test}
	labels[map[string]string{"fleet": "balena_fleet_slug", "receiver": "balena_receiver_name"}[key]] = value
	return labels
}

type alertmanagerAPI string // URL

func startAlertmanager(t *testing.T) alertmanagerAPI {
	t.Helper()
	program := tool(t, "prometheus-alertmanager")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "--config.file="+alertmanager, "--web.listen-address="+address, "--storage.path="+t.TempDir(),
		"--cluster.listen-address=")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed
		if t.Failed() {
			t.Log(output.String())
		}
	})
	api := alertmanagerAPI("http://" + address)
	for range 600 {
		response, err := http.Get(string(api) + "/-/ready")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return api
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("Alertmanager is not ready after a minute")
	return ""
}

func (api alertmanagerAPI) send(t *testing.T, alerts ...map[string]string) {
	t.Helper()
	var body []map[string]any
	for _, labels := range alerts {
		body = append(body, map[string]any{"labels": labels})
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(string(api)+"/api/v2/alerts", "application/json", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if message, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", response.Status, message)
	}
}

// state is the state of the alert with these labels: active, suppressed or unprocessed.
func (api alertmanagerAPI) state(t *testing.T, labels map[string]string) (state string, found bool) {
	t.Helper()
	response, err := http.Get(string(api) + "/api/v2/alerts")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var alerts []struct {
		Labels map[string]string
		Status struct{ State string }
	}
	if err := json.NewDecoder(response.Body).Decode(&alerts); err != nil {
		t.Fatal(err)
	}
	for _, alert := range alerts {
		if fmt.Sprint(alert.Labels) == fmt.Sprint(labels) {
			return alert.Status.State, true
		}
	}
	return "", false
}

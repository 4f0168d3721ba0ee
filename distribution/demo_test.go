//go:build e2e

package distribution

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

// What a newcomer types: no account, no key.
func TestMakeRun_WithoutKey(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *demo){
		"ended by a signal":       func(t *testing.T, d *demo) { require.NoError(t, syscall.Kill(-d.pid, syscall.SIGINT)) },
		"the Collector fails":     func(t *testing.T, d *demo) { killChild(t, d.pid, "otelcol-balena") },
		"the simulator is killed": func(t *testing.T, d *demo) { killChild(t, d.pid, "balenasim") },
	} {
		t.Run("shows living fleets and leaves nothing behind: "+name, func(t *testing.T) {
			t.Parallel()
			d := makeRun(t, env{"SIMFLAGS": "--requests none --speed 100"}) // a rollout shows within seconds
			seen := map[string]bool{}
			eventually(t, func(t *assert.CollectT) {
				for _, line := range samples(get(t, d.metricsURL)) {
					if strings.HasPrefix(line, "balena_fleet_device_rollout_state{") && strings.Contains(line, `"on_target"`) {
						seen[line] = true
					}
				}
				require.Greater(t, len(seen), 6, "more values than fleets: the rollout goes on")
			})
			assert.Contains(t, get(t, d.pageURL), "devices online", "the page, whose address is printed first, shows them")
			assert.Contains(t, d.log.String(), "Fleets:   "+d.pageURL)
			assert.Contains(t, d.log.String(), "Simulated fleets")
			assert.Contains(t, d.log.String(), "BALENA_API_KEY=... make run")

			end(t, d)
			select {
			case <-d.ended:
			case <-time.After(process.Patience):
				t.Fatal("make is still running")
			}
			// No process is left in the group.
			require.Eventually(t, func() bool { return syscall.Kill(-d.pid, 0) == syscall.ESRCH }, process.Patience, 10*time.Millisecond)
		})
	}
}

// demo is a running `make run` without an API key.
type demo struct {
	addresses
	pid   int // and process group
	log   process.Buffer
	ended chan struct{}
}

func makeRun(t *testing.T, vars env) *demo {
	t.Helper()
	vars = withFreePorts(t, vars)
	vars["PATH"], vars["HOME"] = os.Getenv("PATH"), os.Getenv("HOME") // for make and what it starts
	vars["BALENA_COLLECTION_INTERVAL"] = "1s"
	d := &demo{addresses: addressesIn(vars), ended: make(chan struct{})}
	// The binaries are those that the other tests use, whether up to date or not.
	cmd := process.Command(vars, "make", "-C", "..", "-s", "-o", "dist/otelcol-balena", "-o", "dist/balenasim", "run")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal signals the complete group
	cmd.Stdout, cmd.Stderr = &d.log, &d.log
	require.NoError(t, cmd.Start())
	d.pid = cmd.Process.Pid
	go func() {
		_ = cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-d.pid, syscall.SIGKILL)
		<-d.ended
		if t.Failed() {
			t.Log(d.log.String())
		}
	})
	return d
}

// killChild kills the process of a group that runs a program.
func killChild(t *testing.T, group int, program string) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("needs /proc to find the process")
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		args, _ := os.ReadFile("/proc/" + entry.Name() + "/cmdline")
		name, _, _ := strings.Cut(string(args), "\x00")
		if of, err := syscall.Getpgid(pid); err == nil && of == group && strings.HasSuffix(name, "/"+program) {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
			return
		}
	}
	t.Fatalf("no process %s", program)
}

func TestMakeRun_WithKeyStartsNoSimulator(t *testing.T) {
	t.Parallel()
	out, err := process.Command(env{"PATH": os.Getenv("PATH"), "HOME": os.Getenv("HOME"), "BALENA_API_KEY": "key"},
		"make", "-C", "..", "-n", "-o", "dist/otelcol-balena", "-o", "dist/balenasim", "run").Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), "exec dist/otelcol-balena --config distribution/otelcol.yaml")
	assert.NotContains(t, string(out), "balenasim")
}

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
func TestRunWithoutAKeyShowsLivingFleetsAndLeavesNothingBehind(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, pid int){
		"ended by a signal":       func(t *testing.T, pid int) { require.NoError(t, syscall.Kill(-pid, syscall.SIGINT)) },
		"the Collector fails":     func(t *testing.T, pid int) { killChild(t, pid, "otelcol-balena") },
		"the simulator is killed": func(t *testing.T, pid int) { killChild(t, pid, "balenasim") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vars := withFreePorts(t, env{
				"PATH": os.Getenv("PATH"), "HOME": os.Getenv("HOME"), // for make and what it starts
				"BALENA_COLLECTION_INTERVAL": "1s",
				// As quick as a rollout may be: it shows within seconds.
				"SIMFLAGS": "--requests none --speed 100",
			})
			// The binaries are those that the other tests use, be they old or not.
			cmd := process.Command(vars, "make", "-C", "..", "-o", "dist/otelcol-balena", "-o", "dist/balenasim", "run")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal signals the whole group
			var log process.Buffer
			cmd.Stdout, cmd.Stderr = &log, &log
			require.NoError(t, cmd.Start())
			ended := make(chan struct{})
			go func() {
				_ = cmd.Wait()
				close(ended)
			}()
			t.Cleanup(func() {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
				if t.Failed() {
					t.Log(log.String())
				}
			})

			at := addressesIn(vars)
			seen := map[string]bool{}
			eventually(t, func(t *assert.CollectT) {
				for _, line := range samples(get(t, at.metricsURL)) {
					if strings.HasPrefix(line, "balena_fleet_rollout_device_count{") && strings.Contains(line, `"on_target"`) {
						seen[line] = true
					}
				}
				require.Greater(t, len(seen), 6, "more values than fleets: the rollout goes on")
			})
			assert.Contains(t, log.String(), "Simulated fleets")
			assert.Contains(t, log.String(), "BALENA_API_KEY=... make run")

			end(t, cmd.Process.Pid)
			select {
			case <-ended:
			case <-time.After(process.Patience):
				t.Fatal("make still runs")
			}
			// No process is left in the group.
			require.Eventually(t, func() bool { return syscall.Kill(-cmd.Process.Pid, 0) == syscall.ESRCH },
				process.Patience, 10*time.Millisecond)
		})
	}
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

func TestRunWithAKeyStartsNoSimulator(t *testing.T) {
	t.Parallel()
	out, err := process.Command(env{"PATH": os.Getenv("PATH"), "HOME": os.Getenv("HOME"), "BALENA_API_KEY": "key"},
		"make", "-C", "..", "-n", "-o", "dist/otelcol-balena", "-o", "dist/balenasim", "run").Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), "exec dist/otelcol-balena --config distribution/otelcol.yaml")
	assert.NotContains(t, string(out), "balenasim")
}

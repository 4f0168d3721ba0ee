// Package process runs built programs for the end-to-end test and the benchmarks.
package process

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Patience is how long a condition may take to become true. It only bounds failing tests.
const Patience = 30 * time.Second

const tick = 100 * time.Millisecond

// Env is the complete environment of a process: the environment of the machine must not affect a test.
type Env map[string]string

// Process is a running program.
type Process struct {
	PID    int
	Log    *Buffer       // everything that it wrote
	Exited chan struct{} // closed when it has ended

	cmd  *exec.Cmd
	err  error // from exec.Cmd.Wait; valid once Exited is closed
	stop sync.Once
}

// Command returns a program with exactly the given environment.
func Command(vars Env, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = []string{} // nil would mean the environment of the test
	for name, value := range vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// Start runs a command until Stop or the end of the test.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Log: &Buffer{}, Exited: make(chan struct{}), cmd: cmd}
	cmd.Stdout, cmd.Stderr = p.Log, p.Log
	require.NoError(t, cmd.Start(), "make build creates the binaries")
	p.PID = cmd.Process.Pid
	go func() {
		p.err = cmd.Wait()
		close(p.Exited)
	}()
	t.Cleanup(func() {
		p.Stop(t)
		if t.Failed() {
			t.Logf("log of %s:\n%s", strings.Join(cmd.Args, " "), p.Log)
		}
	})
	return p
}

// Stop ends the program and fails the test unless it shuts down cleanly.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	p.stop.Do(func() {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("stop %s: %v", p.cmd.Path, err)
		}
		select {
		case <-p.Exited:
			assert.NoError(t, p.err, "%s failed", p.cmd.Path)
		case <-time.After(Patience):
			t.Errorf("%s is still running %s after SIGTERM", p.cmd.Path, Patience)
			_ = p.cmd.Process.Kill()
			<-p.Exited
		}
	})
}

// Running fails the test if the program has exited.
func (p *Process) Running(t require.TestingT) {
	select {
	case <-p.Exited:
		require.FailNow(t, "the program has exited", "%s: %v", p.cmd.Path, p.err)
	default:
	}
}

// Eventually waits until the condition holds; the test reports its last failed assertions.
func Eventually(t testing.TB, condition func(t *assert.CollectT)) {
	t.Helper()
	require.EventuallyWithT(t, condition, Patience, tick)
}

// Get returns the body of a successful response.
func Get(t require.TestingT, url string) string {
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s: %s", url, body)
	return string(body)
}

// Sum adds up the series of a metric in a Prometheus exposition and reports whether there is any.
func Sum(t require.TestingT, exposition, name string) (sum float64, found bool) {
	for _, match := range regexp.MustCompile(`(?m)^`+name+`(?:\{.*\})? (\S+)$`).FindAllStringSubmatch(exposition, -1) {
		value, err := strconv.ParseFloat(match[1], 64)
		require.NoError(t, err)
		sum += value
		found = true
	}
	return sum, found
}

// FreeAddress returns an address that was free a moment ago: a Collector that chose its own port could not report it.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// Buffer can be read while a process writes to it.
type Buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.TrimSpace(b.buf.String())
}

package packaging

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const top = "../.."

// needs skips the test unless root runs it and the programs are installed (.ci/tools installs them). With REQUIRE_TOOLS=true it fails.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes minutes")
	}
	missing := ""
	if os.Getuid() != 0 {
		missing = "root"
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			missing += " " + program
		}
	}
	if missing != "" {
		unable(t, "needs "+strings.TrimSpace(missing))
	}
}

// unable skips the test because of the machine. With REQUIRE_TOOLS=true it fails.
func unable(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("REQUIRE_TOOLS") == "true" {
		t.Fatal(why)
	}
	t.Skip("NOT TESTED: " + why)
}

// run returns what a program of the machine wrote to its standard output, and fails the test if it fails.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return output(t, exec.Command(name, args...))
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, both strings.Builder
	cmd.Stdout, cmd.Stderr = &tee{&stdout, &both}, &both
	require.NoError(t, cmd.Run(), "%s\n%s", cmd, &both)
	return strings.TrimSpace(stdout.String())
}

// tee writes to both.
type tee [2]*strings.Builder

func (w *tee) Write(p []byte) (int, error) {
	w[0].Write(p)
	return w[1].Write(p)
}

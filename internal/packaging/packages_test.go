package packaging

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

// What make release builds, by the names that packages of that kind have for the platforms.
var released = []string{
	"otelcol-balena_0.1.0_linux_amd64.tar.gz", "otelcol-balena_0.1.0_linux_arm64.tar.gz", "otelcol-balena_0.1.0_linux_armv7.tar.gz",
	"otelcol-balena_0.1.0_linux_amd64.cdx.json", "otelcol-balena_0.1.0_linux_arm64.cdx.json", "otelcol-balena_0.1.0_linux_armv7.cdx.json",
	"otelcol-balena_0.1.0_amd64.deb", "otelcol-balena_0.1.0_arm64.deb", "otelcol-balena_0.1.0_armhf.deb",
	"otelcol-balena-0.1.0-1.x86_64.rpm", "otelcol-balena-0.1.0-1.aarch64.rpm", "otelcol-balena-0.1.0-1.armv7hl.rpm",
	"otelcol-balena_0.1.0_x86_64.apk", "otelcol-balena_0.1.0_aarch64.apk", "otelcol-balena_0.1.0_armv7.apk",
}

func TestRelease(t *testing.T) {
	needs(t, "make", "go", "git", "dpkg", "systemd-analyze", "qemu-aarch64-static", "qemu-arm-static", "rpm")
	run(t, "make", "-C", top, "release")
	dir, err := filepath.Abs(filepath.Join(top, "dist/release"))
	require.NoError(t, err)
	file := func(index int) string { return filepath.Join(dir, released[index]) }

	t.Run("everything is there, with its checksum", func(t *testing.T) {
		var names []string
		for line := range strings.Lines(read(t, filepath.Join(dir, "SHA256SUMS"))) {
			names = append(names, strings.Fields(line)[1])
		}
		assert.ElementsMatch(t, released, names)
		run(t, "sh", "-c", `cd "$0" && sha256sum --check --quiet SHA256SUMS`, dir)
	})

	t.Run("another build in another folder has the same bytes", func(t *testing.T) {
		other := t.TempDir()
		run(t, "git", "clone", "--quiet", "--no-checkout", top, other)
		run(t, "sh", "-c", "cd "+top+" && git ls-files --cached --others --exclude-standard | tar -c -T - --ignore-failed-read | tar -x -C "+other)
		run(t, "make", "-C", other, "release")
		assert.Equal(t, read(t, filepath.Join(dir, "SHA256SUMS")), read(t, filepath.Join(other, "dist/release/SHA256SUMS")))
	})

	for name, test := range map[string]struct{ archive, emulator string }{
		"arm64":  {file(1), "qemu-aarch64-static"},
		"arm v7": {file(2), "qemu-arm-static"},
	} {
		t.Run("the program of the archive for "+name+" starts, and accepts the configurations beside it", func(t *testing.T) {
			folder := t.TempDir()
			run(t, "tar", "-xzf", test.archive, "--strip-components", "1", "-C", folder)
			assert.Equal(t, "otelcol-balena version 0.1.0", run(t, test.emulator, filepath.Join(folder, "otelcol-balena"), "--version"))
			validate := exec.Command(test.emulator, filepath.Join(folder, "otelcol-balena"), "validate", "--config", folder+"/otelcol.yaml")
			validate.Env = append(os.Environ(), "BALENA_API_KEY=none")
			output(t, validate)
		})
	}

	t.Run("the bill of materials names what is in the program", func(t *testing.T) {
		var bill struct {
			BOMFormat  string
			Components []struct{ Name string }
		}
		require.NoError(t, json.Unmarshal([]byte(read(t, file(3))), &bill))
		assert.Equal(t, "CycloneDX", bill.BOMFormat)
		var names []string
		for _, component := range bill.Components {
			names = append(names, component.Name)
		}
		assert.Contains(t, names, "github.com/otelcol-balena/balenareceiver")
		assert.Contains(t, names, "go.opentelemetry.io/collector/service")
		assert.NotContains(t, names, "..")
	})

	t.Run("deb, rpm and apk install the same files", func(t *testing.T) {
		list := func(text string) (files []string) {
			for line := range strings.Lines(text) {
				name := "/" + strings.Trim(strings.TrimSpace(line), "./")
				if !strings.HasPrefix(filepath.Base(name), ".") && filepath.Ext(name) != "" || strings.HasPrefix(name, "/usr/bin/") {
					files = append(files, name)
				}
			}
			slices.Sort(files)
			return slices.Compact(files)
		}
		deb := list(run(t, "sh", "-c", `dpkg-deb --fsys-tarfile "$0" | tar -t`, file(6)))
		assert.Contains(t, deb, "/usr/bin/otelcol-balena")
		assert.Equal(t, deb, list(run(t, "rpm", "--query", "--package", "--list", file(9))))
		assert.Equal(t, deb, list(run(t, "tar", "-tz", "--ignore-zeros", "--warning=no-unknown-keyword", "-f", file(12))))
	})

	t.Run("the deb", func(t *testing.T) { testDeb(t, file(6)) })
}

// A machine is this one, seen through a layer that takes all changes and disappears with the test.
type machine struct {
	pid  int
	root string
}

func startMachine(t *testing.T) *machine {
	t.Helper()
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	cmd := exec.Command("sh", "-ec", `cd "$0"; mount -t tmpfs tmpfs .; cd "$0"; mkdir up work root
		mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work root
		mount --rbind /dev root/dev; mount -t proc proc root/proc; mount -t tmpfs tmpfs root/run; echo ready; exec sleep infinity`, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	log := &process.Buffer{}
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); log.String() != "ready"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			unable(t, "root may not mount here: "+log.String())
		}
	}
	return &machine{cmd.Process.Pid, root}
}

func (m *machine) command(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--target", strconv.Itoa(m.pid), "--mount", "chroot", m.root}, args...)...)
}

func (m *machine) run(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, m.command(args...))
}

func (m *machine) exists(path string) bool { return m.command("test", "-e", path).Run() == nil }

func testDeb(t *testing.T, deb string) {
	m := startMachine(t)
	m.run(t, "dpkg", "--install", deb)
	assert.Contains(t, m.run(t, "dpkg", "--status", "otelcol-balena"), "Status: install ok installed")
	assert.False(t, m.exists("/etc/systemd/system/multi-user.target.wants/otelcol-balena.service"), "without a key it cannot start")
	owned := strings.Split(m.run(t, "dpkg", "--listfiles", "otelcol-balena"), "\n")
	const unit = "/usr/lib/systemd/system/otelcol-balena.service"

	t.Run("systemd accepts its unit, and finds it confined", func(t *testing.T) {
		verify, err := m.command("systemd-analyze", "verify", "--man=no", unit).CombinedOutput()
		assert.NoError(t, err)
		assert.NotContains(t, string(verify), "otelcol-balena", "a complaint about the unit")
		security := m.run(t, "systemd-analyze", "security", "--offline=true", "--no-pager", unit)
		level := regexp.MustCompile(`Overall exposure level for \S+: ([\d.]+)`).FindStringSubmatch(security)
		require.NotNil(t, level, security)
		exposure, err := strconv.ParseFloat(level[1], 64)
		require.NoError(t, err)
		assert.LessOrEqual(t, exposure, 1.5)
	})

	t.Run("what its unit starts serves metrics and ends cleanly", func(t *testing.T) {
		simulator := process.FreeAddress(t)
		process.Start(t, exec.Command(filepath.Join(top, "dist/balenasim"), "--listen", simulator, "--requests", "none"))
		// What systemd does with LoadCredential, DynamicUser and EnvironmentFile.
		m.run(t, "sh", "-c", "umask 77; echo token > /etc/otelcol-balena/api-key; install -d -o nobody /run/credentials; "+
			"install -o nobody -m 0400 /etc/otelcol-balena/api-key /run/credentials/api-key")
		start := regexp.MustCompile(`(?s)ExecStart=(.*?[^\\])\n`).FindStringSubmatch(m.run(t, "cat", unit))
		require.NotNil(t, start)
		line := strings.ReplaceAll(strings.ReplaceAll(start[1], "\\\n", " "), "${CREDENTIALS_DIRECTORY}", "/run/credentials")
		metrics := process.FreeAddress(t)
		args := []string{
			"setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--no-new-privs", "--bounding-set=-all", "--", "env", "-i",
			"BALENA_API_URL=http://" + simulator, "BALENA_PROMETHEUS_ENDPOINT=" + metrics,
		}
		for _, name := range []string{"PAGE", "HEALTH"} {
			args = append(args, fmt.Sprintf("BALENA_%s_ENDPOINT=%s", name, process.FreeAddress(t)))
		}
		_, port, _ := strings.Cut(process.FreeAddress(t), ":")
		args = append(args, "BALENA_TELEMETRY_PORT="+port)
		collector := process.Start(t, m.command(append(args, strings.Fields(line)...)...))
		process.Eventually(t, func(t *assert.CollectT) {
			collector.Running(t)
			online, _ := process.Sum(t, process.Get(t, "http://"+metrics+"/metrics"), "balena_devices_online")
			require.Positive(t, online)
		})
		collector.Stop(t)
	})

	t.Run("removed, it leaves configuration and key", func(t *testing.T) {
		m.run(t, "dpkg", "--remove", "otelcol-balena")
		assert.False(t, m.exists("/usr/bin/otelcol-balena"))
		assert.False(t, m.exists(unit))
		assert.True(t, m.exists("/etc/otelcol-balena/config.yaml"))
		assert.True(t, m.exists("/etc/otelcol-balena/api-key"))
	})

	t.Run("purged, it leaves nothing", func(t *testing.T) {
		m.run(t, "dpkg", "--purge", "otelcol-balena")
		assert.False(t, m.exists("/etc/otelcol-balena"))
		assert.Error(t, m.command("dpkg", "--status", "otelcol-balena").Run())
		for _, path := range owned {
			assert.False(t, strings.Contains(path, "otelcol-balena") && m.exists(path), path)
		}
	})
}

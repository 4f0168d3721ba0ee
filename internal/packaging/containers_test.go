package packaging

import (
	"debug/elf"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/internal/process"
)

const (
	collectorImage = "localhost/otelcol-balena:0.1.0"
	simulatorImage = "localhost/balenasim:0.1.0"
)

// containers runs buildah and podman with images and containers of their own.
type containers struct {
	dir    string
	env    []string
	mounts []string // for builds: this machine's programs, and Go's caches
}

// Images are built from the real Dockerfile. No registry is needed: this machine stands in for the golang image.
func TestContainers(t *testing.T) {
	needs(t, "buildah", "podman", "make", "go")
	c := newContainers(t)
	if err := c.tryOne(t); err != nil {
		unable(t, "no container can be built and run here, as in some containers: "+err.Error())
	}
	c.buildGolang(t)
	c.makeImage(t, collectorImage, "")
	c.makeImage(t, simulatorImage, "--target balenasim")

	t.Run("the image serves metrics in a confined container and ends cleanly", c.testRuns)
	t.Run("the image says what it is", c.testLabels)
	t.Run("each platform has its own image", c.testPlatforms)
	t.Run("the compose stack shows and watches simulated fleets", c.testStack)
}

func newContainers(t *testing.T) *containers {
	t.Helper()
	c := &containers{dir: t.TempDir(), mounts: []string{
		"/usr:/usr:ro", run(t, "go", "env", "GOCACHE") + ":/root/.cache/go-build", run(t, "go", "env", "GOMODCACHE") + ":/go/pkg/mod",
	}}
	write := func(name, text string) string {
		path := filepath.Join(c.dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	// cgroupfs because there may be no systemd; limits because by default podman raises them, which a confined root may not.
	const limits = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n"
	engine := "[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n"
	if _, err := exec.LookPath("runc"); err == nil {
		engine += "runtime = \"runc\"\n"
	}
	c.env = append(os.Environ(),
		"CONTAINERS_CONF="+write("containers.conf", limits+engine),
		"CONTAINERS_STORAGE_CONF="+write("storage.conf", fmt.Sprintf("[storage]\ndriver = %q\ngraphroot = %q\nrunroot = %q\n",
			run(t, "podman", "info", "--format", "{{.Store.GraphDriverName}}"), filepath.Join(c.dir, "graph"), filepath.Join(c.dir, "run"))),
	)
	t.Cleanup(func() {
		_ = c.command("podman", "rm", "--force", "--all", "--volumes").Run()
		_ = c.command("podman", "rmi", "--force", "--all").Run()
	})
	return c
}

func (c *containers) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = c.env
	return cmd
}

func (c *containers) podman(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, c.command("podman", args...))
}

// build builds an image of one folder, FROM scratch.
func (c *containers) build(t *testing.T, tag, folder, instructions string) {
	t.Helper()
	file := filepath.Join(c.dir, "Dockerfile")
	require.NoError(t, os.WriteFile(file, []byte("FROM scratch\nCOPY . /\n"+instructions), 0o600))
	output(t, c.command("buildah", "bud", "--quiet", "--file", file, "--tag", tag, folder))
}

// tryOne builds and runs a container in the ways that the tests need.
func (c *containers) tryOne(t *testing.T) error {
	t.Helper()
	folder := t.TempDir()
	install(t, filepath.Join(top, "dist/otelcol-balena"), filepath.Join(folder, "otelcol-balena"))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "Dockerfile"),
		[]byte("FROM scratch\nCOPY otelcol-balena /\nRUN [\"/otelcol-balena\", \"--version\"]\nENTRYPOINT [\"/otelcol-balena\"]\n"), 0o600))
	for _, command := range [][]string{
		{"buildah", "bud", "--isolation", "chroot", "--volume", "/usr:/usr:ro", "--tag", "localhost/try", folder},
		{"podman", "run", "--rm", "--read-only", "--cap-drop", "ALL", "--memory", "512m", "--publish", "127.0.0.1::8000", "localhost/try", "--version"},
	} {
		if both, err := c.command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, both)
		}
	}
	return nil
}

// buildGolang makes a golang image out of this machine: /usr, which has Go and make, is mounted when the image is used.
func (c *containers) buildGolang(t *testing.T) {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"usr", "tmp", "go/pkg/mod", "root/.cache/go-build", "etc/ssl/certs"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		require.NoError(t, os.Symlink("usr/"+dir, filepath.Join(root, dir)))
	}
	install(t, "/etc/ssl/certs/ca-certificates.crt", filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
	install(t, "/etc/passwd", filepath.Join(root, "etc/passwd"))
	goroot := run(t, "go", "env", "GOROOT")
	if !strings.HasPrefix(goroot, "/usr/") {
		require.NoError(t, os.MkdirAll(filepath.Join(root, goroot), 0o755))
		c.mounts = append(c.mounts, goroot+":"+goroot+":ro")
	}
	golang := regexp.MustCompile(`golang:\S+`).FindString(read(t, filepath.Join(top, "distribution/Dockerfile")))
	c.build(t, "docker.io/library/"+golang, root,
		"ENV HOME=/root GOPATH=/go GOTOOLCHAIN=local GOFLAGS=-mod=mod GOPROXY=off PATH="+goroot+"/bin:/usr/bin:/bin\n")
}

// makeImage runs make image.
func (c *containers) makeImage(t *testing.T, image, flags string) {
	t.Helper()
	flags += " --pull-never --layers --isolation chroot"
	for _, mount := range c.mounts {
		flags += " --volume " + mount
	}
	output(t, c.command("make", "-C", top, "image", "IMAGE="+image, "IMAGEFLAGS="+flags))
}

func (c *containers) testRuns(t *testing.T) {
	ports := map[string]string{}
	args := []string{"run", "--detach", "--name", "sim"}
	for _, port := range []string{"8000", "8080", "8888", "13133"} { // of the Collector, which shares the simulator's network
		_, ports[port], _ = net.SplitHostPort(process.FreeAddress(t))
		args = append(args, "--publish", "127.0.0.1:"+ports[port]+":"+port)
	}
	c.podman(t, append(args, "--read-only", "--cap-drop", "ALL", simulatorImage, "--listen", "0.0.0.0:7070", "--devices", "150")...)
	c.podman(t, "run", "--detach", "--name", "collector", "--network", "container:sim",
		"--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "512m",
		"--env", "BALENA_API_URL=http://localhost:7070", "--env", "BALENA_API_KEY=token", collectorImage)

	process.Eventually(t, func(t *assert.CollectT) {
		online, _ := process.Sum(t, process.Get(t, "http://127.0.0.1:"+ports["8000"]+"/metrics"), "balena_devices_online")
		require.Positive(t, online)
	})
	assert.Contains(t, process.Get(t, "http://127.0.0.1:"+ports["8888"]+"/metrics"), "otelcol_receiver_balena_api_requests")
	assert.Contains(t, process.Get(t, "http://127.0.0.1:"+ports["13133"]+"/status"), "StatusOK")
	process.Get(t, "http://127.0.0.1:"+ports["8080"])
	c.podman(t, "exec", "collector", "/healthcheck")
	assert.Equal(t, "[65532:65532] true", c.podman(t, "inspect", "--format", "[{{.Config.User}}] {{.State.Running}}", "collector"))
	log := output(t, c.command("sh", "-c", "podman logs collector 2>&1"))
	assert.Contains(t, strings.ReplaceAll(log, " ", ""), `"total_memory_mib":512`, "the limit is seen")

	c.podman(t, "stop", "--time", "20", "collector")
	assert.Equal(t, "0 false", c.podman(t, "inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", "collector"))

	t.Run("its health check fails without the Collector", func(t *testing.T) {
		err := c.command("podman", "run", "--rm", "--entrypoint", "/healthcheck", collectorImage).Run()
		assert.Error(t, err)
	})
	c.podman(t, "rm", "--force", "collector")
	c.podman(t, "rm", "--force", "sim")
}

func (c *containers) testLabels(t *testing.T) {
	var image struct {
		Docker struct {
			Config struct {
				User        string
				Labels      map[string]string
				Healthcheck struct{ Test []string }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(output(t, c.command("buildah", "inspect", "--type", "image", collectorImage))), &image))
	config := image.Docker.Config
	assert.Equal(t, "65532:65532", config.User)
	assert.Equal(t, []string{"CMD", "/healthcheck"}, config.Healthcheck.Test)
	version := regexp.MustCompile(`(?m)^  version: (\S+)$`).FindStringSubmatch(read(t, filepath.Join(top, "builder-config.yaml")))
	require.NotNil(t, version)
	assert.Equal(t, version[1], config.Labels["org.opencontainers.image.version"], "raise it in the Dockerfile, too")
	assert.Equal(t, "Apache-2.0", config.Labels["org.opencontainers.image.licenses"])
}

func (c *containers) testPlatforms(t *testing.T) {
	for platform, machine := range map[string]elf.Machine{"linux/arm64": elf.EM_AARCH64, "linux/arm/v7": elf.EM_ARM} {
		tag := "localhost/otelcol-balena:" + strings.ReplaceAll(platform, "/", "-")
		c.makeImage(t, tag, "--platform "+platform)
		assert.Equal(t, platform, c.podman(t, "image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", tag)+
			strings.TrimPrefix(platform, regexp.MustCompile(`^linux/[^/]+`).FindString(platform)))
		root := c.podman(t, "image", "mount", tag)
		for _, name := range []string{"otelcol-balena", "healthcheck"} {
			program, err := elf.Open(filepath.Join(root, name))
			require.NoError(t, err)
			assert.Equal(t, machine, program.Machine, "%s: %s", platform, name)
			libraries, err := program.ImportedLibraries()
			require.NoError(t, err)
			assert.Empty(t, libraries, "%s is not static", name)
			require.NoError(t, program.Close())
		}
		c.podman(t, "image", "unmount", tag)
	}
}

// Everything but Grafana: images of Prometheus and Alertmanager are made of Debian's packages.
func (c *containers) testStack(t *testing.T) {
	needs(t, "podman-compose", "prometheus", "prometheus-alertmanager")
	stack := filepath.Join(top, "distribution/stack")
	image := func(name, program, folder string) {
		root := t.TempDir()
		install(t, program, filepath.Join(root, "bin", name))
		for _, library := range regexp.MustCompile(`/\S+`).FindAllString(run(t, "ldd", program), -1) {
			if strings.HasPrefix(library, "/lib") {
				install(t, library, filepath.Join(root, library))
			}
		}
		if name == "alertmanager" {
			for _, template := range []string{"default.tmpl", "email.tmpl"} {
				path := filepath.Join("/usr/share/prometheus/alertmanager", template)
				install(t, path, filepath.Join(root, path))
			}
		}
		require.NoError(t, os.Mkdir(filepath.Join(root, folder), 0o755))
		require.NoError(t, os.Chmod(filepath.Join(root, folder), 0o777))
		tag := regexp.MustCompile(`image: (prom/` + name + `:\S+)`).FindStringSubmatch(read(t, filepath.Join(stack, "compose.yaml")))
		require.NotNil(t, tag, name)
		c.build(t, "docker.io/"+tag[1], root, "USER 65534\nVOLUME /"+folder+"\nENTRYPOINT [\"/bin/"+name+"\"]\n")
	}
	image("prometheus", "/usr/bin/prometheus", "prometheus")
	image("alertmanager", "/usr/bin/prometheus-alertmanager", "alertmanager")

	compose := func(args ...string) *exec.Cmd {
		cmd := c.command("podman-compose", append([]string{"--project-name", "packaging", "--file", "compose.yaml"}, args...)...)
		cmd.Dir = stack
		cmd.Env = append(cmd.Env, variables(t, filepath.Join(stack, "simulated.env"))...)
		return cmd
	}
	t.Cleanup(func() {
		for _, name := range []string{"otelcol-balena", "prometheus", "alertmanager"} {
			if log, err := c.command("podman", "logs", "--tail", "5", "packaging_"+name+"_1").CombinedOutput(); t.Failed() {
				t.Logf("%s: %s %v", name, log, err)
			}
		}
		output(t, compose("down", "--volumes"))
	})
	output(t, compose("up", "--detach", "--no-build", "otelcol-balena", "balenasim", "prometheus", "alertmanager"))

	process.Eventually(t, func(t *assert.CollectT) {
		var result struct {
			Data struct{ Result []struct{ Value [2]any } }
		}
		body := process.Get(t, "http://127.0.0.1:9090/api/v1/query?query=sum(balena_devices_online)>0")
		require.NoError(t, json.Unmarshal([]byte(body), &result))
		require.Len(t, result.Data.Result, 1, body)
	})
	process.Eventually(t, func(t *assert.CollectT) {
		assert.NotContains(t, process.Get(t, "http://127.0.0.1:9090/api/v1/targets?state=active"), `"health":"down"`)
		assert.Contains(t, process.Get(t, "http://127.0.0.1:9090/api/v1/alertmanagers"), "http://alertmanager:9093")
		assert.Contains(t, process.Get(t, "http://127.0.0.1:9090/api/v1/rules"), "BalenaFleetMassDisconnect")
		process.Get(t, "http://127.0.0.1:9093/-/ready")
	})
}

// variables reads a file of NAME=value lines.
func variables(t *testing.T, path string) (result []string) {
	t.Helper()
	for line := range strings.Lines(read(t, path)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			result = append(result, line)
		}
	}
	require.NotEmpty(t, result)
	return result
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

// install copies a file, links followed.
func install(t *testing.T, from, to string) {
	t.Helper()
	run(t, "install", "-D", from, to)
}

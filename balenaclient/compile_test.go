package balenaclient_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const snippet = `package snippet

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/fleet"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenaclient/release"
)

var _, _, _, _ = pine.Select[balenaclient.Fleet], device.Name, fleet.Name, release.Commit

func _(c *balenaclient.Client) { c.%s }
`

func TestQuery_CompileErrors(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no Go toolchain")
	}
	snippets := []struct{ name, query, want string }{
		{
			"all is right",
			`Devices().Where(device.Fleet.Where(fleet.Slug.Eq("acme/kiosk")), device.IsOnline.Eq(true)).Expand(device.RunningRelease.With(pine.Select(release.Commit)))`,
			"",
		},
		{"a filter of another resource", `Devices().Where(fleet.Slug.Eq("acme/kiosk"))`, "as pine.Filter[balenaclient.Device]"},
		{"a filter of another resource within a link", `Devices().Where(device.RunningRelease.Where(fleet.Slug.Eq("a/b")))`, "as pine.Filter[balenaclient.Release]"},
		{"a text against a bool", `Devices().Where(device.IsOnline.Eq("true"))`, `cannot use "true" (untyped string constant) as bool value`},
		{"a text against a number", `Devices().Where(device.CPUTemp.Gt("50"))`, `cannot use "50" (untyped string constant) as int64 value`},
		{"a comparison of JSON", `Releases().Where(release.Contract.Eq("x"))`, "release.Contract.Eq undefined"},
		{"a text within a number", `Devices().Where(device.CPUTemp.Contains("5"))`, "device.CPUTemp.Contains undefined"},
		{"a column of another resource", `Devices().Select(release.Commit)`, "as pine.Selectable[balenaclient.Device]"},
		{"an order of another resource", `Devices().OrderBy(fleet.Name.Asc())`, "as pine.Order[balenaclient.Device]"},
		{"a key of another resource", `Devices().GetBy(nil, fleet.BySlug("a/b"))`, "as pine.Key[balenaclient.Device]"},
		{"an id of another resource", `Devices().Get(nil, balenaclient.FleetID(5))`, "as pine.ID[balenaclient.Device]"},
		{"an id of another resource in a filter", `Devices().Where(device.Fleet.Eq(balenaclient.DeviceID(5)))`, "as pine.ID[balenaclient.Fleet]"},
		{"swapped ids", `MoveDevices(nil, balenaclient.DeviceID(3), 5)`, "as balenaclient.FleetID"},
		{"a key as a filter", `Devices().Where(device.ByUUID("a"))`, "as pine.Filter[balenaclient.Device]"},
		{"an expansion of another resource", `Devices().Expand(fleet.Devices.Count())`, "as pine.Expansion[balenaclient.Device]"},
		{"an expansion that does not exist", `Devices().Expand(device.Name.With(pine.Select(release.Commit)))`, "device.Name.With undefined"},
		{"an expansion with another resource's columns", `Devices().Expand(device.Fleet.With(pine.Select(release.Commit)))`, "as pine.Query[balenaclient.Fleet]"},
		{"a value for a column that nobody may write", `Devices().Patch(nil, device.OverallStatus.Set("operational"))`, "device.OverallStatus.Set undefined"},
		{"a value of another type", `Devices().Patch(nil, device.Name.Set(7))`, `cannot use 7`},
		{"a condition that is a string", `Devices().Where("is_online eq true")`, `cannot use "is_online eq true" (untyped string constant) as pine.Filter[balenaclient.Device]`},
		{"a column as a condition", `Devices().Where(device.IsOnline)`, `cannot use device.IsOnline (constant "is_online" of string type pine.Field[balenaclient.Device, bool]) as pine.Filter[balenaclient.Device]`},
		{"a name where an id is needed", `Devices().Where(device.Fleet.Eq("acme/kiosk"))`, `cannot use "acme/kiosk" (untyped string constant) as pine.ID[balenaclient.Fleet]`},
		{"a UUID where an id is needed", `Devices().Get(nil, "827050a8")`, `cannot use "827050a8" (untyped string constant) as pine.ID[balenaclient.Device]`},
		{"a number that is not an id", `DeviceEnv(int64(5))`, "cannot use int64(5) (constant 5 of type int64) as balenaclient.DeviceID"},
		{"an expansion without what to fetch", `Devices().Expand(device.RunningRelease)`, `as pine.Expansion[balenaclient.Device]`},
		{"an expansion with a column", `Devices().Expand(device.RunningRelease.With(release.RawVersion))`, "as pine.Query[balenaclient.Release]"},
		{"a call without a context", `Devices().List()`, "not enough arguments in call to c.Devices().List"},
		{"deletion without a word", `Devices().Delete(nil, true)`, "cannot use true (untyped bool constant) as pine.DeleteOption"},
		{"a link as a value", `Devices().Patch(nil, device.Fleet.Set("acme/kiosk"))`, `cannot use "acme/kiosk" (untyped string constant) as pine.ID[balenaclient.Fleet]`},
		{"a tag as a string", `PinAllDevices(nil, 5, "canary")`, `cannot use "canary" (untyped string constant) as balenaclient.PinOption`},
		{"a value for another resource", `Devices().Patch(nil, fleet.Name.Set("kiosk"))`, "as pine.Assignment[balenaclient.Device]"},
	}
	here, err := os.Getwd()
	require.NoError(t, err)
	folder := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}} // packages that exist for this build only
	build := []string{"build", "-overlay", filepath.Join(folder, "overlay.json")}
	for i, s := range snippets {
		file := filepath.Join(folder, fmt.Sprintf("%d.go", i))
		require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, snippet, s.query), 0o600))
		name := fmt.Sprintf("snippet%d", i)
		overlay.Replace[filepath.Join(here, "internal", name, "snippet.go")] = file
		build = append(build, "./internal/"+name)
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, program, found := strings.Cut(string(readme), "```go\npackage main")
	require.True(t, found)
	program, _, _ = strings.Cut(program, "```")
	file := filepath.Join(folder, "readme.go")
	require.NoError(t, os.WriteFile(file, []byte("package main"+program), 0o600))
	overlay.Replace[filepath.Join(here, "internal", "readme", "main.go")] = file
	build = append(build, "./internal/readme")
	data, err := json.Marshal(overlay)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "overlay.json"), data, 0o600))

	output, err := exec.Command("go", build...).CombinedOutput()
	require.Error(t, err)
	said := map[string]string{} // by package
	for part := range strings.SplitSeq("\n"+string(output), "\n# ") {
		name, text, _ := strings.Cut(part, "\n")
		said[name[strings.LastIndex(name, "/")+1:]] = text
	}
	assert.Empty(t, said["readme"], "the program in README.md")
	for i, s := range snippets {
		got := said[fmt.Sprintf("snippet%d", i)]
		if s.want == "" {
			assert.Empty(t, got, s.name)
			continue
		}
		assert.Contains(t, got, s.want, s.name)
		assert.Equal(t, 1, strings.Count(got, ".go:"), "%s is the only fault:\n%s", s.name, got)
	}
}

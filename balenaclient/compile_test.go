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

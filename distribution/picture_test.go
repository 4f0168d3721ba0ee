//go:build e2e

package distribution

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// picture is what the README shows first: the terminal of a newcomer. -update takes it again.
var picture = filepath.Join("..", "docs", "images", "make-run.svg")

// pictured are the patterns that the picture shows grep with: the devices online in each fleet, and one fleet's devices that run what
// they should.
var pictured = []string{"^balena_devices_online", "rollout_state=.on_target.*harbour"}

func TestDocs_Picture(t *testing.T) {
	t.Parallel()
	d := makeRun(t, env{})
	var served []string
	eventually(t, func(t *assert.CollectT) {
		served = samples(get(t, d.metricsURL))
		require.Greater(t, len(served), 500)
	})
	intro, _, _ := strings.Cut(d.log.String(), "balenasim serves")
	// The test serves on free ports; the picture shows the default ones.
	intro = strings.NewReplacer(
		strings.TrimSuffix(d.metricsURL, "/metrics"), "http://localhost:8000",
		strings.TrimSuffix(d.pageURL, "/"), "http://localhost:8080",
		strings.TrimSuffix(d.healthURL, "/status"), "http://localhost:13133").Replace(strings.TrimSpace(intro))
	require.NotEmpty(t, intro)
	lines := append([]string{"$ make run"}, strings.Split(intro, "\n")...)
	for _, pattern := range pictured {
		lines = append(lines, "", "$ curl -s localhost:8000/metrics | grep '"+pattern+"'")
		for _, line := range served {
			if regexp.MustCompile(pattern).MatchString(line) {
				lines = append(lines, line)
			}
		}
	}

	if *update {
		require.NoError(t, os.WriteFile(picture, drawn(t, lines), 0o644))
	}
	text := textOf(t, picture)
	for _, line := range lines {
		series, _, _ := strings.Cut(line, "} ") // values change
		assert.Contains(t, text, strings.Join(strings.Fields(series), " "))
	}
}

// columns of the terminal that is drawn.
const columns = 124

var svg = template.Must(template.New("svg").Parse(`<svg xmlns="http://www.w3.org/2000/svg" width="{{.Width}}" height="{{.Height}}" viewBox="0 0 {{.Width}} {{.Height}}" role="img" aria-label="A terminal">
<rect width="100%" height="100%" rx="8" fill="#1b1f24"/>
<circle cx="20" cy="18" r="5" fill="#ff5f57"/><circle cx="38" cy="18" r="5" fill="#febc2e"/><circle cx="56" cy="18" r="5" fill="#28c840"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" fill="#d0d7de" xml:space="preserve">
{{range .Rows}}<text x="16" y="{{.Y}}"{{if .Prompt}} fill="#7ee787"{{end}}>{{.Text}}</text>
{{end}}</g>
</svg>
`))

// drawn is a picture of a terminal that shows the lines.
func drawn(t *testing.T, lines []string) []byte {
	t.Helper()
	type row struct {
		Y      int
		Prompt bool
		Text   string
	}
	var rows []row
	for _, line := range lines {
		prompt := strings.HasPrefix(line, "$ ")
		for {
			part := line[:min(columns, len(line))]
			var escaped bytes.Buffer
			require.NoError(t, xml.EscapeText(&escaped, []byte(part)))
			rows = append(rows, row{Y: 52 + 19*len(rows), Prompt: prompt, Text: escaped.String()})
			if line = line[len(part):]; line == "" {
				break
			}
		}
	}
	var out bytes.Buffer
	require.NoError(t, svg.Execute(&out, map[string]any{"Width": 32 + columns*8, "Height": 52 + 19*len(rows), "Rows": rows}))
	return out.Bytes()
}

// textOf joins the lines of a picture, with single spaces in them.
func textOf(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var document struct {
		Rows []string `xml:"g>text"`
	}
	require.NoError(t, xml.Unmarshal(data, &document))
	return strings.Join(strings.Fields(strings.Join(document.Rows, "")), " ")
}

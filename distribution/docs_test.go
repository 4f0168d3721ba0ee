package distribution

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-balena/balenareceiver/fleetpage"
	"github.com/otelcol-balena/balenareceiver/receiver"
)

// page is a Markdown file of the repository.
type page struct {
	path   string // from this folder
	text   string // without code blocks
	blocks []block
}

// block is a fenced code block.
type block struct {
	at       string // path:line, for messages
	language string
	code     string
}

// pages reads every Markdown file of the repository.
func pages(t *testing.T) (result []page) {
	t.Helper()
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", "dist", "testdata", "node_modules"}, entry.Name()) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			result = append(result, readPage(t, path))
		}
		return nil
	}))
	require.Greater(t, len(result), 15, "the documentation has moved")
	return result
}

func readPage(t *testing.T, path string) page {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	p := page{path: path}
	var text strings.Builder
	var open *block
	for i, line := range strings.Split(string(data), "\n") {
		language, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && open == nil:
			open = &block{at: fmt.Sprintf("%s:%d", path, i+1), language: language}
		case fence:
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.code += line + "\n"
		default:
			text.WriteString(line + "\n")
		}
	}
	require.Nil(t, open, "%s: a code block does not end", path)
	p.text = text.String()
	return p
}

var heading = regexp.MustCompile(`(?m)^(#+) (.+)$`)

// anchors are the fragments that links to a page may have, as GitHub derives them from headings.
func (p page) anchors() (result []string) {
	for _, match := range heading.FindAllStringSubmatch(p.text, -1) {
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
				return r
			}
			return -1
		}, strings.ToLower(match[2]))
		result = append(result, anchor)
	}
	return result
}

func TestDocs_Links(t *testing.T) {
	byPath := map[string]page{}
	for _, p := range pages(t) {
		byPath[p.path] = p
	}
	inlineCode := regexp.MustCompile("`[^`]*`")
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, p := range byPath {
		for _, match := range link.FindAllStringSubmatch(inlineCode.ReplaceAllString(p.text, ""), -1) {
			target := match[1]
			if strings.Contains(target, "://") {
				continue
			}
			file, fragment, _ := strings.Cut(target, "#")
			path := p.path
			if file != "" {
				path = filepath.Join(filepath.Dir(p.path), file)
			}
			if _, err := os.Stat(path); !assert.NoError(t, err, "%s links to %s", p.path, target) || fragment == "" {
				continue
			}
			assert.Contains(t, byPath[path].anchors(), fragment, "%s links to %s", p.path, target)
		}
	}
}

func TestDocs_OneTitlePerPage(t *testing.T) {
	for _, p := range pages(t) {
		if strings.HasSuffix(p.path, "TEMPLATE.md") {
			continue
		}
		titles := 0
		for _, match := range heading.FindAllStringSubmatch(p.text, -1) {
			if match[1] == "#" {
				titles++
			}
		}
		assert.Equal(t, 1, titles, p.path)
	}
}

// The table of docs/configuration.md has every key of the receiver with its default, and no other; that of docs/fleet-page.md every key of
// the page that is not one of the Collector's HTTP server.
func TestDocs_ConfigurationKeys(t *testing.T) {
	for path, component := range map[string]struct {
		config any
		groups []string // have one row each
		nested string   // group of which only the keys that are named in the table are checked
		prefix string   // of all keys, if other tables of the page have something else in their first column
	}{
		"../docs/configuration.md": {receiver.NewFactory().CreateDefaultConfig(),
			[]string{"api", "metrics", "events", "resource_attributes", "device_logs"}, "api::", ""},
		"../docs/device-logs.md": {map[string]any{"device_logs": deviceLogsConfig(t)}, nil, "", "device_logs::"},
		"../docs/fleet-page.md":  {fleetpage.NewFactory().CreateDefaultConfig(), serverKeys(t), "", ""},
	} {
		t.Run(path, func(t *testing.T) {
			defaults := confmap.New()
			require.NoError(t, defaults.Marshal(component.config))
			var want []string
			for _, key := range defaults.AllKeys() {
				group, _, _ := strings.Cut(key, "::")
				if !slices.Contains(component.groups, group) {
					want = append(want, key)
				}
			}

			row := regexp.MustCompile("(?m)^\\| (`[^|]+) \\|([^|]*)\\|")
			quoted := regexp.MustCompile("`([^`]+)`")
			var documented []string
			for _, cells := range row.FindAllStringSubmatch(readPage(t, path).text, -1) {
				keys, values := quoted.FindAllStringSubmatch(cells[1], -1), quoted.FindAllStringSubmatch(cells[2], -1)
				for i, key := range keys {
					if !strings.HasPrefix(key[1], component.prefix) {
						continue
					}
					documented = append(documented, key[1])
					if len(values) > 0 && !strings.Contains(cells[2], "%") { // there is a default, not one in words
						assert.Equal(t, values[min(i, len(values)-1)][1], written(defaults.Get(key[1])), "default of %s", key[1])
					}
				}
			}
			documented = slices.DeleteFunc(documented, func(key string) bool {
				return component.nested != "" && strings.HasPrefix(key, component.nested) || slices.Contains(component.groups, key)
			})
			assert.ElementsMatch(t, want, documented)
		})
	}
}

// deviceLogsConfig is the default of what is off by default.
func deviceLogsConfig(t *testing.T) any {
	t.Helper()
	cfg := receiver.NewFactory().CreateDefaultConfig().(*receiver.Config)
	return cfg.DeviceLogs.GetOrInsertDefault()
}

// serverKeys are the keys of the Collector's HTTP server, which its own documentation explains.
func serverKeys(t *testing.T) (keys []string) {
	t.Helper()
	server := confmap.New()
	require.NoError(t, server.Marshal(confighttp.NewDefaultServerConfig()))
	for _, key := range server.AllKeys() {
		group, _, _ := strings.Cut(key, "::")
		keys = append(keys, group)
	}
	return keys
}

// written is a value as the documentation writes it: 60s, not 1m0s.
func written(value any) string {
	if d, ok := value.(time.Duration); ok && d != 0 && d%time.Hour == 0 {
		return fmt.Sprintf("%gh", d.Hours())
	} else if ok {
		return fmt.Sprintf("%gs", d.Seconds())
	}
	return fmt.Sprint(value)
}

// Examples are YAML, and for a program that is known here.
func TestDocs_YAML(t *testing.T) {
	known := []string{
		"receivers", "processors", "exporters", "extensions", "service", // the Collector or its builder
		"scrape_configs", "otlp", // Prometheus
		"route",      // Alertmanager
		"apiVersion", // Kubernetes
	}
	found := 0
	for _, p := range pages(t) {
		if strings.HasSuffix(p.path, "documentation.md") {
			continue // generated, with placeholders
		}
		for _, b := range p.blocks {
			if b.language != "yaml" {
				continue
			}
			found++
			var document map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(b.code), &document), b.at)
			assert.True(t, slices.ContainsFunc(known, func(key string) bool { _, ok := document[key]; return ok }), "%s: what is it for?", b.at)
		}
	}
	assert.Greater(t, found, 8)
}

// The tables of costs have the figures of benchmarks/RESULTS.md, some with fewer columns.
func TestDocs_CostsAreThoseMeasured(t *testing.T) {
	results := tableRows(readPage(t, "../benchmarks/RESULTS.md"))
	for _, path := range []string{"../docs/polling-interval-and-cost.md", "../docs/moving-from-balena-prometheus-exporter.md"} {
		for _, row := range tableRows(readPage(t, path)) {
			numbers := regexp.MustCompile(`[\d.]+`).FindAllString(row, -1)
			assert.True(t, slices.ContainsFunc(results, func(result string) bool {
				measured := regexp.MustCompile(`[\d.]+`).FindAllString(result, -1)
				for _, number := range numbers {
					if !slices.Contains(measured, number) {
						return false
					}
				}
				return true
			}), "%s: no row of RESULTS.md has the figures of %s", path, row)
		}
	}
}

// tableRows are the rows of the tables of a page that have figures, without thousands separators.
func tableRows(p page) (rows []string) {
	for line := range strings.Lines(p.text) {
		if strings.HasPrefix(line, "| ") && strings.ContainsAny(line, "0123456789") {
			rows = append(rows, regexp.MustCompile(`(\d),(\d)`).ReplaceAllString(line, "$1$2"))
		}
	}
	return rows
}

// Every name of a metric, an event or an attribute in the documentation exists, dotted or as Prometheus writes it.
func TestDocs_NamesExist(t *testing.T) {
	var metadata struct {
		Attributes, Metrics, Events map[string]any
		ResourceAttributes          map[string]any `yaml:"resource_attributes"`
		Telemetry                   struct{ Metrics map[string]any }
	}
	decode(t, "../metadata.yaml", &metadata)
	var dotted, prometheus []string
	for _, names := range []map[string]any{metadata.Metrics, metadata.Events, metadata.Attributes, metadata.ResourceAttributes} {
		for name := range names {
			dotted = append(dotted, name)
			prometheus = append(prometheus, strings.ReplaceAll(name, ".", "_"))
		}
	}
	for name := range metadata.Telemetry.Metrics {
		prometheus = append(prometheus, "otelcol_"+name)
	}
	unit := regexp.MustCompile(`(_(seconds|ratio|bytes|celsius|total))*$`)
	for _, p := range pages(t) {
		if strings.HasSuffix(p.path, "CHANGELOG.md") {
			continue // has old names, too
		}
		text := p.text
		for _, b := range p.blocks {
			text += b.code
		}
		for _, name := range regexp.MustCompile(`\bbalena(\.[a-z_]+){2,}\.?`).FindAllString(text, -1) {
			if !strings.HasSuffix(name, ".") && name != "balena.device.tag.site" { // a prefix, or one that a configuration makes
				assert.Contains(t, dotted, name, p.path)
			}
		}
		for _, name := range regexp.MustCompile(`\b(otelcol_receiver_)?balena_[a-z_]+\b`).FindAllString(text, -1) {
			bare := unit.ReplaceAllString(name, "")
			assert.True(t, slices.Contains(prometheus, bare) || slices.Contains(prometheus, name), "%s: %s", p.path, name)
		}
	}
}

// Every test that the documentation mentions exists.
func TestDocs_TestsExist(t *testing.T) {
	var tests strings.Builder
	require.NoError(t, filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			data, err := os.ReadFile(path)
			tests.Write(data)
			return err
		}
		return err
	}))
	for _, p := range pages(t) {
		for _, mention := range regexp.MustCompile("`(Test\\w+)").FindAllStringSubmatch(p.text, -1) {
			assert.True(t, strings.Contains(tests.String(), "func "+mention[1]+"("), "%s: %s", p.path, mention[1])
		}
	}
}

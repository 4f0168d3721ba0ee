package distribution

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

type toggle struct {
	Enabled bool `yaml:"enabled"`
}

type toggles map[string]toggle

type signals struct {
	Metrics            toggles `yaml:"metrics"`
	ResourceAttributes toggles `yaml:"resource_attributes"`
}

// The drop-in serves one metric with one label. A metric or resource attribute that metadata.yaml enables by default would otherwise
// appear in it, and change the existing series.
func TestExporterCompatYAML_DisablesAllButOneMetricAndLabel(t *testing.T) {
	var metadata signals
	decode(t, "../metadata.yaml", &metadata)
	var config struct {
		Receivers struct {
			Balena signals `yaml:"balena"`
		} `yaml:"receivers"`
	}
	decode(t, "exporter-compat.yaml", &config)

	dropIn := config.Receivers.Balena
	const remedy = "disable in exporter-compat.yaml what metadata.yaml enables by default"
	assert.Equal(t, []string{"balena.devices.online"}, enabled(metadata.Metrics, dropIn.Metrics), remedy)
	assert.Equal(t, []string{"fleet.name"}, enabled(metadata.ResourceAttributes, dropIn.ResourceAttributes), remedy)
}

func enabled(defaults, config toggles) []string {
	result := maps.Clone(defaults)
	maps.Copy(result, config)
	maps.DeleteFunc(result, func(_ string, t toggle) bool { return !t.Enabled })
	return slices.Sorted(maps.Keys(result))
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, into), path)
}

// Garbage collection must know the limit that the process has.
func TestPackaging_GOMEMLIMITIsFourFifthsOfTheLimit(t *testing.T) {
	for path, limit := range map[string]string{
		"compose.yaml":           `mem_limit: (\d+)m`,
		"otelcol-balena.service": `MemoryMax=(\d+)G`,
	} {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		number := func(pattern string) float64 {
			match := regexp.MustCompile(pattern).FindSubmatch(data)
			require.NotNil(t, match, "%s: %s", path, pattern)
			n, err := strconv.ParseFloat(string(match[1]), 64)
			require.NoError(t, err)
			return n
		}
		total := number(limit)
		if total < 10 { // GB
			total *= 1024
		}
		assert.InDelta(t, 0.8, number(`GOMEMLIMIT\D+(\d+)MiB`)/total, 0.03, path)
	}
}

// The comment at the top of each configuration lists exactly the environment variables that it reads.
func TestConfigurations_ListTheirEnvironment(t *testing.T) {
	paths, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	for _, path := range paths {
		if path == "compose.yaml" {
			continue
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, names(data, `(?m)\$\{env:([A-Z_]+)`), names(data, `(?m)^#   ([A-Z_]+) {2,}\S`), path)
	}
}

// names are the first groups of a pattern's matches, sorted and without duplicates.
func names(data []byte, pattern string) (result []string) {
	for _, match := range regexp.MustCompile(pattern).FindAllSubmatch(data, -1) {
		result = append(result, string(match[1]))
	}
	slices.Sort(result)
	return slices.Compact(result)
}

package process

import (
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Prometheus is a running server with Prometheus' API for queries. It keeps its data in a folder of the test.
type Prometheus struct {
	*Process
	URL string
}

// StartPrometheus runs a Prometheus binary with the contents of a prometheus.yml, until the end of the test.
func StartPrometheus(t testing.TB, binary, config string, args ...string) *Prometheus {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	address := FreeAddress(t)
	return startServer(t, binary, address, "/-/ready", append([]string{
		"--config.file", file, "--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", address, "--log.level", "warn",
	}, args...))
}

// StartVictoriaMetrics runs a VictoriaMetrics binary until the end of the test. What it takes in can be queried about a second later.
func StartVictoriaMetrics(t testing.TB, binary string, args ...string) *Prometheus {
	t.Helper()
	address := FreeAddress(t)
	return startServer(t, binary, address, "/health", append([]string{
		"-storageDataPath", t.TempDir(), "-httpListenAddr", address, "-loggerLevel", "WARN",
		"-search.latencyOffset", "0s", "-inmemoryDataFlushInterval", "1s",
	}, args...))
}

func startServer(t testing.TB, binary, address, ready string, args []string) *Prometheus {
	t.Helper()
	p := &Prometheus{Start(t, Command(nil, binary, args...)), "http://" + address}
	Eventually(t, func(t *assert.CollectT) {
		p.Running(t)
		Get(t, p.URL+ready)
	})
	return p
}

// Sample is an element of an instant vector.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Query returns the instant vector that a query evaluates to now, ordered by labels, without the labels that only say how the samples got
// there.
func (p *Prometheus) Query(t require.TestingT, query string) []Sample {
	var response struct {
		Data struct {
			ResultType string
			Result     []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	body := Get(t, p.URL+"/api/v1/query?query="+url.QueryEscape(query))
	require.NoError(t, json.Unmarshal([]byte(body), &response))
	require.Equal(t, "vector", response.Data.ResultType, query)
	var samples []Sample
	for _, result := range response.Data.Result {
		text, _ := result.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		for _, label := range []string{"job", "instance", "scope_name", "scope_version"} {
			delete(result.Metric, label)
		}
		samples = append(samples, Sample{result.Metric, value})
	}
	slices.SortFunc(samples, func(a, b Sample) int { return slices.Compare(a.labels(), b.labels()) })
	return samples
}

func (s Sample) labels() []string {
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		labels = append(labels, name, s.Labels[name])
	}
	return labels
}

//go:build e2e

package distribution

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSecrets_TokenIsOnNoPage looks for the token in everything that a running Collector shows, at its most verbose, while the API works
// and while it returns the token in an error.
func TestSecrets_TokenIsOnNoPage(t *testing.T) {
	t.Parallel()
	api := startAPI(t)
	zpages := freeAddress(t)
	c := startCollector(t, "otelcol.yaml", api.env(),
		"--config", "yaml:extensions::zpages::endpoint: "+zpages,
		"--config", "yaml:service::extensions: [healthcheckv2, zpages]",
		"--config", "yaml:service::telemetry::logs::level: debug",
		"--config", "yaml:service::telemetry::traces::processors: [{simple: {exporter: {console: {}}}}]",
		"--config", "yaml:service::telemetry::metrics::level: detailed",
	)
	pages := func() string {
		text := c.Log.String() + get(t, c.metricsURL) + get(t, c.telemetryURL) + get(t, c.healthURL)
		for _, page := range []string{"servicez", "pipelinez", "extensionz", "featurez", "tracez", "tracez?zspanname=scraper%2Fbalena%2FScrapeMetrics&ztype=0"} {
			text += get(t, "http://"+zpages+"/debug/"+page)
		}
		return text
	}
	eventually(t, func(t *assert.CollectT) { require.Contains(t, get(t, c.metricsURL), "balena_devices_online") })
	assert.NotContains(t, pages(), apiToken)

	api.breakDown(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "cannot do that with "+r.Header.Get("Authorization"))
	})
	c.reportsErrors(t, "cannot do that with Bearer [REDACTED]")

	assert.NotContains(t, pages(), apiToken)
}

//go:build e2e

package distribution

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHealthCheck(t *testing.T) {
	t.Parallel()
	for _, config := range []string{"otelcol.yaml", "exporter-compat.yaml"} {
		t.Run("a failure that lasts is unhealthy until the API is back: "+config, func(t *testing.T) {
			t.Parallel()
			api := startAPI(t)
			vars := api.env()
			vars["BALENA_TOKEN"], vars["CRAWL_INTERVAL"] = apiToken, "1"
			vars["BALENA_UNHEALTHY_AFTER"] = "1s"
			c := startCollector(t, config, vars)
			c.becomes(t, http.StatusOK)

			api.breakDown(hangUp)
			c.becomes(t, http.StatusInternalServerError)
			assert.Contains(t, c.Log.String(), "balena API at "+api.URL, "the log says why")
			c.Running(t)

			api.repair()
			c.becomes(t, http.StatusOK)
		})
	}

	t.Run("a short failure is healthy", func(t *testing.T) {
		t.Parallel()
		api := startAPI(t)
		c := startCollector(t, "otelcol.yaml", api.env()) // unhealthy after 5 minutes
		c.becomes(t, http.StatusOK)

		api.breakDown(hangUp)
		eventually(t, func(t *assert.CollectT) {
			code, body := c.health(t)
			require.Contains(t, body, "StatusRecoverableError", "the failure is visible")
			require.Equal(t, http.StatusOK, code, body)
		})

		api.repair()
		eventually(t, func(t *assert.CollectT) {
			code, body := c.health(t)
			require.Contains(t, body, "StatusOK")
			require.Equal(t, http.StatusOK, code, body)
		})
	})
}

// becomes waits until the health check responds with the status code.
func (c *collector) becomes(t *testing.T, want int) {
	t.Helper()
	eventually(t, func(t *assert.CollectT) {
		code, body := c.health(t)
		require.Equal(t, want, code, body)
		require.Contains(t, body, `"status"`)
	})
}

func (c *collector) health(t require.TestingT) (code int, body string) {
	resp, err := http.Get(c.healthURL)
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(data)
}

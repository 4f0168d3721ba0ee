//go:build e2e

package distribution

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A bad configuration ends the Collector with a message that says what to do.
func TestConfig_BadInput(t *testing.T) {
	t.Parallel()
	withKey := env{"BALENA_API_KEY": "not-a-real-token"}
	tests := []struct {
		name   string
		config string
		env    env
		extra  string // YAML that is merged into the configuration
		want   []string
	}{
		{
			name:   "no token",
			config: "otelcol.yaml",
			want:   []string{"no credentials", `set "token"`, "BALENA_API_KEY"},
		},
		{
			name:   "no token for the drop-in",
			config: "exporter-compat.yaml",
			want:   []string{"unset environment variable", "BALENA_TOKEN", "no credentials"},
		},
		{
			name:   "two tokens",
			config: "otelcol.yaml",
			env:    withKey,
			extra:  "receivers::balena::token_file: /run/secrets/balena",
			want:   []string{`more than one of "token", "token_file"`, "keep one"},
		},
		{
			name:   "not a URL",
			config: "otelcol.yaml",
			env:    env{"BALENA_API_KEY": "not-a-real-token", "BALENA_API_URL": "api.balena-cloud.com"},
			want:   []string{`"api::endpoint" is not a URL with a scheme and a host`, "for example https://api.balena-cloud.com"},
		},
		{
			name:   "no URL for openBalena",
			config: "openbalena.yaml",
			env:    withKey,
			want:   []string{"unset environment variable", "BALENA_API_URL", `"api::endpoint" is`, "set the URL of the balena API"},
		},
		{
			name:   "plain http to another host",
			config: "otelcol.yaml",
			env:    env{"BALENA_API_KEY": "not-a-real-token", "BALENA_API_URL": "http://api.example.com"},
			want:   []string{"http://api.example.com", "would send the token in clear text", "use https"},
		},
		{
			name:   "an unknown key",
			config: "otelcol.yaml",
			env:    withKey,
			extra:  "receivers::balena::tokens: x",
			want:   []string{"balena", "has invalid keys: tokens"},
		},
		{
			name:   "an unknown metric",
			config: "otelcol.yaml",
			env:    withKey,
			extra:  "receivers::balena::metrics::balena.device.mood: {enabled: true}",
			want:   []string{"balena", "has invalid keys: balena.device.mood"},
		},
		{
			name:   "an interval below a second",
			config: "otelcol.yaml",
			env:    env{"BALENA_API_KEY": "not-a-real-token", "BALENA_COLLECTION_INTERVAL": "500ms"},
			want:   []string{`"collection_interval" is 500ms`, "set at least 1s"},
		},
		{
			name:   "a crawl interval of zero",
			config: "exporter-compat.yaml",
			env:    env{"BALENA_TOKEN": "not-a-real-token", "CRAWL_INTERVAL": "0"},
			want:   []string{`"collection_interval" is 0s`, "set at least 1s"},
		},
		{
			name:   "a crawl interval that is not a number",
			config: "exporter-compat.yaml",
			env:    env{"BALENA_TOKEN": "not-a-real-token", "CRAWL_INTERVAL": "often"},
			want:   []string{"collection_interval", "invalid duration"},
		},
		{
			name:   "a fleet pattern that does not compile",
			config: "otelcol.yaml",
			env:    withKey,
			extra:  `receivers::balena::fleets::include: ["/acme/(/"]`,
			want:   []string{"fleets::include", "/acme/(/", "missing closing )"},
		},
		{
			name:   "several mistakes at once",
			config: "otelcol.yaml",
			env:    env{"BALENA_COLLECTION_INTERVAL": "10ms", "BALENA_API_URL": "ftp://api.example.com"},
			want:   []string{"no credentials", "collection_interval", "api::endpoint"},
		},
		{
			name:   "a CA file that does not exist",
			config: "openbalena.yaml",
			env: env{
				"BALENA_API_KEY": "not-a-real-token",
				"BALENA_API_URL": "https://api.example.com",
				"BALENA_CA_FILE": "/nonexistent/ca.pem",
			},
			want: []string{"/nonexistent/ca.pem", "no such file"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// Free ports, because the default ones may be taken: the mistake must be what ends the Collector.
			tt.env = withFreePorts(t, tt.env)
			var args []string
			if tt.extra != "" {
				args = []string{"--config", "yaml:" + tt.extra}
			}
			out := runToExit(t, tt.config, tt.env, args...)
			for _, want := range tt.want {
				assert.Contains(t, out, want)
			}
			assert.NotContains(t, out, "not-a-real-token", "the token is a secret")
			require.NotContains(t, out, "panic")
		})
	}
}

// Wrong credentials and URLs are reported at each scrape but do not end the Collector.
func TestScrape_WrongCredentialsOrURL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		env  env
		want []string
	}{
		{
			name: "a token that the API rejects",
			env:  env{"BALENA_API_KEY": "not-a-real-token"},
			want: []string{"the API rejects the credentials", `set a valid API key in \"token\"`},
		},
		{
			name: "a server that is down",
			env:  env{"BALENA_API_URL": "http://" + freeAddress(t)},
			want: []string{"connection refused"},
		},
		{
			name: "a host that does not exist",
			env:  env{"BALENA_API_URL": "https://api.balena.invalid"},
			want: []string{"balena API at https://api.balena.invalid", "lookup api.balena.invalid"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			vars := startAPI(t).env()
			maps.Copy(vars, tt.env)
			c := startCollector(t, "otelcol.yaml", vars)

			c.reportsErrors(t, tt.want...)
			assert.NotContains(t, c.Log.String(), "not-a-real-token", "the token is a secret")
			assert.Empty(t, account(c.exposition(t)), "what is not known is not reported")
		})
	}
}

// Responses that cannot be used are reported, and nothing is made up from them.
func TestScrape_UnusableResponses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		respond http.HandlerFunc
		want    string
	}{
		{
			// With bad credentials the API returns the public fleets, of which there may be none.
			name: "an account that is empty only because the credentials are bad",
			respond: func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/actor/v1/whoami" {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				_, _ = io.WriteString(w, `{"d":[]}`)
			},
			want: "the API rejects the credentials",
		},
		{
			name: "a body that is not JSON",
			respond: func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "<html><body>Sign in to the hotel's network</body></html>")
			},
			want: "malformed response",
		},
		{
			name: "a truncated body",
			respond: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100") // so that the connection ends before the body does
				_, _ = io.WriteString(w, `{"d":[{"id":`)
			},
			want: "unexpected EOF",
		},
		{
			name: "a field of the wrong type",
			respond: func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/actor/v1/whoami" {
					_, _ = io.WriteString(w, `{"id":2,"actorType":"user","actorTypeId":2,"username":"admin"}`)
					return
				}
				_, _ = io.WriteString(w, `{"d":[{"id":"one","app_name":7,"slug":{},"owns__device":"many"}]}`)
			},
			want: "skipped 1 row(s)",
		},
		{
			name: "an endless body",
			respond: func(w http.ResponseWriter, _ *http.Request) {
				_, err := io.WriteString(w, `{"d":[{"id":1,"app_name":"`)
				for chunk := strings.Repeat("a", 1<<16); err == nil; {
					_, err = io.WriteString(w, chunk)
				}
			},
			want: "balena API at",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := startAPI(t)
			api.breakDown(tt.respond)
			c := startCollector(t, "otelcol.yaml", api.env())

			c.reportsErrors(t, tt.want)
			assert.Empty(t, account(c.exposition(t)))
			assert.Less(t, c.ownMetric(t, "otelcol_process_memory_rss"), 1e9)

			api.repair()
			requireGolden(t, "otelcol.prom", c.exposition)
		})
	}
}

// reportsErrors waits until the Collector has reported a failed scrape, in its log and in its own metrics.
func (c *collector) reportsErrors(t *testing.T, messages ...string) {
	t.Helper()
	eventually(t, func(t *assert.CollectT) {
		require.Positive(t, c.ownMetric(t, "otelcol_scraper_errored_metric_points"))
		for _, message := range messages {
			require.Contains(t, c.Log.String(), message)
		}
	})
	c.Running(t)
}

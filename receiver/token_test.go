package receiver

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configoptional"
)

func TestReadToken_ForEveryScrape(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	write := func(content string) { require.NoError(t, os.WriteFile(path, []byte(content), 0o600)) }
	write("not-valid-yet\n")
	cfg := testConfig(serve(t, realAccount(t)))
	cfg.Token, cfg.TokenFile = "", path
	scraper := startScraper(t, cfg)

	_, err := scraper.scrape(t.Context())
	require.ErrorContains(t, err, `set a valid API key in the file that "token_file" names`)

	write("\n" + testToken + "\n")
	metrics, err := scraper.scrape(t.Context())
	require.NoError(t, err)
	assert.Len(t, values(metrics, "balena.devices.online"), 5)
}

func TestReadToken_Errors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		content *string
		want    string
	}{
		"missing":   {nil, `"token_file": open `},
		"empty":     {new(" \n"), "is empty: it must contain the token"},
		"too large": {new(strings.Repeat("x", maxTokenSize+1)), "is larger than 16384 bytes: it must contain the token and nothing else"},
		"two lines": {new("one\ntwo"), "contains white space"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "token")
			if test.content != nil {
				require.NoError(t, os.WriteFile(path, []byte(*test.content), 0o600))
			}
			cfg := testConfig(serve(t, realAccount(t)))
			cfg.Token, cfg.TokenFile = "", path

			_, err := startScraper(t, cfg).scrape(t.Context())

			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestTokenSource_AuthExtension(t *testing.T) {
	t.Parallel()
	id := component.MustNewID("auth")
	cfg := testConfig(serve(t, realAccount(t)))
	cfg.Token = ""
	cfg.API.Auth = configoptional.Some(configauth.Config{AuthenticatorID: id})

	metrics, err := startScraperOn(t, cfg, hostWith{id: bearer{}}).scrape(t.Context())

	require.NoError(t, err)
	assert.Len(t, values(metrics, "balena.devices.online"), 5)
}

type hostWith map[component.ID]component.Component

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h }

// bearer is an auth extension such as bearertokenauth.
type bearer struct {
	component.StartFunc
	component.ShutdownFunc
}

func (bearer) RoundTripper(base http.RoundTripper) (http.RoundTripper, error) {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+testToken)
		return base.RoundTrip(r)
	}), nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

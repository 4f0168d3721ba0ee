package balenaclient_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/internal/simtest"
)

// seen asks a server that remembers token and URL.
func seen(t *testing.T, options ...balenaclient.Option) (url, token string) {
	t.Helper()
	record := roundTripper(func(r *http.Request) (*http.Response, error) {
		url, token = r.URL.Scheme+"://"+r.URL.Host, r.Header.Get("Authorization")
		return nil, errors.New("seen")
	})
	client, err := balenaclient.New(append([]balenaclient.Option{balenaclient.WithHTTPClient(&http.Client{Transport: record}),
		balenaclient.WithRetry(once)}, options...)...)
	require.NoError(t, err)
	_, err = client.WhoAmI(t.Context())
	require.Error(t, err)
	return url, token
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// environment has only these variables of all that matter.
func environment(t *testing.T, variables map[string]string) {
	t.Helper()
	for _, name := range []string{"BALENA_API_KEY", "BALENA_TOKEN", "BALENA_API_TOKEN", "BALENA_API_URL", "BALENARC_API_URL", "BALENARC_BALENA_URL",
		"BALENARC_DATA_DIRECTORY"} {
		t.Setenv(name, variables[name])
	}
}

func TestWithEnvironment(t *testing.T) {
	for name, tt := range map[string]struct {
		variables  map[string]string
		url, token string
	}{
		"the name of balena's SDKs first": {map[string]string{"BALENA_API_KEY": "a", "BALENA_TOKEN": "b", "BALENA_API_TOKEN": "c"}, balenaclient.DefaultBaseURL, "Bearer a"},
		"then that of exporters":          {map[string]string{"BALENA_TOKEN": "b", "BALENA_API_TOKEN": "c"}, balenaclient.DefaultBaseURL, "Bearer b"},
		"then that of Terraform":          {map[string]string{"BALENA_API_TOKEN": " c\n"}, balenaclient.DefaultBaseURL, "Bearer c"},
		"a URL":                           {map[string]string{"BALENA_TOKEN": "b", "BALENA_API_URL": "https://api.example.com", "BALENARC_API_URL": "https://no.example.com"}, "https://api.example.com", "Bearer b"},
		"a URL without its scheme":        {map[string]string{"BALENA_TOKEN": "b", "BALENA_API_URL": "api.example.com"}, "https://api.example.com", "Bearer b"},
		"the CLI's URL":                   {map[string]string{"BALENA_TOKEN": "b", "BALENARC_API_URL": "https://api.example.com", "BALENARC_BALENA_URL": "no.example.com"}, "https://api.example.com", "Bearer b"},
		"the CLI's host":                  {map[string]string{"BALENA_TOKEN": "b", "BALENARC_BALENA_URL": "example.com"}, "https://api.example.com", "Bearer b"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, tt.variables)
			url, token := seen(t, balenaclient.WithEnvironment())
			assert.Equal(t, tt.url, url)
			assert.Equal(t, tt.token, token)
		})
	}
}

func TestWithEnvironment_NoToken(t *testing.T) {
	environment(t, nil)
	_, err := balenaclient.New(balenaclient.WithEnvironment())
	require.ErrorContains(t, err, "set BALENA_API_KEY or BALENA_TOKEN or BALENA_API_TOKEN")
}

func TestWithCLI(t *testing.T) {
	directory := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(directory, "token"), []byte("session\n"), 0o600))
	environment(t, map[string]string{"BALENARC_DATA_DIRECTORY": directory, "BALENARC_BALENA_URL": "example.com"})
	url, token := seen(t, balenaclient.WithCLI())
	assert.Equal(t, "https://api.example.com", url)
	assert.Equal(t, "Bearer session", token)

	environment(t, nil)
	home := t.TempDir()
	t.Setenv("HOME", home)
	_, err := balenaclient.New(balenaclient.WithCLI())
	require.ErrorContains(t, err, "run balena login")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.Mkdir(filepath.Join(home, ".balena"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(home, ".balena", "token"), []byte("at-home"), 0o600))
	_, token = seen(t, balenaclient.WithCLI())
	assert.Equal(t, "Bearer at-home", token)

	t.Setenv("HOME", "")
	_, err = balenaclient.New(balenaclient.WithCLI())
	require.ErrorContains(t, err, "cannot locate the token of balena CLI")
}

func TestWithTokenFile(t *testing.T) {
	t.Parallel()
	_, sim := simtest.New(t)
	sim.AddUserKey("second", time.Time{})
	path := filepath.Join(t.TempDir(), "token")
	client := simtest.Client(t, sim, balenaclient.WithTokenFile(path))
	_, err := client.WhoAmI(t.Context())
	require.ErrorIs(t, err, os.ErrNotExist)
	for token, want := range map[string]error{simtest.Token + "\n": nil, "second": nil, "wrong": balenaclient.ErrUnauthorized} {
		require.NoError(t, os.WriteFile(path, []byte(token), 0o600))
		_, err := client.WhoAmI(t.Context())
		require.ErrorIs(t, err, want)
	}
	require.NoError(t, os.WriteFile(path, []byte(" \n"), 0o600))
	_, err = client.WhoAmI(t.Context())
	require.ErrorContains(t, err, "is empty")
}

func TestCachedToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		source := balenaclient.CachedToken(func(context.Context) (string, error) {
			switch asked++; asked {
			case 1:
				return "", errors.New("not yet")
			case 2:
				return "", nil
			}
			return "fresh", nil
		}, time.Minute)
		_, err := source(t.Context())
		require.ErrorContains(t, err, "not yet")
		_, err = source(t.Context())
		require.ErrorContains(t, err, "returned an empty token")
		for range 3 {
			token, err := source(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "fresh", token)
		}
		assert.Equal(t, 3, asked)
		time.Sleep(time.Minute)
		_, err = source(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 4, asked)
	})
}

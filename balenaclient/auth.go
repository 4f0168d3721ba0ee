package balenaclient

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Environment variables that tools for balena take a token from, in the order in which [WithEnvironment] does. The first is that of
// balena's own SDKs, and is set on devices; the others are those of its Prometheus exporters and Terraform providers.
var tokenVariables = []string{"BALENA_API_KEY", "BALENA_TOKEN", "BALENA_API_TOKEN"}

// WithEnvironment takes token and URL from the environment, now: the token from the first of BALENA_API_KEY, BALENA_TOKEN and
// BALENA_API_TOKEN that is set and not empty, the URL from the first of BALENA_API_URL, BALENARC_API_URL and BALENARC_BALENA_URL, which
// is a host without "api."; without any it is balenaCloud's. It is an error if there is no token.
func WithEnvironment() Option {
	return func(c *pine.Config) error {
		if url := urlFromEnvironment(); url != "" {
			c.BaseURL = url
		}
		for _, name := range tokenVariables {
			if token := strings.TrimSpace(os.Getenv(name)); token != "" {
				return WithToken(token)(c)
			}
		}
		return fmt.Errorf("balenaclient: no token in the environment: set %s", strings.Join(tokenVariables, " or "))
	}
}

func urlFromEnvironment() string {
	for _, name := range []string{"BALENA_API_URL", "BALENARC_API_URL"} {
		if url := strings.TrimSpace(os.Getenv(name)); url != "" {
			if !strings.Contains(url, "://") {
				url = "https://" + url
			}
			return url
		}
	}
	if host := strings.TrimSpace(os.Getenv("BALENARC_BALENA_URL")); host != "" {
		return "https://api." + host
	}
	return ""
}

// WithTokenFile authenticates with the token in a file, which is read for each request, so that it may change.
func WithTokenFile(path string) Option {
	return WithTokenSource(func(context.Context) (string, error) {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		token := strings.TrimSpace(string(data))
		if token == "" {
			return "", fmt.Errorf("%s is empty", path)
		}
		return token, nil
	})
}

// WithCLI authenticates as the user who is logged in to balena CLI on this machine: with the file "token" in BALENARC_DATA_DIRECTORY,
// or else in .balena in the home directory. Such a session ends 7 days after the CLI was last used. The URL is taken from
// BALENARC_API_URL or BALENARC_BALENA_URL as the CLI does; what ~/.balenarc.yml says is not heeded.
func WithCLI() Option {
	return func(c *pine.Config) error {
		if url := urlFromEnvironment(); url != "" {
			c.BaseURL = url
		}
		path, err := cliTokenFile()
		if err != nil {
			return err
		}
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("balenaclient: balena CLI is not logged in: %w: run balena login", err)
		}
		return WithTokenFile(path)(c)
	}
}

func cliTokenFile() (string, error) {
	directory := os.Getenv("BALENARC_DATA_DIRECTORY")
	if directory == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("balenaclient: where balena CLI keeps its token: %w", err)
		}
		directory = filepath.Join(home, ".balena")
	}
	return filepath.Join(directory, "token"), nil
}

// CachedToken makes a source of tokens that asks another one at most once in a while. A failure is not kept.
func CachedToken(source func(context.Context) (string, error), lifetime time.Duration) func(context.Context) (string, error) {
	var mu sync.Mutex
	var token string
	var fetched time.Time
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if token != "" && time.Since(fetched) < lifetime {
			return token, nil
		}
		fresh, err := source(ctx)
		if err == nil && fresh == "" {
			err = errors.New("the source has none")
		}
		if err != nil {
			return "", err
		}
		token, fetched = fresh, time.Now()
		return token, nil
	}
}

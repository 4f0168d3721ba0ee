package balenaclient

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// tokenVariables are the environment variables that tools for balena read a token from, by precedence: balena's own SDKs and its devices,
// Prometheus exporters, Terraform providers.
var tokenVariables = []string{"BALENA_API_KEY", "BALENA_TOKEN", "BALENA_API_TOKEN"}

// WithEnvironment reads token and URL from the environment, once: the token from the first of BALENA_API_KEY, BALENA_TOKEN and
// BALENA_API_TOKEN that is not empty, and the URL from the first of BALENA_API_URL, BALENARC_API_URL and BALENARC_BALENA_URL, which is a
// host name without "api."; the default is balenaCloud. It is an error if there is no token.
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

// WithTokenFile authenticates with the token in a file, which is read for each request, so that the token may change.
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

// WithCLI authenticates as the user who is logged in to balena CLI on this machine, with the file "token" in BALENARC_DATA_DIRECTORY or, if
// that is not set, in ~/.balena. The session expires 7 days after the CLI was last used. The URL is read from BALENA_API_URL,
// BALENARC_API_URL or BALENARC_BALENA_URL; ~/.balenarc.yml is ignored.
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
			return "", fmt.Errorf("balenaclient: cannot locate the token of balena CLI: %w", err)
		}
		directory = filepath.Join(home, ".balena")
	}
	return filepath.Join(directory, "token"), nil
}

// CachedToken returns a token source that keeps the token of another one for a while. Errors are not kept.
func CachedToken(source func(context.Context) (string, error), lifetime time.Duration) func(context.Context) (string, error) {
	var token string
	var fetched time.Time
	turn := make(chan struct{}, 1) // a mutex that a caller whose context ends stops waiting for
	return func(ctx context.Context) (string, error) {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-ctx.Done():
			return "", ctx.Err()
		}
		if token != "" && time.Since(fetched) < lifetime {
			return token, nil
		}
		fresh, err := source(ctx)
		if err == nil && fresh == "" {
			err = errors.New("the token source returned an empty token")
		}
		if err != nil {
			return "", err
		}
		token, fetched = fresh, time.Now()
		return token, nil
	}
}

package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// maxTokenSize is the maximum size of a token file. The longest tokens, session tokens, have about 1 kB.
const maxTokenSize = 16 << 10

// tokenSource returns the source of the token; nil if an auth extension sets it.
func tokenSource(cfg *Config) func(context.Context) (string, error) {
	switch {
	case cfg.Token != "":
		token := strings.TrimSpace(string(cfg.Token))
		return func(context.Context) (string, error) { return token, nil }
	case cfg.TokenFile != "":
		return func(context.Context) (string, error) { return readToken(cfg.TokenFile) }
	}
	return nil
}

// credentials returns the client's option for the token. An auth extension sets it in the HTTP client.
func credentials(cfg *Config) balenaclient.Option {
	if source := tokenSource(cfg); source != nil {
		return balenaclient.WithTokenSource(source)
	}
	return balenaclient.WithoutToken()
}

// readToken reads the file each time, so that the token can be rotated.
func readToken(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf(`"token_file": %w`, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxTokenSize+1))
	switch token := strings.TrimSpace(string(data)); {
	case err != nil:
		return "", fmt.Errorf(`"token_file": %w`, err)
	case len(data) > maxTokenSize:
		return "", fmt.Errorf(`"token_file": %s is larger than %d bytes: it must contain the token and nothing else`, path, maxTokenSize)
	case token == "":
		return "", errors.New(`"token_file": ` + path + ` is empty: it must contain the token`)
	default:
		return token, nil
	}
}

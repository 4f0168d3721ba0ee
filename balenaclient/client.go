package balenaclient

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// DefaultBaseURL is the API of balenaCloud.
const DefaultBaseURL = "https://api.balena-cloud.com"

// apiRoot is the path of the API's model. Version 7 is the first that distinguishes a device's target release from its pin.
const apiRoot = "/v7"

// Client talks to one balena API with one set of credentials. It is safe for concurrent use.
type Client struct {
	pine        *pine.Client
	credentials credentials
}

// Option configures a client.
type Option func(*pine.Config) error

// New returns a client for balenaCloud, unless [WithBaseURL] or [WithEnvironment] names another server. It sends nothing. Credentials are
// required: see [WithToken], [WithEnvironment], [WithCLI], [WithTokenFile], [WithTokenSource] and [WithoutToken].
func New(options ...Option) (*Client, error) {
	config := pine.Config{BaseURL: DefaultBaseURL, Root: apiRoot, Header: http.Header{}}
	for _, option := range options {
		if err := option(&config); err != nil {
			return nil, err
		}
	}
	if config.Token == nil {
		return nil, errors.New("balenaclient: no credentials: use WithToken, WithEnvironment, WithCLI, WithTokenFile or WithTokenSource, " +
			"or WithoutToken to see public data only")
	}
	client := &Client{}
	if config.FoundNothing == nil {
		config.FoundNothing = client.checkCredentials
	}
	var err error
	if client.pine, err = pine.New(config); err != nil {
		return nil, err
	}
	return client, nil
}

// WithToken authenticates with an API key or a session token.
func WithToken(token string) Option {
	return func(c *pine.Config) error {
		if token == "" {
			return errors.New("balenaclient: the token is empty")
		}
		c.Token = func(context.Context) (string, error) { return token, nil }
		return nil
	}
}

// WithTokenSource authenticates with the token that the function returns. It is called for each request, so that the token may change:
// see [CachedToken].
func WithTokenSource(token func(context.Context) (string, error)) Option {
	return func(c *pine.Config) error {
		if token == nil {
			return errors.New("balenaclient: the token source is nil")
		}
		c.Token = token
		return nil
	}
}

// WithoutToken sends no token: the API shows only what is public, unless the HTTP client authenticates itself.
func WithoutToken() Option {
	return func(c *pine.Config) error {
		c.Token = func(context.Context) (string, error) { return "", nil }
		return WithoutCredentialCheck()(c)
	}
}

// WithBaseURL sets the URL of the API, for example https://api.balena.example.com for an openBalena server.
func WithBaseURL(url string) Option {
	return func(c *pine.Config) error {
		c.BaseURL = url
		return nil
	}
}

// WithHTTPClient sends requests with a copy of this client. Its CheckRedirect is replaced, so that the token stays with the host.
func WithHTTPClient(client *http.Client) Option {
	return func(c *pine.Config) error {
		if client == nil {
			return errors.New("balenaclient: the HTTP client is nil")
		}
		c.HTTPClient = client
		return nil
	}
}

// WithUserAgent sets the User-Agent and X-Balena-Client headers, by which balena identifies clients. The form is name/version.
func WithUserAgent(agent string) Option {
	return func(c *pine.Config) error {
		c.Header.Set("User-Agent", agent)
		c.Header.Set("X-Balena-Client", agent)
		return nil
	}
}

// WithRetry configures how failed requests are retried.
func WithRetry(retry Retry) Option {
	return func(c *pine.Config) error {
		c.Retry = retry
		return nil
	}
}

// WithRequestLimit limits the number of requests per second.
func WithRequestLimit(perSecond float64) Option {
	return func(c *pine.Config) error {
		c.RequestLimit = perSecond
		return nil
	}
}

// WithAdmission calls a function before each attempt of a request, which is not sent if it returns an error. It may block.
func WithAdmission(admit func(context.Context) error) Option {
	return func(c *pine.Config) error {
		c.Admit = admit
		return nil
	}
}

// WithPageSize sets the number of rows requested at a time, 1,000 by default. Pages of 1,000 rows were measured to be three times as fast
// as pages of 100.
func WithPageSize(rows int) Option {
	return func(c *pine.Config) error {
		c.PageSize = rows
		return nil
	}
}

// WithRequestTimeout limits one attempt of a request, including its response. Log streams are exempt.
func WithRequestTimeout(timeout time.Duration) Option {
	return func(c *pine.Config) error {
		c.RequestTimeout = timeout
		return nil
	}
}

// WithMaxResponseSize limits a response, in bytes after decompression.
func WithMaxResponseSize(bytes int64) Option {
	return func(c *pine.Config) error {
		c.MaxResponseSize = bytes
		return nil
	}
}

// WithMaxRowSize limits one row of a response, in bytes.
func WithMaxRowSize(bytes int) Option {
	return func(c *pine.Config) error {
		c.MaxRowSize = bytes
		return nil
	}
}

// WithInsecureHTTP allows http to hosts other than this machine. The token then travels in clear text.
func WithInsecureHTTP() Option {
	return func(c *pine.Config) error {
		c.InsecureHTTP = true
		return nil
	}
}

// WithObserver calls a function after each request with its cost. The function must not block.
func WithObserver(observe func(Call)) Option {
	return func(c *pine.Config) error {
		c.Observe = observe
		return nil
	}
}

// WithoutCredentialCheck returns empty results as they are. By default the client checks its credentials when a query finds nothing, since
// the API responds to bad ones with what is public.
func WithoutCredentialCheck() Option {
	return func(c *pine.Config) error {
		c.FoundNothing = func(context.Context) error { return nil }
		return nil
	}
}

// Fleets returns the query for the fleets that the user has access to, without those that are merely public: see [Client.AllFleets]. On
// openBalena public host apps and blocks are among them: filter by IsHost and Class.
func (c *Client) Fleets() Query[Fleet] {
	return c.AllFleets().Scope(fleetDirectlyAccessibleByUser.Any())
}

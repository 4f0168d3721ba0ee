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

// apiRoot is the path of the API's model. Version 7 is the first in which a device's target release and its pin are apart.
const apiRoot = "/v7"

// Client speaks to one balena API with one set of credentials. It is safe for use by several goroutines.
type Client struct {
	pine *pine.Client
}

// Option changes how a client works.
type Option func(*pine.Config) error

// New returns a client of balenaCloud, or of what the options say. It makes no request.
func New(options ...Option) (*Client, error) {
	config := pine.Config{BaseURL: DefaultBaseURL, Root: apiRoot, Header: http.Header{}}
	for _, option := range options {
		if err := option(&config); err != nil {
			return nil, err
		}
	}
	client, err := pine.New(config)
	if err != nil {
		return nil, err
	}
	return &Client{pine: client}, nil
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

// WithTokenSource authenticates with the token that the function returns when a request is sent, so that tokens may change.
func WithTokenSource(token func(context.Context) (string, error)) Option {
	return func(c *pine.Config) error {
		c.Token = token
		return nil
	}
}

// WithBaseURL sets the URL of the API, for example https://api.balena.example.com for an openBalena server.
func WithBaseURL(url string) Option {
	return func(c *pine.Config) error {
		c.BaseURL = url
		return nil
	}
}

// WithHTTPClient sends requests with a copy of the client, whose CheckRedirect is replaced.
func WithHTTPClient(client *http.Client) Option {
	return func(c *pine.Config) error {
		if client == nil {
			return errors.New("balenaclient: the HTTP client is nil")
		}
		c.HTTPClient = client
		return nil
	}
}

// WithUserAgent sets the User-Agent, and X-Balena-Client, by which balena tells its clients apart. The form is name/version.
func WithUserAgent(agent string) Option {
	return func(c *pine.Config) error {
		c.Header.Set("User-Agent", agent)
		c.Header.Set("X-Balena-Client", agent)
		return nil
	}
}

// WithRetry says when requests are repeated.
func WithRetry(retry pine.Retry) Option {
	return func(c *pine.Config) error {
		c.Retry = retry
		return nil
	}
}

// WithRequestLimit bounds the number of requests that are started in a second.
func WithRequestLimit(perSecond float64) Option {
	return func(c *pine.Config) error {
		c.RequestLimit = perSecond
		return nil
	}
}

// WithAdmission asks the function before each attempt of a request whether it may be sent. It may wait.
func WithAdmission(admit func(context.Context) error) Option {
	return func(c *pine.Config) error {
		c.Admit = admit
		return nil
	}
}

// WithPageSize sets the number of rows asked for in one request. Pages of 1,000 rows were measured to be three times as fast as
// pages of 100.
func WithPageSize(rows int) Option {
	return func(c *pine.Config) error {
		c.PageSize = rows
		return nil
	}
}

// WithRequestTimeout bounds one attempt of a request with its whole answer.
func WithRequestTimeout(timeout time.Duration) Option {
	return func(c *pine.Config) error {
		c.RequestTimeout = timeout
		return nil
	}
}

// WithMaxResponseSize bounds an answer, in bytes after decompression.
func WithMaxResponseSize(bytes int64) Option {
	return func(c *pine.Config) error {
		c.MaxResponseSize = bytes
		return nil
	}
}

// WithMaxRowSize bounds one row of an answer, in bytes.
func WithMaxRowSize(bytes int) Option {
	return func(c *pine.Config) error {
		c.MaxRowSize = bytes
		return nil
	}
}

// WithInsecureHTTP allows http to a host other than this machine. The token then travels in clear text.
func WithInsecureHTTP() Option {
	return func(c *pine.Config) error {
		c.InsecureHTTP = true
		return nil
	}
}

// WithObserver calls a function after each request with what it cost. It must not block.
func WithObserver(observe func(Call)) Option {
	return func(c *pine.Config) error {
		c.Observe = observe
		return nil
	}
}

// AccessibleFleets is the query for the fleets that the user has access to. All fleets that can be seen, which [Client.Fleets] asks
// for, include every public one. On openBalena this includes public host apps and blocks too: filter by IsHost and Class.
func (c *Client) AccessibleFleets() pine.Query[Fleet] {
	const users pine.Links[Fleet, User] = "is_directly_accessible_by__user"
	return c.Fleets().Where(users.Any())
}

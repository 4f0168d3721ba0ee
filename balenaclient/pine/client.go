package pine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Defaults of [Config].
const (
	DefaultPageSize        = 1000
	DefaultRequestTimeout  = time.Minute
	DefaultMaxResponseSize = 256 << 20
)

// Config says which API a client speaks to, and how. Only BaseURL is required.
type Config struct {
	// BaseURL is the URL of the API without the version, for example https://api.balena-cloud.com.
	BaseURL string

	// Root is the path under BaseURL where resources live, for example /v7.
	Root string

	// HTTPClient sends the requests; http.Client's zero value if nil. The client is copied, and its CheckRedirect replaced: the
	// token must not follow a redirect to another host.
	HTTPClient *http.Client

	// Token returns the bearer token; it is called for every request, so that tokens may change. If it is nil or returns "",
	// requests carry no Authorization header of ours.
	Token func(context.Context) (string, error)

	// Header is sent with every request.
	Header http.Header

	// PageSize is the number of rows asked for in one request; DefaultPageSize if 0.
	PageSize int

	// RequestTimeout bounds one attempt of a request with its whole answer; DefaultRequestTimeout if 0.
	RequestTimeout time.Duration

	// MaxResponseSize bounds an answer, in bytes after decompression; DefaultMaxResponseSize if 0.
	MaxResponseSize int64

	// RequestLimit is the number of requests that may be started in a second; no limit if 0.
	RequestLimit float64

	// Retry says when requests are repeated.
	Retry Retry

	// InsecureHTTP allows http to a host other than this machine. The token then travels in clear text.
	InsecureHTTP bool

	// Observe is called after each request with what it cost. It must not block.
	Observe func(Call)
}

// Call is what one request cost, with all its attempts.
type Call struct {
	Resource string        // resource or path asked for
	Method   string        // HTTP method
	Status   int           // status of the last answer; 0 if there was none
	Attempts int           // requests sent
	Rows     int           // rows decoded
	Bytes    int64         // size of the answers after decompression
	Duration time.Duration // from start to end, with waiting
	Err      error         // why it failed; nil if it did not
}

// Client sends queries to one API with one set of credentials. It is safe for use by several goroutines.
type Client struct {
	config  Config
	baseURL string
	http    *http.Client
	limiter *rate.Limiter

	// notBefore is when the server allows the next request, as it said with the last Retry-After (Unix nanoseconds).
	notBefore atomic.Int64
}

// New returns a client. It makes no request.
func New(config Config) (*Client, error) {
	base, err := parseBaseURL(config.BaseURL, config.InsecureHTTP)
	if err != nil {
		return nil, err
	}
	if config.PageSize == 0 {
		config.PageSize = DefaultPageSize
	}
	if config.RequestTimeout == 0 {
		config.RequestTimeout = DefaultRequestTimeout
	}
	if config.MaxResponseSize == 0 {
		config.MaxResponseSize = DefaultMaxResponseSize
	}
	if config.PageSize < 0 || config.RequestTimeout < 0 || config.MaxResponseSize < 0 || config.RequestLimit < 0 {
		return nil, errors.New("pine: sizes, times and limits must not be negative")
	}
	config.Retry = config.Retry.withDefaults()

	client := &Client{config: config, baseURL: base, http: &http.Client{}}
	if config.HTTPClient != nil {
		*client.http = *config.HTTPClient
	}
	client.http.CheckRedirect = sameHostOnly
	if config.RequestLimit > 0 {
		client.limiter = rate.NewLimiter(rate.Limit(config.RequestLimit), max(1, int(config.RequestLimit)))
	}
	return client, nil
}

func parseBaseURL(text string, insecure bool) (string, error) {
	base, err := url.Parse(text)
	if err != nil {
		return "", errors.New("pine: base URL is not a URL") // its text may hold a password
	}
	switch {
	case base.Host == "" || base.Scheme != "https" && base.Scheme != "http":
		return "", fmt.Errorf("pine: base URL %q must start with https:// and name a host", base.Redacted())
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return "", fmt.Errorf("pine: base URL %q must not have a user, a query or a fragment", base.Redacted())
	case base.Scheme == "http" && !insecure && !isLoopback(base.Hostname()):
		return "", fmt.Errorf("pine: base URL %q would send the token in clear text: use https, or allow insecure http", text)
	}
	return strings.TrimRight(base.String(), "/"), nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// sameHostOnly lets redirects be followed on the same host and never from https to http.
func sameHostOnly(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if next.URL.Host != first.Host || first.Scheme == "https" && next.URL.Scheme != "https" {
		return fmt.Errorf("%w: %s", ErrRedirected, next.URL.Host)
	}
	if len(via) >= 5 {
		return errors.New("stopped after 5 redirects")
	}
	return nil
}

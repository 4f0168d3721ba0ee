package pine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Defaults of [Config].
const (
	DefaultPageSize        = 1000
	DefaultRequestTimeout  = time.Minute
	DefaultMaxResponseSize = 256 << 20
	DefaultMaxRowSize      = 8 << 20
)

const maxRedirects = 5

// Config says which API a client speaks to, and how. Only BaseURL is required.
type Config struct {
	// BaseURL is the URL of the API without the version, for example https://api.balena-cloud.com.
	BaseURL string

	// Root is the path under BaseURL where resources live, for example /v7.
	Root string

	// HTTPClient sends the requests; http.Client's zero value if nil. The client is copied, and its CheckRedirect replaced: the
	// token must not follow a redirect to another host.
	//
	// Without a Transport it has one of its own that closes idle connections after 5 s. An openBalena server closes them after some
	// 6 s: a request that is sent just then is lost, and one that creates a row cannot simply be sent again.
	HTTPClient *http.Client

	// Token returns the bearer token; it is called for every request, so that tokens may change. If it is nil or returns "",
	// requests carry no Authorization header of ours.
	Token func(context.Context) (string, error)

	// Header is sent with every request. Unless it has a User-Agent, the name and version of this module are sent.
	Header http.Header

	// PageSize is the number of rows asked for in one request; DefaultPageSize if 0.
	PageSize int

	// RequestTimeout bounds one attempt of a request with its whole answer; DefaultRequestTimeout if 0.
	RequestTimeout time.Duration

	// MaxResponseSize bounds an answer, in bytes after decompression; DefaultMaxResponseSize if 0.
	MaxResponseSize int64

	// MaxRowSize bounds one row of an answer, in bytes, with the blanks around it; DefaultMaxRowSize if 0. The largest rows known, of
	// device types with their contracts, have some 5 MB. The decoder keeps a row whole and, while it is incomplete, reads it again
	// and again: without a bound, a body of nothing but blanks would cost time in the square of its length.
	MaxRowSize int

	// RequestLimit is the number of requests that may be started in a second, evenly spaced; no limit if 0.
	RequestLimit float64

	// Admit is called before each attempt of a request, which is not sent if it returns an error. It may wait. It lets callers share a
	// budget between requests of different worth, which the context can tell apart.
	Admit func(context.Context) error

	// Retry says when requests are repeated.
	Retry Retry

	// InsecureHTTP allows http to a host other than this machine. The token then travels in clear text.
	InsecureHTTP bool

	// Observe is called after each request with what it cost, by several goroutines at once if they share the client. It must not
	// block.
	Observe func(Call)
}

// Call is what one request cost, with all its attempts.
type Call struct {
	Resource string        // resource or path asked for
	Method   string        // HTTP method
	Status   int           // status of the last answer; 0 if there was none, 429 if the server's Retry-After kept us from asking
	Attempts int           // requests sent
	Rows     int           // rows decoded
	Bytes    int64         // size of the answers after decompression
	Duration time.Duration // from start to end, with waiting
	Waited   time.Duration // before attempts: for the server's Retry-After, our own limits, and pauses after failures
	Err      error         // why it failed; nil if it did not
}

// Client sends queries to one API with one set of credentials. It is safe for use by several goroutines.
type Client struct {
	config    Config
	baseURL   string
	http      *http.Client
	streaming *http.Client // for answers without an end: no timeout of its own
	limiter   *rate.Limiter
	backoff   backoff
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
	if config.MaxRowSize == 0 {
		config.MaxRowSize = DefaultMaxRowSize
	}
	config.Retry = config.Retry.withDefaults()
	if config.PageSize < 0 || config.RequestTimeout < 0 || config.MaxResponseSize < 0 || config.MaxRowSize < 0 || !(config.RequestLimit >= 0) || config.Retry.negative() {
		return nil, errors.New("pine: sizes, times and limits must not be negative")
	}
	config.Header = config.Header.Clone()
	if config.Header.Get("User-Agent") == "" {
		if config.Header == nil {
			config.Header = http.Header{}
		}
		config.Header.Set("User-Agent", userAgent())
	}

	client := &Client{config: config, baseURL: base, http: &http.Client{}}
	if config.HTTPClient != nil {
		*client.http = *config.HTTPClient
	}
	if client.http.Transport == nil {
		client.http.Transport = defaultTransport()
	}
	client.http.CheckRedirect = sameHostOnly
	streaming := *client.http
	streaming.Timeout = 0
	client.streaming = &streaming
	if config.RequestLimit > 0 {
		client.limiter = rate.NewLimiter(rate.Limit(config.RequestLimit), 1)
	}
	return client, nil
}

// CloseIdleConnections closes connections that are not in use.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// idleConnTimeout is less than the time after which a server closes idle connections: see [Config.HTTPClient].
const idleConnTimeout = 5 * time.Second

func defaultTransport() http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport // the program has replaced it
	}
	transport := standard.Clone()
	transport.IdleConnTimeout = idleConnTimeout
	return transport
}

// userAgent is balenaclient/version (+https://module), as far as the program knows its version.
func userAgent() string {
	here := reflect.TypeFor[Client]().PkgPath()
	name := path.Base(path.Dir(here))
	build, _ := debug.ReadBuildInfo()
	if build == nil {
		return name
	}
	for _, module := range append(build.Deps, &build.Main) {
		if module.Path != "" && strings.HasPrefix(here, module.Path+"/") {
			version := cmp.Or(strings.Trim(strings.TrimPrefix(module.Version, "v"), "()"), "devel")
			return fmt.Sprintf("%s/%s (+https://%s)", name, version, module.Path)
		}
	}
	return name
}

func parseBaseURL(text string, insecure bool) (string, error) {
	base, err := url.Parse(text)
	if err != nil {
		return "", errors.New("pine: base URL is not a URL") // its text may hold a password
	}
	plain := url.URL{Scheme: base.Scheme, Host: base.Host, Path: base.Path, RawPath: base.RawPath}
	switch {
	case base.Hostname() == "" || base.Scheme != "https" && base.Scheme != "http":
		return "", fmt.Errorf("pine: base URL %q must start with https:// and name a host", plain.String())
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return "", fmt.Errorf("pine: base URL %q must not have a user, a query or a fragment", plain.String()) // they may hold secrets
	case base.Scheme == "http" && !insecure && !isLoopback(base.Hostname()):
		return "", fmt.Errorf("pine: base URL %q would send the token in clear text: use https, or allow insecure http", plain.String())
	}
	return strings.TrimRight(plain.String(), "/"), nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// sameHostOnly lets redirects be followed on the same host and never from https to http.
func sameHostOnly(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if next.URL.Host != first.Host || first.Scheme == "https" && next.URL.Scheme != "https" {
		return fmt.Errorf("%w: %s://%s", ErrRedirected, next.URL.Scheme, next.URL.Host)
	}
	if next.Method != via[0].Method {
		return fmt.Errorf("%w: it redirects a %s to %s://%s, which would make a GET of it: correct the base URL",
			ErrMalformed, via[0].Method, next.URL.Scheme, next.URL.Host)
	}
	if len(via) >= maxRedirects {
		return fmt.Errorf("%w: more than %d redirects", ErrMalformed, maxRedirects)
	}
	return nil
}

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

// Config configures a [Client]. Only BaseURL is required.
type Config struct {
	// BaseURL is the URL of the API without the version, for example https://api.balena-cloud.com.
	BaseURL string

	// Root is the path of the resources under BaseURL, for example /v7.
	Root string

	// HTTPClient sends the requests; the zero http.Client if nil. It is copied, and its CheckRedirect replaced, because the token must
	// not follow a redirect to another host.
	//
	// Without a Transport it gets one that closes idle connections after 5 s. An openBalena server closes them after about 6 s: a request
	// sent at that moment is lost, and one that creates a row cannot simply be retried.
	HTTPClient *http.Client

	// Token returns the bearer token. It is called for every request, so that the token may change. If it is nil or returns "", no
	// Authorization header is added.
	Token func(context.Context) (string, error)

	// Header is sent with every request. Unless it has a User-Agent, the name and version of this module are sent.
	Header http.Header

	// PageSize is the number of rows per request; DefaultPageSize if 0.
	PageSize int

	// RequestTimeout limits one attempt of a request, including the complete response; DefaultRequestTimeout if 0.
	RequestTimeout time.Duration

	// MaxResponseSize limits a response, in bytes after decompression; DefaultMaxResponseSize if 0.
	MaxResponseSize int64

	// MaxRowSize limits one row of a response, in bytes including white space; DefaultMaxRowSize if 0. The largest rows known, device
	// types with their contracts, have about 5 MB.
	MaxRowSize int

	// RequestLimit is the number of requests started per second, evenly spaced; no limit if 0.
	RequestLimit float64

	// Admit is called before each attempt, which is not sent if it returns an error. It may wait. It lets callers divide a budget between
	// requests of different importance, which the context can carry.
	Admit func(context.Context) error

	// FoundNothing is called when a query has found no row, and its error becomes that of the query. It is for servers that respond to
	// bad credentials as if there were no rows.
	FoundNothing func(context.Context) error

	// Retry configures retries.
	Retry Retry

	// InsecureHTTP allows http to a host other than this machine. The token then travels in clear text.
	InsecureHTTP bool

	// Observe is called after each request, concurrently if goroutines share the client. It must not block.
	Observe func(Call)
}

// Call describes a request with all its attempts.
type Call struct {
	Resource string        // resource or path
	Method   string        // HTTP method
	Status   int           // HTTP status of the last response; 0 if there was none, 429 if an earlier Retry-After held the request back
	Attempts int           // requests sent
	Rows     int           // rows decoded
	Bytes    int64         // size of the responses after decompression
	Duration time.Duration // including Waited
	Waited   time.Duration // for the server's Retry-After, the client's own limits, and between attempts
	Err      error         // nil if the request succeeded
}

// Client sends requests to one API with one set of credentials. It is safe for concurrent use.
type Client struct {
	config    Config
	baseURL   string
	http      *http.Client
	streaming *http.Client // for responses without an end: it has no timeout
	limiter   *rate.Limiter
	backoff   backoff
}

// New returns a client. It sends nothing.
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
		return "", errors.New("pine: base URL is not a URL") // it may contain a password
	}
	plain := url.URL{Scheme: base.Scheme, Host: base.Host, Path: base.Path, RawPath: base.RawPath}
	switch {
	case base.Hostname() == "" || base.Scheme != "https" && base.Scheme != "http":
		return "", fmt.Errorf("pine: base URL %q must start with https:// and name a host", plain.String())
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return "", fmt.Errorf("pine: base URL %q must not have a user, a query or a fragment", plain.String()) // they may contain secrets
	case base.Scheme == "http" && !insecure && !isLoopback(base.Hostname()):
		return "", fmt.Errorf("pine: base URL %q would send the token in clear text: use https, or allow insecure http", plain.String())
	}
	return strings.TrimRight(plain.String(), "/"), nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// sameHostOnly follows redirects on the same host only, and never from https to http.
func sameHostOnly(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if next.URL.Host != first.Host || first.Scheme == "https" && next.URL.Scheme != "https" {
		return fmt.Errorf("%w: %s://%s", ErrRedirected, next.URL.Scheme, next.URL.Host)
	}
	if next.Method != via[0].Method {
		return fmt.Errorf("%w: redirect of a %s to %s://%s would turn it into a GET: correct the base URL",
			ErrMalformed, via[0].Method, next.URL.Scheme, next.URL.Host)
	}
	if len(via) >= maxRedirects {
		return fmt.Errorf("%w: more than %d redirects", ErrMalformed, maxRedirects)
	}
	return nil
}

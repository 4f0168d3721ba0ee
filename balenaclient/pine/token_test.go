package pine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

func TestError_Message(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, want string }{
		{"is that of a JSON string", `"\"ship\" must be \u201cunique\u201d."`, `"ship" must be “unique”.`},
		{"is an object's message", `{"message":"no such ship","code":5}`, "no such ship"},
		{"is an object's error", `{"error":"no such ship"}`, "no such ship"},
		{"is that of an object's error", `{"message":"failed","error":{"text":"no such ship","message":"x"}}`, "no such ship"},
		{"is the message of an object's error", `{"error":{"message":"no such ship"}}`, "no such ship"},
		{"is an object as it is if it has none", `{"code": 5}`, `{"code": 5}`},
		{"is the object if it has no message", `{"message":{"a":1},"error":[2]}`, `{"message":{"a":1},"error":[2]}`},
		{"is a list as it is", `[1]`, `[1]`},
		{"is nothing for null", `null`, ""},
		{"is nothing for nothing", " \n\t", ""},
		{"is the text of a page", "<html><head><style>p{}</style><SCRIPT>if (a<b) x();</SCRIPT><title>Error</title></head>\n<body><h1>Bad&nbsp;Gateway</h1>a &lt; b</body></html>", "Error Bad Gateway a < b"},
		{"is the text of half a page", "<html><body>Bad Gateway<p", "Bad Gateway"},
		{"is nothing for half a tag", "<html", ""},
		{"is on one line", "down\r\nfor\tmaintenance\n\n", "down for maintenance"},
		{"has no control characters", "a\x00b\x1b[31mc\u202ed\u2028e\u0085f", "a b [31mc d e f"},
		{"is valid UTF-8", "a\xffb", "a�b"},
		{"is truncated", strings.Repeat("x", 100_000), strings.Repeat("x", 500) + "…"},
		{"is truncated between characters", strings.Repeat("é", 400) + "x", strings.Repeat("é", 250) + "…"},
		{"is truncated between characters, not within one", "x" + strings.Repeat("é", 400), "x" + strings.Repeat("é", 249) + "…"},
		{"is bearable however deep an object is", strings.Repeat(`{"error":`, 7000) + "1" + strings.Repeat("}", 7000), strings.Repeat(`{"error":`, 55) + `{"err…`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient(t, always(400, tt.body))
			_, err := ships(client).List(t.Context())
			var failure *pine.Error
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, tt.want, failure.Message)
			if tt.want != "" {
				assert.Equal(t, "GET /v1/ship: 400 Bad Request: "+tt.want, err.Error())
			} else {
				assert.Equal(t, "GET /v1/ship: 400 Bad Request", err.Error())
			}
		})
	}
}

func TestError_WithoutTheToken(t *testing.T) {
	t.Parallel()
	quoted, err := json.Marshal("Bearer " + testToken)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		handle roundTrip
		is     error
	}{
		"when a string echoes it":                 {always(400, "no "+testToken+" here, no "+testToken), pine.ErrBadRequest},
		"when a JSON string echoes it":            {always(401, string(quoted)), pine.ErrUnauthorized},
		"when a page echoes it":                   {always(403, "<html>"+testToken), pine.ErrForbidden},
		"when the message is truncated within it": {always(400, strings.Repeat("x", 490)+testToken), pine.ErrBadRequest},
		"when a row echoes it":                    {always(200, `{"d":[{"id":1,"built_at":"`+testToken+`"}]}`), pine.ErrMalformed},
		"when the response echoes it":             {always(200, testToken), pine.ErrMalformed},
		"when the network's error has it":         {failing(fmt.Errorf("proxy refused header %q", "Bearer "+testToken)), nil},
		"when a wrapped error has it":             {failing(fmt.Errorf("%w: %s", context.Canceled, testToken)), context.Canceled},
		"when a redirect's host has it": {
			always(302, "", "Location", "https://"+testToken+".example.com/?token="+testToken), pine.ErrRedirected,
		},
		"when a redirect's path has it": {always(302, "", "Location", "https://other.example.com/"+testToken), pine.ErrRedirected},
		"when a redirect is invalid":    {always(302, "", "Location", "https://["+testToken), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var observed []error
			client, w := newClient(t, tt.handle, once, func(c *pine.Config) {
				c.Observe = func(call pine.Call) { observed = append(observed, call.Err) }
			})
			_, err := ships(client).List(t.Context())
			require.Error(t, err)
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			for e := range chain(err) {
				for _, text := range []string{e.Error(), fmt.Sprintf("%v %+v %#v", e, e, e)} {
					assert.NotContains(t, text, testToken[:8])
				}
			}
			require.NotEmpty(t, observed)
			for _, err := range observed {
				if err != nil {
					assert.NotContains(t, err.Error(), testToken[:8])
				}
			}
			assert.Equal(t, "Bearer "+testToken, w.last().Header.Get("Authorization"))
			for _, r := range w.requests {
				assert.Equal(t, "api.example.com", r.URL.Host, "the token stays with its host")
				assert.NotContains(t, r.URL.String(), testToken)
			}
		})
	}
}

// chain goes through an error and all that it wraps.
func chain(err error) func(yield func(error) bool) {
	return func(yield func(error) bool) {
		for err != nil && yield(err) {
			if both, ok := err.(interface{ Unwrap() []error }); ok {
				for _, inner := range both.Unwrap() {
					for e := range chain(inner) {
						if !yield(e) {
							return
						}
					}
				}
				return
			}
			err = errors.Unwrap(err)
		}
	}
}

func TestConfig_Token(t *testing.T) {
	t.Parallel()
	number := 0
	client, w := newClient(t, newSea(25).respond, pageSize(10), func(c *pine.Config) {
		c.Token = func(context.Context) (string, error) {
			number++
			return fmt.Sprint("token-", number), nil
		}
	})
	_, err := ships(client).List(t.Context())
	require.NoError(t, err)
	for i, r := range w.requests {
		assert.Equal(t, fmt.Sprint("Bearer token-", i+1), r.Header.Get("Authorization"))
	}
	assert.Len(t, w.requests, 3)
}

func TestConfig_Token_None(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]func(context.Context) (string, error){
		"when there is no source": nil,
		"when it is empty":        func(context.Context) (string, error) { return "", nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, always(200, someShips), func(c *pine.Config) { c.Token = source })
			_, err := ships(client).List(t.Context())
			require.NoError(t, err)
			assert.NotContains(t, w.last().Header, "Authorization")
		})
	}
}

func TestConfig_Token_Invalid(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"secret\n", "secret\r\nX: y", " secret", "sec ret", "secret\x7f", "secret\x00", "\t"} {
		t.Run(fmt.Sprintf("%q", token), func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, always(200, someShips), func(c *pine.Config) {
				c.Token = func(context.Context) (string, error) { return token, nil }
			})
			_, err := ships(client).List(t.Context())
			require.EqualError(t, err, "GET /v1/ship: token: contains white space or control characters")
			assert.Zero(t, w.count())
		})
	}
	t.Run("because its source fails", func(t *testing.T) {
		t.Parallel()
		source := errors.New("no such file")
		var asked int
		client, w := newClient(t, always(200, someShips), func(c *pine.Config) {
			c.Token = func(context.Context) (string, error) { asked++; return "", source }
		})
		_, err := ships(client).List(t.Context())
		require.ErrorIs(t, err, source)
		require.EqualError(t, err, "GET /v1/ship: token: no such file")
		assert.Equal(t, 1, asked)
		assert.Zero(t, w.count())
	})
}

func TestClient_Redirects(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, location string
		is             error
		requests       int
		want           string
	}{
		{"on the same host are followed with the token", "https://api.example.com/elsewhere?x=y", nil, 2, ""},
		{"that are relative are followed with the token", "/elsewhere?x=y", nil, 2, ""},
		{"to another host are refused", "https://evil.example.com/v1/ship", pine.ErrRedirected, 1, "redirected to another host: https://evil.example.com"},
		{"to another port are refused", "https://api.example.com:8443/v1/ship", pine.ErrRedirected, 1, "redirected to another host: https://api.example.com:8443"},
		{"to a host below are refused", "https://x.api.example.com/v1/ship", pine.ErrRedirected, 1, "redirected to another host"},
		{"from https to http are refused", "http://api.example.com/v1/ship", pine.ErrRedirected, 1, "redirected to another host: http://api.example.com"},
		{"to another scheme are refused", "ftp://api.example.com/v1/ship", pine.ErrRedirected, 1, "redirected to another host: ftp://api.example.com"},
		{"in a circle are given up", "https://api.example.com/base/v1/ship", pine.ErrMalformed, 5, "malformed response: more than 5 redirects"},
	} {
		for _, status := range []int{301, 302, 307, 308} {
			t.Run(fmt.Sprintf("%s (%d)", tt.name, status), func(t *testing.T) {
				t.Parallel()
				client, w := newClient(t, func(_ int, r *http.Request) (*http.Response, error) {
					if r.URL.Path == "/elsewhere" {
						return respond(200, someShips)
					}
					return respond(status, "moved", "Location", tt.location)
				})
				rows, err := ships(client).List(t.Context())
				assert.Equal(t, tt.requests, w.count())
				if tt.is == nil {
					require.NoError(t, err)
					assert.Equal(t, upTo(1), ids(rows))
				} else {
					require.ErrorIs(t, err, tt.is)
					require.ErrorContains(t, err, tt.want)
				}
				for _, r := range w.requests {
					assert.Equal(t, "api.example.com", r.URL.Host)
					assert.Equal(t, "Bearer "+testToken, r.Header.Get("Authorization"))
				}
				w.requireAllClosed(t)
			})
		}
	}
}

func TestClient_Redirects_OtherHost(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer evil.Close()
	server := httptest.NewServer(http.RedirectHandler(evil.URL, http.StatusMovedPermanently))
	defer server.Close()
	followAll := server.Client()
	followAll.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
	client, err := pine.New(pine.Config{
		BaseURL: server.URL, HTTPClient: followAll,
		Token: func(context.Context) (string, error) { return testToken, nil },
	})
	require.NoError(t, err)
	_, err = ships(client).List(t.Context())
	require.ErrorIs(t, err, pine.ErrRedirected)
	assert.Zero(t, asked.Load())
	assert.NoError(t, followAll.CheckRedirect(nil, nil), "the caller's client is left alone")
}

func TestConfig_BaseURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ url, want, wantErr string }{
		{"https://api.example.com", "https://api.example.com/v1/ship", ""},
		{"https://api.example.com/", "https://api.example.com/v1/ship", ""},
		{"https://api.example.com:8443/a%2Fb//", "https://api.example.com:8443/a%2Fb/v1/ship", ""},
		{"HTTPS://api.example.com", "https://api.example.com/v1/ship", ""},
		{"http://localhost:8080", "http://localhost:8080/v1/ship", ""},
		{"http://127.0.0.1", "http://127.0.0.1/v1/ship", ""},
		{"http://127.8.9.1:80", "http://127.8.9.1:80/v1/ship", ""},
		{"http://[::1]:80", "http://[::1]:80/v1/ship", ""},
		{"http://api.example.com", "", `pine: base URL "http://api.example.com" would send the token in clear text: use https, or allow insecure http`},
		{"http://localhost.example.com", "", "clear text"},
		{"http://10.0.0.1", "", "clear text"},
		{"http://0.0.0.0", "", "clear text"},
		{"", "", `pine: base URL "" must start with https:// and name a host`},
		{"api.example.com", "", `pine: base URL "api.example.com" must start with https:// and name a host`},
		{"localhost:8080", "", "must start with https:// and name a host"},
		{"//api.example.com", "", "must start with https:// and name a host"},
		{"ftp://api.example.com", "", "must start with https:// and name a host"},
		{"https://", "", "must start with https:// and name a host"},
		{"https:///v1", "", "must start with https:// and name a host"},
		{"https://:443", "", "must start with https:// and name a host"},
		{"https:api.example.com", "", "must start with https:// and name a host"},
		{"https://api.example.com?", "", "must not have a user, a query or a fragment"},
		{"https://api.example.com?apikey=" + testToken, "", `pine: base URL "https://api.example.com" must not have a user, a query or a fragment`},
		{"https://" + testToken + "@api.example.com", "", `pine: base URL "https://api.example.com" must not have a user, a query or a fragment`},
		{"https://user:" + testToken + "@api.example.com", "", "must not have a user, a query or a fragment"},
		{"https://api.example.com#" + testToken, "", "must not have a user, a query or a fragment"},
		{"user:" + testToken + "@api.example.com", "", "must start with https:// and name a host"},
		{"https://user:" + testToken + "@ api.example.com", "", "pine: base URL is not a URL"},
		{"https://api.example.com\n", "", "pine: base URL is not a URL"},
		{"https://api.example.com:port", "", "pine: base URL is not a URL"},
	} {
		t.Run(tt.url, func(t *testing.T) {
			t.Parallel()
			w := &wire{handle: always(200, someShips)}
			client, err := pine.New(pine.Config{BaseURL: tt.url, Root: "/v1", HTTPClient: &http.Client{Transport: w}})
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				assert.NotContains(t, err.Error(), testToken)
				return
			}
			require.NoError(t, err)
			_, err = ships(client).List(t.Context())
			require.NoError(t, err)
			got, _, _ := strings.Cut(w.last().URL.String(), "?")
			assert.Equal(t, tt.want, got)
		})
	}
	t.Run("of plain http when that is allowed", func(t *testing.T) {
		t.Parallel()
		_, err := pine.New(pine.Config{BaseURL: "http://api.example.com", InsecureHTTP: true})
		require.NoError(t, err)
	})
}

func TestNew_NegativeLimits(t *testing.T) {
	t.Parallel()
	for _, config := range []pine.Config{
		{PageSize: -1}, {RequestTimeout: -1}, {MaxResponseSize: -1}, {RequestLimit: -0.1}, {Retry: pine.Retry{MaxAttempts: -1}},
		{Retry: pine.Retry{Backoff: -1}}, {Retry: pine.Retry{MaxBackoff: -1}}, {Retry: pine.Retry{MaxRetryAfter: -1}},
	} {
		config.BaseURL = "https://api.example.com"
		_, err := pine.New(config)
		require.EqualError(t, err, "pine: sizes, times and limits must not be negative", "%+v", config)
	}
}

func TestConfig_Header(t *testing.T) {
	t.Parallel()
	header := http.Header{"X-Fleet": {"a", "b"}, "Accept": {"text/html"}, "User-Agent": {"test/1"}}
	client, w := newClient(t, newSea(3).respond, pageSize(2), func(c *pine.Config) { c.Header = header })
	header.Set("X-Fleet", "changed")
	_, err := ships(client).List(t.Context())
	require.NoError(t, err)
	require.Len(t, w.requests, 2)
	for _, r := range w.requests {
		assert.Equal(t, http.Header{"X-Fleet": {"a", "b"}, "Accept": {"application/json"}, "User-Agent": {"test/1"}, "Authorization": {"Bearer " + testToken}}, r.Header)
		r.Header["X-Fleet"][0] = "spoilt by a transport"
	}
}

func TestConfig_Header_DefaultUserAgent(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, newSea(1).respond)
	_, err := ships(client).List(t.Context())
	require.NoError(t, err)
	assert.Regexp(t, `^balenaclient/\S+ \(\+https://github\.com/otelcol-balena/balenareceiver\)$`, w.last().Header.Get("User-Agent"))
}

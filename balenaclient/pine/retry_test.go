package pine_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

const someShips = `{"d":[{"id":1}]}`

func TestRetry_Status(t *testing.T) {
	t.Parallel()
	const page = "<!DOCTYPE html>\n<html><head><title>Error</title></head><body><pre>Payload Too Large</pre></body></html>"
	for _, tt := range []struct {
		status  int
		headers []string
		body    string
		retried bool
		is      error
		want    string
	}{
		{301, []string{"Location", "https://other.example.com/"}, "", false, pine.ErrRedirected, "301 is followed, and refused: redirected to another host: https://other.example.com"},
		{304, nil, "", false, nil, "304 Not Modified"},
		{400, nil, `"Malformed url: '/v1/ship'"`, false, pine.ErrBadRequest, "400 Bad Request: Malformed url: '/v1/ship'"},
		{401, nil, "", false, pine.ErrUnauthorized, "401 Unauthorized"},
		{403, nil, "", false, pine.ErrForbidden, "403 Forbidden"},
		{404, nil, "", false, pine.ErrNotFound, "404 Not Found"},
		{409, nil, `"\"ship\" and \"name\" must be unique."`, false, pine.ErrConflict, `409 Conflict: "ship" and "name" must be unique.`},
		{413, []string{"Content-Type", "text/html"}, page, false, nil, "413 Request Entity Too Large: Error Payload Too Large"},
		{418, nil, "", false, nil, "418 I'm a teapot"},
		{429, nil, `"Too Many Requests"`, true, pine.ErrRateLimited, "429 Too Many Requests: Too Many Requests (after 4 attempts)"},
		{431, nil, "", false, nil, "431 Request Header Fields Too Large"},
		{500, nil, "", false, pine.ErrServer, "500 Internal Server Error"},
		{501, nil, "", false, pine.ErrServer, "501 Not Implemented"},
		{502, nil, "<html><center>nginx &amp; co</center></html>", true, pine.ErrServer, "502 Bad Gateway: nginx & co (after 4 attempts)"},
		{503, nil, "", true, pine.ErrServer, "503 Service Unavailable (after 4 attempts)"},
		{504, nil, "upstream\ntimed out", true, pine.ErrServer, "504 Gateway Timeout: upstream timed out (after 4 attempts)"},
		{599, nil, "", false, pine.ErrServer, "599"},
	} {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, w := newClient(t, always(tt.status, tt.body, tt.headers...))
				_, err := ships(client).Count(t.Context())
				var failure *pine.Error
				require.ErrorAs(t, err, &failure)
				want := "GET /v1/ship/$count: " + strings.TrimPrefix(tt.want, "301 is followed, and refused: ")
				assert.Contains(t, err.Error(), want)
				if tt.is != nil {
					require.ErrorIs(t, err, tt.is)
				}
				for _, sentinel := range []error{
					pine.ErrBadRequest, pine.ErrUnauthorized, pine.ErrForbidden, pine.ErrNotFound, pine.ErrConflict, pine.ErrRateLimited,
					pine.ErrServer, pine.ErrRedirected, pine.ErrMalformed, pine.ErrTooLarge, pine.ErrNotUnique, context.Canceled,
				} {
					assert.Equal(t, sentinel == tt.is, errors.Is(err, sentinel), sentinel)
				}
				wantAttempts := 1
				if tt.retried {
					wantAttempts = 4
				}
				assert.Equal(t, wantAttempts, w.count())
				assert.Equal(t, wantAttempts, failure.Attempts)
				assert.Equal(t, http.MethodGet, failure.Method)
				assert.Equal(t, "/v1/ship/$count", failure.Path)
				if tt.status != 301 {
					assert.Equal(t, tt.status, failure.Status)
				}
				w.requireAllClosed(t)
			})
		})
	}
}

func TestRetry_TransientFailure(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]roundTrip{
		"a bad gateway":     always(502, "<html>"),
		"a broken network":  failing(&net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}),
		"an end of file":    failing(io.EOF),
		"an empty response": always(200, ""),
		"half a response":   always(200, `{"d":[{"id"`),
		"a response that breaks": func(int, *http.Request) (*http.Response, error) {
			return stream(200, io.NopCloser(errReader{errors.New("connection reset by peer")})), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var calls []pine.Call
				client, w := newClient(t, inTurn(failure, failure, failure, always(200, someShips)), func(c *pine.Config) {
					c.Observe = func(call pine.Call) { calls = append(calls, call) }
				})
				start := time.Now()
				rows, err := ships(client).List(t.Context())
				require.NoError(t, err)
				assert.Equal(t, upTo(1), ids(rows))
				assert.Equal(t, 4, w.count())
				w.requireAllClosed(t)
				require.Len(t, calls, 1)
				call := calls[0]
				assert.Equal(t, time.Since(start), call.Duration)
				assert.Equal(t, call.Duration, call.Waited, "the server here takes no time")
				assert.GreaterOrEqual(t, call.Bytes, int64(len(someShips)))
				call.Duration, call.Waited, call.Bytes = 0, 0, 0
				assert.Equal(t, pine.Call{Resource: "ship", Method: "GET", Status: 200, Attempts: 4, Rows: 1}, call)
			})
		})
	}
}

func TestRetry_PermanentFailure(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"an untrusted certificate": &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
		"no TLS":                   tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"},
		"plain http":               http.ErrSchemeMismatch,
		"a refused certificate":    &net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")},
		"no common version":        &net.OpError{Op: "local error", Err: errors.New("tls: protocol version not supported")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, failing(err))
			_, got := ships(client).List(t.Context())
			require.ErrorIs(t, got, err)
			var failure *pine.Error
			require.ErrorAs(t, got, &failure)
			assert.Equal(t, pine.Error{Method: "GET", Path: "/v1/ship", Attempts: 1, Err: err}, *failure)
			assert.Equal(t, "GET /v1/ship: "+err.Error(), got.Error())
			assert.Equal(t, 1, w.count())
		})
	}
}

func TestRetry_TLS(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = discardLog
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for name, config := range map[string]pine.Config{
		"an unknown authority":               {BaseURL: secure.URL},
		"plain http where https is expected": {BaseURL: "https" + strings.TrimPrefix(plain.URL, "http")},
	} {
		t.Run(name, func(t *testing.T) {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			config.HTTPClient = &http.Client{Transport: transport}
			client, err := pine.New(config)
			require.NoError(t, err)
			_, err = ships(client).List(t.Context())
			var failure *pine.Error
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, 1, failure.Attempts, "%v", err)
			assert.Zero(t, failure.Status)
			assert.NotContains(t, err.Error(), "$select", "the query says nothing about a connection")
		})
	}
}

func TestRetry_Backoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for range 50 {
			client, w := newClient(t, always(503, ""), func(c *pine.Config) {
				c.Retry = pine.Retry{MaxAttempts: 7, Backoff: 100 * time.Millisecond, MaxBackoff: time.Second}
			})
			_, err := ships(client).List(t.Context())
			require.ErrorIs(t, err, pine.ErrServer)
			require.Len(t, w.times, 7)
			for i, longest := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
				longest *= time.Millisecond
				pause := w.times[i+1].Sub(w.times[i])
				assert.GreaterOrEqual(t, pause, longest/2)
				assert.LessOrEqual(t, pause, longest)
				seen[pause] = true
			}
		}
		assert.Greater(t, len(seen), 250, "50 times 6 pauses differ")
	})
}

func TestRetry_MaxBackoff(t *testing.T) {
	t.Parallel()
	for _, retry := range []pine.Retry{
		{MaxAttempts: 100, Backoff: 1, MaxBackoff: 1},
		{MaxAttempts: 100, Backoff: math.MaxInt64, MaxBackoff: time.Second},
		{MaxAttempts: 70, Backoff: 1, MaxBackoff: math.MaxInt64 / 1000},
		{MaxAttempts: 10, Backoff: 7 * time.Second},
	} {
		t.Run(fmt.Sprint(retry), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, w := newClient(t, always(503, ""), func(c *pine.Config) { c.Retry = retry })
				_, err := ships(client).List(t.Context())
				require.ErrorIs(t, err, pine.ErrServer)
				require.Len(t, w.times, retry.MaxAttempts)
				most := retry.MaxBackoff
				if most == 0 {
					most = 10 * time.Second
				}
				for i := range retry.MaxAttempts - 1 {
					assert.LessOrEqual(t, w.times[i+1].Sub(w.times[i]), most)
				}
			})
		})
	}
}

func TestRetry_MaxAttempts(t *testing.T) {
	t.Parallel()
	for _, attempts := range []int{1, 2, 9} {
		synctest.Test(t, func(t *testing.T) {
			client, w := newClient(t, always(503, ""), func(c *pine.Config) { c.Retry.MaxAttempts = attempts })
			_, err := ships(client).List(t.Context())
			require.ErrorIs(t, err, pine.ErrServer)
			assert.Equal(t, attempts, w.count())
			assert.Equal(t, attempts > 1, strings.Contains(err.Error(), fmt.Sprintf("(after %d attempts)", attempts)))
		})
	}
}

func TestRetryAfter_Header(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value func() []string
		wait  time.Duration // before the second attempt, at least; 0 for our own pause
		gives bool          // up, because it is too long
	}{
		{func() []string { return []string{"5"} }, 5 * time.Second, false},
		{func() []string { return []string{"120"} }, 120 * time.Second, false},
		{func() []string { return []string{"121"} }, 121 * time.Second, true},
		{func() []string { return []string{time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat)} }, 7 * time.Second, false},
		{func() []string { return []string{time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)} }, 0, false},
		{func() []string { return []string{time.Now().AddDate(90, 0, 0).UTC().Format(http.TimeFormat)} }, 90 * 365 * 24 * time.Hour, true},
		{func() []string { return nil }, 0, false},
		{func() []string { return []string{""} }, 0, false},
		{func() []string { return []string{"0"} }, 0, false},
		{func() []string { return []string{"-5"} }, 0, false},
		{func() []string { return []string{"-99999999999999999999"} }, 0, false},
		{func() []string { return []string{"soon"} }, 0, false},
		{func() []string { return []string{"1.5"} }, 0, false},
		{func() []string { return []string{"9223372036854775807"} }, math.MaxInt64 / time.Second * time.Second, true},
		{func() []string { return []string{"99999999999999999999"} }, math.MaxInt64 / time.Second * time.Second, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			for _, status := range []int{429, 503} {
				value := tt.value()
				var headers []string
				for _, v := range value {
					headers = []string{"Retry-After", v}
				}
				client, w := newClient(t, inTurn(always(status, "", headers...), always(200, someShips)))
				_, err := ships(client).List(t.Context())
				if tt.gives {
					var failure *pine.Error
					require.ErrorAs(t, err, &failure, value)
					assert.Equal(t, status, failure.Status)
					assert.GreaterOrEqual(t, failure.RetryAfter, tt.wait)
					assert.ErrorContains(t, err, "(the server asks to wait "+tt.wait.String()[:3])
					assert.Equal(t, 1, w.count())
					continue
				}
				require.NoError(t, err, value)
				require.Len(t, w.times, 2)
				pause := w.times[1].Sub(w.times[0])
				if tt.wait > 0 {
					assert.Equal(t, tt.wait, pause, value)
				} else {
					assert.LessOrEqual(t, pause, 250*time.Millisecond, value)
				}
			}
		})
	}
}

func TestRetryAfter_BeyondTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, w := newClient(t, always(503, `"down"`, "Retry-After", "60"))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		_, err := ships(client).List(ctx)
		assert.Zero(t, time.Since(start))
		require.ErrorIs(t, err, pine.ErrServer)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "GET /v1/ship: 503 Service Unavailable: down: not retried: context deadline exceeded (the server asks to wait 1m0s)")

		// Within that time nothing is sent, neither is what could not wait for it.
		_, err = ships(client).Count(ctx)
		assert.Zero(t, time.Since(start))
		require.ErrorIs(t, err, pine.ErrRateLimited)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "GET /v1/ship/$count: 429 Too Many Requests: not sent: the server's Retry-After has not passed: "+
			"context deadline exceeded (the server asks to wait 1m0s)")
		assert.Equal(t, 1, w.count())
	})
}

func TestRetryAfter_HoldsBackAllRequests(t *testing.T) {
	t.Parallel()
	for _, limit := range []float64{0, 50} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			client, w := newClient(t, func(number int, r *http.Request) (*http.Response, error) {
				time.Sleep(100 * time.Millisecond)
				switch number {
				case 1:
					return respond(429, "", "Retry-After", "10")
				case 2: // it is under way already when the first is refused; its shorter time does not count
					return respond(429, "", "Retry-After", "3")
				case 3:
					return respond(503, "", "Retry-After", "20")
				}
				return respond(200, someShips)
			}, func(c *pine.Config) { c.RequestLimit = limit })
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() { _, _ = ships(client).List(t.Context()) })
			}
			time.Sleep(time.Second)
			for range 20 {
				wg.Go(func() { _, _ = ships(client).List(t.Context()) })
			}
			wg.Wait()
			require.Len(t, w.times, 22+3)
			for i, at := range w.times {
				switch since := at.Sub(start); {
				case i < 2:
					assert.Less(t, since, time.Second)
				case limit == 0 && i < 24, i < 9: // those under way when the third was refused
					assert.GreaterOrEqual(t, since, 10*time.Second)
				default:
					assert.GreaterOrEqual(t, since, 30*time.Second)
				}
				if limit > 0 && i > 0 {
					assert.GreaterOrEqual(t, at.Sub(w.times[i-1]), 19*time.Millisecond, "the limit holds after the pause too")
				}
			}
			assert.GreaterOrEqual(t, w.times[24].Sub(start), 30*time.Second)
		})
	}
}

func TestRetryAfter_IsLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, w := newClient(t, inTurn(always(429, "", "Retry-After", "99999999"), always(200, someShips)))
		_, err := ships(client).List(t.Context())
		require.ErrorIs(t, err, pine.ErrRateLimited)
		var calls []pine.Call
		for range 5 {
			time.Sleep(10 * time.Minute)
			_, err = ships(client).List(t.Context())
			require.ErrorIs(t, err, pine.ErrRateLimited)
			var failure *pine.Error
			require.ErrorAs(t, err, &failure)
			assert.Zero(t, failure.Attempts)
			assert.Empty(t, calls)
		}
		assert.Equal(t, 1, w.count())
		time.Sleep(10 * time.Minute)
		_, err = ships(client).List(t.Context())
		require.NoError(t, err)
	})
}

// An hour is about one resource, and seconds may be about all.
func TestRetryAfter_Scope(t *testing.T) {
	t.Parallel()
	for retryAfter, held := range map[string]bool{"3600": false, "30": true} {
		synctest.Test(t, func(t *testing.T) {
			client, w := newClient(t, inTurn(always(429, "", "Retry-After", retryAfter), always(200, someShips)), once)
			_, err := ships(client).List(t.Context())
			require.ErrorIs(t, err, pine.ErrRateLimited)
			_, err = ships(client).Where(shipName.Eq("a")).Count(t.Context())
			if !held {
				require.ErrorIs(t, err, pine.ErrRateLimited, "the same resource")
				assert.Equal(t, 1, w.count())
			}
			start := time.Now()
			_, err = pine.From[port](client, "port").List(t.Context())
			require.NoError(t, err)
			assert.False(t, held && w.count() > 2 && time.Since(start) > 0)
			assert.Equal(t, held, w.times[1].Sub(w.times[0]) >= 30*time.Second)
		})
	}
}

func TestConfig_Observe_UnsentRequest(t *testing.T) {
	t.Parallel()
	var calls []pine.Call
	client, _ := newClient(t, always(429, "", "Retry-After", "3600"), func(c *pine.Config) {
		c.Observe = func(call pine.Call) { calls = append(calls, call) }
	})
	for range 2 {
		_, err := ships(client).List(t.Context())
		require.ErrorIs(t, err, pine.ErrRateLimited)
	}
	require.Len(t, calls, 2)
	assert.Equal(t, []int{1, 0}, []int{calls[0].Attempts, calls[1].Attempts})
	for _, call := range calls {
		assert.Equal(t, 429, call.Status)
		require.ErrorIs(t, call.Err, pine.ErrRateLimited)
	}
}

func TestQuery_List_Canceled(t *testing.T) {
	t.Parallel()
	waiting := func(status int, prefix string) roundTrip {
		return func(_ int, r *http.Request) (*http.Response, error) {
			return stream(status, &waitingBody{Reader: strings.NewReader(prefix), ctx: r.Context()}), nil
		}
	}
	for name, tt := range map[string]struct {
		handle roundTrip
		change func(*pine.Config)
		rows   int
		is     error
	}{
		"while it waits for the response": {func(_ int, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, nil, 0, nil},
		"while it reads the response":               {waiting(200, `{"d":[{"id":1},{"id":2},{"i`), nil, 2, nil},
		"while it reads the end of the response":    {waiting(200, `{"d":[{"id":1},{"id":2}]}`), nil, 2, nil},
		"while it reads an error":                   {waiting(503, `"down`), nil, 0, pine.ErrServer},
		"while it reads an error for the last time": {waiting(503, `"down`), once, 0, pine.ErrServer},
		"while it pauses":                           {always(503, ""), func(c *pine.Config) { c.Retry.Backoff, c.Retry.MaxBackoff = time.Hour, time.Hour }, 0, pine.ErrServer},
		"while the server makes it wait":            {always(429, "", "Retry-After", "100"), nil, 0, pine.ErrRateLimited},
		"while the network makes it pause":          {failing(io.EOF), func(c *pine.Config) { c.Retry.Backoff, c.Retry.MaxBackoff = time.Hour, time.Hour }, 0, io.EOF},
		"while it waits for the request limit":      {newSea(1000).respond, func(c *pine.Config) { c.RequestLimit, c.PageSize = 0.01, 1 }, 1, nil},
		"while it waits for the token": {always(200, someShips), func(c *pine.Config) {
			c.Token = func(ctx context.Context) (string, error) {
				<-ctx.Done()
				return "", ctx.Err()
			}
		}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, w := newClient(t, tt.handle, func(c *pine.Config) {
					if tt.change != nil {
						tt.change(c)
					}
				})
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(10*time.Second, cancel)
				start := time.Now()
				rows, err := ships(client).List(ctx)
				require.ErrorIs(t, err, context.Canceled)
				assert.NotErrorIs(t, err, context.DeadlineExceeded)
				assert.NotContains(t, err.Error(), "\n")
				if tt.is != nil {
					require.ErrorIs(t, err, tt.is)
				}
				assert.Equal(t, 10*time.Second, time.Since(start))
				assert.Equal(t, upTo(tt.rows), ids(rows))
				assert.LessOrEqual(t, w.count(), 1)
				w.requireAllClosed(t)

				_, err = ships(client).List(ctx)
				require.ErrorIs(t, err, context.Canceled, "and so does one that comes after")
			})
		})
	}
}

// waitingBody is a body that stops coming until the request is cancelled.
type waitingBody struct {
	io.Reader
	ctx context.Context
}

func (b *waitingBody) Read(p []byte) (int, error) {
	if n, err := b.Reader.Read(p); err == nil {
		return n, nil
	}
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

func (b *waitingBody) Close() error { return nil }

func TestQuery_List_Deadline(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]roundTrip{
		"while it waits for the response": func(_ int, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"while it reads the response": func(_ int, r *http.Request) (*http.Response, error) {
			return stream(200, &waitingBody{Reader: strings.NewReader(`{"d":[`), ctx: r.Context()}), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, w := newClient(t, handle)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				start := time.Now()
				_, err := ships(client).List(ctx)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, 20*time.Second, time.Since(start))
				assert.Equal(t, 1, w.count())
			})
		})
	}
}

func TestConfig_RequestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := func(_ int, r *http.Request) (*http.Response, error) {
			return stream(200, &waitingBody{Reader: strings.NewReader(`{"d":[{"id":1},`), ctx: r.Context()}), nil
		}
		client, w := newClient(t, inTurn(slow, always(200, `{"d":[{"id":2}]}`)))
		start := time.Now()
		rows, err := ships(client).List(t.Context())
		require.NoError(t, err)
		assert.Equal(t, upTo(2), ids(rows))
		assert.GreaterOrEqual(t, time.Since(start), time.Minute)
		assert.Equal(t, 2, w.count())

		client, w = newClient(t, slow, once, func(c *pine.Config) { c.RequestTimeout = 3 * time.Second })
		_, err = ships(client).List(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "GET /v1/ship: 200 OK: no complete response within 3s: reading the response: context deadline exceeded")
		w.requireAllClosed(t)
	})
}

func TestConfig_RequestLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, w := newClient(t, always(200, someShips), func(c *pine.Config) { c.RequestLimit = 5 })
		var wg sync.WaitGroup
		for range 21 {
			wg.Go(func() { _, _ = ships(client).List(t.Context()) })
		}
		wg.Wait()
		require.Len(t, w.times, 21)
		for i := range 20 {
			gap := w.times[i+1].Sub(w.times[i])
			assert.InDelta(t, 200*time.Millisecond, gap, float64(time.Millisecond))
		}
	})
}

func TestConfig_RequestLimit_Retries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, w := newClient(t, always(503, ""), noPause, func(c *pine.Config) { c.RequestLimit = 0.5 })
		_, err := ships(client).List(t.Context())
		require.ErrorIs(t, err, pine.ErrServer)
		require.Len(t, w.times, 4)
		assert.InDelta(t, 6*time.Second, w.times[3].Sub(w.times[0]), float64(time.Millisecond))
	})
}

func TestConfig_RequestLimit_BeyondTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, w := newClient(t, always(200, someShips), func(c *pine.Config) { c.RequestLimit = 0.01 })
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		_, err := ships(client).List(ctx)
		require.NoError(t, err)
		_, err = ships(client).List(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "GET /v1/ship: waiting for the request limit: context deadline exceeded")
		assert.Zero(t, time.Since(start))
		assert.Equal(t, 1, w.count())
	})
}

func TestRetry_BeyondTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, w := newClient(t, failing(io.EOF), func(c *pine.Config) { c.Retry.Backoff, c.Retry.MaxBackoff = time.Minute, time.Minute })
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		start := time.Now()
		_, err := ships(client).List(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, io.EOF)
		require.EqualError(t, err, "GET /v1/ship: EOF: not retried: context deadline exceeded")
		assert.Zero(t, time.Since(start))
		assert.Equal(t, 1, w.count())
	})
}

package pine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

const (
	// maxTargetSize is the longest request target that is sent: the server was measured to return 431 when URL and headers
	// together exceed 16 KiB.
	maxTargetSize = 15 << 10

	// maxErrorSize limits what is read of an error response, maxMessageSize what is kept of it.
	maxErrorSize   = 64 << 10
	maxMessageSize = 500
)

// errToken marks an error of the token source, which is not retried.
var errToken = errors.New("token")

// request is a request, which may be sent several times.
type request struct {
	method   string
	resource string // for observers and Retry-After

	// target returns the path and query under the base URL. It is called before each attempt, because a truncated page continues after
	// its last complete row.
	target func() string

	// body is sent as JSON unless it is nil.
	body []byte

	// idempotent means that carrying out the request twice has the same effect as once. It is implied for any method but POST.
	idempotent bool

	// hint suggests why the server returned 500. It may be nil.
	hint func() string

	// silence is how long the server may send nothing, for a response without an end. The client's limits on the duration and size of a
	// response do not apply then. It is 0 for all other requests.
	silence time.Duration

	// read consumes the body of a successful response and returns the number of rows in it. Errors that it keeps instead of returning
	// them must pass through redact.
	read func(body io.Reader, redact func(error) error) (rows int, err error)
}

// send sends a request until it succeeds, must not be retried, or has no attempts left.
func (c *Client) send(ctx context.Context, r request) error {
	start := time.Now()
	call := Call{Resource: r.resource, Method: r.method}
	err := c.attempts(ctx, r, &call)
	if c.config.Observe != nil {
		call.Duration, call.Err = time.Since(start), err
		c.config.Observe(call)
	}
	return err
}

func (c *Client) attempts(ctx context.Context, r request, call *Call) error {
	retry := c.config.Retry
	waiting := time.Now()
	for {
		err := c.waitForTurn(ctx, r, call)
		call.Waited += time.Since(waiting)
		if err != nil {
			return err
		}
		call.Attempts++
		failure := c.attempt(ctx, r, call)
		if failure == nil {
			return nil
		}
		waiting = time.Now()
		failure.Attempts = call.Attempts
		idempotent := r.idempotent || r.method != http.MethodPost
		if !retryable(failure, idempotent) {
			return failure.outcomeUnknown(idempotent)
		}
		c.backoff.extend(r.resource, failure.RetryAfter, retry.MaxRetryAfter)
		if ctx.Err() == nil && (call.Attempts >= retry.MaxAttempts || r.silence > 0 || failure.RetryAfter > retry.MaxRetryAfter) {
			return failure
		}
		if err := sleep(ctx, max(retry.pause(call.Attempts), failure.RetryAfter)); err != nil {
			return failure.notRetried(err)
		}
	}
}

// waitForTurn waits until both the server's Retry-After and the client's own limit allow a request.
func (c *Client) waitForTurn(ctx context.Context, r request, call *Call) error {
	stop := func(err *Error) error {
		err.Method, err.Path, err.Attempts = r.method, pathOf(r.target()), call.Attempts
		return err
	}
	if c.config.Admit != nil {
		if err := c.config.Admit(ctx); err != nil {
			return stop(&Error{Err: err})
		}
	}
	for {
		// Meanwhile the server may respond to another request with a Retry-After.
		for wait := c.backoff.left(r.resource); wait > 0; wait = c.backoff.left(r.resource) {
			silent := &Error{Status: http.StatusTooManyRequests, RetryAfter: wait, Message: "not sent: the server's Retry-After has not passed"}
			if wait <= c.config.Retry.MaxRetryAfter {
				if silent.Err = sleep(ctx, wait); silent.Err == nil {
					continue
				}
			}
			call.Status = silent.Status
			return stop(silent)
		}
		if c.limiter == nil {
			return nil
		}
		if err := c.limiter.Wait(ctx); err != nil {
			if err = ctx.Err(); err == nil {
				err = context.DeadlineExceeded // it would end before our turn
			}
			return stop(&Error{Err: fmt.Errorf("waiting for the request limit: %w", err)})
		}
		if c.backoff.left(r.resource) <= 0 {
			return nil
		}
	}
}

// attempt sends a request once.
func (c *Client) attempt(ctx context.Context, r request, call *Call) *Error {
	target := r.target()
	failure := &Error{Method: r.method, Path: pathOf(target)}
	if len(target) > maxTargetSize {
		failure.Err = fmt.Errorf("%w: the query has %d bytes, the server accepts about %d: request fewer values at once",
			ErrBadRequest, len(target), maxTargetSize)
		return failure
	}
	client, limit := c.http, c.config.MaxResponseSize
	attemptCtx, cancel := context.WithTimeout(ctx, c.config.RequestTimeout)
	var watchdog *time.Timer
	if r.silence > 0 {
		cancel()
		client, limit = c.streaming, math.MaxInt64
		attemptCtx, cancel = context.WithCancel(ctx)
		watchdog = time.AfterFunc(r.silence, cancel)
		defer watchdog.Stop()
	}
	defer cancel()

	var sending sending
	attemptCtx = httptrace.WithClientTrace(attemptCtx, sending.trace())
	token, err := c.token(attemptCtx)
	if err != nil {
		failure.Err = err
		return failure
	}
	broken := func(err error) *Error {
		switch {
		case attemptCtx.Err() == nil || ctx.Err() != nil:
		case r.silence > 0:
			err = fmt.Errorf("%w for %s", ErrSilent, r.silence)
		default:
			err = fmt.Errorf("no complete response within %s: %w", c.config.RequestTimeout, err)
		}
		failure.Err = redact(err, token)
		return failure
	}
	httpRequest, err := c.newRequest(attemptCtx, r, target, token)
	if err != nil {
		return broken(fmt.Errorf("%w: %w", ErrBadRequest, withoutURL(err)))
	}
	response, err := client.Do(httpRequest)
	if err != nil {
		failure.unsent = sending.failedBefore(err)
		return broken(withoutURL(err))
	}
	defer response.Body.Close()

	call.Status, failure.Status = response.StatusCode, response.StatusCode
	body := &boundedReader{reader: response.Body, left: limit}
	defer func() { call.Bytes += limit - body.left }()
	if r.silence > 0 {
		watchdog.Stop()
		body.reader = &idleTimeoutReader{response.Body, watchdog, r.silence}
	}

	if response.StatusCode < 200 || response.StatusCode > 299 {
		data, _ := io.ReadAll(io.LimitReader(body, maxErrorSize)) // a part of it is better than nothing
		failure.Message = oneLine(redactText(errorMessage(data), token))
		failure.RetryAfter = parseRetryAfter(response.Header, time.Now())
		if response.StatusCode == http.StatusInternalServerError && r.hint != nil {
			failure.Hint = r.hint()
		}
		return failure
	}
	rows, err := r.read(body, func(err error) error { return redact(err, token) })
	call.Rows += rows
	if err != nil {
		return broken(err)
	}
	return nil
}

func (c *Client) token(ctx context.Context) (string, error) {
	if c.config.Token == nil {
		return "", nil
	}
	token, err := c.config.Token(ctx)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errToken, err)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", fmt.Errorf("%w: contains white space or control characters", errToken)
	}
	return token, nil
}

func (c *Client) newRequest(ctx context.Context, r request, target, token string) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	request, err := http.NewRequestWithContext(ctx, r.method, c.baseURL+target, body)
	if err != nil {
		return nil, err
	}
	for key, values := range c.config.Header {
		request.Header[key] = slices.Clone(values)
	}
	request.Header.Set("Accept", "application/json")
	if r.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}

// withoutURL strips method and URL, which our errors have themselves, without the query.
func withoutURL(err error) error {
	var urlError *url.Error
	if errors.As(err, &urlError) {
		return urlError.Err
	}
	return err
}

// redact removes a token from an error.
func redact(err error, token string) error {
	if token == "" || !strings.Contains(err.Error(), token) {
		return err
	}
	return &redactedError{text: redactText(err.Error(), token), hidden: err}
}

// redactedError can be compared, but does not unwrap to the error that contains the token.
type redactedError struct {
	text   string
	hidden error
}

func (e *redactedError) Error() string { return e.text }

func (e *redactedError) Is(target error) bool { return errors.Is(e.hidden, target) }

func redactText(text, token string) string {
	if token == "" {
		return text
	}
	return strings.ReplaceAll(text, token, "[REDACTED]")
}

// idleTimeoutReader limits the time of each read. The time between reads is the caller's and does not count.
type idleTimeoutReader struct {
	reader   io.Reader
	watchdog *time.Timer
	timeout  time.Duration
}

func (r *idleTimeoutReader) Read(p []byte) (int, error) {
	r.watchdog.Reset(r.timeout)
	defer r.watchdog.Stop()
	return r.reader.Read(p)
}

// sending records whether a request got a connection.
type sending struct{ wanted, got atomic.Bool }

func (s *sending) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { s.wanted.Store(true); s.got.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { s.got.Store(true) },
	}
}

// failedBefore reports whether a request failed before there was a connection to send it on.
func (s *sending) failedBefore(err error) bool {
	var dial *net.OpError
	return s.wanted.Load() && !s.got.Load() || errors.As(err, &dial) && dial.Op == "dial"
}

// boundedReader returns ErrTooLarge if there is more to read than its limit.
type boundedReader struct {
	reader io.Reader
	left   int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left == 0 {
		var next [1]byte
		n, err := b.reader.Read(next[:])
		if n > 0 {
			return 0, ErrTooLarge
		}
		return 0, err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.reader.Read(p)
	b.left -= int64(n)
	return n, err
}

// errorMessage extracts the message of an error response, which may be a JSON string, an object with a message, HTML, plain text, or empty.
func errorMessage(body []byte) string {
	body = bytes.TrimSpace(body)
	var text string
	var object struct {
		Message any `json:"message"`
		Error   any `json:"error"`
	}
	switch {
	case len(body) == 0:
		return ""
	case json.Unmarshal(body, &text) == nil:
		return text
	case body[0] == '<':
		return htmlText(body)
	case json.Unmarshal(body, &object) == nil:
		inner, _ := object.Error.(map[string]any)
		for _, candidate := range []any{inner["text"], inner["message"], object.Message, object.Error} {
			if text, ok := candidate.(string); ok && text != "" {
				return text
			}
		}
	}
	return string(body)
}

var (
	htmlHidden = regexp.MustCompile(`(?is)<(script|style)\b.*?(</(script|style)|$)`)
	htmlTag    = regexp.MustCompile(`<[^>]*`)
)

// htmlText returns the text of an error page without tags, scripts and styles.
func htmlText(page []byte) string {
	page = htmlHidden.ReplaceAll(page, []byte("<"))
	page = htmlTag.ReplaceAll(page, nil)
	return html.UnescapeString(strings.ReplaceAll(string(page), ">", " "))
}

// oneLine folds white space and unprintable characters, and truncates.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "�"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if len(text) > maxMessageSize {
		text = strings.ToValidUTF8(text[:maxMessageSize], "") + "…"
	}
	return text
}

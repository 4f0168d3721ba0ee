package pine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

const (
	// maxTargetSize is the longest request target that is sent: the server was measured to answer 431 when URL and headers
	// together exceed 16 KiB.
	maxTargetSize = 15 << 10

	// maxErrorSize bounds what is read of an answer that reports an error, and maxMessageSize what is kept of it.
	maxErrorSize   = 64 << 10
	maxMessageSize = 500
)

// errToken marks an error of the token's source, which no repetition mends.
var errToken = errors.New("token")

// request is what is sent, possibly several times.
type request struct {
	method   string
	resource string // what is asked for, for observers

	// target returns the path and query under the base URL. It is asked before each attempt, because a page that broke off goes on
	// behind its last whole row.
	target func() string

	// read consumes the body of a successful answer and returns the number of rows in it.
	read func(io.Reader) (rows int, err error)
}

// send sends a request until it succeeds, must not be repeated, or has been sent often enough.
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
	for {
		if err := c.waitForTurn(ctx, r, call); err != nil {
			return err
		}
		call.Attempts++
		failure := c.attempt(ctx, r, call)
		if failure == nil {
			return nil
		}
		failure.Attempts = call.Attempts
		if failure.RetryAfter > 0 {
			c.notBefore.Store(time.Now().Add(failure.RetryAfter).UnixNano())
		}
		retry := c.config.Retry
		if ctx.Err() != nil || call.Attempts >= retry.MaxAttempts || !retryable(failure) || failure.RetryAfter > retry.MaxRetryAfter {
			return failure
		}
		if sleep(ctx, max(retry.pause(call.Attempts), failure.RetryAfter)) != nil {
			return failure
		}
	}
}

// waitForTurn waits until both the server's last Retry-After and our own limit allow a request.
func (c *Client) waitForTurn(ctx context.Context, r request, call *Call) error {
	stop := func(err *Error) error {
		err.Method, err.Path, err.Attempts = r.method, pathOf(r.target()), call.Attempts
		return err
	}
	if wait := time.Until(time.Unix(0, c.notBefore.Load())); wait > 0 {
		if wait > c.config.Retry.MaxRetryAfter || sleep(ctx, wait) != nil {
			call.Status = http.StatusTooManyRequests
			return stop(&Error{Status: http.StatusTooManyRequests, RetryAfter: wait, Message: "not sent: still within the server's Retry-After"})
		}
	}
	if c.limiter != nil {
		if err := c.limiter.Wait(ctx); err != nil {
			return stop(&Error{Err: fmt.Errorf("waiting for the request limit: %w", errors.Join(ctx.Err(), err))})
		}
	}
	return nil
}

// attempt sends a request once.
func (c *Client) attempt(ctx context.Context, r request, call *Call) *Error {
	target := r.target()
	failure := &Error{Method: r.method, Path: pathOf(target)}
	if len(target) > maxTargetSize {
		failure.Err = fmt.Errorf("%w: the query is %d bytes long, the server accepts some %d: ask for fewer values at once",
			ErrMalformed, len(target), maxTargetSize)
		return failure
	}
	attemptCtx, cancel := context.WithTimeout(ctx, c.config.RequestTimeout)
	defer cancel()

	token, err := c.token(attemptCtx)
	if err != nil {
		failure.Err = err
		return failure
	}
	httpRequest, err := c.newRequest(attemptCtx, r.method, target, token)
	if err != nil {
		failure.Err = redact(err, token)
		return failure
	}
	response, err := c.http.Do(httpRequest)
	if err != nil {
		var urlError *url.Error
		if errors.As(err, &urlError) {
			err = urlError.Err // method and path are said already
		}
		failure.Err = redact(err, token)
		return failure
	}
	defer response.Body.Close()

	call.Status, failure.Status = response.StatusCode, response.StatusCode
	body := &boundedReader{reader: response.Body, left: c.config.MaxResponseSize}
	defer func() { call.Bytes += c.config.MaxResponseSize - body.left }()

	if response.StatusCode < 200 || response.StatusCode > 299 {
		failure.Message = redactText(errorMessage(body), token)
		failure.RetryAfter = parseRetryAfter(response.Header, time.Now())
		return failure
	}
	rows, err := r.read(body)
	call.Rows += rows
	if err != nil {
		failure.Err = redact(err, token)
		return failure
	}
	// Reading to the end lets the connection be used again.
	_, _ = io.CopyN(io.Discard, body, maxErrorSize)
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

func (c *Client) newRequest(ctx context.Context, method, target, token string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.baseURL+target, nil)
	if err != nil {
		return nil, err
	}
	for key, values := range c.config.Header {
		request.Header[key] = values
	}
	request.Header.Set("Accept", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}

// redact keeps a token out of an error, at the price of the error's chain where it has to.
func redact(err error, token string) error {
	if token == "" || !strings.Contains(err.Error(), token) {
		return err
	}
	return errors.New(redactText(err.Error(), token))
}

func redactText(text, token string) string {
	if token == "" {
		return text
	}
	return strings.ReplaceAll(text, token, "[REDACTED]")
}

// boundedReader fails with ErrTooLarge behind its bound.
type boundedReader struct {
	reader io.Reader
	left   int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.reader.Read(p)
	b.left -= int64(n)
	return n, err
}

// errorMessage is what the body of an error answer says: a JSON string, an object with a message, HTML, text, or nothing.
func errorMessage(body io.Reader) string {
	data, _ := io.ReadAll(io.LimitReader(body, maxErrorSize)) // what could be read is better than nothing
	data = bytes.TrimSpace(data)
	var text string
	var object struct {
		Message string          `json:"message"`
		Error   json.RawMessage `json:"error"`
	}
	switch {
	case len(data) == 0:
		return ""
	case json.Unmarshal(data, &text) == nil:
	case json.Unmarshal(data, &object) == nil && object.Message != "":
		text = object.Message
	case len(object.Error) > 0:
		return errorMessage(bytes.NewReader(object.Error))
	case data[0] == '<':
		text = htmlText(data)
	default:
		text = string(data)
	}
	return oneLine(text)
}

// htmlText is the text of an error page: what stands outside of tags, scripts and styles.
func htmlText(page []byte) string {
	var text strings.Builder
	skipUntil := ""
	for len(page) > 0 {
		tag := bytes.IndexByte(page, '<')
		if tag < 0 {
			tag = len(page)
		}
		if skipUntil == "" {
			text.Write(page[:tag])
			text.WriteByte(' ')
		}
		end := bytes.IndexByte(page[tag:], '>')
		if end < 0 {
			break
		}
		name := strings.ToLower(string(page[tag+1 : tag+end]))
		switch {
		case strings.HasPrefix(name, "script"), strings.HasPrefix(name, "style"):
			skipUntil = "/" + name[:5]
		case skipUntil != "" && strings.HasPrefix(name, skipUntil):
			skipUntil = ""
		}
		page = page[tag+end+1:]
	}
	return text.String()
}

// oneLine folds white space and control characters, and cuts what is too long.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "�"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if len(text) > maxMessageSize {
		text = strings.ToValidUTF8(text[:maxMessageSize], "") + "…"
	}
	return text
}

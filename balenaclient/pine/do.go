package pine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Request is a request that the typed API does not cover.
type Request struct {
	Method string // HTTP method

	// Path is relative to the base URL and may have a query, for example /supervisor/v1/restart. It is sent as it is.
	Path string

	// Body is sent as JSON unless it is nil.
	Body any

	// Idempotent says that carrying out the request twice has the same effect as once, so that it may be retried after any failure
	// that may be temporary. Requests of any method but POST always are.
	Idempotent bool
}

// Do sends a request with the client's credentials, retries and bounds, and decodes the response as JSON into what result points to. A
// result of type *[]byte receives the body as it is; if result is nil the body is ignored. Errors are those of queries.
func (c *Client) Do(ctx context.Context, r Request, result any) error {
	path := strings.ReplaceAll(r.Path, " ", space)
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("pine: path %q: %w: it must start with a slash", pathOf(r.Path), ErrInvalid)
	}
	if err := checkTarget(path); err != nil {
		return fmt.Errorf("pine: path %q: %w", pathOf(r.Path), err)
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = json.Marshal(r.Body); err != nil {
			return fmt.Errorf("pine: body of %s %s: %w: %w", r.Method, pathOf(path), ErrInvalid, err)
		}
	}
	return c.send(ctx, request{
		method:     r.Method,
		resource:   pathOf(path),
		target:     func() string { return path },
		body:       body,
		idempotent: r.Idempotent,
		read: func(body io.Reader, _ func(error) error) (int, error) {
			switch result := result.(type) {
			case nil:
				_, err := io.Copy(io.Discard, body)
				return 0, err
			case *[]byte:
				var err error
				*result, err = io.ReadAll(body)
				return 0, err
			default:
				return 0, decodeDocument(body, result)
			}
		},
	})
}

// GetDocument fetches a JSON document that is not a resource, such as /actor/v1/whoami. The path is relative to the base URL.
func GetDocument[T any](ctx context.Context, c *Client, path string) (T, error) {
	var document T
	err := c.Do(ctx, Request{Method: http.MethodGet, Path: path}, &document)
	return document, err
}

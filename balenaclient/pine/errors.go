package pine

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Errors to compare with [errors.Is]. An [Error] matches the one for its status.
var (
	// ErrNotFound means that no row matches the query.
	ErrNotFound = errors.New("not found")

	// ErrNotUnique means that more than one row matches a query for a single row.
	ErrNotUnique = errors.New("more than one found")

	// ErrBadRequest means that the server did not understand the request or refused a value (400), or that the request cannot be
	// sent, for example because its query is too long.
	ErrBadRequest = errors.New("bad request")

	// ErrUnauthorized means that the credentials are missing, wrong or expired, that they give no access to the resource, or that the
	// resource does not exist (401): the server does not distinguish these.
	ErrUnauthorized = errors.New("unauthorized")

	// ErrForbidden means that the credentials are insufficient (403).
	ErrForbidden = errors.New("forbidden")

	// ErrConflict means that a value must be unique and exists already, or that another row refers to the row (409).
	ErrConflict = errors.New("conflict")

	// ErrRateLimited means that the server is limiting requests (429): see [Error.RetryAfter].
	ErrRateLimited = errors.New("rate limited")

	// ErrServer means that the server failed (5xx). It also returns 500 for a column that it does not know: see [Error.Hint].
	ErrServer = errors.New("server error")

	// ErrMalformed means that the response is not what the API documents.
	ErrMalformed = errors.New("malformed response")

	// ErrTooLarge means that the response, or one of its rows, exceeds [Config.MaxResponseSize] or [Config.MaxRowSize].
	ErrTooLarge = errors.New("response too large")

	// ErrUnfiltered means that a change without a filter, which would affect all rows of a resource, was not sent.
	ErrUnfiltered = errors.New("no filter")

	// ErrProtected means that rows of a protected resource were not deleted: see [AllowProtected].
	ErrProtected = errors.New("protected")

	// ErrInvalid means that a request was not sent because it is invalid; for the values of a write, see [InvalidError].
	ErrInvalid = errors.New("invalid")

	// ErrOutcomeUnknown means that the connection failed after a row was sent: it may or may not have been created. A connection that
	// could not be established is never this error.
	ErrOutcomeUnknown = errors.New("outcome unknown: the row may have been created; check before retrying")

	// ErrSilent means that a stream was closed because the server sent nothing for too long, not even an empty line.
	ErrSilent = errors.New("server sent nothing")

	// ErrRedirected means that the server redirected to another host, which must not receive the token.
	ErrRedirected = errors.New("redirected to another host")
)

// Error describes a failed request. It never contains credentials.
type Error struct {
	// Status is the HTTP status of the last response, or 0 if there was none. It is also 429 if the request was not sent because of the
	// Retry-After of an earlier response.
	Status int

	// Method is the HTTP method.
	Method string

	// Path is the path of the request, without its query.
	Path string

	// Message is the server's message, on one line and truncated to a readable length.
	Message string

	// RetryAfter is how long the server asked to wait, or 0.
	RetryAfter time.Duration

	// Attempts is the number of requests sent. It is 0 if the context would have ended before the server's Retry-After or the client's own
	// limit allowed one.
	Attempts int

	// Hint suggests a cause that the server did not name, for example columns that it may not have.
	Hint string

	// Err is the cause, unless it is the server's response alone.
	Err error

	unsent bool // there was no connection to send the request on
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Method, oneLine(e.Path))
	if e.Status != 0 {
		fmt.Fprintf(&b, ": %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s", oneLine(e.Err.Error()))
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, ": %s", e.Hint)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (the server asks to wait %s)", e.RetryAfter.Round(time.Second))
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (after %d attempts)", e.Attempts)
	}
	return b.String()
}

// notRetried adds that the context ended, or would have ended, before the request could be retried.
func (e *Error) notRetried(err error) *Error {
	switch {
	case e.Err == nil:
		e.Err = fmt.Errorf("not retried: %w", err)
	case !errors.Is(e.Err, err):
		e.Err = fmt.Errorf("%w: not retried: %w", e.Err, err)
	}
	return e
}

// outcomeUnknown marks a failed request that may have taken effect, and would take effect again if it was retried.
func (e *Error) outcomeUnknown(idempotent bool) *Error {
	switch {
	case idempotent || e.unsent:
	case e.Status == http.StatusBadGateway || e.Status == http.StatusGatewayTimeout:
		e.Err = ErrOutcomeUnknown
	case e.Err != nil && !permanent(e.Err) && !isTLS(e.Err):
		e.Err = fmt.Errorf("%w: %w", e.Err, ErrOutcomeUnknown)
	}
	return e
}

// Temporary reports whether the same request may succeed later.
func (e *Error) Temporary() bool {
	if e.Err == nil {
		return e.Status >= 500 || retryableStatus(e.Status)
	}
	return !permanent(e.Err) && !isTLS(e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error for the status.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrBadRequest:
		return e.Status == http.StatusBadRequest
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized
	case ErrForbidden:
		return e.Status == http.StatusForbidden
	case ErrNotFound:
		return e.Status == http.StatusNotFound
	case ErrConflict:
		return e.Status == http.StatusConflict
	case ErrRateLimited:
		return e.Status == http.StatusTooManyRequests
	case ErrServer:
		return e.Status >= 500
	}
	return false
}

// RowsError means that rows were skipped because they could not be decoded. All other rows were delivered.
type RowsError struct {
	// Rows is the number of rows skipped.
	Rows int

	// IDs are the ids of skipped rows, without those whose id could not be decoded either, and 1,000 at most.
	IDs []int64

	// Err says what was wrong with the first of them.
	Err error
}

// maxSkippedIDs bounds RowsError.IDs.
const maxSkippedIDs = 1000

func (e *RowsError) Error() string {
	return fmt.Sprintf("skipped %d row(s): %s", e.Rows, oneLine(e.Err.Error()))
}

// Unwrap returns the cause.
func (e *RowsError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrMalformed].
func (e *RowsError) Is(target error) bool { return target == ErrMalformed }

package pine

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Errors that callers tell apart with [errors.Is]. Those that stand for an answer of the server are met by an [Error] with the
// matching status.
var (
	// ErrNotFound means that no row met the query. The server itself answers an empty list.
	ErrNotFound = errors.New("not found")

	// ErrNotUnique means that more than one row met a query for one.
	ErrNotUnique = errors.New("more than one found")

	// ErrBadRequest means that the server did not understand the request or refused a value (400), or that the request cannot be
	// sent, for example because its query is too long.
	ErrBadRequest = errors.New("bad request")

	// ErrUnauthorized means that the credentials are missing, wrong or expired, that they do not reach the resource, or that the
	// resource does not exist (401): the server does not tell these apart.
	ErrUnauthorized = errors.New("unauthorized")

	// ErrForbidden means that the credentials do not suffice (403).
	ErrForbidden = errors.New("forbidden")

	// ErrConflict means that a unique value exists already or that a row is still referred to (409).
	ErrConflict = errors.New("conflict")

	// ErrRateLimited means that the server asks to come back later (429), see [Error.RetryAfter].
	ErrRateLimited = errors.New("rate limited")

	// ErrServer means that the server failed (5xx). It also answers 500 to a query for a field that it does not know.
	ErrServer = errors.New("server error")

	// ErrMalformed means that the answer was not what the API promises.
	ErrMalformed = errors.New("malformed response")

	// ErrTooLarge means that the answer was larger than [Config.MaxResponseSize].
	ErrTooLarge = errors.New("response too large")

	// ErrUnfiltered means that a change of all rows of a resource was refused: it takes a filter to change many.
	ErrUnfiltered = errors.New("no filter")

	// ErrProtected means that rows were not deleted because too much depends on them: see [AllowProtected].
	ErrProtected = errors.New("protected")

	// ErrInvalid means that a write was not sent because the server would refuse its values: see [InvalidError].
	ErrInvalid = errors.New("invalid")

	// ErrOutcomeUnknown means that the connection failed after a row was sent: it may or may not have been created. A connection that
	// could not be established is never this error.
	ErrOutcomeUnknown = errors.New("outcome unknown: the row may have been created; check before retrying")

	// ErrSilent means that a stream was given up because nothing came for too long, not even a sign of life.
	ErrSilent = errors.New("the server was silent")

	// ErrRedirected means that the server redirected to another host, where the token must not go.
	ErrRedirected = errors.New("redirected to another host")
)

// Error says which request failed, how, and after how many attempts. It never contains credentials.
type Error struct {
	// Status is the HTTP status of the last answer; 0 if there was none. It is 429 too if nothing was sent because of an earlier
	// answer's Retry-After.
	Status int

	Method string

	// Path is the path of the request, without its query.
	Path string

	// Message is what the server said, on one line and cut to a bearable length.
	Message string

	// RetryAfter is how long the server asked to wait; 0 if it did not ask.
	RetryAfter time.Duration

	// Attempts is the number of requests sent. It is 0 if none was, because the context would not have lasted as long as the server
	// had asked to wait, or as our own limit demanded.
	Attempts int

	// Hint says what may have caused the failure, if the client knows.
	Hint string

	// Err is the cause if it was not the server's response alone.
	Err error

	unsent bool // the connection failed before the request was sent
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

// notRepeated says of a failure that the context ended, or would have ended, before the request could be repeated.
func (e *Error) notRepeated(err error) *Error {
	switch {
	case e.Err == nil:
		e.Err = fmt.Errorf("not repeated: %w", err)
	case !errors.Is(e.Err, err):
		e.Err = fmt.Errorf("%w: not repeated: %w", e.Err, err)
	}
	return e
}

// outcomeUnknown marks a failed request that may have had an effect all the same, and would have another one if it was sent again.
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

// Is reports whether target is the error that stands for the status.
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

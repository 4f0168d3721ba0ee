package pine

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Retry says when a request is repeated: only one that is harmless to repeat, and only after 429, 502, 503, 504, a network error or
// an answer that broke off.
type Retry struct {
	// MaxAttempts is the number of times that a request is sent; 4 if 0, and 1 turns repeating off.
	MaxAttempts int

	// Backoff is the longest pause before the first repetition, doubled for each further one; 250 ms if 0. A pause is half of that
	// at least, and drawn at random, so that many clients do not return at once.
	Backoff time.Duration

	// MaxBackoff bounds a pause of our own choosing; 10 s if 0.
	MaxBackoff time.Duration

	// MaxRetryAfter bounds a pause that the server asks for; 2 min if 0. If it asks for more the request fails with its Retry-After.
	MaxRetryAfter time.Duration
}

func (r Retry) withDefaults() Retry {
	if r.MaxAttempts == 0 {
		r.MaxAttempts = 4
	}
	if r.Backoff == 0 {
		r.Backoff = 250 * time.Millisecond
	}
	if r.MaxBackoff == 0 {
		r.MaxBackoff = 10 * time.Second
	}
	if r.MaxRetryAfter == 0 {
		r.MaxRetryAfter = 2 * time.Minute
	}
	return r
}

func (r Retry) negative() bool {
	return r.MaxAttempts < 0 || r.Backoff < 0 || r.MaxBackoff < 0 || r.MaxRetryAfter < 0
}

// pause is how long to wait after the given number of failed attempts.
func (r Retry) pause(attempts int) time.Duration {
	longest := r.Backoff
	for range attempts - 1 {
		if longest > r.MaxBackoff/2 {
			longest = r.MaxBackoff
			break
		}
		longest *= 2
	}
	longest = min(longest, r.MaxBackoff)
	return longest/2 + rand.N(longest/2+1)
}

// maxSilence bounds how long a Retry-After keeps a client silent, unless it is willing to wait longer for one request: a single wrong
// header must not do so for years.
const maxSilence = time.Hour

// backoff is when the server allows the next request of a client. It is shared by all requests, and safe for concurrent use.
type backoff struct {
	mu    sync.Mutex
	until time.Time
}

// extend takes in what a Retry-After asks for.
func (b *backoff) extend(wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until := time.Now().Add(wait); until.After(b.until) {
		b.until = until
	}
}

// left is how long to wait still; 0 or less if there is no need to.
func (b *backoff) left() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Until(b.until)
}

func retryableStatus(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryable reports whether another attempt may succeed where this one failed.
func retryable(err *Error) bool {
	if err.Method == http.MethodPost {
		// Made twice it would leave two rows: it may be repeated only if the server said that it did not do it.
		return err.Err == nil && (err.Status == http.StatusTooManyRequests || err.Status == http.StatusServiceUnavailable)
	}
	if err.Err == nil {
		return retryableStatus(err.Status)
	}
	return !lasting(err.Err) && !isTLS(err.Err)
}

// lasting reports whether an error is one that no repetition mends.
func lasting(err error) bool {
	for _, known := range []error{ErrMalformed, ErrTooLarge, ErrRedirected, ErrBadRequest, errToken} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// isTLS reports whether client and server did not agree on TLS: certificates, versions, or that it is spoken at all.
func isTLS(err error) bool {
	var untrusted *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var alert *net.OpError
	return errors.As(err, &untrusted) || errors.As(err, &notTLS) || errors.Is(err, http.ErrSchemeMismatch) ||
		errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error")
}

// parseRetryAfter reads a Retry-After header, which is a number of seconds or a date; 0 if there is none that can be read.
func parseRetryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		const most = int64(time.Duration(1<<63-1) / time.Second)
		return time.Duration(min(max(seconds, 0), most)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(date.Sub(now), 0)
	}
	return 0
}

// sleep waits, unless the context ends before the wait would: then it returns at once, because the time is better spent on reporting.
func sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

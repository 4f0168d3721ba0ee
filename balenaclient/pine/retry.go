package pine

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Retry configures retries. A request is retried only if that is harmless, and only after 429, 502, 503, 504, a network error or a
// truncated response.
type Retry struct {
	// MaxAttempts is the number of times that a request is sent; 4 if 0. 1 disables retries.
	MaxAttempts int

	// Backoff is the longest pause before the first retry, doubled for each further one; 250 ms if 0. A pause is random, and at least half
	// of that, so that many clients do not return at once.
	Backoff time.Duration

	// MaxBackoff limits the doubled Backoff; 10 s if 0.
	MaxBackoff time.Duration

	// MaxRetryAfter limits the pause that a server may ask for; 2 min if 0. If it asks for more, the request fails with
	// [Error.RetryAfter].
	//
	// Up to this limit a Retry-After holds back all requests of the client. A longer one, which is about a single operation, holds back
	// those for the same resource only, for an hour at most.
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

// pause returns how long to wait after a number of failed attempts.
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

// maxHold limits how long a Retry-After holds back requests, so that a single wrong header does not do so for years.
const maxHold = time.Hour

// backoff is when the server allows the next requests of a client. It is safe for concurrent use.
//
// The server does not say what a Retry-After applies to. Limits of all requests last seconds or minutes, those of a single operation, such
// as invitations, an hour: hence the distinction by Retry.MaxRetryAfter.
type backoff struct {
	mu       sync.Mutex
	all      time.Time
	resource map[string]time.Time
}

// extend applies a Retry-After.
func (b *backoff) extend(resource string, wait, maxRetryAfter time.Duration) {
	until := time.Now().Add(min(wait, max(maxHold, maxRetryAfter)))
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case wait <= 0:
	case wait <= maxRetryAfter:
		b.all = latest(b.all, until)
	default:
		maps.DeleteFunc(b.resource, func(_ string, until time.Time) bool { return time.Until(until) <= 0 })
		if b.resource == nil {
			b.resource = map[string]time.Time{}
		}
		b.resource[resource] = latest(b.resource[resource], until)
	}
}

// left returns how long requests for a resource must still wait; 0 or less if they need not.
func (b *backoff) left(resource string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Until(latest(b.all, b.resource[resource]))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func retryableStatus(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryable reports whether another attempt may succeed. A request that is not idempotent, and would create two rows if it was carried out
// twice, is retried only if the server did not carry it out.
func retryable(err *Error, idempotent bool) bool {
	if err.Err == nil {
		return err.Status == http.StatusTooManyRequests || err.Status == http.StatusServiceUnavailable ||
			idempotent && retryableStatus(err.Status)
	}
	return (idempotent || err.unsent) && !permanent(err.Err) && !isTLS(err.Err)
}

// permanent reports whether a retry cannot fix an error.
func permanent(err error) bool {
	for _, known := range []error{ErrMalformed, ErrTooLarge, ErrRedirected, ErrBadRequest, errToken} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// isTLS reports whether client and server did not agree on TLS: on certificates, versions, or that it is used at all.
func isTLS(err error) bool {
	var untrusted *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var alert *net.OpError
	return errors.As(err, &untrusted) || errors.As(err, &notTLS) || errors.Is(err, http.ErrSchemeMismatch) ||
		errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error")
}

// parseRetryAfter parses a Retry-After header, which is a number of seconds or a date. It returns 0 if there is no valid one.
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

// sleep waits. If the context would end earlier it returns its error at once.
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

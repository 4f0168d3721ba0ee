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

// maxHold bounds how long a Retry-After holds back requests, unless the client is willing to wait longer for one: a single wrong header
// must not do so for years.
const maxHold = time.Hour

// backoff is when the server allows the next requests of a client. It is safe for concurrent use.
//
// The server does not say what a Retry-After is about. Some limits are about all requests, and last seconds or minutes; others are about
// one operation, such as invitations, and last an hour. So a short one, within Retry.MaxRetryAfter, holds back all requests, and a
// longer one only those for the same resource.
type backoff struct {
	mu       sync.Mutex
	all      time.Time
	resource map[string]time.Time
}

// extend takes in what a Retry-After asks for.
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

// left is how long requests for a resource must still wait; 0 or less if they need not.
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

// retryable reports whether another attempt may succeed where this one failed. One that is not idempotent, and would leave two rows if it
// was carried out twice, is sent again only if the server said that it did not carry it out, or never received it.
func retryable(err *Error, idempotent bool) bool {
	if err.Err == nil {
		return err.Status == http.StatusTooManyRequests || err.Status == http.StatusServiceUnavailable ||
			idempotent && retryableStatus(err.Status)
	}
	return (idempotent || err.unsent) && !permanent(err.Err) && !isTLS(err.Err)
}

// permanent reports whether no retry fixes an error.
func permanent(err error) bool {
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

package pine

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
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

// pause is how long to wait after the given number of failed attempts.
func (r Retry) pause(attempts int) time.Duration {
	longest := r.MaxBackoff
	if shift := attempts - 1; shift < 32 && r.Backoff<<shift < longest && r.Backoff<<shift > 0 {
		longest = r.Backoff << shift
	}
	return longest/2 + rand.N(longest/2+1)
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
	if err.Err == nil {
		return retryableStatus(err.Status)
	}
	var untrusted *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	switch {
	case errors.Is(err.Err, ErrMalformed), errors.Is(err.Err, ErrTooLarge), errors.Is(err.Err, ErrRedirected):
		return false
	case errors.As(err.Err, &untrusted), errors.As(err.Err, &notTLS):
		return false
	case errors.Is(err.Err, errToken):
		return false
	}
	return true
}

// parseRetryAfter reads a Retry-After header, which is a number of seconds or a date; 0 if there is none that can be read.
func parseRetryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
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

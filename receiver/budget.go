package receiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// budgetReserve is the part of the budget that is reserved for counting fleets: the list of fleets, their device counts, and the check of
// the credentials.
const budgetReserve = 3

var errBudgetExhausted = errors.New(`"request_budget" is exhausted`)

// budget bounds the requests in a minute. When it runs short, fleets are still counted, because all other requests leave a reserve.
type budget struct {
	perMinute int
	limiter   *rate.Limiter
}

func newBudget(perMinute int) *budget {
	return &budget{perMinute: perMinute, limiter: rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute)}
}

// admit waits until the budget allows a request, unless the context ends before.
func (b *budget) admit(ctx context.Context) error {
	if counting(ctx) {
		if err := b.limiter.Wait(ctx); err != nil {
			return b.exhausted(ctx)
		}
		return nil
	}
	for {
		missing := budgetReserve + 1 - b.limiter.Tokens()
		if missing <= 0 && b.limiter.Allow() {
			return nil
		}
		// Another request may take the token first, hence the loop and the minimum wait.
		wait := max(time.Duration(missing/float64(b.limiter.Limit())*float64(time.Second)), time.Millisecond)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return b.exhausted(ctx)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *budget) exhausted(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf(`%w: %d requests a minute`, errBudgetExhausted, b.perMinute)
}

type countingKey struct{}

// whileCounting marks the requests of a context as those that count fleets.
func whileCounting(ctx context.Context) context.Context {
	return context.WithValue(ctx, countingKey{}, true)
}

func counting(ctx context.Context) bool { return ctx.Value(countingKey{}) != nil }

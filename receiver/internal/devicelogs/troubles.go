package devicelogs

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// troubles are the devices whose logs cannot be read. What may fail for hundreds of them at once is logged once.
type troubles struct {
	logger *zap.Logger

	mu      sync.Mutex
	devices map[string]bool
}

// passing is how many failures in a row of a temporary kind are not worth a warning.
const passing = 3

func (t *troubles) add(uuid string, failures int, err error) {
	t.logger.Debug("Reading the logs of a device was interrupted", zap.String("device", uuid), zap.Error(err))
	if failures <= passing && temporary(err) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.devices) == 0 {
		t.logger.Warn("Logs of devices cannot be read; this is the first of them. Reading is tried again, and continues where it ended"+remedy(err),
			zap.String("device", uuid), zap.Error(err))
	}
	t.devices[uuid] = true
}

func (t *troubles) over(uuid string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.devices[uuid] {
		return
	}
	delete(t.devices, uuid)
	if len(t.devices) == 0 {
		t.logger.Info("Logs of all selected devices can be read again")
	}
}

func remedy(err error) string {
	if errors.Is(err, balenaclient.ErrUnauthorized) || errors.Is(err, balenaclient.ErrForbidden) {
		return `. Logs need the API key or session token of a user: the key of a device or fleet is not enough`
	}
	return ""
}

// temporary reports whether an interruption is to be expected from time to time.
func temporary(err error) bool {
	var failure *balenaclient.Error
	if errors.As(err, &failure) {
		return failure.Temporary() || errors.Is(err, balenaclient.ErrNotFound) // deleted, as the next scrape will tell
	}
	return errors.Is(err, io.EOF) || errors.Is(err, balenaclient.ErrSilent) || errors.Is(err, errFull) || errors.Is(err, errMissed)
}

// pauseAfter is how long to wait after failures: random, twice as long after each, and as long as the server asks for.
func pauseAfter(failures int, err error) time.Duration {
	longest := min(minPause<<min(max(failures-1, 0), 10), maxPause)
	if !temporary(err) {
		longest = maxPause // it takes somebody to fix it
	}
	pause := longest/2 + rand.N(longest/2+1)
	var failure *balenaclient.Error
	if errors.As(err, &failure) {
		pause = max(pause, failure.RetryAfter)
	}
	return pause
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

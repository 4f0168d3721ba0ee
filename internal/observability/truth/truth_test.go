package truth

import (
	"flag"
	"strings"
	"testing"
	"time"
)

var (
	seed      = flag.Uint64("seed", 0, "run the sequence of this seed only")
	sequences = flag.Int("sequences", 2000, "how many sequences to run")
	first     = flag.Uint64("first", 1, "seed of the first sequence")
)

// TestServedSeriesAreTheTruth runs random sequences of changes and failures, and after each scrape compares /metrics with the account.
func TestServedSeriesAreTheTruth(t *testing.T) {
	from, count := *first, *sequences
	if *seed != 0 {
		from, count = *seed, 1
	}
	scrapes, bad := 0, 0
	start := time.Now()
	for n := from; n < from+uint64(count); n++ {
		r, err := run(t, bytesOf(n))
		if err != nil {
			t.Fatalf("seed %d: %v", n, err)
		}
		scrapes += r.scrapes
		if len(r.wrong) > 0 {
			bad++
			if bad <= 5 || *seed != 0 {
				small := shrink(t, bytesOf(n), kindOfWrong(r))
				t.Errorf("seed %d:\n%s", n, small)
			}
		}
	}
	t.Logf("%d sequences, %d scrapes, %d failed, %s", count, scrapes, bad, time.Since(start))
}

// kindOfWrong is what is wrong, and with which metric.
func kindOfWrong(r *result) string {
	what, _, _ := strings.Cut(r.wrong[0], "{")
	return what
}

// shrink leaves out steps as long as the same kind of fault is found.
func shrink(t *testing.T, data []byte, what string) *result {
	best, err := run(t, data)
	if err != nil {
		t.Fatal(err)
	}
	for size := 8; size >= 1; size /= 2 {
		for at := beginning; at+size*perStep <= len(data); {
			shorter := append(append([]byte{}, data[:at]...), data[at+size*perStep:]...)
			r, err := run(t, shorter)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.wrong) > 0 && kindOfWrong(r) == what {
				data, best = shorter, r
			} else {
				at += perStep
			}
		}
	}
	return best
}

package truth

import (
	"flag"
	"strings"
	"testing"
	"time"
)

var (
	seed      = flag.Uint64("seed", 0, "run only the sequence of this seed, and shrink it if it fails")
	first     = flag.Uint64("first", 1, "seed of the first sequence")
	sequences = flag.Int("sequences", 2000, "number of sequences")
)

// TestServedSeriesAreTheTruth runs random sequences of changes and failures, and after each scrape compares /metrics with the account.
// A sequence that fails is shrunk and printed with its seed.
func TestServedSeriesAreTheTruth(t *testing.T) {
	from, count := *first, *sequences
	if *seed != 0 {
		from, count = *seed, 1
	}
	const shown = 5
	scrapes, bad := 0, 0
	start := time.Now()
	for n := from; n < from+uint64(count); n++ {
		r := mustRun(t, bytesOf(n))
		scrapes += r.scrapes
		if len(r.wrong) == 0 {
			continue
		}
		if bad++; bad <= shown {
			t.Errorf("-seed %d:\n%s", n, shrink(t, bytesOf(n), r))
		} else {
			t.Errorf("-seed %d: %s", n, r.wrong[0])
		}
	}
	t.Logf("%d sequences, %d scrapes, %d sequences failed, %s", count, scrapes, bad, time.Since(start).Round(time.Millisecond))
}

// FuzzServedSeries looks for sequences by coverage: the first bytes make the configuration and the account, each further group of them
// is a step.
func FuzzServedSeries(f *testing.F) {
	for n := range uint64(20) {
		f.Add(bytesOf(n + 1))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const longest = beginning + 40*perStep
		if r := mustRun(t, data[:min(len(data), longest)]); len(r.wrong) > 0 {
			t.Error("\n" + r.String())
		}
	})
}

func mustRun(t *testing.T, data []byte) *result {
	t.Helper()
	r, err := run(t, data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// shrink leaves out steps as long as the same metric is wrong in the same way.
func shrink(t *testing.T, data []byte, found *result) *result {
	kind := func(r *result) string {
		what, _, _ := strings.Cut(r.wrong[0], "{")
		return what
	}
	for size := 8; size >= 1; size /= 2 {
		for at := beginning; at+size*perStep <= len(data); {
			shorter := append(append([]byte{}, data[:at]...), data[at+size*perStep:]...)
			if r := mustRun(t, shorter); len(r.wrong) > 0 && kind(r) == kind(found) {
				data, found = shorter, r
			} else {
				at += perStep
			}
		}
	}
	return found
}

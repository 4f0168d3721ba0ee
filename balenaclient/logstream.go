package balenaclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

const (
	// logSilence is how long a stream may stay silent. The server sends a heartbeat every 58 s, and nothing before the first one, not
	// even the response headers.
	logSilence = 2 * time.Minute

	// logOverlap is how far before its newest line a stream resumes, since lines need not arrive in the order of their stamps.
	logOverlap = 5 * time.Second

	// maxSeenLines bounds what is remembered to recognize lines. The server can send again at most maxLogLines; the rest allows for
	// lines that it does not store, such as its warnings.
	maxSeenLines = 2 * maxLogLines

	minLogBackoff = time.Second
	maxLogBackoff = time.Minute
)

// Stream yields the lines that the server receives from now on, by this machine's clock, until the context ends or the caller breaks the
// loop. [Newest] and [Since] put stored lines first.
//
// A stream that breaks, or is silent for two minutes, reconnects after a growing pause and continues after its last line. It yields an
// error, always last, only when the context ends or reconnecting is pointless ([ErrUnauthorized], [ErrNotFound], …).
//
// No line is repeated, and none is lost, with two exceptions: the device wrote more than 1,000 lines while the stream was interrupted,
// which is all that the server keeps; or the server delivered a line more than 5 s out of order.
func (l Logs) Stream(ctx context.Context, options ...LogOption) iter.Seq2[LogLine, error] {
	r := newLogRange(options)
	if !r.counted && !r.since.IsZero() {
		r.count = maxLogLines
	}
	return func(yield func(LogLine, error) bool) {
		s := &logStream{logs: l, wanted: r, called: time.Now().Truncate(time.Millisecond), seen: newSeenLines()}
		for {
			connected := time.Now()
			err := s.read(ctx, yield)
			switch {
			case errors.Is(err, errEnough):
				return
			case ctx.Err() != nil:
				yield(LogLine{}, ctx.Err())
				return
			case !isInterruption(err):
				yield(LogLine{}, err)
				return
			}
			if s.progress || time.Since(connected) > maxLogBackoff {
				s.failures = 0
			}
			pause := s.pause(err)
			if r.reconnect != nil {
				r.reconnect(Reconnect{err, pause})
			}
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				yield(LogLine{}, ctx.Err())
				return
			}
		}
	}
}

// Follow yields the stored lines that the server received at since or later, 1,000 at most, and then those that it receives from now on,
// over a single connection: for a caller that keeps its own position and decides itself when to connect again. The zero time means all
// stored lines.
//
// An error that matches [ErrMalformed] is about a single line, after which the stream goes on. Any other error is the last element:
// [io.EOF] if the server closed the stream, [ErrSilent] if it stopped sending.
func (l Logs) Follow(ctx context.Context, since time.Time) iter.Seq2[LogLine, error] {
	return func(yield func(LogLine, error) bool) {
		if since.IsZero() {
			since = time.UnixMilli(1) // without a start the server looks back one day
		}
		path, err := l.path(maxLogLines, since)
		if err != nil {
			yield(LogLine{}, err)
			return
		}
		for text, err := range pine.Lines(ctx, l.client.pine, path+"&stream=1", logSilence) {
			if err == nil && len(text) == 0 {
				continue // a heartbeat
			}
			var line LogLine
			if err == nil {
				line, err = parseLogLine(text)
			}
			if !yield(line, err) {
				return
			}
		}
	}
}

func parseLogLine(text []byte) (line LogLine, err error) {
	if err := json.Unmarshal(text, &line); err != nil {
		return LogLine{}, fmt.Errorf("%w: log line is not JSON: %w", ErrMalformed, err)
	}
	return line, nil
}

// errEnough means that the caller has broken the loop.
var errEnough = errors.New("enough read")

// isInterruption reports whether a stream should reconnect.
func isInterruption(err error) bool {
	var failure *Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, ErrMalformed): // a truncated line, too
		return true
	case errors.As(err, &failure):
		return failure.Temporary()
	}
	return false
}

// logStream is what a stream remembers between connections.
type logStream struct {
	logs     Logs
	wanted   logRange
	called   time.Time
	started  bool // whether stored lines are known, so that all others are new
	failures int  // connections that failed in a row
	progress bool // whether the last connection delivered a line or a heartbeat
	newest   time.Time
	seen     *seenLines
}

// read reads until the connection ends.
func (s *logStream) read(ctx context.Context, yield func(LogLine, error) bool) error {
	s.progress = false
	if !s.started {
		if err := s.start(ctx, yield); err != nil {
			return err
		}
	}
	return s.follow(ctx, yield)
}

// start learns which lines are old by asking for all that are stored. The stream itself cannot: on a device that has not logged
// anything its first line may be either. Asking for fewer would not do, since older ones may have the same stamp.
func (s *logStream) start(ctx context.Context, yield func(LogLine, error) bool) error {
	if s.wanted.count < 0 {
		_, err := s.logs.path(s.wanted.count, s.wanted.since)
		return err
	}
	lines, err := s.logs.history(ctx, maxLogLines, s.wanted.since)
	if err != nil {
		return err
	}
	s.started, s.progress = true, true
	for _, line := range lines {
		s.remember(line)
	}
	stored := len(lines)
	for stored > 0 && !lines[stored-1].CreatedAt.Before(s.called) {
		stored-- // the server received it since the call, for example while its response was retried
	}
	for _, line := range lines[max(stored-s.wanted.count, 0):] {
		if !yield(line, nil) {
			return errEnough
		}
	}
	return nil
}

// follow streams the lines after those already seen.
func (s *logStream) follow(ctx context.Context, yield func(LogLine, error) bool) error {
	path, err := s.logs.path(maxLogLines, s.resumeAt())
	if err != nil {
		return err
	}
	repeated := s.seen.counts()
	for text, err := range pine.Lines(ctx, s.logs.client.pine, path+"&stream=1", logSilence) {
		if err != nil {
			return err
		}
		if len(text) == 0 {
			s.progress = true
			continue
		}
		line, err := parseLogLine(text)
		if err != nil {
			return err
		}
		if key := s.seen.key(line); repeated[key] > 0 {
			repeated[key]--
			continue
		}
		s.progress = true
		s.remember(line)
		if !yield(line, nil) {
			return errEnough
		}
	}
	return nil
}

func (s *logStream) remember(line LogLine) {
	s.seen.add(line)
	if line.CreatedAt.After(s.newest) {
		s.newest = line.CreatedAt
	}
}

// resumeAt is the stamp of the first line to ask for again.
func (s *logStream) resumeAt() time.Time {
	since := s.wanted.since
	if since.IsZero() {
		since = time.UnixMilli(1) // without a start the server looks back one day
	}
	if overlap := s.newest.Add(-logOverlap); overlap.After(since) {
		return overlap
	}
	return since
}

// pause is how long to wait before reconnecting: random, twice as long after each failure, and as long as the server asks for.
func (s *logStream) pause(err error) time.Duration {
	longest := min(minLogBackoff<<min(s.failures, 10), maxLogBackoff)
	s.failures++
	pause := longest/2 + rand.N(longest/2+1)
	var failure *Error
	if errors.As(err, &failure) {
		pause = max(pause, failure.RetryAfter)
	}
	return pause
}

// seenLines counts the last lines of a stream. It holds hashes, since messages may be large.
type seenLines struct {
	seed  maphash.Seed
	count map[uint64]int
	order []uint64 // ring buffer
	next  int      // where order is overwritten
}

func newSeenLines() *seenLines { return &seenLines{seed: maphash.MakeSeed(), count: map[uint64]int{}} }

func (l *seenLines) key(line LogLine) uint64 { return maphash.Comparable(l.seed, line) }

func (l *seenLines) add(line LogLine) {
	key := l.key(line)
	l.count[key]++
	if len(l.order) < maxSeenLines {
		l.order = append(l.order, key)
		return
	}
	oldest := l.order[l.next]
	if l.count[oldest]--; l.count[oldest] == 0 {
		delete(l.count, oldest)
	}
	l.order[l.next] = key
	l.next = (l.next + 1) % maxSeenLines
}

// counts returns how often each line occurred.
func (l *seenLines) counts() map[uint64]int { return maps.Clone(l.count) }

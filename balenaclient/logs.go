package balenaclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// maxLogLines is how many lines of a device the server keeps, and answers, at most.
const maxLogLines = 1000

const (
	// logSilence is how long a stream may be silent. The server was measured to send a sign of life every 58 s, and nothing, not even
	// the headers, before the first.
	logSilence = 2 * time.Minute

	// logOverlap is how far behind its newest line a stream resumes. Lines are not always received in the order of their stamps.
	logOverlap = 5 * time.Second

	// maxOverlapLines bounds what is remembered of the overlap: what is further back than the server keeps cannot come again.
	maxOverlapLines = 2 * maxLogLines

	minLogBackoff = time.Second
	maxLogBackoff = time.Minute
)

// LogLine is a line of a device's log. Lines have no id: all their fields may be the same.
type LogLine struct {
	CreatedAt time.Time // when the server received the line; the same for all lines that came together
	Timestamp time.Time // when the line was written, by the device's clock
	Message   string
	ServiceID int64 // id of the service; 0 if it is a line of the system
	IsSystem  bool  // of the supervisor, rather than of a service
	IsStdErr  bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (l *LogLine) UnmarshalJSON(data []byte) error {
	var line struct {
		CreatedAt int64  `json:"createdAt"`
		Timestamp int64  `json:"timestamp"`
		Message   string `json:"message"`
		ServiceID int64  `json:"serviceId"`
		IsSystem  bool   `json:"isSystem"`
		IsStdErr  bool   `json:"isStdErr"`
	}
	if err := json.Unmarshal(data, &line); err != nil {
		return err
	}
	*l = LogLine{time.UnixMilli(line.CreatedAt).UTC(), time.UnixMilli(line.Timestamp).UTC(), line.Message, line.ServiceID, line.IsSystem, line.IsStdErr}
	return nil
}

// Logs are the logs of one device.
//
// The server keeps the newest 1,000 lines of a device for 30 days. It drops lines that a device writes, or that a caller reads, too
// fast, and says so by a line that begins with "Warning: Suppressed" and has both IsSystem and IsStdErr. Device keys may not read logs.
type Logs struct {
	client *Client
	uuid   string
}

// Logs are the logs of the device with this UUID, which must be the whole of it.
func (c *Client) Logs(uuid string) Logs { return Logs{c, uuid} }

// LogOption says which lines are wanted.
type LogOption func(*logRange)

type logRange struct {
	count     int
	since     time.Time
	reconnect func(Reconnect)
}

// Newest bounds the number of old lines to the newest n; the server bounds it to 1,000.
func Newest(n int) LogOption { return func(r *logRange) { r.count = n } }

// Since wants lines that the server received at this time or later. Times are cut to milliseconds.
func Since(t time.Time) LogOption { return func(r *logRange) { r.since = t } }

// OnReconnect calls a function each time that a stream was interrupted, before it is taken up again. It must not block.
func OnReconnect(f func(Reconnect)) LogOption { return func(r *logRange) { r.reconnect = f } }

// Reconnect says why a stream was interrupted.
type Reconnect struct {
	Err   error         // io.EOF if the server ended it, ErrSilent if it gave no sign of life
	Pause time.Duration // until it is taken up again
}

// History yields the lines that the server keeps, oldest first and 1,000 at most. It yields at most one error, last. The error is
// [ErrNotFound] if there is no such device, and [ErrUnauthorized] for the key of a device.
func (l Logs) History(ctx context.Context, options ...LogOption) iter.Seq2[LogLine, error] {
	r := logRange{count: maxLogLines}
	for _, option := range options {
		option(&r)
	}
	return func(yield func(LogLine, error) bool) {
		path, err := l.path(r.count, r.since, false)
		if err != nil {
			yield(LogLine{}, err)
			return
		}
		lines, err := pine.GetDocument[[]LogLine](ctx, l.client.pine, path)
		if err != nil {
			yield(LogLine{}, err)
			return
		}
		for _, line := range lines {
			if !yield(line, nil) {
				return
			}
		}
	}
}

// Stream yields lines as the server receives them, until the context ends or the caller has enough. With [Newest] or [Since] it begins
// with old lines; without either, with the next line. On a quiet device nothing comes for long, and the server does not even answer
// before 58 s have passed: give the context the time.
//
// A stream that breaks, or that was silent for two minutes, is taken up again behind a growing pause, from the last line on. It ends,
// with an error that is always last, only if the context ends or if taking it up again is of no use: [ErrUnauthorized], [ErrNotFound].
//
// What is guaranteed: while it is connected no line comes twice. When it is taken up again, lines that came before are left out: as
// many of the same stamp and content as had come. What is not: lines are lost if the device wrote more than 1,000 while the stream was
// interrupted, for the server keeps no more; a line that the server received more than 5 s out of turn may be lost or come late; and of
// a stream without old lines that breaks before its first one, lines of that time may come from up to 5 s before it began, by this
// machine's clock.
func (l Logs) Stream(ctx context.Context, options ...LogOption) iter.Seq2[LogLine, error] {
	var r logRange
	for _, option := range options {
		option(&r)
	}
	if r.count == 0 && !r.since.IsZero() {
		r.count = maxLogLines
	}
	return func(yield func(LogLine, error) bool) {
		s := logStream{logs: l, count: r.count, since: r.since, began: time.Now()}
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
			s.resume()
		}
	}
}

// errEnough means that the caller wants no more lines.
var errEnough = errors.New("enough read")

// isInterruption reports whether a stream may be taken up again.
func isInterruption(err error) bool {
	var failure *Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, ErrMalformed): // a cut line, too
		return true
	case errors.As(err, &failure):
		return failure.Temporary()
	}
	return false
}

// logStream is a stream and what it remembers across interruptions.
type logStream struct {
	logs     Logs
	count    int
	since    time.Time
	began    time.Time
	failures int
	progress bool // whether a line or a sign of life came since it was last taken up

	first  time.Time       // stamp of the first line
	newest time.Time       // newest stamp
	recent map[LogLine]int // how often each line of the overlap came
	size   int             // lines in recent
	skip   map[LogLine]int // lines that came before the interruption and will come again
}

// read reads until the stream ends.
func (s *logStream) read(ctx context.Context, yield func(LogLine, error) bool) error {
	path, err := s.logs.path(s.count, s.since, true)
	if err != nil {
		return err
	}
	s.progress = false
	for text, err := range pine.Lines(ctx, s.logs.client.pine, path, logSilence) {
		if err != nil {
			return err
		}
		s.progress = true
		if len(text) == 0 {
			continue
		}
		var line LogLine
		if err := json.Unmarshal(text, &line); err != nil {
			return fmt.Errorf("%w: a log line is not JSON: %w", ErrMalformed, err)
		}
		if s.skip[line] > 0 {
			s.skip[line]--
			continue
		}
		s.remember(line)
		if !yield(line, nil) {
			return errEnough
		}
	}
	return nil
}

// remember keeps a line until the stream would resume behind it.
func (s *logStream) remember(line LogLine) {
	if s.recent == nil {
		s.recent, s.first = map[LogLine]int{}, line.CreatedAt
	}
	if line.CreatedAt.After(s.newest) {
		s.newest = line.CreatedAt
	}
	s.recent[line]++
	if s.size++; s.size > maxOverlapLines {
		s.forget(s.newest.Add(-logOverlap))
	}
	if s.size > maxOverlapLines { // all of them within the overlap: then it must be shorter
		s.forget(s.newest)
		s.first = s.newest
	}
}

// forget drops lines with an older stamp.
func (s *logStream) forget(before time.Time) {
	for line, n := range s.recent {
		if line.CreatedAt.Before(before) {
			delete(s.recent, line)
			s.size -= n
		}
	}
}

// resume has the stream go on behind its last line.
func (s *logStream) resume() {
	s.count = maxLogLines
	if s.recent == nil {
		if s.since.IsZero() {
			s.since = s.began.Add(-logOverlap)
		}
		return
	}
	s.since = s.newest.Add(-logOverlap)
	if s.since.Before(s.first) {
		s.since = s.first // what is older was never wanted
	}
	s.forget(s.since)
	s.skip = maps.Clone(s.recent)
}

// pause is how long to wait after an interruption: at random, twice as long each time, or as long as the server asks for.
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

func (l Logs) path(count int, since time.Time, stream bool) (string, error) {
	if len(l.uuid) != 32 && len(l.uuid) != 62 || !isHex(l.uuid) {
		return "", &InvalidError{Resource: "logs of device", Column: "uuid", Value: l.uuid, Problem: "is no whole UUID",
			Remedy: "it has 32 or 62 hexadecimal digits; DeviceByUUID completes one"}
	}
	if count < 0 {
		return "", fmt.Errorf("logs of device %s: %w: %d lines were asked for", l.uuid, ErrInvalid, count)
	}
	path := "/device/v2/" + l.uuid + "/logs?count=" + strconv.Itoa(min(count, maxLogLines))
	if stream {
		path += "&stream=1"
	}
	if !since.IsZero() {
		path += "&start=" + strconv.FormatInt(since.UnixMilli(), 10)
	}
	return path, nil
}

func isHex(text string) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

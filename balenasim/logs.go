package balenasim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// LogLine is one line of a device's log.
type LogLine struct {
	CreatedAt int64  `json:"createdAt"` // server's clock, in ms
	Timestamp int64  `json:"timestamp"` // device's clock, in ms
	IsSystem  bool   `json:"isSystem"`
	IsStdErr  bool   `json:"isStdErr"`
	ServiceID int64  `json:"serviceId,omitempty"` // absent on system lines
	Message   string `json:"message"`
}

// Limits from open-balena-api's src/features/device-logs.
const (
	logRetention      = 1000
	logRetentionTime  = 30 * 24 * time.Hour
	logStreamLookback = 24 * time.Hour
	logBatch          = 10
	logBatches        = 15 // per window
	logWindow         = 10 * time.Second
	defaultHeartbeat  = 58 * time.Second
	// logBurst is the number of lines that a device can write per window; a
	// single line reports how many more were dropped.
	logBurst = 2000
	// logBacklog is the number of lines that are buffered for a slow reader.
	logBacklog = 1024
)

// WithLogHeartbeat sets the interval of the blank lines that keep a log stream
// alive. The default is the server's 58 seconds, also if d is not positive.
func WithLogHeartbeat(d time.Duration) Option {
	return func(s *Simulator) {
		if s.heartbeat = d; d <= 0 {
			s.heartbeat = defaultHeartbeat
		}
	}
}

// deviceLogs holds the logs of all devices.
type deviceLogs struct {
	mu      sync.Mutex
	devices map[int64]*deviceLog
}

type deviceLog struct {
	lines       []LogLine
	readers     map[*logReader]struct{}
	windowStart time.Time
	batches     int
	accepted    int
	suppressed  int
}

// logReader is an open stream.
type logReader struct {
	lines   chan LogLine
	dropped int
}

func (l *deviceLogs) device(id int64) *deviceLog {
	if l.devices == nil {
		l.devices = map[int64]*deviceLog{}
	}
	d := l.devices[id]
	if d == nil {
		d = &deviceLog{readers: map[*logReader]struct{}{}}
		l.devices[id] = d
	}
	return d
}

// WriteLogs appends lines to the log of a device. Lines without a timestamp get
// the current time, and all share one createdAt, like a batch on the server. As
// on the server, an excessive burst is truncated and a line reports how many
// were dropped.
func (s *Simulator) WriteLogs(uuid string, lines ...LogLine) error {
	id := s.deviceID(uuid)
	if id == 0 {
		return fmt.Errorf("no device with UUID %s", uuid)
	}
	s.appendLogs(id, lines)
	return nil
}

func (s *Simulator) appendLogs(id int64, lines []LogLine) {
	now := s.now()
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	d := s.logs.device(id)
	d.window(now)
	for _, line := range lines {
		if d.accepted >= logBurst {
			d.suppressed++
			continue
		}
		d.accepted++
		d.add(now, line)
	}
}

// window starts a new rate window once the last one is over, and reports the
// lines that were suppressed in it.
func (d *deviceLog) window(now time.Time) {
	if now.Sub(d.windowStart) < logWindow {
		return
	}
	suppressed := d.suppressed
	d.windowStart, d.batches, d.accepted, d.suppressed = now, 0, 0, 0
	if suppressed > 0 {
		d.add(now, warning(now, suppressed, "rate limiting"))
	}
}

func warning(now time.Time, n int, why string) LogLine {
	return LogLine{
		Timestamp: now.UnixMilli(), IsSystem: true, IsStdErr: true,
		Message: fmt.Sprintf("Warning: Suppressed %d message(s) due to %s", n, why),
	}
}

func (d *deviceLog) add(now time.Time, line LogLine) {
	line.CreatedAt = now.UnixMilli()
	if line.Timestamp == 0 {
		line.Timestamp = line.CreatedAt
	}
	if len(d.lines) == logRetention {
		d.lines = slices.Delete(d.lines, 0, 1)
	}
	d.lines = append(d.lines, line)
	for r := range d.readers {
		r.offer(now, line)
	}
}

// offer passes a line to a reader, or counts it as missed if the reader is slow.
func (r *logReader) offer(now time.Time, line LogLine) {
	if r.dropped > 0 && cap(r.lines)-len(r.lines) > 1 {
		w := warning(now, r.dropped, "slow reading")
		w.CreatedAt = now.UnixMilli()
		r.lines <- w
		r.dropped = 0
	}
	if len(r.lines) == cap(r.lines) {
		r.dropped++
		return
	}
	r.lines <- line
}

// history returns the newest lines since start, oldest first.
func (d *deviceLog) history(count int, start int64) []LogLine {
	from := 0
	for from < len(d.lines) && d.lines[from].CreatedAt < start {
		from++
	}
	lines := d.lines[from:]
	return slices.Clone(lines[max(0, len(lines)-max(0, count)):])
}

// deviceID returns the id of the device with a full UUID, 0 if there is none.
func (s *Simulator) deviceID(uuid string) int64 {
	id := int64(0)
	s.store.View(func() {
		if r := s.deviceRow(uuid); r != store.NoRow {
			id = s.store.Table("device").ID(r)
		}
	})
	return id
}

// encode returns JSON without HTML escapes.
func encode(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return []byte(strings.TrimSuffix(b.String(), "\n")), err
}

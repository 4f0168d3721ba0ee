package balenaclient

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// maxLogLines is how many lines of a device the server keeps, and returns, at most.
const maxLogLines = 1000

// LogLine is a line of a device's logs. Lines have no id: two of them may be equal in every field.
type LogLine struct {
	CreatedAt time.Time // when the server received the line; lines that arrived in one batch share it
	Timestamp time.Time // when the line was written, by the device's clock
	Message   string
	ServiceID ServiceID // 0 for lines of the system
	IsSystem  bool      // written by the supervisor rather than by a service
	IsStdErr  bool
}

// logLineJSON is a line as the API writes it.
type logLineJSON struct {
	CreatedAt int64     `json:"createdAt"` // in milliseconds
	Timestamp int64     `json:"timestamp"` // in milliseconds
	IsSystem  bool      `json:"isSystem"`
	IsStdErr  bool      `json:"isStdErr"`
	ServiceID ServiceID `json:"serviceId,omitempty"`
	Message   string    `json:"message"`
}

// MarshalJSON writes the line in the API's format.
func (l LogLine) MarshalJSON() ([]byte, error) {
	return json.Marshal(logLineJSON{
		CreatedAt: l.CreatedAt.UnixMilli(), Timestamp: l.Timestamp.UnixMilli(),
		IsSystem: l.IsSystem, IsStdErr: l.IsStdErr, ServiceID: l.ServiceID, Message: l.Message,
	})
}

// UnmarshalJSON reads the API's format.
func (l *LogLine) UnmarshalJSON(data []byte) error {
	var line logLineJSON
	if err := json.Unmarshal(data, &line); err != nil {
		return err
	}
	*l = LogLine{
		CreatedAt: time.UnixMilli(line.CreatedAt).UTC(), Timestamp: time.UnixMilli(line.Timestamp).UTC(),
		IsSystem: line.IsSystem, IsStdErr: line.IsStdErr, ServiceID: line.ServiceID, Message: line.Message,
	}
	return nil
}

// Logs reads the logs of one device.
//
// The server keeps the newest 1,000 lines of a device for 30 days. When a device writes or a client reads too fast it drops lines and
// inserts one that begins with "Warning: Suppressed", with both IsSystem and IsStdErr set. Device keys cannot read logs.
type Logs struct {
	client *Client
	uuid   string
}

// Logs returns a reader of the logs of the device with this UUID, which must be complete.
func (c *Client) Logs(uuid string) Logs { return Logs{c, uuid} }

// LogOption selects lines for [Logs.History] and [Logs.Stream].
type LogOption func(*logRange)

type logRange struct {
	count     int
	counted   bool
	since     time.Time
	reconnect func(Reconnect)
}

func newLogRange(options []LogOption) logRange {
	var r logRange
	for _, option := range options {
		option(&r)
	}
	return r
}

// Newest limits the stored lines to the newest n, at most 1,000.
func Newest(n int) LogOption { return func(r *logRange) { r.count, r.counted = n, true } }

// Since selects stored lines that the server received at t or later, with a resolution of one millisecond.
func Since(t time.Time) LogOption { return func(r *logRange) { r.since = t } }

// OnReconnect calls f each time a stream is interrupted, before it reconnects. f must not block.
func OnReconnect(f func(Reconnect)) LogOption { return func(r *logRange) { r.reconnect = f } }

// Reconnect says why a stream was interrupted.
type Reconnect struct {
	Err   error         // io.EOF if the server closed the stream, ErrSilent if it stopped sending
	Pause time.Duration // time until the stream reconnects
}

// History returns the lines that the server has stored, oldest first. The error is [ErrNotFound] if there is no such device, and
// [ErrUnauthorized] for a device's key.
func (l Logs) History(ctx context.Context, options ...LogOption) ([]LogLine, error) {
	r := newLogRange(options)
	if !r.counted {
		r.count = maxLogLines
	}
	return l.history(ctx, r.count, r.since)
}

func (l Logs) history(ctx context.Context, count int, since time.Time) ([]LogLine, error) {
	path, err := l.path(count, since)
	if err != nil {
		return nil, err
	}
	return pine.GetDocument[[]LogLine](ctx, l.client.pine, path)
}

func (l Logs) path(count int, since time.Time) (string, error) {
	if len(l.uuid) != 32 && len(l.uuid) != 62 || !isHex(l.uuid) {
		return "", &InvalidError{Resource: "logs of device", Column: "uuid", Value: l.uuid, Problem: "is not a complete UUID",
			Remedy: "it has 32 or 62 hexadecimal digits; DeviceByUUID finds it from the first ones"}
	}
	if count < 0 {
		return "", fmt.Errorf("logs of device %s: %w: cannot read %d lines", l.uuid, ErrInvalid, count)
	}
	path := "/device/v2/" + l.uuid + "/logs?count=" + strconv.Itoa(min(count, maxLogLines))
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

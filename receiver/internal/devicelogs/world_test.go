package devicelogs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/simtest"
)

// world is a reader between a simulated API and a pipeline, both of which can fail. It belongs into a synctest bubble.
type world struct {
	t        *testing.T
	sim      *balenasim.Simulator
	settings Settings
	reader   *Reader
	store    *memory
	logs     *observer.ObservedLogs
	devices  []Device

	mu       sync.Mutex
	token    string
	cuts     map[int]context.CancelFunc // of the open requests
	requests int
	refusal  error
	blocked  chan struct{}       // the pipeline does not return until it is closed
	written  map[string][]string // lines by device
	got      map[string][]string
	records  []plog.LogRecord
	resource pcommon.Resource

	suppressed, dropped, gaps, streams, consumed, mostStreams int64
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, store: &memory{values: map[string][]byte{}}, token: simtest.Token, cuts: map[int]context.CancelFunc{},
		written: map[string][]string{}, got: map[string][]string{},
	}
	w.sim = balenasim.New(balenasim.WithToken(simtest.Token))
	require.NoError(t, w.sim.Load(simtest.Dataset()))
	core, logs := observer.New(zapcore.InfoLevel)
	w.logs = logs
	client := func(options ...balenaclient.Option) *balenaclient.Client {
		return simtest.Client(t, http.HandlerFunc(w.serve), append(options, balenaclient.WithTokenSource(func(context.Context) (string, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.token, nil
		}))...)
	}
	next, err := consumer.NewLogs(w.consume, consumer.WithCapabilities(consumer.Capabilities{MutatesData: true}))
	require.NoError(t, err)
	w.settings = Settings{
		Client: client(balenaclient.WithRequestLimit(10)), Names: client(),
		Next: next, Store: w.store, Telemetry: w, Logger: zap.New(core),
		Mode: ModeAuto, MaxStreams: 500, PollInterval: time.Minute, Selection: "all",
	}
	for row, err := range w.settings.Client.Devices().All(t.Context()) {
		require.NoError(t, err)
		resource := pcommon.NewResource()
		resource.Attributes().PutStr("balena.device.uuid", row.UUID)
		w.devices = append(w.devices, Device{UUID: row.UUID, Fleet: row.Fleet.ID, Resource: resource})
	}
	require.Greater(t, len(w.devices), 10)
	t.Cleanup(w.stop)
	return w
}

func (w *world) serve(out http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	w.mu.Lock()
	w.requests++
	number := w.requests
	w.cuts[number] = cancel
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.cuts, number)
		w.mu.Unlock()
	}()
	w.sim.ServeHTTP(out, r.WithContext(ctx))
	if r.Context().Err() == nil && ctx.Err() != nil {
		panic(http.ErrAbortHandler)
	}
}

// cut breaks all connections.
func (w *world) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, cancel := range w.cuts {
		cancel()
	}
}

func (w *world) open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.cuts)
}

// rotate replaces the token, and makes the old one invalid.
func (w *world) rotate(token string) {
	w.sim.AddUserKey(token, time.Time{})
	w.mu.Lock()
	old := w.token
	w.token = token
	w.mu.Unlock()
	w.sim.RevokeKey(old)
}

func (w *world) refuse(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refusal = err
}

func (w *world) consume(ctx context.Context, logs plog.Logs) error {
	w.mu.Lock()
	blocked := w.blocked
	w.mu.Unlock()
	if blocked != nil {
		select {
		case <-blocked:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.consumed++
	lines := map[string][]string{}
	for _, of := range logs.ResourceLogs().All() {
		uuid, _ := of.Resource().Attributes().Get("balena.device.uuid")
		for _, record := range of.ScopeLogs().At(0).LogRecords().All() {
			lines[uuid.Str()] = append(lines[uuid.Str()], record.Body().Str())
			if w.refusal == nil {
				kept := plog.NewLogRecord()
				record.CopyTo(kept)
				w.records = append(w.records, kept)
			}
			record.Body().SetStr("changed by a processor")
		}
		w.resource = of.Resource()
	}
	if w.refusal != nil {
		return w.refusal
	}
	for uuid, of := range lines {
		w.got[uuid] = append(w.got[uuid], of...)
	}
	return nil
}

// write writes a line to the log of a device.
func (w *world) write(uuid string, texts ...string) {
	lines := make([]balenasim.LogLine, len(texts))
	for i, text := range texts {
		lines[i] = balenasim.LogLine{Message: text, ServiceID: 1}
	}
	require.NoError(w.t, w.sim.WriteLogs(uuid, lines...))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written[uuid] = append(w.written[uuid], texts...)
}

// start starts a reader, as a new process would.
func (w *world) start(devices ...Device) {
	w.reader = NewReader(w.settings)
	w.reader.Start()
	w.update(devices...)
}

func (w *world) update(devices ...Device) {
	require.NoError(w.t, w.reader.Update(devices, true, func(string) bool { return true }))
}

func (w *world) stop() {
	if w.reader != nil {
		require.NoError(w.t, w.reader.Shutdown(context.Background()))
	}
}

// compare waits until everything should have been read, and compares it with what was written.
func (w *world) compare() {
	time.Sleep(10 * time.Minute)
	w.mu.Lock()
	defer w.mu.Unlock()
	for uuid, want := range w.written {
		got := w.got[uuid]
		for i := range max(len(want), len(got)) {
			if i >= min(len(want), len(got)) || want[i] != got[i] {
				require.Failf(w.t, "lines are lost or repeated", "device %s, line %d of %d (%d read): want %.40q, got %.40q",
					uuid, i, len(want), len(got), want[i:min(i+3, len(want))], got[min(i, len(got)):min(i+3, len(got))])
			}
		}
	}
}

func (w *world) texts(uuid string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.got[uuid]
}

func (w *world) count(what *int64) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return *what
}

func (w *world) add(to *int64, change int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*to += change
	w.mostStreams = max(w.mostStreams, w.streams)
}

// The telemetry.

func (w *world) StartLogsOp(ctx context.Context) context.Context { return ctx }
func (w *world) EndLogsOp(context.Context, int, error)           {}
func (w *world) Suppressed(lines int64)                          { w.add(&w.suppressed, lines) }
func (w *world) Dropped(lines int)                               { w.add(&w.dropped, int64(lines)) }
func (w *world) Gap()                                            { w.add(&w.gaps, 1) }
func (w *world) Streams(change int64)                            { w.add(&w.streams, change) }

// memory is a store that can fail.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	err    error
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[key], m.err
}

func (m *memory) Set(_ context.Context, values map[string][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		maps.Copy(m.values, values)
	}
	return m.err
}

var (
	errLater = errors.New("try again later")
	errNever = consumererror.NewPermanent(errors.New("too large"))
)

func numbered(from, to int) (texts []string) {
	for i := range to - from {
		texts = append(texts, fmt.Sprint("line ", from+i))
	}
	return texts
}

// Package devicelogs reads the logs of devices and passes them to a pipeline, without losing or repeating lines.
package devicelogs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// Modes of reading.
const (
	ModeStream = "stream" // as many devices as Settings.MaxStreams allows are streamed, the others are polled
	ModePoll   = "poll"   // all are polled
	ModeAuto   = "auto"   // all are streamed if Settings.MaxStreams allows it, or else all are polled
)

// ScopeName is the name of the instrumentation scope of records.
const ScopeName = "github.com/otelcol-balena/balenareceiver/receiver"

// Device is a device whose logs are read.
type Device struct {
	UUID     string
	Fleet    balenaclient.FleetID
	Resource pcommon.Resource // as the metrics of the device have it; it must not change anymore
}

// Store keeps positions. The context of its methods may have ended.
type Store interface {
	// Get returns nil for a key that was not set.
	Get(ctx context.Context, key string) ([]byte, error)
	// Set stores all values, or none.
	Set(ctx context.Context, values map[string][]byte) error
}

// Telemetry records what happens to lines. Its methods are called concurrently.
type Telemetry interface {
	StartLogsOp(ctx context.Context) context.Context
	EndLogsOp(ctx context.Context, lines int, err error)
	Suppressed(lines int64) // lines that balena dropped
	Dropped(lines int)      // lines that the pipeline refused permanently
	Gap()                   // the server did not have the line anymore at which reading was to resume
	Streams(change int64)   // open streams
}

// Settings configure a Reader. All fields are required, except for the store.
type Settings struct {
	Client    *balenaclient.Client // reads logs; its limits are those of opening connections
	Names     *balenaclient.Client // looks up the names of services
	Next      consumer.Logs
	Store     Store
	Telemetry Telemetry
	Logger    *zap.Logger

	Mode         string
	MaxStreams   int
	PollInterval time.Duration

	// FromEnd skips the lines of devices that were stored before their logs were read for the first time.
	FromEnd bool

	// Selection identifies the configuration that selects the devices. While it is the same as before a restart, devices that were not
	// there before are new: FromEnd does not apply to them.
	Selection string
}

// Reader reads the logs of devices.
type Reader struct {
	settings Settings
	names    *names
	batcher  *batcher
	troubles troubles
	polls    chan struct{} // limits concurrent polls

	mu         sync.Mutex // of Update and Shutdown
	devices    map[string]*device
	initial    bool // whether FromEnd applies to devices that appear
	resumed    bool // whether the store was asked for that
	polling    bool // whether ModeAuto polls
	excessSaid bool
	reading    context.Context // nil before Start and after Shutdown
	stop       context.CancelFunc
	consuming  context.Context
	abort      context.CancelFunc
	done       chan struct{}
}

const (
	// maxPolls is how many polls run at once. Each holds at most 1,000 lines.
	maxPolls = 4

	// selectionKey is the key of Settings.Selection in the store.
	selectionKey = "selection"
)

func positionKey(uuid string) string { return "position." + uuid }

// NewReader returns a reader without devices.
func NewReader(settings Settings) *Reader {
	return &Reader{
		settings: settings,
		names:    newNames(settings.Names),
		batcher:  newBatcher(settings),
		troubles: troubles{logger: settings.Logger, devices: map[string]bool{}},
		polls:    make(chan struct{}, maxPolls),
		devices:  map[string]*device{},
		initial:  true,
	}
}

// Start begins to pass lines on. The context is not kept.
func (r *Reader) Start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading, r.stop = context.WithCancel(context.Background())
	r.consuming, r.abort = context.WithCancel(context.Background())
	r.done = make(chan struct{})
	go func() {
		defer close(r.done)
		r.batcher.run(r.reading, r.consuming)
	}()
}

// Update reads the logs of these devices from now on. Those of other devices are not read anymore if gone says so, which is called with
// their UUIDs.
func (r *Reader) Update(devices []Device, complete bool, gone func(uuid string) bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reading == nil {
		return nil
	}
	if err := r.resume(r.reading); err != nil {
		return err
	}
	for i := range devices {
		of := devices[i]
		d := r.devices[of.UUID]
		if d == nil {
			d = &device{Reader: r, uuid: of.UUID, fromEnd: r.settings.FromEnd && r.initial}
			r.devices[of.UUID] = d
		}
		d.now.Store(&of)
		d.wanted = true
	}
	selected := make(map[string]bool, len(devices))
	for _, of := range devices {
		selected[of.UUID] = true
	}
	for uuid, d := range r.devices {
		if d.wanted && !selected[uuid] && gone(uuid) {
			d.wanted = false
		}
	}
	r.assign()
	if complete && r.initial {
		r.initial = false
		return r.remember(r.reading)
	}
	return nil
}

// resume finds out, once, whether devices without a position are new.
func (r *Reader) resume(ctx context.Context) error {
	if r.resumed || r.settings.Store == nil {
		return nil
	}
	selection, err := r.settings.Store.Get(ctx, selectionKey)
	if err != nil {
		return fmt.Errorf("read from storage: %w", err)
	}
	r.resumed = true
	r.initial = string(selection) != r.settings.Selection
	return nil
}

func (r *Reader) remember(ctx context.Context) error {
	if r.settings.Store == nil {
		return nil
	}
	if err := r.settings.Store.Set(ctx, map[string][]byte{selectionKey: []byte(r.settings.Selection)}); err != nil {
		return fmt.Errorf("write to storage: %w", err)
	}
	return nil
}

// assign decides which devices are streamed and which polled, and starts and stops what has changed.
func (r *Reader) assign() {
	var wanted []*device
	for _, d := range r.devices {
		if d.wanted {
			wanted = append(wanted, d)
		}
	}
	slices.SortFunc(wanted, func(a, b *device) int { return strings.Compare(a.uuid, b.uuid) })
	streams := r.streams(len(wanted))
	assigned := make(map[*device]mode, len(wanted))
	for i, d := range wanted {
		assigned[d] = poll
		if i < streams {
			assigned[d] = stream
		}
	}
	var ended []*device
	for _, d := range r.devices {
		if d.running != none && d.running != assigned[d] {
			d.stop()
			ended = append(ended, d)
		}
	}
	for _, d := range ended {
		<-d.done
		d.running = none
	}
	for _, d := range wanted {
		if d.running == none {
			d.start(assigned[d])
		}
	}
}

// streams is how many devices of that number are streamed. Near the limit ModeAuto keeps to what it does.
func (r *Reader) streams(number int) int {
	limit := r.settings.MaxStreams
	if number > limit && !r.excessSaid && r.settings.Mode != ModePoll {
		r.excessSaid = true
		what := "all are polled"
		if r.settings.Mode == ModeStream {
			what = fmt.Sprintf("%d are polled", number-limit)
		}
		r.settings.Logger.Warn(`More devices are selected for "device_logs" than "device_logs::max_streams" allows to stream: `+what,
			zap.Int("devices", number), zap.Int("max_streams", limit))
	}
	switch r.settings.Mode {
	case ModePoll:
		return 0
	case ModeStream:
		return min(number, limit)
	}
	if r.polling {
		r.polling = number > limit-limit/10
	} else {
		r.polling = number > limit
	}
	if r.polling {
		return 0
	}
	return number
}

// Shutdown ends reading. What was read is offered to the pipeline once more.
func (r *Reader) Shutdown(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reading == nil {
		return nil
	}
	r.stop()
	for _, d := range r.devices {
		if d.running != none {
			<-d.done
		}
	}
	defer r.abort()
	abort := time.AfterFunc(shutdownGrace, r.abort)
	defer abort.Stop()
	defer context.AfterFunc(ctx, r.abort)()
	<-r.done
	r.reading = nil
	return nil
}

// mode is how a device is read.
type mode int

const (
	none mode = iota
	stream
	poll
)

// device is a device whose logs are or were read. It is kept when the device goes, since its position would be needed if it came back.
type device struct {
	*Reader
	uuid    string
	now     atomic.Pointer[Device]
	fromEnd bool

	// Guarded by the reader's mutex.
	wanted  bool
	running mode
	stop    context.CancelFunc
	done    chan struct{}

	position position // guarded by the batcher's mutex

	// Of the goroutine that reads.
	positioned bool   // whether the position was loaded
	slowHash   uint64 // of the last line about slow reading
	malformed  bool   // whether a malformed line was logged
	polled     time.Time
}

func (d *device) current() *Device { return d.now.Load() }

func (d *device) start(m mode) {
	ctx, cancel := context.WithCancel(d.reading)
	done := make(chan struct{})
	d.running, d.stop, d.done = m, cancel, done
	go func() {
		defer close(done)
		defer cancel()
		d.run(ctx, m)
	}()
}

// Pauses after a failure.
const (
	minPause = time.Second
	maxPause = time.Minute

	// soundFor is how long a stream lives that did not fail.
	soundFor = time.Minute
)

// run reads until the context ends.
func (d *device) run(ctx context.Context, m mode) {
	defer d.troubles.over(d.uuid)
	failures := 0
	for ctx.Err() == nil {
		began := time.Now()
		next, err := d.read(ctx, m)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil, errors.Is(err, errMissed), errors.Is(err, errFull):
			failures = 0
			d.troubles.over(d.uuid)
		case m == stream && time.Since(began) > soundFor:
			failures = 1
			d.troubles.over(d.uuid)
		default:
			failures++
			d.troubles.add(d.uuid, failures, err)
		}
		if err != nil {
			next = pauseAfter(failures, err)
		}
		sleep(ctx, next)
	}
}

// read reads once: until a stream ends, or what the server has stored. It returns when to read again unless there was an error.
func (d *device) read(ctx context.Context, m mode) (next time.Duration, err error) {
	if err := d.batcher.waitForRoom(ctx); err != nil {
		return 0, err
	}
	if !d.positioned {
		if err := d.load(ctx); err != nil {
			return 0, err
		}
		d.positioned = true
	}
	if m == stream {
		return 0, d.follow(ctx)
	}
	return d.poll(ctx)
}

// load finds out where to begin: where the stored position says, or at the beginning or end of what the server has stored.
func (d *device) load(ctx context.Context) error {
	if d.settings.Store != nil {
		data, err := d.settings.Store.Get(ctx, positionKey(d.uuid))
		if err != nil {
			return fmt.Errorf("read the position in the logs from storage: %w", err)
		}
		if data != nil {
			stored, err := parsePosition(data)
			if err == nil {
				d.setPosition(stored)
				return nil
			}
			d.settings.Logger.Error(`The stored position in the logs of a device is corrupt: they are read anew, from where "device_logs::start_at" says`,
				zap.String("device", d.uuid), zap.Error(err))
			d.fromEnd = d.settings.FromEnd
		}
	}
	if !d.fromEnd {
		return nil
	}
	newest, err := d.settings.Client.Logs(d.uuid).History(ctx, balenaclient.Newest(1))
	if err != nil {
		return err
	}
	var begin position
	if len(newest) > 0 {
		begin.floor = newest[len(newest)-1].CreatedAt.UnixMilli()
	}
	d.setPosition(begin)
	if d.settings.Store != nil {
		if err := d.settings.Store.Set(ctx, map[string][]byte{positionKey(d.uuid): begin.marshal()}); err != nil {
			return fmt.Errorf("write the position in the logs to storage: %w", err)
		}
	}
	return nil
}

func (d *device) setPosition(p position) {
	d.batcher.mu.Lock()
	defer d.batcher.mu.Unlock()
	d.position = p
}

// errMissed means that the server did not send lines that it has stored.
var errMissed = errors.New("the server skipped lines that were not read fast enough")

// patience is how long a stream is kept open while its lines are not accepted: the server skips lines, and has them stored.
const patience = 10 * time.Second

// follow reads a stream until it ends.
func (d *device) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.settings.Telemetry.Streams(1)
	defer d.settings.Telemetry.Streams(-1)
	// A stream of a quiet device does not show before the first heartbeat whether it is open.
	sound := time.AfterFunc(soundFor, func() { d.troubles.over(d.uuid) })
	defer sound.Stop()
	resumed := d.resumption()
	for line, err := range d.settings.Client.Logs(d.uuid).Follow(ctx, resumed.since) {
		if errors.Is(err, balenaclient.ErrMalformed) {
			if !d.malformed {
				d.settings.Logger.Warn("Skipping lines of a device that cannot be decoded", zap.String("device", d.uuid), zap.Error(err))
			}
			d.malformed = true
			continue
		}
		if err != nil {
			return err
		}
		hash := hashLine(line)
		if _, why := suppressed(line); why == slowReading && hash != d.slowHash {
			d.slowHash = hash // if the server has stored it too, it is a line like any other
			return errMissed
		}
		if err := d.take(ctx, &resumed, line, hash, patience); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// busyPoll is how many new lines a poll may find. If there are more, the next one comes earlier: the server keeps 1,000.
const busyPoll = maxStored / 2

// firstBusyPause is the time between the first poll and the second one if it is not known how long the lines of the first one took.
const firstBusyPause = 10 * time.Second

// poll reads what the server has stored since the last time.
func (d *device) poll(ctx context.Context) (next time.Duration, err error) {
	select {
	case d.polls <- struct{}{}:
		defer func() { <-d.polls }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	resumed := d.resumption()
	lines, err := d.settings.Client.Logs(d.uuid).History(ctx, balenaclient.Since(resumed.since))
	if err != nil {
		return 0, err
	}
	fresh := 0
	for _, line := range lines {
		before := resumed.taken
		if err := d.take(ctx, &resumed, line, hashLine(line), 0); err != nil {
			return 0, err
		}
		fresh += resumed.taken - before
	}
	next = d.nextPoll(fresh)
	d.polled = time.Now()
	return next, nil
}

// nextPoll is when to poll again after a poll that found so many new lines: after the interval, or earlier if the device goes on like that
// and would write too many until then.
func (d *device) nextPoll(fresh int) time.Duration {
	interval := d.settings.PollInterval
	switch {
	case fresh == 0:
		return interval
	case d.polled.IsZero() && fresh <= busyPoll:
		return interval
	case d.polled.IsZero():
		return min(interval, firstBusyPause)
	}
	return min(interval, max(time.Since(d.polled)*busyPoll/time.Duration(fresh), minPause))
}

// resumption is the state of reading on.
type resumption struct {
	since   time.Time
	newest  int64
	repeats map[uint64]int
	started bool
	taken   int // lines that are not repeated
}

func (d *device) resumption() resumption {
	d.batcher.mu.Lock()
	defer d.batcher.mu.Unlock()
	return resumption{since: d.position.since(), newest: d.position.newest, repeats: d.position.repeats()}
}

// retention is how long the server keeps lines.
const retention = 30 * 24 * time.Hour

// take passes a line on, unless it was read before.
func (d *device) take(ctx context.Context, resumed *resumption, line balenaclient.LogLine, hash uint64, patience time.Duration) error {
	first := !resumed.started
	resumed.started = true
	if resumed.repeats[hash] > 0 {
		if resumed.repeats[hash]--; resumed.repeats[hash] == 0 {
			delete(resumed.repeats, hash)
		}
		return nil
	}
	// What was read last is the first to be sent again, if the server still has it.
	if first && len(resumed.repeats) > 0 && line.CreatedAt.UnixMilli() > resumed.newest && time.Since(time.UnixMilli(resumed.newest)) < retention {
		d.settings.Telemetry.Gap()
		d.settings.Logger.Warn("The server has dropped lines of a device before they were read: it keeps 1,000 of each device",
			zap.String("device", d.uuid), zap.Time("after", time.UnixMilli(resumed.newest).UTC()), zap.Time("before", line.CreatedAt))
	}
	name, err := d.names.get(ctx, line.ServiceID, d.current().Fleet)
	if err != nil {
		return err
	}
	if err := d.batcher.add(ctx, d, line, hash, name, patience); err != nil {
		return err
	}
	resumed.taken++
	if number, _ := suppressed(line); number > 0 {
		d.settings.Telemetry.Suppressed(number)
	}
	return nil
}

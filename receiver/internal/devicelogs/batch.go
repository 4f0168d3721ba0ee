package devicelogs

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

// Bounds of a batch, and thus of what is held while the pipeline does not accept anything: one batch that it refuses, and one that
// fills up.
const (
	maxBatchLines = 4096
	maxBatchBytes = 4 << 20
)

const (
	// batchDelay is how long a line waits for others.
	batchDelay = 500 * time.Millisecond

	minRefusedPause = time.Second
	maxRefusedPause = 30 * time.Second

	// shutdownGrace is how long a pipeline may take, at shutdown, for what it was given: what it accepts without our knowledge would be
	// repeated after a restart.
	shutdownGrace = 5 * time.Second
)

// errFull means that the pipeline has not accepted anything for too long.
var errFull = errors.New("the pipeline accepts nothing")

// batcher collects lines of all devices and passes them on. The positions of the devices are stored once the pipeline has accepted the
// lines.
type batcher struct {
	next      consumer.Logs
	store     Store // nil without a storage extension
	telemetry Telemetry
	logger    *zap.Logger

	wake chan struct{} // has an element when the batch is not empty
	full chan struct{} // has an element when it is full

	mu    sync.Mutex // also guards the positions of all devices
	batch *batch
	room  chan struct{} // closed when the batch is replaced

	// Of the goroutine that delivers.
	refused, dropped, unstored bool // whether that was said
}

// batch is what is passed on at once.
type batch struct {
	logs    plog.Logs
	lines   int
	bytes   int
	records map[*device]plog.LogRecordSlice
}

func newBatch() *batch {
	return &batch{logs: plog.NewLogs(), records: map[*device]plog.LogRecordSlice{}}
}

func newBatcher(settings Settings) *batcher {
	return &batcher{
		next: settings.Next, store: settings.Store, telemetry: settings.Telemetry, logger: settings.Logger,
		wake: make(chan struct{}, 1), full: make(chan struct{}, 1), batch: newBatch(), room: make(chan struct{}),
	}
}

func (b *batch) full() bool { return b.lines >= maxBatchLines || b.bytes >= maxBatchBytes }

// add adds a line of a device and moves the device's position behind it. While the batch is full it blocks, for so long at most: then it
// returns errFull. 0 means without a limit.
func (b *batcher) add(ctx context.Context, d *device, line balenaclient.LogLine, hash uint64, service string, patience time.Duration) error {
	b.mu.Lock()
	for b.batch.full() {
		room := b.room
		b.mu.Unlock()
		if err := wait(ctx, room, patience); err != nil {
			return err
		}
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	records, found := b.batch.records[d]
	if !found {
		of := b.batch.logs.ResourceLogs().AppendEmpty()
		d.current().Resource.CopyTo(of.Resource())
		scope := of.ScopeLogs().AppendEmpty()
		scope.Scope().SetName(ScopeName)
		records = scope.LogRecords()
		b.batch.records[d] = records
	}
	setRecord(records.AppendEmpty(), line, service)
	d.position.advance(line.CreatedAt.UnixMilli(), hash)
	b.batch.lines++
	b.batch.bytes += len(line.Message)
	signal(b.wake)
	if b.batch.full() {
		signal(b.full)
	}
	return nil
}

// waitForRoom blocks until the batch is not full.
func (b *batcher) waitForRoom(ctx context.Context) error {
	for {
		b.mu.Lock()
		full, room := b.batch.full(), b.room
		b.mu.Unlock()
		if !full {
			return nil
		}
		if err := wait(ctx, room, 0); err != nil {
			return err
		}
	}
}

func wait(ctx context.Context, room <-chan struct{}, patience time.Duration) error {
	var impatient <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		impatient = timer.C
	}
	select {
	case <-room:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-impatient:
		return errFull
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run passes batches on until reading ends, and what is left then, once. The context of consuming ends later than that of reading.
func (b *batcher) run(reading, consuming context.Context) {
	for {
		select {
		case <-b.wake:
		case <-reading.Done():
			b.deliver(reading, consuming)
			return
		}
		timer := time.NewTimer(batchDelay)
		select {
		case <-timer.C:
		case <-b.full:
		case <-reading.Done():
		}
		timer.Stop()
		if !b.deliver(reading, consuming) {
			return
		}
	}
}

// cut takes the batch with the positions behind it, and begins a new one.
func (b *batcher) cut() (full *batch, positions map[string][]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	full = b.batch
	if b.store != nil {
		positions = make(map[string][]byte, len(full.records))
		for d := range full.records {
			positions[positionKey(d.uuid)] = d.position.marshal()
		}
	}
	b.batch = newBatch()
	for _, c := range []chan struct{}{b.wake, b.full} {
		select {
		case <-c:
		default:
		}
	}
	close(b.room)
	b.room = make(chan struct{})
	return full, positions
}

// deliver passes a batch on. What is refused for now is offered again, unless reading has ended: then deliver returns false, and nothing
// must be passed on anymore, since a later position would hide the lines. What is refused for good is dropped.
func (b *batcher) deliver(reading, consuming context.Context) bool {
	batch, positions := b.cut()
	if batch.lines == 0 {
		return true
	}
	logs := batch.logs
	for pause := minRefusedPause; ; pause = min(2*pause, maxRefusedPause) {
		err := b.consume(consuming, logs)
		switch {
		case err == nil:
			b.accepted()
		case consumererror.IsPermanent(err):
			b.drop(logs.LogRecordCount(), err)
		default:
			b.refuse(err)
			var rest consumererror.Logs
			if errors.As(err, &rest) {
				logs = rest.Data()
			}
			timer := time.NewTimer(pause/2 + rand.N(pause/2+1))
			select {
			case <-timer.C:
				continue
			case <-reading.Done():
				timer.Stop()
				return false
			}
		}
		b.save(consuming, positions)
		return true
	}
}

func (b *batcher) consume(ctx context.Context, logs plog.Logs) error {
	lines := logs.LogRecordCount()
	if b.next.Capabilities().MutatesData { // it may be offered again
		unchanged := logs
		logs = plog.NewLogs()
		unchanged.CopyTo(logs)
	}
	ctx = b.telemetry.StartLogsOp(ctx)
	err := b.next.ConsumeLogs(ctx, logs)
	b.telemetry.EndLogsOp(ctx, lines, err)
	return err
}

func (b *batcher) accepted() {
	if b.refused {
		b.logger.Info("The pipeline accepts logs of devices again")
	}
	b.refused, b.dropped = false, false
}

func (b *batcher) refuse(err error) {
	if !b.refused {
		b.logger.Warn("The pipeline refuses logs of devices. They are offered again until it accepts them; meanwhile no more are read", zap.Error(err))
	}
	b.refused = true
}

func (b *batcher) drop(lines int, err error) {
	b.telemetry.Dropped(lines)
	if !b.dropped {
		b.logger.Error("The pipeline permanently refuses logs of devices: they are dropped", zap.Int("lines", lines), zap.Error(err))
	}
	b.refused, b.dropped = false, true
}

func (b *batcher) save(ctx context.Context, positions map[string][]byte) {
	if len(positions) == 0 {
		return
	}
	err := b.store.Set(ctx, positions)
	if err != nil && !b.unstored {
		b.logger.Error("Positions in the logs of devices cannot be stored: after a restart, lines may be repeated. Check the storage extension", zap.Error(err))
	}
	b.unstored = err != nil
}

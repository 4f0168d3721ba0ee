package receiver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/history"
)

const (
	// maxWaitingChanges bounds the events that wait for a pipeline that refuses them. When there are more, no scrape is compared with
	// the last one until some were accepted: what changes meanwhile is then told as one change.
	maxWaitingChanges = 10_000

	// storageTimeout bounds a write.
	storageTimeout = 5 * time.Second
)

// events compares each scrape with what was last known, and sends what happened to a logs pipeline. It sends on its own, so that a
// pipeline that refuses or blocks does not hold up the metrics.
type events struct {
	cfg      *Config
	id       component.ID
	logger   *zap.Logger
	recorder *eventRecorder
	next     consumer.Logs
	report   *receiverhelper.ObsReport

	history *history.History
	queue   *history.Queue
	client  storage.Client // nil without storage
	store   *history.Store // the same

	unsaved bool // whether the last attempt to store failed
	paused  bool // whether too many events wait
	sending sync.WaitGroup
	cancel  context.CancelFunc
}

func newEvents(cfg *Config, settings receiver.Settings, next consumer.Logs) (*events, error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: settings.ID, Transport: "http", ReceiverCreateSettings: settings,
	})
	if err != nil {
		return nil, err
	}
	e := &events{
		cfg: cfg, id: settings.ID, logger: settings.Logger, recorder: newEventRecorder(cfg, settings), next: next, report: report,
		queue: history.NewQueue(),
	}
	e.history = history.New(e.thresholds())
	return e, nil
}

func (e *events) thresholds() history.Thresholds {
	cfg := e.cfg.EventDetection
	return history.Thresholds{
		OutageDevices: cfg.OutageDevices, OutageShare: cfg.OutageShare, StorageUtilization: cfg.StorageUtilization,
		RolloutStuckAfter: cfg.RolloutStuckAfter, APIKeyExpiresIn: cfg.APIKeyExpiresIn,
	}
}

// start reads what was last known from storage and begins to send.
func (e *events) start(ctx context.Context, host component.Host) error {
	if e.cfg.Storage != nil {
		if err := e.open(ctx, host); err != nil {
			return err
		}
	}
	sending, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	e.sending.Go(func() { e.send(sending) })
	e.queue.Release()
	return nil
}

// open reads what was last known. What cannot be read is not worth keeping the metrics from being reported.
func (e *events) open(ctx context.Context, host component.Host) error {
	client, err := openStorage(ctx, host, *e.cfg.Storage, e.id, "events")
	if err != nil {
		return err
	}
	e.client, e.store = client, history.NewStore(client, e.observed())
	e.history, e.queue, err = e.store.Load(ctx, e.thresholds())
	if err != nil {
		e.logger.Warn("Events begin anew: what was last known of the account cannot be read from storage", zap.Error(err))
	}
	return nil
}

func (e *events) releasesSince(now time.Time) time.Time { return e.history.ReleasesSince(now) }

// observed identifies what of which account is observed. Where it differs, differences are not changes.
func (e *events) observed() string {
	what, _ := json.Marshal([]any{ // cannot fail: these are strings and numbers
		e.cfg.API.Endpoint, e.cfg.Fleets, e.cfg.Devices, e.cfg.Shard, enabledIn(e.cfg.Events),
	})
	sum := sha256.Sum256(what)
	return hex.EncodeToString(sum[:])
}

// observe compares a snapshot with what was last known.
func (e *events) observe(ctx context.Context, s *snapshot, r *responses) {
	defer e.queue.Release()
	if e.queue.Len() > maxWaitingChanges {
		if !e.paused {
			e.logger.Warn("The logs pipeline refuses events: what changes until it accepts them is told as one change", zap.Int("waiting", e.queue.Len()))
		}
		e.paused = true
		return
	}
	e.paused = false
	changes := e.history.Observe(observation(s, r))
	e.queue.Add(slices.DeleteFunc(changes, func(c history.Change) bool { return !e.recorder.wants(c) }))
	if e.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storageTimeout) // a scrape that took too long is stored, too
	defer cancel()
	err := e.store.Save(ctx, e.history, e.queue)
	if err != nil && !e.unsaved {
		e.logger.Warn("Events cannot be stored: a restart may lose or repeat some", zap.Error(err))
	}
	e.unsaved = err != nil
}

// send sends what waits, batch by batch. What is refused is sent again with the next scrape.
func (e *events) send(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.queue.Released():
		}
		for batch := e.queue.First(); batch != nil && ctx.Err() == nil; batch = e.queue.First() {
			// A pipeline that is interrupted may call that permanent.
			if err := e.consume(ctx, batch.Changes); err != nil && (!consumererror.IsPermanent(err) || ctx.Err() != nil) {
				break
			}
			e.accepted()
		}
	}
}

func (e *events) consume(ctx context.Context, changes []history.Change) error {
	logs := e.recorder.record(changes)
	count := logs.LogRecordCount()
	if count == 0 {
		return nil
	}
	ctx = e.report.StartLogsOp(ctx)
	err := e.next.ConsumeLogs(ctx, logs)
	e.report.EndLogsOp(ctx, "balena", count, err)
	switch {
	case err == nil || ctx.Err() != nil:
	case consumererror.IsPermanent(err):
		e.logger.Error("The logs pipeline rejects events: they are lost", zap.Int("events", count), zap.Error(err))
	default:
		e.logger.Warn("The logs pipeline refuses events: they are sent again with the next scrape", zap.Int("events", count), zap.Error(err))
	}
	return err
}

// accepted removes the first batch. The context of the sender may have ended while the pipeline accepted it.
func (e *events) accepted() {
	if e.store == nil {
		e.queue.Remove()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), storageTimeout)
	defer cancel()
	if err := e.store.Accepted(ctx, e.queue); err != nil {
		e.logger.Warn("Events that were sent cannot be removed from storage: a restart repeats them", zap.Error(err))
	}
}

func (e *events) shutdown(ctx context.Context) error {
	if e.cancel != nil {
		e.cancel()
	}
	e.sending.Wait()
	if e.client == nil {
		return nil
	}
	client := e.client
	e.client = nil
	return client.Close(ctx)
}

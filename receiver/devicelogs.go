package receiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/device"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/devicelogs"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// deviceLogs reads the logs of those devices of the last scrape that are selected for it.
type deviceLogs struct {
	cfg       *Config
	id        component.ID
	logger    *zap.Logger
	next      consumer.Logs
	selection deviceLogsSelection
	telemetry deviceLogsTelemetry
	newClient func(ctx context.Context, host component.Host, more ...balenaclient.Option) (*balenaclient.Client, error)

	reader   *devicelogs.Reader
	client   *balenaclient.Client // for all but logs
	storage  storage.Client       // nil unless configured
	pictures chan devicePicture   // the latest one, if it was not taken yet
	cancel   context.CancelFunc
	updating sync.WaitGroup

	tagged  map[deviceID]bool // devices that have the tags; nil until they are known
	failing bool              // whether the last update failed
	warned  bool              // whether it was said that no device is selected
}

// devicePicture is what device logs need to know of a scrape.
type devicePicture struct {
	devices  []pictured
	complete bool
}

type pictured struct {
	id       deviceID
	selected bool // as far as tags do not matter
	device   devicelogs.Device
}

// deviceLogsNeeds is what a scrape must request for device logs.
func deviceLogsNeeds(wanted bool) []need {
	if !wanted {
		return nil
	}
	return []need{{devices: []column[balenaclient.Device]{device.UUID}}}
}

func newDeviceLogs(s *balenaScraper, next consumer.Logs) (*deviceLogs, error) {
	selection, err := newDeviceLogsSelection(*s.cfg.DeviceLogs.Get())
	if err != nil {
		return nil, err
	}
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: s.settings.ID, Transport: "http", ReceiverCreateSettings: s.settings, LongLivedCtx: true,
	})
	if err != nil {
		return nil, err
	}
	return &deviceLogs{
		cfg: s.cfg, id: s.settings.ID, logger: s.logger, next: next, selection: selection,
		telemetry: deviceLogsTelemetry{s.telemetry, report}, newClient: s.newClient, pictures: make(chan devicePicture, 1),
	}, nil
}

// start begins to read. Which devices are read is known after the first scrape.
func (l *deviceLogs) start(ctx context.Context, host component.Host) error {
	cfg := l.cfg.DeviceLogs.Get()
	// The clients are not that of the scrapes: the server limits connections for logs, and its Retry-After must not hold scrapes back.
	apart := func(c *pine.Config) error {
		c.Admit, c.FoundNothing = nil, nil
		return nil
	}
	logs, err := l.newClient(ctx, host, apart, balenaclient.WithRequestLimit(cfg.RequestLimit), balenaclient.WithObserver(l.telemetry.observe))
	if err != nil {
		return err
	}
	if l.client, err = l.newClient(ctx, host, apart); err != nil {
		return err
	}
	settings := devicelogs.Settings{
		Client: logs, Names: l.client, Next: l.next, Telemetry: l.telemetry, Logger: l.logger,
		Mode: cfg.Mode, MaxStreams: cfg.MaxStreams, PollInterval: cfg.PollInterval, FromEnd: cfg.StartAt == startAtEnd,
		Selection: l.selected(),
	}
	if l.cfg.Storage != nil {
		if l.storage, err = openStorage(ctx, host, *l.cfg.Storage, l.id, "device_logs"); err != nil {
			return err
		}
		settings.Store = positions{l.storage}
	}
	l.reader = devicelogs.NewReader(settings)
	l.reader.Start()
	updating, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.updating.Go(func() { l.update(updating) })
	return nil
}

// selected identifies the configuration that decides which devices are read.
func (l *deviceLogs) selected() string {
	cfg := l.cfg.DeviceLogs.Get()
	return fmt.Sprintf("%q", []any{l.cfg.API.Endpoint, l.cfg.Fleets, l.cfg.Devices, l.cfg.Shard, cfg.Fleets, cfg.Devices})
}

// observe learns from a scrape which devices there are.
func (l *deviceLogs) observe(s *snapshot, complete bool) {
	picture := devicePicture{complete: complete, devices: make([]pictured, 0, len(s.devices))}
	rb := metadata.NewResourceBuilder(l.cfg.MetricsBuilderConfig.ResourceAttributes)
	for _, d := range s.devices {
		of := pictured{id: d.id, selected: l.selection.includes(d), device: devicelogs.Device{UUID: d.uuid, Fleet: d.fleetID}}
		if of.selected {
			of.device.Resource = deviceResource(rb, d.resource())
		}
		picture.devices = append(picture.devices, of)
	}
	select {
	case <-l.pictures: // the one before was not taken
	default:
	}
	l.pictures <- picture
}

// update tells the reader of each picture which devices to read.
func (l *deviceLogs) update(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case picture := <-l.pictures:
			err := l.apply(ctx, picture)
			if err != nil && !l.failing && ctx.Err() == nil {
				l.logger.Error("The devices whose logs are read cannot be determined: they stay as they are. It is tried again after each scrape", zap.Error(err))
			}
			l.failing = err != nil
		}
	}
}

func (l *deviceLogs) apply(ctx context.Context, picture devicePicture) error {
	if l.selection.tagged {
		tagged, err := l.devicesWithTags(ctx)
		switch {
		case err == nil:
			l.tagged = tagged
		case l.tagged == nil:
			return err
		default:
			l.logger.Debug("Tags of devices could not be read: those of before are used for device logs", zap.Error(err))
			picture.complete = false
		}
	}
	selected := make([]devicelogs.Device, 0)
	rejected := map[string]bool{}
	for _, d := range picture.devices {
		if d.selected && (!l.selection.tagged || l.tagged[d.id]) {
			selected = append(selected, d.device)
		} else {
			rejected[d.device.UUID] = true
		}
	}
	if len(selected) == 0 && picture.complete && !l.warned {
		l.warned = true
		l.logger.Warn(`"device_logs" selects none of the devices that are reported: check "fleets" and "devices" below it`, zap.Int("reported", len(picture.devices)))
	}
	return l.reader.Update(selected, picture.complete, func(uuid string) bool { return picture.complete || rejected[uuid] })
}

func (l *deviceLogs) devicesWithTags(ctx context.Context) (map[deviceID]bool, error) {
	tagged := map[deviceID]bool{}
	for row, err := range l.client.Devices().Where(l.selection.filter).Select(device.ID).PageSize(maxPageSize).All(ctx) {
		if err != nil {
			return nil, fmt.Errorf(`select devices by "device_logs::devices::include_tags" and "exclude_tags": %w`, err)
		}
		tagged[row.ID] = true
	}
	return tagged, nil
}

func (l *deviceLogs) shutdown(ctx context.Context) error {
	if l.reader == nil {
		return nil
	}
	l.cancel()
	l.updating.Wait()
	err := l.reader.Shutdown(ctx)
	if l.storage != nil {
		err = errors.Join(err, l.storage.Close(ctx))
	}
	return err
}

// positions keeps positions in a storage extension.
type positions struct{ client storage.Client }

func (p positions) Get(ctx context.Context, key string) ([]byte, error) {
	return p.client.Get(ctx, key)
}

func (p positions) Set(ctx context.Context, values map[string][]byte) error {
	operations := make([]*storage.Operation, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		operations = append(operations, storage.SetOperation(key, values[key]))
	}
	return p.client.Batch(ctx, operations...)
}

// deviceLogsTelemetry records the receiver's own metrics of device logs.
type deviceLogsTelemetry struct {
	*telemetry
	report *receiverhelper.ObsReport
}

func (t deviceLogsTelemetry) StartLogsOp(ctx context.Context) context.Context {
	return t.report.StartLogsOp(ctx)
}

func (t deviceLogsTelemetry) EndLogsOp(ctx context.Context, lines int, err error) {
	t.report.EndLogsOp(ctx, "balena", lines, err)
}

func (t deviceLogsTelemetry) Suppressed(lines int64) {
	t.builder.ReceiverBalenaDeviceLogSuppressed.Add(context.Background(), lines, metric.WithAttributes(t.receiver))
}

func (t deviceLogsTelemetry) Dropped(lines int) {
	t.builder.ReceiverBalenaDeviceLogDropped.Add(context.Background(), int64(lines), metric.WithAttributes(t.receiver))
}

func (t deviceLogsTelemetry) Gap() {
	t.builder.ReceiverBalenaDeviceLogGaps.Add(context.Background(), 1, metric.WithAttributes(t.receiver))
}

func (t deviceLogsTelemetry) Streams(change int64) {
	t.builder.ReceiverBalenaDeviceLogStreams.Add(context.Background(), change, metric.WithAttributes(t.receiver))
}

// observe records what a request cost. The path of logs has a UUID, of which metrics must not have one series each.
func (t deviceLogsTelemetry) observe(call pine.Call) {
	if strings.HasPrefix(call.Resource, "/device/v2/") {
		call.Resource = "/device/v2/logs"
	}
	if errors.Is(call.Err, context.Canceled) {
		call.Err = nil // a stream that is not wanted anymore
	}
	t.telemetry.observe(call)
}

package receiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// Bounds of a response and of a row in it. The largest page that can be configured has about 10 MB, and a row less than 10 kB.
const (
	maxResponseSize = 64 << 20
	maxRowSize      = 1 << 20
)

// balenaScraper runs scrapes: plan, fetch, snapshot, record.
type balenaScraper struct {
	cfg       *Config
	settings  receiver.Settings
	logger    *zap.Logger
	fetcher   *fetcher
	recorder  *recorder
	telemetry *telemetry
	host      component.Host
	now       func() time.Time
	retry     pine.Retry

	// base is canceled by Shutdown, which ends a running scrape.
	base   context.Context
	cancel context.CancelFunc

	connectivity *connectivity
	events       *events     // nil without a logs pipeline
	deviceLogs   *deviceLogs // nil without a logs pipeline, or if they are not configured
	healthy      bool        // whether no request of the last scrape failed
	lastComplete instant     // when the last complete scrape was
	lastPoints   int         // points of the last complete scrape, by which an incomplete one is measured
	warned       warnings
}

// newBalenaScraper returns a scraper that makes events if there is a logs pipeline for them.
func newBalenaScraper(cfg *Config, settings receiver.Settings, logs consumer.Logs) (*balenaScraper, error) {
	selection, err := newSelection(cfg)
	if err != nil {
		return nil, err
	}
	wanted := metadata.EventsConfig{}
	if logs != nil {
		wanted = cfg.Events
	}
	base, cancel := context.WithCancel(context.Background())
	withDeviceLogs := logs != nil && cfg.DeviceLogs.HasValue()
	plan := newPlan(cfg.MetricsBuilderConfig, wanted, deviceLogsNeeds(withDeviceLogs)...)
	s := &balenaScraper{
		cfg:      cfg,
		settings: settings,
		logger:   settings.Logger,
		fetcher: &fetcher{
			plan:        plan,
			selection:   selection,
			tags:        cfg.Tags,
			pageSize:    cfg.PageSize,
			concurrency: cfg.Concurrency,
		},
		recorder:     newRecorder(metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, settings), plan, cfg.StateSets),
		connectivity: newConnectivity(),
		now:          time.Now,
		base:         base,
		cancel:       cancel,
	}
	now := func() time.Time { return s.now() }
	s.fetcher.now = now
	s.fetcher.apiKeys = apiKeys{source: tokenSource(cfg), now: now}
	if logs != nil {
		if s.events, err = newEvents(cfg, settings, logs); err != nil {
			return nil, err
		}
		s.fetcher.releasesSince = s.events.releasesSince
	}
	if s.telemetry, err = newTelemetry(settings, now); err != nil {
		return nil, err
	}
	if withDeviceLogs {
		s.deviceLogs, err = newDeviceLogs(s, logs)
	}
	return s, err
}

// start creates the client, for which auth extensions must have started. It makes no request: an API that is down, or a bad token, must
// not keep the Collector from starting.
func (s *balenaScraper) start(ctx context.Context, host component.Host) error {
	client, err := s.newClient(ctx, host)
	if err != nil {
		return err
	}
	s.host, s.fetcher.client = host, client
	if attributes := s.cfg.MetricsBuilderConfig.ResourceAttributes; !attributes.BalenaDeviceUUID.Enabled && s.fetcher.plan.needs(deviceRequest) {
		s.logger.Warn(`"balena.device.uuid" is disabled: devices with the same name in a fleet share their series, of which only one is kept`)
	}
	if s.events != nil {
		if err := s.events.start(ctx, host); err != nil {
			return err
		}
	}
	switch {
	case s.deviceLogs != nil:
		if err := s.deviceLogs.start(ctx, host); err != nil {
			return err
		}
	case s.cfg.DeviceLogs.HasValue():
		s.logger.Warn(`"device_logs" is set, but no logs of devices are read: the receiver is in no logs pipeline. Add it to one`)
	}
	return s.telemetry.start()
}

func (s *balenaScraper) newClient(ctx context.Context, host component.Host, more ...balenaclient.Option) (*balenaclient.Client, error) {
	httpClient, err := s.cfg.API.ToClient(ctx, host.GetExtensions(), s.settings.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf(`"api": %w`, err)
	}
	httpClient.Timeout = 0 // the client bounds each attempt, and says so in its errors
	options := []balenaclient.Option{
		balenaclient.WithBaseURL(s.cfg.API.Endpoint),
		balenaclient.WithHTTPClient(httpClient),
		credentials(s.cfg),
		balenaclient.WithUserAgent(s.settings.BuildInfo.Command + "/" + s.settings.BuildInfo.Version),
		balenaclient.WithPageSize(s.cfg.PageSize),
		balenaclient.WithMaxResponseSize(maxResponseSize),
		balenaclient.WithMaxRowSize(maxRowSize),
		balenaclient.WithRequestLimit(s.cfg.RequestLimit),
		balenaclient.WithRequestTimeout(cmp.Or(s.cfg.API.Timeout, s.cfg.Timeout)),
		balenaclient.WithRetry(s.retry),
		balenaclient.WithObserver(s.telemetry.observe),
		balenaclient.WithoutCredentialCheck(), // devices are refused to bad credentials, and every scrape asks for them
	}
	if s.cfg.RequestBudget > 0 {
		options = append(options, balenaclient.WithAdmission(newBudget(s.cfg.RequestBudget).admit))
	}
	if s.cfg.InsecureHTTP {
		options = append(options, balenaclient.WithInsecureHTTP())
	}
	return balenaclient.New(append(options, more...)...)
}

func (s *balenaScraper) shutdown(ctx context.Context) error {
	s.cancel()
	s.telemetry.shutdown()
	var errs []error
	if s.events != nil {
		errs = append(errs, s.events.shutdown(ctx))
	}
	if s.deviceLogs != nil {
		errs = append(errs, s.deviceLogs.shutdown(ctx))
	}
	return errors.Join(errs...)
}

func (s *balenaScraper) scrape(ctx context.Context) (pmetric.Metrics, error) {
	ctx, cancel := s.untilShutdown(ctx)
	defer cancel()

	start, requests, bytes := time.Now(), s.telemetry.requests.Load(), s.telemetry.bytes.Load()
	responses := s.fetcher.fetch(ctx)
	if s.base.Err() != nil {
		return pmetric.NewMetrics(), nil // shutting down: an unfinished scrape is not an error
	}
	snapshot := newSnapshot(s.now(), responses)
	s.connectivity.observe(snapshot, responses)
	snapshot.receiver = s.receiverEntity(snapshot.at, responses)
	if s.events != nil {
		s.events.observe(ctx, snapshot, responses)
	}
	unidentified := snapshot.hideUnidentified(responses)
	if s.deviceLogs != nil {
		s.deviceLogs.observe(snapshot, unidentified == 0 && responses.hasAllDevices())
	}
	metrics, points := s.recorder.record(snapshot, responses.gone)

	missing := responses.missingPoints() + unidentified
	if responses.complete() {
		s.lastPoints = points
	} else {
		missing = max(missing, s.lastPoints-points)
	}
	s.telemetry.scraped(snapshot.at, points, missing, responses.complete())
	err := s.scrapeError(responses, missing)
	if s.report(responses, err) {
		s.logger.Info("Scraping balena", zap.String("endpoint", s.cfg.API.Endpoint),
			zap.Int("fleets", len(snapshot.fleets)), zap.Int("devices", len(snapshot.devices)), zap.Int("releases", len(snapshot.releases)),
			zap.Int("series", points), zap.Int64("requests", s.telemetry.requests.Load()-requests),
			zap.Int64("bytes", s.telemetry.bytes.Load()-bytes), zap.Duration("elapsed", time.Since(start)))
	}
	s.warn(snapshot, responses, time.Since(start))
	return metrics, err
}

// receiverEntity describes the scrape itself.
func (s *balenaScraper) receiverEntity(at time.Time, r *responses) *receiverEntity {
	if r.complete() {
		s.lastComplete = newInstant(&at)
	}
	return &receiverEntity{
		name:         s.settings.ID.String(),
		endpoint:     s.cfg.API.Endpoint,
		shard:        s.cfg.Shard,
		complete:     r.complete(),
		lastComplete: s.lastComplete,
		failures:     r.failureList(),
		apiKeys:      r.apiKeys,
	}
}

// untilShutdown returns a context that also ends with the receiver.
func (s *balenaScraper) untilShutdown(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.base, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// report sets the component's status, and reports whether scrapes begin to succeed. Rows that could not be decoded are an error, but the
// API can be read.
func (s *balenaScraper) report(r *responses, err error) (begins bool) {
	if slices.ContainsFunc(requestKinds(), r.failed) {
		s.healthy = false
		componentstatus.ReportStatus(s.host, componentstatus.NewRecoverableErrorEvent(err))
		return false
	}
	begins, s.healthy = !s.healthy, true
	componentstatus.ReportStatus(s.host, componentstatus.NewEvent(componentstatus.StatusOK))
	return begins
}

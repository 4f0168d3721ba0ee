package receiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scrapererror"
	"go.uber.org/zap"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// Bounds of an answer and of a row in it. The largest pages that can be configured have some 10 MB, and rows less than 10 kB.
const (
	maxResponseSize = 64 << 20
	maxRowSize      = 1 << 20
)

// balenaScraper runs scrapes: plan, fetch, snapshot, record.
type balenaScraper struct {
	cfg      *Config
	settings receiver.Settings
	logger   *zap.Logger
	fetcher  *fetcher
	recorder *recorder
	tells    *telemetry
	host     component.Host
	now      func() time.Time
	retry    pine.Retry

	// base ends with the receiver, and with it a running scrape.
	base   context.Context
	cancel context.CancelFunc

	healthy    bool // whether the last scrape was complete
	late       bool // whether it was said that scrapes take longer than the interval
	lastPoints int  // points of the last complete scrape, by which an incomplete one is measured
}

func newBalenaScraper(cfg *Config, settings receiver.Settings) (*balenaScraper, error) {
	selection, err := newSelection(cfg)
	if err != nil {
		return nil, err
	}
	base, cancel := context.WithCancel(context.Background())
	s := &balenaScraper{
		cfg:      cfg,
		settings: settings,
		logger:   settings.Logger,
		fetcher: &fetcher{
			plan:        newPlan(cfg.MetricsBuilderConfig),
			selection:   selection,
			tags:        cfg.Tags,
			concurrency: cfg.Concurrency,
		},
		recorder: newRecorder(metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, settings)),
		now:      time.Now,
		base:     base,
		cancel:   cancel,
	}
	s.tells, err = newTelemetry(settings, func() time.Time { return s.now() })
	return s, err
}

// start builds the client, for which auth extensions must have started. It asks the API nothing: an API that is down, or a token that
// is bad, must not keep the Collector from starting.
func (s *balenaScraper) start(ctx context.Context, host component.Host) error {
	client, err := s.newClient(ctx, host)
	if err != nil {
		return err
	}
	s.host, s.fetcher.client = host, client
	return s.tells.start()
}

func (s *balenaScraper) newClient(ctx context.Context, host component.Host) (*balenaclient.Client, error) {
	httpClient, err := s.cfg.API.ToClient(ctx, host.GetExtensions(), s.settings.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf(`"api": %w`, err)
	}
	httpClient.Timeout = 0 // the client bounds each attempt by itself, and says so
	options := []balenaclient.Option{
		balenaclient.WithBaseURL(s.cfg.API.Endpoint),
		balenaclient.WithHTTPClient(httpClient),
		balenaclient.WithTokenSource(tokenSource(s.cfg)),
		balenaclient.WithUserAgent(s.settings.BuildInfo.Command + "/" + s.settings.BuildInfo.Version),
		balenaclient.WithPageSize(s.cfg.PageSize),
		balenaclient.WithMaxResponseSize(maxResponseSize),
		balenaclient.WithMaxRowSize(maxRowSize),
		balenaclient.WithRequestLimit(s.cfg.RequestLimit),
		balenaclient.WithRequestTimeout(cmp.Or(s.cfg.API.Timeout, s.cfg.Timeout)),
		balenaclient.WithRetry(s.retry),
		balenaclient.WithObserver(s.tells.observe),
	}
	if s.cfg.RequestBudget > 0 {
		options = append(options, balenaclient.WithAdmission(newBudget(s.cfg.RequestBudget).admit))
	}
	if s.cfg.InsecureHTTP {
		options = append(options, balenaclient.WithInsecureHTTP())
	}
	return balenaclient.New(options...)
}

func (s *balenaScraper) shutdown(context.Context) error {
	s.cancel()
	s.tells.shutdown()
	return nil
}

func (s *balenaScraper) scrape(ctx context.Context) (pmetric.Metrics, error) {
	ctx, cancel := s.untilShutdown(ctx)
	defer cancel()

	start := time.Now()
	answers := s.fetcher.fetch(ctx)
	if s.base.Err() != nil {
		return pmetric.NewMetrics(), nil // shutting down: half a scrape is not worth an error
	}
	snapshot := newSnapshot(s.now(), s.cfg.CollectionInterval, answers)
	metrics, points := s.recorder.record(snapshot, answers.complete())
	s.warnIfLate(time.Since(start))

	missing := answers.missingPoints()
	if answers.complete() {
		s.lastPoints = points
	} else {
		missing = max(missing, s.lastPoints-points)
	}
	s.tells.scraped(snapshot.at, points, missing, answers.complete())
	err := s.scrapeError(answers, missing)
	s.report(snapshot, err)
	return metrics, err
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

// warnIfLate says once that scrapes take longer than the interval, until they do not any more.
func (s *balenaScraper) warnIfLate(elapsed time.Duration) {
	late := elapsed > s.cfg.CollectionInterval
	if late && !s.late {
		s.logger.Warn(`A scrape took longer than "collection_interval": raise it, or turn off metrics that need devices. This is said once.`,
			zap.Duration("elapsed", elapsed), zap.Duration("collection_interval", s.cfg.CollectionInterval))
	}
	s.late = late
}

// scrapeError says what could not be fetched and counts the points that are missing for it.
func (s *balenaScraper) scrapeError(a answers, missing int) error {
	if len(a.failures) == 0 {
		return nil
	}
	err := &incompleteError{
		text:   fmt.Sprintf("balena API at %s: %s%s", s.cfg.API.Endpoint, a.describeFailures(), s.remedy(a.failures)),
		causes: slices.Collect(maps.Values(a.failures)),
	}
	return scrapererror.NewPartialScrapeError(err, missing)
}

// describeFailures says what failed, kinds with one cause together.
func (a answers) describeFailures() string {
	var causes []string
	kinds := map[string][]string{}
	for _, kind := range requestKinds {
		if err := a.failures[kind]; err != nil {
			cause := causeOf(err)
			if kinds[cause] == nil {
				causes = append(causes, cause)
			}
			kinds[cause] = append(kinds[cause], string(kind))
		}
	}
	for i, cause := range causes {
		causes[i] = strings.Join(kinds[cause], ", ") + ": " + cause
	}
	return strings.Join(causes, "; ")
}

// causeOf says why a request failed. One that was not even sent is not worth its path.
func causeOf(err error) string {
	var failure *balenaclient.Error
	if errors.As(err, &failure) && failure.Attempts == 0 && errors.Is(err, balenaclient.ErrRateLimited) {
		return "not asked, because the API had asked to wait for " + failure.RetryAfter.Round(time.Second).String()
	}
	return err.Error()
}

// missingPoints is the least number of points that failed requests cost: one for each metric that needed what is missing. The last
// complete scrape may tell better.
func (a answers) missingPoints() int {
	missing := 0
	for kind, err := range a.failures {
		missing += a.missingPointsOf(kind, err)
	}
	return missing
}

func (a answers) missingPointsOf(kind requestKind, err error) int {
	var rows *balenaclient.RowsError
	if errors.As(err, &rows) && kind == deviceRequest {
		return rows.Rows * max(1, a.plan.pointsPerDevice)
	}
	if errors.As(err, &rows) {
		return rows.Rows
	}
	switch kind {
	case credentialRequest, fleetRequest:
		missing := 0
		for _, metrics := range a.plan.metricsOf {
			missing += metrics
		}
		return max(1, missing)
	case deviceCountRequest:
		return len(a.fleets)
	default:
		return max(1, a.plan.metricsOf[kind])
	}
}

// remedy says what the operator can do about failures that will not pass by themselves.
func (s *balenaScraper) remedy(failures map[requestKind]error) string {
	for _, kind := range requestKinds {
		switch err := failures[kind]; {
		case errors.Is(err, balenaclient.ErrUnauthorized):
			return fmt.Sprintf(": the API does not accept the credentials, which are wrong, expired or revoked: set a valid API key in %s", s.credentialKey())
		case errors.Is(err, balenaclient.ErrRedirected), errors.Is(err, balenaclient.ErrNotFound):
			return `: set "api::endpoint" to the API itself, such as ` + defaultEndpoint
		case errors.Is(err, balenaclient.ErrTooLarge):
			return `: set a smaller "page_size"`
		case errors.Is(err, context.DeadlineExceeded):
			return `: the API took too long, raise "api::timeout" or "collection_interval", or turn off metrics that need devices`
		}
	}
	return ""
}

func (s *balenaScraper) credentialKey() string {
	switch {
	case s.cfg.TokenFile != "":
		return `the file that "token_file" names`
	case s.cfg.API.Auth.HasValue():
		return `the extension that "api::auth" names`
	}
	return `"token"`
}

// report tells the component's status, and the log when scrapes begin to succeed.
func (s *balenaScraper) report(snapshot *snapshot, err error) {
	if err != nil {
		s.healthy = false
		componentstatus.ReportStatus(s.host, componentstatus.NewRecoverableErrorEvent(err))
		return
	}
	if !s.healthy {
		s.logger.Info("Scraping balena", zap.String("endpoint", s.cfg.API.Endpoint),
			zap.Int("fleets", len(snapshot.fleets)), zap.Int("devices", len(snapshot.devices)), zap.Int("releases", len(snapshot.releases)))
	}
	s.healthy = true
	componentstatus.ReportStatus(s.host, componentstatus.NewEvent(componentstatus.StatusOK))
}

// incompleteError says on one line why a scrape is incomplete.
type incompleteError struct {
	text   string
	causes []error
}

func (e *incompleteError) Error() string { return e.text }

// Unwrap returns the failures of the single requests.
func (e *incompleteError) Unwrap() []error { return e.causes }

package receiver

import (
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
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// balenaScraper runs scrapes: plan, fetch, snapshot, record.
type balenaScraper struct {
	cfg      *Config
	settings receiver.Settings
	logger   *zap.Logger
	fetcher  *fetcher
	recorder *recorder
	host     component.Host
	now      func() time.Time

	// base ends with the receiver, and with it a running scrape.
	base   context.Context
	cancel context.CancelFunc

	healthy    bool // whether the last scrape was complete
	lastPoints int  // points of the last complete scrape, by which an incomplete one is measured
}

func newBalenaScraper(cfg *Config, settings receiver.Settings) (*balenaScraper, error) {
	selection, err := newSelection(cfg)
	if err != nil {
		return nil, err
	}
	base, cancel := context.WithCancel(context.Background())
	return &balenaScraper{
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
	}, nil
}

// start builds the client, for which auth extensions must have started. It asks the API nothing: an API that is down, or a token that
// is bad, must not keep the Collector from starting.
func (s *balenaScraper) start(ctx context.Context, host component.Host) error {
	s.host = host
	httpClient, err := s.cfg.API.ToClient(ctx, host.GetExtensions(), s.settings.TelemetrySettings)
	if err != nil {
		return fmt.Errorf(`"api": %w`, err)
	}
	options := []balenaclient.Option{
		balenaclient.WithBaseURL(s.cfg.API.Endpoint),
		balenaclient.WithHTTPClient(httpClient),
		balenaclient.WithTokenSource(tokenSource(s.cfg)),
		balenaclient.WithUserAgent(s.settings.BuildInfo.Command + "/" + s.settings.BuildInfo.Version),
		balenaclient.WithPageSize(s.cfg.PageSize),
		balenaclient.WithRequestLimit(s.cfg.RequestLimit),
		balenaclient.WithRequestTimeout(s.cfg.API.Timeout),
	}
	if s.cfg.InsecureHTTP {
		options = append(options, balenaclient.WithInsecureHTTP())
	}
	s.fetcher.client, err = balenaclient.New(options...)
	return err
}

func (s *balenaScraper) shutdown(context.Context) error {
	s.cancel()
	return nil
}

func (s *balenaScraper) scrape(ctx context.Context) (pmetric.Metrics, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.base, cancel)()

	answers := s.fetcher.fetch(ctx)
	if s.base.Err() != nil {
		return pmetric.NewMetrics(), nil // shutting down: half a scrape is not worth an error
	}
	snapshot := newSnapshot(s.now(), s.cfg.CollectionInterval, answers)
	metrics, points := s.recorder.record(snapshot, answers.complete())
	err := s.scrapeError(answers, points)
	s.report(snapshot, err)
	return metrics, err
}

// scrapeError says what could not be fetched, and how many points are missing for it: those that the last complete scrape had more,
// but at least one for each metric that needed what is missing.
func (s *balenaScraper) scrapeError(a answers, points int) error {
	if len(a.failures) == 0 {
		s.lastPoints = points
		return nil
	}
	missing := 0
	for kind, err := range a.failures {
		missing += a.missingPoints(kind, err)
	}
	err := &incompleteError{
		text:   fmt.Sprintf("balena API at %s: %s%s", s.cfg.API.Endpoint, a.describeFailures(), s.remedy(a.failures)),
		causes: slices.Collect(maps.Values(a.failures)),
	}
	return scrapererror.NewPartialScrapeError(err, max(missing, s.lastPoints-points))
}

// describeFailures says what failed, kinds with one cause together.
func (a answers) describeFailures() string {
	var causes []string
	kinds := map[string][]string{}
	for _, kind := range requestKinds {
		if err := a.failures[kind]; err != nil {
			if kinds[err.Error()] == nil {
				causes = append(causes, err.Error())
			}
			kinds[err.Error()] = append(kinds[err.Error()], string(kind))
		}
	}
	for i, cause := range causes {
		causes[i] = strings.Join(kinds[cause], ", ") + ": " + cause
	}
	return strings.Join(causes, "; ")
}

// missingPoints is the least number of points that a failed kind of request costs.
func (a answers) missingPoints(kind requestKind, err error) int {
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
	for _, err := range failures {
		switch {
		case errors.Is(err, balenaclient.ErrUnauthorized):
			return fmt.Sprintf(": the API does not accept the credentials, which are wrong, expired or revoked: set a valid API key in %s", s.credentialKey())
		case errors.Is(err, balenaclient.ErrRedirected):
			return `: set "api::endpoint" to the API itself`
		case errors.Is(err, balenaclient.ErrTooLarge):
			return `: set a smaller "page_size"`
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

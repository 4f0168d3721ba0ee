package receiver

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

// factory gives the receivers of one configuration the same poller: the Collector creates one receiver for metrics and one for logs.
type factory struct {
	mu      sync.Mutex
	pollers map[*Config]*poller
}

// pipelines are what a receiver feeds. One that is not configured is nil.
type pipelines struct {
	metrics consumer.Metrics
	logs    consumer.Logs
}

// add adds a pipeline, and reports whether there was room for it.
func (p *pipelines) add(other pipelines) bool {
	switch {
	case other.metrics != nil && p.metrics == nil:
		p.metrics = other.metrics
	case other.logs != nil && p.logs == nil:
		p.logs = other.logs
	default:
		return false
	}
	return true
}

func (p *pipelines) count() int {
	count := 0
	if p.metrics != nil {
		count++
	}
	if p.logs != nil {
		count++
	}
	return count
}

// join returns a receiver for a pipeline. It shares the poller of its configuration, unless that feeds such a pipeline already.
func (f *factory) join(cfg *Config, settings receiver.Settings, next pipelines) *sharedReceiver {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pollers[cfg]
	if p == nil || !p.add(next) {
		p = &poller{cfg: cfg, settings: settings, next: next}
		p.leave = func() { f.forget(cfg, p) }
		f.pollers[cfg] = p
	}
	return &sharedReceiver{p}
}

func (f *factory) forget(cfg *Config, p *poller) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pollers[cfg] == p {
		delete(f.pollers, cfg)
	}
}

// sharedReceiver is the receiver of one pipeline.
type sharedReceiver struct{ poller *poller }

func (r *sharedReceiver) Start(ctx context.Context, host component.Host) error {
	return r.poller.start(ctx, host)
}

func (r *sharedReceiver) Shutdown(ctx context.Context) error { return r.poller.shutdown(ctx) }

// poller scrapes the API once for all pipelines. It runs from the last Start to the first Shutdown: while one of its receivers is not
// running, what follows it in its pipeline may not be either.
type poller struct {
	cfg      *Config
	settings receiver.Settings
	leave    func() // makes the factory forget the poller

	mu         sync.Mutex
	next       pipelines
	hosts      hosts
	controller receiver.Metrics // nil unless started
	cancel     context.CancelFunc
}

func (p *poller) add(next pipelines) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.hosts) == 0 && p.next.add(next)
}

func (p *poller) start(ctx context.Context, host component.Host) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hosts = append(p.hosts, host)
	if len(p.hosts) < p.next.count() {
		return nil
	}
	if err := p.build(); err != nil {
		return err
	}
	return p.controller.Start(ctx, p.hosts)
}

func (p *poller) build() error {
	cfg, next := *p.cfg, p.next.metrics
	if next == nil { // nobody wants metrics: nothing is requested for them
		cfg.Metrics = metadata.MetricsConfig{}
		next = discard{}
	}
	s, err := newBalenaScraper(&cfg, p.settings, p.next.logs)
	if err != nil {
		return err
	}
	metricsScraper, err := scraper.NewMetrics(s.scrape, scraper.WithStart(s.start), scraper.WithShutdown(s.shutdown))
	if err != nil {
		return err
	}
	canceling, err := consumer.NewMetrics(func(ctx context.Context, metrics pmetric.Metrics) error {
		ctx, cancel := s.untilShutdown(ctx)
		defer cancel()
		return next.ConsumeMetrics(ctx, metrics)
	}, consumer.WithCapabilities(next.Capabilities()))
	if err != nil {
		return err
	}
	p.cancel = s.cancel
	p.controller, err = scraperhelper.NewMetricsController(&cfg.ControllerConfig, p.settings, canceling,
		scraperhelper.AddMetricsScraper(metadata.Type, metricsScraper))
	return err
}

// shutdown cancels a running scrape, or a pipeline that blocks, before it waits for it to end: the controller alone would wait until the
// scrape's timeout, or forever.
func (p *poller) shutdown(ctx context.Context) error {
	p.leave()
	p.mu.Lock()
	defer p.mu.Unlock()
	controller := p.controller
	if controller == nil {
		return nil
	}
	p.controller = nil
	p.cancel()
	return controller.Shutdown(ctx)
}

// discard takes the place of a metrics pipeline that is not configured.
type discard struct{}

func (discard) Capabilities() consumer.Capabilities                   { return consumer.Capabilities{} }
func (discard) ConsumeMetrics(context.Context, pmetric.Metrics) error { return nil }

// hosts are the hosts of all receivers of a poller: its status is the status of each.
type hosts []component.Host

func (h hosts) GetExtensions() map[component.ID]component.Component { return h[0].GetExtensions() }

func (h hosts) Report(event *componentstatus.Event) {
	for _, host := range h {
		componentstatus.ReportStatus(host, event)
	}
}

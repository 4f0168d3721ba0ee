package fleetpage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-balena/balenareceiver/fleetpage/internal/model"
	"github.com/otelcol-balena/balenareceiver/fleetpage/internal/web"
)

// fleetPage serves what its model knows.
type fleetPage struct {
	cfg      *Config
	settings component.TelemetrySettings
	store    *model.Store
	handler  http.Handler
	server   *http.Server
	serving  sync.WaitGroup
}

func newFleetPage(cfg *Config, settings exporter.Settings) (*fleetPage, error) {
	store := model.New(model.Options{
		History: cfg.History, Changes: cfg.Changes, Expiration: cfg.Expiration, SiteTag: cfg.SiteTag, Now: time.Now,
		FleetTags: byAttribute(cfg.Tags.Fleets), DeviceTags: byAttribute(cfg.Tags.Devices),
	})
	handler, err := web.NewHandler(store, web.Options{Dashboard: cfg.DashboardURL, History: cfg.History, Logger: settings.Logger})
	if err != nil {
		return nil, err
	}
	return &fleetPage{cfg: cfg, settings: settings.TelemetrySettings, store: store, handler: handler}, nil
}

// byAttribute returns the keys of tags by the attributes that carry them.
func byAttribute(attributes map[string]string) map[string]string {
	keys := map[string]string{}
	for key, attribute := range attributes {
		if attribute != "" {
			keys[attribute] = key
		}
	}
	return keys
}

func (p *fleetPage) consume(_ context.Context, metrics pmetric.Metrics) error {
	p.store.Consume(metrics)
	return nil
}

func (p *fleetPage) start(ctx context.Context, host component.Host) error {
	listener, err := p.cfg.ToListener(ctx)
	if err != nil {
		return fmt.Errorf(`listen for the fleet page at "endpoint" %s: %w (choose another address if it is in use)`, p.cfg.NetAddr.Endpoint, err)
	}
	server, err := p.cfg.ToServer(ctx, host.GetExtensions(), p.settings, p.handler)
	if err != nil {
		return errors.Join(fmt.Errorf("configure the server of the fleet page: %w", err), listener.Close())
	}
	p.server = server
	p.settings.Logger.Info("Serving the fleet page", zap.Stringer("address", listener.Addr()))
	p.serving.Go(func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("serve the fleet page: %w", err)))
		}
	})
	return nil
}

func (p *fleetPage) shutdown(ctx context.Context) error {
	if p.server == nil {
		return nil
	}
	err := p.server.Shutdown(ctx)
	p.serving.Wait()
	return err
}

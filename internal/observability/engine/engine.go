// Package engine is Prometheus without its network: its storage, its queries and its rules, fed with what the receiver emits, at the times
// of a simulation.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"github.com/prometheus/prometheus/tsdb"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Engine stores series, and evaluates queries and rules over them.
type Engine struct {
	db      *tsdb.DB
	queries *promql.Engine
	groups  []*rules.Group
	served  map[string]labels.Labels // by the text that the last scrape served
	active  map[string]*Firing
	fired   []*Firing
}

// Firing is an alert that fired, and when.
type Firing struct {
	Alert, Severity string
	Labels          labels.Labels
	From, To        time.Time // To is the last evaluation at which it fired
}

// Open creates an engine in an empty folder, with the rules of the files.
func Open(ctx context.Context, dir string, ruleFiles ...string) (*Engine, error) {
	options := tsdb.DefaultOptions()
	options.WALSegmentSize = -1 // nothing of a simulation needs to survive a crash
	// No blocks: their wait groups belong to the synctest bubble in which they are read first, and cannot be closed outside of it.
	options.MinBlockDuration = (30 * 24 * time.Hour).Milliseconds()
	options.MaxBlockDuration = options.MinBlockDuration
	db, err := tsdb.Open(dir, promslog.NewNopLogger(), nil, options, nil)
	if err != nil {
		return nil, fmt.Errorf("open the storage: %w", err)
	}
	e := &Engine{
		db: db, active: map[string]*Firing{},
		queries: promql.NewEngine(promql.EngineOpts{MaxSamples: 5e7, Timeout: time.Minute, LookbackDelta: 5 * time.Minute}),
	}
	manager := rules.NewManager(&rules.ManagerOptions{
		Context: ctx, Appendable: db, Queryable: db, ExternalURL: &url.URL{}, Logger: promslog.NewNopLogger(),
		QueryFunc:  rules.EngineQueryFunc(e.queries, db),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	})
	groups, errs := manager.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, ruleFiles...)
	if len(errs) > 0 {
		return nil, errors.Join(append(errs, db.Close())...)
	}
	for _, group := range groups {
		e.groups = append(e.groups, group)
		for _, alert := range group.AlertingRules() {
			alert.SetRestored(true) // nothing to restore; until then, ALERTS is not recorded
		}
	}
	// Prometheus evaluates groups at the same time. Here their order is fixed, so that a simulation gives the same result each time.
	slices.SortFunc(e.groups, func(a, b *rules.Group) int {
		return cmp.Or(cmp.Compare(a.File(), b.File()), cmp.Compare(a.Name(), b.Name()))
	})
	return e, nil
}

// Close frees the storage.
func (e *Engine) Close() error { return e.db.Close() }

// Fired are the alerts that fired so far, in order of their beginning.
func (e *Engine) Fired() []*Firing { return e.fired }

// Evaluate evaluates all rules as of a time.
func (e *Engine) Evaluate(ctx context.Context, at time.Time) error {
	active := map[string]*Firing{}
	for _, group := range e.groups {
		group.Eval(ctx, at)
		for _, rule := range group.Rules() {
			if err := rule.LastError(); err != nil {
				return fmt.Errorf("rule %s at %s: %w", rule.Name(), at, err)
			}
			alerting, ok := rule.(*rules.AlertingRule)
			if !ok {
				continue
			}
			for _, alert := range alerting.ActiveAlerts() {
				if alert.State != rules.StateFiring {
					continue
				}
				key := alert.Labels.String()
				f := e.active[key]
				if f == nil {
					f = &Firing{Alert: alerting.Name(), Severity: alert.Labels.Get("severity"), Labels: alert.Labels, From: at}
					e.fired = append(e.fired, f)
				}
				f.To = at
				active[key] = f
			}
		}
	}
	e.active = active
	return nil
}

// StoreOTLP stores metrics as Prometheus does when they are sent to its OTLP receiver, with promote_all_resource_attributes.
func (e *Engine) StoreOTLP(ctx context.Context, metrics pmetric.Metrics) error {
	appender := e.db.AppenderV2(ctx)
	_, err := prometheusremotewrite.NewPrometheusConverter(appender).FromMetrics(ctx, metrics, prometheusremotewrite.Settings{
		AddMetricSuffixes:         true,
		DisableTargetInfo:         true,
		PromoteResourceAttributes: prometheusremotewrite.NewPromoteResourceAttributes(config.OTLPConfig{PromoteAllResourceAttributes: true}),
	})
	if err != nil {
		return errors.Join(fmt.Errorf("convert metrics: %w", err), appender.Rollback())
	}
	return appender.Commit()
}

// StoreText stores what /metrics served, as Prometheus does when it scrapes: a series that has disappeared is marked stale.
func (e *Engine) StoreText(ctx context.Context, at time.Time, text []byte) error {
	appender := e.db.Appender(ctx)
	served := make(map[string]labels.Labels, len(e.served))
	parser := textparse.NewPromParser(text, labels.NewSymbolTable(), false)
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(err, appender.Rollback())
		}
		if entry != textparse.EntrySeries {
			continue
		}
		text, _, v := parser.Series()
		series, known := e.served[string(text)]
		if !known {
			parser.Labels(&series)
		}
		served[string(text)] = series
		if _, err := appender.Append(0, series, at.UnixMilli(), v); err != nil {
			return errors.Join(err, appender.Rollback())
		}
	}
	for text, series := range e.served {
		if _, still := served[text]; still {
			continue
		}
		if _, err := appender.Append(storage.SeriesRef(0), series, at.UnixMilli(), math.Float64frombits(value.StaleNaN)); err != nil {
			return errors.Join(err, appender.Rollback())
		}
	}
	e.served = served
	return appender.Commit()
}

// Query evaluates a query as of a time.
func (e *Engine) Query(ctx context.Context, query string, at time.Time) (promql.Vector, error) {
	q, err := e.queries.NewInstantQuery(ctx, e.db, nil, query, at)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	defer q.Close()
	result := q.Exec(ctx)
	if scalar, err := result.Scalar(); err == nil {
		return promql.Vector{{T: scalar.T, F: scalar.V}}, nil
	}
	vector, err := result.Vector()
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	return slices.Clone(vector), nil
}

// QueryRange evaluates a query at each step of a time range.
func (e *Engine) QueryRange(ctx context.Context, query string, from, to time.Time, step time.Duration) (promql.Matrix, error) {
	q, err := e.queries.NewRangeQuery(ctx, e.db, nil, query, from, to, step)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	defer q.Close()
	matrix, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	copied := make(promql.Matrix, len(matrix))
	for i, series := range matrix {
		copied[i] = promql.Series{Metric: series.Metric, Floats: slices.Clone(series.Floats)}
	}
	return copied, nil
}

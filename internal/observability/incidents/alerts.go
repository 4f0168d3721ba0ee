package incidents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/url"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// firing is an alert that fired, and when.
type firing struct {
	name, severity string
	of             labels.Labels
	from, to       time.Time // to is the last evaluation at which it fired
}

// evaluate stores what was served, as Prometheus does when it scrapes, and evaluates the rules after each scrape. It returns what fired.
func evaluate(ctx context.Context, dir, ruleFile string, moments []moment) (fired []*firing, err error) {
	db, err := tsdb.Open(dir, promslog.NewNopLogger(), nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, LookbackDelta: 5 * time.Minute})
	manager := rules.NewManager(&rules.ManagerOptions{
		Context: ctx, Appendable: db, Queryable: db, ExternalURL: &url.URL{}, Logger: promslog.NewNopLogger(),
		QueryFunc:  rules.EngineQueryFunc(engine, db),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	})
	groups, errs := manager.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, ruleFile)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	current := map[string]*firing{}
	served := map[string]labels.Labels{}
	for _, m := range moments {
		if served, err = store(ctx, db, m, served); err != nil {
			return nil, fmt.Errorf("store what was served at %s: %w", m.at, err)
		}
		now := map[string]*firing{}
		for _, group := range groups {
			group.Eval(ctx, m.at)
			for _, rule := range group.Rules() {
				if err := rule.LastError(); err != nil {
					return nil, fmt.Errorf("rule %s at %s: %w", rule.Name(), m.at, err)
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
					f := current[key]
					if f == nil {
						f = &firing{name: alerting.Name(), severity: alert.Labels.Get("severity"), of: alert.Labels, from: m.at}
						fired = append(fired, f)
					}
					f.to = m.at
					now[key] = f
				}
			}
		}
		current = now
	}
	return fired, nil
}

// store appends what was served. A series that is no longer served is marked stale, as Prometheus does.
func store(ctx context.Context, db *tsdb.DB, m moment, before map[string]labels.Labels) (map[string]labels.Labels, error) {
	appender := db.Appender(ctx)
	at := m.at.UnixMilli()
	served := make(map[string]labels.Labels, len(before))
	parser := textparse.NewPromParser(m.text, labels.NewSymbolTable(), false)
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(err, appender.Rollback())
		}
		if entry != textparse.EntrySeries {
			continue
		}
		text, _, v := parser.Series()
		series, known := before[string(text)]
		if !known {
			parser.Labels(&series)
		}
		served[string(text)] = series
		if _, err := appender.Append(0, series, at, v); err != nil {
			return nil, errors.Join(err, appender.Rollback())
		}
	}
	for text, series := range maps.All(before) {
		if _, still := served[text]; still {
			continue
		}
		if _, err := appender.Append(storage.SeriesRef(0), series, at, math.Float64frombits(value.StaleNaN)); err != nil {
			return nil, errors.Join(err, appender.Rollback())
		}
	}
	return served, appender.Commit()
}

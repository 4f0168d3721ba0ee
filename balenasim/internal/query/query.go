// Package query runs parsed queries on a store with the semantics of pinejs on
// PostgreSQL: three-valued logic, nulls last in ascending order, references as
// {"__id": n}, or as lists if expanded.
//
// It follows balena-io-modules/odata-to-abstract-sql and abstract-sql-compiler,
// including their oddities.
package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

var (
	// ErrUnauthorized reports that the caller cannot read the resource or that
	// it does not exist, which the server does not distinguish.
	ErrUnauthorized = errors.New("no permission on the resource")
	// ErrFailed reports a query that the server fails on with a 500, such as
	// one with an unknown field or with operands of different types.
	ErrFailed = errors.New("query fails")
	// ErrTooExpensive reports that the query takes too long or returns too much.
	ErrTooExpensive = errors.New("query is too expensive")
)

// MissingBindingError reports a parameter alias without a value. The server
// responds with 400 and this message.
type MissingBindingError struct{ Name string }

func (e *MissingBindingError) Error() string { return "Missing binding: @" + e.Name }

func failf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFailed, fmt.Sprintf(format, args...))
}

// Access returns which rows of a resource the caller can read. A nil function
// means all rows; false means that the caller has no access to the resource.
type Access func(resource string) (func(store.Row) bool, bool)

// Engine runs queries for one version of the API.
type Engine struct {
	Store *store.Store
	Model *schema.Model
	Now   time.Time
	// Access is nil if the caller can read everything.
	Access Access
	// MaxBytes is the maximum size of a response.
	MaxBytes int
}

// Result is the response to a read.
type Result struct {
	Body []byte // JSON, {"d": …}
	Rows int
}

// Get runs a read. The store must be locked.
func (e *Engine) Get(ctx context.Context, q *odata.Query) (Result, error) {
	x := &executor{ctx: ctx, max: e.MaxBytes}
	c := &compiler{engine: e, x: x, literals: q.Aliases}
	p, rows, err := c.request(q)
	if err != nil {
		return Result{}, err
	}
	x.out = append(x.out, `{"d":`...)
	n := 1
	if p.count {
		x.int(int64(x.count(p, rows)))
	} else {
		n = x.list(p, rows)
	}
	if x.err != nil {
		return Result{}, x.err
	}
	return Result{Body: append(x.out, '}'), Rows: n}, nil
}

// Match returns the ids of the rows that a path and its $filter select, for
// writes.
func (e *Engine) Match(ctx context.Context, q *odata.Query) ([]int64, error) {
	x := &executor{ctx: ctx, max: e.MaxBytes}
	c := &compiler{engine: e, x: x, literals: q.Aliases}
	p, rows, err := c.request(q)
	if err != nil {
		return nil, err
	}
	seen := map[store.Row]bool{}
	var ids []int64
	for _, f := range x.collect(p, rows) {
		if r := f.rows[0]; !seen[r] {
			seen[r] = true
			ids = append(ids, p.table.ID(r))
		}
	}
	return ids, x.err
}

// request compiles the path of a request and returns the rows to start from.
func (c *compiler) request(q *odata.Query) (*plan, []store.Row, error) {
	view := c.engine.Model.Resource(q.Resource)
	if view == nil {
		return nil, nil, ErrUnauthorized
	}
	if _, ok := c.access(view); !ok {
		return nil, nil, ErrUnauthorized
	}
	if q.Property == nil {
		p, err := c.plan(view, &q.Options, q.Count)
		if err != nil {
			return nil, nil, err
		}
		rows, err := c.start(p, q)
		return p, rows, err
	}
	// A path such as application(1)/owns__device starts from the rows that
	// the navigation leads to.
	p, err := c.plan(view, &odata.Options{}, false)
	if err != nil {
		return nil, nil, err
	}
	rows, err := c.start(p, q)
	if err != nil {
		return nil, nil, err
	}
	if q.Links {
		return p, rows, c.links(p, q.Property)
	}
	first := view
	for q = q.Property; ; q = q.Property {
		nav, ok := view.Nav(q.Resource)
		if !ok {
			return nil, nil, failf("%s has no navigation %q", view.Resource.Name, q.Resource)
		}
		if _, ok := c.access(nav.Target); !ok {
			return nil, nil, ErrUnauthorized
		}
		var next []store.Row
		follow := c.follow(nav)
		for _, r := range rows {
			next = append(next, follow(r)...)
		}
		if view = nav.Target; q.Key != nil {
			match, err := c.key(view, q.Key)
			if err != nil {
				return nil, nil, err
			}
			kept := next[:0:0]
			for _, r := range next {
				if match(r) {
					kept = append(kept, r)
				}
			}
			next = kept
		}
		rows = next
		if q.Links {
			if p, err = c.plan(view, &odata.Options{}, false); err != nil {
				return nil, nil, err
			}
			return p, rows, c.links(p, q.Property)
		}
		if q.Property == nil {
			if p, err = c.plan(view, &q.Options, q.Count); err == nil {
				p.shape = first
			}
			return p, rows, err
		}
	}
}

// links compiles /$links/reference, which returns the reference alone and ignores
// all options. The server supports only references that are named like the
// resource that they refer to.
func (c *compiler) links(p *plan, q *odata.Query) error {
	nav, ok := p.view.Nav(q.Resource)
	if !ok || !nav.Forward || strings.Contains(q.Resource, "__") || q.Key != nil || q.Property != nil {
		return failf("%s has no link %q", p.view.Resource.Name, q.Resource)
	}
	p.output = nil
	sc := scope{level: p.level, def: ref{level: p.level, view: p.view}}
	return c.selects(p, sc, []*odata.Path{{Name: q.Resource}})
}

package receiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// batch is a query for rows of T that belong to some rows of S, whose IDs it lists.
type batch[T, S any] struct {
	query pine.Query[T]
	ids   []pine.ID[S]
}

// everything is the only batch of a query that is not limited to IDs.
func everything[T any](query pine.Query[T]) []batch[T, T] {
	return []batch[T, T]{{query: query, ids: []pine.ID[T]{0}}}
}

// forIDs returns as many batches as it takes for the IDs to fit into their URLs.
func forIDs[T, S any](ids []pine.ID[S], query func(ids []pine.ID[S]) pine.Query[T]) []batch[T, S] {
	var batches []batch[T, S]
	for _, part := range splitIDs(ids) {
		batches = append(batches, batch[T, S]{query(part), part})
	}
	return batches
}

// forParts returns a batch for each part of the account.
func forParts[T any](parts []part, query func(of pine.Filter[balenaclient.Device]) pine.Query[T]) []batch[T, balenaclient.Fleet] {
	var batches []batch[T, balenaclient.Fleet]
	for _, part := range parts {
		batches = append(batches, batch[T, balenaclient.Fleet]{query(part.devices()), part.fleets})
	}
	return batches
}

// job is the work for a kind of request: batches, which may run concurrently, and what to do once all of them have ended.
type job struct {
	batches []func(context.Context)
	finish  func(context.Context) error
}

// newJob returns the job of calling accept with the rows of all batches, one at a time. Rows that cannot be decoded, and those that accept
// refuses, are skipped and counted in a RowsError. A batch that fails does not keep the others from being fetched.
func newJob[T, S any](batches []batch[T, S], accept func(T) error, finish func(context.Context, fetchedRows[T, S]) error) job {
	r := &rowReader[T, S]{accept: accept}
	j := job{finish: func(ctx context.Context) error { return finish(ctx, r.result()) }}
	for _, batch := range batches {
		j.batches = append(j.batches, func(ctx context.Context) { r.read(ctx, batch) })
	}
	return j
}

// fetchedRows says which rows of some batches are missing.
type fetchedRows[T, S any] struct {
	failed         []pine.ID[S] // those of the batches that failed
	skipped        []pine.ID[T] // rows that could not be decoded
	skippedUnknown bool         // whether there are others, of which not even the ID could be decoded
	err            error        // why; nil if nothing is missing
}

func (f fetchedRows[T, S]) anySkipped() bool { return len(f.skipped) > 0 || f.skippedUnknown }

// resolved returns those of the requested IDs that the server was asked for successfully, and may still not have returned.
func resolved[T any](f fetchedRows[T, T], ids []pine.ID[T]) []pine.ID[T] {
	if f.skippedUnknown {
		return nil
	}
	unresolved := newRowSet(f.failed...)
	unresolved.add(f.skipped...)
	return slices.DeleteFunc(slices.Clone(ids), func(id pine.ID[T]) bool { return unresolved[id] })
}

// rowReader reads batches concurrently.
type rowReader[T, S any] struct {
	mu      sync.Mutex // guards the fields below, and calls of accept
	accept  func(T) error
	failed  []pine.ID[S]
	err     error
	skipped *balenaclient.RowsError
}

func (r *rowReader[T, S]) read(ctx context.Context, batch batch[T, S]) {
	if err := ctx.Err(); err != nil {
		r.fail(batch.ids, err)
		return
	}
	for row, err := range batch.query.All(ctx) {
		var skipped *balenaclient.RowsError
		switch {
		case err == nil:
			r.take(row)
		case errors.As(err, &skipped):
			r.skip(skipped)
		default:
			r.fail(batch.ids, err)
		}
	}
}

func (r *rowReader[T, S]) take(row T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var skipped *balenaclient.RowsError
	if errors.As(r.accept(row), &skipped) {
		r.skipped = mergeRowsErrors(r.skipped, skipped)
	}
}

func (r *rowReader[T, S]) skip(rows *balenaclient.RowsError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skipped = mergeRowsErrors(r.skipped, rows)
}

func (r *rowReader[T, S]) fail(ids []pine.ID[S], err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, ids...)
	r.err = cmp.Or(r.err, err)
}

func (r *rowReader[T, S]) result() fetchedRows[T, S] {
	rows := fetchedRows[T, S]{failed: r.failed, err: r.err}
	if r.skipped != nil {
		rows.skipped, rows.skippedUnknown = pine.IDs[T](r.skipped.IDs), len(r.skipped.IDs) < r.skipped.Rows
		if rows.err == nil {
			rows.err = r.skipped
		}
	}
	return rows
}

// skip returns the error for an unusable row.
func skip[T any](id pine.ID[T], format string) error {
	return &balenaclient.RowsError{Rows: 1, IDs: []int64{int64(id)}, Err: fmt.Errorf(format, id)}
}

func mergeRowsErrors(a, b *balenaclient.RowsError) *balenaclient.RowsError {
	if a == nil {
		return b
	}
	return &balenaclient.RowsError{Rows: a.Rows + b.Rows, IDs: slices.Concat(a.IDs, b.IDs), Err: a.Err}
}

// maxParents bounds the rows whose parents are requested.
const maxParents = 100

// parents returns the IDs of the rows that some rows belong to, by requesting nothing but that. It serves for rows that cannot be
// decoded because of one of their other columns. known is false if one is still missing.
func parents[T, P any](
	ctx context.Context, ids []pine.ID[T], query func(ids []pine.ID[T]) pine.Query[T], parent func(T) pine.ID[P],
) (parentIDs []pine.ID[P], known bool) {
	if len(ids) == 0 {
		return nil, true
	}
	if len(ids) > maxParents {
		return nil, false
	}
	for row, err := range query(ids).All(ctx) {
		if err != nil {
			return parentIDs, false
		}
		parentIDs = append(parentIDs, parent(row))
	}
	return parentIDs, len(parentIDs) == len(ids)
}

package pine

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
)

// All yields the rows, fetched in pages by ascending id. It yields at most one error, last and with a zero row; the rows before it are
// valid.
//
// If rows change, appear or disappear while pages are fetched, no other row is missed or yielded twice. A row that cannot be decoded is
// skipped: the others are yielded, and a [RowsError] ends the sequence.
func (q Query[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err := q.check(); err != nil {
			yield(none, err)
			return
		}
		pages := q.pages()
		if pages.keyset() && shapeOf[T]().id < 0 {
			yield(none, fmt.Errorf("pine: %T has no int64 field with the json name id, by which pages are cut: add one or use OrderBy", none))
			return
		}
		found := false
		for number := 1; pages.more; number++ {
			rows, err := pages.next(ctx)
			for _, row := range rows {
				found = true
				if !yield(row, nil) {
					return
				}
			}
			if err != nil {
				if number > 1 {
					err = fmt.Errorf("page %d: %w", number, err)
				}
				yield(none, err)
				return
			}
		}
		if pages.skipped != nil {
			yield(none, pages.skipped)
		} else if !found {
			if err := q.client.foundNothing(ctx); err != nil {
				yield(none, err)
			}
		}
	}
}

// List returns the rows of [Query.All]. If there is an error it returns the rows before it, too.
func (q Query[T]) List(ctx context.Context) ([]T, error) {
	var rows []T
	for row, err := range q.All(ctx) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// First returns the first row in the query's order, by default that of ids, or [ErrNotFound].
func (q Query[T]) First(ctx context.Context) (T, error) {
	rows, err := q.Top(1).List(ctx)
	return single(q.resource, rows, err)
}

// One returns the only row, [ErrNotFound] or [ErrNotUnique].
func (q Query[T]) One(ctx context.Context) (T, error) {
	rows, err := q.Top(2).List(ctx)
	return single(q.resource, rows, err)
}

// Get returns the row with this id if it matches the query, or [ErrNotFound].
func (q Query[T]) Get(ctx context.Context, id ID[T]) (T, error) {
	return q.GetBy(ctx, Key[T]{text: strconv.FormatInt(int64(id), 10)})
}

// GetBy returns the row with this key if it matches the query, or [ErrNotFound].
func (q Query[T]) GetBy(ctx context.Context, key Key[T]) (T, error) {
	var none T
	if err := q.check(); err != nil {
		return none, err
	}
	rows, err := fetchRows[T](ctx, q.client, request{
		method:   http.MethodGet,
		resource: q.resource,
		target:   func() string { return q.path() + "(" + key.text + ")?" + q.options(q.filter(), nil, nil, "&") },
		hint:     q.hint,
	}, q.wanted())
	return single(fmt.Sprintf("%s(%s)", q.resource, key), rows, err)
}

// fetchRows fetches rows without paging. A row that cannot be decoded is an error.
func fetchRows[T any](ctx context.Context, c *Client, r request, wanted *selection) ([]T, error) {
	var rows []T
	r.read = func(body io.Reader, _ func(error) error) (int, error) {
		rows = rows[:0]
		err := decodeRows(body, c.config.MaxRowSize, wanted, func(row T, _ int64, undecodable error) error {
			if undecodable != nil {
				return fmt.Errorf("%w: %w", ErrMalformed, undecodable)
			}
			rows = append(rows, row)
			return nil
		})
		return len(rows), err
	}
	err := c.send(ctx, r)
	if err == nil && len(rows) == 0 {
		err = c.foundNothing(ctx)
	}
	return rows, err
}

// foundNothing asks [Config.FoundNothing] whether there really is nothing.
func (c *Client) foundNothing(ctx context.Context) error {
	if c.config.FoundNothing == nil {
		return nil
	}
	return c.config.FoundNothing(ctx)
}

// single returns the only row.
func single[T any](name string, rows []T, err error) (T, error) {
	var none T
	switch {
	case err != nil:
		return none, err
	case len(rows) == 0:
		return none, fmt.Errorf("%s: %w", name, ErrNotFound)
	case len(rows) > 1:
		return none, fmt.Errorf("%s: %w", name, ErrNotUnique)
	}
	return rows[0], nil
}

// Count returns the number of rows, as counted by the server. The query's top, order and columns are ignored.
func (q Query[T]) Count(ctx context.Context) (int, error) {
	if err := q.check(); err != nil {
		return 0, err
	}
	target := q.path() + "/$count"
	if filter := q.filter(); filter != "" {
		target += "?$filter=" + filter
	}
	var count int
	err := q.client.send(ctx, request{
		method:   http.MethodGet,
		resource: q.resource,
		target:   func() string { return target },
		hint:     q.hint,
		read: func(body io.Reader, _ func(error) error) (rows int, err error) {
			count, err = decodeCount(body)
			return 0, err
		},
	})
	if err == nil && count == 0 {
		err = q.client.foundNothing(ctx)
	}
	return count, err
}

func (q Query[T]) path() string { return q.client.config.Root + "/" + q.resource }

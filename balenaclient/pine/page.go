package pine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// pages fetches the rows of a query page by page.
type pages[T any] struct {
	query   Query[T]
	more    bool       // whether another page may follow
	last    int64      // id of the last row seen: the next page starts after it
	left    int        // rows still wanted if the query has a top
	rows    []T        // of the current page; reused for all pages
	skipped *RowsError // rows that could not be decoded
}

// likelyFull is the number of rows from which on a page is expected to be full, and gets room for all of its rows at once.
const likelyFull = 64

func (q Query[T]) pages() *pages[T] {
	p := &pages[T]{query: q, more: true}
	if q.top != nil {
		p.left = *q.top
		p.more = p.left > 0
	}
	return p
}

// next fetches a page. The rows are valid until the next call. It returns the rows before an error, too.
func (p *pages[T]) next(ctx context.Context) ([]T, error) {
	p.rows = p.rows[:0]
	err := p.query.client.send(ctx, request{
		method:   http.MethodGet,
		resource: p.query.resource,
		target:   p.target,
		hint:     p.query.hint,
		read:     p.read,
	})
	return p.rows, err
}

// keyset reports whether pages are cut by id. An ordered query is not paged.
func (p *pages[T]) keyset() bool { return len(p.query.orders) == 0 }

// full reports whether the query's top was reached.
func (p *pages[T]) full() bool { return p.query.top != nil && p.left <= 0 }

// size is the number of rows to request next; nil means all.
func (p *pages[T]) size() *int {
	if !p.keyset() {
		return p.query.top
	}
	size := p.query.pageSize
	if size <= 0 {
		size = p.query.client.config.PageSize
	}
	if p.query.top != nil {
		size = min(size, p.left)
	}
	return &size
}

func (p *pages[T]) target() string {
	query, orders := p.query, p.query.orders
	if p.keyset() {
		const id = Field[T, int64](idColumn)
		orders = []string{id.Asc().text}
		if p.last > 0 {
			query = query.Where(id.Gt(p.last))
		}
	}
	return query.path() + "?" + query.options(query.filter(), orders, p.size(), "&")
}

// read decodes one response. The rows of a truncated one are kept, and the next attempt requests those after them; only a query that is
// not paged starts again.
func (p *pages[T]) read(body io.Reader, redact func(error) error) (int, error) {
	if !p.keyset() {
		again := p.query.pages()
		p.rows, p.skipped, p.left = p.rows[:0], nil, again.left
	}
	size, rows, before := p.size(), 0, p.last
	err := decodeRows(body, p.query.client.config.MaxRowSize, p.query.wanted(), func(row T, id int64, undecodable error) error {
		rows++
		if p.keyset() && id != 0 && id <= p.last {
			return fmt.Errorf("%w: id %d follows id %d although ascending ids were requested", ErrMalformed, id, p.last)
		}
		p.last = max(p.last, id)
		if p.full() {
			return nil // the server sends more than was requested
		}
		if undecodable != nil {
			p.skip(id, redact(undecodable))
			return nil
		}
		if p.keyset() && len(p.rows) == cap(p.rows) && len(p.rows) >= likelyFull {
			p.rows = slices.Grow(p.rows, max(*size-len(p.rows), 1))
		}
		p.rows = append(p.rows, row)
		p.left--
		return nil
	})
	if p.full() && !errors.Is(err, ErrMalformed) {
		err = nil // if it was truncated, then after all that is wanted
	}
	p.more = p.keyset() && rows >= *size && !p.full()
	if err == nil && p.more && p.last == before {
		err = fmt.Errorf("%w: a page of rows without ids", ErrMalformed)
	}
	return rows, err
}

func (p *pages[T]) skip(id int64, undecodable error) {
	if p.skipped == nil {
		p.skipped = &RowsError{Err: fmt.Errorf("%s with id %d: %w", p.query.resource, id, undecodable)}
	}
	p.skipped.Rows++
	if id != 0 && len(p.skipped.IDs) < maxSkippedIDs {
		p.skipped.IDs = append(p.skipped.IDs, id)
	}
}

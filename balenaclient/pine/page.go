package pine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// pages fetches the rows of a query page by page.
type pages[T any] struct {
	query   Query[T]
	more    bool       // whether another page may follow
	last    int64      // id of the last row seen: the next page starts behind it
	left    int        // rows still wanted if the query has a top
	rows    []T        // of the current page; its memory serves all pages
	skipped *RowsError // rows that could not be decoded
}

func (q Query[T]) pages() *pages[T] {
	return &pages[T]{query: q, more: true, left: q.top}
}

// next fetches a page. The rows are valid until the next call. With an error it returns the rows that came before it.
func (p *pages[T]) next(ctx context.Context) ([]T, error) {
	p.rows = p.rows[:0]
	err := p.query.client.send(ctx, request{
		method:   http.MethodGet,
		resource: p.query.resource,
		target:   p.target,
		read:     p.read,
	})
	return p.rows, err
}

// keyset reports whether pages are cut by id. An ordered query is answered in one piece.
func (p *pages[T]) keyset() bool { return len(p.query.orders) == 0 }

// size is how many rows the next request asks for; 0 means all.
func (p *pages[T]) size() int {
	if !p.keyset() {
		return p.query.top
	}
	size := p.query.pageSize
	if size <= 0 {
		size = p.query.client.config.PageSize
	}
	if p.query.top > 0 {
		size = min(size, p.left)
	}
	return size
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

// read takes in one answer. When that breaks off, the rows before the break are kept, and the next attempt asks for what is behind
// them; only an answer in one piece starts anew.
func (p *pages[T]) read(body io.Reader, redact func(error) error) (int, error) {
	if !p.keyset() {
		p.rows, p.skipped, p.left = p.rows[:0], nil, p.query.top
	}
	size, rows, before := p.size(), 0, p.last
	err := decodeRows(body, p.query.client.config.MaxRowSize, p.query.wanted(), func(row T, id int64, undecodable error) error {
		rows++
		if p.keyset() && id != 0 && id <= p.last {
			return fmt.Errorf("%w: id %d follows id %d although ascending ids were asked for", ErrMalformed, id, p.last)
		}
		p.last = max(p.last, id)
		if p.query.top > 0 && p.left == 0 {
			return nil // the server sends more than was asked for
		}
		if undecodable != nil {
			p.skip(id, redact(undecodable))
			return nil
		}
		p.rows = append(p.rows, row)
		p.left--
		return nil
	})
	if p.query.top > 0 && p.left == 0 && !errors.Is(err, ErrMalformed) {
		err = nil // if it broke off, then behind all that is wanted
	}
	p.more = p.keyset() && rows >= size && (p.query.top == 0 || p.left > 0)
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

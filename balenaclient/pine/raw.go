package pine

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Raw runs a query written by hand, such as "ship?$select=id,name&$filter=name eq 'Vasa'", and returns its rows, without paging. Spaces
// are encoded. All else is sent as it is: put strings through [Quote].
func Raw[T any](ctx context.Context, c *Client, query string) ([]T, error) {
	query = strings.ReplaceAll(strings.TrimPrefix(query, "/"), " ", space)
	if query == "" {
		return nil, fmt.Errorf("pine: %w: the query is empty", ErrInvalid)
	}
	if err := checkTarget(query); err != nil {
		return nil, fmt.Errorf("pine: query %q: %w", pathOf(query), err)
	}
	return fetchRows[T](ctx, c, request{
		method:   http.MethodGet,
		resource: pathOf(query),
		target:   func() string { return c.config.Root + "/" + query },
	}, nil)
}

// Quote renders a string as a literal for [Raw] and [RawFilter].
func Quote(s string) string { return quote(s) }

// RawFilter is a filter written by hand in the API's own dialect, for what the typed filters cannot express:
//
//	ships.Where(pine.RawFilter[Ship]("knots mul 2 gt 20 or name eq " + pine.Quote(name)))
//
// Spaces are encoded. All else is sent as it is: put strings through [Quote]. It can be combined with other filters, but not be used within
// [Links.Any], [Links.All] or [Link.Where], where columns have a prefix: write those by hand, too.
func RawFilter[T any](text string) Filter[T] {
	text = strings.ReplaceAll(text, " ", space)
	return Filter[T]{func(s scope) string {
		switch {
		case s.variable != "":
			return string(misplacedRaw)
		case text == "" || strings.ContainsAny(text, "&;"):
			return string(brokenRaw)
		}
		return text
	}}
}

// These mark a RawFilter that cannot be sent, for checkTarget.
const (
	misplacedRaw = '\x00'
	brokenRaw    = '\x01'
)

// checkTarget returns an error for what cannot be part of a URL.
func checkTarget(target string) error {
	i := strings.IndexFunc(target, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}#", r) })
	switch {
	case i < 0:
		return nil
	case target[i] == misplacedRaw:
		return fmt.Errorf("%w: a RawFilter cannot be used within Any, All or a link's Where: write those in the raw filter", ErrInvalid)
	case target[i] == brokenRaw:
		return fmt.Errorf("%w: a RawFilter is empty, or has an & or ; that would end it: put strings through Quote", ErrInvalid)
	}
	r, _ := utf8.DecodeRuneInString(target[i:])
	return fmt.Errorf("%w: it contains %q, which no URL may: put strings through Quote", ErrInvalid, r)
}

// As returns a query that decodes rows into another type, such as one that embeds T and has further fields, or one with fewer. Filters,
// columns, expansions and order stay. If the query selects nothing, it fetches the columns of S.
//
//	type Ship struct {
//		sea.Ship
//		Flag  string                     `json:"flag"`
//		Extra map[string]json.RawMessage `pine:"extra"` // all columns without a field
//	}
//	for ship, err := range pine.As[Ship](ships).All(ctx) { … }
//
// The field tagged `pine:"extra"` receives the columns of the response that have no field. A query for such a type that selects nothing
// fetches all columns that the server has, including large and secret ones.
func As[S, T any](q Query[T]) Query[S] {
	as := Query[S]{client: q.client, resource: q.resource, columns: q.columns, orders: q.orders, top: q.top, pageSize: q.pageSize,
		rules: q.rules, mustMatch: q.mustMatch, scope: q.scope}
	for _, f := range q.condition {
		as.condition = append(as.condition, Filter[S](f))
	}
	for _, e := range q.expansions {
		as.expansions = append(as.expansions, Expansion[S](e))
	}
	return as
}

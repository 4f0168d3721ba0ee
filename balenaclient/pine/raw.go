package pine

import (
	"context"
	"fmt"
	"strings"
)

// Raw runs a query written by hand, such as "ship?$select=id,name&$filter=name eq 'Vasa'", and returns its rows in one piece. Blanks may
// be written as such. All else stands as it is: put texts through [Quote].
func Raw[T any](ctx context.Context, c *Client, query string) ([]T, error) {
	query = strings.ReplaceAll(strings.TrimPrefix(query, "/"), " ", space)
	if i := strings.IndexFunc(query, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}#", r) }); i >= 0 || query == "" {
		return nil, fmt.Errorf("pine: query %q: %w: it is empty or has a character that no URL may have: put texts through Quote",
			pathOf(query), ErrInvalid)
	}
	return rowsAtOnce[T](ctx, c, pathOf(query), c.config.Root+"/"+query, nil)
}

// Quote renders a text as a literal for [Raw].
func Quote(text string) string { return quote(text) }

// As has the rows of a query read into another type, such as one that embeds T and has fields of its own, or one with less. Filters,
// columns, expansions and order stay. If the query selects nothing the columns are those of S.
//
//	type Ship struct {
//		sea.Ship
//		Flag  string                     `json:"flag"`
//		Extra map[string]json.RawMessage `pine:"extra"` // all columns that no other field takes
//	}
//	for ship, err := range pine.As[Ship](ships).All(ctx) { … }
//
// The field tagged `pine:"extra"` takes the columns of the answer that no other field takes. A query for a type with such a field
// that selects nothing fetches all columns that the server has, large and secret ones too.
func As[S, T any](q Query[T]) Query[S] {
	as := Query[S]{client: q.client, resource: q.resource, columns: q.columns, orders: q.orders, top: q.top, pageSize: q.pageSize,
		rules: q.rules, mustMatch: q.mustMatch}
	for _, f := range q.condition {
		as.condition = append(as.condition, Filter[S](f))
	}
	for _, e := range q.expansions {
		as.expansions = append(as.expansions, Expansion[S](e))
	}
	return as
}

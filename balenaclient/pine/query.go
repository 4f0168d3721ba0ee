package pine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Query is a query for rows of type T. It is an immutable value: each method returns a changed copy, and a query can be run any number of
// times, also concurrently.
//
// A query that starts with [From] can be run; one that starts with [Where] or [Select] describes the rows of an expansion.
type Query[T any] struct {
	client     *Client
	resource   string
	condition  []Filter[T]
	scope      int // how many of the conditions are the query's scope: see Scope
	columns    []string
	expansions []Expansion[T]
	orders     []string
	top        *int // nil if there is no limit
	pageSize   int
	rules      Rules
	mustMatch  bool
}

// From returns the query for all rows of a resource that the client's credentials may read. The rules apply to writes.
func From[T any](client *Client, resource string, rules ...Rules) Query[T] {
	q := Query[T]{client: client, resource: resource}
	for _, r := range rules {
		q.rules = r
	}
	return q
}

// Where returns a query that is not bound to a client, for an expansion: see [Query.Where].
func Where[T any](filters ...Filter[T]) Query[T] { return Query[T]{}.Where(filters...) }

// Select returns a query that is not bound to a client, for an expansion: see [Query.Select].
func Select[T any](columns ...Selectable[T]) Query[T] { return Query[T]{}.Select(columns...) }

// Where narrows the query to rows that match all filters, in addition to earlier ones.
func (q Query[T]) Where(filters ...Filter[T]) Query[T] {
	q.condition = append(slices.Clip(q.condition), filters...)
	return q
}

// Scope narrows the query to rows that match all the filters, as Where does, but does not count as the filter that Patch and
// Delete need. Call it before Where.
func (q Query[T]) Scope(filters ...Filter[T]) Query[T] {
	q = q.Where(filters...)
	q.scope = len(q.condition)
	return q
}

// With adds the filters, columns and expansions of another query, and its order and number of rows if it has them.
func (q Query[T]) With(other Query[T]) Query[T] {
	q = q.Where(other.condition...).Expand(other.expansions...)
	q.columns = append(slices.Clip(q.columns), other.columns...)
	if len(other.orders) > 0 {
		q.orders = other.orders
	}
	if other.top != nil {
		q.top = other.top
	}
	return q
}

// Select adds columns to those fetched. The id is always fetched. A query that selects nothing fetches the columns that the json tags of
// T name, except those tagged `pine:"optional"`.
//
// A row that lacks a selected column, or whose selected bool, number or id is null, cannot be decoded: it is skipped rather than read as
// zero. See [RowsError].
func (q Query[T]) Select(columns ...Selectable[T]) Query[T] {
	q.columns = slices.Clip(q.columns)
	var row T
	for _, column := range columns {
		q.columns = append(q.columns, column.columnOf(row))
	}
	return q
}

// Expand also fetches linked resources. To expand the same link twice, at any depth, is an error when the query runs: the server would
// return the last expansion only.
func (q Query[T]) Expand(expansions ...Expansion[T]) Query[T] {
	q.expansions = append(slices.Clip(q.expansions), expansions...)
	return q
}

// OrderBy orders the rows. An ordered query is not paged, since pages are cut by ascending id.
func (q Query[T]) OrderBy(orders ...Order[T]) Query[T] {
	q.orders = slices.Clip(q.orders)
	for _, order := range orders {
		q.orders = append(q.orders, order.text)
	}
	return q
}

// Top limits the number of rows. With 0 the query returns no rows and sends nothing. A negative limit is an error when the query runs.
func (q Query[T]) Top(n int) Query[T] {
	q.top = &n
	return q
}

// PageSize sets the number of rows per request, in place of [Config.PageSize].
func (q Query[T]) PageSize(n int) Query[T] {
	q.pageSize = n
	return q
}

// expansion renders q as the expansion of a navigation.
func expansion[R, S any](navigation string, q Query[S]) Expansion[R] {
	return Expansion[R]{
		navigation: navigation,
		text:       navigation + "(" + q.options(q.filter(), q.orders, q.top, ";") + ")",
		rows:       q.wanted(),
		optional:   q.optional(),
		fault:      q.fault(navigation),
	}
}

// wanted returns what each row of the response must have.
func (q Query[T]) wanted() *selection {
	wanted := &selection{expansions: make(map[string]*selection, len(q.expansions))}
	if len(q.columns) > 0 {
		wanted.columns = q.selected()
	}
	for _, expansion := range q.expansions {
		wanted.expansions[expansion.navigation] = expansion.rows
	}
	return wanted
}

// filter renders the query's condition; it is empty if there is none.
func (q Query[T]) filter() string {
	condition := conjunction(q.condition)
	if condition == nil {
		return ""
	}
	return condition(scope{})
}

// options renders the options of a query, separated by & in a URL and by ; within an expansion.
func (q Query[T]) options(filter string, orders []string, top *int, separator string) string {
	parts := []string{"$select=" + strings.Join(q.selected(), ",")}
	if len(q.expansions) > 0 {
		texts := make([]string, len(q.expansions))
		for i, expansion := range q.expansions {
			texts[i] = expansion.text
		}
		parts = append(parts, "$expand="+strings.Join(texts, ","))
	}
	if filter != "" {
		parts = append(parts, "$filter="+filter)
	}
	if len(orders) > 0 {
		parts = append(parts, "$orderby="+strings.Join(orders, ","))
	}
	if top != nil {
		parts = append(parts, "$top="+strconv.Itoa(*top))
	}
	return strings.Join(parts, separator)
}

// selected returns the columns to fetch: the id first, none twice, and none that is expanded.
func (q Query[T]) selected() []string {
	columns := q.columns
	if len(columns) == 0 {
		if shapeOf[T]().extra != nil {
			return []string{"*"}
		}
		columns = shapeOf[T]().columns
	}
	selected := []string{idColumn}
	for _, column := range columns {
		expanded := slices.ContainsFunc(q.expansions, func(e Expansion[T]) bool { return e.navigation == column })
		if !expanded && !slices.Contains(selected, column) {
			selected = append(selected, column)
		}
	}
	return selected
}

// String returns the query as it is sent: path and query of the first request, without the base URL. For a query that is not bound to a
// client it returns the options alone.
func (q Query[T]) String() string {
	if q.client == nil {
		return q.options(q.filter(), q.orders, q.top, ";")
	}
	return q.pages().target()
}

// check reports why the query cannot be run.
func (q Query[T]) check() error {
	if q.client == nil {
		return fmt.Errorf("pine: query on %T is not bound to a client: start it with From", *new(T))
	}
	if err := q.fault(q.resource); err != nil {
		return err
	}
	if err := checkTarget(q.options(q.filter(), q.orders, nil, "&")); err != nil {
		return fmt.Errorf("pine: query on %s: %w", q.resource, err)
	}
	return nil
}

// hint names the columns in the query that only some servers have. A server returns 500 for a column that it does not know.
func (q Query[T]) hint() string {
	names := q.optional()
	if len(names) == 0 {
		return ""
	}
	return "the server may not have " + strings.Join(names, ", ")
}

// optional returns the columns that the query and its expansions use and that are tagged `pine:"optional"`.
func (q Query[T]) optional() []string {
	text := strings.Join(append(slices.Concat(q.selected(), q.orders), q.filter()), " ")
	names := shapeOf[T]().optionalIn(text)
	for _, expansion := range q.expansions {
		names = append(names, expansion.optional...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fault returns what is wrong with the query or with one of its expansions. The name locates it in the error.
func (q Query[T]) fault(name string) error {
	if q.top != nil && *q.top < 0 {
		return fmt.Errorf("pine: query on %s: %w: Top(%d) is negative", name, ErrInvalid, *q.top)
	}
	for i, expansion := range q.expansions {
		if expansion.fault != nil {
			return expansion.fault
		}
		for _, earlier := range q.expansions[:i] {
			if earlier.navigation == expansion.navigation {
				return fmt.Errorf("pine: query on %s expands %s twice, and the server would return only the last: run two queries",
					name, expansion.navigation)
			}
		}
	}
	return nil
}

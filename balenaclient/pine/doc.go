// Package pine is a client for APIs served by pinejs, whose dialect of OData the balena API speaks. It implements queries, paging, retries
// and errors, but no particular model: package balenaclient adds balena's.
//
// Queries are immutable values. Fields carry the type of the rows that they belong to, so that a filter on the wrong resource, or a
// string compared with a bool, does not compile:
//
//	type Ship struct {
//		ID   pine.ID[Ship] `json:"id"`
//		Name string        `json:"name"`
//	}
//	const Name pine.Field[Ship, string] = "name"
//
//	ships := pine.From[Ship](client, "ship").Where(Name.Eq("O'Neil & Co."))
//	for ship, err := range ships.All(ctx) { … }
//
// Rows are fetched in pages by ascending id ("id gt LAST"), never with $skip, which was measured to miss up to a quarter of the rows under
// concurrent updates and to be several times slower.
//
// Rows are decoded by [github.com/go-json-experiment/json], which is encoding/json/v2: names are matched exactly. A row that cannot be
// decoded is skipped, see [RowsError], and so is one that lacks a selected column, see [Query.Select].
//
// The server parses the raw URL: commas and parentheses must not be percent-encoded, and the content of string literals must be. That
// rules out [net/url.Values].
package pine

// Package pine is a client for APIs served by pinejs, the OData dialect that the balena API speaks. It knows queries, paging, retries
// and errors, and no noun of any particular API: package balenaclient adds those.
//
// A query is an immutable value whose fields carry the row type they belong to, so that a filter on the wrong resource, or a string
// compared with a bool, does not compile:
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
// Rows are fetched in pages by ascending id ("id gt LAST"), never with $skip: under concurrent updates $skip was measured to miss
// up to a quarter of the rows, and it is several times slower.
//
// What the server parses is the raw URL. Commas and parentheses must not be percent-encoded there and the content of string literals
// must, which rules out [net/url.Values]; literal.go is the one place that escapes.
package pine

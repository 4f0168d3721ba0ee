package balenaclient

import (
	"context"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Pine is the generic client under this one, for resources and requests that this package does not know:
//
//	type Team struct {
//		ID   int64  `json:"id"`
//		Name string `json:"name"`
//	}
//	for team, err := range pine.From[Team](client.Pine(), "team").All(ctx) { … }
func (c *Client) Pine() *pine.Client { return c.pine }

// Raw runs a query written by hand, in the API's own dialect and into a type of the caller's own, and returns all its rows:
//
//	rows, err := balenaclient.Raw[row](ctx, client, "device?$select=id,uuid&$filter=is_online eq true")
//
// Blanks may be written as such. All else stands as it is: put texts through [pine.Quote], and nothing through [net/url]. What matters
// to the server is explained in the documentation of package pine.
func Raw[T any](ctx context.Context, c *Client, query string) ([]T, error) {
	return pine.Raw[T](ctx, c.pine, query)
}

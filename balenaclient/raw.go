package balenaclient

import (
	"context"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// Pine returns the generic client below this one, for resources and requests that this package does not know:
//
//	type Team struct {
//		ID   pine.ID[Team] `json:"id"`
//		Name string        `json:"name"`
//	}
//	for team, err := range pine.From[Team](client.Pine(), "team").All(ctx) { … }
//
//	restart := pine.Request{Method: http.MethodPost, Path: "/supervisor/v1/restart", Body: map[string]any{"uuid": uuid}}
//	err := client.Pine().Do(ctx, restart, nil)
func (c *Client) Pine() *pine.Client { return c.pine }

// Do sends a request that the typed API does not cover, with the client's credentials, retries and limits, and decodes the response into
// what result points to: see [pine.Client.Do].
//
//	var key string
//	err := client.Do(ctx, balenaclient.Request{Method: "POST", Path: "/api-key/user/full", Body: map[string]string{"name": "ci"}}, &key)
func (c *Client) Do(ctx context.Context, request Request, result any) error {
	return c.pine.Do(ctx, request, result)
}

// Raw runs a query written by hand and returns all its rows in a type of the caller:
//
//	rows, err := balenaclient.Raw[row](ctx, client, "device?$select=id,uuid&$filter=is_online eq true")
//
// Spaces are encoded; everything else is sent as it is. Encode strings with [Quote], never with [net/url].
func Raw[T any](ctx context.Context, c *Client, query string) ([]T, error) {
	return pine.Raw[T](ctx, c.pine, query)
}

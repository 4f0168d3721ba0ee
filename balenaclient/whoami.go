package balenaclient

import (
	"context"
	"fmt"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// WhoAmI identifies the credentials.
type WhoAmI struct {
	ActorID   ActorID `json:"id"`
	ActorType string  `json:"actorType"`   // user, device or application
	TypeID    int64   `json:"actorTypeId"` // id of the user, device or fleet
	Username  string  `json:"username"`    // of a user
	Email     string  `json:"email"`       // of a user; may be empty
	UUID      string  `json:"uuid"`        // of a device
	Slug      string  `json:"slug"`        // of a fleet
}

// WhoAmI checks the credentials: the error is [ErrUnauthorized] if they are missing, wrong or expired. A revoked key may keep working for
// some minutes.
func (c *Client) WhoAmI(ctx context.Context) (WhoAmI, error) {
	const path = "/actor/v1/whoami"
	who, err := pine.GetDocument[WhoAmI](ctx, c.pine, path)
	if err == nil && who.ActorType == "" {
		err = fmt.Errorf("GET %s: %w: the response names no actor", path, ErrMalformed)
	}
	return who, err
}

package balenaclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

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

// goodFor is how long credentials that were good are not checked again.
const goodFor = 5 * time.Minute

// credentials remembers when the credentials were last good.
type credentials struct {
	mu   sync.Mutex
	good time.Time
}

// checkCredentials returns [ErrUnauthorized] if the credentials are bad. It returns no other error: what was asked for was found not to
// exist.
func (c *Client) checkCredentials(ctx context.Context) error {
	c.credentials.mu.Lock()
	good := c.credentials.good
	c.credentials.mu.Unlock()
	if !good.IsZero() && time.Since(good) < goodFor {
		return nil
	}
	switch _, err := c.WhoAmI(ctx); {
	case errors.Is(err, ErrUnauthorized):
		return fmt.Errorf("nothing found, and the credentials are bad: %w", err)
	case err == nil:
		c.credentials.mu.Lock()
		c.credentials.good = time.Now()
		c.credentials.mu.Unlock()
	}
	return nil
}

package devicelogs

import (
	"context"
	"fmt"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	servicefields "github.com/otelcol-balena/balenareceiver/balenaclient/service"
)

const (
	// maxNames bounds what is remembered of services, of which an account may have some thousands.
	maxNames = 100_000

	// hiddenFor is how long a service that the credentials cannot read is taken for one that they cannot read.
	hiddenFor = time.Hour
)

// names are the names of services. It is safe for concurrent use.
type names struct {
	client *balenaclient.Client

	turn   chan struct{} // guards the maps, for the duration of a request too
	names  map[balenaclient.ServiceID]string
	hidden map[balenaclient.ServiceID]time.Time // since when
}

func newNames(client *balenaclient.Client) *names {
	return &names{client: client, turn: make(chan struct{}, 1), names: map[balenaclient.ServiceID]string{}, hidden: map[balenaclient.ServiceID]time.Time{}}
}

// get returns the name of a service, which most likely is one of the fleet. It is empty if the credentials cannot read the service. One
// request fetches all services of a fleet, so that the other devices of the fleet need none.
func (n *names) get(ctx context.Context, id balenaclient.ServiceID, of balenaclient.FleetID) (string, error) {
	if id == 0 {
		return "", nil
	}
	select {
	case n.turn <- struct{}{}:
		defer func() { <-n.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if name, known := n.names[id]; known {
		return name, nil
	}
	if since, hidden := n.hidden[id]; hidden && time.Since(since) < hiddenFor {
		return "", nil
	}
	if len(n.names)+len(n.hidden) > maxNames {
		clear(n.names)
		clear(n.hidden)
	}
	query := n.client.Services().Where(servicefields.ID.Eq(id).Or(servicefields.Fleet.Eq(of))).Select(servicefields.ID, servicefields.Name)
	for row, err := range query.All(ctx) {
		if err != nil {
			return "", fmt.Errorf("fetch the name of service %d: %w", id, err)
		}
		n.names[row.ID] = row.Name
	}
	name, known := n.names[id]
	if !known {
		n.hidden[id] = time.Now()
	}
	return name, nil
}

package receiver

import (
	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

type (
	fleetID      = balenaclient.FleetID
	deviceID     = balenaclient.DeviceID
	deviceTypeID = balenaclient.DeviceTypeID
	imageID      = balenaclient.ImageID
	releaseID    = balenaclient.ReleaseID
)

// rowSet is a set of rows by ID.
type rowSet[R any] map[pine.ID[R]]bool

func newRowSet[R any](ids ...pine.ID[R]) rowSet[R] {
	s := make(rowSet[R], len(ids))
	s.add(ids...)
	return s
}

func (s rowSet[R]) add(ids ...pine.ID[R]) {
	for _, id := range ids {
		s[id] = true
	}
}

type fleetSet = rowSet[balenaclient.Fleet]

// fleetSets holds a set of fleets for each kind of request.
type fleetSets map[requestKind]fleetSet

func (s fleetSets) add(kind requestKind, fleets ...fleetID) {
	if len(fleets) == 0 {
		return
	}
	if s[kind] == nil {
		s[kind] = fleetSet{}
	}
	s[kind].add(fleets...)
}

func (s fleetSets) has(kind requestKind, fleet fleetID) bool { return s[kind][fleet] }

package receiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestConnectivity_Observe(t *testing.T) {
	t.Parallel()
	const fleetA, fleetB = 1, 2
	at := func(minute int) instant {
		return instant(datasetTime.Add(time.Duration(minute) * time.Minute).UnixMilli())
	}
	online := func(event instant) deviceRow {
		return deviceRow{fleetID: fleetA, online: true, lastConnectivityEvent: event}
	}
	offline := func(event instant) deviceRow {
		return deviceRow{fleetID: fleetA, lastConnectivityEvent: event}
	}
	moved := func(d deviceRow) deviceRow {
		d.fleetID = fleetB
		return d
	}
	gone := deviceRow{}
	unknown := deviceRow{fleetID: -1} // the request failed
	for name, test := range map[string]struct {
		seen           []deviceRow // of one device, scrape by scrape
		lost, regained int64       // in fleet A
	}{
		"nothing in the first scrape":                            {[]deviceRow{offline(at(0))}, 0, 0},
		"nothing while it stays online":                          {[]deviceRow{online(at(0)), online(at(0)), online(at(0))}, 0, 0},
		"a loss":                                                 {[]deviceRow{online(at(0)), offline(at(1)), offline(at(1))}, 1, 0},
		"a loss and a return":                                    {[]deviceRow{online(at(0)), offline(at(1)), online(at(2))}, 1, 1},
		"a loss that falls into a failed scrape":                 {[]deviceRow{online(at(0)), unknown, offline(at(1)), offline(at(1))}, 1, 0},
		"a loss that the failed scrape follows":                  {[]deviceRow{online(at(0)), offline(at(1)), unknown, offline(at(1))}, 1, 0},
		"a loss by a clock that is behind ours":                  {[]deviceRow{online(at(-600)), offline(at(-599)), offline(at(-599))}, 1, 0},
		"a loss by a clock that is ahead of ours":                {[]deviceRow{online(at(600)), offline(at(601)), offline(at(601))}, 1, 0},
		"a loss and a return between two scrapes":                {[]deviceRow{online(at(0)), online(at(2))}, 1, 1},
		"a return and a loss between two scrapes":                {[]deviceRow{offline(at(0)), offline(at(2))}, 1, 1},
		"a first connection":                                     {[]deviceRow{offline(0), online(at(1))}, 0, 1},
		"a device without a time of its last event":              {[]deviceRow{online(at(0)), online(0)}, 0, 0},
		"a loss in the fleet that the device has moved to":       {[]deviceRow{moved(online(at(0))), offline(at(1))}, 1, 0},
		"a loss in the fleet that the device has moved away to":  {[]deviceRow{online(at(0)), moved(offline(at(1)))}, 0, 0},
		"a device that is deleted, which is not a loss":          {[]deviceRow{online(at(0)), gone}, 0, 0},
		"a device that is deleted and later registered, offline": {[]deviceRow{online(at(0)), gone, offline(at(1))}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConnectivity()
			var last *snapshot
			for _, d := range test.seen {
				r := newResponses(plan{metrics: map[requestKind]int{deviceRequest: 1}})
				r.listed = true
				r.labels = map[fleetID]string{fleetA: "a", fleetB: "b"}
				fleets := map[fleetID]*fleetEntity{fleetA: {id: fleetA, slug: "acme/a", devicesKnown: true}, fleetB: {id: fleetB, slug: "acme/b", devicesKnown: true}}
				s := &snapshot{fleets: []*fleetEntity{fleets[fleetA], fleets[fleetB]}}
				switch d.fleetID {
				case gone.fleetID:
				case unknown.fleetID:
					r.missing.add(deviceRequest, fleetA, fleetB)
				default:
					d.id = 7
					s.devices = append(s.devices, &deviceEntity{deviceRow: &d, fleet: fleets[d.fleetID]})
				}
				c.observe(s, r)
				last = s
			}
			assert.Equal(t, connections{lost: test.lost, regained: test.regained}, *last.fleets[0].connections)
		})
	}
}

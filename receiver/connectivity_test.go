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
	online := func(event instant) deviceEntity {
		return deviceEntity{fleetID: fleetA, online: true, lastConnectivityEvent: event}
	}
	offline := func(event instant) deviceEntity {
		return deviceEntity{fleetID: fleetA, lastConnectivityEvent: event}
	}
	moved := func(d deviceEntity) deviceEntity {
		d.fleetID = fleetB
		return d
	}
	gone := deviceEntity{}
	unknown := deviceEntity{fleetID: -1} // the request failed
	for name, test := range map[string]struct {
		seen           []deviceEntity // of one device, scrape by scrape
		lost, regained int64          // in fleet A
	}{
		"nothing in the first scrape":                            {[]deviceEntity{offline(at(0))}, 0, 0},
		"nothing while it stays online":                          {[]deviceEntity{online(at(0)), online(at(0)), online(at(0))}, 0, 0},
		"a loss":                                                 {[]deviceEntity{online(at(0)), offline(at(1)), offline(at(1))}, 1, 0},
		"a loss and a return":                                    {[]deviceEntity{online(at(0)), offline(at(1)), online(at(2))}, 1, 1},
		"a loss that falls into a failed scrape":                 {[]deviceEntity{online(at(0)), unknown, offline(at(1)), offline(at(1))}, 1, 0},
		"a loss that the failed scrape follows":                  {[]deviceEntity{online(at(0)), offline(at(1)), unknown, offline(at(1))}, 1, 0},
		"a loss by a clock that is behind ours":                  {[]deviceEntity{online(at(-600)), offline(at(-599)), offline(at(-599))}, 1, 0},
		"a loss by a clock that is ahead of ours":                {[]deviceEntity{online(at(600)), offline(at(601)), offline(at(601))}, 1, 0},
		"a loss and a return between two scrapes":                {[]deviceEntity{online(at(0)), online(at(2))}, 1, 1},
		"a return and a loss between two scrapes":                {[]deviceEntity{offline(at(0)), offline(at(2))}, 1, 1},
		"a first connection":                                     {[]deviceEntity{offline(0), online(at(1))}, 0, 1},
		"a device without a time of its last event":              {[]deviceEntity{online(at(0)), online(0)}, 0, 0},
		"a loss in the fleet that the device has moved to":       {[]deviceEntity{moved(online(at(0))), offline(at(1))}, 1, 0},
		"a loss in the fleet that the device has moved away to":  {[]deviceEntity{online(at(0)), moved(offline(at(1)))}, 0, 0},
		"a device that is deleted, which is not a loss":          {[]deviceEntity{online(at(0)), gone}, 0, 0},
		"a device that is deleted and later registered, offline": {[]deviceEntity{online(at(0)), gone, offline(at(1))}, 0, 0},
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
					r.unlisted.add(deviceRequest, fleetA, fleetB)
				default:
					d.id, d.fleet = 7, fleets[d.fleetID]
					s.devices = append(s.devices, &d)
				}
				c.observe(s, r)
				last = s
			}
			assert.Equal(t, connections{lost: test.lost, regained: test.regained}, *last.fleets[0].connections)
		})
	}
}

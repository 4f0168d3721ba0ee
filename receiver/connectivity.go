package receiver

import "maps"

// connectivity counts how often the devices of each fleet lost their connection and regained it, by comparing what was last known of
// each device with what is known now. No clock is involved: a scrape that fails or is late only delays the count.
type connectivity struct {
	devices map[deviceID]lastConnection
	fleets  map[fleetIdentity]*connections
}

// lastConnection is what was last known of a device's connection.
type lastConnection struct {
	online bool
	event  instant // when the server last wrote whether it is online
}

// connections counts changes of connection since the receiver started. It only grows.
type connections struct {
	lost, regained int64
}

// fleetIdentity is what identifies the series of a fleet. A fleet that is renamed has new ones, which begin at 0.
type fleetIdentity struct {
	id         fleetID
	name, slug string
}

func newConnectivity() *connectivity {
	return &connectivity{devices: map[deviceID]lastConnection{}, fleets: map[fleetIdentity]*connections{}}
}

// observe counts what has changed since the last snapshot. It must see a snapshot before devices are removed from it that cannot be
// identified.
func (c *connectivity) observe(s *snapshot, r *responses) {
	for _, d := range s.devices {
		now := lastConnection{online: d.online, event: d.lastConnectivityEvent}
		if before, known := c.devices[d.id]; known {
			c.of(d.fleet).count(before, now)
		}
		c.devices[d.id] = now
	}
	c.forgetGone(s, r)
	for _, f := range s.fleets {
		if f.devicesKnown {
			f.connections = new(*c.of(f))
		}
	}
}

func (c *connectivity) of(f *fleetEntity) *connections {
	identity := fleetIdentity{f.id, f.name, f.slug}
	if c.fleets[identity] == nil {
		c.fleets[identity] = &connections{}
	}
	return c.fleets[identity]
}

// count compares two observations. If they differ only in the time of the last event, the device went and came back, or came and went,
// in between: one loss and one return.
func (c *connections) count(before, now lastConnection) {
	switch {
	case before.online && !now.online:
		c.lost++
	case !before.online && now.online:
		c.regained++
	case before.event != now.event && now.event.known():
		c.lost++
		c.regained++
	}
}

// forgetGone forgets devices that are gone: those are not disconnections. A device that is missing may have moved to a fleet that could
// not be read.
func (c *connectivity) forgetGone(s *snapshot, r *responses) {
	if len(c.devices) == len(s.devices) || !r.hasAllDevices() {
		return
	}
	present := make(map[deviceID]bool, len(s.devices))
	for _, d := range s.devices {
		present[d.id] = true
	}
	maps.DeleteFunc(c.devices, func(id deviceID, _ lastConnection) bool { return !present[id] })
}

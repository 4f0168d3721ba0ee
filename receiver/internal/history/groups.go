package history

import (
	"maps"
	"slices"
)

// connectivity is what happened to the connections of a fleet's devices since the last observation.
type connectivity struct {
	wasOnline, wasOffline int
	lost, regained        []connectionChange
}

// connectionChange is a device and those of the changes, from first to before last, that come with its connection.
type connectionChange struct {
	device      *Device
	first, last int
}

func (r *observer) connectivityOf(fleet int64) *connectivity {
	c := r.connectivity[fleet]
	if c == nil {
		c = &connectivity{}
		r.connectivity[fleet] = c
	}
	return c
}

func (r *observer) countOnline(fleet int64, before bool) {
	if c := r.connectivityOf(fleet); before {
		c.wasOnline++
	} else {
		c.wasOffline++
	}
}

func (r *observer) noteConnectivity(now *Device, first int) {
	c := r.connectivityOf(now.FleetID)
	change := connectionChange{device: now, first: first, last: len(r.changes)}
	if now.Online {
		c.regained = append(c.regained, change)
	} else {
		c.lost = append(c.lost, change)
	}
}

// group returns a change for each fleet of which many devices were lost at once, or came back, and for the account if it is so for
// several fleets. The changes of the devices then bear its ID.
func (r *observer) group() []Change {
	lost := r.groupBy(FleetDevicesDisconnected, AccountDevicesDisconnected, func(c *connectivity) ([]connectionChange, int) {
		return c.lost, c.wasOnline
	})
	return append(lost, r.groupBy(FleetDevicesConnected, AccountDevicesConnected, func(c *connectivity) ([]connectionChange, int) {
		return c.regained, c.wasOffline
	})...)
}

func (r *observer) groupBy(ofFleet, ofAccount Kind, get func(*connectivity) (changes []connectionChange, of int)) []Change {
	var groups []Change
	account := Many{}
	for _, id := range slices.Sorted(maps.Keys(r.connectivity)) {
		f := r.fleets[id]
		devices, of := get(r.connectivity[id])
		if f == nil || len(devices) < max(r.thresholds.OutageDevices, 1) || float64(len(devices)) < r.thresholds.OutageShare*float64(of) {
			continue
		}
		c := r.newChange(ofFleet, f.resource())
		c.Many = &Many{Devices: len(devices), Of: of, Tags: r.tagsOfOnly(devices, id)}
		for _, device := range devices {
			for i := device.first; i < device.last; i++ {
				r.changes[i].Group = c.ID
			}
			c.At = max(c.At, r.changes[device.first].At)
		}
		groups = append(groups, c)
		account.Fleets++
		account.Devices += len(devices)
		account.Of += of
	}
	if account.Fleets > 1 {
		c := r.newChange(ofAccount, r.Account)
		c.Many = &account
		for i := range groups {
			groups[i].Group = c.ID
			c.At = max(c.At, groups[i].At)
		}
		groups = slices.Insert(groups, 0, c)
	}
	return groups
}

// tagsOfOnly returns the tags that all of these devices of a fleet have, and not all of the fleet's devices.
func (r *observer) tagsOfOnly(devices []connectionChange, fleet int64) []Tag {
	shared := slices.Clone(devices[0].device.Tags)
	for _, d := range devices[1:] {
		shared = slices.DeleteFunc(shared, func(tag Tag) bool { return !slices.Contains(d.device.Tags, tag) })
	}
	if len(shared) == 0 {
		return nil
	}
	others := map[Tag]bool{}
	for _, d := range r.devices {
		if d.FleetID != fleet {
			continue
		}
		for _, tag := range shared {
			if !slices.Contains(d.Tags, tag) {
				others[tag] = true
			}
		}
	}
	return slices.DeleteFunc(shared, func(tag Tag) bool { return !others[tag] })
}

package history

import (
	"maps"
	"slices"
)

func (r *observer) observeDevice(now *Device) {
	f, d := r.fleets[now.FleetID], r.devices[now.ID]
	if f == nil {
		if d != nil {
			d.round = r.round // it has moved to a fleet that has no name yet
		}
		return
	}
	if d == nil {
		r.addDevice(now, f)
		return
	}
	before := d.Device // a copy
	r.fill(now, &before)
	r.countOnline(now.FleetID, before.Online)
	d.round = r.round
	changed := now.DeviceFacts != before.DeviceFacts || !slices.Equal(now.Tags, before.Tags) || !slices.Equal(now.Services, before.Services) ||
		now.ServicesKnown != before.ServicesKnown
	if changed || d.Missing {
		d.Device, d.Missing = *now, false
		r.History.changed[now.FleetID] = true
		r.History.changed[before.FleetID] = true
	}
	if changed {
		r.compareDevice(&before, &d.Device, f)
	}
}

func (r *observer) addDevice(now *Device, f *fleet) {
	if !now.Identified {
		r.unidentified[f.ID] = true // it has no name yet under which it could be told of
		return
	}
	now.StorageHigh = now.StorageUtilization >= r.thresholds.StorageUtilization
	if f.DevicesSeen && !now.ReleasesKnown {
		now.RunningID, now.Running, now.PinnedID, now.Pinned = 0, "", 0, "" // they are told when they are known
	}
	r.devices[now.ID] = &device{Device: *now, round: r.round}
	r.History.changed[now.FleetID] = true
	if f.DevicesSeen {
		c := r.add(DeviceCreated, r.deviceResource(now))
		c.At, c.New = r.since(now.CreatedAt), new(*now)
		if now.PinnedID != 0 {
			r.add(DevicePinned, r.deviceResource(now)).fromTo("", now.Pinned)
		}
	}
}

// fill fills in what is not known now with what was last known.
func (r *observer) fill(now, before *Device) {
	if !now.Identified {
		now.Type, now.Tags = before.Type, before.Tags
	}
	if !now.ReleasesKnown {
		now.RunningID, now.Running, now.PinnedID, now.Pinned = before.RunningID, before.Running, before.PinnedID, before.Pinned
	}
	now.StorageHigh = before.StorageHigh
	if !now.HardwareKnown {
		now.Undervoltage = before.Undervoltage
	} else if used := now.StorageUtilization; used >= r.thresholds.StorageUtilization {
		now.StorageHigh = true
	} else if used >= 0 && used < r.thresholds.StorageUtilization-storageHysteresis {
		now.StorageHigh = false
	}
	if !now.ServicesKnown {
		now.Services, now.ServicesKnown = before.Services, before.ServicesKnown
	}
	if now.CreatedAt == 0 {
		now.CreatedAt = before.CreatedAt
	}
}

func (r *observer) compareDevice(before, now *Device, f *fleet) {
	add := func(kind Kind, from, to string) *Change { return r.add(kind, r.deviceResource(now)).fromTo(from, to) }
	if before.Name != now.Name {
		add(DeviceRenamed, before.Name, now.Name)
	}
	if before.FleetID != now.FleetID {
		add(DeviceMoved, r.slug(before.FleetID), f.Slug)
	}
	first := len(r.changes)
	r.compareConnectivity(before, now, add)
	if before.Status != now.Status {
		add(DeviceStatusChanged, before.Status, now.Status)
	}
	if before.Online != now.Online {
		r.noteConnectivity(now, first)
	}
	if before.RunningID != now.RunningID {
		add(DeviceReleaseChanged, before.Running, now.Running)
	}
	switch {
	case before.PinnedID == now.PinnedID:
	case now.PinnedID == 0:
		add(DeviceUnpinned, before.Pinned, "")
	default:
		add(DevicePinned, before.Pinned, now.Pinned)
	}
	if before.OS != now.OS {
		add(DeviceOSUpdated, before.OS, now.OS)
	}
	if before.Supervisor != now.Supervisor {
		add(DeviceSupervisorUpdated, before.Supervisor, now.Supervisor)
	}
	if before.Undervoltage != now.Undervoltage {
		add(pick(now.Undervoltage, DeviceUndervoltageDetected, DeviceUndervoltageCleared), "", "")
	}
	if before.StorageHigh != now.StorageHigh {
		add(pick(now.StorageHigh, DeviceStorageExceeded, DeviceStorageRecovered), "", "")
	}
	if before.ServicesKnown {
		r.compareServices(before.Services, now.Services, add)
	}
}

// compareConnectivity tells when a device was lost or came back. If nothing differs but the time of the last event, the device went and
// came back, or came and went, in between: the server tells the time of the second only.
func (r *observer) compareConnectivity(before, now *Device, add func(kind Kind, from, to string) *Change) {
	passed := now.Connectivity != before.Connectivity && now.Connectivity != 0
	at := now.Connectivity
	if !passed {
		at = 0
	}
	last := pick(now.Online, DeviceConnected, DeviceDisconnected)
	switch {
	case before.Online != now.Online:
		add(last, "", "").At = at
	case passed && before.Connectivity != 0:
		add(pick(now.Online, DeviceDisconnected, DeviceConnected), "", "")
		add(last, "", "").At = at
	}
}

func (r *observer) compareServices(before, now []Service, add func(kind Kind, from, to string) *Change) {
	was, is := statuses(before), statuses(now)
	names := maps.Clone(was)
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if was[name] != is[name] {
			add(DeviceServiceStatusChanged, was[name], is[name]).Service = name
		}
	}
}

func statuses(services []Service) map[string]string {
	byName := make(map[string]string, len(services))
	for _, s := range services {
		byName[s.Name] = s.Status
	}
	return byName
}

func (r *observer) removeDevices() {
	for _, id := range r.missing() {
		d := r.devices[id]
		if !r.GoneDevice(id, d.FleetID) {
			continue
		}
		r.History.changed[d.FleetID] = true
		if !d.Missing {
			d.Missing = true
			continue
		}
		r.add(DeviceDeleted, r.deviceResource(&d.Device))
		delete(r.devices, id)
	}
	for _, f := range r.Fleets {
		if known := r.fleets[f.ID]; known != nil && f.DevicesKnown && !known.DevicesSeen && !r.unidentified[f.ID] {
			known.DevicesSeen = true
			r.History.changed[f.ID] = true
		}
	}
}

// missing are the devices that were not found, by ascending ID.
func (r *observer) missing() []int64 {
	var ids []int64
	for id, d := range r.devices {
		if d.round != r.round {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (r *observer) deviceResource(d *Device) Resource {
	of := &DeviceResource{UUID: d.UUID, Name: d.Name, Type: d.Type, Tags: d.Tags}
	if f := r.fleets[d.FleetID]; f != nil {
		of.FleetName, of.FleetSlug = f.Name, f.Slug
	}
	return Resource{Device: of}
}

// slug is the slug of a fleet; empty if it is no longer known.
func (r *observer) slug(id int64) string {
	if f := r.fleets[id]; f != nil {
		return f.Slug
	}
	return ""
}

func pick(condition bool, yes, no Kind) Kind {
	if condition {
		return yes
	}
	return no
}

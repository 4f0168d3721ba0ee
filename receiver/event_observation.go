package receiver

import (
	"cmp"
	"iter"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/history"
)

// observation is the part of a snapshot that events are made of. It must be taken before devices are removed from the snapshot that
// cannot be identified.
func observation(s *snapshot, r *responses) history.Observation {
	o := history.Observation{
		At:        s.at,
		AllFleets: r.hasAllFleets(),
		Devices:   observedDevices(s, r),
		APIKeys:   observedAPIKeys(r),
		Account:   history.Resource{Account: new(s.receiver.account())},
		GoneFleet: func(fleet int64) bool { return r.goneFleet(fleetID(fleet)) },
		GoneDevice: func(device, fleet int64) bool {
			// It may have moved to a fleet whose devices could not be listed.
			return len(r.unlisted[deviceRequest]) == 0 && r.goneDevice(deviceID(device), fleetID(fleet))
		},
	}
	rollouts := observedRollouts(s)
	for _, f := range s.fleets {
		o.Fleets = append(o.Fleets, observedFleet(f, r, rollouts[f.id]))
	}
	for _, row := range r.recent {
		o.Releases = append(o.Releases, observedRelease(row))
	}
	return o
}

func observedFleet(f *fleetEntity, r *responses, rollout history.RolloutCounts) history.Fleet {
	return history.Fleet{
		ID: int64(f.id), Name: f.name, Slug: f.slug, Label: f.label, Tags: f.tags,
		Identified: r.identifiesFleet(f.id),
		CreatedAt:  int64(f.createdAt),
		TargetID:   int64(f.targetReleaseID), Target: releaseName(f.target, f.targetReleaseID), TargetKnown: f.targetKnown,
		DevicesKnown:        f.devicesKnown,
		RecentReleasesKnown: r.has(recentReleaseRequest, f.id),
		Rollout:             rollout,
	}
}

// observedRollouts counts the devices of each fleet in the rollout of its target release.
func observedRollouts(s *snapshot) map[fleetID]history.RolloutCounts {
	rollouts := map[fleetID]history.RolloutCounts{}
	for _, d := range s.devices {
		if d.fleet.targetReleaseID == 0 {
			continue
		}
		counts := rollouts[d.fleetID]
		switch d.rolloutState() {
		case rolloutOnTarget:
			counts.OnTarget++
		case rolloutPinned:
			counts.Pinned++
		case rolloutUpdating:
			counts.Updating++
		case rolloutFailing:
			counts.Failing++
		case rolloutBehind:
			counts.Behind++
		case rolloutUnreachable:
			counts.Unreachable++
		}
		rollouts[d.fleetID] = counts
	}
	return rollouts
}

func observedDevices(s *snapshot, r *responses) iter.Seq[history.Device] {
	return func(yield func(history.Device) bool) {
		for _, d := range s.devices {
			if !yield(observedDevice(d, r)) {
				return
			}
		}
	}
}

func observedDevice(d *deviceEntity, r *responses) history.Device {
	o := history.Device{
		DeviceFacts: history.DeviceFacts{
			ID: int64(d.id), FleetID: int64(d.fleetID), UUID: d.uuid, Name: d.name, Type: d.deviceType,
			CreatedAt: int64(d.createdAt),
			Online:    d.online, Connectivity: int64(d.lastConnectivityEvent),
			Status: d.status, OS: d.osVersion, Supervisor: d.supervisorVersion,
			RunningID: int64(d.runningID), Running: releaseName(d.running, d.runningID),
			PinnedID: int64(d.pinnedID), Pinned: pinName(d),
			Undervoltage: d.hardware.undervoltage,
		},
		Tags:               d.tags,
		Identified:         r.identifies(d.deviceRow),
		ReleasesKnown:      d.releasesKnown,
		HardwareKnown:      d.connected,
		StorageUtilization: d.hardware.storageUtilization(),
		ServicesKnown:      d.connected && d.servicesKnown && r.plan.needs(containerRequest),
	}
	for _, service := range d.services {
		o.Services = append(o.Services, history.Service{Name: service.name, Status: service.status})
	}
	return o
}

// pinName is the name of the release that a device is pinned to: its target.
func pinName(d *deviceEntity) string {
	if d.pinnedID == 0 {
		return ""
	}
	return releaseName(d.target, d.pinnedID)
}

// releaseName is what a person calls a release: its version, or else its commit. The credentials may not give access to it.
func releaseName(release *releaseEntity, id releaseID) string {
	switch {
	case id == 0:
		return ""
	case release == nil:
		return "unknown"
	}
	return cmp.Or(release.version, release.commit)
}

func observedRelease(row balenaclient.Release) history.Release {
	return history.Release{
		ID: int64(row.ID), FleetID: int64(row.Fleet.ID), Commit: row.Commit, Version: row.RawVersion, Status: row.Status, Final: row.IsFinal,
		CreatedAt: int64(newInstant(row.CreatedAt)), EndedAt: int64(newInstant(row.EndedAt)), FinalizedAt: int64(newInstant(row.FinalizedAt)),
	}
}

// observedAPIKeys are the keys that expire; nil if they are not known.
func observedAPIKeys(r *responses) []history.APIKey {
	if r.apiKeys == nil || r.failures[apiKeyRequest] != nil || r.failed(credentialRequest) {
		return nil
	}
	keys := make([]history.APIKey, 0, len(r.apiKeys))
	for _, key := range r.apiKeys {
		keys = append(keys, history.APIKey{Name: key.name, Expiry: key.expiry.UnixMilli()})
	}
	return keys
}

package history

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestChange_Sentence(t *testing.T) {
	t.Parallel()
	device := Resource{Device: &DeviceResource{UUID: "f00d", Name: "a", FleetSlug: "acme/kiosk"}}
	fleet := Resource{Fleet: &FleetResource{Slug: "acme/kiosk"}}
	release := Resource{Release: &ReleaseResource{Commit: "c0ffee", Version: "2.0.0", FleetSlug: "acme/kiosk"}}
	account := Resource{Account: &Account{Receiver: "balena"}}
	port := []Tag{{"site", "port"}}
	for want, c := range map[string]Change{
		"Device a of acme/kiosk was created":                                    {Kind: DeviceCreated, Resource: device},
		"Device f00d of acme/kiosk was created":                                 {Kind: DeviceCreated, Resource: Resource{Device: &DeviceResource{UUID: "f00d", FleetSlug: "acme/kiosk"}}},
		"Device a of acme/kiosk was deleted":                                    {Kind: DeviceDeleted, Resource: device},
		"Device a of acme/kiosk was renamed, from z":                            {Kind: DeviceRenamed, Resource: device, From: "z", To: "a"},
		"Device a was moved to acme/kiosk from acme/signs":                      {Kind: DeviceMoved, Resource: device, From: "acme/signs", To: "acme/kiosk"},
		"Device a was moved to acme/kiosk":                                      {Kind: DeviceMoved, Resource: device, To: "acme/kiosk"},
		"Device a of acme/kiosk connected":                                      {Kind: DeviceConnected, Resource: device},
		"Device a of acme/kiosk disconnected":                                   {Kind: DeviceDisconnected, Resource: device},
		"Device a of acme/kiosk is updating, was operational":                   {Kind: DeviceStatusChanged, Resource: device, From: "operational", To: "updating"},
		"Device a of acme/kiosk runs release 2.0.0, was 1.0.0":                  {Kind: DeviceReleaseChanged, Resource: device, From: "1.0.0", To: "2.0.0"},
		"Device a of acme/kiosk runs no release, was 1.0.0":                     {Kind: DeviceReleaseChanged, Resource: device, From: "1.0.0"},
		"Device a of acme/kiosk was pinned to release 2.0.0":                    {Kind: DevicePinned, Resource: device, To: "2.0.0"},
		"Device a of acme/kiosk is no longer pinned to release 2.0.0":           {Kind: DeviceUnpinned, Resource: device, From: "2.0.0"},
		"Device a of acme/kiosk runs balenaOS 6.1.0, was balenaOS 6.0.0":        {Kind: DeviceOSUpdated, Resource: device, From: "balenaOS 6.0.0", To: "balenaOS 6.1.0"},
		"Device a of acme/kiosk runs supervisor 17, was 16":                     {Kind: DeviceSupervisorUpdated, Resource: device, From: "16", To: "17"},
		"Device a of acme/kiosk had too low a supply voltage":                   {Kind: DeviceUndervoltageDetected, Resource: device},
		"Device a of acme/kiosk has sufficient supply voltage again":            {Kind: DeviceUndervoltageCleared, Resource: device},
		"Device a of acme/kiosk has nearly full storage":                        {Kind: DeviceStorageExceeded, Resource: device},
		"Device a of acme/kiosk has free storage again":                         {Kind: DeviceStorageRecovered, Resource: device},
		"Service main on device a of acme/kiosk is exited, was Running":         {Kind: DeviceServiceStatusChanged, Resource: device, Service: "main", From: "Running", To: "exited"},
		"Service main on device a of acme/kiosk is gone, was exited":            {Kind: DeviceServiceStatusChanged, Resource: device, Service: "main", From: "exited"},
		"Fleet acme/kiosk was created":                                          {Kind: FleetCreated, Resource: fleet},
		"Fleet acme/kiosk was deleted":                                          {Kind: FleetDeleted, Resource: fleet},
		"Fleet acme/kiosk was renamed, from acme/signs":                         {Kind: FleetRenamed, Resource: fleet, From: "acme/signs", To: "acme/kiosk"},
		"Fleet acme/kiosk has target release 2.0.0, was 1.0.0":                  {Kind: FleetTargetChanged, Resource: fleet, From: "1.0.0", To: "2.0.0"},
		"Fleet acme/kiosk has target release none, was 1.0.0":                   {Kind: FleetTargetChanged, Resource: fleet, From: "1.0.0"},
		"Fleet acme/kiosk lost 3 of its 4 online devices: those with site=port": {Kind: FleetDevicesDisconnected, Resource: fleet, Many: &Many{Devices: 3, Of: 4, Tags: port}},
		"Fleet acme/kiosk has 3 of its 4 offline devices back":                  {Kind: FleetDevicesConnected, Resource: fleet, Many: &Many{Devices: 3, Of: 4}},
		"Fleet acme/kiosk: rollout of release 2.0.0 has begun, 0 of 3 devices run it, 1 more cannot be reached": {
			Kind: RolloutBegun, Resource: fleet, To: "2.0.0", Rollout: &RolloutCounts{Behind: 3, Unreachable: 1}},
		"Fleet acme/kiosk: rollout of release 2.0.0 is stuck, 1 of 3 devices run it, 2 failed to update": {
			Kind: RolloutStuck, Resource: fleet, To: "2.0.0", Rollout: &RolloutCounts{OnTarget: 1, Failing: 2}},
		"Fleet acme/kiosk: rollout of release 2.0.0 is complete, 3 of 3 devices run it": {
			Kind: RolloutCompleted, Resource: fleet, To: "2.0.0", Rollout: &RolloutCounts{OnTarget: 3}},
		"Release 2.0.0 of acme/kiosk was created":            {Kind: ReleaseCreated, Resource: release},
		"Release 2.0.0 of acme/kiosk was finalized":          {Kind: ReleaseFinalized, Resource: release},
		"Build of release 2.0.0 of acme/kiosk succeeded":     {Kind: BuildSucceeded, Resource: release, To: "success"},
		"Build of release 2.0.0 of acme/kiosk ended: failed": {Kind: BuildFailed, Resource: release, To: "failed"},
		"2 fleets lost 30 of their 40 online devices":        {Kind: AccountDevicesDisconnected, Resource: account, Many: &Many{Devices: 30, Of: 40, Fleets: 2}},
		"2 fleets have 30 of their 40 offline devices back":  {Kind: AccountDevicesConnected, Resource: account, Many: &Many{Devices: 30, Of: 40, Fleets: 2}},
		"API key grafana expires at 2026-11-26T04:00:00Z":    {Kind: APIKeyExpiring, Resource: account, APIKey: "grafana", To: "2026-11-26T04:00:00Z"},
		"The session token expires at 2026-11-26T04:00:00Z":  {Kind: APIKeyExpiring, Resource: account, To: "2026-11-26T04:00:00Z"},
	} {
		assert.Equal(t, want, c.Sentence())
	}
}

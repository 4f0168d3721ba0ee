package model

import "time"

// Thresholds of the alerts in observability/rules, so that the page and the alerts agree. A test compares them.
const (
	fleetOnline        = 0.7 // of its registered devices
	fleetMissing       = 3
	massDisconnect     = 0.3 // of its devices that were online
	massDisconnectFrom = 5
	flappingFrom       = 6 // disconnections in an hour
	halfConnectedFor   = time.Hour
	storageFull        = 0.9
	cpuTemperature     = 80 // °C
	leftBehindAfter    = 7 * 24 * time.Hour

	lostFor      = 24 * time.Hour   // after which a device counts as dead
	rebootTime   = 10 * time.Minute // which a device may be off
	lostTogether = time.Hour        // within which the devices of an outage are lost
	stuckAfter   = 30 * time.Minute // without progress, twice
	smallestSite = 3                // sites with fewer devices fail by chance
	keyWarning   = 3 * 24 * time.Hour
)

// Thresholds of the page alone.
const (
	atOnce          = 2 * time.Minute // which nobody tells apart
	joinFrom        = 3               // fleets with the same trouble are one line
	failingFraction = 0.05
	failingFrom     = 2
	refsPerIssue    = 4
)

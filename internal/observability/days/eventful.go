package days

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// Eventful is half a day that dashboards are to explain: a few devices are dead, at 04:00 a release begins to roll out that some devices reject,
// at 09:30 the API fails for 10 minutes, and at 10:30 most devices of the third fleet go offline, and stay so.
func Eventful() (Day, error) {
	metrics, err := All()
	if err != nil {
		return Day{}, err
	}
	return Day{
		Length: 12 * time.Hour, Seed: 3, Metrics: metrics,
		Events: map[int]func(*balenasim.Simulator) error{0: Kill(0.05)},
		Scenario: &balenasim.Scenario{
			Fleets: 6, Devices: 72, Services: []string{"main", "agent"}, Releases: 3, Pinned: 0.05, TokenExpiresAfter: 60 * 24 * time.Hour,
			Life: balenasim.Life{
				ReportEvery: 5 * time.Minute, DropsPerDay: 4, OfflineFor: 4 * time.Minute, HeartbeatAfter: 15 * time.Minute, Hot: 0.03, DiskGrowth: 20,
				Undervolted: 0.02,
			},
			Rollout: &balenasim.Rollout{First: 4 * time.Hour, Every: 100 * time.Hour, Spread: 90 * time.Minute, Download: 10 * time.Minute, Failing: 0.08},
			Outages: []balenasim.Outage{{At: 630 * time.Minute, For: 5 * time.Hour, Share: 0.75, Fleets: []int{3}}},
			Faults: []balenasim.TimedFault{{
				At: 570 * time.Minute, For: 10 * time.Minute, Fault: balenasim.Fault{Kind: balenasim.Unavailable, Path: "/v7/device"},
			}},
		},
	}, nil
}

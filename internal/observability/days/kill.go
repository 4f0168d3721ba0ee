package days

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// Kill makes a part of the devices dead for months, evenly: they are registered, and nobody expects them back.
func Kill(part float64) func(*balenasim.Simulator) error {
	return func(sim *balenasim.Simulator) error {
		rows, err := sim.Rows("device")
		if err != nil {
			return err
		}
		for n, row := range rows {
			if int(float64(n+1)*part) == int(float64(n)*part) {
				continue
			}
			since := sim.Now().Add(-90 * 24 * time.Hour)
			if err := sim.Update("device", row["id"].(int64), map[string]any{
				"is_connected_to_vpn": false, "api_heartbeat_state": "offline", "last_vpn_event": since, "last_connectivity_event": since,
			}); err != nil {
				return err
			}
		}
		return nil
	}
}

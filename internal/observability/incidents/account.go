// Package incidents records what the receiver shows of incidents, and evaluates the alert rules over it by Prometheus' own engine.
package incidents

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

const token = "key"

// heartbeatAfter is how long a device without power seems to poll the API: 1.5 times its poll interval, by default of 15 minutes.
const heartbeatAfter = 22 * time.Minute

// account is one of three fleets and six sites that are spread over them. It lives by the minute.
type account struct {
	sim     *balenasim.Simulator
	start   time.Time
	fleets  []int64
	targets map[int64][2]int64 // the releases that a fleet targets before and after the rollout begins
	devices []*device
	apiDown bool
}

type device struct {
	id, fleet int64
	site      int
	dead      bool // for months
	pinned    bool
	never     bool // connected
	flapping  bool

	online    bool
	heartbeat string
	lostAt    time.Time // its network
	release   int64
	updating  int // minutes since the update began; 0 if none is in progress
	status    string
}

const (
	fleets  = 3
	sites   = 6
	devices = 36
)

func newAccount() (*account, error) {
	a := &account{start: time.Now(), targets: map[int64][2]int64{}}
	a.sim = balenasim.New(balenasim.WithToken(token), balenasim.WithNow(time.Now))
	var failed error
	insert := func(resource string, fields map[string]any) int64 {
		id, err := a.sim.Insert(resource, fields)
		if err != nil && failed == nil {
			failed = fmt.Errorf("insert %s: %w", resource, err)
		}
		return id
	}
	insert("user", map[string]any{"username": "admin", "actor": int64(1)})
	organization := insert("organization", map[string]any{"name": "acme", "handle": "acme"})
	deviceType := insert("device_type", map[string]any{"slug": "raspberrypi4-64", "name": "Raspberry Pi 4"})
	release := func(fleet int64, minor int, draft bool) int64 {
		fields := map[string]any{
			"belongs_to__application": fleet, "commit": fmt.Sprintf("commit-%d-%d", fleet, minor), "status": "success",
			"created_at": a.start.Add(-time.Hour), "start_timestamp": a.start.Add(-time.Hour), "end_timestamp": a.start.Add(-50 * time.Minute),
			"semver_major": int64(1), "semver_minor": int64(minor), "semver_patch": int64(0), "semver_prerelease": "", "semver_build": "", "variant": "",
			"is_finalized_at__date": a.start.Add(-50 * time.Minute), "revision": int64(0),
		}
		if draft {
			fields["revision"], fields["is_finalized_at__date"] = nil, nil
		}
		return insert("release", fields)
	}
	for n := range fleets {
		fleet := insert("application", map[string]any{
			"app_name": fmt.Sprintf("fleet-%d", n), "slug": fmt.Sprintf("acme/fleet-%d", n), "organization": organization,
			"is_for__device_type": deviceType,
		})
		a.fleets = append(a.fleets, fleet)
		a.targets[fleet] = [2]int64{release(fleet, 0, false), release(fleet, 1, false)}
		release(fleet, 2, true)
		if err := a.sim.Update("application", fleet, map[string]any{"should_be_running__release": a.targets[fleet][0]}); err != nil {
			return nil, err
		}
	}
	for n := range devices {
		d := &device{
			fleet: a.fleets[n%fleets], site: n / fleets % sites, heartbeat: "online", online: true,
			dead: n == 5 || n == 22, pinned: n == 7 || n == 20, never: n == 9, flapping: n == 11 || n == 30, status: "done",
		}
		d.release = a.targets[d.fleet][0]
		since := a.start.Add(-48 * time.Hour)
		fields := map[string]any{
			"device_name": fmt.Sprintf("device-%02d", n), "uuid": fmt.Sprintf("%032x", n+1), "belongs_to__application": d.fleet,
			"is_of__device_type": deviceType, "is_running__release": d.release, "update_status": "done", "status": "Idle",
			"is_online": true, "is_connected_to_vpn": true, "last_connectivity_event": since, "last_vpn_event": since,
			"api_heartbeat_state": "online", "changed_api_heartbeat_state_on__date": since, "os_version": "balenaOS 6.1.24",
		}
		switch {
		case d.dead:
			since = a.start.Add(-90 * 24 * time.Hour)
			for key, value := range map[string]any{
				"is_online": false, "is_connected_to_vpn": false, "api_heartbeat_state": "offline", "last_connectivity_event": since,
				"last_vpn_event": since,
			} {
				fields[key] = value
			}
			d.online, d.heartbeat = false, "offline"
		case d.never:
			fields = map[string]any{
				"device_name": "unboxed", "belongs_to__application": d.fleet, "is_of__device_type": deviceType,
			}
			d.online, d.heartbeat = false, "unknown"
		case d.pinned:
			fields["is_pinned_on__release"] = d.release
		}
		d.id = insert("device", fields)
		insert("device_tag", map[string]any{"device": d.id, "tag_key": "site", "value": fmt.Sprintf("site-%d", d.site)})
		a.devices = append(a.devices, d)
	}
	return a, failed
}

// minute is the time in a scenario.
func (a *account) minute() int { return int(time.Since(a.start) / time.Minute) }

// live brings the account to the current minute, with the incidents that are in progress.
func (a *account) live(active map[incident]bool) error {
	a.apiDown = active[apiDown]
	now, minute := time.Now(), a.minute()
	if minute == rolloutAt {
		for _, fleet := range a.fleets {
			if err := a.sim.Update("application", fleet, map[string]any{"should_be_running__release": a.targets[fleet][1]}); err != nil {
				return err
			}
		}
	}
	for n, d := range a.devices {
		if d.dead || d.never {
			continue
		}
		network := !(active[deviceLost] && n == lostDevice) && !(active[siteLost] && d.site == lostSite)
		vpn := network && !active[vpnLost] && !(d.flapping && minute%40 < 3)
		fields := map[string]any{}
		if vpn != d.online {
			d.online = vpn
			fields["is_online"], fields["is_connected_to_vpn"] = vpn, vpn
			fields["last_connectivity_event"], fields["last_vpn_event"] = now, now
		}
		if network {
			d.lostAt = time.Time{}
		} else if d.lostAt.IsZero() {
			d.lostAt = now
		}
		heartbeat := "online"
		if !network && now.Sub(d.lostAt) >= heartbeatAfter {
			heartbeat = "offline"
		}
		if heartbeat != d.heartbeat {
			d.heartbeat = heartbeat
			fields["api_heartbeat_state"], fields["changed_api_heartbeat_state_on__date"] = heartbeat, now
		}
		if network && minute > rolloutAt {
			d.update(n, minute, a.targets[d.fleet][1], active[rolloutStuck], fields)
		}
		if len(fields) > 0 {
			if err := a.sim.Update("device", d.id, fields); err != nil {
				return err
			}
		}
	}
	return nil
}

// update goes on with the rollout: one device after the other, each for some minutes.
func (d *device) update(n, minute int, target int64, stuck bool, fields map[string]any) {
	const download = 4
	if d.pinned || d.release == target || minute < rolloutAt+n {
		return
	}
	status := "downloading"
	switch d.updating++; {
	case stuck && n >= 12:
		status, d.updating = "rejected", 0
	case d.updating > download:
		status, d.release, d.updating = "done", target, 0
		fields["is_running__release"] = target
	}
	if status != d.status {
		d.status = status
		fields["update_status"] = status
	}
}

// RoundTrip implements http.RoundTripper.
func (a *account) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	if a.apiDown {
		recorder.WriteHeader(http.StatusServiceUnavailable)
	} else {
		a.sim.ServeHTTP(recorder, r)
	}
	response := recorder.Result()
	response.Request = r
	return response, nil
}

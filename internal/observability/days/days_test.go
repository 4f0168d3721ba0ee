package days

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/observability/engine"
)

// quiet is an account of three fleets in which nothing happens.
func quiet() *balenasim.Scenario {
	const never = 10_000 * time.Hour
	return &balenasim.Scenario{
		Fleets: 3, Devices: 30, Services: []string{"main", "agent"}, Releases: 2,
		Life: balenasim.Life{ReportEvery: never, OfflineFor: time.Minute, HeartbeatAfter: 15 * time.Minute},
	}
}

type event = func(*balenasim.Simulator) error

// device changes the nth device, counted from 0. Fleets take turns: device 0 is of fleet 0, device 1 of fleet 1.
func device(n int, fields map[string]any) event { return change("device", n, fields) }

// change changes the nth row of a resource.
func change(resource string, n int, fields map[string]any) event {
	return func(sim *balenasim.Simulator) error {
		rows, err := sim.Rows(resource)
		if err != nil {
			return err
		}
		return sim.Update(resource, rows[n]["id"].(int64), fields)
	}
}

func connected(online bool) map[string]any { return map[string]any{"is_connected_to_vpn": online} }

func all(events ...event) event {
	return func(sim *balenasim.Simulator) error {
		for _, event := range events {
			if err := event(sim); err != nil {
				return err
			}
		}
		return nil
	}
}

func inject(faults ...balenasim.Fault) event {
	return func(sim *balenasim.Simulator) error {
		for _, fault := range faults {
			if _, err := sim.Inject(fault); err != nil {
				return err
			}
		}
		return nil
	}
}

// inTurn injects one fault after another, each for so many minutes, from one minute to another.
func inTurn(from, to, minutes int, faults ...balenasim.Fault) map[int]event {
	events := map[int]event{to: healthy}
	for i := 0; from+i*minutes < to; i++ {
		events[from+i*minutes] = all(healthy, inject(faults[i%len(faults)]))
	}
	return events
}

// healthyScenario has what every account has.
func healthyScenario() *balenasim.Scenario {
	return &balenasim.Scenario{
		Fleets: 5, Devices: 150, Services: []string{"main", "agent"}, Releases: 3, Pinned: 0.05,
		Life: balenasim.Life{
			ReportEvery: 5 * time.Minute, DropsPerDay: 3, OfflineFor: 2 * time.Minute, HeartbeatAfter: 15 * time.Minute, Hot: 0.03, DiskGrowth: 5,
		},
		Rollout: &balenasim.Rollout{First: 12 * time.Hour, Every: 100 * time.Hour, Spread: 30 * time.Minute, Download: 5 * time.Minute},
	}
}

func healthy(sim *balenasim.Simulator) error { sim.ClearFaults(); return nil }

// lose takes the network from devices, whose heartbeats time out later.
func lose(events map[int]event, minute int, devices ...int) {
	for _, n := range devices {
		add(events, minute, device(n, connected(false)))
		add(events, minute+22, device(n, map[string]any{"api_heartbeat_state": "offline"}))
	}
}

func find(events map[int]event, minute int, devices ...int) {
	for _, n := range devices {
		add(events, minute, device(n, map[string]any{"is_connected_to_vpn": true, "api_heartbeat_state": "online"}))
	}
}

func add(events map[int]event, minute int, next event) {
	if before := events[minute]; before != nil {
		next = all(before, next)
	}
	events[minute] = next
}

// every returns the devices of a fleet.
func every(fleet int) (devices []int) {
	for n := fleet; n < quiet().Devices; n += quiet().Fleets {
		devices = append(devices, n)
	}
	return devices
}

// TestAlerts_Fire has a day for each alert. It fires in these minutes, for these, and nothing else does.
func TestAlerts_Fire(t *testing.T) {
	events := func(fill func(map[int]event)) map[int]event {
		m := map[int]event{}
		fill(m)
		return m
	}
	services := []string{"balena.device.service.status"}
	hardware := []string{"balena.device.cpu.temperature", "balena.device.undervoltage"}
	rollouts := []string{"balena.device.rollout.state", "balena.fleet.target_release.timestamp"}
	tests := map[string]struct {
		hours    int
		metrics  []string
		scenario func(*balenasim.Scenario)
		events   map[int]event
		copies   []Copy
		want     []string // alert, of what, first and last minute
	}{
		"a device loses its network": {
			hours:  2,
			events: events(func(m map[int]event) { lose(m, 10, 4); find(m, 90, 4) }),
			want:   []string{"BalenaDeviceOffline orchard-cameras-2-0004 42-89"},
		},
		"most of a fleet goes offline at once, and its devices get no alerts of their own": {
			hours:  4,
			events: events(func(m map[int]event) { lose(m, 10, every(1)[:8]...); find(m, 200, every(1)[:8]...) }),
			want:   []string{"BalenaFleetMassDisconnect orchard-cameras-2 12-74", "BalenaFleetOnlineShareLow orchard-cameras-2 70-204"},
		},
		"two Collectors report that most of a fleet goes offline at once": {
			hours:  4,
			copies: []Copy{{Resource: map[string]any{"replica": "a"}}, {Resource: map[string]any{"replica": "b"}}},
			events: events(func(m map[int]event) { lose(m, 10, every(1)[:8]...); find(m, 200, every(1)[:8]...) }),
			want:   []string{"BalenaFleetMassDisconnect orchard-cameras-2 12-74", "BalenaFleetOnlineShareLow orchard-cameras-2 70-204"},
		},
		"a fleet loses its power while the VPN has an incident": {
			hours: 2,
			events: events(func(m map[int]event) {
				for fleet := range quiet().Fleets {
					for _, n := range every(fleet) {
						add(m, 10, device(n, connected(false)))
						add(m, 100, device(n, connected(true)))
					}
				}
				for _, n := range every(1) {
					add(m, 40, device(n, map[string]any{"api_heartbeat_state": "offline"}))
				}
				find(m, 65, every(1)...)
			}),
			want: []string{"BalenaFleetMassDisconnect orchard-cameras-2 42-69", "BalenaVPNIncident 15-99"},
		},
		"a fleet loses device after device": {
			hours: 10,
			events: events(func(m map[int]event) {
				for i, n := range every(2)[:5] {
					lose(m, 10+90*i, n)
				}
			}),
			want: []string{
				"BalenaDeviceOffline quarry-cameras-3-0002 42-293", "BalenaDeviceOffline quarry-cameras-3-0005 132-293",
				"BalenaDeviceOffline quarry-cameras-3-0008 222-293",
				"BalenaFleetOnlineShareLow quarry-cameras-3 295-599",
			},
		},
		"a fleet has three devices off, and goes below the threshold with a fourth now and then": {
			hours: 4,
			events: events(func(m map[int]event) {
				lose(m, 10, every(2)[:3]...)
				for minute := 20; minute < 230; minute += 20 {
					add(m, minute, device(every(2)[4], connected(false)))
					find(m, minute+10, every(2)[4])
				}
			}),
			want: []string{
				"BalenaDeviceOffline quarry-cameras-3-0002 42-239", "BalenaDeviceOffline quarry-cameras-3-0005 42-239",
				"BalenaDeviceOffline quarry-cameras-3-0008 42-239",
			},
		},
		"a device flaps": {
			hours: 3,
			events: events(func(m map[int]event) {
				for minute := 10; minute < 100; minute += 8 {
					lose(m, minute, 3)
					delete(m, minute+22)
				}
				for minute := 10; minute < 100; minute += 8 {
					find(m, minute+2, 3)
				}
			}),
			want: []string{"BalenaDeviceFlapping harbour-cameras-1-0003 55-116"},
		},
		"a device is off the VPN and polls the API": {
			hours:  3,
			events: events(func(m map[int]event) { m[10] = device(6, connected(false)); find(m, 150, 6) }),
			want:   []string{"BalenaDeviceHeartbeatWithoutVPN harbour-cameras-1-0006 75-149"},
		},
		"a device is on the VPN and does not poll the API": {
			hours: 3,
			events: events(func(m map[int]event) {
				m[10] = device(6, map[string]any{"api_heartbeat_state": "offline"})
				m[150] = device(6, map[string]any{"api_heartbeat_state": "online"})
			}),
			want: []string{"BalenaDeviceVPNWithoutHeartbeat harbour-cameras-1-0006 40-149"},
		},
		"a device's storage is full": {
			hours: 2,
			events: events(func(m map[int]event) {
				m[10] = device(2, map[string]any{"storage_usage": int64(26000)})
				m[60] = device(2, map[string]any{"storage_usage": int64(9000)})
			}),
			want: []string{"BalenaDeviceStorageFull quarry-cameras-3-0002 25-59"},
		},
		"a device's storage fills steadily": {
			hours: 8,
			events: events(func(m map[int]event) {
				for minute := 0; minute < 480; minute += 10 {
					m[minute] = device(2, map[string]any{"storage_usage": int64(17500 + 10*minute)})
				}
			}),
			want: []string{"BalenaDeviceStorageFilling quarry-cameras-3-0002 210-479"},
		},
		"a device overheats, and another only for ten minutes at a time": {
			hours: 3, metrics: hardware,
			events: events(func(m map[int]event) {
				m[10] = device(7, map[string]any{"cpu_temp": int64(85)})
				m[60] = device(7, map[string]any{"cpu_temp": int64(75)})
				for minute := 0; minute < 170; minute += 20 {
					add(m, minute, device(8, map[string]any{"cpu_temp": int64(90)}))
					add(m, minute+10, device(8, map[string]any{"cpu_temp": int64(60)}))
				}
			}),
			want: []string{"BalenaDeviceOverheating orchard-cameras-2-0007 25-59"},
		},
		"a device overheated last when it went offline: what is latched is not reported": {
			hours: 2, metrics: hardware,
			events: events(func(m map[int]event) {
				m[10] = device(7, map[string]any{"cpu_temp": int64(85), "is_undervolted": true, "storage_usage": int64(28000)})
				lose(m, 20, 7)
				find(m, 45, 7)
				add(m, 45, device(7, map[string]any{"cpu_temp": int64(50), "is_undervolted": false, "storage_usage": int64(2000)}))
			}),
		},
		"a device's power supply is weak, and another's dips": {
			hours: 3, metrics: hardware,
			events: events(func(m map[int]event) {
				m[10] = all(device(7, map[string]any{"is_undervolted": true}), device(8, map[string]any{"is_undervolted": true}))
				m[15] = device(8, map[string]any{"is_undervolted": false})
				m[100] = device(7, map[string]any{"is_undervolted": false})
			}),
			want: []string{"BalenaDeviceUndervoltage orchard-cameras-2-0007 40-99"},
		},
		"a service exits": {
			hours: 2, metrics: services,
			events: events(func(m map[int]event) {
				m[10] = change("image_install", 3, map[string]any{"status": "exited"})
				m[90] = change("image_install", 3, map[string]any{"status": "Running"})
			}),
			want: []string{"BalenaServiceNotRunning agent orchard-cameras-2-0001 40-89"},
		},
		"a release is never installed on a device, and another is pinned": {
			hours: 4, metrics: rollouts,
			events: events(func(m map[int]event) {
				long := Begin.Add(-40 * 24 * time.Hour)
				m[0] = change("release", 1, map[string]any{"is_finalized_at__date": long})
				m[10] = func(sim *balenasim.Simulator) error {
					releases, err := sim.Rows("release")
					if err != nil {
						return err
					}
					old := releases[0]["id"]
					return all(device(0, map[string]any{"is_running__release": old}), device(3, map[string]any{
						"is_running__release": old, "is_pinned_on__release": old,
					}))(sim)
				}
			}),
			want: []string{
				"BalenaDeviceLeftBehind harbour-cameras-1-0000 70-239", "BalenaDevicePinnedTooLong harbour-cameras-1-0003 70-239",
				"BalenaRolloutStuck harbour-cameras-1 69-239",
			},
		},
		"a build fails, and the next one succeeds": {
			hours: 2,
			events: events(func(m map[int]event) {
				build := func(n int, status string) event {
					return func(sim *balenasim.Simulator) error {
						fleets, err := sim.Rows("application", "app_name")
						if err != nil {
							return err
						}
						for _, fleet := range fleets {
							if fleet["app_name"] == "orchard-cameras-2" {
								_, err = sim.Insert("release", map[string]any{
									"belongs_to__application": fleet["id"], "commit": fmt.Sprintf("c%d", n), "status": status,
									"created_at": sim.Now(), "start_timestamp": sim.Now(), "end_timestamp": sim.Now(),
									"semver_major": int64(1), "semver_minor": int64(10 + n), "semver_patch": int64(0),
								})
							}
						}
						return err
					}
				}
				m[10], m[60] = build(1, "failed"), build(2, "success")
			}),
			want: []string{"BalenaBuildFailing orchard-cameras-2 15-59"},
		},
		"the API fails now and then, and retries get through": {
			hours:  2,
			events: map[int]event{10: inject(balenasim.Fault{Kind: balenasim.BadGateway, Every: 3}), 60: healthy},
			want:   []string{"BalenaAPIErrors balena 20-73"},
		},
		"the API throttles": {
			hours:  2,
			events: map[int]event{10: inject(balenasim.Fault{Kind: balenasim.RateLimit, Every: 4, RetryAfter: "seconds", Delay: 10 * time.Second}), 60: healthy},
			want:   []string{"BalenaAPIThrottled balena 17-73"},
		},
		"scrapes fail now here, now there": {
			hours: 3,
			events: inTurn(10, 100, 5, balenasim.Fault{Kind: balenasim.Unauthorized, Path: "/v7/device"},
				balenasim.Fault{Kind: balenasim.Unauthorized, Path: "/v7/release"}),
			want: []string{"BalenaSnapshotStale balena 41-99"},
		},
		"the Collector is away": {
			hours: 2, copies: []Copy{{Lost: [2]int{10, 60}}},
			want: []string{"BalenaMetricsAbsent 19-59"},
		},
		"one of two shards is away": {
			hours: 2, copies: []Copy{
				{Receiver: map[string]any{"balena.shard.index": 0}},
				{Receiver: map[string]any{"balena.shard.index": 1}, Lost: [2]int{10, 60}},
			},
			want: []string{"BalenaReceiverAbsent balena 19-59"},
		},
		"one kind of request fails": {
			hours:  2,
			events: map[int]event{10: inject(balenasim.Fault{Kind: balenasim.ServerError, Path: "/v7/release"}), 60: healthy},
			// One request in six: it takes some ten minutes until a tenth of those of the last 15 have failed.
			want: []string{"BalenaAPIErrors balena 30-62", "BalenaScrapeIncomplete balena 25-59", "BalenaSnapshotStale balena 41-59"},
		},
		"the API is down": {
			hours:  2,
			events: map[int]event{10: inject(balenasim.Fault{Kind: balenasim.Unavailable}), 60: healthy},
			want:   []string{"BalenaAPIDown balena 15-64", "BalenaAPIErrors balena 20-73", "BalenaSnapshotStale balena 41-59"},
		},
		"the API is down, with one error after another": {
			hours:  2,
			events: inTurn(10, 60, 1, balenasim.Fault{Kind: balenasim.Unavailable}, balenasim.Fault{Kind: balenasim.BadGateway}),
			want:   []string{"BalenaAPIDown balena 15-64", "BalenaAPIErrors balena 20-73", "BalenaSnapshotStale balena 41-59"},
		},
		"the API refuses every key, and cannot say why": {
			hours: 2,
			events: map[int]event{
				10: inject(balenasim.Fault{Kind: balenasim.Unauthorized, Path: "/v7/*"}, balenasim.Fault{Kind: balenasim.Unavailable, Path: "/actor/*"}),
				60: healthy,
			},
			want: []string{"BalenaAPIDown balena 15-64", "BalenaAPIErrors balena 20-73", "BalenaSnapshotStale balena 41-59"},
		},
		"no scrape is complete from the start, for one reason or another": {
			hours: 2,
			events: inTurn(0, 100, 5, balenasim.Fault{Kind: balenasim.Unauthorized, Path: "/v7/device"},
				balenasim.Fault{Kind: balenasim.Unauthorized, Path: "/v7/release"}),
			want: []string{"BalenaSnapshotStale balena 30-99"},
		},
		"the token is revoked": {
			hours: 2,
			events: map[int]event{
				10: func(sim *balenasim.Simulator) error { sim.RevokeKey(token); return nil },
				60: func(sim *balenasim.Simulator) error { sim.AddUserKey(token, time.Time{}); return nil },
			},
			want: []string{"BalenaAPIKeyRejected balena 13-64", "BalenaSnapshotStale balena 41-59"},
		},
		"the key expires in less than three days": {
			hours:    2,
			scenario: func(sc *balenasim.Scenario) { sc.TokenExpiresAfter = 73 * time.Hour },
			want:     []string{"BalenaAPIKeyExpiresSoon 60-119"},
		},
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		test := tests[name]
		t.Run(name, func(t *testing.T) {
			scenario := quiet()
			if test.scenario != nil {
				test.scenario(scenario)
			}
			e := Live(t, Day{Scenario: scenario, Length: time.Duration(test.hours) * time.Hour, Metrics: test.metrics, Events: test.events, Copies: test.copies})
			got := describe(e.Fired())
			slices.Sort(test.want)
			if !slices.EqualFunc(got, test.want, agree) {
				t.Errorf("fired\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(test.want, "\n\t"))
			}
		})
	}
}

// describe writes what fired as in "BalenaDeviceOffline harbour-cameras-1-0003 12-40".
func describe(fired []*engine.Firing) (lines []string) {
	for _, f := range fired {
		words := []string{f.Alert}
		for _, label := range []string{"balena_service_name", "balena_device_name", "error_type", "receiver"} {
			value, _, _ := strings.Cut(f.Labels.Get(label), "/") // less the number that the test gives the receiver
			if value != "" {
				words = append(words, value)
			}
		}
		if _, fleet, ok := strings.Cut(f.Labels.Get("balena_fleet_slug"), "/"); ok && f.Labels.Get("balena_device_name") == "" {
			words = append(words, fleet)
		}
		if name, _, _ := strings.Cut(f.Labels.Get("balena_receiver_name"), "/"); name != "" && len(words) == 1 && f.Alert != "BalenaAPIKeyExpiresSoon" {
			words = append(words, name)
		}
		minute := func(at time.Time) int { return int(at.Sub(Begin) / time.Minute) }
		lines = append(lines, fmt.Sprintf("%s %d-%d", strings.Join(words, " "), minute(f.From), minute(f.To)))
	}
	slices.Sort(lines)
	return lines
}

// agree allows for 3 minutes: retries are spread by chance, and of concurrent requests another one may be hit by a fault.
func agree(a, b string) bool {
	var from, to [2]int
	var what [2]string
	for i, s := range []string{a, b} {
		cut := strings.LastIndexByte(s, ' ')
		what[i] = s[:cut]
		if _, err := fmt.Sscanf(s[cut+1:], "%d-%d", &from[i], &to[i]); err != nil {
			return false
		}
	}
	near := func(minutes [2]int) bool { return max(minutes[0]-minutes[1], minutes[1]-minutes[0]) <= 3 }
	return what[0] == what[1] && near(from) && near(to)
}

// TestAlerts_ShippedScenarios lets the demos live for hours. What fires is what they are made to show.
func TestAlerts_ShippedScenarios(t *testing.T) {
	metrics, err := All()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		hours int
		want  []string
	}{
		"calm":    {4, []string{"BalenaDeviceUndervoltage"}},                       // 2 % of the devices have it all the time
		"rollout": {3, nil},                                                        // updates that devices reject are repeated each hour
		"outage":  {2, []string{"BalenaFleetMassDisconnect", "BalenaSiteOffline"}}, // 60 % of two fleets, and with them a site
		// Outages of 30 % of everything, devices that disconnect twice an hour, and 10 % undervolted ones.
		"noisy": {1, []string{"BalenaDeviceFlapping", "BalenaDeviceUndervoltage", "BalenaFleetMassDisconnect"}},
	}
	for _, name := range balenasim.Scenarios() {
		t.Run(name, func(t *testing.T) {
			test, ok := tests[name]
			if !ok {
				t.Fatal("say here which alerts this scenario fires")
			}
			scenario, err := balenasim.ShippedScenario(name)
			if err != nil {
				t.Fatal(err)
			}
			e := Live(t, Day{Scenario: scenario, Length: time.Duration(test.hours) * time.Hour, Metrics: metrics})
			var got []string
			for _, f := range e.Fired() {
				got = append(got, f.Alert)
			}
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, test.want) {
				t.Errorf("fired %s, want %s\n\t%s", got, test.want, strings.Join(describe(e.Fired()), "\n\t"))
			}
		})
	}
}

// TestAlerts_HealthyDay is a day of 150 devices, of which 5 % are dead, others drop now and then, and which get a release at noon.
// Nothing fires.
func TestAlerts_HealthyDay(t *testing.T) {
	metrics, err := All()
	if err != nil {
		t.Fatal(err)
	}
	scenario := healthyScenario()
	e := Live(t, Day{Scenario: scenario, Length: 24 * time.Hour, Metrics: metrics, Events: map[int]event{0: Kill(0.05)}})
	if fired := describe(e.Fired()); len(fired) > 0 {
		t.Errorf("fired\n\t%s", strings.Join(fired, "\n\t"))
	}
}

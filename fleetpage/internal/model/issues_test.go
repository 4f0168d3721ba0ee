package model

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStore_Current_Issues(t *testing.T) {
	ago := func(d time.Duration) time.Time { return day.Add(-d) }
	lost := func(f *feed, slug string, n int, since time.Time, more ...sample) {
		for i := range n {
			f.offline(slug, fmt.Sprintf("lost-%s-%d", slug[len("acme/"):], i), since.Add(time.Duration(i)*time.Second), more...)
		}
	}
	for name, test := range map[string]struct {
		feed func(*feed)
		want []string
	}{
		"a healthy fleet is no issue": {
			func(f *feed) { f.receiver("balena"); f.counts("acme/kiosks", 1, 1); f.online("acme/kiosks", "a") }, nil,
		},
		"devices lost at once are one line with its fleet, how many and since when": {
			func(f *feed) { f.counts("acme/kiosks", 10, 16); lost(f, "acme/kiosks", 6, ago(20*time.Minute)) },
			[]string{"critical kiosks: 6 of 16 devices lost their connection at once, since 11:40"},
		},
		"devices lost within an hour are one line too": {
			func(f *feed) {
				f.counts("acme/kiosks", 10, 16)
				for i := range 6 {
					f.offline("acme/kiosks", fmt.Sprint(i), ago(time.Hour-time.Duration(i)*9*time.Minute))
				}
			},
			[]string{"critical kiosks: 6 of 16 devices lost their connection within 46 minutes, since 11:00"},
		},
		"few devices of a large fleet are not an outage": {
			func(f *feed) { f.counts("acme/kiosks", 94, 100); lost(f, "acme/kiosks", 6, ago(20*time.Minute)) },
			[]string{"notice kiosks: 6 devices offline, since 11:40"},
		},
		"devices that were never connected are not missing": {
			func(f *feed) {
				f.counts("acme/kiosks", 0, 10, sample{"balena.fleet.device.status", 10, attributes{"balena.device.status": "inactive"}})
			}, nil,
		},
		"devices that were connected once are": {
			func(f *feed) {
				f.counts("acme/kiosks", 0, 10, sample{"balena.fleet.device.status", 7, attributes{"balena.device.status": "inactive"}})
			},
			[]string{"warning kiosks: only 0 of 10 devices are online, since 12:00"},
		},
		"a device that has just been lost may reboot": {
			func(f *feed) { f.counts("acme/kiosks", 9, 10); f.offline("acme/kiosks", "a", ago(9*time.Minute)) }, nil,
		},
		"three fleets that fail together are one line": {
			func(f *feed) {
				for _, slug := range []string{"acme/a", "acme/b", "acme/c"} {
					f.counts(slug, 0, 5)
					lost(f, slug, 5, ago(20*time.Minute))
				}
			},
			[]string{"critical 3 fleets: 15 devices lost their connection at once, since 11:40"},
		},
		"many fleets with the same trouble are one line": {
			func(f *feed) {
				for i, slug := range []string{"acme/a", "acme/b", "acme/c"} {
					f.counts(slug, 10, 10, target(fmt.Sprint("2.0.", i)), rollout("failing", 2))
					f.online(slug, slug[len("acme/"):], sample{"balena.device.storage.utilization", 0.95, nil})
				}
			},
			[]string{"warning 3 fleets: 6 devices rejected their target release, since 12:00", "notice 3 fleets: 3 devices nearly full, since 12:00"},
		},
		"many fleets that reject the same release are one line with its name": {
			func(f *feed) {
				for _, slug := range []string{"acme/a", "acme/b", "acme/c"} {
					f.counts(slug, 10, 10, target("2.0.0"), rollout("failing", 2))
				}
			},
			[]string{"warning 3 fleets: 6 devices rejected release 2.0.0, since 12:00"},
		},
		"a fleet with too few devices online, lost one by one": {
			func(f *feed) {
				f.counts("acme/kiosks", 6, 9)
				for i := range 3 {
					f.offline("acme/kiosks", fmt.Sprint(i), ago(time.Duration(2+3*i)*time.Hour))
				}
			},
			[]string{"warning kiosks: only 6 of 9 devices are online, since 12:00"},
		},
		"two missing devices of a small fleet are not too few": {
			func(f *feed) { f.counts("acme/kiosks", 1, 3) }, nil,
		},
		"a site without any device online is one line": {
			func(f *feed) {
				f.counts("acme/kiosks", 10, 13)
				for i := range 3 {
					resource := deviceOf("acme/kiosks", fmt.Sprint(i))
					resource["balena.device.tag.site"] = "north"
					f.add(resource, connected(0, "disconnected", ago(30*time.Minute))...)
				}
			},
			[]string{"critical Site north: no device is online; 3 were lost, since 11:30"},
		},
		"most devices off the VPN are one line, and none is lost": {
			func(f *feed) {
				reduced := sample{"balena.fleet.device.status", 6, attributes{"balena.device.status": "reduced-functionality"}}
				f.add(fleetOf("acme/kiosks"), sample{"balena.devices.online", 0, nil}, sample{"balena.fleet.device.registered", 6, nil}, reduced)
				for i := range 6 {
					f.add(deviceOf("acme/kiosks", fmt.Sprint(i)), connected(0, "reduced-functionality", ago(30*time.Minute))...)
				}
			},
			[]string{"warning balena VPN: 6 of 6 devices are off it but still poll the API, since 11:30"},
		},
		"devices that have been off for long are one line for all fleets": {
			func(f *feed) {
				f.counts("acme/a", 9, 10)
				f.counts("acme/b", 9, 10)
				lost(f, "acme/a", 1, ago(25*time.Hour))
				lost(f, "acme/b", 1, ago(80*time.Hour))
			},
			[]string{"notice All fleets: 2 devices offline for more than a day"},
		},
		"nearly full, hot and under-voltage devices": {
			func(f *feed) {
				f.counts("acme/kiosks", 4, 4)
				f.online("acme/kiosks", "full", sample{"balena.device.storage.utilization", 0.95, nil})
				f.online("acme/kiosks", "hot", sample{"balena.device.cpu.temperature", 85, nil})
				f.online("acme/kiosks", "weak", sample{"balena.device.undervoltage", 1, nil})
				f.online("acme/kiosks", "well", sample{"balena.device.storage.utilization", 0.89, nil}, sample{"balena.device.cpu.temperature", 75, nil}, sample{"balena.device.undervoltage", 0, nil})
			},
			[]string{"notice kiosks: 1 device nearly full, since 12:00", "notice kiosks: 1 device hot, since 12:00",
				"notice kiosks: 1 device with too low a voltage since the last boot, since 12:00"},
		},
		"values of devices that are off are of the past": {
			func(f *feed) {
				f.counts("acme/kiosks", 9, 10)
				f.offline("acme/kiosks", "a", ago(time.Minute), sample{"balena.device.storage.utilization", 0.95, nil}, sample{"balena.device.undervoltage", 1, nil})
			}, nil,
		},
		"a release that many devices reject": {
			func(f *feed) {
				f.counts("acme/kiosks", 10, 10, target("2.0.0"), rollout("failing", 2), rollout("on_target", 8))
			},
			[]string{"warning kiosks: 2 of 10 devices rejected release 2.0.0, since 12:00"},
		},
		"one device that rejects a release is worth a look": {
			func(f *feed) {
				f.counts("acme/kiosks", 10, 10, target("2.0.0"), rollout("failing", 1), rollout("on_target", 9))
			},
			[]string{"notice kiosks: 1 of 10 devices rejected release 2.0.0, since 12:00"},
		},
		"a newest build that failed": {
			func(f *feed) {
				f.counts("acme/kiosks", 10, 10)
				resource := fleetOf("acme/kiosks")
				resource["balena.release.version"], resource["balena.release.commit"] = "2.0.1", "abc"
				f.add(resource, sample{"balena.release.info", 1, attributes{"balena.release.status": "failed", "balena.release.final": true}})
			},
			[]string{"notice kiosks: the newest build failed: 2.0.1"},
		},
		"a device that only one of VPN and API reaches": {
			func(f *feed) {
				f.counts("acme/kiosks", 10, 10)
				f.add(deviceOf("acme/kiosks", "a"), connected(1, "reduced-functionality", ago(2*time.Hour))...)
			},
			[]string{"notice kiosks: 1 device reached by only one of VPN and API, since 10:00"},
		},
		"a rejected key is critical, and explains the other failures": {
			func(f *feed) {
				f.receiver("balena", failing("credentials", "401"), failing("fleets", "401"), failing("devices", "401"))
			},
			[]string{"critical API key of balena: is rejected (401), since 12:00"},
		},
		"an API that does not respond is critical, and explains the other failures": {
			func(f *feed) { f.receiver("balena", failing("fleets", "timeout"), failing("devices", "timeout")) },
			[]string{"critical balena API: does not list the fleets of balena (timeout), since 12:00"},
		},
		"an API that refuses the fleets, but does not reject the key": {
			func(f *feed) {
				f.receiver("balena", failing("credentials", "503"), failing("fleets", "401"), failing("devices", "401"))
			},
			[]string{"critical balena API: does not list the fleets of balena (401), since 12:00"},
		},
		"credentials that fail for another reason explain nothing": {
			func(f *feed) { f.receiver("balena", failing("credentials", "timeout"), failing("devices", "503")) },
			[]string{"warning balena API: requests for credentials fail (timeout), since 12:00", "warning balena API: requests for devices fail (503), since 12:00"},
		},
		"a key that expires soon": {
			func(f *feed) {
				expires := func(in time.Duration, name string) sample {
					return sample{"balena.api_key.expiry.timestamp", float64(day.Add(in).Unix()), attributes{"balena.api_key.name": name}}
				}
				f.receiver("balena", expires(48*time.Hour, "soon"), expires(30*24*time.Hour, "later"))
			},
			[]string{"warning API key soon: expires 6 May 12:00 UTC"},
		},
		"the worst comes first": {
			func(f *feed) {
				f.receiver("balena", failing("releases", "503"))
				f.counts("acme/kiosks", 10, 16)
				f.counts("acme/lamps", 7, 7, target("2.0.0"), rollout("failing", 2))
				lost(f, "acme/kiosks", 6, ago(20*time.Minute))
				f.online("acme/lamps", "full", sample{"balena.device.storage.utilization", 0.95, nil})
			},
			[]string{
				"critical kiosks: 6 of 16 devices lost their connection at once, since 11:40",
				"warning lamps: 2 of 2 devices rejected release 2.0.0, since 12:00",
				"warning balena API: requests for releases fail (503), since 12:00",
				"notice lamps: 1 device nearly full, since 12:00",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed(t)
			test.feed(f)
			f.send()
			assert.Equal(t, test.want, f.lines())
		})
	}
}

func TestStore_Current_IssuesOverTime(t *testing.T) {
	t.Run("a receiver that is silent makes what is shown old", func(t *testing.T) {
		f := newFeed(t)
		f.receiver("balena")
		f.send()
		f.after(4 * time.Minute)
		assert.Equal(t, []string{"critical Receiver balena: no metrics arrive from it, since 12:00"}, f.lines())
		assert.Equal(t, 4*time.Minute, f.now.Sub(f.store.Current().Overall.Data))
	})
	t.Run("a failure lasts since its first scrape and ends with it", func(t *testing.T) {
		f := newFeed(t)
		for range 3 {
			f.receiver("balena", failing("devices", "503"))
			f.send()
			f.after(time.Minute)
		}
		assert.Equal(t, []string{"warning balena API: requests for devices fail (503), since 12:00"}, f.lines())
		f.receiver("balena")
		f.send()
		assert.Empty(t, f.lines())
	})
	t.Run("a rollout without progress for an hour is stuck since its last progress", func(t *testing.T) {
		f := newFeed(t)
		for i := range 75 {
			onTarget := min(i, 3)
			f.counts("acme/kiosks", 10, 10, target("2.0.0"), rollout("behind", 10-onTarget), rollout("on_target", onTarget))
			f.send()
			if i == 62 {
				assert.Empty(t, f.lines(), "not yet")
			}
			f.after(time.Minute)
		}
		assert.Equal(t, []string{"warning kiosks: rollout of 2.0.0 is stuck: 7 behind of 10 devices, since 12:03"}, f.lines())
	})
	t.Run("a rollout of which nothing goes on but updates is stuck, too", func(t *testing.T) {
		f := newFeed(t)
		for range 75 {
			f.counts("acme/kiosks", 10, 10, target("2.0.0"), rollout("updating", 3), rollout("on_target", 7))
			f.send()
			f.after(time.Minute)
		}
		assert.Equal(t, []string{"warning kiosks: rollout of 2.0.0 is stuck: 3 updating of 10 devices, since 12:00"}, f.lines())
	})
	t.Run("a release is rejected since it is the target", func(t *testing.T) {
		f := newFeed(t)
		for i := range 3 {
			f.counts("acme/kiosks", 10, 10, target(fmt.Sprint("2.0.", i)), rollout("failing", 2), rollout("on_target", 8))
			f.send()
			f.after(time.Minute)
		}
		assert.Equal(t, []string{"warning kiosks: 2 of 10 devices rejected release 2.0.2, since 12:02"}, f.lines())
	})
	t.Run("devices are left behind once the target is a week old", func(t *testing.T) {
		f := newFeed(t, func(o *Options) { o.Expiration = 30 * 24 * time.Hour })
		scrape := func(onTarget int) {
			f.counts("acme/kiosks", 10, 10, target("2.0.0"), rollout("behind", 1), rollout("on_target", onTarget))
			f.online("acme/kiosks", "left", info("1.0.0", "2.0.0"))
			f.send()
		}
		scrape(5)
		f.after(7*24*time.Hour - time.Minute)
		scrape(9) // others still reach it
		assert.Empty(t, f.lines())
		f.after(2 * time.Minute)
		scrape(9)
		assert.Equal(t, []string{"notice kiosks: 1 device left behind on older releases, since 12:00"}, f.lines())
	})
	t.Run("a device that disconnects again and again", func(t *testing.T) {
		f := newFeed(t)
		for range 6 {
			f.counts("acme/kiosks", 10, 10)
			f.online("acme/kiosks", "a")
			f.send()
			f.after(4 * time.Minute)
			f.counts("acme/kiosks", 9, 10)
			f.offline("acme/kiosks", "a", f.now)
			f.send()
			f.after(4 * time.Minute)
		}
		assert.Equal(t, []string{"notice kiosks: 1 device disconnected 6 times or more within an hour, since 12:04"}, f.lines())
	})
}

// The page and the alerts call the same things wrong.
func TestThresholds_AgreeWithRules(t *testing.T) {
	read := func(file string) string {
		content, err := os.ReadFile(filepath.Join("..", "..", "..", "observability", "rules", file))
		require.NoError(t, err)
		return strings.Join(strings.Fields(string(content)), " ")
	}
	thresholds := map[string]string{}
	for _, m := range regexp.MustCompile(`record: balena_threshold:(\S+) expr: vector\(([^)]*)\)`).FindAllStringSubmatch(read("thresholds.yaml"), -1) {
		product := 1.
		for factor := range strings.SplitSeq(m[2], " * ") {
			value, err := strconv.ParseFloat(factor, 64)
			require.NoError(t, err)
			product *= value
		}
		thresholds[m[1]] = strconv.FormatFloat(product, 'f', -1, 64)
	}
	for name, is := range map[string]any{
		"fleet_online:ratio": fleetOnline, "fleet_missing:count": fleetMissing, "mass_disconnect:ratio": massDisconnect, "mass_disconnect:count": massDisconnectFrom,
		"flapping:count": flappingFrom, "half_connected:seconds": int(halfConnectedFor.Seconds()), "storage_full:ratio": storageFull,
		"cpu_temperature:celsius": cpuTemperature, "left_behind:seconds": int(leftBehindAfter.Seconds()),
	} {
		assert.Equal(t, thresholds[name], fmt.Sprint(is), name)
	}
	incidents := read("incidents.yaml")
	for rule, text := range map[string]string{
		"balena_device:lost":           fmt.Sprintf("last_connectivity_event_timestamp_seconds < %d", int(lostFor.Seconds())),
		"balena_site:lost":             fmt.Sprintf(`balena_device:lost{balena_device_tag_site!=""}) >= %d`, smallestSite),
		"BalenaDeviceOffline":          fmt.Sprintf("for: %dm", int(rebootTime.Minutes())),
		"BalenaAPIKeyExpiresSoon":      fmt.Sprintf("time() - balena_key < %d * 86400", int(keyWarning.Hours()/24)),
		"BalenaRolloutStuck":           fmt.Sprintf("[%dm]) == 0 for: %[1]dm", int(stuckAfter.Minutes())),
		"BalenaAPIKeyRejected":         `error_type=~"401|403"`,
		"BalenaAPIDown":                `balena_request_kind="fleets", error_type!="budget"`,
		"record: balena:vpn_lost expr": `reduced-functionality`,
	} {
		text = strings.Replace(text, "time() - balena_key", "- time()", 1)
		_, after, found := strings.Cut(incidents, rule)
		require.True(t, found, rule)
		after, _, _ = strings.Cut(after, "runbook_url")
		assert.Contains(t, after, text, rule)
	}
	assert.Contains(t, read("fleets.yaml"), fmt.Sprintf("last_connectivity_event_timestamp_seconds < %d", int(lostTogether.Seconds())))
}

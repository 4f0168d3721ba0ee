package receiver

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

func TestDeviceFilter(t *testing.T) {
	t.Parallel()
	const first = "6a702e2f774640ba8ae8905b54b4a482" // solar-sensors-00, online
	for name, test := range map[string]struct {
		devices        DevicesConfig
		devicesOfFleet float64
		onlineInFleet  float64
		includesFirst  bool
	}{
		"all by default":                  {DevicesConfig{}, 6, 5, true},
		"without one that is excluded":    {DevicesConfig{Exclude: []string{first}}, 5, 4, false},
		"with a tag":                      {DevicesConfig{IncludeTags: []string{"monitored"}}, 2, 2, true},
		"with a tag of a value":           {DevicesConfig{IncludeTags: []string{"monitored=O'Neil & Söhne"}}, 1, 1, true},
		"with one of two tags":            {DevicesConfig{IncludeTags: []string{"monitored=no", "monitored=O'Neil & Söhne"}}, 2, 2, true},
		"without a tag":                   {DevicesConfig{ExcludeTags: []string{"monitored"}}, 4, 3, false},
		"with a tag, less one of a value": {DevicesConfig{IncludeTags: []string{"monitored"}, ExcludeTags: []string{"monitored=no"}}, 1, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := realAccount(t)
			for id, value := range map[int64]string{37: "O'Neil & Söhne", 38: "no"} {
				_, err := sim.Insert("device_tag", map[string]any{"device": id, "tag_key": "monitored", "value": value})
				require.NoError(t, err)
			}
			cfg := testConfig(serve(t, sim))
			cfg.Fleets.Include = []string{"globex/solar-sensors"}
			cfg.Devices = test.devices

			metrics, err := startScraper(t, cfg).scrape(t.Context())

			require.NoError(t, err)
			assert.Equal(t, map[string]float64{"globex/solar-sensors": test.devicesOfFleet}, values(metrics, "balena.fleet.device.registered"))
			assert.Equal(t, map[string]float64{"globex/solar-sensors": test.onlineInFleet}, values(metrics, "balena.devices.online"))
			assert.Len(t, values(metrics, "balena.device.online"), int(test.devicesOfFleet))
			assert.Equal(t, test.includesFirst, slices.Contains(slices.Collect(maps.Keys(values(metrics, "balena.device.online"))), "solar-sensors-00"))
		})
	}
}

// TestDeviceFilter_OfTheMaximumSize: what Validate accepts can be sent, whatever the number of fleets.
func TestDeviceFilter_OfTheMaximumSize(t *testing.T) {
	t.Parallel()
	sim := emptyAccount()
	for i := range 600 {
		fleetID := insertFleet(t, sim, "acme", fmt.Sprintf("fleet-%d", i), map[string]any{"id": int64(1_000_000_000 + i)})
		_, err := sim.Insert("device", map[string]any{"uuid": fmt.Sprintf("%032x", i), "device_name": "device", "belongs_to__application": fleetID})
		require.NoError(t, err)
	}
	cfg := testConfig(serve(t, sim))
	enableAll(cfg)
	cfg.Tags.Devices = map[string]string{"site": ""}
	for i := 0; cfg.Validate() == nil; i++ {
		cfg.Devices.Exclude = append(cfg.Devices.Exclude, fmt.Sprintf("%032x", i))
	}
	cfg.Devices.Exclude = cfg.Devices.Exclude[:len(cfg.Devices.Exclude)-1]
	excluded := len(cfg.Devices.Exclude)
	require.Greater(t, excluded, 50)

	metrics, err := startScraper(t, cfg).scrape(t.Context())

	require.NoError(t, err)
	assert.Len(t, values(metrics, "balena.device.online"), 1, "all devices are called device")
	assert.InDelta(t, 600-excluded, sum(values(metrics, "balena.fleet.device.registered")), 0)
}

func TestSelection_Fleets_ByTag(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	_, err := sim.Insert("application_tag", map[string]any{"application": int64(4), "tag_key": "tier", "value": "gold"})
	require.NoError(t, err)
	url := serve(t, sim)
	for name, test := range map[string]struct {
		fleets FleetsConfig
		want   []string
	}{
		"with a tag":    {FleetsConfig{IncludeTags: []string{"tier=gold"}}, []string{"globex/solar-sensors"}},
		"without a tag": {FleetsConfig{ExcludeTags: []string{"tier"}, Include: []string{"globex/*"}}, []string{"globex/lab-nucs"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(url)
			cfg.Fleets = test.fleets
			metrics, err := startScraper(t, cfg).scrape(t.Context())
			require.NoError(t, err)
			assert.ElementsMatch(t, test.want, slices.Collect(maps.Keys(values(metrics, "balena.devices.online"))))
		})
	}
}

func TestConfig_Validate_Selection(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Config){
		`"devices::include_tags": invalid tag "=x": use key or key=value`:                  func(cfg *Config) { cfg.Devices.IncludeTags = []string{"=x"} },
		`"devices::exclude_tags": invalid tag "two words"`:                                 func(cfg *Config) { cfg.Devices.ExcludeTags = []string{"two words"} },
		`"fleets::include_tags": invalid tag ""`:                                           func(cfg *Config) { cfg.Fleets.IncludeTags = []string{""} },
		`"devices::exclude": "827050a" is not the full UUID of a device: use its 32 or 62`: func(cfg *Config) { cfg.Devices.Exclude = []string{"827050a"} },
		`"devices": the selection takes 16512 bytes of each request's URL, of which 4096 are available: list less in "devices::exclude" (exclude many devices by a tag`: func(cfg *Config) {
			for i := range 450 {
				cfg.Devices.Exclude = append(cfg.Devices.Exclude, fmt.Sprintf("%032x", i))
			}
		},
		`"shard" is index 3 of 3: set index to 0 up to total-1`: func(cfg *Config) { cfg.Shard = ShardConfig{Index: 3, Total: 3} },
		`"shard" is index -1 of 2`:                              func(cfg *Config) { cfg.Shard = ShardConfig{Index: -1, Total: 2} },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig("https://api.balena.example.com")
			change(cfg)
			require.ErrorContains(t, cfg.Validate(), want)
		})
	}
}

func TestShardConfig_Includes(t *testing.T) {
	t.Parallel()
	for _, total := range []int{1, 2, 3, 7} {
		sizes := make([]int, total)
		for id := range fleetID(10_000) {
			shards := 0
			for index := range total {
				if (ShardConfig{Index: index, Total: total}).includes(id) {
					shards++
					sizes[index]++
				}
			}
			require.Equal(t, 1, shards, "fleet %d of %d shards", id, total)
		}
		for _, size := range sizes {
			assert.InEpsilon(t, 10_000/total, size, 0.1, "shards are about equal")
		}
	}
}

func TestShardConfig_ShardsTogetherAreTheAccount(t *testing.T) {
	t.Parallel()
	url := serve(t, realAccount(t))
	seen := map[string]int{}
	for index := range 3 {
		cfg := testConfig(url)
		cfg.Shard = ShardConfig{Index: index, Total: 3}
		metrics, err := startScraper(t, cfg).scrape(t.Context())
		require.NoError(t, err)
		for slug := range values(metrics, "balena.devices.online") {
			seen[slug]++
		}
	}
	assert.Equal(t, map[string]int{
		"acme/edge-cameras": 1, "acme/empty-fleet": 1, "acme/warehouse-gateways": 1, "globex/lab-nucs": 1, "globex/solar-sensors": 1,
	}, seen)
}

func TestFetchRun_TagJobs(t *testing.T) {
	t.Parallel()
	sim := realAccount(t)
	_, err := sim.Insert("application_tag", map[string]any{"application": int64(4), "tag_key": "tier", "value": "gold"})
	require.NoError(t, err)
	cfg := testConfig(serve(t, sim))
	cfg.Fleets.Include = []string{"globex/solar-sensors"}
	cfg.Tags = TagsConfig{Devices: map[string]string{"site": "", "serial": "device.serial"}, Fleets: map[string]string{"tier": ""}}
	_, err = sim.Insert("device_tag", map[string]any{"device": int64(37), "tag_key": "serial", "value": "4711"})
	require.NoError(t, err)

	metrics, err := startScraper(t, cfg).scrape(t.Context())

	require.NoError(t, err)
	found := map[string]string{}
	for _, resource := range metrics.ResourceMetrics().All() {
		attributes := resource.Resource().Attributes()
		switch stringOf(attributes, "balena.device.name") {
		case "solar-sensors-00":
			found["site"] = stringOf(attributes, "balena.device.tag.site")
			found["serial"] = stringOf(attributes, "device.serial")
		case "":
			if stringOf(attributes, "balena.fleet.id") != "" {
				found["tier"] = stringOf(attributes, "balena.fleet.tag.tier")
			}
		}
	}
	assert.Equal(t, map[string]string{"site": "site-0", "serial": "4711", "tier": "gold"}, found)
}

func TestFetchRun_RememberDeviceTags_WhileTheyCannotBeFetched(t *testing.T) {
	t.Parallel()
	api := &faulty{Handler: realAccount(t)}
	cfg := testConfig(serve(t, api))
	cfg.Tags = TagsConfig{Devices: map[string]string{"site": "site"}}
	scraper := startScraper(t, cfg)
	sites := func() int {
		metrics, _ := scraper.scrape(t.Context())
		found := 0
		for _, resource := range metrics.ResourceMetrics().All() {
			if stringOf(resource.Resource().Attributes(), "site") != "" {
				found++
			}
		}
		assert.Empty(t, vanished(metrics))
		return found
	}
	before := sites()
	require.Positive(t, before)

	api.fault = failWith(http.StatusInternalServerError, "/v7/device_tag?")

	assert.Equal(t, before, sites(), "a series keeps its name while tags cannot be had")
}

func FuzzTagFilter(f *testing.F) {
	f.Add("key=value")
	f.Add("=")
	f.Fuzz(func(t *testing.T, tag string) {
		cfg := testConfig("https://api.balena.example.com")
		cfg.Devices.IncludeTags = []string{tag}
		selection, err := newSelection(cfg)
		if err == nil {
			_ = selection.includes(balenaclient.Fleet{ID: 1, Slug: "acme/kiosk"})
		}
	})
}

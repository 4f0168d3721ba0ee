package balenasim

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed scenarios/*.yaml
var shipped embed.FS

// Scenario describes fleets and how they change over time. The shipped scenarios
// document its YAML form.
type Scenario struct {
	// Description is one line about what the scenario shows.
	Description string `yaml:"description"`
	// Fleets and Devices are total numbers.
	Fleets  int `yaml:"fleets"`
	Devices int `yaml:"devices"`
	// Services are the service names of each fleet.
	Services []string `yaml:"services"`
	// Releases is the number of existing releases per fleet.
	Releases int `yaml:"releases"`
	// Pinned is the fraction of devices that are pinned to a release.
	Pinned float64 `yaml:"pinned"`
	// TokenExpiresAfter is how long the user's API keys are valid. Zero means
	// that they do not expire.
	TokenExpiresAfter time.Duration `yaml:"token_expires_after"`

	Life    Life         `yaml:"life"`
	Rollout *Rollout     `yaml:"rollout"`
	Outages []Outage     `yaml:"outages"`
	Faults  []TimedFault `yaml:"faults"`
}

// Life is how devices behave.
type Life struct {
	// ReportEvery is the interval of metric reports.
	ReportEvery time.Duration `yaml:"report_every"`
	// DropsPerDay is how often a device disconnects, and OfflineFor for how
	// long, on average.
	DropsPerDay float64       `yaml:"drops_per_day"`
	OfflineFor  time.Duration `yaml:"offline_for"`
	// HeartbeatAfter is the time from disconnection until the heartbeat times
	// out. It is offline 15 s later.
	HeartbeatAfter time.Duration `yaml:"heartbeat_after"`
	// Hot is the fraction of devices that overheat periodically.
	Hot float64 `yaml:"hot"`
	// Undervolted is the fraction of undervolted devices.
	Undervolted float64 `yaml:"undervolted"`
	// DiskGrowth is the growth of a device's storage usage in MiB per hour.
	DiskGrowth float64 `yaml:"disk_growth"`
	// LogsPerHour is the number of log lines per device.
	LogsPerHour float64 `yaml:"logs_per_hour"`
	// The rates of renamed, moved, deleted and new devices, in total.
	RenamesPerHour float64 `yaml:"renames_per_hour"`
	MovesPerHour   float64 `yaml:"moves_per_hour"`
	DeletesPerHour float64 `yaml:"deletes_per_hour"`
	JoinsPerHour   float64 `yaml:"joins_per_hour"`
}

// Rollout releases new software to every fleet periodically.
type Rollout struct {
	First  time.Duration `yaml:"first"`  // time until the first rollout
	Every  time.Duration `yaml:"every"`  // time between rollouts
	Spread time.Duration `yaml:"spread"` // time over which devices start to update
	// Download is the duration of a download.
	Download time.Duration `yaml:"download"`
	// Failing is the fraction of updates that devices reject.
	Failing float64 `yaml:"failing"`
}

// Outage disconnects devices at once.
type Outage struct {
	At    time.Duration `yaml:"at"`
	For   time.Duration `yaml:"for"`
	Every time.Duration `yaml:"every"` // interval of repetition; never if zero
	// Share is the fraction of the devices that is hit, and Fleets are the
	// numbers of their fleets, counted from 1. Empty means all fleets.
	Share  float64 `yaml:"share"`
	Fleets []int   `yaml:"fleets"`
}

// TimedFault is a fault with a start and a duration. Without For it is permanent.
type TimedFault struct {
	At    time.Duration `yaml:"at"`
	For   time.Duration `yaml:"for"`
	Fault `yaml:",inline"`
}

// Scenarios returns the names of the shipped scenarios.
func Scenarios() []string {
	files, err := fs.Glob(shipped, "scenarios/*.yaml")
	if err != nil {
		return nil
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(f, "scenarios/"), ".yaml")
	}
	return files
}

// ShippedScenario returns a scenario of the package by name.
func ShippedScenario(name string) (*Scenario, error) {
	if !slices.Contains(Scenarios(), name) {
		return nil, fmt.Errorf("unknown scenario %q; shipped are %s", name, strings.Join(Scenarios(), ", "))
	}
	b, err := shipped.ReadFile("scenarios/" + name + ".yaml")
	if err != nil {
		return nil, err
	}
	return ReadScenario(bytes.NewReader(b))
}

// maxScenario is the maximum size of a scenario file.
const maxScenario = 1 << 20

// ReadScenario reads a scenario in YAML. Missing keys default to a small, quiet
// account.
func ReadScenario(r io.Reader) (*Scenario, error) {
	sc := &Scenario{
		Fleets: 4, Devices: 40, Services: []string{"main"}, Releases: 3,
		Life: Life{
			ReportEvery: time.Minute, OfflineFor: 5 * time.Minute,
			HeartbeatAfter: 15 * time.Minute,
		},
	}
	d := yaml.NewDecoder(io.LimitReader(r, maxScenario))
	d.KnownFields(true)
	if err := d.Decode(sc); err != nil && !errors.Is(err, io.EOF) {
		if strings.Contains(err.Error(), "into time.Duration") {
			err = fmt.Errorf("%w; write durations like 10s or 1m30s", err)
		}
		return nil, fmt.Errorf("scenario: %w", err)
	}
	if err := sc.Validate(); err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	return sc, nil
}

// Limits that keep a typo from filling memory.
const (
	maxFleets  = 100_000
	maxDevices = 2_000_000
)

// Validate checks the values of a scenario.
func (sc *Scenario) Validate() error {
	var errs []error
	check := func(ok bool, key string, value any, must string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: %v must be %s", key, value, must))
		}
	}
	share := func(key string, v float64) { check(v >= 0 && v <= 1, key, v, "from 0 to 1") }
	rate := func(key string, v float64) { check(v >= 0 && v <= 1e6, key, v, "from 0 to 1000000") }
	positive := func(key string, d time.Duration) { check(d > 0, key, d, "more than 0s") }

	check(sc.Fleets >= 1 && sc.Fleets <= maxFleets, "fleets", sc.Fleets, fmt.Sprintf("from 1 to %d", maxFleets))
	check(sc.Devices >= 0 && sc.Devices <= maxDevices, "devices", sc.Devices, fmt.Sprintf("from 0 to %d", maxDevices))
	check(len(sc.Services) >= 1 && len(sc.Services) <= 20, "services", sc.Services, "a list of 1 to 20 names")
	check(sc.Releases >= 1 && sc.Releases <= 100, "releases", sc.Releases, "from 1 to 100")
	share("pinned", sc.Pinned)
	check(sc.TokenExpiresAfter >= 0, "token_expires_after", sc.TokenExpiresAfter, "at least 0s")
	positive("life.report_every", sc.Life.ReportEvery)
	positive("life.offline_for", sc.Life.OfflineFor)
	positive("life.heartbeat_after", sc.Life.HeartbeatAfter)
	share("life.hot", sc.Life.Hot)
	share("life.undervolted", sc.Life.Undervolted)
	rate("life.drops_per_day", sc.Life.DropsPerDay)
	rate("life.disk_growth", sc.Life.DiskGrowth)
	rate("life.logs_per_hour", sc.Life.LogsPerHour)
	rate("life.renames_per_hour", sc.Life.RenamesPerHour)
	rate("life.moves_per_hour", sc.Life.MovesPerHour)
	rate("life.deletes_per_hour", sc.Life.DeletesPerHour)
	rate("life.joins_per_hour", sc.Life.JoinsPerHour)
	if r := sc.Rollout; r != nil {
		check(r.First >= 0, "rollout.first", r.First, "at least 0s")
		positive("rollout.every", r.Every)
		check(r.Spread >= 0, "rollout.spread", r.Spread, "at least 0s")
		positive("rollout.download", r.Download)
		share("rollout.failing", r.Failing)
	}
	for i, o := range sc.Outages {
		key := fmt.Sprintf("outages[%d].", i)
		share(key+"share", o.Share)
		positive(key+"for", o.For)
		check(o.Every == 0 || o.Every > o.For, key+"every", o.Every, "longer than the outage")
		for _, f := range o.Fleets {
			check(f >= 1 && f <= sc.Fleets, key+"fleets", f, fmt.Sprintf("from 1 to %d", sc.Fleets))
		}
	}
	for i, f := range sc.Faults {
		if err := f.validate(); err != nil {
			errs = append(errs, fmt.Errorf("faults[%d]: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

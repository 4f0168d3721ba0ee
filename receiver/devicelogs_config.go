package receiver

import (
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/devicelogs"
)

// DeviceLogsConfig selects the devices whose logs are read, among those that are reported, and says how.
type DeviceLogsConfig struct {
	// Fleets selects devices by their fleets.
	Fleets DeviceLogsFleetsConfig `mapstructure:"fleets"`

	// Devices selects devices by themselves.
	Devices DeviceLogsDevicesConfig `mapstructure:"devices"`

	// Mode is "stream", which streams MaxStreams devices and polls the others; "poll", which polls all; or "auto", which streams all if
	// MaxStreams allows it, or else polls all.
	Mode string `mapstructure:"mode"`

	// StartAt is where reading begins for devices that are there when the receiver starts for the first time: at the "end" or the
	// "beginning" of the lines that the server has stored. Devices that appear later are read from the beginning.
	StartAt string `mapstructure:"start_at"`

	// MaxStreams is the maximum number of streams, each of which is a connection.
	MaxStreams int `mapstructure:"max_streams"`

	// RequestLimit is the maximum number of streams opened, and of polls, per second.
	RequestLimit float64 `mapstructure:"request_limit"`

	// PollInterval is the time between two polls of a device.
	PollInterval time.Duration `mapstructure:"poll_interval"`
}

// DeviceLogsFleetsConfig selects devices by their fleets, with patterns as in FleetsConfig.
type DeviceLogsFleetsConfig struct {
	// Include lists patterns of fleets; an empty list means all.
	Include []string `mapstructure:"include"`

	// Exclude lists patterns of fleets whose devices are not selected even if included.
	Exclude []string `mapstructure:"exclude"`
}

// DeviceLogsDevicesConfig selects devices.
type DeviceLogsDevicesConfig struct {
	// Include lists UUIDs of devices; an empty list means all.
	Include []string `mapstructure:"include"`

	// Exclude lists UUIDs of devices that are not selected even if included.
	Exclude []string `mapstructure:"exclude"`

	// IncludeTags lists tags, as `key` or `key=value`, of which a device must have at least one; an empty list means any device.
	IncludeTags []string `mapstructure:"include_tags"`

	// ExcludeTags lists tags of which a device must have none.
	ExcludeTags []string `mapstructure:"exclude_tags"`
}

const (
	startAtEnd       = "end"
	startAtBeginning = "beginning"
)

func defaultDeviceLogsConfig() DeviceLogsConfig {
	return DeviceLogsConfig{
		Mode: devicelogs.ModeAuto, StartAt: startAtEnd, MaxStreams: 500, RequestLimit: 10, PollInterval: time.Minute,
	}
}

func (cfg *Config) validateDeviceLogs() error {
	if !cfg.DeviceLogs.HasValue() {
		return nil
	}
	logs := cfg.DeviceLogs.Get()
	var errs []error
	switch logs.Mode {
	case devicelogs.ModeAuto, devicelogs.ModeStream, devicelogs.ModePoll:
	default:
		errs = append(errs, fmt.Errorf(`"device_logs::mode" is %q: set "auto", "stream" or "poll"`, logs.Mode))
	}
	if logs.StartAt != startAtEnd && logs.StartAt != startAtBeginning {
		errs = append(errs, fmt.Errorf(`"device_logs::start_at" is %q: set "end" or "beginning"`, logs.StartAt))
	}
	if logs.MaxStreams < 1 {
		errs = append(errs, fmt.Errorf(`"device_logs::max_streams" is %d: set 1 or more, or "device_logs::mode" to "poll"`, logs.MaxStreams))
	}
	if most := cfg.API.MaxConnsPerHost; most > 0 && most <= logs.MaxStreams && logs.Mode != devicelogs.ModePoll {
		errs = append(errs, fmt.Errorf(`"api::max_conns_per_host" is %d: streams would take up all connections; set more than "device_logs::max_streams" (%d)`, most, logs.MaxStreams))
	}
	if logs.RequestLimit <= 0 {
		errs = append(errs, fmt.Errorf(`"device_logs::request_limit" is %g: set how many streams and polls may begin per second`, logs.RequestLimit))
	}
	if logs.PollInterval < time.Second {
		errs = append(errs, fmt.Errorf(`"device_logs::poll_interval" is %s: set at least 1s`, logs.PollInterval))
	}
	_, err := newDeviceLogsSelection(*logs)
	return errors.Join(append(errs, err)...)
}

// deviceLogsSelection says which of the devices that are reported have their logs read. By tag only the server can select.
type deviceLogsSelection struct {
	slugs            slugFilter
	include, exclude map[string]bool // UUIDs
	tagged           bool            // whether tags matter
	filter           pine.Filter[balenaclient.Device]
}

func newDeviceLogsSelection(cfg DeviceLogsConfig) (deviceLogsSelection, error) {
	slugs, slugsErr := newSlugFilter("device_logs::fleets", cfg.Fleets.Include, cfg.Fleets.Exclude)
	include, includeErr := uuidSet("device_logs::devices::include", cfg.Devices.Include)
	exclude, excludeErr := uuidSet("device_logs::devices::exclude", cfg.Devices.Exclude)
	filter, filterErr := deviceTagFilter("device_logs::devices", cfg.Devices.IncludeTags, cfg.Devices.ExcludeTags)
	return deviceLogsSelection{
		slugs: slugs, include: include, exclude: exclude, filter: filter,
		tagged: len(cfg.Devices.IncludeTags)+len(cfg.Devices.ExcludeTags) > 0,
	}, errors.Join(slugsErr, includeErr, excludeErr, filterErr)
}

// includes reports whether a device is selected, as far as its tags do not matter.
func (s deviceLogsSelection) includes(d *deviceEntity) bool {
	return s.slugs.matches(d.fleet.slug) && (len(s.include) == 0 || s.include[d.uuid]) && !s.exclude[d.uuid]
}

func uuidSet(key string, uuids []string) (map[string]bool, error) {
	set := make(map[string]bool, len(uuids))
	var errs []error
	for _, uuid := range uuids {
		if !isUUID(uuid) {
			errs = append(errs, notUUID(key, uuid))
		}
		set[uuid] = true
	}
	return set, errors.Join(errs...)
}

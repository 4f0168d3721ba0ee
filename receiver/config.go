package receiver

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
)

const (
	defaultEndpoint    = "https://api.balena-cloud.com"
	defaultAPITimeout  = 30 * time.Second
	defaultPageSize    = 1000
	defaultConcurrency = 4

	// maxPageSize keeps a response well below the maximum that the client accepts.
	maxPageSize = 10_000

	// defaultTimeoutFraction is the part of the collection interval that a scrape may take when no timeout is set.
	defaultTimeoutFraction = 0.9
)

// Config configures the balena receiver.
type Config struct {
	// ControllerConfig holds collection_interval, initial_delay and timeout. The timeout bounds a complete scrape and defaults
	// to nine tenths of the interval.
	scraperhelper.ControllerConfig `mapstructure:",squash"`

	metadata.MetricsBuilderConfig `mapstructure:",squash"`

	// LogsBuilderConfig selects the events. It has the same resource attributes as MetricsBuilderConfig, from the same key.
	metadata.LogsBuilderConfig `mapstructure:",squash"`

	// API configures the HTTP client; its timeout bounds a single request. It is nested because timeout would otherwise be one key
	// for two things.
	API confighttp.ClientConfig `mapstructure:"api"`

	// Token is a balena API key or session token. Exactly one of Token, TokenFile and API.Auth must be set.
	Token configopaque.String `mapstructure:"token"`

	// TokenFile is the path of a file that contains the token. It is read for every scrape, so that the token can be rotated.
	TokenFile string `mapstructure:"token_file"`

	// Fleets selects the fleets that are reported.
	Fleets FleetsConfig `mapstructure:"fleets"`

	// Devices selects the devices that are reported and counted.
	Devices DevicesConfig `mapstructure:"devices"`

	// Tags turns tags into resource attributes.
	Tags TagsConfig `mapstructure:"tags"`

	// EventDetection says what is worth an event.
	EventDetection EventDetectionConfig `mapstructure:"event_detection"`

	// Storage is the ID of a storage extension, in which what was last known of the account is kept. Without one, what happens while
	// the receiver does not run makes no events.
	Storage *component.ID `mapstructure:"storage"`

	// Shard divides the fleets among several Collectors.
	Shard ShardConfig `mapstructure:"shard"`

	// DeviceLogs reads the logs of devices. It does so in a logs pipeline only.
	DeviceLogs configoptional.Optional[DeviceLogsConfig] `mapstructure:"device_logs"`

	// PageSize is the number of rows requested at once.
	PageSize int `mapstructure:"page_size"`

	// Concurrency is the maximum number of concurrent requests.
	Concurrency int `mapstructure:"concurrency"`

	// RequestLimit is the maximum number of requests per second; 0 means no limit.
	RequestLimit float64 `mapstructure:"request_limit"`

	// RequestBudget is the maximum number of requests per minute on average, in bursts of up to as many; 0 means no budget. When it runs short, fleets are still counted.
	RequestBudget int `mapstructure:"request_budget"`

	// StateSets adds a point with value 0 for every known state that a device is not in, as the OpenTelemetry convention for state metrics
	// asks. By default only the current state has a point.
	StateSets bool `mapstructure:"state_sets"`

	// InsecureHTTP allows plain http to a host other than this machine. The token then travels in clear text.
	InsecureHTTP bool `mapstructure:"insecure_http"`
}

// FleetsConfig selects fleets. A pattern is a slug (`acme/kiosk`), a glob over slugs in which `*` does not match a slash (`acme/*`),
// or a regular expression between slashes (`/^acme/.+-prod$/`).
type FleetsConfig struct {
	// Include lists patterns of the fleets to report; an empty list means all.
	Include []string `mapstructure:"include"`

	// Exclude lists patterns of fleets that are not reported even if included.
	Exclude []string `mapstructure:"exclude"`

	// IncludeTags lists tags, as `key` or `key=value`, of which a fleet must have at least one; an empty list means any fleet.
	IncludeTags []string `mapstructure:"include_tags"`

	// ExcludeTags lists tags of which a fleet must have none.
	ExcludeTags []string `mapstructure:"exclude_tags"`

	// Archived adds archived fleets.
	Archived bool `mapstructure:"archived"`

	// HostApps adds fleets that hold releases of the host operating system.
	HostApps bool `mapstructure:"host_apps"`

	// Blocks adds blocks and apps: what is not of class "fleet".
	Blocks bool `mapstructure:"blocks"`
}

// DevicesConfig selects devices. Devices that are not selected are not counted either.
type DevicesConfig struct {
	// IncludeTags lists tags, as `key` or `key=value`, of which a device must have at least one; an empty list means any device.
	IncludeTags []string `mapstructure:"include_tags"`

	// ExcludeTags lists tags of which a device must have none.
	ExcludeTags []string `mapstructure:"exclude_tags"`

	// Exclude lists UUIDs of devices, for example of those that are known to be dead.
	Exclude []string `mapstructure:"exclude"`
}

// TagsConfig maps the keys of tags to the names of the resource attributes that they become. An empty name means the default:
// `balena.fleet.tag.<key>` or `balena.device.tag.<key>`.
type TagsConfig struct {
	// Fleets are tags of fleets, set on fleet resources.
	Fleets map[string]string `mapstructure:"fleets"`

	// Devices are tags of devices, set on device resources.
	Devices map[string]string `mapstructure:"devices"`
}

// EventDetectionConfig says what is worth an event.
type EventDetectionConfig struct {
	// OutageDevices and OutageShare are how many devices of a fleet, and which part of those that were online, must be lost between two
	// scrapes for an outage. It is the same for devices that come back.
	OutageDevices int     `mapstructure:"outage_devices"`
	OutageShare   float64 `mapstructure:"outage_share"`

	// OutageDeviceEvents adds the events of the single devices of an outage.
	OutageDeviceEvents bool `mapstructure:"outage_device_events"`

	// StorageUtilization is the part of its storage in use that a device must reach.
	StorageUtilization float64 `mapstructure:"storage_utilization"`

	// RolloutStuckAfter is the time for which no device of a fleet must have reached the target release.
	RolloutStuckAfter time.Duration `mapstructure:"rollout_stuck_after"`

	// APIKeyExpiresIn is the time before an API key expires.
	APIKeyExpiresIn time.Duration `mapstructure:"api_key_expires_in"`
}

// ShardConfig is the shard of the fleets that this receiver reports: each fleet is in exactly one of Total shards.
type ShardConfig struct {
	// Index is the number of the shard, from 0 to Total-1.
	Index int `mapstructure:"index"`

	// Total is the number of shards; 0 or 1 means that there is only this one.
	Total int `mapstructure:"total"`
}

var (
	_ xconfmap.Validator  = (*Config)(nil)
	_ confmap.Unmarshaler = (*Config)(nil)
)

func createDefaultConfig() component.Config {
	controller := scraperhelper.NewDefaultControllerConfig()
	controller.Timeout = scrapeTimeout(controller.CollectionInterval)
	api := confighttp.NewDefaultClientConfig()
	api.Endpoint = defaultEndpoint
	api.Timeout = defaultAPITimeout
	return &Config{
		ControllerConfig:     controller,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		LogsBuilderConfig:    metadata.DefaultLogsBuilderConfig(),
		EventDetection: EventDetectionConfig{
			OutageDevices:      5,
			OutageShare:        0.3,
			OutageDeviceEvents: true,
			StorageUtilization: 0.9,
			RolloutStuckAfter:  time.Hour,
			APIKeyExpiresIn:    72 * time.Hour,
		},
		DeviceLogs:  configoptional.Default(defaultDeviceLogsConfig()),
		API:         api,
		PageSize:    defaultPageSize,
		Concurrency: defaultConcurrency,
	}
}

func scrapeTimeout(interval time.Duration) time.Duration {
	return time.Duration(float64(interval) * defaultTimeoutFraction)
}

// Unmarshal derives the timeout from the interval when only the interval is set: a fixed default would be longer than a short
// interval.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := conf.Unmarshal(cfg); err != nil {
		return err
	}
	if !conf.IsSet("timeout") {
		cfg.Timeout = scrapeTimeout(cfg.CollectionInterval)
	}
	return nil
}

// Validate reports all problems at once, each with its remedy.
func (cfg *Config) Validate() error {
	return errors.Join(
		cfg.validateTimes(),
		cfg.validateEndpoint(),
		cfg.validateCredentials(),
		cfg.validateLimits(),
		cfg.validateSelection(),
		cfg.Tags.validate(),
		cfg.EventDetection.validate(),
		cfg.Shard.validate(),
		cfg.validateDeviceLogs(),
	)
}

func (cfg *Config) validateTimes() error {
	var errs []error
	if cfg.CollectionInterval < time.Second {
		errs = append(errs, fmt.Errorf(`"collection_interval" is %s: set at least 1s (60s or more is useful: devices report metrics at most once a minute)`, cfg.CollectionInterval))
	}
	switch {
	case cfg.Timeout <= 0:
		errs = append(errs, fmt.Errorf(`"timeout" is %s: set a positive duration up to "collection_interval" or remove the key`, cfg.Timeout))
	case cfg.Timeout > cfg.CollectionInterval:
		errs = append(errs, fmt.Errorf(`"timeout" (%s) is longer than "collection_interval" (%s): set a shorter timeout or remove the key`, cfg.Timeout, cfg.CollectionInterval))
	}
	if cfg.API.Timeout < 0 {
		errs = append(errs, fmt.Errorf(`"api::timeout" is %s: set a positive duration or remove the key`, cfg.API.Timeout))
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateEndpoint() error {
	u, err := url.Parse(cfg.API.Endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf(`"api::endpoint" is %s: set the URL of the balena API, for example %s`, quotedEndpoint(cfg.API.Endpoint), defaultEndpoint)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf(`"api::endpoint" is %s with a user, a query or a fragment: remove them, credentials belong in "token"`, quotedEndpoint(cfg.API.Endpoint))
	}
	if last := path.Base(u.Path); last == "v6" || last == "v7" {
		return fmt.Errorf(`"api::endpoint" is %s: remove the version, the receiver adds the one it needs`, quotedEndpoint(cfg.API.Endpoint))
	}
	if u.Scheme == "http" && !cfg.InsecureHTTP && !isLoopback(u.Hostname()) {
		return fmt.Errorf(`"api::endpoint" is %s: plain http would send the token in clear text; use https (or set "insecure_http: true" if the network is trusted)`, quotedEndpoint(cfg.API.Endpoint))
	}
	return nil
}

// quotedEndpoint quotes the scheme, host and path of a URL. The rest may contain credentials, and a string without a host may be
// anything: neither is shown.
func quotedEndpoint(endpoint string) string {
	if endpoint == "" {
		return `""`
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return "not a URL with a scheme and a host"
	}
	return strconv.Quote((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String())
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

func (cfg *Config) validateCredentials() error {
	set := 0
	for _, isSet := range []bool{cfg.Token != "", cfg.TokenFile != "", cfg.API.Auth.HasValue()} {
		if isSet {
			set++
		}
	}
	switch set {
	case 0:
		return errors.New(`no credentials: set "token" (for example to ${env:BALENA_API_KEY}), "token_file" or "api::auth"`)
	case 1:
		return nil
	default:
		return errors.New(`more than one of "token", "token_file" and "api::auth" is set: keep one`)
	}
}

func (cfg *Config) validateLimits() error {
	var errs []error
	if cfg.PageSize < 1 || cfg.PageSize > maxPageSize {
		errs = append(errs, fmt.Errorf(`"page_size" is %d: set 1 to %d`, cfg.PageSize, maxPageSize))
	}
	if cfg.Concurrency < 1 {
		errs = append(errs, fmt.Errorf(`"concurrency" is %d: set 1 or more`, cfg.Concurrency))
	}
	if cfg.RequestLimit < 0 {
		errs = append(errs, fmt.Errorf(`"request_limit" is %g: set requests per second, or 0 for no limit`, cfg.RequestLimit))
	}
	if cfg.RequestBudget < 0 || cfg.RequestBudget > 0 && cfg.RequestBudget <= budgetReserve {
		errs = append(errs, fmt.Errorf(`"request_budget" is %d: set more than %d requests a minute, or 0 for no budget`, cfg.RequestBudget, budgetReserve))
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateSelection() error {
	_, err := newSelection(cfg)
	return err
}

func (cfg EventDetectionConfig) validate() error {
	var errs []error
	if cfg.OutageDevices < 2 {
		errs = append(errs, fmt.Errorf(`"event_detection::outage_devices" is %d: set 2 or more`, cfg.OutageDevices))
	}
	for key, fraction := range map[string]float64{"outage_share": cfg.OutageShare, "storage_utilization": cfg.StorageUtilization} {
		if !(fraction > 0 && fraction <= 1) {
			errs = append(errs, fmt.Errorf(`"event_detection::%s" is %g: set a fraction above 0 and up to 1`, key, fraction))
		}
	}
	for key, duration := range map[string]time.Duration{"rollout_stuck_after": cfg.RolloutStuckAfter, "api_key_expires_in": cfg.APIKeyExpiresIn} {
		if duration <= 0 {
			errs = append(errs, fmt.Errorf(`"event_detection::%s" is %s: set a positive duration`, key, duration))
		}
	}
	return errors.Join(errs...)
}

func (cfg ShardConfig) validate() error {
	if cfg.Total < 0 || cfg.Index < 0 || cfg.Index >= max(cfg.Total, 1) {
		return fmt.Errorf(`"shard" is index %d of %d: set index to 0 up to total-1`, cfg.Index, cfg.Total)
	}
	return nil
}

package receiver

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
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

	// maxPageSize keeps one answer well under the client's bound on an answer's size.
	maxPageSize = 10_000

	// defaultTimeoutShare is the part of the collection interval that a scrape may take when no timeout is set.
	defaultTimeoutShare = 0.9
)

// Config of the balena receiver.
type Config struct {
	// ControllerConfig holds collection_interval, initial_delay and timeout. The timeout bounds a whole scrape; unless it is set it is
	// nine tenths of the interval.
	scraperhelper.ControllerConfig `mapstructure:",squash"`

	metadata.MetricsBuilderConfig `mapstructure:",squash"`

	// API configures the HTTP client; its timeout bounds a single request. It is nested because timeout would otherwise be one key
	// for two things.
	API confighttp.ClientConfig `mapstructure:"api"`

	// Token is a balena API key or session token. Exactly one of Token, TokenFile and API.Auth must be set.
	Token configopaque.String `mapstructure:"token"`

	// TokenFile names a file that holds the token. It is read at every scrape, so that the token may be rotated.
	TokenFile string `mapstructure:"token_file"`

	// Fleets selects the fleets that are reported.
	Fleets FleetsConfig `mapstructure:"fleets"`

	// Devices selects the devices that are reported and counted.
	Devices DevicesConfig `mapstructure:"devices"`

	// Tags makes tags resource attributes.
	Tags TagsConfig `mapstructure:"tags"`

	// Shard lets several Collectors share the fleets among them.
	Shard ShardConfig `mapstructure:"shard"`

	// PageSize is the number of rows asked for in one request.
	PageSize int `mapstructure:"page_size"`

	// Concurrency is the number of requests that may be under way at once.
	Concurrency int `mapstructure:"concurrency"`

	// RequestLimit is the number of requests a second that the receiver may start; 0 means no limit of its own.
	RequestLimit float64 `mapstructure:"request_limit"`

	// RequestBudget is the number of requests that the receiver may make in a minute; 0 means no budget. When it runs short, fleets
	// are still counted.
	RequestBudget int `mapstructure:"request_budget"`

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

	// Exclude lists UUIDs of devices that are known to be dead, for example.
	Exclude []string `mapstructure:"exclude"`
}

// TagsConfig says which tags become resource attributes. A key is that of a tag; its value is the name of the attribute, or empty for
// the standard one: `balena.fleet.tag.<key>` or `balena.device.tag.<key>`.
type TagsConfig struct {
	// Fleets are tags of fleets, set on fleet resources.
	Fleets map[string]string `mapstructure:"fleets"`

	// Devices are tags of devices, set on device resources.
	Devices map[string]string `mapstructure:"devices"`
}

// ShardConfig is the share of the fleets that this receiver reports: each fleet is in exactly one of Total shares.
type ShardConfig struct {
	// Index is the share's number, from 0 to Total-1.
	Index int `mapstructure:"index"`

	// Total is the number of shares; 0 or 1 means that there is only this one.
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
		API:                  api,
		PageSize:             defaultPageSize,
		Concurrency:          defaultConcurrency,
	}
}

func scrapeTimeout(interval time.Duration) time.Duration {
	return time.Duration(float64(interval) * defaultTimeoutShare)
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

// Validate reports everything that is wrong at once, each with what to do about it.
func (cfg *Config) Validate() error {
	return errors.Join(
		cfg.validateTimes(),
		cfg.validateEndpoint(),
		cfg.validateCredentials(),
		cfg.validateLimits(),
		cfg.validateSelection(),
		cfg.Tags.validate(),
		cfg.Shard.validate(),
	)
}

func (cfg *Config) validateTimes() error {
	var errs []error
	if cfg.CollectionInterval < time.Second {
		errs = append(errs, fmt.Errorf(`"collection_interval" is %s: set at least 1s (60s or more is useful, devices report metrics at most once a minute)`, cfg.CollectionInterval))
	}
	switch {
	case cfg.Timeout <= 0:
		errs = append(errs, fmt.Errorf(`"timeout" is %s: a scrape needs an end, set a time up to "collection_interval" or leave it out`, cfg.Timeout))
	case cfg.Timeout > cfg.CollectionInterval:
		errs = append(errs, fmt.Errorf(`"timeout" (%s) is longer than "collection_interval" (%s): set a shorter timeout or leave it out`, cfg.Timeout, cfg.CollectionInterval))
	}
	if cfg.API.Timeout < 0 {
		errs = append(errs, fmt.Errorf(`"api::timeout" is %s: set a positive time or leave it out`, cfg.API.Timeout))
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateEndpoint() error {
	u, err := url.Parse(cfg.API.Endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf(`"api::endpoint" is %q: set the URL of the balena API, for example %s`, redacted(cfg.API.Endpoint), defaultEndpoint)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf(`"api::endpoint" is %q: leave out user, query and fragment, credentials belong in "token"`, u.Redacted())
	}
	if last := path.Base(u.Path); last == "v6" || last == "v7" {
		return fmt.Errorf(`"api::endpoint" is %q: leave out the version, the receiver adds the one it needs`, cfg.API.Endpoint)
	}
	if u.Scheme == "http" && !cfg.InsecureHTTP && !isLoopback(u.Hostname()) {
		return fmt.Errorf(`"api::endpoint" is %q: plain http would send the token in clear text, use https (or set "insecure_http: true" if the network is trusted)`, cfg.API.Endpoint)
	}
	return nil
}

// redacted hides what may be a password in a URL that is quoted in an error.
func redacted(endpoint string) string {
	if u, err := url.Parse(endpoint); err == nil {
		return u.Redacted()
	}
	return "(not a URL)"
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
		return errors.New(`more than one of "token", "token_file" and "api::auth" is set: leave one`)
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

func (cfg TagsConfig) validate() error {
	var errs []error
	for key, tags := range map[string]map[string]string{"tags::fleets": cfg.Fleets, "tags::devices": cfg.Devices} {
		for name, attribute := range tags {
			if name == "" || strings.ContainsAny(name, " \t\r\n") {
				errs = append(errs, fmt.Errorf("%q: %q is no key of a tag: keys have no white space", key, name))
			}
			if strings.HasPrefix(attribute, "balena.") {
				errs = append(errs, fmt.Errorf("%q: %q: the attribute %q could clash with one of the receiver's: choose a name that does not start with \"balena.\"", key, name, attribute))
			}
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

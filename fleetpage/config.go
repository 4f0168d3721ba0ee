package fleetpage

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/otelcol-balena/balenareceiver/fleetpage/internal/model"
)

const (
	defaultEndpoint   = "localhost:8080"
	defaultHistory    = 24 * time.Hour
	defaultChanges    = 20
	defaultExpiration = time.Hour
	defaultSiteTag    = "site"

	// maxChanges keeps the changes of 100,000 devices within some hundred megabytes.
	maxChanges = 1000
)

// Config configures the fleetpage exporter.
type Config struct {
	// ServerConfig is where and how the page is served.
	confighttp.ServerConfig `mapstructure:",squash"`

	// History is how far back the lines of fleets reach, in 288 steps: 2.3 kB for each fleet, whatever the history.
	History time.Duration `mapstructure:"history"`

	// Changes is how many changes are kept of each device; 0 keeps none.
	Changes int `mapstructure:"changes"`

	// Expiration is how long fleets and devices are shown after their last metrics.
	Expiration time.Duration `mapstructure:"expiration"`

	// Tags says which resource attributes carry tags, as the receiver's own "tags" does. Those with its default names need not be listed.
	Tags TagsConfig `mapstructure:"tags"`

	// SiteTag is the tag of devices that names their site. The receiver must be told to report it.
	SiteTag string `mapstructure:"site_tag"`

	// DashboardURL is the balena dashboard that the page links to. The default is balenaCloud's if the metrics come from there, and no
	// links otherwise.
	DashboardURL string `mapstructure:"dashboard_url"`
}

// TagsConfig maps the keys of tags to the names of the resource attributes that carry them. An empty name means the receiver's default:
// `balena.fleet.tag.<key>` or `balena.device.tag.<key>`.
type TagsConfig struct {
	// Fleets are tags of fleets.
	Fleets map[string]string `mapstructure:"fleets"`

	// Devices are tags of devices.
	Devices map[string]string `mapstructure:"devices"`
}

var _ xconfmap.Validator = (*Config)(nil)

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	return &Config{
		ServerConfig: server, History: defaultHistory, Changes: defaultChanges, Expiration: defaultExpiration, SiteTag: defaultSiteTag,
	}
}

// Validate reports all problems at once, each with its remedy.
func (cfg *Config) Validate() error {
	var errs []error
	if strings.TrimSpace(cfg.NetAddr.Endpoint) == "" {
		errs = append(errs, errors.New(`"endpoint" is empty: set an address such as `+defaultEndpoint))
	}
	if cfg.History < model.HistorySlots*time.Second {
		errs = append(errs, fmt.Errorf(`"history" is %s: set at least %s`, cfg.History, model.HistorySlots*time.Second))
	}
	if cfg.Changes < 0 || cfg.Changes > maxChanges {
		errs = append(errs, fmt.Errorf(`"changes" is %d: set 0 to %d`, cfg.Changes, maxChanges))
	}
	if cfg.Expiration < time.Minute {
		errs = append(errs, fmt.Errorf(`"expiration" is %s: set at least 1m, some collection intervals of the receiver`, cfg.Expiration))
	}
	if u, err := url.Parse(cfg.DashboardURL); cfg.DashboardURL != "" && (err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http")) {
		errs = append(errs, errors.New(`"dashboard_url" is not the URL of a dashboard: set one with https, a host and no user, or remove the key`))
	}
	return errors.Join(errs...)
}

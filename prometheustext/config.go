package prometheustext

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
)

// Config configures the exporter.
type Config struct {
	// ServerConfig is the server at whose path /metrics Prometheus pulls.
	confighttp.ServerConfig `mapstructure:",squash"`

	// MetricExpiration is how long a series is served after its last point.
	MetricExpiration time.Duration `mapstructure:"metric_expiration"`
}

var _ component.Config = (*Config)(nil)

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:8000"
	return &Config{ServerConfig: server, MetricExpiration: 5 * time.Minute}
}

// Validate implements [xconfmap.Validator].
func (c *Config) Validate() error {
	var errs []error
	if c.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("endpoint must be set, for example to localhost:8000"))
	}
	if c.MetricExpiration <= 0 {
		errs = append(errs, fmt.Errorf("metric_expiration must be positive, not %s", c.MetricExpiration))
	}
	return errors.Join(errs...)
}

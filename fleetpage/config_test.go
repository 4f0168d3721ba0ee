package fleetpage

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func TestConfig_Unmarshal(t *testing.T) {
	all := createDefaultConfig().(*Config)
	all.NetAddr.Endpoint = "0.0.0.0:9000"
	all.History, all.Changes, all.Expiration = 7*24*time.Hour, 5, 30*time.Minute
	all.SiteTag, all.DashboardURL = "place", "https://dashboard.example.com"
	all.Tags = TagsConfig{Fleets: map[string]string{"team": ""}, Devices: map[string]string{"place": "where"}}
	all.TLS = configoptional.Some(configtls.ServerConfig{Config: configtls.Config{CertFile: "page.crt", KeyFile: "page.key"}})
	for name, want := range map[string]*Config{"fleetpage": createDefaultConfig().(*Config), "fleetpage/all": all} {
		t.Run(name, func(t *testing.T) {
			got, err := loadConfig(t, name)
			require.NoError(t, err)
			require.NoError(t, xconfmap.Validate(got))
			if name == "fleetpage/all" {
				require.True(t, got.TLS.HasValue())
				assert.Equal(t, "page.crt", got.TLS.Get().CertFile)
				got.TLS, all.TLS = configoptional.Optional[configtls.ServerConfig]{}, configoptional.Optional[configtls.ServerConfig]{}
			}
			assert.Equal(t, want, got)
		})
	}
	_, err := loadConfig(t, "fleetpage/unknown")
	require.ErrorContains(t, err, "histroy")
}

func loadConfig(t *testing.T, name string) (*Config, error) {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub(component.MustNewIDWithName("fleetpage", "").String())
	if name != "fleetpage" {
		sub, err = conf.Sub(name)
	}
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	return cfg, sub.Unmarshal(cfg)
}

func TestConfig_Validate(t *testing.T) {
	for want, break_ := range map[string]func(*Config){
		`"endpoint" is empty: set an address such as localhost:8080`:                                               func(c *Config) { c.NetAddr.Endpoint = " " },
		`"history" is 1m0s: set at least 4m48s`:                                                                    func(c *Config) { c.History = time.Minute },
		`"changes" is -1: set 0 to 1000`:                                                                           func(c *Config) { c.Changes = -1 },
		`"changes" is 1001: set 0 to 1000`:                                                                         func(c *Config) { c.Changes = 1001 },
		`"expiration" is 1s: set at least 1m, some collection intervals of the receiver`:                           func(c *Config) { c.Expiration = time.Second },
		`"dashboard_url" is not the URL of a dashboard: set one with https, a host and no user, or remove the key`: func(c *Config) { c.DashboardURL = "javascript:alert(1)" },
	} {
		cfg := createDefaultConfig().(*Config)
		break_(cfg)
		assert.EqualError(t, cfg.Validate(), want)
	}
	for _, secret := range []string{"https://user:secret@example.com", "https://user:secret@exa mple.com/%zz"} {
		cfg := createDefaultConfig().(*Config)
		cfg.DashboardURL = secret
		err := cfg.Validate()
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret")
	}
	cfg := createDefaultConfig().(*Config)
	cfg.Changes, cfg.History = -1, 0
	err := cfg.Validate()
	assert.ErrorContains(t, err, "changes")
	assert.ErrorContains(t, err, "history", "all problems at once")
}

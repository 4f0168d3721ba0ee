package receiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func TestConfig_Unmarshal(t *testing.T) {
	t.Parallel()
	all := createDefaultConfig().(*Config)
	all.CollectionInterval, all.InitialDelay, all.Timeout = 5*time.Minute, 10*time.Second, 2*time.Minute
	all.TokenFile = "/run/secrets/balena"
	all.API.Endpoint, all.API.Timeout, all.API.TLS.CAFile = "https://api.balena.example.com", time.Minute, "/etc/ssl/balena.pem"
	all.Fleets = FleetsConfig{
		Include:  []string{"acme/*", "/^globex/.+-prod$/"},
		Exclude:  []string{"acme/test"},
		Archived: true, HostApps: true, Blocks: true,
	}
	all.PageSize, all.Concurrency, all.RequestLimit = 500, 2, 2.5
	all.DeviceLogs = configoptional.Some(DeviceLogsConfig{
		Fleets:  DeviceLogsFleetsConfig{Include: []string{"acme/*"}},
		Devices: DeviceLogsDevicesConfig{ExcludeTags: []string{"lab"}},
		Mode:    "stream", StartAt: "beginning", MaxStreams: 50, RequestLimit: 0.5, PollInterval: 5 * time.Minute,
	})
	all.Storage = new(component.MustNewID("file_storage"))
	all.EventDetection = EventDetectionConfig{
		OutageDevices: 10, OutageShare: 0.5, OutageDeviceEvents: false, StorageUtilization: 0.8,
		RolloutStuckAfter: 2 * time.Hour, APIKeyExpiresIn: 24 * time.Hour,
	}

	standard := createDefaultConfig().(*Config)
	standard.Token = "secret"
	short := createDefaultConfig().(*Config)
	short.Token, short.CollectionInterval, short.Timeout = "secret", 10*time.Second, 9*time.Second

	for name, want := range map[string]*Config{"balena": standard, "balena/all": all, "balena/short": short} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := loadConfig(t, name)
			require.NoError(t, err)
			require.NoError(t, xconfmap.Validate(got))

			// The generated parts keep track of what the user set; compare them by what they say.
			assert.Equal(t, name == "balena/all", got.Metrics.BalenaDeviceCPUUtilization.Enabled)
			assert.Equal(t, name != "balena/all", got.MetricsBuilderConfig.ResourceAttributes.BalenaDeviceName.Enabled)
			assert.Equal(t, name != "balena/all", got.LogsBuilderConfig.ResourceAttributes.BalenaDeviceName.Enabled, "one key for both signals")
			assert.Equal(t, name == "balena/all", got.Events.BalenaDeviceServiceStatusChanged.Enabled)
			got.MetricsBuilderConfig, got.LogsBuilderConfig = want.MetricsBuilderConfig, want.LogsBuilderConfig
			assert.Equal(t, want, got)
		})
	}
}

func TestConfig_Unmarshal_UnknownKey(t *testing.T) {
	t.Parallel()
	_, err := loadConfig(t, "balena/unknown")
	require.ErrorContains(t, err, "tokenn")
}

func loadConfig(t *testing.T, name string) (*Config, error) {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub(component.MustNewIDWithName("balena", "").String())
	require.NoError(t, err)
	if name != "balena" {
		sub, err = conf.Sub(name)
		require.NoError(t, err)
	}
	cfg := createDefaultConfig().(*Config)
	return cfg, sub.Unmarshal(cfg)
}

func TestConfig_Validate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Config)
		want   []string
	}{
		"no credentials": {
			func(cfg *Config) { cfg.Token = "" },
			[]string{`no credentials: set "token"`, "${env:BALENA_API_KEY}", `"token_file"`, `"api::auth"`},
		},
		"two credentials": {
			func(cfg *Config) { cfg.TokenFile = "/run/secrets/balena" },
			[]string{`more than one of "token", "token_file" and "api::auth" is set: keep one`},
		},
		"a token beside an auth extension": {
			func(cfg *Config) { cfg.API.Auth = configoptional.Some(configauth.Config{}) },
			[]string{`more than one of "token", "token_file" and "api::auth" is set: keep one`},
		},
		"an interval below a second": {
			func(cfg *Config) { cfg.CollectionInterval, cfg.Timeout = 500*time.Millisecond, 400*time.Millisecond },
			[]string{`"collection_interval" is 500ms: set at least 1s`},
		},
		"no timeout": {
			func(cfg *Config) { cfg.Timeout = 0 },
			[]string{`"timeout" is 0s: set a positive duration up to`},
		},
		"a timeout beyond the interval": {
			func(cfg *Config) { cfg.Timeout = 2 * time.Minute },
			[]string{`"timeout" (2m0s) is longer than "collection_interval" (1m0s): set a shorter timeout or remove the key`},
		},
		"a negative request timeout": {
			func(cfg *Config) { cfg.API.Timeout = -1 },
			[]string{`"api::timeout" is -1ns: set a positive duration`},
		},
		"no endpoint": {
			func(cfg *Config) { cfg.API.Endpoint = "" },
			[]string{`"api::endpoint" is "": set the URL of the balena API, for example https://api.balena-cloud.com`},
		},
		"an endpoint without a scheme": {
			func(cfg *Config) { cfg.API.Endpoint = "api.balena-cloud.com" },
			[]string{`"api::endpoint" is not a URL with a scheme and a host: set the URL of the balena API`},
		},
		"an endpoint with a password": {
			func(cfg *Config) { cfg.API.Endpoint = "https://user:hidden@api.balena-cloud.com" },
			[]string{`"api::endpoint" is "https://api.balena-cloud.com" with a user, a query or a fragment: remove them`},
		},
		"an endpoint with the key as user": {
			func(cfg *Config) { cfg.API.Endpoint = "https://hidden@api.balena-cloud.com" },
			[]string{`"api::endpoint" is "https://api.balena-cloud.com" with a user, a query or a fragment: remove them`},
		},
		"an endpoint with the key in its query": {
			func(cfg *Config) { cfg.API.Endpoint = "https://api.balena-cloud.com/?apikey=hidden" },
			[]string{`"api::endpoint" is "https://api.balena-cloud.com/" with a user, a query or a fragment: remove them`},
		},
		"an endpoint with the key in its fragment": {
			func(cfg *Config) { cfg.API.Endpoint = "https://api.balena-cloud.com/#hidden" },
			[]string{`with a user, a query or a fragment: remove them`},
		},
		"an endpoint with the key and without a scheme": {
			func(cfg *Config) { cfg.API.Endpoint = "api.balena-cloud.com/?apikey=hidden" },
			[]string{`"api::endpoint" is not a URL with a scheme and a host`},
		},
		"an endpoint with the key and another scheme": {
			func(cfg *Config) { cfg.API.Endpoint = "ftp://hidden@api.balena-cloud.com" },
			[]string{`"api::endpoint" is "ftp://api.balena-cloud.com": set the URL of the balena API`},
		},
		"an endpoint that cannot be parsed": {
			func(cfg *Config) { cfg.API.Endpoint = "https://hidden:%zz@api.balena-cloud.com" },
			[]string{`"api::endpoint" is not a URL with a scheme and a host`},
		},
		"an endpoint with the API's version": {
			func(cfg *Config) { cfg.API.Endpoint = "https://api.balena.example.com/v7/" },
			[]string{`"api::endpoint" is "https://api.balena.example.com/v7/": remove the version`},
		},
		"http to another host": {
			func(cfg *Config) { cfg.API.Endpoint = "http://api.balena.example.com" },
			[]string{"plain http would send the token in clear text; use https", `"insecure_http: true"`},
		},
		"no page size": {
			func(cfg *Config) { cfg.PageSize = 0 },
			[]string{`"page_size" is 0: set 1 to 10000`},
		},
		"a page size beyond reason": {
			func(cfg *Config) { cfg.PageSize = 1_000_000 },
			[]string{`"page_size" is 1000000: set 1 to 10000`},
		},
		"no concurrency": {
			func(cfg *Config) { cfg.Concurrency = 0 },
			[]string{`"concurrency" is 0: set 1 or more`},
		},
		"a negative request limit": {
			func(cfg *Config) { cfg.RequestLimit = -1 },
			[]string{`"request_limit" is -1: set requests per second, or 0 for no limit`},
		},
		"a budget that would not do for counting fleets": {
			func(cfg *Config) { cfg.RequestBudget = 3 },
			[]string{`"request_budget" is 3: set more than 3 requests a minute, or 0 for no budget`},
		},
		"events of nothing": {
			func(cfg *Config) { cfg.EventDetection = EventDetectionConfig{} },
			[]string{
				`"event_detection::outage_devices" is 0: set 2 or more`,
				`"event_detection::outage_share" is 0: set a fraction above 0 and up to 1`,
				`"event_detection::storage_utilization" is 0: set a fraction above 0 and up to 1`,
				`"event_detection::rollout_stuck_after" is 0s: set a positive duration`,
				`"event_detection::api_key_expires_in" is 0s: set a positive duration`,
			},
		},
		"a fleet pattern that is no regular expression": {
			func(cfg *Config) { cfg.Fleets.Include = []string{"/acme/(/"} },
			[]string{`"fleets::include": pattern "/acme/(/": invalid regular expression`, "missing closing )"},
		},
		"a fleet pattern that is no glob": {
			func(cfg *Config) { cfg.Fleets.Exclude = []string{"acme/[a"} },
			[]string{`"fleets::exclude": pattern "acme/[a": invalid glob`, "check the brackets"},
		},
		"a fleet pattern without an organization": {
			func(cfg *Config) { cfg.Fleets.Include = []string{"kiosk"} },
			[]string{`"fleets::include": pattern "kiosk": use organization/fleet`},
		},
		"everything at once": {
			func(cfg *Config) { cfg.Token, cfg.PageSize, cfg.API.Endpoint = "", 0, "" },
			[]string{"no credentials", `"page_size"`, `"api::endpoint"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := createDefaultConfig().(*Config)
			cfg.Token = "secret"
			require.NoError(t, cfg.Validate())
			test.change(cfg)

			err := cfg.Validate()

			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "hidden")
		})
	}
}

func TestConfig_Validate_PlainHTTP(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"localhost": func(cfg *Config) { cfg.API.Endpoint = "http://localhost:1337" },
		"127.0.0.1": func(cfg *Config) { cfg.API.Endpoint = "http://127.0.0.1:1337" },
		"::1":       func(cfg *Config) { cfg.API.Endpoint = "http://[::1]:1337" },
		"asked for": func(cfg *Config) { cfg.API.Endpoint, cfg.InsecureHTTP = "http://api.balena.internal", true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := createDefaultConfig().(*Config)
			cfg.Token = "secret"
			change(cfg)
			require.NoError(t, cfg.Validate())
		})
	}
}

package balenaclient_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/simtest"
)

// writes are the requests that may have changed something.
func writes(sim *balenasim.Simulator) []string {
	var all []string
	for _, r := range sim.Requests() {
		if r.Method != http.MethodGet {
			all = append(all, r.Method+" "+r.Target)
		}
	}
	return all
}

func insert(t *testing.T, sim *balenasim.Simulator, resource string, fields map[string]any) int64 {
	t.Helper()
	id, err := sim.Insert(resource, fields)
	require.NoError(t, err)
	return id
}

func TestEnv_Set_Get_Unset(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env      func(*balenaclient.Client) balenaclient.Env
		resource string
		variable string
	}{
		"fleet variable":          {func(c *balenaclient.Client) balenaclient.Env { return c.FleetEnv(1) }, "application_environment_variable", "GREETING"},
		"fleet service variable":  {func(c *balenaclient.Client) balenaclient.Env { return c.FleetEnv(1).Service("mqtt") }, "service_environment_variable", "GREETING"},
		"device variable":         {func(c *balenaclient.Client) balenaclient.Env { return c.DeviceEnv(2) }, "device_environment_variable", "GREETING"},
		"device service variable": {func(c *balenaclient.Client) balenaclient.Env { return c.DeviceEnv(2).Service("mqtt") }, "device_service_environment_variable", "GREETING"},
		"fleet configuration":     {func(c *balenaclient.Client) balenaclient.Env { return c.FleetConfig(1) }, "application_config_variable", "BALENA_HOST_CONFIG_gpu_mem"},
		"device configuration": {func(c *balenaclient.Client) balenaclient.Env { return c.DeviceConfig(2) }, "device_config_variable",
			"BALENA_HOST_CONFIG_gpu_mem"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, sim := simtest.New(t)
			env, ctx := tt.env(client), t.Context()
			before, rows := mapOf(t, env), sim.Count(tt.resource)

			_, err := env.Get(ctx, tt.variable)
			require.ErrorIs(t, err, balenaclient.ErrNotFound)
			require.ErrorIs(t, env.Unset(ctx, tt.variable), balenaclient.ErrNotFound)

			for _, value := range []string{"it's 50% & more", "changed", ""} {
				require.NoError(t, env.Set(ctx, tt.variable, value))
				got, err := env.Get(ctx, tt.variable)
				require.NoError(t, err)
				assert.Equal(t, value, got)
				assert.Equal(t, rows+1, sim.Count(tt.resource))
			}
			with := maps.Clone(before)
			with[tt.variable] = ""
			assert.Equal(t, with, mapOf(t, env))

			require.NoError(t, env.Unset(ctx, tt.variable))
			assert.Equal(t, before, mapOf(t, env))
			assert.Equal(t, rows, sim.Count(tt.resource))
		})
	}
}

func mapOf(t *testing.T, env balenaclient.Env) map[string]string {
	t.Helper()
	values, err := env.Map(t.Context())
	require.NoError(t, err)
	return values
}

func TestEnv_Service(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	require.NoError(t, client.DeviceEnv(1).Service("mqtt").Set(t.Context(), "DEBUG", "2"))
	assert.Equal(t, map[string]string{"DEBUG": "1"}, mapOf(t, client.DeviceEnv(1).Service("main")))
	assert.Equal(t, map[string]string{"DEBUG": "2"}, mapOf(t, client.DeviceEnv(1).Service("mqtt")))
	assert.NotContains(t, mapOf(t, client.DeviceEnv(1)), "DEBUG")
}

func TestEnv_Set_Invalid(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	for name, tt := range map[string]struct {
		act  func(context.Context, *balenaclient.Client) error
		want []string
	}{
		"a value with a line break": {
			func(ctx context.Context, c *balenaclient.Client) error {
				return c.DeviceEnv(1).Set(ctx, "CERT", secret+"\n"+secret)
			},
			[]string{`environment of device 1`, `value of "CERT" has a line break at character 7 of 13`, "base64"},
		},
		"a value with a carriage return for a service": {
			func(ctx context.Context, c *balenaclient.Client) error {
				return c.FleetEnv(1).Service("main").Set(ctx, "CERT", "é\r"+secret)
			},
			[]string{`environment of fleet 1, service "main"`, `has a line break at character 2 of 8`},
		},
		"a value that is too long": {
			func(ctx context.Context, c *balenaclient.Client) error {
				return c.FleetEnv(1).Service("main").Set(ctx, "LONG", secret+strings.Repeat("é", 100_000))
			},
			[]string{`value of "LONG" is 100006 characters long, but the API accepts 100000`},
		},
		"a reserved name": {
			func(ctx context.Context, c *balenaclient.Client) error {
				return c.DeviceEnv(1).Set(ctx, "BALENA_X", secret)
			},
			[]string{`name "BALENA_X" is reserved`, "configuration variable"},
		},
		"the name of the user": {
			func(ctx context.Context, c *balenaclient.Client) error { return c.FleetEnv(1).Set(ctx, "USER", secret) },
			[]string{`name "USER" is reserved`},
		},
		"a name that begins with a digit": {
			func(ctx context.Context, c *balenaclient.Client) error {
				return c.FleetEnv(1).Set(ctx, "9LIVES", secret)
			},
			[]string{`name "9LIVES" is not a name`, "no digit first"},
		},
		"a name with a quote": {
			func(ctx context.Context, c *balenaclient.Client) error {
				return c.FleetEnv(1).Set(ctx, "O'NEIL", secret)
			},
			[]string{`name "O'NEIL" is not a name`},
		},
		"a configuration variable without its prefix": {
			func(ctx context.Context, c *balenaclient.Client) error {
				return c.DeviceConfig(1).Set(ctx, "GPU_MEM", secret)
			},
			[]string{`name "GPU_MEM" does not begin with BALENA_ or RESIN_`, "environment variable"},
		},
		"a configuration variable with an invalid name": {
			func(ctx context.Context, c *balenaclient.Client) error {
				return c.FleetConfig(1).Set(ctx, "BALENA X", secret)
			},
			[]string{`name "BALENA X" is not a name`},
		},
		"a tag key with whitespace": {
			func(ctx context.Context, c *balenaclient.Client) error {
				return c.DeviceTagsOf(1).Set(ctx, "my key", secret)
			},
			[]string{`tags of device 1`, `tag_key "my key" contains white space`, "underscores"},
		},
		"a tag without a key": {
			func(ctx context.Context, c *balenaclient.Client) error { return c.FleetTagsOf(1).Set(ctx, "", secret) },
			[]string{`tags of fleet 1`, `is empty`},
		},
		"a reserved tag": {
			func(ctx context.Context, c *balenaclient.Client) error {
				return c.ReleaseTagsOf(1).Set(ctx, "io.balena.x", secret)
			},
			[]string{`tag_key "io.balena.x" is reserved`},
		},
		"a tag that is too long": {
			func(ctx context.Context, c *balenaclient.Client) error {
				return c.ReleaseTagsOf(1).Set(ctx, "k", secret+strings.Repeat("x", 1000))
			},
			[]string{`value of "k" is 1006 characters long, but the API accepts 1000`},
		},
		"a device name with a line break": {
			func(ctx context.Context, c *balenaclient.Client) error { return c.RenameDevice(ctx, 1, "a\nb") },
			[]string{`device_name "a\nb" has a line break`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, sim := simtest.New(t)
			err := tt.act(t.Context(), client)
			require.ErrorIs(t, err, balenaclient.ErrInvalid)
			var invalid *balenaclient.InvalidError
			require.ErrorAs(t, err, &invalid)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), secret)
			assert.Empty(t, sim.Requests(), "nothing may be sent")
		})
	}
}

func TestEnv_Service_Missing(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	for name, err := range map[string]error{
		`fleet 1 has no service "web" (it has main, metrics-agent, mqtt)`:  client.FleetEnv(1).Service("web").Set(t.Context(), "A", "b"),
		`device 1 has no service "web" (it has main, metrics-agent, mqtt)`: client.DeviceEnv(1).Service("web").Set(t.Context(), "A", "b"),
		`fleet 5 has no service "web" (it has none)`:                       client.FleetEnv(5).Service("web").Unset(t.Context(), "A"),
	} {
		require.ErrorIs(t, err, balenaclient.ErrNoService)
		require.ErrorIs(t, err, balenaclient.ErrNotFound)
		require.ErrorContains(t, err, name)
	}
	_, err := client.EffectiveEnv(t.Context(), 1, "web")
	require.ErrorIs(t, err, balenaclient.ErrNoService)
	_, err = client.DeviceEnv(1).Service("web").Get(t.Context(), "A")
	require.ErrorIs(t, err, balenaclient.ErrNoService)
	_, err = client.DeviceEnv(1).Service("web").Map(t.Context())
	require.ErrorIs(t, err, balenaclient.ErrNoService)
	_, err = client.DeviceEnv(999).Service("web").Map(t.Context())
	require.ErrorIs(t, err, balenaclient.ErrNotFound)
	require.ErrorIs(t, client.DeviceConfig(1).Service("main").Set(t.Context(), "BALENA_X", "1"), balenaclient.ErrInvalid)
	assert.Empty(t, writes(sim))
}

func TestEnv_Service_OfTheFormerFleet(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	require.NoError(t, sim.Update("device", 1, map[string]any{"belongs_to__application": 4}))
	for _, left := range []int{1, 2, 3} { // services of the old fleet, whose installs the server may not have removed yet
		insert(t, sim, "service_install", map[string]any{"device": 1, "installs__service": left})
	}

	require.ErrorIs(t, client.DeviceEnv(1).Service("mqtt").Set(t.Context(), "A", "b"), balenaclient.ErrNoService)
	require.NoError(t, client.DeviceEnv(1).Service("main").Set(t.Context(), "DEBUG", "new"))
	all, err := client.DeviceEnv(1).All(t.Context())
	require.NoError(t, err)
	assert.Equal(t, balenaclient.EnvMap{{Name: "DEVICE_ROLE"}: "primary", {Service: "main", Name: "DEBUG"}: "new"}, all)
	env, err := client.EffectiveEnv(t.Context(), 1, "main")
	require.NoError(t, err)
	assert.Equal(t, "new", env["DEBUG"].Value)
}

func TestClient_EffectiveEnv(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	ctx := t.Context()
	set := func(env balenaclient.Env, name, value string) {
		t.Helper()
		require.NoError(t, env.Set(ctx, name, value))
	}
	fleet, device := client.FleetEnv(1), client.DeviceEnv(1)
	for i, name := range []string{"A", "B", "C", "D"} { // D at all four, C at three of them, …
		places := []balenaclient.Env{fleet, fleet.Service("main"), device, device.Service("main")}
		for j, env := range places[:i+1] {
			set(env, name, []string{"fleet", "fleet service", "device", "device service"}[j])
		}
	}
	set(device.Service("mqtt"), "A", "of another service")
	set(fleet.Service("mqtt"), "E", "of another service")

	env, err := client.EffectiveEnv(ctx, 1, "main")
	require.NoError(t, err)
	assert.Equal(t, map[string]balenaclient.EffectiveVariable{
		"A":            {Value: "fleet", Origin: balenaclient.FromFleet},
		"B":            {Value: "fleet service", Origin: balenaclient.FromFleetService, Hidden: []balenaclient.EnvOrigin{balenaclient.FromFleet}},
		"C":            {Value: "device", Origin: balenaclient.FromDevice, Hidden: []balenaclient.EnvOrigin{balenaclient.FromFleetService, balenaclient.FromFleet}},
		"D":            {Value: "device service", Origin: balenaclient.FromDeviceService, Hidden: []balenaclient.EnvOrigin{balenaclient.FromDevice, balenaclient.FromFleetService, balenaclient.FromFleet}},
		"LOG_LEVEL":    {Value: "info", Origin: balenaclient.FromFleet},
		"REGION":       {Value: "eu-west-1", Origin: balenaclient.FromFleet},
		"SERVICE_MODE": {Value: "main-mode", Origin: balenaclient.FromFleetService},
		"DEVICE_ROLE":  {Value: "primary", Origin: balenaclient.FromDevice},
		"DEBUG":        {Value: "1", Origin: balenaclient.FromDeviceService},
	}, env)
}

func TestClient_EffectiveEnv_Requests(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	_, err := client.EffectiveEnv(t.Context(), 1, "main")
	require.NoError(t, err)
	assert.Len(t, sim.Requests(), 1)
	_, err = client.EffectiveEnv(t.Context(), 999, "main")
	require.ErrorIs(t, err, balenaclient.ErrNotFound)
}

func TestClient_OverrideEnv(t *testing.T) {
	t.Parallel()
	key := func(service, name string) balenaclient.EnvKey {
		return balenaclient.EnvKey{Service: service, Name: name}
	}
	for name, tt := range map[string]struct {
		prepare  func(context.Context, *balenaclient.Client) error
		variable string
		want     balenaclient.EnvChange
		services []string // of the OverrideError
		notFound bool
	}{
		"a fleet variable":               {variable: "REGION", want: balenaclient.EnvChange{EnvKey: key("", "REGION"), Created: true, Old: "eu-west-1"}},
		"a device variable":              {variable: "DEVICE_ROLE", want: balenaclient.EnvChange{EnvKey: key("", "DEVICE_ROLE"), Old: "primary"}},
		"a device service variable":      {variable: "DEBUG", want: balenaclient.EnvChange{EnvKey: key("main", "DEBUG"), Old: "1"}},
		"a variable of several services": {variable: "SERVICE_MODE", services: []string{"main", "metrics-agent", "mqtt"}},
		"a variable that does not exist": {variable: "NO_SUCH", notFound: true},
		"a fleet service variable": {prepare: func(ctx context.Context, c *balenaclient.Client) error {
			return c.FleetEnv(1).Service("mqtt").Set(ctx, "PORT", "1883")
		}, variable: "PORT", want: balenaclient.EnvChange{EnvKey: key("mqtt", "PORT"), Created: true, Old: "1883"}},
		"a fleet variable and a device service variable": {prepare: func(ctx context.Context, c *balenaclient.Client) error {
			return c.DeviceEnv(1).Service("mqtt").Set(ctx, "REGION", "x")
		}, variable: "REGION", services: []string{"", "mqtt"}},
		"a device service variable that takes precedence over a fleet service variable": {prepare: func(ctx context.Context, c *balenaclient.Client) error {
			return c.FleetEnv(1).Service("mqtt").Set(ctx, "REGION", "x")
		}, variable: "REGION", want: balenaclient.EnvChange{EnvKey: key("", "REGION"), Created: true, Old: "eu-west-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, sim := simtest.New(t)
			if tt.prepare != nil {
				require.NoError(t, tt.prepare(t.Context(), client))
			}
			before := writes(sim)
			change, err := client.OverrideEnv(t.Context(), 1, tt.variable, "new value")
			switch {
			case tt.services != nil:
				var clash *balenaclient.OverrideError
				require.ErrorAs(t, err, &clash)
				require.ErrorIs(t, err, balenaclient.ErrNotUnique)
				assert.Equal(t, tt.services, clash.Services)
				assert.NotContains(t, err.Error(), `""`)
				assert.Equal(t, before, writes(sim), "nothing may be changed")
			case tt.notFound:
				require.ErrorIs(t, err, balenaclient.ErrNotFound)
				assert.Equal(t, before, writes(sim), "nothing may be changed")
			default:
				require.NoError(t, err)
				assert.Equal(t, tt.want, change)
				env := client.DeviceEnv(1)
				if tt.want.Service != "" {
					env = env.Service(tt.want.Service)
				}
				got, err := env.Get(t.Context(), tt.variable)
				require.NoError(t, err)
				assert.Equal(t, "new value", got)
			}
		})
	}
}

func TestDiffEnv(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	require.NoError(t, client.FleetEnv(4).Set(t.Context(), "REGION", "us-east-1"))
	first, err := client.FleetEnv(1).All(t.Context())
	require.NoError(t, err)
	second, err := client.FleetEnv(4).All(t.Context())
	require.NoError(t, err)
	diff := balenaclient.DiffEnv(first, second)
	assert.Equal(t, balenaclient.EnvDiff{
		Missing:   []balenaclient.EnvKey{{Service: "metrics-agent", Name: "SERVICE_MODE"}, {Service: "mqtt", Name: "SERVICE_MODE"}},
		Extra:     []balenaclient.EnvKey{{Service: "modbus", Name: "SERVICE_MODE"}},
		Different: []balenaclient.EnvKey{{Name: "REGION"}},
	}, diff)
	assert.Equal(t, "mqtt/SERVICE_MODE REGION", diff.Missing[1].String()+" "+diff.Different[0].String())
	assert.False(t, diff.Empty())
	assert.True(t, balenaclient.DiffEnv(first, first).Empty())
}

func TestCloneEnv_MissingService(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	_, err := balenaclient.CloneEnv(t.Context(), client.FleetEnv(1), client.FleetEnv(4))
	require.ErrorIs(t, err, balenaclient.ErrNoService)
	require.ErrorContains(t, err, `nothing was changed`)
	require.ErrorContains(t, err, `fleet 4 has no service "mqtt" (it has main, modbus)`)
	require.ErrorContains(t, err, `"metrics-agent"`)
	assert.Empty(t, writes(sim))
}

func TestCloneEnv(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	ctx := t.Context()
	require.NoError(t, client.FleetEnv(4).Set(ctx, "EXTRA", "1"))
	require.NoError(t, client.FleetEnv(3).Set(ctx, "REGION", "mars"))
	require.NoError(t, client.FleetEnv(3).Set(ctx, "NEW", "1"))

	done, err := balenaclient.CloneEnv(ctx, client.FleetEnv(3), client.FleetEnv(4))
	require.NoError(t, err)
	assert.Equal(t, balenaclient.EnvDiff{Missing: []balenaclient.EnvKey{{Name: "NEW"}}, Different: []balenaclient.EnvKey{{Name: "REGION"}}}, done)

	done, err = balenaclient.CloneEnv(ctx, client.FleetEnv(3), client.FleetEnv(4), balenaclient.Prune())
	require.NoError(t, err)
	assert.Equal(t, []balenaclient.EnvKey{{Name: "EXTRA"}, {Service: "modbus", Name: "SERVICE_MODE"}}, done.Extra)
	first, _ := client.FleetEnv(3).All(ctx)
	second, _ := client.FleetEnv(4).All(ctx)
	assert.Equal(t, first, second)
	assert.Len(t, first, 4)
}

func TestCloneEnv_BetweenLevels(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	ctx := t.Context()
	_, err := balenaclient.CloneEnv(ctx, client.FleetEnv(3), client.DeviceEnv(1))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"LOG_LEVEL": "info", "REGION": "eu-west-1", "DEVICE_ROLE": "primary"}, mapOf(t, client.DeviceEnv(1)))
	assert.Equal(t, map[string]string{"SERVICE_MODE": "main-mode", "DEBUG": "1"}, mapOf(t, client.DeviceEnv(1).Service("main")))

	_, err = balenaclient.CloneEnv(ctx, client.FleetEnv(1).Service("mqtt"), client.FleetEnv(4).Service("modbus"))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"SERVICE_MODE": "mqtt-mode"}, mapOf(t, client.FleetEnv(4).Service("modbus")))

	_, err = balenaclient.CloneEnv(ctx, client.FleetEnv(3), client.FleetConfig(4))
	require.ErrorIs(t, err, balenaclient.ErrInvalid)
	_, err = balenaclient.CloneEnv(ctx, client.FleetConfig(1), client.DeviceConfig(2))
	require.NoError(t, err)
	assert.Equal(t, mapOf(t, client.FleetConfig(1)), mapOf(t, client.DeviceConfig(2)))
	_, err = balenaclient.CloneEnv(ctx, client.FleetEnv(999), client.FleetEnv(4))
	require.ErrorIs(t, err, balenaclient.ErrNotFound)
	_, err = balenaclient.CloneEnv(ctx, client.FleetEnv(1), client.DeviceEnv(999))
	require.ErrorIs(t, err, balenaclient.ErrNotFound)
}

func TestCloneEnv_FailsHalfway(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	_, err := sim.Inject(balenasim.Fault{Kind: balenasim.ServerError, Method: http.MethodPost, Nth: 2})
	require.NoError(t, err)
	done, err := balenaclient.CloneEnv(t.Context(), client.FleetEnv(3), client.DeviceEnv(1))
	require.ErrorIs(t, err, balenaclient.ErrServer)
	assert.Equal(t, balenaclient.EnvDiff{Missing: []balenaclient.EnvKey{{Name: "LOG_LEVEL"}}}, done)
	assert.Equal(t, []string{"DEVICE_ROLE", "LOG_LEVEL"}, slices.Sorted(maps.Keys(mapOf(t, client.DeviceEnv(1)))))
}

func TestTags(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	ctx := t.Context()
	for name, tt := range map[string]struct {
		tags     balenaclient.Tags
		resource string
	}{
		"device tags":  {client.DeviceTagsOf(2), "device_tag"},
		"fleet tags":   {client.FleetTagsOf(2), "application_tag"},
		"release tags": {client.ReleaseTagsOf(2), "release_tag"},
	} {
		rows := sim.Count(tt.resource)
		before, err := tt.tags.Map(ctx)
		require.NoError(t, err, name)
		assert.NotEmpty(t, before)
		require.NoError(t, tt.tags.Set(ctx, "new", "1"))
		require.NoError(t, tt.tags.Set(ctx, "new", ""))
		value, err := tt.tags.Get(ctx, "new")
		require.NoError(t, err)
		assert.Empty(t, value)
		assert.Equal(t, rows+1, sim.Count(tt.resource))
		require.NoError(t, tt.tags.Unset(ctx, "new"))
		require.ErrorIs(t, tt.tags.Unset(ctx, "new"), balenaclient.ErrNotFound)
		after, err := tt.tags.Map(ctx)
		require.NoError(t, err)
		assert.Equal(t, before, after)
	}
}

func TestEnv_Tags_MissingOwner(t *testing.T) {
	t.Parallel()
	client, _ := simtest.New(t)
	ctx := t.Context()
	type settings interface {
		Map(context.Context) (map[string]string, error)
		Get(context.Context, string) (string, error)
		Set(context.Context, string, string) error
		Unset(context.Context, string) error
	}
	for want, tt := range map[string]settings{
		"fleet 991: not found":   client.FleetEnv(991),
		"fleet 992: not found":   client.FleetEnv(992).Service("main"),
		"device 993: not found":  client.DeviceEnv(993),
		"device 994: not found":  client.DeviceEnv(994).Service("main"),
		"fleet 995: not found":   client.FleetConfig(995),
		"device 996: not found":  client.DeviceConfig(996),
		"device 997: not found":  client.DeviceTagsOf(997),
		"fleet 998: not found":   client.FleetTagsOf(998),
		"release 999: not found": client.ReleaseTagsOf(999),
	} {
		name := "BALENA_X"
		if env, ok := tt.(balenaclient.Env); ok && strings.HasPrefix(env.String(), "env") {
			name = "X"
		}
		_, mapErr := tt.Map(ctx)
		_, getErr := tt.Get(ctx, name)
		for method, err := range map[string]error{"Map": mapErr, "Get": getErr, "Set": tt.Set(ctx, name, "x"), "Unset": tt.Unset(ctx, name)} {
			require.ErrorIs(t, err, balenaclient.ErrNotFound, method)
			require.EqualError(t, err, want, method)
		}
		if env, ok := tt.(balenaclient.Env); ok {
			_, err := env.All(ctx)
			require.EqualError(t, err, want)
		}
	}
	_, err := client.EffectiveEnv(ctx, 990, "main")
	require.EqualError(t, err, "device 990: not found")
}

func TestEnv_Service_EmptyName(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	for _, env := range []balenaclient.Env{client.FleetEnv(1).Service(""), client.DeviceEnv(1).Service("")} {
		require.ErrorIs(t, env.Set(t.Context(), "X", "1"), balenaclient.ErrInvalid)
		_, err := env.All(t.Context())
		require.ErrorContains(t, err, `service "": invalid: the name is empty`)
	}
	assert.Empty(t, sim.Requests(), "it does not mean all services")
}

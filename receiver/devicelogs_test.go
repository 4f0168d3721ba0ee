package receiver

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadata"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadatatest"
)

func TestConfig_Validate_DeviceLogs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Config, *DeviceLogsConfig)
		want   string
	}{
		"the default": {func(*Config, *DeviceLogsConfig) {}, ""},
		"an unknown mode": {
			func(_ *Config, cfg *DeviceLogsConfig) { cfg.Mode = "tail" },
			`"device_logs::mode" is "tail": set "auto", "stream" or "poll"`,
		},
		"an unknown start": {
			func(_ *Config, cfg *DeviceLogsConfig) { cfg.StartAt = "now" },
			`"device_logs::start_at" is "now": set "end" or "beginning"`,
		},
		"no streams": {
			func(_ *Config, cfg *DeviceLogsConfig) { cfg.MaxStreams = 0 },
			`"device_logs::max_streams" is 0: set 1 or more, or "device_logs::mode" to "poll"`,
		},
		"fewer connections than streams": {
			func(cfg *Config, _ *DeviceLogsConfig) { cfg.API.MaxConnsPerHost = 100 },
			`"api::max_conns_per_host" is 100: streams would take up all connections; set more than "device_logs::max_streams" (500)`,
		},
		"few connections, but no streams": {
			func(cfg *Config, logs *DeviceLogsConfig) { cfg.API.MaxConnsPerHost, logs.Mode = 100, "poll" }, "",
		},
		"no limit of requests": {
			func(_ *Config, cfg *DeviceLogsConfig) { cfg.RequestLimit = 0 },
			`"device_logs::request_limit" is 0: set how many streams and polls may begin per second`,
		},
		"an interval below a second": {
			func(_ *Config, cfg *DeviceLogsConfig) { cfg.PollInterval = time.Millisecond },
			`"device_logs::poll_interval" is 1ms: set at least 1s`,
		},
		"a slug without a slash": {
			func(_ *Config, cfg *DeviceLogsConfig) { cfg.Fleets.Exclude = []string{"kiosk"} },
			`"device_logs::fleets::exclude": pattern "kiosk": use organization/fleet`,
		},
		"a short UUID": {
			func(_ *Config, cfg *DeviceLogsConfig) { cfg.Devices.Include = []string{"827050a"} },
			`"device_logs::devices::include": "827050a" is not the full UUID of a device: use its 32 or 62 lowercase hexadecimal digits`,
		},
		"a tag with a blank": {
			func(_ *Config, cfg *DeviceLogsConfig) { cfg.Devices.IncludeTags = []string{"a b"} },
			`"device_logs::devices::include_tags": invalid tag "a b": use key or key=value`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig("http://127.0.0.1:1")
			test.change(cfg, cfg.DeviceLogs.GetOrInsertDefault())
			if err := cfg.Validate(); test.want != "" {
				require.ErrorContains(t, err, test.want)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// logged runs receivers that read the logs of devices of the dataset.
type logged struct {
	t         *testing.T
	sim       *balenasim.Simulator
	cfg       *Config
	telemetry *componenttest.Telemetry
	warnings  *observer.ObservedLogs
	metrics   *consumertest.MetricsSink
	logs      *consumertest.LogsSink
	host      component.Host
	running   []component.Component

	mu       sync.Mutex
	requests []string
}

func newLogged(t *testing.T) *logged {
	l := &logged{t: t, sim: realAccount(t), telemetry: componenttest.NewTelemetry(), host: componenttest.NewNopHost()}
	l.cfg = testConfig(serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.requests = append(l.requests, r.URL.Path)
		l.mu.Unlock()
		l.sim.ServeHTTP(w, r)
	})))
	l.cfg.InitialDelay, l.cfg.CollectionInterval, l.cfg.Timeout = 0, 2*time.Second, 2*time.Second
	logs := l.cfg.DeviceLogs.GetOrInsertDefault()
	logs.StartAt, logs.RequestLimit = "beginning", 1000
	l.cfg.Events = metadata.EventsConfig{}
	t.Cleanup(l.stop)
	return l
}

// start starts the receiver in a logs pipeline, and in a metrics pipeline.
func (l *logged) start(withLogs bool) {
	require.NoError(l.t, l.cfg.Validate())
	core, warnings := observer.New(zapcore.WarnLevel)
	l.metrics, l.logs, l.warnings = new(consumertest.MetricsSink), new(consumertest.LogsSink), warnings
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.ID, settings.TelemetrySettings = component.NewID(metadata.Type), l.telemetry.NewTelemetrySettings()
	settings.Logger = zap.New(core)
	factory := NewFactory()
	metrics, err := factory.CreateMetrics(l.t.Context(), settings, l.cfg, l.metrics)
	require.NoError(l.t, err)
	l.running = []component.Component{metrics}
	if withLogs {
		logs, err := factory.CreateLogs(l.t.Context(), settings, l.cfg, l.logs)
		require.NoError(l.t, err)
		l.running = append(l.running, logs)
	}
	for _, r := range l.running {
		require.NoError(l.t, r.Start(l.t.Context(), l.host))
	}
}

func (l *logged) stop() {
	for _, r := range l.running {
		require.NoError(l.t, r.Shutdown(context.Background()))
	}
	l.running = nil
}

func (l *logged) write(device int64, lines ...balenasim.LogLine) {
	require.NoError(l.t, l.sim.WriteLogs(l.uuid(device), lines...))
}

func (l *logged) uuid(device int64) string {
	for _, row := range plainRows(l.t, l.sim, "/v7/device?$select=id,uuid") {
		if row["id"] == float64(device) {
			return row["uuid"].(string)
		}
	}
	require.Failf(l.t, "no such device", "id %d", device)
	return ""
}

// lines are the lines received, by UUID.
func (l *logged) lines() map[string][]string {
	lines := map[string][]string{}
	for _, logs := range l.logs.AllLogs() {
		for _, of := range logs.ResourceLogs().All() {
			uuid := stringOf(of.Resource().Attributes(), "balena.device.uuid")
			for _, record := range of.ScopeLogs().At(0).LogRecords().All() {
				lines[uuid] = append(lines[uuid], record.Body().Str())
			}
		}
	}
	return lines
}

func (l *logged) wait(want map[string][]string) {
	l.t.Helper()
	require.Eventually(l.t, func() bool { return assert.ObjectsAreEqual(want, l.lines()) }, 20*time.Second, 10*time.Millisecond, "%v", l.lines)
}

func (l *logged) requested(prefix string) (number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, path := range l.requests {
		if strings.HasPrefix(path, prefix) {
			number++
		}
	}
	return number
}

func line(text string) balenasim.LogLine { return balenasim.LogLine{Message: text, ServiceID: 1} }

func TestDeviceLogs_JoinMetrics(t *testing.T) {
	t.Parallel()
	l := newLogged(t)
	l.cfg.Tags.Devices = map[string]string{"env": ""}
	l.write(1, line("hello"), balenasim.LogLine{Message: "Warning: Suppressed 7 message(s) due to rate limiting", IsSystem: true, IsStdErr: true})
	l.start(true)
	l.wait(map[string][]string{l.uuid(1): {"hello", "Warning: Suppressed 7 message(s) due to rate limiting"}})

	resource := l.logs.AllLogs()[0].ResourceLogs().At(0).Resource().Attributes().AsRaw()
	var same bool
	for _, metrics := range l.metrics.AllMetrics() {
		for _, of := range metrics.ResourceMetrics().All() {
			same = same || assert.ObjectsAreEqual(resource, of.Resource().Attributes().AsRaw())
		}
	}
	assert.True(t, same, "%v", resource)
	metadatatest.AssertEqualReceiverBalenaDeviceLogSuppressed(t, l.telemetry, []metricdata.DataPoint[int64]{
		{Value: 7, Attributes: attribute.NewSet(attribute.String("receiver", "balena"))},
	}, metricdatatest.IgnoreTimestamp())
	accepted, err := l.telemetry.GetMetric("otelcol_receiver_accepted_log_records")
	require.NoError(t, err)
	assert.EqualValues(t, 2, accepted.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
}

func TestDeviceLogs_OptIn(t *testing.T) {
	t.Parallel()
	t.Run("nothing is requested without the key", func(t *testing.T) {
		t.Parallel()
		l := newLogged(t)
		l.cfg.DeviceLogs = createDefaultConfig().(*Config).DeviceLogs
		l.start(true)
		require.Eventually(t, func() bool { return len(l.metrics.AllMetrics()) > 1 }, 20*time.Second, 10*time.Millisecond)
		assert.Zero(t, l.requested("/device/v2/"))
		assert.Empty(t, l.warnings.All())
	})
	t.Run("nor without a logs pipeline", func(t *testing.T) {
		t.Parallel()
		l := newLogged(t)
		l.start(false)
		require.Eventually(t, func() bool { return len(l.metrics.AllMetrics()) > 1 }, 20*time.Second, 10*time.Millisecond)
		assert.Zero(t, l.requested("/device/v2/"))
		assert.Equal(t, 1, l.warnings.FilterMessageSnippet("the receiver is in no logs pipeline").Len())
	})
}

func TestDeviceLogs_Selection(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(l *logged, cfg *DeviceLogsConfig)
		want   []int64
	}{
		"all":                        {func(*logged, *DeviceLogsConfig) {}, []int64{1, 2, 3, 20}},
		"by fleet":                   {func(_ *logged, cfg *DeviceLogsConfig) { cfg.Fleets.Include = []string{"*/edge-cameras"} }, []int64{20}},
		"by UUID":                    {func(l *logged, cfg *DeviceLogsConfig) { cfg.Devices.Include = []string{l.uuid(2)} }, []int64{2}},
		"all but one":                {func(l *logged, cfg *DeviceLogsConfig) { cfg.Devices.Exclude = []string{l.uuid(2)} }, []int64{1, 3, 20}},
		"by tag":                     {func(_ *logged, cfg *DeviceLogsConfig) { cfg.Devices.IncludeTags = []string{"logged"} }, []int64{3}},
		"by the absence of a tag":    {func(_ *logged, cfg *DeviceLogsConfig) { cfg.Devices.ExcludeTags = []string{"logged"} }, []int64{1, 2, 20}},
		"those reported are a limit": {func(l *logged, _ *DeviceLogsConfig) { l.cfg.Devices.Exclude = []string{l.uuid(1)} }, []int64{2, 3, 20}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLogged(t)
			_, err := l.sim.Insert("device_tag", map[string]any{"device": 3, "tag_key": "logged", "value": "yes"})
			require.NoError(t, err)
			for _, id := range []int64{1, 2, 3, 20} {
				l.write(id, line("hello"))
			}
			tt.change(l, l.cfg.DeviceLogs.Get())
			want := map[string][]string{}
			for _, id := range tt.want {
				want[l.uuid(id)] = []string{"hello"}
			}
			l.start(true)
			l.wait(want)
		})
	}
}

// A device is followed: into the selection, out of it, and back.
func TestDeviceLogs_FollowDevices(t *testing.T) {
	t.Parallel()
	l := newLogged(t)
	l.cfg.DeviceLogs.Get().Devices.IncludeTags = []string{"logged"}
	l.start(true)
	require.Eventually(t, func() bool {
		return l.warnings.FilterMessageSnippet(`"device_logs" selects none of the devices that are reported`).Len() == 1
	}, 20*time.Second, 10*time.Millisecond)

	l.write(3, line("one"))
	tag, err := l.sim.Insert("device_tag", map[string]any{"device": 3, "tag_key": "logged", "value": "yes"})
	require.NoError(t, err)
	l.wait(map[string][]string{l.uuid(3): {"one"}})

	require.NoError(t, l.sim.Delete("device_tag", tag))
	require.Eventually(t, func() bool { return streams(t, l.telemetry) == 0 }, 20*time.Second, 10*time.Millisecond)
	l.write(3, line("two"))
	_, err = l.sim.Insert("device_tag", map[string]any{"device": 3, "tag_key": "logged", "value": "yes"})
	require.NoError(t, err)
	l.wait(map[string][]string{l.uuid(3): {"one", "two"}})
}

func streams(t *testing.T, telemetry *componenttest.Telemetry) int64 {
	t.Helper()
	streams, err := telemetry.GetMetric("otelcol_receiver_balena_device_log_streams")
	require.NoError(t, err)
	return streams.Data.(metricdata.Sum[int64]).DataPoints[0].Value
}

func TestDeviceLogs_Storage(t *testing.T) {
	t.Parallel()
	l := newLogged(t)
	l.cfg.Storage = &memoryStorage
	l.host = newMemory()
	l.write(1, line("before"))
	l.start(true)
	l.wait(map[string][]string{l.uuid(1): {"before"}})
	l.stop()
	l.write(1, line("meanwhile"))
	l.start(true)
	l.wait(map[string][]string{l.uuid(1): {"meanwhile"}})
}

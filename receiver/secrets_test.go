package receiver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/receiver/internal/metadatatest"
)

// TestToken_AppearsNowhere drives every way in which a scrape can fail against servers that give the token back, and looks for it in
// whatever the receiver puts out: logs, errors, metrics, its own telemetry and spans.
func TestToken_AppearsNowhere(t *testing.T) {
	t.Parallel()
	echo := func(status int, contentType, format string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, format, r.Header.Get("Authorization"))
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"a JSON error that holds it":       echo(http.StatusInternalServerError, "application/json", `{"message":"bad %s"}`),
		"an error in plain text":           echo(http.StatusUnauthorized, "text/plain", "who is %s?"),
		"an HTML page":                     echo(http.StatusBadGateway, "text/html", "<html><p>%s</p></html>"),
		"a page of HTML in place of rows":  echo(http.StatusOK, "text/html", "<html>%s</html>"),
		"a row that does not fit":          echo(http.StatusOK, "application/json", `{"d":[{"id":1,"app_name":"x","slug":"a/b","should_be_running__release":%q}]}`),
		"a row's time that is none":        echo(http.StatusOK, "application/json", `{"d":[{"id":"%s"}]}`),
		"a redirect with it":               func(w http.ResponseWriter, r *http.Request) { redirectTo(w, r, "http://elsewhere.invalid/?") },
		"a redirect to a host named by it": func(w http.ResponseWriter, r *http.Request) { redirectTo(w, r, "http://") },
		"a rate limit":                     echo(http.StatusTooManyRequests, "application/json", `"slow down, %s"`),
		"a connection that breaks":         func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			telemetry := componenttest.NewTelemetry()
			var logs strings.Builder
			settings := metadatatest.NewSettings(telemetry)
			settings.Logger = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(&logs), zap.DebugLevel))
			cfg := testConfig(serve(t, handler))
			enableAll(cfg)
			s, err := newBalenaScraper(cfg, settings, nil)
			require.NoError(t, err)
			s.retry = pine.Retry{MaxAttempts: 1}
			require.NoError(t, s.start(t.Context(), componenttest.NewNopHost()))
			t.Cleanup(func() { require.NoError(t, s.shutdown(t.Context())) })

			metrics, err := s.scrape(t.Context())

			require.Error(t, err)
			settings.Logger.Error("as the Collector logs it", zap.Error(err))
			json, jsonErr := (&pmetric.JSONMarshaler{}).MarshalMetrics(metrics)
			require.NoError(t, jsonErr)
			for where, text := range map[string]string{
				"the error":         fmt.Sprintf("%v %+v %#v", err, err, err),
				"the log":           logs.String(),
				"the metrics":       string(json),
				"the configuration": fmt.Sprintf("%v %+v", cfg, cfg) + marshalled(t, cfg.Token),
				"the spans":         fmt.Sprintf("%+v", telemetry.SpanRecorder.Ended()),
				"its own metrics":   ownMetrics(t, telemetry),
			} {
				assert.NotContains(t, text, testToken, where)
			}
		})
	}
}

func redirectTo(w http.ResponseWriter, r *http.Request, prefix string) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	http.Redirect(w, r, prefix+token, http.StatusFound)
}

func marshalled(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	require.NoError(t, err)
	return string(data)
}

func ownMetrics(t *testing.T, telemetry *componenttest.Telemetry) string {
	t.Helper()
	metric, err := telemetry.GetMetric("otelcol_receiver_balena_api_requests")
	require.NoError(t, err)
	return fmt.Sprintf("%+v", metric)
}

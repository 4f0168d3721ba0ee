package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap/zaptest"

	"github.com/otelcol-balena/balenareceiver/fleetpage/internal/model"
)

var noon = time.Date(2026, time.May, 4, 12, 0, 0, 0, time.UTC)

// site is a handler and what it shows.
type site struct {
	http.Handler
	store *model.Store
	now   time.Time
}

func newSite(t *testing.T, dashboard string, metrics ...pmetric.Metrics) *site {
	t.Helper()
	s := &site{now: noon}
	s.store = model.New(model.Options{History: 24 * time.Hour, Changes: 20, Expiration: time.Hour, SiteTag: "site", Now: func() time.Time { return s.now }})
	for _, m := range metrics {
		s.store.Consume(m)
	}
	handler, err := NewHandler(s.store, Options{Dashboard: dashboard, History: 24 * time.Hour, Logger: zaptest.NewLogger(t)})
	require.NoError(t, err)
	s.Handler = handler
	return s
}

func (s *site) request(method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s *site) get(t *testing.T, target string) string {
	t.Helper()
	w := s.request(http.MethodGet, target)
	require.Equal(t, http.StatusOK, w.Code, target)
	return w.Body.String()
}

// account is an account of one fleet with the given names.
func account(t *testing.T, endpoint, fleet, device, tag string) pmetric.Metrics {
	t.Helper()
	metrics := pmetric.NewMetrics()
	add := func(resource, point map[string]any, values map[string]float64) {
		rm := metrics.ResourceMetrics().AppendEmpty()
		require.NoError(t, rm.Resource().Attributes().FromRaw(resource))
		scope := rm.ScopeMetrics().AppendEmpty()
		for name, value := range values {
			m := scope.Metrics().AppendEmpty()
			m.SetName(name)
			p := m.SetEmptyGauge().DataPoints().AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(noon))
			p.SetDoubleValue(value)
			require.NoError(t, p.Attributes().FromRaw(point))
		}
	}
	slug := "acme/" + fleet
	add(map[string]any{"balena.receiver.name": "balena", "balena.api.endpoint": endpoint}, nil, map[string]float64{"balena.scrape.complete": 1})
	add(map[string]any{"balena.fleet.slug": slug, "balena.fleet.name": fleet, "balena.fleet.id": 42, "balena.fleet.tag.team": tag},
		map[string]any{"balena.device.status": tag, "balena.device.rollout.state": "failing", "balena.release.version": tag},
		map[string]float64{"balena.devices.online": 1, "balena.fleet.device.registered": 2, "balena.fleet.device.status": 2, "balena.fleet.device.rollout.state": 2, "balena.fleet.target_release.info": 1})
	for i := range 2 {
		add(map[string]any{"balena.device.uuid": fmt.Sprint(device, i), "balena.device.name": device, "balena.device.type": tag, "balena.fleet.slug": slug, "balena.fleet.name": fleet, "balena.device.tag.site": tag},
			map[string]any{"balena.device.status": tag, "balena.release.version": tag, "balena.target_release.version": device, "balena.os.version": tag, "balena.service.name": tag, "balena.service.status": tag},
			map[string]float64{"balena.device.online": float64(i), "balena.device.status": 1, "balena.device.info": 1, "balena.device.storage.utilization": 0.99, "balena.device.service.status": 1,
				"balena.device.last_connectivity_event.timestamp": float64(noon.Add(-time.Hour).Unix())})
	}
	add(map[string]any{"balena.fleet.slug": slug, "balena.fleet.name": fleet, "balena.release.version": tag, "balena.release.commit": tag}, map[string]any{"balena.release.status": tag},
		map[string]float64{"balena.release.info": 1, "balena.release.device.running": 2})
	return metrics
}

const cloud = "https://api.balena-cloud.com"

func TestHandler_Routes(t *testing.T) {
	s := newSite(t, "", account(t, cloud, "kiosks", "lamp", "red"))
	for _, test := range []struct {
		method, target string
		code           int
		contains       string
	}{
		{"GET", "/", 200, "1</strong> of 2 devices online"},
		{"HEAD", "/", 200, ""},
		{"GET", "/fleets", 200, "kiosks"},
		{"GET", "/fleets?q=red", 200, "kiosks"},
		{"GET", "/fleets?q=blue", 200, "No fleet matches"},
		{"GET", "/fleets?page=99&q=", 200, "kiosks"},
		{"GET", "/fleets?page=x", 200, "kiosks"},
		{"GET", "/fleet?slug=acme/kiosks", 200, "lamp"},
		{"GET", "/fleet?slug=acme/kiosks&state=offline", 200, "uuid=lamp0"},
		{"GET", "/fleet?slug=acme/kiosks&q=lamp1", 200, "uuid=lamp1"},
		{"GET", "/fleet?slug=acme/kiosks&q=none", 200, "No device matches"},
		{"GET", "/device?uuid=lamp0", 200, "lamp0"},
		{"GET", "/assets/page.css", 200, "--ground"},
		{"GET", "/assets/page.js", 200, "use strict"},
		{"GET", "/fleet", 404, "not known"},
		{"GET", "/fleet?slug=acme/none", 404, "acme/none"},
		{"GET", "/device?uuid=none", 404, "not known"},
		{"GET", "/assets/", 404, ""},
		{"GET", "/assets/../web.go", 307, ""},
		{"GET", "/assets/%2e%2e/web.go", 404, ""},
		{"GET", "/none", 404, ""},
		{"POST", "/", 405, ""},
		{"POST", "/fleets", 405, ""},
		{"PUT", "/fleet?slug=acme/kiosks", 405, ""},
		{"DELETE", "/device?uuid=lamp0", 405, ""},
		{"OPTIONS", "/", 405, ""},
		{"GET", "/fleets?q=" + strings.Repeat("%F0%9F%98%80", 100_000), 200, "No fleet matches"},
		{"GET", "/device?uuid=" + strings.Repeat("x", 1_000_000), 404, "not known"},
		{"GET", "/fleets?q=%zz;%00", 200, "kiosks"},
	} {
		t.Run(fmt.Sprintf("%s %.60s is %d", test.method, test.target, test.code), func(t *testing.T) {
			w := s.request(test.method, test.target)
			assert.Equal(t, test.code, w.Code)
			assert.Contains(t, w.Body.String(), test.contains)
			assert.Less(t, w.Body.Len(), 64<<10, "a request cannot make the page repeat much")
			assert.Equal(t, contentSecurityPolicy, w.Header().Get("Content-Security-Policy"))
			assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		})
	}
}

// Nothing inline, and nothing from elsewhere: the policy would block it, and readers without the internet would miss it.
func TestHandler_NeedsNothingElse(t *testing.T) {
	assert.NotContains(t, contentSecurityPolicy, "unsafe")
	assert.NotContains(t, contentSecurityPolicy, "http")
	s := newSite(t, "", account(t, "https://api.example.com", "kiosks", "lamp", "red"))
	for _, target := range []string{"/", "/fleets", "/fleet?slug=acme/kiosks", "/device?uuid=lamp0"} {
		body := s.get(t, target)
		assert.NotRegexp(t, `(?i)\sstyle=|<style|\son[a-z]+=|javascript:`, body)
		assert.NotRegexp(t, `(?i)(src|href|action)="?(https?:)?//`, body)
		for _, script := range regexp.MustCompile(`<script[^>]*>`).FindAllString(body, -1) {
			assert.Contains(t, script, `src="assets/`)
		}
		assert.Contains(t, body, `<noscript><meta http-equiv="refresh"`, "without JavaScript the page follows, too")
	}
}

func TestHandler_ETag(t *testing.T) {
	s := newSite(t, "", account(t, cloud, "kiosks", "lamp", "red"))
	first := s.request(http.MethodGet, "/")
	tag := first.Header().Get("ETag")
	require.NotEmpty(t, tag)
	s.now = s.now.Add(5 * time.Second)
	again := s.request(http.MethodGet, "/", "If-None-Match", tag)
	assert.Equal(t, http.StatusNotModified, again.Code, "nothing has changed")
	assert.Zero(t, again.Body.Len())
	assert.Equal(t, http.StatusOK, s.request(http.MethodGet, "/fleets", "If-None-Match", tag).Code)
	s.store.Consume(account(t, cloud, "others", "bulb", "blue"))
	assert.Equal(t, http.StatusOK, s.request(http.MethodGet, "/", "If-None-Match", tag).Code)
}

func TestHandler_HostileNames(t *testing.T) {
	const attack = `"'><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}</title></svg>&amp;javascript:alert(3)` + "\u202e\x00%00../\xff😀"
	s := newSite(t, "", account(t, attack, attack, attack, attack))
	allowed := regexp.MustCompile(`<script src="assets/page\.js" defer></script>`)
	for name, target := range map[string]string{
		"now": "/", "fleets": "/fleets?" + url.Values{"q": {attack}}.Encode(), "fleets found": "/fleets?q=script",
		"fleet":       "/fleet?" + url.Values{"slug": {"acme/" + attack}, "q": {attack}, "state": {attack}}.Encode(),
		"fleet found": "/fleet?" + url.Values{"slug": {"acme/" + attack}}.Encode(),
		"device":      "/device?" + url.Values{"uuid": {attack + "0"}}.Encode(), "missing": "/device?" + url.Values{"uuid": {attack}}.Encode(),
	} {
		t.Run(name, func(t *testing.T) {
			w := s.request(http.MethodGet, target)
			assert.Equal(t, map[bool]int{true: 404, false: 200}[name == "missing"], w.Code)
			body := allowed.ReplaceAllString(w.Body.String(), "")
			for _, harm := range []string{"<script", "<img", "</title></svg>", `"'>`, "\x00", "\u202e"} {
				assert.NotContains(t, body, harm)
			}
			assert.NotRegexp(t, `(?i)href="\s*javascript:`, body)
		})
	}
}

func TestHandler_DashboardLinks(t *testing.T) {
	for name, test := range map[string]struct{ configured, endpoint, fleet, device string }{
		"balenaCloud has a dashboard": {"", cloud, "https://dashboard.balena-cloud.com/fleets/42", "https://dashboard.balena-cloud.com/devices/lamp0/summary"},
		"openBalena has none":         {"", "https://api.example.com", "", ""},
		"a configured one is used":    {"https://dash.example.com/base", "https://api.example.com", "https://dash.example.com/base/fleets/42", "https://dash.example.com/base/devices/lamp0/summary"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, test.configured, account(t, test.endpoint, "kiosks", "lamp", "red"))
			for target, want := range map[string]string{"/fleet?slug=acme/kiosks": test.fleet, "/device?uuid=lamp0": test.device} {
				if body := s.get(t, target); want == "" {
					assert.NotContains(t, body, "dashboard")
				} else {
					assert.Contains(t, body, `href="`+want+`"`)
				}
			}
		})
	}
	t.Run("names cannot leave it", func(t *testing.T) {
		s := newSite(t, "", account(t, cloud, "kiosks", "../../evil?", "red"))
		assert.Contains(t, s.get(t, "/device?uuid="+url.QueryEscape("../../evil?0")), "https://dashboard.balena-cloud.com/devices/..%2F..%2Fevil%3F0/summary")
	})
}

func TestHandler_Empty(t *testing.T) {
	s := newSite(t, "")
	assert.Contains(t, s.get(t, "/"), "Waiting for the first metrics")
	assert.Contains(t, s.get(t, "/fleets"), "No fleet is known yet")
}

func TestHandler_AgeOfWhatIsShown(t *testing.T) {
	s := newSite(t, "", account(t, cloud, "kiosks", "lamp", "red"))
	assert.Contains(t, s.get(t, "/"), "12:00")
	assert.NotContains(t, s.get(t, "/"), `class="dot old"`)
	s.now = s.now.Add(10 * time.Minute)
	body := s.get(t, "/")
	assert.Contains(t, body, "Receiver balena is silent")
	assert.Contains(t, body, "no metrics arrive from it")
	assert.Contains(t, body, `class="dot old"`)
	assert.Contains(t, s.get(t, "/device?uuid=lamp0"), "10 min ago")
}

func TestFormat(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 min", 119 * time.Minute: "1 h 59 min", time.Hour: "1 h", 2 * time.Hour: "2 h", 47 * time.Hour: "47 h", 49 * time.Hour: "2 days",
		-time.Hour: "just now",
	} {
		assert.Equal(t, want, span(d))
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234"} {
		assert.Equal(t, want, thousands(n))
	}
	assert.Equal(t, "99 %", percent(999, 1000), "100 % is all")
	assert.Equal(t, "100 %", percent(1000, 1000))
	assert.Equal(t, "–", percent(0, 0))
	assert.Equal(t, "1.5 GiB", bytesText(model.Value{Number: 1.5 * (1 << 30), Known: true}))
	assert.Equal(t, "/x?a=1%262", link("/x", "a", "1&2", "b", ""))
	assert.Empty(t, bars([]model.Sample{{Online: -1, Total: -1}}).Text)
	assert.Empty(t, bars(nil).Text)
	drawn := bars([]model.Sample{{Online: 1, Total: 2}, {Online: -1, Total: -1}, {Online: 0, Total: 0}, {Online: 9, Total: 2}})
	assert.NotContains(t, fmt.Sprint(drawn), "NaN")
	assert.Equal(t, "at worst 50 % online", drawn.Text)
}

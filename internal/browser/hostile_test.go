package browser

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// attack is a name that does harm in whatever place forgets to escape it.
const attack = `"'><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}</title></svg>&amp;javascript:alert(3)` + "\u202e\u0000%00../" + "😀"

// hostile is an account in which every string is an attack.
func hostile(t *testing.T) pmetric.Metrics {
	t.Helper()
	metrics := pmetric.NewMetrics()
	now := pcommon.NewTimestampFromTime(time.Now())
	add := func(resource, values map[string]any, point map[string]any) {
		rm := metrics.ResourceMetrics().AppendEmpty()
		require.NoError(t, rm.Resource().Attributes().FromRaw(resource))
		scope := rm.ScopeMetrics().AppendEmpty()
		for name, value := range values {
			m := scope.Metrics().AppendEmpty()
			m.SetName(name)
			p := m.SetEmptyGauge().DataPoints().AppendEmpty()
			p.SetTimestamp(now)
			p.SetDoubleValue(value.(float64))
			require.NoError(t, p.Attributes().FromRaw(point))
		}
	}
	slug := attack + "/" + attack
	add(map[string]any{"balena.receiver.name": attack, "balena.api.endpoint": attack}, map[string]any{"balena.scrape.complete": 0., "balena.scrape.failure": 1.},
		map[string]any{"balena.request.kind": attack, "error.type": attack})
	add(map[string]any{"balena.fleet.slug": slug, "balena.fleet.name": attack, "balena.fleet.id": attack, "balena.fleet.tag." + attack: attack},
		map[string]any{"balena.devices.online": 1., "balena.fleet.device.registered": 2., "balena.fleet.device.status": 2., "balena.fleet.device.rollout.state": 2., "balena.fleet.target_release.info": 1.},
		map[string]any{"balena.device.status": attack, "balena.device.rollout.state": "failing", "balena.release.version": attack})
	for _, uuid := range []string{attack, strings.Repeat("long", 5_000)} {
		add(map[string]any{"balena.device.uuid": uuid, "balena.device.name": uuid, "balena.device.type": attack, "balena.fleet.slug": slug, "balena.fleet.name": attack, "balena.device.tag." + attack: attack},
			map[string]any{"balena.device.online": 1., "balena.device.status": 1., "balena.device.info": 1., "balena.device.storage.utilization": 0.99, "balena.device.service.status": 1.},
			map[string]any{
				"balena.device.status": attack, "balena.release.version": attack, "balena.target_release.version": uuid, "balena.os.version": attack,
				"balena.service.name": attack, "balena.service.status": attack,
			})
	}
	add(map[string]any{"balena.fleet.slug": slug, "balena.fleet.name": attack, "balena.release.version": attack, "balena.release.commit": attack},
		map[string]any{"balena.release.info": 1., "balena.release.device.running": 2.}, map[string]any{"balena.release.status": attack})
	return metrics
}

func TestPage_HostileNames(t *testing.T) {
	b := startBrowser(t)
	s := serve(t, hostile(t))
	fleet := "fleet?" + url.Values{"slug": {attack + "/" + attack}, "q": {""}}.Encode()
	for name, path := range map[string]string{
		"now": "", "fleets": "fleets?" + url.Values{"q": {"script"}}.Encode(), "fleet": fleet,
		"a filter":    "fleet?" + url.Values{"slug": {attack + "/" + attack}, "state": {attack}, "q": {attack}}.Encode(),
		"device":      "device?" + url.Values{"uuid": {attack}}.Encode(),
		"not a fleet": "fleet?" + url.Values{"slug": {attack}}.Encode(),
	} {
		t.Run(name, func(t *testing.T) {
			o := b.open(t, looks()[0], s.url+path)
			assert.Zero(t, evaluate[int](t, o, `document.querySelectorAll("img, main script, [onerror]").length`))
			if name == "not a fleet" {
				o.mu.Lock()
				o.errors = nil // the browser reports the status 404
				o.mu.Unlock()
			}
			o.sound(t, b, "hostile "+name)
		})
	}
}

// The page follows what happens, and what is typed meanwhile stays.
func TestPage_FollowsWithoutReload(t *testing.T) {
	b := startBrowser(t)
	s := serve(t)
	o := b.open(t, look{width: 1280, height: 800}, s.url)
	assert.Contains(t, o.text(t), "Waiting for the first metrics")
	evaluate[any](t, o, `window.stayed = true; null`)
	s.consume(t, hostile(t))
	o.run(t, chromedp.WaitVisible(".issues"))
	assert.True(t, evaluate[bool](t, o, `window.stayed`), "the page was loaded again")

	o = b.open(t, look{width: 1280, height: 800}, s.url+"fleets")
	o.run(t, chromedp.SendKeys("#q", "kios"))
	evaluate[any](t, o, `document.querySelector("#fleets").textContent = ""; null`)
	o.run(t, chromedp.WaitVisible("#fleets li"))
	assert.Equal(t, "kios", evaluate[string](t, o, `document.querySelector("#q").value`))
	assert.Equal(t, "q", evaluate[string](t, o, `document.activeElement.id`))
	o.sound(t, b, "fleets followed")
}

// Everything can be reached and seen with the keyboard.
func TestPage_Keyboard(t *testing.T) {
	b := startBrowser(t)
	s := serve(t, hostile(t))
	o := b.open(t, look{width: 1280, height: 800}, s.url+"fleets")
	o.run(t, chromedp.KeyEvent("\t"))
	assert.Equal(t, "Skip to content", evaluate[string](t, o, `document.activeElement.textContent`))
	assert.Positive(t, evaluate[float64](t, o, `document.activeElement.getBoundingClientRect().right`), "it can be seen")
	reached := map[string]bool{}
	for range 12 {
		reached[evaluate[string](t, o, `document.activeElement.getAttribute("href") || document.activeElement.id || document.activeElement.tagName`)] = true
		o.run(t, chromedp.KeyEvent("\t"))
	}
	for _, want := range []string{"./", "fleets", "q", "BUTTON"} {
		assert.True(t, reached[want], "%s is not reached: %v", want, reached)
	}
}

package browser

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// pictures of views are in the README and the documentation.
var pictures = map[string]map[string]look{
	"calm now":      {"calm": {width: 1200, height: 640}},
	"rollout now":   {"rollout": {width: 1200, height: 900}},
	"outage now":    {"outage": {width: 1200, height: 760}, "phone": {width: 360, height: 740, dark: true}},
	"noisy now":     {"noisy": {width: 1200, height: 760, dark: true}},
	"outage fleets": {"fleets": {width: 1200, height: 720}},
	"outage fleet":  {"fleet": {width: 1200, height: 960}},
	"noisy device":  {"device": {width: 1200, height: 760}},
}

// Each view of each scenario can be used by everybody, and tells what the scenario is about.
func TestPage_Scenarios(t *testing.T) {
	b := startBrowser(t)
	about := map[string][]string{ // what the first view says
		"calm":    {"All is well", "120 devices online", "Fleets"},
		"rollout": {"are in trouble", "Rollouts in progress", "rejected", "since"},
		"outage":  {"2 of 5 fleets are in trouble", "Outage", "harbour-cameras-1", "orchard-cameras-2", "lost their connection at once", "since"},
		"noisy":   {"fleets are in trouble", "Outage", "devices lost their connection at once", "rejected release", "since"},
	}
	for _, scenario := range balenasim.Scenarios() {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			s := serve(t, record(t, scenario)...)
			fleet := "fleet?" + url.Values{"slug": {"org-1/harbour-cameras-1"}}.Encode()
			first := b.open(t, look{width: 1280, height: 800}, s.url+fleet)
			device := evaluate[string](t, first, `document.querySelector(".devices a").getAttribute("href")`)
			for name, path := range map[string]string{"now": "", "fleets": "fleets", "fleet": fleet, "device": device} {
				t.Run(name, func(t *testing.T) {
					o := b.open(t, looks()[0], s.url+path)
					if name == "now" {
						for _, words := range about[scenario] {
							assert.Contains(t, o.text(t), words)
						}
					}
					o.sound(t, b, scenario+" "+name)
					for picture, l := range pictures[scenario+" "+name] {
						o.picture(t, l, picture)
					}
				})
			}
		})
	}
}

func TestPage_WithoutJavaScript(t *testing.T) {
	b := startBrowser(t)
	s := serve(t, hostile(t))
	o := b.open(t, look{width: 1280, height: 800, noScript: true}, s.url+"fleets")
	assert.Contains(t, o.text(t), "1 of 2 online")
	o.run(t)
	require.Contains(t, o.text(t), "UTC")
}

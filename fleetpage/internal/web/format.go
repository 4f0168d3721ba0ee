package web

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/fleetpage/internal/model"
)

// scope is what a part of a page is given: the page, and what the part is about.
type scope struct {
	Page  page
	Value any
}

func newScope(p page, value any) scope { return scope{p, value} }

// pages are the links to the parts of a list.
type pages struct {
	Page           model.Page
	Previous, Next string
}

func newPages(p model.Page, previous, next string) pages { return pages{p, previous, next} }

// connection is the icon of a device.
func connection(d model.DeviceRow) string {
	switch {
	case d.Online:
		return "ok"
	case d.Offline:
		return "warning"
	}
	return "notice"
}

func functions() template.FuncMap {
	return template.FuncMap{
		"age": age, "ago": ago, "states": states, "onTarget": onTarget, "clock": clock, "iso": iso, "full": full, "thousands": thousands, "percent": percent, "bytes": bytesText, "utilization": utilization,
		"segments": segments, "bars": bars, "share": share, "link": link, "plural": plural, "short": short,
		"label": label, "stateLabel": stateLabel, "prev": func(n int) int { return n - 1 }, "next": func(n int) int { return n + 1 },
		"severity": func(s model.Severity) string { return s.String() }, "headline": headline, "of": newScope, "pages": newPages, "connection": connection,
	}
}

// age is how long something has lasted, in the largest unit that fits.
func age(now, since time.Time) string {
	return span(now.Sub(since))
}

// ago is an age in a sentence.
func ago(now, since time.Time) string {
	if text := age(now, since); text != "just now" {
		return text + " ago"
	}
	return "just now"
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 2*time.Hour && d%time.Hour >= time.Minute:
		return fmt.Sprintf("1 h %d min", int(d%time.Hour/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d/time.Hour))
	}
	return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
}

// clock is the time of a day, with the date unless that is today or yesterday within 20 hours. The script turns it into local time.
func clock(now, t time.Time) string {
	if now.Sub(t).Abs() < 20*time.Hour {
		return t.UTC().Format("15:04 UTC")
	}
	return t.UTC().Format("2 Jan 15:04 UTC")
}

func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func full(t time.Time) string { return t.UTC().Format("2 January 2006 15:04:05 UTC") }

// thousands writes 12,345.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// percent rounds down, so that 100 % is all.
func percent(part, total int64) string {
	if total <= 0 {
		return "–"
	}
	return fmt.Sprintf("%d %%", 100*part/total)
}

func utilization(v model.Value) string { return fmt.Sprintf("%.0f %%", 100*v.Number) }

func bytesText(v model.Value) string {
	n := v.Number
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if n < 1024 {
			return fmt.Sprintf("%.3g %s", n, unit)
		}
		n /= 1024
	}
	return fmt.Sprintf("%.3g TiB", n)
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// short is the beginning of a commit or UUID.
func short(s string) string {
	const length = 7
	if runes := []rune(s); len(runes) > length {
		return string(runes[:length])
	}
	return s
}

// segment is a part of a bar.
type segment struct {
	Class, Label string
	Value        int64
	X, Width     string // in percent
}

// share is the bar of those online.
func share(online, total int64) []segment {
	if total <= 0 || online < 0 {
		return nil
	}
	return stack([]segment{{Class: "good", Label: "online", Value: min(online, total)}}, max(total, online))
}

// segments is the bar of a rollout.
func segments(counts []model.Count) []segment {
	var parts []segment
	var total int64
	for _, state := range []string{"on_target", "updating", "behind", "failing", "pinned", "unreachable"} {
		for _, c := range counts {
			if c.State == state && c.Value > 0 {
				parts = append(parts, segment{Class: "r-" + state, Label: stateLabel(state), Value: c.Value})
				total += c.Value
			}
		}
	}
	return stack(parts, total)
}

func stack(parts []segment, total int64) []segment {
	var x float64
	for i := range parts {
		width := 100 * float64(parts[i].Value) / float64(total)
		parts[i].X, parts[i].Width = strconv.FormatFloat(x, 'f', 2, 64), strconv.FormatFloat(width, 'f', 2, 64)
		x += width
	}
	return parts
}

// Size of the drawing of a history, in its own units. A bar is the worst of some steps, as tall as the fraction online.
const (
	barCount  = 72
	barStep   = 4
	barWidth  = 3
	barHeight = 28
)

// Fractions online from which a bar is drawn as good or as fair. Every account has some dead devices.
const (
	goodFrom = 0.85
	fairFrom = 0.7
)

// drawing is a history as bars: a path of each kind.
type drawing struct {
	Good, Fair, Bad, Unknown string
	Text                     string // for who cannot see it
}

// bars draws the fraction online.
func bars(samples []model.Sample) drawing {
	var good, fair, bad, unknown strings.Builder
	lowest, known := 1.0, false
	for i := range barCount {
		worst, any := 1.0, false
		for _, s := range samples[i*len(samples)/barCount : (i+1)*len(samples)/barCount] {
			if s.Online >= 0 && s.Total > 0 {
				worst, any = min(worst, float64(s.Online)/float64(s.Total)), true
			}
		}
		path, height := &unknown, 2.0
		switch {
		case !any:
		case worst >= goodFrom:
			path = &good
		case worst >= fairFrom:
			path = &fair
		default:
			path = &bad
		}
		if any {
			lowest, known = min(lowest, worst), true
			height = 3 + (barHeight-3)*worst
		}
		fmt.Fprintf(path, "M%d %dv-%.1fh%dv%.1fz", i*barStep, barHeight, height, barWidth, height)
	}
	if !known {
		return drawing{}
	}
	return drawing{good.String(), fair.String(), bad.String(), unknown.String(), fmt.Sprintf("at worst %.0f %% online", 100*lowest)}
}

// link is a path with a query.
func link(path string, pairs ...any) string {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := fmt.Sprint(pairs[i+1]); value != "" {
			query.Set(fmt.Sprint(pairs[i]), value)
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// label names the kind of an issue.
func label(kind string) string {
	if text, ok := map[string]string{
		"data": "No data", "api": "API down", "key": "API key", "vpn": "VPN", "site": "Site offline", "outage": "Outage", "low": "Few online", "stuck": "Rollout stuck",
		"failing": "Update rejected", "partial": "API", "behind": "Left behind", "offline": "Offline", "flapping": "Flapping", "half": "Half connected", "build": "Build failed", "full": "Storage", "hot": "Temperature",
		"undervoltage": "Under-voltage", "dead": "Offline for long",
	}[kind]; ok {
		return text
	}
	return kind
}

// stateLabel writes a state as words.
func stateLabel(state string) string {
	switch state {
	case "on_target":
		return "on target"
	case "reduced-functionality":
		return "reduced functionality"
	}
	return state
}

// onTarget is how far a rollout is.
func onTarget(counts []model.Count) string {
	var on, total int64
	for _, c := range counts {
		total += c.Value
		if c.State == "on_target" {
			on = c.Value
		}
	}
	if total == 0 {
		return ""
	}
	return percent(on, total)
}

// states are the states of devices as a bar: what works first.
func states(counts []model.Count) []segment {
	var parts []segment
	var total int64
	add := func(c model.Count, class string) {
		if c.Value > 0 {
			parts = append(parts, segment{Class: class, Label: stateLabel(c.State), Value: c.Value})
			total += c.Value
		}
	}
	classes := []struct{ state, class string }{
		{"operational", "good"}, {"updating", "r-updating"}, {"configuring", "r-updating"}, {"post-provisioning", "r-updating"},
		{"reduced-functionality", "r-behind"}, {"disconnected", "r-failing"}, {"inactive", "r-unreachable"},
	}
	for _, known := range classes {
		for _, c := range counts {
			if c.State == known.state {
				add(c, known.class)
			}
		}
	}
	for _, c := range counts {
		if !slices.ContainsFunc(classes, func(k struct{ state, class string }) bool { return k.state == c.State }) {
			add(c, "r-pinned")
		}
	}
	return stack(parts, total)
}

// headline says in one sentence how things are.
func headline(now model.Now) string {
	fleets := int64(now.Troubled)
	switch {
	case now.Overall.Empty:
		return "Waiting for the first metrics"
	case len(now.Problems) == 0:
		return "All is well"
	}
	switch first := now.Problems[0]; first.Kind {
	case "data":
		return first.Subject + " is silent"
	case "api":
		return "The balena API does not respond"
	case "key":
		if first.Severity == model.Critical {
			return "The API key is rejected"
		}
	case "vpn":
		return "Most devices are off the balena VPN"
	default:
		switch {
		case fleets == 1 && first.Fleet != "":
			return first.Subject + " is in trouble"
		case fleets > 0:
			return fmt.Sprintf("%s of %s fleets %s in trouble", thousands(fleets), thousands(now.Overall.Fleets), plural(fleets, "is", "are"))
		}
	}
	if n := int64(len(now.Problems)); n > 1 {
		return thousands(n) + " problems"
	}
	return "1 problem"
}

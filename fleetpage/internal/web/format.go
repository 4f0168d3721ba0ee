package web

import (
	"fmt"
	"html/template"
	"net/url"
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
		"age": age, "clock": clock, "iso": iso, "full": full, "thousands": thousands, "percent": percent, "bytes": bytesText, "utilization": utilization,
		"segments": segments, "line": line, "share": share, "link": link, "plural": plural, "short": short,
		"label": label, "stateLabel": stateLabel, "prev": func(n int) int { return n - 1 }, "next": func(n int) int { return n + 1 },
		"severity": func(s model.Severity) string { return s.String() }, "words": words, "headline": headline, "of": newScope, "pages": newPages, "connection": connection,
	}
}

// age is how long something has lasted, in the largest unit that fits.
func age(now, since time.Time) string {
	return span(now.Sub(since))
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
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

// Size of the drawing of a history, in its own units.
const (
	lineWidth  = 144
	lineHeight = 24
)

// drawing is a history as a path: its line, and what is below.
type drawing struct {
	Line, Area string
	Text       string // for who cannot see it
}

// line draws the fraction online. Half of the height shows from the lowest multiple of a tenth, so that a small loss can be seen.
func line(samples []model.Sample) drawing {
	lowest, known, floor := 1.0, 0, 0.0
	for _, s := range samples {
		if s.Online >= 0 && s.Total > 0 {
			known++
			lowest = min(lowest, float64(s.Online)/float64(s.Total))
		}
	}
	if known == 0 {
		return drawing{}
	}
	var path, area strings.Builder
	step := float64(lineWidth) / float64(max(len(samples)-1, 1))
	start, last, open := 0.0, 0.0, false
	closeArea := func() {
		if open {
			fmt.Fprintf(&area, "L%.1f %dL%.1f %dZ", last, lineHeight, start, lineHeight)
		}
		open = false
	}
	for i, s := range samples {
		if s.Online < 0 || s.Total <= 0 {
			closeArea()
			continue
		}
		x := float64(i) * step
		y := 1.5 + (lineHeight-3)*(1-(float64(s.Online)/float64(s.Total)-floor)/(1-floor))
		command := byte('L')
		if !open {
			command, start = 'M', x
			// A single sample is a dot of some width.
			fmt.Fprintf(&path, "M%.1f %.1fh0.1", x, y)
		}
		fmt.Fprintf(&path, "%c%.1f %.1f", command, x, y)
		fmt.Fprintf(&area, "%c%.1f %.1f", command, x, y)
		open, last = true, x
	}
	closeArea()
	return drawing{path.String(), area.String(), fmt.Sprintf("lowest %.0f %% online", 100*lowest)}
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
		"data": "No data", "api": "API down", "key": "API key", "vpn": "VPN", "site": "Site offline", "outage": "Outage", "stuck": "Rollout stuck",
		"failing": "Update rejected", "partial": "API", "behind": "Left behind", "offline": "Offline", "full": "Storage", "hot": "Temperature",
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

func words(counts []model.Count) string {
	var parts []string
	for _, c := range counts {
		if c.Value > 0 {
			parts = append(parts, thousands(c.Value)+" "+stateLabel(c.State))
		}
	}
	return strings.Join(parts, ", ")
}

// headline says in one sentence how things are.
func headline(now model.Now) string {
	switch {
	case now.Overall.Empty:
		return "Waiting for the first metrics"
	case len(now.Problems) == 0:
		return "All is well"
	case len(now.Problems) == 1:
		return "1 problem"
	}
	return fmt.Sprintf("%d problems", len(now.Problems))
}

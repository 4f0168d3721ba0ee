package odata

import (
	"strings"
	"time"
)

// Date formats, to which times and zones are added. JavaScript parses those of
// literals, PostgreSQL those of strings that are compared with a time; both know
// the common ones.
var (
	commonDates = []string{"2006-01-02", "1/2/2006", "Jan 2 2006", "January 2 2006", "2 Jan 2006", "2 January 2006", "Mon 2 Jan 2006"}
	scriptDates = []string{"2006", "2006-01"}
	sqlDates    = []string{"2006-1-2", "2006/1/2", "20060102"}

	timesOfDay = []string{" 15:04:05", " 15:04", "T15:04:05", "T15:04", "T150405"}
	zones      = []string{"", "Z07:00", "Z0700"}

	scriptLayouts = append(layouts(commonDates), scriptDates...)
	sqlLayouts    = layouts(append(sqlDates, commonDates...))
)

func layouts(dates []string) []string {
	var out []string
	for _, date := range dates {
		out = append(out, date)
		for _, clock := range timesOfDay {
			for _, zone := range zones {
				out = append(out, date+clock+zone)
			}
		}
	}
	return out
}

// parseDate parses the date of a literal as JavaScript does. Without a zone it is
// in UTC, the server's own.
func parseDate(s string) (time.Time, bool) { return parseIn(scriptLayouts, s) }

// ParseTime parses a string as PostgreSQL parses timestamps, in UTC if it has no
// zone. Words such as today are relative to now.
func ParseTime(s string, now time.Time) (time.Time, bool) {
	day := now.UTC().Truncate(24 * time.Hour)
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "now":
		return now, true
	case "today":
		return day, true
	case "yesterday":
		return day.AddDate(0, 0, -1), true
	case "tomorrow":
		return day.AddDate(0, 0, 1), true
	case "epoch":
		return time.Unix(0, 0), true
	case "infinity":
		return time.UnixMilli(1<<62 - 1), true
	case "-infinity":
		return time.UnixMilli(-1 << 62), true
	}
	return parseIn(sqlLayouts, s)
}

func parseIn(layouts []string, s string) (time.Time, bool) {
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, ",", " ")), " ")
	for _, utc := range []string{" UTC", " GMT"} {
		s = strings.TrimSuffix(s, utc)
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

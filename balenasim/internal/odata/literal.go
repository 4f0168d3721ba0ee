package odata

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func (p *parser) literal() (Literal, bool) {
	if s, ok := p.quoted(); ok {
		return Literal{Kind: Text, Text: s}, true
	}
	if n, ok := p.number(); ok {
		return n, true
	}
	if b, ok := p.anyLit("true", "false"); ok {
		return Literal{Kind: Bool, Bool: b == "true"}, true
	}
	if p.lit("null") {
		return Literal{}, true
	}
	if d, ok := p.date(); ok {
		return d, true
	}
	return p.duration()
}

func (p *parser) apostrophe() bool {
	_, ok := p.anyLit("'", "%27")
	return ok
}

// quoted is a string literal. A doubled apostrophe stands for one, and the string
// is percent-decoded; a plus sign is literal.
func (p *parser) quoted() (string, bool) {
	start := p.pos
	if !p.apostrophe() {
		return "", false
	}
	var b strings.Builder
	for p.pos < len(p.in) {
		if p.apostrophe() {
			if !p.apostrophe() {
				return p.decode(b.String()), true
			}
			b.WriteByte('\'')
			continue
		}
		b.WriteByte(p.in[p.pos])
		p.pos++
	}
	p.pos = start
	return "", false
}

// decode is decodeURIComponent, which fails on invalid escapes and on escapes
// that are not UTF-8.
func (p *parser) decode(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out, err := url.PathUnescape(s)
	if err != nil || !utf8.ValidString(out) {
		p.encodingErr = true
		return s
	}
	return out
}

func (p *parser) number() (Literal, bool) {
	start := p.pos
	sign, _ := p.anyLit("+", "%2B", "-")
	digits := func() bool {
		at := p.pos
		for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
			p.pos++
		}
		return p.pos > at
	}
	from := p.pos
	if !digits() {
		p.pos = start
		return Literal{}, false
	}
	if at := p.pos; !p.lit(".") || !digits() {
		p.pos = at
	}
	// As in JavaScript, a number that is too large is infinite.
	f, _ := strconv.ParseFloat(p.in[from:p.pos], 64)
	if sign == "-" {
		f = -f
	}
	return Literal{Kind: Number, Num: f}, true
}

func (p *parser) date() (Literal, bool) {
	start := p.pos
	if _, ok := p.anyLit("datetime", "date"); ok {
		if s, ok := p.quoted(); ok {
			if t, ok := parseDate(s); ok {
				return Literal{Kind: Time, Time: t}, true
			}
		}
	}
	p.pos = start
	return Literal{}, false
}

func (p *parser) duration() (Literal, bool) {
	start := p.pos
	d, ok := p.durationText()
	if !ok {
		p.pos = start
		return Literal{}, false
	}
	return Literal{Kind: Duration, Dur: d}, true
}

func (p *parser) durationText() (time.Duration, bool) {
	if !p.lit("duration") || !p.apostrophe() {
		return 0, false
	}
	sign, _ := p.anyLit("+", "%2B", "-")
	if !p.lit("P") {
		return 0, false
	}
	var total float64
	parts := 0
	part := func(unit string, scale time.Duration) {
		at := p.pos
		if n, ok := p.number(); ok && p.lit(unit) {
			total += n.Num * float64(scale)
			parts++
			return
		}
		p.pos = at
	}
	part("D", 24*time.Hour)
	if p.lit("T") {
		before := parts
		part("H", time.Hour)
		part("M", time.Minute)
		part("S", time.Second)
		if parts == before {
			return 0, false
		}
	}
	if parts == 0 || !p.apostrophe() || total > float64(1<<62) {
		return 0, false
	}
	if sign == "-" {
		total = -total
	}
	return time.Duration(total), true
}

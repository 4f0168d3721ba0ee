package prometheustext

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// contentType is that of Prometheus' text format.
const contentType = "text/plain; version=0.0.4; charset=utf-8"

// chunkSize is that of the pieces in which a page is kept, so that it need not be copied to grow.
const chunkSize = 64 << 10

// page is what is served at one moment, compressed. It does not change, so it can be sent while the next one is written.
type page struct {
	chunks net.Buffers
	size   int
	until  time.Duration // when its first series expires
}

// Write implements [io.Writer].
func (p *page) Write(data []byte) (int, error) {
	written := len(data)
	p.size += written
	for len(data) > 0 {
		last := len(p.chunks) - 1
		if last < 0 || len(p.chunks[last]) == cap(p.chunks[last]) {
			p.chunks = append(p.chunks, make([]byte, 0, chunkSize))
			last++
		}
		n := min(len(data), cap(p.chunks[last])-len(p.chunks[last]))
		p.chunks[last] = append(p.chunks[last], data[:n]...)
		data = data[n:]
	}
	return written, nil
}

// serve sends the page.
func (p *page) serve(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Add("Vary", "Accept-Encoding")
	chunks := slices.Clone(p.chunks) // sending consumes them
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", strconv.Itoa(p.size))
		if r.Method == http.MethodHead {
			return nil
		}
		_, err := chunks.WriteTo(w)
		return err
	}
	if r.Method == http.MethodHead {
		return nil
	}
	text, err := gzip.NewReader(&chunks)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, text)
	return err
}

// acceptsGzip reports whether the values of Accept-Encoding name gzip without forbidding it.
func acceptsGzip(values []string) bool {
	for _, value := range values {
		for encoding := range strings.SplitSeq(value, ",") {
			name, parameters, _ := strings.Cut(encoding, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			quality, isQuality := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q=")
			q, err := strconv.ParseFloat(quality, 64)
			return !isQuality || (err == nil && q > 0)
		}
	}
	return false
}

// pages writes pages and keeps the last one while it is true.
type pages struct {
	last   *page
	gzip   *gzip.Writer
	text   []byte
	places []place
}

// place is where a series is.
type place struct{ resource, series uint32 }

func (p *pages) forget() { p.last = nil }

// render returns the page that shows the state.
func (s *state) render(now time.Duration) (*page, error) {
	if s.pages.last != nil && now <= s.pages.last.until {
		return s.pages.last, nil
	}
	s.sweep(now)
	families := slices.SortedFunc(maps.Values(s.families), func(a, b *family) int { return strings.Compare(a.name, b.name) })
	places, oldest := s.places(families, now)
	p := &page{until: oldest + s.expiration}
	if err := s.pages.write(p, s.order, places); err != nil {
		return nil, fmt.Errorf("compress a page: %w", err)
	}
	s.pages.last = p
	return p, nil
}

// places orders the series by family, and as they came within one. It also returns when the oldest was updated.
func (s *state) places(families []*family, now time.Duration) (places []place, oldest time.Duration) {
	total := 0
	for _, f := range families {
		f.written = total
		total += f.series
	}
	places = slices.Grow(s.pages.places[:0], total)[:total]
	s.pages.places = places
	oldest = now
	for i, r := range s.order {
		for j := range r.series {
			one := &r.series[j]
			places[one.family.written] = place{uint32(i), uint32(j)}
			one.family.written++
			oldest = min(oldest, one.updated)
		}
	}
	return places, oldest
}

func (p *pages) write(to io.Writer, resources []*resource, places []place) error {
	if p.gzip == nil {
		p.gzip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	}
	p.gzip.Reset(to)
	var last *family
	for _, at := range places {
		r := resources[at.resource]
		one := &r.series[at.series]
		if one.family != last {
			last = one.family
			p.text = appendHeader(p.text, last)
		}
		p.text = appendSeries(p.text, r, one)
		if len(p.text) > chunkSize {
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	if err := p.flush(); err != nil {
		return err
	}
	return p.gzip.Close()
}

func (p *pages) flush() error {
	_, err := p.gzip.Write(p.text)
	p.text = p.text[:0]
	return err
}

func appendHeader(dst []byte, f *family) []byte {
	if f.help != "" {
		dst = append(append(append(dst, "# HELP "...), f.name...), ' ')
		dst = append(appendEscaped(dst, f.help, "\\\n"), '\n')
	}
	dst = append(append(append(dst, "# TYPE "...), f.name...), ' ')
	return append(append(dst, f.kind...), '\n')
}

func appendSeries(dst []byte, r *resource, one *series) []byte {
	if one.extra == nil || one.extra.lines == nil {
		return appendLine(dst, r, one, line{value: one.value})
	}
	for _, l := range one.extra.lines {
		dst = appendLine(dst, r, one, l)
	}
	return dst
}

func appendLine(dst []byte, r *resource, one *series, l line) []byte {
	dst = append(append(dst, one.family.name...), l.suffix...)
	begin := len(dst)
	dst = append(dst, '{')
	if one.whole() {
		dst = append(dst, one.labels.Value()...)
	} else {
		dst = appendMerged(dst, r.labels, one.labels.Value())
	}
	switch {
	case l.label != "" && len(dst) > begin+1:
		dst = append(append(dst, ','), l.label...)
	case l.label != "":
		dst = append(dst, l.label...)
	}
	if len(dst) == begin+1 {
		dst = dst[:begin]
	} else {
		dst = append(dst, '}')
	}
	dst = append(dst, ' ')
	return append(appendValue(dst, l.value), '\n')
}

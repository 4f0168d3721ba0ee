package balenasim

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"time"
)

// proxyError is the error page of a proxy in front of the API.
const proxyError = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n" +
	"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"

const (
	defaultRetryAfter = 10 * time.Second
	defaultDelay      = 30 * time.Second
	defaultBomb       = 1 << 30
)

func (f Fault) delay(byDefault time.Duration) time.Duration {
	return cmp.Or(f.Delay, byDefault)
}

// applyFault responds to a request that a fault hit.
func (s *Simulator) applyFault(w *recorder, r *http.Request, f Fault) {
	w.fault = f.Kind
	switch f.Kind {
	case Unauthorized:
		writeEmpty(w, http.StatusUnauthorized)
	case RateLimit:
		rateLimit(w, r, f)
	case ServerError:
		writeEmpty(w, http.StatusInternalServerError)
	case BadGateway:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		io.WriteString(w, proxyError)
	case Unavailable:
		writeEmpty(w, http.StatusServiceUnavailable)
	case Redirect:
		location := f.Location
		if location == "" {
			location = "http://elsewhere.invalid"
		}
		w.Header().Set("Location", location+target(r))
		w.WriteHeader(http.StatusFound)
	case SlowHeaders:
		if pause(r, f.delay(defaultDelay)) {
			s.serve(w, r)
		}
	case ResetConnection:
		abort(w, true)
	case EndlessBody:
		endless(w, r, f)
	case GzipBomb:
		bomb(w, r, f)
	case WrongTypes, Nulls, MissingFields:
		s.distort(w, r, f)
	case SlowBody, CutBody, PausedPage:
		s.interrupt(w, r, f)
	}
}

func rateLimit(w *recorder, r *http.Request, f Fault) {
	wait := f.delay(defaultRetryAfter)
	switch f.RetryAfter {
	case "absent":
	case "date":
		// Use the wall clock, like the Date header: the time of a scenario may
		// differ.
		w.Header().Set("Retry-After", time.Now().Add(wait).UTC().Format(http.TimeFormat))
	default:
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	writeMessage(w, r, http.StatusTooManyRequests, "Too Many Requests")
}

// pause waits for d. It reports false if the caller went away first.
func pause(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// abort closes the connection, optionally with a TCP reset.
func abort(w *recorder, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		// HTTP/2 and recorders have no connection to hijack.
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// buffer serves a request into memory.
func (s *Simulator) buffer(w *recorder, r *http.Request) *httptest.ResponseRecorder {
	mem := httptest.NewRecorder()
	inner := &recorder{ResponseWriter: mem}
	s.serve(inner, r)
	w.rows = inner.rows
	return mem
}

func copyHeader(w http.ResponseWriter, from http.Header) {
	for name, values := range from {
		w.Header()[name] = values
	}
}

// interrupt sends a response in parts: slowly, with a pause, or truncated.
func (s *Simulator) interrupt(w *recorder, r *http.Request, f Fault) {
	mem := s.buffer(w, r)
	body := mem.Body.Bytes()
	copyHeader(w, mem.Header())
	if len(body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(mem.Code)
	flush := http.NewResponseController(w).Flush
	half := len(body) / 2
	switch f.Kind {
	case SlowBody:
		const parts = 16
		for i := range parts {
			w.Write(body[len(body)*i/parts : len(body)*(i+1)/parts])
			flush()
			if !pause(r, f.delay(defaultDelay)/parts) {
				return
			}
		}
	case CutBody:
		w.Write(body[:half])
		flush()
		abort(w, false)
	case PausedPage:
		w.Write(body[:half])
		flush()
		if f.During != nil {
			f.During()
		}
		if f.Delay > 0 && !pause(r, f.Delay) {
			return
		}
		w.Write(body[half:])
	}
}

// endless sends rows until the caller goes away or Bytes are sent.
func endless(w *recorder, r *http.Request, f Fault) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	io.WriteString(w, `{"d":[{"id":1}`)
	chunk := bytes.Repeat([]byte(`,{"id":1}`), 1024)
	for f.Bytes == 0 || w.bytes < f.Bytes {
		if _, err := w.Write(chunk); err != nil || r.Context().Err() != nil {
			return
		}
	}
	io.WriteString(w, `]}`)
}

// bomb sends a small body that decompresses to a large one.
func bomb(w *recorder, r *http.Request, f Fault) {
	size := f.Bytes
	if size == 0 {
		size = defaultBomb
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	io.WriteString(z, `{"d":[`)
	blanks := bytes.Repeat([]byte(" "), 64<<10)
	for sent := int64(0); sent < size; sent += int64(len(blanks)) {
		if _, err := z.Write(blanks); err != nil || r.Context().Err() != nil {
			return
		}
	}
	io.WriteString(z, `]}`)
	z.Close()
}

// distort sends rows whose values are not what they should be.
func (s *Simulator) distort(w *recorder, r *http.Request, f Fault) {
	plain := r.Clone(r.Context())
	plain.Header.Del("Accept-Encoding")
	plain.Header.Del("If-None-Match")
	mem := s.buffer(w, plain)
	var v any
	if json.Unmarshal(mem.Body.Bytes(), &v) != nil {
		copyHeader(w, mem.Header())
		w.WriteHeader(mem.Code)
		w.Write(mem.Body.Bytes())
		return
	}
	d := distortion{kind: f.Kind, fields: f.Fields}
	envelope, enveloped := v.(map[string]any)
	rows, listed := envelope["d"].([]any)
	switch {
	case len(f.Rows) > 0 && listed:
		for _, row := range rows {
			if row, ok := row.(map[string]any); ok && hasID(row, f.Rows) {
				d.object(row)
			}
		}
	case enveloped && envelope["d"] != nil:
		envelope["d"] = d.value(envelope["d"])
	default:
		v = d.value(v)
	}
	b, err := encode(v)
	if err != nil {
		writeEmpty(w, http.StatusInternalServerError)
		return
	}
	writeJSON(w, r, mem.Code, b)
}

func hasID(row map[string]any, ids []int64) bool {
	id, ok := row["id"].(float64)
	return ok && slices.Contains(ids, int64(id))
}

// distortion changes values in JSON: those of the named fields or, if none are
// named, all scalars.
type distortion struct {
	kind   FaultKind
	fields []string
}

func (d distortion) value(v any) any {
	switch v := v.(type) {
	case map[string]any:
		d.object(v)
		return v
	case []any:
		for i := range v {
			v[i] = d.value(v[i])
		}
		return v
	}
	if len(d.fields) > 0 {
		return v
	}
	return d.changed(v)
}

func (d distortion) object(o map[string]any) {
	for name, v := range o {
		hit := slices.Contains(d.fields, name)
		switch {
		case d.kind == MissingFields && (hit || len(d.fields) == 0):
			delete(o, name)
		case hit:
			o[name] = d.changed(v)
		default:
			o[name] = d.value(v)
		}
	}
}

func (d distortion) changed(v any) any {
	if d.kind != WrongTypes {
		return nil
	}
	switch v := v.(type) {
	case string:
		return len(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return []any{v}
	case map[string]any, []any:
		return "unexpected"
	}
	return map[string]any{"unexpected": "object"}
}

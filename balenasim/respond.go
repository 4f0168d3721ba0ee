package balenasim

import (
	"compress/gzip"
	"compress/zlib"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/query"
)

// recorder captures what the request log needs of a response.
type recorder struct {
	http.ResponseWriter
	status int
	rows   int
	bytes  int64
	fault  FaultKind
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// compressFrom is the body size from which the server compresses, the default
// of Express's compression module.
const compressFrom = 1024

// writeJSON sends a JSON body with its entity tag, compressed if the caller
// accepts that, or 304 if the caller has the body.
func writeJSON(w *recorder, r *http.Request, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", etag(body))
	if r.Method == http.MethodGet && status == http.StatusOK && fresh(r, h.Get("ETag")) {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	coding := acceptedCoding(r)
	if len(body) < compressFrom || coding == "" {
		h.Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		w.Write(body)
		return
	}
	h.Set("Content-Encoding", coding)
	w.WriteHeader(status)
	z := compressor(w, coding)
	z.Write(body)
	z.Close()
}

// etag returns Express's weak entity tag: length and SHA-1 of the plain body.
func etag(body []byte) string {
	sum := sha1.Sum(body)
	return fmt.Sprintf(`W/"%x-%s"`, len(body), base64.StdEncoding.EncodeToString(sum[:])[:27])
}

// fresh reports whether the caller has the current body. As in Express, a
// request with Cache-Control: no-cache never does.
func fresh(r *http.Request, tag string) bool {
	known := r.Header.Get("If-None-Match")
	if known == "" || strings.Contains(r.Header.Get("Cache-Control"), "no-cache") {
		return false
	}
	if strings.TrimSpace(known) == "*" {
		return true
	}
	for candidate := range strings.SplitSeq(known, ",") {
		if strings.TrimPrefix(strings.TrimSpace(candidate), "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// acceptedCoding returns the compression that the caller accepts, preferring
// gzip to deflate, or "".
func acceptedCoding(r *http.Request) string {
	coding := ""
	for accepted := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(accepted), ";")
		switch {
		case strings.TrimSpace(q) == "q=0":
		case name == "gzip" || name == "*":
			return "gzip"
		case name == "deflate":
			coding = name
		}
	}
	return coding
}

// flushWriter compresses a stream.
type flushWriter interface {
	io.WriteCloser
	Flush() error
}

// compressor compresses at the fastest level, so that benchmarks measure the
// client.
func compressor(w io.Writer, coding string) flushWriter {
	// The level is valid, so there is no error.
	if coding == "deflate" {
		z, _ := zlib.NewWriterLevel(w, zlib.BestSpeed)
		return z
	}
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
	return z
}

// writeMessage sends an error message, which is a bare JSON string.
func writeMessage(w *recorder, r *http.Request, status int, message string) {
	writeJSON(w, r, status, query.JSONText(message))
}

// writeEmpty sends a chunked response without body and Content-Type.
func writeEmpty(w *recorder, status int) {
	// A nil value keeps net/http from adding one.
	w.Header()["Content-Type"] = nil
	w.WriteHeader(status)
	http.NewResponseController(w).Flush()
}

func writeText(w *recorder, s string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(s)))
	w.WriteHeader(http.StatusOK)
	w.Write([]byte(s))
}

// redact returns the request target without API keys: that of apikey=, and the
// caller's own in a filter.
func redact(r *http.Request) string {
	out := target(r)
	path, rest, ok := strings.Cut(out, "?")
	if !ok {
		return out
	}
	parts := strings.Split(rest, "&")
	for i, p := range parts {
		if strings.HasPrefix(p, "apikey=") {
			parts[i] = "apikey=REDACTED"
		}
	}
	out = path + "?" + strings.Join(parts, "&")
	if _, key, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.Contains(path, "api_key") {
		out = strings.ReplaceAll(out, "'"+key+"'", "'REDACTED'")
	}
	return out
}

package balenasim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/query"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
)

// maxTarget is the length of target and headers above which the server
// responds with 431 (measured: 16,000 characters pass, 17,000 do not).
const maxTarget = 16 << 10

// ServeHTTP responds to a request as the balena API would.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	rec := &recorder{ResponseWriter: w}
	// Deferred, because faults break connections by panicking.
	defer func() {
		broken := recover()
		note := Request{
			Time: start, Method: r.Method, Target: redact(r), Rows: rec.rows, Fault: string(rec.fault),
		}
		if broken != nil && broken != http.ErrAbortHandler {
			// A bug in the simulator must not look like a broken connection.
			note.Panic = fmt.Sprint(broken)
			slog.Error("balenasim panicked", "method", r.Method, "target", note.Target, "panic", note.Panic, "stack", string(debug.Stack()))
			broken = nil
			if rec.status == 0 {
				writeEmpty(rec, http.StatusInternalServerError)
			}
		}
		note.Status, note.Bytes, note.Duration = rec.status, rec.bytes, time.Since(start)
		s.note(note)
		if broken != nil {
			panic(broken)
		}
	}()
	if f, hit := s.faults.pick(r); hit {
		s.applyFault(rec, r, f)
	} else {
		s.serve(rec, r)
	}
}

// note records a request.
func (s *Simulator) note(r Request) {
	s.log.add(r)
	if s.hook != nil {
		s.hook(r)
	}
}

// target returns the raw request target, which the server parses as sent.
func target(r *http.Request) string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

func (s *Simulator) serve(w *recorder, r *http.Request) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	raw := target(r)
	if len(raw) > maxTarget {
		w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge)
		return
	}
	path, _, _ := strings.Cut(raw, "?")
	switch path {
	case "/ping":
		writeText(w, "OK")
		return
	case "/connectivity-check":
		writeEmpty(w, http.StatusNoContent)
		return
	}
	caller, ok := s.authenticate(r)
	if !ok {
		writeEmpty(w, http.StatusInternalServerError)
		return
	}
	for _, version := range schema.Versions {
		if rest, ok := strings.CutPrefix(raw, "/"+version.String()+"/"); ok {
			s.serveModel(w, r, caller, version, "/"+rest)
			return
		}
	}
	if uuid, ok := logsPath(path); ok {
		s.serveLogs(w, r, caller, uuid)
		return
	}
	switch path {
	case "/actor/v1/whoami":
		s.actorWhoami(w, r, caller)
	case "/user/v1/whoami":
		s.userWhoami(w, r, caller)
	default:
		writeEmpty(w, http.StatusNotFound)
	}
}

// serveModel responds to a request for a resource of a version of the API.
func (s *Simulator) serveModel(w *recorder, r *http.Request, c credential, v schema.Version, rest string) {
	w.Header().Set("Cache-Control", "no-cache")
	fields, ok := body(w, r)
	if !ok {
		return
	}
	q, err := odata.Parse(rest)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	switch r.Method {
	case http.MethodGet:
		s.read(w, r, c, v, q)
	case http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, "MERGE":
		s.write(w, r, c, v, q, fields)
	default:
		// The server fails on HEAD.
		writeEmpty(w, http.StatusInternalServerError)
	}
}

func (s *Simulator) read(w *recorder, r *http.Request, c credential, v schema.Version, q *odata.Query) {
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.query)
	defer cancel()
	var result query.Result
	var err error
	s.store.View(func() { result, err = s.engine(c, v).Get(ctx, q) })
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.rows = result.Rows
	writeJSON(w, r, http.StatusOK, result.Body)
}

// engine returns a query engine for a caller and a version of the API. The store
// must be locked for as long as the engine is used.
func (s *Simulator) engine(c credential, v schema.Version) *query.Engine {
	return &query.Engine{Store: s.store, Model: s.models[v], Now: s.now(), Access: s.access(c), MaxBytes: s.limits.body}
}

// fail responds to an error as the server does. Few errors have a body.
func (s *Simulator) fail(w *recorder, r *http.Request, err error) {
	var missing *query.MissingBindingError
	switch {
	case errors.As(err, &missing):
		writeMessage(w, r, http.StatusBadRequest, missing.Error())
	case errors.Is(err, odata.ErrSyntax):
		writeMessage(w, r, http.StatusBadRequest, "Malformed url: '"+target(r)+"'")
	case errors.Is(err, query.ErrUnauthorized):
		writeEmpty(w, http.StatusUnauthorized)
	default:
		writeEmpty(w, http.StatusInternalServerError)
	}
}

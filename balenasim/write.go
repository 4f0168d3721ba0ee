package balenasim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/query"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// writeError rejects a write with a status and, unless empty, a message.
type writeError struct {
	status  int
	message string
}

func (e *writeError) Error() string { return fmt.Sprintf("%d %s", e.status, e.message) }

func badRequest(message string) error { return &writeError{http.StatusBadRequest, message} }

func serverError() error { return &writeError{status: http.StatusInternalServerError} }

// write responds to POST, PATCH, PUT and DELETE.
func (s *Simulator) write(w *recorder, r *http.Request, c credential, v schema.Version, q *odata.Query, fields map[string]json.RawMessage) {
	view := s.models[v].Resource(q.Resource)
	if view == nil || q.Property != nil || q.Count || !mayWrite(c, r.Method, view.Resource.Name) {
		s.fail(w, r, query.ErrUnauthorized)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.query)
	defer cancel()
	r = r.WithContext(ctx)
	var created int64
	var answer []byte
	var err error
	s.store.Change(func(tx *store.Tx) {
		req := &change{s: s, tx: tx, caller: c, version: v, view: view, query: q, fields: fields}
		switch r.Method {
		case http.MethodPost:
			created, answer, err = req.insert(r)
		case http.MethodDelete:
			err = req.delete(r)
		default:
			err = req.update(r)
		}
	})
	if err != nil {
		s.failWrite(w, r, v, err)
		return
	}
	if r.Method == http.MethodPost {
		w.Header().Set("Location", fmt.Sprintf("/%s/%s(@id)?@id=%d", v, q.Resource, created))
		writeJSON(w, r, http.StatusCreated, answer)
		return
	}
	s.done(w, r, v, http.StatusOK)
}

// done responds to a successful write: v6 with the name of the status, v7
// without body.
func (s *Simulator) done(w *recorder, r *http.Request, v schema.Version, status int) {
	if v == schema.V6 && status == http.StatusOK {
		writeMessage(w, r, status, http.StatusText(status))
		return
	}
	writeEmpty(w, status)
}

func (s *Simulator) failWrite(w *recorder, r *http.Request, v schema.Version, err error) {
	var refused *writeError
	var conflict *store.ConflictError
	switch {
	case errors.As(err, &conflict):
		writeMessage(w, r, http.StatusConflict, conflictMessage(conflict))
	case errors.As(err, &refused) && refused.message != "":
		writeMessage(w, r, refused.status, refused.message)
	case errors.As(err, &refused):
		writeEmpty(w, refused.status)
	default:
		s.fail(w, r, err)
	}
}

func conflictMessage(c *store.ConflictError) string {
	names := c.Fields
	if c.Resource == "device_service_environment_variable" {
		// The server stores these by device and service, not by service install.
		names = []string{"device", "service", "name"}
	}
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = `"` + n + `"`
	}
	return strings.Join(quoted, " and ") + " must be unique."
}

package balenasim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/odata"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/query"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// maxBody is the size of a request body that the server still reads.
const maxBody = 512 << 10

// writeError is a refusal with its status and, unless empty, its message.
type writeError struct {
	status  int
	message string
}

func (e *writeError) Error() string { return fmt.Sprintf("%d %s", e.status, e.message) }

func badRequest(message string) error { return &writeError{http.StatusBadRequest, message} }

func serverError() error { return &writeError{status: http.StatusInternalServerError} }

// htmlError is the page that Express answers to a body it cannot read.
func htmlError(w *recorder, status int) {
	body := "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>" +
		map[int]string{http.StatusBadRequest: "Bad Request", http.StatusRequestEntityTooLarge: "Payload Too Large"}[status] +
		"</pre>\n</body>\n</html>\n"
	h := w.Header()
	h.Del("Cache-Control")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// body reads the fields of a write. It answers by itself what is no JSON, as
// Express does before the API sees the request.
func body(w *recorder, r *http.Request) (map[string]json.RawMessage, bool) {
	b, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		htmlError(w, http.StatusBadRequest)
		return nil, false
	case len(b) > maxBody:
		htmlError(w, http.StatusRequestEntityTooLarge)
		return nil, false
	case len(bytes.TrimSpace(b)) == 0 || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		// Without its type a body is not parsed at all.
		return nil, true
	}
	var fields map[string]json.RawMessage
	if !json.Valid(b) {
		htmlError(w, http.StatusBadRequest)
		return nil, false
	}
	if json.Unmarshal(b, &fields) != nil {
		return nil, true
	}
	return fields, true
}

// write answers POST, PATCH, PUT and DELETE.
func (s *Simulator) write(w *recorder, r *http.Request, c credential, v schema.Version, q *odata.Query, fields map[string]json.RawMessage) {
	view := s.models[v].Resource(q.Resource)
	if view == nil || c.kind == guest || q.Property != nil || q.Count || readOnly[view.Resource.Name] {
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

// done answers without a body of its own. v6 answers the name of the status
// instead, v7 nothing.
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
		// The server keeps these by device and service, not by their install.
		names = []string{"device", "service", "name"}
	}
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = `"` + n + `"`
	}
	return strings.Join(quoted, " and ") + " must be unique."
}

// change is a write under way. The store is locked.
type change struct {
	s       *Simulator
	tx      *store.Tx
	caller  credential
	version schema.Version
	view    *schema.View
	query   *odata.Query
	fields  map[string]json.RawMessage
}

// values takes the fields of the body that the resource has; others are
// dropped silently.
func (c *change) values() (map[string]any, error) {
	out := map[string]any{}
	for name, raw := range c.fields {
		f, ok := c.view.Field(name)
		if !ok || f.Field.Computed {
			continue
		}
		if _, err := store.Convert(f.Field.Type, raw); err != nil {
			return nil, badRequest("")
		}
		out[f.Field.Name] = raw
	}
	return out, nil
}

func (c *change) insert(r *http.Request) (int64, []byte, error) {
	if c.caller.kind != user && !deviceMayCreate[c.view.Resource.Name] {
		return 0, nil, query.ErrUnauthorized
	}
	values, err := c.values()
	if err != nil {
		return 0, nil, err
	}
	resource := c.view.Resource.Name
	if err := c.validate(resource, values, true); err != nil {
		return 0, nil, err
	}
	if err := c.s.defaults(c.tx, resource, values); err != nil {
		return 0, nil, err
	}
	for _, name := range required[resource] {
		if v, ok := values[name]; !ok || isNull(v) {
			return 0, nil, serverError()
		}
	}
	if err := c.references(resource, values); err != nil {
		return 0, nil, err
	}
	id, err := c.tx.Insert(resource, values)
	if err != nil {
		return 0, nil, err
	}
	if err := c.releases(resource, id); err != nil {
		c.tx.Delete(resource, id)
		return 0, nil, err
	}
	if resource == "application" {
		if err := c.tx.Grant(id); err != nil {
			return 0, nil, err
		}
	}
	if c.query.Options.Plain["returnResource"] == "false" {
		return id, fmt.Appendf(nil, `{"id":%d}`, id), nil
	}
	key := &odata.Key{Value: &odata.KeyValue{Literal: odata.Literal{Kind: odata.Number, Num: float64(id)}}}
	result, err := c.s.engine(c.caller, c.version).Get(r.Context(), &odata.Query{Resource: c.query.Resource, Key: key})
	row := bytes.TrimSuffix(bytes.TrimPrefix(result.Body, []byte(`{"d":[`)), []byte(`]}`))
	if err != nil || len(row) == 0 {
		// The caller may not read what it made.
		row = fmt.Appendf(nil, `{"id":%d}`, id)
	}
	return id, row, nil
}

// update changes every row that the path and its filter select: without
// either, all of them. None is fine too.
func (c *change) update(r *http.Request) error {
	if r.Method == http.MethodPatch && len(c.fields) == 0 {
		return badRequest("No fields to update")
	}
	values, err := c.values()
	if err != nil {
		return err
	}
	if r.Method == http.MethodPatch && len(values) == 0 {
		return serverError()
	}
	resource := c.view.Resource.Name
	if err := c.validate(resource, values, false); err != nil {
		return err
	}
	ids, err := c.s.engine(c.caller, c.version).Match(r.Context(), c.query)
	if err != nil {
		return err
	}
	if len(ids) == 0 && r.Method == http.MethodPut {
		_, _, err := c.upsert(r)
		return err
	}
	if err := c.references(resource, values); err != nil {
		return err
	}
	c.s.follow(resource, values)
	before := make([]map[string]any, 0, len(ids))
	for i, id := range ids {
		before = append(before, c.tx.Fields(resource, id))
		_, err := c.tx.Update(resource, id, values)
		if err == nil {
			err = c.releases(resource, id)
		}
		if err != nil {
			// A write is one transaction: it changes all rows or none.
			for k := range i + 1 {
				if _, undo := c.tx.Update(resource, ids[k], before[k]); undo != nil {
					return errors.Join(err, undo)
				}
			}
			return err
		}
	}
	return nil
}

// upsert inserts what a PUT did not find, with the fields of its key.
func (c *change) upsert(r *http.Request) (int64, []byte, error) {
	if c.query.Key != nil {
		for _, part := range c.query.Key.Named {
			if _, given := c.fields[part.Name]; given || part.Value.Alias != "" {
				continue
			}
			if c.fields == nil {
				c.fields = map[string]json.RawMessage{}
			}
			var b []byte
			switch lit := part.Value.Literal; lit.Kind {
			case odata.Text:
				b, _ = json.Marshal(lit.Text)
			default:
				b, _ = json.Marshal(lit.Num)
			}
			c.fields[part.Name] = b
		}
	}
	return c.insert(r)
}

func (c *change) delete(r *http.Request) error {
	ids, err := c.s.engine(c.caller, c.version).Match(r.Context(), c.query)
	if err != nil {
		return err
	}
	for _, id := range ids {
		c.tx.Delete(c.view.Resource.Name, id)
	}
	return nil
}

// references checks that what is referred to exists.
func (c *change) references(resource string, values map[string]any) error {
	for _, f := range schema.Lookup(resource).Fields {
		in, ok := values[f.Name]
		if !ok || f.Type != schema.Ref || isNull(in) {
			continue
		}
		v, err := store.Convert(f.Type, in)
		if err != nil {
			return badRequest("")
		}
		if t := c.tx.Table(f.To); t != nil && t.Find(v.I) == store.NoRow {
			return &writeError{http.StatusConflict, "Data is referenced by " + strings.ReplaceAll(f.To, "_", " ") + "."}
		}
	}
	return nil
}

func isNull(v any) bool {
	raw, ok := v.(json.RawMessage)
	return v == nil || ok && bytes.Equal(raw, []byte("null"))
}

package balenasim

import (
	"bytes"
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

// change is a write in progress. The store is locked.
type change struct {
	s       *Simulator
	tx      *store.Tx
	caller  credential
	version schema.Version
	view    *schema.View
	query   *odata.Query
	fields  map[string]json.RawMessage
}

// values returns the fields of the body that the resource has. Like the server,
// it ignores others.
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

// insert adds a row and returns it as the caller sees it.
func (c *change) insert(r *http.Request) (int64, []byte, error) {
	values, err := c.values()
	if err != nil {
		return 0, nil, err
	}
	resource := c.view.Resource.Name
	if err := c.validate(resource, values, true); err != nil {
		return 0, nil, err
	}
	c.s.defaults(c.tx, resource, values)
	for _, name := range required[resource] {
		if v, ok := values[name]; !ok || isNull(v) {
			return 0, nil, serverError()
		}
	}
	if err := c.references(resource, values, false); err != nil {
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
	if c.caller.kind == deviceKey {
		// A device can only add rows of its own.
		own, err := c.s.engine(c.caller, c.version).Match(r.Context(), c.byID(id))
		if err != nil || len(own) == 0 {
			c.tx.Delete(resource, id)
			return 0, nil, query.ErrUnauthorized
		}
	}
	if resource == "application" {
		if err := c.tx.Grant(id); err != nil {
			return 0, nil, err
		}
	}
	if c.query.Options.Plain["returnResource"] == "false" {
		return id, fmt.Appendf(nil, `{"id":%d}`, id), nil
	}
	result, err := c.s.engine(c.caller, c.version).Get(r.Context(), c.byID(id))
	row := bytes.TrimSuffix(bytes.TrimPrefix(result.Body, []byte(`{"d":[`)), []byte(`]}`))
	if err != nil || len(row) == 0 {
		// The caller cannot read the new row.
		row = fmt.Appendf(nil, `{"id":%d}`, id)
	}
	return id, row, nil
}

// byID returns the query for one row of the resource.
func (c *change) byID(id int64) *odata.Query {
	value := odata.KeyValue{Literal: odata.Literal{Kind: odata.Number, Num: float64(id)}}
	return &odata.Query{Resource: c.query.Resource, Key: &odata.Key{Value: &value}}
}

// update changes every row that the path and its filter select, which is all of
// them without either. Selecting none is not an error.
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
	if err := c.references(resource, values, true); err != nil {
		return err
	}
	c.s.follow(resource, values)
	before := make([]map[string]any, 0, len(ids))
	for i, id := range ids {
		before = append(before, c.tx.Fields(resource, id))
		_, err := c.tx.Update(resource, id, c.s.withSlug(c.tx, resource, id, values))
		if err == nil {
			err = c.releases(resource, id)
		}
		if err != nil {
			// A write is a transaction: it changes all rows or none.
			for k := range i + 1 {
				if _, undo := c.tx.Update(resource, ids[k], before[k]); undo != nil {
					return errors.Join(err, undo)
				}
			}
			return err
		}
	}
	for i, id := range ids {
		if err := c.s.settle(c.tx, resource, id, before[i], values); err != nil {
			return err
		}
	}
	return nil
}

// upsert inserts the row that a PUT did not find, with the fields of its key.
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

// delete removes every row that the path and its filter select.
func (c *change) delete(r *http.Request) error {
	ids, err := c.s.engine(c.caller, c.version).Match(r.Context(), c.query)
	if err != nil {
		return err
	}
	if err := c.deletable(ids); err != nil {
		return err
	}
	for _, id := range ids {
		c.tx.Delete(c.view.Resource.Name, id)
	}
	return nil
}

// references checks that the referenced rows exist.
func (c *change) references(resource string, values map[string]any, update bool) error {
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
			if moving := resource == "device" && f.To == "application"; moving && update {
				return &writeError{http.StatusNotFound, "Application doesn't exist or you have no access to it."}
			}
			return &writeError{http.StatusConflict, "Data is referenced by " + strings.ReplaceAll(f.To, "_", " ") + "."}
		}
	}
	return nil
}

func isNull(v any) bool {
	raw, ok := v.(json.RawMessage)
	return v == nil || ok && bytes.Equal(raw, []byte("null"))
}

package balenasim

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/query"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// Rows returns fields of all rows of a resource, ordered by id. Tests use it as
// the ground truth. It does not count as a request: faults do not apply.
//
// Fields are named as in v7 and may be computed ones, such as overall_status,
// should_be_running__release or raw_version; id is always included. A value is
// an int64 (also for references), string, bool, time.Time in UTC,
// json.RawMessage, or nil for null.
func (s *Simulator) Rows(resource string, fields ...string) ([]map[string]any, error) {
	var out []map[string]any
	err := s.readRows(resource, fields, func(t *store.Table, read func(store.Row) map[string]any) {
		out = make([]map[string]any, 0, t.Len())
		for _, r := range t.Rows() {
			out = append(out, read(r))
		}
	})
	return out, err
}

// Row returns fields of one row like [Simulator.Rows], nil if there is no row
// with the id.
func (s *Simulator) Row(resource string, id int64, fields ...string) (map[string]any, error) {
	var out map[string]any
	err := s.readRows(resource, fields, func(t *store.Table, read func(store.Row) map[string]any) {
		if r := t.Find(id); r != store.NoRow {
			out = read(r)
		}
	})
	return out, err
}

// readRows calls f, while the store is locked, with a function that reads the
// fields of a row.
func (s *Simulator) readRows(resource string, fields []string, f func(*store.Table, func(store.Row) map[string]any)) error {
	var err error
	s.store.View(func() {
		t := s.store.Table(resource)
		if t == nil {
			err = fmt.Errorf("unknown resource %q", resource)
			return
		}
		readers := map[string]func(store.Row) store.Value{}
		for _, name := range append([]string{"id"}, fields...) {
			if t.Resource.Index(name) < 0 {
				err = fmt.Errorf("%s has no field %q", resource, name)
				return
			}
			readers[name] = query.FieldReader(s.store, schema.V7, resource, name)
		}
		f(t, func(r store.Row) map[string]any {
			row := make(map[string]any, len(readers))
			for name, read := range readers {
				row[name] = goValue(read(r))
			}
			return row
		})
	})
	return err
}

func goValue(v store.Value) any {
	switch v.Kind {
	case store.Null:
		return nil
	case store.Text:
		return v.S
	case store.Bool:
		return v.True()
	case store.Time:
		return time.UnixMilli(v.I).UTC()
	case store.JSON:
		return json.RawMessage(v.S)
	}
	return v.I
}

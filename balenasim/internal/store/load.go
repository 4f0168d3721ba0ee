package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
)

// accessFile lists the fleets, with the users that have direct access to each.
const accessFile = "application_is_directly_accessible_by__user"

// Load adds the rows of a directory with one JSON file per resource, each an array
// of rows as GET /v7/<resource> returns them. Unknown fields are ignored.
func (s *Store) Load(dir fs.FS) error {
	files, err := fs.Glob(dir, "*.json")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("no *.json files; expected one per resource, such as device.json")
	}
	sort.Strings(files)
	s.mu.Lock()
	defer s.mu.Unlock()
	var accessible []int64
	listed := false
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".json")
		b, err := fs.ReadFile(dir, file)
		if err != nil {
			return err
		}
		var rows []map[string]json.RawMessage
		if err := json.Unmarshal(b, &rows); err != nil {
			return fmt.Errorf("%s: expected a JSON array of rows as GET /v7/%s returns them: %w", file, name, err)
		}
		if name == accessFile {
			listed = true
			accessible, err = accessibleFleets(rows)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			continue
		}
		t := s.tables[name]
		if t == nil {
			return fmt.Errorf("%s: unknown resource %q; known are %s", file, name, strings.Join(known(), ", "))
		}
		if err := t.load(rows); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	if !listed {
		for _, r := range s.tables["application"].Rows() {
			accessible = append(accessible, s.tables["application"].ID(r))
		}
	}
	for _, id := range accessible {
		if err := s.grant(id); err != nil {
			return err
		}
	}
	return nil
}

// grant gives the user direct access to a fleet.
func (s *Store) grant(application int64) error {
	_, err := (&Tx{s}).Insert("user__has_direct_access_to__application",
		map[string]any{"user": s.owner(), "has_direct_access_to__application": application})
	return err
}

// owner returns the id of the user that the fleets belong to: the first one that
// is not the server's guest.
func (s *Store) owner() any {
	t := s.tables["user"]
	for _, r := range t.Rows() {
		if name, _ := t.Text(r, t.index("username")); name != "guest" {
			return t.ID(r)
		}
	}
	return nil
}

// Grant gives the user direct access to a fleet.
func (tx *Tx) Grant(application int64) error { return tx.s.grant(application) }

func (t *Table) load(rows []map[string]json.RawMessage) error {
	all := make([][]Value, len(rows))
	for n, row := range rows {
		values := make([]Value, len(t.columns))
		for i, f := range t.Resource.Fields {
			raw, ok := row[f.Name]
			if !ok {
				continue
			}
			v, err := convertRaw(f.Type, raw)
			if err != nil {
				return fmt.Errorf("row %d, field %q: %w", n, f.Name, err)
			}
			values[i] = v
		}
		all[n] = values
	}
	sort.SliceStable(all, func(a, b int) bool { return all[a][t.idField].I < all[b][t.idField].I })
	inserted := make([]Row, len(all))
	for n, values := range all {
		r, err := t.insert(values)
		if err != nil {
			return fmt.Errorf("row with id %d: %w", values[t.idField].I, err)
		}
		inserted[n] = r
	}
	// The physical order of rows is that of their last writes.
	if i := t.index("modified_at"); i >= 0 {
		sort.SliceStable(inserted, func(a, b int) bool {
			return t.columns[i].ints[inserted[a]] < t.columns[i].ints[inserted[b]]
		})
		for _, r := range inserted {
			t.touch(r)
		}
	}
	return nil
}

func accessibleFleets(rows []map[string]json.RawMessage) ([]int64, error) {
	var ids []int64
	for n, row := range rows {
		var id int64
		var users []json.RawMessage
		if err := json.Unmarshal(row["id"], &id); err != nil {
			return nil, fmt.Errorf("row %d, field \"id\": %w", n, err)
		}
		if err := json.Unmarshal(row["is_directly_accessible_by__user"], &users); err != nil {
			return nil, fmt.Errorf("row %d, field \"is_directly_accessible_by__user\": %w", n, err)
		}
		if len(users) > 0 {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func known() []string {
	var names []string
	for _, r := range schema.Resources() {
		if !r.Hidden {
			names = append(names, r.Name)
		}
	}
	sort.Strings(names)
	return names
}

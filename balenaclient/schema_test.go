package balenaclient_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// schemaResource is what the test reads of schema.yaml.
type schemaResource struct {
	Resource   string
	Cloud      bool
	Unreadable bool
	Ignored    []string
	Fields     []struct {
		Name, Type string
		Cloud      bool
	}
}

// realColumns are the columns in a real server's responses to requests for all columns, with the number of rows seen.
func realColumns(t *testing.T, resource string) (columns map[string]bool, rows int) {
	t.Helper()
	columns = map[string]bool{}
	add := func(data json.RawMessage) {
		var all []map[string]any
		require.NoError(t, json.Unmarshal(data, &all))
		for _, row := range all {
			rows++
			for column := range row {
				columns[column] = true
			}
		}
	}
	if data, err := os.ReadFile(filepath.Join("../testdata/conformance/dataset", resource+".json")); err == nil {
		add(data)
	}
	for _, e := range exchanges() {
		rest, ok := strings.CutPrefix(e.Target, "/v7/"+resource)
		if !ok || e.Status != http.StatusOK || strings.Contains(rest, "$") || rest != "" && rest[0] != '(' {
			continue
		}
		var answer struct{ D json.RawMessage }
		require.NoError(t, json.Unmarshal(e.JSON, &answer))
		add(answer.D)
	}
	return columns, rows
}

func TestSchema_MatchesTheServer(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("schema.yaml")
	require.NoError(t, err)
	var resources []schemaResource
	require.NoError(t, yaml.Unmarshal(data, &resources))
	require.NotEmpty(t, resources)

	// Every resource has these on openBalena; where nobody needs them, the schema leaves them out.
	everywhere := []string{"id", "created_at", "modified_at"}

	// These exist although the rows of the dataset do not show them.
	notShown := map[string]string{
		"device_type.logo":      "the dataset was made without it, because it is large",
		"device_type.contract":  "the dataset was made without it, because it is large",
		"release_image.release": "another name of is_part_of__release",
	}
	for _, r := range resources {
		if r.Cloud || r.Unreadable {
			continue // no server of ours has them
		}
		t.Run(r.Resource, func(t *testing.T) {
			t.Parallel()
			columns, rows := realColumns(t, r.Resource)
			if rows == 0 {
				t.Skip("no row of this resource was recorded")
			}
			known := slices.Concat(everywhere, r.Ignored)
			for _, f := range r.Fields {
				known = append(known, f.Name)
				navigation := strings.HasPrefix(f.Type, "refs ")
				if _, ok := notShown[r.Resource+"."+f.Name]; !ok {
					assert.Equal(t, !f.Cloud && !navigation, columns[f.Name], "%s.%s: whether a real server returns it", r.Resource, f.Name)
				}
			}
			for _, ignored := range r.Ignored {
				assert.True(t, columns[ignored], "%s.%s is ignored but is not there", r.Resource, ignored)
			}
			for column := range columns {
				assert.Contains(t, known, column, "%s: the server returns a column that the schema neither has nor ignores", r.Resource)
			}
		})
	}
}

func TestSchema_Expansions(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("schema.yaml")
	require.NoError(t, err)
	var resources []schemaResource
	require.NoError(t, yaml.Unmarshal(data, &resources))
	client, _ := simulated(t)
	for _, r := range resources {
		if r.Cloud || r.Unreadable {
			continue
		}
		for _, f := range r.Fields {
			kind, target, _ := strings.Cut(f.Type, " ")
			unreadable := slices.ContainsFunc(resources, func(r schemaResource) bool { return r.Unreadable && r.Resource == strings.ToLower(target) })
			if f.Cloud || kind != "ref" && kind != "refs" || unreadable {
				continue
			}
			_, err := pine.GetDocument[any](t.Context(), client.Pine(), "/v7/"+r.Resource+"?$select=id&$top=1&$expand="+f.Name+"($select=id)")
			assert.NoError(t, err, "%s.%s", r.Resource, f.Name)
		}
	}
}

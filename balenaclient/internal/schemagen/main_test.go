package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	client, err := filepath.Abs("../..")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	require.NoError(t, run(filepath.Join(client, "schema.yaml")))
	made := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		made[path] = true
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(client, path))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s is out of date: run go generate ./balenaclient/...", path)
		return nil
	}))
	there, err := filepath.Glob(filepath.Join(client, "*", "*_gen.go"))
	require.NoError(t, err)
	for _, path := range there {
		name, err := filepath.Rel(client, path)
		require.NoError(t, err)
		assert.True(t, made[name], "%s is of a resource that is no longer in the schema: remove it", name)
	}
}

func TestRun_InvalidSchema(t *testing.T) {
	const device = "- type: Device\n  resource: device\n  package: device\n"
	for name, tt := range map[string]struct{ schema, want string }{
		"of an unknown type":                {device + "  fields: [{name: a, go: A, type: float}]", `Device.a: unknown type "float"`},
		"of no type":                        {device + "  fields: [{name: a, go: A}]", `Device.a: unknown type ""`},
		"of an unknown kind of link":        {device + "  fields: [{name: a, go: A, type: link Device}]", `Device.a: unknown type "link Device"`},
		"of an unknown resource":            {device + "  fields: [{name: a, go: A, type: ref Fleet}]", `Device.a: unknown resource "Fleet"`},
		"of a field without a name":         {device + "  fields: [{go: A, type: int}]", `Device.A: name and go are needed`},
		"of a field without a Go name":      {device + "  fields: [{name: a, type: int}]", `Device.a: name and go are needed`},
		"of a field that is twice":          {device + "  fields: [{name: a, go: A, type: int}, {name: a, go: B, type: int}]", `Device.a: duplicate name or go`},
		"of a Go name that is twice":        {device + "  fields: [{name: a, go: A, type: int}, {name: b, go: A, type: int}]", `Device.b: duplicate name or go`},
		"of an id":                          {device + "  fields: [{name: id, go: Key, type: int}]", `Device.id: duplicate name or go`},
		"of a key of an unknown field":      {device + "  keys: [[uuid]]", `Device: key with unknown field "uuid"`},
		"of a key of no field":              {device + "  keys: [[]]", `Device: empty key`},
		"of a key of JSON":                  {device + "  keys: [[a]]\n  fields: [{name: a, go: A, type: json}]", `Device: "a" is of type json, which cannot be part of a key`},
		"of a key of a navigation":          {device + "  keys: [[a]]\n  fields: [{name: a, go: A, type: refs Device}]", `Device: "a" is of type refs Device, which cannot be part of a key`},
		"of what can be set":                {device + "  fields: [{name: a, go: A, type: json, set: true}]", `Device.a: computed, refs and json fields cannot be set`},
		"of a resource without a type":      {"- resource: device\n  package: device", `resource 1 (device): type, resource and package are needed`},
		"of a type that is twice":           {device + device, `Device: duplicate type or package`},
		"of an unknown word":                {device + "  field: []", `field field not found`},
		"with a label that is not a string": {device + "  label: a\n  fields: [{name: a, go: A, type: int}]", `Device: label "a" is not a string field`},
		"of no YAML":                        {"{", `schema.yaml: yaml: `},
		"of a Go name that is none":         {device + "  fields: [{name: a, go: 5 A, type: int}]", `resources_gen.go: `},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			require.NoError(t, os.WriteFile("schema.yaml", []byte(tt.schema), 0o600))
			err := run("schema.yaml")
			require.ErrorContains(t, err, tt.want)
			entries, err := os.ReadDir(".")
			require.NoError(t, err)
			for _, entry := range entries {
				assert.False(t, strings.HasSuffix(entry.Name(), ".go"), "an invalid schema generates nothing")
			}
		})
	}
	t.Run("of several faults, with all of them", func(t *testing.T) {
		t.Chdir(t.TempDir())
		require.NoError(t, os.WriteFile("schema.yaml", []byte(device+"  keys: [[x], [y]]"), 0o600))
		err := run("schema.yaml")
		require.ErrorContains(t, err, `"x"`)
		require.ErrorContains(t, err, `"y"`)
	})
	t.Run("that is not there", func(t *testing.T) {
		t.Chdir(t.TempDir())
		require.ErrorIs(t, run("schema.yaml"), fs.ErrNotExist)
	})
}

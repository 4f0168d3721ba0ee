package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func clock() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC) }

// TestTable_Indexes inserts, updates and deletes random rows and compares all
// indexes with the rows.
func TestTable_Indexes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := New(clock)
	device, tag := s.Table("device"), s.Table("device_tag")
	uuid, fleet := device.index("uuid"), device.index("belongs_to__application")
	of := tag.index("device")
	want := map[int64][2]any{} // uuid and fleet of devices
	for range 3000 {
		s.Change(func(tx *Tx) {
			switch random.IntN(4) {
			case 0, 1:
				key, f := fmt.Sprintf("uuid-%d", random.IntN(200)), int64(random.IntN(5))
				id, err := tx.Insert("device", map[string]any{"uuid": key, "belongs_to__application": f})
				if err != nil {
					var conflict *ConflictError
					require.ErrorAs(t, err, &conflict)
					return
				}
				want[id] = [2]any{key, f}
				_, err = tx.Insert("device_tag", map[string]any{"device": id, "tag_key": "k", "value": "v"})
				require.NoError(t, err)
			case 2:
				for id, row := range want {
					f := int64(random.IntN(5))
					found, err := tx.Update("device", id, map[string]any{"belongs_to__application": f})
					require.NoError(t, err)
					require.True(t, found)
					want[id] = [2]any{row[0], f}
					break
				}
			case 3:
				for id := range want {
					require.True(t, tx.Delete("device", id))
					delete(want, id)
					break
				}
			}
		})
	}
	require.NotEmpty(t, want)
	require.Equal(t, len(want), device.Len())
	require.Equal(t, len(want), tag.Len(), "tags are deleted with their device")
	assert.True(t, slices.IsSortedFunc(device.Rows(), func(a, b Row) int { return int(device.ID(a) - device.ID(b)) }))
	fleets := map[int64]int{}
	for id, row := range want {
		r := device.Find(id)
		require.NotEqual(t, NoRow, r)
		assert.Equal(t, r, device.FindUnique(uuid, row[0].(string)))
		assert.Contains(t, device.Referring(fleet, row[1].(int64)), r)
		assert.Len(t, tag.Referring(of, id), 1)
		fleets[row[1].(int64)]++
	}
	for f, n := range fleets {
		assert.Len(t, device.Referring(fleet, f), n)
	}
	assert.Equal(t, NoRow, device.FindUnique(uuid, "nosuch"))
}

func TestTx_Delete(t *testing.T) {
	s := New(clock)
	s.Change(func(tx *Tx) {
		app, err := tx.Insert("application", map[string]any{"slug": "a/b"})
		require.NoError(t, err)
		release, err := tx.Insert("release", map[string]any{"belongs_to__application": app})
		require.NoError(t, err)
		device, err := tx.Insert("device", map[string]any{"uuid": "u", "belongs_to__application": app, "is_running__release": release})
		require.NoError(t, err)
		require.True(t, tx.Delete("release", release))
		assert.Equal(t, Value{}, tx.Fields("device", device)["is_running__release"])
		require.True(t, tx.Delete("application", app))
		assert.Zero(t, tx.Table("device").Len(), "devices are deleted with their fleet")
	})
}

func TestTx_NaturalKeys(t *testing.T) {
	s := New(clock)
	s.Change(func(tx *Tx) {
		insert := func(key string) error {
			_, err := tx.Insert("device_tag", map[string]any{"device": 1, "tag_key": key, "value": "v"})
			return err
		}
		require.NoError(t, insert("a"))
		require.NoError(t, insert("b"))
		var conflict *ConflictError
		require.ErrorAs(t, insert("a"), &conflict)
		assert.Equal(t, []string{"device", "tag_key"}, conflict.Fields)
		_, err := tx.Update("device_tag", 2, map[string]any{"tag_key": "a"})
		require.ErrorAs(t, err, &conflict)
		_, err = tx.Update("device_tag", 2, map[string]any{"tag_key": "b", "value": "w"})
		require.NoError(t, err, "a row does not conflict with itself")
	})
}

func TestTx_WrongTypes(t *testing.T) {
	s := New(clock)
	s.Change(func(tx *Tx) {
		for field, value := range map[string]any{
			"uuid": 5, "is_online": "yes", "cpu_usage": 1.5, "created_at": "yesterday",
			"belongs_to__application": "one", "nosuch": 1,
		} {
			_, err := tx.Insert("device", map[string]any{field: value})
			assert.ErrorContains(t, err, field)
		}
		_, err := tx.Insert("nosuch", nil)
		assert.ErrorContains(t, err, "unknown resource")
		found, err := tx.Update("device", 99, map[string]any{"uuid": "x"})
		assert.NoError(t, err)
		assert.False(t, found)
		assert.False(t, tx.Delete("device", 99))
	})
}

func TestStore_Load_Invalid(t *testing.T) {
	for _, test := range []struct{ name, file, content, says string }{
		{"no array", "device.json", `{"d":[]}`, "expected a JSON array of rows as GET /v7/device returns them"},
		{"unknown resource", "gadget.json", `[]`, `unknown resource "gadget"; known are api_key, application`},
		{"bad value", "device.json", `[{"id":1},{"id":"two"}]`, `row 1, field "id"`},
		{"duplicate id", "device.json", `[{"id":1},{"id":1}]`, "row with id 1"},
		{"duplicate key", "device.json", `[{"id":1,"uuid":"u"},{"id":2,"uuid":"u"}]`, `["uuid"] must be unique`},
		{"no files", "README.md", "", "no *.json files"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := New(clock).Load(fstest.MapFS{test.file: {Data: []byte(test.content)}})
			assert.ErrorContains(t, err, test.says)
		})
	}
}

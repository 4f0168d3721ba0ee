package history

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// memory is a storage client.
type memory map[string][]byte

func (m memory) Get(_ context.Context, key string) ([]byte, error) { return m[key], nil }

func (m memory) Set(_ context.Context, key string, value []byte) error {
	m[key] = value
	return nil
}

func (m memory) Delete(_ context.Context, key string) error {
	delete(m, key)
	return nil
}

func (m memory) Batch(ctx context.Context, operations ...*storage.Operation) error {
	for _, o := range operations {
		switch o.Type {
		case storage.Get:
			o.Value = m[o.Key]
		case storage.Set:
			_ = m.Set(ctx, o.Key, o.Value)
		case storage.Delete:
			_ = m.Delete(ctx, o.Key)
		}
	}
	return nil
}

func (m memory) Walk(context.Context, storage.WalkFunc) error { return errors.New("not needed") }
func (m memory) Close(context.Context) error                  { return nil }

func TestStore(t *testing.T) {
	t.Parallel()
	client := memory{}
	store := NewStore(client, "all of it")
	s, h, q := newScene(), New(testThresholds()), NewQueue()
	observe := func(minute int) []Change {
		changes := h.Observe(s.observation(minute))
		q.Add(changes)
		require.NoError(t, store.Save(t.Context(), h, q))
		q.Release()
		return changes
	}
	observe(0)
	s.device(1).Name = "z"
	changes := observe(1)
	require.Len(t, changes, 1)

	h, q, err := store.Load(t.Context(), testThresholds())
	require.NoError(t, err)
	assert.Nil(t, q.First(), "it is not told before it is released")
	q.Release()
	require.NotNil(t, q.First())
	assert.Equal(t, changes, q.First().Changes)
	require.NoError(t, store.Accepted(t.Context(), q))
	assert.Empty(t, h.Observe(s.observation(2)), "nothing has changed")
	s.remove(2)
	h.Observe(s.observation(3))
	require.NoError(t, store.Save(t.Context(), h, q))

	h, q, err = store.Load(t.Context(), testThresholds())
	require.NoError(t, err)
	assert.Zero(t, q.Len(), "it was accepted")
	deleted := h.Observe(s.observation(4))
	require.Len(t, deleted, 1, "missed twice, before and after the restart")
	assert.NotEqual(t, changes[0].ID, deleted[0].ID)

	h, q, err = NewStore(client, "another selection").Load(t.Context(), testThresholds())
	require.ErrorIs(t, err, ErrOther)
	assert.Zero(t, q.Len())
	assert.Empty(t, h.Observe(s.observation(5)))
}

// What was told before a restart that forgot it does not share an ID with what is told after it.
func TestStore_Load_IDsAreUnique(t *testing.T) {
	t.Parallel()
	store := NewStore(memory{}, "")
	s, h := newScene(), New(testThresholds())
	h.Observe(s.observation(0))
	require.NoError(t, store.Save(t.Context(), h, NewQueue()))
	s.device(1).Name = "not stored"
	told := h.Observe(s.observation(1))
	h, _, err := store.Load(t.Context(), testThresholds())
	require.NoError(t, err)
	s.device(1).Name = "z"
	assert.NotEqual(t, told[0].ID, h.Observe(s.observation(2))[0].ID)
}

// What is stored is written in as many parts as fleets have changed.
func TestStore_Save_OnlyWhatChanged(t *testing.T) {
	t.Parallel()
	client := memory{}
	store := NewStore(client, "")
	s, h, q := newScene(), New(testThresholds()), NewQueue()
	s.fleets = append(s.fleets, Fleet{ID: 2, Name: "signs", Slug: "acme/signs", Identified: true, TargetKnown: true})
	h.Observe(s.observation(0))
	require.NoError(t, store.Save(t.Context(), h, q))
	clear(client)
	h.Observe(s.observation(1))
	require.NoError(t, store.Save(t.Context(), h, q))
	assert.Empty(t, client, "nothing has changed")
	s.device(1).Name = "z"
	h.Observe(s.observation(2))
	require.NoError(t, store.Save(t.Context(), h, q))
	assert.Contains(t, client, "fleet/1")
	assert.NotContains(t, client, "fleet/2")
}

// Whatever is stored, it is read or refused.
func FuzzStore_Load(f *testing.F) {
	f.Add([]byte(`{"version":1,"fleets":[1],"next_batch":1}`), []byte(`{"id":1,"devices":[{"id":1,"fleet":1}],"releases":[{"id":1}]}`), []byte(`[{"kind":"x"}]`))
	f.Add([]byte(`{"version":1,"fleets":[1]}`), []byte(`{"devices":[null]}`), []byte(`null`))
	f.Fuzz(func(t *testing.T, account, fleet, changes []byte) {
		client := memory{accountKey: account, fleetKey(1): fleet, batchKey(0): changes}
		h, q, _ := NewStore(client, "").Load(t.Context(), testThresholds())
		q.Release()
		h.Observe(newScene().observation(0))
		require.NoError(t, NewStore(client, "").Save(t.Context(), h, q))
	})
}

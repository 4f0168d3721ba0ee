package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// formatVersion is that of what is stored. What has another one is not read.
const formatVersion = 1

// maxBatches is more than ever wait: so many changes of ten million devices.
const maxBatches = 1 << 16

// ErrOther is returned for a history that was stored by another version, or of another selection of the account.
var ErrOther = errors.New("stored by another version or with another configuration")

// Store keeps a history and its queue in a storage extension, so that a restart neither loses nor repeats a change. Fleets are stored one
// by one, because few of them change between two scrapes.
type Store struct {
	client  storage.Client
	account string

	mu sync.Mutex // held while something is written: a batch that was accepted must not be stored again
}

// NewStore returns a store of the history of an account: account identifies what of it is observed.
func NewStore(client storage.Client, account string) *Store {
	return &Store{client: client, account: account}
}

// stored is what the fleets have in common.
type stored struct {
	Version    int      `json:"version"`
	Account    string   `json:"account"`
	At         Millis   `json:"at"`
	ReleasesAt Millis   `json:"releases_at,omitempty"`
	FleetsSeen bool     `json:"fleets_seen,omitempty"`
	Fleets     []int64  `json:"fleets"`
	Expiring   []APIKey `json:"expiring,omitempty"`
	FirstBatch int64    `json:"first_batch"`
	NextBatch  int64    `json:"next_batch"`
}

// storedFleet is a fleet with what belongs to it.
type storedFleet struct {
	*fleet
	Devices  []*device `json:"devices,omitempty"`
	Releases []Release `json:"releases,omitempty"`
}

const accountKey = "account"

func fleetKey(id int64) string { return fmt.Sprintf("fleet/%d", id) }

func batchKey(number int64) string { return fmt.Sprintf("changes/%d", number) }

// Load returns what was stored; a new history and an empty queue if nothing was. With an error, the history is new; changes that wait are
// returned whatever the history was of.
func (s *Store) Load(ctx context.Context, thresholds Thresholds) (*History, *Queue, error) {
	h, q := New(thresholds), NewQueue()
	var head stored
	found, err := s.get(ctx, accountKey, &head)
	switch {
	case err != nil || !found:
		return h, q, err
	case head.Version != formatVersion:
		return h, q, ErrOther
	}
	if err := s.loadQueue(ctx, head, q); err != nil {
		return h, NewQueue(), err
	}
	if head.Account != s.account {
		return h, q, ErrOther
	}
	if err := s.loadHistory(ctx, head, h); err != nil {
		return New(thresholds), q, err
	}
	return h, q, nil
}

func (s *Store) loadHistory(ctx context.Context, head stored, h *History) error {
	h.at, h.releasesAt, h.fleetsSeen, h.expiring = head.At, head.ReleasesAt, head.FleetsSeen, head.Expiring
	for _, id := range head.Fleets {
		of := storedFleet{fleet: &fleet{}}
		found, err := s.get(ctx, fleetKey(id), &of)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("%q is missing", fleetKey(id))
		}
		of.fleet.releases = map[int64]Release{}
		for _, r := range of.Releases {
			of.fleet.releases[r.ID] = r
		}
		for _, d := range of.Devices {
			if d == nil {
				return fmt.Errorf("%q has no device where there should be one", fleetKey(id))
			}
			h.devices[d.ID] = d
		}
		h.fleets[id] = of.fleet
	}
	return nil
}

func (s *Store) loadQueue(ctx context.Context, head stored, q *Queue) error {
	if waiting := head.NextBatch - head.FirstBatch; waiting < 0 || waiting > maxBatches {
		return fmt.Errorf("%q has batches %d to %d", accountKey, head.FirstBatch, head.NextBatch)
	}
	q.next = head.NextBatch
	for number := head.FirstBatch; number < head.NextBatch; number++ {
		b := &Batch{number: number, saved: true}
		found, err := s.get(ctx, batchKey(number), &b.Changes)
		if err != nil {
			return err
		}
		if found { // else it was accepted
			q.batches = append(q.batches, b)
			q.changes += len(b.Changes)
		}
	}
	return nil
}

func (s *Store) get(ctx context.Context, key string, value any) (found bool, err error) {
	data, err := s.client.Get(ctx, key)
	if err != nil || data == nil {
		return false, err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return false, fmt.Errorf("%q: %w", key, err)
	}
	return true, nil
}

// Save stores what has changed of the history, and the changes that wait, in one transaction.
func (s *Store) Save(ctx context.Context, h *History, q *Queue) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	batches := q.unsaved()
	if !h.headChanged && len(h.changed) == 0 && len(batches) == 0 {
		return nil
	}
	var operations []*storage.Operation
	set := func(key string, value any) error {
		data, err := json.Marshal(value)
		operations = append(operations, storage.SetOperation(key, data))
		return err
	}
	devices := h.devicesOf(h.changed)
	for id := range h.changed {
		f := h.fleets[id]
		if f == nil {
			operations = append(operations, storage.DeleteOperation(fleetKey(id)))
			continue
		}
		if err := set(fleetKey(id), storedFleet{f, devices[id], slices.Collect(maps.Values(f.releases))}); err != nil {
			return err
		}
	}
	for _, b := range batches {
		if err := set(batchKey(b.number), b.Changes); err != nil {
			return err
		}
	}
	if err := set(accountKey, s.head(h, q)); err != nil {
		return err
	}
	if err := s.client.Batch(ctx, operations...); err != nil {
		return err
	}
	h.headChanged = false
	clear(h.changed)
	for _, b := range batches {
		b.saved = true
	}
	return nil
}

func (s *Store) head(h *History, q *Queue) stored {
	head := stored{
		Version: formatVersion, Account: s.account, At: h.at, ReleasesAt: h.releasesAt, FleetsSeen: h.fleetsSeen,
		Fleets: slices.Sorted(maps.Keys(h.fleets)), Expiring: h.expiring,
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	head.FirstBatch, head.NextBatch = q.next, q.next
	if len(q.batches) > 0 {
		head.FirstBatch = q.batches[0].number
	}
	return head
}

// Accepted removes the oldest batch of the queue, which a pipeline has accepted, and forgets it.
func (s *Store) Accepted(ctx context.Context, q *Queue) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := q.First()
	q.Remove()
	return s.client.Delete(ctx, batchKey(b.number))
}

// devicesOf returns the devices of each of the fleets.
func (h *History) devicesOf(fleets map[int64]bool) map[int64][]*device {
	devices := map[int64][]*device{}
	for _, d := range h.devices {
		if fleets[d.FleetID] {
			devices[d.FleetID] = append(devices[d.FleetID], d)
		}
	}
	return devices
}

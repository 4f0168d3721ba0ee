// Package balenasim simulates the balena API for tests, benchmarks, demos and
// fault injection, without an account or devices.
//
// A [Simulator] is an [http.Handler] backed by an in-memory database. Reads,
// writes, logs and errors match what open-balena-api 49.0.12 was measured to
// respond, including what it rejects:
//
//	sim := balenasim.New(balenasim.WithToken("key"))
//	if err := sim.Load(os.DirFS("testdata/fleet")); err != nil {
//		return err
//	}
//	server := httptest.NewServer(sim)
//	…
//	sim.Update("device", 7, map[string]any{"is_online": false})
//	…
//	fmt.Println(len(sim.Requests()), "requests")
package balenasim

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// Simulator is a simulated balena API. Its methods are safe for concurrent use.
type Simulator struct {
	now    func() time.Time
	keys   keyring
	store  *store.Store
	models map[schema.Version]*schema.Model
	log    requestLog
	hook   func(Request)
	logs   deviceLogs
	faults faultRules
	life   *life
	seed   uint64

	heartbeat time.Duration
	limits    limits
	lastActor int64 // 0 if unknown; guarded by the store
}

// Option configures a Simulator.
type Option func(*Simulator)

// WithToken sets the API key of the user, who can read all rows. The default is
// "token".
func WithToken(token string) Option {
	return func(s *Simulator) {
		s.keys.keys = []apiKey{{credential: credential{kind: user}, key: token}}
	}
}

// WithNow sets the clock that timestamps writes.
func WithNow(now func() time.Time) Option { return func(s *Simulator) { s.now = now } }

// WithClock makes writes use a clock that the test steps.
func WithClock(c *Clock) Option { return WithNow(c.Now) }

// WithSeed seeds the random source of faults and scenarios.
func WithSeed(seed uint64) Option { return func(s *Simulator) { s.seed = seed } }

// WithRequestHook calls f for every request, once it has been served.
func WithRequestHook(f func(Request)) Option { return func(s *Simulator) { s.hook = f } }

// New returns a simulator without rows.
func New(opts ...Option) *Simulator {
	s := &Simulator{now: time.Now, models: schema.Models(), heartbeat: defaultHeartbeat, limits: serverLimits}
	WithToken("token")(s)
	for _, opt := range opts {
		opt(s)
	}
	s.faults.rand = rand.New(rand.NewPCG(s.seed, 1))
	s.store = store.New(func() time.Time { return s.now() })
	s.store.Change(s.enroll)
	return s
}

// Load adds the rows of a directory with one JSON file per resource, such as
// device.json. Each is an array of rows as GET /v7/<resource> returns them.
func (s *Simulator) Load(dir fs.FS) error {
	s.store.Change(s.keys.withdraw)
	err := s.store.Load(dir)
	s.store.Change(func(tx *store.Tx) {
		s.lastActor = 0
		s.enroll(tx)
	})
	if err != nil {
		return fmt.Errorf("load dataset: %w", err)
	}
	return nil
}

// Now returns the current time of the simulation, which scenarios advance.
func (s *Simulator) Now() time.Time { return s.now() }

// Insert adds a row to a resource and returns its id. Fields are named as in
// v7; references are ids. Missing fields get the server's defaults, such as a
// UUID and the heartbeat state "unknown", or null.
func (s *Simulator) Insert(resource string, fields map[string]any) (int64, error) {
	var id int64
	var err error
	fields = maps.Clone(fields)
	if fields == nil {
		fields = map[string]any{}
	}
	s.store.Change(func(tx *store.Tx) {
		s.defaults(tx, resource, fields)
		if id, err = tx.Insert(resource, fields); err == nil && resource == "application" {
			err = tx.Grant(id)
		}
	})
	return id, err
}

// Update changes fields of a row, named as in v7, with the side effects of the
// server:
//
//   - is_connected_to_vpn sets is_online and last_vpn_event
//   - is_online sets last_connectivity_event
//   - api_heartbeat_state sets changed_api_heartbeat_state_on__date
//   - belongs_to__application removes the pin, marks the device's images as
//     deleted and installs the services of the new fleet
//   - is_pinned_on__release and should_be_running__release install services
//   - app_name sets the slug
//
// Fields that are given take precedence over side effects.
func (s *Simulator) Update(resource string, id int64, fields map[string]any) error {
	err := fmt.Errorf("no %s with id %d", resource, id)
	s.store.Change(func(tx *store.Tx) {
		if t := tx.Table(resource); t != nil && t.Find(id) == store.NoRow {
			return
		}
		values := maps.Clone(fields)
		s.follow(resource, values)
		s.dateHeartbeat(tx, resource, id, values)
		maps.Copy(values, fields)
		before := tx.Fields(resource, id)
		if _, err = tx.Update(resource, id, s.withSlug(tx, resource, id, values)); err == nil {
			err = s.settle(tx, resource, id, before, values)
		}
	})
	return err
}

// Delete removes a row with all rows that belong to it: a fleet with its
// releases and devices, a device with its tags.
func (s *Simulator) Delete(resource string, id int64) error {
	var found bool
	s.store.Change(func(tx *store.Tx) { found = tx.Delete(resource, id) })
	if !found {
		return fmt.Errorf("no %s with id %d", resource, id)
	}
	return nil
}

// Count returns the number of rows of a resource.
func (s *Simulator) Count(resource string) int {
	n := 0
	s.store.View(func() {
		if t := s.store.Table(resource); t != nil {
			n = t.Len()
		}
	})
	return n
}

// limits bound the time and memory of a request.
type limits struct {
	query time.Duration
	body  int
}

// The server limits a statement to 60 seconds. It has no limit on the size of a
// response; the simulator's is far above what fleets need.
var serverLimits = limits{query: 60 * time.Second, body: 256 << 20}

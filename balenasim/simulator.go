// Package balenasim is a simulated balena API, for tests, benchmarks, demos
// and fault injection without an account.
//
// A [Simulator] is an [http.Handler] over a database in memory. It answers the
// reads, writes, logs and errors of open-balena-api 49.0.12 as that server was
// measured to answer them, down to what it refuses:
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

// Simulator is a simulated balena API. Its methods may be used at any time
// from several goroutines.
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
	lastActor int64 // 0 until it is looked for; kept while the store is locked
}

// Option configures a Simulator.
type Option func(*Simulator)

// WithToken sets the API key of the user who sees all rows. It is "token"
// unless set.
func WithToken(token string) Option {
	return func(s *Simulator) {
		s.keys.keys = []apiKey{{credential: credential{kind: user}, key: token}}
	}
}

// WithNow sets the clock that dates what is written.
func WithNow(now func() time.Time) Option { return func(s *Simulator) { s.now = now } }

// WithClock has a clock that tests step date what is written.
func WithClock(c *Clock) Option { return WithNow(c.Now) }

// WithSeed makes chance repeat itself: of faults and of the lives of fleets.
func WithSeed(seed uint64) Option { return func(s *Simulator) { s.seed = seed } }

// WithRequestHook has every answered request told to f, as a request log does.
func WithRequestHook(f func(Request)) Option { return func(s *Simulator) { s.hook = f } }

// New makes a simulator without rows.
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

// Load adds the rows of a directory: one JSON file a resource, named after it,
// each an array of rows as GET /v7/<resource> answers them.
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

// Now is the simulator's time, which a scenario's life moves.
func (s *Simulator) Now() time.Time { return s.now() }

// Insert adds a row to a resource and returns its id. Fields are named as in
// v7 and references are ids. Fields not given are those of a new row on the
// server, such as a UUID and a heartbeat "unknown", or null.
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

// Update changes fields of a row, named as in v7, and whatever the server
// changes along with them: is_connected_to_vpn sets is_online and the dates of
// both, a heartbeat its date, belongs_to__application ends a pin and clears the
// device's images, app_name sets the slug. Fields that are given win.
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

// Delete removes a row and all rows that are part of it.
func (s *Simulator) Delete(resource string, id int64) error {
	var found bool
	s.store.Change(func(tx *store.Tx) { found = tx.Delete(resource, id) })
	if !found {
		return fmt.Errorf("no %s with id %d", resource, id)
	}
	return nil
}

// Count is the number of rows of a resource.
func (s *Simulator) Count(resource string) int {
	n := 0
	s.store.View(func() {
		if t := s.store.Table(resource); t != nil {
			n = t.Len()
		}
	})
	return n
}

// limits keep a request from taking all time or memory.
type limits struct {
	query  time.Duration
	answer int
}

// The server's database has 60 seconds for a statement. It has no limit to the
// size of an answer; the simulator has one, far above what fleets need.
var serverLimits = limits{query: 60 * time.Second, answer: 256 << 20}

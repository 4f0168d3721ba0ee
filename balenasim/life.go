package balenasim

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// life simulates the fleets of a scenario as a queue of events.
type life struct {
	mu    sync.Mutex
	sim   *Simulator
	sc    *Scenario
	clock *Clock
	start time.Time
	rand  *rand.Rand
	queue queue
	gen   *generator
	made  int // devices ever added

	fleets  map[int64]*fleet
	devices map[int64]*deviceLife
	ids     []int64 // of current devices, in no order
	faults  map[int]int
}

// Play generates the fleets of a scenario and starts simulating them. From then
// on the simulator has its own clock, which [Simulator.Step] and [Simulator.Run]
// advance. Call Play once, before the first request.
func (s *Simulator) Play(sc *Scenario) error {
	if err := sc.Validate(); err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	if s.life != nil {
		return fmt.Errorf("a scenario is already playing")
	}
	start := s.now()
	l := &life{
		sim: s, sc: sc, clock: NewClock(start), start: start, rand: rand.New(rand.NewPCG(s.seed, 2)),
		fleets: map[int64]*fleet{}, devices: map[int64]*deviceLife{}, faults: map[int]int{},
	}
	s.now = l.clock.Now
	var err error
	s.store.Change(func(tx *store.Tx) {
		err = l.populate(tx)
		s.lastActor = 0
		s.enroll(tx)
		if sc.TokenExpiresAfter > 0 {
			s.expireUserKeys(tx, start.Add(sc.TokenExpiresAfter))
		}
	})
	if err != nil {
		return err
	}
	l.updateFaults()
	s.life = l
	return nil
}

// Step advances the scenario by d at once.
func (s *Simulator) Step(d time.Duration) {
	if s.life != nil {
		s.life.step(d)
	}
}

// Run advances the scenario in real time, multiplied by speed, until the context
// is done.
func (s *Simulator) Run(ctx context.Context, speed float64) {
	const period = 250 * time.Millisecond
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			s.Step(time.Duration(float64(now.Sub(last)) * speed))
			last = now
		}
	}
}

// populate generates the rows and schedules the first events.
func (l *life) populate(tx *store.Tx) error {
	l.gen = &generator{tx: tx, sc: l.sc, rand: l.rand, now: l.clock.Now()}
	l.gen.createShared()
	l.gen.createFleets()
	if l.gen.err != nil {
		return l.gen.err
	}
	for _, f := range l.gen.fleets {
		l.fleets[f.id] = f
	}
	for n := range l.sc.Devices {
		if err := l.addDevice(tx, l.gen.fleets[n%len(l.gen.fleets)], true); err != nil {
			return err
		}
	}
	if r := l.sc.Rollout; r != nil {
		l.after(r.First, event{kind: rollOut})
	}
	for i, o := range l.sc.Outages {
		l.after(o.At, event{kind: outage, target: int64(i)})
	}
	for i, rate := range l.churnRates() {
		if rate > 0 {
			l.after(l.interval(time.Hour, rate), event{kind: churn, target: int64(i)})
		}
	}
	return nil
}

func (l *life) addDevice(tx *store.Tx, f *fleet, online bool) error {
	l.gen.tx, l.gen.now = tx, l.clock.Now()
	id := l.gen.device(f, l.made, online)
	if l.gen.err != nil {
		return l.gen.err
	}
	l.made++
	l.devices[id] = &deviceLife{
		fleet: f.id, position: int32(len(l.ids)), online: online,
		hot: l.rand.Float64() < l.sc.Life.Hot,
	}
	l.ids = append(l.ids, id)
	l.after(time.Duration(l.rand.Int64N(int64(l.sc.Life.ReportEvery))), event{kind: report, target: id})
	if online {
		l.planDrop(id)
	} else {
		l.after(time.Minute, event{kind: connect, target: id})
	}
	if rate := l.sc.Life.LogsPerHour; rate > 0 {
		l.after(l.interval(time.Hour, rate), event{kind: writeLog, target: id})
	}
	return nil
}

// after schedules an event.
func (l *life) after(d time.Duration, e event) {
	e.at = l.clock.Now().Add(d).UnixMilli()
	l.queue.plan(e)
}

// interval returns a random time until the next occurrence of something that
// happens, on average, rate times per period.
func (l *life) interval(period time.Duration, rate float64) time.Duration {
	d := l.rand.ExpFloat64() * float64(period) / rate
	return time.Duration(math.Min(d, float64(1000*time.Hour)))
}

// batch is the number of events that are processed before waiting requests.
const batch = 512

func (l *life) step(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.clock.Now().Add(d)
	for more := true; more; {
		l.sim.store.Change(func(tx *store.Tx) {
			for range batch {
				e, ok := l.queue.due(end.UnixMilli())
				if !ok {
					more = false
					return
				}
				l.clock.Step(max(0, time.UnixMilli(e.at).Sub(l.clock.Now())))
				l.process(tx, e)
			}
		})
	}
	l.clock.Step(max(0, end.Sub(l.clock.Now())))
	l.updateFaults()
}

// process applies an event. Events of deleted devices are ignored.
func (l *life) process(tx *store.Tx, e event) {
	switch e.kind {
	case rollOut:
		l.rollOut(tx)
		return
	case outage:
		l.outage(tx, int(e.target))
		return
	case churn:
		l.churn(tx, int(e.target))
		return
	}
	d, t := l.devices[e.target], tx.Table("device")
	r := t.Find(e.target)
	if d == nil || r == store.NoRow {
		l.forget(e.target)
		return
	}
	// A caller may have moved the device.
	if id, ok := t.Int(r, t.Resource.Index("belongs_to__application")); ok && l.fleets[id] != nil {
		d.fleet = id
	}
	switch e.kind {
	case report:
		l.report(tx, e.target, d)
	case drop:
		if d.online && uint32(e.arg) == d.changes {
			l.disconnect(tx, e.target, d, l.interval(l.sc.Life.OfflineFor, 1))
		}
	case connect:
		if !d.online {
			l.connect(tx, e.target, d)
		}
	case heartbeatTimeout:
		if !d.online && uint32(e.arg) == d.changes {
			l.heartbeat(tx, e.target, "timeout")
			l.after(15*time.Second, event{kind: heartbeatOffline, target: e.target, arg: e.arg})
		}
	case heartbeatOffline:
		if !d.online && uint32(e.arg) == d.changes {
			l.heartbeat(tx, e.target, "offline")
		}
	case writeLog:
		l.writeLog(tx, e.target, d)
	case startUpdate:
		l.startUpdate(tx, e.target, d, e.arg)
	case continueUpdate:
		l.continueUpdate(tx, e.target, d, e.arg)
	}
}

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

// life lets the fleets of a scenario live.
type life struct {
	mu    sync.Mutex
	sim   *Simulator
	sc    *Scenario
	clock *Clock
	start time.Time
	rand  *rand.Rand
	queue queue
	gen   *generator
	made  int // devices ever made

	fleets  map[int64]*fleet
	devices map[int64]*deviceLife
	ids     []int64 // of living devices, in no order
	faults  map[int]int
}

// deviceLife is what a device's life needs to know beyond its row.
type deviceLife struct {
	fleet    int64
	position int32 // in ids
	online   bool
	hot      bool
	spells   uint32 // connections so far: later ones outdate planned events
	updating int64  // the release that it downloads, 0 if none
	progress int64
}

// Play makes the fleets of a scenario and starts their lives. From then on the
// simulator has a clock of its own, which [Simulator.Step] and
// [Simulator.Run] move. Play is to be called once, before the first request.
func (s *Simulator) Play(sc *Scenario) error {
	if err := sc.Validate(); err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	if s.life != nil {
		return fmt.Errorf("a scenario is being played already")
	}
	start := s.now()
	l := &life{
		sim: s, sc: sc, clock: NewClock(start), start: start, rand: rand.New(rand.NewPCG(s.seed, 2)),
		fleets: map[int64]*fleet{}, devices: map[int64]*deviceLife{}, faults: map[int]int{},
	}
	s.now = l.clock.Now
	var err error
	s.store.Change(func(tx *store.Tx) { err = l.populate(tx) })
	if err != nil {
		return err
	}
	l.moveFaults()
	s.life = l
	return nil
}

// Step lets the fleets live on for a time, at once.
func (s *Simulator) Step(d time.Duration) {
	if s.life != nil {
		s.life.step(d)
	}
}

// Run lets the fleets live on as time goes by, or faster or slower than it,
// until the context ends.
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

// populate makes the rows and plans the first events.
func (l *life) populate(tx *store.Tx) error {
	l.gen = &generator{tx: tx, sc: l.sc, rand: l.rand, now: l.clock.Now()}
	l.gen.world()
	l.gen.makeFleets()
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
		l.after(time.Duration(r.First), event{kind: rollOut})
	}
	for i, o := range l.sc.Outages {
		l.after(time.Duration(o.At), event{kind: outage, target: int64(i)})
	}
	for i, rate := range l.churnRates() {
		if rate > 0 {
			l.after(l.chance(time.Hour, rate), event{kind: churn, target: int64(i)})
		}
	}
	return nil
}

func (l *life) churnRates() []float64 {
	return []float64{l.sc.Life.RenamesPerHour, l.sc.Life.MovesPerHour, l.sc.Life.DeletesPerHour, l.sc.Life.JoinsPerHour}
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
		l.after(l.chance(time.Hour, rate), event{kind: writeLog, target: id})
	}
	return nil
}

// after plans an event.
func (l *life) after(d time.Duration, e event) {
	e.at = l.clock.Now().Add(d).UnixMilli()
	l.queue.plan(e)
}

// chance is the time until something next happens that happens, on average,
// rate times in a period.
func (l *life) chance(period time.Duration, rate float64) time.Duration {
	d := l.rand.ExpFloat64() * float64(period) / rate
	return time.Duration(math.Min(d, float64(1000*time.Hour)))
}

func (l *life) planDrop(id int64) {
	if rate := l.sc.Life.DropsPerDay; rate > 0 {
		l.after(l.chance(24*time.Hour, rate), event{kind: drop, target: id, arg: int64(l.devices[id].spells)})
	}
}

// batch is how many events happen before requests get their turn.
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
				l.happen(tx, e)
			}
		})
	}
	l.clock.Step(max(0, end.Sub(l.clock.Now())))
	l.moveFaults()
}

// happen lets an event happen. Events of devices that are gone are void.
func (l *life) happen(tx *store.Tx, e event) {
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
	d := l.devices[e.target]
	if d == nil || tx.Table("device").Find(e.target) == store.NoRow {
		l.forget(e.target)
		return
	}
	switch e.kind {
	case report:
		l.report(tx, e.target, d)
	case drop:
		if d.online && uint32(e.arg) == d.spells {
			l.disconnect(tx, e.target, d, l.chance(time.Duration(l.sc.Life.OfflineFor), 1))
		}
	case connect:
		if !d.online {
			l.connect(tx, e.target, d)
		}
	case heartbeatTimeout:
		if !d.online && uint32(e.arg) == d.spells {
			l.heartbeat(tx, e.target, "timeout")
			l.after(15*time.Second, event{kind: heartbeatOffline, target: e.target, arg: e.arg})
		}
	case heartbeatOffline:
		if !d.online && uint32(e.arg) == d.spells {
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

func (l *life) forget(id int64) {
	d := l.devices[id]
	if d == nil {
		return
	}
	last := l.ids[len(l.ids)-1]
	l.ids[d.position] = last
	l.devices[last].position = d.position
	l.ids = l.ids[:len(l.ids)-1]
	delete(l.devices, id)
}

// update changes a device. The rows are the life's own, so an error is one of
// the program's; the device is then left as it was.
func (l *life) update(tx *store.Tx, id int64, fields map[string]any) {
	_, _ = tx.Update("device", id, fields)
}

// report is a device's report of its metrics.
func (l *life) report(tx *store.Tx, id int64, d *deviceLife) {
	l.after(time.Duration(l.sc.Life.ReportEvery), event{kind: report, target: id})
	if !d.online {
		return
	}
	t := tx.Table("device")
	r := t.Find(id)
	read := func(name string) int64 {
		v, _ := t.Int(r, t.Resource.Index(name))
		return v
	}
	walk := func(v, low, high, by int64) int64 { return max(low, min(high, v+l.rand.Int64N(2*by+1)-by)) }
	// Hot devices climb to 95 °C and cool down, in turns of ten minutes.
	low, high := int64(38), int64(62)
	if d.hot && l.clock.Now().Sub(l.start)/(10*time.Minute)%2 == 1 {
		low, high = 78, 95
	}
	total, disk := read("memory_total"), read("storage_total")
	growth := l.sc.Life.DiskGrowth * time.Duration(l.sc.Life.ReportEvery).Hours()
	used := read("storage_usage") + int64(growth)
	if l.rand.Float64() < growth-math.Floor(growth) {
		used++
	}
	l.update(tx, id, map[string]any{
		"cpu_usage":     walk(read("cpu_usage"), 1, 99, 12),
		"cpu_temp":      walk(read("cpu_temp"), low, high, 3),
		"memory_usage":  walk(read("memory_usage"), total/10, total*9/10, 1+total/50),
		"storage_usage": min(disk, used),
	})
}

// disconnect takes a device off the VPN. Its heartbeat follows later.
func (l *life) disconnect(tx *store.Tx, id int64, d *deviceLife, back time.Duration) {
	now := l.clock.Now()
	d.online = false
	d.spells++
	l.update(tx, id, map[string]any{
		"is_connected_to_vpn": false, "is_online": false, "last_vpn_event": now, "last_connectivity_event": now,
		"is_managed_by__service_instance": nil,
	})
	l.after(time.Duration(l.sc.Life.HeartbeatAfter), event{kind: heartbeatTimeout, target: id, arg: int64(d.spells)})
	l.after(back, event{kind: connect, target: id})
}

func (l *life) connect(tx *store.Tx, id int64, d *deviceLife) {
	now := l.clock.Now()
	d.online = true
	d.spells++
	fields := map[string]any{
		"is_connected_to_vpn": true, "is_online": true, "last_vpn_event": now, "last_connectivity_event": now,
		"is_managed_by__service_instance": int64(1),
	}
	t := tx.Table("device")
	r := t.Find(id)
	if total, ok := t.Int(r, t.Resource.Index("memory_total")); !ok || total == 0 {
		// The first connection of a new device.
		for k, v := range map[string]any{
			"status": "Idle", "provisioning_state": "", "memory_total": int64(3790), "memory_usage": int64(900),
			"storage_total": int64(28431), "storage_usage": int64(2500), "cpu_usage": int64(10), "cpu_temp": int64(45),
			"storage_block_device": "/dev/mmcblk0p6",
		} {
			fields[k] = v
		}
	}
	l.update(tx, id, fields)
	l.heartbeat(tx, id, "online")
	l.planDrop(id)
	// A device that missed a release while it was away gets it now.
	if f := l.fleets[d.fleet]; f != nil && d.updating == 0 {
		l.after(10*time.Second, event{kind: startUpdate, target: id, arg: f.latest()})
	}
}

func (l *life) heartbeat(tx *store.Tx, id int64, state string) {
	t := tx.Table("device")
	if was, _ := t.Text(t.Find(id), t.Resource.Index("api_heartbeat_state")); was == state {
		return
	}
	l.update(tx, id, map[string]any{
		"api_heartbeat_state": state, "changed_api_heartbeat_state_on__date": l.clock.Now(),
	})
}

var logMessages = []string{"GET /healthz 200", "sensor read in 12 ms", "connected to broker", "queue is empty",
	"retrying upload", "cache miss", "frame dropped", "configuration reloaded"}

func (l *life) writeLog(tx *store.Tx, id int64, d *deviceLife) {
	l.after(l.chance(time.Hour, l.sc.Life.LogsPerHour), event{kind: writeLog, target: id})
	f := l.fleets[d.fleet]
	if !d.online || f == nil {
		return
	}
	l.sim.appendLogs(id, []LogLine{{
		Message:   logMessages[l.rand.IntN(len(logMessages))],
		ServiceID: f.services[l.rand.IntN(len(f.services))],
		IsStdErr:  l.rand.IntN(10) == 0,
	}})
}

// outage disconnects a share of the devices of some fleets together.
func (l *life) outage(tx *store.Tx, n int) {
	o := l.sc.Outages[n]
	if o.Every > 0 {
		l.after(time.Duration(o.Every), event{kind: outage, target: int64(n)})
	}
	hit := map[int64]bool{}
	for _, i := range o.Fleets {
		hit[l.gen.fleets[i-1].id] = true
	}
	for _, id := range l.ids {
		d := l.devices[id]
		if d.online && (len(hit) == 0 || hit[d.fleet]) && l.rand.Float64() < o.Share && tx.Table("device").Find(id) != store.NoRow {
			// They come back within a minute of the end.
			l.disconnect(tx, id, d, time.Duration(o.For)+time.Duration(l.rand.Int64N(int64(time.Minute))))
		}
	}
}

// churn renames, moves, deletes or adds a device.
func (l *life) churn(tx *store.Tx, what int) {
	l.after(l.chance(time.Hour, l.churnRates()[what]), event{kind: churn, target: int64(what)})
	if what == 3 {
		f := l.gen.fleets[l.rand.IntN(len(l.gen.fleets))]
		_ = l.addDevice(tx, f, false)
		return
	}
	if len(l.ids) == 0 {
		return
	}
	id := l.ids[l.rand.IntN(len(l.ids))]
	switch what {
	case 0:
		l.update(tx, id, map[string]any{"device_name": fmt.Sprintf("renamed-%s", l.gen.hex(3))})
	case 1:
		l.move(tx, id)
	case 2:
		tx.Delete("device", id)
		l.forget(id)
	}
}

// move gives a device to another fleet, whose release it then gets.
func (l *life) move(tx *store.Tx, id int64) {
	d := l.devices[id]
	f := l.gen.fleets[l.rand.IntN(len(l.gen.fleets))]
	if f.id == d.fleet {
		return
	}
	d.fleet, d.updating = f.id, 0
	l.update(tx, id, map[string]any{"belongs_to__application": f.id, "is_pinned_on__release": nil})
	t := tx.Table("service_install")
	for _, r := range append([]store.Row(nil), t.Referring(t.Resource.Index("device"), id)...) {
		tx.Delete("service_install", t.ID(r))
	}
	for _, service := range f.services {
		_, _ = tx.Insert("service_install", map[string]any{"device": id, "installs__service": service})
	}
	l.after(10*time.Second, event{kind: startUpdate, target: id, arg: f.latest()})
}

// moveFaults adds the faults whose time has come and removes those whose time
// is over.
func (l *life) moveFaults() {
	since := l.clock.Now().Sub(l.start)
	for i, f := range l.sc.Faults {
		begun := since >= time.Duration(f.At)
		over := f.For > 0 && since >= time.Duration(f.At)+time.Duration(f.For)
		id, active := l.faults[i]
		switch {
		case begun && !over && !active:
			if n, err := l.sim.Inject(f.Fault); err == nil {
				l.faults[i] = n
			}
		case over && active:
			l.sim.RemoveFault(id)
		}
	}
}

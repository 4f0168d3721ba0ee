package balenasim

import (
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// outage disconnects a fraction of the devices of some fleets at once.
func (l *life) outage(tx *store.Tx, n int) {
	o := l.sc.Outages[n]
	if o.Every > 0 {
		l.after(o.Every, event{kind: outage, target: int64(n)})
	}
	hit := map[int64]bool{}
	for _, i := range o.Fleets {
		hit[l.gen.fleets[i-1].id] = true
	}
	for _, id := range l.ids {
		d := l.devices[id]
		if d.online && (len(hit) == 0 || hit[d.fleet]) && l.rand.Float64() < o.Share && tx.Table("device").Find(id) != store.NoRow {
			// They reconnect within a minute of the end.
			l.disconnect(tx, id, d, o.For+time.Duration(l.rand.Int64N(int64(time.Minute))))
		}
	}
}

// updateFaults starts and ends faults according to their schedule.
func (l *life) updateFaults() {
	since := l.clock.Now().Sub(l.start)
	for i, f := range l.sc.Faults {
		begun := since >= f.At
		over := f.For > 0 && since >= f.At+f.For
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

package balenasim

import (
	"fmt"
	"slices"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

func (l *life) churnRates() []float64 {
	return []float64{l.sc.Life.RenamesPerHour, l.sc.Life.MovesPerHour, l.sc.Life.DeletesPerHour, l.sc.Life.JoinsPerHour}
}

// churn renames, moves, deletes or adds a device.
func (l *life) churn(tx *store.Tx, what int) {
	l.after(l.interval(time.Hour, l.churnRates()[what]), event{kind: churn, target: int64(what)})
	if what == 3 {
		if f := l.anyFleet(tx); f != nil {
			_ = l.addDevice(tx, f, false)
		}
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

// move moves a device to another fleet, whose release it then downloads.
func (l *life) move(tx *store.Tx, id int64) {
	d := l.devices[id]
	f := l.anyFleet(tx)
	if f == nil || f.id == d.fleet {
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

// anyFleet returns a random fleet, nil if there is none.
func (l *life) anyFleet(tx *store.Tx) *fleet {
	fleets := l.remainingFleets(tx)
	if len(fleets) == 0 {
		return nil
	}
	return fleets[l.rand.IntN(len(fleets))]
}

// remainingFleets returns the fleets that no caller has deleted.
func (l *life) remainingFleets(tx *store.Tx) []*fleet {
	t := tx.Table("application")
	return slices.DeleteFunc(slices.Clone(l.gen.fleets), func(f *fleet) bool { return t.Find(f.id) == store.NoRow })
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

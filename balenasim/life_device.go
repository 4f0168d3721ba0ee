package balenasim

import (
	"math"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// deviceLife is the state of a simulated device beyond its row.
type deviceLife struct {
	fleet    int64
	position int32 // index in life.ids
	online   bool
	hot      bool
	changes  uint32 // changes of connectivity so far; they invalidate older events
	updating int64  // release being downloaded, 0 if none
	progress int64
}

func (l *life) planDrop(id int64) {
	if rate := l.sc.Life.DropsPerDay; rate > 0 {
		l.after(l.interval(24*time.Hour, rate), event{kind: drop, target: id, arg: int64(l.devices[id].changes)})
	}
}

// update changes a device. The fields are valid, so errors cannot occur.
func (l *life) update(tx *store.Tx, id int64, fields map[string]any) {
	_, _ = tx.Update("device", id, fields)
}

// report updates the metrics of a device.
func (l *life) report(tx *store.Tx, id int64, d *deviceLife) {
	l.after(l.sc.Life.ReportEvery, event{kind: report, target: id})
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
	// Hot devices alternate between climbing to 95 °C and cooling down, ten
	// minutes each.
	low, high := int64(38), int64(62)
	if d.hot && l.clock.Now().Sub(l.start)/(10*time.Minute)%2 == 1 {
		low, high = 78, 95
	}
	total, disk := read("memory_total"), read("storage_total")
	growth := l.sc.Life.DiskGrowth * l.sc.Life.ReportEvery.Hours()
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

// disconnect disconnects a device from the VPN. Its heartbeat times out later.
func (l *life) disconnect(tx *store.Tx, id int64, d *deviceLife, back time.Duration) {
	now := l.clock.Now()
	d.online = false
	d.changes++
	l.update(tx, id, map[string]any{
		"is_connected_to_vpn": false, "is_online": false, "last_vpn_event": now, "last_connectivity_event": now,
		"is_managed_by__service_instance": nil,
	})
	l.after(l.sc.Life.HeartbeatAfter, event{kind: heartbeatTimeout, target: id, arg: int64(d.changes)})
	l.after(back, event{kind: connect, target: id})
}

func (l *life) connect(tx *store.Tx, id int64, d *deviceLife) {
	now := l.clock.Now()
	d.online = true
	d.changes++
	fields := map[string]any{
		"is_connected_to_vpn": true, "is_online": true, "last_vpn_event": now, "last_connectivity_event": now,
		"is_managed_by__service_instance": int64(1),
	}
	t := tx.Table("device")
	r := t.Find(id)
	if total, ok := t.Int(r, t.Resource.Index("memory_total")); !ok || total == 0 {
		// First connection of a new device.
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
	// Catch up on a release that was missed while offline.
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
	l.after(l.interval(time.Hour, l.sc.Life.LogsPerHour), event{kind: writeLog, target: id})
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

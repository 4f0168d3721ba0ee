package balenasim

import (
	"slices"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// rollOut adds a release to every fleet, which its devices then download over a
// while.
func (l *life) rollOut(tx *store.Tx) {
	r := l.sc.Rollout
	l.after(r.Every, event{kind: rollOut})
	l.gen.tx, l.gen.now = tx, l.clock.Now()
	for _, f := range l.remainingFleets(tx) {
		l.gen.release(f, l.clock.Now())
		l.gen.target(f)
	}
	for _, id := range l.ids {
		f := l.fleets[l.devices[id].fleet]
		wait := time.Duration(l.rand.Int64N(int64(r.Spread) + 1))
		l.after(wait, event{kind: startUpdate, target: id, arg: f.latest()})
	}
}

// startUpdate starts the download of the latest or the pinned release, unless
// the device is offline, updating, or already runs it.
func (l *life) startUpdate(tx *store.Tx, id int64, d *deviceLife, release int64) {
	f := l.fleets[d.fleet]
	t := tx.Table("device")
	r := t.Find(id)
	running, _ := t.Int(r, t.Resource.Index("is_running__release"))
	if pin, ok := t.Int(r, t.Resource.Index("is_pinned_on__release")); ok {
		release = pin
	} else if release != f.latest() {
		return
	}
	images := f.images[release]
	if !d.online || d.updating != 0 || running == release || len(images) == 0 {
		return
	}
	d.updating, d.progress = release, 0
	for _, image := range images {
		_, _ = tx.Insert("image_install", map[string]any{
			"device": id, "installs__image": image, "is_provided_by__release": release,
			"install_date": l.clock.Now(), "status": "Downloading", "download_progress": int64(0),
		})
	}
	l.updateStatus(tx, id, "downloading", nil)
	l.after(l.downloadStep(), event{kind: continueUpdate, target: id, arg: release})
}

// downloadSteps is the number of progress reports per download.
const downloadSteps = 5

func (l *life) downloadStep() time.Duration {
	download := time.Minute
	if r := l.sc.Rollout; r != nil {
		download = r.Download
	}
	return download / downloadSteps
}

// continueUpdate advances an update: downloading, applying changes, done.
func (l *life) continueUpdate(tx *store.Tx, id int64, d *deviceLife, release int64) {
	if d.updating != release {
		return
	}
	if !d.online {
		// The download resumes when the device is back online.
		l.after(30*time.Second, event{kind: continueUpdate, target: id, arg: release})
		return
	}
	d.progress += 100 / downloadSteps
	switch {
	case d.progress < 100:
		l.eachInstall(tx, id, func(install, of int64) {
			if of == release {
				_, _ = tx.Update("image_install", install, map[string]any{"download_progress": d.progress})
			}
		})
	case d.progress == 100:
		if r := l.sc.Rollout; r != nil && l.rand.Float64() < r.Failing {
			l.reject(tx, id, d, release)
			return
		}
		l.eachInstall(tx, id, func(install, of int64) {
			if of == release {
				_, _ = tx.Update("image_install", install, map[string]any{"download_progress": nil, "status": "Downloaded"})
			}
		})
		l.updateStatus(tx, id, "applying changes", nil)
	default:
		l.finish(tx, id, d, release)
		return
	}
	l.after(l.downloadStep(), event{kind: continueUpdate, target: id, arg: release})
}

// reject abandons an update.
func (l *life) reject(tx *store.Tx, id int64, d *deviceLife, release int64) {
	d.updating = 0
	l.eachInstall(tx, id, func(install, of int64) {
		if of == release {
			tx.Delete("image_install", install)
		}
	})
	l.updateStatus(tx, id, "rejected", nil)
}

// finish completes an update. As on the server, images of the previous release
// remain as deleted ones. Older ones are removed so that they do not accumulate.
func (l *life) finish(tx *store.Tx, id int64, d *deviceLife, release int64) {
	d.updating = 0
	l.eachInstall(tx, id, func(install, of int64) {
		t := tx.Table("image_install")
		status, _ := t.Text(t.Find(install), t.Resource.Index("status"))
		switch {
		case of == release:
			_, _ = tx.Update("image_install", install, map[string]any{"status": "Running"})
		case status == "deleted":
			tx.Delete("image_install", install)
		default:
			_, _ = tx.Update("image_install", install, map[string]any{"status": "deleted", "download_progress": nil})
		}
	})
	l.updateStatus(tx, id, "done", map[string]any{"is_running__release": release})
	if latest := l.fleets[d.fleet].latest(); latest != release {
		l.after(10*time.Second, event{kind: startUpdate, target: id, arg: latest})
	}
}

func (l *life) updateStatus(tx *store.Tx, id int64, status string, more map[string]any) {
	fields := map[string]any{"update_status": status, "last_update_status_event": l.clock.Now()}
	for k, v := range more {
		fields[k] = v
	}
	l.update(tx, id, fields)
}

// eachInstall calls visit for the image installs of a device.
func (l *life) eachInstall(tx *store.Tx, device int64, visit func(install, release int64)) {
	t := tx.Table("image_install")
	release := t.Resource.Index("is_provided_by__release")
	for _, r := range slices.Clone(t.Referring(t.Resource.Index("device"), device)) {
		of, _ := t.Int(r, release)
		visit(t.ID(r), of)
	}
}

package query

import (
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// computed compiles the read of a computed field. A value that was loaded with
// the row is valid until the row changes.
func computed(db *store.Store, resource, field string, version schema.Version) func(store.Row) store.Value {
	t := db.Table(resource)
	var compute func(store.Row) store.Value
	switch resource + "." + field {
	case "device.overall_status":
		d := newDeviceFields(db)
		if version == schema.V6 {
			// v6 has other statuses; the loaded one is that of v7.
			return d.statusV6
		}
		compute = d.status
	case "device.overall_progress":
		compute = newDeviceFields(db).progress
	case "device.should_be_running__release":
		compute = newDeviceFields(db).target
	case "release.is_final":
		revision := t.Resource.Index("revision")
		compute = func(r store.Row) store.Value {
			_, ok := t.Int(r, revision)
			return store.BoolValue(ok)
		}
	case "release.release_type":
		revision := t.Resource.Index("revision")
		return func(r store.Row) store.Value {
			if _, ok := t.Int(r, revision); ok {
				return store.TextValue("final")
			}
			return store.TextValue("draft")
		}
	case "release.semver":
		compute = newReleaseFields(t).semver
	case "release.raw_version":
		compute = newReleaseFields(t).rawVersion
	case "release.version":
		compute = newReleaseFields(t).version
	default:
		// Fields that v6 only keeps for old clients are always null.
		return func(store.Row) store.Value { return store.Value{} }
	}
	i := t.Resource.Index(field)
	return func(r store.Row) store.Value {
		if v, ok := t.Given(r, i); ok {
			return v
		}
		return compute(r)
	}
}

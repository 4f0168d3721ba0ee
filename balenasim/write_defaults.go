package balenasim

import (
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// defaults adds the fields that the server sets on insert.
func (s *Simulator) defaults(tx *store.Tx, resource string, values map[string]any) {
	fill := func(name string, v any) {
		if isNull(values[name]) {
			values[name] = v
		}
	}
	switch resource {
	case "device":
		fill("uuid", randomHex(16))
		fill("device_name", "wild-"+randomHex(3))
		fill("api_heartbeat_state", "unknown")
		fill("actor", s.nextActor(tx))
		for _, name := range []string{"is_online", "is_connected_to_vpn", "is_web_accessible", "is_undervolted"} {
			fill(name, false)
		}
	case "application":
		fill("uuid", randomHex(16))
		fill("actor", s.nextActor(tx))
		fill("is_of__class", "fleet")
		fill("should_track_latest_release", true)
		for _, name := range []string{"is_host", "is_archived", "is_public"} {
			fill(name, false)
		}
		if slug, ok := s.slug(tx, values); ok {
			fill("slug", slug)
		}
		if t := tx.Table("application_type"); t.Len() > 0 {
			fill("application_type", t.ID(t.Rows()[0]))
		}
	}
}

// slug returns the slug of a fleet: the handle of its organization and its name.
func (s *Simulator) slug(tx *store.Tx, values map[string]any) (string, bool) {
	org, err := store.Convert(schema.Ref, values["organization"])
	name, err2 := store.Convert(schema.Text, values["app_name"])
	t := tx.Table("organization")
	if err != nil || err2 != nil || org.Kind == store.Null {
		return "", false
	}
	r := t.Find(org.I)
	if r == store.NoRow {
		return "", false
	}
	handle, _ := t.Text(r, t.Resource.Index("handle"))
	return strings.ToLower(handle + "/" + name.S), true
}

// nextActor returns an unused actor id.
func (s *Simulator) nextActor(tx *store.Tx) int64 {
	if s.lastActor == 0 {
		for _, name := range []string{"user", "device", "application"} {
			t := tx.Table(name)
			field := t.Resource.Index("actor")
			for _, r := range t.Rows() {
				if id, ok := t.Int(r, field); ok {
					s.lastActor = max(s.lastActor, id)
				}
			}
		}
	}
	s.lastActor++
	return s.lastActor
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return hex.EncodeToString(b)
}

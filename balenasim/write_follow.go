package balenasim

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// The side effects of updates, after the hooks in open-balena-api's
// src/features/devices, applications and ci-cd.

// follow adds fields to the update of a device: the time of a connectivity event
// and, when it moves to another fleet, the removal of its pin.
func (s *Simulator) follow(resource string, values map[string]any) {
	if resource != "device" {
		return
	}
	now := s.now()
	if v, ok := values["is_connected_to_vpn"]; ok && !isNull(v) {
		values["is_online"], values["last_vpn_event"] = v, now
	}
	if v, ok := values["is_online"]; ok && !isNull(v) {
		values["last_connectivity_event"] = now
	}
	if _, pinned := values["is_pinned_on__release"]; !pinned {
		if v, moved := values["belongs_to__application"]; moved && !isNull(v) {
			values["is_pinned_on__release"] = json.RawMessage("null")
		}
	}
}

// dateHeartbeat adds the time of a heartbeat change. Only Update needs it: no API
// call changes the heartbeat state.
func (s *Simulator) dateHeartbeat(tx *store.Tx, resource string, id int64, values map[string]any) {
	state, ok := values["api_heartbeat_state"]
	if resource != "device" || !ok {
		return
	}
	t := tx.Table(resource)
	if was, _ := t.Text(t.Find(id), t.Resource.Index("api_heartbeat_state")); state != was {
		values["changed_api_heartbeat_state_on__date"] = s.now()
	}
}

// withSlug adds the new slug to an update of the name or organization of a
// fleet.
func (s *Simulator) withSlug(tx *store.Tx, resource string, id int64, values map[string]any) map[string]any {
	if resource != "application" {
		return values
	}
	_, named := values["app_name"]
	_, moved := values["organization"]
	if _, given := values["slug"]; given || !named && !moved {
		return values
	}
	row := map[string]any{}
	maps.Copy(row, tx.Fields(resource, id))
	maps.Copy(row, values)
	slug, ok := s.slug(tx, row)
	if !ok {
		return values
	}
	values = maps.Clone(values)
	values["slug"] = slug
	return values
}

// settle updates the rows that depend on an updated row; before holds its former
// fields.
func (s *Simulator) settle(tx *store.Tx, resource string, id int64, before, values map[string]any) error {
	t := tx.Table(resource)
	reference := func(name string) int64 { return t.Value(t.Find(id), t.Resource.Index(name)).I }
	switch resource {
	case "device":
		was, fleet := before["belongs_to__application"].(store.Value).I, reference("belongs_to__application")
		if fleet != was {
			leaveFleet(tx, id, was)
		}
		_, pinned := values["is_pinned_on__release"]
		if release := reference("is_pinned_on__release"); pinned && release != 0 {
			return installServices(tx, id, release)
		}
		if pinned || fleet != was {
			return installServices(tx, id, targetOf(tx, fleet))
		}
	case "application":
		release := reference("should_be_running__release")
		if release != before["should_be_running__release"].(store.Value).I {
			return installOnFleet(tx, id, release)
		}
	}
	return nil
}

// leaveFleet removes the service installs of a device for the fleet that it
// leaves and marks its images as deleted.
func leaveFleet(tx *store.Tx, device, fleet int64) {
	services := tx.Table("service")
	for _, id := range referring(tx, "service_install", "device", device) {
		t := tx.Table("service_install")
		of, _ := t.Int(t.Find(id), t.Resource.Index("installs__service"))
		r := services.Find(of)
		if r == store.NoRow {
			continue
		}
		if app, _ := services.Int(r, services.Resource.Index("application")); app == fleet {
			tx.Delete("service_install", id)
		}
	}
	for _, id := range referring(tx, "image_install", "device", device) {
		// The row exists and the values have the right types.
		_, _ = tx.Update("image_install", id, map[string]any{"status": "deleted", "download_progress": nil})
	}
}

func targetOf(tx *store.Tx, fleet int64) int64 {
	t := tx.Table("application")
	if r := t.Find(fleet); r != store.NoRow {
		release, _ := t.Int(r, t.Resource.Index("should_be_running__release"))
		return release
	}
	return 0
}

// installOnFleet installs the services of a release on the unpinned devices of a
// fleet.
func installOnFleet(tx *store.Tx, fleet, release int64) error {
	t := tx.Table("device")
	pin := t.Resource.Index("is_pinned_on__release")
	for _, id := range referring(tx, "device", "belongs_to__application", fleet) {
		if _, pinned := t.Int(t.Find(id), pin); pinned {
			continue
		}
		if err := installServices(tx, id, release); err != nil {
			return err
		}
	}
	return nil
}

// installServices adds the missing service installs of a device for a release.
func installServices(tx *store.Tx, device, release int64) error {
	releaseImages, images, installs := tx.Table("release_image"), tx.Table("image"), tx.Table("service_install")
	image, service := releaseImages.Resource.Index("image"), images.Resource.Index("is_a_build_of__service")
	for _, id := range referring(tx, "release_image", "is_part_of__release", release) {
		of, _ := releaseImages.Int(releaseImages.Find(id), image)
		r := images.Find(of)
		if r == store.NoRow {
			continue
		}
		needed, _ := images.Int(r, service)
		installed := slices.ContainsFunc(installs.Referring(installs.Resource.Index("device"), device), func(r store.Row) bool {
			n, _ := installs.Int(r, installs.Resource.Index("installs__service"))
			return n == needed
		})
		if installed {
			continue
		}
		if _, err := tx.Insert("service_install", map[string]any{"device": device, "installs__service": needed}); err != nil {
			return err
		}
	}
	return nil
}

// referring returns the ids of the rows whose reference is id.
func referring(tx *store.Tx, resource, field string, id int64) []int64 {
	t := tx.Table(resource)
	var ids []int64
	for _, r := range t.Referring(schema.Lookup(resource).Index(field), id) {
		ids = append(ids, t.ID(r))
	}
	return ids
}

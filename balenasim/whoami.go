package balenasim

import (
	"encoding/json"
	"net/http"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// actor is the response of /actor/v1/whoami, the only reliable check of a key.
type actor struct {
	ID          int64   `json:"id"`
	ActorType   string  `json:"actorType"`
	ActorTypeID int64   `json:"actorTypeId"`
	Username    *string `json:"username,omitempty"`
	Email       *string `json:"email,omitempty"`
	UUID        string  `json:"uuid,omitempty"`
}

// userInfo is the response of /user/v1/whoami.
type userInfo struct {
	ID       int64   `json:"id"`
	Username string  `json:"username"`
	Email    *string `json:"email"`
}

func (s *Simulator) actorWhoami(w *recorder, r *http.Request, c credential) {
	var a *actor
	s.store.View(func() {
		id, ok := s.actorOf(c)
		if !ok {
			return
		}
		switch c.kind {
		case user:
			u, _ := s.userInfo()
			a = &actor{ID: id, ActorType: "user", ActorTypeID: u.ID, Username: &u.Username, Email: u.Email}
		case deviceKey:
			device := s.store.Table("device").ID(s.deviceRow(c.device))
			a = &actor{ID: id, ActorType: "device", ActorTypeID: device, UUID: c.device}
		}
	})
	if a == nil {
		writeEmpty(w, http.StatusUnauthorized)
		return
	}
	writeValue(w, r, a)
}

func (s *Simulator) userWhoami(w *recorder, r *http.Request, c credential) {
	if c.kind != user {
		writeEmpty(w, http.StatusUnauthorized)
		return
	}
	var u userInfo
	s.store.View(func() { u, _ = s.userInfo() })
	writeValue(w, r, u)
}

// actorOf returns the actor of a caller; guests have none. The store must be
// locked.
func (s *Simulator) actorOf(c credential) (int64, bool) {
	switch c.kind {
	case user:
		_, id := s.userInfo()
		return id, true
	case deviceKey:
		t := s.store.Table("device")
		if d := s.deviceRow(c.device); d != store.NoRow {
			id, _ := t.Int(d, t.Resource.Index("actor"))
			return id, true
		}
	}
	return 0, false
}

// deviceRow returns the row of the device with a full UUID. The store must be
// locked.
func (s *Simulator) deviceRow(uuid string) store.Row {
	t := s.store.Table("device")
	return t.FindUnique(t.Resource.Index("uuid"), uuid)
}

// userInfo returns the user that the keys belong to, the first one that is not
// the server's guest, and its actor.
func (s *Simulator) userInfo() (userInfo, int64) {
	t := s.store.Table("user")
	for _, r := range t.Rows() {
		name, _ := t.Text(r, t.Resource.Index("username"))
		if name == "guest" {
			continue
		}
		u := userInfo{ID: t.ID(r), Username: name}
		if mail, ok := t.Text(r, t.Resource.Index("email")); ok {
			u.Email = &mail
		}
		id, _ := t.Int(r, t.Resource.Index("actor"))
		return u, id
	}
	mail := "admin@balena.example"
	return userInfo{ID: 2, Username: "admin", Email: &mail}, 2
}

func writeValue(w *recorder, r *http.Request, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		writeEmpty(w, http.StatusInternalServerError)
		return
	}
	writeJSON(w, r, http.StatusOK, b)
}

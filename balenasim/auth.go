package balenasim

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/query"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// credential is who asks. A caller without a valid key is a guest: the server
// does not refuse one, it shows the public rows.
type credential struct {
	kind   credentialKind
	device string // UUID of the device of a device key
	expiry time.Time
}

type credentialKind uint8

const (
	guest credentialKind = iota
	user
	deviceKey
)

type keyring struct {
	mu   sync.RWMutex
	keys map[string]credential
}

// AddUserKey adds an API key of the user, valid until the expiry or, if that
// is zero, for ever.
func (s *Simulator) AddUserKey(key string, expiry time.Time) {
	s.keys.add(key, credential{kind: user, expiry: expiry})
}

// AddDeviceKey adds the API key of a device.
func (s *Simulator) AddDeviceKey(key, uuid string) {
	s.keys.add(key, credential{kind: deviceKey, device: uuid})
}

// RevokeKey removes an API key. As on the server, it fails at once.
func (s *Simulator) RevokeKey(key string) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	delete(s.keys.keys, key)
}

func (k *keyring) add(key string, c credential) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil {
		k.keys = map[string]credential{}
	}
	k.keys[key] = c
}

// find looks a key up; a key that is unknown or has expired is a guest's.
func (k *keyring) find(key string, now time.Time) credential {
	k.mu.RLock()
	defer k.mu.RUnlock()
	c, ok := k.keys[key]
	if !ok || !c.expiry.IsZero() && now.After(c.expiry) {
		return credential{}
	}
	return c
}

// authenticate finds out who asks. It is false if the server would fail on the
// request, which it does on a bad key in the query.
func (s *Simulator) authenticate(r *http.Request) (credential, bool) {
	_, options, _ := strings.Cut(target(r), "?")
	for option := range strings.SplitSeq(options, "&") {
		if key, ok := strings.CutPrefix(option, "apikey="); ok {
			c := s.keys.find(key, s.now())
			return c, c.kind != guest
		}
	}
	scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return credential{}, true
	}
	return s.keys.find(key, s.now()), true
}

// The references that lead from a resource to the fleet or to the device that
// its rows belong to.
var (
	toFleet = map[string][]string{
		"application":                      {},
		"release":                          {"belongs_to__application"},
		"service":                          {"application"},
		"image":                            {"is_a_build_of__service", "application"},
		"application_tag":                  {"application"},
		"application_environment_variable": {"application"},
		"application_config_variable":      {"application"},
		"release_tag":                      {"release", "belongs_to__application"},
		"release_image":                    {"is_part_of__release", "belongs_to__application"},
		"release_asset":                    {"release", "belongs_to__application"},
		"service_environment_variable":     {"service", "application"},
		"service_label":                    {"service", "application"},
		"image_label":                      {"release_image", "is_part_of__release", "belongs_to__application"},
	}
	toDevice = map[string][]string{
		"device":                              {},
		"device_tag":                          {"device"},
		"device_config_variable":              {"device"},
		"device_environment_variable":         {"device"},
		"image_install":                       {"device"},
		"service_install":                     {"device"},
		"device_service_environment_variable": {"service_install", "device"},
	}
	// Guests read these resources, of fleets the public ones.
	forGuests = map[string]bool{
		"cpu_architecture": true, "device_type": true, "device_family": true,
		"application": true, "release": true, "service": true, "image": true,
		"application_tag": true, "release_tag": true, "release_image": true, "release_asset": true,
	}
)

const directAccess = "user__has_direct_access_to__application"

// access is what a credential may read, after the permissions in
// open-balena-api's src/lib/auth.ts and config.ts. A nil Access is everything.
func (s *Simulator) access(c credential) query.Access {
	switch c.kind {
	case user:
		return nil
	case deviceKey:
		return s.deviceAccess(c.device)
	}
	public := s.publicFleet()
	return func(resource string) (func(store.Row) bool, bool) {
		if resource == directAccess {
			return nobody, true
		}
		if !forGuests[resource] {
			return nil, false
		}
		if path, ok := toFleet[resource]; ok {
			return s.through(resource, path, public), true
		}
		return nil, true
	}
}

// deviceAccess is what a device's own key may read: the device, its fleet and
// what belongs to them.
func (s *Simulator) deviceAccess(uuid string) query.Access {
	devices, fleets := s.store.Table("device"), s.store.Table("application")
	self := devices.FindUnique(devices.Resource.Index("uuid"), uuid)
	if self == store.NoRow {
		return s.access(credential{})
	}
	fleet, hasFleet := devices.Int(self, devices.Resource.Index("belongs_to__application"))
	deviceType, _ := devices.Int(self, devices.Resource.Index("is_of__device_type"))
	public := s.publicFleet()
	fleetType := fleets.Resource.Index("is_for__device_type")
	ownFleet := func(r store.Row) bool {
		if hasFleet && fleets.ID(r) == fleet {
			return true
		}
		t, _ := fleets.Int(r, fleetType)
		return public(r) && t == deviceType
	}
	own := func(r store.Row) bool { return r == self }
	return func(resource string) (func(store.Row) bool, bool) {
		if path, ok := toDevice[resource]; ok {
			return s.through(resource, path, own), true
		}
		if path, ok := toFleet[resource]; ok {
			return s.through(resource, path, ownFleet), true
		}
		if resource == directAccess {
			return nobody, true
		}
		return nil, forGuests[resource]
	}
}

func nobody(store.Row) bool { return false }

func (s *Simulator) publicFleet() func(store.Row) bool {
	fleets := s.store.Table("application")
	public := fleets.Resource.Index("is_public")
	return func(r store.Row) bool {
		v, ok := fleets.Int(r, public)
		return ok && v == 1
	}
}

// through tests the row that a path of references leads to.
func (s *Simulator) through(resource string, path []string, test func(store.Row) bool) func(store.Row) bool {
	type step struct {
		from, to *store.Table
		field    int
	}
	steps := make([]step, len(path))
	at := schema.Lookup(resource)
	for i, name := range path {
		field := at.Index(name)
		next := at.Fields[field].To
		steps[i] = step{s.store.Table(at.Name), s.store.Table(next), field}
		at = schema.Lookup(next)
	}
	return func(r store.Row) bool {
		for _, step := range steps {
			id, ok := step.from.Int(r, step.field)
			if !ok {
				return false
			}
			if r = step.to.Find(id); r == store.NoRow {
				return false
			}
		}
		return test(r)
	}
}

package balenasim

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/query"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
	"github.com/otelcol-balena/balenareceiver/balenasim/internal/store"
)

// credential identifies the caller. A caller without a valid key is a guest:
// the server does not reject one, it shows the public rows.
type credential struct {
	kind   credentialKind
	device string // UUID of the device of a device key
}

type credentialKind uint8

const (
	guest credentialKind = iota
	user
	deviceKey
)

// keyring maps API keys to their owners. Each key also has a row in api_key,
// which holds its expiry; deleting the row revokes the key.
type keyring struct {
	mu   sync.RWMutex
	keys []apiKey
}

type apiKey struct {
	credential
	key    string
	expiry time.Time
	row    int64 // id in api_key
}

// AddUserKey adds or replaces an API key of the user. The key is rejected after
// expiry, unless that is zero. As on the server, the user can read the expiry as
// api_key.expiry_date.
func (s *Simulator) AddUserKey(key string, expiry time.Time) {
	s.addKey(apiKey{credential: credential{kind: user}, key: key, expiry: expiry})
}

// AddDeviceKey adds or replaces the API key of the device with a UUID.
func (s *Simulator) AddDeviceKey(key, uuid string) {
	s.addKey(apiKey{credential: credential{kind: deviceKey, device: uuid}, key: key})
}

// RevokeKey removes an API key. Requests with it fail from then on.
func (s *Simulator) RevokeKey(key string) {
	s.store.Change(func(tx *store.Tx) { s.keys.remove(tx, key) })
}

func (s *Simulator) addKey(k apiKey) {
	s.store.Change(func(tx *store.Tx) {
		s.keys.remove(tx, k.key)
		s.keys.add(k)
		s.enroll(tx)
	})
}

func (k *keyring) add(key apiKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = append(k.keys, key)
}

func (k *keyring) remove(tx *store.Tx, key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = slices.DeleteFunc(k.keys, func(a apiKey) bool {
		if a.key == key {
			tx.Delete("api_key", a.row)
		}
		return a.key == key
	})
}

// withdraw removes the rows of all keys, so that a dataset can use their ids.
func (k *keyring) withdraw(tx *store.Tx) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.keys {
		tx.Delete("api_key", k.keys[i].row)
		k.keys[i].row = 0
	}
}

// enroll creates the missing rows of keys and sets the owner of each, the actor
// of its user or device.
func (s *Simulator) enroll(tx *store.Tx) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	for i := range s.keys.keys {
		k := &s.keys.keys[i]
		owner := map[string]any{"is_of__actor": nil}
		if id, ok := s.actorOf(k.credential); ok {
			owner["is_of__actor"] = id
		}
		if k.row != 0 {
			// If there is no row, the key was deleted through the API.
			_, _ = tx.Update("api_key", k.row, owner)
			continue
		}
		owner["key"], owner["name"] = k.key, "balenasim"
		if !k.expiry.IsZero() {
			owner["expiry_date"] = k.expiry
		}
		// A conflict means that the dataset has a row for this key.
		k.row, _ = tx.Insert("api_key", owner)
	}
}

// expireUserKeys sets the expiry of all keys of the user.
func (s *Simulator) expireUserKeys(tx *store.Tx, at time.Time) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	for i := range s.keys.keys {
		if k := &s.keys.keys[i]; k.kind == user {
			k.expiry = at
			_, _ = tx.Update("api_key", k.row, map[string]any{"expiry_date": at})
		}
	}
}

// find returns the owner of a key, a guest if the key is unknown, deleted or
// expired.
func (s *Simulator) find(key string) (c credential) {
	s.store.View(func() {
		s.keys.mu.RLock()
		defer s.keys.mu.RUnlock()
		i := slices.IndexFunc(s.keys.keys, func(k apiKey) bool { return k.key == key })
		if i < 0 {
			return
		}
		t := s.store.Table("api_key")
		r := t.Find(s.keys.keys[i].row)
		if r == store.NoRow {
			return
		}
		expiry, expires := t.Int(r, t.Resource.Index("expiry_date"))
		if !expires || s.now().UnixMilli() <= expiry {
			c = s.keys.keys[i].credential
		}
	})
	return c
}

// authenticate identifies the caller. It reports false if the server would
// respond with 500, as it does to an invalid key in the query.
func (s *Simulator) authenticate(r *http.Request) (credential, bool) {
	_, options, _ := strings.Cut(target(r), "?")
	for option := range strings.SplitSeq(options, "&") {
		if key, ok := strings.CutPrefix(option, "apikey="); ok {
			c := s.find(key)
			return c, c.kind != guest
		}
	}
	scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return credential{}, true
	}
	return s.find(key), true
}

// The references that lead from a resource to the fleet or the device that owns
// its rows.
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
		"image_environment_variable":       {"release_image", "is_part_of__release", "belongs_to__application"},
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
	// forGuests are the resources that guests can read, limited to public fleets.
	forGuests = map[string]bool{
		"cpu_architecture": true, "device_type": true, "device_family": true,
		"device_manufacturer": true, "device_type_alias": true, "gateway_download": true,
		"application": true, "release": true, "service": true, "image": true,
		"application_tag": true, "release_tag": true, "release_image": true, "release_asset": true,
	}
)

const directAccess = "user__has_direct_access_to__application"

// access returns what a caller can read, after the permissions in
// open-balena-api's src/lib/auth.ts and config.ts.
func (s *Simulator) access(c credential) query.Access {
	switch c.kind {
	case user:
		return s.userAccess(c)
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

// userAccess allows everything but other owners' API keys.
func (s *Simulator) userAccess(c credential) query.Access {
	self, _ := s.actorOf(c)
	keys := s.store.Table("api_key")
	owner := keys.Resource.Index("is_of__actor")
	own := func(r store.Row) bool {
		id, ok := keys.Int(r, owner)
		return ok && id == self
	}
	return func(resource string) (func(store.Row) bool, bool) {
		if resource == "api_key" {
			return own, true
		}
		return nil, true
	}
}

// deviceAccess returns what the key of a device can read: the device, its fleet
// and whatever belongs to them.
func (s *Simulator) deviceAccess(uuid string) query.Access {
	devices, fleets := s.store.Table("device"), s.store.Table("application")
	self := s.deviceRow(uuid)
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
		return nil, forGuests[resource] || resource == "user_public_key"
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

// through applies a test to the row at the end of a path of references.
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

package balenasim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind names what goes wrong.
type FaultKind string

// The kinds of faults.
const (
	Unauthorized    FaultKind = "unauthorized"     // 401
	RateLimit       FaultKind = "rate-limit"       // 429 with Retry-After
	ServerError     FaultKind = "server-error"     // 500
	BadGateway      FaultKind = "bad-gateway"      // 502 with the HTML of a proxy
	Unavailable     FaultKind = "unavailable"      // 503
	SlowHeaders     FaultKind = "slow-headers"     // Delay before the headers
	SlowBody        FaultKind = "slow-body"        // Delay spread over the body
	CutBody         FaultKind = "cut-body"         // the connection closes in the middle of the body
	ResetConnection FaultKind = "reset-connection" // the connection is reset before the response
	EndlessBody     FaultKind = "endless-body"     // the body does not end, or only after Bytes
	GzipBomb        FaultKind = "gzip-bomb"        // Bytes of blanks, compressed
	WrongTypes      FaultKind = "wrong-types"      // numbers become strings, strings numbers, and so on
	Nulls           FaultKind = "nulls"            // values become null
	MissingFields   FaultKind = "missing-fields"   // values are absent
	Redirect        FaultKind = "redirect"         // 302 to Location
	PausedPage      FaultKind = "paused-page"      // Delay in the middle of the body, while rows change
)

var faultKinds = []FaultKind{
	Unauthorized, RateLimit, ServerError, BadGateway, Unavailable, SlowHeaders, SlowBody, CutBody,
	ResetConnection, EndlessBody, GzipBomb, WrongTypes, Nulls, MissingFields, Redirect, PausedPage,
}

// Fault is a rule that makes requests fail. Path, Query and Method select the
// requests; of those, Rate, Nth, Every and Times select the ones that are hit:
// all, and until the fault is removed, if none of them is set.
//
// The requests of one kind are selected by their path, such as "/v7/device",
// "/v7/image" or "/actor/v1/whoami", and those that share a path by their
// query:
//
//	Fault{Kind: ServerError, Path: "/v7/application", Query: "*owns__device/$count*"}
//	Fault{Kind: ServerError, Path: "/v7/application", Query: "!*owns__device/$count*", Times: 2}
type Fault struct {
	Kind FaultKind `json:"kind" yaml:"kind"`

	// Path is the path of matching requests; * stands for any characters.
	// Empty matches any path.
	Path string `json:"path,omitempty" yaml:"path"`
	// Query is the decoded query of matching requests, such as
	// "*$filter=*is_online eq true*"; * stands for any characters. With a
	// leading ! it matches the other requests. Empty matches any query.
	Query string `json:"query,omitempty" yaml:"query"`
	// Method is the method of matching requests. Empty matches any method.
	Method string `json:"method,omitempty" yaml:"method"`

	// Rate is the fraction of matching requests that are hit, from 0 to 1.
	Rate float64 `json:"rate,omitempty" yaml:"rate"`
	// Nth hits only the nth matching request, counted from 1.
	Nth int `json:"nth,omitempty" yaml:"nth"`
	// Every hits each nth matching request.
	Every int `json:"every,omitempty" yaml:"every"`
	// Times ends the fault after so many hits.
	Times int `json:"times,omitempty" yaml:"times"`

	// RetryAfter is the form of a rate limit's header: "seconds" as the server
	// sends it, "date", or "absent". Delay is its value, 10 s if not set.
	RetryAfter string `json:"retry_after,omitempty" yaml:"retry_after"`
	// Delay is how long slow responses take, 30 s if not set. JSON and YAML
	// write it as "1m30s".
	Delay time.Duration `json:"delay,omitempty" yaml:"delay"`
	// Bytes is the size of endless bodies and gzip bombs.
	Bytes int64 `json:"bytes,omitempty" yaml:"bytes"`
	// Location is where redirects lead.
	Location string `json:"location,omitempty" yaml:"location"`

	// Rows limits wrong types, nulls and missing fields to the rows of the
	// response with these ids; Fields limits them to these fields, also within
	// expanded navigations. Empty means all.
	Rows   []int64  `json:"rows,omitempty" yaml:"rows"`
	Fields []string `json:"fields,omitempty" yaml:"fields"`

	// During is called while a page is paused, for tests that change rows.
	During func() `json:"-" yaml:"-"`
}

// plainFault is a Fault whose delay reads as "10s" in JSON.
type plainFault Fault

type faultJSON struct {
	*plainFault
	Delay jsonDuration `json:"delay,omitempty"`
}

type jsonDuration time.Duration

// UnmarshalText reads a duration such as "1m30s".
func (d *jsonDuration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("delay %q is not a duration; write it like 10s or 1m30s", b)
	}
	*d = jsonDuration(v)
	return nil
}

// MarshalText writes a duration such as "1m30s".
func (d jsonDuration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalJSON reads a fault and refuses unknown fields.
func (f *Fault) UnmarshalJSON(b []byte) error {
	in := faultJSON{plainFault: (*plainFault)(f)}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return err
	}
	f.Delay = time.Duration(in.Delay)
	return nil
}

// MarshalJSON writes a fault as UnmarshalJSON reads it.
func (f Fault) MarshalJSON() ([]byte, error) {
	return json.Marshal(faultJSON{(*plainFault)(&f), jsonDuration(f.Delay)})
}

func (f Fault) validate() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("kind %q: unknown fault; one of %s", f.Kind, kindNames())
	case f.Rate < 0 || f.Rate > 1:
		return fmt.Errorf("rate %v: must be from 0 to 1", f.Rate)
	case f.Nth < 0 || f.Every < 0 || f.Times < 0:
		return fmt.Errorf("nth, every and times count requests: they cannot be negative")
	case !slices.Contains([]string{"", "seconds", "date", "absent"}, f.RetryAfter):
		return fmt.Errorf("retry_after %q: must be seconds, date or absent", f.RetryAfter)
	case f.Delay < 0 || f.Bytes < 0:
		return fmt.Errorf("delay and bytes cannot be negative")
	case len(f.Rows)+len(f.Fields) > 0 && !slices.Contains([]FaultKind{WrongTypes, Nulls, MissingFields}, f.Kind):
		return fmt.Errorf("rows and fields apply to %s, %s and %s, not to %s", WrongTypes, Nulls, MissingFields, f.Kind)
	}
	return nil
}

func kindNames() string {
	names := make([]string, len(faultKinds))
	for i, k := range faultKinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// faultRule is a fault in use.
type faultRule struct {
	Fault
	id   int
	seen int
	hits int
}

// faultRules decide which requests fail.
type faultRules struct {
	mu    sync.Mutex
	rules []*faultRule
	next  int
	rand  *rand.Rand
}

// Inject adds a fault and returns its number. Of several that hit a request
// the first one counts.
func (s *Simulator) Inject(f Fault) (int, error) {
	if err := f.validate(); err != nil {
		return 0, fmt.Errorf("fault: %w", err)
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.next++
	s.faults.rules = append(s.faults.rules, &faultRule{Fault: f, id: s.faults.next})
	return s.faults.next, nil
}

// Faults are the faults in use, by number.
func (s *Simulator) Faults() map[int]Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	out := map[int]Fault{}
	for _, r := range s.faults.rules {
		out[r.id] = r.Fault
	}
	return out
}

// RemoveFault removes a fault. It says whether there was one of this number.
func (s *Simulator) RemoveFault(id int) bool {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	before := len(s.faults.rules)
	s.faults.rules = slices.DeleteFunc(s.faults.rules, func(r *faultRule) bool { return r.id == id })
	return len(s.faults.rules) < before
}

// ClearFaults removes all faults.
func (s *Simulator) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules = nil
}

// pick finds the fault that hits a request.
func (r *faultRules) pick(req *http.Request) (Fault, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rules) == 0 {
		return Fault{}, false
	}
	path, query, _ := strings.Cut(target(req), "?")
	if decoded, err := url.PathUnescape(query); err == nil {
		query = decoded
	}
	for _, rule := range r.rules {
		if rule.matches(req.Method, path, query) && rule.applies(r.rand) {
			rule.hits++
			return rule.Fault, true
		}
	}
	return Fault{}, false
}

func (r *faultRule) matches(method, path, query string) bool {
	if r.Method != "" && !strings.EqualFold(r.Method, method) || r.Path != "" && !wildcard(r.Path, path) {
		return false
	}
	pattern, negated := strings.CutPrefix(r.Query, "!")
	return r.Query == "" || wildcard(pattern, query) != negated
}

// applies counts a matching request and says whether it is hit.
func (r *faultRule) applies(random *rand.Rand) bool {
	r.seen++
	switch {
	case r.Times > 0 && r.hits >= r.Times:
		return false
	case r.Nth > 0:
		return r.seen == r.Nth
	case r.Every > 0:
		return r.seen%r.Every == 0
	case r.Rate > 0:
		return random.Float64() < r.Rate
	}
	return true
}

// wildcard matches a string to a pattern in which * stands for any characters.
func wildcard(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	rest, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, last)
}

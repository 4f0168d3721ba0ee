package truth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// kind is a kind of request that can fail independently.
type kind string

const (
	fleetKind       kind = "fleets"
	deviceCountKind kind = "device counts"
	fleetTagKind    kind = "fleet tags"
	deviceKind      kind = "devices"
	deviceTagKind   kind = "device tags"
	containerKind   kind = "services on devices"
	newestKind      kind = "newest releases"
	buildKind       kind = "last successful builds"
	releaseCounts   kind = "release counts"
	deviceTypeKind  kind = "device types"
	imageKind       kind = "images"
	releaseKind     kind = "releases"
	credentialKind  kind = "credentials"
	keyKind         kind = "API keys"
)

var kinds = []kind{
	fleetKind, deviceCountKind, fleetTagKind, deviceKind, deviceTagKind, containerKind, newestKind, buildKind, releaseCounts,
	deviceTypeKind, imageKind, releaseKind, credentialKind, keyKind,
}

// kindOf tells the kinds apart by what they ask for.
func kindOf(target string) kind {
	if decoded, err := url.QueryUnescape(target); err == nil {
		target = decoded
	}
	resource, query, _ := strings.Cut(strings.TrimPrefix(target, "/v7/"), "?")
	resource, _, _ = strings.Cut(resource, "(")
	switch resource {
	case "device":
		return deviceKind
	case "application_tag":
		return fleetTagKind
	case "device_tag":
		return deviceTagKind
	case "image_install":
		return containerKind
	case "device_type":
		return deviceTypeKind
	case "image":
		return imageKind
	case "release":
		return releaseKind
	case "/actor/v1/whoami", "/user/v1/whoami":
		return credentialKind
	case "api_key":
		return keyKind
	case "application":
		switch {
		case strings.Contains(query, "owns__release/$count"):
			return releaseCounts
		case strings.Contains(query, "owns__release(") && strings.Contains(query, "status"):
			return buildKind
		case strings.Contains(query, "owns__release("):
			return newestKind
		case strings.Contains(query, "slug"):
			return fleetKind
		}
		return deviceCountKind
	}
	return kind(resource)
}

// failure is a way in which a request fails.
type failure string

const (
	serverError  failure = "500"
	badGateway   failure = "502"
	unavailable  failure = "503"
	unauthorized failure = "401"
	notFound     failure = "404"
	rateLimited  failure = "429 for 7 s"
	banned       failure = "429 for a day"
	reset        failure = "connection reset"
	cut          failure = "body cut in half"
	noJSON       failure = "HTML instead of JSON"
	wrongShape   failure = "JSON of another shape"
	hanging      failure = "no response"
	slow         failure = "a response after 20 s"
	badRow       failure = "a row that cannot be decoded"
	nullValue    failure = "a row without a value that it must have"
	badKey       failure = "the key is rejected"
)

var failures = []failure{
	serverError, badGateway, unavailable, unauthorized, notFound, rateLimited, banned, reset, cut, noJSON, wrongShape, hanging, slow,
	badRow, nullValue, badKey,
}

// fault lets requests of a kind fail.
type fault struct {
	kind    kind
	failure failure
	page    int // only this page of a scrape, counted from 1; 0 is every one
	left    int // only so many more requests; negative is until it is removed
	row     int // for badRow and nullValue
}

func (f *fault) String() string {
	s := fmt.Sprintf("%s: %s", f.kind, f.failure)
	if f.page > 0 {
		s += fmt.Sprintf(", page %d only", f.page)
	}
	if f.left > 0 {
		s += fmt.Sprintf(", %d time(s)", f.left)
	}
	return s
}

// exchange is a request of a scrape and what became of it.
type exchange struct {
	kind    kind
	target  string
	failure failure // empty if it succeeded
	ids     []int64 // of the rows in the response
	late    bool
	spoiled int64 // id of the row that cannot be decoded, 0 if there is none
}

// api serves the receiver's requests: the simulator, behind the faults.
type api struct {
	sim http.Handler

	mu     sync.Mutex
	faults []*fault
	log    []exchange
}

// next begins the log of a scrape and returns that of the one before.
func (a *api) next() []exchange {
	a.mu.Lock()
	defer a.mu.Unlock()
	log := a.log
	a.log = nil
	return log
}

// RoundTrip implements http.RoundTripper.
func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	ex := exchange{target: r.URL.RequestURI()}
	ex.kind = kindOf(ex.target)
	f := a.strike(ex.kind)
	if f != nil {
		ex.failure = f.failure
	}
	response, err := a.respond(r, f, &ex)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log = append(a.log, ex)
	return response, err
}

// strike returns the fault that hits a request.
func (a *api) strike(k kind) *fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	page := 1
	for _, ex := range a.log {
		if ex.kind == k && ex.failure == "" {
			page++
		}
	}
	for _, f := range a.faults {
		if f.failure == badKey { // whatever else fails
			return f
		}
	}
	for _, f := range a.faults {
		if f.kind == k && f.left != 0 && (f.page == 0 || f.page == page) {
			if f.left > 0 {
				f.left--
			}
			return f
		}
	}
	return nil
}

func (a *api) respond(r *http.Request, f *fault, ex *exchange) (*http.Response, error) {
	if f == nil {
		return a.pass(r, ex, nil)
	}
	switch f.failure {
	case serverError:
		return respond(r, http.StatusInternalServerError, ""), nil
	case badGateway:
		return respond(r, http.StatusBadGateway, "<html>502 Bad Gateway</html>"), nil
	case unavailable:
		return respond(r, http.StatusServiceUnavailable, ""), nil
	case unauthorized:
		return respond(r, http.StatusUnauthorized, ""), nil
	case notFound:
		return respond(r, http.StatusNotFound, ""), nil
	case rateLimited, banned:
		response := respond(r, http.StatusTooManyRequests, `"Too Many Requests"`)
		response.Header.Set("Retry-After", map[failure]string{rateLimited: "7", banned: "86400"}[f.failure])
		return response, nil
	case reset:
		return nil, errors.New("read: connection reset by peer")
	case noJSON:
		return respond(r, http.StatusOK, "<html><body>Sign in</body></html>"), nil
	case wrongShape:
		return respond(r, http.StatusOK, `{"error":"none"}`), nil
	case hanging:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case slow:
		ex.late = true
		if err := sleep(r.Context(), 20*time.Second); err != nil {
			return nil, err
		}
		ex.failure = ""
		return a.pass(r, ex, nil)
	case badKey:
		// The server treats the caller as a guest, and responds.
		guest := r.Clone(r.Context())
		guest.Header.Del("Authorization")
		return a.pass(guest, ex, nil)
	case cut:
		response, err := a.pass(r, ex, nil)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), broken{}))
		return response, nil
	default:
		return a.pass(r, ex, f)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func respond(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// pass hands a request to the simulator and spoils a row of the response if a fault says so.
func (a *api) pass(r *http.Request, ex *exchange, f *fault) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	a.sim.ServeHTTP(recorder, r)
	response := recorder.Result()
	response.Request = r
	if f == nil && ex.kind != deviceKind {
		return response, nil
	}
	body := recorder.Body.Bytes()
	var envelope struct {
		D []map[string]any `json:"d"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&envelope) != nil { // not rows
		if f != nil {
			ex.failure = ""
		}
		return response, nil
	}
	for _, row := range envelope.D {
		ex.ids = append(ex.ids, idOf(row))
	}
	if f == nil {
		return response, nil
	}
	field, value := spoil(ex.kind, f.failure)
	if len(envelope.D) == 0 || field == "" {
		ex.failure = ""
		return response, nil
	}
	row := envelope.D[f.row%len(envelope.D)]
	if _, has := row[field]; !has {
		ex.failure = ""
		return response, nil
	}
	row[field] = value
	if value == missing {
		delete(row, field)
	}
	ex.spoiled = idOf(row)
	spoiled, err := json.Marshal(envelope)
	if err != nil {
		return nil, err
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(spoiled)), int64(len(spoiled))
	response.Header.Del("Content-Length")
	return response, nil
}

const missing = "(missing)"

// spoil says which field of a row is spoiled, and by what.
func spoil(k kind, f failure) (field string, value any) {
	if f == nullValue {
		switch k {
		case deviceKind:
			return "is_online", nil
		case fleetKind, deviceCountKind:
			return "owns__device", missing
		case releaseCounts, newestKind, buildKind:
			return "owns__release", missing
		}
		return "", nil
	}
	switch k {
	case deviceKind:
		return "uuid", 12
	case fleetKind:
		return "slug", 12
	case deviceCountKind:
		return "owns__device", "many"
	case fleetTagKind, deviceTagKind:
		return "value", []int{1}
	case containerKind:
		return "status", 12
	case newestKind, buildKind, releaseCounts:
		return "owns__release", "many"
	case deviceTypeKind:
		return "slug", 12
	case imageKind:
		return "is_a_build_of__service", "none"
	case releaseKind:
		return "commit", 12
	}
	return "", nil
}

func idOf(row map[string]any) int64 {
	number, _ := row["id"].(json.Number)
	id, _ := number.Int64()
	return id
}

// rows reads rows from the simulator itself, behind the faults.
func rows[T any](sim http.Handler, token, target string) ([]T, error) {
	request := httptest.NewRequest(http.MethodGet, target, http.NoBody)
	request.Header.Set("Authorization", "Bearer "+token)
	recorder := httptest.NewRecorder()
	sim.ServeHTTP(recorder, request)
	var envelope struct {
		D []T `json:"d"`
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &envelope); err != nil {
		return nil, fmt.Errorf("%s: status %d: %w", target, recorder.Code, err)
	}
	return slices.Clip(envelope.D), nil
}

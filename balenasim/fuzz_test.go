package balenasim

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenasim/internal/schema"
)

// fuzzed returns a simulator with tight limits, and its latest request.
func fuzzed(f *testing.F) (*Simulator, *Request) {
	latest := new(Request)
	sim := New(WithRequestHook(func(r Request) { *latest = r }))
	require.NoError(f, sim.Load(os.DirFS(filepath.Join(conformanceDir, "dataset"))))
	sim.limits = limits{query: time.Second, body: 4 << 20}
	return sim, latest
}

// FuzzRequest sends arbitrary requests. Each must get a response soon, with a
// status that the server uses.
func FuzzRequest(f *testing.F) {
	for i, q := range recordedQueries(f) {
		if i%5 == 0 {
			f.Add(http.MethodGet, q.Target, "")
		}
	}
	for _, e := range exchanges(f) {
		f.Add(e.Request.Method, e.Request.Target, e.Request.Body)
	}
	const deep = "/v7/device?$expand=belongs_to__application($expand=owns__device($expand=belongs_to__application($expand=owns__device($expand=belongs_to__application))))"
	f.Add(http.MethodGet, deep, "")
	sim, latest := fuzzed(f)
	f.Fuzz(func(t *testing.T, method, target, body string) {
		if strings.Contains(target, "stream=1") || !validMethod(method) {
			return
		}
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.RequestURI = target
		r.Header.Set("Authorization", "Bearer token")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		start := time.Now()
		sim.ServeHTTP(w, r)
		require.Less(t, time.Since(start), 5*time.Second)
		require.Empty(t, latest.Panic, "%s %q", method, target)
		switch w.Code {
		case 200, 201, 204, 304, 400, 401, 404, 409, 413, 429, 431, 500:
		default:
			t.Fatalf("%s %q: status %d", method, target, w.Code)
		}
	})
}

// FuzzQuery sends queries that follow the grammar, which random targets rarely do:
// each byte of the input is a decision of the generator.
func FuzzQuery(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		b := make([]byte, 200)
		for i := range b {
			b[i] = byte(random.UintN(256))
		}
		f.Add(b)
	}
	sim, latest := fuzzed(f)
	models := schema.Models()
	f.Fuzz(func(t *testing.T, decisions []byte) {
		g := &queryGen{Rand: rand.New(&byteSource{decisions, rand.NewPCG(0, 0)}), models: models}
		target := g.target()
		start := time.Now()
		w := get(sim, target)
		require.Less(t, time.Since(start), 5*time.Second, target)
		require.Empty(t, latest.Panic, target)
		switch w.Code {
		case http.StatusOK:
			require.True(t, json.Valid(w.Body.Bytes()), target)
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusInternalServerError:
		default:
			t.Fatalf("%s: status %d", target, w.Code)
		}
	})
}

// byteSource is a random source that reads bytes, followed by another source.
type byteSource struct {
	bytes []byte
	rest  rand.Source
}

func (s *byteSource) Uint64() uint64 {
	if len(s.bytes) == 0 {
		return s.rest.Uint64()
	}
	b := s.bytes[0]
	s.bytes = s.bytes[1:]
	return uint64(b) * 0x0101010101010101
}

func validMethod(m string) bool {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, http.MethodHead:
		return true
	}
	return false
}

package balenasim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzRequest asks anything in any way: it must be answered soon, and with
// nothing that the server would not answer.
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
	sim := loaded(f)
	sim.limits = limits{query: time.Second, answer: 4 << 20}
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
		switch w.Code {
		case 200, 201, 204, 304, 400, 401, 404, 409, 413, 429, 431, 500:
		default:
			t.Fatalf("%s %q answers %d", method, target, w.Code)
		}
	})
}

func validMethod(m string) bool {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, http.MethodHead:
		return true
	}
	return false
}

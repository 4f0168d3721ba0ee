package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		err    string
	}{
		"a healthy Collector":                     {http.StatusOK, ""},
		"a Collector whose API has been failing":  {http.StatusInternalServerError, "responded 500"},
		"a Collector that has not started up yet": {http.StatusServiceUnavailable, "responded 503"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "/status", r.URL.Path)
				w.WriteHeader(test.status)
			}))
			defer server.Close()
			err := check(strings.TrimPrefix(server.URL, "http://"))
			if test.err == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, test.err)
			}
		})
	}

	t.Run("nothing listens", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		assert.ErrorContains(t, check(strings.TrimPrefix(server.URL, "http://")), "refused")
	})

	t.Run("an address without a port", func(t *testing.T) {
		assert.ErrorContains(t, check("localhost"), "BALENA_HEALTH_ENDPOINT")
	})
}

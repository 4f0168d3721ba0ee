package balenasim

import (
	"bufio"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestQuery_FactTypes uses all names of fact types that a real server accepts.
func TestQuery_FactTypes(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/names.txt")
	require.NoError(t, err)
	defer f.Close()
	// The internal model also has profiles, and another fact type for service
	// variables of devices.
	unknown := map[string]bool{
		"/resin/application_profile?$top=1&$select=id": true, "/resin/image_profile?$top=1&$select=id": true,
		"/resin/release_image__has__profile_name?$top=1&$select=id": true, "/resin/device__has__service__has__name?$top=1&$select=id": true,
	}
	sim := loaded(t)
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		target := lines.Text()
		if strings.HasPrefix(target, "#") {
			continue
		}
		n++
		want := http.StatusOK
		if unknown[target] {
			want = http.StatusUnauthorized
		}
		assert.Equal(t, want, get(sim, target).Code, target)
	}
	assert.Equal(t, 263, n)
}

func TestQuery_FactTypes_SameRows(t *testing.T) {
	t.Parallel()
	sim := loaded(t)
	for name, term := range map[string]string{
		"/v7/device__installs__image/$count":                                                         "/v7/image_install/$count",
		"/v7/release(8)/contains__image/$count":                                                      "/v7/release(8)/release_image/$count",
		"/v7/release/$count?$filter=contains__image/any(i:i/id%20gt%2020)":                           "/v7/release/$count?$filter=release_image/any(i:i/id%20gt%2020)",
		"/v7/service_label/$count?$filter=application__has__service_name/service_name%20eq%20'main'": "/v7/service_label/$count?$filter=service/service_name%20eq%20'main'",
		"/v7/device/$count?$filter=has__device_name%20eq%20'lab-nucs-05'":                            "/v7/device/$count?$filter=device_name%20eq%20'lab-nucs-05'",
		"/v6/application__has__env_var_name/$count":                                                  "/v6/application_environment_variable/$count",
		"/resin/device/$count":                                                                       "/v7/device/$count",
	} {
		want := get(sim, term)
		assert.Equal(t, http.StatusOK, want.Code, term)
		assert.NotEqual(t, `{"d":0}`, want.Body.String(), term)
		assert.Equal(t, want.Body.String(), get(sim, name).Body.String(), name)
	}
}

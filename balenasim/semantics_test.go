package balenasim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestQuery_Filter covers semantics that the recorded queries do not: how
// PostgreSQL evaluates the SQL that the server compiles.
func TestQuery_Filter(t *testing.T) {
	t.Parallel()
	sim := New()
	for id, fields := range []map[string]any{
		{"device_name": "alpha", "cpu_usage": 10, "memory_usage": 7, "memory_total": 2, "is_online": true, "note": "50%_off"},
		{"device_name": "Beta", "cpu_usage": nil, "is_online": false, "note": ""},
		{"device_name": "gamma ray", "cpu_usage": 30, "is_online": true},
	} {
		fields["id"], fields["uuid"], fields["belongs_to__application"] = id+1, strings.Repeat("a", id+1), 1
		fields["created_at"] = "2026-02-03T04:05:06.789Z"
		_, err := sim.Insert("device", fields)
		require.NoError(t, err)
	}
	_, err := sim.Insert("application", map[string]any{"id": 1, "app_name": "fleet", "slug": "a/fleet"})
	require.NoError(t, err)
	for i, value := range []string{"x", "y"} {
		_, err := sim.Insert("device_tag", map[string]any{"device": 1, "tag_key": []string{"k", "l"}[i], "value": value})
		require.NoError(t, err)
	}
	const fails = "fails"
	for filter, want := range map[string]string{
		// Nulls.
		"cpu_usage eq null":            "2",
		"cpu_usage ne null":            "1,3",
		"cpu_usage ne 10":              "2,3", // IS DISTINCT FROM
		"not(cpu_usage eq 10)":         "2,3",
		"not(cpu_usage gt 10)":         "1", // not(null) is null
		"cpu_usage le null":            "",
		"cpu_usage in (10,null)":       "1",
		"not(cpu_usage in (10,null))":  "",
		"not(cpu_usage in (10))":       "3",
		"cpu_usage gt 5 or is_online":  "1,3",
		"not(cpu_usage gt 5 and true)": "",
		"null eq null":                 "1,2,3",
		"not(contains(note,'%'))":      "2",
		// Constants adopt the type of the other operand.
		"id eq '1'":          "1",
		"id eq 'one'":        fails,
		"id eq 1.5":          fails,
		"id eq 99999999999":  fails,
		"is_online eq 'yes'": "1,3",
		"is_online eq 1":     "1,3",
		"is_online eq 'x'":   fails,
		"device_name eq 5":   "",
		"created_at eq 5":    fails,
		"created_at eq '2026-02-03T04:05:06.789Z'": "1,2,3",
		"created_at gt 'soon'":                     fails,
		"1 eq 1":                                   "1,2,3",
		"1 eq 2":                                   "",
		"true":                                     "1,2,3",
		"device_name":                              fails,
		"is_online":                                "1,3",
		"device_name eq id":                        fails,
		// Strings.
		"contains(note,'%')":                      "1",
		"startswith(device_name,'a')":             "1",
		"endswith(device_name,'ray')":             "3",
		"substringof('mm',device_name)":           "3",
		"tolower(device_name) eq 'beta'":          "2",
		"toupper(device_name) eq 'BETA'":          "2",
		"length(device_name) eq 9":                "3",
		"indexof(device_name,'ph') eq 2":          "1",
		"substring(device_name,6) eq 'ray'":       "3",
		"substring(device_name,0,2) eq 'Be'":      "2",
		"concat(device_name,'!') eq 'Beta!'":      "2",
		"replace(device_name,'a','o') eq 'olpho'": "1",
		"trim(device_name) eq 'Beta'":             "2",
		"device_name gt 'B'":                      "1,2,3", // bytes: upper case first
		"device_name gt 'a'":                      "1,3",
		"contains(id,'1')":                        fails,
		"length(device_name)":                     fails,
		// Numbers and times.
		"cpu_usage add 5 eq 15":                              "1",
		"memory_usage div memory_total eq 3":                 "1", // integer division
		"cpu_usage mod 3 eq 1":                               fails,
		"year(created_at) eq 2026 and hour(created_at) eq 4": "1,2,3",
		"second(created_at) eq 6":                            "1,2,3",
		"date(created_at) eq '2026-02-03'":                   "1,2,3",
		"created_at lt (now() sub duration'P1D')":            "1,2,3",
		"created_at gt (now() sub duration'P1D')":            "",
		"round(cpu_usage) eq 10":                             "1",
		"isof(device_name)":                                  fails,
		// Navigations.
		"device_tag/any(t:t/value eq 'x')":                          "1",
		"device_tag/all(t:t/value eq 'x')":                          "2,3",
		"device_tag/any(t:t/value eq 'x' and t/device/id eq 1)":     "1",
		"device_tag/$count gt 1":                                    "1",
		"device_tag/$count($filter=value eq 'y') eq 1":              "1",
		"device_tag/value eq 'x'":                                   "1",
		"device_tag/id ne null":                                     "1,1", // a join repeats the row
		"device_tag(tag_key='l')/value eq 'y'":                      "1",
		"belongs_to__application/slug eq 'a/fleet'":                 "1,2,3",
		"belongs_to__application/any(a:a/owns__device/$count eq 3)": "1,2,3",
		"nosuch/is_online eq true":                                  "1,3", // the server skips unknown steps
		"device_tag/nosuch eq 1":                                    fails,
		"device_tag eq 1":                                           fails,
		"nosuch/any(x:x/id eq 1)":                                   fails,
		"device_tag/any(t:t/value)":                                 fails,
	} {
		target := "/v7/device?$select=id&$orderby=id%20asc&$filter=" + strings.ReplaceAll(strings.ReplaceAll(filter, "'%'", "'%25'"), " ", "%20")
		w := get(sim, target)
		if want == fails {
			assert.Equal(t, http.StatusInternalServerError, w.Code, "%s\n%s", filter, w.Body)
			continue
		}
		ids := strings.NewReplacer(`{"d":[`, "", `]}`, "", `{"id":`, "", `}`, "").Replace(w.Body.String())
		assert.Equal(t, want, ids, filter)
	}
}

func TestQuery_Options(t *testing.T) {
	t.Parallel()
	sim := loaded(t)
	for target, want := range map[string]string{
		"/v7/device(uuid=@u)?@u='" + firstDevice + "'&$select=id":                                   `{"d":[{"id":1}]}`,
		"/v7/device?$filter=id%20eq%20@i&@i=1&$select=id":                                           `{"d":[{"id":1}]}`,
		"/v7/device('1')?$select=id":                                                                `{"d":[{"id":1}]}`,
		"/v7/device_tag(device=1,tag_key='site')?$select=value":                                     `{"d":[{"value":"site-0"}]}`,
		"/v7/application(slug='acme%2Fedge-cameras')?$select=id":                                    `{"d":[{"id":2}]}`,
		"/v7/application(1)/owns__device/$count":                                                    `{"d":14}`,
		"/v7/application(1)/owns__device?$select=id&$orderby=id%20desc&$top=1":                      `{"d":[{"id":14}]}`,
		"/v7/device?$select=id&$top=0":                                                              `{"d":[]}`,
		"/v7/device?$select=id&$top=1&$orderby=id":                                                  `{"d":[{"id":42}]}`,
		"/v7/application?$select=id&$top=2&$orderby=owns__device/$count%20desc,id%20asc":            `{"d":[{"id":1},{"id":2}]}`,
		"/v7/device(1)?$select=id&$expand=device_tag/$count,device_tag/$count($filter=id%20eq%200)": `{"d":[{"device_tag":0,"id":1}]}`,
		"/v7/device(1)?$select=id&$expand=is_of__device_type/is_of__cpu_architecture":               "",
		"/v7/device(1)?$select=id,belongs_to__application/slug":                                     `{"d":[{"id":1,"slug":"acme/warehouse-gateways"}]}`,
		"/v7/application(1)?$select=id&$expand=is_directly_accessible_by__user($select=user)":       `{"d":[{"is_directly_accessible_by__user":[{"user":{"__id":2}}],"id":1}]}`,
		"/v7/release(8)?$select=id&$expand=should_be_running_on__device/$count":                     `{"d":[{"should_be_running_on__device":12,"id":8}]}`,
		"/v6/release(8)?$select=id&$expand=should_be_running_on__device/$count":                     `{"d":[{"should_be_running_on__device":0,"id":8}]}`,
		"/v6/my_application/$count":                                                                 `{"d":7}`,
	} {
		w := get(sim, target)
		assert.Equal(t, http.StatusOK, w.Code, target)
		if want != "" {
			assert.Equal(t, want, w.Body.String(), target)
		}
	}
	for _, target := range []string{
		"/v7/release(commit='x')", "/v7/device(nosuch=1)",
		"/v7/device?$select=device_tag", "/v7/device?$orderby=device_tag", "/v7/release?$orderby=version",
		"/v6/device?$select=is_pinned_on__release", "/v7/device?$select=logs_channel", "/v7/device(1)/nosuch",
	} {
		assert.Equal(t, http.StatusInternalServerError, get(sim, target).Code, target)
	}
}

func TestSimulator_Panic(t *testing.T) {
	broken := false
	sim := New(WithNow(func() time.Time {
		if broken {
			panic("no time")
		}
		return time.Unix(0, 0)
	}))
	broken = true
	w := get(sim, "/v7/device")
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Equal(t, "no time", sim.Requests()[0].Panic)
	broken = false
	assert.Equal(t, http.StatusOK, get(sim, "/v7/device").Code, "no lock is left behind")
}

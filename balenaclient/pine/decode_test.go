package pine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// list decodes a response, in one attempt.
func list(t testing.TB, body string) ([]ship, error) {
	t.Helper()
	client, w := newClient(t, always(http.StatusOK, body), once)
	rows, err := ships(client).List(t.Context())
	require.LessOrEqual(t, w.count(), 1)
	return rows, err
}

func TestRef_UnmarshalJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, json string
		wantID     int64
		wantRow    *port
		wantErr    string
	}{
		{"null", `null`, 0, nil, ""},
		{"a selected link", `{"__id":7}`, 7, nil, ""},
		{"a selected link with metadata", ` {"__deferred":{"uri":"/v1/port(7)"},"__id":7} `, 7, nil, ""},
		{"an expansion without a row", `[]`, 0, nil, ""},
		{"an expansion with a row", `[ {"id":7,"name":"Kiel"} ]`, 7, &port{ID: 7, Name: "Kiel"}, ""},
		{"an expansion of no id", `[{"name":"Kiel"}]`, 0, &port{Name: "Kiel"}, ""},
		{"an expansion with two rows", `[{"id":7},{"id":8}]`, 0, nil, "reference to one row holds 2 rows"},
		{"an expansion with a null", `[null]`, 0, nil, "row is null"},
		{"an expansion of something else", `["Kiel"]`, 0, nil, "row is string"},
		{"a number", `7`, 0, nil, "JSON number cannot be decoded as a reference"},
		{"a string", `"Kiel"`, 0, nil, "JSON string cannot be decoded as a reference"},
		{"an object without an id", `{}`, 0, nil, "reference is an object without __id"},
		{"an object whose id is null", `{"__id":null}`, 0, nil, "reference is an object without __id"},
		{"an object whose id is a string", `{"__id":"7"}`, 0, nil, "JSON string cannot be decoded as int64"},
		{"two values", `null null`, 0, nil, "trailing data"},
		{"nothing", ``, 0, nil, "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ref := pine.Ref[port]{ID: 99}
			err := ref.UnmarshalJSON([]byte(tt.json))
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.wantID, int64(ref.ID))
			assert.True(t, ref.Fetched())
			row, ok := ref.Row()
			assert.Equal(t, tt.wantRow != nil, ok)
			if tt.wantRow != nil {
				assert.Equal(t, *tt.wantRow, row)
			} else {
				assert.Zero(t, row)
			}
		})
	}
}

func TestRefs_UnmarshalJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, json string
		wantRows   []sailor
		wantCount  int
		wantErr    string
	}{
		{"no rows", `[]`, []sailor{}, 0, ""},
		{"rows", `[{"id":1,"name":"Jack"},{"id":2}]`, []sailor{{ID: 1, Name: "Jack"}, {ID: 2}}, 2, ""},
		{"rows without ids", `[{"name":"Jack"}]`, []sailor{{Name: "Jack"}}, 1, ""},
		{"their number", ` 17 `, nil, 17, ""},
		{"the number none", `0`, nil, 0, ""},
		{"a null among rows", `[{"id":1},null]`, nil, 0, "row is null"},
		{"a row of the wrong type", `[{"id":"1"}]`, nil, 0, "column id: JSON string cannot be decoded as int64"},
		{"a number with a fraction", `1.5`, nil, 0, "JSON number cannot be decoded as int"},
		{"an object", `{"id":1}`, nil, 0, "JSON object cannot be decoded as a list of rows or their number"},
		{"nothing", ``, nil, 0, "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			refs := pine.Refs[sailor]{Rows: []sailor{{ID: 99}}, Count: 99}
			err := refs.UnmarshalJSON([]byte(tt.json))
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.wantRows, refs.Rows)
			assert.Equal(t, tt.wantCount, refs.Count)
			assert.True(t, refs.Fetched())
		})
	}
}

// Rows that were written with encoding/json, and by its successor, are read again by both.
func TestRef_MarshalJSON(t *testing.T) {
	t.Parallel()
	type harbor struct {
		ID    int64           `json:"id"`
		Owner pine.Ref[port]  `json:"owner,omitzero"`
		Other pine.Ref[port]  `json:"other,omitzero"`
		Ships pine.Refs[ship] `json:"ships,omitzero"`
		Boats pine.Refs[port] `json:"boats,omitzero"`
	}
	for _, text := range []string{
		`{"id":1}`,
		`{"id":1,"owner":{"__id":7},"other":null}`,
		`{"id":1,"owner":[{"id":7,"name":"Kiel","ship":null}],"boats":0}`,
		`{"id":1,"ships":12,"boats":[]}`,
		`{"id":1,"boats":[{"id":2,"name":"","ship":null},{"id":3,"name":"Oslo","ship":4}]}`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			var row harbor
			require.NoError(t, json.Unmarshal([]byte(text), &row))
			again, err := json.Marshal(row)
			require.NoError(t, err)
			assert.Equal(t, text, string(again))
			var row2 harbor
			require.NoError(t, jsonv2.Unmarshal(again, &row2))
			assert.Equal(t, row, row2)
			again, err = jsonv2.Marshal(row)
			require.NoError(t, err)
			assert.Equal(t, text, string(again))
		})
	}
}

func TestRef_Fetched(t *testing.T) {
	t.Parallel()
	row := func(t *testing.T, text string) ship {
		t.Helper()
		rows, err := list(t, `{"d":[`+text+`]}`)
		require.NoError(t, err)
		return rows[0]
	}
	for text, want := range map[string]bool{
		`{"id":1}`:                                              false,
		`{"id":1,"lies_in__port":null,"crew":0}`:                true,
		`{"id":1,"lies_in__port":[],"crew":[]}`:                 true,
		`{"id":1,"lies_in__port":{"__id":7},"crew":1}`:          true,
		`{"id":1,"lies_in__port":[{"id":7}],"crew":[{"id":1}]}`: true,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got := row(t, text)
			assert.Equal(t, want, got.Port.Fetched())
			assert.Equal(t, want, got.Crew.Fetched())
		})
	}
}

func TestQuery_NullWithoutSelect(t *testing.T) {
	t.Parallel()
	rows, err := list(t, `{"d":[{"id":3,"name":null,"is_armed":null,"knots":null,"built_at":null,"lies_in__port":null,"crew":null,"log":null}]}`)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	rows[0].Port = pine.Ref[port]{}
	assert.Equal(t, []ship{{ID: 3}}, rows)
}

// What is absent must not be taken for zero, false or none.
func TestQuery_SelectedColumnIsAbsent(t *testing.T) {
	t.Parallel()
	q := func(c *pine.Client) pine.Query[ship] { return ships(c) }
	for _, tt := range []struct {
		name  string
		query func(*pine.Client) pine.Query[ship]
		row   string // after the id
		want  string // empty if the row is delivered
	}{
		{"a selected column", func(c *pine.Client) pine.Query[ship] { return q(c).Select(shipName) }, ``, "column name is missing"},
		{"one of many", func(c *pine.Client) pine.Query[ship] { return q(c).Select(shipName, shipArmed, shipKnots) }, `,"name":"a","knots":1`, "column is_armed is missing"},
		{"a selected bool is null", func(c *pine.Client) pine.Query[ship] { return q(c).Select(shipArmed) }, `,"is_armed":null`, "column is_armed is null"},
		{"a selected string is null", func(c *pine.Client) pine.Query[ship] { return q(c).Select(shipName) }, `,"name":null`, ""},
		{"a selected pointer is null", func(c *pine.Client) pine.Query[ship] { return q(c).Select(shipKnots, shipBuilt) }, `,"knots":null,"built_at":null`, ""},
		{"a selected link is null", func(c *pine.Client) pine.Query[ship] { return q(c).Select(shipPort) }, `,"lies_in__port":null`, ""},
		{"a selected link", func(c *pine.Client) pine.Query[ship] { return q(c).Select(shipPort) }, ``, "column lies_in__port is missing"},
		{"an expanded link", func(c *pine.Client) pine.Query[ship] { return q(c).Expand(shipPort.With(pine.Where[port]())) }, ``, "column lies_in__port is missing"},
		{"an expanded count", func(c *pine.Client) pine.Query[ship] { return q(c).Expand(shipCrew.Count()) }, ``, "column crew is missing"},
		{"an expanded count is null", func(c *pine.Client) pine.Query[ship] { return q(c).Expand(shipCrew.Count()) }, `,"crew":null`, "column crew is null"},
		{"a column of an expansion", func(c *pine.Client) pine.Query[ship] { return q(c).Expand(shipPort.With(pine.Select(portName))) }, `,"lies_in__port":[{"id":7}]`, "column lies_in__port: column name is missing"},
		{"the id of an expansion", func(c *pine.Client) pine.Query[ship] { return q(c).Expand(shipPort.With(pine.Select(portName))) }, `,"lies_in__port":[{"name":"Kiel"}]`, "column lies_in__port: column id is missing"},
		{"a column of an expansion that selects nothing", func(c *pine.Client) pine.Query[ship] { return q(c).Expand(shipPort.With(pine.Where[port]())) }, `,"lies_in__port":[{"id":7}]`, ""},
		{"an expansion in an expansion", func(c *pine.Client) pine.Query[ship] {
			return q(c).Expand(shipCrew.With(pine.Select(sailorName).Expand(sailorShip.With(pine.Select(shipArmed)))))
		}, `,"crew":[{"id":1,"name":"Jack","sails__ship":[{"id":1,"is_armed":true}]},{"id":2,"name":"Joe","sails__ship":[{"id":1,"is_armed":null}]}]`, "column crew: column sails__ship: column is_armed is null"},
		{"nothing that was selected", q, ``, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient(t, always(http.StatusOK, `{"d":[{"id":2`+tt.row+`}]}`))
			query := tt.query(client)
			rows, err := query.List(t.Context())
			_, getErr := query.Get(t.Context(), 2)
			if tt.want == "" {
				require.NoError(t, err)
				require.NoError(t, getErr)
				assert.Equal(t, []int64{2}, ids(rows))
				return
			}
			require.EqualError(t, err, "skipped 1 row(s): ship with id 2: "+tt.want)
			require.ErrorIs(t, getErr, pine.ErrMalformed)
			require.ErrorContains(t, getErr, tt.want)
			var skipped *pine.RowsError
			require.ErrorAs(t, err, &skipped)
			assert.Equal(t, []int64{2}, skipped.IDs)
			assert.Empty(t, rows)
		})
	}
}

func TestRowsError_IDs(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	const n = 1500
	for id := range n {
		fmt.Fprintf(&b, `,{"name":5,"id":%d}`, id+1)
	}
	client, _ := newClient(t, always(http.StatusOK, `{"d":[{"id":"x"},{"name":7}`+b.String()+`]}`), pageSize(2*n))
	rows, err := ships(client).List(t.Context())
	assert.Empty(t, rows)
	var skipped *pine.RowsError
	require.ErrorAs(t, err, &skipped)
	assert.Equal(t, n+2, skipped.Rows)
	assert.Equal(t, upTo(1000), skipped.IDs)
}

func TestQuery_UnknownColumnsAreIgnored(t *testing.T) {
	t.Parallel()
	rows, err := list(t, `{"d":[{"mast":{"height":[1,2,{"x":null}]},"id":3,"name":"Vasa","Secret":"kept","__metadata":{}}],"__count":1,"next":{"a":[]}}`)
	require.NoError(t, err)
	assert.Equal(t, []ship{{ID: 3, Name: "Vasa", Secret: "kept"}}, rows)
}

// In a real response the id does not come first: expansions and some columns precede it.
func TestQuery_UndecodableRowIsSkipped(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, row, want string }{
		{"a string for a number", `{"knots":"fast","id":2}`, "ship with id 2: column knots: JSON string cannot be decoded as int64"},
		{"a number for a string", `{"name":5,"id":2}`, "ship with id 2: column name: JSON number cannot be decoded as string"},
		{"a fraction for an integer", `{"knots":5.5,"id":2}`, "ship with id 2: column knots: JSON number cannot be decoded as int64: invalid syntax"},
		{"a string for a bool", `{"is_armed":"no","id":2}`, "ship with id 2: column is_armed: JSON string cannot be decoded as bool"},
		{"an object for a string", `{"name":{"a":[1]},"id":2}`, "ship with id 2: column name: JSON object cannot be decoded as string"},
		{"a time that is not one, before the id", `{"built_at":"yesterday","id":2}`, `ship with id 2: column built_at: JSON string cannot be decoded as time.Time: parsing time`},
		{"a number for a time, before the id", `{"built_at":5,"id":2}`, `ship with id 2: column built_at: JSON number cannot be decoded as time.Time`},
		{"an expansion of something else, before the id", `{"lies_in__port":["Kiel"],"id":2}`, "ship with id 2: column lies_in__port: row is string"},
		{"too many rows for a reference, before the id", `{"lies_in__port":[{},{}],"id":2}`, "ship with id 2: column lies_in__port: reference to one row holds 2 rows"},
		{"an undecodable row in an expansion, before the id", `{"crew":[{"id":"x"}],"id":2}`, "ship with id 2: column crew: column id: JSON string cannot be decoded as int64"},
		{"two undecodable columns", `{"name":5,"id":2,"knots":{}}`, "ship with id 2: column name: "},
		{"an undecodable column after the id", `{"id":2,"name":[[],{"id":3}]}`, "ship with id 2: column name: JSON array"},
		{"not an object", `7`, "ship with id 0: row is number"},
		{"a list", `[{"id":2}]`, "ship with id 0: row is array"},
		{"null", `null`, "ship with id 0: row is null"},
		{"no id", `{"name":"Vasa"}`, "ship with id 0: row has no id"},
		{"an empty row", `{}`, "ship with id 0: row has no id"},
		{"an id that is a string", `{"id":"2"}`, "ship with id 0: column id: JSON string cannot be decoded as int64"},
		{"an id that is too large", `{"id":9223372036854775808}`, "ship with id 0: column id: JSON number cannot be decoded as int64: value out of range"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const padding = "                                        "
			for _, pad := range []string{"", strings.Repeat(padding, 30)} { // the decoder's buffer moves or does not
				rows, err := list(t, `{"d":[{"id":1},`+pad+tt.row+pad+`,`+pad+`{"id":3},{"id":5}]}`)
				assert.Equal(t, []int64{1, 3, 5}, ids(rows))
				var left *pine.RowsError
				require.ErrorAs(t, err, &left)
				assert.Equal(t, 1, left.Rows)
				require.ErrorIs(t, err, pine.ErrMalformed)
				assert.ErrorContains(t, err, "skipped 1 row(s): "+tt.want)
				assert.NotContains(t, err.Error(), "\n")
				assert.Error(t, errors.Unwrap(err))
			}
		})
	}
}

func TestRowsError_LongValue(t *testing.T) {
	t.Parallel()
	_, err := list(t, `{"d":[{"id":1,"built_at":"`+strings.Repeat("never ", 100_000)+`"}]}`)
	require.ErrorIs(t, err, pine.ErrMalformed)
	assert.Less(t, len(err.Error()), 600)
}

func TestQuery_List_EmbeddedFields(t *testing.T) {
	t.Parallel()
	type Base struct {
		ID int64 `json:"id"`
	}
	type boat struct {
		*Base
		Name string `json:"name"`
	}
	client, w := newClient(t, always(http.StatusOK, `{"d":[{"id":1,"name":"a"},{"name":"b"},{"id":3,"name":"c"}]}`))
	rows, err := pine.From[boat](client, "boat").List(t.Context())
	require.ErrorContains(t, err, "skipped 1 row(s): boat with id 0: row has no id")
	assert.Equal(t, []boat{{&Base{1}, "a"}, {&Base{3}, "c"}}, rows)
	assert.Equal(t, "/base/v1/boat?$select=id,name&$orderby=id%20asc&$top=1000", w.targets()[0])
}

func TestQuery_List_Malformed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, want string }{
		{"is HTML", "<!DOCTYPE html>\n<html>sign in</html>", "malformed response: not JSON: jsontext: invalid character '<'"},
		{"is text", "OK", "malformed response: not JSON"},
		{"is a list", `[{"id":1}]`, `malformed response: it does not start with {"d":[`},
		{"is a string", `"Too Many Requests"`, `malformed response: it does not start with {"d":[`},
		{"is null", `null`, `malformed response: it does not start with {"d":[`},
		{"has no rows", `{}`, `malformed response: it does not start with {"d":[`},
		{"has other rows", `{"value":[{"id":1}]}`, `malformed response: it does not start with {"d":[`},
		{"has null for rows", `{"d":null}`, `malformed response: it does not start with {"d":[`},
		{"has a number for rows", `{"d":5}`, `malformed response: it does not start with {"d":[`},
		{"has an object for rows", `{"d":{"id":1}}`, `malformed response: it does not start with {"d":[`},
		{"lacks a comma", `{"d":[{"id":1} {"id":2}]}`, "malformed response: not JSON: jsontext: invalid character '{' after array element"},
		{"has a comma too many", `{"d":[{"id":1},]}`, "malformed response: not JSON"},
		{"has a name without quotes", `{"d":[{id:1}]}`, "malformed response: not JSON"},
		{"closes what it did not open", `{"d":[}]`, "malformed response: not JSON"},
		{"has another value after it", `{"d":[{"id":1}]}{"d":[{"id":2}]}`, "malformed response: trailing data after the response"},
		{"has an error page after it", `{"d":[{"id":1}]}<html>Bad Gateway</html>`, "malformed response: not JSON"},
		{"has garbage after the rows", `{"d":[{"id":1}],5:6}`, "malformed response: not JSON"},
		{"has half a member after the rows", `{"d":[{"id":1}],"a":]}`, "malformed response: not JSON"},
		{"nests too deep", `{"d":[{"id":1,"mast":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}]}`, "malformed response: not JSON: jsontext: exceeded max depth"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, always(http.StatusOK, tt.body))
			rows, err := ships(client).List(t.Context())
			require.ErrorIs(t, err, pine.ErrMalformed)
			require.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "GET /v1/ship: 200 OK: ")
			for _, row := range rows {
				assert.Equal(t, ship{ID: 1}, row)
			}
			assert.Equal(t, 1, w.count(), "a malformed response is not retried")
			w.requireAllClosed(t)

			client, w = newClient(t, always(http.StatusOK, tt.body))
			row, err := ships(client).Get(t.Context(), 1)
			require.ErrorIs(t, err, pine.ErrMalformed)
			assert.Zero(t, row)
			_, err = ships(client).OrderBy(shipName.Asc()).List(t.Context())
			require.ErrorIs(t, err, pine.ErrMalformed)
			assert.Equal(t, 2, w.count())
		})
	}
}

func TestQuery_Count_Malformed(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"d":null}`, `{"d":"5"}`, `{"d":[]}`, `{"d":1.5}`, `[]`, `5`, `<html>`, `{"d":5}{"d":6}`, `{"d":5}x`} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, always(http.StatusOK, body))
			_, err := ships(client).Count(t.Context())
			require.ErrorIs(t, err, pine.ErrMalformed)
			assert.Equal(t, 1, w.count())
			w.requireAllClosed(t)
		})
	}
}

func TestGetDocument(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, inTurn(always(http.StatusOK, `{"a":1}`), always(http.StatusOK, `{"a":"x"}`), always(http.StatusOK, `{"a":1}]`)))
	type document struct {
		A int `json:"a"`
	}
	got, err := pine.GetDocument[document](t.Context(), client, "/some/document?x=y")
	require.NoError(t, err)
	assert.Equal(t, document{1}, got)
	assert.Equal(t, "/base/some/document?x=y", w.targets()[0])
	for range 2 {
		_, err = pine.GetDocument[document](t.Context(), client, "/some/document?x=y")
		require.ErrorIs(t, err, pine.ErrMalformed)
		assert.ErrorContains(t, err, "GET /some/document: 200 OK: ")
	}
	_, err = pine.GetDocument[document](t.Context(), client, "/no\nline")
	require.ErrorIs(t, err, pine.ErrInvalid)
	assert.NotContains(t, err.Error(), "\n")
	assert.Equal(t, 3, w.count())
}

func TestQuery_Get(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       int64
		wantErr    error
	}{
		{"that is there", `{"d":[{"id":1}]}`, 1, nil},
		{"that is not there", `{"d":[]}`, 0, pine.ErrNotFound},
		{"of which there are two", `{"d":[{"id":1},{"id":2}]}`, 0, pine.ErrNotUnique},
		{"that cannot be decoded", `{"d":[{"id":1,"name":5}]}`, 0, pine.ErrMalformed},
		{"that is null", `{"d":[null]}`, 0, pine.ErrMalformed},
		{"that is empty", `{"d":[{}]}`, 0, pine.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient(t, always(http.StatusOK, tt.body))
			for _, get := range []func(pine.Query[ship]) (ship, error){
				func(q pine.Query[ship]) (ship, error) { return q.Get(t.Context(), 1) },
				func(q pine.Query[ship]) (ship, error) { return q.GetBy(t.Context(), shipName.Key("Vasa")) },
				func(q pine.Query[ship]) (ship, error) { return q.OrderBy(shipName.Asc()).One(t.Context()) },
			} {
				row, err := get(ships(client))
				require.ErrorIs(t, err, tt.wantErr)
				assert.Equal(t, ship{ID: pine.ID[ship](tt.want)}, row)
				if err != nil {
					assert.ErrorContains(t, err, "ship")
				}
			}
		})
	}
}

const smallResponse = ` {"d":[ {"name":"Vasa \" ] } ünique","id":1,"crew":[{"id":5}]}, {"id":2,"lies_in__port":{"__id":7}} ,{"id":13}] , "x":1 }` + "\n"

func TestQuery_List_TruncatedAtEveryByte(t *testing.T) {
	t.Parallel()
	complete, err := list(t, smallResponse)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2, 13}, ids(complete))
	ends := []int{strings.Index(smallResponse, `, {"id":2`), strings.Index(smallResponse, ` ,{"id":13`), strings.Index(smallResponse, `] , "x"`)}
	last := strings.LastIndex(smallResponse, "}")
	for cut := range smallResponse {
		for _, how := range []string{"ends", "breaks"} {
			t.Run(fmt.Sprintf("%s at %d", how, cut), func(t *testing.T) {
				t.Parallel()
				rest := `{"d":[]}`
				client, w := newClient(t, func(number int, r *http.Request) (*http.Response, error) {
					if number > 1 {
						return respond(http.StatusOK, rest)
					}
					if how == "breaks" {
						return stream(http.StatusOK, broken(smallResponse[:cut])), nil
					}
					return respond(http.StatusOK, smallResponse[:cut])
				}, once)
				rows, err := ships(client).List(t.Context())
				n := 0
				for _, end := range ends {
					if cut >= end {
						n++
					}
				}
				// No row is there that is not in the complete response, and no complete row is missing.
				require.Len(t, rows, n)
				if n > 0 {
					require.Equal(t, complete[:n], rows)
				}
				if cut > last && how == "ends" {
					require.NoError(t, err)
				} else {
					require.Error(t, err)
					require.NotErrorIs(t, err, pine.ErrMalformed)
					assert.Contains(t, err.Error(), "EOF")
				}
				w.requireAllClosed(t)
			})
		}
	}
}

func FuzzQuery_List(f *testing.F) {
	for _, body := range []string{smallResponse, `{"d":[]}`, `{"d":[null]}`, `{"d":[{"id":1},{"id":"x"},5,[],{}]}`, `{"d":5}`, `<html>`, ``, `{"d":[{"built_at":5,"id":9}]} `, `"x"`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		client, w := newClient(t, always(http.StatusOK, string(body)), once, pageSize(1<<30))
		rows, err := ships(client).List(t.Context())
		if w.count() != 1 {
			t.Fatalf("%d requests", w.count())
		}
		w.requireAllClosed(t)
		for i, row := range rows {
			if row.ID <= 0 || i > 0 && row.ID <= rows[i-1].ID {
				t.Fatalf("row %d has id %d", i, row.ID)
			}
		}
		var left *pine.RowsError
		if err != nil && !errors.As(err, &left) {
			return
		}
		// The rows are those that encoding/json finds in the response.
		var response struct {
			D []json.RawMessage `json:"d"`
		}
		if err := json.Unmarshal(body, &response); err != nil {
			t.Fatalf("accepted what is not JSON: %v", err)
		}
		if bytes.Count(bytes.ToLower(body), []byte(`d"`)) != 1+bytes.Count(body, []byte(`id"`)) || bytes.Contains(body, []byte(`\`)) {
			return // which of two members "d" counts does not matter
		}
		n := len(rows)
		if left != nil {
			n += left.Rows
		}
		if n != len(response.D) {
			t.Fatalf("%d rows of %d", n, len(response.D))
		}
	})
}

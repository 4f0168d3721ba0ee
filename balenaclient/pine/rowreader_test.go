package pine

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everything is a row with a field of every kind. R and S are the types of its links.
type everything[R, S any] struct {
	inner
	ID      int64             `json:"id"`
	Text    string            `json:"text"`
	Bool    bool              `json:"bool"`
	Int     *int64            `json:"int"`
	Big     *int64            `json:"big,string"`
	Maybe   *bool             `json:"maybe"`
	Time    *time.Time        `json:"time"`
	JSON    json.RawMessage   `json:"json"`
	Float   float64           `json:"float"`
	Strings []string          `json:"strings"`
	Map     map[string]string `json:"map"`
	Ref     R                 `json:"ref"`
	Refs    S                 `json:"refs"`
	Own     ownText           `json:"own"`
}

type inner struct {
	Inner string `json:"inner"`
}

type ownText string

func (o *ownText) UnmarshalJSON(data []byte) error {
	*o = ownText(data)
	return nil
}

type (
	row    everything[Ref[linked], Refs[linked]]
	linked struct {
		ID   int64       `json:"id"`
		Text string      `json:"text"`
		Ref  Ref[linked] `json:"ref"`
	}

	// The same types, as encoding/json reads them.
	oracleRow  everything[oracleRef, oracleRefs]
	oracleLink struct {
		ID   int64     `json:"id"`
		Text string    `json:"text"`
		Ref  oracleRef `json:"ref"`
	}
	oracleRef struct {
		id   int64
		row  *oracleLink
		none bool
	}
	oracleRefs struct {
		rows  []oracleLink
		count int
		none  bool
	}
)

func (r *oracleRef) UnmarshalJSON(data []byte) error {
	*r = oracleRef{}
	switch data = bytes.TrimSpace(data); data[0] {
	case 'n':
		r.none = true
		return nil
	case '[':
		var rows []*oracleLink
		if err := json.Unmarshal(data, &rows); err != nil {
			return err
		}
		switch {
		case len(rows) == 0:
			r.none = true
			return nil
		case len(rows) > 1 || rows[0] == nil:
			return errors.New("not one row")
		}
		r.row, r.id = rows[0], rows[0].ID
		return nil
	default:
		var deferred struct {
			ID *int64 `json:"__id"`
		}
		if err := json.Unmarshal(data, &deferred); err != nil {
			return err
		}
		if deferred.ID == nil {
			return errors.New("no id")
		}
		r.id, r.none = *deferred.ID, *deferred.ID == 0
		return nil
	}
}

func (r *oracleRefs) UnmarshalJSON(data []byte) error {
	*r = oracleRefs{}
	if data = bytes.TrimSpace(data); data[0] != '[' {
		err := json.Unmarshal(data, &r.count)
		r.none = data[0] != 'n' && r.count == 0
		return err
	}
	var rows []*oracleLink
	if err := json.Unmarshal(data, &rows); err != nil {
		return err
	}
	r.rows = []oracleLink{}
	for _, row := range rows {
		if row == nil {
			return errors.New("null among rows")
		}
		r.rows = append(r.rows, *row)
	}
	r.count = len(rows)
	return nil
}

func (r oracleRef) ref() Ref[linked] {
	ref := Ref[linked]{ID: ID[linked](r.id), none: r.none}
	if r.row != nil {
		ref.row = &linked{r.row.ID, r.row.Text, r.row.Ref.ref()}
	}
	return ref
}

func (r oracleRefs) refs() Refs[linked] {
	refs := Refs[linked]{Count: r.count, none: r.none}
	if r.rows != nil {
		refs.Rows = []linked{}
	}
	for _, row := range r.rows {
		refs.Rows = append(refs.Rows, linked{row.ID, row.Text, row.Ref.ref()})
	}
	return refs
}

func (r oracleRow) row() row {
	return row{r.inner, r.ID, r.Text, r.Bool, r.Int, r.Big, r.Maybe, r.Time, r.JSON, r.Float, r.Strings, r.Map, r.Ref.ref(), r.Refs.refs(), r.Own}
}

type readRow struct {
	row         row
	id          int64
	undecodable bool
}

func readRows(body io.Reader) (rows []readRow, err error) {
	err = decodeRows(body, DefaultMaxRowSize, nil, func(r row, id int64, undecodable error) error {
		if undecodable != nil {
			r = row{} // callers do not look at it
		}
		rows = append(rows, readRow{r, id, undecodable != nil})
		return nil
	})
	return rows, err
}

// oracleRows reads a response with encoding/json.
func oracleRows(body string) (rows []readRow, err error) {
	decoder := json.NewDecoder(strings.NewReader(body))
	for _, want := range []json.Token{json.Delim('{'), "d", json.Delim('[')} {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		if token != want {
			return nil, ErrMalformed
		}
	}
	for decoder.More() {
		var text json.RawMessage
		if err := decoder.Decode(&text); err != nil {
			return rows, err
		}
		var known struct {
			ID int64 `json:"id"`
		}
		_ = json.Unmarshal(text, &known)
		read := readRow{id: known.ID}
		var oracle oracleRow
		if err := json.Unmarshal(text, &oracle); err != nil || known.ID == 0 {
			read.undecodable = true
		} else {
			read.row = oracle.row()
		}
		rows = append(rows, read)
	}
	return rows, json.Unmarshal([]byte(body), new(json.RawMessage))
}

// lax is what encoding/json accepts although it is not quite a time by RFC 3339, or a quoted number that is not one in JSON.
var lax = regexp.MustCompile(`T\d:|:\d\d,\d|[+-]([3-9]\d|2[4-9]):|[+-]\d\d:[6-9]|"-?0\d|"\+\d`)

// isComparable reports whether encoding/json is a fair oracle for a response: it matches names without regard to case, merges members
// of one name, and is lax.
func isComparable(body string) bool {
	if lax.MatchString(body) {
		return false
	}
	decoder := newDecoder(strings.NewReader(body))
	names := []map[string]bool{}
	known := append([]string{"d", "__id"}, "inner", "id", "text", "bool", "int", "big", "maybe", "time", "json", "float", "strings", "map", "ref", "refs", "own")
	for {
		token, err := decoder.ReadToken()
		if err != nil {
			return true
		}
		depth := decoder.StackDepth()
		for len(names) <= depth {
			names = append(names, nil)
		}
		if token.Kind() == '{' {
			names[depth] = map[string]bool{}
		}
		if kind, n := decoder.StackIndex(depth); kind != '{' || n%2 == 0 {
			continue
		}
		name := token.String()
		if names[depth][name] {
			return false
		}
		names[depth][name] = true
		for _, field := range known {
			if name != field && strings.EqualFold(name, field) {
				return false
			}
		}
	}
}

func requireSame(t *testing.T, body string) {
	t.Helper()
	if !isComparable(body) {
		return
	}
	want, wantErr := oracleRows(body)
	for _, reader := range []io.Reader{
		strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body)), iotest.DataErrReader(strings.NewReader(body)),
	} {
		got, err := readRows(reader)
		if n := len(want); err != nil && len(got) == n-1 && want[n-1].id == 0 {
			got = append(got, want[n-1]) // a number may go on where the response ends: encoding/json takes it as it is
		}
		require.Equal(t, want, got, body)
		if wantErr == nil || err == nil {
			require.Equal(t, wantErr, err, body)
		}
	}
	got, err := readRows(io.MultiReader(strings.NewReader(body), iotest.ErrReader(errors.New("reset"))))
	require.Error(t, err)
	if n := len(want); len(got) == n-1 && want[n-1].id == 0 {
		got = append(got, want[n-1])
	}
	require.Equal(t, want, got, body)
}

var responses = []string{
	`{"d":[]}`,
	` { "d" : [ ] , "more" : {"a":[1]} } `,
	`{"d":[{"id":1,"text":"a","bool":true,"int":5,"big":"12345678901","maybe":false,"time":"2026-11-22T06:03:05.823Z","json":{"a":[1,2.5e3,"x"]},"float":1.5,"strings":["a"],"map":{"k":"v"},"ref":{"__id":7},"refs":[{"id":2},{"id":3,"text":"b"}],"own":{"x":1},"inner":"i"}]}`,
	`{"d":[{"id":1,"text":null,"bool":null,"int":null,"big":null,"maybe":null,"time":null,"json":null,"ref":null,"own":null}]}`,
	`{"d":[{"id":1,"ref":[],"refs":[]},{"id":2,"ref":[{"id":9,"ref":[{"id":10}]}],"refs":12},{"id":3,"refs":-1},{"id":4,"refs":null}]}`,
	`{"d":[{"id":1,"text":"\u00e9\n\"\\","unknown":[{"a":"\u12"}]}]}`,
	`{"d":[{"id":1,"text":"\ud800 \u00e9","unknown":{"a":["\t",true,false,null,-0.5E+3]}}]}`,
	"{\"d\":[{\"id\":1,\"text\":\"\xff\",\"inner\":\"\u00e9\"}]}",
	`{"d":[{"id":1,"text":5},{"id":2,"int":"5"},{"id":"3"},{"id":4,"int":1.5},{"id":5,"int":99999999999999999999},{"id":6,"big":7},{"id":7,"big":"x"}]}`,
	`{"d":[{"id":1,"time":"2026-11-22T06:03:05Z"},{"id":2,"time":"2026-11-31T06:03:05.823Z"},{"id":3,"time":"2026-02-29T00:00:00.000Z"},{"id":4,"time":"2024-02-29T23:59:60.000Z"},{"id":5,"time":"2026-11-22T06:03:05.823+01:00"},{"id":6,"time":""}]}`,
	`{"d":[{"id":0},{"text":"no id"},null,{"id":-5},5,"x",[],{"id":1}]}`,
	`{"d":[{"id":1},]}`, `{"d":[{"id":1}{"id":2}]}`, `{"d":[,]}`, `{"d":[{"id":1,}]}`, `{"d":[{"id":1},{"id":2}`, `{"d":[{"id":1},`, `{"d":[{"id":1}`,
	`{"d":[{"id":01}]}`, `{"d":[{"id":-0}]}`, `{"d":[{"id":1,"x":01}]}`, `{"d":[{"id":1,"x":tru}]}`, `{"d":[{"id":1,"x":1.}]}`, `{"d":[{"id":1}]}x`, `{"d":[{"id":1}]]`,
	`{"e":[]}`, `[]`, ``, `{`, `{"d":5}`, `{"d":null}`, `nonsense`, `{"d":[{"id":1,"ref":[{"id":1},{"id":2}]},{"id":2,"ref":[null]},{"id":3,"refs":[{}]},{"id":4,"ref":{"__id":null}},{"id":5,"ref":{"__id":1,"x":2}},{"id":6,"ref":5}]}`,
	`{"d":[{"ref":[{"text":5,"ref":[{"id":[{}]}]},{"id":1}],"id":1},{"refs":[5,{"id":{}}],"id":2}]}`,
	`{"d":[{"id":1,"\u0069d":5},{"id":2,"Ref":{"__id":1}},{"id":3,"big":"01"},{"id":4,"big":""},{"id":5,"big":" 1"}]}`,
	`{"d":[{"\u0069d":5,"t\u0065xt":"escaped"}]}`,
	"{\"d\":[{\"id\":1,\"text\":\"line\nbreak\"}]}",
	`{"d":[{"id":1,"json":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}]}`,
}

func TestDecodeRows_AsEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	for _, body := range responses {
		requireSame(t, body)
		for cut := range len(body) {
			requireSame(t, body[:cut])
		}
	}
}

func TestDecodeRows_LargerThanTheBuffer(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("large ", 7_000)
	body := `{"d":[{"id":1,"text":"small"},{"id":2,"text":"` + large + `"},` + strings.Repeat(" ", 40_000) + `{"id":3,"json":"` + large + `"},{"id":4}]}`
	requireSame(t, body)
	rows, err := readRows(strings.NewReader(body))
	require.NoError(t, err)
	assert.Len(t, rows, 4)
}

// Equal names cost no more than other ones: they once took time in the square of their number.
func TestDecodeRows_ManyEqualNames(t *testing.T) {
	body := `{"d":[{"id":1` + strings.Repeat(`,"x":1`, 100_000) + `}]}`
	allocated := testing.AllocsPerRun(1, func() {
		rows, err := readRows(strings.NewReader(body))
		require.NoError(t, err)
		require.Len(t, rows, 1)
	})
	assert.Less(t, allocated, 1000.0)
}

func FuzzDecodeRows_AsEncodingJSONDoes(f *testing.F) {
	for _, body := range responses {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) { requireSame(t, body) })
}

// realRows returns rows of a real server.
func realRows(t testing.TB, resource string) (rows []json.RawMessage) {
	t.Helper()
	data, err := os.ReadFile("../../testdata/conformance/dataset/" + resource + ".json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &rows))
	return rows
}

func TestDecodeRows_OfARealServer(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{"device", "release", "image"} {
		body, err := json.Marshal(map[string]any{"d": realRows(t, resource)})
		require.NoError(t, err)
		requireSame(t, string(body))
	}
}

func FuzzDecodeRows_OfARealServer(f *testing.F) {
	for _, resource := range []string{"device", "release", "image"} {
		body, err := json.Marshal(map[string]any{"d": realRows(f, resource)[:2]})
		require.NoError(f, err)
		f.Add(string(body))
	}
	f.Fuzz(func(t *testing.T, body string) { requireSame(t, body) })
}

func TestShapeOf(t *testing.T) {
	t.Parallel()
	type embedded struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	names := func(s *shape) (names []string) {
		for _, field := range s.fields {
			names = append(names, field.name)
		}
		return names
	}
	t.Run("what is not a struct has no fields", func(t *testing.T) {
		t.Parallel()
		assert.True(t, shapeOf[int]().opaque)
		assert.True(t, shapeOf[time.Time]().opaque)
	})
	t.Run("an embedded struct brings its fields", func(t *testing.T) {
		t.Parallel()
		s := shapeOf[struct {
			embedded
			Flag string `json:"flag"`
		}]()
		assert.Equal(t, []string{"id", "name", "flag"}, names(s))
		assert.False(t, s.opaque)
	})
	t.Run("an embedded struct with a name is one member", func(t *testing.T) {
		t.Parallel()
		type Named embedded
		s := shapeOf[struct {
			Named `json:"named"`
			Flag  string `json:"flag"`
		}]()
		assert.Equal(t, []string{"named", "flag"}, names(s))
	})
	t.Run("the outer of two fields of one name counts", func(t *testing.T) {
		t.Parallel()
		s := shapeOf[struct {
			embedded
			Other string `json:"name"`
		}]()
		assert.Equal(t, []string{"id", "name"}, names(s))
		assert.Equal(t, []int{1}, s.fields[1].index)
		assert.Equal(t, []string{"id", "name"}, s.columns)
	})
	t.Run("an embedded pointer that cannot be set is left to the package json", func(t *testing.T) {
		t.Parallel()
		assert.True(t, shapeOf[struct{ *embedded }]().opaque)
	})
	t.Run("so are options that only it knows", func(t *testing.T) {
		t.Parallel()
		assert.True(t, shapeOf[struct {
			Name string `json:"name,case:ignore"`
		}]().opaque)
	})
}

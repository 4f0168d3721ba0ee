package pine

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everything is a row with a field of every kind.
type everything struct {
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
	Ref     Ref[everything]   `json:"ref"`
	Refs    Refs[everything]  `json:"refs"`
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

type readRow struct {
	row   everything
	id    int64
	unfit bool
}

// readBoth reads an answer with the parser and with encoding/json alone.
func readBoth(t *testing.T, parsed, plain io.Reader) (fast, slow []readRow, fastErr, slowErr error) {
	t.Helper()
	into := func(rows *[]readRow) func(everything, int64, error) error {
		return func(row everything, id int64, unfit error) error {
			if unfit != nil {
				row = everything{} // callers do not look at it
			}
			*rows = append(*rows, readRow{row, id, unfit != nil})
			return nil
		}
	}
	fastErr = decodeRows(parsed, DefaultMaxRowSize, into(&fast))
	slowErr = decodeRest(plain, DefaultMaxRowSize, into(&slow))
	return fast, slow, fastErr, slowErr
}

func requireSame(t *testing.T, answer string) {
	t.Helper()
	for _, reader := range []func(string) io.Reader{
		func(s string) io.Reader { return strings.NewReader(s) },
		func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) },
		func(s string) io.Reader { return iotest.DataErrReader(strings.NewReader(s)) },
		func(s string) io.Reader {
			return io.MultiReader(strings.NewReader(s), failedReader{errors.New("reset")})
		},
	} {
		fast, slow, fastErr, slowErr := readBoth(t, reader(answer), reader(answer))
		require.Equal(t, slow, fast, answer)
		if slowErr == nil || fastErr == nil {
			require.Equal(t, slowErr, fastErr, answer)
			continue
		}
		for _, kind := range []error{ErrMalformed, ErrTooLarge, io.ErrUnexpectedEOF} {
			require.Equal(t, errors.Is(slowErr, kind), errors.Is(fastErr, kind), "%s: %v, %v", answer, slowErr, fastErr)
		}
	}
}

var answers = []string{
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
	`{"d":[{"ID":1,"Text":"capitals","id":2,"TEXT":"again"}]}`,
	`{"d":[{"id":1,"id":2,"text":"a","text":"b","text":null,"int":1,"int":null}]}`,
	`{"d":[{"id":0},{"text":"no id"},null,{"id":-5},5,"x",[],{"id":1}]}`,
	`{"d":[{"id":1},]}`, `{"d":[{"id":1}{"id":2}]}`, `{"d":[,]}`, `{"d":[{"id":1,}]}`, `{"d":[{"id":1},{"id":2}`, `{"d":[{"id":1},`, `{"d":[{"id":1}`,
	`{"d":[{"id":01}]}`, `{"d":[{"id":-0}]}`, `{"d":[{"id":1,"x":01}]}`, `{"d":[{"id":1,"x":tru}]}`, `{"d":[{"id":1,"x":1.}]}`, `{"d":[{"id":1}]}x`, `{"d":[{"id":1}]]`,
	`{"e":[]}`, `[]`, ``, `{`, `{"d":5}`, `{"d":null}`, `nonsense`, `{"d":[{"id":1,"ref":[{"id":1},{"id":2}]},{"id":2,"ref":[null]},{"id":3,"refs":[{}]},{"id":4,"ref":{"__id":null}},{"id":5,"ref":{"__id":1,"x":2}},{"id":6,"ref":5}]}`,
	`{"d":[{"id":1,"\u0069d":5},{"id":2,"Ref":{"__id":1}},{"id":3,"big":"01"},{"id":4,"big":""},{"id":5,"big":" 1"}]}`,
	"{\"d\":[{\"id\":1,\"text\":\"line\nbreak\"}]}",
	`{"d":[{"id":1,"json":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}]}`,
}

func TestTheParserReadsWhatEncodingJSONReads(t *testing.T) {
	t.Parallel()
	for _, answer := range answers {
		requireSame(t, answer)
		for cut := range len(answer) {
			fast, slow, fastErr, slowErr := readBoth(t, strings.NewReader(answer[:cut]), strings.NewReader(answer[:cut]))
			require.Equal(t, slow, fast, answer[:cut])
			require.Equal(t, slowErr == nil, fastErr == nil, answer[:cut])
		}
	}
}

func TestRowsLargerThanTheBufferAreRead(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("large ", 7_000)
	answer := `{"d":[{"id":1,"text":"small"},{"id":2,"text":"` + large + `"},` + strings.Repeat(" ", 40_000) + `{"id":3,"json":"` + large + `"},{"id":4}]}`
	requireSame(t, answer)
	fast, _, err, _ := readBoth(t, strings.NewReader(answer), strings.NewReader(answer))
	require.NoError(t, err)
	assert.Len(t, fast, 4)
}

func FuzzTheParserReadsWhatEncodingJSONReads(f *testing.F) {
	for _, answer := range answers {
		f.Add(answer)
	}
	f.Fuzz(func(t *testing.T, answer string) { requireSame(t, answer) })
}

func FuzzTheParserReadsRowsOfARealServer(f *testing.F) {
	for _, resource := range []string{"device", "release", "image"} {
		rows, err := os.ReadFile("../../testdata/conformance/dataset/" + resource + ".json")
		require.NoError(f, err)
		f.Add(`{"d":` + string(rows) + `}`)
	}
	f.Fuzz(func(t *testing.T, answer string) { requireSame(t, answer) })
}

func TestTypesThatTheParserDoesNotFollowAreLeftToEncodingJSON(t *testing.T) {
	t.Parallel()
	assert.Nil(t, targetsOf[int]())
	assert.Nil(t, targetsOf[time.Time]())
	assert.Nil(t, targetsOf[struct {
		*inner
		ID int64 `json:"id"`
	}]())
	assert.Nil(t, targetsOf[struct {
		inner `json:"inner"`
	}]())
	assert.Nil(t, targetsOf[struct {
		inner
		Inner string `json:"inner"`
	}]())
	assert.Nil(t, targetsOf[struct {
		Text string `json:"text,string"`
	}]())
	assert.NotNil(t, targetsOf[everything]())
}

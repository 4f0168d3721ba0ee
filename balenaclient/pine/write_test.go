package pine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

const (
	setName  pine.SettableText[ship]        = "name"
	setArmed pine.Settable[ship, bool]      = "is_armed"
	setKnots pine.Settable[ship, int64]     = "knots"
	setBuilt pine.Settable[ship, time.Time] = "built_at"
	setPort  pine.SettableLink[ship, port]  = "lies_in__port"
)

// bodyOf is what was sent with the last request.
func bodyOf(t *testing.T, w *wire) string {
	t.Helper()
	r := w.last()
	if r.Body == nil {
		return ""
	}
	body, err := r.GetBody()
	require.NoError(t, err)
	data, err := io.ReadAll(body)
	require.NoError(t, err)
	return string(data)
}

func TestQuery_Create(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, always(http.StatusCreated, `{"id":7,"name":"Vasa","lies_in__port":{"__id":5}}`))
	row, err := ships(client).Create(t.Context(), setName.Set(`it's "quoted"`), setArmed.Set(true), setKnots.Clear(),
		setBuilt.Set(time.Date(1628, 8, 10, 16, 0, 0, 999_999, time.FixedZone("", 3600))), setPort.Set(5))
	require.NoError(t, err)
	assert.EqualValues(t, 7, row.ID)
	assert.EqualValues(t, 5, row.Port.ID)
	assert.Equal(t, http.MethodPost, w.last().Method)
	assert.Equal(t, []string{"/base/v1/ship"}, w.targets())
	assert.JSONEq(t, `{"name":"it's \"quoted\"","is_armed":true,"knots":null,"built_at":"1628-08-10T15:00:00.000Z","lies_in__port":5}`, bodyOf(t, w))
	assert.Equal(t, "application/json", w.last().Header.Get("Content-Type"))
	w.requireAllClosed(t)
}

func TestQuery_Patch_Delete(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, always(http.StatusOK, ""))
	q := ships(client).Where(shipName.Eq("Vasa"), setPort.Eq(5))
	require.NoError(t, q.Patch(t.Context(), setPort.Clear()))
	assert.Equal(t, http.MethodPatch, w.last().Method)
	assert.JSONEq(t, `{"lies_in__port":null}`, bodyOf(t, w))
	require.NoError(t, q.Delete(t.Context()))
	assert.Equal(t, http.MethodDelete, w.last().Method)
	assert.Empty(t, bodyOf(t, w))
	const target = "/base/v1/ship?$filter=(name%20eq%20'Vasa')%20and%20(lies_in__port%20eq%205)"
	assert.Equal(t, []string{target, target}, w.targets())
	w.requireAllClosed(t)
}

func TestQuery_Patch_Delete_Refused(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, always(http.StatusOK, ""))
	vasa := ships(client).Where(shipName.Eq("Vasa"))
	protected := pine.From[ship](client, "ship", pine.Rules{Protected: true})
	ruled := pine.From[ship](client, "ship", pine.Rules{Check: func(resource string, values pine.Values) error {
		if name, ok := values.Lookup("name"); ok && name == "Titanic" {
			return &pine.InvalidError{Resource: resource, Column: "name", Value: name, Problem: "is unlucky", Remedy: "choose another"}
		}
		return nil
	}})
	for name, tt := range map[string]struct {
		err  error
		is   error
		want string
	}{
		"a change of all rows":           {ships(client).Patch(t.Context(), setName.Set("x")), pine.ErrUnfiltered, "would affect every row"},
		"a deletion of all rows":         {ships(client).Delete(t.Context()), pine.ErrUnfiltered, "add a Where filter"},
		"a change of the first rows":     {vasa.Top(1).Patch(t.Context(), setName.Set("x")), pine.ErrInvalid, "ignores OrderBy and Top"},
		"a deletion of the first rows":   {vasa.OrderBy(shipID.Asc()).Delete(t.Context()), pine.ErrInvalid, "ignores OrderBy and Top"},
		"a change to nothing":            {vasa.Patch(t.Context()), pine.ErrInvalid, "assigns nothing"},
		"two values for a column":        {vasa.Patch(t.Context(), setName.Set("a"), setName.Clear()), pine.ErrInvalid, "assigns name twice"},
		"a row from nothing":             {second(ships(client).Create(t.Context())), pine.ErrInvalid, "assigns nothing"},
		"a protected row":                {protected.Where(shipID.Eq(1)).Delete(t.Context()), pine.ErrProtected, "AllowProtected"},
		"all protected rows":             {protected.Delete(t.Context(), pine.AllowProtected()), pine.ErrUnfiltered, "add a Where filter"},
		"a value against the rules":      {second(ruled.Create(t.Context(), setName.Set("Titanic"))), pine.ErrInvalid, `ship: name "Titanic" is unlucky: choose another`},
		"a change against the rules":     {ruled.Where(shipID.Eq(1)).Patch(t.Context(), setName.Set("Titanic")), pine.ErrInvalid, "is unlucky"},
		"a check of what breaks a rule":  {ruled.Check(setName.Set("Titanic")), pine.ErrInvalid, "is unlucky"},
		"an upsert against the rules":    {second(ruled.Upsert(t.Context(), setName.Key("Titanic"))), pine.ErrInvalid, "is unlucky"},
		"a change that is not bound":     {pine.Where(shipID.Eq(1)).Patch(t.Context(), setName.Set("x")), nil, "not bound to a client"},
		"a row of no client":             {second(pine.Where(shipID.Eq(1)).Create(t.Context(), setName.Set("x"))), nil, "not bound to a client"},
		"a value of a key that is wrong": {(&pine.InvalidError{Resource: "ship", Column: "value", Key: "k", Problem: "is wrong"}), pine.ErrInvalid, `ship: value of "k" is wrong`},
	} {
		require.ErrorContains(t, tt.err, tt.want, name)
		if tt.is != nil {
			require.ErrorIs(t, tt.err, tt.is, name)
		}
	}
	assert.Empty(t, w.targets())
	require.NoError(t, ruled.Check(setName.Set("Vasa")))
}

func second[T any](_ T, err error) error { return err }

func TestQuery_Create_Retries(t *testing.T) {
	t.Parallel()
	created := always(http.StatusCreated, `{"id":7}`)
	for name, tt := range map[string]struct {
		first    roundTrip
		attempts int
		unknown  bool
		want     string
	}{
		"it was too much for the server":  {always(http.StatusTooManyRequests, `"Too Many Requests"`, "Retry-After", "1"), 2, false, ""},
		"the server was not there":        {always(http.StatusServiceUnavailable, ""), 2, false, ""},
		"a proxy lost the server":         {always(http.StatusBadGateway, ""), 1, true, "502"},
		"a proxy waited too long":         {always(http.StatusGatewayTimeout, ""), 1, true, "504"},
		"the server failed":               {always(http.StatusInternalServerError, ""), 1, false, "500"},
		"the connection broke":            {failing(errors.New("connection reset")), 1, true, "connection reset"},
		"the server could not be reached": {failing(&net.OpError{Op: "dial", Err: errors.New("connection refused")}), 2, false, ""},
		"the response was truncated": {func(int, *http.Request) (*http.Response, error) {
			return stream(http.StatusCreated, broken(`{"id"`)), nil
		}, 1, true, "reading the response"},
		"the server does not want the value": {always(http.StatusBadRequest, `"no"`), 1, false, "no"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, w := newClient(t, inTurn(tt.first, created))
				row, err := ships(client).Create(t.Context(), setName.Set("Vasa"))
				assert.Equal(t, tt.attempts, w.count())
				assert.Equal(t, tt.unknown, errors.Is(err, pine.ErrOutcomeUnknown), err)
				if tt.want == "" {
					require.NoError(t, err)
					assert.EqualValues(t, 7, row.ID)
					return
				}
				require.ErrorContains(t, err, tt.want)
				if tt.unknown {
					assert.ErrorContains(t, err, "check before retrying")
				}
			})
		})
	}
}

// Nothing was sent where nobody listens, so that there is no doubt about the outcome.
func TestQuery_Create_Unreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	attempts := 0
	client, err := pine.New(pine.Config{BaseURL: server.URL, Retry: pine.Retry{MaxAttempts: 3, Backoff: time.Millisecond}, Observe: func(call pine.Call) { attempts += call.Attempts }})
	require.NoError(t, err)
	_, err = ships(client).Create(t.Context(), setName.Set("Vasa"))
	require.Error(t, err)
	require.NotErrorIs(t, err, pine.ErrOutcomeUnknown)
	assert.ErrorContains(t, err, "connection refused (after 3 attempts)")
	assert.Equal(t, 3, attempts)
}

// A proxy that cannot be reached, or a TLS handshake that fails, sends nothing either. Only the connection itself says so.
func TestQuery_Create_NoConnection(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	proxy, err := url.Parse(server.URL)
	require.NoError(t, err)
	client, err := pine.New(pine.Config{
		BaseURL: "https://api.example.com", HTTPClient: &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}, Retry: pine.Retry{MaxAttempts: 2, Backoff: time.Millisecond},
	})
	require.NoError(t, err)
	_, err = ships(client).Create(t.Context(), setName.Set("Vasa"))
	require.ErrorContains(t, err, "(after 2 attempts)")
	require.NotErrorIs(t, err, pine.ErrOutcomeUnknown)
}

func TestQuery_Patch_Retries(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]roundTrip{
		"after a broken connection": failing(errors.New("connection reset")),
		"after a proxy's failure":   always(http.StatusBadGateway, ""),
		"after too many requests":   always(http.StatusTooManyRequests, ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, w := newClient(t, inTurn(first, first, always(http.StatusOK, "")))
				require.NoError(t, ships(client).Where(shipID.Eq(1)).Patch(t.Context(), setName.Set("Vasa")))
				assert.Equal(t, 3, w.count())
				assert.JSONEq(t, `{"name":"Vasa"}`, bodyOf(t, w), "with its body")
			})
		})
	}
}

func TestQuery_Create_Redirected(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, inTurn(always(http.StatusMovedPermanently, "", "Location", "https://api.example.com/base/v2/ship"), always(http.StatusOK, `{"d":[]}`)))
	_, err := ships(client).Create(t.Context(), setName.Set("Vasa"))
	require.ErrorIs(t, err, pine.ErrMalformed)
	assert.ErrorContains(t, err, "redirect of a POST")
	assert.Equal(t, 1, w.count())

	client, w = newClient(t, inTurn(always(http.StatusPermanentRedirect, "", "Location", "https://api.example.com/base/v2/ship"), always(http.StatusCreated, `{"id":1}`)))
	_, err = ships(client).Create(t.Context(), setName.Set("Vasa"))
	require.NoError(t, err)
	assert.Equal(t, http.MethodPost, w.last().Method)
	assert.JSONEq(t, `{"name":"Vasa"}`, bodyOf(t, w))
}

func TestQuery_Upsert(t *testing.T) {
	t.Parallel()
	taken := always(http.StatusConflict, `"\"port\" and \"name\" must be unique."`)
	key := setPort.Key(5).And(shipName.Key("Va'sa"))
	client, w := newClient(t, inTurn(taken, always(http.StatusOK, ""), always(http.StatusOK, `{"d":[{"id":7,"name":"Va'sa"}]}`)))
	row, err := ships(client).Where(shipID.Eq(99)).Upsert(t.Context(), key, setArmed.Set(true))
	require.NoError(t, err)
	assert.EqualValues(t, 7, row.ID)
	filter := "$filter=(lies_in__port%20eq%205)%20and%20(name%20eq%20'Va%27%27sa')"
	require.Len(t, w.targets(), 3)
	assert.Equal(t, "/base/v1/ship?"+filter, w.targets()[1])
	assert.Contains(t, w.targets()[2], filter)

	client, w = newClient(t, inTurn(taken, always(http.StatusOK, `{"d":[{"id":7}]}`)))
	_, err = ships(client).Upsert(t.Context(), key) // a row that is all key
	require.NoError(t, err)
	assert.Equal(t, 2, w.count())

	client, _ = newClient(t, inTurn(taken, always(http.StatusBadRequest, `"no"`)))
	_, err = ships(client).Upsert(t.Context(), key, setArmed.Set(true))
	require.ErrorIs(t, err, pine.ErrBadRequest)
}

// The key keeps a row from being created twice.
func TestQuery_Upsert_Retries(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]roundTrip{
		"a broken connection": failing(errors.New("connection reset")),
		"a proxy's failure":   always(http.StatusBadGateway, ""),
		"a proxy's timeout":   always(http.StatusGatewayTimeout, ""),
		"a truncated response": func(int, *http.Request) (*http.Response, error) {
			return stream(http.StatusCreated, broken(`{"id"`)), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, w := newClient(t, inTurn(first, first, always(http.StatusCreated, `{"id":7}`)))
				row, err := ships(client).Upsert(t.Context(), setName.Key("Vasa"), setArmed.Set(true))
				require.NoError(t, err)
				assert.EqualValues(t, 7, row.ID)
				assert.Equal(t, 3, w.count())

				client, _ = newClient(t, first)
				_, err = ships(client).Upsert(t.Context(), setName.Key("Vasa"), setArmed.Set(true))
				require.Error(t, err)
				assert.NotErrorIs(t, err, pine.ErrOutcomeUnknown, "it can simply be retried")
			})
		})
	}
}

func TestQuery_Upsert_OtherUniqueValue(t *testing.T) {
	t.Parallel()
	taken := always(http.StatusConflict, `"\"knots\" must be unique."`)
	patched, none := always(http.StatusOK, ""), always(http.StatusOK, `{"d":[]}`)
	client, w := newClient(t, inTurn(taken, patched, none, taken, patched, none))
	_, err := ships(client).Upsert(t.Context(), setName.Key("Vasa"), setKnots.Set(5))
	require.ErrorIs(t, err, pine.ErrConflict)
	require.EqualError(t, err, `ship: no row has the key name='Vasa', but another row has a value that must be unique: POST /v1/ship: 409 Conflict: "knots" must be unique.`)
	assert.Equal(t, 6, w.count())
}

func TestQuery_Upsert_OthersDeleteTheRow(t *testing.T) {
	t.Parallel()
	taken := always(http.StatusConflict, `"\"name\" must be unique."`)
	patched, none := always(http.StatusOK, ""), always(http.StatusOK, `{"d":[]}`)
	gone := []roundTrip{taken, patched, none}
	client, w := newClient(t, inTurn(slices.Concat(gone, gone, gone, []roundTrip{always(http.StatusCreated, `{"id":7}`)})...))
	row, err := ships(client).Upsert(t.Context(), setName.Key("Vasa"), setKnots.Set(5))
	require.NoError(t, err)
	assert.EqualValues(t, 7, row.ID)
	assert.Equal(t, 10, w.count())

	client, w = newClient(t, inTurn(slices.Concat(gone, gone, gone, gone)...))
	_, err = ships(client).Upsert(t.Context(), setName.Key("Vasa"), setKnots.Set(5))
	require.ErrorIs(t, err, pine.ErrConflict)
	require.ErrorContains(t, err, "ship: others keep deleting the row with the key name='Vasa'")
	assert.Equal(t, 12, w.count())
}

func TestSettable(t *testing.T) {
	t.Parallel()
	for want, filter := range map[string]pine.Filter[ship]{
		"knots ge 5":                           setKnots.Ge(5),
		"knots gt 5":                           setKnots.Gt(5),
		"knots le 5":                           setKnots.Le(5),
		"knots lt 5":                           setKnots.Lt(5),
		"knots ne 5":                           setKnots.Ne(5),
		"knots eq 5":                           setKnots.Eq(5),
		"knots in (5,6)":                       setKnots.In(5, 6),
		"knots eq null":                        setKnots.IsNull(),
		"knots ne null":                        setKnots.NotNull(),
		"startswith(name,'V')":                 setName.StartsWith("V"),
		"lies_in__port in (5)":                 setPort.In(5),
		"lies_in__port eq null":                setPort.IsNull(),
		"lies_in__port ne null":                setPort.NotNull(),
		"lies_in__port/any(x1:x1/name eq 'X')": setPort.Where(portName.Eq("X")),
	} {
		assert.Equal(t, "$filter="+want, sent(t, func(c *pine.Client) pine.Query[ship] { return ships(c).Where(filter).Select(shipID) }))
	}
	client, w := newClient(t, always(http.StatusOK, `{"d":[]}`))
	_, err := ships(client).Select(setName).Expand(setPort.With(pine.Select(portName))).OrderBy(setName.Asc(), setKnots.Desc()).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "/base/v1/ship?$select=id,name&$expand=lies_in__port($select=id,name)&$orderby=name%20asc,knots%20desc", w.targets()[0])
	_, err = ships(client).Select(setPort).GetBy(t.Context(), setName.Key("x"))
	require.ErrorIs(t, err, pine.ErrNotFound)
}

func TestError_Temporary(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  *pine.Error
		want bool
	}{
		"a proxy's failure":    {&pine.Error{Status: 502}, true},
		"the server's failure": {&pine.Error{Status: 500}, true},
		"too many requests":    {&pine.Error{Status: 429}, true},
		"no permission":        {&pine.Error{Status: 401}, false},
		"silence":              {&pine.Error{Err: pine.ErrSilent}, true},
		"nonsense":             {&pine.Error{Status: 200, Err: fmt.Errorf("x: %w", pine.ErrMalformed)}, false},
	} {
		assert.Equal(t, tt.want, tt.err.Temporary(), name)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		handle roundTrip
		want   []string
		is     error
	}{
		"to the end":            {always(http.StatusOK, "a\n\nb\r\nc"), []string{"a", "", "b", "c"}, io.EOF},
		"until it breaks":       {func(int, *http.Request) (*http.Response, error) { return stream(http.StatusOK, broken("a\nb")), nil }, []string{"a", "b"}, io.ErrUnexpectedEOF},
		"unless it is refused":  {always(http.StatusNotFound, `"No device"`), nil, pine.ErrNotFound},
		"unless a line is long": {always(http.StatusOK, "a\n"+strings.Repeat("x", 1<<20+1)), []string{"a"}, pine.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, w := newClient(t, tt.handle)
			var got []string
			var last error
			for line, err := range pine.Lines(t.Context(), client, "/lines?stream=1", time.Minute) {
				if last = err; err == nil {
					got = append(got, string(line))
				}
			}
			assert.Equal(t, tt.want, got)
			require.ErrorIs(t, last, tt.is)
			assert.Equal(t, []string{"/base/lines?stream=1"}, w.targets(), "a stream is not retried")
			w.requireAllClosed(t)
		})
	}
}

// pacedBody yields one chunk a read, and fails once the request was given up.
type pacedBody struct {
	ctx    context.Context
	chunks []string
}

func (b *pacedBody) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if len(b.chunks) == 0 {
		<-b.ctx.Done() // silence
		return 0, b.ctx.Err()
	}
	n := copy(p, b.chunks[0])
	b.chunks = b.chunks[1:]
	return n, nil
}

func (b *pacedBody) Close() error { return nil }

// A consumer that takes its time does not make the server a silent one.
func TestLines_SlowConsumer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := newClient(t, func(_ int, r *http.Request) (*http.Response, error) {
			return stream(http.StatusOK, &pacedBody{r.Context(), []string{"a\n", "b\n", "c\n"}}), nil
		})
		var got []string
		var last error
		var silentFor time.Duration
		var at time.Time
		for line, err := range pine.Lines(t.Context(), client, "/lines?stream=1", time.Minute) {
			if last = err; err != nil {
				silentFor = time.Since(at)
				break
			}
			got = append(got, string(line))
			time.Sleep(5 * time.Minute)
			at = time.Now()
		}
		assert.Equal(t, []string{"a", "b", "c"}, got)
		require.ErrorIs(t, last, pine.ErrSilent)
		assert.Equal(t, time.Minute, silentFor)
	})
}

func TestAs_Extra(t *testing.T) {
	t.Parallel()
	type odd struct {
		ship
		Extra map[string]json.RawMessage `pine:"extra"`
	}
	client, w := newClient(t, always(http.StatusOK, `{"d":[{"id":1,"name":"a","guns":[64, "x"]}, {"id":2,"flag":null,"log":"x"},{"id":3,"name":5,"guns":1}]}`))
	rows, err := pine.As[odd](ships(client).Where(shipName.Ne("x"))).List(t.Context())
	require.ErrorIs(t, err, pine.ErrMalformed, "the third row's name is not a string")
	require.Len(t, rows, 2)
	assert.Equal(t, "a", rows[0].Name)
	assert.Equal(t, map[string]json.RawMessage{"guns": json.RawMessage(`[64, "x"]`)}, rows[0].Extra)
	assert.Equal(t, map[string]json.RawMessage{"flag": json.RawMessage(`null`)}, rows[1].Extra)
	assert.Equal(t, "x", rows[1].Log)
	assert.Contains(t, w.targets()[0], "?$select=*&$filter=name%20ne%20'x'")

	_, err = pine.As[odd](ships(client).Select(shipName)).List(t.Context())
	require.Error(t, err)
	assert.Contains(t, w.targets()[1], "?$select=id,name&")
}

func TestAs(t *testing.T) {
	t.Parallel()
	type short struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	client, w := newClient(t, always(http.StatusOK, `{"d":[{"id":1,"name":"a"}]}`))
	rows, err := pine.As[short](ships(client).Where(shipName.Eq("a")).Expand(shipPort.With(pine.Select(portName))).PageSize(7)).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []short{{1, "a"}}, rows)
	assert.Equal(t, "/base/v1/ship?$select=id,name&$expand=lies_in__port($select=id,name)&$filter=name%20eq%20'a'&$orderby=id%20asc&$top=7", w.targets()[0])
	_, err = pine.As[short](ships(client).Expand(shipPort.With(pine.Select(portName)), shipPort.With(pine.Select(portName)))).List(t.Context())
	require.ErrorContains(t, err, "expands lies_in__port twice")
}

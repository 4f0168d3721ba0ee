package pine_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

// endless repeats a string forever and counts what was read of it.
type endless struct {
	text string
	read atomic.Int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.read.Load()%int64(len(e.text)):])
	e.read.Add(int64(n))
	return n, nil
}

func (e *endless) Close() error { return nil }

func TestConfig_MaxResponseSize_EndlessResponse(t *testing.T) {
	t.Parallel()
	const bound = 1 << 20
	for name, text := range map[string]string{
		"of blanks":    strings.Repeat(" ", 1<<16),
		"of rows":      `{"d":[{"name":"a ship without an id"},`,
		"of one value": `{"d":[{"name":"` + strings.Repeat("x", 2*bound),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := &endless{text: text}
			client, w := newClient(t, func(int, *http.Request) (*http.Response, error) {
				return stream(200, body), nil
			}, func(c *pine.Config) { c.MaxResponseSize = bound })
			_, err := ships(client).List(t.Context())
			if name != "of rows" { // which is malformed from the second on
				require.ErrorIs(t, err, pine.ErrTooLarge)
				require.EqualError(t, err, "GET /v1/ship: 200 OK: reading the response: response too large")
				assert.Equal(t, int64(bound+1), body.read.Load())
			}
			require.Error(t, err)
			assert.LessOrEqual(t, body.read.Load(), int64(bound+1))
			assert.Equal(t, 1, w.count(), "it is not retried")
			w.requireAllClosed(t)
		})
	}
}

func TestConfig_MaxResponseSize(t *testing.T) {
	t.Parallel()
	body := `{"d":[{"id":1},{"id":2}]}`
	for bound, want := range map[int64]int{int64(len(body)): 2, int64(len(body)) + 1: 2, int64(len(body)) - 1: -1, 1: -1} {
		client, _ := newClient(t, always(200, body), func(c *pine.Config) { c.MaxResponseSize = bound })
		rows, err := ships(client).List(t.Context())
		if want < 0 {
			require.ErrorIs(t, err, pine.ErrTooLarge, bound)
			continue
		}
		require.NoError(t, err, bound)
		assert.Len(t, rows, want)
	}
}

func TestConfig_MaxRowSize(t *testing.T) {
	t.Parallel()
	const limit = 1 << 16
	large := strings.Repeat("x", 2*limit)
	for name, tt := range map[string]struct {
		body string
		rows int
		is   error
	}{
		"small rows, together larger":   {`{"d":[{"id":1}` + strings.Repeat(` ,{"id":0,"log":"xxxxxxxxxxxxxxxxxxxxxxxxx"}`, limit/10) + `]}`, 1, pine.ErrMalformed},
		"a row of one string":           {`{"d":[{"id":1},{"id":2,"name":"` + large + `"}]}`, 1, pine.ErrTooLarge},
		"a row of one unknown string":   {`{"d":[{"id":1},{"id":2,"mast":"` + large + `"}]}`, 1, pine.ErrTooLarge},
		"a row of many small values":    {`{"d":[{"id":1},{"id":2` + strings.Repeat(`,"x":1`, limit/3) + `}]}`, 1, pine.ErrTooLarge},
		"a row of many expanded rows":   {`{"d":[{"id":1},{"id":2,"crew":[{"id":1}` + strings.Repeat(`,{"id":2}`, limit/4) + `]}]}`, 1, pine.ErrTooLarge},
		"white space before a row":      {`{"d":[{"id":1},` + strings.Repeat(" ", 2*limit) + `{"id":2}]}`, 1, pine.ErrTooLarge},
		"an undecodable row":            {`{"d":[{"id":1},{"id":2,"name":[` + strings.Repeat(`1,`, limit) + `1]}]}`, 1, pine.ErrTooLarge},
		"a large member after the rows": {`{"d":[{"id":1}],"more":"` + large + `"}`, 1, pine.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := &countedBody{Reader: strings.NewReader(tt.body)}
			client, w := newClient(t, func(int, *http.Request) (*http.Response, error) { return stream(200, body), nil },
				pageSize(1<<20), func(c *pine.Config) { c.MaxRowSize = limit })
			rows, err := ships(client).List(t.Context())
			require.ErrorIs(t, err, tt.is)
			assert.Len(t, rows, tt.rows)
			assert.Equal(t, 1, w.count(), "it is not retried")
			if errors.Is(err, pine.ErrTooLarge) {
				require.EqualError(t, err, "GET /v1/ship: 200 OK: reading the response: response too large: a row of more than 65536 bytes")
				assert.Less(t, body.read, 2*limit, "reading ends soon after the limit")
			}
		})
	}
}

type countedBody struct {
	io.Reader
	read int
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (b *countedBody) Close() error { return nil }

func TestError_EndlessBody(t *testing.T) {
	t.Parallel()
	body := &endless{text: "down for maintenance, "}
	client, w := newClient(t, func(int, *http.Request) (*http.Response, error) { return stream(500, body), nil })
	_, err := ships(client).List(t.Context())
	require.ErrorIs(t, err, pine.ErrServer)
	assert.Less(t, len(err.Error()), 600)
	assert.LessOrEqual(t, body.read.Load(), int64(64<<10))
	w.requireAllClosed(t)
}

func TestQuery_TooLong(t *testing.T) {
	t.Parallel()
	client, w := newClient(t, always(200, `{"d":[]}`))
	const around = len("/v1/ship?$select=id&$filter=name%20eq%20''&$orderby=id%20asc&$top=1000")
	const most = 15 << 10
	query := ships(client).Select(shipID)
	_, err := query.Where(shipName.Eq(strings.Repeat("x", most-around))).List(t.Context())
	require.NoError(t, err)
	_, err = query.Where(shipName.Eq(strings.Repeat("x", most-around+1))).List(t.Context())
	require.EqualError(t, err, "GET /v1/ship: bad request: the query has 15361 bytes, the server accepts about 15360: request fewer values at once")
	require.ErrorIs(t, err, pine.ErrBadRequest)
	assert.NotErrorIs(t, err, pine.ErrMalformed)
	ids := make([]int64, 10_000)
	_, err = query.Where(shipID.In(pine.IDs[ship](ids)...)).List(t.Context())
	require.ErrorIs(t, err, pine.ErrBadRequest)
	assert.Less(t, len(err.Error()), 200)
	assert.Equal(t, 1, w.count())
}

func gzipped(t testing.TB, write func(io.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	write(z)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// serve is a client of a real HTTP server.
func serve(t *testing.T, handler http.HandlerFunc, change ...func(*pine.Config)) *pine.Client {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = discardLog
	server.Start()
	t.Cleanup(server.Close)
	config := pine.Config{BaseURL: server.URL, Root: "/v1", HTTPClient: server.Client()}
	for _, f := range change {
		f(&config)
	}
	client, err := pine.New(config)
	require.NoError(t, err)
	return client
}

func TestClient_Gzip(t *testing.T) {
	t.Parallel()
	compressed := gzipped(t, func(w io.Writer) { fmt.Fprint(w, smallResponse) })
	send := func(body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "gzip" {
				w.WriteHeader(http.StatusNotAcceptable)
				return
			}
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(body)
		}
	}
	rows, err := ships(serve(t, send(compressed))).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 2, 13}, ids(rows))

	t.Run("and not trusted when it is damaged", func(t *testing.T) {
		t.Parallel()
		damaged := bytes.Clone(compressed)
		damaged[len(damaged)-5] ^= 1 // in the checksum
		for _, body := range [][]byte{damaged, compressed[:len(compressed)-9], compressed[:len(compressed)/2]} {
			_, err := ships(serve(t, send(body), once)).List(t.Context())
			require.ErrorContains(t, err, "GET /v1/ship: 200 OK: ")
		}
	})
	t.Run("no further than allowed", func(t *testing.T) {
		t.Parallel()
		bomb := gzipped(t, func(w io.Writer) {
			_, _ = io.WriteString(w, `{"d":[`)
			blanks := strings.Repeat(" ", 1<<20)
			for range 32 {
				_, _ = io.WriteString(w, blanks)
			}
		})
		require.Less(t, len(bomb), 100<<10)
		_, err := ships(serve(t, send(bomb), func(c *pine.Config) { c.MaxResponseSize = 1 << 20 })).List(t.Context())
		require.ErrorIs(t, err, pine.ErrTooLarge)
	})
}

func TestQuery_All_ReusesTheConnection(t *testing.T) {
	t.Parallel()
	server := newSea(100)
	var connections sync.Map
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		connections.Store(r.RemoteAddr, true)
		response, err := server.respond(1, r)
		if err == nil {
			_, _ = io.Copy(w, response.Body)
		}
	}, pageSize(7))
	rows, err := ships(client).List(t.Context())
	require.NoError(t, err)
	assert.Len(t, rows, 100)
	n := 0
	connections.Range(func(any, any) bool { n++; return true })
	assert.Equal(t, 1, n)
}

func TestQuery_All_BrokenConnection(t *testing.T) {
	t.Parallel()
	server := newSea(50)
	var number atomic.Int32
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		response, err := server.respond(1, r)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(response.Body)
		if number.Add(1)%2 == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body[:len(body)/2])
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(body)
	}, pageSize(20), noPause)
	rows, err := ships(client).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, upTo(50), ids(rows))
}

func TestQuery_List_CanceledWhileReading(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"d":[{"id":1},`)
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	})
	_, err := ships(client).List(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// A page is held as rows only, not as JSON too: decoding allocates little more than the rows themselves.
func TestQuery_List_Memory(t *testing.T) {
	const rows = 10_000
	type wide struct {
		ID   int64  `json:"id"`
		Text string `json:"text"`
	}
	page := func() io.ReadCloser {
		reader, writer := io.Pipe()
		go func() {
			text := strings.Repeat("x", 500)
			_, _ = io.WriteString(writer, `{"d":[`)
			for id := range rows {
				if id > 0 {
					_, _ = io.WriteString(writer, ",")
				}
				_, _ = fmt.Fprintf(writer, `{"text":"%s","unknown":"%s","id":%d}`, text[:10], text, id+1)
			}
			_, _ = io.WriteString(writer, `]}`)
			_ = writer.Close()
		}()
		return reader
	}
	size, err := io.Copy(io.Discard, page())
	require.NoError(t, err)
	require.Greater(t, size, int64(5<<20))

	var most atomic.Uint64
	watched := func() io.ReadCloser { return &heapWatcher{ReadCloser: page(), most: &most} }
	client, _ := newClient(t, func(int, *http.Request) (*http.Response, error) { return stream(200, watched()), nil }, pageSize(rows+1))
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := pine.From[wide](client, "wide").List(t.Context())
	require.NoError(t, err)
	require.Len(t, got, rows)
	held := most.Load() - before.HeapAlloc
	assert.Less(t, held, uint64(size)/2, "of a page of %d bytes, most of which is in fields that nobody wants", size)
}

// heapWatcher notes the most that was in use while a body was read.
type heapWatcher struct {
	io.ReadCloser
	most  *atomic.Uint64
	reads int
}

func (h *heapWatcher) Read(p []byte) (int, error) {
	if h.reads++; h.reads%20_000 == 0 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		h.most.Store(max(h.most.Load(), stats.HeapAlloc))
	}
	return h.ReadCloser.Read(p)
}

func TestClient_Concurrent(t *testing.T) {
	t.Parallel()
	server := newSea(100)
	var calls atomic.Int64
	client, w := newClient(t, func(number int, r *http.Request) (*http.Response, error) {
		if number%5 == 0 {
			return respond(503, "busy")
		}
		return server.respond(number, r)
	}, pageSize(9), noPause, func(c *pine.Config) {
		c.Retry.MaxAttempts = 20
		c.Observe = func(pine.Call) { calls.Add(1) }
	})
	shared := ships(client).Where(shipArmed.Eq(true)).Expand(shipCrew.Count())
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			query := shared
			if i%2 == 0 {
				query = shared.Where(shipKnots.Gt(int64(i))).Select(shipName)
			}
			for range 5 {
				rows, err := query.List(t.Context())
				assert.NoError(t, err)
				assert.Equal(t, upTo(100), ids(rows))
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(16*5*12), calls.Load())
	w.requireAllClosed(t)
}

func TestConfig_HTTPClient_Default(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, someShips) }))
	defer server.Close()
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	client, err := pine.New(pine.Config{BaseURL: server.URL})
	require.NoError(t, err)
	row, err := ships(client).First(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, row.ID)
}

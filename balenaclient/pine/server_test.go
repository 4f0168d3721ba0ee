package pine_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A port has ships, and a ship has sailors: a model that is not balena's, since pine knows no noun of it.
type ship struct {
	ID     pine.ID[ship]     `json:"id"`
	Name   string            `json:"name"`
	Armed  bool              `json:"is_armed"`
	Knots  *int64            `json:"knots"`
	Built  *time.Time        `json:"built_at"`
	Port   pine.Ref[port]    `json:"lies_in__port"`
	Crew   pine.Refs[sailor] `json:"crew"`
	Log    string            `json:"log" pine:"optional"`
	Secret string            // not a column
	Hidden string            `json:"-"`
}

type port struct {
	ID    int64           `json:"id"`
	Name  string          `json:"name"`
	Ships pine.Refs[ship] `json:"ship"`
}

type sailor struct {
	ID   int64          `json:"id"`
	Name string         `json:"name"`
	Ship pine.Ref[ship] `json:"sails__ship"`
}

const (
	shipID    pine.Field[ship, pine.ID[ship]] = "id"
	shipName  pine.Text[ship]                 = "name"
	shipArmed pine.Field[ship, bool]          = "is_armed"
	shipKnots pine.Field[ship, int64]         = "knots"
	shipBuilt pine.Field[ship, time.Time]     = "built_at"
	shipPort  pine.Link[ship, port]           = "lies_in__port"
	shipCrew  pine.Links[ship, sailor]        = "crew"
	shipLog   pine.Column[ship]               = "log"

	portName  pine.Text[port]        = "name"
	portShips pine.Links[port, ship] = "ship"

	sailorName pine.Text[sailor]       = "name"
	sailorShip pine.Link[sailor, ship] = "sails__ship"
)

const testToken = "t0p-s3cret-t0ken"

// roundTrip responds to requests in process. The number counts the requests from 1.
type roundTrip func(number int, r *http.Request) (*http.Response, error)

// wire is an http.RoundTripper that remembers what was sent.
type wire struct {
	handle roundTrip

	mu       sync.Mutex
	requests []*http.Request
	times    []time.Time
	bodies   []*trackedBody
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.requests = append(w.requests, r)
	w.times = append(w.times, time.Now())
	number := len(w.requests)
	w.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response, err := w.handle(number, r)
	if response != nil {
		response.Request = r
		body := &trackedBody{ReadCloser: response.Body}
		response.Body = body
		w.mu.Lock()
		w.bodies = append(w.bodies, body)
		w.mu.Unlock()
	}
	return response, err
}

// targets are the request targets as they stood on the wire.
func (w *wire) targets() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	targets := make([]string, len(w.requests))
	for i, r := range w.requests {
		targets[i] = r.URL.RequestURI()
	}
	return targets
}

func (w *wire) count() int { return len(w.targets()) }

func (w *wire) last() *http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests[len(w.requests)-1]
}

// requireAllClosed fails if the body of a response was left open.
func (w *wire) requireAllClosed(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, body := range w.bodies {
		require.True(t, body.closed, "the body of response %d was left open", i+1)
	}
}

type trackedBody struct {
	io.ReadCloser
	closed bool
}

func (b *trackedBody) Close() error {
	b.closed = true
	return b.ReadCloser.Close()
}

// respond returns a response; headers are pairs of name and value.
func respond(status int, body string, headers ...string) (*http.Response, error) {
	return stream(status, io.NopCloser(strings.NewReader(body)), headers...), nil
}

func stream(status int, body io.ReadCloser, headers ...string) *http.Response {
	header := http.Header{}
	for pair := range slices.Chunk(headers, 2) {
		header.Add(pair[0], pair[1])
	}
	return &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: header, Body: body, ContentLength: -1}
}

func always(status int, body string, headers ...string) roundTrip {
	return func(int, *http.Request) (*http.Response, error) { return respond(status, body, headers...) }
}

// inTurn returns one response after the other, and then the last one again and again.
func inTurn(responses ...roundTrip) roundTrip {
	return func(number int, r *http.Request) (*http.Response, error) {
		return responses[min(number, len(responses))-1](number, r)
	}
}

func failing(err error) roundTrip {
	return func(int, *http.Request) (*http.Response, error) { return nil, err }
}

// newClient returns a client whose requests are handled in process. The base URL has a path, so that a missing one shows.
func newClient(t testing.TB, handle roundTrip, change ...func(*pine.Config)) (*pine.Client, *wire) {
	t.Helper()
	w := &wire{handle: handle}
	config := pine.Config{
		BaseURL:    "https://api.example.com/base",
		Root:       "/v1",
		HTTPClient: &http.Client{Transport: w},
		Token:      func(context.Context) (string, error) { return testToken, nil },
	}
	for _, f := range change {
		f(&config)
	}
	client, err := pine.New(config)
	require.NoError(t, err)
	return client, w
}

func once(c *pine.Config) { c.Retry.MaxAttempts = 1 }

func pageSize(rows int) func(*pine.Config) {
	return func(c *pine.Config) { c.PageSize = rows }
}

func ships(c *pine.Client) pine.Query[ship] { return pine.From[ship](c, "ship") }

// sea is a server with ships, which pages by id as asked. It understands the two options that paging needs.
type sea struct {
	mu    sync.Mutex
	ships []ship

	// changed is called before each response with its number.
	changed func(number int)

	// body may damage a response.
	body func(number int, body string) io.ReadCloser

	ignoreFilter bool
	ignoreTop    bool
}

var (
	afterID = regexp.MustCompile(`id%20gt%20(\d+)`)
	topRows = regexp.MustCompile(`&\$top=(\d+)`)
)

func newSea(n int) *sea {
	s := &sea{}
	for id := range n {
		s.ships = append(s.ships, ship{ID: pine.ID[ship](id + 1), Name: "ship " + strconv.Itoa(id+1)})
	}
	return s
}

func (s *sea) remove(id pine.ID[ship]) {
	s.ships = slices.DeleteFunc(s.ships, func(row ship) bool { return row.ID == id })
}

func (s *sea) respond(number int, r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		s.changed(number)
	}
	target := r.URL.RequestURI()
	after, top := pine.ID[ship](0), len(s.ships)
	if found := afterID.FindStringSubmatch(target); found != nil && !s.ignoreFilter {
		n, _ := strconv.ParseInt(found[1], 10, 64)
		after = pine.ID[ship](n)
	}
	if found := topRows.FindStringSubmatch(target); found != nil && !s.ignoreTop {
		top, _ = strconv.Atoi(found[1])
	}
	slices.SortFunc(s.ships, func(a, b ship) int { return cmp.Compare(a.ID, b.ID) })
	var b bytes.Buffer
	b.WriteString(`{"d":[`)
	rows := 0
	for _, row := range s.ships {
		if row.ID <= after || rows == top {
			continue
		}
		if rows++; rows > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":%q,"crew":0,"id":%d}`, row.Name, row.ID)
	}
	b.WriteString(`]}`)
	if s.body != nil {
		return stream(http.StatusOK, s.body(number, b.String())), nil
	}
	return respond(http.StatusOK, b.String())
}

// broken returns a body that fails before its end, like a connection that breaks.
func broken(body string) io.ReadCloser {
	return io.NopCloser(io.MultiReader(strings.NewReader(body), errReader{io.ErrUnexpectedEOF}))
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func ids(rows []ship) []int64 {
	var all []int64
	for _, row := range rows {
		all = append(all, int64(row.ID))
	}
	return all
}

// upTo is 1, 2, … n.
func upTo(n int) []int64 {
	var all []int64
	for id := range n {
		all = append(all, int64(id+1))
	}
	return all
}

// discardLog is for servers that are meant to fail.
var discardLog = log.New(io.Discard, "", 0)

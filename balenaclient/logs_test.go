package balenaclient_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/simtest"
)

const loggingDevice = "827050a823694584bf5e9ff0ff50bde4"

// lines are as many as there are texts.
func lines(texts ...string) []balenasim.LogLine {
	all := make([]balenasim.LogLine, len(texts))
	for i, text := range texts {
		all[i] = balenasim.LogLine{Message: text, ServiceID: 1}
	}
	return all
}

func TestLogs_History(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	require.NoError(t, sim.WriteLogs(loggingDevice, lines("one", "two")...))
	time.Sleep(2 * time.Millisecond) // the server's stamps have milliseconds
	require.NoError(t, sim.WriteLogs(loggingDevice, balenasim.LogLine{Message: "three", IsSystem: true, IsStdErr: true}))

	read := func(options ...balenaclient.LogOption) []balenaclient.LogLine {
		all, err := client.Logs(loggingDevice).History(t.Context(), options...)
		require.NoError(t, err)
		return all
	}
	all := read()
	require.Len(t, all, 3)
	assert.Equal(t, "one", all[0].Message)
	assert.Equal(t, balenaclient.ServiceID(1), all[0].ServiceID)
	assert.Equal(t, all[0].CreatedAt, all[1].CreatedAt, "a batch shares one stamp")
	assert.WithinDuration(t, time.Now(), all[0].Timestamp, time.Minute)
	assert.True(t, all[2].IsSystem && all[2].IsStdErr)
	assert.Zero(t, all[2].ServiceID)
	assert.Equal(t, all[2:], read(balenaclient.Newest(1)))
	assert.Equal(t, all[2:], read(balenaclient.Since(all[2].CreatedAt)))
	assert.Empty(t, read(balenaclient.Newest(0)))
}

func TestLogs_Errors(t *testing.T) {
	t.Parallel()
	client, sim := simtest.New(t)
	sim.AddDeviceKey("device-key", loggingDevice)
	asDevice := simtest.Client(t, sim, balenaclient.WithToken("device-key"))
	for name, tt := range map[string]struct {
		logs balenaclient.Logs
		is   error
		want string
	}{
		"there is no such device":     {client.Logs(strings.Repeat("f", 32)), balenaclient.ErrNotFound, "No device with uuid"},
		"the UUID is incomplete":      {client.Logs("827050a"), balenaclient.ErrInvalid, "DeviceByUUID finds it"},
		"the UUID is not one":         {client.Logs(strings.Repeat("/", 32)), balenaclient.ErrInvalid, "32 or 62"},
		"the key belongs to a device": {asDevice.Logs(loggingDevice), balenaclient.ErrUnauthorized, "401"},
	} {
		_, err := tt.logs.History(t.Context())
		require.ErrorIs(t, err, tt.is, name)
		require.ErrorContains(t, err, tt.want, name)
		var errs []error
		for _, err := range tt.logs.Stream(t.Context()) {
			errs = append(errs, err)
		}
		require.Len(t, errs, 1, "a stream is not taken up again: %s", name)
		require.ErrorIs(t, errs[0], tt.is, name)
	}
	_, err := client.Logs(loggingDevice).History(t.Context(), balenaclient.Newest(-1))
	require.ErrorIs(t, err, balenaclient.ErrInvalid)
	for _, err := range client.Logs(loggingDevice).Stream(t.Context(), balenaclient.Newest(-1)) {
		require.ErrorIs(t, err, balenaclient.ErrInvalid)
	}
}

// streamed reads a stream within a bubble until it has a number of lines.
type streamed struct {
	t         *testing.T
	sim       *balenasim.Simulator
	client    *balenaclient.Client
	texts     []string
	read      atomic.Int64
	reconnect []balenaclient.Reconnect
	cancel    context.CancelFunc
	err       error
	done      chan struct{}

	mu   sync.Mutex
	cuts []context.CancelFunc // of the open requests
}

// newStream makes a simulated API whose connections can be cut.
func newStream(t *testing.T) *streamed {
	s := &streamed{t: t, sim: balenasim.New(balenasim.WithToken(simtest.Token)), done: make(chan struct{})}
	require.NoError(t, s.sim.Load(simtest.Dataset()))
	s.client = simtest.Client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		s.mu.Lock()
		s.cuts = append(s.cuts, cancel)
		s.mu.Unlock()
		s.sim.ServeHTTP(w, r.WithContext(ctx))
		if r.Context().Err() == nil && ctx.Err() != nil {
			panic(http.ErrAbortHandler)
		}
	}))
	return s
}

func (s *streamed) start(options ...balenaclient.LogOption) {
	ctx, cancel := context.WithCancel(s.t.Context())
	s.cancel = cancel
	options = append(options, balenaclient.OnReconnect(func(r balenaclient.Reconnect) { s.reconnect = append(s.reconnect, r) }))
	go func() {
		defer close(s.done)
		for line, err := range s.client.Logs(loggingDevice).Stream(ctx, options...) {
			if err != nil {
				s.err = err
				continue
			}
			s.texts = append(s.texts, line.Message)
			s.read.Add(1)
		}
	}()
	synctest.Wait()
}

// cut breaks all connections.
func (s *streamed) cut() {
	s.mu.Lock()
	for _, cancel := range s.cuts {
		cancel()
	}
	s.cuts = nil
	s.mu.Unlock()
	synctest.Wait()
}

func (s *streamed) write(texts ...string) {
	s.t.Helper()
	require.NoError(s.t, s.sim.WriteLogs(loggingDevice, lines(texts...)...))
	synctest.Wait()
}

func (s *streamed) stop() {
	s.cancel()
	<-s.done
	require.ErrorIs(s.t, s.err, context.Canceled, "the last is the end of the context")
}

func TestLogs_Stream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t)
		s.write("before")
		time.Sleep(time.Millisecond)
		s.start()
		time.Sleep(10 * time.Minute) // signs of life keep it up
		synctest.Wait()
		assert.Empty(t, s.texts)
		s.write("one", "one")
		s.write("two")
		assert.Equal(t, []string{"one", "one", "two"}, s.texts)
		assert.Empty(t, s.reconnect)
		s.stop()
	})
}

func TestLogs_Stream_StoredLines(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		option balenaclient.LogOption
		want   []string
	}{
		"the newest":   {balenaclient.Newest(1), []string{"new", "live"}},
		"since a time": {balenaclient.Since(time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC)), []string{"new", "live"}},
		"all":          {balenaclient.Newest(1000), []string{"old", "new", "live"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // where it is midnight on 1 January 2000
				s := newStream(t)
				s.write("old")
				time.Sleep(time.Minute)
				s.write("new")
				time.Sleep(time.Millisecond)
				s.start(tt.option)
				s.write("live")
				assert.Equal(t, tt.want, s.texts)
				s.stop()
			})
		})
	}
}

func TestLogs_Stream_Resume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t)
		s.write("never wanted")
		time.Sleep(time.Second)
		s.start()
		s.write("a", "b", "b")
		s.cut()
		s.write("b", "c") // the same stamp, and a line that came twice comes a third time
		time.Sleep(time.Minute)
		s.write("d")
		assert.Equal(t, []string{"a", "b", "b", "b", "c", "d"}, s.texts)
		require.Len(t, s.reconnect, 1)
		require.Error(t, s.reconnect[0].Err)
		assert.LessOrEqual(t, s.reconnect[0].Pause, time.Second)
		s.stop()
	})
}

func TestLogs_Stream_ResumeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t)
		s.start()
		var want []string
		for i := range 300 {
			text := fmt.Sprint("line ", i/3) // three alike
			want = append(want, text)
			s.write(text)
			time.Sleep(time.Duration(i%7) * 500 * time.Millisecond)
			if i%5 == 0 {
				s.cut()
			}
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		assert.Equal(t, want, s.texts)
		assert.Greater(t, len(s.reconnect), 10)
		s.stop()
	})
}

func TestLogs_Stream_ResumeBeforeTheFirstLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t)
		s.start()
		time.Sleep(time.Minute)
		s.cut()
		s.write("while away")
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []string{"while away"}, s.texts)
		s.stop()
	})
}

// streams responds to requests for stored lines with none, and to all others with the handler.
func streams(handler http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.RawQuery, "stream=1") {
			io.WriteString(w, "[]")
			return
		}
		handler(w, r)
	})
}

func TestLogs_Stream_Silence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Time
		client := simtest.Client(t, streams(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, time.Now())
			if len(asked) == 2 {
				io.WriteString(w, "\n")
				io.WriteString(w, `{"createdAt":1,"message":"at last"}`+"\n")
			}
			<-r.Context().Done()
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
		defer cancel()
		start := time.Now()
		var pauses []balenaclient.Reconnect
		var texts []string
		var last error
		for line, err := range client.Logs(loggingDevice).Stream(ctx, balenaclient.OnReconnect(func(r balenaclient.Reconnect) { pauses = append(pauses, r) })) {
			if last = err; err == nil {
				texts = append(texts, line.Message)
			}
		}
		require.ErrorIs(t, last, context.DeadlineExceeded)
		assert.Equal(t, []string{"at last"}, texts)
		require.Len(t, pauses, 2)
		require.ErrorIs(t, pauses[0].Err, balenaclient.ErrSilent)
		assert.ErrorContains(t, pauses[0].Err, "for 2m0s")
		assert.InDelta(t, 121, asked[1].Sub(start).Seconds(), 1)
		assert.InDelta(t, 242, asked[2].Sub(start).Seconds(), 2)
	})
}

func TestLogs_Stream_Backoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		client := simtest.Client(t, streams(func(w http.ResponseWriter, r *http.Request) {
			if asked++; asked > 9 {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if asked == 8 {
				w.Header().Set("Retry-After", "100")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			w.WriteHeader(http.StatusBadGateway)
		}))
		var pauses []time.Duration
		var last error
		for _, err := range client.Logs(loggingDevice).Stream(t.Context(),
			balenaclient.OnReconnect(func(r balenaclient.Reconnect) { pauses = append(pauses, r.Pause) })) {
			last = err
		}
		require.ErrorIs(t, last, balenaclient.ErrUnauthorized)
		require.Len(t, pauses, 9)
		for i, longest := range []float64{1, 2, 4, 8, 16, 32, 60} {
			assert.LessOrEqual(t, pauses[i].Seconds(), longest)
			assert.GreaterOrEqual(t, pauses[i].Seconds(), longest/2)
		}
		assert.Equal(t, 100*time.Second, pauses[7], "as the server asks")
	})
}

func TestLogs_Stream_TruncatedLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		client := simtest.Client(t, streams(func(w http.ResponseWriter, _ *http.Request) {
			if asked++; asked == 1 {
				io.WriteString(w, `{"createdAt":5,"message":"complete"}`+"\n"+`{"createdAt":6,"mess`)
				return
			}
			io.WriteString(w, `{"createdAt":5,"message":"complete"}`+"\n"+`{"createdAt":6,"message":"was truncated"}`+"\n")
		}))
		var texts []string
		for line, err := range client.Logs(loggingDevice).Stream(t.Context(), balenaclient.Newest(10)) {
			require.NoError(t, err)
			if texts = append(texts, line.Message); len(texts) == 2 {
				break
			}
		}
		assert.Equal(t, []string{"complete", "was truncated"}, texts)
	})
}

func TestLogs_Stream_IgnoresTimeouts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t)
		s.client = simtest.Client(t, s.sim, balenaclient.WithRequestTimeout(time.Second), balenaclient.WithMaxResponseSize(10),
			balenaclient.WithHTTPClient(&http.Client{Timeout: time.Second, Transport: simtest.Transport{Handler: http.StripPrefix("/base", s.sim)}}))
		s.start()
		time.Sleep(time.Hour)
		s.write("still there", "and more than ten bytes")
		assert.Len(t, s.texts, 2)
		assert.Empty(t, s.reconnect)
		s.stop()
	})
}

func TestLogs_Follow(t *testing.T) {
	t.Parallel()
	t.Run("stored lines come before new ones", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			client, sim := simtest.New(t)
			require.NoError(t, sim.WriteLogs(loggingDevice, lines("old")...))
			time.Sleep(48 * time.Hour)
			began := time.Now()
			require.NoError(t, sim.WriteLogs(loggingDevice, lines("stored")...))
			read := func(since time.Time) (texts []string) {
				for line, err := range client.Logs(loggingDevice).Follow(t.Context(), since) {
					require.NoError(t, err)
					if texts = append(texts, line.Message); line.Message == "live" {
						break
					}
					if line.Message == "stored" {
						time.Sleep(3 * time.Minute) // heartbeats meanwhile
						require.NoError(t, sim.WriteLogs(loggingDevice, lines("live")...))
					}
				}
				return texts
			}
			assert.Equal(t, []string{"stored", "live"}, read(began))
			assert.Equal(t, []string{"old", "stored", "live"}, read(time.Time{}))
		})
	})
	t.Run("a malformed line is not the last one, the end of the connection is", func(t *testing.T) {
		t.Parallel()
		client := simtest.Client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"createdAt":"bad"}`+"\n\n"+`{"createdAt":5,"message":"good"}`+"\n")
		}))
		var texts []string
		var errs []error
		for line, err := range client.Logs(loggingDevice).Follow(t.Context(), time.Time{}) {
			texts, errs = append(texts, line.Message), append(errs, err)
		}
		assert.Equal(t, []string{"", "good", ""}, texts)
		require.ErrorIs(t, errs[0], balenaclient.ErrMalformed)
		require.NoError(t, errs[1])
		require.ErrorIs(t, errs[2], io.EOF)
	})
	t.Run("there is no such device", func(t *testing.T) {
		t.Parallel()
		client, _ := simtest.New(t)
		for _, err := range client.Logs(strings.Repeat("f", 32)).Follow(t.Context(), time.Time{}) {
			require.ErrorIs(t, err, balenaclient.ErrNotFound)
		}
		for _, err := range client.Logs("827050a").Follow(t.Context(), time.Time{}) {
			require.ErrorIs(t, err, balenaclient.ErrInvalid)
		}
	})
}

func TestLogs_Stream_Observer(t *testing.T) {
	t.Parallel()
	var calls []balenaclient.Call
	client, sim := simtest.New(t, balenaclient.WithObserver(func(c balenaclient.Call) { calls = append(calls, c) }))
	require.NoError(t, sim.WriteLogs(loggingDevice, lines("one", "two")...))
	n := 0
	for _, err := range client.Logs(loggingDevice).Stream(t.Context(), balenaclient.Newest(2)) {
		require.NoError(t, err)
		if n++; n == 3 {
			break
		}
		require.NoError(t, sim.WriteLogs(loggingDevice, lines("three")...))
	}
	require.Len(t, calls, 2)
	assert.Equal(t, "/device/v2/"+loggingDevice+"/logs", calls[1].Resource)
	assert.Equal(t, 3, calls[1].Rows, "the overlap is sent again")
	assert.Positive(t, calls[1].Bytes)
	require.NoError(t, calls[1].Err)
}

func TestLogLine_JSON(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`{"createdAt":1795328577306,"timestamp":1795328577001,"isSystem":false,"isStdErr":true,"serviceId":5,"message":"<a> & b"}`,
		`{"createdAt":1795328577306,"timestamp":1795328577001,"isSystem":true,"isStdErr":false,"message":"Booted"}`,
	} {
		var line balenaclient.LogLine
		require.NoError(t, json.Unmarshal([]byte(data), &line))
		assert.Equal(t, "2026-11-22T06:22:57.306Z", line.CreatedAt.Format(time.RFC3339Nano))
		written, err := json.Marshal(line)
		require.NoError(t, err)
		assert.JSONEq(t, data, string(written))
	}
	var line balenaclient.LogLine
	require.NoError(t, json.Unmarshal([]byte(`{"createdAt":1,"unknown":1}`), &line))
	require.Error(t, json.Unmarshal([]byte(`{"createdAt":"x"}`), &line))
}

package balenasim

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// streamed is a ResponseWriter that records a log stream.
type streamed struct {
	mu     sync.Mutex
	header http.Header
	status int
	body   bytes.Buffer
}

func (s *streamed) Header() http.Header { return s.header }
func (s *streamed) Flush()              {}

func (s *streamed) WriteHeader(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

func (s *streamed) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = max(s.status, http.StatusOK)
	return s.body.Write(b)
}

func (s *streamed) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.body.String()
}

func (s *streamed) started() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status != 0
}

// stream opens a log stream within a synctest bubble.
func stream(t *testing.T, sim *Simulator, query string, header ...string) *streamed {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := (&http.Request{Method: http.MethodGet, RequestURI: "/device/v2/" + firstDevice + "/logs?stream=1" + query,
		Header: http.Header{"Authorization": {"Bearer token"}}}).WithContext(ctx)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := &streamed{header: http.Header{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		sim.ServeHTTP(w, r)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	synctest.Wait()
	return w
}

func TestLogStream_WithholdsHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := loaded(t)
		w := stream(t, sim, "")
		time.Sleep(58*time.Second - time.Millisecond)
		synctest.Wait()
		assert.False(t, w.started(), "headers are withheld")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		assert.Equal(t, "\n", w.text(), "a blank line keeps the stream alive")
		assert.Equal(t, "application/x-ndjson", w.header.Get("Content-Type"))
		require.NoError(t, sim.WriteLogs(firstDevice, LogLine{Message: "<hi>", ServiceID: 1, Timestamp: 5}))
		synctest.Wait()
		now := sim.now().UnixMilli()
		assert.Equal(t, fmt.Sprintf("\n"+`{"createdAt":%d,"timestamp":5,"isSystem":false,"isStdErr":false,"serviceId":1,"message":"<hi>"}`+"\n", now), w.text())
	})
}

func TestLogStream_History(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := loaded(t)
		for i := range 5 {
			require.NoError(t, sim.WriteLogs(firstDevice, LogLine{Message: fmt.Sprint("line ", i), IsSystem: true}))
			time.Sleep(time.Second)
		}
		assert.Empty(t, stream(t, sim, "").text(), "none unless count is given")
		start := sim.now().Add(-3 * time.Second).UnixMilli()
		assert.Empty(t, stream(t, sim, fmt.Sprint("&start=", start)).text(), "start alone yields none")
		assert.Equal(t, []string{"line 3", "line 4"}, messages(t, stream(t, sim, "&count=2").text()))
		assert.Equal(t, []string{"line 2", "line 3", "line 4"},
			messages(t, stream(t, sim, fmt.Sprintf("&count=all&start=%d", start)).text()), "start is inclusive")
	})
}

func TestLogStream_Compression(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := loaded(t)
		w := stream(t, sim, "", "Accept-Encoding", "gzip")
		require.NoError(t, sim.WriteLogs(firstDevice, LogLine{Message: "zipped"}))
		synctest.Wait()
		assert.Equal(t, "gzip", w.header.Get("Content-Encoding"))
		z, err := gzip.NewReader(strings.NewReader(w.text()))
		require.NoError(t, err)
		line := make([]byte, 4096)
		n, err := io.ReadAtLeast(z, line, 10)
		require.NoError(t, err, "a flushed line can be decompressed at once")
		assert.Equal(t, []string{"zipped"}, messages(t, string(line[:n])))
	})
}

func messages(t *testing.T, lines string) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(lines) {
		var l LogLine
		require.NoError(t, json.Unmarshal([]byte(line), &l), line)
		out = append(out, l.Message)
	}
	return out
}

func TestLogHistory(t *testing.T) {
	t.Parallel()
	clock := NewClock(recordedAt)
	sim := loaded(t, WithClock(clock))
	for i := range 1500 {
		require.NoError(t, sim.WriteLogs(firstDevice, LogLine{Message: fmt.Sprint(i)}))
	}
	var lines []LogLine
	require.NoError(t, json.Unmarshal(get(sim, "/device/v2/"+firstDevice+"/logs?count=5000").Body.Bytes(), &lines))
	require.Len(t, lines, 1000)
	assert.Equal(t, "500", lines[0].Message)
	clock.Step(31 * 24 * time.Hour)
	assert.Equal(t, "[]", get(sim, "/device/v2/"+firstDevice+"/logs").Body.String(), "lines are kept for 30 days")
}

func TestSimulator_WriteLogs_Burst(t *testing.T) {
	t.Parallel()
	clock := NewClock(recordedAt)
	sim := loaded(t, WithClock(clock))
	require.NoError(t, sim.WriteLogs(firstDevice, make([]LogLine, logBurst+1150)...))
	clock.Step(logWindow)
	var lines []LogLine
	require.NoError(t, json.Unmarshal(get(sim, "/device/v2/"+firstDevice+"/logs?count=1").Body.Bytes(), &lines))
	require.Len(t, lines, 1)
	assert.Equal(t, "Warning: Suppressed 1150 message(s) due to rate limiting", lines[0].Message)
	assert.True(t, lines[0].IsSystem && lines[0].IsStdErr)
}

func TestLogWrites_RateLimit(t *testing.T) {
	t.Parallel()
	sim := loaded(t, WithClock(NewClock(recordedAt)))
	sim.AddDeviceKey("device", firstDevice)
	post := func() exchange {
		var e exchange
		e.Request.Method, e.Request.Target = http.MethodPost, "/device/v2/"+firstDevice+"/logs"
		e.Request.Body = `[{"timestamp":1795328597784,"message":"rl"}]`
		e.Name, e.Request.Auth = "devicekey", "other"
		return e
	}
	for range 15 {
		assert.Equal(t, http.StatusCreated, do(sim, post()).Code)
	}
	w := do(sim, post())
	assert.Equal(t, http.StatusTooManyRequests, w.Code)
	assert.Equal(t, "10", w.Header().Get("Retry-After"))
	assert.Equal(t, `"Too Many Requests"`, w.Body.String())
}

func TestLogStream_SlowReader(t *testing.T) {
	t.Parallel()
	r := &logReader{lines: make(chan LogLine, 4)}
	for i := range 10 {
		r.offer(recordedAt, LogLine{Message: fmt.Sprint(i)})
	}
	assert.Equal(t, 6, r.dropped)
	<-r.lines
	<-r.lines
	r.offer(recordedAt, LogLine{Message: "late"})
	var got []string
	for len(r.lines) > 0 {
		got = append(got, (<-r.lines).Message)
	}
	assert.Equal(t, []string{"2", "3", "Warning: Suppressed 6 message(s) due to slow reading", "late"}, got)
}

package balenaclient_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
	"github.com/otelcol-balena/balenareceiver/balenaclient/pine"
	"github.com/otelcol-balena/balenareceiver/balenasim"
	"github.com/otelcol-balena/balenareceiver/internal/simtest"
)

// saboteur interrupts responses at random bytes, or before the first one, until it has done so often enough.
type saboteur struct {
	http.Handler
	random *rand.Rand
	left   atomic.Int64
}

func (s *saboteur) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.left.Load() == 0 {
		s.Handler.ServeHTTP(w, r)
		return
	}
	s.left.Add(-1)
	switch s.random.IntN(4) {
	case 0:
		w.WriteHeader(http.StatusServiceUnavailable)
	case 1:
		panic(http.ErrAbortHandler)
	default:
		s.Handler.ServeHTTP(&truncated{w, s.random.IntN(20_000)}, r)
	}
}

// truncated breaks the connection after a number of bytes.
type truncated struct {
	http.ResponseWriter
	left int
}

func (t *truncated) Write(p []byte) (int, error) {
	if len(p) < t.left {
		t.left -= len(p)
		return t.ResponseWriter.Write(p)
	}
	t.ResponseWriter.Write(p[:t.left])
	panic(http.ErrAbortHandler)
}

func (t *truncated) Flush() { t.ResponseWriter.(http.Flusher).Flush() }

func TestLogs_Stream_Attack(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprintf("loses and repeats no line across 100 interruptions, seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 0))
				s := newStream(t)
				attacker := &saboteur{Handler: s.sim, random: rand.New(rand.NewPCG(seed, 1))}
				attacker.left.Store(100)
				s.client = simtest.Client(t, attacker)
				var want []string
				write := func() {
					for range 1 + random.IntN(3) {
						text := strings.Repeat("x", random.IntN(3)) // many lines are alike
						s.write(text)
						want = append(want, text)
					}
				}
				s.write("old", "old", "old")
				var options []balenaclient.LogOption
				if seed%2 == 1 {
					options = append(options, balenaclient.Newest(2))
					want = []string{"old", "old"}
				}
				time.Sleep(time.Millisecond)
				s.start(options...)
				for attacker.left.Load() > 0 {
					if len(want)-int(s.read.Load()) < 900 { // the server keeps 1,000
						write()
					}
					if random.IntN(2) == 0 { // otherwise the next lines have the same stamp
						time.Sleep(time.Duration(random.IntN(8000)) * time.Millisecond)
						synctest.Wait()
					}
				}
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				write()
				time.Sleep(time.Second) // the server may delay lines by half a second
				synctest.Wait()
				assert.Equal(t, strings.Join(want, "\n"), strings.Join(s.texts, "\n"))
				assert.Greater(t, len(s.reconnect), 20)
				s.stop()
			})
		})
	}
}

func TestLogs_Stream_Attack_StoredLines(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		options []balenaclient.LogOption
		want    int
	}{
		"yields the newest lines although the first connection failed":                     {[]balenaclient.LogOption{balenaclient.Newest(20)}, 20},
		"yields no more than the newest lines since a time if the first connection failed": {[]balenaclient.LogOption{balenaclient.Newest(20), balenaclient.Since(time.UnixMilli(1))}, 20},
		"yields all lines since a time although the first connection failed":               {[]balenaclient.LogOption{balenaclient.Since(time.UnixMilli(1))}, 50},
		"yields no stored line unasked although the first connection failed":               {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStream(t)
				for range 50 {
					s.write("stored")
				}
				time.Sleep(time.Millisecond)
				_, err := s.sim.Inject(balenasim.Fault{Kind: balenasim.Unavailable, Path: "/device/v2/*", Times: 1})
				require.NoError(t, err)
				s.client = simtest.Client(t, s.sim, balenaclient.WithRetry(pine.Retry{MaxAttempts: 1}))
				s.start(tt.options...)
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Len(t, s.reconnect, 1)
				s.write("live")
				assert.Len(t, s.texts, tt.want+1)
				s.stop()
			})
		})
	}
}

// A stream of one stamp is the worst case: nothing can be forgotten by age.
func TestLogs_Stream_Memory(t *testing.T) {
	const message = 10_000
	text := strings.Repeat("x", message)
	client := simtest.Client(t, streams(func(w http.ResponseWriter, r *http.Request) {
		for i := range 3_000 {
			fmt.Fprintf(w, `{"createdAt":5,"message":"%d %s"}`+"\n", i, text)
		}
	}))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	for _, err := range client.Logs(loggingDevice).Stream(t.Context()) {
		require.NoError(t, err)
		if n++; n == 3_000 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			break
		}
	}
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(200*message), "lines whose messages are held")
}

func TestLogs_Stream_Overlap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		connections := 0
		client := simtest.Client(t, streams(func(w http.ResponseWriter, r *http.Request) {
			if connections++; connections == 1 {
				for i := range 5000 {
					fmt.Fprintf(w, `{"createdAt":7,"message":"%d"}`+"\n", i)
				}
				return
			}
			assert.Contains(t, r.URL.RawQuery, "count=1000")
			for i := range 1000 {
				fmt.Fprintf(w, `{"createdAt":7,"message":"%d"}`+"\n", 4010+i)
			}
			<-r.Context().Done()
		}))
		n := 0
		for line, err := range client.Logs(loggingDevice).Stream(t.Context()) {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(n), line.Message, "also of more lines with one stamp than the server keeps")
			if n++; n == 5010 {
				break
			}
		}
	})
}

func TestLogs_Stream_UndecodableLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := simtest.Client(t, streams(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"createdAt":5,"message":"good"}`+"\n"+`{"createdAt":"bad"}`+"\n")
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var pause time.Duration
		var texts []string
		for line, err := range client.Logs(loggingDevice).Stream(ctx, balenaclient.OnReconnect(func(r balenaclient.Reconnect) {
			require.ErrorIs(t, r.Err, balenaclient.ErrMalformed)
			pause = r.Pause
		})) {
			if err == nil {
				texts = append(texts, line.Message)
			}
		}
		assert.Equal(t, []string{"good"}, texts)
		assert.GreaterOrEqual(t, pause, 30*time.Second, "the pauses grow")
	})
}

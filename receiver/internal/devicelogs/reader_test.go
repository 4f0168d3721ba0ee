package devicelogs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-balena/balenareceiver/balenasim"
)

// Whatever fails, everything is read that was written, once and in order.
func TestReader_LosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 0))
				w := newWorld(t)
				w.settings.Mode = []string{ModeStream, ModePoll, ModeAuto}[random.IntN(3)]
				w.settings.MaxStreams = 1 + random.IntN(4)
				devices := w.devices[:3]
				w.start(devices...)
				for step := range 150 {
					device := devices[random.IntN(len(devices))]
					for range random.IntN(5) {
						w.write(device.UUID, fmt.Sprint("line ", random.IntN(3))) // many alike
					}
					if random.IntN(3) > 0 {
						time.Sleep(time.Duration(random.IntN(20_000)) * time.Millisecond)
					}
					switch random.IntN(12) {
					case 0:
						w.refuse(errLater)
					case 1, 2:
						w.refuse(nil)
					case 3:
						w.stop()
						w.start(devices...)
					case 4:
						w.cut()
					case 5:
						w.rotate(fmt.Sprint("token-", step))
					case 6:
						_, err := w.sim.Inject(balenasim.Fault{
							Kind: []balenasim.FaultKind{
								balenasim.ServerError, balenasim.RateLimit, balenasim.CutBody, balenasim.ResetConnection, balenasim.Unauthorized,
							}[random.IntN(5)],
							Rate: 0.5,
						})
						require.NoError(t, err)
					case 7:
						w.sim.ClearFaults()
					case 8:
						w.update(devices[:random.IntN(3)]...)
						time.Sleep(time.Duration(random.IntN(5)) * time.Second)
						w.update(devices...)
					}
				}
				w.refuse(nil)
				w.sim.ClearFaults()
				w.compare()
				w.stop()
				assert.Zero(t, w.open(), "connections")
			})
		})
	}
}

func TestReader_Follow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		device := w.devices[0]
		stamp := time.Now().Add(-time.Hour).UnixMilli()
		require.NoError(t, w.sim.WriteLogs(device.UUID,
			balenasim.LogLine{Message: "out", ServiceID: 1, Timestamp: stamp},
			balenasim.LogLine{Message: "err", ServiceID: 1, IsStdErr: true},
			balenasim.LogLine{Message: "system", IsSystem: true},
			balenasim.LogLine{Message: "hidden", ServiceID: 987654},
			balenasim.LogLine{Message: "Warning: Suppressed 1150 message(s) due to rate limiting", IsSystem: true, IsStdErr: true},
		))
		received := time.Now()
		w.start(device)
		time.Sleep(10 * time.Second)
		w.stop()

		require.Len(t, w.records, 5)
		assert.Equal(t, device.Resource.Attributes().AsRaw(), w.resource.Attributes().AsRaw())
		assert.EqualValues(t, 1150, w.suppressed)
		type record struct {
			severity plog.SeverityNumber
			values   map[string]any
		}
		want := map[string]record{
			"out":    {plog.SeverityNumberInfo, map[string]any{"log.iostream": "stdout", "balena.service.name": "main"}},
			"err":    {plog.SeverityNumberError, map[string]any{"log.iostream": "stderr", "balena.service.name": "main"}},
			"system": {plog.SeverityNumberInfo, map[string]any{"log.iostream": "stdout"}},
			"hidden": {plog.SeverityNumberInfo, map[string]any{"log.iostream": "stdout"}},
			"Warning: Suppressed 1150 message(s) due to rate limiting": {plog.SeverityNumberWarn, map[string]any{"log.iostream": "stderr"}},
		}
		got := map[string]record{}
		for _, r := range w.records {
			assert.Equal(t, strings.ToUpper(r.SeverityNumber().String()), r.SeverityText())
			got[r.Body().Str()] = record{r.SeverityNumber(), r.Attributes().AsRaw()}
			assert.Equal(t, pcommon.NewTimestampFromTime(received.Truncate(time.Millisecond)), r.ObservedTimestamp(), "when the server received it")
		}
		assert.Equal(t, want, got)
		assert.Equal(t, pcommon.NewTimestampFromTime(time.UnixMilli(stamp)), w.records[0].Timestamp(), "when the device wrote it")
	})
}

func TestReader_Start_Position(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(w *world, device Device)
		want   []string
	}{
		"from the beginning": {
			func(w *world, _ Device) { w.settings.FromEnd = false },
			[]string{"old", "new"},
		},
		"from the end": {
			func(w *world, _ Device) { w.settings.FromEnd = true },
			[]string{"new"},
		},
		"from the end, by polling": {
			func(w *world, _ Device) { w.settings.FromEnd, w.settings.Mode = true, ModePoll },
			[]string{"new"},
		},
		"from the end, though the device appeared after a restart": {
			func(w *world, _ Device) {
				w.settings.FromEnd = true
				w.store.values[selectionKey] = []byte(w.settings.Selection)
			},
			[]string{"old", "new"},
		},
		"from the end, with another selection than before the restart": {
			func(w *world, _ Device) {
				w.settings.FromEnd = true
				w.store.values[selectionKey] = []byte("some")
			},
			[]string{"new"},
		},
		"with a corrupt position": {
			func(w *world, device Device) {
				w.settings.FromEnd = true
				w.store.values[selectionKey] = []byte(w.settings.Selection)
				w.store.values[positionKey(device.UUID)] = []byte("corrupt")
			},
			[]string{"new"},
		},
		"without storage": {
			func(w *world, _ Device) { w.settings.FromEnd, w.settings.Store = true, nil },
			[]string{"new"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				device := w.devices[0]
				tt.change(w, device)
				w.write(device.UUID, "old")
				time.Sleep(time.Hour)
				w.start(device)
				time.Sleep(time.Second)
				w.write(device.UUID, "new")
				time.Sleep(2 * time.Minute)
				w.stop()
				assert.Equal(t, tt.want, w.texts(device.UUID))
				corrupt := w.logs.FilterMessageSnippet(`is corrupt: they are read anew, from where "device_logs::start_at" says`).Len()
				assert.Equal(t, name == "with a corrupt position", corrupt == 1)
			})
		})
	}
}

// A device that appears is new: what it wrote before it was noticed belongs to its logs.
func TestReader_Update_DeviceAppears(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.settings.FromEnd = true
		w.start(w.devices[0])
		time.Sleep(time.Minute)
		w.write(w.devices[1].UUID, "first words")
		time.Sleep(time.Minute)
		w.update(w.devices[:2]...)
		w.compare()
		w.stop()
	})
}

func TestReader_Update_IncompleteList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(w.devices[:3]...)
		time.Sleep(time.Minute)
		gone := w.devices[1].UUID
		require.NoError(t, w.reader.Update(w.devices[:1], false, func(uuid string) bool { return uuid == gone }))
		time.Sleep(time.Minute)
		assert.EqualValues(t, 2, w.count(&w.streams), "the device that may have been missed is still read")
		w.stop()
	})
}

func TestReader_Update_Modes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		mode                         string
		devices, then, want, wantNow int // streams
	}{
		"all are streamed":                           {ModeAuto, 5, 10, 5, 10},
		"all are polled if they are too many":        {ModeAuto, 5, 11, 5, 0},
		"near the limit polling continues":           {ModeAuto, 11, 10, 0, 0},
		"streaming begins again well below it":       {ModeAuto, 11, 9, 0, 9},
		"as many as allowed are streamed":            {ModeStream, 5, 11, 5, 10},
		"none is streamed":                           {ModePoll, 5, 11, 0, 0},
		"devices that go are not streamed anymore":   {ModeAuto, 5, 2, 5, 2},
		"those that may be streamed instead are now": {ModeStream, 11, 7, 10, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.settings.Mode, w.settings.MaxStreams = tt.mode, 10
				w.start(w.devices[:tt.devices]...)
				time.Sleep(10 * time.Minute)
				assert.EqualValues(t, tt.want, w.count(&w.streams))
				w.update(w.devices[:tt.then]...)
				for _, device := range w.devices[:tt.then] {
					w.write(device.UUID, "still here")
				}
				w.compare()
				assert.EqualValues(t, tt.wantNow, w.count(&w.streams))
				assert.LessOrEqual(t, w.count(&w.mostStreams), int64(10))
				w.stop()
			})
		})
	}
}

// A backend that refuses for an hour loses nothing, as long as the server has the lines, and little of it is held in memory.
func TestReader_BackendRefusesForAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(w.devices[:5]...)
		w.refuse(errLater)
		long := string(make([]byte, 4<<10))
		for i := range 900 {
			for _, device := range w.devices[:5] {
				w.write(device.UUID, fmt.Sprint(i, long))
			}
			time.Sleep(4 * time.Second)
		}
		w.reader.batcher.mu.Lock()
		assert.LessOrEqual(t, w.reader.batcher.batch.bytes, maxBatchBytes+len(long)+3)
		w.reader.batcher.mu.Unlock()
		assert.Zero(t, w.count(&w.streams), "connections are not held open")
		assert.Equal(t, 1, w.logs.FilterMessageSnippet("refuses logs of devices").Len())
		w.refuse(nil)
		w.compare()
		assert.Equal(t, 1, w.logs.FilterMessageSnippet("accepts logs of devices again").Len())
		w.stop()
	})
}

func TestReader_PermanentRefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		device := w.devices[0]
		w.start(device)
		w.refuse(errNever)
		for i := range 5 {
			w.write(device.UUID, fmt.Sprint("refused ", i))
			time.Sleep(time.Minute)
		}
		w.refuse(nil)
		w.stop()
		w.start(device)
		w.write(device.UUID, "accepted")
		time.Sleep(time.Minute)
		w.stop()
		assert.Equal(t, []string{"accepted"}, w.texts(device.UUID))
		assert.EqualValues(t, 5, w.dropped)
		assert.Equal(t, 1, w.logs.FilterMessageSnippet("permanently refuses").Len())
	})
}

func TestReader_Gap(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{ModeStream, ModePoll} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.settings.Mode = mode
				device := w.devices[0]
				w.start(device)
				w.write(device.UUID, "before")
				time.Sleep(5 * time.Minute)
				w.stop()
				w.write(device.UUID, numbered(0, 1500)...)
				time.Sleep(time.Minute)
				w.start(device)
				time.Sleep(5 * time.Minute)
				w.stop()
				assert.Equal(t, append([]string{"before"}, numbered(500, 1500)...), w.texts(device.UUID), "what the server still had")
				assert.EqualValues(t, 1, w.gaps)
				assert.Equal(t, 1, w.logs.FilterMessageSnippet("dropped lines of a device before they were read").Len())
			})
		})
	}
}

// A device that writes a lot is polled more often, since the server keeps 1,000 lines.
func TestReader_BusyDeviceIsPolledEarlier(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.settings.Mode = ModePoll
		device := w.devices[0]
		w.start(device)
		line := 0
		for _, rate := range []int{12, 20, 35} {
			for range 180 {
				w.write(device.UUID, numbered(line, line+rate)...)
				line += rate
				time.Sleep(time.Second)
			}
		}
		w.compare()
		assert.Zero(t, w.gaps)
		w.stop()
	})
}

// When a pipeline does not keep up, the server skips lines of a stream. They are read from what it has stored.
func TestReader_SlowReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(w.devices[:8]...)
		time.Sleep(10 * time.Second)
		w.mu.Lock()
		w.blocked = make(chan struct{})
		w.mu.Unlock()
		for _, device := range w.devices[:8] {
			w.write(device.UUID, numbered(0, 950)...)
		}
		time.Sleep(time.Hour)
		w.mu.Lock()
		close(w.blocked)
		w.blocked = nil
		w.mu.Unlock()
		w.compare()
		w.stop()
	})
}

// The server allows 10 readers a minute: all get their turn.
func TestReader_RateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, err := w.sim.Inject(balenasim.Fault{Kind: balenasim.RateLimit, Path: "/device/v2/*", Every: 11, Delay: time.Minute})
		require.NoError(t, err)
		w.start(w.devices...)
		for _, device := range w.devices {
			w.write(device.UUID, "hello")
		}
		time.Sleep(20 * time.Second)
		w.mu.Lock()
		requests := w.requests
		w.mu.Unlock()
		assert.Less(t, requests, 25, "Retry-After holds back the others")
		w.compare()
		assert.EqualValues(t, len(w.devices), w.count(&w.streams))
		w.stop()
	})
}

func TestReader_OpensSlowly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(w.devices[:30]...)
		time.Sleep(time.Second)
		w.mu.Lock()
		assert.LessOrEqual(t, len(w.cuts), 11, "10 a second")
		w.mu.Unlock()
		time.Sleep(3 * time.Second)
		assert.Equal(t, 30, w.open())
		w.stop()
	})
}

// What is given to a pipeline at shutdown may still be accepted, and is not repeated then. A pipeline that blocks does not block the end.
func TestReader_Shutdown(t *testing.T) {
	t.Parallel()
	t.Run("the last lines are passed on", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.start(w.devices[0])
			time.Sleep(time.Minute)
			w.write(w.devices[0].UUID, "last words")
			time.Sleep(time.Millisecond)
			synctest.Wait()
			w.stop()
			assert.Equal(t, []string{"last words"}, w.texts(w.devices[0].UUID))
			w.start(w.devices[0])
			w.compare()
			w.stop()
		})
	})
	t.Run("a pipeline that blocks is given up", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.blocked = make(chan struct{})
			w.start(w.devices[0])
			w.write(w.devices[0].UUID, "line")
			time.Sleep(time.Minute)
			w.write(w.devices[0].UUID, "another line")
			began := time.Now()
			w.stop()
			assert.Equal(t, shutdownGrace, time.Since(began))
			w.blocked = nil
			w.start(w.devices[0])
			w.compare()
			w.stop()
		})
	})
}

// A store that fails is never a reason to begin anew.
func TestReader_StoreFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(w.devices[0])
		w.write(w.devices[0].UUID, "one")
		time.Sleep(time.Minute)
		w.store.fail(errors.New("disk full"))
		w.write(w.devices[0].UUID, "two")
		w.compare()
		assert.Equal(t, 1, w.logs.FilterMessageSnippet("Positions in the logs of devices cannot be stored").Len())
		w.stop()

		w.reader = NewReader(w.settings)
		w.reader.Start()
		require.ErrorContains(t, w.reader.Update(w.devices[:1], true, nil), "read from storage: disk full")
		w.stop()
	})
}

func TestReader_Unauthorized(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.sim.RevokeKey(w.token)
		w.start(w.devices...)
		time.Sleep(time.Hour)
		require.Equal(t, 1, w.logs.Len(), "once for all devices")
		assert.Contains(t, w.logs.All()[0].Message, "Logs need the API key or session token of a user")
		w.rotate("another")
		w.write(w.devices[0].UUID, "line")
		w.compare()
		assert.Equal(t, 1, w.logs.FilterMessageSnippet("can be read again").Len())
		w.stop()
	})
}

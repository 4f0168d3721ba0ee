package devicelogs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-balena/balenareceiver/balenaclient"
)

func TestSuppressed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text           string
		system, stderr bool
		want           int64
		why            string
	}{
		"the device wrote too fast":             {"Warning: Suppressed 1150 message(s) due to rate limiting", true, true, 1150, "rate limiting"},
		"the reader was slow":                   {"Warning: Suppressed 3 message(s) due to slow reading", true, true, 3, "slow reading"},
		"a service wrote the same text":         {"Warning: Suppressed 3 message(s) due to slow reading", false, true, 0, ""},
		"the supervisor wrote it to stdout":     {"Warning: Suppressed 3 message(s) due to slow reading", true, false, 0, ""},
		"another line of the supervisor":        {"Failed to start service", true, true, 0, ""},
		"a number that is not one":              {"Warning: Suppressed many message(s) due to slow reading", true, true, 0, ""},
		"a number that is too large":            {"Warning: Suppressed 99999999999999999999 message(s) due to slow reading", true, true, 0, ""},
		"a line that only begins in the way":    {"Warning: Suppressed 3 message(s)", true, true, 0, ""},
		"a line that has something before this": {"> Warning: Suppressed 3 message(s) due to slow reading", true, true, 0, ""},
	} {
		number, why := suppressed(balenaclient.LogLine{Message: tt.text, IsSystem: tt.system, IsStdErr: tt.stderr})
		assert.Equal(t, tt.want, number, name)
		assert.Equal(t, tt.why, why, name)
	}
}

func TestPosition_Marshal(t *testing.T) {
	t.Parallel()
	var p position
	for i := range int64(3000) {
		p.advance(1_000_000+i*3+i%7*-2, uint64(i%5)<<60)
	}
	got, err := parsePosition(p.marshal())
	require.NoError(t, err)
	assert.Equal(t, p, got)
	assert.Len(t, p.seen, maxStored)
	assert.Less(t, len(p.marshal()), 11_000)
}

func TestPosition_Since(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		at   position
		want time.Time
	}{
		"everything is wanted at first":         {position{}, time.Time{}},
		"lines up to the floor are not":         {position{floor: 10_000}, time.UnixMilli(10_001)},
		"lines may be out of order":             {position{newest: 20_000}, time.UnixMilli(15_000)},
		"but those before the floor are not":    {position{newest: 12_000, floor: 10_000}, time.UnixMilli(10_001)},
		"and the floor does not matter anymore": {position{newest: 20_000, floor: 10_000}, time.UnixMilli(15_000)},
	} {
		assert.Equal(t, tt.want, tt.at.since(), name)
	}
}

func TestHashLine(t *testing.T) {
	t.Parallel()
	line := balenaclient.LogLine{CreatedAt: time.UnixMilli(1), Timestamp: time.UnixMilli(2), Message: "text", ServiceID: 3}
	assert.Equal(t, uint64(0x18bf17a7ffbaaa21), hashLine(line), "hashes are stored: they must not change")
	seen := map[uint64]bool{hashLine(line): true}
	for _, change := range []func(*balenaclient.LogLine){
		func(l *balenaclient.LogLine) { l.CreatedAt = time.UnixMilli(2) },
		func(l *balenaclient.LogLine) { l.Timestamp = time.UnixMilli(3) },
		func(l *balenaclient.LogLine) { l.Message = "texts" },
		func(l *balenaclient.LogLine) { l.ServiceID = 4 },
		func(l *balenaclient.LogLine) { l.IsSystem = true },
		func(l *balenaclient.LogLine) { l.IsStdErr = true },
	} {
		other := line
		change(&other)
		assert.False(t, seen[hashLine(other)], "%+v", other)
		seen[hashLine(other)] = true
	}
}

func FuzzParsePosition(f *testing.F) {
	p := position{newest: 5, floor: 3, seen: []seenLine{{4, 7}, {5, 7}}}
	f.Add(p.marshal())
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePosition(data)
		if err != nil {
			return
		}
		again, err := parsePosition(p.marshal())
		require.NoError(t, err)
		assert.Equal(t, p, again)
		p.advance(p.newest+1, 1)
		_ = p.since()
	})
}

func FuzzSuppressed(f *testing.F) {
	f.Add("Warning: Suppressed 1150 message(s) due to rate limiting")
	f.Fuzz(func(t *testing.T, text string) {
		number, why := suppressed(balenaclient.LogLine{Message: text, IsSystem: true, IsStdErr: true})
		assert.GreaterOrEqual(t, number, int64(0))
		assert.Equal(t, why == "", number == 0 && why == "", "a reason comes with a number or zero: %q", text)
	})
}

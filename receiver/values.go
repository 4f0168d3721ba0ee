package receiver

import "time"

// Values that may be missing, in the form in which 100,000 devices are kept: a pointer to each would cost as much again.

// instant is a moment, in milliseconds since 1970, which is how exactly the server knows it; 0 if it is not known.
type instant int64

func newInstant(t *time.Time) instant {
	if t == nil {
		return 0
	}
	return instant(t.UnixMilli())
}

func (i instant) known() bool { return i != 0 }

// before is the time from the moment to another in seconds; 0 if that is earlier, because the server's clock is ahead of ours.
func (i instant) before(now time.Time) float64 {
	return max(now.Sub(time.UnixMilli(int64(i))), 0).Seconds()
}

// reading is a number that a device may have reported. The server keeps numbers below 2^31.
type reading struct {
	value int32
	known bool
}

func newReading(value *int64) reading {
	if value == nil || int64(int32(*value)) != *value {
		return reading{}
	}
	return reading{value: int32(*value), known: true}
}

// ratio takes the reading for a percentage.
func (r reading) ratio() float64 { return float64(r.value) / 100 }

// bytes takes the reading for MiB.
func (r reading) bytes() int64 { return int64(r.value) << 20 }

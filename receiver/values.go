package receiver

import "time"

// Values that may be missing, in the form in which 100,000 devices are kept: a pointer to each would cost as much again.

// instant is a moment in milliseconds since 1970, the server's own precision; 0 if it is not known.
type instant int64

func newInstant(t *time.Time) instant {
	if t == nil {
		return 0
	}
	return instant(t.UnixMilli())
}

func (i instant) known() bool { return i != 0 }

// seconds is the moment in seconds since 1970.
func (i instant) seconds() float64 { return float64(i) / 1000 }

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

// ratio is the reading, a percentage, as a fraction.
func (r reading) ratio() float64 { return float64(r.value) / 100 }

// bytes is the reading, in MiB, in bytes.
func (r reading) bytes() int64 { return int64(r.value) << 20 }

package balenasim

import (
	"slices"
	"sync"
	"time"
)

// Request is the log entry of a request.
type Request struct {
	Time     time.Time     `json:"time"`
	Method   string        `json:"method"`
	Target   string        `json:"target"` // path and query as sent, without API keys
	Status   int           `json:"status"` // 0 if the connection was broken first
	Rows     int           `json:"rows"`
	Bytes    int64         `json:"bytes"` // body bytes as sent
	Duration time.Duration `json:"duration_ns"`
	Fault    string        `json:"fault,omitempty"` // kind of the fault that hit it, if any
	Panic    string        `json:"panic,omitempty"` // a bug in the simulator; the response was 500
}

// Counters are totals over the requests since the start or the last reset.
type Counters struct {
	Requests int64         `json:"requests"`
	Status   map[int]int64 `json:"status"`
	Rows     int64         `json:"rows"`
	Bytes    int64         `json:"bytes"`
	Faults   int64         `json:"faults"`
}

// maxRequests is the number of requests that the log keeps.
const maxRequests = 10_000

type requestLog struct {
	mu       sync.Mutex
	recent   []Request
	counters Counters
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.recent) == maxRequests {
		l.recent = slices.Delete(l.recent, 0, maxRequests/2)
	}
	l.recent = append(l.recent, r)
	if l.counters.Status == nil {
		l.counters.Status = map[int]int64{}
	}
	l.counters.Requests++
	l.counters.Status[r.Status]++
	l.counters.Rows += int64(r.Rows)
	l.counters.Bytes += r.Bytes
	if r.Fault != "" {
		l.counters.Faults++
	}
}

// Requests returns the latest requests, oldest first.
func (s *Simulator) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.recent)
}

// Counters returns totals over all requests.
func (s *Simulator) Counters() Counters {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	c := s.log.counters
	status := map[int]int64{}
	for code, n := range c.Status {
		status[code] = n
	}
	c.Status = status
	return c
}

// ResetRequests clears requests and counters.
func (s *Simulator) ResetRequests() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.recent, s.log.counters = nil, Counters{}
}

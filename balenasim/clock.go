package balenasim

import (
	"sync"
	"time"
)

// Clock is a clock that stands still until it is stepped.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock makes a clock that shows a time.
func NewClock(t time.Time) *Clock { return &Clock{t: t} }

// Now is the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Step moves the clock on.
func (c *Clock) Step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

package balenasim

import "container/heap"

// event is a scheduled change of a device, a fleet, or all of them.
type event struct {
	at     int64 // milliseconds
	seq    uint64
	kind   eventKind
	target int64
	arg    int64
}

type eventKind uint8

const (
	report eventKind = iota
	drop
	connect
	heartbeatTimeout
	heartbeatOffline
	writeLog
	rollOut
	startUpdate
	continueUpdate
	outage
	churn
)

// queue is a priority queue of events. Simultaneous events are processed in the
// order in which they were scheduled, so that a run is reproducible.
type queue struct {
	events []event
	seq    uint64
}

func (q *queue) Len() int { return len(q.events) }

func (q *queue) Less(i, j int) bool {
	a, b := q.events[i], q.events[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (q *queue) Swap(i, j int) { q.events[i], q.events[j] = q.events[j], q.events[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { q.events = append(q.events, x.(event)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := q.events[len(q.events)-1]
	q.events = q.events[:len(q.events)-1]
	return last
}

func (q *queue) plan(e event) {
	q.seq++
	e.seq = q.seq
	heap.Push(q, e)
}

// due removes and returns the next event that is due by a time.
func (q *queue) due(by int64) (event, bool) {
	if len(q.events) == 0 || q.events[0].at > by {
		return event{}, false
	}
	return heap.Pop(q).(event), true
}

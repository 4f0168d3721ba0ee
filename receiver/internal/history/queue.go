package history

import "sync"

// Queue holds changes until a pipeline has accepted them.
type Queue struct {
	mu       sync.Mutex
	batches  []*Batch
	next     int64         // number of the next batch
	changes  int           // in all batches
	released chan struct{} // has an element if Release was called since it was last received from
}

// Batch is changes that are told together.
type Batch struct {
	Changes []Change

	number int64
	saved  bool
	ready  bool // to be told
}

// batchSize bounds what is turned into log records at once.
const batchSize = 1000

// NewQueue returns an empty queue.
func NewQueue() *Queue { return &Queue{released: make(chan struct{}, 1)} }

// Add adds changes. They are not told before Release, so that they can be stored before.
func (q *Queue) Add(changes []Change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(changes) > 0 {
		n := min(len(changes), batchSize)
		q.batches = append(q.batches, &Batch{Changes: changes[:n:n], number: q.next})
		q.next++
		q.changes += n
		changes = changes[n:]
	}
}

// Release lets all changes be told, and wakes who waits for Released, even if none was added: what was refused may be accepted now.
func (q *Queue) Release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range q.batches {
		b.ready = true
	}
	select {
	case q.released <- struct{}{}:
	default:
	}
}

// Released is sent to by Release.
func (q *Queue) Released() <-chan struct{} { return q.released }

// Len is the number of changes that wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.changes
}

// First returns the oldest batch; nil if there is none that was released.
func (q *Queue) First() *Batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batches) == 0 || !q.batches[0].ready {
		return nil
	}
	return q.batches[0]
}

// Remove removes the oldest batch.
func (q *Queue) Remove() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.changes -= len(q.batches[0].Changes)
	q.batches[0] = nil
	q.batches = q.batches[1:]
}

// unsaved returns the batches that are not in storage.
func (q *Queue) unsaved() []*Batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	var batches []*Batch
	for _, b := range q.batches {
		if !b.saved {
			batches = append(batches, b)
		}
	}
	return batches
}

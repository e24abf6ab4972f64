package inbox

import "sync"

const personWorkers = 4 // keys of people that are handled at once

// workKey is what there is work for: one person, one post, the posts of one author, or a row that was written.
type workKey struct {
	person, post, author string
	row                  *writtenRow
}

// workQueue hands keys to a few workers. One key is handled by one worker at a time; updates of a key that arrive
// meanwhile add up to one. Workers start when there is work and end when there is none.
type workQueue struct {
	handle     func(workKey, update)
	maxWorkers int

	mu      sync.Mutex // guards all below
	queue   []workKey
	updates map[workKey]*update // of keys in the queue, and of running keys that were enqueued again
	running map[workKey]bool
	workers int
	closed  bool
	working sync.WaitGroup
}

// newWorkQueue returns a queue whose keys are handled by handle, which must not panic, on at most maxWorkers
// goroutines.
func newWorkQueue(maxWorkers int, handle func(workKey, update)) *workQueue {
	return &workQueue{handle: handle, maxWorkers: maxWorkers, updates: map[workKey]*update{}, running: map[workKey]bool{}}
}

func (q *workQueue) enqueue(key workKey, more update) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if q.updates[key] != nil {
		q.updates[key].addUpdate(more)
		return
	}
	q.updates[key] = &more
	if q.running[key] {
		return
	}
	q.queue = append(q.queue, key)
	if q.workers < q.maxWorkers {
		q.workers++
		q.working.Go(q.runWorker)
	}
}

func (q *workQueue) runWorker() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.queue) > 0 {
		key := q.queue[0]
		q.queue = q.queue[1:]
		u := *q.updates[key]
		delete(q.updates, key)
		q.running[key] = true

		q.mu.Unlock()
		q.handle(key, u)
		q.mu.Lock()

		delete(q.running, key)
		if q.updates[key] != nil {
			q.queue = append(q.queue, key)
		}
	}
	q.workers--
}

// waitingCount returns how many keys wait for a worker.
func (q *workQueue) waitingCount() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.queue)
}

// closeAndWait drops the keys that wait for a worker, and waits for those that are being handled.
func (q *workQueue) closeAndWait() {
	q.mu.Lock()
	q.closed = true
	q.queue = nil
	clear(q.updates)
	q.mu.Unlock()
	q.working.Wait()
}

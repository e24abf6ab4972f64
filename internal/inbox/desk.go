package inbox

import "sync"

const personWorkers = 4 // errands for people that are under way at once

// workKey is something to do for one person, one post, the posts of one author, or a row that was written.
type workKey struct {
	person, post, author string
	row                  *writtenRow
}

// workQueue hands errands to a few workers: each errand to one at a time, and what is asked of
// it meanwhile adds up to one more. Workers come when there is work and leave when there is none.
type workQueue struct {
	handle     func(workKey, update)
	maxWorkers int // workers

	mu      sync.Mutex // guards all below
	queue   []workKey
	updates map[workKey]*update // in the queue, or asked for again while under way
	running map[workKey]bool
	workers int
	closed  bool
	working sync.WaitGroup
}

// newWorkQueue returns a desk whose errands are done by serve, which must not panic.
func newWorkQueue(most int, serve func(workKey, update)) *workQueue {
	return &workQueue{handle: serve, maxWorkers: most, updates: map[workKey]*update{}, running: map[workKey]bool{}}
}

func (d *workQueue) enqueue(e workKey, n update) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if d.updates[e] != nil {
		d.updates[e].addUpdate(n)
		return
	}
	d.updates[e] = &n
	if d.running[e] {
		return
	}
	d.queue = append(d.queue, e)
	if d.workers < d.maxWorkers {
		d.workers++
		d.working.Go(d.runWorker)
	}
}

func (d *workQueue) runWorker() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.queue) > 0 {
		e := d.queue[0]
		d.queue = d.queue[1:]
		n := *d.updates[e]
		delete(d.updates, e)
		d.running[e] = true

		d.mu.Unlock()
		d.handle(e, n)
		d.mu.Lock()

		delete(d.running, e)
		if d.updates[e] != nil {
			d.queue = append(d.queue, e)
		}
	}
	d.workers--
}

// waitingCount returns how many errands are not begun.
func (d *workQueue) waitingCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queue)
}

// closeAndWait forgets what was not begun and waits for the rest.
func (d *workQueue) closeAndWait() {
	d.mu.Lock()
	d.closed = true
	d.queue = nil
	clear(d.updates)
	d.mu.Unlock()
	d.working.Wait()
}

package inbox

import "sync"

const workers = 4 // errands for people that are under way at once

// errand is something to do for one person, one post, the posts of one author, or a row that was written.
type errand struct {
	person, post, author string
	row                  *written
}

// desk hands errands to a few workers: each errand to one at a time, and what is asked of
// it meanwhile adds up to one more. Workers come when there is work and leave when there is none.
type desk struct {
	serve func(errand, news)
	most  int // workers

	mu       sync.Mutex // guards all below
	queue    []errand
	wanted   map[errand]*news // in the queue, or asked for again while under way
	underway map[errand]bool
	workers  int
	closed   bool
	working  sync.WaitGroup
}

// newDesk returns a desk whose errands are done by serve, which must not panic.
func newDesk(most int, serve func(errand, news)) *desk {
	return &desk{serve: serve, most: most, wanted: map[errand]*news{}, underway: map[errand]bool{}}
}

func (d *desk) put(e errand, n news) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if d.wanted[e] != nil {
		d.wanted[e].add(n)
		return
	}
	d.wanted[e] = &n
	if d.underway[e] {
		return
	}
	d.queue = append(d.queue, e)
	if d.workers < d.most {
		d.workers++
		d.working.Go(d.work)
	}
}

func (d *desk) work() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.queue) > 0 {
		e := d.queue[0]
		d.queue = d.queue[1:]
		n := *d.wanted[e]
		delete(d.wanted, e)
		d.underway[e] = true

		d.mu.Unlock()
		d.serve(e, n)
		d.mu.Lock()

		delete(d.underway, e)
		if d.wanted[e] != nil {
			d.queue = append(d.queue, e)
		}
	}
	d.workers--
}

// waiting returns how many errands are not begun.
func (d *desk) waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queue)
}

// close forgets what was not begun and waits for the rest.
func (d *desk) close() {
	d.mu.Lock()
	d.closed = true
	d.queue = nil
	clear(d.wanted)
	d.mu.Unlock()
	d.working.Wait()
}

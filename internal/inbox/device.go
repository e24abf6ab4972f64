package inbox

import (
	"net/http"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

const (
	ready   = 64        // messages in the channel of a device that PocketBase serves
	waiting = 512 << 10 // bytes that wait for a device; one that is further behind does not read
)

// device is a connected client whose Send never waits. PocketBase's own keeps a goroutine
// waiting for each message that is not read yet, which loses their order and has no end.
//
// What is sent goes out over the device's line, or into the channel from which PocketBase takes
// it. Messages that neither takes yet wait, as a single block may take more
// than a channel of notifications back; who has too many waiting is disconnected.
type device struct {
	subscriptions.Client // keeps the id, PocketBase's subscriptions, and what hooks store

	subscribing sync.Mutex // held by the subscribe call under way

	answering sync.Mutex          // held while something is written to response, and guards it
	response  http.ResponseWriter // of a device that PocketBase serves, from its first message to the end

	mu     sync.Mutex                 // guards all below
	spoke  time.Time                  // when something was last written to it, zero before the first
	line   *line                      // nil while PocketBase serves the device
	next   chan subscriptions.Message // nil with a line
	behind []letter
	bytes  int // of behind
	closed bool
}

// letter is a message on its way to a device.
type letter struct {
	subscriptions.Message
	of Delivery // what to report once it is written, if it was Committed at some time
}

func newDevice(c subscriptions.Client) *device {
	return &device{Client: c, next: make(chan subscriptions.Message, ready)}
}

// Send queues a message behind those sent before; a discarded device ignores it.
func (d *device) Send(m subscriptions.Message) { d.post(letter{Message: m}) }

func (d *device) post(l letter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if d.line == nil && len(d.behind) == 0 {
		select {
		case d.next <- l.Message:
			return
		default:
		}
	}
	d.behind = append(d.behind, l)
	d.bytes += len(l.Data)
	if d.bytes > waiting && len(d.behind) > 1 { // one message may be of any size
		d.cut()
		return
	}
	if d.line != nil {
		d.line.wake(d)
	}
}

// Channel returns the device's messages. PocketBase asks for it before each receive,
// which is when there is room for those that wait. Nothing comes through it with a line.
func (d *device) Channel() chan subscriptions.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.line != nil {
		return d.Client.Channel()
	}
	for len(d.behind) > 0 && len(d.next) < cap(d.next) {
		d.next <- d.behind[0].Message // only post and this add to it, so there is room
		d.bytes -= len(d.behind[0].Data)
		d.behind = d.behind[1:]
	}
	if len(d.behind) == 0 {
		d.behind = nil
	}
	return d.next
}

// Discard ends the connection once the device has taken what is on its line or in its channel.
func (d *device) Discard() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.close()
}

// IsDiscarded reports whether the device gets no more messages.
func (d *device) IsDiscarded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// take returns what is to be written next. It needs mu.
func (d *device) take() []letter {
	n, size := 0, 0
	for n < len(d.behind) && (n == 0 || size+len(d.behind[n].Data) <= block) {
		size += len(d.behind[n].Data)
		n++
	}
	letters := d.behind[:n]
	if d.behind, d.bytes = d.behind[n:], d.bytes-size; len(d.behind) == 0 {
		d.behind = nil
	}
	return letters
}

// hangUp discards the device together with all that it has not taken.
func (d *device) hangUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut()
	if d.line == nil {
		for range d.next {
		}
	}
}

// cut needs mu.
func (d *device) cut() {
	d.behind, d.bytes = nil, 0
	d.close()
	if d.line != nil {
		d.line.interrupt()
	}
}

// close needs mu.
func (d *device) close() {
	if d.closed {
		return
	}
	d.closed = true
	d.Client.Discard()
	if d.line != nil {
		d.line.wake(d)
		return
	}
	d.behind, d.bytes = nil, 0
	close(d.next)
}

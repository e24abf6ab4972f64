package inbox

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

const (
	ready   = 4         // messages in the channel of a device that PocketBase serves
	waiting = 256 << 10 // bytes that wait for a device; one that is further behind does not read
	socket  = 64 << 10  // bytes that the system keeps for a device: by itself it would keep some megabytes for one that does not read

	allWaiting  = 64 << 20 // bytes that wait for all devices
	fairWaiting = 16 << 10 // for a device when they do; one that is further behind makes room
)

// device is a connected client whose Send never waits. PocketBase's own keeps a goroutine
// waiting for each message that is not read yet, which loses their order and has no end.
//
// What is sent goes out over the device's line, or into the channel from which PocketBase takes
// it. Messages that neither takes yet wait, as a single block may take more
// than a channel of notifications back; who has too many waiting is disconnected.
type device struct {
	subscriptions.Client // keeps the id, PocketBase's subscriptions, and what hooks store

	subscribing sync.Mutex  // held by the subscribe call under way
	elsewhere   atomic.Bool // whether it may have subscriptions that are PocketBase's
	introduced  sync.Mutex  // held by the subscribe call for which it is in PocketBase's broker
	withdrawing atomic.Bool // from the broker

	answering sync.Mutex          // held while something is written to response, and guards it
	response  http.ResponseWriter // of a device that PocketBase serves, from its first message to the end

	mu     sync.Mutex                 // guards all below
	spoke  time.Time                  // when something was last written to it, zero before the first
	line   *line                      // nil while PocketBase serves the device
	next   chan subscriptions.Message // nil with a line
	behind []letter
	bytes  int           // of behind
	all    *atomic.Int64 // bytes that wait for all devices
	closed bool
}

// letter is a message on its way to a device.
type letter struct {
	subscriptions.Message
	of Delivery // what to report once it is written, if it was Committed at some time
}

func newDevice(c subscriptions.Client, all *atomic.Int64) *device {
	return &device{Client: c, all: all, next: make(chan subscriptions.Message, ready)}
}

// size is what a letter takes: many small messages are as much as a few large ones.
func (l letter) size() int { return len(l.Name) + len(l.Data) + int(unsafe.Sizeof(l)) }

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
	d.weigh(l.size())
	if d.bytes > waiting && len(d.behind) > 1 || d.bytes > fairWaiting && d.all.Load() > allWaiting { // one message may be of any size
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
		d.weigh(-d.behind[0].size())
		d.behind = d.behind[1:]
	}
	if len(d.behind) == 0 {
		d.behind = nil
	}
	return d.next
}

// Subscribe adds to PocketBase's subscriptions.
func (d *device) Subscribe(subs ...string) {
	if len(subs) > 0 {
		d.elsewhere.Store(true)
	}
	d.Client.Subscribe(subs...)
}

// Unsubscribe takes from PocketBase's subscriptions, all if none is named.
func (d *device) Unsubscribe(subs ...string) {
	d.Client.Unsubscribe(subs...)
	if len(subs) == 0 {
		d.elsewhere.Store(false)
	}
}

// Discard ends the connection once the device has taken what is on its line or in its channel.
func (d *device) Discard() {
	if d.withdrawing.Load() {
		return
	}
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
	n, data := 0, 0
	for n < len(d.behind) && (n == 0 || data+len(d.behind[n].Data) <= block) {
		data += len(d.behind[n].Data)
		d.weigh(-d.behind[n].size())
		n++
	}
	letters := d.behind[:n]
	if d.behind = d.behind[n:]; len(d.behind) == 0 {
		d.behind = nil
	}
	return letters
}

// weigh notes that more bytes wait, or fewer. It needs mu.
func (d *device) weigh(more int) {
	d.bytes += more
	d.all.Add(int64(more))
}

// forget gives up all that waits. It needs mu.
func (d *device) forget() {
	d.weigh(-d.bytes)
	d.behind = nil
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
	d.forget()
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
	d.forget()
	close(d.next)
}

package inbox

import (
	"sync"

	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

const (
	ready   = 64        // messages in a device's channel
	waiting = 512 << 10 // bytes behind them; a device that is further behind does not read
)

// device is a connected client whose Send never waits. PocketBase's own keeps a goroutine
// waiting for each message that is not read yet, which loses their order and has no end.
//
// Messages that find the channel full wait behind it, as a single block may take more
// than a channel of notifications back; who has too many waiting is disconnected.
type device struct {
	subscriptions.Client // keeps the id, PocketBase's subscriptions, and what hooks store

	subscribing sync.Mutex // held by the subscribe call under way

	mu     sync.Mutex // guards all below
	next   chan subscriptions.Message
	behind []subscriptions.Message
	bytes  int // of behind
	closed bool
}

func newDevice(c subscriptions.Client) *device {
	return &device{Client: c, next: make(chan subscriptions.Message, ready)}
}

// Send queues a message behind those sent before; a discarded device ignores it.
func (d *device) Send(m subscriptions.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if len(d.behind) == 0 {
		select {
		case d.next <- m:
			return
		default:
		}
	}
	d.behind = append(d.behind, m)
	d.bytes += len(m.Data)
	if d.bytes > waiting {
		d.close()
	}
}

// Channel returns the device's messages. PocketBase asks for it before each receive,
// which is when there is room for those that wait.
func (d *device) Channel() chan subscriptions.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.behind) > 0 && len(d.next) < cap(d.next) {
		d.next <- d.behind[0] // only Send and this add to it, so there is room
		d.bytes -= len(d.behind[0].Data)
		d.behind = d.behind[1:]
	}
	if len(d.behind) == 0 {
		d.behind = nil
	}
	return d.next
}

// Discard ends the connection once the device has taken what its channel holds.
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

// hangUp discards the device together with what its channel holds.
func (d *device) hangUp() {
	d.Discard()
	for range d.next {
	}
}

// close needs mu.
func (d *device) close() {
	if d.closed {
		return
	}
	d.closed = true
	d.behind, d.bytes = nil, 0
	close(d.next)
	d.Client.Discard()
}

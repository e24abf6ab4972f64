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
	channelSize       = 4         // messages in the channel of a device that PocketBase serves
	maxWaitingBytes   = 256 << 10 // bytes that wait for a device; one that is further behind does not read
	socketBufferBytes = 64 << 10  // bytes that the system keeps for a device: by itself it would keep some megabytes for one that does not read

	maxTotalWaitingBytes = 64 << 20 // bytes that wait for all devices
	fairWaitingBytes     = 16 << 10 // for a device when they do; one that is further behind makes room
)

// device is a connected client whose Send never waits. PocketBase's own keeps a goroutine
// waiting for each message that is not read yet, which loses their order and has no end.
//
// What is sent goes out over the device's line, or into the channel from which PocketBase takes
// it. Messages that neither takes yet wait, as a single block may take more
// than a channel of notifications back; who has too many waiting is disconnected.
type device struct {
	subscriptions.Client // keeps the id, PocketBase's subscriptions, and what hooks store

	subscribing     sync.Mutex  // held by the subscribe call under way
	hasOwnersTopics atomic.Bool // whether it may have subscriptions that are PocketBase's
	registering     sync.Mutex  // held by the subscribe call for which it is in PocketBase's broker
	unregistering   atomic.Bool // from the broker

	responseMu sync.Mutex          // held while something is written to response, and guards it
	response   http.ResponseWriter // of a device that PocketBase serves, from its first message to the end

	mu                sync.Mutex                 // guards all below
	lastWritten       time.Time                  // when something was last written to it, zero before the first
	conn              *streamConn                // nil while PocketBase serves the device
	channel           chan subscriptions.Message // nil with a line
	waiting           []queuedMessage
	waitingBytes      int           // of behind
	totalWaitingBytes *atomic.Int64 // bytes that wait for all devices
	closed            bool
}

// queuedMessage is a message on its way to a device.
type queuedMessage struct {
	subscriptions.Message
	delivery DeviceDelivery // what to report once it is written, if it was Committed at some time
}

func newDevice(c subscriptions.Client, all *atomic.Int64) *device {
	return &device{Client: c, totalWaitingBytes: all, channel: make(chan subscriptions.Message, channelSize)}
}

// sizeBytes is what a letter takes: many small messages are as much as a few large ones.
func (l queuedMessage) sizeBytes() int { return len(l.Name) + len(l.Data) + int(unsafe.Sizeof(l)) }

// Send queues a message behind those sent before; a discarded device ignores it.
func (d *device) Send(m subscriptions.Message) { d.enqueueMessage(queuedMessage{Message: m}) }

func (d *device) enqueueMessage(l queuedMessage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if d.conn == nil && len(d.waiting) == 0 {
		select {
		case d.channel <- l.Message:
			return
		default:
		}
	}
	d.waiting = append(d.waiting, l)
	d.addWaitingBytes(l.sizeBytes())
	if d.waitingBytes > maxWaitingBytes && len(d.waiting) > 1 || d.waitingBytes > fairWaitingBytes && d.totalWaitingBytes.Load() > maxTotalWaitingBytes { // one message may be of any size
		d.disconnectLocked()
		return
	}
	if d.conn != nil {
		d.conn.wakeWriter(d)
	}
}

// Channel returns the device's messages. PocketBase asks for it before each receive,
// which is when there is room for those that wait. Nothing comes through it with a line.
func (d *device) Channel() chan subscriptions.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		return d.Client.Channel()
	}
	for len(d.waiting) > 0 && len(d.channel) < cap(d.channel) {
		d.channel <- d.waiting[0].Message // only post and this add to it, so there is room
		d.addWaitingBytes(-d.waiting[0].sizeBytes())
		d.waiting = d.waiting[1:]
	}
	if len(d.waiting) == 0 {
		d.waiting = nil
	}
	return d.channel
}

// Subscribe adds to PocketBase's subscriptions.
func (d *device) Subscribe(subs ...string) {
	if len(subs) > 0 {
		d.hasOwnersTopics.Store(true)
	}
	d.Client.Subscribe(subs...)
}

// Unsubscribe takes from PocketBase's subscriptions, all if none is named.
func (d *device) Unsubscribe(subs ...string) {
	d.Client.Unsubscribe(subs...)
	if len(subs) == 0 {
		d.hasOwnersTopics.Store(false)
	}
}

// Discard ends the connection once the device has taken what is on its line or in its channel.
func (d *device) Discard() {
	if d.unregistering.Load() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.discardLocked()
}

// IsDiscarded reports whether the device gets no more messages.
func (d *device) IsDiscarded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// takeMessages returns what is to be written next. It needs mu.
func (d *device) takeMessages() []queuedMessage {
	n, data := 0, 0
	for n < len(d.waiting) && (n == 0 || data+len(d.waiting[n].Data) <= maxChunkBytes) {
		data += len(d.waiting[n].Data)
		d.addWaitingBytes(-d.waiting[n].sizeBytes())
		n++
	}
	letters := d.waiting[:n]
	if d.waiting = d.waiting[n:]; len(d.waiting) == 0 {
		d.waiting = nil
	}
	return letters
}

// addWaitingBytes notes that more bytes wait, or fewer. It needs mu.
func (d *device) addWaitingBytes(more int) {
	d.waitingBytes += more
	d.totalWaitingBytes.Add(int64(more))
}

// dropWaiting gives up all that waits. It needs mu.
func (d *device) dropWaiting() {
	d.addWaitingBytes(-d.waitingBytes)
	d.waiting = nil
}

// disconnect discards the device together with all that it has not taken.
func (d *device) disconnect() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.disconnectLocked()
	if d.conn == nil {
		for range d.channel {
		}
	}
}

// disconnectLocked needs mu.
func (d *device) disconnectLocked() {
	d.dropWaiting()
	d.discardLocked()
	if d.conn != nil {
		d.conn.interruptWrite()
	}
}

// discardLocked needs mu.
func (d *device) discardLocked() {
	if d.closed {
		return
	}
	d.closed = true
	d.Client.Discard()
	if d.conn != nil {
		d.conn.wakeWriter(d)
		return
	}
	d.dropWaiting()
	close(d.channel)
}

package inbox

import (
	"container/list"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

const (
	channelSize       = 4         // messages in the channel of a device that PocketBase serves
	maxWaitingBytes   = 256 << 10 // bytes that may wait for a device; one that is further behind does not read, and is disconnected
	socketBufferBytes = 64 << 10  // bytes that the system buffers for a device; by default it buffers some megabytes for one that does not read

	maxTotalWaitingBytes = 64 << 20 // bytes that may wait for all devices together
	fairWaitingBytes     = 16 << 10 // bytes that may wait for one device when more than that wait for all; one further behind is disconnected to make room
)

// device is a connected client whose Send never waits. PocketBase's own client starts a goroutine for each message
// that is not read yet, so messages lose their order and goroutines have no limit.
//
// A message goes out over the device's stream connection, or into the channel from which PocketBase takes it. Messages
// that neither takes yet wait in memory: a single block between two people may take back more notifications than a
// channel holds. A device for which too much waits is disconnected.
type device struct {
	subscriptions.Client // holds the id, PocketBase's subscriptions, and what hooks store

	address  netip.Prefix  // that its connection came from, as limits count addresses
	stranger *list.Element // its place among the strangers of the address, nil once it has subscribed; the inbox's mu guards it

	subscribing     sync.Mutex  // held by the subscribe call that is under way
	hasOwnersTopics atomic.Bool // whether it may have subscriptions that PocketBase serves
	registering     sync.Mutex  // held by the subscribe call for which the device is in PocketBase's broker
	unregistering   atomic.Bool // being taken out of the broker: Discard does nothing

	responseMu sync.Mutex          // held while something is written to response; guards it
	response   http.ResponseWriter // nil unless PocketBase serves the device; set from its first message to its end

	mu                sync.Mutex                 // guards all below
	lastWritten       time.Time                  // when something was last written to it; zero before the first time
	conn              *streamConn                // nil while PocketBase serves the device
	channel           chan subscriptions.Message // nil with a stream connection
	waiting           []queuedMessage
	waitingBytes      int           // bytes of waiting
	totalWaitingBytes *atomic.Int64 // bytes that wait for all devices together
	closed            bool
}

// queuedMessage is a message that waits until the device takes it.
type queuedMessage struct {
	subscriptions.Message
	delivery DeviceDelivery // reported once it is written, unless its CommittedAt is zero
}

func newDevice(c subscriptions.Client, all *atomic.Int64) *device {
	return &device{Client: c, totalWaitingBytes: all, channel: make(chan subscriptions.Message, channelSize)}
}

// sizeBytes returns how much memory a message takes, so that many small messages count as much as a few large ones.
func (m queuedMessage) sizeBytes() int { return len(m.Name) + len(m.Data) + int(unsafe.Sizeof(m)) }

// Send queues a message behind those sent before. On a discarded device it does nothing.
func (d *device) Send(m subscriptions.Message) { d.enqueueMessage(queuedMessage{Message: m}) }

func (d *device) enqueueMessage(m queuedMessage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if d.conn == nil && len(d.waiting) == 0 {
		select {
		case d.channel <- m.Message:
			return
		default:
		}
	}
	d.waiting = append(d.waiting, m)
	d.addWaitingBytes(m.sizeBytes())
	if d.waitingBytes > maxWaitingBytes && len(d.waiting) > 1 || d.waitingBytes > fairWaitingBytes && d.totalWaitingBytes.Load() > maxTotalWaitingBytes { // a single message may be of any size
		d.disconnectLocked()
		return
	}
	if d.conn != nil {
		d.conn.wakeWriter(d)
	}
}

// room returns how many bytes of messages that can be missed may be sent, so that there is room for others behind them. Where
// nothing waits, the newest of them, of so many bytes, has room in any case, however much waits for other devices.
func (d *device) room(newest int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	limit := maxWaitingBytes
	if d.totalWaitingBytes.Load() > maxTotalWaitingBytes/2 {
		limit = fairWaitingBytes
	}
	if len(d.waiting) == 0 {
		return max(limit/2, newest)
	}
	return limit/2 - d.waitingBytes
}

// Channel returns the device's messages. PocketBase calls it before each receive, which is when there is room for the
// messages that wait. With a stream connection nothing comes through the channel.
func (d *device) Channel() chan subscriptions.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		return d.Client.Channel()
	}
	for len(d.waiting) > 0 && len(d.channel) < cap(d.channel) {
		d.channel <- d.waiting[0].Message // only enqueueMessage and Channel add to it, so there is room
		d.addWaitingBytes(-d.waiting[0].sizeBytes())
		d.waiting = d.waiting[1:]
	}
	if len(d.waiting) == 0 {
		d.waiting = nil
	}
	return d.channel
}

// Subscribe adds to the subscriptions that PocketBase serves.
func (d *device) Subscribe(subs ...string) {
	if len(subs) > 0 {
		d.hasOwnersTopics.Store(true)
	}
	d.Client.Subscribe(subs...)
}

// Unsubscribe removes some of the subscriptions that PocketBase serves; all of them if none is named.
func (d *device) Unsubscribe(subs ...string) {
	d.Client.Unsubscribe(subs...)
	if len(subs) == 0 {
		d.hasOwnersTopics.Store(false)
	}
}

// Discard ends the connection once the device has taken what waits on its stream connection or in its channel.
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

// takeMessages takes out the messages that are to be written next: up to maxChunkBytes, but at least one. It returns
// none when none waits. It needs mu.
func (d *device) takeMessages() []queuedMessage {
	n, data := 0, 0
	for n < len(d.waiting) && (n == 0 || data+len(d.waiting[n].Data) <= maxChunkBytes) {
		data += len(d.waiting[n].Data)
		d.addWaitingBytes(-d.waiting[n].sizeBytes())
		n++
	}
	messages := d.waiting[:n]
	if d.waiting = d.waiting[n:]; len(d.waiting) == 0 {
		d.waiting = nil
	}
	return messages
}

// addWaitingBytes notes that more bytes wait, or fewer if more is negative. It needs mu.
func (d *device) addWaitingBytes(more int) {
	d.waitingBytes += more
	d.totalWaitingBytes.Add(int64(more))
}

// dropWaiting drops all messages that wait. It needs mu.
func (d *device) dropWaiting() {
	d.addWaitingBytes(-d.waitingBytes)
	d.waiting = nil
}

// disconnect discards the device and all messages that it has not taken.
func (d *device) disconnect() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.disconnectLocked()
	if d.conn == nil {
		for range d.channel {
		}
	}
}

// disconnectLocked discards the device and the messages that wait, and interrupts a write. It needs mu.
func (d *device) disconnectLocked() {
	d.dropWaiting()
	d.discardLocked()
	if d.conn != nil {
		d.conn.interruptWrite()
	}
}

// discardLocked takes no more messages, and ends the connection as Discard does. It needs mu.
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

package inbox

import (
	"errors"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

const (
	maxChunkBytes = 64 << 10               // bytes of messages that are written together; a larger message is written alone
	closeTimeout  = 100 * time.Millisecond // for the end of the response to find room in the socket
)

// streamConn is the socket of a device, taken out of net/http, which would keep buffers, headers and a deep stack for
// as long as the request lasts. A goroutine runs only while there is something to write.
type streamConn struct {
	net.Conn
	inbox       *Inbox
	idleTimeout time.Duration // the response ends this long after the last message
	endsBy      time.Time     // the response ends then, whatever is sent
	watchNumber uint64        // given by the idle watcher, whose mutex guards it

	// guarded by the device's mu
	lastMessage  time.Time // when the last message was written
	heartbeatDue bool      // a heartbeat waits to be written
	writing      bool
}

// attachConn serves the device over the connection from now on.
func (in *Inbox) attachConn(d *device, c *streamConn) {
	in.mu.Lock()
	_, here := in.devices[d]
	if here {
		in.deviceByID[d.Id()] = d
		in.openConns.Add(2) // the connection, and this call
		if in.idleWatcher == nil {
			in.idleWatcher = newIdleWatcher(in.checkInterval)
		}
	}
	in.mu.Unlock()
	if !here {
		c.Close()
		return
	}
	defer in.openConns.Done()
	d.mu.Lock()
	d.conn, d.channel, d.lastWritten = c, nil, time.Now()
	if d.closed {
		c.wakeWriter(d)
	}
	d.mu.Unlock()

	d.Send(subscriptions.Message{Name: "PB_CONNECT", Data: []byte(`{"clientId":"` + d.Id() + `"}`)})
	if !in.idleWatcher.addConn(d, c) {
		in.goroutines.Go(func() { c.waitForEnd(d) })
	}
}

// detachDevice forgets the device once its connection is closed.
func (in *Inbox) detachDevice(d *device) {
	in.removeDevice(d)
	in.app.SubscriptionsBroker().Unregister(d.Id())
	in.idleWatcher.forgetConn(d.conn)
	in.openConns.Done()
}

// endTime returns when the response has lasted long enough.
func (c *streamConn) endTime(d *device) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if end := c.lastMessage.Add(c.idleTimeout); end.Before(c.endsBy) {
		return end
	}
	return c.endsBy
}

// waitForEnd disconnects the device when the client is gone or the response has lasted long enough.
func (c *streamConn) waitForEnd(d *device) {
	defer d.disconnect()
	received := make([]byte, 1)
	for {
		end := c.endTime(d)
		if !time.Now().Before(end) || c.SetReadDeadline(end) != nil {
			return
		}
		if _, err := c.Read(received); !errors.Is(err, os.ErrDeadlineExceeded) {
			return // a client that sends anything is not waiting for events
		}
	}
}

// wakeWriter starts a goroutine, unless one runs, that writes what waits for the device and, once the device is
// discarded, ends the response. It needs the device's mu.
func (c *streamConn) wakeWriter(d *device) {
	if !c.writing {
		c.writing = true
		c.inbox.goroutines.Go(func() { c.writeWaiting(d) })
	}
}

// interruptWrite ends a write that waits for the client. It needs the device's mu.
func (c *streamConn) interruptWrite() {
	if c.writing {
		c.SetWriteDeadline(time.Now()) // an error means that the connection is closed
	}
}

func (c *streamConn) writeWaiting(d *device) {
	d.mu.Lock()
	for len(d.waiting) > 0 || c.heartbeatDue && !d.closed {
		messages := d.takeMessages() // none when only a heartbeat is due, which no later message makes needless
		c.heartbeatDue = false
		c.SetWriteDeadline(time.Now().Add(c.inbox.writeTimeout)) // an error means that the connection is closed
		d.mu.Unlock()
		err := c.writeMessages(d.Id(), messages)
		d.mu.Lock()
		if err != nil { // perhaps in the middle of a message: the response cannot be ended properly
			d.disconnectLocked()
			c.Close()
		}
		d.lastWritten = time.Now()
		if len(messages) > 0 {
			c.lastMessage = d.lastWritten
		}
	}
	over := d.closed
	c.writing = over // a closed device never gets another writer
	d.mu.Unlock()
	if over {
		c.SetWriteDeadline(time.Now().Add(closeTimeout))
		c.Write([]byte("0\r\n\r\n")) // a client that does not get it sees the connection end
		c.Close()
		c.inbox.detachDevice(d)
	}
}

var chunkBuffers = sync.Pool{New: func() any { return new([]byte) }}

// writeMessages writes messages, or a heartbeat when there are none, as one chunk of the response.
func (c *streamConn) writeMessages(id string, messages []queuedMessage) error {
	buffer := chunkBuffers.Get().(*[]byte)
	*buffer = appendChunk((*buffer)[:0], id, messages)
	_, err := c.Write(*buffer)
	if cap(*buffer) <= 2*maxChunkBytes {
		chunkBuffers.Put(buffer)
	}
	if err != nil {
		return err
	}
	now := time.Now()
	for _, m := range messages {
		if !m.delivery.CommittedAt.IsZero() {
			m.delivery.WrittenAt = now
			c.inbox.OnDelivered(m.delivery)
		}
	}
	return nil
}

// appendChunk appends the messages, byte for byte as PocketBase's Message.WriteSSE writes them, or a heartbeat when
// there are none.
func appendChunk(b []byte, id string, messages []queuedMessage) []byte {
	if len(messages) == 0 {
		return append(b, "2\r\n"+heartbeat+"\r\n"...)
	}
	size := 0
	for _, m := range messages {
		size += len("id:\nevent:\ndata:\n\n") + len(id) + len(m.Name) + len(m.Data)
	}
	b = append(strconv.AppendInt(b, int64(size), 16), "\r\n"...)
	for _, m := range messages {
		b = append(append(b, "id:"...), id...)
		b = append(append(b, "\nevent:"...), m.Name...)
		b = append(append(b, "\ndata:"...), m.Data...)
		b = append(b, "\n\n"...)
	}
	return append(b, "\r\n"...)
}

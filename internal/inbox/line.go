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
	maxChunkBytes = 64 << 10               // bytes of messages that are written together; a larger one goes alone
	closeTimeout  = 100 * time.Millisecond // for the end of an answer to find room in the socket
)

// streamConn is the socket of a device, taken out of net/http, which would keep buffers, headers and a deep
// stack for as long as the request lasts. A goroutine comes to write and leaves when nothing waits.
type streamConn struct {
	net.Conn
	inbox       *Inbox
	idleTimeout time.Duration // after the last message the answer ends
	endsBy      time.Time     // when it ends whatever is sent
	watchNumber uint64        // with the lookout, which guards it

	// guarded by the device's mu
	lastMessage  time.Time // the last message
	heartbeatDue bool      // a heartbeat waits to be written
	writing      bool
}

// attachConn serves the device over the line from now on.
func (in *Inbox) attachConn(d *device, l *streamConn) {
	in.mu.Lock()
	_, here := in.devices[d]
	if here {
		in.deviceByID[d.Id()] = d
		in.openConns.Add(1)
		if in.idleWatcher == nil {
			in.idleWatcher = newIdleWatcher(in.checkInterval)
		}
	}
	in.mu.Unlock()
	if !here {
		l.Close()
		return
	}
	d.mu.Lock()
	d.conn, d.channel, d.lastWritten = l, nil, time.Now()
	if d.closed {
		l.wakeWriter(d)
	}
	d.mu.Unlock()

	d.Send(subscriptions.Message{Name: "PB_CONNECT", Data: []byte(`{"clientId":"` + d.Id() + `"}`)})
	if !in.idleWatcher.addConn(d, l) {
		go l.waitForEnd(d)
	}
}

// detachDevice forgets the device once its line is closed.
func (in *Inbox) detachDevice(d *device) {
	in.removeDevice(d)
	in.app.SubscriptionsBroker().Unregister(d.Id())
	in.idleWatcher.forgetConn(d.conn)
	in.openConns.Done()
}

// endTime is when the answer has lasted long enough.
func (l *streamConn) endTime(d *device) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if end := l.lastMessage.Add(l.idleTimeout); end.Before(l.endsBy) {
		return end
	}
	return l.endsBy
}

// waitForEnd hangs up when the client is gone or the answer has lasted long enough.
func (l *streamConn) waitForEnd(d *device) {
	defer d.disconnect()
	heard := make([]byte, 1)
	for {
		end := l.endTime(d)
		if !time.Now().Before(end) || l.SetReadDeadline(end) != nil {
			return
		}
		if _, err := l.Read(heard); !errors.Is(err, os.ErrDeadlineExceeded) {
			return // who says something does not wait for events
		}
	}
}

// wakeWriter has what waits for the device written and, when it is discarded, the answer ended. It needs the device's mu.
func (l *streamConn) wakeWriter(d *device) {
	if !l.writing {
		l.writing = true
		go l.writeWaiting(d)
	}
}

// interruptWrite ends a write that waits for the client. It needs the device's mu.
func (l *streamConn) interruptWrite() {
	if l.writing {
		l.SetWriteDeadline(time.Now()) // an error means that the connection is closed
	}
}

func (l *streamConn) writeWaiting(d *device) {
	d.mu.Lock()
	for len(d.waiting) > 0 || l.heartbeatDue && !d.closed {
		letters := d.takeMessages() // none when there is a heartbeat alone, which no message makes needless any more
		l.heartbeatDue = false
		l.SetWriteDeadline(time.Now().Add(l.inbox.writeTimeout)) // likewise
		d.mu.Unlock()
		err := l.writeMessages(d.Id(), letters)
		d.mu.Lock()
		if err != nil { // perhaps in the middle of a message: the answer cannot be ended properly
			d.disconnectLocked()
			l.Close()
		}
		d.lastWritten = time.Now()
		if len(letters) > 0 {
			l.lastMessage = d.lastWritten
		}
	}
	over := d.closed
	l.writing = over // for good
	d.mu.Unlock()
	if over {
		l.SetWriteDeadline(time.Now().Add(closeTimeout))
		l.Write([]byte("0\r\n\r\n")) // who does not get it sees the connection end
		l.Close()
		l.inbox.detachDevice(d)
	}
}

var chunkBuffers = sync.Pool{New: func() any { return new([]byte) }}

// writeMessages writes letters, or a heartbeat when there are none, as one chunk of the answer.
func (l *streamConn) writeMessages(id string, letters []queuedMessage) error {
	buffer := chunkBuffers.Get().(*[]byte)
	*buffer = appendChunk((*buffer)[:0], id, letters)
	_, err := l.Write(*buffer)
	if cap(*buffer) <= 2*maxChunkBytes {
		chunkBuffers.Put(buffer)
	}
	if err != nil {
		return err
	}
	now := time.Now()
	for _, letter := range letters {
		if !letter.delivery.CommittedAt.IsZero() {
			letter.delivery.WrittenAt = now
			l.inbox.OnDelivered(letter.delivery)
		}
	}
	return nil
}

// appendChunk appends the messages in the words of PocketBase's Message.WriteSSE, or a heartbeat when there are none.
func appendChunk(b []byte, id string, letters []queuedMessage) []byte {
	if len(letters) == 0 {
		return append(b, "2\r\n"+heartbeat+"\r\n"...)
	}
	size := 0
	for _, m := range letters {
		size += len("id:\nevent:\ndata:\n\n") + len(id) + len(m.Name) + len(m.Data)
	}
	b = append(strconv.AppendInt(b, int64(size), 16), "\r\n"...)
	for _, m := range letters {
		b = append(append(b, "id:"...), id...)
		b = append(append(b, "\nevent:"...), m.Name...)
		b = append(append(b, "\ndata:"...), m.Data...)
		b = append(b, "\n\n"...)
	}
	return append(b, "\r\n"...)
}

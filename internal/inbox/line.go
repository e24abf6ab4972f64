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
	block    = 64 << 10               // bytes of messages that are written together; a larger one goes alone
	farewell = 100 * time.Millisecond // for the end of an answer to find room in the socket
)

// line is the socket of a device, taken out of net/http, which would keep buffers, headers and a deep
// stack for as long as the request lasts. A goroutine comes to write and leaves when nothing waits.
type line struct {
	net.Conn
	in     *Inbox
	idle   time.Duration // after the last message the answer ends
	last   time.Time     // when it ends whatever is sent
	number uint64        // with the lookout, which guards it

	// guarded by the device's mu
	wrote   time.Time // the last message
	beating bool      // a heartbeat waits to be written
	writing bool
}

// attach serves the device over the line from now on.
func (in *Inbox) attach(d *device, l *line) {
	in.mu.Lock()
	_, here := in.devices[d]
	if here {
		in.lineOf[d.Id()] = d
		in.lines.Add(1)
		if in.lookout == nil {
			in.lookout = newLookout(in.round)
		}
	}
	in.mu.Unlock()
	if !here {
		l.Close()
		return
	}
	d.mu.Lock()
	d.line, d.next, d.spoke = l, nil, time.Now()
	if d.closed {
		l.wake(d)
	}
	d.mu.Unlock()

	d.Send(subscriptions.Message{Name: "PB_CONNECT", Data: []byte(`{"clientId":"` + d.Id() + `"}`)})
	if !in.lookout.add(d, l) {
		go l.listen(d)
	}
}

// detach forgets the device once its line is closed.
func (in *Inbox) detach(d *device) {
	in.leave(d)
	in.app.SubscriptionsBroker().Unregister(d.Id())
	in.lookout.forget(d.line)
	in.lines.Done()
}

// end is when the answer has lasted long enough.
func (l *line) end(d *device) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if end := l.wrote.Add(l.idle); end.Before(l.last) {
		return end
	}
	return l.last
}

// listen hangs up when the client is gone or the answer has lasted long enough.
func (l *line) listen(d *device) {
	defer d.hangUp()
	heard := make([]byte, 1)
	for {
		end := l.end(d)
		if !time.Now().Before(end) || l.SetReadDeadline(end) != nil {
			return
		}
		if _, err := l.Read(heard); !errors.Is(err, os.ErrDeadlineExceeded) {
			return // who says something does not wait for events
		}
	}
}

// wake has what waits for the device written and, when it is discarded, the answer ended. It needs the device's mu.
func (l *line) wake(d *device) {
	if !l.writing {
		l.writing = true
		go l.write(d)
	}
}

// interrupt ends a write that waits for the client. It needs the device's mu.
func (l *line) interrupt() {
	if l.writing {
		l.SetWriteDeadline(time.Now()) // an error means that the connection is closed
	}
}

func (l *line) write(d *device) {
	d.mu.Lock()
	for len(d.behind) > 0 || l.beating && !d.closed {
		letters := d.take() // none when there is a heartbeat alone, which no message makes needless any more
		l.beating = false
		l.SetWriteDeadline(time.Now().Add(l.in.patience)) // likewise
		d.mu.Unlock()
		err := l.send(d.Id(), letters)
		d.mu.Lock()
		if err != nil { // perhaps in the middle of a message: the answer cannot be ended properly
			d.cut()
			l.Close()
		}
		d.spoke = time.Now()
		if len(letters) > 0 {
			l.wrote = d.spoke
		}
	}
	over := d.closed
	l.writing = over // for good
	d.mu.Unlock()
	if over {
		l.SetWriteDeadline(time.Now().Add(farewell))
		l.Write([]byte("0\r\n\r\n")) // who does not get it sees the connection end
		l.Close()
		l.in.detach(d)
	}
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// send writes letters, or a heartbeat when there are none, as one chunk of the answer.
func (l *line) send(id string, letters []letter) error {
	buffer := buffers.Get().(*[]byte)
	*buffer = appendChunk((*buffer)[:0], id, letters)
	_, err := l.Write(*buffer)
	if cap(*buffer) <= 2*block {
		buffers.Put(buffer)
	}
	if err != nil {
		return err
	}
	now := time.Now()
	for _, letter := range letters {
		if !letter.of.Committed.IsZero() {
			letter.of.Written = now
			l.in.Delivered(letter.of)
		}
	}
	return nil
}

// appendChunk appends the messages in the words of PocketBase's Message.WriteSSE, or a heartbeat when there are none.
func appendChunk(b []byte, id string, letters []letter) []byte {
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

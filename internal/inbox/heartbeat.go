package inbox

import (
	"net/http"
	"time"
)

// heartbeat is a comment of the event stream: clients skip it, and whoever stands between us and them (nginx closes
// after 60 seconds without a byte) sees that the answer goes on. One line without an empty one behind it: also
// clients that take each empty line for the end of an event see none.
const heartbeat = ":\n"

const heartbeatTimeout = 10 * time.Second // with a client that takes nothing

// runHeartbeats has a heartbeat sent to each device that was sent nothing for a while, until stop is closed. One ticker looks
// at all devices: a timer for each would cost 10,000 of them some megabytes.
func (in *Inbox) runHeartbeats(stop <-chan struct{}) {
	ticker := time.NewTicker(in.checkInterval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-ticker.C:
			in.mu.Lock()
			for d := range in.devices {
				d.sendHeartbeat(now, in.heartbeatInterval)
			}
			in.mu.Unlock()
		}
	}
}

// sendHeartbeat does not wait for the client.
func (d *device) sendHeartbeat(now time.Time, every time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.isSilentFor(now, every) {
		return
	}
	d.lastWritten = now
	if d.conn != nil {
		d.conn.heartbeatDue = true
		d.conn.wakeWriter(d)
		return
	}
	go d.writeHeartbeat()
}

// isSilentFor reports whether nothing was said to the device for this long. It needs mu.
func (d *device) isSilentFor(now time.Time, long time.Duration) bool {
	return !d.closed && !d.lastWritten.IsZero() && now.Sub(d.lastWritten) >= long
}

// writeHeartbeat sends a device that PocketBase serves its heartbeat, unless a message is being written to it.
func (d *device) writeHeartbeat() {
	if !d.responseMu.TryLock() {
		return
	}
	defer d.responseMu.Unlock()
	if d.response == nil { // the connection is over
		return
	}
	rc := http.NewResponseController(d.response)
	_ = rc.SetWriteDeadline(time.Now().Add(heartbeatTimeout))
	_, _ = d.response.Write([]byte(heartbeat)) // a client that is gone is PocketBase's to notice
	_ = rc.Flush()
	_ = rc.SetWriteDeadline(time.Time{}) // HTTP/2 ends a stream whose deadline passes even while nothing is written
}

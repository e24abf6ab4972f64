package inbox

import (
	"net/http"
	"time"
)

// heartbeat is a comment of the event stream: clients skip it, and proxies between the server and a client (nginx
// closes after 60 seconds without a byte) see that the response goes on. It is one line without an empty line behind
// it: clients that take each empty line for the end of an event see none either.
const heartbeat = ":\n"

const heartbeatTimeout = 10 * time.Second // for a client that takes nothing

// runHeartbeats has a heartbeat sent to each device that was sent nothing for a while, until stop is closed. One
// ticker checks all devices: a timer for each would cost some megabytes for 10,000 devices.
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
				in.sendHeartbeat(d, now)
			}
			in.mu.Unlock()
		}
	}
}

// sendHeartbeat sends the device a heartbeat if nothing was written to it for the heartbeat interval. It does not wait
// for the client.
func (in *Inbox) sendHeartbeat(d *device, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.isSilentFor(now, in.heartbeatInterval) {
		return
	}
	d.lastWritten = now
	if d.conn != nil {
		d.conn.heartbeatDue = true
		d.conn.wakeWriter(d)
		return
	}
	in.goroutines.Go(d.writeHeartbeat)
}

// isSilentFor reports whether nothing was written to the device for this long; false before its first message and
// after its end. It needs mu.
func (d *device) isSilentFor(now time.Time, long time.Duration) bool {
	return !d.closed && !d.lastWritten.IsZero() && now.Sub(d.lastWritten) >= long
}

// writeHeartbeat writes a heartbeat to a device that PocketBase serves, unless a message is being written to it.
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
	_, _ = d.response.Write([]byte(heartbeat)) // PocketBase notices that a client is gone
	_ = rc.Flush()
	_ = rc.SetWriteDeadline(time.Time{}) // HTTP/2 ends a stream whose deadline passes even while nothing is written
}

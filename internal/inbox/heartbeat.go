package inbox

import (
	"net/http"
	"time"
)

// heartbeat is a comment of the event stream: clients skip it, and whoever stands between us and them (nginx closes
// after 60 seconds without a byte) sees that the answer goes on. One line without an empty one behind it: also
// clients that take each empty line for the end of an event see none.
const heartbeat = ":\n"

const beatPatience = 10 * time.Second // with a client that takes nothing

// beat has a heartbeat sent to each device that was sent nothing for a while, until stop is closed. One ticker looks
// at all devices: a timer for each would cost 10,000 of them some megabytes.
func (in *Inbox) beat(stop <-chan struct{}) {
	ticker := time.NewTicker(in.round)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-ticker.C:
			in.mu.Lock()
			for d := range in.devices {
				d.beat(now, in.heart)
			}
			in.mu.Unlock()
		}
	}
}

// beat does not wait for the client.
func (d *device) beat(now time.Time, every time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.silent(now, every) {
		return
	}
	d.spoke = now
	if d.line != nil {
		d.line.beating = true
		d.line.wake(d)
		return
	}
	go d.beatBeside()
}

// silent reports whether nothing was said to the device for this long. It needs mu.
func (d *device) silent(now time.Time, long time.Duration) bool {
	return !d.closed && !d.spoke.IsZero() && now.Sub(d.spoke) >= long
}

// beatBeside sends a device that PocketBase serves its heartbeat, unless a message is being written to it.
func (d *device) beatBeside() {
	if !d.answering.TryLock() {
		return
	}
	defer d.answering.Unlock()
	if d.response == nil { // the connection is over
		return
	}
	rc := http.NewResponseController(d.response)
	_ = rc.SetWriteDeadline(time.Now().Add(beatPatience))
	_, _ = d.response.Write([]byte(heartbeat)) // a client that is gone is PocketBase's to notice
	_ = rc.Flush()
	_ = rc.SetWriteDeadline(time.Time{}) // HTTP/2 ends a stream whose deadline passes even while nothing is written
}

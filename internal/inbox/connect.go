package inbox

import (
	"errors"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// Connect gives a new connection a client whose Send never waits, and forgets it when
// the connection is over. Bind it to OnRealtimeConnectRequest.
func (in *Inbox) Connect(e *core.RealtimeConnectRequestEvent) error {
	d := newDevice(e.Client)
	if !in.enter(d) {
		return e.Error(http.StatusServiceUnavailable, "The service is stopping.", nil)
	}
	defer in.leave(d)
	e.Client = d
	return e.Next()
}

// Message gives a device some seconds to take what is written to it; one that does not
// is disconnected. Bind it to OnRealtimeMessageSend.
func (in *Inbox) Message(e *core.RealtimeMessageEvent) error {
	rc := http.NewResponseController(e.Response)
	err := rc.SetWriteDeadline(time.Now().Add(in.patience))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if err := e.Next(); err != nil {
		return err
	}
	// HTTP/2 ends a stream whose deadline passes even while nothing is written
	if err := rc.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

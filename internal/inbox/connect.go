package inbox

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Connect gives a new connection a client whose Send never waits. An ordinary connection it takes out of
// PocketBase's hands, answers as PocketBase would, and returns; any other lasts as long as
// Next does. When the connection is over, the client is forgotten. Bind it to OnRealtimeConnectRequest.
func (in *Inbox) Connect(e *core.RealtimeConnectRequestEvent) error {
	d := newDevice(e.Client, in.loop)
	if !in.enter(d) {
		return e.Error(http.StatusServiceUnavailable, "The service is stopping.", nil)
	}
	l, err := in.takeOver(e)
	if err != nil {
		in.leave(d)
		return err
	}
	if l != nil {
		in.attach(d, l)
		return nil
	}
	defer in.leave(d)
	in.loop.replace(d, e.Client.Subscriptions()) // an owner's
	e.Client = d
	return e.Next()
}

// takeOver sends the head of the answer and takes the connection from net/http; where that is not possible it
// returns nil and nil. An owner's handlers of these events expect to see each message, and Next to last
// as long as the connection: where there are any, all stays with PocketBase.
func (in *Inbox) takeOver(e *core.RealtimeConnectRequestEvent) (*line, error) {
	const ours = 1
	if e.App.OnRealtimeConnectRequest().Length() > ours || e.App.OnRealtimeMessageSend().Length() > ours {
		return nil, nil
	}
	w, plain := e.Response.(*router.ResponseWriter) // a middleware's own may want to change what is written
	if !plain || e.Request.Method != http.MethodGet || e.Request.ProtoMajor != 1 || e.Request.ProtoMinor == 0 || e.Request.ContentLength != 0 {
		return nil, nil
	}
	if _, able := w.Unwrap().(http.Hijacker); !able { // HTTP/2
		return nil, nil
	}
	w.Header().Set("Connection", "close") // it will not be asked again
	w.WriteHeader(http.StatusOK)
	conn, _, err := w.Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take over a realtime connection: %w", err)
	}
	now := time.Now()
	return &line{Conn: conn, in: in, idle: e.IdleTimeout, last: now.Add(e.MaxTimeout), wrote: now}, nil
}

// Message gives a device that PocketBase serves some seconds to take what is written to it; one that does
// not is disconnected. Bind it to OnRealtimeMessageSend.
func (in *Inbox) Message(e *core.RealtimeMessageEvent) error {
	if d, ours := e.Client.(*device); ours {
		in.loop.enter(d)
	}
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

package inbox

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Connect gives a new connection a client whose Send never waits. An ordinary connection it takes out of
// PocketBase's hands, answers as PocketBase would, and returns; any other lasts as long as
// Next does. When the connection is over, the client is forgotten. Bind it to OnRealtimeConnectRequest.
func (in *Inbox) Connect(e *core.RealtimeConnectRequestEvent) error {
	if e.Request.Method == http.MethodHead { // which net/http routes like GET: there is nothing to wait for
		e.Response.WriteHeader(http.StatusOK)
		return nil
	}
	if !in.descriptors.grant() {
		e.Response.Header().Set("Retry-After", retryAfter)
		e.Response.Header().Set("Connection", "close") // or the descriptor would stay with who is refused
		return refuse(e, "Too many connections. Please try again later.")
	}
	d := newDevice(e.Client, &in.waiting)
	if !in.enter(d) {
		return refuse(e, "The service is stopping.")
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
	defer d.forgetAnswer()
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
	if raw := rawConn(conn); raw != nil {
		_ = raw.SetWriteBuffer(socket) // or the system decides, as ever
	}
	now := time.Now()
	return &line{Conn: conn, in: in, idle: e.IdleTimeout, last: now.Add(e.MaxTimeout), wrote: now}, nil
}

// rawConn returns the socket below a connection, encrypted or not, if it is one.
func rawConn(conn net.Conn) *net.TCPConn {
	if over, encrypted := conn.(*tls.Conn); encrypted {
		conn = over.NetConn()
	}
	tcp, _ := conn.(*net.TCPConn)
	return tcp
}

// retryAfter is in how many seconds a stream that is refused may be asked for again.
const retryAfter = "10"

func refuse(e *core.RealtimeConnectRequestEvent, words string) error {
	e.Response.Header().Del("Content-Type") // it is no event stream
	return e.Error(http.StatusServiceUnavailable, words, nil)
}

// Message gives a device that PocketBase serves some seconds to take what is written to it; one that does
// not is disconnected. Bind it to OnRealtimeMessageSend.
func (in *Inbox) Message(e *core.RealtimeMessageEvent) error {
	if d, ours := e.Client.(*device); ours {
		d.answering.Lock()
		defer d.answering.Unlock()
		d.response = e.Response
		defer d.spoken()
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

// spoken notes that something was written to the device.
func (d *device) spoken() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spoke = time.Now()
}

// forgetAnswer lets no heartbeat be written any more, and waits for one that is.
func (d *device) forgetAnswer() {
	d.answering.Lock()
	defer d.answering.Unlock()
	d.response = nil
}

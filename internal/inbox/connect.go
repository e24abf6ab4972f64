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

// HandleConnect gives a new connection a client whose Send never waits. An ordinary connection it takes out of
// PocketBase's hands, answers as PocketBase would, and returns; any other lasts as long as
// Next does. When the connection is over, the client is forgotten. Bind it to OnRealtimeConnectRequest.
func (in *Inbox) HandleConnect(e *core.RealtimeConnectRequestEvent) error {
	if e.Request.Method == http.MethodHead { // which net/http routes like GET: there is nothing to wait for
		e.Response.WriteHeader(http.StatusOK)
		return nil
	}
	if !in.descriptors.grantStream() {
		e.Response.Header().Set("Retry-After", retryAfterSeconds)
		e.Response.Header().Set("Connection", "close") // or the descriptor would stay with who is refused
		return refuseStream(e, "Too many connections. Please try again later.")
	}
	d := newDevice(e.Client, &in.waitingBytes)
	if !in.addDevice(d) {
		return refuseStream(e, "The service is stopping.")
	}
	l, err := in.takeOverConn(e)
	if err != nil {
		in.removeDevice(d)
		return err
	}
	if l != nil {
		in.attachConn(d, l)
		return nil
	}
	defer in.removeDevice(d)
	defer d.forgetResponse()
	e.Client = d
	return e.Next()
}

// takeOverConn sends the head of the answer and takes the connection from net/http; where that is not possible it
// returns nil and nil. An owner's handlers of these events expect to see each message, and Next to last
// as long as the connection: where there are any, all stays with PocketBase.
func (in *Inbox) takeOverConn(e *core.RealtimeConnectRequestEvent) (*streamConn, error) {
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
	if raw := tcpConnOf(conn); raw != nil {
		_ = raw.SetWriteBuffer(socketBufferBytes) // or the system decides, as ever
	}
	now := time.Now()
	return &streamConn{Conn: conn, inbox: in, idleTimeout: e.IdleTimeout, endsBy: now.Add(e.MaxTimeout), lastMessage: now}, nil
}

// tcpConnOf returns the socket below a connection, encrypted or not, if it is one.
func tcpConnOf(conn net.Conn) *net.TCPConn {
	if over, encrypted := conn.(*tls.Conn); encrypted {
		conn = over.NetConn()
	}
	tcp, _ := conn.(*net.TCPConn)
	return tcp
}

// retryAfterSeconds is in how many seconds a stream that is refused may be asked for again.
const retryAfterSeconds = "10"

func refuseStream(e *core.RealtimeConnectRequestEvent, words string) error {
	e.Response.Header().Del("Content-Type") // it is no event stream
	return e.Error(http.StatusServiceUnavailable, words, nil)
}

// HandleMessage gives a device that PocketBase serves some seconds to take what is written to it; one that does
// not is disconnected. Bind it to OnRealtimeMessageSend.
func (in *Inbox) HandleMessage(e *core.RealtimeMessageEvent) error {
	if d, ours := e.Client.(*device); ours {
		d.responseMu.Lock()
		defer d.responseMu.Unlock()
		d.response = e.Response
		defer d.noteWritten()
	}
	rc := http.NewResponseController(e.Response)
	err := rc.SetWriteDeadline(time.Now().Add(in.writeTimeout))
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

// noteWritten notes that something was written to the device.
func (d *device) noteWritten() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lastWritten = time.Now()
}

// forgetResponse lets no heartbeat be written any more, and waits for one that is.
func (d *device) forgetResponse() {
	d.responseMu.Lock()
	defer d.responseMu.Unlock()
	d.response = nil
}

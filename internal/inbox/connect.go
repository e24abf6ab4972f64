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

	"github.com/doubletap/doubletap/internal/limit"
)

// HandleConnect gives a new connection a client whose Send never waits. It takes an ordinary connection out of
// PocketBase's hands, sends the head of the response as PocketBase would, and returns. Any other connection lasts as
// long as e.Next does. The client is forgotten when its connection ends. Bind it to OnRealtimeConnectRequest.
func (in *Inbox) HandleConnect(e *core.RealtimeConnectRequestEvent) error {
	if e.Request.Method == http.MethodHead { // net/http routes HEAD like GET; a HEAD request has nothing to wait for
		e.Response.WriteHeader(http.StatusOK)
		return nil
	}
	if !in.descriptors.grantStream() {
		e.Response.Header().Set("Retry-After", retryAfterSeconds)
		e.Response.Header().Set("Connection", "close") // else the descriptor would stay with the client that is refused
		return refuseStream(e, "Too many connections. Please try again later.")
	}
	d := newDevice(e.Client, &in.waitingBytes)
	d.address = limit.AddressGroup(limit.ClientAddress(e.Request))
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

// takeOverConn sends the head of the response and takes the connection from net/http. It returns nil and nil where
// that is not possible. An owner's handlers of these events expect to see each message, and e.Next to last as long as
// the connection: where there are any, the connection stays with PocketBase.
func (in *Inbox) takeOverConn(e *core.RealtimeConnectRequestEvent) (*streamConn, error) {
	const ours = 1
	if e.App.OnRealtimeConnectRequest().Length() > ours || e.App.OnRealtimeMessageSend().Length() > ours {
		return nil, nil
	}
	w, plain := e.Response.(*router.ResponseWriter) // a middleware's own writer may want to change what is written
	if !plain || e.Request.Method != http.MethodGet || e.Request.ProtoMajor != 1 || e.Request.ProtoMinor == 0 || e.Request.ContentLength != 0 {
		return nil, nil
	}
	if _, able := w.Unwrap().(http.Hijacker); !able { // HTTP/2
		return nil, nil
	}
	w.Header().Set("Connection", "close") // no other request follows on it
	w.WriteHeader(http.StatusOK)
	conn, _, err := w.Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take over a realtime connection: %w", err)
	}
	if raw := tcpConnOf(conn); raw != nil {
		_ = raw.SetWriteBuffer(socketBufferBytes) // if it fails, the system chooses the size
	}
	now := time.Now()
	return &streamConn{Conn: conn, inbox: in, idleTimeout: e.IdleTimeout, endsBy: now.Add(e.MaxTimeout), lastMessage: now}, nil
}

// tcpConnOf returns the TCP socket below a connection, encrypted or not, or nil if there is none.
func tcpConnOf(conn net.Conn) *net.TCPConn {
	if over, encrypted := conn.(*tls.Conn); encrypted {
		conn = over.NetConn()
	}
	tcp, _ := conn.(*net.TCPConn)
	return tcp
}

// retryAfterSeconds is after how many seconds a client that was refused may ask again.
const retryAfterSeconds = "10"

func refuseStream(e *core.RealtimeConnectRequestEvent, text string) error {
	e.Response.Header().Del("Content-Type") // the answer is no event stream
	return e.Error(http.StatusServiceUnavailable, text, nil)
}

// HandleMessage gives a device that PocketBase serves writeTimeout to take what is written to it, and disconnects it
// if it does not. Bind it to OnRealtimeMessageSend.
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

// noteWritten notes that something was written to the device now.
func (d *device) noteWritten() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lastWritten = time.Now()
}

// forgetResponse prevents further heartbeats, and waits for one that is being written.
func (d *device) forgetResponse() {
	d.responseMu.Lock()
	defer d.responseMu.Unlock()
	d.response = nil
}

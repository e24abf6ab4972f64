package hooks

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute // of a connection between two requests; a proxy's own is shorter, and must be
)

// bodyPace is how slowly a request's body may come. Who sends a photo over a bad line is slow all the time; who wants
// to hold connections sends next to nothing.
var bodyPace = pace{graceTimeout: 20 * time.Second, stallTimeout: time.Minute, bytesPerSecond: 4 << 10}

// pace bounds how long a body takes: some time, and more for each byte that has come, but never much without one.
type pace struct {
	graceTimeout   time.Duration // for the first byte, and in addition to what rate gives
	stallTimeout   time.Duration // without a byte
	bytesPerSecond int64         // bytes a second
}

// deadline returns until when the next bytes have to come, after read bytes since began.
func (p pace) deadline(began, now time.Time, read int64) time.Time {
	earned := began.Add(p.graceTimeout + time.Duration(read)*time.Second/time.Duration(p.bytesPerSecond))
	if stalled := now.Add(p.stallTimeout); stalled.Before(earned) {
		return stalled
	}
	return earned
}

func (s *Social) bindTimeouts() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if e.Server == nil { // an owner's test of their app with PocketBase's own kit
			return e.Next()
		}
		e.Server.ReadHeaderTimeout = headerTimeout
		e.Server.IdleTimeout = idleTimeout
		writing := e.Server.WriteTimeout
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: firstPriority, Func: func(e *core.RequestEvent) error {
			if body := bodyPace.wrapBody(e, writing); body != nil {
				defer s.bodies.addBody(body)()
			}
			return e.Next()
		}})
		return e.Next()
	})
}

// wrapBody drops a connection whose body comes too slowly, also when nobody reads it. The deadlines that net/http has set
// for the whole request, some minutes, would end an honest upload and wait long for the other.
func (p pace) wrapBody(e *core.RequestEvent, writing time.Duration) *pacedBody {
	if e.Request.ContentLength == 0 {
		return nil
	}
	body := &pacedBody{ReadCloser: e.Request.Body, pace: p, began: time.Now(), writeTimeout: writing, conn: http.NewResponseController(e.Response)}
	body.extendDeadline(body.began)
	if again, ok := e.Request.Body.(*router.RereadableReadCloser); ok {
		body.ReadCloser = again.ReadCloser
		again.ReadCloser = body
		return body
	}
	e.Request.Body = body
	return body
}

type pacedBody struct {
	io.ReadCloser
	conn         *http.ResponseController
	writeTimeout time.Duration // to write the answer, from the end of the body on
	began        time.Time

	mu            sync.Mutex // guards all below: the process may end while the body is read
	pace          pace
	deadlineSetAt time.Time // when the deadline was last moved
	readBytes     int64
	ended         bool
}

// extendDeadline moves the deadline, unless that was done just now. An error means that the connection has none, as in a test's
// recorder.
func (b *pacedBody) extendDeadline(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended && now.Sub(b.deadlineSetAt) > b.pace.stallTimeout/100 {
		b.deadlineSetAt = now
		_ = b.conn.SetReadDeadline(b.pace.deadline(b.began, now, b.readBytes))
	}
}

// shortenStall lets no more than stall pass without a byte, from now on.
func (b *pacedBody) shortenStall(stall time.Duration) {
	b.mu.Lock()
	b.pace.stallTimeout, b.deadlineSetAt = stall, time.Time{}
	b.mu.Unlock()
	b.extendDeadline(time.Now())
}

func (b *pacedBody) Read(into []byte) (int, error) {
	b.extendDeadline(time.Now())
	n, err := b.ReadCloser.Read(into)
	b.mu.Lock()
	b.readBytes += int64(n)
	b.mu.Unlock()
	if err == io.EOF {
		b.endBody()
	}
	return n, err
}

// Close is also how a body ends of which the last byte was read, but not that it is the last.
func (b *pacedBody) Close() error {
	err := b.ReadCloser.Close()
	b.endBody()
	return err
}

// endBody lets the answer take its time: with the body's deadline the request would be cancelled while it is answered.
func (b *pacedBody) endBody() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	b.ended = true
	_ = b.conn.SetReadDeadline(time.Time{})
	if b.writeTimeout > 0 {
		_ = b.conn.SetWriteDeadline(time.Now().Add(b.writeTimeout))
	}
}

// openBodies are those of the requests under way.
type openBodies struct {
	mu           sync.Mutex // guards all below
	open         map[*pacedBody]struct{}
	stallTimeout time.Duration // what hurry was called with, or 0
}

// addBody counts a body until leave is called.
func (b *openBodies) addBody(body *pacedBody) (leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		b.open = map[*pacedBody]struct{}{}
	}
	b.open[body] = struct{}{}
	if b.stallTimeout > 0 {
		body.shortenStall(b.stallTimeout)
	}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.open, body)
	}
}

// shortenStalls drops every connection whose body stands still for so long, those that are yet to come among them.
func (b *openBodies) shortenStalls(stall time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stallTimeout = stall
	for body := range b.open {
		body.shortenStall(stall)
	}
}

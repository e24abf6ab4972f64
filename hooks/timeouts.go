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
var bodyPace = pace{grace: 20 * time.Second, stall: time.Minute, rate: 4 << 10}

// pace bounds how long a body takes: some time, and more for each byte that has come, but never much without one.
type pace struct {
	grace time.Duration // for the first byte, and in addition to what rate gives
	stall time.Duration // without a byte
	rate  int64         // bytes a second
}

// deadline returns until when the next bytes have to come, after read bytes since began.
func (p pace) deadline(began, now time.Time, read int64) time.Time {
	earned := began.Add(p.grace + time.Duration(read)*time.Second/time.Duration(p.rate))
	if stalled := now.Add(p.stall); stalled.Before(earned) {
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
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: first, Func: func(e *core.RequestEvent) error {
			if body := bodyPace.hold(e, writing); body != nil {
				defer s.bodies.enter(body)()
			}
			return e.Next()
		}})
		return e.Next()
	})
}

// hold drops a connection whose body comes too slowly, also when nobody reads it. The deadlines that net/http has set
// for the whole request, some minutes, would end an honest upload and wait long for the other.
func (p pace) hold(e *core.RequestEvent, writing time.Duration) *pacedBody {
	if e.Request.ContentLength == 0 {
		return nil
	}
	body := &pacedBody{ReadCloser: e.Request.Body, pace: p, began: time.Now(), writing: writing, conn: http.NewResponseController(e.Response)}
	body.hold(body.began)
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
	conn    *http.ResponseController
	writing time.Duration // to write the answer, from the end of the body on
	began   time.Time

	mu    sync.Mutex // guards all below: the process may end while the body is read
	pace  pace
	held  time.Time // when the deadline was last moved
	read  int64
	ended bool
}

// hold moves the deadline, unless that was done just now. An error means that the connection has none, as in a test's
// recorder.
func (b *pacedBody) hold(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended && now.Sub(b.held) > b.pace.stall/100 {
		b.held = now
		_ = b.conn.SetReadDeadline(b.pace.deadline(b.began, now, b.read))
	}
}

// hurry lets no more than stall pass without a byte, from now on.
func (b *pacedBody) hurry(stall time.Duration) {
	b.mu.Lock()
	b.pace.stall, b.held = stall, time.Time{}
	b.mu.Unlock()
	b.hold(time.Now())
}

func (b *pacedBody) Read(into []byte) (int, error) {
	b.hold(time.Now())
	n, err := b.ReadCloser.Read(into)
	b.mu.Lock()
	b.read += int64(n)
	b.mu.Unlock()
	if err == io.EOF {
		b.end()
	}
	return n, err
}

// Close is also how a body ends of which the last byte was read, but not that it is the last.
func (b *pacedBody) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}

// end lets the answer take its time: with the body's deadline the request would be cancelled while it is answered.
func (b *pacedBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	b.ended = true
	_ = b.conn.SetReadDeadline(time.Time{})
	if b.writing > 0 {
		_ = b.conn.SetWriteDeadline(time.Now().Add(b.writing))
	}
}

// bodies are those of the requests under way.
type bodies struct {
	mu      sync.Mutex // guards all below
	all     map[*pacedBody]struct{}
	hurried time.Duration // what hurry was called with, or 0
}

// enter counts a body until leave is called.
func (b *bodies) enter(body *pacedBody) (leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[*pacedBody]struct{}{}
	}
	b.all[body] = struct{}{}
	if b.hurried > 0 {
		body.hurry(b.hurried)
	}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.all, body)
	}
}

// hurry drops every connection whose body stands still for so long, those that are yet to come among them.
func (b *bodies) hurry(stall time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hurried = stall
	for body := range b.all {
		body.hurry(stall)
	}
}

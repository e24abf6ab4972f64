package web

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// bodyPace is how slowly a request's body may come. Somebody who sends a photo over a bad line is slow all the time;
// somebody who wants to hold connections sends next to nothing.
var bodyPace = pace{graceTimeout: 20 * time.Second, stallTimeout: time.Minute, bytesPerSecond: 4 << 10}

// pace bounds how long a body may take: some time, and more for each byte that has come, but never long without one.
type pace struct {
	graceTimeout   time.Duration // for the first byte, and on top of what bytesPerSecond gives
	stallTimeout   time.Duration // without a byte
	bytesPerSecond int64
}

// deadline returns by when the next bytes must come, after read bytes since began.
func (p pace) deadline(began, now time.Time, read int64) time.Time {
	earned := began.Add(p.graceTimeout + time.Duration(read)*time.Second/time.Duration(p.bytesPerSecond))
	if stalled := now.Add(p.stallTimeout); stalled.Before(earned) {
		return stalled
	}
	return earned
}

// wrapBody makes the connection of a body that comes too slowly end, also when nobody reads the body. The deadlines
// that net/http has set for the whole request, some minutes, would end an honest upload and wait long for the other.
// It returns nil for a request without a body.
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
	failed        bool // it stood still or broke off: whoever reads it again gets no more time
}

// extendDeadline moves the deadline, unless that was done just now. Its error is ignored: it means that the
// connection has no deadline, as in a test's recorder.
func (b *pacedBody) extendDeadline(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended && !b.failed && now.Sub(b.deadlineSetAt) > b.pace.stallTimeout/100 {
		b.deadlineSetAt = now
		_ = b.conn.SetReadDeadline(b.pace.deadline(b.began, now, b.readBytes))
	}
}

// shortenStall allows no more than stall without a byte, from now on.
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
	b.failed = b.failed || err != nil && !errors.Is(err, io.EOF)
	b.mu.Unlock()
	if errors.Is(err, io.EOF) {
		b.endBody()
	}
	return n, err
}

// Close ends the body too: the last byte may have been read, but not that it is the last.
func (b *pacedBody) Close() error {
	err := b.ReadCloser.Close()
	b.endBody()
	return err
}

// endBody removes the body's deadline, which would cancel the request while it is answered, and sets that of the
// answer.
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

// OpenBodies are the bodies of the requests under way.
type OpenBodies struct {
	mu           sync.Mutex // guards all below
	open         map[*pacedBody]struct{}
	stallTimeout time.Duration // as ShortenStalls set it, or 0
}

// PaceBody is the middleware that drops the connection of a body that comes too slowly. writing is how long the answer
// may take to be written, or 0.
func (b *OpenBodies) PaceBody(e *core.RequestEvent, writing time.Duration) error {
	if body := bodyPace.wrapBody(e, writing); body != nil {
		defer b.addBody(body)()
	}
	return e.Next()
}

// addBody adds a body until leave is called.
func (b *OpenBodies) addBody(body *pacedBody) (leave func()) {
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

// ShortenStalls drops every connection whose body stands still for stall, also of bodies that are yet to come.
func (b *OpenBodies) ShortenStalls(stall time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stallTimeout = stall
	for body := range b.open {
		body.shortenStall(stall)
	}
}

package web

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

func TestABadLineMayUploadAPhotoAndATrickleMayNot(t *testing.T) {
	began := time.Now()
	// passes reports whether a body of size bytes arrives completely if a piece arrives each time that every is over.
	passes := func(size, piece int64, every time.Duration) bool {
		now, read := began, int64(0)
		for read < size {
			deadline := bodyPace.deadline(began, now, read)
			if now = now.Add(every); now.After(deadline) {
				return false
			}
			read += piece
		}
		return true
	}
	const photo = 50 << 20
	for what, want := range map[string]struct{ got, want bool }{
		"50 MB at 8 kB a second":               {passes(photo, 8<<10, time.Second), true},
		"50 MB in pieces that take 19 seconds": {passes(photo, 1<<20, 19*time.Second), true},
		"a like on a line that is slow to try": {passes(40, 40, 19*time.Second), true},
		"nothing":                              {passes(40, 40, 21*time.Second), false},
		"a byte every five seconds":            {passes(1000, 1, 5*time.Second), false},
		"50 MB at 1 kB a second":               {passes(photo, 1<<10, time.Second), false},
		"much, and then nothing for long":      {passes(2*photo, photo, 2*time.Minute), false},
	} {
		if want.got != want.want {
			t.Errorf("%s: it passes: %v", what, want.got)
		}
	}
}

// A sender who does not send the body is dropped, whether somebody reads the body, a part of it or nothing.
func TestABodyThatDoesNotComeIsDropped(t *testing.T) {
	for name, read := range map[string]func(*core.RequestEvent) error{
		"read":     func(e *core.RequestEvent) error { _, err := io.ReadAll(e.Request.Body); return err },
		"half":     func(e *core.RequestEvent) error { _, err := io.ReadFull(e.Request.Body, make([]byte, 2)); return err },
		"not read": func(*core.RequestEvent) error { return nil },
	} {
		for _, again := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", rereadable ", again), func(t *testing.T) {
				conn, _ := startPacedServer(t, pace{graceTimeout: 50 * time.Millisecond, stallTimeout: 50 * time.Millisecond, bytesPerSecond: 1}, again, read)
				fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhel")
				if _, err := io.Copy(io.Discard, conn); err != nil {
					t.Errorf("the connection stays open: %v", err)
				}
			})
		}
	}
}

// deadlineRecorder counts how often a connection's deadline is moved.
type deadlineRecorder struct {
	*httptest.ResponseRecorder
	moved int
}

func (r *deadlineRecorder) SetReadDeadline(time.Time) error { r.moved++; return nil }

// A body is read by several: who looks at it before the handler, and the handler, which may pass over the error.
func TestABodyThatStoodStillGetsNoMoreTime(t *testing.T) {
	conn := &deadlineRecorder{ResponseRecorder: httptest.NewRecorder()}
	e := &core.RequestEvent{}
	e.Request = httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("hello"), iotest.ErrReader(os.ErrDeadlineExceeded)))
	e.Response = conn
	p := pace{graceTimeout: time.Hour, stallTimeout: -time.Second, bytesPerSecond: 1} // so that each reading moves the deadline
	body := p.wrapBody(e, 0)
	if _, err := io.ReadAll(e.Request.Body); !errors.Is(err, os.ErrDeadlineExceeded) || conn.moved < 3 {
		t.Fatalf("%v, and the deadline was moved %d times", err, conn.moved)
	}
	moved := conn.moved
	for range 3 {
		if _, err := io.ReadAll(e.Request.Body); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("once more: %v", err)
		}
		body.shortenStall(-time.Minute) // as when the process is asked to end
	}
	if conn.moved != moved {
		t.Errorf("whoever read it again moved the deadline %d times", conn.moved-moved)
	}
}

func TestARequestWhoseBodyCameIsNotCancelled(t *testing.T) {
	for name, read := range map[string]func(io.ReadCloser){
		"read whole": func(b io.ReadCloser) { _, _ = io.ReadAll(b) },
		"closed":     func(b io.ReadCloser) { _, _ = io.ReadFull(b, make([]byte, 5)); b.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			late := make(chan time.Time, 1)
			conn, answer := startPacedServer(t, pace{graceTimeout: 100 * time.Millisecond, stallTimeout: time.Hour, bytesPerSecond: 1 << 20}, false, func(e *core.RequestEvent) error {
				read(e.Request.Body)
				select {
				case <-e.Request.Context().Done():
					t.Error("cancelled")
				case at := <-time.After(300 * time.Millisecond): // long after the body's deadline
					late <- at
				}
				return e.NoContent(http.StatusNoContent)
			})
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
			response, err := http.ReadResponse(answer, nil)
			if err != nil || response.StatusCode != http.StatusNoContent || len(late) != 1 {
				t.Errorf("answered %v, %v", response, err)
			}
		})
	}
}

// startPacedServer serves read behind the pace and returns a connection to it.
func startPacedServer(t *testing.T, p pace, again bool, read func(*core.RequestEvent) error) (net.Conn, *bufio.Reader) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if again {
			r.Body = &router.RereadableReadCloser{ReadCloser: r.Body}
		}
		e := &core.RequestEvent{}
		e.Request, e.Response = r, &router.ResponseWriter{ResponseWriter: w}
		p.wrapBody(e, time.Minute)
		if err := read(e); err != nil && !strings.Contains(err.Error(), "timeout") {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

// A process that is asked to end waits for uploads that arrive, but not for those that stand still: neither those
// that did so before nor those that begin to afterwards. Otherwise they would have a minute.
func TestABodyThatStandsStillHoldsUpNoEnd(t *testing.T) {
	patient := pace{graceTimeout: time.Hour, stallTimeout: time.Hour, bytesPerSecond: 1}
	var under OpenBodies
	begun := make(chan struct{}, 2)
	wait := func(e *core.RequestEvent) error {
		body := e.Request.Body.(*pacedBody)
		defer under.addBody(body)()
		begun <- struct{}{}
		_, err := io.ReadAll(body)
		return err
	}
	hang := func() net.Conn {
		conn, _ := startPacedServer(t, patient, false, wait)
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhel")
		<-begun
		return conn
	}
	before := hang()
	under.ShortenStalls(50 * time.Millisecond)
	after := hang()
	for when, conn := range map[string]net.Conn{"before": before, "after": after} {
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("the connection of %s stays open: %v", when, err)
		}
	}
}

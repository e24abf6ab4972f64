package hooks_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/limit"
)

// bareStream is a stream that has not subscribed yet.
type bareStream struct {
	id   string
	body io.ReadCloser
}

// openStream opens one as browsers do, without a token.
func openStream(t *testing.T, s *hookstest.Service) bareStream {
	t.Helper()
	response, err := http.Get(s.URL + "/api/realtime") //nolint:bodyclose // the test ends with it
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("open a stream: %v, %v", response, err)
	}
	t.Cleanup(func() { response.Body.Close() })
	lines := bufio.NewReader(response.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal("a stream ended before it began:", err)
		}
		if id, is := strings.CutPrefix(line, "id:"); is {
			return bareStream{strings.TrimSpace(id), response.Body}
		}
	}
}

// subscribe subscribes the stream as somebody.
func (st bareStream) subscribe(by *hookstest.Client) hookstest.Answer {
	return by.Do("POST", "/api/realtime", jsonObject{"clientId": st.id, "subscriptions": []string{"posts/*"}})
}

func TestStreamsAreLimited(t *testing.T) {
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "streams=2, streams-address=3")
	s := hookstest.New(t)
	for _, holder := range []struct {
		by    *hookstest.Client
		limit string
		most  int
	}{{s.Guest(), "streams-address", 3}, {s.As("ada"), "streams", 2}, {s.As("bob"), "streams", 2}} {
		var open []bareStream
		for n := range holder.most {
			open = append(open, openStream(t, s))
			for range 2 { // to change what it listens to is no further stream
				if a := open[n].subscribe(holder.by); a.Status != 204 {
					t.Fatalf("stream %d of %s is %d %s", n, holder.limit, a.Status, a.Raw)
				}
			}
		}
		more := openStream(t, s)
		expectLimited(t, more.subscribe(holder.by), holder.limit)
		expectLimited(t, more.subscribe(holder.by), holder.limit)
		open[0].body.Close()
		for deadline := time.Now().Add(20 * time.Second); ; { // the service hears of it from the system
			if more.subscribe(holder.by).Status == 204 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("a stream that ended leaves no room for another of %s", holder.limit)
			}
		}
	}
	for range 5 {
		if a := openStream(t, s).subscribe(s.Admin()); a.Status != 204 {
			t.Errorf("a superuser's is %d", a.Status)
		}
	}
}

// TestASignedInCrowdListensAtOneAddress opens more streams than guests may have there before the first one says whose it is.
func TestASignedInCrowdListensAtOneAddress(t *testing.T) {
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "on")
	s := hookstest.New(t)
	var open []bareStream
	for range numberOf("streams-address") + 20 {
		open = append(open, openStream(t, s))
	}
	for n, stream := range open {
		if a := stream.subscribe(s.Someone(n)); a.Status != 204 {
			t.Fatalf("stream %d is %d %s", n, a.Status, a.Raw)
		}
	}
}

// TestStreamsThatNeverSubscribeMakeRoom opens more than guests may have, and one more later.
func TestStreamsThatNeverSubscribeMakeRoom(t *testing.T) {
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "streams-address=3")
	s := hookstest.New(t)
	listening := openStream(t, s)
	if a := listening.subscribe(s.Guest()); a.Status != 204 {
		t.Fatal(a.Status)
	}
	silent := openStream(t, s)
	s.Advance(time.Minute)
	young := []bareStream{openStream(t, s), openStream(t, s), openStream(t, s)}
	if _, err := io.Copy(io.Discard, silent.body); err != nil && err != io.ErrUnexpectedEOF { //nolint:errorlint // io's own
		t.Logf("the silent one ended: %v", err)
	}
	for _, stream := range append(young[:1], listening) { // they are left alone
		if a := stream.subscribe(s.As("ada")); a.Status == 404 {
			t.Errorf("a stream is gone: %s", a.Raw)
		}
	}
}

// TestAStreamWhoseFirstSubscribeFailsIsAStranger opens one whose subscribe call fails after the limits were asked, and one more later.
func TestAStreamWhoseFirstSubscribeFailsIsAStranger(t *testing.T) {
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "streams-address=1")
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRealtimeSubscribeRequest().Bind(&hook.Handler[*core.RealtimeSubscribeRequestEvent]{Priority: 1 << 30, Func: func(e *core.RealtimeSubscribeRequestEvent) error {
			return e.ForbiddenError("An owner says no.", nil)
		}})
	})
	failed := openStream(t, s)
	if a := failed.subscribe(s.Guest()); a.Status != 403 {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	s.Advance(time.Minute)
	openStream(t, s)
	if _, err := io.Copy(io.Discard, failed.body); err != nil { // it ends, else the test does not
		t.Logf("it ended: %v", err)
	}
}

package inbox

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

// Whoever serves a device, and over whatever connection: it is sent a comment when nothing else is sent, and its
// messages stay whole.
func TestAQuietStreamIsSentHeartbeats(t *testing.T) {
	plain := func(server *httptest.Server) { server.Start() }
	for name, kind := range map[string]struct {
		start func(*httptest.Server)
		owner bool // PocketBase serves the device
	}{
		"plain":                {start: plain},
		"encrypted":            {start: func(server *httptest.Server) { server.StartTLS() }},
		"HTTP/2":               {start: func(server *httptest.Server) { server.EnableHTTP2 = true; server.StartTLS() }},
		"with owner's handler": {start: plain, owner: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := startService(t, kind.start)
			if kind.owner {
				s.app.OnRealtimeMessageSend().BindFunc(func(e *core.RealtimeMessageEvent) error { return e.Next() })
			}
			s.inbox.checkInterval, s.inbox.heartbeatInterval = time.Millisecond, 5*time.Millisecond
			response, err := s.server.Client().Get(s.server.URL + "/api/realtime")
			requireNoError(t, err)
			defer response.Body.Close()
			lines := bufio.NewReader(response.Body)
			var said strings.Builder
			until := func(enough func() bool) {
				t.Helper()
				requireWithin(t, "the stream to go on", func() {
					for !enough() {
						line, err := lines.ReadString('\n')
						if err != nil {
							t.Error(err)
							return
						}
						said.WriteString(line)
					}
				})
			}
			until(func() bool { return strings.Count(said.String(), heartbeat) >= 3+strings.Count(said.String(), "id:") })
			id := regexp.MustCompile(`id:(\w+)`).FindStringSubmatch(said.String())[1]
			{
				s.findDevice(id).Send(subscriptions.Message{Name: "one", Data: []byte("{}")})
				whole := "id:" + id + "\nevent:one\ndata:{}\n\n"
				until(func() bool { return strings.Contains(said.String(), whole) })
			}
			rest := strings.ReplaceAll(said.String(), "\n"+heartbeat, "\n")
			for strings.Contains(rest, "\n"+heartbeat) {
				rest = strings.ReplaceAll(rest, "\n"+heartbeat, "\n")
			}
			if n := strings.Count(rest, "\n"); n != 8 { // two messages of four lines
				t.Errorf("beside heartbeats it said\n%s", rest)
			}
		})
	}
}

func TestHeartbeatsDoNotKeepAnIdleConnectionOpen(t *testing.T) {
	s := startService(t)
	s.inbox.checkInterval, s.inbox.heartbeatInterval = time.Millisecond, 2*time.Millisecond
	s.onConnect = func(e *core.RealtimeConnectRequestEvent) { e.IdleTimeout = 200 * time.Millisecond }
	s.connectDevice(s.tokenOf("ada"), "notifications/*").wantEnd()
}

func TestADeviceThatIsSpokenToNeedsNoHeartbeat(t *testing.T) {
	s := startService(t)
	s.inbox.checkInterval = time.Hour
	d := s.connectDevice("").serverDevice()
	for range 2 {
		d.mu.Lock()
		spoke := d.lastWritten
		if d.isSilentFor(spoke.Add(s.inbox.heartbeatInterval-1), s.inbox.heartbeatInterval) || !d.isSilentFor(spoke.Add(s.inbox.heartbeatInterval), s.inbox.heartbeatInterval) {
			t.Error("a heartbeat is not due when it has been silent for this long")
		}
		d.lastWritten = spoke.Add(-time.Minute)
		d.mu.Unlock()
		d.Send(subscriptions.Message{Name: "one", Data: []byte("{}")})
		requireWithin(t, "the message to be written", func() {
			for written := false; !written; {
				d.mu.Lock()
				written = d.lastWritten.After(spoke.Add(-time.Minute))
				d.mu.Unlock()
			}
		})
	}
}

func TestHeadOpensNoStream(t *testing.T) {
	s := startService(t)
	response, err := s.server.Client().Head(s.server.URL + "/api/realtime")
	requireNoError(t, err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("got %d %v", response.StatusCode, response.Header)
	}
	if _, devices := s.inbox.ConnectedCount(); devices != 0 || s.app.SubscriptionsBroker().TotalClients() != 0 {
		t.Errorf("%d devices are connected", devices)
	}
}

func BenchmarkHeartbeatsOfTenThousand(b *testing.B) {
	s := startService(b)
	s.inbox.checkInterval = time.Hour
	for range 10_000 {
		d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
		d.lastWritten = time.Now().Add(time.Hour)
		s.inbox.addDevice(d)
	}
	for b.Loop() { // what one second costs, without the 400 writes
		s.inbox.mu.Lock()
		for d := range s.inbox.devices {
			s.inbox.sendHeartbeat(d, time.Now())
		}
		s.inbox.mu.Unlock()
	}
}

func TestStreamsLeaveDescriptorsForRequests(t *testing.T) {
	used, counts := 40, 0
	d := descriptorBudget{countOpen: func() (int, int, error) { counts++; return used, 100, nil }}
	granted := 0
	for d.grantStream() {
		granted++
		used++
	}
	if used != 75 || granted != 35 {
		t.Errorf("%d are in use when streams are refused, %d granted", used, granted)
	}
	if counts > 10 {
		t.Errorf("counted %d times for %d streams", counts, granted)
	}
	if used -= 10; !d.grantStream() {
		d.countedAt = time.Time{} // a second later
		if !d.grantStream() {
			t.Error("refused although there is room again")
		}
	}
	broken := descriptorBudget{countOpen: func() (int, int, error) { return 0, 0, fmt.Errorf("no /proc") }}
	if !broken.grantStream() {
		t.Error("refused where nothing can be counted")
	}
	if n, most, err := countDescriptors(); err != nil || n < 3 || n > most {
		t.Errorf("counted %d of %d: %v", n, most, err)
	}
}

package inbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

// requireWithin fails unless do returns in time.
func requireWithin(t testing.TB, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(eventTimeout):
		t.Fatal("waited in vain for ", what)
	}
}

// wireBytes returns all that the service sends over a connection whose client is sent two messages and is then
// discarded.
func (s *service) wireBytes(request string) string {
	s.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	requireNoError(s, err)
	defer conn.Close()
	requireNoError(s, conn.SetDeadline(time.Now().Add(eventTimeout)))
	fmt.Fprint(conn, request)
	r := bufio.NewReader(conn)
	var all strings.Builder
	for !strings.HasSuffix(all.String(), "\"}\n\n\r\n") {
		line, err := r.ReadString('\n')
		requireNoError(s, err)
		all.WriteString(line)
	}
	id := regexp.MustCompile(`"clientId":"(\w+)"`).FindStringSubmatch(all.String())[1]
	client := s.findDevice(id)
	client.Send(subscriptions.Message{Name: "one", Data: []byte(`{"n":1}`)})
	for !strings.HasSuffix(all.String(), "1}\n\n\r\n") {
		line, err := r.ReadString('\n')
		requireNoError(s, err)
		all.WriteString(line)
	}
	client.Discard()
	for !strings.HasSuffix(all.String(), "\n0\r\n\r\n") {
		line, err := r.ReadString('\n')
		requireNoError(s, err)
		all.WriteString(line)
	}
	return regexp.MustCompile(`Date: [^\r]+`).ReplaceAllString(strings.ReplaceAll(all.String(), id, "ID"), "Date: now")
}

func TestALineSaysWhatPocketBaseWouldSay(t *testing.T) {
	s := startService(t)
	const request = "GET /api/realtime HTTP/1.1\r\nHost: x\r\nOrigin: https://photos.example\r\nAccept: text/event-stream\r\n\r\n"
	got := s.wireBytes(request)
	s.app.OnRealtimeMessageSend().BindFunc(func(e *core.RealtimeMessageEvent) error { return e.Next() })
	want := s.wireBytes(request)
	if strings.Replace(got, "Connection: close\r\n", "", 1) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, header := range []string{"X-Accel-Buffering: no", "Access-Control-Allow-Origin: https://photos.example", "X-Frame-Options: SAMEORIGIN", "Content-Type: text/event-stream"} {
		if !strings.Contains(got, "\r\n"+header+"\r\n") {
			t.Errorf("%s is missing in\n%s", header, got)
		}
	}
}

func TestAnOwnersHandlersSeeEachMessageAndTheWholeConnection(t *testing.T) {
	for name, connects := range map[string]bool{"of the connection": true, "of messages": false} {
		t.Run(name, func(t *testing.T) {
			s := startService(t)
			over, told := make(chan struct{}), make(chan string, 10)
			if connects {
				s.app.OnRealtimeConnectRequest().Bind(bindFirst(func(e *core.RealtimeConnectRequestEvent) error {
					defer close(over)
					return e.Next()
				}))
			} else {
				s.app.OnRealtimeMessageSend().BindFunc(func(e *core.RealtimeMessageEvent) error {
					told <- e.Message.Name
					e.Message.Name = "changed/" + e.Message.Name
					return e.Next()
				})
			}
			if connects {
				d := s.connectDevice(s.tokenOf("ada"))
				s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
				select {
				case <-over:
					t.Fatal("Next returned while the client is connected")
				default:
				}
				d.wantNothing()
				s.inbox.DisconnectPerson("ada")
				d.wantEnd()
				requireWithin(t, "Next", func() { <-over })
				return
			}
			request, err := http.Get(s.server.URL + "/api/realtime")
			requireNoError(t, err)
			defer request.Body.Close()
			if name, _, err := nextEvent(bufio.NewReader(request.Body)); err != nil || name != "changed/PB_CONNECT" || <-told != "PB_CONNECT" {
				t.Errorf("got %s, %v", name, err)
			}
		})
	}
}

func TestAClientThatGoesIsForgottenAtOnce(t *testing.T) {
	s := startService(t)
	for name, leave := range map[string]func(net.Conn){
		"with a goodbye": func(c net.Conn) { c.Close() },
		"without":        func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() },
		"talking":        func(c net.Conn) { fmt.Fprint(c, "GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
			requireNoError(t, err)
			defer conn.Close()
			fmt.Fprint(conn, "GET /api/realtime HTTP/1.1\r\nHost: x\r\n\r\n")
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			requireNoError(t, err)
			if name, _, err := nextEvent(bufio.NewReader(answer.Body)); err != nil || name != "PB_CONNECT" {
				t.Fatalf("got %s, %v", name, err)
			}
			if _, n := s.inbox.ConnectedCount(); n != 1 {
				t.Fatalf("%d clients", n)
			}
			leave(conn)
			requireWithin(t, "the end", s.inbox.openConns.Wait)
			if _, devices := s.inbox.ConnectedCount(); devices != 0 || s.app.SubscriptionsBroker().TotalClients() != 0 {
				t.Errorf("%d devices, %d clients", devices, s.app.SubscriptionsBroker().TotalClients())
			}
		})
	}
}

func TestAConnectionEndsWhenNothingIsSentOrItIsOld(t *testing.T) {
	const short = 250 * time.Millisecond
	lines := map[string]func(*httptest.Server){
		"plain":     func(server *httptest.Server) { server.Start() },
		"encrypted": func(server *httptest.Server) { server.StartTLS() },
	}
	for name, start := range lines {
		open := func(t *testing.T, idle, most time.Duration) *stream {
			s := startService(t, start)
			s.inbox.checkInterval = short / 25
			s.onConnect = func(e *core.RealtimeConnectRequestEvent) { e.IdleTimeout, e.MaxTimeout = idle, most }
			return s.connectDevice(s.tokenOf("ada"), "notifications/*")
		}
		t.Run(name+", nothing is sent", func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			open(t, short, time.Hour).wantEnd()
			if time.Since(begun) < short {
				t.Error("it ended early")
			}
		})
		t.Run(name+", something is sent now and then", func(t *testing.T) {
			t.Parallel()
			d := open(t, short, time.Hour)
			client := d.serverDevice()
			tick := time.NewTicker(short / 25)
			defer tick.Stop()
			for begun := time.Now(); time.Since(begun) < 3*short; {
				<-tick.C
				client.Send(subscriptions.Message{Name: "tick", Data: []byte("{}")})
				d.wantEvents("tick  <nil>")
			}
			d.wantEnd()
		})
		t.Run(name+", it is old", func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			open(t, time.Hour, short).wantEnd()
			if time.Since(begun) < short {
				t.Error("it ended early")
			}
		})
	}
}

// slowConn reports the length of each write and lets it wait until proceed is called.
type slowConn struct {
	net.Conn
	proceed chan struct{}
	writes  chan int // their lengths
}

func (c slowConn) Write(b []byte) (int, error) {
	c.writes <- len(b)
	<-c.proceed
	return c.Conn.Write(b)
}

func TestMessagesThatWaitGoTogetherAndInOrder(t *testing.T) {
	server, client := net.Pipe()
	defer client.Close()
	c := slowConn{server, make(chan struct{}, 100), make(chan int, 100)}
	s := startService(t)
	d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
	s.inbox.addDevice(d)
	s.inbox.attachConn(d, &streamConn{Conn: c, inbox: s.inbox, idleTimeout: time.Hour, endsBy: time.Now().Add(time.Hour), lastMessage: time.Now()})
	<-c.writes // PB_CONNECT
	const n = 1000
	for i := range n {
		d.Send(testMessage(i, 100))
	}
	d.Discard() // what was sent before still arrives
	d.Send(testMessage(n, 10))
	close(c.proceed)
	events := bufio.NewReader(httputil.NewChunkedReader(client))
	if name, _, err := nextEvent(events); err != nil || name != "PB_CONNECT" {
		t.Fatalf("got %q, %v", name, err)
	}
	for i := range n {
		if name, data, err := nextEvent(events); err != nil || name != fmt.Sprint(i) || len(data) == 0 {
			t.Fatalf("got %q, %d bytes, %v; want %d", name, len(data), err, i)
		}
	}
	if _, _, err := nextEvent(events); !errors.Is(err, io.EOF) {
		t.Errorf("got %v after the last", err)
	}
	if writes := len(c.writes); writes > 2+n*100/maxChunkBytes { // the last one is the end of the response
		t.Errorf("%d more writes for %d messages", writes, n)
	}
}

func TestPocketBasesOwnTopicsGoOverTheSameLine(t *testing.T) {
	s := startService(t)
	games := core.NewBaseCollection("games")
	games.ListRule = new(string)
	requireNoError(t, s.app.Save(games))
	d := s.connectDevice(s.tokenOf("ada"), "games/*", "notifications/*", "my topic")
	record := core.NewRecord(games)
	requireNoError(t, s.app.Save(record))
	d.wantEvents("games/* create " + record.Id)
	for _, client := range s.app.SubscriptionsBroker().Clients() {
		if client.HasSubscription("my topic") {
			client.Send(subscriptions.Message{Name: "my topic", Data: []byte(`{"action":"wave"}`)})
		}
	}
	d.wantEvents("my topic wave <nil>")
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	d.wantEvents("notifications/* create n1")
}

func TestALineMayBeEncrypted(t *testing.T) {
	s := startService(t, func(server *httptest.Server) { server.StartTLS() })
	d := s.connectDevice(s.tokenOf("ada"), "notifications/*")
	if d.serverDevice().conn == nil {
		t.Error("PocketBase serves the device")
	}
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	d.wantEvents("notifications/* create n1")
	s.inbox.DisconnectPerson("ada")
	d.wantEnd()
}

func TestDeliveriesAreReported(t *testing.T) {
	s := startService(t)
	reports := make(chan DeviceDelivery, 10)
	s.inbox.OnDelivered = func(d DeviceDelivery) { reports <- d }
	d := s.connectDevice(s.tokenOf("ada"), "notifications/*", "settings/*")
	before := time.Now()
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1"); PersonRowChanged(tx, "ada", "settings") })
	d.wantEvents("notifications/* create n1", "settings/* update ada")
	s.inTransaction(func(tx core.App) { s.retractNotification(tx, "ada", "n1") })
	d.wantEvents("notifications/* delete n1")
	for seq := range int64(2) {
		requireWithin(t, "a report", func() {
			if r := <-reports; r.Person != "ada" || r.Seq != seq+1 || r.CommittedAt.Before(before) || r.WrittenAt.Before(r.CommittedAt) {
				t.Errorf("got %+v", r)
			}
		})
	}
	if len(reports) > 0 {
		t.Errorf("got %+v", <-reports)
	}
}

func TestFiveDevicesCostOneLookAndOneEncoding(t *testing.T) {
	s := startService(t)
	var mu sync.Mutex
	looks := 0
	s.app.OnRecordEnrich("notifications").BindFunc(func(e *core.RecordEnrichEvent) error {
		mu.Lock()
		looks++
		mu.Unlock()
		return e.Next()
	})
	var devices []*stream
	for range 5 {
		devices = append(devices, s.connectDevice(s.tokenOf("ada"), "notifications/*"))
	}
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	for _, d := range devices {
		d.wantEvents("notifications/* create n1")
	}
	mu.Lock()
	defer mu.Unlock()
	if looks != 1 {
		t.Errorf("it was shown %d times", looks)
	}
}

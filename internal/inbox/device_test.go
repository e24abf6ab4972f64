package inbox

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

func message(i, size int) subscriptions.Message {
	return subscriptions.Message{Name: fmt.Sprint(i), Data: make([]byte, size)}
}

func TestSendKeepsTheOrderAndNeverWaits(t *testing.T) {
	d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
	const n = 10 * ready
	for i := range n {
		d.Send(message(i, 100))
	}
	for i := range n {
		if i == n/2 {
			d.Send(message(n, 100))
		}
		if m := <-d.Channel(); m.Name != fmt.Sprint(i) {
			t.Fatalf("got message %s, want %d", m.Name, i)
		}
	}
	if m := <-d.Channel(); m.Name != fmt.Sprint(n) || d.behind != nil || d.bytes != 0 {
		t.Errorf("got message %s, %d bytes left", m.Name, d.bytes)
	}
}

func TestADeviceThatDoesNotReadIsDiscarded(t *testing.T) {
	d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
	sent := 0
	for ; !d.IsDiscarded(); sent++ {
		d.Send(message(sent, 1000))
	}
	if most := ready + waiting/1000 + 1; sent > most || d.all.Load() != 0 {
		t.Errorf("it took %d messages, want at most %d", sent, most)
	}
	d.Send(message(0, 1000))
	kept := 0
	for range d.Channel() {
		kept++
	}
	if kept != ready || d.behind != nil {
		t.Errorf("%d messages kept", kept)
	}
	d.Discard()
}

func TestSmallMessagesAndLongTopicsWeighWhatTheyTake(t *testing.T) {
	for name, m := range map[string]subscriptions.Message{
		"many topics":  {Name: strings.Repeat("x", 2500), Data: []byte("{}")},
		"tiny":         {Name: "x", Data: []byte("{}")},
		"large":        {Name: "x", Data: make([]byte, waiting/2)},
		"nothing else": {},
	} {
		d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
		heap := 0 // that the device's letters take
		for !d.IsDiscarded() {
			d.Send(m)
			if heap = max(heap, d.bytes); len(d.behind)*int(unsafe.Sizeof(letter{}))+len(d.behind)*(len(m.Name)+len(m.Data)) > waiting {
				t.Fatalf("%s: %d messages wait", name, len(d.behind))
			}
		}
		if heap < waiting/4 {
			t.Errorf("%s: discarded at %d bytes", name, heap)
		}
	}
}

func TestAllDevicesTogetherAreBounded(t *testing.T) {
	all := new(atomic.Int64)
	var devices []*device
	most := int64(0)
	for range allWaiting / (waiting / 2) * 2 { // each takes less than its own bound, together it is twice what there is
		d := newDevice(subscriptions.NewDefaultClient(), all)
		for d.bytes < waiting/2 && !d.IsDiscarded() {
			d.Send(message(1, 1000))
			most = max(most, all.Load())
		}
		devices = append(devices, d)
	}
	if most > allWaiting+waiting {
		t.Errorf("%d bytes waited", most)
	}
	one := newDevice(subscriptions.NewDefaultClient(), all)
	if one.Send(message(1, 1000)); one.IsDiscarded() {
		t.Error("one that takes next to nothing is disconnected")
	}
	for _, d := range devices {
		d.hangUp()
	}
	if one.hangUp(); all.Load() != 0 {
		t.Errorf("%d bytes wait for nobody", all.Load())
	}
}

func TestADeviceThatIsHungUpOnGetsNoMore(t *testing.T) {
	d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
	for i := range 2 * ready {
		d.Send(message(i, 100))
	}
	d.hangUp()
	if m, open := <-d.Channel(); open {
		t.Errorf("got message %s", m.Name)
	}
}

func TestSendAndDiscardMayMeet(t *testing.T) {
	for range 200 {
		d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for range 100 {
					d.Send(message(i, 10))
				}
			})
		}
		all.Go(d.hangUp)
		all.Go(d.Discard)
		all.Go(func() {
			for range 50 {
				<-d.Channel()
			}
		})
		all.Wait()
	}
}

func TestDropDisconnectsAPersonAndNobodyElse(t *testing.T) {
	s := serve(t)
	phone, laptop := s.connect(s.token("ada"), "notifications/*"), s.connect(s.token("ada"), "posts/p1")
	bob := s.connect(s.token("bob"), "notifications/*")
	s.in.Drop("ada")
	phone.wantEnd()
	laptop.wantEnd()
	if people, devices := s.in.Connected(); people != 1 || devices != 1 {
		t.Errorf("%d people on %d devices", people, devices)
	}
	if len(s.in.posts) != 0 {
		t.Error("a post is still watched")
	}
	s.transaction(func(tx core.App) { s.notify(tx, "bob", "n1") })
	bob.want("notifications/* create n1")
}

func TestADeviceThatIsSignedOutByPocketBaseIsSentNothing(t *testing.T) {
	s := serve(t)
	d := s.connect(s.token("ada"), "notifications/*")
	ada, err := s.app.FindRecordById("users", "ada")
	must(t, err)
	ada.RefreshTokenKey()
	ada.Set("name", "Ada")
	ada.SetEmail("ada@example.com")
	ada.SetRandomPassword()
	must(t, s.app.Save(ada))
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
	d.wantNothing()
}

func TestCloseEndsAllAndLetsNobodyIn(t *testing.T) {
	s := serve(t)
	d, guest := s.connect(s.token("ada"), "notifications/*"), s.connect("")
	s.in.Close()
	d.wantEnd()
	guest.wantEnd()
	response, err := s.server.Client().Get(s.server.URL + "/api/realtime")
	must(t, err)
	response.Body.Close()
	if response.StatusCode != 503 {
		t.Errorf("got %d", response.StatusCode)
	}
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1"); Recheck(tx, "p1") })
}

// narrow makes the server's sockets take little, so that who does not read is felt soon.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(4096)
	}
	return c, err
}

func TestAStalledDeviceIsDroppedAndOthersGoOn(t *testing.T) {
	s := serve(t, func(server *httptest.Server) {
		server.Listener = narrow{server.Listener}
		server.Start()
	})
	s.in.patience = 200 * time.Millisecond
	s.exec(s.app, `UPDATE settings SET notify = '"' || hex(zeroblob(5000)) || '"' WHERE user = 'ada'`, nil)
	reader := s.connect(s.token("ada"), "settings/*")
	const stalled = 5
	for range stalled {
		conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
		must(t, err)
		t.Cleanup(func() { conn.Close() })
		conn.(*net.TCPConn).SetReadBuffer(4096)
		fmt.Fprint(conn, "GET /api/realtime HTTP/1.1\r\nHost: x\r\n\r\n")
		lines, id := bufio.NewScanner(conn), ""
		for id == "" && lines.Scan() {
			if _, rest, ok := strings.Cut(lines.Text(), `"clientId":"`); ok {
				id, _, _ = strings.Cut(rest, `"`)
			}
		}
		d := &stream{service: s, id: id, token: s.token("ada")}
		if status := d.subscribe("settings/*"); status != 204 {
			t.Fatalf("got %d", status)
		}
	}
	for i := 0; ; i++ {
		if _, devices := s.in.Connected(); devices == 1 {
			break
		}
		s.transaction(func(tx core.App) { Updated(tx, "ada", "settings") })
		reader.want("settings/* update ada")
		s.in.mu.Lock()
		for d := range s.in.devices {
			d.mu.Lock()
			if d.bytes > waiting {
				t.Errorf("%d bytes wait", d.bytes)
			}
			d.mu.Unlock()
		}
		s.in.mu.Unlock()
		if i > 100_000 {
			t.Fatal("nobody was dropped")
		}
	}
	reader.wantNothing()
}

func TestAQuietHTTP2StreamOutlivesTheWriteDeadline(t *testing.T) {
	s := serve(t, func(server *httptest.Server) {
		server.EnableHTTP2 = true
		server.StartTLS()
	})
	s.in.patience = 50 * time.Millisecond
	d := s.connect(s.token("ada"), "settings/*")
	quiet, cancel := context.WithTimeout(t.Context(), 4*s.in.patience)
	defer cancel()
	select {
	case e, open := <-d.events:
		t.Errorf("got %v, open %v", e, open)
	case <-quiet.Done():
	}
	s.transaction(func(tx core.App) { Updated(tx, "ada", "settings") })
	d.want("settings/* update ada")
}

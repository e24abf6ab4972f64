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

func testMessage(i, size int) subscriptions.Message {
	return subscriptions.Message{Name: fmt.Sprint(i), Data: make([]byte, size)}
}

func TestSendKeepsTheOrderAndNeverWaits(t *testing.T) {
	d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
	const n = 10 * channelSize
	for i := range n {
		d.Send(testMessage(i, 100))
	}
	for i := range n {
		if i == n/2 {
			d.Send(testMessage(n, 100))
		}
		if m := <-d.Channel(); m.Name != fmt.Sprint(i) {
			t.Fatalf("got message %s, want %d", m.Name, i)
		}
	}
	if m := <-d.Channel(); m.Name != fmt.Sprint(n) || d.waiting != nil || d.waitingBytes != 0 {
		t.Errorf("got message %s, %d bytes left", m.Name, d.waitingBytes)
	}
}

func TestADeviceThatDoesNotReadIsDiscarded(t *testing.T) {
	d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
	sent := 0
	for ; !d.IsDiscarded(); sent++ {
		d.Send(testMessage(sent, 1000))
	}
	if most := channelSize + maxWaitingBytes/1000 + 1; sent > most || d.totalWaitingBytes.Load() != 0 {
		t.Errorf("it took %d messages, want at most %d", sent, most)
	}
	d.Send(testMessage(0, 1000))
	kept := 0
	for range d.Channel() {
		kept++
	}
	if kept != channelSize || d.waiting != nil {
		t.Errorf("%d messages kept", kept)
	}
	d.Discard()
}

func TestSmallMessagesAndLongTopicsWeighWhatTheyTake(t *testing.T) {
	for name, m := range map[string]subscriptions.Message{
		"many topics":  {Name: strings.Repeat("x", 2500), Data: []byte("{}")},
		"tiny":         {Name: "x", Data: []byte("{}")},
		"large":        {Name: "x", Data: make([]byte, maxWaitingBytes/2)},
		"nothing else": {},
	} {
		d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
		heap := 0 // bytes of the device's messages
		for !d.IsDiscarded() {
			d.Send(m)
			if heap = max(heap, d.waitingBytes); len(d.waiting)*int(unsafe.Sizeof(queuedMessage{}))+len(d.waiting)*(len(m.Name)+len(m.Data)) > maxWaitingBytes {
				t.Fatalf("%s: %d messages wait", name, len(d.waiting))
			}
		}
		if heap < maxWaitingBytes/4 {
			t.Errorf("%s: discarded at %d bytes", name, heap)
		}
	}
}

func TestAllDevicesTogetherAreBounded(t *testing.T) {
	all := new(atomic.Int64)
	var devices []*device
	most := int64(0)
	for range maxTotalWaitingBytes / (maxWaitingBytes / 2) * 2 { // each device stays within its own limit, while all together send twice what all may have waiting
		d := newDevice(subscriptions.NewDefaultClient(), all)
		for d.waitingBytes < maxWaitingBytes/2 && !d.IsDiscarded() {
			d.Send(testMessage(1, 1000))
			most = max(most, all.Load())
		}
		devices = append(devices, d)
	}
	if most > maxTotalWaitingBytes+maxWaitingBytes {
		t.Errorf("%d bytes waited", most)
	}
	one := newDevice(subscriptions.NewDefaultClient(), all)
	if one.Send(testMessage(1, 1000)); one.IsDiscarded() {
		t.Error("one that takes next to nothing is disconnected")
	}
	for _, d := range devices {
		d.disconnect()
	}
	if one.disconnect(); all.Load() != 0 {
		t.Errorf("%d bytes wait for nobody", all.Load())
	}
}

func TestADeviceThatIsHungUpOnGetsNoMore(t *testing.T) {
	d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
	for i := range 2 * channelSize {
		d.Send(testMessage(i, 100))
	}
	d.disconnect()
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
					d.Send(testMessage(i, 10))
				}
			})
		}
		all.Go(d.disconnect)
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
	s := startService(t)
	phone, laptop := s.connectDevice(s.tokenOf("ada"), "notifications/*"), s.connectDevice(s.tokenOf("ada"), "posts/p1")
	bob := s.connectDevice(s.tokenOf("bob"), "notifications/*")
	s.inbox.DisconnectPerson("ada")
	phone.wantEnd()
	laptop.wantEnd()
	if people, devices := s.inbox.ConnectedCount(); people != 1 || devices != 1 {
		t.Errorf("%d people on %d devices", people, devices)
	}
	if len(s.inbox.watchedPosts) != 0 {
		t.Error("a post is still watched")
	}
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "bob", "n1") })
	bob.wantEvents("notifications/* create n1")
}

func TestADeviceThatIsSignedOutByPocketBaseIsSentNothing(t *testing.T) {
	s := startService(t)
	d := s.connectDevice(s.tokenOf("ada"), "notifications/*")
	ada, err := s.app.FindRecordById("users", "ada")
	requireNoError(t, err)
	ada.RefreshTokenKey()
	ada.Set("name", "Ada")
	ada.SetEmail("ada@example.com")
	ada.SetRandomPassword()
	requireNoError(t, s.app.Save(ada))
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	d.wantNothing()
}

func TestCloseEndsAllAndLetsNobodyIn(t *testing.T) {
	s := startService(t)
	d, guest := s.connectDevice(s.tokenOf("ada"), "notifications/*"), s.connectDevice("")
	requireNoError(t, s.inbox.Close(t.Context()))
	d.wantEnd()
	guest.wantEnd()
	response, err := s.server.Client().Get(s.server.URL + "/api/realtime")
	requireNoError(t, err)
	response.Body.Close()
	if response.StatusCode != 503 {
		t.Errorf("got %d", response.StatusCode)
	}
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1"); RecheckPosts(tx, "p1") })
}

// smallBufferListener gives the server's sockets small buffers, so that a client that does not read is noticed soon.
type smallBufferListener struct{ net.Listener }

func (l smallBufferListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(4096)
	}
	return c, err
}

func TestAStalledDeviceIsDroppedAndOthersGoOn(t *testing.T) {
	s := startService(t, func(server *httptest.Server) {
		server.Listener = smallBufferListener{server.Listener}
		server.Start()
	})
	s.inbox.writeTimeout = 200 * time.Millisecond
	s.execSQL(s.app, `UPDATE settings SET notify = '"' || hex(zeroblob(5000)) || '"' WHERE user = 'ada'`, nil)
	reader := s.connectDevice(s.tokenOf("ada"), "settings/*")
	const stalled = 5
	for range stalled {
		conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
		requireNoError(t, err)
		t.Cleanup(func() { conn.Close() })
		conn.(*net.TCPConn).SetReadBuffer(4096)
		fmt.Fprint(conn, "GET /api/realtime HTTP/1.1\r\nHost: x\r\n\r\n")
		lines, id := bufio.NewScanner(conn), ""
		for id == "" && lines.Scan() {
			if _, rest, ok := strings.Cut(lines.Text(), `"clientId":"`); ok {
				id, _, _ = strings.Cut(rest, `"`)
			}
		}
		d := &stream{service: s, id: id, token: s.tokenOf("ada")}
		if status := d.subscribe("settings/*"); status != 204 {
			t.Fatalf("got %d", status)
		}
	}
	for i := 0; ; i++ {
		if _, devices := s.inbox.ConnectedCount(); devices == 1 {
			break
		}
		s.inTransaction(func(tx core.App) { PersonRowChanged(tx, "ada", "settings") })
		reader.wantEvents("settings/* update ada")
		s.inbox.mu.Lock()
		for d := range s.inbox.devices {
			d.mu.Lock()
			if d.waitingBytes > maxWaitingBytes {
				t.Errorf("%d bytes wait", d.waitingBytes)
			}
			d.mu.Unlock()
		}
		s.inbox.mu.Unlock()
		if i > 100_000 {
			t.Fatal("nobody was dropped")
		}
	}
	reader.wantNothing()
}

func TestAQuietHTTP2StreamOutlivesTheWriteDeadline(t *testing.T) {
	s := startService(t, func(server *httptest.Server) {
		server.EnableHTTP2 = true
		server.StartTLS()
	})
	s.inbox.writeTimeout = 50 * time.Millisecond
	d := s.connectDevice(s.tokenOf("ada"), "settings/*")
	quiet, cancel := context.WithTimeout(t.Context(), 4*s.inbox.writeTimeout)
	defer cancel()
	select {
	case e, open := <-d.events:
		t.Errorf("got %v, open %v", e, open)
	case <-quiet.Done():
	}
	s.inTransaction(func(tx core.App) { PersonRowChanged(tx, "ada", "settings") })
	d.wantEvents("settings/* update ada")
}

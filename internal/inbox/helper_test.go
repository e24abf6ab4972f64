package inbox

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	_ "github.com/doubletap/doubletap/internal/visibility"
	_ "github.com/doubletap/doubletap/migrations"
)

const eventTimeout = 10 * time.Second // how long a test waits for an event that must come

func TestMain(m *testing.M) {
	if os.Getenv(crowdEnvKey) != "" {
		runCrowd()
		return
	}
	debug.SetGCPercent(400) // a seventh less work under the race detector, for memory that tests have
	os.Exit(m.Run())
}

// service is an app behind HTTP with the people ada, bob and cyn.
type service struct {
	testing.TB
	app       *core.BaseApp
	inbox     *Inbox
	server    *httptest.Server
	onConnect func(*core.RealtimeConnectRequestEvent) // called before the inbox, unless nil
	queries   atomic.Int64                            // queries that the database answered outside of transactions
	onQuery   func(string)                            // called after each of them
}

func startService(t testing.TB, start ...func(*httptest.Server)) *service {
	t.Helper()
	s := &service{TB: t, app: core.NewBaseApp(core.BaseAppConfig{DataDir: dbtest.MigratedFolder(t)})}
	requireNoError(t, s.app.Bootstrap())
	t.Cleanup(func() { requireNoError(t, s.app.ClearBootstrap()) })
	s.app.ConcurrentDB().(*dbx.DB).QueryLogFunc = func(_ context.Context, _ time.Duration, query string, _ *sql.Rows, _ error) {
		s.queries.Add(1)
		if s.onQuery != nil {
			s.onQuery(query)
		}
	}

	s.inbox = ForApp(s.app)
	s.app.OnRealtimeConnectRequest().BindFunc(func(e *core.RealtimeConnectRequestEvent) error {
		if s.onConnect != nil {
			s.onConnect(e)
		}
		return s.inbox.HandleConnect(e)
	})
	for action, success := range map[string]*hook.TaggedHook[*core.RecordEvent]{
		"create": s.app.OnRecordAfterCreateSuccess(), "update": s.app.OnRecordAfterUpdateSuccess(), "delete": s.app.OnRecordAfterDeleteSuccess(),
	} {
		success.BindFunc(func(e *core.RecordEvent) error {
			s.inbox.RecordWritten(action, e.Record)
			return e.Next()
		})
	}
	s.app.OnRealtimeSubscribeRequest().BindFunc(s.inbox.HandleSubscribe)
	s.app.OnRealtimeMessageSend().BindFunc(s.inbox.HandleMessage)
	router, err := apis.NewRouter(s.app)
	requireNoError(t, err)
	router.Bind(&hook.Handler[*core.RequestEvent]{Priority: 999, Func: func(e *core.RequestEvent) error {
		if e.Request.Method == http.MethodPost && e.Request.URL.Path == "/api/realtime" {
			return s.inbox.RegisterDevice(e)
		}
		return e.Next()
	}})
	router.Bind(apis.CORS(apis.CORSConfig{AllowOrigins: []string{"https://photos.example"}}))
	mux, err := router.BuildMux()
	requireNoError(t, err)
	s.server = httptest.NewUnstartedServer(mux)
	if len(start) == 0 {
		s.server.Start()
	} else {
		start[0](s.server)
	}
	t.Cleanup(func() {
		if err := s.inbox.Close(context.Background()); err != nil { // the test's own context is over
			t.Error(err)
		}
		s.server.Close()
	})
	for _, name := range []string{"ada", "bob", "cyn"} {
		s.signUp(s.app, name)
	}
	return s
}

func requireNoError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// signUp signs up a person whose id is their name.
func (s *service) signUp(app core.App, name string) {
	s.Helper()
	s.execSQL(app, `INSERT INTO users (id, tokenKey, handle, state, role, created, updated) VALUES ({:id}, {:key}, {:id}, 'active', 'member', {:now}, {:now})`,
		dbx.Params{"id": name, "key": strings.Repeat(name, 20)})
	s.execSQL(app, `INSERT INTO settings (id, user, seq, created, updated) VALUES ({:id}, {:id}, 0, {:now}, {:now})`, dbx.Params{"id": name})
}

// signUpMany signs up n more people and returns their tokens.
func (s *service) signUpMany(n int) []string {
	s.Helper()
	tokens := make([]string, n)
	s.inTransaction(func(tx core.App) {
		for i := range tokens {
			s.signUp(tx, fmt.Sprint("other", i))
		}
	})
	for i := range tokens {
		tokens[i] = s.tokenOf(fmt.Sprint("other", i))
	}
	return tokens
}

func (s *service) tokenOf(name string) string {
	s.Helper()
	user, err := s.app.FindRecordById("users", name)
	requireNoError(s, err)
	token, err := user.NewAuthToken()
	requireNoError(s, err)
	return token
}

func (s *service) execSQL(app core.App, statement string, params dbx.Params) {
	s.Helper()
	if params == nil {
		params = dbx.Params{}
	}
	params["now"] = clock.Timestamp(app)
	_, err := app.NonconcurrentDB().NewQuery(statement).Bind(params).Execute()
	requireNoError(s, err)
}

func (s *service) inTransaction(do func(tx core.App)) {
	s.Helper()
	requireNoError(s, s.app.RunInTransaction(func(tx core.App) error { do(tx); return nil }))
}

// nextSeq returns the person's next seq, and stores it as the last one.
func (s *service) nextSeq(tx core.App, person string) (seq int64) {
	s.Helper()
	requireNoError(s, tx.NonconcurrentDB().NewQuery(`UPDATE settings SET seq = seq + 1 WHERE user = {:u} RETURNING seq`).Bind(dbx.Params{"u": person}).Row(&seq))
	return seq
}

// addNotification writes a notification, new or changed, and calls NotificationsChanged. It returns the row's seq.
func (s *service) addNotification(tx core.App, person, id string) int64 {
	s.Helper()
	seq := s.nextSeq(tx, person)
	s.execSQL(tx, `INSERT INTO notifications (id, recipient, type, actors, actorsCount, read, latestAt, seq, groupKey, created, updated)
		VALUES ({:id}, {:u}, 'like', '["cyn"]', 1, 0, {:now}, {:seq}, {:id}, {:now}, {:now})
		ON CONFLICT (id) DO UPDATE SET seq = {:seq}, actorsCount = actorsCount + 1`, dbx.Params{"id": id, "u": person, "seq": seq})
	NotificationsChanged(tx, person)
	return seq
}

func (s *service) retractNotification(tx core.App, person, id string) {
	s.Helper()
	s.execSQL(tx, `DELETE FROM notifications WHERE id = {:id}`, dbx.Params{"id": id})
	s.execSQL(tx, `INSERT INTO retractions (id, recipient, notification, seq, created, updated) VALUES ({:r}, {:u}, {:id}, {:seq}, {:now}, {:now})`,
		dbx.Params{"r": core.GenerateDefaultRandomId(), "u": person, "id": id, "seq": s.nextSeq(tx, person)})
	NotificationsChanged(tx, person)
}

func (s *service) addPost(author, id, visibility string) {
	s.Helper()
	s.execSQL(s.app, `INSERT INTO posts (id, author, photos, caption, visibility, created, updated) VALUES ({:id}, {:a}, '[]', {:id}, {:v}, {:now}, {:now})`,
		dbx.Params{"id": id, "a": author, "v": visibility})
}

func (s *service) addFollow(app core.App, follower, followee, state string) {
	s.Helper()
	s.execSQL(app, `INSERT INTO follows (id, follower, followee, state, created, updated) VALUES ({:id}, {:a}, {:b}, {:state}, {:now}, {:now})`,
		dbx.Params{"id": follower + followee, "a": follower, "b": followee, "state": state})
}

// event is what a device received.
type event struct {
	name   string
	Action string
	Record map[string]any
}

func (e event) String() string { return fmt.Sprintf("%s %s %v", e.name, e.Action, e.Record["id"]) }

func (e event) seqNumber() int64 { return int64(e.Record["seq"].(float64)) }

// stream is a connected device that reads.
type stream struct {
	*service
	id, token string
	events    chan event // closed when the connection is over
}

// connectDevice connects a device as the person of this token, or as a guest if it is empty, and subscribes.
func (s *service) connectDevice(token string, subs ...string) *stream {
	s.Helper()
	response, err := s.server.Client().Get(s.server.URL + "/api/realtime")
	requireNoError(s, err)
	s.Cleanup(func() { response.Body.Close() })
	d := &stream{service: s, token: token, events: make(chan event, 100_000)}
	go d.readEvents(response)
	hello := d.nextEvent()
	if hello.name != "PB_CONNECT" {
		s.Fatalf("got %v first", hello)
	}
	d.id = hello.Record["clientId"].(string)
	if status := d.subscribe(subs...); status != http.StatusNoContent {
		s.Fatalf("subscribe: got %d", status)
	}
	return d
}

// connectGuestDevice returns a device that is a guest's, until it subscribes as the person.
func (s *service) connectGuestDevice(person string) *stream {
	s.Helper()
	d := s.connectDevice("")
	d.token = s.tokenOf(person)
	return d
}

// findDevice returns the service's device of a client id.
func (s *service) findDevice(id string) *device {
	s.Helper()
	s.inbox.mu.Lock()
	defer s.inbox.mu.Unlock()
	for d := range s.inbox.devices {
		if d.Id() == id {
			return d
		}
	}
	s.Fatalf("there is no device %s", id)
	return nil
}

// serverDevice returns the service's device of the stream.
func (d *stream) serverDevice() *device {
	d.Helper()
	return d.service.findDevice(d.id)
}

func (d *stream) readEvents(response *http.Response) {
	defer close(d.events)
	var e event
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 10<<20)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch key {
		case "event":
			e = event{name: value}
		case "data":
			if json.Unmarshal([]byte(value), &e); e.name == "PB_CONNECT" {
				json.Unmarshal([]byte(value), &e.Record)
			}
		case "":
			d.events <- e
		}
	}
}

func (d *stream) subscribe(subs ...string) int {
	d.Helper()
	body, _ := json.Marshal(map[string]any{"clientId": d.id, "subscriptions": subs})
	request, _ := http.NewRequest("POST", d.server.URL+"/api/realtime", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", d.token)
	response, err := d.server.Client().Do(request)
	requireNoError(d, err)
	response.Body.Close()
	return response.StatusCode
}

func (d *stream) nextEvent() event {
	d.Helper()
	select {
	case e, open := <-d.events:
		if !open {
			d.Fatal("the connection is over")
		}
		return e
	case <-time.After(eventTimeout):
		d.Fatal("no event came")
	}
	return event{}
}

func (d *stream) wantEvents(events ...string) {
	d.Helper()
	for _, want := range events {
		if got := d.nextEvent().String(); got != want {
			d.Fatalf("got %q, want %q", got, want)
		}
	}
}

// waitUntilIdle waits until all work is done: that of the broadcast queue first, which causes work for people.
func (s *service) waitUntilIdle() {
	s.inbox.broadcastQueue.working.Wait()
	s.inbox.personQueue.working.Wait()
}

// wantNothing waits until all work is done and fails if the device was sent anything.
func (d *stream) wantNothing() {
	d.Helper()
	d.waitUntilIdle()
	d.serverDevice().Send(subscriptions.Message{Name: "fence", Data: []byte("{}")})
	d.wantEvents("fence  <nil>")
}

// wantEnd reads until the connection is over.
func (d *stream) wantEnd() {
	d.Helper()
	late := time.After(eventTimeout)
	for {
		select {
		case _, open := <-d.events:
			if !open {
				return
			}
		case <-late:
			d.Fatal("the connection goes on")
		}
	}
}

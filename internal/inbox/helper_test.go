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

	"doubletap/internal/clock"
	"doubletap/internal/db/dbtest"
	_ "doubletap/internal/rule"
	_ "doubletap/migrations"
)

const patience = 10 * time.Second // with an event that must come

func TestMain(m *testing.M) {
	if os.Getenv(crowdKey) != "" {
		crowd()
		return
	}
	debug.SetGCPercent(400) // a seventh less work under the race detector, for memory that tests have
	os.Exit(m.Run())
}

// service is an app behind HTTP with the people ada, bob and cyn.
type service struct {
	testing.TB
	app     *core.BaseApp
	in      *Inbox
	server  *httptest.Server
	met     func(*core.RealtimeConnectRequestEvent) // called before the inbox, unless nil
	queries atomic.Int64                            // answered by the database outside of transactions
	queried func(string)                            // called after each of them
}

func serve(t testing.TB, start ...func(*httptest.Server)) *service {
	t.Helper()
	s := &service{TB: t, app: core.NewBaseApp(core.BaseAppConfig{DataDir: dbtest.MigratedFolder(t)})}
	must(t, s.app.Bootstrap())
	t.Cleanup(func() { must(t, s.app.ClearBootstrap()) })
	s.app.ConcurrentDB().(*dbx.DB).QueryLogFunc = func(_ context.Context, _ time.Duration, query string, _ *sql.Rows, _ error) {
		s.queries.Add(1)
		if s.queried != nil {
			s.queried(query)
		}
	}

	s.in = Of(s.app)
	s.app.OnRealtimeConnectRequest().BindFunc(func(e *core.RealtimeConnectRequestEvent) error {
		if s.met != nil {
			s.met(e)
		}
		return s.in.Connect(e)
	})
	for action, success := range map[string]*hook.TaggedHook[*core.RecordEvent]{
		"create": s.app.OnRecordAfterCreateSuccess(), "update": s.app.OnRecordAfterUpdateSuccess(), "delete": s.app.OnRecordAfterDeleteSuccess(),
	} {
		success.BindFunc(func(e *core.RecordEvent) error {
			s.in.Written(action, e.Record)
			return e.Next()
		})
	}
	s.app.OnRealtimeSubscribeRequest().BindFunc(s.in.Subscribe)
	s.app.OnRealtimeMessageSend().BindFunc(s.in.Message)
	router, err := apis.NewRouter(s.app)
	must(t, err)
	router.Bind(&hook.Handler[*core.RequestEvent]{Priority: 999, Func: func(e *core.RequestEvent) error {
		if e.Request.Method == http.MethodPost && e.Request.URL.Path == "/api/realtime" {
			return s.in.Introduce(e)
		}
		return e.Next()
	}})
	router.Bind(apis.CORS(apis.CORSConfig{AllowOrigins: []string{"https://photos.example"}}))
	mux, err := router.BuildMux()
	must(t, err)
	s.server = httptest.NewUnstartedServer(mux)
	if len(start) == 0 {
		s.server.Start()
	} else {
		start[0](s.server)
	}
	t.Cleanup(func() {
		s.in.Close()
		s.server.Close()
	})
	for _, name := range []string{"ada", "bob", "cyn"} {
		s.signUp(s.app, name)
	}
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// signUp signs somebody up whose id is their name.
func (s *service) signUp(app core.App, name string) {
	s.Helper()
	s.exec(app, `INSERT INTO users (id, tokenKey, handle, state, role, created, updated) VALUES ({:id}, {:key}, {:id}, 'active', 'member', {:now}, {:now})`,
		dbx.Params{"id": name, "key": strings.Repeat(name, 20)})
	s.exec(app, `INSERT INTO settings (id, user, seq, created, updated) VALUES ({:id}, {:id}, 0, {:now}, {:now})`, dbx.Params{"id": name})
}

// signUpMany signs n further people up and returns their tokens.
func (s *service) signUpMany(n int) []string {
	s.Helper()
	tokens := make([]string, n)
	s.transaction(func(tx core.App) {
		for i := range tokens {
			s.signUp(tx, fmt.Sprint("other", i))
		}
	})
	for i := range tokens {
		tokens[i] = s.token(fmt.Sprint("other", i))
	}
	return tokens
}

func (s *service) token(name string) string {
	s.Helper()
	user, err := s.app.FindRecordById("users", name)
	must(s, err)
	token, err := user.NewAuthToken()
	must(s, err)
	return token
}

func (s *service) exec(app core.App, statement string, params dbx.Params) {
	s.Helper()
	if params == nil {
		params = dbx.Params{}
	}
	params["now"] = clock.Stamp(app)
	_, err := app.NonconcurrentDB().NewQuery(statement).Bind(params).Execute()
	must(s, err)
}

func (s *service) transaction(do func(tx core.App)) {
	s.Helper()
	must(s, s.app.RunInTransaction(func(tx core.App) error { do(tx); return nil }))
}

// seq gives the person's next.
func (s *service) seq(tx core.App, person string) (seq int64) {
	s.Helper()
	must(s, tx.NonconcurrentDB().NewQuery(`UPDATE settings SET seq = seq + 1 WHERE user = {:u} RETURNING seq`).Bind(dbx.Params{"u": person}).Row(&seq))
	return seq
}

// notify writes a notification, new or changed, and says so.
func (s *service) notify(tx core.App, person, id string) int64 {
	s.Helper()
	seq := s.seq(tx, person)
	s.exec(tx, `INSERT INTO notifications (id, recipient, type, actors, actorsCount, read, latestAt, seq, groupKey, created, updated)
		VALUES ({:id}, {:u}, 'like', '["cyn"]', 1, 0, {:now}, {:seq}, {:id}, {:now}, {:now})
		ON CONFLICT (id) DO UPDATE SET seq = {:seq}, actorsCount = actorsCount + 1`, dbx.Params{"id": id, "u": person, "seq": seq})
	Changed(tx, person)
	return seq
}

func (s *service) retract(tx core.App, person, id string) {
	s.Helper()
	s.exec(tx, `DELETE FROM notifications WHERE id = {:id}`, dbx.Params{"id": id})
	s.exec(tx, `INSERT INTO retractions (id, recipient, notification, seq, created, updated) VALUES ({:r}, {:u}, {:id}, {:seq}, {:now}, {:now})`,
		dbx.Params{"r": core.GenerateDefaultRandomId(), "u": person, "id": id, "seq": s.seq(tx, person)})
	Changed(tx, person)
}

func (s *service) post(author, id, visibility string) {
	s.Helper()
	s.exec(s.app, `INSERT INTO posts (id, author, photos, caption, visibility, created, updated) VALUES ({:id}, {:a}, '[]', {:id}, {:v}, {:now}, {:now})`,
		dbx.Params{"id": id, "a": author, "v": visibility})
}

// feed adds a row whose id is made of its viewer and its post, and says so.
func (s *service) feed(tx core.App, viewer, author, post string) FeedRow {
	s.Helper()
	row := FeedRow{ID: viewer + post, Viewer: viewer}
	s.exec(tx, `INSERT INTO feed (id, viewer, post, author, at, gone, created, updated) VALUES ({:id}, {:v}, {:p}, {:a}, {:now}, 0, {:now}, {:now})`,
		dbx.Params{"id": row.ID, "v": viewer, "p": post, "a": author})
	FeedAdded(tx, []FeedRow{row})
	return row
}

// event is what a device got.
type event struct {
	name   string
	Action string
	Record map[string]any
}

func (e event) String() string { return fmt.Sprintf("%s %s %v", e.name, e.Action, e.Record["id"]) }

func (e event) seq() int64 { return int64(e.Record["seq"].(float64)) }

// stream is a connected device that reads.
type stream struct {
	*service
	id, token string
	events    chan event // closed when the connection is over
}

// connect opens a device as the person of this token, or as a guest, and subscribes.
func (s *service) connect(token string, subs ...string) *stream {
	s.Helper()
	response, err := s.server.Client().Get(s.server.URL + "/api/realtime")
	must(s, err)
	s.Cleanup(func() { response.Body.Close() })
	d := &stream{service: s, token: token, events: make(chan event, 100_000)}
	go d.read(response)
	hello := d.next()
	if hello.name != "PB_CONNECT" {
		s.Fatalf("got %v first", hello)
	}
	d.id = hello.Record["clientId"].(string)
	if status := d.subscribe(subs...); status != http.StatusNoContent {
		s.Fatalf("subscribe: got %d", status)
	}
	return d
}

// device is what the service knows of a client.
func (s *service) device(id string) *device {
	s.Helper()
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	for d := range s.in.devices {
		if d.Id() == id {
			return d
		}
	}
	s.Fatalf("there is no device %s", id)
	return nil
}

// device is what the service knows of it.
func (d *stream) device() *device {
	d.Helper()
	return d.service.device(d.id)
}

func (d *stream) read(response *http.Response) {
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
	must(d, err)
	response.Body.Close()
	return response.StatusCode
}

func (d *stream) next() event {
	d.Helper()
	select {
	case e, open := <-d.events:
		if !open {
			d.Fatal("the connection is over")
		}
		return e
	case <-time.After(patience):
		d.Fatal("no event came")
	}
	return event{}
}

func (d *stream) want(events ...string) {
	d.Helper()
	for _, want := range events {
		if got := d.next().String(); got != want {
			d.Fatalf("got %q, want %q", got, want)
		}
	}
}

// idle waits until all work is done.
func (s *service) idle() {
	s.in.desk.working.Wait()
	s.in.crowd.working.Wait()
	s.in.desk.working.Wait() // what the crowd's left
}

// wantNothing lets all work be done and then sees that nothing came of it.
func (d *stream) wantNothing() {
	d.Helper()
	d.idle()
	d.device().Send(subscriptions.Message{Name: "fence", Data: []byte("{}")})
	d.want("fence  <nil>")
}

// wantEnd reads until the connection is over.
func (d *stream) wantEnd() {
	d.Helper()
	late := time.After(patience)
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

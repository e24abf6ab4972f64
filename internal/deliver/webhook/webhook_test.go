package webhook

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/deliver/delivertest"
	"doubletap/internal/deliver/outbound"
	"doubletap/internal/job"
	"doubletap/internal/sweep"
)

const childDir = "DOUBLETAP_WEBHOOK_CHILD" // the data folder of a child, which this test binary then is

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

// service is an app with webhooks whose jobs run when told to.
type service struct {
	*testing.T
	app  core.App
	jobs *job.Runner
	w    *Webhooks
}

func serve(t *testing.T) *service {
	t.Helper()
	app := delivertest.App(t)
	jobs := job.NewRunner(app)
	return &service{T: t, app: app, jobs: jobs, w: Open(app, jobs)}
}

// add stores a webhook for the types, all of them when there are none, and returns its id and secret.
func (s *service) add(url string, types ...string) (id, secret string) {
	s.Helper()
	collection, err := s.app.FindCollectionByNameOrId("webhooks")
	must(s, err)
	record := core.NewRecord(collection)
	secret = NewSecret()
	record.Set("url", url)
	record.Set("secret", secret)
	record.Set("events", types)
	record.Set("contact", "owner@example.com")
	must(s, s.app.Save(record))
	s.w.Forget()
	return record.Id, secret
}

// receiver is a receiver with a webhook of its own.
func (s *service) receiver(types ...string) (*delivertest.Receiver, string) {
	s.Helper()
	r := delivertest.NewReceiver(s)
	id, secret := s.add(r.URL, types...)
	r.Expect(secret)
	return r, id
}

func (s *service) emit(kind string, data any) {
	s.Helper()
	must(s, s.app.RunInTransaction(func(tx core.App) error { return Emit(tx, kind, data) }))
}

func (s *service) drain() int {
	s.Helper()
	n, err := s.jobs.Drain(context.Background())
	must(s, err)
	return n
}

// delivery returns the log of an event.
func (s *service) delivery(event string) *core.Record {
	s.Helper()
	record, err := s.app.FindFirstRecordByData("webhook_deliveries", "event", event)
	must(s, err)
	return record
}

func (s *service) webhook(id string) *core.Record {
	s.Helper()
	record, err := s.app.FindRecordById("webhooks", id)
	must(s, err)
	return record
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type object = map[string]any

func TestAnEventReachesThoseWhoAskForIt(t *testing.T) {
	s := serve(t)
	all, _ := s.receiver()
	likes, _ := s.receiver("like.created", "like.deleted")
	before := time.Now().Add(-time.Second)
	s.emit("like.created", object{"post": "p1", "user": "bob"})
	s.emit("post.created", object{"id": "p2"})
	if n := s.drain(); n != 3 {
		t.Errorf("%d jobs, want 3", n)
	}
	got := all.Events()
	if len(got) != 2 || got[0].Type != "like.created" || got[1].Type != "post.created" || got[0].Data["user"] != "bob" || got[0].Timestamp.Before(before) {
		t.Fatalf("the one that wants all got %+v", got)
	}
	chosen := likes.Events()
	if len(chosen) != 1 || chosen[0].ID != got[0].ID || chosen[0].Raw != got[0].Raw {
		t.Fatalf("the one that wants likes got %+v", chosen)
	}
	if !strings.HasPrefix(got[0].ID, "evt_") || got[0].ID == got[1].ID {
		t.Errorf("ids %s and %s", got[0].ID, got[1].ID)
	}
	log := s.delivery(got[1].ID)
	if log.GetString("state") != "delivered" || log.GetInt("status") != 204 || log.GetString("type") != "post.created" {
		t.Errorf("log %v", log.FieldsData())
	}
	s.drain()
	if len(all.Tries())+len(likes.Tries()) != 3 {
		t.Error("something was sent twice")
	}
}

func TestAnEventOfATransactionThatRollsBackIsNone(t *testing.T) {
	s := serve(t)
	r, _ := s.receiver()
	onFire := errors.New("disk on fire")
	err := s.app.RunInTransaction(func(tx core.App) error {
		must(t, Emit(tx, "like.created", object{}))
		return onFire
	})
	if !errors.Is(err, onFire) {
		t.Fatal(err)
	}
	s.emit("post.created", object{})
	s.drain()
	if got := r.Events(); len(got) != 1 || got[0].Type != "post.created" {
		t.Errorf("got %+v", got)
	}
}

func TestWithoutWebhooksAnEventAsksNobody(t *testing.T) {
	s := serve(t)
	must(t, s.w.Load())
	asked := 0
	for _, db := range []dbx.Builder{s.app.ConcurrentDB(), s.app.NonconcurrentDB()} {
		db.(*dbx.DB).QueryLogFunc = func(context.Context, time.Duration, string, *sql.Rows, error) { asked++ }
		db.(*dbx.DB).ExecLogFunc = func(context.Context, time.Duration, string, sql.Result, error) { asked++ }
	}
	must(t, Emit(s.app, "like.created", failing{}))
	if asked != 0 {
		t.Errorf("%d statements, want none", asked)
	}
}

// failing is data that must not be looked at.
type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("looked at") }

func TestAReceiverThatComesBackGetsEverythingUnderTheSameId(t *testing.T) {
	s := serve(t)
	outbound.Of(s.app).Failures = 1 << 30 // the waits of the jobs alone
	r, id := s.receiver()
	r.Status(http.StatusBadGateway)
	s.emit("like.created", object{"n": 1})
	s.emit("like.created", object{"n": 2})
	waits := map[string][]time.Duration{}
	last := map[string]time.Time{}
	for len(r.Tries()) < 24 {
		before := len(r.Tries())
		s.drain()
		for _, event := range r.Tries()[before:] {
			if at, known := last[event]; known {
				waits[event] = append(waits[event], clock.Now(s.app).Sub(at))
			}
			last[event] = clock.Now(s.app)
		}
		clock.Advance(s.app, next(s))
	}
	if len(waits) != 2 {
		t.Fatalf("tried %v", r.Tries())
	}
	for event, list := range waits {
		for i, wait := range list {
			if most := min(time.Second<<min(i, 12), time.Hour); wait > most+3*time.Second || wait < most/2 {
				t.Errorf("%s: wait %d was %v, want up to %v", event, i, wait, most)
			}
		}
	}
	if s.webhook(id).GetString("failingSince") == "" {
		t.Error("it is not seen to fail")
	}
	r.Answer(nil)
	for range 20 {
		clock.Advance(s.app, time.Hour)
		s.drain()
	}
	got := r.Events()
	if len(got) != 2 || waits[got[0].ID] == nil || waits[got[1].ID] == nil || got[0].ID == got[1].ID {
		t.Fatalf("got %+v", got)
	}
	var attempts []struct{ Status int }
	must(t, json.Unmarshal([]byte(s.delivery(got[0].ID).GetString("attempts")), &attempts))
	if n := len(attempts); n < 12 || attempts[0].Status != 502 || attempts[n-1].Status != 204 {
		t.Errorf("log of attempts %v", attempts)
	}
	if s.webhook(id).GetString("failingSince") != "" {
		t.Error("it is still seen to fail")
	}
}

// next returns how long until the next job is due.
func next(s *service) time.Duration {
	s.Helper()
	var due string
	must(s, s.app.DB().NewQuery("SELECT min(runAt) FROM jobs WHERE state = 'ready'").Row(&due))
	at, err := time.Parse("2006-01-02 15:04:05.000Z", due)
	must(s, err)
	return max(at.Sub(clock.Now(s.app)), 0) + time.Millisecond
}

func TestAfterThreeDaysAnEventIsDeadAndCanBeReplayed(t *testing.T) {
	s := serve(t)
	r, _ := s.receiver()
	r.Status(http.StatusInternalServerError)
	s.emit("like.created", object{"post": "p1"})
	began := clock.Now(s.app)
	for s.drain(); s.count("jobs", "state = 'ready'") > 0; s.drain() {
		clock.Advance(s.app, next(s))
	}
	if lasted := clock.Now(s.app).Sub(began); lasted < 72*time.Hour || lasted > 74*time.Hour {
		t.Errorf("gave up after %v", lasted)
	}
	event := r.Tries()[0]
	if log := s.delivery(event); log.GetString("state") != "dead" {
		t.Errorf("log %v", log.FieldsData())
	}
	if n := s.count("jobs", "state = 'dead'"); n != 1 {
		t.Errorf("%d dead jobs, want 1", n)
	}

	r.Answer(nil)
	must(t, Replay(s.app, s.delivery(event).Id))
	must(t, Replay(s.app, s.delivery(event).Id)) // a double click
	s.drain()
	if got := r.Events(); len(got) != 1 || got[0].ID != event || got[0].Data["post"] != "p1" {
		t.Errorf("got %+v", got)
	}
	if n := s.count("jobs", "1"); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
	must(t, Replay(s.app, s.delivery(event).Id)) // what was delivered can be sent again
	s.drain()
	if got := r.Events(); len(got) != 2 || got[1].ID != event || got[1].Raw != got[0].Raw {
		t.Errorf("got %+v", got)
	}
	if err := Replay(s.app, "nothing"); err == nil {
		t.Error("a delivery that is not there was replayed")
	}
}

func (s *service) count(table, condition string) (n int) {
	s.Helper()
	must(s, s.app.DB().NewQuery("SELECT count(*) FROM "+table+" WHERE "+condition).Row(&n))
	return n
}

func TestOneSlowReceiverDelaysNoOther(t *testing.T) {
	s := serve(t)
	slow, _ := s.receiver()
	quick, _ := s.receiver()
	slow.Answer(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that we hang up
		<-r.Context().Done()
	})
	for range 30 {
		s.emit("like.created", object{})
	}
	s.jobs.Start()
	began := time.Now()
	quick.Wait(30)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	if n := len(slow.Tries()); n > together {
		t.Errorf("the slow one has %d requests at once, want %d at most", n, together)
	}
	t.Logf("30 events in %v beside a receiver that hangs", time.Since(began))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	must(t, s.jobs.Stop(ctx))
	if n := s.count("jobs", "attempts > 0"); n != 0 {
		t.Errorf("stopping spent attempts of %d jobs", n)
	}
}

func TestReceiversThatMisbehaveAreFailures(t *testing.T) {
	s := serve(t)
	elsewhere, _ := s.receiver("post.deleted")
	for what, answer := range map[string]http.HandlerFunc{
		"redirecting": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		},
		"slamming the door": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"refusing":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
	} {
		r, id := s.receiver("user.created")
		r.Answer(answer)
		s.emit("user.created", object{})
		s.drain()
		log := s.delivery(r.Tries()[0])
		if log.GetString("state") != "failing" || log.GetString("error") == "" {
			t.Errorf("%s: log %v", what, log.FieldsData())
		}
		must(t, s.app.Delete(s.webhook(id)))
		forgetting := sweep.Work{Kind: "webhook.gone", Parts: Parts}
		must(t, forgetting.Begin(s.app, sweep.Subject{"id": id}))
		s.w.Forget()
	}
	if n := len(elsewhere.Tries()); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
	if n := s.count("jobs", "1"); n != 0 {
		t.Errorf("%d jobs are left of webhooks that are gone", n)
	}
}

func TestAPrivateAddressIsNeverTried(t *testing.T) {
	s := serve(t)
	r, _ := s.receiver()
	outbound.Use(s.app, outbound.New(false))
	s.emit("like.created", object{})
	s.drain()
	if n := s.count("webhook_deliveries", "state = 'dead'"); n != 1 || len(r.Tries()) != 0 {
		t.Errorf("%d dead, %d requests", n, len(r.Tries()))
	}
}

func TestTheSecretIsRotatedWithoutALoss(t *testing.T) {
	s := serve(t)
	r := delivertest.NewReceiver(t)
	id, former := s.add(r.URL)
	r.Expect(former)
	fresh, err := Rotate(s.app, id, time.Hour)
	must(t, err)
	if !Valid(fresh) || fresh == former {
		t.Errorf("got secret %q", fresh)
	}
	s.emit("like.created", object{"n": 1})
	s.drain()
	r.Expect(fresh)
	s.emit("like.created", object{"n": 2})
	s.drain()
	if n := len(r.Events()); n != 2 {
		t.Fatalf("%d of 2 events were verified", n)
	}
	clock.Advance(s.app, 2*time.Hour)
	r.Expect(former)
	s.emit("like.created", object{"n": 3})
	s.drain()
	if n := len(r.Events()); n != 2 {
		t.Error("the former secret is good for ever")
	}
	if _, err := Rotate(s.app, "nothing", time.Hour); err == nil {
		t.Error("a webhook that is not there was given a secret")
	}
}

func TestAWebhookThatFailsForDaysIsDisabledAndItsOwnerTold(t *testing.T) {
	s := serve(t)
	var told []string
	s.w.Failed = func(_ core.App, url, contact, reason string) error {
		told = append(told, contact+" "+url+" "+reason)
		return nil
	}
	r, id := s.receiver()
	r.Status(http.StatusInternalServerError)
	for day := range 7 {
		s.emit("like.created", object{"day": day})
		s.drain()
		clock.Advance(s.app, 23*time.Hour)
	}
	record := s.webhook(id)
	if !record.GetBool("disabled") || !strings.HasPrefix(record.GetString("reason"), "failing since 2") {
		t.Fatalf("got %v", record.FieldsData())
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "owner@example.com "+r.URL) {
		t.Errorf("told %v", told)
	}
	tries := len(r.Tries())
	s.emit("like.created", object{})
	clock.Advance(s.app, time.Hour)
	s.drain()
	if len(r.Tries()) != tries {
		t.Error("a disabled webhook was called")
	}

	r.Answer(nil)
	record.Set("disabled", false)
	record.Set("failingSince", "")
	must(t, s.app.Save(record))
	must(t, Resuming.Begin(s.app, sweep.Subject{"id": id, "at": clock.Stamp(s.app)}))
	s.w.Forget()
	s.drain()
	if n := len(r.Events()); n == 0 {
		t.Error("what waited did not go out")
	}
}

func TestAReceiverThatIsGoneIsLeftAlone(t *testing.T) {
	s := serve(t)
	r, id := s.receiver()
	r.Status(http.StatusGone)
	s.emit("like.created", object{})
	s.emit("like.created", object{})
	s.drain()
	if n := len(r.Tries()); n != 1 || !s.webhook(id).GetBool("disabled") {
		t.Errorf("tried %d times, disabled %v", n, s.webhook(id).GetBool("disabled"))
	}
}

func TestRetryAfterIsRespected(t *testing.T) {
	s := serve(t)
	r, _ := s.receiver()
	r.Answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	s.emit("like.created", object{})
	s.drain()
	if wait := next(s); wait < 595*time.Second || wait > 601*time.Second {
		t.Errorf("tried again after %v, want 10m", wait)
	}
}

func TestASenderMayAlterOrDrop(t *testing.T) {
	s := serve(t)
	r, _ := s.receiver()
	s.w.Sending = func(_ core.App, _ string, d *Delivery) (bool, error) {
		d.Body = strings.Replace(d.Body, "secret", "******", 1)
		return d.Type != "post.created", nil
	}
	s.emit("post.created", object{})
	s.emit("like.created", object{"word": "secret"})
	s.drain()
	if got := r.Events(); len(got) != 1 || got[0].Data["word"] != "******" {
		t.Errorf("got %+v", got)
	}
}

// The peer is down, the process is killed while it comes back, and another process goes on.
func TestNothingIsLostWhenTheProcessIsKilled(t *testing.T) {
	s := serve(t)
	r, _ := s.receiver()
	for i := range 40 {
		s.emit("like.created", object{"n": i})
	}
	r.Status(http.StatusBadGateway)
	s.drain()
	if r.Tries() == nil || s.count("jobs", "1") != 40 {
		t.Fatalf("%d tries, %d jobs wait; want some, and all 40", len(r.Tries()), s.count("jobs", "1"))
	}
	verify := delivertest.NewReceiver(t)
	held := make(chan struct{}, 100)
	var kept atomic.Int64
	verify.Expect(s.webhookSecret())
	r.Answer(func(w http.ResponseWriter, request *http.Request) {
		if kept.Add(1) <= 10 {
			verify.ServeHTTP(w, request)
			return
		}
		verify.ServeHTTP(discard{http.Header{}}, request) // heard, and the sender dies before it knows
		held <- struct{}{}
		<-request.Context().Done()
	})
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childDir+"="+s.app.DataDir())
	must(t, command.Start())
	for range 2 {
		select {
		case <-held:
		case <-time.After(delivertest.Patience):
			t.Fatal("the child sent nothing")
		}
	}
	must(t, command.Process.Kill())
	_ = command.Wait() // it was killed

	r.Answer(verify.ServeHTTP)
	for range 10 { // the leases of the dead, and the wait after a failure
		clock.Advance(s.app, time.Minute)
		s.drain()
	}
	seen := map[string]int{}
	for _, event := range verify.Events() {
		seen[event.ID]++
	}
	doubles := 0
	for id, n := range seen {
		if n > 2 {
			t.Errorf("%s came %d times", id, n)
		}
		doubles += n - 1
	}
	for _, id := range r.Tries() {
		if seen[id] == 0 {
			t.Errorf("%s was tried, and came under another id or never", id)
		}
	}
	if len(seen) != 40 || doubles != 2 {
		t.Errorf("%d events came, %d of them double; want 40 and the 2 that were under way", len(seen), doubles)
	}
	if n := s.count("jobs", "1"); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

func (s *service) webhookSecret() string {
	s.Helper()
	var secrets []string
	must(s, s.app.DB().NewQuery("SELECT secret FROM webhooks").Column(&secrets))
	return secrets[0]
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// child sends what waits in a data folder until it is killed.
func child(dir string) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	delivertest.Reach(app)
	clock.Advance(app, time.Minute) // what failed before is due again
	jobs := job.NewRunner(app)
	if err := Open(app, jobs).Load(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	jobs.Start()
	select {}
}

func TestSecrets(t *testing.T) {
	if first, second := NewSecret(), NewSecret(); !Valid(first) || first == second {
		t.Error("a new secret is none")
	}
	for _, bad := range []string{"", "whsec_", "secret", "whsec_" + strings.Repeat("A", 16), strings.TrimPrefix(NewSecret(), "whsec_"), "whsec_!" + NewSecret()} {
		if Valid(bad) {
			t.Errorf("%q is taken for a secret", bad)
		}
	}
}

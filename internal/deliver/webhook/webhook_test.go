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

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/sweep"
)

const childDir = "DOUBLETAP_WEBHOOK_CHILD" // the data folder of a child, which this test binary then is

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		runChild(dir)
		return
	}
	os.Exit(m.Run())
}

// testService is an app with webhooks. Its jobs run when the test asks for it.
type testService struct {
	*testing.T
	app      core.App
	jobs     *job.Runner
	webhooks *Webhooks
}

func newTestService(t *testing.T) *testService {
	t.Helper()
	app := delivertest.NewApp(t)
	jobs := job.NewRunner(app)
	return &testService{T: t, app: app, jobs: jobs, webhooks: Register(app, jobs)}
}

// addWebhook stores a webhook for the types, or for all of them when none is given, and returns its id and secret.
func (s *testService) addWebhook(url string, types ...string) (id, secret string) {
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
	s.webhooks.InvalidateCache()
	return record.Id, secret
}

// addReceiver starts a receiver with a webhook of its own, and returns it and the webhook's id.
func (s *testService) addReceiver(types ...string) (*delivertest.Receiver, string) {
	s.Helper()
	r := delivertest.NewReceiver(s)
	id, secret := s.addWebhook(r.URL, types...)
	r.SetSecrets(secret)
	return r, id
}

func (s *testService) emitEvent(kind string, data any) {
	s.Helper()
	must(s, s.app.RunInTransaction(func(tx core.App) error { return EmitEvent(tx, kind, data) }))
}

func (s *testService) drainJobs() int {
	s.Helper()
	n, err := s.jobs.Drain(context.Background())
	must(s, err)
	return n
}

// deliveryLog returns the log of an event.
func (s *testService) deliveryLog(event string) *core.Record {
	s.Helper()
	record, err := s.app.FindFirstRecordByData("webhook_deliveries", "event", event)
	must(s, err)
	return record
}

func (s *testService) webhookRecord(id string) *core.Record {
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
	s := newTestService(t)
	all, _ := s.addReceiver()
	likes, _ := s.addReceiver("like.created", "like.deleted")
	before := time.Now().Add(-time.Second)
	s.emitEvent("like.created", object{"post": "p1", "user": "bob"})
	s.emitEvent("post.created", object{"id": "p2"})
	if n := s.drainJobs(); n != 3 {
		t.Errorf("%d jobs, want 3", n)
	}
	got := all.ReceivedEvents()
	if len(got) != 2 || got[0].Type != "like.created" || got[1].Type != "post.created" || got[0].Data["user"] != "bob" || got[0].Timestamp.Before(before) {
		t.Fatalf("the one that wants all got %+v", got)
	}
	chosen := likes.ReceivedEvents()
	if len(chosen) != 1 || chosen[0].ID != got[0].ID || chosen[0].Raw != got[0].Raw {
		t.Fatalf("the one that wants likes got %+v", chosen)
	}
	if !strings.HasPrefix(got[0].ID, "evt_") || got[0].ID == got[1].ID {
		t.Errorf("ids %s and %s", got[0].ID, got[1].ID)
	}
	log := s.deliveryLog(got[1].ID)
	if log.GetString("state") != "delivered" || log.GetInt("status") != 204 || log.GetString("type") != "post.created" {
		t.Errorf("log %v", log.FieldsData())
	}
	s.drainJobs()
	if len(all.AttemptedIDs())+len(likes.AttemptedIDs()) != 3 {
		t.Error("something was sent twice")
	}
}

func TestAnEventOfATransactionThatRollsBackIsNone(t *testing.T) {
	s := newTestService(t)
	r, _ := s.addReceiver()
	onFire := errors.New("disk on fire")
	err := s.app.RunInTransaction(func(tx core.App) error {
		must(t, EmitEvent(tx, "like.created", object{}))
		return onFire
	})
	if !errors.Is(err, onFire) {
		t.Fatal(err)
	}
	s.emitEvent("post.created", object{})
	s.drainJobs()
	if got := r.ReceivedEvents(); len(got) != 1 || got[0].Type != "post.created" {
		t.Errorf("got %+v", got)
	}
}

func TestWithoutWebhooksAnEventAsksNobody(t *testing.T) {
	s := newTestService(t)
	must(t, s.webhooks.LoadHandlers())
	asked := 0
	for _, db := range []dbx.Builder{s.app.ConcurrentDB(), s.app.NonconcurrentDB()} {
		db.(*dbx.DB).QueryLogFunc = func(context.Context, time.Duration, string, *sql.Rows, error) { asked++ }
		db.(*dbx.DB).ExecLogFunc = func(context.Context, time.Duration, string, sql.Result, error) { asked++ }
	}
	must(t, EmitEvent(s.app, "like.created", failing{}))
	if asked != 0 {
		t.Errorf("%d statements, want none", asked)
	}
}

// failing is data that must not be read.
type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("looked at") }

func TestAReceiverThatComesBackGetsEverythingUnderTheSameId(t *testing.T) {
	s := newTestService(t)
	outbound.ClientOf(s.app).MaxFailures = 1 << 30 // no circuit breaker: only the jobs wait
	r, id := s.addReceiver()
	r.SetStatus(http.StatusBadGateway)
	s.emitEvent("like.created", object{"n": 1})
	s.emitEvent("like.created", object{"n": 2})
	waits := map[string][]time.Duration{}
	last := map[string]time.Time{}
	for len(r.AttemptedIDs()) < 24 {
		before := len(r.AttemptedIDs())
		s.drainJobs()
		for _, event := range r.AttemptedIDs()[before:] {
			if at, known := last[event]; known {
				waits[event] = append(waits[event], clock.Now(s.app).Sub(at))
			}
			last[event] = clock.Now(s.app)
		}
		clock.Advance(s.app, untilNextJob(s))
	}
	if len(waits) != 2 {
		t.Fatalf("tried %v", r.AttemptedIDs())
	}
	for event, list := range waits {
		for i, wait := range list {
			if most := min(time.Second<<min(i, 12), time.Hour); wait > most+3*time.Second || wait < most/2 {
				t.Errorf("%s: wait %d was %v, want up to %v", event, i, wait, most)
			}
		}
	}
	if s.webhookRecord(id).GetString("failingSince") == "" {
		t.Error("it is not seen to fail")
	}
	r.SetAnswer(nil)
	for range 20 {
		clock.Advance(s.app, time.Hour)
		s.drainJobs()
	}
	got := r.ReceivedEvents()
	if len(got) != 2 || waits[got[0].ID] == nil || waits[got[1].ID] == nil || got[0].ID == got[1].ID {
		t.Fatalf("got %+v", got)
	}
	var attempts []struct{ Status int }
	must(t, json.Unmarshal([]byte(s.deliveryLog(got[0].ID).GetString("attempts")), &attempts))
	if n := len(attempts); n < 12 || attempts[0].Status != 502 || attempts[n-1].Status != 204 {
		t.Errorf("log of attempts %v", attempts)
	}
	if s.webhookRecord(id).GetString("failingSince") != "" {
		t.Error("it is still seen to fail")
	}
}

// untilNextJob returns how long until the next job is due.
func untilNextJob(s *testService) time.Duration {
	s.Helper()
	var due string
	must(s, s.app.DB().NewQuery("SELECT min(runAt) FROM jobs WHERE state = 'ready'").Row(&due))
	at, err := time.Parse("2006-01-02 15:04:05.000Z", due)
	must(s, err)
	return max(at.Sub(clock.Now(s.app)), 0) + time.Millisecond
}

func TestAfterThreeDaysAnEventIsDeadAndCanBeReplayed(t *testing.T) {
	s := newTestService(t)
	r, _ := s.addReceiver()
	r.SetStatus(http.StatusInternalServerError)
	s.emitEvent("like.created", object{"post": "p1"})
	began := clock.Now(s.app)
	for s.drainJobs(); s.countRows("jobs", "state = 'ready'") > 0; s.drainJobs() {
		clock.Advance(s.app, untilNextJob(s))
	}
	if lasted := clock.Now(s.app).Sub(began); lasted < 72*time.Hour || lasted > 74*time.Hour {
		t.Errorf("gave up after %v", lasted)
	}
	event := r.AttemptedIDs()[0]
	if log := s.deliveryLog(event); log.GetString("state") != "dead" {
		t.Errorf("log %v", log.FieldsData())
	}
	if n := s.countRows("jobs", "state = 'dead'"); n != 1 {
		t.Errorf("%d dead jobs, want 1", n)
	}

	r.SetAnswer(nil)
	must(t, Replay(s.app, s.deliveryLog(event).Id))
	must(t, Replay(s.app, s.deliveryLog(event).Id)) // a double click
	s.drainJobs()
	if got := r.ReceivedEvents(); len(got) != 1 || got[0].ID != event || got[0].Data["post"] != "p1" {
		t.Errorf("got %+v", got)
	}
	if n := s.countRows("jobs", "1"); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
	must(t, Replay(s.app, s.deliveryLog(event).Id)) // what was delivered can be sent again
	s.drainJobs()
	if got := r.ReceivedEvents(); len(got) != 2 || got[1].ID != event || got[1].Raw != got[0].Raw {
		t.Errorf("got %+v", got)
	}
	if err := Replay(s.app, "nothing"); err == nil {
		t.Error("a delivery that is not there was replayed")
	}
}

func (s *testService) countRows(table, condition string) (n int) {
	s.Helper()
	must(s, s.app.DB().NewQuery("SELECT count(*) FROM "+table+" WHERE "+condition).Row(&n))
	return n
}

func TestOneSlowReceiverDelaysNoOther(t *testing.T) {
	s := newTestService(t)
	slow, _ := s.addReceiver()
	quick, _ := s.addReceiver()
	slow.SetAnswer(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that we hang up
		<-r.Context().Done()
	})
	for range 30 {
		s.emitEvent("like.created", object{})
	}
	s.jobs.Start()
	began := time.Now()
	quick.WaitForEvents(30)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	if n := len(slow.AttemptedIDs()); n > maxConcurrent {
		t.Errorf("the slow one has %d requests at once, want %d at most", n, maxConcurrent)
	}
	t.Logf("30 events in %v beside a receiver that hangs", time.Since(began))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	must(t, s.jobs.Stop(ctx))
	if n := s.countRows("jobs", "attempts > 0"); n != 0 {
		t.Errorf("stopping spent attempts of %d jobs", n)
	}
}

func TestReceiversThatMisbehaveAreFailures(t *testing.T) {
	s := newTestService(t)
	elsewhere, _ := s.addReceiver("post.deleted")
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
		r, id := s.addReceiver("user.created")
		r.SetAnswer(answer)
		s.emitEvent("user.created", object{})
		s.drainJobs()
		log := s.deliveryLog(r.AttemptedIDs()[0])
		if log.GetString("state") != "failing" || log.GetString("error") == "" {
			t.Errorf("%s: log %v", what, log.FieldsData())
		}
		must(t, s.app.Delete(s.webhookRecord(id)))
		forgetting := sweep.Work{Kind: "webhook.gone", Parts: CleanupParts}
		must(t, forgetting.Begin(s.app, sweep.Subject{"id": id}))
		s.webhooks.InvalidateCache()
	}
	if n := len(elsewhere.AttemptedIDs()); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
	if n := s.countRows("jobs", "1"); n != 0 {
		t.Errorf("%d jobs are left of webhooks that are gone", n)
	}
}

func TestAPrivateAddressIsNeverTried(t *testing.T) {
	s := newTestService(t)
	r, _ := s.addReceiver()
	outbound.SetClient(s.app, outbound.New(false))
	s.emitEvent("like.created", object{})
	s.drainJobs()
	if n := s.countRows("webhook_deliveries", "state = 'dead'"); n != 1 || len(r.AttemptedIDs()) != 0 {
		t.Errorf("%d dead, %d requests", n, len(r.AttemptedIDs()))
	}
}

func TestTheSecretIsRotatedWithoutALoss(t *testing.T) {
	s := newTestService(t)
	r := delivertest.NewReceiver(t)
	id, former := s.addWebhook(r.URL)
	r.SetSecrets(former)
	fresh, err := RotateSecret(s.app, id, time.Hour)
	must(t, err)
	if !IsValidSecret(fresh) || fresh == former {
		t.Errorf("got secret %q", fresh)
	}
	s.emitEvent("like.created", object{"n": 1})
	s.drainJobs()
	r.SetSecrets(fresh)
	s.emitEvent("like.created", object{"n": 2})
	s.drainJobs()
	if n := len(r.ReceivedEvents()); n != 2 {
		t.Fatalf("%d of 2 events were verified", n)
	}
	clock.Advance(s.app, 2*time.Hour)
	r.SetSecrets(former)
	s.emitEvent("like.created", object{"n": 3})
	s.drainJobs()
	if n := len(r.ReceivedEvents()); n != 2 {
		t.Error("the former secret is good for ever")
	}
	if _, err := RotateSecret(s.app, "nothing", time.Hour); err == nil {
		t.Error("a webhook that is not there was given a secret")
	}
}

func TestAWebhookThatFailsForDaysIsDisabledAndItsOwnerTold(t *testing.T) {
	s := newTestService(t)
	var told []string
	s.webhooks.OnDisabled = func(_ core.App, url, contact, reason string) error {
		told = append(told, contact+" "+url+" "+reason)
		return nil
	}
	r, id := s.addReceiver()
	r.SetStatus(http.StatusInternalServerError)
	for day := range 7 {
		s.emitEvent("like.created", object{"day": day})
		s.drainJobs()
		clock.Advance(s.app, 23*time.Hour)
	}
	record := s.webhookRecord(id)
	if !record.GetBool("disabled") || !strings.HasPrefix(record.GetString("reason"), "failing since 2") {
		t.Fatalf("got %v", record.FieldsData())
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "owner@example.com "+r.URL) {
		t.Errorf("told %v", told)
	}
	tries := len(r.AttemptedIDs())
	s.emitEvent("like.created", object{})
	clock.Advance(s.app, time.Hour)
	s.drainJobs()
	if len(r.AttemptedIDs()) != tries {
		t.Error("a disabled webhook was called")
	}

	r.SetAnswer(nil)
	record.Set("disabled", false)
	record.Set("failingSince", "")
	must(t, s.app.Save(record))
	must(t, ResumeWork.Begin(s.app, sweep.Subject{"id": id, "at": clock.Timestamp(s.app)}))
	s.webhooks.InvalidateCache()
	s.drainJobs()
	if n := len(r.ReceivedEvents()); n == 0 {
		t.Error("what waited did not go out")
	}
}

func TestAReceiverThatIsGoneIsLeftAlone(t *testing.T) {
	s := newTestService(t)
	r, id := s.addReceiver()
	r.SetStatus(http.StatusGone)
	s.emitEvent("like.created", object{})
	s.emitEvent("like.created", object{})
	s.drainJobs()
	if n := len(r.AttemptedIDs()); n != 1 || !s.webhookRecord(id).GetBool("disabled") {
		t.Errorf("tried %d times, disabled %v", n, s.webhookRecord(id).GetBool("disabled"))
	}
}

func TestRetryAfterIsRespected(t *testing.T) {
	s := newTestService(t)
	r, _ := s.addReceiver()
	r.SetAnswer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	s.emitEvent("like.created", object{})
	s.drainJobs()
	if wait := untilNextJob(s); wait < 595*time.Second || wait > 601*time.Second {
		t.Errorf("tried again after %v, want 10m", wait)
	}
}

func TestASenderMayAlterOrDrop(t *testing.T) {
	s := newTestService(t)
	r, _ := s.addReceiver()
	s.webhooks.BeforeSend = func(_ core.App, _ string, d *Delivery) (bool, error) {
		d.Body = strings.Replace(d.Body, "secret", "******", 1)
		return d.Type != "post.created", nil
	}
	s.emitEvent("post.created", object{})
	s.emitEvent("like.created", object{"word": "secret"})
	s.drainJobs()
	if got := r.ReceivedEvents(); len(got) != 1 || got[0].Data["word"] != "******" {
		t.Errorf("got %+v", got)
	}
}

// The receiver is down, the process is killed while the receiver comes back, and another process goes on.
func TestNothingIsLostWhenTheProcessIsKilled(t *testing.T) {
	s := newTestService(t)
	r, _ := s.addReceiver()
	for i := range 40 {
		s.emitEvent("like.created", object{"n": i})
	}
	r.SetStatus(http.StatusBadGateway)
	s.drainJobs()
	if r.AttemptedIDs() == nil || s.countRows("jobs", "1") != 40 {
		t.Fatalf("%d tries, %d jobs wait; want some, and all 40", len(r.AttemptedIDs()), s.countRows("jobs", "1"))
	}
	verify := delivertest.NewReceiver(t)
	held := make(chan struct{}, 100)
	var kept atomic.Int64
	verify.SetSecrets(s.webhookSecret())
	r.SetAnswer(func(w http.ResponseWriter, request *http.Request) {
		if kept.Add(1) <= 10 {
			verify.ServeHTTP(w, request)
			return
		}
		verify.ServeHTTP(discard{http.Header{}}, request) // received, and the sender is killed before it knows
		held <- struct{}{}
		<-request.Context().Done()
	})
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childDir+"="+s.app.DataDir())
	must(t, command.Start())
	for range 2 {
		select {
		case <-held:
		case <-time.After(delivertest.WaitTimeout):
			t.Fatal("the child sent nothing")
		}
	}
	must(t, command.Process.Kill())
	_ = command.Wait() // it was killed

	r.SetAnswer(verify.ServeHTTP)
	for range 10 { // the leases of the killed process, and the wait after a failure
		clock.Advance(s.app, time.Minute)
		s.drainJobs()
	}
	seen := map[string]int{}
	for _, event := range verify.ReceivedEvents() {
		seen[event.ID]++
	}
	doubles := 0
	for id, n := range seen {
		if n > 2 {
			t.Errorf("%s came %d times", id, n)
		}
		doubles += n - 1
	}
	for _, id := range r.AttemptedIDs() {
		if seen[id] == 0 {
			t.Errorf("%s was tried, and came under another id or never", id)
		}
	}
	if len(seen) != 40 || doubles != 2 {
		t.Errorf("%d events came, %d of them double; want 40 and the 2 that were under way", len(seen), doubles)
	}
	if n := s.countRows("jobs", "1"); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

func (s *testService) webhookSecret() string {
	s.Helper()
	var secrets []string
	must(s, s.app.DB().NewQuery("SELECT secret FROM webhooks").Column(&secrets))
	return secrets[0]
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// runChild sends what waits in a data folder until it is killed.
func runChild(dir string) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	delivertest.AllowLoopback(app)
	clock.Advance(app, time.Minute) // what failed before is due again
	jobs := job.NewRunner(app)
	if err := Register(app, jobs).LoadHandlers(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	jobs.Start()
	select {}
}

func TestSecrets(t *testing.T) {
	if first, second := NewSecret(), NewSecret(); !IsValidSecret(first) || first == second {
		t.Error("a new secret is none")
	}
	for _, bad := range []string{"", "whsec_", "secret", "whsec_" + strings.Repeat("A", 16), strings.TrimPrefix(NewSecret(), "whsec_"), "whsec_!" + NewSecret()} {
		if IsValidSecret(bad) {
			t.Errorf("%q is taken for a secret", bad)
		}
	}
}

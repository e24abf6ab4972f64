package deliver

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/deliver/webpush"
	"github.com/doubletap/doubletap/internal/job"
)

const childDir = "DOUBLETAP_DELIVER_CHILD" // the data folder of a child, which this test binary then is

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := runChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// newTestService returns a service for app and the runner that does its jobs.
func newTestService(app core.App) (*Service, *job.Runner, error) {
	s, jobs := New(app), job.NewRunner(app)
	browsers, err := webpush.New(app)
	if err != nil {
		return nil, nil, err
	}
	s.Channels["webpush"] = browsers
	s.RegisterJobs(jobs)
	return s, jobs, nil
}

// runChild delivers what waits in a data folder until it is killed.
func runChild(dir string) error {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		return err
	}
	delivertest.AllowLoopback(app)
	_, jobs, err := newTestService(app)
	if err != nil {
		return err
	}
	clock.Advance(app, 3*time.Minute) // then mails are due
	jobs.Start()
	select {}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// storeRecord saves a record and returns its id.
func storeRecord(t *testing.T, app core.App, collection string, fields map[string]any) string {
	t.Helper()
	c, err := app.FindCollectionByNameOrId(collection)
	must(t, err)
	record := core.NewRecord(c)
	for name, value := range fields {
		record.Set(name, value)
	}
	must(t, app.Save(record))
	return record.Id
}

func TestNothingIsLostWhenTheProcessIsKilled(t *testing.T) {
	const n = 30
	app, browsers, post := delivertest.NewApp(t), delivertest.NewBrowsers(t), delivertest.NewMailServer(t)
	settings := app.Settings()
	settings.SMTP.Enabled, settings.SMTP.Host, settings.SMTP.Port = true, "127.0.0.1", post.Port()
	settings.Meta.SenderAddress = "post@example.com"
	must(t, app.Save(settings))
	s, jobs, err := newTestService(app)
	must(t, err)
	person := func(name string) string {
		return storeRecord(t, app, "users", map[string]any{
			"email": name + "@example.com", "password": "correct horse", "handle": name, "name": name, "state": "active", "verified": true})
	}
	ada, bob := person("ada"), person("bob")
	storeRecord(t, app, "settings", map[string]any{"user": ada, "notify": map[string]any{"like": map[string]any{"mail": "now"}}})
	endpoint, keys := browsers.Subscribe("ada", s.Channels["webpush"].(*webpush.Channel).PublicKey())
	storeRecord(t, app, "devices", map[string]any{"user": ada, "kind": "webpush", "endpoint": endpoint, "keys": keys})
	for i := range n {
		id := storeRecord(t, app, "notifications", map[string]any{
			"recipient": ada, "type": "like", "actors": []string{bob}, "actorsCount": 1, "seq": i + 1, "groupKey": fmt.Sprint(i), "latestAt": clock.Timestamp(app)})
		must(t, app.RunInTransaction(func(tx core.App) error {
			return s.Schedule(tx, Delivery{Notification: id, Recipient: ada, Push: true, Mail: true,
				Plan: DecidePlan("like", Recipient{Notify: parsePreferences(`{"like":{"mail":"now"}}`), Mailable: true}, clock.Now(tx))})
		}))
	}

	var pushes, mails atomic.Int64
	over, pushing, mailing := make(chan struct{}), make(chan struct{}, n), make(chan struct{}, n)
	browsers.SetAnswer(func(_ http.ResponseWriter, r *http.Request) bool {
		if pushes.Add(1) <= 5 {
			return true
		}
		pushing <- struct{}{}
		select {
		case <-over:
		case <-r.Context().Done():
		}
		return false
	})
	post.AfterMail(func() error { // the server has the mail; the sender is killed before it knows
		if mails.Add(1) > 5 {
			mailing <- struct{}{}
			<-over
		}
		return nil
	})
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childDir+"="+app.DataDir())
	command.Stderr = os.Stderr
	must(t, command.Start())
	for _, under := range []chan struct{}{pushing, mailing} {
		select {
		case <-under:
		case <-time.After(delivertest.WaitTimeout):
			t.Error("the child sent nothing")
		}
	}
	must(t, command.Process.Kill())
	_ = command.Wait() // it was killed
	close(over)
	post.AfterMail(nil)
	browsers.SetAnswer(nil)

	clock.Advance(app, 5*time.Minute) // mails are due, and the leases of the killed process are over
	_, err = jobs.Drain(t.Context())
	must(t, err)
	topics, ids := map[string]int{}, map[string]int{}
	for _, p := range browsers.Received() {
		topics[p.Header.Get("Topic")]++
	}
	for _, m := range post.ReceivedMails() {
		ids[m.Header.Get("Message-ID")]++
	}
	for what, got := range map[string]map[string]int{"push": topics, "mail": ids} {
		doubles := 0
		for id, times := range got {
			if times > 2 || id == "" {
				t.Errorf("%s %q came %d times", what, id, times)
			}
			doubles += times - 1
		}
		if len(got) != n || doubles > maxConcurrentMails {
			t.Errorf("%s: %d came, %d of them double; want %d, and at most the %d under way double", what, len(got), doubles, n, maxConcurrentMails)
		}
	}
	var left []string
	must(t, app.DB().NewQuery("SELECT kind || ' ' || error FROM jobs").Column(&left))
	if len(left) != 0 {
		t.Errorf("jobs are left: %s", strings.Join(left, ", "))
	}
}

package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/testenv"
)

// expectOutput runs a command, which must succeed and print all these texts, and returns its output.
func expectOutput(t *testing.T, dir string, args []string, want ...string) string {
	t.Helper()
	out, err := runCommand(t, dir, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	for _, text := range want {
		if !strings.Contains(out, text) {
			t.Fatalf("%s: it printed %s, want %q", strings.Join(args, " "), out, text)
		}
	}
	return out
}

func splitWords(command string) []string { return strings.Fields(command) }

// serviceWithDeadJobs returns a service with a job that waits, one that runs, and n dead ones of two kinds. For one of
// the dead ones a newer job with the same key waits.
func serviceWithDeadJobs(t *testing.T, n int) *hookstest.Service {
	t.Helper()
	s := hookstest.New(t)
	s.RunJobs()
	add := func(kind, key string) {
		if err := job.Enqueue(s.App, kind, nil, job.Dedupe(key)); err != nil {
			t.Fatal(err)
		}
	}
	add("mail", "")
	add("video", "")
	execStatements(t, s.App, `UPDATE jobs SET state = 'running', worker = 'somebody', runAt = '2100-01-01 00:00:00.000Z' WHERE kind = 'video'`)
	for i := range n {
		add([]string{"push", "mail"}[i%2], fmt.Sprint("dead ", i))
	}
	execStatements(t, s.App, `UPDATE jobs SET state = 'dead', attempts = 10, error = 'the printer'||char(10)||'is on fire' WHERE dedupe != ''`)
	add("push", "dead 0") // a newer job with the key of a dead one
	return s
}

func TestJobsAreCountedAndListed(t *testing.T) {
	s := serviceWithDeadJobs(t, 4)
	dir := s.App.DataDir()
	expectOutput(t, dir, splitWords("jobs ls"), "KIND   READY  RUNNING  DEAD\nmail   1      0        2\npush   1      0        2\nvideo  0      1        0\n")
	out := expectOutput(t, dir, splitWords("jobs ls --state dead --kind push --json"))
	var rows []job.Row
	if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != 2 || rows[0].Kind != "push" || rows[0].State != "dead" || rows[0].Attempts != 10 {
		t.Errorf("it printed %s, %v", out, err)
	}
	if out := expectOutput(t, dir, splitWords("jobs ls --state dead"), "the printer is on fire"); strings.Count(out, "\n") != 5 {
		t.Errorf("it printed %s", out)
	}
	expectOutput(t, dir, splitWords("jobs ls --json"), `"kind": "video"`, `"dead": 2`)
	if _, err := runCommand(t, dir, "jobs", "ls", "--state", "done"); err == nil || !strings.Contains(err.Error(), `no job is "done"`) {
		t.Errorf("a state that is none: %v", err)
	}
}

func TestDeadJobsBeginAnew(t *testing.T) {
	testenv.SkipSequential(t)
	s := serviceWithDeadJobs(t, 1300) // more than one transaction takes
	dir := s.App.DataDir()
	if _, err := runCommand(t, dir, "jobs", "retry"); err == nil || err.Error() != "jobs retry: which? give ids, --kind or --all" {
		t.Errorf("without a choice: %v", err)
	}
	expectOutput(t, dir, splitWords("jobs retry --kind mail"), "650 jobs begin anew\n")
	if n := s.Rows("jobs", "kind = 'mail' AND state = 'ready' AND attempts = 0 AND dedupe != ''"); n != 650 {
		t.Errorf("%d mails are ready, want 650", n)
	}
	expectOutput(t, dir, splitWords("jobs retry --all"), "649 jobs begin anew\n") // for the other one a newer job waits already
	if n := s.Rows("jobs", "state = 'dead' AND dedupe = 'dead 0'"); n != 1 || s.Rows("jobs", "state = 'dead'") != 1 {
		t.Error("the one that came again is not the only dead one")
	}
	if n := s.Rows("jobs", "state = 'running' AND worker = 'somebody'"); n != 1 {
		t.Error("one that runs was touched")
	}
}

func TestDeadJobsAreForgotten(t *testing.T) {
	testenv.SkipSequential(t)
	s := serviceWithDeadJobs(t, 1300)
	dir := s.App.DataDir()
	if _, err := runCommand(t, dir, "jobs", "purge"); err == nil {
		t.Error("all were forgotten without a word")
	}
	expectOutput(t, dir, splitWords("jobs purge --all --older 1h"), "0 jobs are forgotten\n")
	execStatements(t, s.App, `UPDATE jobs SET updated = '2026-01-01 00:00:00.000Z' WHERE state = 'dead' AND kind = 'push'`)
	expectOutput(t, dir, splitWords("jobs purge --all --older 1h"), "650 jobs are forgotten\n")
	one := s.Rows("jobs", "state = 'dead'")
	var id string
	if err := s.App.DB().NewQuery(`SELECT id FROM jobs WHERE state = 'dead' LIMIT 1`).Row(&id); err != nil {
		t.Fatal(err)
	}
	expectOutput(t, dir, []string{"jobs", "purge", id, "nosuchjob000000"}, "1 jobs are forgotten\n")
	if n := s.Rows("jobs", "state = 'dead'"); n != one-1 || s.Rows("jobs", "state != 'dead'") != 3 {
		t.Errorf("%d dead jobs are left, want %d, and the three that are not dead", n, one-1)
	}
}

// TestADrainDoesWhatAServerWould: what a drain has to send leaves by the same channels as from a server.
func TestADrainDoesWhatAServerWould(t *testing.T) {
	browsers := delivertest.NewBrowsers(t)
	s := hookstest.New(t)
	delivertest.AllowLoopback(s.App)
	ada := s.As("ada")
	endpoint, keys := browsers.Subscribe("ada", s.Social.PushKey())
	ada.Create("devices", map[string]any{"kind": "webpush", "endpoint": endpoint, "keys": keys})
	s.RunJobs()
	post := ada.Post("hello")
	s.As("bob").Like(post)
	later := clock.Now(s.App).Add(time.Hour)
	if err := errors.Join(job.Enqueue(s.App, "unknown", nil), job.Enqueue(s.App, "notified", nil, job.RunAt(later))); err != nil {
		t.Fatal(err)
	}
	dir := s.App.DataDir()
	out := expectOutput(t, dir, splitWords("jobs drain"), " jobs are over\n")
	if out == "0 jobs are over\n" {
		t.Error("it did nothing")
	}
	if got := browsers.Received(); len(got) != 1 || got[0].Browser != "ada" {
		t.Errorf("browsers got %+v, want the like", got)
	}
	if n := s.Rows("jobs", "kind NOT IN ('unknown', 'notified')"); n != 0 || s.Rows("jobs", "1") != 2 {
		t.Errorf("%d jobs are left that were due", n)
	}
	expectOutput(t, dir, splitWords("jobs drain"), "0 jobs are over\n")
}

func TestADrainGivesUp(t *testing.T) {
	s := hookstest.New(t)
	s.RunJobs()
	if err := job.Enqueue(s.App, "notified", nil); err != nil {
		t.Fatal(err)
	}
	execStatements(t, s.App, `UPDATE jobs SET state = 'running', worker = 'somebody', runAt = '`+clock.FormatTime(clock.Now(s.App).Add(15*time.Second))+`'`)
	if _, err := runCommand(t, s.App.DataDir(), "jobs", "drain", "--timeout", "150ms"); err == nil || !strings.Contains(err.Error(), "1 jobs are left") {
		t.Errorf("got %v", err)
	}
}

func TestEveryCommandSaysWhatItDoes(t *testing.T) {
	pb, _ := newProgram(t, t.TempDir())
	for _, name := range []string{"jobs", "webhooks"} {
		group, _, err := pb.RootCmd.Find([]string{name})
		if err != nil || group.Name() != name {
			t.Fatalf("no command %s: %v", name, err)
		}
		for _, c := range group.Commands() {
			if c.Short == "" || strings.HasSuffix(c.Short, ".") {
				t.Errorf("%s: its short help is %q", c.CommandPath(), c.Short)
			}
			pb.RootCmd.SetArgs(append(splitWords(c.CommandPath())[1:], "--help"))
			var out strings.Builder
			pb.RootCmd.SetOut(&out)
			pb.RootCmd.SetErr(io.Discard)
			if err := pb.RootCmd.Execute(); err != nil || !strings.Contains(out.String(), c.Short) && !strings.Contains(out.String(), c.Long) {
				t.Errorf("%s --help: %v\n%s", c.CommandPath(), err, out.String())
			}
		}
	}
}

func TestWebhooksAreLookedAfter(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.New(t, makeReachable)
	receiver := delivertest.NewReceiver(t)
	id := s.Admin().Create("webhooks", map[string]any{"url": receiver.URL, "contact": "owner@example.org", "events": []string{"like.created"}}).ID()
	secret := s.Record("webhooks", id).GetString("secret")
	receiver.SetSecrets(secret)
	dir := s.App.DataDir()
	receiver.SetStatus(410)
	s.As("bob").Like(s.As("ada").Post("hello"))
	s.RunJobs()
	out := expectOutput(t, dir, splitWords("webhooks ls"), id, "disabled: status 410")
	if strings.Contains(out, secret) || strings.Contains(expectOutput(t, dir, splitWords("webhooks ls --json"), `"dead": 1`), secret) {
		t.Error("it prints a secret")
	}
	mails := 0
	for _, m := range s.Mails() {
		if m.To[0].Address == "owner@example.org" && strings.Contains(m.Subject, "disabled") {
			mails++
		}
	}
	if mails != 1 {
		t.Errorf("the webhook's owner is told %d times, want once", mails)
	}

	s.As("carol").Like(s.As("ada").Post("again")) // no receiver listens
	expectOutput(t, dir, []string{"webhooks", "enable", id}, "it is enabled\n")
	expectOutput(t, dir, splitWords("webhooks ls"), "works")
	receiver.SetAnswer(nil)
	fresh := strings.TrimSpace(expectOutput(t, dir, []string{"webhooks", "rotate", id}, "whsec_"))
	if fresh == secret {
		t.Error("the secret is the same")
	}
	receiver.SetSecrets(secret, fresh) // events are signed with both
	expectOutput(t, dir, []string{"webhooks", "replay", "--webhook", id}, "1 events are sent again\n")
	expectOutput(t, dir, splitWords("jobs drain"))
	events := receiver.ReceivedEvents()
	if len(events) != 1 || events[0].Type != "like.created" || s.Rows("webhook_deliveries", "state = 'delivered'") != 1 {
		t.Fatalf("it took %+v", events)
	}
	expectOutput(t, dir, []string{"webhooks", "replay", events[0].ID}, "1 events are sent again\n")
	expectOutput(t, dir, splitWords("jobs drain"))
	if again := receiver.ReceivedEvents(); len(again) != 2 || again[1].ID != events[0].ID {
		t.Errorf("it took %+v", again)
	}
	for _, command := range []string{"webhooks replay", "webhooks replay evt_nosuchevent", "webhooks enable nosuchwebhook00", "webhooks rotate nosuchwebhook00"} {
		if out, err := runCommand(t, dir, splitWords(command)...); err == nil {
			t.Errorf("%s: it printed %s", command, out)
		}
	}
}

func makeReachable(app core.App, _ *hooks.Social) { delivertest.AllowLoopback(app) }

package hooks_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/mails"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// accountMailSenders are PocketBase's mails to accounts, as Go code sends them.
var accountMailSenders = map[string]func(core.App, *core.Record) error{
	"verification":   mails.SendRecordVerification,
	"password reset": mails.SendRecordPasswordReset,
	"email change": func(app core.App, record *core.Record) error {
		return mails.SendRecordChangeEmail(app, record, "new@example.org")
	},
}

// countMails binds an owner's hook to all of them.
func countMails(app core.App, calls *atomic.Int64) {
	each := &hook.Handler[*core.MailerRecordEvent]{Func: func(e *core.MailerRecordEvent) error {
		e.Message.Subject = fmt.Sprintf("owner's %d", calls.Add(1))
		return e.Next()
	}}
	app.OnMailerRecordVerificationSend().Bind(each)
	app.OnMailerRecordPasswordResetSend().Bind(each)
	app.OnMailerRecordEmailChangeSend().Bind(each)
}

func TestOwnersMailHooksRunOnceAroundTheSend(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	var calls atomic.Int64
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) { countMails(app, &calls) })
	clubs := core.NewAuthCollection("clubs")
	club := core.NewRecord(clubs)
	club.SetEmail("club@example.com")
	club.SetPassword(hookstest.Password)
	for _, model := range []core.Model{clubs, club} {
		if err := s.App.Save(model); err != nil {
			t.Fatal(err)
		}
	}
	admin := s.Record("_superusers", s.Admin().ID)
	ada := s.User("ada")
	ada.SetVerified(false) // a verified account is sent no such mail later
	if err := s.App.Save(ada); err != nil {
		t.Fatal(err)
	}
	for _, account := range []struct {
		record *core.Record
		queued bool
	}{{ada, true}, {admin, true}, {club, false}} {
		for kind, send := range accountMailSenders {
			if kind == "verification" && account.record.Verified() {
				continue
			}
			name := account.record.Collection().Name + ", " + kind
			before, sent := calls.Load(), len(s.Mails())
			if err := send(s.App, account.record); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if asked := calls.Load() - before; (asked == 0) != account.queued || len(s.Mails())-sent != int(asked) {
				t.Errorf("%s: %d calls of the owner's hook and %d mails when it is asked for", name, asked, len(s.Mails())-sent)
			}
			s.RunJobs()
			all := s.Mails()
			if calls.Load()-before != 1 || len(all)-sent != 1 || all[len(all)-1].Subject != fmt.Sprintf("owner's %d", calls.Load()) {
				t.Errorf("%s: %d calls, %d mails", name, calls.Load()-before, len(all)-sent)
			}
		}
	}
	if n := len(s.Mails()); n < 7 {
		t.Errorf("only %d mails", n)
	}
}

// TestACommandsMailLeaves sends mail where no server runs that would run its job.
func TestACommandsMailLeaves(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	dir := t.TempDir()
	s := hookstest.New(t)
	copyDataDir(t, s, dir)
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: hooks.Config().DBConnect})
	hooks.Bind(app)
	var calls atomic.Int64
	countMails(app, &calls)
	var sent []string
	app.OnMailerSend().BindFunc(func(e *core.MailerEvent) error {
		sent = append(sent, e.Message.Subject)
		return nil
	})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = app.ClearBootstrap() }()
	ada, err := app.FindFirstRecordByData("users", "handle", "ada")
	if err != nil {
		t.Fatal(err)
	}
	for kind, send := range accountMailSenders {
		if err := send(app, ada); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if strings.Join(sent, ", ") != "owner's 1, owner's 2, owner's 3" {
		t.Errorf("sent %v", sent)
	}
}

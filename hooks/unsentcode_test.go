package hooks_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/mails"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/logger"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// brokenMail is a service whose mail server can be down.
type brokenMail struct {
	*hookstest.Service
	t        *testing.T
	down     atomic.Bool
	attempts atomic.Int32
	made     atomic.Int32 // codes
	over     chan string  // the code of a mail that was sent, or not, with all that follows from it
}

func newBrokenMail(t *testing.T) *brokenMail {
	limitRequestsOnlyBy(t)
	b := &brokenMail{t: t, over: make(chan string, 1)}
	b.Service = hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnMailerSend().BindFunc(func(e *core.MailerEvent) error {
			b.attempts.Add(1)
			if b.down.Load() {
				return errors.New("the mail server is down")
			}
			return e.Next()
		})
		app.OnRecordAfterCreateSuccess(core.CollectionNameOTPs).BindFunc(func(e *core.RecordEvent) error {
			b.made.Add(1)
			return e.Next()
		})
		app.OnMailerRecordOTPSend().Bind(&hook.Handler[*core.MailerRecordEvent]{Priority: math.MinInt, Func: func(e *core.MailerRecordEvent) error {
			code, _ := e.Meta["password"].(string)
			defer func() { b.over <- code }()
			return e.Next()
		}})
	})
	b.App.Settings().Logs.MaxDays = 5 // the kit's folders log nothing
	b.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true, "duration": 900, "length": 8}})
	return b
}

// ask asks for a code, and returns the id of the answer. If a code was made, it waits until its mail was sent or not, and returns the code.
func (b *brokenMail) ask(email string) (id, code string) {
	b.t.Helper()
	made := b.made.Load()
	id, _ = b.Guest().Must(200, "POST", "/api/collections/users/request-otp", jsonObject{"email": email}).Body["otpId"].(string)
	if b.made.Load() > made {
		code = <-b.over
	}
	return id, code
}

// TestACodeThatCouldNotBeMailedIsMailedWhenAskedForAgain has the mail server fail: whoever asks again, at once, gets a mail, and
// nobody learns from the answers that there is an account.
func TestACodeThatCouldNotBeMailedIsMailedWhenAskedForAgain(t *testing.T) {
	testenv.SkipSequential(t)
	b := newBrokenMail(t)
	b.down.Store(true)
	id, _ := b.ask("ada@example.com")
	nobodys, _ := b.ask("nobody@example.com")
	if n := b.Rows("_otps", "true"); n != 0 || b.attempts.Load() != 1 {
		t.Errorf("%d codes are left that nobody was mailed, after %d tries", n, b.attempts.Load())
	}
	b.down.Store(false)
	again, code := b.ask("ada@example.com")
	if nobodysAgain, _ := b.ask("nobody@example.com"); again != id || nobodysAgain != nobodys {
		t.Errorf("asked again, the ids are %q and %q, were %q and %q", again, nobodysAgain, id, nobodys)
	}
	if !strings.Contains(b.logLines(), "one-time code not mailed") {
		t.Error("the log does not say it")
	}
	if again, _ := b.ask("ada@example.com"); again != id || len(b.Mails()) != 1 || b.attempts.Load() != 2 {
		t.Errorf("%d mails have left of %d, and the id is %q, was %q", len(b.Mails()), b.attempts.Load(), again, id)
	}
	b.Guest().Must(200, "POST", "/api/collections/users/auth-with-otp", jsonObject{"otpId": id, "password": code})
}

// TestMailsThatFailLeaveTheBudget has as many mails fail as may leave on a day, and one more leave. But a server may fail after it has
// taken a mail, so that there is an end to it.
func TestMailsThatFailLeaveTheBudget(t *testing.T) {
	testenv.SkipSequential(t)
	b := newBrokenMail(t)
	b.down.Store(true)
	for range 20 {
		b.ask("ada@example.com")
	}
	b.down.Store(false)
	b.ask("ada@example.com")
	if n := len(b.Mails()); n != 1 {
		t.Fatalf("%d mails have left", n)
	}
	b.down.Store(true)
	b.attempts.Store(0)
	for range 100 {
		b.ask("bob@example.com")
		b.Advance(5 * time.Minute)
	}
	if n := b.attempts.Load(); n != 2*20 {
		t.Errorf("%d mails were given to the server, want 40", n)
	}
}

// TestAlertsThatFailLeaveTheBudget is the same for the mails that tell of a sign-in from a new place.
func TestAlertsThatFailLeaveTheBudget(t *testing.T) {
	testenv.SkipSequential(t)
	b := newBrokenMail(t)
	carol := b.User("carol")
	for round, want := range []int{0, 5} {
		b.down.Store(round == 0)
		for range 5 * (round + 1) {
			if err := mails.SendRecordAuthAlert(b.App, carol, "a place"); (err != nil) != (round == 0) {
				t.Error(err)
			}
		}
		if n := len(b.Mails()); n != want {
			t.Errorf("round %d: %d mails have left, want %d", round, n, want)
		}
	}
}

// logLines returns what the log holds by now.
func (b *brokenMail) logLines() string {
	b.t.Helper()
	if err := b.App.Logger().Handler().(*logger.BatchHandler).WriteAll(context.WithValue(b.t.Context(), logger.BlockKey, true)); err != nil {
		b.t.Fatal(err)
	}
	var rows []string
	if err := b.App.AuxDB().NewQuery(`SELECT message FROM _logs`).Column(&rows); err != nil {
		b.t.Fatal(err)
	}
	return strings.Join(rows, "\n")
}

package hooks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/mails"
	"github.com/pocketbase/pocketbase/tools/security"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestNobodysRequestsFillAMailbox sends sixty requests for mail to one mailbox, by every request that mails an
// account.
func TestNobodysRequestsFillAMailbox(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	limitRequestsOnlyBy(t)
	const users = "/api/collections/users/"
	for _, door := range []struct {
		what      string
		first     int // how many of the sixty are mailed
		day       int // how many are mailed on a day on which it is requested again and again
		ask       func(s *hookstest.Service, n int)
		inProcess bool // PocketBase sends it itself, beside the request
	}{
		{"a change of address, in many spellings", 1, 5, func(s *hookstest.Service, n int) {
			s.As("bob").Must(204, "POST", users+"request-email-change", map[string]any{"newEmail": []string{"stranger@example.net", "Stranger@example.net", "stranger+1@example.net", "STRANGER@Example.NET"}[n%4]})
		}, false},
		{"a change of address by many people", 1, 5, func(s *hookstest.Service, n int) {
			s.As(hookstest.Cast[n%len(hookstest.Cast)]).Must(204, "POST", users+"request-email-change", map[string]any{"newEmail": "stranger@example.net"})
		}, false},
		{"a password reset", 1, 5, func(s *hookstest.Service, n int) {
			s.Guest().Must(204, "POST", users+"request-password-reset", map[string]any{"email": "ada@example.com"})
		}, false},
		{"a verification", 1, 5, func(s *hookstest.Service, n int) {
			s.Guest().Must(204, "POST", users+"request-verification", map[string]any{"email": "eve@example.com"})
		}, false},
		{"a sign-up, in many spellings", 1, 5, func(s *hookstest.Service, n int) {
			handle := fmt.Sprintf("zoe%d_%s", n, strings.ToLower(security.RandomString(8)))
			s.Guest().Create("users", map[string]any{"handle": handle, "email": "stranger+" + handle + "@example.net", "password": hookstest.Password, "passwordConfirm": hookstest.Password})
		}, false},
		{"Go code that resets", 1, 5, func(s *hookstest.Service, n int) {
			if err := mails.SendRecordPasswordReset(s.App, s.User("ada")); err != nil {
				t.Error(err)
			}
		}, false},
		{"an alert of a new place", 5, 5, func(s *hookstest.Service, n int) {
			if err := mails.SendRecordAuthAlert(s.App, s.User("ada"), "a place"); err != nil {
				t.Error(err)
			}
		}, false},
		{"a code to sign in with", 1, 20, func(s *hookstest.Service, n int) {
			s.Guest().Must(200, "POST", users+"request-otp", map[string]any{"email": "ada@example.com"})
		}, true},
	} {
		t.Run(door.what, func(t *testing.T) {
			queued := make(chan struct{}, 1000)
			dir := t.TempDir()
			s := hookstest.New(t, signalQueued(queued))
			s.Admin().Must(200, "PATCH", "/api/collections/users", map[string]any{"otp": map[string]any{"enabled": true, "duration": 180, "length": 8}})
			execSQL(t, s.App, "UPDATE users SET verified = 0 WHERE handle = 'eve'")
			forget := func() { // ends PocketBase's own pause, as a restart does, and which an instance beside does not know
				for key := range s.App.Store().GetAll() {
					if strings.HasPrefix(key, "@limit") {
						s.App.Store().Remove(key)
					}
				}
			}
			count := func(s *hookstest.Service) int {
				if door.inProcess {
					return s.Rows("_otps", "1")
				}
				s.RunJobs()
				return len(s.Mails())
			}
			for n := range 60 {
				forget()
				door.ask(s, n)
				if strings.HasPrefix(door.what, "a change") || strings.HasPrefix(door.what, "a sign-up") || strings.HasPrefix(door.what, "Go code") {
					s.RunJobs() // otherwise no second job is added because one waits
				}
				if strings.Contains(door.what, "password reset") || strings.Contains(door.what, "verification") {
					if n == 0 {
						awaitQueued(t, queued)
					}
				}
			}
			if got := count(s); got != door.first {
				t.Errorf("%d mails, want %d", got, door.first)
			}
			// a restart does not reset the budget
			copyDataDir(t, s, dir)
			again := hookstest.Open(t, dir, signalQueued(queued))
			before := count(again)
			door.ask(again, 0)
			if got := count(again) - before; got != 0 && door.first != door.day {
				t.Errorf("%d more mails after a restart", got)
			}
		})
	}
}

// TestTheBudgetOfADay moves the clock through a day.
func TestTheBudgetOfADay(t *testing.T) {
	testenv.SkipSequential(t)
	limitRequestsOnlyBy(t)
	s := hookstest.New(t)
	spend := func(kind, address, by string) bool {
		t.Helper()
		allowed, err := mail.SpendBudget(s.App, kind, address, by)
		if err != nil {
			t.Fatal(err)
		}
		return allowed
	}
	took := 0
	for range 100 {
		if spend(mail.PasswordReset, "ada@example.com", "") {
			took++
		}
		s.Advance(3 * time.Minute)
	}
	if took != 5 {
		t.Errorf("%d resets in five hours, want 5", took)
	}
	if !spend(mail.Verification, "ada@example.com", "") || !spend(mail.PasswordReset, "bob@example.com", "") {
		t.Error("other kinds and other mailboxes have no budget left")
	}
	s.Advance(24 * time.Hour)
	if !spend(mail.PasswordReset, "Ada@example.com", "") || spend(mail.PasswordReset, "ada+x@example.com", "") {
		t.Error("the next day does not begin with one, and a pause")
	}
	took = 0
	for n := range 60 {
		if spend(mail.EmailChange, fmt.Sprintf("stranger%d@example.net", n), "bob") {
			took++
		}
	}
	if took != 10 {
		t.Errorf("one person has %d strangers mailed, want 10", took)
	}
	took = 0
	for range 200 {
		for _, kind := range []string{mail.PasswordReset, mail.Verification, mail.EmailChange, mail.OneTimeCode, mail.LoginAlert, mail.Credential} {
			if spend(kind, "carol@example.com", "") {
				took++
			}
		}
		s.Advance(2 * time.Minute)
	}
	if took != 30 {
		t.Errorf("carol's mailbox got %d mails of all kinds, want 30", took)
	}
	s.Advance(72 * time.Hour)
	for range 3 {
		spend(mail.Credential, "dave@example.com", "")
	}
	if n := s.Rows("mailings", "1"); n != 1 {
		t.Errorf("%d rows are kept", n)
	}
	s.Advance(-48 * time.Hour) // the clock is put back
	if !spend(mail.PasswordReset, "dave@example.com", "") || !spend(mail.Credential, "dave@example.com", "") {
		t.Error("a clock that was put back closes the budget")
	}
	if n := s.Rows("mailings", "target LIKE '%@%'"); n != 0 {
		t.Error("an address is kept")
	}
}

// TestACodeThatIsNotMailedIsNotTold expects the id of the code that was mailed before.
func TestACodeThatIsNotMailedIsNotTold(t *testing.T) {
	testenv.SkipSequential(t)
	limitRequestsOnlyBy(t)
	s := hookstest.New(t)
	s.Admin().Must(200, "PATCH", "/api/collections/users", map[string]any{"otp": map[string]any{"enabled": true, "duration": 180, "length": 8}})
	ask := func(email string) hookstest.Answer {
		return s.Guest().Must(200, "POST", "/api/collections/users/request-otp", map[string]any{"email": email})
	}
	first := ask("ada@example.com").Body["otpId"]
	if again := ask("Ada@example.com").Body["otpId"]; again != first || first == "" {
		t.Errorf("the second answer names %v, want the first's %v", again, first)
	}
	s.Advance(time.Minute)
	if later := ask("ada@example.com").Body["otpId"]; later == first {
		t.Error("there is no other a minute later")
	}
	there, nobody := ask("ada@example.com"), ask("nobody@example.com")
	if len(there.Raw) != len(nobody.Raw) || len(there.Body) != 1 || len(nobody.Body) != 1 {
		t.Errorf("the answers differ: %s and %s", there.Raw, nobody.Raw)
	}
}

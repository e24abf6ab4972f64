package hooks_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestNobodyLearnsWhetherAnAddressHasAnAccount asks every door that takes an address, or what it gave for one, several times for an
// account of each kind and for an address that nobody has: status, body, headers and when an id is a new one are the same.
func TestNobodyLearnsWhetherAnAddressHasAnAccount(t *testing.T) {
	testenv.SkipSequential(t)
	limitRequestsOnlyBy(t, "sign-in", "sign-in-day", "password-reset", "verification", "code-guesses")
	const users = "/api/collections/users/"
	ask := func(action string, body jsonObject) func(*hookstest.Service, int) hookstest.Answer {
		return func(s *hookstest.Service, _ int) hookstest.Answer { return s.Guest().Do("POST", users+action, body) }
	}
	type asked = func(*hookstest.Service, int) hookstest.Answer
	for door, of := range map[string]func(address, handle string) asked{
		"request-password-reset": func(address, _ string) asked {
			return ask("request-password-reset", jsonObject{"email": address})
		},
		"request-verification": func(address, _ string) asked { return ask("request-verification", jsonObject{"email": address}) },
		"request-otp, in several spellings": func(address, _ string) asked {
			return func(s *hookstest.Service, n int) hookstest.Answer {
				if n%2 == 1 {
					address = strings.ToUpper(address)
				}
				return s.Guest().Do("POST", users+"request-otp", jsonObject{"email": address})
			}
		},
		"request-otp, each time as soon as there is a new one": func(address, _ string) asked {
			return func(s *hookstest.Service, n int) hookstest.Answer {
				s.Advance(time.Duration(n) * 31 * time.Second)
				return s.Guest().Do("POST", users+"request-otp", jsonObject{"email": address})
			}
		},
		"auth-with-otp by an id that was given": func(address, _ string) asked {
			var id any
			return func(s *hookstest.Service, n int) hookstest.Answer {
				if n == 0 {
					id = s.Guest().Must(200, "POST", users+"request-otp", jsonObject{"email": address}).Body["otpId"]
				}
				return s.Guest().Do("POST", users+"auth-with-otp", jsonObject{"otpId": id, "password": "00000000"})
			}
		},
		"auth-with-otp by ids that were given one after the other": func(address, _ string) asked {
			return func(s *hookstest.Service, n int) hookstest.Answer {
				s.Advance(31 * time.Second)
				id := s.Guest().Must(200, "POST", users+"request-otp", jsonObject{"email": address}).Body["otpId"]
				return s.Guest().Do("POST", users+"auth-with-otp", jsonObject{"otpId": id, "password": "00000000"})
			}
		},
		"auth-with-otp by an id whose code is over, or taken back": func(address, _ string) asked {
			var id any
			return func(s *hookstest.Service, n int) hookstest.Answer {
				switch n {
				case 0:
					id = s.Guest().Must(200, "POST", users+"request-otp", jsonObject{"email": address}).Body["otpId"]
				case 2:
					execSQL(t, s.App, "UPDATE _otps SET created = '2020-01-01 00:00:00.000Z'")
				case 4:
					execSQL(t, s.App, "DELETE FROM _otps")
				}
				return s.Guest().Do("POST", users+"auth-with-otp", jsonObject{"otpId": id, "password": "00000000"})
			}
		},
		"auth-with-otp by an id of another collection": func(address, _ string) asked {
			var id any
			return func(s *hookstest.Service, n int) hookstest.Answer {
				if n == 0 {
					s.Admin().Must(200, "PATCH", "/api/collections/_superusers", jsonObject{"otp": jsonObject{"enabled": true, "duration": 900, "length": 8}})
					id = s.Guest().Must(200, "POST", users+"request-otp", jsonObject{"email": address}).Body["otpId"]
				}
				return s.Guest().Do("POST", "/api/collections/_superusers/auth-with-otp", jsonObject{"otpId": id, "password": "00000000"})
			}
		},
		"auth-with-password by address": func(address, _ string) asked {
			return ask("auth-with-password", jsonObject{"identity": address, "password": "a wrong one"})
		},
		"auth-with-password by address alone": func(address, _ string) asked {
			return ask("auth-with-password", jsonObject{"identity": address, "identityField": "email", "password": "a wrong one"})
		},
		"auth-with-password by handle": func(_, handle string) asked {
			return ask("auth-with-password", jsonObject{"identity": handle, "password": "a wrong one"})
		},
	} {
		t.Run(door, func(t *testing.T) {
			rounds, handles := 7, []string{"ada", "eve", "carol", "dave"}
			if strings.HasPrefix(door, "request-otp, each time") {
				rounds, handles = 22, []string{"ada", "carol"} // more than the budget of a day
			}
			s := hookstest.New(t)
			s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true, "duration": 900, "length": 8}})
			execSQL(t, s.App, "UPDATE users SET verified = 0 WHERE handle = 'eve'")
			execSQL(t, s.App, "UPDATE users SET state = 'suspended' WHERE handle = 'carol'")
			execSQL(t, s.App, "UPDATE users SET state = 'deleting' WHERE handle = 'dave'")
			transcript := func(handle string) (all string) {
				do, last := of(handle+"@example.com", handle), ""
				for n := range rounds {
					a := do(s, n)
					id, _ := a.Body["otpId"].(string)
					all += fmt.Sprintf("%d: %s\nthe id of before: %v\n", n, maskAnswer(a, id+"?"), id == last)
					if id != "" {
						all = strings.ReplaceAll(all, id, "ID")
					}
					last = id
				}
				return all
			}
			want := transcript("nobody")
			for _, handle := range handles {
				execSQL(t, s.App, "DELETE FROM mailings")
				forgetLimits(s)
				if got := transcript(handle); got != want {
					t.Errorf("%s:\n%s\nnobody:\n%s", handle, got, want)
				}
			}
		})
	}
}

// TestIdsOfCodesOutliveTheProcess asks for codes, and enters wrong ones once the service has begun anew.
func TestIdsOfCodesOutliveTheProcess(t *testing.T) {
	testenv.SkipSequential(t)
	limitRequestsOnlyBy(t)
	const users = "/api/collections/users/"
	s := hookstest.New(t)
	s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true, "duration": 900, "length": 8}})
	ids := map[string]any{}
	for _, name := range []string{"ada", "nobody"} {
		ids[name] = s.Guest().Must(200, "POST", users+"request-otp", jsonObject{"email": name + "@example.com"}).Body["otpId"]
	}
	dir := t.TempDir()
	copyDataDir(t, s, dir)
	again := hookstest.Open(t, dir)
	for name, id := range ids {
		forgetLimits(again)
		if same := again.Guest().Must(200, "POST", users+"request-otp", jsonObject{"email": name + "@example.com"}).Body["otpId"]; same != id {
			t.Errorf("%s is given %v within the pause, %v before the restart", name, same, id)
		}
		for n := range 7 {
			want := 400
			if n >= 5 {
				want = 429
			}
			if a := again.Guest().Do("POST", users+"auth-with-otp", jsonObject{"otpId": id, "password": "00000000"}); a.Status != want {
				t.Errorf("try %d with the id of %s is %d, want %d", n, name, a.Status, want)
			}
		}
	}
}

// TestRequestsForCodesWriteAlike counts the transactions that a request for a code has to wait for.
func TestRequestsForCodesWriteAlike(t *testing.T) {
	testenv.SkipSequential(t)
	limitRequestsOnlyBy(t)
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnMailerRecordOTPSend().BindFunc(func(*core.MailerRecordEvent) error { return nil }) // which is stored behind the answer
	})
	s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true, "duration": 900, "length": 8}})
	var commits atomic.Int32
	limits := db.WriterLimits(s.App)
	limits.OnCommit = func(int64) { commits.Add(1) }
	db.LimitWriter(s.App, limits)
	s.Guest().Must(200, "POST", "/api/collections/users/request-otp", jsonObject{"email": "first@example.com"}) // which makes the key
	for what, want := range map[string]int32{"a new one": 1, "within the pause": 0, "with the budget of the day spent": 1} {
		for _, name := range []string{"ada", "nobody"} {
			s.Advance(time.Hour)
			ask := func() {
				s.Guest().Must(200, "POST", "/api/collections/users/request-otp", jsonObject{"email": name + "@example.com"})
			}
			switch what {
			case "within the pause":
				ask()
			case "with the budget of the day spent":
				for range 20 {
					ask()
					s.Advance(31 * time.Second)
				}
			}
			commits.Store(0)
			ask()
			if got := commits.Load(); got != want {
				t.Errorf("%s of %s takes %d transactions, want %d", what, name, got, want)
			}
		}
	}
}

// TestTheLastCodeWorksWithTheIdOfALaterRequest spends the budget of a mailbox, and asks once more.
func TestTheLastCodeWorksWithTheIdOfALaterRequest(t *testing.T) {
	testenv.SkipSequential(t)
	limitRequestsOnlyBy(t)
	const users = "/api/collections/users/"
	code := ""
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordRequestOTPRequest().BindFunc(func(e *core.RecordCreateOTPRequestEvent) error {
			before, err := e.App.CountRecords(core.CollectionNameOTPs)
			if err != nil {
				return err
			}
			if err := e.Next(); err != nil {
				return err
			}
			if after, err := e.App.CountRecords(core.CollectionNameOTPs); err != nil || after > before {
				code = e.Password
			}
			return nil
		})
	})
	s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true, "duration": 900, "length": 8}})
	var last, first any
	for n := range 25 {
		last = s.Guest().Must(200, "POST", users+"request-otp", jsonObject{"email": "ada@example.com"}).Body["otpId"]
		if n == 0 {
			first = last
		}
		s.Advance(31 * time.Second)
	}
	if n := s.Rows("_otps", "true"); n != 20 || last == first {
		t.Fatalf("%d codes were made, want 20; the first id is %v, the last %v", n, first, last)
	}
	mailed := code
	other := s.Guest().Must(200, "POST", users+"request-otp", jsonObject{"email": "bob@example.com"}).Body["otpId"]
	enter := func(id any, code string) int {
		return s.Guest().Do("POST", users+"auth-with-otp", jsonObject{"otpId": id, "password": code}).Status
	}
	if got := enter(other, mailed); got != 400 {
		t.Errorf("ada's code with bob's id is %d", got)
	}
	answer := s.Guest().Do("POST", users+"auth-with-otp", jsonObject{"otpId": last, "password": mailed})
	if record, _ := answer.Body["record"].(map[string]any); answer.Status != 200 || record["handle"] != "ada" {
		t.Errorf("the code mailed last, with the id of the last request, is %d %s", answer.Status, answer.Raw)
	}
	if got := enter(last, mailed); got != 400 {
		t.Errorf("the same code a second time is %d", got)
	}
}

// TestAnOwnersCollectionSignsInByCode has PocketBase's own way: the account with its key, and a session that lasts.
func TestAnOwnersCollectionSignsInByCode(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	code := ""
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordRequestOTPRequest("clubs").BindFunc(func(e *core.RecordCreateOTPRequestEvent) error {
			code = e.Password
			return e.Next()
		})
	})
	clubs := core.NewAuthCollection("clubs")
	clubs.OTP.Enabled = true
	if err := s.App.Save(clubs); err != nil {
		t.Fatal(err)
	}
	club := core.NewRecord(clubs)
	club.SetEmail("club@example.com")
	club.SetPassword(hookstest.Password)
	if err := s.App.Save(club); err != nil {
		t.Fatal(err)
	}
	id := s.Guest().Must(200, "POST", "/api/collections/clubs/request-otp", jsonObject{"email": "club@example.com"}).Body["otpId"]
	answer := s.Guest().Must(200, "POST", "/api/collections/clubs/auth-with-otp", jsonObject{"otpId": id, "password": code})
	token, _ := answer.Body["token"].(string)
	holder, err := s.App.FindAuthRecordByToken(token, core.TokenTypeAuth)
	if err != nil || holder.Id != club.Id {
		t.Errorf("the token is %v's: %v, %s", holder, err, answer.Raw)
	}
}

// forgetLimits ends the pauses of PocketBase, which count by the address of who asks, and forgets what our limits have counted.
func forgetLimits(s *hookstest.Service) {
	s.App.Store().Remove("__pbRateLimiters__")
	s.App.Store().Remove("doubletap.limits")
}

// TestABlockedPersonLearnsNothingByBlockingBack: whoever blocks the asker is answered like an account in deletion and one that never was.
func TestABlockedPersonLearnsNothingByBlockingBack(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	block := ada.Block("bob")
	execSQL(t, s.App, "UPDATE users SET state = 'deleting' WHERE handle = 'dave'")
	for _, collection := range []struct{ name, end string }{{"blocks", "blocked"}, {"mutes", "muted"}, {"follows", "followee"}, {"reports", "user"}} {
		for way, ask := range map[string]func(id string) hookstest.Answer{
			"create": func(id string) hookstest.Answer {
				return bob.Do("POST", "/api/collections/"+collection.name+"/records", jsonObject{collection.end: id})
			},
			"batch": func(id string) hookstest.Answer {
				return bob.Do("POST", "/api/batch", jsonObject{"requests": []jsonObject{{"method": "POST", "url": "/api/collections/" + collection.name + "/records", "body": jsonObject{collection.end: id}}}})
			},
		} {
			const never = "never0000000000"
			want := maskAnswer(ask(never), never)
			for _, name := range []string{"ada", "dave"} {
				id := s.User(name).Id
				if got := maskAnswer(ask(id), id); got != want {
					t.Errorf("%s of %s by %s:\n%s\nof nobody:\n%s", collection.name, name, way, got, want)
				}
			}
		}
	}
	ada.Delete("blocks", block)
	bob.Block("ada")
}

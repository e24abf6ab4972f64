package hooks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestFoldAddress(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"EmCase@Example.TEST":                   "emcase@example.test",
		" ada@example.com ":                     "ada@example.com",
		"ada+tag@example.com":                   "ada+tag@example.com",
		"Jürgen@Example.com":                    "jürgen@example.com",
		"Ju\u0308rgen@example.com":              "jürgen@example.com",
		"ada@München.example":                   "ada@xn--mnchen-3ya.example",
		"ada@example.test.":                     "ada@example.test",
		"ada@XN--MNCHEN-3YA.example":            "ada@xn--mnchen-3ya.example",
		"ada@mu\u0308nchen.example":             "ada@xn--mnchen-3ya.example",
		"ada@faß.example":                       "ada@xn--fa-hia.example",
		"\u212aim@example.com":                  "\u212aim@example.com", // a Kelvin sign is no k: that is another mailbox
		"\u0130da@example.com":                  "\u0130da@example.com",
		"ada@under_score.example":               "ada@under_score.example",
		"Ada@Under_Score.example":               "ada@under_score.example",
		"not an address":                        "not an address",
		"":                                      "",
		"ada@" + strings.Repeat("x", 70) + ".x": "ada@" + strings.Repeat("x", 70) + ".x",
	} {
		if got := account.FoldAddress(typed); got != want {
			t.Errorf("%q becomes %q, want %q", typed, got, want)
		}
		if again := account.FoldAddress(account.FoldAddress(typed)); again != account.FoldAddress(typed) {
			t.Errorf("%q becomes another when it is folded twice: %q", typed, again)
		}
	}
}

// addressSpellings are an address as it is stored, as somebody signs up with it, and as others write it.
var addressSpellings = []struct{ stored, typed, other string }{
	{"emcase@example.test", "EmCase@example.test", "emcase@Example.TEST"},
	{"jürgen@example.test", "Jürgen@example.test", "JÜRGEN@example.test"},
	{"zoe@xn--mnchen-3ya.example", "zoe@münchen.example", "Zoe@MÜNCHEN.example"},
	{"kim@xn--mnchen-3ya.example", "kim@xn--mnchen-3ya.example", "kim@München.example"},
}

// signalQueued signals each mail to an account that PocketBase is asked for, from a goroutine of its own, and again
// when its job sends it.
func signalQueued(queued chan struct{}) func(core.App, *hooks.Social) {
	return func(app core.App, _ *hooks.Social) {
		signal := func(e *core.MailerRecordEvent) error {
			err := e.Next()
			queued <- struct{}{}
			return err
		}
		around := &hook.Handler[*core.MailerRecordEvent]{Func: signal, Priority: -20000} // also where a mail is queued
		app.OnMailerRecordPasswordResetSend().Bind(around)
		app.OnMailerRecordVerificationSend().Bind(around)
		app.OnMailerRecordEmailChangeSend().Bind(around)
	}
}

// awaitQueued returns when one more mail was asked for or sent.
func awaitQueued(t *testing.T, queued chan struct{}) {
	t.Helper()
	select {
	case <-queued:
	case <-time.After(20 * time.Second):
		t.Fatal("no mail was asked for")
	}
}

// TestAnAddressIsOneIdentityAtEveryDoor tries every request that takes an e-mail address.
func TestAnAddressIsOneIdentityAtEveryDoor(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	for _, address := range addressSpellings {
		t.Run(address.typed, func(t *testing.T) {
			queued := make(chan struct{}, 100)
			s := hookstest.New(t, signalQueued(queued))
			p := newOAuthProvider(t, s, false)
			s.Admin().Must(200, "PATCH", "/api/collections/users", map[string]any{"otp": map[string]any{"enabled": true, "duration": 180, "length": 8}})
			a := signUpUser(s.Guest(), "zed", map[string]any{"email": address.typed})
			if a.Status != 200 {
				t.Fatal(a.Raw)
			}
			id := a.ID()
			s.Admin().Update("users", id, map[string]any{"verified": true}) // otherwise a sign-in by OAuth2 removes the password
			if got := s.Record("users", id).Email(); got != address.stored {
				t.Errorf("stored as %q, want %q", got, address.stored)
			}
			refused := func(door string, a hookstest.Answer, field, code string) {
				t.Helper()
				data, _ := a.Body["data"].(map[string]any)
				at, _ := data[field].(map[string]any)
				if a.Status != 400 || at["code"] != code {
					t.Errorf("%s: %d %s, want %s of %s", door, a.Status, a.Raw, code, field)
				}
			}
			for _, typed := range []string{address.stored, address.typed, address.other} {
				body := map[string]any{"identity": typed, "password": hookstest.Password}
				for _, field := range []string{"", "email"} {
					body["identityField"] = field
					if a := s.Guest().Do("POST", "/api/collections/users/auth-with-password", body); a.Status != 200 || accountIDOf(a) != id {
						t.Errorf("log in as %s by %q: %d %s", typed, field, a.Status, a.Raw)
					}
				}
				if a := s.Guest().Do("POST", "/api/collections/"+s.User("zed").Collection().Id+"/auth-with-password", body); a.Status != 200 {
					t.Errorf("log in as %s by the collection's id: %d %s", typed, a.Status, a.Raw)
				}
				refused("sign up as "+typed, signUpUser(s.Guest(), "other", map[string]any{"email": typed}), "email", "validation_not_unique")
				refused("a superuser creates "+typed, signUpUser(s.Admin(), "other", map[string]any{"email": typed}), "email", "validation_not_unique")
				refused("a superuser gives bob "+typed, s.Admin().Do("PATCH", "/api/collections/users/records/"+s.User("bob").Id, map[string]any{"email": typed}), "email", "validation_not_unique")
				refused("bob changes to "+typed, s.As("bob").Do("POST", "/api/collections/users/request-email-change", map[string]any{"newEmail": typed}), "newEmail", "validation_invalid_new_email")
				refused("zed changes to "+typed, s.As("zed").Do("POST", "/api/collections/users/request-email-change", map[string]any{"newEmail": typed}), "newEmail", "validation_not_in_invalid")

				token, err := s.User("bob").NewEmailChangeToken(typed)
				if err != nil {
					t.Fatal(err)
				}
				refused("bob confirms "+typed, s.Guest().Do("POST", "/api/collections/users/confirm-email-change", map[string]any{"token": token, "password": hookstest.Password}), "token", "validation_invalid_token_email")

				before := s.Rows("_otps", "recordRef = {:u}", map[string]any{"u": id})
				s.Guest().Must(200, "POST", "/api/collections/users/request-otp", map[string]any{"email": typed})
				if n := s.Rows("_otps", "recordRef = {:u}", map[string]any{"u": id}); n == 0 || n < before {
					t.Errorf("%s is sent no password to sign in with: %d after %d", typed, n, before)
				}
				execSQL(t, s.App, "DELETE FROM _externalAuths") // so that the address alone leads to the account
				if a := p.signInClient(s.Guest(), idClaims{"sub": "of " + typed, "preferred_username": "zed", "email": typed, "email_verified": true}, nil); a.Status != 200 || accountIDOf(a) != id || metaOf(a)["isNew"] != false {
					t.Errorf("OAuth2 as %s: %d %s", typed, a.Status, a.Raw)
				}
			}
			for _, door := range []string{"password-reset", "verification"} {
				s.Admin().Update("users", id, map[string]any{"verified": false})
				s.Guest().Must(204, "POST", "/api/collections/users/request-"+door, map[string]any{"email": address.other})
				awaitQueued(t, queued)
				s.RunJobs()
				awaitQueued(t, queued)
				mails := s.Mails()
				if got := mails[len(mails)-1].To[0].Address; got != address.stored {
					t.Errorf("%s for %s goes to %s", door, address.other, got)
				}
			}
			// from another address to this one's other spelling, after it was given up
			s.Admin().Update("users", id, map[string]any{"email": "left@example.com"})
			token, err := s.User("bob").NewEmailChangeToken(address.other)
			if err != nil {
				t.Fatal(err)
			}
			s.Guest().Must(204, "POST", "/api/collections/users/confirm-email-change", map[string]any{"token": token, "password": hookstest.Password})
			if got := s.User("bob").Email(); got != address.stored {
				t.Errorf("bob's new address is %q", got)
			}
		})
	}
}

func TestOAuth2SignUpStoresAFoldedAddressThatIsVerified(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	p := newOAuthProvider(t, s, false)
	a := p.signInClient(s.Guest(), idClaims{"sub": "1", "preferred_username": "zed", "email": "Zed@MÜNCHEN.example", "email_verified": true}, nil)
	if zed := s.User("zed"); a.Status != 200 || zed.Email() != "zed@xn--mnchen-3ya.example" || !zed.Verified() {
		t.Errorf("zed is %s, verified %v: %s", zed.Email(), zed.Verified(), a.Raw)
	}
}

func TestMailLeavesWithDomainsOfTheWire(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	queued := make(chan struct{}, 100)
	s := hookstest.New(t, signalQueued(queued))
	s.App.Settings().Meta.SenderAddress = "post@münchen.example"
	clubs := core.NewAuthCollection("clubs")
	if err := s.App.Save(clubs); err != nil {
		t.Fatal(err)
	}
	club := core.NewRecord(clubs) // an owner's: stored as it was given
	club.SetEmail("Club@köln.example")
	club.SetPassword(hookstest.Password)
	if err := s.App.Save(club); err != nil {
		t.Fatal(err)
	}
	s.Guest().Must(204, "POST", "/api/collections/clubs/request-password-reset", map[string]any{"email": "Club@köln.example"})
	awaitQueued(t, queued)
	s.RunJobs()
	mails := s.Mails()
	if len(mails) != 1 || mails[0].To[0].Address != "Club@xn--kln-sna.example" || mails[0].From.Address != "post@xn--mnchen-3ya.example" {
		t.Errorf("mailed %+v", mails)
	}
}

// TestAccountsThatShareAnAddress starts with accounts from before addresses were folded: none are merged, all are
// named, the start does not fail, and the index is made once the operator has decided.
func TestAccountsThatShareAnAddress(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	dir := t.TempDir()
	func() {
		s := hookstest.New(t)
		execSQL(t, s.App, "DELETE FROM _migrations WHERE file = '1765001700_addresses.go'")
		users, err := s.App.FindCollectionByNameOrId("users")
		if err != nil {
			t.Fatal(err)
		}
		for i, index := range users.Indexes {
			users.Indexes[i] = strings.Replace(index, "(`email` COLLATE NOCASE) WHERE", "(`email`) WHERE", 1)
		}
		if err := s.App.Save(users); err != nil {
			t.Fatal(err)
		}
		for name, address := range map[string]string{"ada": "EmCase@example.test", "bob": "emcase@example.test", "carol": "JÜRGEN@example.test", "dave": "jürgen@example.test", "eve": "Eve@Example.com", "mallory": "mal@münchen.example"} {
			execSQL(t, s.App, "UPDATE users SET email = '"+address+"' WHERE handle = '"+name+"'")
		}
		copyDataDir(t, s, dir)
	}()
	s := hookstest.Open(t, dir)
	for name, want := range map[string]string{"ada": "EmCase@example.test", "bob": "emcase@example.test", "carol": "JÜRGEN@example.test", "dave": "jürgen@example.test", "eve": "eve@example.com", "mallory": "mal@xn--mnchen-3ya.example"} {
		if got := s.User(name).Email(); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
		a := s.Guest().Do("POST", "/api/collections/users/auth-with-password", map[string]any{"identity": want, "password": hookstest.Password})
		if a.Status != 200 || handleOf(a) != name {
			t.Errorf("%s logs in with %s: %d %s", name, want, a.Status, a.Raw)
		}
	}
	s.As("ada").Update("users", s.User("ada").Id, map[string]any{"bio": "still here"})
	if got := s.User("ada").Email(); got != "EmCase@example.test" {
		t.Errorf("an edit of another field made ada's address %q", got)
	}
	if a := signUpUser(s.Guest(), "third", map[string]any{"email": "EMCASE@example.test"}); a.Status != 400 {
		t.Errorf("a third one joins: %d %s", a.Status, a.Raw)
	}
	found := func() string {
		for _, f := range doctorFindings(t, s.App) {
			if f.Check == "addresses" {
				return f.State + " " + f.Detail
			}
		}
		return "nothing"
	}
	for _, pair := range [][2]string{{"ada", "bob"}, {"carol", "dave"}} {
		if got := found(); !strings.Contains(got, fmt.Sprintf("%s and %s", s.User(pair[0]).Id, s.User(pair[1]).Id)) {
			t.Errorf("doctor says %q, and does not name %v", got, pair)
		}
	}
	s.Admin().Update("users", s.User("ada").Id, map[string]any{"email": "ada@example.com"})
	s.Admin().Update("users", s.User("carol").Id, map[string]any{"email": "carol@example.com"})
	if done := doctorRepairs(t, s.App); done["addresses"] == 0 {
		t.Fatalf("repair did %v", done)
	}
	if got := found(); got != "ok " {
		t.Errorf("doctor says %q", got)
	}
	if folded, err := account.AddressesFolded(s.App); !folded || err != nil {
		t.Errorf("the index is folded: %v, %v", folded, err)
	}
	if _, err := s.App.DB().NewQuery("UPDATE users SET email = 'EMcase@example.test' WHERE handle = 'ada'").Execute(); err == nil {
		t.Error("the index takes another spelling")
	}
}

// TestNobodyReadsAllUsersToFindOne checks SQLite's plan for the queries that PocketBase makes at a sign-in.
func TestNobodyReadsAllUsersToFindOne(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	for _, field := range []string{"email", "handle"} {
		var plan struct{ Detail string }
		err := s.App.DB().NewQuery("EXPLAIN QUERY PLAN SELECT users.* FROM users WHERE " + field + " = {:identity} COLLATE NOCASE LIMIT 1").Bind(map[string]any{"identity": "x"}).One(&plan)
		if err != nil || !strings.HasPrefix(plan.Detail, "SEARCH users USING INDEX") {
			t.Errorf("%s: %s %v", field, plan.Detail, err)
		}
	}
}

// TestAddressesAreFoldedInSteps has thousands of addresses that are not folded, and one that cannot be.
func TestAddressesAreFoldedInSteps(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	storePeople(t, s, seededRows)
	execSQLWith(t, s, `UPDATE users SET email = upper(email) WHERE id LIKE 'crowd%'`, nil)
	execSQLWith(t, s, `CREATE TRIGGER poison BEFORE UPDATE ON users WHEN old.id = 'crowd0000000007' BEGIN SELECT RAISE(ABORT, 'poisoned'); END`, nil)
	w := recordWrites(s)
	_, changed, err := account.FoldAddresses(t.Context(), s.App)
	if changed != seededRows-1 || err == nil || !strings.Contains(err.Error(), "the address of crowd0000000007: ") {
		t.Errorf("%d are folded: %v", changed, err)
	}
	if most, n := w.takeLargest(); most > maxStepRows || n < seededRows/maxStepRows {
		t.Errorf("%d transactions, the longest of %d rows", n, most)
	}
	if n := s.Rows("users", "email != lower(email)"); n != 1 {
		t.Errorf("%d are not folded, want the one that fails", n)
	}
}

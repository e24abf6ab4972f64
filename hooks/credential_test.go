package hooks_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// credentialChanges are the ways in which ada's credential changes, with the mails that each causes.
var credentialChanges = map[string]struct {
	change func(t *testing.T, s *hookstest.Service, ada *hookstest.Client)
	mails  []string
}{
	"she changes her password": {func(_ *testing.T, _ *hookstest.Service, ada *hookstest.Client) {
		ada.Update("users", ada.ID, jsonObject{"oldPassword": hookstest.Password, "password": "another horse", "passwordConfirm": "another horse"})
	}, []string{"ada@example.com: Your password on Doubletap was changed"}},
	"she resets her password": {func(t *testing.T, s *hookstest.Service, _ *hookstest.Client) {
		token, err := s.User("ada").NewPasswordResetToken()
		if err != nil {
			t.Fatal(err)
		}
		s.Guest().Must(204, "POST", "/api/collections/users/confirm-password-reset",
			jsonObject{"token": token, "password": "another horse", "passwordConfirm": "another horse"})
	}, []string{"ada@example.com: Your password on Doubletap was changed"}},
	"she changes her address": {func(t *testing.T, s *hookstest.Service, _ *hookstest.Client) {
		token, err := s.User("ada").NewEmailChangeToken("ada@example.net")
		if err != nil {
			t.Fatal(err)
		}
		s.Guest().Must(204, "POST", "/api/collections/users/confirm-email-change", jsonObject{"token": token, "password": hookstest.Password})
	}, []string{"ada@example.com: Your mail address on Doubletap was changed", "ada@example.net: This is your mail address on Doubletap now"}},
	"a superuser sets her password": {func(_ *testing.T, s *hookstest.Service, ada *hookstest.Client) {
		s.Admin().Update("users", ada.ID, jsonObject{"password": "another horse", "passwordConfirm": "another horse"})
	}, []string{"ada@example.com: Your password on Doubletap was changed"}},
	"a superuser sets her address in a batch": {func(_ *testing.T, s *hookstest.Service, ada *hookstest.Client) {
		s.Admin().Must(200, "POST", "/api/batch", jsonObject{"requests": []any{jsonObject{
			"method": "PATCH", "url": "/api/collections/users/records/" + ada.ID, "body": jsonObject{"email": "ada@example.net"}}}})
	}, []string{"ada@example.com: Your mail address on Doubletap was changed", "ada@example.net: This is your mail address on Doubletap now"}},
	"a superuser sets her address": {func(_ *testing.T, s *hookstest.Service, ada *hookstest.Client) {
		s.Admin().Update("users", ada.ID, jsonObject{"email": "ada@example.net"})
	}, []string{"ada@example.com: Your mail address on Doubletap was changed", "ada@example.net: This is your mail address on Doubletap now"}},
	"a superuser suspends her": {func(_ *testing.T, s *hookstest.Service, ada *hookstest.Client) {
		s.Admin().Update("users", ada.ID, jsonObject{"state": "suspended"})
	}, nil},
	"Go code changes it": {func(t *testing.T, s *hookstest.Service, _ *hookstest.Client) {
		user := s.User("ada")
		user.SetPassword("another horse")
		saveRecord(t, s, user)
	}, []string{"ada@example.com: Your password on Doubletap was changed"}},
	"Go code changes a record that it has saved before": {func(t *testing.T, s *hookstest.Service, _ *hookstest.Client) {
		user := s.User("ada")
		user.Set("bio", "about to change")
		saveRecord(t, s, user)
		user.SetPassword("another horse")
		saveRecord(t, s, user)
	}, []string{"ada@example.com: Your password on Doubletap was changed"}},
	"somebody takes the unverified account over with OAuth2": {func(t *testing.T, s *hookstest.Service, ada *hookstest.Client) {
		if _, err := s.App.NonconcurrentDB().NewQuery("UPDATE users SET verified = 0 WHERE handle = 'ada'").Execute(); err != nil {
			t.Fatal(err)
		}
		p := newOAuthProvider(t, s, false)
		if a := p.signInClient(s.Guest(), idClaims{"sub": "1", "preferred_username": "ada", "email": "ada@example.com", "email_verified": true}, nil); accountIDOf(a) != ada.ID {
			t.Fatalf("answered %d %s", a.Status, a.Raw)
		}
	}, []string{"ada@example.com: Your password on Doubletap was changed"}},
	"she logs out everywhere": {func(_ *testing.T, _ *hookstest.Service, ada *hookstest.Client) {
		ada.Must(204, "POST", "/api/v1/logout-everywhere", nil)
	}, nil},
	"she deletes her account": {func(_ *testing.T, _ *hookstest.Service, ada *hookstest.Client) {
		ada.Delete("users", ada.ID)
	}, []string{"ada@example.com: Your account on Doubletap is deleted"}},
}

func saveRecord(t *testing.T, s *hookstest.Service, record *core.Record) {
	t.Helper()
	if err := s.App.Save(record); err != nil {
		t.Fatal(err)
	}
}

func TestNothingOutlivesACredential(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for what, door := range credentialChanges {
		t.Run(what, func(t *testing.T) {
			s := hookstest.New(t)
			ada, bob := s.As("ada"), s.As("bob")
			post := ada.Post("mine alone", "visibility", "private")
			photo := "/api/files/posts/" + post + "/" + ada.Must(200, "GET", "/api/collections/posts/records/"+post, nil).Body["photos"].([]any)[0].(string)
			for _, c := range []*hookstest.Client{ada, bob} {
				c.Create("devices", jsonObject{"kind": "apns", "endpoint": apnsToken(c.Name)})
			}
			fileToken := func() string {
				return ada.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
			}
			token := fileToken()
			for _, c := range []*hookstest.Client{ada, bob} {
				proof := core.NewMFA(s.App) // of a sign-in that has given the password, and not yet the code
				proof.SetCollectionRef(s.User(c.Name).Collection().Id)
				proof.SetRecordRef(c.ID)
				proof.SetMethod(core.MFAMethodPassword)
				if err := s.App.Save(proof); err != nil {
					t.Fatal(err)
				}
			}
			s.RunJobs()
			ada.Must(200, "GET", photo+"?token="+token, nil)
			streams := []*hookstest.Stream{ada.Listen("notifications/*", "settings/*"), ada.Listen("posts/" + post), ada.Listen("likes/*")}
			bobs := bob.Listen("notifications/*")

			door.change(t, s, ada)

			if n := s.Rows("devices", "user = {:u}", map[string]any{"u": ada.ID}); n != 0 {
				t.Errorf("%d push devices are left", n)
			}
			if n, bobs := s.Rows("_mfas", "recordRef = '"+ada.ID+"'"), s.Rows("_mfas", "recordRef = '"+bob.ID+"'"); n != 0 || bobs != 1 {
				t.Errorf("%d first proofs of hers are left, and %d of bob's, want his", n, bobs)
			}
			ada.Must(401, "POST", "/api/collections/users/auth-refresh", nil)
			ada.Must(401, "POST", "/api/files/token", nil)
			ada.Must(404, "GET", photo+"?token="+token, nil)
			for _, stream := range streams {
				stream.AwaitEnd()
			}
			if n := s.Rows("devices", "user = {:u}", map[string]any{"u": bob.ID}); n != 1 {
				t.Errorf("bob has %d devices, want his", n)
			}
			carols := s.As("carol")
			carols.Like(bob.Post("hello"))
			bobs.Next() // bob's stream is not ended

			s.RunJobs()
			var mails []string
			for _, m := range s.Mails() {
				mails = append(mails, m.To[0].Address+": "+m.Subject)
				if !strings.Contains(m.Text, "@ada") || !strings.Contains(m.Text, "signed out") {
					t.Errorf("the mail says %s", m.Text)
				}
			}
			if slices.Sort(mails); !slices.Equal(mails, door.mails) {
				t.Errorf("mailed %q, want %q", mails, door.mails)
			}
		})
	}
}

// TestTheSecretOfAllTokensEndsAllDevices: an operator changes it in the dashboard to sign everybody out.
func TestTheSecretOfAllTokensEndsAllDevices(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	for n := range 250 { // more than one transaction deletes
		execSQL(t, s.App, fmt.Sprintf("INSERT INTO devices (id, user, kind, endpoint, created, updated) VALUES ('many%011d', '%s', 'apns', '%064x', '2020-01-01 00:00:00.000Z', '')", n, s.As("bob").ID, n))
	}
	ada := s.As("ada")
	ada.Create("devices", jsonObject{"kind": "apns", "endpoint": apnsToken("ada")})
	s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true}})
	if n := s.Rows("devices", "true"); n != 251 {
		t.Errorf("another change of the collection leaves %d devices", n)
	}
	s.Advance(time.Second)
	s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"authToken": jsonObject{"secret": strings.Repeat("new", 17)}})
	ada.Must(401, "POST", "/api/collections/users/auth-refresh", nil)
	ada.Token = s.Guest().Must(200, "POST", "/api/collections/users/auth-with-password", jsonObject{"identity": "ada", "password": hookstest.Password}).Body["token"].(string)
	ada.Create("devices", jsonObject{"kind": "apns", "endpoint": apnsToken("ada, who is back")})
	s.RunJobs()
	if n, back := s.Rows("devices", "true"), s.Rows("devices", "user = '"+ada.ID+"'"); n != 1 || back != 1 {
		t.Errorf("%d devices are left, %d of who signed in again, want that one", n, back)
	}
}

// apnsToken is a phone's token.
func apnsToken(name string) string { return fmt.Sprintf("%064x", name) }

func TestOtherChangesEndNothing(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	ada.Create("devices", jsonObject{"kind": "apns", "endpoint": apnsToken("ada")})
	ada.Update("users", ada.ID, jsonObject{"bio": "new", "name": "Ada L"})
	ada.Must(200, "POST", "/api/collections/users/auth-refresh", nil)
	if n := s.Rows("devices", "1"); n != 1 {
		t.Errorf("%d devices, want hers", n)
	}
	s.RunJobs()
	if mails := s.Mails(); len(mails) != 0 {
		t.Errorf("mailed %v", mails)
	}
}

// Whoever signs up with a stranger's address could otherwise have any number of mails sent there.
func TestAnUnverifiedAddressIsNotWrittenTo(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	a := signUpUser(s.Guest(), "zoe", jsonObject{"email": "stranger@example.org"})
	s.RunJobs() // mails the link that confirms it, as often as budgets allow
	zoe := s.As("zoe")
	zoe.Update("users", a.ID(), jsonObject{"oldPassword": hookstest.Password, "password": "another horse", "passwordConfirm": "another horse"})
	s.Admin().Update("users", a.ID(), jsonObject{"email": "other@example.org"})
	s.RunJobs()
	if mails := s.Mails(); len(mails) != 1 || mails[0].Subject != "Confirm your mail address on Doubletap" {
		t.Errorf("%d mails, the last one %s", len(mails), mails[len(mails)-1].Subject)
	}
}

func TestTheMailOfAChangedPasswordIsInItsPersonsLanguage(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	ada.Update("settings", ada.List("settings", "")[0]["id"].(string), jsonObject{"locale": "de"})
	s.Admin().Update("users", ada.ID, jsonObject{"password": "another horse", "passwordConfirm": "another horse"})
	s.RunJobs()
	if mails := s.Mails(); len(mails) != 1 || mails[0].Subject != "Dein Passwort auf Doubletap wurde geändert" || !strings.Contains(mails[0].Text, "@ada") {
		t.Errorf("mailed %v", mails)
	}
}

func TestTheBrowserForgetsWhoLeavesForGood(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob, carol := s.As("ada"), s.As("bob"), s.As("carol")
	account := "/api/collections/users/records/"
	for _, leave := range []struct {
		by           *hookstest.Client
		method, path string
		want         string
	}{
		{ada, http.MethodPost, "/api/v1/logout-everywhere", `"cache"`},
		{carol, http.MethodDelete, account + carol.ID, `"cache"`},
		{s.Admin(), http.MethodDelete, account + bob.ID, ""}, // a superuser stays
	} {
		if got := leave.by.Must(204, leave.method, leave.path, nil).Header.Get("Clear-Site-Data"); got != leave.want {
			t.Errorf("%s %s answers with Clear-Site-Data %q, want %q", leave.method, leave.path, got, leave.want)
		}
	}
}

func TestOnlyWhoIsSignedInLogsOutEverywhere(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	s.Guest().Must(401, http.MethodPost, "/api/v1/logout-everywhere", nil)
	s.Admin().Must(401, http.MethodPost, "/api/v1/logout-everywhere", nil)
	ada := s.As("ada")
	ada.Must(204, http.MethodPost, "/api/v1/logout-everywhere", nil)
	ada.Must(401, http.MethodPost, "/api/v1/logout-everywhere", nil)
	s.As("ada").Must(200, http.MethodPost, "/api/collections/users/auth-refresh", nil)
}

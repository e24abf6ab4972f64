package hooks_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/mails"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// lastMail returns the newest mail that the mail server took.
func (a *awayService) lastMail() delivertest.ReceivedMail {
	a.t.Helper()
	a.RunJobs()
	all := a.mailServer.ReceivedMails()
	if len(all) == 0 {
		a.t.Fatal("nothing was mailed")
	}
	return all[len(all)-1]
}

var appLink = regexp.MustCompile(`https?://[^\s"<]+`)

// readLinkToken reads the link to a page of the web app from both parts of a mail, and returns its token.
func readLinkToken(t *testing.T, m delivertest.ReceivedMail, page string) (token string) {
	t.Helper()
	link := func(text string) string {
		for _, found := range appLink.FindAllString(text, -1) {
			if strings.Contains(found, "/_/") || strings.Count(found, "//") != 1 {
				t.Errorf("%s has the link %s", m.Subject, found)
			}
			if u, err := url.Parse(found); err == nil && u.Path == "/" && strings.HasPrefix(u.Fragment, "/"+page+"/") {
				return found
			}
		}
		t.Fatalf("%s has no link to %s: %s", m.Subject, page, text)
		return ""
	}
	plain, rich := link(m.Text), link(m.HTML)
	if plain != rich || !strings.HasPrefix(plain, "https://photos.example.com/#/") {
		t.Errorf("the links are %s and %s", plain, rich)
	}
	return plain[strings.LastIndex(plain, "/")+1:]
}

// accountMailCases are PocketBase's mails to accounts: how each is asked for, its texts in both languages, and what
// its link is good for.
var accountMailCases = []struct {
	kind, page string
	subjects   map[string]string    // by locale
	ask        func(a *awayService) // sent by ada, or by somebody for her
	spend      func(a *awayService, token string)
}{
	{"verification", "verify", map[string]string{"": "Confirm your mail address on Doubletap", "de-AT": "Bestätige deine Mailadresse auf Doubletap"}, func(a *awayService) {
		execSQL(a.t, a.App, "UPDATE users SET verified = 0 WHERE handle = 'ada'")
		mailAda(a, mails.SendRecordVerification)
	}, func(a *awayService, token string) {
		a.Guest().Must(204, "POST", "/api/collections/users/confirm-verification", jsonObject{"token": token})
		if !a.User("ada").Verified() {
			a.t.Error("ada is not verified")
		}
	}},
	{"password_reset", "reset", map[string]string{"": "Set a new password on Doubletap", "de-AT": "Setze ein neues Passwort auf Doubletap"}, func(a *awayService) {
		mailAda(a, mails.SendRecordPasswordReset)
	}, func(a *awayService, token string) {
		body := jsonObject{"token": token, "password": "another horse", "passwordConfirm": "another horse"}
		a.Guest().Must(204, "POST", "/api/collections/users/confirm-password-reset", body)
		a.Guest().Must(400, "POST", "/api/collections/users/confirm-password-reset", body) // a link works only once
		a.Guest().Must(200, "POST", "/api/collections/users/auth-with-password", jsonObject{"identity": "ada", "password": "another horse"})
	}},
	{"email_change", "change", map[string]string{"": "Confirm your new mail address on Doubletap", "de-AT": "Bestätige deine neue Mailadresse auf Doubletap"}, func(a *awayService) {
		a.As("ada").Must(204, "POST", "/api/collections/users/request-email-change", jsonObject{"newEmail": "ada@example.org"})
	}, func(a *awayService, token string) {
		body := jsonObject{"token": token, "password": hookstest.Password}
		a.Guest().Must(204, "POST", "/api/collections/users/confirm-email-change", body)
		a.Guest().Must(400, "POST", "/api/collections/users/confirm-email-change", body)
		a.Guest().Must(200, "POST", "/api/collections/users/auth-with-password", jsonObject{"identity": "ada@example.org", "password": hookstest.Password})
	}},
}

// mailAda sends a mail to ada from Go code, as PocketBase's routes do beside the request.
func mailAda(a *awayService, mail func(core.App, *core.Record) error) {
	a.t.Helper()
	if err := mail(a.App, a.User("ada")); err != nil {
		a.t.Fatal(err)
	}
}

func TestMailsToAccountsLeadToTheWebApp(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for _, door := range accountMailCases {
		for locale, subject := range door.subjects {
			t.Run(door.kind+" "+locale, func(t *testing.T) {
				a := newAwayService(t)
				a.setPreferences("ada", map[string]any{"locale": locale})
				door.ask(a)
				m := a.lastMail()
				if m.Subject != subject || m.From != "post@photos.example.com" || m.Header.Get("Auto-Submitted") != "auto-generated" {
					t.Errorf("mailed %q from %s", m.Subject, m.From)
				}
				for _, part := range []string{m.HTML, m.Text} {
					if !strings.Contains(part, "@ada") || strings.Contains(part, "{") {
						t.Errorf("it says %s", part)
					}
				}
				if want := map[string]string{"": `lang="en"`, "de-AT": `lang="de"`}[locale]; !strings.Contains(m.HTML, want) {
					t.Errorf("no %s in %s", want, m.HTML)
				}
				door.spend(a, readLinkToken(t, m, door.page))
			})
		}
	}
}

func TestCodesAndAlertsAreInTheProductsWords(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	if err := mails.SendRecordOTP(a.App, a.User("ada"), "none", "12345678"); err != nil {
		t.Fatal(err)
	}
	if m := a.lastMail(); m.Subject != "Your code for Doubletap" || !strings.Contains(m.HTML, ">12345678<") || !strings.Contains(m.Text, "12345678") || !strings.Contains(m.Text, "3 minutes") {
		t.Errorf("mailed %q: %s", m.Subject, m.Text)
	}
	if err := mails.SendRecordAuthAlert(a.App, a.User("ada"), `1.2.3.4 <b>pay at http://evil.example</b>`+strings.Repeat("!", 5000)); err != nil {
		t.Fatal(err)
	}
	m := a.lastMail()
	if m.Subject != "A sign-in to your account on Doubletap" || strings.Contains(m.HTML, "<b>") || strings.Contains(m.HTML, "&amp;lt;") || strings.Contains(m.Text, "http://evil.example") || len(m.Text) > 2000 {
		t.Errorf("mailed %q: %s", m.Subject, m.Text)
	}
	if !strings.Contains(m.Text, "https://photos.example.com/#/forgot") {
		t.Errorf("no link to set a new password: %s", m.Text)
	}
}

// A handle may be the name of a host, which mail programs turn into a link.
func TestAHandleIsNoLinkInAMail(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for _, door := range accountMailCases {
		a := newAwayService(t)
		execSQL(t, a.App, "UPDATE users SET handle = 'www.example.com' WHERE handle = 'ada'")
		as := func(mail func(core.App, *core.Record) error) {
			if err := mail(a.App, a.User("www.example.com")); err != nil {
				t.Fatal(err)
			}
		}
		switch door.kind {
		case "verification":
			execSQL(t, a.App, "UPDATE users SET verified = 0 WHERE handle = 'www.example.com'")
			as(mails.SendRecordVerification)
		case "password_reset":
			as(mails.SendRecordPasswordReset)
		default:
			a.As("www.example.com").Must(204, "POST", "/api/collections/users/request-email-change", jsonObject{"newEmail": "ada@example.org"})
		}
		m := a.lastMail()
		for _, part := range []string{m.Subject, m.HTML, m.Text} {
			if strings.Contains(part, "www.example.com") {
				t.Errorf("%s says %s", door.kind, part)
			}
		}
	}
}

func TestAnOwnersTemplatesAreKept(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	users := a.User("ada").Collection()
	users.ResetPasswordTemplate = core.EmailTemplate{Subject: "Ours", Body: "<a href='{APP_URL}/ours/{TOKEN}'>here</a>"}
	settings := a.App.Settings()
	settings.Meta.AppURL = "https://photos.example.com/" // which doubles the slash
	for _, model := range []core.Model{settings, users} {
		if err := a.App.Save(model); err != nil {
			t.Fatal(err)
		}
	}
	mailAda(a, mails.SendRecordPasswordReset)
	if m := a.lastMail(); m.Subject != "Ours" || !strings.Contains(m.HTML, "https://photos.example.com/ours/ey") {
		t.Errorf("mailed %q: %s", m.Subject, m.HTML)
	}
	execSQL(t, a.App, "UPDATE users SET verified = 0 WHERE handle = 'ada'")
	mailAda(a, mails.SendRecordVerification) // whose template the owner has not changed
	readLinkToken(t, a.lastMail(), "verify")
}

func TestSuperusersKeepPocketBasesMails(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	if err := mails.SendRecordPasswordReset(a.App, a.Record("_superusers", a.Admin().ID)); err != nil {
		t.Fatal(err)
	}
	if m := a.lastMail(); m.Subject != "Reset your Doubletap password" || !strings.Contains(m.HTML, "https://photos.example.com/_/#/auth/confirm-password-reset/") {
		t.Errorf("mailed %q: %s", m.Subject, m.HTML)
	}
}

// The templates that an earlier PocketBase shipped count as not changed by an owner, whatever version a folder comes
// from.
func TestFormerDefaultsAreReplaced(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	users := a.User("ada").Collection()
	body := users.ResetPasswordTemplate.Body
	users.ResetPasswordTemplate.Body = strings.Replace(body, "please ignore", "you can ignore", 1)
	if users.ResetPasswordTemplate.Body == body {
		t.Fatalf("PocketBase ships %s", body)
	}
	if err := a.App.Save(users); err != nil {
		t.Fatal(err)
	}
	mailAda(a, mails.SendRecordPasswordReset)
	readLinkToken(t, a.lastMail(), "reset")
}

func TestTwoProofsWhereTheOwnerAsksForThem(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	a.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true, "duration": 180, "length": 8}, "mfa": jsonObject{"enabled": true, "duration": 600, "rule": ""}})
	const users = "/api/collections/users/"
	first := a.Guest().Must(401, "POST", users+"auth-with-password", jsonObject{"identity": "ada", "password": hookstest.Password})
	proof, _ := first.Body["mfaId"].(string)
	if proof == "" {
		t.Fatalf("answered %s", first.Raw)
	}
	asked := make(chan string, 1)
	a.App.OnMailerRecordOTPSend("users").BindFunc(func(e *core.MailerRecordEvent) error {
		code, _ := e.Meta["password"].(string)
		err := e.Next()
		asked <- code
		return err
	})
	otp := a.Guest().Must(200, "POST", users+"request-otp", jsonObject{"email": "ada@example.com"}).Body["otpId"]
	code := <-asked
	if m := a.lastMail(); !strings.Contains(m.Text, code) {
		t.Errorf("the code %s is not in %s", code, m.Text)
	}
	a.Guest().Must(400, "POST", users+"auth-with-otp", jsonObject{"otpId": otp, "password": "00000000", "mfaId": proof})
	if signed := a.Guest().Must(200, "POST", users+"auth-with-otp?mfaId="+proof, jsonObject{"otpId": otp, "password": code}); signed.Body["token"] == nil {
		t.Errorf("answered %s", signed.Raw)
	}
}

func TestASignUpMailsTheLinkThatConfirmsTheAddress(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	signup := func(handle, email, language string) {
		t.Helper()
		body := `{"handle": "` + handle + `", "email": "` + email + `", "password": "` + hookstest.Password + `", "passwordConfirm": "` + hookstest.Password + `"}`
		request, err := http.NewRequest("POST", a.URL+"/api/collections/users/records", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept-Language", language)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		a.RunJobs()
	}
	signup("zoe", "zoe@example.net", "de-AT,de;q=0.9,en;q=0.5")
	a.expectMails("zoe@example.net: Bestätige deine Mailadresse auf Doubletap")
	a.Guest().Must(204, "POST", "/api/collections/users/confirm-verification", jsonObject{"token": readLinkToken(t, a.lastMail(), "verify")})
	if zoe := a.User("zoe"); !zoe.Verified() {
		t.Error("zoe is not verified")
	}
	if n := a.Rows("settings", "locale = 'de-AT' AND user = {:u}", map[string]any{"u": a.User("zoe").Id}); n != 1 {
		t.Error("her language is not kept")
	}
	for i, language := range []string{"", "*", "x", strings.Repeat("de-", 5000), "\"'; DROP TABLE users", "zxx-" + strings.Repeat("a", 8)} {
		handle := "max" + strings.Repeat("x", i)
		signup(handle, handle+"@example.net", language)
		if m := a.lastMail(); m.Subject != "Confirm your mail address on Doubletap" || m.To != handle+"@example.net" {
			t.Errorf("for %.20q mailed %q to %s", language, m.Subject, m.To)
		}
	}
	before := len(a.mailServer.ReceivedMails())
	signup("zoe", "other@example.net", "en") // refused
	a.Admin().Create("users", jsonObject{"handle": "leo", "email": "leo@example.net", "password": hookstest.Password, "passwordConfirm": hookstest.Password})
	a.Someone(1)
	p := newOAuthProvider(t, a.Service, false)
	p.signInClient(a.Guest(), idClaims{"sub": "1", "preferred_username": "kim", "email": "kim@example.net", "email_verified": true}, nil)
	a.RunJobs()
	if all := a.mailServer.ReceivedMails(); len(all) != before {
		t.Errorf("who signs nobody up is mailed %q", all[before].Subject)
	}
	if a := p.signInClient(a.Guest(), idClaims{"sub": "2", "preferred_username": "lin"}, jsonObject{"email": "lin@example.net"}); a.Status != 200 {
		t.Fatalf("lin is answered %d %s", a.Status, a.Raw)
	}
	if m := a.lastMail(); m.To != "lin@example.net" {
		t.Errorf("mailed %s", m.To)
	}
}

package hooks_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/testenv"
)

// awayService is a service whose people have browsers and mailboxes.
type awayService struct {
	*hookstest.Service
	t          *testing.T
	browsers   *delivertest.Browsers
	mailServer *delivertest.MailServer
}

func newAwayService(t *testing.T, owners ...func(core.App, *hooks.Social)) *awayService {
	t.Helper()
	a := &awayService{t: t, browsers: delivertest.NewBrowsers(t), mailServer: delivertest.NewMailServer(t)}
	a.Service = hookstest.New(t, append(owners, func(app core.App, _ *hooks.Social) {
		delivertest.AllowLoopback(app)
		app.OnMailerSend().Bind(a.mailServer.SMTPHandler())
	})...)
	settings := a.App.Settings()
	settings.Meta.AppName, settings.Meta.AppURL, settings.Meta.SenderAddress = "Doubletap", "https://photos.example.com", "post@photos.example.com"
	if err := a.App.Save(settings); err != nil {
		t.Fatal(err)
	}
	return a
}

// addBrowser gives somebody a browser that takes push messages, and returns its device.
func (a *awayService) addBrowser(name string) string {
	a.t.Helper()
	endpoint, keys := a.browsers.Subscribe(name, a.Social.PushKey())
	return a.As(name).Create("devices", map[string]any{"kind": "webpush", "endpoint": endpoint, "keys": keys}).ID()
}

// setPreferences changes somebody's settings.
func (a *awayService) setPreferences(name string, changes map[string]any) {
	a.t.Helper()
	user := a.As(name)
	user.Update("settings", user.List("settings", "")[0]["id"].(string), changes)
}

func mailPreference(kind, when string) map[string]any {
	return map[string]any{"notify": map[string]any{kind: map[string]any{"mail": when}}}
}

// pushTexts returns the texts that somebody's browser showed.
func (a *awayService) pushTexts(name string) []string {
	var texts []string
	for _, p := range a.browsers.Received() {
		if p.Browser == name {
			texts = append(texts, fmt.Sprint(p.Body["body"]))
		}
	}
	return texts
}

func (a *awayService) expectPushes(name string, want ...string) {
	a.t.Helper()
	if got := a.pushTexts(name); !slices.Equal(got, want) {
		a.t.Fatalf("%s is pushed %q, want %q", name, got, want)
	}
}

func (a *awayService) expectMails(want ...string) {
	a.t.Helper()
	got := []string{}
	for _, m := range a.mailServer.ReceivedMails() {
		got = append(got, m.To+": "+m.Subject)
	}
	if !slices.Equal(got, want) {
		a.t.Fatalf("mailed %q, want %q", got, want)
	}
}

func TestALikeReachesTheBrowserOfWhoeverIsAway(t *testing.T) {
	t.Parallel()
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.addBrowser("ada")
	a.addBrowser("bob")
	a.As("bob").Like(post)
	if n := len(a.browsers.Received()); n != 0 {
		t.Fatalf("%d messages were sent in the request", n)
	}
	a.RunJobs()
	a.expectPushes("ada", "bob liked your photo")
	a.expectPushes("bob")
	got := a.browsers.Received()[0]
	note := a.As("ada").List("notifications", "")[0]["id"]
	if got.Body["url"] != "https://photos.example.com/p/"+post || got.Body["notification"] != note || got.Header.Get("Topic") != note || got.Body["badge"] != 1.0 {
		t.Errorf("got %v %v", got.Body, got.Header)
	}
	a.As("bob").Comment(post, "", "what a\nday")
	a.RunJobs()
	a.expectPushes("ada", "bob liked your photo", "bob commented on your photo: what a day")
	a.As("ada").Like(post)
	a.As("ada").Comment(post, "", "indeed")
	a.RunJobs()
	if n := len(a.browsers.Received()); n != 2 {
		t.Errorf("what ada did herself was told: %v", a.browsers.Received())
	}
}

func TestAHundredLikesAreOnePushAndOneMail(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.addBrowser("ada")
	a.setPreferences("ada", mailPreference("like", "now"))
	for i := range 100 {
		a.Someone(i).Like(post)
		a.RunJobs()
		a.Advance(600 * time.Millisecond)
	}
	a.expectPushes("ada", "@someone_0 liked your photo")
	a.expectMails()
	a.Advance(2 * time.Minute)
	a.RunJobs()
	a.expectMails("ada@example.com: @someone_99 and 99 others liked your photo")
	a.expectPushes("ada", "@someone_0 liked your photo")

	a.Advance(5 * time.Minute)
	a.As("bob").Like(post)
	a.Advance(time.Hour)
	a.RunJobs()
	a.expectPushes("ada", "@someone_0 liked your photo", "bob and 100 others liked your photo")
	if n := len(a.mailServer.ReceivedMails()); n != 1 {
		t.Errorf("%d mails although ada has not looked since the first", n)
	}
	a.setPreferences("ada", map[string]any{"seenAt": clock.Timestamp(a.App)})
	a.As("carol").Like(post)
	a.Advance(time.Hour)
	a.RunJobs()
	if n := len(a.mailServer.ReceivedMails()); n != 2 {
		t.Errorf("%d mails, want another now that ada has looked", n)
	}
}

func TestWhatIsTakenBackOrSeenIsNotSent(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for what, change := range map[string]func(*awayService, string){
		"the like is taken back": func(a *awayService, post string) { unlikePost(a.Service, "bob", post) },
		"the post is deleted":    func(a *awayService, post string) { a.As("ada").Delete("posts", post) },
		"bob is blocked":         func(a *awayService, _ string) { a.As("ada").Block("bob") },
		"bob is muted":           func(a *awayService, _ string) { a.As("ada").Create("mutes", jsonObject{"muted": a.User("bob").Id}) },
		"the post is muted":      func(a *awayService, post string) { a.As("ada").Create("mutes", jsonObject{"post": post}) },
		"the tray was seen": func(a *awayService, _ string) {
			a.setPreferences("ada", map[string]any{"seenAt": clock.Timestamp(a.App)})
		},
		"it was read": func(a *awayService, _ string) {
			ada := a.As("ada")
			ada.Update("notifications", ada.List("notifications", "")[0]["id"].(string), map[string]any{"read": true})
		},
		"ada is gone": func(a *awayService, _ string) { ada := a.As("ada"); ada.Delete("users", ada.ID) },
		"bob is gone": func(a *awayService, _ string) { bob := a.As("bob"); bob.Delete("users", bob.ID) },
	} {
		for when, rows := range map[string]int{"at once": 400, "and its rows go later": 0} {
			t.Run(what+" "+when, func(t *testing.T) {
				a := newAwayService(t)
				post := a.As("ada").Post("hello")
				a.addBrowser("ada")
				a.setPreferences("ada", mailPreference("like", "now"))
				a.As("bob").Like(post)
				setStepRows(a.Service, rows)
				change(a, post)
				setStepRows(a.Service, 400)
				a.RunJobs()
				a.Advance(time.Hour)
				a.RunJobs()
				a.expectPushes("ada")
				switch what { // sends that, and nothing of the like
				case "ada is gone":
					a.expectMails("ada@example.com: Your account on Doubletap is deleted")
				case "bob is gone":
					a.expectMails("bob@example.com: Your account on Doubletap is deleted")
				default:
					a.expectMails()
				}
			})
		}
	}
}

func TestNoMailToWhoeverIsHere(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.setPreferences("ada", mailPreference("like", "now"))
	a.As("ada").Listen("notifications/*")
	a.As("bob").Like(post)
	a.Advance(time.Hour)
	a.RunJobs()
	a.expectMails()
}

func TestNothingRingsInQuietHours(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.addBrowser("ada")
	now := clock.Now(a.App)
	a.setPreferences("ada", map[string]any{"quietFrom": now.Add(-time.Hour).Format("15:04"), "quietTo": now.Add(time.Hour).Format("15:04"), "timezone": "UTC"})
	a.As("bob").Like(post)
	a.Advance(10 * time.Minute)
	a.As("carol").Like(post)
	a.RunJobs()
	a.expectPushes("ada")
	a.Advance(time.Hour)
	a.RunJobs()
	a.expectPushes("ada", "carol and bob liked your photo")
}

func TestPreferencesAreKept(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.addBrowser("ada")
	a.setPreferences("ada", map[string]any{"notify": map[string]any{
		"like": map[string]any{"push": false, "mail": "now"}, "comment": map[string]any{"mail": "off"}, "follow": map[string]any{"push": false, "mail": "now"},
	}})
	a.As("bob").Like(post)
	a.As("bob").Comment(post, "", "nice")
	a.Advance(time.Hour)
	a.RunJobs()
	a.expectPushes("ada", "bob commented on your photo: nice")
	a.expectMails("ada@example.com: bob liked your photo")
}

func TestDevicesThatAreGoneAreForgotten(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.addBrowser("ada")
	endpoint, keys := a.browsers.Subscribe("former", "another key")
	other := a.As("ada").Create("devices", map[string]any{"kind": "webpush", "endpoint": strings.Replace(endpoint, "former", "nobody", 1), "keys": keys}).ID()
	a.As("ada").Create("devices", map[string]any{"kind": "fcm", "endpoint": "a-phone-of-an-app-that-is-not-configured"})
	a.As("bob").Like(post)
	a.RunJobs()
	a.expectPushes("ada", "bob liked your photo")
	if a.Record("devices", other) != nil {
		t.Error("a device that is gone is still there")
	}
	if n := a.Rows("devices", "1"); n != 2 {
		t.Errorf("%d devices are left, want 2", n)
	}
	if n := a.Rows("jobs", "kind LIKE 'push.%'"); n != 0 {
		t.Errorf("%d push jobs are left", n)
	}
}

func TestAPushServiceThatIsDownGetsItLater(t *testing.T) {
	t.Parallel()
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.addBrowser("ada")
	a.browsers.SetAnswer(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
		return false
	})
	a.As("bob").Like(post)
	a.RunJobs()
	a.browsers.SetAnswer(nil)
	a.Advance(30 * time.Minute)
	a.RunJobs()
	a.expectPushes("ada")
	a.Advance(31 * time.Minute)
	a.RunJobs()
	a.expectPushes("ada", "bob liked your photo")
}

func TestAMailSaysWhatHappenedAndHowToEndIt(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.setPreferences("ada", jsonObject{"notify": jsonObject{"comment": jsonObject{"mail": "now", "push": false}}})
	bob := a.As("bob")
	bob.Update("users", bob.ID, map[string]any{"name": "Bob <b>\"Ü\"</b>"})
	bob.Comment(post, "", "<script>alert(1)</script> & more")
	a.Advance(3 * time.Minute)
	a.RunJobs()
	a.expectMails(`ada@example.com: Bob <b>"Ü"</b> commented on your photo`)
	m := a.mailServer.ReceivedMails()[0]
	if strings.Contains(m.HTML, "<script>") || strings.Contains(m.HTML, "<b>") || !strings.Contains(m.HTML, "https://photos.example.com/p/"+post) {
		t.Errorf("html: %s", m.HTML)
	}
	if !strings.Contains(m.Text, "<script>alert(1)</script> & more") || !strings.Contains(m.Text, "https://photos.example.com/p/"+post) {
		t.Errorf("text: %s", m.Text)
	}
	link := strings.Trim(m.Header.Get("List-Unsubscribe"), "<>")
	path, ours := strings.CutPrefix(link, "https://photos.example.com")
	if !ours || m.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || !strings.Contains(m.Text, link) {
		t.Fatalf("headers: %v", m.Header)
	}

	settings := func() string { return fmt.Sprint(a.As("ada").List("settings", "")[0]["notify"]) }
	before := settings()
	if page := a.Guest().Must(200, "GET", path, nil); !strings.Contains(page.Raw, `method="post"`) || settings() != before {
		t.Errorf("page: %s; settings %s", page.Raw, settings())
	}
	a.Guest().Must(400, "POST", path[:len(path)-1], nil)
	a.Guest().Must(400, "POST", strings.Replace(path, ".comment.", ".like.", 1), nil)
	a.Guest().Must(400, "POST", strings.Replace(path, a.As("ada").ID, bob.ID, 1), nil)
	a.Guest().Must(400, "GET", "/unsubscribe", nil)
	if settings() != before {
		t.Fatalf("settings %s, want %s", settings(), before)
	}
	a.Guest().Must(204, "POST", path, &hookstest.Upload{Fields: map[string]string{"List-Unsubscribe": "One-Click"}})
	if got := settings(); got != "map[comment:map[mail:off push:false]]" {
		t.Errorf("settings %s", got)
	}
	a.As("carol").Comment(post, "", "me too")
	a.Advance(time.Hour)
	a.RunJobs()
	if n := len(a.mailServer.ReceivedMails()); n != 1 {
		t.Errorf("%d mails, want no more", n)
	}
	if page := a.Guest().Must(200, "POST", path, &hookstest.Upload{Fields: map[string]string{"page": "1"}}); !strings.Contains(page.Raw, "Done.") {
		t.Errorf("page: %s", page.Raw)
	}
}

func TestADigestTellsWhatIsNewByPost(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	ada := a.As("ada")
	first, second := ada.Post("the sea"), ada.Post("the hills")
	a.setPreferences("ada", map[string]any{"digest": "daily", "timezone": "Europe/Berlin", "locale": "de", "notify": map[string]any{"follow": map[string]any{"mail": "off"}}})
	a.As("bob").Like(first)
	a.As("carol").Like(second)
	a.As("bob").Comment(second, "", "wow")
	a.As("dave").Like(first)
	a.As("eve").Like(second)
	unlikePost(a.Service, "eve", second)
	a.As("dave").Follow("ada")
	a.RunJobs()
	a.expectMails()
	a.Advance(24 * time.Hour)
	a.RunJobs()
	a.expectMails("ada@example.com: 3 neue Mitteilungen auf Doubletap")
	text := a.mailServer.ReceivedMails()[0].Text
	for _, line := range []string{"Zu deinem Foto „the hills“", "carol gefällt dein Foto", "bob hat dein Foto kommentiert", "“wow”", "Zu deinem Foto „the sea“", "dave und bob gefällt dein Foto"} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is missing in %s", line, text)
		}
	}
	if strings.Count(text, "the hills") != 1 || strings.Contains(text, "eve") || strings.Contains(text, "folgt") {
		t.Errorf("text: %s", text)
	}
	a.As("mallory").Like(first)
	a.Advance(24 * time.Hour)
	a.RunJobs()
	if mails := a.mailServer.ReceivedMails(); len(mails) != 2 || mails[1].Subject != "Eine neue Mitteilung auf Doubletap" || mails[0].Header.Get("Message-ID") == mails[1].Header.Get("Message-ID") {
		t.Errorf("the second digest: %+v", mails)
	}
	a.Guest().Must(204, "POST", strings.TrimPrefix(strings.Trim(a.mailServer.ReceivedMails()[1].Header.Get("List-Unsubscribe"), "<>"), "https://photos.example.com"), nil)
	a.As("eve").Like(first)
	a.Advance(48 * time.Hour)
	a.RunJobs()
	if n := len(a.mailServer.ReceivedMails()); n != 2 {
		t.Errorf("%d mails, want no more digests", n)
	}
}

// TestADigestGoesOnlyWhereItArrives changes an account between what a digest would tell and the digest.
func TestADigestGoesOnlyWhereItArrives(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		change map[string]any
		mails  []string
	}{
		"nothing changes":     {nil, []string{"ada@example.com: One new notification on Doubletap"}},
		"it is not confirmed": {map[string]any{"verified": false}, nil},
		"ada is suspended":    {map[string]any{"state": "suspended"}, nil},
	} {
		t.Run(what, func(t *testing.T) {
			a := newAwayService(t)
			post := a.As("ada").Post("hello")
			a.setPreferences("ada", map[string]any{"digest": "daily"})
			a.As("bob").Like(post)
			a.RunJobs()
			if c.change != nil {
				a.Admin().Update("users", a.User("ada").Id, c.change)
			}
			a.Advance(24 * time.Hour)
			a.RunJobs()
			a.expectMails(c.mails...)
		})
	}
}

// TestAMailHasNothingThatIsHiddenSince hides a comment, or mutes its author, between what happens and the mail.
func TestAMailHasNothingThatIsHiddenSince(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		change func(a *awayService, comment string)
		absent string
	}{
		"a moderator hides the comment": {func(a *awayService, comment string) {
			a.Admin().Update("comments", comment, map[string]any{"hidden": true})
		}, "a spiteful word"},
		"its author is muted": {func(a *awayService, _ string) {
			a.As("ada").Create("mutes", jsonObject{"muted": a.User("carol").Id})
		}, "carol"},
	} {
		t.Run(what, func(t *testing.T) {
			a := newAwayService(t)
			post := a.As("ada").Post("hello")
			a.setPreferences("ada", mailPreference("comment", "now"))
			a.As("bob").Comment(post, "", "nice")
			comment := a.As("carol").Comment(post, "", "a spiteful word")
			c.change(a, comment)
			a.Advance(time.Hour)
			a.RunJobs()
			mails := a.mailServer.ReceivedMails()
			if len(mails) != 1 || !strings.Contains(mails[0].Subject, "bob") || strings.Contains(mails[0].Subject+mails[0].Text, c.absent) {
				t.Errorf("mailed %+v", mails)
			}
		})
	}
}

func TestMailGoesOnlyWhereItArrives(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.setPreferences("ada", mailPreference("like", "now"))
	change := func(how func(*core.Record)) {
		t.Helper()
		ada := a.User("ada")
		how(ada)
		if err := a.App.Save(ada); err != nil {
			t.Fatal(err)
		}
	}
	likedBy := func(name string) {
		t.Helper()
		a.As(name).Like(post)
		a.Advance(time.Hour)
		a.RunJobs()
	}
	change(func(ada *core.Record) { ada.SetVerified(false) })
	likedBy("bob")
	a.expectMails()

	change(func(ada *core.Record) { ada.SetVerified(true) })
	a.mailServer.RefuseRecipient("ada@example.com", 550, [3]int{5, 1, 1}, "no such user")
	likedBy("carol")
	a.mailServer.RefuseRecipient("ada@example.com", 0, [3]int{}, "")
	likedBy("dave")
	a.expectMails()
	if n := a.Rows("settings", "bounced = 'ada@example.com'"); n != 1 {
		t.Error("that it came back is not remembered")
	}
	if raw := a.As("ada").Must(200, "GET", "/api/collections/settings/records", nil).Raw; strings.Contains(raw, "bounced") {
		t.Errorf("settings show %s", raw)
	}
	change(func(ada *core.Record) { ada.SetEmail("ada@example.net") })
	likedBy("eve")
	a.expectMails("ada@example.com: Your mail address on Doubletap was changed", "ada@example.net: This is your mail address on Doubletap now",
		"ada@example.net: eve and 3 others liked your photo")
}

func TestARefusalOfTheSenderIsNobodysBounce(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.setPreferences("ada", mailPreference("like", "now"))
	a.mailServer.RefuseRecipient("post@photos.example.com", 550, [3]int{5, 7, 1}, "sender not allowed")
	a.As("bob").Like(post)
	a.Advance(time.Hour)
	a.RunJobs()
	if n := a.Rows("settings", "bounced != ''"); n != 0 {
		t.Error("ada's address is taken for a bad one")
	}
	a.mailServer.RefuseRecipient("post@photos.example.com", 0, [3]int{}, "")
	a.Advance(time.Hour)
	a.RunJobs()
	a.expectMails("ada@example.com: bob liked your photo")
}

func TestAMailSentTwiceIsTheSameMail(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	a.setPreferences("ada", mailPreference("like", "now"))
	a.As("bob").Like(post)
	a.Advance(3 * time.Minute)
	a.mailServer.AfterMail(func() error { return errors.New("stumbled") })
	a.RunJobs()
	a.mailServer.AfterMail(nil)
	a.Advance(time.Minute)
	a.RunJobs()
	mails := a.mailServer.ReceivedMails()
	if len(mails) != 2 || mails[0].Header.Get("Message-ID") != mails[1].Header.Get("Message-ID") || !strings.HasSuffix(mails[0].Header.Get("Message-ID"), "@photos.example.com>") {
		t.Errorf("mails %+v", mails)
	}
}

func TestAMailServerThatIsDownForAnHourLosesNothing(t *testing.T) {
	t.Parallel()
	a := newAwayService(t)
	a.setPreferences("ada", mailPreference("like", "now"))
	a.mailServer.RefuseRecipient("post@photos.example.com", 421, [3]int{4, 3, 2}, "down")
	for i := range 5 {
		post := a.As("ada").Post(fmt.Sprint("post ", i))
		a.As("bob").Like(post)
	}
	queued := make(chan struct{}, 1)
	a.App.OnMailerRecordPasswordResetSend().Bind(&hook.Handler[*core.MailerRecordEvent]{Priority: -20000, Func: func(e *core.MailerRecordEvent) error {
		err := e.Next()
		select {
		case queued <- struct{}{}:
		default: // it is on its way again, from the job
		}
		return err
	}})
	a.Guest().Must(204, "POST", "/api/collections/users/request-password-reset", map[string]any{"email": "carol@example.com"})
	select {
	case <-queued: // PocketBase sends it in a goroutine of its own
	case <-time.After(delivertest.WaitTimeout):
		t.Fatal("no mail was asked for")
	}
	for range 12 {
		a.RunJobs()
		a.Advance(5 * time.Minute)
	}
	a.expectMails()
	a.mailServer.RefuseRecipient("post@photos.example.com", 0, [3]int{}, "")
	for range 6 {
		a.Advance(30 * time.Minute)
		a.RunJobs()
	}
	to := map[string]int{}
	for _, m := range a.mailServer.ReceivedMails() {
		to[m.To]++
	}
	if to["ada@example.com"] != 5 || to["carol@example.com"] != 1 || len(to) != 2 {
		t.Errorf("mailed %v", to)
	}
	if n := a.Rows("jobs", "payload LIKE '%eyJ%'"); n != 0 {
		t.Error("a token was kept in a job")
	}
	for _, m := range a.mailServer.ReceivedMails() {
		if m.To == "carol@example.com" && !strings.Contains(m.HTML, "/#/reset/") {
			t.Errorf("carol's mail has no link: %s", m.HTML)
		}
	}
}

func TestOwnersAlterAndDropWhatLeaves(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t, func(_ core.App, social *hooks.Social) {
		social.OnPush("like").BindFunc(func(e *hooks.PushEvent) error {
			if e.Recipient.GetString("handle") == "carol" {
				return nil
			}
			e.Body += ", " + e.Device.GetString("kind")
			return e.Next()
		})
		social.OnMail("comment").BindFunc(func(e *hooks.MailEvent) error {
			e.Message.Subject = "[" + e.Recipient.GetString("handle") + "] " + e.Message.Subject
			return e.Next()
		})
		social.OnMail("like").BindFunc(func(*hooks.MailEvent) error { return nil })
	})
	for _, name := range []string{"ada", "carol"} {
		a.addBrowser(name)
		a.setPreferences(name, map[string]any{"notify": map[string]any{"like": map[string]any{"mail": "now"}, "comment": map[string]any{"mail": "now"}}})
		post := a.As(name).Post("hello")
		a.As("bob").Like(post)
		a.As("bob").Comment(post, "", "hi")
	}
	a.RunJobs()
	a.Advance(time.Hour)
	a.RunJobs()
	a.expectPushes("ada", "bob liked your photo, webpush", "bob commented on your photo: hi")
	a.expectPushes("carol", "bob commented on your photo: hi")
	a.expectMails("ada@example.com: [ada] bob commented on your photo", "carol@example.com: [carol] bob commented on your photo")
}

func TestALikeIsAnsweredWhileThoseItIsToldToHang(t *testing.T) {
	t.Parallel()
	a := newAwayService(t)
	hanging, stop := make(chan string, 100), make(chan struct{})
	var letGo atomic.Int64
	hang := func(what string, gone <-chan struct{}) {
		hanging <- what
		select {
		case <-stop:
		case <-gone:
			letGo.Add(1)
		}
	}
	a.browsers.SetAnswer(func(_ http.ResponseWriter, r *http.Request) bool { hang("push", r.Context().Done()); return false })
	a.mailServer.AfterMail(func() error { hang("mail", nil); return nil })
	receiver := delivertest.NewReceiver(t)
	receiver.SetAnswer(func(_ http.ResponseWriter, r *http.Request) { hang("webhook", r.Context().Done()) })
	a.Admin().Create("webhooks", map[string]any{"url": receiver.URL, "events": []string{"like.created"}})
	post := a.As("ada").Post("hello")
	a.addBrowser("ada")
	a.setPreferences("ada", mailPreference("like", "now"))
	a.RunJobs() // the photo
	a.As("bob").Like(post)
	a.Advance(3 * time.Minute)
	var running sync.WaitGroup
	for range 3 {
		running.Go(func() { _, _ = a.Social.DrainJobs(t.Context()) }) // what fails is tried again
	}
	held := map[string]bool{}
	for len(held) < 3 {
		select {
		case what := <-hanging:
			held[what] = true
		case <-time.After(delivertest.WaitTimeout):
			t.Fatalf("only %v hang", held)
		}
	}
	for i := range 10 {
		a.Someone(i).Like(post)
		if letGo.Load() > 0 {
			t.Fatalf("like %d was answered only when a peer had let go", i)
		}
	}
	if n := a.Rows("likes", "1"); n != 11 {
		t.Errorf("%d likes are stored, want 11", n)
	}
	close(stop)
	running.Wait()
}

func TestTheDashboardsTestMailLeavesAtOnce(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	a.Admin().Must(204, "POST", "/api/settings/test/email", map[string]any{"email": "owner@example.org", "template": "verification", "collection": "users"})
	if mails := a.mailServer.ReceivedMails(); len(mails) != 1 || mails[0].To != "owner@example.org" {
		t.Errorf("got %+v", mails)
	}
}

func TestPhonesAreReachedToo(t *testing.T) {
	testenv.SkipSequential(t)
	apple, firebase := delivertest.NewApplePush(t), delivertest.NewFirebase(t)
	for name, value := range map[string]string{
		"DOUBLETAP_APNS_KEY": apple.Config, "DOUBLETAP_APNS_KEY_ID": delivertest.AppleKeyID, "DOUBLETAP_APNS_TEAM": delivertest.AppleTeam,
		"DOUBLETAP_APNS_TOPIC": delivertest.AppleTopic, "DOUBLETAP_APNS_HOST": apple.URL,
		"DOUBLETAP_FCM_CREDENTIALS": firebase.Config, "DOUBLETAP_FCM_HOST": firebase.URL,
	} {
		t.Setenv(name, value)
	}
	a := newAwayService(t)
	outbound.ClientOf(a.App).TrustRoots(apple.Roots)
	post := a.As("ada").Post("hello")
	phone, former := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	ada := a.As("ada")
	for kind, endpoint := range map[string]string{"apns": phone, "fcm": "a-pixel-in-somebodys-pocket"} {
		ada.Create("devices", map[string]any{"kind": kind, "endpoint": endpoint})
	}
	gone := []string{
		ada.Create("devices", map[string]any{"kind": "apns", "endpoint": former}).ID(),
		ada.Create("devices", map[string]any{"kind": "fcm", "endpoint": "former-pixel-in-a-drawer"}).ID(),
	}
	apple.Gone[former], firebase.Gone["former-pixel-in-a-drawer"] = "Unregistered", "UNREGISTERED"
	a.As("bob").Like(post)
	a.RunJobs()
	a.As("carol").Like(post)
	a.RunJobs()
	if got := apple.Received(); len(got) != 1 || got[0].Token != phone || !strings.Contains(fmt.Sprint(got[0].Body), "bob liked your photo") {
		t.Errorf("apple got %v", got)
	}
	if got := firebase.Received(); len(got) != 1 || got[0].Token != "a-pixel-in-somebodys-pocket" || !strings.Contains(fmt.Sprint(got[0].Body), "bob liked your photo") {
		t.Errorf("firebase got %v", got)
	}
	for _, id := range gone {
		if a.Record("devices", id) != nil {
			t.Errorf("device %s is gone and still there", id)
		}
	}
	if n := a.Rows("devices", "1"); n != 2 {
		t.Errorf("%d devices are left, want 2", n)
	}
}

// addSilentDevices gives somebody devices to which pushes hang.
func (a *awayService) addSilentDevices(name string, n int) {
	a.t.Helper()
	for i := range n {
		endpoint, keys := a.browsers.Subscribe(fmt.Sprint("silent", i), a.Social.PushKey())
		a.As(name).Create("devices", map[string]any{"kind": "webpush", "endpoint": endpoint, "keys": keys})
	}
}

// A person's devices that do not answer keep nobody else's waiting: only a few of them are tried at a time.
func TestSilentDevicesOfOnePersonDelayNobodyElse(t *testing.T) {
	t.Parallel()
	a := newAwayService(t)
	outbound.ClientOf(a.App).Timeout = delivertest.WaitTimeout
	silent, told, stop := make(chan struct{}, 1000), make(chan struct{}, 10), make(chan struct{})
	var mu sync.Mutex
	hanging, most := 0, 0
	a.browsers.SetAnswer(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "silent") {
			told <- struct{}{}
			return true
		}
		mu.Lock()
		hanging++
		most = max(most, hanging)
		mu.Unlock()
		silent <- struct{}{}
		<-stop
		mu.Lock()
		hanging--
		mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		return false
	})
	mallorys, adas := a.As("mallory").Post("hello"), a.As("ada").Post("hello")
	a.RunJobs()
	a.addSilentDevices("mallory", 20)
	a.addBrowser("ada")
	a.As("bob").Like(mallorys)
	a.As("carol").Follow("mallory")
	a.As("bob").Like(adas)
	if n := a.Rows("jobs", "kind = 'push.webpush' AND user = {:u} AND host = '127.0.0.1'", map[string]any{"u": a.User("mallory").Id}); n != 40 {
		t.Fatalf("%d pushes wait for mallory, want 40", n)
	}
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() { _, _ = a.Social.DrainJobs(t.Context()) })
	}
	for range 2 {
		select {
		case <-silent:
		case <-time.After(delivertest.WaitTimeout):
			t.Fatal("mallory's devices are not asked")
		}
	}
	select {
	case <-told:
	case <-silent:
		t.Error("another of mallory's devices was asked before ada was told")
	case <-time.After(delivertest.WaitTimeout):
		t.Error("ada is not told")
	}
	close(stop)
	running.Wait()
	a.RunJobs()
	if most != 2 {
		t.Errorf("%d of mallory's devices were asked at once, want 2", most)
	}
}

func TestADeviceThatNeverAnsweredDiesAfterADay(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	down := true
	var mu sync.Mutex
	a.browsers.SetAnswer(func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if down {
			panic(http.ErrAbortHandler)
		}
		return true
	})
	set := func(to bool) { mu.Lock(); defer mu.Unlock(); down = to }
	tried := func(hours int) {
		for range hours {
			a.RunJobs()
			a.Advance(time.Hour)
		}
		a.RunJobs()
	}
	// a device that answered before is waited for
	old := a.addBrowser("ada")
	set(false)
	a.As("bob").Like(post)
	a.RunJobs()
	a.expectPushes("ada", "bob liked your photo")
	set(true)
	endpoint, keys := a.browsers.Subscribe("new", a.Social.PushKey())
	fresh := a.As("ada").Create("devices", map[string]any{"kind": "webpush", "endpoint": endpoint, "keys": keys}).ID()
	a.Advance(time.Hour)
	a.As("carol").Like(post)
	tried(22)
	if a.Record("devices", fresh) == nil || a.Record("devices", fresh).GetString("failingSince") == "" {
		t.Fatal("the new device went within the day, or is not known to be silent")
	}
	tried(4)
	if a.Record("devices", fresh) != nil {
		t.Error("a device that never answered lives for more than a day")
	}
	if a.Record("devices", old) == nil {
		t.Error("a device that answered before went too")
	}
	set(false)
	a.As("dave").Like(post)
	a.RunJobs()
	if d := a.Record("devices", old); d.GetString("failingSince") != "" || d.GetString("answeredAt") == "" {
		t.Errorf("it answers again, and is known as failing since %q, answered at %q", d.GetString("failingSince"), d.GetString("answeredAt"))
	}
}

package hooks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// newModeratedService starts a service in which mallory and eve moderate.
func newModeratedService(t *testing.T, owners ...func(core.App, *hooks.Social)) *hookstest.Service {
	t.Helper()
	s := hookstest.New(t, owners...)
	for _, name := range []string{"mallory", "eve"} {
		setUserField(t, s, name, "role", "moderator")
	}
	return s
}

func setUserField(t *testing.T, s *hookstest.Service, name, field string, value any) {
	t.Helper()
	user := s.User(name)
	user.Set(field, value)
	if err := s.App.Save(user); err != nil {
		t.Fatal(err)
	}
}

const queuePath = "/api/v1/moderation/queue"

func decideReport(c *hookstest.Client, report, action string) hookstest.Answer {
	return c.Do("POST", "/api/v1/moderation/"+report, map[string]any{"action": action, "note": action + " it"})
}

// requireDecided ends the test unless the decision was made.
func requireDecided(t *testing.T, a hookstest.Answer) {
	t.Helper()
	if a.Status != 204 {
		t.Fatalf("decided: %d %s, want 204", a.Status, a.Raw)
	}
}

func createReport(c *hookstest.Client, target, id string) string {
	return c.Create("reports", map[string]any{target: id, "reason": "spam"}).ID()
}

func systemMessages(c *hookstest.Client) (all []string) {
	for _, n := range c.List("notifications", "sort=seq&filter="+escapeQuery("type='system'")) {
		all = append(all, n["message"].(string))
	}
	return all
}

func expectEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestModeratorHidesAReportedPost(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, bob, carol, mallory := s.As("ada"), s.As("bob"), s.As("carol"), s.As("mallory")
	post := ada.Post("look")
	first := createReport(bob, "post", post)
	second := createReport(carol, "post", post)
	other := createReport(bob, "user", ada.ID)

	items := mallory.Must(200, "GET", queuePath, nil).Items()
	if len(items) != 2 || items[0]["id"] != first || items[0]["reports"] != 2.0 || items[1]["id"] != other {
		t.Fatalf("the queue: %v", items)
	}
	requireDecided(t, decideReport(mallory, first, "hide"))

	for _, c := range []*hookstest.Client{bob, carol, s.Guest()} {
		c.Must(404, "GET", "/api/collections/posts/records/"+post, nil)
	}
	ada.Must(200, "GET", "/api/collections/posts/records/"+post, nil)
	for id, state := range map[string]string{first: "upheld", second: "upheld", other: "open"} {
		expectEqual(t, "state of report "+id, s.Record("reports", id).GetString("state"), state)
	}
	expectEqual(t, "ada is told", systemMessages(ada), []string{"post_hidden"})
	expectEqual(t, "bob is told", systemMessages(bob), []string{"report_upheld"})
	expectEqual(t, "carol is told", systemMessages(carol), []string{"report_upheld"})

	requireDecided(t, decideReport(mallory, first, "unhide"))
	bob.Must(200, "GET", "/api/collections/posts/records/"+post, nil)
	expectEqual(t, "ada is told", systemMessages(ada), []string{"post_hidden", "post_restored"})
	expectEqual(t, "state after unhide", s.Record("reports", first).GetString("state"), "upheld")
	if n := s.Rows("audit", "actor = {:a} AND target = {:t}", map[string]any{"a": "users/" + mallory.ID, "t": "posts/" + post}); n != 2 {
		t.Errorf("%d rows of audit, want 2", n)
	}
	upheld := mallory.Must(200, "GET", queuePath+"?state=upheld", nil).Items()
	if len(upheld) != 1 || len(upheld[0]["history"].([]any)) != 2 {
		t.Errorf("what was upheld: %v", upheld)
	}
	if strings.Contains(ada.Must(200, "GET", "/api/collections/notifications/records?expand=actors", nil).Raw, mallory.ID) {
		t.Error("ada is told who moderates")
	}
}

func TestModeratorDismisses(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, bob, mallory := s.As("ada"), s.As("bob"), s.As("mallory")
	post := ada.Post("look")
	id := createReport(bob, "post", post)
	request := mallory.Do("POST", "/api/v1/moderation/"+id, map[string]any{"action": "dismiss", "note": "fine"})
	requireDecided(t, request)
	expectEqual(t, "state", s.Record("reports", id).GetString("state"), "dismissed")
	expectEqual(t, "bob is told", systemMessages(bob), []string{"report_dismissed"})
	expectEqual(t, "ada is told", systemMessages(ada), []string(nil))
	row, err := s.App.FindFirstRecordByData("audit", "target", "reports/"+id)
	if err != nil {
		t.Fatal(err)
	}
	var after map[string]any
	_ = json.Unmarshal([]byte(row.GetString("after")), &after)
	if row.GetString("action") != "dismiss" || after["report"] != "dismissed" || after["note"] != "fine" ||
		row.GetString("requestId") == "" || row.GetString("requestId") != request.Header.Get("X-Request-Id") {
		t.Errorf("audit: %v", row)
	}
	requireDecided(t, decideReport(mallory, id, "dismiss")) // again
	expectEqual(t, "bob is told once", systemMessages(bob), []string{"report_dismissed"})
	bob.Must(200, "GET", "/api/collections/posts/records/"+post, nil)
	if n := len(mallory.Must(200, "GET", queuePath, nil).Items()); n != 0 {
		t.Errorf("%d in the queue, want 0", n)
	}
}

func TestHiddenComment(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, bob, carol, mallory := s.As("ada"), s.As("bob"), s.As("carol"), s.As("mallory")
	post := ada.Post("look")
	comment := bob.Comment(post, "", "nasty words")
	reply := carol.Comment(post, comment, "please")
	carol.Create("comment_likes", map[string]any{"comment": comment})
	id := createReport(carol, "comment", comment)
	item := mallory.Must(200, "GET", queuePath, nil).Items()[0]
	if text := item["comment"].(map[string]any)["text"]; text != "nasty words" || item["post"].(map[string]any)["id"] != post {
		t.Errorf("the queue: %v", item)
	}
	requireDecided(t, decideReport(mallory, id, "hide"))
	for _, c := range []*hookstest.Client{ada, carol, s.Guest()} {
		c.Must(404, "GET", "/api/collections/comments/records/"+comment, nil)
		if n := len(c.List("comment_likes", "")); n != 0 {
			t.Errorf("%s sees %d likes of a hidden comment", c.Name, n)
		}
		if c.ID != "" {
			c.Must(400, "POST", "/api/collections/comments/records", map[string]any{"post": post, "parent": comment, "text": "hi"})
			c.Must(400, "POST", "/api/collections/reports/records", map[string]any{"comment": comment, "reason": "again"})
		}
	}
	bob.Must(200, "GET", "/api/collections/comments/records/"+comment, nil)
	carol.Must(200, "GET", "/api/collections/comments/records/"+reply, nil)
	told := ada.List("notifications", "expand=comment&filter="+escapeQuery("type='comment'"))
	if strings.Contains(fmt.Sprint(told), "nasty") {
		t.Errorf("ada's tray says what was hidden: %v", told)
	}
	if s.Record("posts", post).GetInt("commentsCount") != 2 {
		t.Error("a hidden comment is not counted any more")
	}
	expectEqual(t, "bob is told", systemMessages(bob), []string{"comment_hidden"})
	bob.Must(200, "PATCH", "/api/collections/comments/records/"+comment, map[string]any{"hidden": false, "text": "kind words"})
	carol.Must(404, "GET", "/api/collections/comments/records/"+comment, nil)
	requireDecided(t, decideReport(mallory, id, "unhide"))
	carol.Must(200, "GET", "/api/collections/comments/records/"+comment, nil)
}

func TestSuspendAndUnsuspend(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, bob, mallory := s.As("ada"), s.As("bob"), s.As("mallory")
	post := ada.Post("look")
	under := bob.Post("mine")
	comment := ada.Comment(under, "", "hello")
	id := createReport(bob, "post", post)
	file := ada.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
	stream := ada.Listen("notifications/*")
	general := ada.Listen("posts/*")

	requireDecided(t, decideReport(mallory, id, "suspend"))
	stream.AwaitEnd()
	general.AwaitEnd()
	ada.Must(401, "POST", "/api/v1/notifications/read", map[string]any{"before": "2030-01-01 00:00:00.000Z"})
	ada.Must(401, "POST", "/api/collections/users/auth-refresh", nil)
	ada.Must(400, "POST", "/api/collections/likes/records", map[string]any{"post": under})
	if a := s.Guest().Do("POST", "/api/collections/users/auth-with-password", map[string]any{"identity": "ada", "password": hookstest.Password}); a.Status != 403 {
		t.Errorf("a suspended user signs in: %d", a.Status)
	}
	for _, path := range []string{"posts/records/" + post, "users/records/" + ada.ID} {
		bob.Must(404, "GET", "/api/collections/"+path, nil)
	}
	name := s.Record("posts", post).GetStringSlice("photos")[0]
	for _, query := range []string{"", "?token=" + file} {
		s.Guest().Must(404, "GET", "/api/files/posts/"+post+"/"+name+query, nil)
	}
	bob.Must(200, "GET", "/api/collections/comments/records/"+comment, nil) // comments under other people's posts stay, as their rule says
	expectEqual(t, "state", s.Record("reports", id).GetString("state"), "upheld")

	requireDecided(t, decideReport(mallory, id, "unsuspend"))
	bob.Must(200, "GET", "/api/collections/posts/records/"+post, nil)
	ada.Must(401, "POST", "/api/collections/users/auth-refresh", nil) // the old token stays invalid
	ada = s.As("ada")
	ada.Must(200, "POST", "/api/collections/users/auth-refresh", nil)
	expectEqual(t, "ada is told", systemMessages(ada), []string{"account_restored"})
	actions := s.Rows("audit", "target = {:t} AND action IN ('suspend', 'unsuspend')", map[string]any{"t": "users/" + ada.ID})
	expectEqual(t, "rows of audit", actions, 2)
}

func TestWhomNobodySuspends(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, mallory, eve := s.As("ada"), s.As("mallory"), s.As("eve")
	onEve, onMallory := createReport(ada, "user", eve.ID), createReport(ada, "user", mallory.ID)
	for what, a := range map[string]hookstest.Answer{
		"another moderator":    decideReport(mallory, onEve, "suspend"),
		"oneself":              decideReport(mallory, onMallory, "suspend"),
		"dismissal of oneself": decideReport(mallory, onMallory, "dismiss"),
	} {
		expectEqual(t, what, a.Status, 403)
	}
	expectEqual(t, "audit", s.Rows("audit", "1"), 0)
	expectEqual(t, "reports", s.Rows("reports", "state = 'open'"), 2)
	requireDecided(t, decideReport(s.Admin(), onEve, "suspend"))
	expectEqual(t, "eve", s.User("eve").GetString("state"), "suspended")
	expectEqual(t, "audit", s.Rows("audit", "actor = {:a}", map[string]any{"a": "_superusers/" + s.Admin().ID}), 1)
	eve.Must(401, "GET", queuePath, nil)

	requireDecided(t, decideReport(s.Admin(), onMallory, "suspend"))
	setUserField(t, s, "mallory", "state", "active")
	setUserField(t, s, "mallory", "role", "member")
	s.As("mallory").Must(403, "GET", queuePath, nil)
}

func TestWhoModerates(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, bob := s.As("ada"), s.As("bob")
	post := ada.Post("look")
	id := createReport(bob, "post", post)
	for _, test := range []struct {
		c      *hookstest.Client
		status int
	}{{s.Guest(), 401}, {ada, 403}, {bob, 403}} {
		test.c.Must(test.status, "GET", queuePath, nil)
		test.c.Must(test.status, "POST", "/api/v1/moderation/"+id, map[string]any{"action": "hide"})
		test.c.Must(test.status, "POST", "/api/v1/moderation/nothing", map[string]any{"action": "hide"})
	}
	mallory := s.As("mallory")
	mallory.Must(404, "POST", "/api/v1/moderation/nothing", map[string]any{"action": "hide"})
	for _, body := range []any{map[string]any{"action": "burn"}, map[string]any{}, "{", map[string]any{"action": "hide", "note": strings.Repeat("x", 2001)}} {
		mallory.Must(400, "POST", "/api/v1/moderation/"+id, body)
	}
	onUser := createReport(bob, "user", ada.ID)
	mallory.Must(400, "POST", "/api/v1/moderation/"+onUser, map[string]any{"action": "hide"})
	for _, query := range []string{"state=other", "cursor=x", "limit=0", "limit=x"} {
		mallory.Must(400, "GET", queuePath+"?"+query, nil)
	}
	expectEqual(t, "audit", s.Rows("audit", "1"), 0)
	expectEqual(t, "open reports", s.Rows("reports", "state = 'open'"), 2)
}

// A decision is made completely or not at all.
func TestDecisionIsOneTransaction(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordCreateExecute("notifications").BindFunc(func(e *core.RecordEvent) error { return fmt.Errorf("on fire") })
	})
	ada, bob, mallory := s.As("ada"), s.As("bob"), s.As("mallory")
	post := ada.Post("look")
	id := createReport(bob, "post", post)
	expectEqual(t, "status", decideReport(mallory, id, "hide").Status, 500)
	expectEqual(t, "audit", s.Rows("audit", "1"), 0)
	expectEqual(t, "open", s.Rows("reports", "state = 'open'"), 1)
	expectEqual(t, "hidden", s.Rows("posts", "hidden"), 0)
}

func TestQueueHasPages(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, mallory := s.As("ada"), s.As("mallory")
	var all []string
	for range 5 {
		post := ada.Post("look")
		all = append(all, createReport(s.As("bob"), "post", post))
		createReport(s.As("carol"), "post", post) // the same thing
	}
	gone := ada.Post("gone")
	all = append(all, createReport(s.As("bob"), "post", gone))
	gone2 := ada.Post("gone too")
	all = append(all, createReport(s.As("bob"), "post", gone2))
	ada.Delete("posts", gone)
	ada.Delete("posts", gone2)
	var seen []string
	cursor := ""
	for range 10 {
		a := mallory.Must(200, "GET", queuePath+"?limit=2&cursor="+cursor, nil)
		for _, item := range a.Items() {
			seen = append(seen, item["id"].(string))
		}
		if cursor = a.Body["cursor"].(string); cursor == "" {
			break
		}
		if len(seen) == 2 {
			createReport(s.As("dave"), "post", ada.Post("new")) // while somebody reads page after page
			all = append(all, s.Record("reports", lastReport(t, s)).Id)
		}
	}
	expectEqual(t, "the queue", seen, all)
	requireDecided(t, decideReport(mallory, all[5], "dismiss"))
	expectEqual(t, "what is gone is decided alone", s.Record("reports", all[6]).GetString("state"), "open")
	mallory.Must(400, "POST", "/api/v1/moderation/"+all[6], map[string]any{"action": "hide"})
	mallory.Must(400, "POST", "/api/v1/moderation/"+all[6], map[string]any{"action": "suspend"})
}

func lastReport(t *testing.T, s *hookstest.Service) (id string) {
	t.Helper()
	if err := s.App.DB().NewQuery("SELECT id FROM reports ORDER BY created DESC, id DESC LIMIT 1").Row(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// A moderator sees what is reported wherever it is. The address of a photo is for that photo and five minutes.
func TestSignedPhotos(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, bob, mallory := s.As("ada"), s.As("bob"), s.As("mallory")
	post, other := ada.Post("look", "alts", `["a sea"]`), ada.Post("other", "visibility", "private")
	createReport(bob, "post", post)
	ada.Update("posts", post, map[string]any{"visibility": "private"})
	mallory.Must(404, "GET", "/api/collections/posts/records/"+post, nil) // rules make no exception for moderators

	item := mallory.Must(200, "GET", queuePath, nil).Items()[0]["post"].(map[string]any)
	photo := item["photos"].([]any)[0].(map[string]any)
	if photo["alt"] != "a sea" || item["visibility"] != "private" || item["caption"] != "look" {
		t.Errorf("the queue: %v", item)
	}
	guest := s.Guest()
	address := photo["url"].(string)
	for _, url := range []string{address, photo["thumb"].(string)} {
		a := guest.Must(200, "GET", url, nil)
		if a.Header.Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(a.Header.Get("Cache-Control"), "private, max-age=") {
			t.Errorf("%s: %v", url, a.Header)
		}
	}
	otherFile := s.Record("posts", other).GetStringSlice("photos")[0]
	file := s.Record("posts", post).GetStringSlice("photos")[0]
	_, query, _ := strings.Cut(address, "?")
	until := query[len("until="):strings.Index(query, "&")]
	later, _ := strconv.Atoi(until)
	for what, url := range map[string]string{
		"without a signature": strings.Split(address, "?")[0],
		"another size":        strings.Replace(address, "1080x1080f", "1920x1920f", 1),
		"the original":        strings.Replace(address, "/1080x1080f", "/", 1),
		"another post":        strings.NewReplacer(post, other, file, otherFile).Replace(address),
		"another file":        strings.Replace(address, file, otherFile, 1),
		"a later time":        strings.Replace(address, until, strconv.Itoa(later+60), 1),
		"PocketBase's route":  "/api/files/posts/" + post + "/" + file + "?" + query,
		"another's avatar":    strings.Replace(address, "/posts/", "/users/", 1),
	} {
		if a := guest.Do("GET", url, nil); a.Status != http.StatusNotFound || a.Header.Get("Content-Type") == "image/jpeg" {
			t.Errorf("%s: %d", what, a.Status)
		}
	}
	s.Advance(4 * time.Minute)
	guest.Must(200, "GET", address, nil)
	s.Advance(61 * time.Second)
	guest.Must(404, "GET", address, nil)
}

func TestReportsAreLimited(t *testing.T) {
	t.Setenv("DOUBLETAP_LIMITS", "on")
	s := newModeratedService(t)
	bob := s.As("bob")
	post := s.As("ada").Post("look")
	body := func(i int) map[string]any { return map[string]any{"post": post, "reason": fmt.Sprint("reason ", i)} }
	answers := make([]hookstest.Answer, 25)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = bob.Do("POST", "/api/collections/reports/records", body(i)) })
	}
	all.Wait()
	stored, refused, one := 0, 0, 0
	for i, a := range answers {
		switch a.Status {
		case 200:
			stored, one = stored+1, i
		case 429:
			refused++
			if wait, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || wait < 4000 || wait > 4320 { // until one of the 20 has come back
				t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
			}
		}
	}
	if stored != 20 || refused != 5 || s.Rows("reports", "1") != 20 {
		t.Fatalf("%d stored, %d refused of 25: %v", stored, refused, answers[0].Raw)
	}
	if again := bob.Must(200, "POST", "/api/collections/reports/records", body(one)); again.ID() != answers[one].ID() {
		t.Error("a repeat is another report")
	}
	bob.Must(400, "POST", "/api/collections/reports/records", map[string]any{"post": "nothing"}) // the rule is checked first
	s.As("carol").Create("reports", body(1))
	s.Admin().Create("reports", map[string]any{"post": post, "reporter": bob.ID})
	s.Advance(24*time.Hour + time.Second)
	bob.Create("reports", body(100))

	t.Setenv("DOUBLETAP_LIMITS", "off")
	forgetLimits(s)
	for i := range 25 {
		s.As("dave").Create("reports", body(i))
	}
}

package hooks_test

import (
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestDashboardIsForSuperusers(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	for _, asked := range [][2]string{
		{"GET", "insights"}, {"GET", "jobs"}, {"POST", "jobs/x"}, {"GET", "deliveries"}, {"POST", "deliveries/x"}, {"GET", "why"},
	} {
		for c, status := range map[*hookstest.Client]int{s.Guest(): 401, s.As("ada"): 403, s.As("mallory"): 403} {
			c.Must(status, asked[0], "/api/v1/admin/"+asked[1], nil)
		}
	}
	script := s.Guest().Must(200, "GET", "/_/extensions.js", nil)
	if !strings.Contains(script.Raw, "#/insights") || script.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("the pages are not in the dashboard: %v", script.Header)
	}
}

func TestInsights(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, bob, admin := s.As("ada"), s.As("bob"), s.Admin()
	post := ada.Post("look")
	bob.Like(post)
	bob.Comment(post, "", "hello")
	createReport(bob, "post", post)
	a := admin.Must(200, "GET", "/api/v1/admin/insights?days=7", nil)
	days := a.Body["days"].([]any)
	if len(days) != 7 {
		t.Fatalf("%d days", len(days))
	}
	today := days[6].(map[string]any)
	for figure, n := range map[string]float64{"likes": 1, "posts": 1, "active": 2, "signups": 6} {
		expectEqual(t, figure, today[figure], n)
	}
	expectEqual(t, "yesterday", days[5].(map[string]any)["likes"], 0.0)
	expectEqual(t, "likes measured", a.Body["likes"].(map[string]any)["count"], 1.0)
	expectEqual(t, "reports", a.Body["reports"], 1.0)
	for _, days := range []string{"0", "367", "x"} {
		admin.Must(400, "GET", "/api/v1/admin/insights?days="+days, nil)
	}
}

func TestDeadJobs(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	admin := s.Admin()
	dead := func(id, dedupe string) {
		_, err := s.App.NonconcurrentDB().NewQuery(`INSERT INTO jobs (id, kind, payload, state, runAt, attempts, worker, dedupe, error, created, updated)
			VALUES ({:id}, 'test', '{"secret":1}', 'dead', '2026-01-01 00:00:00.000Z', 10, '', {:d}, 'no luck', '2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z')`).
			Bind(map[string]any{"id": id, "d": dedupe}).Execute()
		if err != nil {
			t.Fatal(err)
		}
	}
	dead("retriedretried1", "")
	dead("discardedaaaaaa", "")
	dead("samesamesamesa1", "same")
	dead("samesamesamesa2", "same")
	a := admin.Must(200, "GET", "/api/v1/admin/jobs?state=dead", nil)
	if len(a.Items()) != 4 || a.Items()[0]["error"] != "no luck" || strings.Contains(a.Raw, "secret") {
		t.Errorf("the jobs: %s", a.Raw)
	}
	do := func(status int, id, action string) {
		admin.Must(status, "POST", "/api/v1/admin/jobs/"+id, map[string]any{"action": action})
	}
	do(204, "retriedretried1", "retry")
	do(404, "retriedretried1", "retry") // it waits again
	do(404, "retriedretried1", "discard")
	do(204, "discardedaaaaaa", "discard")
	do(404, "discardedaaaaaa", "retry")
	do(204, "samesamesamesa1", "retry")
	do(204, "samesamesamesa2", "retry") // the other one does the same
	do(400, "samesamesamesa2", "burn")
	expectEqual(t, "waiting", s.Rows("jobs", "kind = 'test' AND state = 'ready' AND attempts = 0 AND error = ''"), 2)
	expectEqual(t, "dead", s.Rows("jobs", "kind = 'test' AND state = 'dead'"), 0)
	admin.Must(404, "POST", "/api/v1/admin/deliveries/nothing", nil)
}

// The page says what PocketBase does, for every collection and viewer of a service with some data.
func TestWhy(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, bob, carol, dave := s.As("ada"), s.As("bob"), s.As("carol"), s.As("dave")
	bob.Follow("ada")
	public, followers, private := ada.Post("a"), ada.Post("b", "visibility", "followers"), ada.Post("c", "visibility", "private")
	comment := bob.Comment(public, "", "hello")
	bob.Create("comment_likes", map[string]any{"comment": comment})
	bob.Like(followers)
	createReport(carol, "post", public)
	ada.Block("dave")
	why := func(viewer, collection, record string) hookstest.Answer {
		return s.Admin().Must(200, "GET", "/api/v1/admin/why?viewer="+viewer+"&collection="+collection+"&record="+record, nil)
	}
	checked, seen := 0, 0
	for _, collection := range []string{"users", "posts", "comments", "comment_likes", "likes", "follows", "notifications", "settings", "feed", "reports", "blocks", "jobs"} {
		records, err := s.App.FindAllRecords(collection)
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records {
			for _, c := range []*hookstest.Client{ada, bob, carol, dave, s.As("mallory"), s.Guest()} {
				viewer := c.Name
				if c.ID == "" {
					viewer = ""
				}
				sees := why(viewer, collection, record.Id).Body["sees"].(bool)
				status := c.Do("GET", "/api/collections/"+collection+"/records/"+record.Id, nil).Status
				if sees != (status == 200) {
					t.Errorf("%s of %s: the page says %v, PocketBase %d", collection, c.Name, sees, status)
				}
				checked++
				if sees {
					seen++
				}
			}
		}
	}
	if seen < 20 || checked-seen < 20 {
		t.Errorf("%d of %d are seen: too few of one kind", seen, checked)
	}
	decided := func(a hookstest.Answer) (all []string) {
		var walk func(c map[string]any)
		walk = func(c map[string]any) {
			if len(c["parts"].([]any)) == 0 && c["decides"].(bool) {
				all = append(all, c["text"].(string))
			}
			for _, part := range c["parts"].([]any) {
				walk(part.(map[string]any))
			}
		}
		walk(a.Body["rule"].(map[string]any))
		return all
	}
	expectEqual(t, "ada's private post, to ada", decided(why("ada", "posts", private)), `[@request.auth.id != "" author = @request.auth.id]`)
	expectEqual(t, "a followers' post, to bob", decided(why("@bob", "posts", followers)), `[hidden = false sees(@request.auth.id, author, visibility) = true]`)
	a := why("dave", "posts", public)
	expectEqual(t, "what decides for dave", decided(a), `[author = @request.auth.id sees(@request.auth.id, author, visibility) = true]`)
	if !strings.Contains(a.Raw, `{"name":"the account blocks the viewer","value":"yes"}`) {
		t.Errorf("the facts: %s", a.Raw)
	}
	for _, bad := range []string{"viewer=nobody&collection=posts&record=" + public, "viewer=ada&collection=none&record=x", "viewer=ada&collection=posts&record=x"} {
		s.Admin().Must(400, "GET", "/api/v1/admin/why?"+bad, nil)
	}
}

package hooks_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	command "os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// overBudgetQueries are queries over the budget, whichever way they come.
var overBudgetQueries = func() []url.Values {
	one := func(name, value string) url.Values { return url.Values{name: {value}} }
	all := []url.Values{
		one("filter", strings.Repeat("(", 1700)), // cannot be parsed
		one("filter", strings.Repeat("(", 11)+"id='x'"+strings.Repeat(")", 11)),
		one("filter", strings.Repeat("id='x'||", 100)+"id='x'"),
		one("filter", "id='"+strings.Repeat("x", 3500)+"'"),
		one("filter", "likes_via_post.user='x'"),
		one("sort", "a,b,c,d,e,f,g,h,i"),
		one("sort", strings.Repeat("x", 501)),
		one("sort", "-likes_via_post.user"),
		one("expand", "post.author.post.author"),
		one("expand", "a,b,c,d,e,f,g,h,i,j,k"),
		one("expand", strings.Repeat("x", 1001)),
		one("expand", "comments_via_post.post.comments_via_post"),
		one("expand", "author,comments_ via _POST."),
		one("expand", "comments(post)"),
		one("fields", strings.Repeat("x,", 100)+"x"),
		one("fields", strings.Repeat(",", 2001)),
		{"expand": {"author", "comments_via_post"}},
		{"filter": {"id='x'", "likes_via_post.user='x'"}},
	}
	return all
}()

// isOverBudget reports whether an answer is the budget's own refusal.
func isOverBudget(a hookstest.Answer) bool {
	message, _ := a.Body["message"].(string)
	_, shaped := a.Body["data"].(map[string]any)
	return a.Status == 400 && shaped && (strings.HasPrefix(message, "The request asks for too much: ") ||
		slices.Contains([]string{"Invalid filter.", "Invalid sort field.", "Invalid expand."}, message))
}

// queryEntry is a way to PocketBase's query engine.
type queryEntry struct {
	name string
	ask  func(c *hookstest.Client, query url.Values) hookstest.Answer
}

func urlEntry(method, path string) queryEntry {
	return queryEntry{method + " " + path, func(c *hookstest.Client, query url.Values) hookstest.Answer {
		return c.Do(method, path+"?"+query.Encode(), nil)
	}}
}

// queryEntries returns all ways to the query engine: every route in the description of the API, those of PocketBase
// that it leaves out, the items of a batch as JSON and as a form, and the topics of a stream.
func queryEntries(t *testing.T, s *hookstest.Service) (entries []queryEntry) {
	t.Helper()
	id := regexp.MustCompile(`\{\w+\}`)
	for path, item := range apiDocument(t, s).Paths.Map() {
		for method := range item.Operations() {
			entries = append(entries, urlEntry(method, id.ReplaceAllString(path, strings.Repeat("x", 15))))
		}
	}
	for _, action := range []string{"auth-with-password", "auth-with-oauth2", "auth-with-otp", "request-otp", "auth-refresh", "request-verification",
		"confirm-verification", "request-password-reset", "confirm-password-reset", "confirm-email-change"} {
		entries = append(entries, urlEntry("POST", "/api/collections/users/"+action), urlEntry("POST", "/api/collections/_superusers/"+action))
	}
	entries = append(entries, urlEntry("HEAD", "/api/collections/posts/records"), urlEntry("POST", "/api/batch"), urlEntry("POST", "/api/realtime"),
		urlEntry("GET", "/api/files/posts/xxxxxxxxxxxxxxx/x.jpg"), urlEntry("GET", "/api/health"), urlEntry("GET", "/owners/posts"))
	for _, item := range [][2]string{{"POST", "posts/records"}, {"PUT", "posts/records"}, {"PATCH", "posts/records/xxxxxxxxxxxxxxx"}, {"DELETE", "posts/records/xxxxxxxxxxxxxxx"}} {
		requests := func(query url.Values) map[string]any {
			return map[string]any{"requests": []any{
				map[string]any{"method": "POST", "url": "/api/collections/likes/records", "body": map[string]any{}},
				map[string]any{"method": item[0], "url": "/api/collections/" + item[1] + "?" + query.Encode(), "body": map[string]any{}},
			}}
		}
		entries = append(entries, queryEntry{"batch " + item[0], func(c *hookstest.Client, query url.Values) hookstest.Answer {
			return c.Do("POST", "/api/batch", requests(query))
		}}, queryEntry{"batch form " + item[0], func(c *hookstest.Client, query url.Values) hookstest.Answer {
			body, err := json.Marshal(requests(query))
			if err != nil {
				t.Fatal(err)
			}
			return c.Do("POST", "/api/batch", &hookstest.Upload{Fields: map[string]string{"@jsonPayload": string(body)}})
		}})
	}
	for _, topic := range []string{"posts/*", "posts", "posts/xxxxxxxxxxxxxxx", "notifications/*", "anything"} {
		entries = append(entries, queryEntry{"topic " + topic, func(c *hookstest.Client, query url.Values) hookstest.Answer {
			options := map[string]any{}
			for name := range query { // one value each: JSON has no second, and PocketBase takes none
				options[name] = query[name][len(query[name])-1]
			}
			text, err := json.Marshal(map[string]any{"query": options, "headers": map[string]any{"x_any": "x"}})
			if err != nil {
				t.Fatal(err)
			}
			stream := c.Listen()
			defer stream.Close()
			return c.Do("POST", "/api/realtime", map[string]any{"clientId": stream.ClientID, "subscriptions": []string{topic + "?options=" + escapeQuery(string(text))}})
		}})
	}
	return entries
}

func TestBudgetHoldsAtEveryDoor(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Router.GET("/owners/posts", func(e *core.RequestEvent) error { return e.JSON(http.StatusOK, map[string]any{}) })
			return e.Next()
		})
	})
	doors := queryEntries(t, s)
	if len(doors) < 80 {
		t.Errorf("only %d doors were found", len(doors))
	}
	for _, d := range doors {
		for _, c := range []*hookstest.Client{s.Guest(), s.As("mallory")} {
			for _, query := range overBudgetQueries {
				a := d.ask(c, query)
				bare := strings.HasPrefix(d.name, "HEAD") && a.Status == 400 // no body to look at
				turnedAway := a.Status == 401 || a.Status == 403 || strings.Contains(a.Raw, "Missing or invalid collection context.") || strings.Contains(a.Raw, "Sign in to send a batch.") ||
					strings.Contains(a.Raw, "validation_length_") // refused by PocketBase before it asks the engine
				if !isOverBudget(a) && !bare && !turnedAway {
					t.Errorf("%s: %s is answered %d %.200s for %.100s", d.name, c.Name, a.Status, a.Raw, query.Encode())
				}
			}
			for _, query := range []url.Values{
				{"expand": {"author"}, "fields": {"id,expand.author.handle,caption:excerpt(10,true)"}, "sort": {"-created,id"}, "filter": {"((id='x' || caption~'((((((((((((((((('))"}},
				{"perPage": {"1000"}, "expand": {"author,post.author,comment"}},
			} {
				if d.name == "GET /api/realtime" {
					continue // the answer would go on for as long as somebody listens
				}
				if a := d.ask(c, query); isOverBudget(a) {
					t.Errorf("%s: %s is answered %d %s for %s", d.name, c.Name, a.Status, a.Raw, query.Encode())
				}
			}
		}
	}
}

// TestBudgetKnowsPocketBase fails when PocketBase reads a client's query in one more place, which then has to be
// checked.
func TestBudgetKnowsPocketBase(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	where, err := command.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pocketbase/pocketbase").Output()
	if err != nil {
		t.Skip("no Go command to find PocketBase's source with: ", err)
	}
	reads := regexp.MustCompile(`expandQueryParam|fieldsQueryParam|jsonFieldsParam|search\.\w+QueryParam|search\.NewProvider|ParseAndExec`)
	var found []string
	for _, dir := range []string{"apis", "core", "forms", "tools/router"} {
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(where)), dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.go") && reads.Match(source) {
				found = append(found, dir+"/"+filepath.Base(file))
			}
		}
	}
	want := []string{
		"apis/collection.go", "apis/logs.go", // superusers only
		"apis/realtime.go", "apis/record_crud.go", "apis/record_helpers.go", "core/record_field_resolver.go", "tools/router/event.go",
	}
	if !slices.Equal(found, want) {
		t.Errorf("PocketBase reads what clients ask for in %q, and the budget was made for %q", found, want)
	}
}

// A request that expands everything possible is refused before the work, and one that the SDK sends is not.
func TestBudgetBoundsTheAnswer(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, path := s.As("ada"), "/api/collections/notifications/records?"
	ada.Must(200, "GET", path+"perPage=1000&skipTotal=1&expand=actors,post.author,comment", nil) // getFullList
	a := ada.Must(400, "GET", path+"perPage=1000&expand=actors,post.author,comment.author,comment.parent.author,comment.post", nil)
	if !isOverBudget(a) {
		t.Errorf("ada is answered %s", a.Raw)
	}
	ada.Must(200, "GET", path+"perPage=500&expand=actors,post.author,comment.author,comment.parent,comment.post", nil)
}

func TestBudgetLeavesSuperusersFree(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	post := ada.Post("hello")
	admin := s.Admin()
	for _, query := range []string{"expand=likes_via_post.user.posts_via_author.author", "filter=" + escapeQuery("author.email ~ 'ada'"), "sort=author.email,likes_via_post.created"} {
		if items := admin.List("posts", query); len(items) != 1 || items[0]["id"] != post {
			t.Errorf("%s: %v", query, items)
		}
	}
	for _, path := range []string{"/api/collections/posts/records", "/api/logs"} {
		a := admin.Must(400, "GET", path+"?filter="+escapeQuery(strings.Repeat("(", 1700)+"id=1"+strings.Repeat(")", 1700)), nil)
		if !isOverBudget(a) {
			t.Errorf("%s: the superuser is answered %s", path, a.Raw)
		}
	}
}

// An owner's own collections have PocketBase's limits, as long as no collection of ours is on the path.
func TestBudgetLeavesOwnersCollections(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	public := ""
	collection := func(name, kind string, fields ...core.Field) *core.Collection {
		c := core.NewCollection(kind, name)
		c.ListRule, c.ViewRule = &public, &public
		c.Fields.Add(fields...)
		if err := s.App.Save(c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	users, err := s.App.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	clubs := collection("clubs", core.CollectionTypeBase, &core.EmailField{Name: "email"}, &core.JSONField{Name: "extra"})
	collection("rooms", core.CollectionTypeBase, &core.RelationField{Name: "club", CollectionId: clubs.Id, MaxSelect: 1},
		&core.RelationField{Name: "keeper", CollectionId: users.Id, MaxSelect: 1}, &core.TextField{Name: "name"})
	staff := collection("staff", core.CollectionTypeAuth, &core.RelationField{Name: "club", CollectionId: clubs.Id, MaxSelect: 1})
	_ = staff
	guest := s.Guest()
	for _, test := range []struct {
		path   string
		status int
	}{
		{"clubs/records?filter=" + escapeQuery("email = 'a@b.c'"), 200},
		{"clubs/records?filter=" + escapeQuery("email:lower = 'a@b.c'"), 200},
		{"clubs/records?filter=" + escapeQuery("extra.email = 'a'"), 200},
		{"clubs/records?sort=-email", 200},
		{"rooms/records?filter=" + escapeQuery("club.email = 'a'"), 200},
		{"clubs/records?filter=" + escapeQuery("rooms_via_club.name ?= 'a'"), 200},
		{"clubs/records?sort=rooms_via_club.name", 200},
		{"clubs/records?expand=rooms_via_club.club", 200},
		{"staff/records?filter=" + escapeQuery("club.rooms_via_club.name ?= 'a'"), 200},
		{"staff/records?filter=" + escapeQuery("name = 'a' || email = 'a@b.c'"), 400},
		{"clubs/records?filter=" + escapeQuery("staff_via_club.email ?= 'a'"), 400},
		{"staff/records?sort=email", 400},
		{"rooms/records?filter=" + escapeQuery("keeper.email = 'a'"), 400},
		{"clubs/records?filter=" + escapeQuery("rooms_via_club.keeper.name ?= 'a'"), 400},
		{"clubs/records?expand=rooms_via_club.keeper", 400},
		{"rooms/records?expand=keeper.rooms_via_keeper", 400},
		{"rooms/records?filter=" + escapeQuery("keeper.posts_via_author.caption ?= 'a'"), 400},
		{"users/records?expand=rooms_via_keeper", 400},
		{"users/records?expand=" + escapeQuery(users.Id+"_via_x"), 400},
		{"rooms/records?expand=keeper", 200},
		{"rooms/records?filter=" + escapeQuery("keeper.name = 'a'"), 200},
	} {
		a := guest.Do("GET", "/api/collections/"+test.path, nil)
		if a.Status != test.status || test.status == 400 && a.Status == 400 && !isOverBudget(a) {
			t.Errorf("%s: answered %d %s, want %d", test.path, a.Status, a.Raw, test.status)
		}
	}
}

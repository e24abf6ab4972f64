package hooks_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3" // says whether a document is OpenAPI, and an answer what it says
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

const documentPath = "/api/v1/openapi.json"

// apiDocument reads the description of the API, which must be valid.
func apiDocument(t *testing.T, s *hookstest.Service) *openapi3.T {
	t.Helper()
	a := s.Guest().Must(200, "GET", documentPath, nil)
	document, err := openapi3.NewLoader().LoadFromData([]byte(a.Raw))
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestDescriptionIsOpenAPI(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	document := apiDocument(t, s)
	if document.OpenAPI != "3.1.0" {
		t.Errorf("OpenAPI %s", document.OpenAPI)
	}
	for _, path := range []string{
		"/api/collections/posts/records", "/api/collections/likes/records/{id}", "/api/collections/users/auth-with-password",
		"/api/v1/moderation/queue", "/api/v1/moderation/{report}", "/api/v1/notifications/read", documentPath,
	} {
		if document.Paths.Find(path) == nil {
			t.Errorf("%s is not described", path)
		}
	}
	text := s.Guest().Must(200, "GET", documentPath, nil).Raw
	for _, secret := range []string{"tokenKey", "publicPosts", "hidden_posts", "groupKey", "resolution", "audit", "webhook_deliveries", "jobs", "_superusers", "/admin/", "gone"} {
		if strings.Contains(text, `"`+secret+`"`) || strings.Contains(text, "/"+secret) {
			t.Errorf("the description tells of %s", secret)
		}
	}
	if likes := document.Paths.Find("/api/collections/likes/records/{id}"); likes.Patch != nil {
		t.Error("a like can be changed, says the description")
	}
}

// Every answer to people is exactly what the description says.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, bob, mallory := s.As("ada"), s.As("bob"), s.As("mallory")
	post := ada.Post("look #sea @bob", "alts", `["a sea"]`)
	s.RunJobs()
	bob.Like(post)
	bob.Follow("ada")
	bob.Create("saves", map[string]any{"post": post})
	comment := bob.Comment(post, "", "hello")
	createReport(bob, "comment", comment)
	ada.Update("settings", ada.List("settings", "")[0]["id"].(string), map[string]any{"notify": map[string]any{"like": map[string]any{"push": false}}})
	document := apiDocument(t, s)
	for _, asked := range []struct {
		c            *hookstest.Client
		path, method string
		query        string
	}{
		{bob, "/api/collections/posts/records", "GET", "?expand=author"},
		{s.Guest(), "/api/collections/posts/records", "GET", "?expand=author"},
		{bob, "/api/collections/users/records", "GET", ""}, {bob, "/api/collections/likes/records", "GET", "?expand=post.author,user"},
		{bob, "/api/collections/comments/records", "GET", "?expand=author,post"}, {bob, "/api/collections/feed/records", "GET", "?expand=post.author"},
		{ada, "/api/collections/notifications/records", "GET", "?expand=actors,post,comment"}, {ada, "/api/collections/settings/records", "GET", ""},
		{bob, "/api/collections/follows/records", "GET", "?expand=followee"}, {bob, "/api/collections/reports/records", "GET", ""},
		{bob, "/api/collections/hashtags/records", "GET", ""}, {bob, "/api/collections/saves/records", "GET", "?expand=post"},
		{mallory, queuePath, "GET", ""}, {bob, "/api/files/token", "POST", ""}, {bob, "/api/collections/users/auth-refresh", "POST", ""},
	} {
		a := asked.c.Must(200, asked.method, asked.path+asked.query, nil)
		if strings.HasSuffix(asked.path, "/records") && len(a.Items()) == 0 {
			t.Errorf("%s: an empty list proves nothing", asked.path)
		}
		described := document.Paths.Find(asked.path).GetOperation(asked.method).Responses.Value("200").Value.Content["application/json"].Schema
		var value any
		if err := json.Unmarshal([]byte(a.Raw), &value); err != nil {
			t.Fatal(err)
		}
		if err := document.ValidateSchemaJSON(described.Value, value); err != nil {
			t.Errorf("%s to %s: %v", asked.path, asked.c.Name, err)
		}
	}
	refused := s.Guest().Must(404, "GET", "/api/collections/posts/records/nothing", nil)
	if err := document.ValidateSchemaJSON(document.Components.Schemas["Error"].Value, refused.Body); err != nil {
		t.Error(err)
	}
	if err := document.ValidateSchemaJSON(document.Components.Schemas["PostsRecord"].Value, map[string]any{"id": 1}); err == nil {
		t.Error("anything is a post, says the description") // otherwise the checks above prove nothing
	}
}

func TestDescriptionFollowsTheCollections(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	guest := s.Guest()
	before := guest.Must(200, "GET", documentPath, nil)
	clubs := core.NewBaseCollection("book_clubs")
	clubs.Fields.Add(&core.TextField{Name: "motto", Required: true}, &core.TextField{Name: "password_hint", Hidden: true})
	clubs.ListRule, clubs.CreateRule = types.Pointer(""), types.Pointer("")
	if err := s.App.Save(clubs); err != nil {
		t.Fatal(err)
	}
	after := guest.Must(200, "GET", documentPath, nil)
	if before.Header.Get("ETag") == after.Header.Get("ETag") {
		t.Error("another description has the same ETag")
	}
	document := apiDocument(t, s)
	if created := document.Components.Schemas["BookClubsCreate"]; created == nil || !slices.Contains(created.Value.Required, "motto") {
		t.Errorf("the new collection: %v", created)
	}
	if strings.Contains(after.Raw, "password_hint") {
		t.Error("a hidden field is described")
	}
	if !strings.Contains(guest.Must(200, "GET", "/api/v1/types.d.ts", nil).Raw, "book_clubs: BookClubsRecord;") {
		t.Error("the types lack the new collection")
	}
	clubs.ListRule, clubs.CreateRule = nil, nil
	if err := s.App.Save(clubs); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(guest.Must(200, "GET", documentPath, nil).Raw, "book_clubs") {
		t.Error("a closed collection is described")
	}
}

func TestDescriptionsAreAskedForOnce(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	for _, path := range []string{documentPath, "/api/v1/types.d.ts", "/docs/api"} {
		tag := s.Guest().Must(200, "GET", path, nil).Header.Get("ETag")
		for sent, status := range map[string]int{tag: 304, `"other", ` + tag: 304, `"other"`: 200} {
			if a := statusFor(t, s, "GET", path, sent); a != status || tag == "" {
				t.Errorf("%s with %s: %d, want %d", path, sent, a, status)
			}
		}
	}
}

func TestPageOfTheAPIIsInert(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	settings := s.App.Settings()
	settings.Meta.AppName = `<script>alert(1)</script>`
	if err := s.App.Save(settings); err != nil {
		t.Fatal(err)
	}
	a := s.Guest().Must(200, "GET", "/docs/api", nil)
	policy := a.Header.Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
	if n := strings.Count(a.Raw, "<script"); n != 1 || !strings.Contains(policy, "script-src 'sha256-") || !strings.Contains(policy, "connect-src 'self'") {
		t.Errorf("the page has %d scripts, and the policy %q", n, policy)
	}
	for _, bad := range []string{" src=", "https://", "http://", "javascript:", " style="} {
		if strings.Contains(a.Raw, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, good := range []string{
		"/api/v1/moderation/queue", "PostsRecord", "&lt;script&gt;", "Retry-After",
		"await pb.collection(&#39;likes&#39;).create({&#34;post&#34;:&#34;POST_ID&#34;});", "-F photos=@photo.jpg", "await pb.collection(&#39;likes&#39;).delete(&#39;ID&#39;);",
	} {
		if !strings.Contains(a.Raw, good) {
			t.Errorf("the page lacks %q", good)
		}
	}
}

// A route that is registered outside the table would not be described.
func TestRoutesAreInTheTable(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	registers := regexp.MustCompile(`\.Router\.(GET|POST|PUT|PATCH|DELETE|HEAD|Route|Any|Group)\(.*`)
	allowed := []string{
		`.Router.Route(r.method, r.path, func(e *core.RequestEvent) error {`, // the table
		`.Router.GET("/{path...}", apis.Static(`,                             // files
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range registers.FindAllString(string(source), -1) {
			if !slices.ContainsFunc(allowed, func(a string) bool { return strings.HasPrefix(found, a) }) {
				t.Errorf("%s registers a route past the table in route.go: %s", file, found)
			}
		}
	}
}

// Every route of ours in the description is requested by somebody who may, by a member and by a guest, and answers as
// described.
func TestEveryRouteAnswersAsDescribed(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := newModeratedService(t)
	ada, bob, carol, mallory := s.As("ada"), s.As("bob"), s.As("carol"), s.As("mallory")
	post := ada.Post("look #sea")
	s.RunJobs()
	reported := createReport(bob, "post", post)
	photo := mallory.Must(200, "GET", queuePath, nil).Items()[0]["post"].(map[string]any)["photos"].([]any)[0].(map[string]any)["thumb"].(string)
	s.As("dave")
	dave, lost := signInOn(s, "dave", ""), currentSession(t, signInOn(s, "dave", "lost"))
	document := apiDocument(t, s)
	asked := map[string]struct {
		c      *hookstest.Client
		at     string // the path with its parameters
		body   any
		status int
	}{
		"GET " + documentPath:              {s.Guest(), documentPath, nil, 200},
		"GET /api/v1/types.d.ts":           {s.Guest(), "/api/v1/types.d.ts", nil, 200},
		"GET /docs/api":                    {s.Guest(), "/docs/api", nil, 200},
		"GET /livez":                       {s.Guest(), "/livez", nil, 200},
		"GET /readyz":                      {s.Guest(), "/readyz", nil, 200},
		"GET /api/v1/config":               {s.Guest(), "/api/v1/config", nil, 200},
		"GET /metrics":                     {s.Guest(), "/metrics", nil, 200},
		"GET /unsubscribe":                 {s.Guest(), "/unsubscribe?t=x", nil, 400},
		"POST /unsubscribe":                {s.Guest(), "/unsubscribe?t=x", nil, 400},
		"GET /p/{id}":                      {s.Guest(), "/p/" + post, nil, 200},
		"GET /@{handle}":                   {s.Guest(), "/@ada", nil, 200},
		"GET /oembed":                      {s.Guest(), "/oembed?url=" + s.App.Settings().Meta.AppURL + "/p/" + post, nil, 200},
		"GET /tags/{name}":                 {s.Guest(), "/tags/sea", nil, 200},
		"GET /api/v1/search":               {bob, "/api/v1/search?q=sea", nil, 200},
		"POST /api/v1/notifications/read":  {ada, "/api/v1/notifications/read", map[string]any{"before": "2030-01-01 00:00:00.000Z"}, 204},
		"POST /api/v1/logout-everywhere":   {s.As("eve"), "/api/v1/logout-everywhere", nil, 204},
		"GET /api/v1/sessions":             {dave, "/api/v1/sessions", nil, 200},
		"DELETE /api/v1/sessions/{id}":     {dave, "/api/v1/sessions/" + lost, nil, 204},
		"GET /api/v1/moderation/queue":     {mallory, queuePath, nil, 200},
		"POST /api/v1/moderation/{report}": {mallory, "/api/v1/moderation/" + reported, map[string]any{"action": "dismiss"}, 204},
		"GET /api/v1/moderation/photos/{collection}/{record}/{file}/{size}": {s.Guest(), photo, nil, 200},
	}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			name := method + " " + path
			if strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/api/v1/") {
				continue // PocketBase's
			}
			q, known := asked[name]
			delete(asked, name)
			if !known {
				t.Errorf("%s is described, and nobody asks it here", name)
				continue
			}
			for c, status := range map[*hookstest.Client]int{q.c: q.status, s.Guest(): 0, carol: 0} {
				a := c.Do(method, q.at, q.body)
				answer := operation.Responses.Value(strconv.Itoa(a.Status))
				if answer == nil || status != 0 && a.Status != status {
					t.Errorf("%s answers %q with %d: %s", name, c.Name, a.Status, a.Raw)
					continue
				}
				guarded := !slices.ContainsFunc(*operation.Security, func(r openapi3.SecurityRequirement) bool { return len(r) == 0 })
				if c.ID == "" && guarded != (a.Status == 401) {
					t.Errorf("%s answers a guest with %d; a sign-in is described: %v", name, a.Status, guarded)
				}
				kind, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
				content := answer.Value.Content[kind]
				if (content == nil) != (a.Raw == "") {
					t.Errorf("%s answers %d with %q, which is not what is described", name, a.Status, kind)
				}
				if content == nil || content.Schema == nil || kind != "application/json" {
					continue
				}
				var value any
				if err := json.Unmarshal([]byte(a.Raw), &value); err != nil {
					t.Fatal(err)
				}
				if err := document.ValidateSchemaJSON(content.Schema.Value, value); err != nil {
					t.Errorf("%s, %d: %v", name, a.Status, err)
				}
			}
		}
	}
	for name := range asked {
		t.Errorf("%s is not described", name)
	}
}

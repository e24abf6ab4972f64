package hooks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/photo"
	"github.com/doubletap/doubletap/internal/session"
	"github.com/doubletap/doubletap/internal/testenv"
)

// routeCall asks one of our routes for something that it can do.
type routeCall struct {
	by     *hookstest.Client
	path   string
	body   any
	status int         // of the answer when nothing fails
	done   func() bool // whether what was asked for is stored; nil for a question
}

// routeCases has a case for each route of ours; a route without one that takes no parameters is asked by a GET of its path.
var routeCases = map[string]func(f *fragile, n int) routeCall{
	"POST /unsubscribe": func(f *fragile, n int) routeCall {
		who := f.Someone(n)
		token, err := mail.UnsubscribeToken(f.App, who.ID, "like")
		if err != nil {
			f.t.Fatal(err)
		}
		return routeCall{by: f.Guest(), path: "/unsubscribe?t=" + token, status: 204, done: func() bool {
			return f.count("settings", "user = ? AND json_extract(notify, '$.like.mail') = 'off'", who.ID) == 1
		}}
	},
	"GET /unsubscribe": func(f *fragile, _ int) routeCall {
		token, err := mail.UnsubscribeToken(f.App, f.As("ada").ID, "like")
		if err != nil {
			f.t.Fatal(err)
		}
		return routeCall{by: f.Guest(), path: "/unsubscribe?t=" + token, status: 200}
	},
	"POST /api/v1/logout-everywhere": func(f *fragile, n int) routeCall {
		who, key := f.Someone(n), f.User(f.Someone(n).Name).TokenKey()
		return routeCall{by: who, path: "/api/v1/logout-everywhere", status: 204, done: func() bool { return f.User(who.Name).TokenKey() != key }}
	},
	"POST /api/v1/notifications/read": func(f *fragile, n int) routeCall {
		f.Someone(n).Like(f.As("carol").Post("hello"))
		f.Advance(time.Second)
		return routeCall{by: f.As("carol"), path: "/api/v1/notifications/read", body: map[string]any{"before": "2030-01-01 00:00:00.000Z"}, status: 204, done: func() bool {
			return f.count("notifications", "recipient = ? AND read = 0", f.As("carol").ID) == 0
		}}
	},
	"GET /api/v1/sessions": func(f *fragile, _ int) routeCall {
		return routeCall{by: f.sessionOf("ada"), path: "/api/v1/sessions", status: 200}
	},
	"DELETE /api/v1/sessions/{id}": func(f *fragile, n int) routeCall {
		id := fmt.Sprintf("made%011d", n)
		f.execute("INSERT INTO account_sessions (id, user, lastSeen, ends, created) VALUES (?, ?, ?, '2999-01-01 00:00:00.000Z', '')", id, f.As("ada").ID, clock.Timestamp(f.App))
		return routeCall{by: f.sessionOf("ada"), path: "DELETE /api/v1/sessions/" + id, status: 204, done: func() bool { return f.count("account_sessions", "id = ?", id) == 0 }}
	},
	"GET /api/v1/search": func(f *fragile, _ int) routeCall {
		return routeCall{by: f.As("bob"), path: "/api/v1/search?q=sea", status: 200}
	},
	"GET /api/v1/admin/insights": func(f *fragile, _ int) routeCall {
		return routeCall{by: f.Admin(), path: "/api/v1/admin/insights", status: 200}
	},
	"GET /api/v1/admin/jobs": func(f *fragile, _ int) routeCall {
		return routeCall{by: f.Admin(), path: "/api/v1/admin/jobs?state=dead", status: 200}
	},
	"POST /api/v1/admin/jobs/{id}": func(f *fragile, n int) routeCall {
		if err := job.Enqueue(f.App, "retention", nil); err != nil {
			f.t.Fatal(err)
		}
		id := fmt.Sprintf("dead%011d", n)
		f.execute("UPDATE jobs SET id = ?, state = 'dead' WHERE kind = 'retention' AND state = 'ready'", id)
		return routeCall{by: f.Admin(), path: "/api/v1/admin/jobs/" + id, body: map[string]any{"action": "discard"}, status: 204, done: func() bool { return f.count("jobs", "id = ?", id) == 0 }}
	},
	"GET /api/v1/admin/deliveries": func(f *fragile, _ int) routeCall {
		return routeCall{by: f.Admin(), path: "/api/v1/admin/deliveries?webhook=" + f.id, status: 200}
	},
	"POST /api/v1/admin/deliveries/{id}": func(f *fragile, n int) routeCall {
		id := fmt.Sprintf("sent%011d", n)
		f.execute("INSERT INTO webhook_deliveries (id, webhook, event, type, body, state, created, updated) VALUES (?, ?, ?, 'like.created', '{}', 'dead', '', '')", id, f.id, id)
		return routeCall{by: f.Admin(), path: "/api/v1/admin/deliveries/" + id, status: 204, done: func() bool { return f.count("jobs", "dedupe = ?", id) == 1 }}
	},
	"GET /api/v1/admin/why": func(f *fragile, _ int) routeCall {
		comment := f.As("bob").Comment(f.As("ada").Post("hello"), "", "hello")
		return routeCall{by: f.Admin(), path: "/api/v1/admin/why?viewer=@carol&collection=comments&record=" + comment, status: 200}
	},
	"GET /api/v1/moderation/queue": func(f *fragile, n int) routeCall {
		f.reported(n)
		return routeCall{by: f.moderator(), path: "/api/v1/moderation/queue?limit=2", status: 200}
	},
	"POST /api/v1/moderation/{report}": func(f *fragile, n int) routeCall {
		post, report := f.reported(n)
		return routeCall{by: f.moderator(), path: "/api/v1/moderation/" + report, body: map[string]any{"action": "hide"}, status: 204, done: func() bool {
			return f.count("posts", "id = ? AND hidden = 1", post)+f.count("reports", "id = ? AND state = 'upheld'", report) == 2
		}}
	},
	"GET /api/v1/moderation/photos/{collection}/{record}/{file}/{size}": func(f *fragile, n int) routeCall {
		f.execute("UPDATE reports SET state = 'dismissed'")
		f.reported(n)
		item := f.moderator().Must(200, "GET", "/api/v1/moderation/queue", nil).Items()[0]
		shown := item["post"].(map[string]any)["photos"].([]any)[0].(map[string]any)["thumb"].(string)
		return routeCall{by: f.Guest(), path: shown, status: 200}
	},
	"GET /p/{id}": func(f *fragile, _ int) routeCall {
		return routeCall{by: f.Guest(), path: "/p/" + f.As("ada").Post("hello #sea"), status: 200}
	},
	"GET /tags/{name}": func(f *fragile, _ int) routeCall {
		f.As("ada").Post("hello #sea")
		return routeCall{by: f.Guest(), path: "/tags/sea", status: 200}
	},
	"GET /tags/{name}/feed.xml": func(f *fragile, _ int) routeCall {
		f.As("ada").Post("hello #sea")
		return routeCall{by: f.Guest(), path: "/tags/sea/feed.xml", status: 200}
	},
	"GET /tags/{name}/feed.json": func(f *fragile, _ int) routeCall {
		f.As("ada").Post("hello #sea")
		return routeCall{by: f.Guest(), path: "/tags/sea/feed.json", status: 200}
	},
	"GET /oembed": func(f *fragile, _ int) routeCall {
		return routeCall{by: f.Guest(), path: "/oembed?url=" + f.App.Settings().Meta.AppURL + "/p/" + f.As("ada").Post("hello"), status: 200}
	},
	"GET /@{handle}": func(f *fragile, _ int) routeCall { // which is no pattern of a route
		return routeCall{by: f.Guest(), path: "/@ada", status: 200}
	},
	"GET /sitemap/{part}": func(f *fragile, _ int) routeCall {
		f.As("ada").Post("hello")
		return routeCall{by: f.Guest(), path: "/sitemap/posts-0.xml", status: 200}
	},
	"GET /readyz": func(f *fragile, _ int) routeCall {
		f.Advance(time.Minute) // it remembers what it has found for a second
		return routeCall{by: f.Guest(), path: "/readyz", status: 200}
	},
	"GET a photo": func(f *fragile, _ int) routeCall { // PocketBase's route, with more than half of it ours
		post := f.Record("posts", f.As("ada").Post("hello"))
		return routeCall{by: f.Guest(), path: "/api/files/posts/" + post.Id + "/" + post.GetStringSlice("photos")[0] + "?thumb=" + photo.Sizes[0].ThumbName(), status: 200}
	},
	"a like taken back": func(f *fragile, n int) routeCall {
		who := f.Someone(n)
		like := who.Like(f.As("ada").Post("hello"))
		return routeCall{by: who, path: "DELETE " + likesPath + "/" + like, status: 204, done: func() bool { return f.count("likes", "id = ?", like) == 0 }}
	},
	"a caption changed": func(f *fragile, n int) routeCall {
		who := f.Someone(n)
		post := who.Post("hello")
		return routeCall{by: who, path: "PATCH /api/collections/posts/records/" + post, body: map[string]any{"caption": "hello @bob #sea"}, status: 200, done: func() bool { return f.count("posts", "id = ? AND caption = 'hello @bob #sea'", post) == 1 }}
	},
	"settings changed": func(f *fragile, n int) routeCall {
		who := f.Someone(n)
		id := who.Must(200, "GET", "/api/collections/settings/records", nil).Items()[0]["id"].(string)
		return routeCall{by: who, path: "PATCH /api/collections/settings/records/" + id, body: map[string]any{"locale": "de"}, status: 200, done: func() bool { return f.count("settings", "id = ? AND locale = 'de'", id) == 1 }}
	},
	"a name changed": func(f *fragile, n int) routeCall {
		who := f.Someone(n)
		return routeCall{by: who, path: "PATCH /api/collections/users/records/" + who.ID, body: map[string]any{"name": "Zoe", "bio": "hello @bob"}, status: 200, done: func() bool { return f.count("users", "id = ? AND name = 'Zoe'", who.ID) == 1 }}
	},
	"a comment deleted": func(f *fragile, n int) routeCall {
		who := f.Someone(n)
		comment := who.Comment(f.As("ada").Post("hello"), "", "hello")
		return routeCall{by: who, path: "DELETE /api/collections/comments/records/" + comment, status: 204, done: func() bool { return f.count("comments", "id = ?", comment) == 0 }}
	},
	"a comment with replies deleted": func(f *fragile, n int) routeCall {
		who, post := f.Someone(n), f.As("ada").Post("hello")
		comment := who.Comment(post, "", "hello")
		f.As("bob").Comment(post, comment, "hi")
		return routeCall{by: who, path: "DELETE /api/collections/comments/records/" + comment, status: 204, done: func() bool { return f.count("comments", "id = ? AND deleted = 1", comment) == 1 }}
	},
	"a follow accepted": func(f *fragile, n int) routeCall {
		who, other := f.Someone(n), f.Someone(5000+n)
		other.Must(200, "PATCH", "/api/collections/users/records/"+other.ID, map[string]any{"private": true})
		follow := who.Create("follows", map[string]any{"followee": other.ID}).ID()
		return routeCall{by: other, path: "PATCH /api/collections/follows/records/" + follow, body: map[string]any{"state": "accepted"}, status: 200, done: func() bool { return f.count("follows", "id = ? AND state = 'accepted'", follow) == 1 }}
	},
	"a post deleted": func(f *fragile, n int) routeCall {
		who := f.Someone(n)
		post := who.Post("hello #sea")
		return routeCall{by: who, path: "DELETE /api/collections/posts/records/" + post, status: 204, done: func() bool { return f.count("posts", "id = ?", post) == 0 }}
	},
	"a story deleted": func(f *fragile, n int) routeCall {
		who := f.Someone(n)
		answer := who.Must(200, "POST", "/api/collections/stories/records", &hookstest.Upload{Fields: map[string]string{"visibility": "public"}, Files: map[string][]byte{"photo": hookstest.Photo()}})
		return routeCall{by: who, path: "DELETE /api/collections/stories/records/" + answer.ID(), status: 204, done: func() bool { return f.count("stories", "id = ?", answer.ID()) == 0 }}
	},
	"a comment written": func(f *fragile, n int) routeCall {
		who, post := f.Someone(n), f.As("ada").Post("hello")
		return routeCall{by: who, path: "POST /api/collections/comments/records", body: map[string]any{"post": post, "text": "hello @bob"}, status: 200, done: func() bool { return f.count("comments", "post = ?", post) == 1 }}
	},
	"a follow made": func(f *fragile, n int) routeCall {
		who := f.Someone(n)
		return routeCall{by: who, path: "POST /api/collections/follows/records", body: map[string]any{"followee": f.As("ada").ID}, status: 200, done: func() bool { return f.count("follows", "follower = ? AND followee = ?", who.ID, f.As("ada").ID) == 1 }}
	},
	"an account closed": func(f *fragile, n int) routeCall {
		who := f.Someone(2000 + n)
		return routeCall{by: who, path: "DELETE /api/collections/users/records/" + who.ID, status: 204, done: func() bool { return f.count("users", "id = ? AND state = 'deleting'", who.ID) == 1 }}
	},
}

// reported is a post that somebody reported, and the report.
func (f *fragile) reported(n int) (post, report string) {
	post = f.As("ada").Post(fmt.Sprint("spam ", n))
	return post, f.As("bob").Create("reports", map[string]any{"post": post, "reason": "spam"}).ID()
}

// sessionOf returns a person in a session, which their token names.
func (f *fragile) sessionOf(name string) *hookstest.Client {
	c := f.As(name)
	id := "sessionof" + fmt.Sprintf("%06.6s", c.Name)
	f.execute("INSERT OR IGNORE INTO account_sessions (id, user, lastSeen, ends, created) VALUES (?, ?, ?, '2999-01-01 00:00:00.000Z', '')", id, c.ID, clock.Timestamp(f.App))
	token, err := account.AddClaims(f.User(name), c.Token, f.User(name).Collection().AuthToken.Secret, jwt.MapClaims{session.Claim: id})
	if err != nil {
		f.t.Fatal(err)
	}
	c.Token = token
	return c
}

func (f *fragile) moderator() *hookstest.Client {
	f.execute("UPDATE users SET role = 'moderator' WHERE handle = 'mallory'")
	return f.As("mallory")
}

func TestARouteBlamesItselfForAStatementThatFails(t *testing.T) {
	testenv.SkipSequential(t)
	f := newFragile(t)
	left := map[string]bool{}
	for name := range routeCases {
		left[name] = true
	}
	names := append(f.Social.OwnRoutes(), "GET /@{handle}", "GET a photo", "a like taken back", "an account closed", "a caption changed", "settings changed", "a comment deleted", "a comment with replies deleted", "a follow accepted", "a post deleted", "a story deleted", "a name changed", "a comment written", "a follow made")
	for _, name := range names {
		delete(left, name)
		t.Run(name, func(t *testing.T) {
			begin := routeCases[name]
			if begin == nil {
				begin = plainGet(t, name)
			}
			f.t = t
			for n := 1; f.breakRoute(t, begin, n); n = next(n) {
			}
		})
	}
	for name := range left {
		t.Errorf("there is a case for %s, and no such route", name)
	}
}

// plainGet is the case of a route that anybody asks with its path.
func plainGet(t *testing.T, name string) func(*fragile, int) routeCall {
	t.Helper()
	var method, path string
	if _, err := fmt.Sscan(name, &method, &path); err != nil || method != "GET" || strings.Contains(path, "{") {
		t.Fatal("this route has no case here: add one to routeCases")
	}
	return func(f *fragile, _ int) routeCall { return routeCall{by: f.Guest(), path: path, status: 200} }
}

// lag begins the statement of a figure that is 0 when it cannot be read, as the log tells.
const lag = "SELECT runAt FROM jobs WHERE state IN"

// breakRoute calls a route whose n-th statement fails, and once more, and reports whether there was an n-th.
func (f *fragile) breakRoute(t *testing.T, begin func(*fragile, int) routeCall, n int) bool {
	t.Helper()
	call := begin(f, n)
	method := "GET"
	if verb, path, found := strings.Cut(call.path, " "); found {
		method, call.path = verb, path
	} else if call.done != nil {
		method = "POST"
	}
	b := breakStatement(f.App, ofARequest, n)
	answer := call.by.Do(method, call.path, call.body)
	query := b.heal(f.App)
	if query != "" && answer.Status < 500 && !strings.HasPrefix(query, lag) {
		t.Errorf("%s %s is %d, although statement %d failed: %s\n%s", method, call.path, answer.Status, n, query, answer.Raw)
	}
	if query != "" && answer.Status >= 500 {
		f.Advance(2 * time.Second)
		answer = call.by.Do(method, call.path, call.body)
	}
	if answer.Status != call.status {
		t.Errorf("%s %s is %d once all can be read, want %d (statement %d failed before: %s): %s", method, call.path, answer.Status, call.status, n, query, answer.Raw)
	}
	if call.done != nil && !call.done() {
		t.Errorf("%s %s left nothing, statement %d failed the first time: %s", method, call.path, n, query)
	}
	return query != ""
}

package command_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"doubletap/command"
	"doubletap/hooks/hookstest"
	"doubletap/internal/testenv"
)

// town is a service whose people do this and that.
type town struct {
	*hookstest.Service
	t *testing.T
	r *rand.Rand
}

type body = map[string]any

// do asks over HTTP; a refusal is fine, but not that the service breaks.
func (w town) do(c *hookstest.Client, method, path string, b body) {
	w.t.Helper()
	if answer := c.Do(method, "/api/collections/"+path, b); answer.Status >= 500 {
		w.t.Errorf("%s: %s %s: %d %s", c.Name, method, path, answer.Status, answer.Raw)
	}
}

func (w town) somebody() *hookstest.Client {
	var names []string
	if err := w.App.DB().NewQuery(`SELECT handle FROM users WHERE state = 'active' ORDER BY handle`).Column(&names); err != nil {
		w.t.Fatal(err)
	}
	return w.As(pick(w.r, names))
}

// owners are whose a row is.
var owners = map[string]string{
	"posts": "author", "comments": "author", "likes": "user", "comment_likes": "user", "follows": "follower", "blocks": "blocker",
	"mutes": "muter", "notifications": "recipient", "feed": "viewer", "stories": "author",
}

// one is some row and whose it is, or empty.
func (w town) one(collection string) (id, owner string) {
	var rows []struct {
		ID    string `db:"id"`
		Owner string `db:"owner"`
	}
	err := w.App.DB().NewQuery(`SELECT t.id, u.handle owner FROM ` + collection + ` t JOIN users u ON u.id = t.` + owners[collection] + ` WHERE u.state = 'active'`).All(&rows)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(rows) == 0 {
		return "", ""
	}
	row := pick(w.r, rows)
	return row.ID, row.Owner
}

func (w town) post() string { id, _ := w.one("posts"); return id }

func (w town) story() string { id, _ := w.one("stories"); return id }

func (w town) words() string { return fmt.Sprintf("#tag%d with @%s", w.r.IntN(5), w.somebody().Name) }

// create has somebody store a record; a field may be a function that chooses its value.
func (w town) create(collection string, b body) func() {
	return func() {
		filled := body{}
		for field, value := range b {
			if choose, ok := value.(func() string); ok {
				value = choose()
			}
			filled[field] = value
		}
		w.do(w.somebody(), "POST", collection+"/records", filled)
	}
}

// sometimes does something in one of n times.
func (w town) sometimes(n int, do func()) func() {
	return func() {
		if w.r.IntN(n) == 0 {
			do()
		}
	}
}

func (w town) remove(collection string) func() {
	return func() {
		if id, owner := w.one(collection); id != "" {
			w.do(w.As(owner), "DELETE", collection+"/records/"+id, nil)
		}
	}
}

func (w town) change(collection string, b func() body) func() {
	return func() {
		if id, owner := w.one(collection); id != "" {
			w.do(w.As(owner), "PATCH", collection+"/records/"+id, b())
		}
	}
}

func (w town) reply() {
	if id, _ := w.one("comments"); id != "" {
		w.create("comments", body{"post": w.Record("comments", id).GetString("post"), "parent": id, "text": w.words})()
		w.create("comment_likes", body{"comment": id})()
	}
}

func (w town) accept() {
	for _, request := range w.somebody().List("follows", "filter=state=%22pending%22") {
		followee := w.Record("users", request["followee"].(string)).GetString("handle")
		w.do(w.As(followee), "PATCH", "follows/records/"+request["id"].(string), body{"state": "accepted"})
	}
}

// over has the stories whose day is over removed.
func (w town) over() {
	for _, j := range w.App.Cron().Jobs() {
		if j.Id() == "story.expire" {
			j.Run()
		}
	}
}

// leave has somebody go for good, and somebody else come.
func (w town) leave() {
	c := w.somebody()
	w.do(c, "DELETE", "users/records/"+c.ID, nil)
	handle := fmt.Sprintf("guest_%d", w.r.IntN(1_000_000))
	w.do(w.Guest(), "POST", "users/records", body{"handle": handle, "email": handle + "@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password})
}

// Whatever people do, the doctor has nothing to say: no check cries wolf, and the product leaves nothing behind.
func TestDoctorAfterABusyDay(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	w := town{Service: s, t: t, r: rand.New(rand.NewPCG(1, 2))}
	someone := func() string { return w.somebody().ID }
	audience := func() string { return pick(w.r, []string{"public", "public", "followers", "private"}) }
	like, follow := w.create("likes", body{"post": w.post}), w.create("follows", body{"followee": someone})
	acts := []func(){
		like, like, like, follow, follow, w.reply, w.accept, s.RunJobs,
		func() { w.somebody().Post(w.words(), "visibility", audience()) },
		func() { s.Advance(2 * time.Hour) },
		func() { c := w.somebody(); w.do(c, "PATCH", "users/records/"+c.ID, body{"private": w.r.IntN(4) == 0}) },
		w.create("comments", body{"post": w.post, "text": w.words}),
		w.create("mutes", body{"muted": someone}), w.create("mutes", body{"post": w.post}),
		w.change("posts", func() body { return body{"visibility": audience(), "caption": w.words()} }),
		w.change("comments", func() body { return body{"text": w.words()} }),
		w.remove("mutes"), w.remove("notifications"), w.remove("feed"), w.remove("blocks"),
		func() { w.somebody().Story("visibility", pick(w.r, []string{"public", "followers"})) },
		w.create("story_views", body{"story": w.story}), w.sometimes(3, w.remove("stories")), w.over,
		w.sometimes(3, w.create("blocks", body{"blocked": someone})),
		w.sometimes(3, w.remove("likes")), w.sometimes(3, w.remove("comments")), w.sometimes(3, w.remove("comment_likes")),
		w.sometimes(3, w.remove("follows")), w.sometimes(8, w.remove("posts")), w.sometimes(40, w.leave),
	}
	for range 600 {
		pick(w.r, acts)()
	}
	s.RunJobs()
	for _, f := range examined(s.App) {
		if f.State == command.Fail {
			t.Errorf("the doctor found %+v", f)
		}
	}
	for _, table := range []string{"posts", "likes", "comments", "follows", "notifications", "feed", "retractions", "stories", "story_views"} {
		if s.Rows(table, "1") == 0 {
			t.Errorf("a busy day without %s proves little", table)
		}
	}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

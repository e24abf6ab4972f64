package cli_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/testenv"
)

// busyTown is a service whose people do random things.
type busyTown struct {
	*hookstest.Service
	t *testing.T
	r *rand.Rand
}

type body = map[string]any

// sendRequest sends a request; a refusal is fine, but a server error fails the test.
func (w busyTown) sendRequest(c *hookstest.Client, method, path string, b body) {
	w.t.Helper()
	if answer := c.Do(method, "/api/collections/"+path, b); answer.Status >= 500 {
		w.t.Errorf("%s: %s %s: %d %s", c.Name, method, path, answer.Status, answer.Raw)
	}
}

func (w busyTown) randomClient() *hookstest.Client {
	var names []string
	if err := w.App.DB().NewQuery(`SELECT handle FROM users WHERE state = 'active' ORDER BY handle`).Column(&names); err != nil {
		w.t.Fatal(err)
	}
	return w.As(pickOne(w.r, names))
}

// ownerColumns are the columns that say whose a row is.
var ownerColumns = map[string]string{
	"posts": "author", "comments": "author", "likes": "user", "comment_likes": "user", "follows": "follower", "blocks": "blocker",
	"mutes": "muter", "notifications": "recipient", "feed": "viewer", "stories": "author",
}

// randomRow returns the id of a random row and its owner's handle, or two empty texts if there is no row.
func (w busyTown) randomRow(collection string) (id, owner string) {
	var rows []struct {
		ID    string `db:"id"`
		Owner string `db:"owner"`
	}
	err := w.App.DB().NewQuery(`SELECT t.id, u.handle owner FROM ` + collection + ` t JOIN users u ON u.id = t.` + ownerColumns[collection] + ` WHERE u.state = 'active'`).All(&rows)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(rows) == 0 {
		return "", ""
	}
	row := pickOne(w.r, rows)
	return row.ID, row.Owner
}

func (w busyTown) randomPost() string { id, _ := w.randomRow("posts"); return id }

func (w busyTown) randomStory() string { id, _ := w.randomRow("stories"); return id }

func (w busyTown) randomText() string {
	return fmt.Sprintf("#tag%d with @%s", w.r.IntN(5), w.randomClient().Name)
}

// createAction returns an action in which a random person stores a record; a field may be a function that chooses its
// value.
func (w busyTown) createAction(collection string, b body) func() {
	return func() {
		filled := body{}
		for field, value := range b {
			if choose, ok := value.(func() string); ok {
				value = choose()
			}
			filled[field] = value
		}
		w.sendRequest(w.randomClient(), "POST", collection+"/records", filled)
	}
}

// oneInTimes returns an action that does something in one of n times.
func (w busyTown) oneInTimes(n int, do func()) func() {
	return func() {
		if w.r.IntN(n) == 0 {
			do()
		}
	}
}

func (w busyTown) removeAction(collection string) func() {
	return func() {
		if id, owner := w.randomRow(collection); id != "" {
			w.sendRequest(w.As(owner), "DELETE", collection+"/records/"+id, nil)
		}
	}
}

func (w busyTown) changeAction(collection string, b func() body) func() {
	return func() {
		if id, owner := w.randomRow(collection); id != "" {
			w.sendRequest(w.As(owner), "PATCH", collection+"/records/"+id, b())
		}
	}
}

func (w busyTown) replyToComment() {
	if id, _ := w.randomRow("comments"); id != "" {
		w.createAction("comments", body{"post": w.Record("comments", id).GetString("post"), "parent": id, "text": w.randomText})()
		w.createAction("comment_likes", body{"comment": id})()
	}
}

func (w busyTown) acceptRequest() {
	for _, request := range w.randomClient().List("follows", "filter=state=%22pending%22") {
		followee := w.Record("users", request["followee"].(string)).GetString("handle")
		w.sendRequest(w.As(followee), "PATCH", "follows/records/"+request["id"].(string), body{"state": "accepted"})
	}
}

// expireStories removes the expired stories.
func (w busyTown) expireStories() {
	for _, j := range w.App.Cron().Jobs() {
		if j.Id() == "story.expire" {
			j.Run()
		}
	}
}

// replaceAccount deletes a random person's account, and lets somebody new sign up.
func (w busyTown) replaceAccount() {
	c := w.randomClient()
	w.sendRequest(c, "DELETE", "users/records/"+c.ID, nil)
	handle := fmt.Sprintf("guest_%d", w.r.IntN(1_000_000))
	w.sendRequest(w.Guest(), "POST", "users/records", body{"handle": handle, "email": handle + "@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password})
}

// TestDoctorAfterABusyDay: whatever people do, doctor finds nothing wrong: no check reports what is right, and the
// product leaves nothing behind.
func TestDoctorAfterABusyDay(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	w := busyTown{Service: s, t: t, r: rand.New(rand.NewPCG(1, 2))}
	someone := func() string { return w.randomClient().ID }
	audience := func() string { return pickOne(w.r, []string{"public", "public", "followers", "private"}) }
	like, follow := w.createAction("likes", body{"post": w.randomPost}), w.createAction("follows", body{"followee": someone})
	acts := []func(){
		like, like, like, follow, follow, w.replyToComment, w.acceptRequest, s.RunJobs,
		func() { w.randomClient().Post(w.randomText(), "visibility", audience()) },
		func() { s.Advance(2 * time.Hour) },
		func() {
			c := w.randomClient()
			w.sendRequest(c, "PATCH", "users/records/"+c.ID, body{"private": w.r.IntN(4) == 0})
		},
		w.createAction("comments", body{"post": w.randomPost, "text": w.randomText}),
		w.createAction("mutes", body{"muted": someone}), w.createAction("mutes", body{"post": w.randomPost}),
		w.changeAction("posts", func() body { return body{"visibility": audience(), "caption": w.randomText()} }),
		w.changeAction("comments", func() body { return body{"text": w.randomText()} }),
		w.removeAction("mutes"), w.removeAction("notifications"), w.removeAction("feed"), w.removeAction("blocks"),
		func() { w.randomClient().Story("visibility", pickOne(w.r, []string{"public", "followers"})) },
		w.createAction("story_views", body{"story": w.randomStory}), w.oneInTimes(3, w.removeAction("stories")), w.expireStories,
		w.oneInTimes(3, w.createAction("blocks", body{"blocked": someone})),
		w.oneInTimes(3, w.removeAction("likes")), w.oneInTimes(3, w.removeAction("comments")), w.oneInTimes(3, w.removeAction("comment_likes")),
		w.oneInTimes(3, w.removeAction("follows")), w.oneInTimes(8, w.removeAction("posts")), w.oneInTimes(40, w.replaceAccount),
	}
	missing := map[string]bool{} // the tables that never had a row
	for _, table := range []string{"posts", "likes", "comments", "follows", "notifications", "feed", "retractions", "stories", "story_views"} {
		missing[table] = true
	}
	for range 600 {
		pickOne(w.r, acts)()
		for table := range missing {
			if s.Rows(table, "1") > 0 {
				delete(missing, table)
			}
		}
	}
	s.RunJobs()
	for _, f := range wrongFindings(s.App) {
		if f.State == cli.StateFail {
			t.Errorf("the doctor found %+v", f)
		}
	}
	for table := range missing {
		t.Errorf("a busy day without %s proves little", table)
	}
}

func pickOne[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

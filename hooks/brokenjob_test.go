package hooks_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/mails"

	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/deliver/webhook"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/testenv"
)

// jobCase leaves a job of one kind with something to do, anew for each n, and returns what says whether it is done; nil where
// nothing but the job itself can tell.
type jobCase func(f *fragile, n int) (done func() bool)

// enqueued is a job of a kind with a payload.
func (f *fragile) enqueued(kind string, payload any) {
	f.t.Helper()
	if err := job.Enqueue(f.App, kind, payload); err != nil {
		f.t.Fatal(err)
	}
}

// jobCases has a case for each kind of job that is registered; webhooks are of one kind here.
var jobCases = map[string]jobCase{
	"notified": func(f *fragile, n int) func() bool {
		before := f.notified
		f.Someone(n).Like(f.As("ada").Post("hello"))
		return func() bool { return f.notified == before+1 }
	},
	notification.Ringing.Kind: func(f *fragile, n int) func() bool {
		who := f.Someone(n)
		who.Update("follows", who.Follow("carol"), map[string]any{"notify": true})
		f.As("carol").Post("hello")
		return func() bool { return f.count("notifications", "recipient = ? AND type = 'post'", who.ID) == 1 }
	},
	"account.erase": func(f *fragile, n int) func() bool {
		who, post := f.Someone(1000+n), f.As("ada").Post("hello")
		who.Like(post)
		who.Comment(post, "", "hello")
		who.Delete("users", who.ID)
		return func() bool {
			return f.count("users", "id = ?", who.ID)+f.count("likes", "user = ?", who.ID)+f.count("comments", "author = ?", who.ID)+f.count("settings", "user = ?", who.ID) == 0
		}
	},
	"hashtags.count": func(f *fragile, _ int) func() bool {
		f.As("dave").Post("#counted")
		f.enqueued("hashtags.count", sweep.Subject{"user": f.As("dave").ID, "after": ""})
		return nil
	},
	"hashtags.fold": func(f *fragile, n int) func() bool {
		id := fmt.Sprintf("unfolded%07d", n)
		f.execute("INSERT INTO hashtags (id, name, displayName, created, updated) VALUES (?, ?, '', '', '')", id, fmt.Sprintf("Straße%d", n))
		f.enqueued("hashtags.fold", nil)
		return func() bool { return f.count("hashtags", "id = ? AND displayName != ''", id) == 1 }
	},
	"search.index": func(f *fragile, n int) func() bool {
		f.execute("UPDATE users SET name = ? WHERE id = ?", fmt.Sprintf("Zebra%d", n), f.As("eve").ID)
		f.enqueued("search.index", nil)
		return func() bool {
			return strings.Contains(f.As("bob").Must(200, "GET", fmt.Sprintf("/api/v1/search?q=Zebra%d", n), nil).Raw, f.As("eve").ID)
		}
	},
	"graph.release": func(f *fragile, n int) func() bool {
		follow := f.Someone(n).Follow("dave")
		f.execute("UPDATE follows SET state = 'pending' WHERE id = ?", follow)
		f.enqueued("graph.release", sweep.Subject{"user": f.As("dave").ID})
		return func() bool { return f.count("follows", "id = ? AND state = 'accepted'", follow) == 1 }
	},
	"notification.part": func(f *fragile, n int) func() bool {
		who := f.Someone(n)
		who.Like(f.As("ada").Post("hello"))
		f.enqueued("notification.part", sweep.Subject{"a": f.As("ada").ID, "b": who.ID, "at": "9999"})
		return func() bool {
			return f.count("notification_events", "actor = ? AND recipient = ? AND active = 1", who.ID, f.As("ada").ID) == 0
		}
	},
	"notification.read": func(f *fragile, n int) func() bool {
		f.Someone(n).Like(f.As("ada").Post("hello"))
		f.enqueued("notification.read", sweep.Subject{"user": f.As("ada").ID, "after": "", "below": "~"})
		return func() bool { return f.count("notifications", "recipient = ? AND read = 0", f.As("ada").ID) == 0 }
	},
	"notification.detach": func(f *fragile, n int) func() bool {
		post := f.As("ada").Post("hello")
		f.Someone(n).Like(post)
		f.execute("UPDATE notification_events SET notification = ? WHERE subject = ?", "gone"+post, post)
		f.enqueued("notification.detach", sweep.Subject{"id": "gone" + post, "former": ""})
		return func() bool { return f.count("notification_events", "notification = ?", "gone"+post) == 0 }
	},
	"post.gone": func(f *fragile, n int) func() bool {
		post := f.As("dave").Post("hello")
		f.Someone(n).Like(post)
		f.execute("DELETE FROM posts WHERE id = ?", post)
		f.enqueued("post.gone", sweep.Subject{"id": post, "user": post, "author": f.As("dave").ID, "former": ""})
		return func() bool { return f.count("likes", "post = ?", post)+f.count("notifications", "post = ?", post) == 0 }
	},
	"comment.gone": func(f *fragile, n int) func() bool {
		comment := f.As("dave").Comment(f.As("dave").Post("hello"), "", "hello")
		f.Someone(n).Create("comment_likes", map[string]any{"comment": comment})
		f.execute("DELETE FROM comments WHERE id = ?", comment)
		f.enqueued("comment.gone", sweep.Subject{"id": comment, "user": comment, "author": f.As("dave").ID, "former": ""})
		return func() bool { return f.count("comment_likes", "comment = ?", comment) == 0 }
	},
	sweep.CascadeJob: func(f *fragile, n int) func() bool {
		id := fmt.Sprintf("gone%011d", n)
		if n == 1 {
			addOwnersCollection(f.t, f.Service, "notes", "stories", cascades)
		}
		f.execute("INSERT INTO notes (id, of) VALUES (?, ?)", id, id)
		f.enqueued(sweep.CascadeJob, map[string]string{"collection": "stories", "id": id})
		return func() bool { return f.count("notes", "id = ?", id) == 0 }
	},
	"story.gone": func(f *fragile, n int) func() bool {
		story := f.As("dave").Story()
		f.Someone(n).Create("story_views", map[string]any{"story": story})
		f.execute("DELETE FROM stories WHERE id = ?", story)
		f.enqueued("story.gone", sweep.Subject{"id": story, "user": story, "author": f.As("dave").ID, "former": ""})
		return func() bool { return f.count("story_views", "story = ?", story) == 0 }
	},
	"story.expire": func(f *fragile, _ int) func() bool {
		story := f.As("dave").Story()
		f.execute("UPDATE stories SET expires = '2026-01-01 00:00:00.000Z' WHERE id = ?", story)
		f.enqueued("story.expire", nil)
		return func() bool { return f.count("stories", "id = ?", story) == 0 }
	},
	"hashtag.gone": func(f *fragile, n int) func() bool {
		post := f.As("dave").Post(fmt.Sprintf("#gone%d", n))
		f.execute("UPDATE post_tags SET tag = ? WHERE post = ?", "gone"+post, post)
		f.enqueued("hashtag.gone", sweep.Subject{"id": "gone" + post})
		return func() bool { return f.count("post_tags", "post = ?", post) == 0 }
	},
	"report.settle": func(f *fragile, n int) func() bool {
		post := f.As("dave").Post("hello")
		report := func(c string) string {
			return f.As(c).Create("reports", map[string]any{"post": post, "reason": "spam"}).ID()
		}
		first, second := report("ada"), report("bob")
		f.enqueued("report.settle", sweep.Subject{"report": first, "state": "upheld", "note": "", "by": "", "at": "9999"})
		return func() bool { return f.count("reports", "id = ? AND state = 'upheld'", second) == 1 }
	},
	"session.end": func(f *fragile, n int) func() bool {
		id := fmt.Sprintf("ended%010d", n)
		f.execute("INSERT INTO devices (id, user, kind, endpoint, created, updated) VALUES (?, ?, 'apns', ?, '2020-01-01 00:00:00.000Z', '')", id, f.As("eve").ID, fmt.Sprintf("%064x", n))
		f.enqueued("session.end", sweep.Subject{"before": "2021-01-01 00:00:00.000Z"})
		return func() bool { return f.count("devices", "id = ?", id) == 0 }
	},
	"webhook.gone": func(f *fragile, n int) func() bool {
		id := fmt.Sprintf("gone%011d", n)
		f.execute("INSERT INTO webhook_deliveries (id, webhook, event, type, body, state, created, updated) VALUES (?, ?, ?, 'like.created', '{}', 'dead', '', '')", id, id, id)
		f.enqueued("webhook.gone", sweep.Subject{"id": id})
		return func() bool { return f.count("webhook_deliveries", "webhook = ?", id) == 0 }
	},
	"webhook.resume": func(f *fragile, _ int) func() bool {
		f.enqueued("webhook.resume", sweep.Subject{"id": "somebodys", "at": "2026"})
		return nil
	},
	webhook.KindPrefix: func(f *fragile, n int) func() bool {
		before := len(f.receiver.ReceivedEvents())
		f.Someone(n).Like(f.As("dave").Post("hello"))
		f.execute("DELETE FROM jobs WHERE kind = ? AND payload NOT LIKE '%%like.created%%'", webhook.KindPrefix+f.id)
		return func() bool { return len(f.receiver.ReceivedEvents()) > before }
	},
	"reconcile": func(f *fragile, _ int) func() bool {
		post := f.As("dave").Post("hello")
		f.execute("UPDATE posts SET likesCount = 7 WHERE id = ?", post)
		f.enqueued("reconcile", nil)
		return func() bool { return f.count("posts", "id = ? AND likesCount = 0", post) == 1 }
	},
	"photo.collect": func(f *fragile, _ int) func() bool {
		f.enqueued("photo.collect", nil)
		return nil
	},
	"photo.render": func(f *fragile, _ int) func() bool {
		post := f.As("dave").Post("hello")
		return func() bool { return f.count("posts", "id = ? AND media LIKE '%%hash%%'", post) == 1 }
	},
	"photo.purge": func(f *fragile, _ int) func() bool {
		before := f.purged
		f.enqueued("photo.purge", map[string]string{"Author": f.As("dave").ID})
		return func() bool { return f.purged > before }
	},
	"retention": func(f *fragile, n int) func() bool {
		id := fmt.Sprintf("old%012d", n)
		f.execute("INSERT INTO retractions (id, recipient, notification, seq, created, updated) VALUES (?, ?, ?, ?, '2026-01-01 00:00:00.000Z', '')", id, f.As("dave").ID, id, fmt.Sprint(1_000_000+n))
		f.enqueued("retention", nil)
		return func() bool { return f.count("retractions", "id = ?", id) == 0 }
	},
	"notification.purge": func(f *fragile, _ int) func() bool { f.enqueued("notification.purge", nil); return nil },
	"webhook.purge":      func(f *fragile, _ int) func() bool { f.enqueued("webhook.purge", nil); return nil },
	"push.webpush":       pushedTo("push.webpush"),
	"push.apns":          pushedTo("push.apns"),
	"push.fcm":           pushedTo("push.fcm"),
	"mail.notification": func(f *fragile, n int) func() bool {
		before := len(f.mailServer.ReceivedMails())
		f.newcomer().Like(f.As("ada").Post("hello"))
		f.Advance(10 * time.Minute)
		return func() bool { return len(f.mailServer.ReceivedMails()) == before+1 }
	},
	"mail.digest": func(f *fragile, n int) func() bool {
		before := len(f.mailServer.ReceivedMails())
		f.newcomer().Like(f.As("bob").Post("hello"))
		f.Advance(2 * time.Hour)
		return func() bool { return len(f.mailServer.ReceivedMails()) == before+1 }
	},
	deliver.EmailJob: func(f *fragile, n int) func() bool {
		before := len(f.mailServer.ReceivedMails())
		f.enqueued(deliver.EmailJob, mail.Email{To: "carol@example.com", Subject: fmt.Sprint(n), Sections: []mail.Section{{Items: []mail.Item{{Text: "hello"}}}}})
		return func() bool { return len(f.mailServer.ReceivedMails()) == before+1 }
	},
	deliver.AccountEmailJob: func(f *fragile, n int) func() bool {
		before := len(f.mailServer.ReceivedMails())
		// the mail itself, as the route sends it in a goroutine after its answer
		if err := mails.SendRecordPasswordReset(f.App, f.User(f.Someone(n).Name)); err != nil {
			f.t.Fatal(err)
		}
		return func() bool { return len(f.mailServer.ReceivedMails()) == before+1 }
	},
}

// pushedTo leaves a push to one of ada's devices.
func pushedTo(kind string) jobCase {
	return func(f *fragile, n int) func() bool {
		f.newcomer().Like(f.As("ada").Post("hello"))
		if kind != "push.webpush" {
			return nil
		}
		before := len(f.pushTexts("ada"))
		return func() bool { return len(f.pushTexts("ada")) == before+1 }
	}
}

// bestEffort are statements whose failure a job tells in the log and no more, on purpose, by their beginnings: what notes that
// something was sent, or it would be sent once more.
var bestEffort = []string{"INSERT INTO webhook_deliveries", "UPDATE webhooks SET failingSince", "UPDATE settings SET digestedAt", "UPDATE notifications SET mailedAt"}

func TestAJobLosesNothingByAStatementThatFails(t *testing.T) {
	testenv.SkipSequential(t)
	f := newFragile(t)
	f.RunJobs()
	kinds := map[string]string{} // as they are called in jobs, by their case
	for _, kind := range f.Social.JobKinds() {
		name := kind
		if strings.HasPrefix(kind, webhook.KindPrefix) {
			name = webhook.KindPrefix
		}
		kinds[name] = kind
	}
	for name := range jobCases {
		if kinds[name] == "" {
			t.Errorf("there is a case for %s, and no handler", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) { // each sees what those before it have left
		kind := kinds[name]
		t.Run(name, func(t *testing.T) {
			begin := jobCases[name]
			if begin == nil {
				t.Fatal("jobs of this kind have no case here: add one to jobCases")
			}
			f.t = t
			for n := 1; f.breakJob(t, kind, begin, n); n = next(n) {
			}
		})
	}
}

// breakJob runs a job of the kind whose n-th statement fails, and once more, and reports whether there was an n-th.
func (f *fragile) breakJob(t *testing.T, kind string, begin jobCase, n int) bool {
	t.Helper()
	done := begin(f, n)
	f.execute("DELETE FROM jobs WHERE kind != ?", kind)
	if f.count("jobs", "kind = ?", kind) == 0 {
		t.Fatalf("n = %d: the case leaves no job", n)
	}
	run := func() {
		if _, err := f.Social.DrainJobs(context.Background()); err != nil {
			t.Fatal("run jobs:", err)
		}
	}
	b := breakStatement(f.App, ofAJob, n)
	run()
	query := b.heal(f.App)
	bestEffort := slices.ContainsFunc(bestEffort, func(begins string) bool { return strings.HasPrefix(query, begins) })
	switch {
	case f.Rows("jobs", "state = 'dead'") > 0:
		t.Errorf("the job is dead, statement %d failed: %s", n, query)
	case query != "" && !bestEffort && f.count("jobs", "state = 'ready' AND (kind = ? OR error != '')", kind) == 0:
		t.Errorf("the job is over, although statement %d failed: %s", n, query)
	}
	f.Advance(2 * time.Second) // the wait after a first failure
	run()
	if f.Rows("jobs", "error != ''") > 0 {
		t.Errorf("the job did not succeed the second time, statement %d failed the first: %s", n, query)
	}
	if done != nil && !done() {
		t.Errorf("the work is not done, statement %d failed the first time: %s", n, query)
	}
	f.execute("DELETE FROM jobs")
	f.execute("UPDATE notifications SET read = 1") // or a digest tells more each time
	return query != ""
}

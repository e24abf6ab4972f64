package hooks_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// webhookService is a service with a receiver of its webhooks.
type webhookService struct {
	*awayService
	receiver *delivertest.Receiver
	id       string
}

func newWebhookService(t *testing.T, webhook map[string]any, owners ...func(core.App, *hooks.Social)) *webhookService {
	t.Helper()
	l := &webhookService{awayService: newAwayService(t, owners...), receiver: delivertest.NewReceiver(t)}
	body := map[string]any{"url": l.receiver.URL}
	for k, v := range webhook {
		body[k] = v
	}
	l.id = l.Admin().Create("webhooks", body).ID()
	l.receiver.SetSecrets(l.Record("webhooks", l.id).GetString("secret"))
	return l
}

// eventTypes returns the types of the events that came, in no order, since they are sent two at a time.
func (l *webhookService) eventTypes() []string {
	l.t.Helper()
	l.RunJobs()
	var types []string
	for _, e := range l.receiver.ReceivedEvents() {
		types = append(types, e.Type)
	}
	slices.Sort(types)
	return types
}

func (l *webhookService) expectEvents(want ...string) {
	l.t.Helper()
	slices.Sort(want)
	if got := l.eventTypes(); !slices.Equal(got, want) {
		l.t.Fatalf("told %q, want %q", got, want)
	}
}

// lastEvent returns the newest event of a type.
func (l *webhookService) lastEvent(kind string) delivertest.ReceivedEvent {
	l.t.Helper()
	var last delivertest.ReceivedEvent
	for _, e := range l.receiver.ReceivedEvents() {
		if e.Type == kind {
			last = e
		}
	}
	return last
}

func TestOtherServicesHearWhatHappens(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	l := newWebhookService(t, nil)
	ada, bob := l.As("ada"), l.As("bob")
	post := ada.Post("hello")
	want := []string{"post.created"}
	also := func(kind string, data map[string]any) {
		t.Helper()
		want = append(want, kind)
		l.expectEvents(want...)
		for field, value := range data {
			if got := l.lastEvent(kind).Data[field]; got != value {
				t.Errorf("%s: %s is %v, want %v", kind, field, got, value)
			}
		}
	}
	like := bob.Like(post)
	also("like.created", map[string]any{"id": like, "post": post, "user": bob.ID})
	bob.Like(post)
	l.expectEvents(want...) // they were sent already
	bob.Delete("likes", like)
	also("like.deleted", map[string]any{"id": like, "post": post, "user": bob.ID})
	comment := bob.Comment(post, "", "nice")
	also("comment.created", map[string]any{"id": comment, "text": "nice", "author": bob.ID})
	bob.Update("comments", comment, map[string]any{"text": "nicer"})
	also("comment.updated", map[string]any{"text": "nicer"})
	liked := ada.Create("comment_likes", map[string]any{"comment": comment}).ID()
	also("comment_like.created", map[string]any{"comment": comment, "user": ada.ID})
	ada.Delete("comment_likes", liked)
	also("comment_like.deleted", nil)
	answer := ada.Comment(post, comment, "thanks")
	also("comment.created", map[string]any{"id": answer, "parent": comment})
	bob.Delete("comments", comment) // it has replies: a tombstone stays
	also("comment.deleted", map[string]any{"id": comment, "text": "nicer", "author": bob.ID})
	ada.Update("posts", post, map[string]any{"caption": "hello again"})
	also("post.updated", map[string]any{"caption": "hello again"})
	follow := bob.Follow("ada")
	also("follow.created", map[string]any{"follower": bob.ID, "followee": ada.ID, "state": "accepted"})
	bob.Delete("follows", follow)
	also("follow.deleted", map[string]any{"id": follow})
	ada.Update("users", ada.ID, map[string]any{"private": true})
	also("user.updated", map[string]any{"id": ada.ID, "private": true})
	ada.Update("users", ada.ID, map[string]any{"emailVisibility": false})
	l.expectEvents(want...)
	follow = bob.Follow("ada")
	also("follow.created", map[string]any{"state": "pending"})
	ada.Update("follows", follow, map[string]any{"state": "accepted"})
	also("follow.accepted", map[string]any{"id": follow, "state": "accepted"})
	save := bob.Create("saves", map[string]any{"post": post}).ID()
	also("save.created", map[string]any{"post": post, "user": bob.ID})
	bob.Delete("saves", save)
	also("save.deleted", map[string]any{"id": save})
	story := ada.Story()
	also("story.created", map[string]any{"id": story, "author": ada.ID})
	bob.Create("story_views", map[string]any{"story": story})
	also("story_view.created", map[string]any{"story": story, "viewer": bob.ID})
	ada.Delete("stories", story)
	also("story.deleted", map[string]any{"id": story})
	mute := bob.Create("mutes", map[string]any{"post": post}).ID()
	also("mute.created", map[string]any{"muter": bob.ID, "post": post})
	bob.Delete("mutes", mute)
	also("mute.deleted", map[string]any{"id": mute})
	report := bob.Create("reports", map[string]any{"post": post, "reason": "spam"}).ID()
	also("report.created", map[string]any{"reporter": bob.ID, "post": post})
	l.Admin().Update("reports", report, map[string]any{"state": "dismissed"})
	also("report.resolved", map[string]any{"id": report, "state": "dismissed"})
	ada.Delete("posts", post)
	also("post.deleted", map[string]any{"id": post})
	l.Guest().Create("users", map[string]any{"email": "zoe@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password, "handle": "zoe"})
	also("user.created", map[string]any{"handle": "zoe"})
	zoe := l.As("zoe")
	zoe.Delete("users", zoe.ID)
	also("user.deleted", map[string]any{"id": zoe.ID, "handle": nil})
	for _, e := range l.receiver.ReceivedEvents() {
		if strings.Contains(e.Raw, "tokenKey") || strings.Contains(e.Raw, "password") || strings.Contains(e.Raw, "zoe@example.com") {
			t.Errorf("%s tells too much: %s", e.Type, e.Raw)
		}
	}
}

// What happens to many rows at once is sent as one event for each.
func TestOtherServicesHearOfFollowsThatOthersDecide(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	l := newWebhookService(t, map[string]any{"events": []string{"follow.accepted", "follow.deleted", "block.created", "block.deleted"}})
	ada := l.As("ada")
	ada.Update("users", ada.ID, map[string]any{"private": true})
	ids := map[any]bool{}
	for _, name := range []string{"bob", "carol", "dave"} {
		ids[l.As(name).Follow("ada")] = true
	}
	ada.Follow("bob")
	l.expectEvents()
	ada.Update("users", ada.ID, map[string]any{"private": false})
	l.expectEvents("follow.accepted", "follow.accepted", "follow.accepted")
	for _, e := range l.receiver.ReceivedEvents() {
		if !ids[e.Data["id"]] || e.Data["state"] != "accepted" || e.Data["followee"] != ada.ID {
			t.Errorf("told %s", e.Raw)
		}
		delete(ids, e.Data["id"])
	}
	block := ada.Block("bob")
	l.expectEvents("follow.accepted", "follow.accepted", "follow.accepted", "follow.deleted", "follow.deleted", "block.created")
	ada.Delete("blocks", block)
	l.expectEvents("follow.accepted", "follow.accepted", "follow.accepted", "follow.deleted", "follow.deleted", "block.created", "block.deleted")
	if e := l.lastEvent("block.created"); e.Data["blocker"] != ada.ID || e.Data["blocked"] != l.As("bob").ID {
		t.Errorf("told %s", e.Raw)
	}
}

// TestEveryEventIsToldOf keeps the list of types and the stories above together.
func TestEveryEventIsToldOf(t *testing.T) {
	t.Parallel()
	stories, err := os.ReadFile("webhook_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range collection.All {
		for _, verb := range d.Events.Verbs() {
			isOfEdge := len(d.Ends) > 0 && (verb == "created" || verb == "deleted") // see TestEveryEdgeIsAnEvent
			if kind := d.Events.Type(verb); !isOfEdge && !strings.Contains(string(stories), `"`+kind+`"`) {
				t.Errorf("%s is not in the stories", kind)
			}
		}
	}
}

func TestWhatIsRefusedIsNoEvent(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	l := newWebhookService(t, nil, func(_ core.App, social *hooks.Social) {
		social.OnLike().BindFunc(func(e *hooks.LikeEvent) error {
			if err := e.Next(); err != nil {
				return err
			}
			return fmt.Errorf("too late to like")
		})
	})
	post := l.As("ada").Post("hello")
	l.As("bob").Do("POST", "/api/collections/likes/records", map[string]any{"post": post})
	l.As("bob").Do("POST", "/api/collections/likes/records", map[string]any{"post": "nothing"})
	l.As("bob").Do("DELETE", "/api/collections/posts/records/"+post, nil)
	l.expectEvents("post.created")
}

func TestAWebhookIsForSuperusersAndWellFormed(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	admin := a.Admin()
	for _, who := range []*hookstest.Client{a.Guest(), a.As("ada")} {
		for _, c := range []string{"webhooks", "webhook_deliveries", "secrets"} {
			who.Must(403, "GET", "/api/collections/"+c+"/records", nil)
			who.Must(403, "POST", "/api/collections/"+c+"/records", map[string]any{"url": "https://example.com"})
		}
	}
	for field, bad := range map[string][]any{
		"url":    {"", "ftp://example.com", "https://user:word@example.com", "javascript:alert(1)", "example.com"},
		"events": {[]string{"like.create"}, "like.created", []int{1}, map[string]any{}},
		"secret": {"short", "whsec_", "whsec_AAAA"},
	} {
		for _, value := range bad {
			body := map[string]any{"url": "https://example.com/hook"}
			body[field] = value
			got := admin.Must(400, "POST", "/api/collections/webhooks/records", body)
			if data, _ := got.Body["data"].(map[string]any); data[field] == nil {
				t.Errorf("%s %v: got %s", field, value, got.Raw)
			}
		}
	}
	created := admin.Create("webhooks", map[string]any{"url": "https://example.com/hook", "events": []string{"like.created"}})
	if secret, _ := created.Body["secret"].(string); !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("the secret is not shown: %s", created.Raw)
	}
	kept := a.Record("webhooks", created.ID()).GetString("secret")
	admin.Update("webhooks", created.ID(), map[string]any{"events": []string{}})
	if a.Record("webhooks", created.ID()).GetString("secret") != kept {
		t.Error("an update changed the secret")
	}
}

func TestAWebhookIsChangedAndDeleted(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	l := newWebhookService(t, map[string]any{"events": []string{"like.created"}})
	post := l.As("ada").Post("hello")
	l.As("bob").Like(post)
	l.expectEvents("like.created")
	l.Admin().Update("webhooks", l.id, map[string]any{"events": []string{"comment.created"}})
	l.As("carol").Like(post)
	l.As("carol").Comment(post, "", "hi")
	l.expectEvents("like.created", "comment.created")
	l.Admin().Update("webhooks", l.id, map[string]any{"disabled": true})
	l.As("dave").Comment(post, "", "hi")
	l.expectEvents("like.created", "comment.created")
	l.Admin().Update("webhooks", l.id, map[string]any{"disabled": false})
	l.receiver.SetStatus(http.StatusInternalServerError)
	l.As("eve").Comment(post, "", "hi")
	l.RunJobs()
	l.Admin().Delete("webhooks", l.id)
	l.receiver.SetAnswer(nil)
	l.Advance(time.Hour)
	l.expectEvents("like.created", "comment.created")
	if jobs, log := l.Rows("jobs", "kind LIKE 'webhook:%'"), l.Rows("webhook_deliveries", "1"); jobs != 0 || log != 0 {
		t.Errorf("%d jobs and %d deliveries are left", jobs, log)
	}
}

func TestTheOwnerOfAFailingWebhookIsWritten(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	l := newWebhookService(t, map[string]any{"contact": "owner@example.org"})
	l.receiver.SetStatus(http.StatusInternalServerError)
	for range 7 {
		l.As("ada").Post("hello")
		l.RunJobs()
		l.Advance(23 * time.Hour)
	}
	l.RunJobs()
	l.expectMails("owner@example.org: A webhook was disabled")
	mail := l.mailServer.ReceivedMails()[0]
	if !strings.Contains(mail.Text, l.receiver.URL) || strings.Contains(mail.Text, "whsec_") || mail.Header.Get("List-Unsubscribe") != "" {
		t.Errorf("mail: %s", mail.Text)
	}
	l.receiver.SetAnswer(nil)
	l.Admin().Update("webhooks", l.id, map[string]any{"disabled": false})
	if since := l.Record("webhooks", l.id).GetString("failingSince"); since != "" { // else its next failure would disable it at once
		t.Errorf("it is failing since %s although it was enabled just now", since)
	}
	if n := len(l.eventTypes()); n < 3 {
		t.Errorf("%d events came after it was enabled, want those of three days", n)
	}
	if webhook := l.Record("webhooks", l.id); webhook.GetString("reason") != "" || webhook.GetString("failingSince") != "" {
		t.Errorf("got %v", webhook.FieldsData())
	}
}

func TestOwnersAlterAndDropEvents(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	l := newWebhookService(t, nil, func(_ core.App, social *hooks.Social) {
		social.OnWebhook("like.created").BindFunc(func(e *hooks.WebhookEvent) error {
			e.Body = strings.Replace(e.Body, `"type":`, `"app":"photos","type":`, 1)
			return e.Next()
		})
		social.OnWebhook("post.created").BindFunc(func(*hooks.WebhookEvent) error { return nil })
	})
	post := l.As("ada").Post("hello")
	l.As("bob").Like(post)
	l.expectEvents("like.created")
	if raw := l.receiver.ReceivedEvents()[0].Raw; !strings.HasPrefix(raw, `{"app":"photos","type":"like.created"`) {
		t.Errorf("body %s", raw)
	}
}

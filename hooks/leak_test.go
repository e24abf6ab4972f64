package hooks_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// leakWorld is a service in which ada has three posts: one for everybody, one for her followers, of whom bob is one,
// and one for herself. She has a story for her followers and one whose day is over, both seen by bob. dave is
// blocked; carol has no tie with her.
type leakWorld struct {
	service                                *hookstest.Service
	ada, bob, carol, dave                  *hookstest.Client
	publicPost, followersPost, privatePost string   // ids of posts
	dayStory, pastStory                    string   // ids of stories
	postsID                                string   // the id of the collection posts
	secrets                                []string // ids and words of what the watchers may not see; no answer to them may have one
}

func newLeakWorld(t *testing.T) *leakWorld {
	s := hookstest.New(t)
	st := &leakWorld{service: s, ada: s.As("ada"), bob: s.As("bob"), carol: s.As("carol"), dave: s.As("dave")}
	collection, err := s.App.FindCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	st.postsID = collection.Id
	st.bob.Follow("ada")
	st.publicPost = st.ada.Post("hello #sunset")
	st.ada.Like(st.publicPost)
	st.ada.Comment(st.publicPost, "", "welcome")
	st.followersPost = st.ada.Post("secret swim #sunset #splash", "visibility", "followers", "place", "secret lake")
	st.privatePost = st.ada.Post("secret picnic #hush", "visibility", "private", "place", "secret garden")
	for _, post := range []string{st.followersPost, st.privatePost} {
		st.ada.Like(post)
		st.ada.Create("saves", jsonObject{"post": post})
		comment := st.ada.Comment(post, "", "secret word")
		st.ada.Create("comment_likes", jsonObject{"comment": comment})
	}
	st.bob.Like(st.followersPost)
	st.bob.Comment(st.followersPost, "", "secret answer")
	st.bob.Create("saves", jsonObject{"post": st.followersPost})
	st.dayStory, st.pastStory = st.ada.Story("visibility", "followers"), st.ada.Story()
	for _, id := range []string{st.dayStory, st.pastStory} {
		st.secrets = append(st.secrets, id, s.Record("stories", id).GetString("photo"), st.bob.Create("story_views", jsonObject{"story": id}).ID())
	}
	backdateStory(s, st.pastStory)
	st.ada.Block("dave")
	s.RunJobs()

	st.secrets = append(st.secrets, "secret", "hush", "splash", st.followersPost, st.privatePost)
	for collection, field := range map[string]string{
		"posts": "id", "likes": "post", "comments": "post", "saves": "post", "post_tags": "post", "feed": "post",
		"notifications": "post", "comment_likes": "comment.post",
	} {
		rows, err := s.App.FindRecordsByFilter(collection, field+" = {:a} || "+field+" = {:b}", "", 0, 0, dbx.Params{"a": st.followersPost, "b": st.privatePost})
		if err != nil || len(rows) == 0 {
			t.Fatalf("find the secret rows of %s: %v, %v", collection, rows, err)
		}
		for _, row := range rows {
			st.secrets = append(st.secrets, row.Id)
			if collection == "posts" {
				st.secrets = append(st.secrets, row.GetStringSlice("photos")...)
			}
		}
	}
	return st
}

// watchers returns those who may see nothing of the two posts that are not public.
func (st *leakWorld) watchers() map[string]*hookstest.Client {
	return map[string]*hookstest.Client{"a guest": st.service.Guest(), "a stranger": st.carol, "somebody blocked": st.dave}
}

// expectNoSecret fails if text contains a secret.
func (st *leakWorld) expectNoSecret(t *testing.T, who, what, text string) {
	t.Helper()
	for _, secret := range st.secrets {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("%s learns %q from %s: …%.200s", who, secret, what, text[max(0, at-100):])
			return
		}
	}
}

// fillIDs replaces the names of the world's rows and people in a query by their ids.
func (st *leakWorld) fillIDs(query string) string {
	return strings.NewReplacer("POSTS", st.postsID, "PUBLIC", st.publicPost, "FOLLOWERS", st.followersPost, "PRIVATE", st.privatePost, "DAY", st.dayStory, "OVER", st.pastStory, "ADA", st.ada.ID,
		"BOB", st.bob.ID, "CAROL", st.carol.ID, "DAVE", st.dave.ID).Replace(query)
}

func recordsPath(collection, parameter, value string) string {
	return "/api/collections/" + collection + "/records?perPage=500&" + parameter + "=" + escapeQuery(value)
}

func TestLeakNoAnswerTellsOfAPostThatOneMayNotSee(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	for _, c := range []struct{ collection, parameter, value string }{
		{"posts", "filter", "caption ~ 'secret'"},
		{"posts", "filter", "id = 'PRIVATE' || id = 'FOLLOWERS'"},
		{"posts", "filter", "visibility != 'public'"},
		{"posts", "filter", "likes_via_post.user ?= 'ADA'"},
		{"posts", "filter", "comments_via_post.text ?~ 'secret'"},
		{"posts", "filter", "author = 'ADA'"},
		{"posts", "expand", "likes_via_post,comments_via_post.author,saves_via_post,post_tags_via_post,feed_via_post,notifications_via_post"},
		{"posts", "expand", "author.posts_via_author.likes_via_post.post"},
		{"posts", "sort", "author.posts_via_author.caption"},
		{"users", "expand", "posts_via_author"},
		{"users", "expand", "posts(author).likes(post)"},
		{"users", "expand", "POSTS_via_author"},
		{"users", "expand", " posts_via_author , posts( author )"},
		{"users", "expand", "follows_via_follower.follower. posts_ via _author ."},
		{"users", "expand", "posts_via_author.likes_via_post,posts_via_author.comments_via_post"},
		{"users", "expand", "likes_via_user.post,comments_via_author.post,saves_via_user.post,feed_via_author.post,feed_via_viewer.post"},
		{"users", "expand", "notifications_via_recipient.post,notifications_via_actors.post,notification_events_via_actor"},
		{"users", "filter", "posts_via_author.caption ?~ 'secret'"},
		{"users", "filter", "posts_via_author.likes_via_post.user ?= 'ADA'"},
		{"users", "sort", "posts_via_author.caption"},
		{"likes", "expand", "post,user.posts_via_author"},
		{"likes", "filter", "post.caption ~ 'secret'"},
		{"likes", "filter", "post = 'PRIVATE' || post = 'FOLLOWERS'"},
		{"likes", "sort", "-post.caption"},
		{"comments", "expand", "post.author,author.posts_via_author,comment_likes_via_comment"},
		{"comments", "filter", "post.caption ~ 'secret' || text ~ 'secret'"},
		{"comments", "sort", "post.place,text"},
		{"comment_likes", "expand", "comment.post,comment.author.comments_via_author"},
		{"comment_likes", "filter", "comment.text ~ 'secret' || comment.post.caption ~ 'secret'"},
		{"comment_likes", "sort", "comment.text"},
		{"saves", "expand", "post"},
		{"saves", "filter", "post.caption ~ 'secret'"},
		{"post_tags", "expand", "post,tag.post_tags_via_tag.post"},
		{"post_tags", "filter", "post.caption ~ 'secret'"},
		{"post_tags", "filter", "tag.name = 'hush'"},
		{"hashtags", "expand", "post_tags_via_tag.post"},
		{"hashtags", "filter", "post_tags_via_tag.post.caption ?~ 'secret'"},
		{"hashtags", "sort", "post_tags_via_tag.post.caption"},
		{"feed", "expand", "post,author.posts_via_author"},
		{"feed", "filter", "post.caption ~ 'secret'"},
		{"feed", "sort", "-at,-post"},
		{"notifications", "expand", "post,comment,actors.posts_via_author"},
		{"notifications", "filter", "post.caption ~ 'secret'"},
		{"notifications", "filter", "recipient = 'ADA'"},
		{"follows", "expand", "follower.posts_via_author,followee.posts_via_author"},
		{"follows", "filter", "followee.posts_via_author.caption ?~ 'secret'"},
		{"mutes", "expand", "post"},
		{"reports", "expand", "post,comment"},
		{"settings", "expand", "user.posts_via_author"},
		{"retractions", "expand", "recipient.posts_via_author"},
		{"blocks", "expand", "blocked.posts_via_author"},
		{"devices", "expand", "user.posts_via_author"},
		{"stories", "filter", "author = 'ADA'"},
		{"stories", "filter", "id = 'DAY' || id = 'OVER'"},
		{"stories", "filter", "visibility = 'followers' || expires < @now"},
		{"stories", "filter", "story_views_via_story.viewer ?= 'BOB'"},
		{"stories", "expand", "story_views_via_story.viewer,author.stories_via_author"},
		{"stories", "sort", "-expires,author.stories_via_author.photo"},
		{"story_views", "expand", "story.author,viewer"},
		{"story_views", "filter", "story = 'DAY' || story = 'OVER'"},
		{"story_views", "filter", "viewer = 'BOB' || story.author = 'ADA'"},
		{"story_views", "sort", "story.expires"},
		{"users", "expand", "stories_via_author.story_views_via_story,story_views_via_viewer.story"},
		{"users", "expand", "stories(author).story_views(story)"},
		{"users", "filter", "stories_via_author.visibility ?= 'followers'"},
		{"users", "filter", "story_views_via_viewer.story ?= 'DAY'"},
		{"posts", "expand", "author.stories_via_author.story_views_via_story"},
	} {
		for who, watcher := range st.watchers() {
			answer := watcher.Do("GET", recordsPath(c.collection, c.parameter, st.fillIDs(c.value)), nil)
			if answer.Status >= 500 {
				t.Errorf("%s: %s?%s=%s: status %d", who, c.collection, c.parameter, c.value, answer.Status)
			}
			st.expectNoSecret(t, who, fmt.Sprintf("%s?%s=%s", c.collection, c.parameter, c.value), answer.Raw)
		}
	}
	for who, watcher := range st.watchers() {
		for _, secret := range st.secrets {
			for _, collection := range []string{"posts", "likes", "comments", "comment_likes", "saves", "post_tags", "feed", "notifications", "stories", "story_views"} {
				path := "/api/collections/" + collection + "/records/" + escapeQuery(secret)
				if answer := watcher.Do("GET", path+"?expand=post,comment,story", nil); answer.Status != 404 {
					t.Errorf("%s: GET %s: status %d, want 404", who, path, answer.Status)
				}
			}
		}
	}
	if items := st.ada.List("posts", "filter="+escapeQuery("caption ~ 'secret'")); len(items) != 2 {
		t.Errorf("ada finds %d of her secret posts, want 2", len(items))
	}
}

// guess is a pair of requests of which one guesses right and one wrong: whoever gets two different answers has
// learned something.
type guess struct{ collection, filter, right, wrong string }

func (g guess) compareAnswers(t *testing.T, st *leakWorld, who string, watcher *hookstest.Client) {
	t.Helper()
	ask := func(guess string) string {
		answer := watcher.Do("GET", recordsPath(g.collection, "filter", st.fillIDs(fmt.Sprintf(g.filter, guess))), nil)
		if answer.Status >= 500 {
			t.Errorf("%s: %s?filter=%s: status %d", who, g.collection, g.filter, answer.Status)
		}
		return answer.Raw
	}
	if right, wrong := ask(g.right), ask(g.wrong); right != wrong {
		t.Errorf("%s can tell %s from %s by %s?filter=%s\n%.200s\n%.200s", who, g.right, g.wrong, g.collection, g.filter, right, wrong)
	}
}

func TestLeakNobodyGuessesWhatAPostSaysThatOneMayNotSee(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	for _, g := range []guess{
		{"users", "id = 'ADA' && posts_via_author.caption ?~ '%s'", "secret picnic", "secret horse"},
		{"users", "id = 'ADA' && posts_via_author.caption ?!~ '%s'", "secret picnic", "secret horse"},
		{"users", "id = 'ADA' && posts_via_author.caption ~ '%s'", "secret picnic", "secret horse"},
		{"users", "id = 'ADA' && posts_via_author.caption !~ '%s'", "secret picnic", "secret horse"},
		{"users", "id = 'ADA' && posts_via_author.caption:lower !~ '%s'", "secret picnic", "secret horse"},
		{"users", "id = 'ADA' && posts_via_author.caption > '%s'", "secret", "a"},
		{"users", "id = 'ADA' && posts_via_author.place !~ '%s'", "garden", "horse"},
		{"users", "id = 'ADA' && posts_via_author.visibility != '%s'", "private", "nonsense"},
		{"users", "id = 'ADA' && posts_via_author.photos:length > %s", "0", "0.5"},
		{"users", "id = 'ADA' && posts_via_author.comments_via_post.text !~ '%s'", "secret", "horse"},
		{"users", "id = 'ADA' && posts_via_author.likes_via_post.user != '%s'", "BOB", "CAROL"},
		{"users", "id = 'ADA' && comments_via_author.text !~ '%s'", "secret", "horse"},
		{"users", "id = 'ADA' && likes_via_user.post != '%s'", "PRIVATE", "nosuchpost00000"},
		{"posts", "id = 'PUBLIC' && author.posts_via_author.caption !~ '%s'", "secret picnic", "secret horse"},
		{"posts", "id = 'PUBLIC' && author.POSTS_via_author.caption !~ '%s'", "secret picnic", "secret horse"},
		{"likes", "user.posts_via_author.caption !~ '%s'", "secret picnic", "secret horse"},
		{"comments", "post.author.posts_via_author.caption !~ '%s'", "secret picnic", "secret horse"},
		{"hashtags", "name = 'sunset' && post_tags_via_tag.post.caption !~ '%s'", "secret", "horse"},
		{"hashtags", "name = 'sunset' && post_tags_via_tag.post != '%s'", "FOLLOWERS", "nosuchpost00000"},
		{"follows", "followee.posts_via_author.caption !~ '%s'", "secret picnic", "secret horse"},
		{"hashtags", "name = '%s'", "hush", "nosuchtag"},
		{"hashtags", "name ~ '%s'", "splash", "nosuchtag"},
		{"post_tags", "tag.name = '%s'", "splash", "nosuchtag"},
		{"posts", "id = '%s'", "PRIVATE", "nosuchpost00000"},
		{"likes", "post = '%s'", "PRIVATE", "nosuchpost00000"},
		{"likes", "post.id = '%s' || post.id != ''", "PRIVATE", "nosuchpost00000"},
		{"stories", "id = '%s'", "DAY", "nosuchstory0000"},
		{"stories", "id = '%s'", "OVER", "nosuchstory0000"},
		{"stories", "author = '%s'", "ADA", "BOB"},
		{"story_views", "viewer = '%s'", "BOB", "CAROL"},
		{"story_views", "story.visibility != '%s'", "followers", "public"},
		{"users", "id = 'ADA' && stories_via_author.visibility != '%s'", "followers", "nonsense"},
		{"users", "id = 'BOB' && story_views_via_viewer.story != '%s'", "DAY", "nosuchstory0000"},
	} {
		for who, watcher := range st.watchers() {
			g.compareAnswers(t, st, who, watcher)
		}
	}
}

// What is between two other people, or what somebody keeps private, is hidden from everybody, even from those who
// saved, muted, blocked and reported the same.
func TestLeakNobodyFindsOutWhoBlocksMutesSavesOrReports(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	eve, mallory := st.service.As("eve"), st.service.As("mallory")
	for _, c := range []*hookstest.Client{st.bob, st.carol} {
		c.Create("saves", jsonObject{"post": st.publicPost})
		c.Create("mutes", jsonObject{"muted": eve.ID, "keepNotifications": c == st.bob})
		c.Create("reports", jsonObject{"post": st.publicPost, "reason": "reason of " + c.Name})
		c.Comment(st.publicPost, st.bob.Comment(st.publicPost, "", "hello"), "hello to you") // bob is notified of carol
		c.Block("mallory")
	}
	st.carol.Create("devices", jsonObject{"kind": "fcm", "endpoint": "carols-phone-is-an-android"})

	for _, c := range []struct {
		what, asker string
		guess
	}{
		{"who saved a post", "carol", guess{"posts", "id = 'PUBLIC' && saves_via_post.user != '%s'", "BOB", "DAVE"}},
		{"who muted somebody", "carol", guess{"users", "id = '" + eve.ID + "' && mutes_via_muted.muter != '%s'", "BOB", "DAVE"}},
		{"how somebody is muted", "carol", guess{"users", "id = '" + eve.ID + "' && mutes_via_muted.keepNotifications != %s", "true", "3"}},
		{"who blocked somebody", "carol", guess{"users", "id = '" + mallory.ID + "' && blocks_via_blocked.blocker != '%s'", "BOB", "DAVE"}},
		{"who reported a post", "carol", guess{"posts", "id = 'PUBLIC' && reports_via_post.reporter != '%s'", "BOB", "DAVE"}},
		{"why others reported a post", "carol", guess{"posts", "id = 'PUBLIC' && reports_via_post.reason !~ '%s'", "bob", "dave"}},
		{"whose feed has a post", "bob", guess{"posts", "id = 'PUBLIC' && feed_via_post.viewer != '%s'", "ADA", "DAVE"}},
		{"who is told of a post", "bob", guess{"posts", "id = 'PUBLIC' && notifications_via_post.recipient != '%s'", "ADA", "DAVE"}},
		{"whose settings are so", "carol", guess{"users", "id = 'BOB' && settings_via_user.digest != '%s'", "off", "x"}},
		{"what an event is about", "carol", guess{"users", "id = 'ADA' && notification_events_via_recipient.subject != '%s'", "PUBLIC", "nosuchpost00000"}},
	} {
		t.Run(c.what, func(t *testing.T) { c.compareAnswers(t, st, c.asker, st.service.As(c.asker)) })
	}

	// a relation to rows that one may not see must look like one to no rows
	for _, c := range []struct{ what, back, with, without string }{
		{"whether somebody is blocked", "blocks_via_blocked", mallory.ID, eve.ID},
		{"whether somebody is muted", "mutes_via_muted", eve.ID, mallory.ID},
		{"whether somebody blocks anybody", "blocks_via_blocker", st.carol.ID, eve.ID},
		{"whether somebody mutes anybody", "mutes_via_muter", st.carol.ID, eve.ID},
		{"whether somebody reports", "reports_via_reporter", st.carol.ID, eve.ID},
		{"whether somebody has a device", "devices_via_user", st.carol.ID, eve.ID},
		{"whether somebody saves posts", "saves_via_user", st.carol.ID, eve.ID},
	} {
		t.Run(c.what, func(t *testing.T) {
			for _, watcher := range []*hookstest.Client{st.service.Guest(), st.dave} {
				for _, query := range [][2]string{{"filter", c.back + ".id = ''"}, {"filter", "id != '' || " + c.back + ".id != ''"}, {"sort", c.back + ".id"}, {"expand", c.back}} {
					found := map[string]bool{}
					answer := watcher.Do("GET", recordsPath("users", query[0], query[1]), nil)
					for _, item := range answer.Items() {
						id, _ := item["id"].(string)
						_, told := item[c.back]
						found[id] = !told
					}
					if found[c.with] != found[c.without] {
						t.Errorf("%s is told by users?%s=%s", watcher.Name, query[0], query[1])
					}
				}
			}
		})
	}
}

func TestLeakARefusalIsTheSameAsForWhatIsNotThere(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	comment, err := st.service.App.FindFirstRecordByFilter("comments", "post = {:p}", dbx.Params{"p": st.privatePost})
	if err != nil {
		t.Fatal(err)
	}
	photo := "/" + st.service.Record("posts", st.privatePost).GetStringSlice("photos")[0]
	ofDay, ofOver := "/"+st.service.Record("stories", st.dayStory).GetString("photo"), "/"+st.service.Record("stories", st.pastStory).GetString("photo")
	const nothing = "nosuchthing0000"
	post := func(collection string, body func(id string) jsonObject) func(*hookstest.Client, string) hookstest.Answer {
		return func(c *hookstest.Client, id string) hookstest.Answer {
			return c.Do("POST", "/api/collections/"+collection+"/records", body(id))
		}
	}
	get := func(path, end string) func(*hookstest.Client, string) hookstest.Answer {
		return func(c *hookstest.Client, id string) hookstest.Answer { return c.Do("GET", path+id+end, nil) }
	}
	for name, c := range map[string]struct {
		status int
		id     string
		ask    func(*hookstest.Client, string) hookstest.Answer
	}{
		"viewing a post":    {404, st.privatePost, get("/api/collections/posts/records/", "")},
		"fetching a photo":  {404, st.privatePost, get("/api/files/posts/", photo)},
		"fetching a thumb":  {404, st.privatePost, get("/api/files/posts/", photo+"?thumb=100x100")},
		"viewing a comment": {404, comment.Id, get("/api/collections/comments/records/", "")},
		"liking":            {400, st.privatePost, post("likes", func(id string) jsonObject { return jsonObject{"post": id} })},
		"saving":            {400, st.privatePost, post("saves", func(id string) jsonObject { return jsonObject{"post": id} })},
		"muting":            {400, st.privatePost, post("mutes", func(id string) jsonObject { return jsonObject{"post": id} })},
		"commenting":        {400, st.privatePost, post("comments", func(id string) jsonObject { return jsonObject{"post": id, "text": "hello"} })},
		"reporting":         {400, st.privatePost, post("reports", func(id string) jsonObject { return jsonObject{"post": id} })},
		"answering": {400, comment.Id, post("comments", func(id string) jsonObject {
			return jsonObject{"post": st.publicPost, "parent": id, "text": "hello"}
		})},
		"liking a comment":                 {400, comment.Id, post("comment_likes", func(id string) jsonObject { return jsonObject{"comment": id} })},
		"reporting a comment":              {400, comment.Id, post("reports", func(id string) jsonObject { return jsonObject{"comment": id} })},
		"viewing a story":                  {404, st.dayStory, get("/api/collections/stories/records/", "")},
		"viewing a story that is over":     {404, st.pastStory, get("/api/collections/stories/records/", "")},
		"fetching a story's photo":         {404, st.dayStory, get("/api/files/stories/", ofDay)},
		"fetching the photo of one over":   {404, st.pastStory, get("/api/files/stories/", ofOver)},
		"fetching a thumb of one over":     {404, st.pastStory, get("/api/files/stories/", ofOver+"?thumb=100x100")},
		"having seen a story":              {400, st.dayStory, post("story_views", func(id string) jsonObject { return jsonObject{"story": id} })},
		"having seen a story that is over": {400, st.pastStory, post("story_views", func(id string) jsonObject { return jsonObject{"story": id} })},
		"deleting a story": {404, st.dayStory, func(c *hookstest.Client, id string) hookstest.Answer {
			return c.Do("DELETE", "/api/collections/stories/records/"+id, nil)
		}},
		"changing a post": {404, st.privatePost, func(c *hookstest.Client, id string) hookstest.Answer {
			return c.Do("PATCH", "/api/collections/posts/records/"+id, jsonObject{"caption": "x"})
		}},
		"deleting a post": {404, st.privatePost, func(c *hookstest.Client, id string) hookstest.Answer {
			return c.Do("DELETE", "/api/collections/posts/records/"+id, nil)
		}},
		"liking in a batch": {400, st.privatePost, func(c *hookstest.Client, id string) hookstest.Answer {
			return c.Do("POST", "/api/batch", jsonObject{"requests": []jsonObject{{"method": "POST", "url": "/api/collections/likes/records", "body": jsonObject{"post": id}}}})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for who, watcher := range st.watchers() {
				there, missing := c.ask(watcher, c.id), c.ask(watcher, nothing)
				if there.Status != c.status || missing.Status != c.status {
					t.Errorf("%s: status %d, and %d for what is not there, want %d", who, there.Status, missing.Status, c.status)
				}
				if there.Raw != missing.Raw {
					t.Errorf("%s can tell the answers apart:\n%s\n%s", who, there.Raw, missing.Raw)
				}
			}
		})
	}
}

func TestLeakAPhotoIsServedToThoseAloneWhoSeeItsPost(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	guest := st.service.Guest()
	token := func(c *hookstest.Client) string {
		if c.Token == "" {
			return "nonsense"
		}
		token, _ := c.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
		return token
	}
	for _, c := range []struct {
		title  string
		who    *hookstest.Client
		post   string
		status int
	}{
		{"a guest gets a public photo", guest, st.publicPost, 200},
		{"a stranger gets a public photo", st.carol, st.publicPost, 200},
		{"somebody blocked gets no photo with a token of his own", st.dave, st.publicPost, 404},
		{"a guest gets no photo for followers", guest, st.followersPost, 404},
		{"a stranger gets no photo for followers", st.carol, st.followersPost, 404},
		{"somebody blocked gets no photo for followers", st.dave, st.followersPost, 404},
		{"a follower gets a photo for followers", st.bob, st.followersPost, 200},
		{"a guest gets no private photo", guest, st.privatePost, 404},
		{"a stranger gets no private photo", st.carol, st.privatePost, 404},
		{"a follower gets no private photo", st.bob, st.privatePost, 404},
		{"somebody blocked gets no private photo", st.dave, st.privatePost, 404},
		{"ada gets her private photo", st.ada, st.privatePost, 200},
	} {
		t.Run(c.title, func(t *testing.T) {
			name := st.service.Record("posts", c.post).GetStringSlice("photos")[0]
			for _, path := range []string{"posts", st.postsID} {
				for _, thumb := range []string{"", "&thumb=100x100", "&thumb=320x320f", "&thumb=320x320", "&download=1"} {
					url := "/api/files/" + path + "/" + c.post + "/" + name + "?token=" + token(c.who) + thumb
					if answer := c.who.Do("GET", url, nil); answer.Status != c.status {
						t.Errorf("GET %s: status %d, want %d", url, answer.Status, c.status)
					}
					if c.post == st.publicPost {
						continue
					}
					// an Authorization header is no token, as a photo's address is what gets passed on
					url = "/api/files/" + path + "/" + c.post + "/" + name + "?" + strings.TrimPrefix(thumb, "&")
					if answer := c.who.Do("GET", url, nil); answer.Status != 404 {
						t.Errorf("GET %s without a token: status %d, want 404", url, answer.Status)
					}
				}
			}
		})
	}
}

func TestLeakNoStreamTellsOfAPostThatOneMayNotSee(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	eve := st.service.As("eve")
	hers := eve.Post("eve's")
	topics := []string{"posts/" + st.followersPost, "posts/" + st.privatePost, "posts/" + hers, "posts"}
	for _, collection := range []string{"likes", "comments", "comment_likes", "saves", "post_tags", "hashtags", "notifications", "retractions", "feed", "settings", "mutes", "reports", "notification_events", "story_views"} {
		topics = append(topics, collection+"/*")
	}
	plain := append(slices.Clone(topics), "posts/*", st.service.Record("posts", hers).Collection().Id+"/*") // guests have no options
	for topic, query := range map[string]jsonObject{
		"posts/*":        {"expand": "author", "filter": "caption != 'x'"},
		"likes/*":        {"expand": "post.author,user"},
		"comments/*":     {"expand": "post.author,author,parent.post"},
		"users/*":        {"fields": "*"},
		"follows/*":      {"expand": "follower,followee"},
		"stories/*":      {"expand": "author"},
		"feed/*":         {"expand": "post"},
		"posts/" + hers:  {"fields": "*"},
		"notification/*": {"expand": "post"},
	} {
		topics = append(topics, topic+topicOptions(query))
	}
	var heard bool // set when the follower receives what the others must not receive
	streams := map[string]*hookstest.Stream{"a follower": st.bob.Listen(topics...)}
	for who, watcher := range st.watchers() {
		if who == "a guest" {
			streams[who] = watcher.Listen(plain...)
			continue
		}
		streams[who] = watcher.Listen(topics...)
	}

	for _, post := range []string{st.followersPost, st.privatePost} {
		st.ada.Update("posts", post, jsonObject{"caption": "secret change #hush2"})
		comment := st.ada.Comment(post, "", "secret remark @carol @dave")
		like := st.ada.Create("comment_likes", jsonObject{"comment": comment}).ID()
		st.ada.Delete("comment_likes", like)
		st.ada.Delete("comments", comment)
	}
	st.bob.Delete("likes", st.bob.Like(st.followersPost))
	st.bob.Comment(st.followersPost, "", "secret reply @carol")
	st.secrets = append(st.secrets, st.ada.Post("secret third @carol @dave", "visibility", "private"))
	story := st.ada.Story("visibility", "followers")
	st.secrets = append(st.secrets, story, st.bob.Create("story_views", jsonObject{"story": story}).ID())
	for _, id := range []string{story, st.pastStory} {
		st.ada.Delete("stories", id)
	}
	st.ada.Update("users", st.ada.ID, jsonObject{"bio": "new"})
	// a post that goes out of sight takes its new words along
	st.ada.Update("posts", st.publicPost, jsonObject{"visibility": "followers", "caption": "secret turn"})
	st.ada.Delete("posts", st.privatePost)
	st.ada.Delete("posts", st.followersPost)
	// the last events, which all of them receive, from PocketBase and from the inbox
	eve.Like(hers)
	eve.Update("posts", hers, jsonObject{"caption": "the end"})

	for who, stream := range streams {
		ended, ofHers := map[string]bool{}, 0
		for len(ended) < 4 || ofHers < 2 {
			m := stream.Next()
			if who != "a follower" {
				st.expectNoSecret(t, who, "the topic "+m.Topic, m.Raw)
			} else if strings.Contains(m.Raw, "secret change") {
				heard = true
			}
			if m.Topic == "posts/"+hers {
				ofHers++
			}
			if m.Record["caption"] == "the end" {
				ended[m.Topic] = true
			}
		}
	}
	if !heard {
		t.Error("a follower did not hear of the post for followers")
	}
}

func topicOptions(query jsonObject) string {
	text, _ := json.Marshal(jsonObject{"query": query}) // strings always encode
	return "?options=" + escapeQuery(string(text))
}

func TestLeakABatchReachesNothingMore(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	before := st.service.Record("posts", st.privatePost).GetString("caption")
	for who, watcher := range st.watchers() {
		for name, request := range map[string]jsonObject{
			"like":          {"method": "POST", "url": "/api/collections/likes/records?expand=post", "body": jsonObject{"post": st.privatePost}},
			"like by PUT":   {"method": "PUT", "url": "/api/collections/likes/records?expand=post", "body": jsonObject{"post": st.privatePost}},
			"comment":       {"method": "POST", "url": "/api/collections/comments/records?expand=post", "body": jsonObject{"post": st.followersPost, "text": "x"}},
			"change":        {"method": "PATCH", "url": "/api/collections/posts/records/" + st.privatePost, "body": jsonObject{"caption": "x"}},
			"change by PUT": {"method": "PUT", "url": "/api/collections/posts/records", "body": jsonObject{"id": st.privatePost, "caption": "x"}},
			"delete":        {"method": "DELETE", "url": "/api/collections/posts/records/" + st.privatePost},
			"view":          {"method": "POST", "url": "/api/collections/story_views/records?expand=story", "body": jsonObject{"story": st.dayStory}},
			"view of past":  {"method": "POST", "url": "/api/collections/story_views/records?expand=story", "body": jsonObject{"story": st.pastStory}},
			"story":         {"method": "DELETE", "url": "/api/collections/stories/records/" + st.dayStory},
		} {
			answer := watcher.Do("POST", "/api/batch", jsonObject{"requests": []jsonObject{request}})
			if answer.Status != 400 {
				t.Errorf("%s: %s in a batch: status %d, want 400", who, name, answer.Status)
			}
			st.expectNoSecret(t, who, name+" in a batch", answer.Raw)
		}
	}
	if after := st.service.Record("posts", st.privatePost).GetString("caption"); after != before {
		t.Errorf("the caption is %q, want %q", after, before)
	}
}

func TestLeakAHiddenFieldIsNeitherReadNorFilteredNorSortedBy(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	st.ada.Create("reports", jsonObject{"user": st.bob.ID})
	admin := st.service.Admin()
	for _, c := range []struct{ collection, field string }{
		{"users", "publicPosts"}, {"users", "tokenKey"}, {"users", "password"},
		{"posts", "author.publicPosts"}, {"posts", "author.tokenKey"},
		{"likes", "user.password"}, {"comments", "post.author.tokenKey"}, {"users", "posts_via_author.author.tokenKey"},
		{"notifications", "groupKey"}, {"users", "notifications_via_recipient.groupKey"},
		{"settings", "seq"}, {"users", "settings_via_user.seq"},
		{"reports", "resolution"}, {"users", "reports_via_user.resolution"},
		{"hashtags", "banned"}, {"post_tags", "tag.banned"},
	} {
		t.Run(c.collection+" by "+c.field, func(t *testing.T) {
			for _, asker := range []*hookstest.Client{st.service.Guest(), st.carol, st.ada} {
				for _, query := range [][2]string{
					{"filter", c.field + " != 'x'"}, {"filter", c.field + " ?!= 'x'"}, {"filter", c.field + ":lower != 'x'"},
					{"filter", "id != '' || " + c.field + " = true"}, {"sort", c.field}, {"sort", "-" + c.field},
				} {
					if answer := asker.Do("GET", recordsPath(c.collection, query[0], query[1]), nil); answer.Status != 400 {
						t.Errorf("%s: %s?%s=%s: status %d, want 400", asker.Name, c.collection, query[0], query[1], answer.Status)
					}
				}
				if strings.Contains(c.field, ".") {
					continue
				}
				for _, end := range []string{"", "&fields=*," + c.field, "&fields=" + c.field} {
					for _, item := range asker.List(c.collection, "perPage=500"+end) {
						if value, shown := item[c.field]; shown {
							t.Errorf("%s reads %s of %s: %v", asker.Name, c.field, c.collection, value)
						}
					}
				}
			}
			if !strings.Contains(c.field, ".") && c.field != "tokenKey" && c.field != "password" {
				if _, shown := admin.List(c.collection, "perPage=1")[0][c.field]; !shown {
					t.Errorf("a superuser does not read %s of %s", c.field, c.collection)
				}
			}
		})
	}
}

func TestLeakAnAddressThatIsNotShownCannotBeFoundOut(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	eve := st.service.As("eve")
	eve.Update("users", eve.ID, jsonObject{"emailVisibility": true})
	eve.Follow("ada")
	eve.Like(st.publicPost)
	st.bob.Like(st.publicPost)
	guess{"notifications", "type = 'like' && actors.email !~ '%s'", "bob@", "x@"}.compareAnswers(t, st, "ada", st.ada)
	for _, asker := range []*hookstest.Client{st.service.Guest(), st.carol} {
		for _, item := range asker.List("users", "perPage=500") {
			if email, shown := item["email"]; shown && item["id"] != asker.ID && item["id"] != eve.ID {
				t.Errorf("%s reads the address %v of %v", asker.Name, email, item["handle"])
			}
		}
		for _, g := range []guess{
			{"users", "id = 'ADA' && email = '%s'", "ada@example.com", "x@example.com"},
			{"users", "id = 'ADA' && email != '%s'", "ada@example.com", "x@example.com"},
			{"users", "id = 'ADA' && email ~ '%s'", "ada@", "x@"},
			{"users", "id = 'ADA' && email !~ '%s'", "ada@", "x@"},
			{"users", "id = 'ADA' && email:lower = '%s'", "ada@example.com", "x@example.com"},
			{"posts", "author = 'ADA' && author.email ~ '%s'", "ada@", "x@"},
			{"posts", "author = 'ADA' && author.email !~ '%s'", "ada@", "x@"},
			{"users", "id = 'ADA' && posts_via_author.author.email !~ '%s'", "ada@", "x@"},
			{"users", "id = 'ADA' && follows_via_followee.follower.email !~ '%s'", "bob@", "x@"},
		} {
			g.compareAnswers(t, st, asker.Name, asker)
		}
		// by the order of the list: somebody whose own second account sorts between two letters learns the rest
		for _, collection := range []string{"users", "follows"} {
			field := map[string]string{"users": "email", "follows": "follower.email"}[collection]
			up := asker.Do("GET", recordsPath(collection, "sort", field), nil)
			down := asker.Do("GET", recordsPath(collection, "sort", "-"+field), nil)
			if up.Status == 200 && !slices.Equal(othersOrder(up, asker.ID), othersOrder(down, asker.ID)) {
				t.Errorf("%s reads the order of hidden addresses from %s?sort=%s", asker.Name, collection, field)
			}
		}
	}
}

// othersOrder returns the ids of a list without the caller's own, in its order.
func othersOrder(answer hookstest.Answer, me string) []string {
	var ids []string
	for _, item := range answer.Items() {
		if id, _ := item["id"].(string); id != me {
			ids = append(ids, id)
		}
	}
	return ids
}

func TestLeakRuleFunctionsAreForRulesAlone(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	askers := []*hookstest.Client{st.service.Guest(), st.carol, st.dave}
	for call, args := range map[string]string{"follows": "author", "blocked": "author", "blockedBy": "author", "sees": "author, visibility", "seesPost": "id", "seesTag": "id"} {
		for first, want := range map[string]int{
			"@request.auth.id": 403, " @request.auth.id ": 403, "@request.auth.id:lower": 403,
			"'" + st.ada.ID + "'": 400, "author": 400, "@now": 400, "@REQUEST.AUTH.ID": 400, "''": 400, "1": 400,
		} {
			expression := call + "(" + first + ", " + args + ")"
			for _, asker := range askers {
				for _, query := range []string{
					"filter=" + escapeQuery(expression+" = true"),
					"filter=" + escapeQuery("id != '' || "+expression+" != 1"),
					"filter=" + escapeQuery("true = "+expression) + "&filter=" + escapeQuery("id != ''"),
					"sort=" + escapeQuery(expression),
				} {
					if answer := asker.Do("GET", "/api/collections/posts/records?"+query, nil); answer.Status != want {
						t.Errorf("%s: posts?%s: status %d, want %d", asker.Name, query, answer.Status, want)
					}
				}
			}
		}
	}
	for _, asker := range askers {
		twice := "filter=" + escapeQuery("id != ''") + "&filter=" + escapeQuery("seesPost('"+st.ada.ID+"', id) = true")
		if answer := asker.Do("GET", "/api/collections/posts/records?"+twice, nil); answer.Status == 200 {
			st.expectNoSecret(t, asker.Name, "a second filter", answer.Raw)
		}
	}
}

func TestLeakRuleFunctionsDoNothingInAStreamsFilter(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	filters := []string{"seesPost('" + st.ada.ID + "', id) = true", "id = '' || sees(author, author, 'public') = true"}
	for call, args := range map[string]string{"follows": "author", "blocked": "author", "blockedBy": "author", "sees": "author, 'public'", "seesPost": "id", "seesTag": "id"} {
		filters = append(filters, call+"(@request.auth.id, "+args+") = true", call+"(@request.auth.id, "+args+") = false")
	}
	var topics []string
	for _, filter := range filters {
		topics = append(topics, "posts/*"+topicOptions(jsonObject{"filter": filter}))
	}
	stream, refused := tryListen(st.carol, append(topics, "posts/*"))
	if refused {
		return
	}
	st.ada.Update("posts", st.publicPost, jsonObject{"caption": "again"})
	marker := st.ada.Post("the end")
	for {
		m := stream.Next()
		if m.Topic != "posts/*" {
			t.Errorf("a message came for %s: %s", m.Topic, m.Raw)
		}
		if m.Record["id"] == marker {
			break
		}
	}
	stream.ExpectSilence()
}

// tryListen opens a stream, or reports that the service refuses such topics, which is as good as sending nothing on
// them.
func tryListen(c *hookstest.Client, topics []string) (stream *hookstest.Stream, refused bool) {
	stream = c.Listen("posts/*")
	answer := c.Do("POST", "/api/realtime", jsonObject{"clientId": stream.ClientID, "subscriptions": topics})
	return stream, answer.Status == 400 || answer.Status == 403
}

func TestLeakNoStreamsFilterAnswersAGuess(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	topic := func(word string) string {
		return "posts/*" + topicOptions(jsonObject{"filter": "author.posts_via_author.caption !~ '" + word + "'"})
	}
	escaped := func(word string) string { return strings.ReplaceAll(topic(word), "_via_", escapeQuery(`\u005fvia_`)) }
	for name, topic := range map[string]func(word string) string{"as it is": topic, "escaped": escaped} {
		right, wrong := topic("secret picnic"), topic("secret horse")
		stream, refused := tryListen(st.carol, []string{"posts/*", right, wrong})
		if refused {
			continue
		}
		st.ada.Update("posts", st.publicPost, jsonObject{"caption": "again " + name})
		marker := st.service.As("eve").Post("the end")
		told := map[string]bool{}
		for m := stream.Next(); m.Topic != "posts/*" || m.Record["id"] != marker; m = stream.Next() {
			told[m.Topic] = told[m.Topic] || m.Record["id"] == st.publicPost
		}
		if told[right] != told[wrong] {
			t.Errorf("a stream's filter, %s, answers a guess", name)
		}
	}
}

// changeSpellings are the ways to request a change of one field. The answer has the status of the change itself.
func changeSpellings(c *hookstest.Client, collection, id string, change jsonObject, field string, value any) map[string]func() hookstest.Answer {
	path := "/api/collections/" + collection + "/records/" + id
	body := func(field string) jsonObject {
		body := maps.Clone(change)
		body[field] = value
		return body
	}
	text := func(v any) string {
		if s, ok := v.(string); ok {
			return s
		}
		encoded, _ := json.Marshal(v) // plain values always encode
		return string(encoded)
	}
	form := func(body jsonObject) *hookstest.Upload {
		upload := &hookstest.Upload{Fields: map[string]string{}}
		for field, value := range body {
			upload.Fields[field] = text(value)
		}
		return upload
	}
	patch := func(body any) func() hookstest.Answer {
		return func() hookstest.Answer { return c.Do("PATCH", path, body) }
	}
	batch := func(method, path string, body jsonObject) func() hookstest.Answer {
		return func() hookstest.Answer {
			return c.Do("POST", "/api/batch", jsonObject{"requests": []jsonObject{{"method": method, "url": path, "body": body}}})
		}
	}
	upsert := body(field)
	upsert["id"] = id
	all := map[string]func() hookstest.Answer{
		"@jsonPayload":   patch(form(jsonObject{"@jsonPayload": body(field)})),
		"@jsonPayload +": patch(form(jsonObject{"@jsonPayload": body(field + "+")})),
		"batch by PUT":   batch("PUT", "/api/collections/"+collection+"/records", upsert),
		"batch form": func() hookstest.Answer {
			return c.Do("POST", "/api/batch", form(jsonObject{"@jsonPayload": jsonObject{"requests": []jsonObject{{"method": "PATCH", "url": path, "body": body(field)}}}}))
		},
	}
	for _, name := range []string{field, field + "+", "+" + field, field + "-"} {
		all[name] = patch(body(name))
		all["form "+name] = patch(form(body(name)))
		all["batch "+name] = batch("PATCH", path, body(name))
	}
	return all
}

func TestLeakNoClientMovesWhatIsTheServers(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	bobs := st.bob.Comment(st.publicPost, "", "hello") // so that ada has a notification of it
	notification, err := st.service.App.FindFirstRecordByFilter("notifications", "recipient = {:u} && type = 'comment' && post = {:p}", dbx.Params{"u": st.ada.ID, "p": st.publicPost})
	if err != nil {
		t.Fatal(err)
	}
	comment := st.ada.Comment(st.publicPost, bobs, "thanks")
	device := st.ada.Create("devices", jsonObject{"kind": "fcm", "endpoint": "adas-phone-is-an-android"}).ID()
	tag, err := st.service.App.FindFirstRecordByData("hashtags", "name", "sunset")
	if err != nil {
		t.Fatal(err)
	}
	admin := st.service.Admin()
	read := jsonObject{"read": true}
	for _, c := range []struct {
		who            *hookstest.Client
		collection, id string
		change         jsonObject // what makes the rest of the update an allowed one
		values         jsonObject
	}{
		{st.ada, "users", st.ada.ID, jsonObject{"bio": "x"}, jsonObject{
			"state": "suspended", "role": "moderator", "postsCount": 99, "followersCount": 99, "followingCount": 99}},
		{st.ada, "posts", st.publicPost, jsonObject{"caption": "x"}, jsonObject{"hidden": true, "media": []int{1}, "likesCount": 99, "commentsCount": 99}},
		{st.ada, "comments", comment, jsonObject{"text": "x"}, jsonObject{"deleted": true, "likesCount": 99, "repliesCount": 99}},
		{st.ada, "settings", st.ada.ID, jsonObject{"locale": "en"}, jsonObject{"readAt": "2030-01-01 00:00:00.000Z", "seq": 99}},
		{st.ada, "notifications", notification.Id, read, jsonObject{
			"recipient": st.carol.ID, "type": "system", "actors": []string{st.carol.ID}, "actorsCount": 99, "post": st.privatePost,
			"comment": comment, "latestAt": "2030-01-01 00:00:00.000Z", "groupKey": "x"}},
		{st.ada, "devices", device, jsonObject{"name": "x"}, jsonObject{"lastSeen": "2030-01-01 00:00:00.000Z"}},
		{admin, "users", st.ada.ID, jsonObject{"bio": "x"}, jsonObject{"postsCount": 99, "followersCount": 99, "followingCount": 99}},
		{admin, "posts", st.publicPost, jsonObject{"caption": "x"}, jsonObject{"likesCount": 99, "commentsCount": 99}},
		{admin, "comments", comment, jsonObject{"text": "x"}, jsonObject{"likesCount": 99, "repliesCount": 99}},
		{admin, "hashtags", tag.Id, jsonObject{"name": "sunset"}, jsonObject{"postsCount": 99}},
		{admin, "settings", st.ada.ID, jsonObject{"locale": "en"}, jsonObject{"seq": 99}},
		{admin, "notifications", notification.Id, read, jsonObject{"actorsCount": 99}},
	} {
		for field, value := range c.values {
			t.Run(fmt.Sprintf("%s cannot set %s of %s", c.who.Name, field, c.collection), func(t *testing.T) {
				for spelling, ask := range changeSpellings(c.who, c.collection, c.id, c.change, field, value) {
					before := st.service.Record(c.collection, c.id).GetString(field)
					if answer := ask(); answer.Status != 200 {
						t.Errorf("%s: status %d, want 200 with the field kept: %s", spelling, answer.Status, answer.Raw)
					}
					if after := st.service.Record(c.collection, c.id).GetString(field); after != before {
						t.Errorf("%s: it is %q, want %q", spelling, after, before)
					}
				}
			})
		}
	}
	t.Run("ada cannot set the seq of her notification, which a change moves by one", func(t *testing.T) {
		for spelling, ask := range changeSpellings(st.ada, "notifications", notification.Id, read, "seq", 9999) {
			if answer := ask(); answer.Status != 200 {
				t.Errorf("%s: status %d: %s", spelling, answer.Status, answer.Raw)
			}
			if got, last := st.service.Record("notifications", notification.Id).GetInt("seq"), st.service.Record("settings", st.ada.ID).GetInt("seq"); got > last {
				t.Errorf("%s: it is %d, but the last that was given is %d", spelling, got, last)
			}
		}
	})
}

func TestLeakNobodyIsBornWithWhatIsTheServers(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	st.service.Admin().Update("users", st.ada.ID, jsonObject{"private": true})
	newcomer := func(handle string, more jsonObject) jsonObject {
		body := jsonObject{"handle": handle, "email": handle + "@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password}
		maps.Copy(body, more)
		return body
	}
	server := jsonObject{"state": "suspended", "role": "moderator", "postsCount": 99, "followersCount": 99, "followingCount": 99, "verified": false}
	for _, c := range []struct {
		title      string
		who        *hookstest.Client
		collection string
		body       jsonObject
		want       map[string]string
	}{
		{"a newcomer is an active member with nothing yet", st.service.Guest(), "users", newcomer("newcomer", server),
			map[string]string{"state": "active", "role": "member", "postsCount": "0", "followersCount": "0", "followingCount": "0"}},
		{"a superuser makes moderators, but no counts", st.service.Admin(), "users", newcomer("chosen", server),
			map[string]string{"state": "suspended", "role": "moderator", "postsCount": "0", "followersCount": "0"}},
		{"a comment is born unliked", st.ada, "comments", jsonObject{"post": st.publicPost, "text": "x", "deleted": true, "likesCount": 9, "repliesCount": 9},
			map[string]string{"deleted": "false", "likesCount": "0", "repliesCount": "0"}},
		{"a superuser's comment too", st.service.Admin(), "comments", jsonObject{"post": st.publicPost, "author": st.ada.ID, "text": "x", "likesCount": 9, "repliesCount": 9},
			map[string]string{"likesCount": "0", "repliesCount": "0"}},
		{"a request to follow is not accepted by who makes it", st.carol, "follows", jsonObject{"followee": st.ada.ID, "state": "accepted"},
			map[string]string{"state": "pending"}},
		{"a report is open", st.carol, "reports", jsonObject{"user": st.bob.ID, "state": "upheld", "resolution": "x"},
			map[string]string{"state": "open", "resolution": ""}},
		{"a superuser's hashtag has no posts", st.service.Admin(), "hashtags", jsonObject{"name": "new", "postsCount": 9},
			map[string]string{"postsCount": "0"}},
	} {
		t.Run(c.title, func(t *testing.T) {
			record := st.service.Record(c.collection, c.who.Create(c.collection, c.body).ID())
			for field, want := range c.want {
				if got := record.GetString(field); got != want {
					t.Errorf("%s is %q, want %q", field, got, want)
				}
			}
		})
	}
	t.Run("a post is born in sight and unliked, as a form and in a batch", func(t *testing.T) {
		values := map[string]string{"caption": "x", "hidden": "true", "likesCount": "9", "commentsCount": "9", "media": `["x"]`}
		form := st.bob.Create("posts", &hookstest.Upload{Fields: values, Files: map[string][]byte{"photos": hookstest.Photo()}}).ID()
		payload, err := json.Marshal(jsonObject{"requests": []jsonObject{{"method": "POST", "url": "/api/collections/posts/records", "body": values}}})
		if err != nil {
			t.Fatal(err)
		}
		st.bob.Must(200, "POST", "/api/batch", &hookstest.Upload{
			Fields: map[string]string{"@jsonPayload": string(payload)},
			Files:  map[string][]byte{"requests.0.photos": hookstest.Photo()},
		})
		posts := st.bob.List("posts", "filter="+escapeQuery("author = '"+st.bob.ID+"'"))
		if len(posts) != 2 || (posts[0]["id"] != form && posts[1]["id"] != form) {
			t.Fatalf("bob has %d posts, want the one of the form and the one of the batch", len(posts))
		}
		for _, p := range posts {
			record := st.service.Record("posts", p["id"].(string))
			if record.GetBool("hidden") || record.GetInt("likesCount") != 0 || record.GetInt("commentsCount") != 0 || strings.Contains(record.GetString("media"), "x") {
				t.Errorf("the post is stored as %v", record.FieldsData())
			}
		}
	})
}

func TestLeakWhoseSomethingIsCannotBeChanged(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	st := newLeakWorld(t)
	comment := st.ada.Comment(st.publicPost, "", "hello")
	save := st.ada.Create("saves", jsonObject{"post": st.publicPost}).ID()
	mute := st.ada.Create("mutes", jsonObject{"muted": st.carol.ID}).ID()
	device := st.ada.Create("devices", jsonObject{"kind": "fcm", "endpoint": "adas-phone-is-an-android"}).ID()
	follow := st.ada.Follow("bob")
	for _, c := range []struct {
		collection, id string
		change, values jsonObject
	}{
		{"posts", st.publicPost, jsonObject{"caption": "x"}, jsonObject{"author": st.carol.ID, "photos": []string{}}},
		{"comments", comment, jsonObject{"text": "x"}, jsonObject{"author": st.carol.ID, "post": st.privatePost, "parent": comment}},
		{"saves", save, jsonObject{"board": "x"}, jsonObject{"user": st.carol.ID, "post": st.privatePost}},
		{"mutes", mute, jsonObject{"keepNotifications": true}, jsonObject{"muter": st.carol.ID, "muted": st.bob.ID, "post": st.privatePost}},
		{"devices", device, jsonObject{"name": "x"}, jsonObject{"user": st.carol.ID}},
		{"settings", st.ada.ID, jsonObject{"locale": "en"}, jsonObject{"user": st.carol.ID}},
		{"follows", follow, jsonObject{"notify": true}, jsonObject{"follower": st.carol.ID, "followee": st.carol.ID, "state": "accepted"}},
	} {
		for field, value := range c.values {
			t.Run(field+" of "+c.collection, func(t *testing.T) {
				before := st.service.Record(c.collection, c.id)
				for spelling, ask := range changeSpellings(st.ada, c.collection, c.id, c.change, field, value) {
					want := 404
					if strings.HasPrefix(spelling, "batch") {
						want = 400
					}
					if answer := ask(); answer.Status != want {
						t.Errorf("%s: status %d, want %d: %.200s", spelling, answer.Status, want, answer.Raw)
					}
					if after := st.service.Record(c.collection, c.id); after.GetString(field) != before.GetString(field) {
						t.Errorf("%s: it is %q, want %q", spelling, after.GetString(field), before.GetString(field))
					}
				}
			})
		}
	}
}

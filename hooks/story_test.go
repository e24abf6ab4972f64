package hooks_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/edgeid"
	"github.com/doubletap/doubletap/internal/testenv"
)

// backdateStory makes the day of a story be over. The rules use the machine's time, so moving the service's clock
// does not do that.
func backdateStory(s *hookstest.Service, story string) {
	s.Admin().Update("stories", story, jsonObject{"expires": clock.FormatTime(time.Now().Add(-time.Second))})
}

// runStoryExpiry runs the recurring job that removes stories whose day is over.
func runStoryExpiry(s *hookstest.Service) {
	for _, j := range s.App.Cron().Jobs() {
		if j.Id() == "story.expire" {
			j.Run()
		}
	}
}

// listedIDs returns the ids that somebody finds in a collection.
func listedIDs(c *hookstest.Client, collection, query string) []string {
	found := []string{}
	for _, item := range c.List(collection, query) {
		found = append(found, item["id"].(string))
	}
	return found
}

func TestStory(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	t.Run("lasts a day by the service's clock, whatever its author wishes, and is public unless said", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		s.Advance(50 * time.Hour)
		before := clock.Now(s.App)
		story := s.Record("stories", ada.Story("expires", "2099-01-01 00:00:00.000Z"))
		after := clock.Now(s.App)
		expires := story.GetDateTime("expires").Time()
		if expires.Before(before.Add(24*time.Hour)) || expires.After(after.Add(24*time.Hour)) {
			t.Errorf("made at %v it expires at %v", before, expires)
		}
		if story.GetString("author") != ada.ID || story.GetString("visibility") != "public" {
			t.Errorf("it is %v", story.FieldsData())
		}
		if status := ada.Do("PATCH", "/api/collections/stories/records/"+story.Id, jsonObject{"visibility": "followers"}).Status; status != 403 {
			t.Errorf("a change is answered %d", status)
		}
		const later = "2031-01-01 00:00:00.000Z"
		if got := s.Record("stories", s.Admin().Story("author", ada.ID, "expires", later)).GetString("expires"); got != later {
			t.Errorf("that of a superuser expires at %s", got)
		}
		for what, upload := range map[string]*hookstest.Upload{
			"no photo":    {},
			"for nobody":  {Fields: map[string]string{"visibility": "private"}, Files: map[string][]byte{"photo": hookstest.Photo()}},
			"of somebody": {Fields: map[string]string{"author": s.User("bob").Id}, Files: map[string][]byte{"photo": hookstest.Photo()}},
			"no picture":  {Files: map[string][]byte{"photo": []byte("this is no photo")}},
		} {
			if a := ada.Do("POST", "/api/collections/stories/records", upload); a.Status != 400 {
				t.Errorf("%s: %d %s", what, a.Status, a.Raw)
			}
		}
		if n := s.Rows("stories", "1"); n != 2 {
			t.Errorf("%d stories are stored", n)
		}
	})
	t.Run("is seen by those who see its author's posts, in lists, views, filters and expands", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		s.As("bob").Follow("ada")
		ada.Block("dave")
		s.As("eve").Block("ada")
		public, followers := ada.Story(), ada.Story("visibility", "followers")
		look := func(when string, want map[string][]string) {
			t.Helper()
			for who, stories := range want {
				c := s.Guest()
				if who != "guest" {
					c = s.As(who)
				}
				for _, query := range []string{"sort=created", "sort=created&filter=" + escapeQuery("visibility != '' && author = '"+ada.ID+"'")} {
					if got := listedIDs(c, "stories", query); !slices.Equal(got, stories) {
						t.Errorf("%s: %s finds %v by %q, want %v", when, who, got, query, stories)
					}
				}
				for _, story := range []string{public, followers} {
					want := 404
					if slices.Contains(stories, story) {
						want = 200
					}
					if status := c.Do("GET", "/api/collections/stories/records/"+story, nil).Status; status != want {
						t.Errorf("%s: %s is answered %d, want %d", when, who, status, want)
					}
				}
				if a := c.Do("GET", "/api/collections/users/records?expand=stories_via_author", nil); a.Status != 400 {
					t.Errorf("%s: %s expands stories of people: %d %s", when, who, a.Status, a.Raw)
				}
			}
		}
		all, none := []string{public, followers}, []string{}
		look("at first", map[string][]string{"guest": {public}, "carol": {public}, "bob": all, "dave": none, "eve": none, "ada": all})
		ada.Update("users", ada.ID, jsonObject{"private": true})
		look("of a private account", map[string][]string{"guest": none, "carol": none, "bob": all, "dave": none, "ada": all})
		s.Admin().Update("users", ada.ID, jsonObject{"state": "suspended"})
		look("of a suspended account", map[string][]string{"guest": none, "carol": none, "bob": none, "dave": none})
		s.Admin().Update("users", ada.ID, jsonObject{"state": "active", "private": false})
		backdateStory(s, public)
		look("when a day is over", map[string][]string{"guest": none, "carol": none, "bob": {followers}, "ada": all})
		s.As("ada").Block("bob") // her former token ended with her suspension
		look("after a block", map[string][]string{"bob": none, "ada": all})
	})
	t.Run("is heard of by those who see it", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		s.As("bob").Follow("ada")
		ada.Block("dave")
		streams := map[string]*hookstest.Stream{}
		for _, who := range []string{"bob", "carol", "dave"} {
			streams[who] = s.As(who).Listen("stories/*", "story_views/*")
		}
		streams["guest"] = s.Guest().Listen("stories/*", "story_views/*")
		followers := ada.Story("visibility", "followers")
		s.As("bob").Create("story_views", jsonObject{"story": followers})
		over := ada.Story("visibility", "followers")
		heard := 1 // by bob
		for ; streams["bob"].Next().Record["id"] != over; heard++ {
			continue // who hears is worked out after the answer, by what is so then
		}
		backdateStory(s, over)
		s.RunJobs() // no job changes a story
		marker := s.As("mallory").Story()
		for who, stream := range streams {
			for m := stream.Next(); m.Record["id"] != marker; m = stream.Next() {
				if heard++; who != "bob" {
					t.Errorf("%s hears %s", who, m.Raw)
				}
			}
		}
		if heard != 3 { // the two stories as they came, and his own view
			t.Errorf("bob hears %d times", heard)
		}
	})
	t.Run("that is over is removed with its views, by one job an hour", func(t *testing.T) {
		s := hookstest.New(t)
		ada, bob := s.As("ada"), s.As("bob")
		var over []string
		for range 30 {
			story := ada.Story()
			bob.Create("story_views", jsonObject{"story": story})
			over = append(over, story)
		}
		s.Advance(23*time.Hour + 59*time.Minute)
		young := ada.Story()
		bob.Create("story_views", jsonObject{"story": young})
		runStoryExpiry(s)
		runStoryExpiry(s)
		if n := s.Rows("jobs", "kind = 'story.expire'"); n != 1 {
			t.Errorf("%d jobs wait", n)
		}
		s.RunJobs()
		if n := s.Rows("stories", "1"); n != len(over)+1 {
			t.Errorf("%d stories are left a minute before", n)
		}
		s.Advance(time.Minute)
		runStoryExpiry(s)
		s.RunJobs()
		if got := listedIDs(ada, "stories", ""); !slices.Equal(got, []string{young}) {
			t.Errorf("%v are left, want %s", got, young)
		}
		if n := s.Rows("story_views", "1"); n != 1 {
			t.Errorf("%d views are left", n)
		}
		if n := s.Rows("jobs", "1"); n != 0 {
			t.Errorf("%d jobs are left", n)
		}
	})
	t.Run("is its author's to delete, and goes with the account", func(t *testing.T) {
		s := hookstest.New(t)
		ada, bob := s.As("ada"), s.As("bob")
		first, second, bobs := ada.Story(), ada.Story(), bob.Story()
		for _, story := range []string{first, second} {
			bob.Create("story_views", jsonObject{"story": story})
		}
		ada.Create("story_views", jsonObject{"story": bobs})
		bob.Must(404, "DELETE", "/api/collections/stories/records/"+first, nil)
		ada.Delete("stories", first)
		if n := s.Rows("story_views", "1"); n != 2 {
			t.Errorf("%d views are left after one story", n)
		}
		ada.Delete("users", ada.ID)
		s.RunJobs()
		if stories, views := s.Rows("stories", "1"), s.Rows("story_views", "1"); stories != 1 || views != 0 {
			t.Errorf("%d stories and %d views are left without ada, want bob's story", stories, views)
		}
	})
}

func TestStoryViews(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	ada, bob, carol, dave := s.As("ada"), s.As("bob"), s.As("carol"), s.As("dave")
	bob.Follow("ada")
	ada.Block("dave")
	public, followers, over := ada.Story(), ada.Story("visibility", "followers"), ada.Story()
	backdateStory(s, over)
	t.Run("are stored once, under a key that follows from their ends", func(t *testing.T) {
		first := bob.Create("story_views", jsonObject{"id": "chosenbyclient0", "story": public})
		if want := edgeid.IDBetween("story_views", public, bob.ID); first.ID() != want {
			t.Errorf("the view is %s, want %s", first.ID(), want)
		}
		again := bob.Create("story_views", jsonObject{"story": public, "viewer": bob.ID})
		if again.Raw != first.Raw {
			t.Errorf("again: %s, first: %s", again.Raw, first.Raw)
		}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if a := bob.Do("POST", "/api/collections/story_views/records", jsonObject{"story": followers}); a.Status != 200 {
					t.Errorf("one of twenty at once: %d %s", a.Status, a.Raw)
				}
			})
		}
		all.Wait()
		carol.Create("story_views", jsonObject{"story": public})
	})
	t.Run("are of what one sees, and never one's own", func(t *testing.T) {
		missing := carol.Do("POST", "/api/collections/story_views/records", jsonObject{"story": "nosuchstory0000"})
		for what, c := range map[string]struct {
			who   *hookstest.Client
			story string
		}{
			"a stranger, of one for followers": {carol, followers}, "somebody blocked": {dave, public}, "a guest": {s.Guest(), public},
			"its author": {ada, public}, "anybody, of one that is over": {bob, over},
		} {
			if a := c.who.Do("POST", "/api/collections/story_views/records", jsonObject{"story": c.story}); a.Status != 400 || a.Raw != missing.Raw {
				t.Errorf("%s: %d %s, want %s", what, a.Status, a.Raw, missing.Raw)
			}
		}
		if a := bob.Do("POST", "/api/collections/story_views/records", jsonObject{"story": public, "viewer": carol.ID}); a.Status != 400 {
			t.Errorf("in somebody else's name: %d", a.Status)
		}
	})
	t.Run("are shown to the story's author, and to each viewer the own", func(t *testing.T) {
		for _, c := range []struct {
			who  *hookstest.Client
			want int
		}{{ada, 3}, {bob, 2}, {carol, 1}, {dave, 0}, {s.Guest(), 0}} {
			if got := listedIDs(c.who, "story_views", ""); len(got) != c.want {
				t.Errorf("%s finds %d views, want %d", c.who.Name, len(got), c.want)
			}
		}
		names := map[any]bool{}
		for _, view := range ada.List("story_views", "expand=viewer&filter="+escapeQuery("story = '"+public+"'")) {
			names[view["expand"].(map[string]any)["viewer"].(map[string]any)["handle"]] = true
		}
		if len(names) != 2 || !names["bob"] || !names["carol"] {
			t.Errorf("ada is told of %v", names)
		}
		view := edgeid.IDBetween("story_views", public, bob.ID)
		carol.Must(404, "GET", "/api/collections/story_views/records/"+view, nil)
		for _, method := range []string{"PATCH", "DELETE"} {
			for _, who := range []*hookstest.Client{ada, bob} {
				who.Must(403, method, "/api/collections/story_views/records/"+view, jsonObject{"viewer": carol.ID})
			}
		}
	})
	t.Run("tell nothing of a story that is out of sight since", func(t *testing.T) {
		backdateStory(s, public)
		for _, who := range []*hookstest.Client{bob, carol} {
			for _, view := range who.List("story_views", "expand=story&filter="+escapeQuery("story = '"+public+"'")) {
				if expanded, _ := view["expand"].(map[string]any); expanded["story"] != nil {
					t.Errorf("%s is shown %v", who.Name, expanded)
				}
			}
		}
	})
}

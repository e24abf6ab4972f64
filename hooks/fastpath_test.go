package hooks_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

const likesPath = "/api/collections/likes/records"

// answeredLikes returns how many likes and unlikes were answered on a path.
func answeredLikes(t *testing.T, s *hookstest.Service, path string) int {
	t.Helper()
	return answeredCount(t, s, "like", path)
}

// answeredCount returns how many likes or reads were answered on a path, according to /metrics.
func answeredCount(t *testing.T, s *hookstest.Service, what, path string) (n int) {
	t.Helper()
	return metricSum(t, s, `doubletap_`+what+`_seconds_count\{.*path="`+path+`"\} (\d+)`)
}

// metricSum returns the sum of the figures at /metrics that the pattern matches.
func metricSum(t *testing.T, s *hookstest.Service, pattern string) (n int) {
	t.Helper()
	response, err := http.Get(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	for _, found := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
		var one int
		fmt.Sscan(string(found[1]), &one)
		n += one
	}
	return n
}

// newServiceOnPath starts a service whose plain likes take a path, whatever the environment of the tests says.
func newServiceOnPath(t *testing.T, path string, owners ...func(core.App, *hooks.Social)) *hookstest.Service {
	t.Setenv("DOUBLETAP_FASTPATH", map[string]string{"fast": "on", "general": "off"}[path])
	return hookstest.New(t, owners...)
}

func TestTheFastPathAnswersAsTheGeneralOne(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	answers := map[string][]string{}
	for _, path := range []string{"fast", "general"} {
		t.Run(path, func(t *testing.T) {
			answers[path] = collectLikeAnswers(t, newServiceOnPath(t, path))
		})
	}
	for i, want := range answers["general"] {
		if got := answers["fast"][i]; got != want {
			t.Errorf("the fast path says\n%s\nthe general one\n%s", got, want)
		}
	}
	if len(answers["fast"]) != len(answers["general"]) || len(answers["fast"]) < 40 {
		t.Errorf("%d and %d answers", len(answers["fast"]), len(answers["general"]))
	}
}

var volatileTimes = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z`)

var volatileParts = regexp.MustCompile(`[a-z0-9]{15}|photo_\w+|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z|Vary: .*|Date: .*`)

// collectLikeAnswers sends every kind of like and unlike and returns the answers, without ids and times.
func collectLikeAnswers(t *testing.T, s *hookstest.Service) (answers []string) {
	ada, bob, carol, dave, eve, mallory := s.As("ada"), s.As("bob"), s.As("carol"), s.As("dave"), s.As("eve"), s.As("mallory")
	public, private, gone := ada.Post("hello"), ada.Post("mine", "visibility", "private"), ada.Post("gone")
	ada.Delete("posts", gone)
	hidden := ada.Post("hidden")
	s.Admin().Update("posts", hidden, map[string]any{"hidden": true})
	followers := ada.Post("for followers", "visibility", "followers")
	carol.Follow("ada")
	ada.Block("mallory")

	send := func(name string, c *hookstest.Client, method, path, kind, body string) string {
		t.Helper()
		request, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if kind != "" {
			request.Header.Set("Content-Type", kind)
		}
		if c != nil {
			request.Header.Set("Authorization", c.Token)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		var header bytes.Buffer
		response.Header.Write(&header)
		answers = append(answers, name+": "+volatileParts.ReplaceAllString(fmt.Sprint(response.StatusCode, " ", string(text), "\n", header.String()), "*"))
		return string(text)
	}
	post := func(name string, c *hookstest.Client, body string) string {
		return send(name, c, "POST", likesPath, "application/json", body)
	}
	of := func(post string) string { return fmt.Sprintf(`{"post":%q}`, post) }

	post("a like", bob, of(public))
	post("again", bob, of(public))
	post("one's own", ada, of(public))
	post("one's own private", ada, of(private))
	post("one's own hidden", ada, of(hidden))
	post("with the user named", carol, fmt.Sprintf(`{"post":%q,"user":%q}`, public, carol.ID))
	post("with an empty user", dave, fmt.Sprintf(`{"post":%q,"user":""}`, public))
	post("for somebody else", dave, fmt.Sprintf(`{"post":%q,"user":%q}`, public, bob.ID))
	post("by a follower", carol, of(followers))
	post("for followers by a stranger", bob, of(followers))
	post("private", bob, of(private))
	post("hidden", bob, of(hidden))
	post("gone", bob, of(gone))
	post("never there", bob, of("nothinglikethis"))
	post("no id", bob, of("x"))
	post("empty id", bob, of(""))
	post("blocked", mallory, of(public))
	post("by a guest", nil, of(public))
	post("more fields", bob, fmt.Sprintf(`{"post":%q,"emoji":"heart"}`, followers))
	post("a chosen id", eve, fmt.Sprintf(`{"post":%q,"id":"abcdefghijklmno"}`, public))
	post("a user added", dave, fmt.Sprintf(`{"post":%q,"user+":%q}`, public, bob.ID))
	post("a number", bob, `{"post":1}`)
	post("null", bob, `{"post":null}`)
	post("a list", bob, fmt.Sprintf(`{"post":[%q]}`, public))
	post("no object", bob, `[]`)
	post("no JSON", bob, `{"post":`)
	post("nothing", bob, ``)
	send("a form", bob, "POST", likesPath, "application/x-www-form-urlencoded", "post="+public)
	send("expanded", bob, "POST", likesPath+"?expand=post", "application/json", of(public))
	send("some fields", bob, "POST", likesPath+"?fields=post", "application/json", of(public))
	post("by an admin", s.Admin(), fmt.Sprintf(`{"post":%q,"user":%q}`, public, mallory.ID))

	like := bob.Like(public)
	path := likesPath + "/" + like
	send("unlike by another", carol, "DELETE", path, "", "")
	send("unlike by the post's author", ada, "DELETE", path, "", "")
	send("unlike by a guest", nil, "DELETE", path, "", "")
	send("unlike", bob, "DELETE", path, "", "")
	send("unlike again", bob, "DELETE", path, "", "")
	send("unlike of nothing", bob, "DELETE", likesPath+"/nothinglikethis", "", "")
	send("unlike of no id", bob, "DELETE", likesPath+"/x", "", "")
	post("like again", bob, of(public))

	s.Admin().Update("users", eve.ID, map[string]any{"state": "suspended"})
	post("by one who was suspended", eve, of(public))
	s.Admin().Update("users", ada.ID, map[string]any{"state": "suspended"})
	post("of one who was suspended", dave, of(public))
	send("unlike of one who was suspended", bob, "DELETE", path, "", "")
	dave.Delete("users", dave.ID)
	post("by one who left", dave, of(public))
	answers = append(answers, fmt.Sprint("likes ", s.Rows("likes", "1"), ", of the post ", s.Record("posts", public).GetInt("likesCount"),
		", events ", s.Rows("notification_events", "active = 1"), ", notifications ", s.Rows("notifications", "1")))
	return answers
}

func TestThePlainLikeTakesTheFastPath(t *testing.T) {
	s := newServiceOnPath(t, "fast")
	like := s.As("bob").Like(s.As("ada").Post("hello"))
	s.As("bob").Delete("likes", like)
	if fast, slow := answeredLikes(t, s, "fast"), answeredLikes(t, s, "general"); fast != 2 || slow != 0 {
		t.Errorf("%d fast, %d general", fast, slow)
	}
}

func TestTheFastPathStepsAside(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	for name, owner := range map[string]func(core.App, *hooks.Social){
		"for a request hook": func(app core.App, _ *hooks.Social) {
			app.OnRecordCreateRequest("likes").BindFunc(func(e *core.RecordRequestEvent) error { return e.Next() })
		},
		"for a record hook": func(app core.App, _ *hooks.Social) {
			app.OnRecordAfterCreateSuccess().BindFunc(func(e *core.RecordEvent) error { return e.Next() })
		},
		"for a model hook": func(app core.App, _ *hooks.Social) {
			app.OnModelCreate("likes").BindFunc(func(e *core.ModelEvent) error { return e.Next() })
		},
		"for an enrich hook": func(app core.App, _ *hooks.Social) {
			app.OnRecordEnrich("likes").BindFunc(func(e *core.RecordEnrichEvent) error { return e.Next() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServiceOnPath(t, "fast", owner)
			s.As("bob").Like(s.As("ada").Post("hello"))
			if fast, slow := answeredLikes(t, s, "fast"), answeredLikes(t, s, "general"); fast != 0 || slow != 1 {
				t.Errorf("%d fast, %d general", fast, slow)
			}
		})
	}
	for name, change := range map[string]func(*core.Collection, core.App) error{
		"for a rule about the request": func(likes *core.Collection, app core.App) error {
			likes.CreateRule = types.Pointer(`@request.query.secret = "" && (` + *likes.CreateRule + `)`)
			return app.Save(likes)
		},
		"for one more field": func(likes *core.Collection, app core.App) error {
			likes.Fields.Add(&core.TextField{Name: "emoji"})
			return app.Save(likes)
		},
		"for a rate limit": func(_ *core.Collection, app core.App) error {
			app.Settings().RateLimits = core.RateLimitsConfig{Enabled: true, Rules: []core.RateLimitRule{{Label: "*:create", MaxRequests: 100, Duration: 10}}}
			return app.Save(app.Settings())
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServiceOnPath(t, "fast")
			post := s.As("ada").Post("hello")
			likes, err := s.App.FindCollectionByNameOrId("likes")
			if err != nil {
				t.Fatal(err)
			}
			if err := change(likes, s.App); err != nil {
				t.Fatal(err)
			}
			s.As("bob").Like(post)
			if fast, slow := answeredLikes(t, s, "fast"), answeredLikes(t, s, "general"); fast != 0 || slow != 1 {
				t.Errorf("%d fast, %d general", fast, slow)
			}
		})
	}
	t.Run("for a rate limit, when one is taken back", func(t *testing.T) {
		s := newServiceOnPath(t, "fast")
		like := s.As("bob").Like(s.As("ada").Post("hello"))
		s.App.Settings().RateLimits = core.RateLimitsConfig{Enabled: true, Rules: []core.RateLimitRule{{Label: "likes:delete", MaxRequests: 100, Duration: 10}}}
		if err := s.App.Save(s.App.Settings()); err != nil {
			t.Fatal(err)
		}
		s.As("bob").Delete("likes", like)
		if fast, slow := answeredLikes(t, s, "fast"), answeredLikes(t, s, "general"); fast != 1 || slow != 1 {
			t.Errorf("%d fast, %d general", fast, slow)
		}
	})
	t.Run("for a relation to likes, when one is taken back", func(t *testing.T) {
		s := newServiceOnPath(t, "fast")
		addOwnersCollection(t, s, "stamps", "likes", cascades)
		s.As("bob").Delete("likes", s.As("bob").Like(s.As("ada").Post("hello")))
		if fast, slow := answeredLikes(t, s, "fast"), answeredLikes(t, s, "general"); fast != 1 || slow != 1 {
			t.Errorf("%d fast, %d general", fast, slow)
		}
	})
}

func TestAVetoHarmsNobodyWhoIsStoredTogether(t *testing.T) {
	vetoed := map[string]bool{}
	s := newServiceOnPath(t, "fast", func(_ core.App, social *hooks.Social) {
		social.OnLike().BindFunc(func(e *hooks.LikeEvent) error {
			if err := e.Next(); err != nil {
				return err
			}
			if vetoed[e.User.Id] {
				return apis.NewForbiddenError("Not you.", nil)
			}
			return nil
		})
	})
	post := s.As("ada").Post("hello")
	var all sync.WaitGroup
	clients := make([]*hookstest.Client, 30)
	for i := range clients {
		clients[i] = s.Someone(i)
		vetoed[clients[i].ID] = i%5 == 0
	}
	for _, c := range clients {
		all.Go(func() {
			want := 200
			if vetoed[c.ID] {
				want = 403
			}
			if a := c.Do("POST", likesPath, map[string]any{"post": post}); a.Status != want {
				t.Errorf("%d %s, want %d", a.Status, a.Raw, want)
			}
		})
	}
	all.Wait()
	if n := s.Record("posts", post).GetInt("likesCount"); n != 24 || s.Rows("likes", "1") != 24 {
		t.Errorf("%d counted, %d stored, want 24", n, s.Rows("likes", "1"))
	}
	s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 24})
	if fast := answeredLikes(t, s, "fast"); fast != 24 {
		t.Errorf("%d on the fast path", fast)
	}
}

func TestATokenThatWasTakenBackLikesNothing(t *testing.T) {
	testenv.SkipSequential(t)
	s := newServiceOnPath(t, "fast")
	post, other := s.As("ada").Post("hello"), s.As("ada").Post("world")
	for name, change := range map[string]func(user *core.Record) error{
		"a new password": func(user *core.Record) error {
			user.SetPassword("another password")
			return s.App.Save(user)
		},
		"a suspension": func(user *core.Record) error {
			user.Set("state", "suspended")
			return s.App.Save(user)
		},
		"a key changed past all hooks": func(user *core.Record) error {
			_, err := s.App.DB().NewQuery("UPDATE users SET tokenKey = 'anotherkeyanotherkeyanotherkeyanotherkeyanotherkey' || id WHERE id = '" + user.Id + "'").Execute()
			return err
		},
		"a new secret of the collection": func(user *core.Record) error {
			users, err := s.App.FindCollectionByNameOrId("users")
			if err != nil {
				return err
			}
			users.AuthToken.Secret = strings.Repeat("secret", 10)
			return s.App.Save(users)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.Someone(len(name))
			like := c.Like(post)
			if err := change(s.Record("users", c.ID)); err != nil {
				t.Fatal(err)
			}
			c.Must(400, "POST", likesPath, map[string]any{"post": other})
			c.Must(404, "DELETE", likesPath+"/"+like, nil)
		})
	}
}

// A stream changes nobody's path: whatever it subscribes to, likes take the fast path and are heard as on the general
// one.
func TestWhoListensToLikesHearsThem(t *testing.T) {
	for _, path := range []string{"fast", "general"} {
		s := newServiceOnPath(t, path)
		post := s.As("ada").Post("hello")
		likes := s.Record("posts", post).Collection()
		carol := s.As("carol").Listen("likes/*", likes.Id+"/*", "posts/*", "users/*", "notifications/*")
		guest := s.Guest().Listen("likes/*", "likes/000000000000000")
		blocked := s.As("dave").Listen("likes/*", `likes/*?options={"query":{"filter":"post!='x'"}}`)
		s.As("bob").Block("dave") // dave no longer hears of bob's likes
		id := s.As("bob").Like(post)
		s.As("bob").Delete("likes", id)
		s.As("eve").Like(post)
		for who, stream := range map[string]*hookstest.Stream{"carol": carol, "a guest": guest} {
			for _, action := range []string{"create", "delete"} {
				m := stream.Next()
				if m.Topic != "likes/*" || m.Action != action || m.Record["id"] != id || m.Record["post"] != post ||
					m.Record["user"] != s.As("bob").ID || m.Record["collectionName"] != "likes" || m.Record["created"] == "" {
					t.Errorf("%s is told %s %s, want the %s", who, m.Topic, m.Raw, action)
				}
			}
		}
		for range 2 {
			if m := blocked.Next(); m.Record["user"] != s.As("eve").ID {
				t.Errorf("who is blocked is told %s", m.Raw)
			}
		}
		if fast := answeredLikes(t, s, path); fast != 3 {
			t.Errorf("%d of 3 on the %s path", fast, path)
		}
	}
}

func TestASaturatedServiceAnswers503(t *testing.T) {
	skipWithoutFastPath(t)
	s := newServiceOnPath(t, "fast")
	post, bob := s.As("ada").Post("hello"), s.As("bob")
	held, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		s.App.RunInTransaction(func(core.App) error {
			close(held)
			<-release
			return nil
		})
	})
	<-held
	var mu sync.Mutex
	statuses := map[int]int{}
	busy := make(chan struct{})
	var once sync.Once
	for range 1300 {
		all.Go(func() {
			a := bob.Do("POST", likesPath, map[string]any{"post": post})
			mu.Lock()
			defer mu.Unlock()
			statuses[a.Status]++
			if a.Status == 503 {
				if a.Header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				if statuses[503] == 200 {
					once.Do(func() { close(busy) })
				}
			}
		})
	}
	<-busy
	close(release)
	all.Wait()
	if statuses[200] < 1024 || statuses[200]+statuses[503] != 1300 {
		t.Errorf("got %v", statuses)
	}
	if n := s.Rows("likes", "1"); n != 1 {
		t.Errorf("%d likes", n)
	}
}

package hooks_test

import (
	"fmt"
	"maps"
	"os"
	osexec "os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// ownersMoment is a hook of PocketBase to which an owner binds a handler that only notes that it ran.
type ownersMoment struct {
	name string
	bind func(app core.App, ran func(), tags ...string) (unbind func())
}

func momentOf[T hook.Tagger](name string, of func(core.App, ...string) *hook.TaggedHook[T]) ownersMoment {
	return ownersMoment{name, func(app core.App, ran func(), tags ...string) func() {
		id := of(app, tags...).BindFunc(func(e T) error {
			ran()
			return e.Next()
		})
		return func() { of(app).Unbind(id) }
	}}
}

var likeMoments = []ownersMoment{
	momentOf("OnRecordCreateRequest", core.App.OnRecordCreateRequest),
	momentOf("OnRecordValidate", core.App.OnRecordValidate),
	momentOf("OnRecordCreate", core.App.OnRecordCreate),
	momentOf("OnRecordCreateExecute", core.App.OnRecordCreateExecute),
	momentOf("OnRecordAfterCreateSuccess", core.App.OnRecordAfterCreateSuccess),
	momentOf("OnRecordEnrich", core.App.OnRecordEnrich),
	momentOf("OnModelValidate", core.App.OnModelValidate),
	momentOf("OnModelCreate", core.App.OnModelCreate),
	momentOf("OnModelCreateExecute", core.App.OnModelCreateExecute),
	momentOf("OnModelAfterCreateSuccess", core.App.OnModelAfterCreateSuccess),
}

var unlikeMoments = []ownersMoment{
	momentOf("OnRecordDeleteRequest", core.App.OnRecordDeleteRequest),
	momentOf("OnRecordDelete", core.App.OnRecordDelete),
	momentOf("OnRecordDeleteExecute", core.App.OnRecordDeleteExecute),
	momentOf("OnRecordAfterDeleteSuccess", core.App.OnRecordAfterDeleteSuccess),
	momentOf("OnModelDelete", core.App.OnModelDelete),
	momentOf("OnModelDeleteExecute", core.App.OnModelDeleteExecute),
	momentOf("OnModelAfterDeleteSuccess", core.App.OnModelAfterDeleteSuccess),
}

var failureMoments = []ownersMoment{ // of likes that are not stored, or not taken back
	momentOf("OnRecordAfterCreateError", core.App.OnRecordAfterCreateError),
	momentOf("OnRecordAfterDeleteError", core.App.OnRecordAfterDeleteError),
	momentOf("OnModelAfterCreateError", core.App.OnModelAfterCreateError),
	momentOf("OnModelAfterDeleteError", core.App.OnModelAfterDeleteError),
}

var readMoments = []ownersMoment{
	momentOf("OnRecordsListRequest", core.App.OnRecordsListRequest),
	momentOf("OnRecordViewRequest", core.App.OnRecordViewRequest),
	momentOf("OnRecordEnrich", core.App.OnRecordEnrich),
}

// TestHooksElsewhereKeepTheFastPath binds a handler for books to every hook that the paths differ in.
func TestHooksElsewhereKeepTheFastPath(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	ran := 0
	s := newServiceOnPath(t, "fast", func(app core.App, _ *hooks.Social) {
		for _, moment := range slices.Concat(likeMoments, unlikeMoments, failureMoments, readMoments) {
			moment.bind(app, func() { ran++ }, "books", "the id of a collection")
		}
	})
	s.As("bob").Follow("ada")
	post := s.As("ada").Post("hello")
	s.As("bob").Delete("likes", s.As("bob").Like(post))
	s.As("carol").Comment(post, "", "nice @bob") // the tray of somebody who has none takes the general path
	for _, path := range readPaths(s, post) {
		s.As("bob").Must(200, "GET", path, nil)
	}
	if got := pathCounts(t, s); got["fast like"] != 2 || got["fast feed"] != 1 || got["fast notifications"] != 1 || got["fast posts"] != 2 || len(got) != 4 {
		t.Errorf("answered %v", got)
	}
	if ran != 0 {
		t.Errorf("the handlers of books ran %d times", ran)
	}
	books := core.NewBaseCollection("books")
	books.CreateRule, books.ListRule = new(string), new(string)
	if err := s.App.Save(books); err != nil {
		t.Fatal(err)
	}
	s.As("bob").Create("books", map[string]any{})
	if ran == 0 {
		t.Error("the handlers of books do not run for books")
	}
}

// readPaths are the reads that the fast path answers: the feed, the tray, a profile and a post.
func readPaths(s *hookstest.Service, post string) map[string]string {
	profile := profilePath + "&filter=" + escapeQuery(`author="`+s.As("ada").ID+`"`)
	return map[string]string{"feed": feedPath + feedExpand, "tray": trayPath + trayExpand, "profile": profile, "post": "/api/collections/posts/records/" + post}
}

// pathCounts returns how many likes and reads were answered on which path, but for zeros.
func pathCounts(t *testing.T, s *hookstest.Service) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, path := range []string{"fast", "general"} {
		counts[path+" like"] = answeredLikes(t, s, path)
		for _, collection := range []string{"feed", "notifications", "posts"} {
			counts[path+" "+collection] = metricSum(t, s, `doubletap_read_seconds_count\{collection="`+collection+`",path="`+path+`"\} (\d+)`)
		}
	}
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
	return counts
}

// TestHooksThatConcernLikesTakeThemOffTheFastPath binds a handler to each hook while the service runs, and unbinds it.
func TestHooksThatConcernLikesTakeThemOffTheFastPath(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s := newServiceOnPath(t, "fast")
	post, bob := s.As("ada").Post("hello"), s.As("bob")
	likes, err := s.App.FindCollectionByNameOrId("likes")
	if err != nil {
		t.Fatal(err)
	}
	fast, general := 0, 0
	plain := likeAndUnlike(t, bob, post)
	fast += 2
	for _, moment := range slices.Concat(likeMoments, unlikeMoments, failureMoments) {
		for name, tags := range map[string][]string{"its name": {"likes"}, "its id": {"books", likes.Id}, "no collection": nil} {
			ran := 0
			unbind := moment.bind(s.App, func() { ran++ }, tags...)
			if got := likeAndUnlike(t, bob, post); got != plain {
				t.Errorf("%s: the general path says\n%s\nthe fast one\n%s", moment.name, got, plain)
			}
			unbind()
			isFailure := slices.ContainsFunc(failureMoments, func(m ownersMoment) bool { return m.name == moment.name })
			if (ran > 0) == isFailure {
				t.Errorf("%s by %s: the handler ran %d times", moment.name, name, ran)
			}
			likeAndUnlike(t, bob, post)
			fast, general = fast+2, general+2
			if a, b := answeredLikes(t, s, "fast"), answeredLikes(t, s, "general"); a != fast || b != general {
				t.Fatalf("%s by %s: %d fast and %d general, want %d and %d", moment.name, name, a, b, fast, general)
			}
		}
	}
}

// likeAndUnlike returns what the two are answered, without ids and times.
func likeAndUnlike(t *testing.T, c *hookstest.Client, post string) string {
	t.Helper()
	like := c.Must(200, "POST", likesPath, map[string]any{"post": post})
	unlike := c.Must(204, "DELETE", likesPath+"/"+like.ID(), nil)
	return volatileParts.ReplaceAllString(fmt.Sprint(like.Raw, unlike.Raw), "*")
}

// TestHooksTakeTheReadsThatTheyConcernOffTheFastPath compares what is answered with the handler and without.
func TestHooksTakeTheReadsThatTheyConcernOffTheFastPath(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s := newServiceOnPath(t, "fast")
	bob := s.As("bob")
	bob.Follow("ada")
	post := s.As("ada").Post("hello")
	s.As("carol").Like(bob.Post("mine"))
	s.As("carol").Comment(post, "", "nice @bob")
	paths := readPaths(s, post)
	fast := map[string]string{}
	for name, path := range paths {
		fast[name] = bob.Must(200, "GET", path, nil).Raw
	}
	if got := pathCounts(t, s); got["fast feed"] != 1 || got["fast notifications"] != 1 || got["fast posts"] != 2 {
		t.Fatalf("not all are fast: %v", got)
	}
	all := "feed notifications posts"
	for _, test := range []struct{ moment, tag, aside string }{
		{"OnRecordsListRequest", "books", ""},
		{"OnRecordsListRequest", "feed", "feed"},
		{"OnRecordsListRequest", "notifications", "notifications"},
		{"OnRecordsListRequest", "posts", "posts"},
		{"OnRecordsListRequest", "users", ""},
		{"OnRecordsListRequest", "", all},
		{"OnRecordViewRequest", "books", ""},
		{"OnRecordViewRequest", "posts", "posts"},
		{"OnRecordViewRequest", "", all},
		{"OnRecordEnrich", "books", ""},
		{"OnRecordEnrich", "likes", ""},
		{"OnRecordEnrich", "feed", "feed"},
		{"OnRecordEnrich", "notifications", "notifications"},
		{"OnRecordEnrich", "comments", "notifications"},
		{"OnRecordEnrich", "posts", all},
		{"OnRecordEnrich", "users", all},
		{"OnRecordEnrich", "", all},
	} {
		var tags []string
		if test.tag != "" {
			tags = []string{test.tag}
		}
		ran, before := 0, pathCounts(t, s)
		moment := readMoments[slices.IndexFunc(readMoments, func(m ownersMoment) bool { return m.name == test.moment })]
		unbind := moment.bind(s.App, func() { ran++ }, tags...)
		for name, path := range paths {
			if got := bob.Must(200, "GET", path, nil).Raw; got != fast[name] {
				t.Errorf("%s of %q: the %s says\n%s\nthe fast path\n%s", test.moment, test.tag, name, got, fast[name])
			}
		}
		unbind()
		if (ran > 0) != (test.aside != "") {
			t.Errorf("%s of %q ran %d times", test.moment, test.tag, ran)
		}
		aside := []string{}
		after := pathCounts(t, s)
		for _, collection := range []string{"feed", "notifications", "posts"} {
			if after["general "+collection] > before["general "+collection] {
				aside = append(aside, collection)
			}
		}
		if got := strings.Join(aside, " "); got != test.aside {
			t.Errorf("%s of %q takes %q off the fast path, want %q", test.moment, test.tag, got, test.aside)
		}
	}
}

// TestAllThatIsEnrichedIsKnown fails for another handler of ours: tell enrichmentKeys what it adds.
func TestAllThatIsEnrichedIsKnown(t *testing.T) {
	t.Parallel()
	app := core.NewBaseApp(core.BaseAppConfig{})
	before := app.OnRecordEnrich().Length()
	hooks.Bind(app)
	if got := app.OnRecordEnrich().Length() - before; got != 4 {
		t.Errorf("%d handlers of OnRecordEnrich; enrichmentKeys knows enrichPosts, enrichUsers, hidePrivateFields, and RequireWholeAnswer, which adds nothing", got)
	}
}

const programHooksEnv = "DOUBLETAP_TEST_HOOKS" // the collection to which the program binds its owner's hooks

func beforeBind(e *core.RecordEvent) error { return e.Next() }

func afterBind(e *core.RecordEnrichEvent) error { return e.Next() }

// bindOwnersHooks binds hooks as an owner may: before hooks.Bind, after it, as pb_hooks are bound, and when it serves.
func bindOwnersHooks(app core.App, bind func()) {
	tag := os.Getenv(programHooksEnv)
	if tag == "" {
		bind()
		return
	}
	app.OnRecordCreate(tag).BindFunc(beforeBind)
	bind()
	app.OnRecordEnrich(tag).BindFunc(afterBind)
	script := reflect.ValueOf(app.OnRecordsListRequest(tag)).MethodByName("BindFunc")
	script.Call([]reflect.Value{reflect.MakeFunc(script.Type().In(0), func(arguments []reflect.Value) []reflect.Value {
		err := arguments[0].Interface().(*core.RecordsListRequestEvent).Next()
		return []reflect.Value{reflect.ValueOf(&err).Elem()}
	})})
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.App.OnRecordAfterCreateSuccess(tag).BindFunc(beforeBind)
		return e.Next()
	})
}

// TestTheProgramSaysWhichPathRequestsTake reads the log of the start and the doctor's line.
func TestTheProgramSaysWhichPathRequestsTake(t *testing.T) {
	t.Parallel()
	skipWithoutFastPath(t)
	for tag, want := range map[string]map[string][]string{
		"books": {},
		"likes": {"likes": {"OnRecordCreate", "hooks_test.beforeBind (", "ownerhook_test.go:", "OnRecordEnrich", "afterBind"}},
		"feed":  {"reads of feed": {"OnRecordEnrich", "hooks_test.afterBind (", "OnRecordsListRequest", "reflection, as those of pb_hooks"}},
	} {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			s := hookstest.New(t)
			command := osexec.Command(os.Args[0], "doctor", "--dir="+s.App.DataDir())
			command.Env = append(os.Environ(), programDirEnv+"="+s.App.DataDir(), programHooksEnv+"="+tag)
			output, err := command.CombinedOutput()
			if err != nil {
				t.Errorf("doctor: %v\n%s", err, output)
			}
			var doctors string
			for line := range strings.Lines(string(output)) {
				if strings.Contains(line, "  paths  ") {
					doctors = line
				}
			}
			p := startProgram(t, s, programHooksEnv+"="+tag)
			p.sendTerminate()
			if err := p.waitForExit(); err != nil {
				t.Error(err)
			}
			var logged string
			if err := s.App.AuxConcurrentDB().NewQuery(`SELECT data FROM _logs WHERE message = 'which path requests take'`).Row(&logged); err != nil {
				t.Fatal(err)
			}
			if len(want) == 0 != strings.HasPrefix(doctors, "ok") || !strings.Contains(doctors, "comments: general") || !strings.Contains(logged, `"comments":"general"`) {
				t.Errorf("doctor says %q, the log %s", doctors, logged)
			}
			for _, requests := range []string{"likes", "reads of feed", "reads of notifications", "reads of posts"} {
				path := ": fast"
				if want[requests] != nil {
					path = ": general, because of"
				}
				if !strings.Contains(doctors, requests+path) || !strings.Contains(strings.ReplaceAll(logged, `":"`, ": "), requests+path) {
					t.Errorf("want %q%s; doctor says %q, the log %s", requests, path, doctors, logged)
				}
				for _, part := range want[requests] {
					if !strings.Contains(doctors, part) || !strings.Contains(logged, part) {
						t.Errorf("want %q; doctor says %q, the log %s", part, doctors, logged)
					}
				}
			}
			if later := "OnRecordAfterCreateSuccess"; (tag == "likes") != strings.Contains(logged, later) {
				t.Errorf("what is bound when it serves: %s", logged)
			}
		})
	}
}

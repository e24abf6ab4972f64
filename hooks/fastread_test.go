package hooks_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/logger"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/testenv"
)

const (
	feedPath    = "/api/collections/feed/records?page=1&perPage=20&sort=-at%2C-post&skipTotal=true"
	trayPath    = "/api/collections/notifications/records?page=1&perPage=30&sort=-latestAt%2C-id&skipTotal=true"
	gridPath    = "/api/collections/posts/records?page=1&perPage=30&sort=-created&skipTotal=true"
	profilePath = "/api/collections/posts/records?page=1&perPage=30&sort=-created%2C-id&skipTotal=true&expand=author" // the web app's profile

	feedExpand, trayExpand = "&expand=post.author", "&expand=actors%2Cpost.author%2Ccomment"
)

// startGeneralTwin starts a service without the fast path on a copy of another's data.
func startGeneralTwin(t *testing.T, s *hookstest.Service) *hookstest.Service {
	t.Helper()
	dir := t.TempDir()
	copyDataDir(t, s, dir)
	t.Setenv("DOUBLETAP_FASTPATH", "off")
	return hookstest.Open(t, dir)
}

// expectSameAnswer sends two services the same request and fails unless their answers are the same.
func expectSameAnswer(t *testing.T, name, path string, a, b *hookstest.Client) hookstest.Answer {
	t.Helper()
	got, want := a.Do("GET", path, nil), b.Do("GET", path, nil)
	for _, header := range []string{"Date", "Content-Length"} {
		got.Header.Del(header)
		want.Header.Del(header)
	}
	switch {
	case got.Status != want.Status:
		t.Errorf("%s: %s: status %d, want %d", name, path, got.Status, want.Status)
	case got.Raw != want.Raw:
		at := 0
		for at < min(len(got.Raw), len(want.Raw)) && got.Raw[at] == want.Raw[at] {
			at++
		}
		t.Errorf("%s: %s: got\n%s\nwant\n%s", name, path, excerptAround(got.Raw, at), excerptAround(want.Raw, at))
	case !maps.EqualFunc(got.Header, want.Header, func(a, b []string) bool { return strings.Join(a, ",") == strings.Join(b, ",") }):
		t.Errorf("%s: %s: headers %v, want %v", name, path, got.Header, want.Header)
	}
	return got
}

func excerptAround(text string, at int) string { return text[max(0, at-120):min(len(text), at+120)] }

// newNeighbourhood starts a service with all that makes pages differ: privacy, blocks, mutes, hidden and deleted
// posts, people who are gone.
func newNeighbourhood(t *testing.T) (s *hookstest.Service, posts map[string]string) {
	t.Helper()
	s = newServiceOnPath(t, "fast")
	ada, bob, carol, dave, eve := s.As("ada"), s.As("bob"), s.As("carol"), s.As("dave"), s.As("eve")
	ada.Update("users", ada.ID, map[string]any{"emailVisibility": true, "bio": "Šárka \u2028 \"quoted\" \\ back\tslash <b>&amp;</b> 🌍"})
	for _, name := range []string{"ada", "carol", "dave", "eve"} {
		bob.Follow(name)
	}
	carol.Follow("bob")
	posts = map[string]string{
		"public":    ada.Post("hello \u0001\u007f 日本語 \r\n 'x'"),
		"followers": ada.Post("for followers", "visibility", "followers"),
		"private":   ada.Post("mine", "visibility", "private"),
		"hidden":    ada.Post("hidden"),
		"deleted":   ada.Post("deleted"),
		"closed":    carol.Post("of a private person"),
		"dave":      dave.Post("of somebody who blocks"),
		"gone":      eve.Post("of somebody suspended"),
		"bob":       bob.Post("bob's own", "visibility", "private", "place", "Žižkov", "geo", `{"lon":14.45,"lat":50.1}`),
	}
	for _, name := range []string{"public", "followers"} {
		for _, client := range []*hookstest.Client{bob, carol, ada, eve} {
			if client != eve || name == "public" {
				client.Do("POST", "/api/collections/likes/records", map[string]any{"post": posts[name]})
			}
		}
	}
	bob.Create("saves", map[string]any{"post": posts["public"]})
	bob.Comment(posts["public"], "", "nice @carol")
	ada.Like(posts["closed"])
	ada.Comment(posts["closed"], "", "indeed")
	ada.Like(posts["dave"])
	bob.Create("mutes", map[string]any{"muted": carol.ID})
	leaver := s.Someone(20) // whose comment becomes a tombstone
	thread := leaver.Comment(posts["public"], "", "@bob look")
	ada.Comment(posts["public"], thread, "indeed")
	leaver.Comment(posts["closed"], "", "hello")
	leaver.Post("of somebody who leaves")
	dave.Comment(posts["public"], "", "between others")
	for i := range 12 {
		s.Someone(i).Like(posts["public"])
	}
	s.Someone(3).Follow("ada")
	carol.Update("users", carol.ID, map[string]any{"private": true})
	ada.Delete("posts", posts["deleted"])
	leaver.Delete("users", leaver.ID)
	dave.Block("bob")
	bob.Block("mallory")
	execServiceSQL(t, s, `UPDATE posts SET hidden = 1 WHERE id = '`+posts["hidden"]+`'`)
	execServiceSQL(t, s, `UPDATE users SET state = 'suspended' WHERE handle IN ('eve', 'someone_5')`)
	execServiceSQL(t, s, `UPDATE posts SET media = '[{"w": 64, "hash":"é \/"}]', alts = '["a"]' WHERE id = '`+posts["public"]+`'`)
	s.RunJobs()
	for name, comment := range map[string]string{"bob": `author = '` + dave.ID + `'`, "carol": `author = ''`, "eve": `author = '` + bob.ID + `'`} {
		execServiceSQL(t, s, `UPDATE notifications SET post = '`+posts["public"]+`', comment = (SELECT id FROM comments WHERE `+comment+`) WHERE recipient = '`+s.User(name).Id+`'`)
	}
	execServiceSQL(t, s, `UPDATE comments SET hidden = 1 WHERE author IN ('`+ada.ID+`', '`+bob.ID+`')`)
	execServiceSQL(t, s, `UPDATE notifications SET comment = 'nothinglikethis' WHERE recipient = '`+dave.ID+`'`)
	return s, posts
}

func execServiceSQL(t *testing.T, s *hookstest.Service, sql string) {
	t.Helper()
	if _, err := s.App.DB().NewQuery(sql).Execute(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// compareAllReads compares the answers to all plain reads, for everybody.
func compareAllReads(t *testing.T, s, general *hookstest.Service, posts map[string]string) {
	t.Helper()
	var paths []string
	for _, expand := range []string{"", feedExpand} {
		paths = append(paths, feedPath+expand)
	}
	for _, expand := range []string{"", "&expand=actors%2Cpost", trayExpand} {
		paths = append(paths, trayPath+expand)
	}
	for _, name := range []string{"ada", "bob", "carol", "dave", "eve"} {
		filter := `author = "` + s.User(name).Id + `"`
		paths = append(paths, gridPath+"&filter="+escapeQuery(filter), gridPath+"&expand=author&filter="+escapeQuery(filter), profilePath+"&filter="+escapeQuery("("+filter+")"))
	}
	for _, cursor := range []string{`at <= "x" && (at < "x" || post < "y")`, `at <= "9" && (at < "8" || post < "y")`, `at <= "9" && (at < "9" || post < "")`, `at <= "9`, `at <= 9 && (at < 9 || post < 9)`} {
		paths = append(paths, feedPath+"&filter="+escapeQuery(cursor), trayPath+"&filter="+escapeQuery(strings.NewReplacer("at", "latestAt", "post", "id").Replace(cursor)),
			profilePath+"&filter="+escapeQuery(`(author = "`+s.User("ada").Id+`") && `+strings.NewReplacer("at", "created", "post", "id").Replace(cursor)))
	}
	for _, id := range posts {
		paths = append(paths, "/api/collections/posts/records/"+id, "/api/collections/posts/records/"+id+"?expand=author")
	}
	for _, name := range append(hookstest.Cast, "someone_3") {
		a, b := s.As(name), general.As(name)
		for _, path := range append(cursorPaths(a), paths...) {
			expectSameAnswer(t, name, path, a, b)
		}
	}
	for _, path := range paths[:4] {
		expectSameAnswer(t, "guest", path, s.Guest(), general.Guest())
		expectSameAnswer(t, "admin", path, s.Admin(), general.Admin())
	}
}

// cursorPaths returns the paths of the pages that begin after each row of the person's feed, tray and profile.
func cursorPaths(c *hookstest.Client) (paths []string) {
	for _, page := range []struct{ path, filter, at, last string }{
		{feedPath + feedExpand, "", "at", "post"}, {trayPath + trayExpand, "", "latestAt", "id"}, {profilePath, `(author = "` + c.ID + `")`, "created", "id"},
	} {
		for _, row := range c.Must(200, "GET", page.path+"&filter="+escapeQuery(page.filter), nil).Items() {
			filter := fmt.Sprintf(`%s <= "%s" && (%[1]s < "%[2]s" || %s < "%s")`, page.at, row[page.at], page.last, row[page.last])
			if page.filter != "" {
				filter = page.filter + " && " + filter
			}
			paths = append(paths, page.path+"&filter="+escapeQuery(filter))
		}
	}
	return paths
}

func TestAFastReadAnswersAsPocketBaseDoes(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s, posts := newNeighbourhood(t)
	before := answeredCount(t, s, "read", "fast")
	compareAllReads(t, s, startGeneralTwin(t, s), posts)
	if n := answeredCount(t, s, "read", "fast") - before; n < 100 {
		t.Errorf("%d reads were fast", n)
	}
}

func TestAFastReadKnowsFieldsOfTheOwner(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s, posts := newNeighbourhood(t)
	for _, name := range []string{"posts", "users", "notifications", "comments"} {
		c, err := s.App.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		c.Fields.Add(
			&core.TextField{Name: "zText"}, &core.EditorField{Name: "aEditor"}, &core.EmailField{Name: "mEmail"}, &core.URLField{Name: "mURL"},
			&core.NumberField{Name: "mNumber"}, &core.BoolField{Name: "mBool"}, &core.DateField{Name: "mDate"},
			&core.SelectField{Name: "mOne", Values: []string{"a", "[b", "c"}}, &core.SelectField{Name: "mSome", Values: []string{"a", "[b", "c"}, MaxSelect: 3},
			&core.RelationField{Name: "mPerson", CollectionId: s.User("ada").Collection().Id},
			&core.RelationField{Name: "mPeople", CollectionId: s.User("ada").Collection().Id, MaxSelect: 4},
			&core.FileField{Name: "mFile"}, &core.FileField{Name: "mFiles", MaxSelect: 3},
			&core.JSONField{Name: "mJSON"}, &core.GeoPointField{Name: "mPoint"}, &core.TextField{Name: "secret", Hidden: true},
		)
		if err := s.App.Save(c); err != nil {
			t.Fatal(err)
		}
	}
	for i, set := range []string{
		`zText = 'plain', mNumber = 7, mBool = 1, mDate = '2025-02-28 10:00:00.000Z', mOne = 'a', mSome = '["a","c"]', mJSON = '{"b": [1, 2.50], "a":"\u00e9\/"}'`,
		`zText = '{"x":[1]}', mNumber = 0.1, mDate = '2025-01-31 10:00:00.000Z', mOne = '[b', mSome = '["[b","",  "a", "a"]', mJSON = 'true', mFile = 'a_1.jpg', mFiles = '["a_1.jpg","b.png"]'`,
		`zText = '', mNumber = 12345678901234567890, mDate = '2025-02-31 10:00:00.000Z', mOne = '["a","c"]', mSome = '', mJSON = 'no json', mPoint = '{"lat":1.50,"lon":-2}'`,
		`zText = x'ff61', mNumber = -1e-7, mDate = '2024-01-01', mJSON = '', mPerson = 'x', mPeople = '["x","y","x"]', mPoint = '{ "lon":0,"lat":0}'`,
		`zText = 'a' || char(31) || 'b', mNumber = -3, mDate = '0001-01-01 00:00:00.000Z', mJSON = '  [ ]', mPeople = '[]'`,
		`zText = 'nul' || char(0) || 'l', mNumber = 1e21, mDate = '2025-12-31 23:59:60.000Z', mJSON = NULL, secret = 'not for you'`,
	} {
		for _, name := range []string{"posts", "users", "notifications", "comments"} {
			execServiceSQL(t, s, fmt.Sprintf(`UPDATE %s SET aEditor = '<p>%d</p>', mEmail = 'x@example.com', mURL = 'https://example.com/?a=1&b=2', %s WHERE rowid %% 6 = %d`, name, i, set, i))
		}
	}
	before := answeredCount(t, s, "read", "fast")
	compareAllReads(t, s, startGeneralTwin(t, s), posts)
	if n := answeredCount(t, s, "read", "fast") - before; n < 60 {
		t.Errorf("%d reads were fast", n)
	}
}

// TestFieldsOfWhatAJSONFieldMayHold asks for fields of records with JSON that PocketBase stores and shows, although it is not
// quite JSON.
func TestFieldsOfWhatAJSONFieldMayHold(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s := newServiceOnPath(t, "fast")
	c, err := s.App.FindCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	c.Fields.Add(&core.JSONField{Name: "mJSON"})
	if err := s.App.Save(c); err != nil {
		t.Fatal(err)
	}
	ada, paths := s.As("ada"), []string{}
	for _, value := range []string{`'{"a":1,"a":2}'`, `'[{"b":{"a":1,"a":2}}]'`, `CAST(x'22ff22' AS TEXT)`, `'"\ud800"'`, `'no json'`} {
		id := ada.Post("hello")
		execServiceSQL(t, s, `UPDATE posts SET mJSON = `+value+` WHERE id = '`+id+`'`)
		paths = append(paths, "/api/collections/posts/records/"+id+"?fields=id,mJSON", "/api/collections/posts/records/"+id+"?fields=id")
	}
	paths = append(paths, gridPath+"&filter="+escapeQuery(`author = "`+ada.ID+`"`)+"&fields=id,mJSON", feedPath+feedExpand+"&fields=post,expand.post.mJSON")
	general := startGeneralTwin(t, s).As("ada")
	for _, path := range paths {
		got, want := ada.Must(200, "GET", path, nil), general.Must(200, "GET", path, nil)
		if !reflect.DeepEqual(got.Body, want.Body) {
			t.Errorf("%s: %s\nwant %s", path, got.Raw, want.Raw)
		}
	}
}

func TestAFastReadShowsAMuteUntilItEnds(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, post := s.As("ada"), s.As("bob").Post("hello")
	ada.Create("mutes", map[string]any{"muted": s.User("bob").Id, "until": time.Now().Add(time.Hour).UTC().Format("2006-01-02 15:04:05.000Z")})
	isMuting := func() any {
		expanded, _ := ada.Must(200, "GET", "/api/collections/posts/records/"+post+"?expand=author", nil).Body["expand"].(map[string]any)
		author, _ := expanded["author"].(map[string]any)
		relationship, _ := author["relationship"].(map[string]any)
		return relationship["muting"]
	}
	if muting := isMuting(); muting != true {
		t.Errorf("muting is %v while the mute lasts", muting)
	}
	s.Advance(2 * time.Hour)
	if muting := isMuting(); muting != false {
		t.Errorf("muting is %v after the mute has ended", muting)
	}
}

func TestAFastReadOfARevokedTokenIsAGuests(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	for name, revoke := range map[string]func(*hookstest.Service, *hookstest.Client){
		"a new password": func(s *hookstest.Service, bob *hookstest.Client) {
			s.Admin().Update("users", bob.ID, map[string]any{"password": "another password", "passwordConfirm": "another password"})
		},
		"a suspension": func(s *hookstest.Service, bob *hookstest.Client) {
			s.Admin().Update("users", bob.ID, map[string]any{"state": "suspended"})
		},
		"a deletion": func(_ *hookstest.Service, bob *hookstest.Client) { bob.Delete("users", bob.ID) },
		"another process": func(s *hookstest.Service, bob *hookstest.Client) {
			execServiceSQL(t, s, `UPDATE users SET tokenKey = tokenKey || 'x' WHERE id = '`+bob.ID+`'`) // no hook runs for this
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServiceOnPath(t, "fast")
			bob := s.As("bob")
			s.As("ada").Like(bob.Post("hello"))
			before := answeredCount(t, s, "read", "fast")
			for _, path := range []string{feedPath, trayPath} {
				if len(bob.Must(200, "GET", path, nil).Items()) == 0 {
					t.Fatalf("%s: bob is shown nothing", path)
				}
			}
			if n := answeredCount(t, s, "read", "fast") - before; n != 2 {
				t.Fatalf("%d reads were fast", n)
			}
			revoke(s, bob)
			for _, path := range []string{feedPath, trayPath} {
				if n := len(bob.Must(200, "GET", path, nil).Items()); n != 0 {
					t.Errorf("%s: %d rows for a token that was revoked", path, n)
				}
			}
		})
	}
}

func TestAFastReadIsNoRowOfTheLog(t *testing.T) {
	testenv.SkipSequential(t)
	s := newServiceOnPath(t, "fast")
	ada := s.As("ada")
	id := ada.Post("hello")
	s.App.Settings().Logs.MaxDays = 5 // tests log nothing otherwise
	for _, path := range []string{feedPath, feedPath + feedExpand, "/api/collections/posts/records/" + id} {
		ada.Must(200, "GET", path, nil)
	}
	const other = "/api/collections/users/records?page=1&perPage=7"
	for range 100 { // rows come from goroutines of their own
		ada.Must(200, "GET", other, nil)
		if err := s.App.Logger().Handler().(*logger.BatchHandler).WriteAll(context.WithValue(t.Context(), logger.BlockKey, true)); err != nil {
			t.Fatal(err)
		}
		var urls []string
		if err := s.App.AuxDB().NewQuery(`SELECT DISTINCT json_extract(data, '$.url') FROM _logs WHERE json_extract(data, '$.method') = 'GET'`).Column(&urls); err != nil {
			t.Fatal(err)
		}
		switch got := strings.Join(urls, " "); got {
		case "/api/collections/users/records?page=*&perPage=*":
			return
		case "":
		default:
			t.Fatalf("the log has %s", got)
		}
	}
	t.Error("the log has nothing at all")
}

func TestAFastReadStepsAside(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	fast := func(t *testing.T, s *hookstest.Service, path string) bool {
		t.Helper()
		before := answeredCount(t, s, "read", "fast")
		s.As("ada").Must(200, "GET", path, nil)
		return answeredCount(t, s, "read", "fast") > before
	}
	post := func(s *hookstest.Service) string { return s.As("ada").Post("hello") }
	t.Run("for what is not plain", func(t *testing.T) {
		s := newServiceOnPath(t, "fast")
		id := post(s)
		for path, want := range map[string]bool{
			feedPath:                                          true,
			"/api/collections/posts/records/" + id:            true,
			feedPath + "&expand=author":                       false,
			feedPath + "&sort=-at":                            false,
			feedPath + "&filter=" + escapeQuery(`post != ""`): false,
			feedPath + "&filter=" + escapeQuery(`at <= "9" && (at < "8" || post < "x")`): false,
			strings.Replace(feedPath, "page=1", "page=2", 1):                             false,
			strings.Replace(feedPath, "perPage=20", "perPage=501", 1):                    false,
			strings.Replace(feedPath, "-at%2C-post", "-at", 1):                           false,
		} {
			if got := fast(t, s, path); got != want {
				t.Errorf("%s: fast is %v", path, got)
			}
		}
		if n := skipCount(t, s, "query"); n != 7 {
			t.Errorf("%d pages of the feed are counted as asked in a way that only the general path knows", n)
		}
	})
	t.Run("for guests, superusers and where it is turned off", func(t *testing.T) {
		s := newServiceOnPath(t, "fast")
		id := post(s)
		for _, c := range []*hookstest.Client{s.Guest(), s.Admin()} {
			c.Must(200, "GET", feedPath, nil)
			c.Must(200, "GET", "/api/collections/posts/records/"+id, nil)
		}
		off := startGeneralTwin(t, s)
		if fast(t, off, feedPath) || answeredCount(t, off, "read", "general") != 1 || answeredCount(t, s, "read", "fast") != 0 {
			t.Error("it was fast")
		}
	})
	t.Run("for a field that is hidden from now on, not", func(t *testing.T) {
		s := newServiceOnPath(t, "fast")
		id := post(s)
		posts, err := s.App.FindCollectionByNameOrId("posts")
		if err != nil {
			t.Fatal(err)
		}
		posts.Fields.GetByName("place").SetHidden(true)
		if err := s.App.Save(posts); err != nil {
			t.Fatal(err)
		}
		if !fast(t, s, feedPath+feedExpand) || strings.Contains(s.As("ada").Must(200, "GET", "/api/collections/posts/records/"+id, nil).Raw, "place") {
			t.Error("the field is shown, or the page was not fast")
		}
	})
	t.Run("for a field that has the name of ours", func(t *testing.T) {
		s := newServiceOnPath(t, "fast")
		post(s)
		posts, err := s.App.FindCollectionByNameOrId("posts")
		if err != nil {
			t.Fatal(err)
		}
		posts.Fields.Add(&core.TextField{Name: "liked"})
		if err := s.App.Save(posts); err != nil {
			t.Fatal(err)
		}
		if fast(t, s, feedPath+feedExpand) {
			t.Error("the field was left out")
		}
	})
	for name, bind := range map[string]func(core.App){
		"lists": func(app core.App) {
			app.OnRecordsListRequest("feed").BindFunc(func(e *core.RecordsListRequestEvent) error { return e.Next() })
		},
		"views": func(app core.App) {
			app.OnRecordViewRequest().BindFunc(func(e *core.RecordRequestEvent) error { return e.Next() })
		},
		"records": func(app core.App) {
			app.OnRecordEnrich("users").BindFunc(func(e *core.RecordEnrichEvent) error { return e.Next() })
		},
	} {
		t.Run("for an owner's hook on "+name, func(t *testing.T) {
			s := newServiceOnPath(t, "fast", func(app core.App, _ *hooks.Social) { bind(app) })
			post(s)
			if fast(t, s, feedPath) {
				t.Error("the hook was left out")
			}
		})
	}
	for collection, change := range map[string]func(*core.Collection){
		"feed":  func(c *core.Collection) { *c.ListRule += ` || post = "x"` }, // rows of others, too
		"users": func(c *core.Collection) { c.ManageRule = c.ViewRule },
	} {
		t.Run("for another rule of "+collection, func(t *testing.T) {
			s := newServiceOnPath(t, "fast")
			post(s)
			if !fast(t, s, feedPath) {
				t.Fatal("not fast before")
			}
			c, err := s.App.FindCollectionByNameOrId(collection)
			if err != nil {
				t.Fatal(err)
			}
			change(c)
			if err := s.App.Save(c); err != nil {
				t.Fatal(err)
			}
			if fast(t, s, feedPath) {
				t.Error("the rule was left out")
			}
		})
	}
	t.Run("for a rate limit", func(t *testing.T) {
		s := newServiceOnPath(t, "fast")
		post(s)
		settings := s.App.Settings()
		settings.RateLimits.Enabled = true
		settings.RateLimits.Rules = []core.RateLimitRule{{Label: "feed:list", MaxRequests: 100, Duration: 10}}
		if err := s.App.Save(settings); err != nil {
			t.Fatal(err)
		}
		if fast(t, s, feedPath) {
			t.Error("the limit was left out")
		}
	})
}

func TestAFastReadTakesFewStatements(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s, posts := newNeighbourhood(t)
	ada, bob := s.As("ada"), s.As("bob")
	for path, most := range map[string]int64{
		feedPath + feedExpand: 3,
		trayPath + trayExpand: 2,
		profilePath + "&filter=" + escapeQuery(`(author = "`+bob.ID+`")`):   1,
		gridPath + "&filter=" + escapeQuery(`author = "`+bob.ID+`"`):        1,
		"/api/collections/posts/records/" + posts["bob"] + "?expand=author": 1,
	} {
		for _, c := range []*hookstest.Client{ada, bob} {
			c.Do("GET", path, nil) // the token is remembered from now on
			fast, before := answeredCount(t, s, "read", "fast"), db.StatementCount()
			c.Do("GET", path, nil)
			if n := db.StatementCount() - before; answeredCount(t, s, "read", "fast") > fast && n > most {
				t.Errorf("%s: %s took %d statements", c.Name, path, n)
			} else if answeredCount(t, s, "read", "fast") == fast && c == bob {
				t.Errorf("%s: %s was not fast", c.Name, path)
			}
		}
	}
}

// TestAnEqualRequestIsEquallyFast asks the common reads in many spellings: each must be fast, and be answered as the first
// one and as PocketBase answers it.
func TestAnEqualRequestIsEquallyFast(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s, posts := newNeighbourhood(t)
	bob, general := s.As("bob"), startGeneralTwin(t, s).As("bob")
	ada := s.User("ada").Id
	row := bob.Must(200, "GET", feedPath, nil).Items()[0]
	feedAt, feedPost := row["at"].(string), row["post"].(string)
	page := func(collection, sort, perPage, expands, filter string, filters []string) (all []string) {
		base := "/api/collections/" + collection + "/records?"
		query := func(parts ...string) {
			all = append(all, base+strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "&"))
		}
		with := func(name, value string) string { return name + "=" + escapeQuery(value) }
		order, size, text := with("sort", sort), with("perPage", perPage), with("filter", filter)
		spaced, paths := strings.ReplaceAll(sort, ",", " , "), strings.Split(expands, ",")
		slices.Reverse(paths)
		expand, turned := with("expand", expands), with("expand", strings.Join(paths, ","))
		query("page=1", size, order, "skipTotal=true", expand, text)
		query(expand, text, "skipTotal=1", order, size, "page=1")
		query(size, order, "skipTotal=t", expand, text)
		query("page=", size, order, "skipTotal=TRUE", expand, text)
		query("page=0", size, order, "skipTotal=T", expand, text)
		query("page=-7", size, order, "skipTotal=True", expand, text)
		query("page=%2B1", size, order, "skipTotal=1", expand, text)
		query("page=01", size, order, "skipTotal=1", expand, text)
		query(with("perPage", "0"+perPage), order, "skipTotal=1", expand, text)
		query(size, with("sort", spaced), "skipTotal=1", expand, text)
		query(size, with("sort", " "+sort+" "), "skipTotal=1", expand, text)
		query(size, order, "skipTotal=1", turned, text)
		query(size, order, "skipTotal=1", with("expand", expands+","+expands), text)
		query(size, order, "skipTotal=1", with("expand", ","+strings.ReplaceAll(expands, ",", ", ")+","), text)
		query(size, order, "skipTotal=1", with("expand", " "+strings.ReplaceAll(expands, ".", " . ")), text)
		query(size, order, "skipTotal=1", with("expand", "."+expands+"."), text)
		query(size, order, "skipTotal=1", expand, text, "fields=")
		query(size, order, "skipTotal=1", expand, text, "_=1764500000")
		query(size, order, "skipTotal=1", expand, text, "token=", "utm=a&utm=b")
		query("", size, "", order, "skipTotal=1", expand, text+"&")
		query(strings.ReplaceAll(order, "%2C", ","), size, "skipTotal=1", expand, text)
		if perPage == "30" {
			query(order, "skipTotal=1", expand, text)
			query("perPage=", order, "skipTotal=1", expand, text)
			query("perPage=-1", order, "skipTotal=1", expand, text)
		}
		for _, filter := range filters {
			query(size, order, "skipTotal=1", expand, with("filter", filter))
		}
		return all
	}
	cursors := func(first, second, at, id string) []string {
		replacer := strings.NewReplacer("A", first, "B", second, "T", "'"+at+"'", "I", "'"+id+"'")
		var all []string
		for _, text := range []string{`A <= T && (A < T || B < I)`, `A<=T&&(A<T||B<I)`, `(A <= T) && (A < T || B < I)`, `((A <= T && ((A < T) || (B < I))))`, `(A < T || B < I) && A <= T`,
			`A <= T && (B < I || A < T)`, "A <= T\n&&\n(A < T || B < I)", ` A  <=  T  &&  ( A < T  ||  B < I ) `} {
			if text != `((A <= T && ((A < T) || (B < I))))` {
				all = append(all, replacer.Replace(text))
			}
			all = append(all, strings.ReplaceAll(replacer.Replace(text), "'", `"`))
		}
		return all
	}
	for name, spellings := range map[string][]string{
		"feed":             page("feed", "-at,-post", "20", "post.author", "", nil),
		"feed of 30":       page("feed", "-at,-post", "30", "post", "", nil),
		"feed of 200":      page("feed", "-at,-post", "200", "post", "", nil),
		"feed of 500":      page("feed", "-at,-post", "500", "", "", nil),
		"rest of the feed": page("feed", "-at,-post", "20", "post.author", cursors("at", "post", feedAt, feedPost)[0], cursors("at", "post", feedAt, feedPost)),
		"tray":             page("notifications", "-latestAt,-id", "30", "actors,post.author,comment", "", nil),
		"rest of the tray": page("notifications", "-latestAt,-id", "20", "actors,post", cursors("latestAt", "id", "2099-01-01 00:00:00.000Z", "x")[0], cursors("latestAt", "id", "2099-01-01 00:00:00.000Z", "x")),
		"grid":             page("posts", "-created", "30", "author", `author = "`+ada+`"`, []string{`author='` + ada + `'`, `(author="` + ada + `")`, `((author = '` + ada + `'))`, ` author  =  "` + ada + `" `}),
		"post": {
			"/api/collections/posts/records/" + posts["public"] + "?expand=author", "/api/collections/posts/records/" + posts["public"] + "?fields=&expand=author,author",
			"/api/collections/posts/records/" + posts["public"] + "?expand=%20author", "/api/collections/posts/records/" + posts["public"] + "?skipTotal=1&expand=author,&page=9&x",
		},
	} {
		first := bob.Must(200, "GET", spellings[0], nil)
		for _, path := range spellings {
			before := answeredCount(t, s, "read", "fast")
			if got := expectSameAnswer(t, name, path, bob, general); got.Raw != first.Raw {
				t.Errorf("%s: %s: %s\nwant as for %s: %s", name, path, got.Raw, spellings[0], first.Raw)
			}
			if answeredCount(t, s, "read", "fast") == before {
				t.Errorf("%s: %s was not fast", name, path)
			}
		}
		for _, more := range []string{"&skipTotal=0", "&skipTotal=", "&fields=id", "&fields=*,expand.post.id", "&fields=caption:excerpt(5)"} { // which change the answer
			path := spellings[0] + more
			if strings.Contains(more, "Total") {
				path = strings.Replace(spellings[0], "&skipTotal=true", more, 1)
			}
			before := answeredCount(t, s, "read", "fast")
			got, want := bob.Must(200, "GET", path, nil), general.Must(200, "GET", path, nil)
			if !reflect.DeepEqual(got.Body, want.Body) { // fields come in any order
				t.Errorf("%s: %s: %s\nwant %s", name, path, got.Raw, want.Raw)
			}
			if answeredCount(t, s, "read", "fast") == before {
				t.Errorf("%s: %s was not fast", name, path)
			}
		}
	}
}

package inbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/search"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// subscribeAs connects a device without HTTP, signed in as auth, or as a guest if auth is nil.
func (s *service) subscribeAs(auth *core.Record, subs ...string) *device {
	s.Helper()
	d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
	s.inbox.addDevice(d)
	d.Set(apis.RealtimeClientAuthKey, auth)
	s.inbox.subscribe(d, newSubscription(d, auth, parseTopics(s.app, subs)))
	return d
}

func (s *service) findUser(name string) *core.Record {
	s.Helper()
	user, err := s.app.FindRecordById("users", name)
	requireNoError(s, err)
	return user
}

// saveRecord stores a record without validation.
func (s *service) saveRecord(collection string, fields map[string]any) *core.Record {
	s.Helper()
	c, err := s.app.FindCachedCollectionByNameOrId(collection)
	requireNoError(s, err)
	record := core.NewRecord(c)
	record.Load(fields)
	requireNoError(s, s.app.SaveNoValidate(record))
	return record
}

// addSuperuser adds a superuser and returns their token.
func (s *service) addSuperuser(email string) (token string) {
	s.Helper()
	record := s.saveRecord("_superusers", map[string]any{"email": email, "password": "correct horse"})
	token, err := record.NewAuthToken()
	requireNoError(s, err)
	return token
}

func TestNothingOfOursIsLeftToPocketBase(t *testing.T) {
	s := startService(t)
	collections, err := s.app.FindAllCollections()
	requireNoError(t, err)
	root := s.addSuperuser("root@example.com")
	games := core.NewBaseCollection("games")
	requireNoError(t, s.app.Save(games))
	seen := 0
	for _, c := range collections {
		if !collection.IsOurs(c.Name) && !c.System {
			t.Errorf("%s is nobody's", c.Name)
		}
		seen++
		for who, token := range map[string]string{"guest": "", "user": s.tokenOf("ada"), "superuser": root} {
			d := s.connectDevice(token, c.Name, c.Name+"/*", c.Name+"/abc", c.Id, c.Id+"/*", c.Id+"/abc", "games/*", "my topic")
			if left := d.serverDevice().Subscriptions(); len(left) != 2 || !d.serverDevice().HasSubscription("games/*") || !d.serverDevice().HasSubscription("my topic") {
				t.Errorf("%s, %s: PocketBase is left %v", c.Name, who, left)
			}
			d.serverDevice().Discard()
		}
	}
	if seen < len(collection.Names()) {
		t.Errorf("%d collections", seen)
	}
}

func TestTopicsAreBounded(t *testing.T) {
	s := startService(t)
	many := func(n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprint("posts/p", i))
		}
		return names
	}
	root := s.addSuperuser("root@example.com")
	for name, c := range map[string]struct {
		token  string
		topics []string
		want   int
	}{
		"a guest, 20":                     {"", many(20), 204},
		"a guest, 21":                     {"", many(21), 400},
		"a guest, 21 with owners' topics": {"", append(many(20), "my topic"), 400},
		"a guest with options":            {"", []string{withQuery("posts/*", `{"fields":"id"}`)}, 400},
		"a guest with headers":            {"", []string{`posts/*?options={"headers":{"x":"y"}}`}, 400},
		"a guest with a filter":           {"", []string{withQuery("likes/*", `{"filter":"post='p1'"}`)}, 400},
		"a guest with empty options":      {"", []string{`posts/*?options={"query":{},"headers":{}}`}, 204},
		"a guest, what is personal":       {"", []string{withQuery("notifications/*", `{"expand":"post"}`), withQuery("feed/*", `{"expand":"post"}`)}, 204},
		"a guest, an owner's collection":  {"", []string{withQuery("games/*", `{"filter":"id!=''"}`)}, 204},
		"a user, 100":                     {s.tokenOf("ada"), many(100), 204},
		"a user, 101":                     {s.tokenOf("ada"), many(101), 400},
		"a user with options":             {s.tokenOf("ada"), []string{withQuery("posts/*", `{"fields":"id"}`)}, 204},
		"a superuser":                     {root, many(1000), 204},
	} {
		t.Run(name, func(t *testing.T) {
			d := s.connectDevice(c.token, "likes/*")
			if got := d.subscribe(c.topics...); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
			if want := len(c.topics); c.want != http.StatusNoContent {
				device := d.serverDevice()
				s.inbox.mu.Lock()
				topics := s.inbox.devices[device].topics
				s.inbox.mu.Unlock()
				if len(topics) != 1 || topics[0].name != "likes/*" {
					t.Errorf("a refused subscribe changed the topics to %d, not %d", len(topics), want)
				}
			}
		})
	}
}

// fillWorld fills the collections with rows that some may see and others not.
func (s *service) fillWorld() (rows []*core.Record, viewers []*core.Record) {
	s.Helper()
	s.signUp(s.app, "dan")
	s.signUp(s.app, "eve")
	s.execSQL(s.app, `UPDATE users SET private = 1 WHERE id = 'dan'`, nil)
	s.execSQL(s.app, `UPDATE users SET state = 'suspended' WHERE id = 'eve'`, nil)
	s.execSQL(s.app, `UPDATE users SET role = 'moderator' WHERE id = 'cyn'`, nil)
	add := func(collection string, fields map[string]any) string {
		row := s.saveRecord(collection, fields)
		rows = append(rows, row)
		return row.Id
	}
	add("follows", map[string]any{"follower": "ada", "followee": "dan", "state": "accepted"})
	add("follows", map[string]any{"follower": "bob", "followee": "dan", "state": "pending"})
	add("follows", map[string]any{"follower": "bob", "followee": "ada", "state": "accepted"})
	add("blocks", map[string]any{"blocker": "cyn", "blocked": "ada"})
	add("mutes", map[string]any{"muter": "bob", "muted": "ada"})
	tag := add("hashtags", map[string]any{"name": "cats"})
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for _, author := range []string{"ada", "cyn", "dan", "eve"} {
		add("devices", map[string]any{"user": author, "kind": "webpush", "endpoint": "https://" + author})
		for _, visibility := range []string{"public", "followers", "private"} {
			post := add("posts", map[string]any{"author": author, "visibility": visibility, "hidden": author == "ada" && visibility == "followers"})
			add("post_tags", map[string]any{"tag": tag, "post": post})
			add("likes", map[string]any{"post": post, "user": "bob"})
			add("saves", map[string]any{"post": post, "user": "bob"})
			comment := add("comments", map[string]any{"post": post, "author": "cyn", "text": "hi", "hidden": author == "cyn"})
			add("comment_likes", map[string]any{"comment": comment, "user": "ada"})
			add("reports", map[string]any{"reporter": author, "post": post, "state": "open"})
			story := add("stories", map[string]any{"author": author, "visibility": visibility, "expires": map[bool]time.Time{true: soon, false: past}[visibility == "public"]})
			add("story_views", map[string]any{"story": story, "viewer": "bob"})
		}
	}
	users, err := s.app.FindAllRecords("users")
	requireNoError(s, err)
	return append(rows, users...), append(users, nil)
}

// pocketBaseTells is a copy of realtimeCanAccessRecord in PocketBase's apis/realtime.go.
func (s *service) pocketBaseTells(record *core.Record, info *core.RequestInfo, rule *string) bool {
	if ok, _ := s.app.CanAccessRecord(record, info, rule); !ok {
		return false
	}
	filter := info.Query[search.FilterQueryParam]
	if filter == "" {
		return true
	}
	if strings.Contains(filter, "@request.") || strings.Contains(filter, "@collection.") {
		return false
	}
	name := record.Collection().Name
	q := s.app.ConcurrentDB().Select("(1)").From(name).AndWhere(dbx.HashExp{name + ".id": record.Id})
	resolver := core.NewRecordFieldResolver(s.app, record.Collection(), info, false)
	expression, err := search.FilterData(filter).BuildExpr(resolver)
	if err != nil || resolver.UpdateQuery(q.AndWhere(expression)) != nil {
		return false
	}
	exists := 0
	return q.Limit(1).Row(&exists) == nil && exists > 0
}

func TestWhoSeesARowIsWhomPocketBaseTells(t *testing.T) {
	testenv.SkipSequential(t)
	s := startService(t)
	rows, viewers := s.fillWorld()
	filters := map[string][]string{
		"":         {"", `id != "x"`, `id = "x"`, `created > "2020-01-01 00:00:00.000Z"`, `nonsense(`, `nothing = 1`, `@request.auth.id != ""`},
		"likes":    {`user = "bob"`, `post.author = "ada"`, `post.author.private = false`, `post.hidden = false`},
		"comments": {`text ~ "h"`, `post.visibility = "public"`, `post.author.handle != "dan"`},
		"users":    {`email = ""`, `handle = "ada"`},
	}
	yes, no := 0, 0
	for _, row := range rows {
		c := row.Collection()
		for _, filter := range append(filters[""], filters[c.Name]...) {
			topic := topic{name: c.Name + "/*?" + filter, collection: c.Name, row: everyRow}
			topic.options.Query = map[string]string{"filter": filter}
			want := map[string]bool{}
			var listeners []listener
			for _, auth := range viewers {
				d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
				if filter == "" || auth != nil { // guests have no filters
					listeners = append(listeners, listener{newSubscription(d, auth, nil), topic, auth})
					want[viewerKey(auth)] = s.pocketBaseTells(row, s.inbox.requestInfo(auth, topic), c.ListRule)
				}
			}
			seeing, err := s.inbox.filterVisible(row, listeners)
			requireNoError(t, err)
			got := map[string]bool{}
			for _, l := range seeing {
				got[viewerKey(l.auth)] = true
			}
			for who, want := range want {
				if got[who] != want {
					t.Errorf("%s %v, filter %s: %q sees it: %v, PocketBase says %v", c.Name, row.FieldsData(), filter, who, got[who], want)
				}
				if want {
					yes++
				} else {
					no++
				}
			}
		}
	}
	if yes < 500 || no < 500 {
		t.Errorf("%d times somebody sees, %d times not", yes, no)
	}
}

// countStatements counts the statements of both pools from now on.
func (s *service) countStatements() *atomic.Int64 {
	n := new(atomic.Int64)
	for _, pool := range []dbx.Builder{s.app.ConcurrentDB(), s.app.NonconcurrentDB()} {
		pool.(*dbx.DB).QueryLogFunc = func(context.Context, time.Duration, string, *sql.Rows, error) { n.Add(1) }
		pool.(*dbx.DB).ExecLogFunc = func(context.Context, time.Duration, string, sql.Result, error) { n.Add(1) }
	}
	return n
}

// A write costs its writer the same, whoever listens to whatever: everything else is done after the answer.
func TestWhoListensCostsTheWriterNothing(t *testing.T) {
	testenv.SkipSequential(t)
	s := startService(t)
	s.fillWorld()
	n := s.countStatements()
	hold := make(chan struct{})
	writes := func() (statements int64) {
		before := n.Load()
		post := s.saveRecord("posts", map[string]any{"author": "ada", "visibility": "public"})
		like := s.saveRecord("likes", map[string]any{"post": post.Id, "user": "bob"})
		comment := s.saveRecord("comments", map[string]any{"post": post.Id, "author": "bob", "text": "hi"})
		comment.Set("text", "again")
		requireNoError(t, s.app.SaveNoValidate(comment))
		post.Set("caption", "again")
		requireNoError(t, s.app.SaveNoValidate(post))
		requireNoError(t, s.app.Delete(like))
		requireNoError(t, s.app.Delete(comment))
		requireNoError(t, s.app.Delete(post))
		return n.Load() - before
	}
	alone := writes()
	for _, auth := range []*core.Record{nil, s.findUser("ada"), s.findUser("bob"), s.findUser("cyn")} {
		for i := range 100 {
			filter := fmt.Sprintf(`{"filter":"id != '%d'"}`, i)
			s.subscribeAs(auth, "posts/*", "likes/*", "comments/*", "posts", "users/*", withQuery("likes/*", filter), withQuery("posts/*", filter), "settings/*", "likes/not_there")
		}
	}
	s.inbox.broadcastQueue.enqueue(workKey{author: "hold"}, update{})
	s.waitUntilIdle()
	s.inbox.broadcastQueue.handle = func(key workKey, u update) { <-hold; s.inbox.handleUpdate(key, u) }
	if among := writes(); among != alone || alone < 8 {
		t.Errorf("the writes took %d statements, and %d with nobody there", among, alone)
	}
	if waiting := s.inbox.broadcastQueue.waitingCount(); waiting < 7 {
		t.Errorf("%d errands wait: who listens would hear nothing", waiting)
	}
	close(hold)
	s.waitUntilIdle()
}

// PocketBase's broadcast checks each device in its broker, whatever it listens to.
func BenchmarkASaveAmongFiveThousand(b *testing.B) {
	s := startService(b)
	for name, n := range map[string]int{"0": 0, "5000": 5000} {
		b.Run(name, func(b *testing.B) {
			var devices []*device
			for range n {
				devices = append(devices, s.subscribeAs(nil, "stories/*"))
			}
			post := s.saveRecord("posts", map[string]any{"author": "ada", "visibility": "public"})
			for b.Loop() {
				requireNoError(b, s.app.SaveNoValidate(post))
			}
			for _, d := range devices {
				s.inbox.removeDevice(d)
			}
		})
	}
}

func TestFiveHundredFollowersCostAFewStatementsAndOneEncoding(t *testing.T) {
	testenv.SkipSequential(t)
	s := startService(t)
	s.inbox.EnrichmentKeys = func(_ *core.Record, users []string) (map[string]string, bool, error) {
		keys := map[string]string{}
		for _, user := range users {
			keys[user] = ""
		}
		return keys, true, nil
	}
	var shown atomic.Int64
	s.app.OnRecordEnrich("posts").BindFunc(func(e *core.RecordEnrichEvent) error {
		shown.Add(1)
		return e.Next()
	})
	s.signUpMany(500)
	s.execSQL(s.app, `INSERT INTO blocks (id, blocker, blocked, created, updated) VALUES ('b', 'bob', 'other7', {:now}, {:now})`, nil)
	var devices []*device
	for i := range 500 {
		devices = append(devices, s.subscribeAs(s.findUser(fmt.Sprint("other", i)), "posts/*"))
	}
	for range 500 {
		devices = append(devices, s.subscribeAs(nil, "posts/*"))
	}
	n := s.countStatements()
	post := s.saveRecord("posts", map[string]any{"author": "bob", "visibility": "public"})
	s.waitUntilIdle()
	if told := n.Load(); told > 10 || shown.Load() != 2 {
		t.Errorf("it took %d statements and %d encodings to tell 1,000", told, shown.Load())
	}
	for i, d := range devices {
		select {
		case m := <-d.Channel():
			if i == 7 || m.Name != "posts/*" || !strings.Contains(string(m.Data), post.Id) || !strings.HasSuffix(string(m.Data), `"action":"create"}`) {
				t.Fatalf("device %d is told %s %s", i, m.Name, m.Data)
			}
		default:
			if i != 7 {
				t.Fatalf("device %d is told nothing", i)
			}
		}
	}
}

func TestADeleteReachesWhoSawTheRowAndNobodyElse(t *testing.T) {
	testenv.SkipSequential(t)
	s := startService(t)
	rows, viewers := s.fillWorld()
	streams := map[string]*device{}
	for _, row := range rows {
		c := row.Collection()
		if slices.Contains(personalCollections, c.Name) || c.Name == "users" {
			continue
		}
		want := map[string]bool{}
		for _, auth := range viewers {
			topic := topic{name: c.Name + "/*", collection: c.Name, row: everyRow}
			want[viewerKey(auth)] = s.pocketBaseTells(row, s.inbox.requestInfo(auth, topic), c.ListRule)
			streams[viewerKey(auth)] = s.subscribeAs(auth, c.Name+"/*")
		}
		s.execSQL(s.app, `DELETE FROM `+c.Name+` WHERE id = {:id}`, dbx.Params{"id": row.Id}) // cascades would be sent as well
		s.inbox.RecordWritten("delete", row)
		s.waitUntilIdle()
		for who, d := range streams {
			select {
			case m := <-d.Channel():
				if !want[who] || !strings.Contains(string(m.Data), row.Id) {
					t.Errorf("%q is told %s %s", who, m.Name, m.Data)
				}
			default:
				if want[who] {
					t.Errorf("%q is not told of the delete of %s %v", who, c.Name, row.FieldsData())
				}
			}
			s.inbox.removeDevice(d)
		}
		restore := row.Fresh()
		restore.MarkAsNew()
		requireNoError(t, s.app.SaveNoValidate(restore))
	}
}

func TestADeviceHearsInTheOrderOfTheWrites(t *testing.T) {
	s := startService(t)
	d := s.connectDevice(s.tokenOf("ada"), "posts/*", "comments/*", withQuery("likes/*", `{"fields":"id"}`))
	var want []string
	for range 30 {
		post := s.saveRecord("posts", map[string]any{"author": "bob", "visibility": "public"})
		comment := s.saveRecord("comments", map[string]any{"post": post.Id, "author": "cyn", "text": "hi"})
		like := s.saveRecord("likes", map[string]any{"post": post.Id, "user": "bob"})
		requireNoError(t, s.app.Delete(like))
		comment.Set("text", "again")
		requireNoError(t, s.app.SaveNoValidate(comment))
		want = append(want, "posts/* create "+post.Id, "comments/* create "+comment.Id, "like create "+like.Id, "like delete "+like.Id, "comments/* update "+comment.Id)
	}
	for _, one := range want {
		e := d.nextEvent()
		got := e.String()
		if strings.HasPrefix(e.name, "likes/*?") {
			got = "like" + strings.TrimPrefix(got, e.name)
			if len(e.Record) != 1 {
				t.Fatalf("got the fields %v", e.Record)
			}
		}
		if got != one {
			t.Fatalf("got %q, want %q", got, one)
		}
	}
}

// A change between the write and its delivery lets nobody see more than they could at either moment.
func TestNobodyIsToldWhatTheyCouldNotSeeOrCanNoLonger(t *testing.T) {
	s := startService(t)
	d, bob := s.connectDevice(s.tokenOf("ada"), "posts/*"), s.connectDevice(s.tokenOf("bob"), "posts/*")
	hold, held := make(chan struct{}), true
	s.waitUntilIdle()
	s.inbox.broadcastQueue.handle = func(e workKey, n update) {
		if held {
			<-hold
		}
		s.inbox.handleUpdate(e, n)
	}
	opened := s.saveRecord("posts", map[string]any{"author": "bob", "visibility": "private", "caption": "secret"})
	opened.Set("visibility", "public")
	opened.Set("caption", "for all")
	requireNoError(t, s.app.SaveNoValidate(opened))
	closed := s.saveRecord("posts", map[string]any{"author": "bob", "visibility": "public", "caption": "still"})
	closed.Set("visibility", "private")
	requireNoError(t, s.app.SaveNoValidate(closed))
	gone := s.saveRecord("posts", map[string]any{"author": "bob", "visibility": "public"})
	requireNoError(t, s.app.Delete(gone))
	close(hold)
	bob.wantEvents("posts/* create "+opened.Id, "posts/* update "+opened.Id, "posts/* create "+closed.Id, "posts/* update "+closed.Id, "posts/* create "+gone.Id, "posts/* delete "+gone.Id)
	if e := d.nextEvent(); e.Action != "update" || e.Record["caption"] != "for all" {
		t.Errorf("ada is told %v %v", e, e.Record)
	}
	d.wantEvents("posts/* create "+gone.Id, "posts/* delete "+gone.Id)
	d.wantNothing()
}

func TestASuperuserHearsOfWhatNobodyMaySee(t *testing.T) {
	s := startService(t)
	root := s.connectDevice(s.addSuperuser("root@example.com"), "audit/*", withQuery("audit/*", `{"filter":"action='suspend'"}`), "posts/*")
	ada := s.connectDevice(s.tokenOf("ada"), "audit/*")
	row := s.saveRecord("audit", map[string]any{"action": "hide"})
	root.wantEvents("audit/* create " + row.Id)
	post := s.saveRecord("posts", map[string]any{"author": "bob", "visibility": "private"})
	root.wantEvents("posts/* create " + post.Id)
	ada.wantNothing()
}

func TestWhoAsksForTooMuchIsDisconnectedAndOthersAreNot(t *testing.T) {
	s := startService(t)
	quiet := s.connectDevice(s.tokenOf("ada"), "posts/*").serverDevice() // it reads
	s.waitUntilIdle()
	hold := make(chan struct{})
	s.inbox.broadcastQueue.handle = func(key workKey, u update) { <-hold; s.inbox.handleUpdate(key, u) }
	var greedy []string
	for i := range 100 {
		greedy = append(greedy, withQuery("posts/*", fmt.Sprintf(`{"filter":"caption = '%d'"}`, i)))
	}
	loud := s.subscribeAs(s.findUser("bob"), greedy...)
	for range crowdedBacklog + 50 {
		s.saveRecord("posts", map[string]any{"author": "cyn", "visibility": "public"})
	}
	close(hold)
	s.waitUntilIdle()
	if quiet.IsDiscarded() || !loud.IsDiscarded() {
		t.Errorf("disconnected: the quiet %v, the loud %v", quiet.IsDiscarded(), loud.IsDiscarded())
	}
	if len(s.inbox.workByDevice) > 0 {
		t.Error("what was spent is not forgotten")
	}
}

func TestOwnersCollectionsStayWithPocketBase(t *testing.T) {
	s := startService(t)
	games := core.NewBaseCollection("games")
	games.ListRule = new(string)
	requireNoError(t, s.app.Save(games))
	guest := s.connectDevice("", withQuery("games/*", `{"filter":"id != 'x'"}`))
	s.waitUntilIdle()
	s.inbox.broadcastQueue.handle = func(e workKey, _ update) { t.Errorf("the inbox is asked about %s", e.row) }
	row := core.NewRecord(games)
	requireNoError(t, s.app.Save(row))
	if e := guest.nextEvent(); e.Action != "create" || e.Record["id"] != row.Id {
		t.Errorf("got %v", e)
	}
}

func TestAnErrorOfTheDatabaseIsNoSilence(t *testing.T) {
	s := startService(t)
	d := s.connectDevice(s.tokenOf("ada"), "posts/*")
	other := s.connectDevice(s.tokenOf("ada"), "likes/*")
	s.app.OnRecordEnrich("posts").Bind(&hook.Handler[*core.RecordEnrichEvent]{Func: func(*core.RecordEnrichEvent) error { panic("at the worst moment") }})
	s.saveRecord("posts", map[string]any{"author": "bob", "visibility": "public"})
	d.wantEnd()
	other.wantNothing()
}

// TestAPostThatCannotBeReadIsNoSilence: who watches it, or has it in a feed, might miss that it left their sight.
func TestAPostThatCannotBeReadIsNoSilence(t *testing.T) {
	for what, recheck := range map[string]func(tx core.App){
		"post":   func(tx core.App) { RecheckPosts(tx, "p1") },
		"author": func(tx core.App) { RecheckAuthor(tx, "bob") },
	} {
		t.Run(what, func(t *testing.T) {
			s := startService(t)
			s.addPost("bob", "p1", "public")
			s.addPost("cyn", "p2", "public")
			s.addFollow(s.app, "cyn", "bob", "accepted")
			watcher, feed, other := s.connectDevice(s.tokenOf("ada"), "posts/p1"), s.connectDevice(s.tokenOf("cyn"), "feed/*"), s.connectDevice(s.tokenOf("ada"), "posts/p2")
			for _, table := range []string{"posts", "follows"} {
				s.execSQL(s.app, `ALTER TABLE `+table+` RENAME TO `+table+`_away`, nil)
			}
			s.inTransaction(recheck)
			watcher.wantEnd()
			feed.wantEnd()
			other.wantNothing()
		})
	}
}

// TestARowThatCannotBeAskedAboutIsNoSilence: a rule or a client's filter that the database could not be asked for says
// nothing of who sees the row. A filter that makes no sense says that nobody does.
func TestARowThatCannotBeAskedAboutIsNoSilence(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{DBConnect: db.Open})
	in := ForApp(app)
	viewers, err := app.FindCachedCollectionByNameOrId("users")
	requireNoError(t, err)
	posts, err := app.FindCachedCollectionByNameOrId("posts")
	requireNoError(t, err)
	row, viewer := core.NewRecord(posts), core.NewRecord(viewers)
	row.Set("author", "bob")
	viewer.Id = "ada"
	for condition, want := range map[string]bool{`caption = ""`: true, `author.name = "Bob"`: true, `nonsense(`: false, `id = "x" "disk I/O error"`: false, `SQLITE_BUSY = 1`: false} {
		topic := topic{name: "posts/*?" + condition, collection: "posts", row: everyRow}
		topic.options.Query = map[string]string{"filter": condition}
		device := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
		asking := []listener{{newSubscription(device, viewer, nil), topic, viewer}}
		for _, rule := range []bool{true, false} {
			db.CheckStatements(app, func(string) error { return errors.New("disk I/O error") })
			seeing, err := in.filterByCondition(row, asking, rule, func(listener) *string { return &condition })
			db.CheckStatements(app, nil)
			if (err != nil) != (want || rule) || len(seeing) > 0 {
				t.Errorf("%s, a rule %v: %d see it, %v", condition, rule, len(seeing), err)
			}
		}
	}
}

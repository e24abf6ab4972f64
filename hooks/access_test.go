package hooks_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/hooks/hookstest"
	"doubletap/internal/guard"
	"doubletap/internal/testenv"
)

var update = flag.Bool("update", false, "rewrite testdata/access.txt and docs/schema.txt")

// TestAccess measures who may do what and compares it with testdata/access.txt, so that a change of a rule
// shows up in a review as changed cells. Every collection must have a line for each verb.
func TestAccess(t *testing.T) {
	testenv.SkipSequential(t)
	open := openWorld(t)
	private := open.but(t, "private account", fields{"private": true}, requested)
	suspended := open.but(t, "suspended account", fields{"state": "suspended"}, func(*hookstest.Service, *world) {})

	m := &matrix{lines: map[line]map[string]string{}}
	t.Run("as", func(t *testing.T) { // ends when every role is through
		for _, w := range []*world{open, private, suspended} {
			for _, r := range roles {
				t.Run(r.name+" with "+cmp.Or(w.state, "open account"), func(t *testing.T) {
					t.Parallel()
					w.measure(t, m, r)
				})
			}
		}
	})
	m.covers(t, open.collections)
	same(t, filepath.Join("testdata", "access.txt"), m.String())
}

// role is a column of the table: somebody, as seen from ada.
type role struct{ name, person string }

var roles = []role{
	{"guest", ""},
	{"stranger", "carol"},
	{"follower", "bob"},
	{"blocked", "dave"}, // by ada
	{"blocker", "eve"},  // of ada
	{"owner", "ada"},
	{"moderator", "mallory"},
	{"superuser", "admin"},
}

const legend = `# Who may do what, as measured over HTTP. Rewrite with: go test ./hooks -run Access -update
#
# Rows are ada's unless they say otherwise; "likes/public" is ada's like of her own public post. The columns: bob follows
# ada, ada blocked dave (blocked), eve blocked ada (blocker), carol (stranger) and mallory (moderator) have no ties with
# her; frank is somebody else. Rows end in the state of ada's account unless it is open. In the line of a create, the
# row is what is created: "likes/followers create" is everybody's own like of ada's followers-only post, and a superuser,
# who is no user, creates it for frank. list counts the rows seen out of all.
`

// matrix is the table: a line by row and verb, and in it a cell by role.
type matrix struct {
	mu    sync.Mutex
	lines map[line]map[string]string
}

type line struct{ row, verb string }

var verbs = []string{"list", "view", "create", "update", "delete"}

func (l line) compare(other line) int {
	order := func(l line) int {
		return slices.IndexFunc(verbs, func(v string) bool { return strings.HasPrefix(l.verb, v) })
	}
	return cmp.Or(strings.Compare(l.row, other.row), order(l)-order(other), strings.Compare(l.verb, other.verb))
}

func (m *matrix) set(row, verb string, r role, cell string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := line{row, verb}
	if m.lines[l] == nil {
		m.lines[l] = map[string]string{}
	}
	m.lines[l][r.name] = cell
}

func (m *matrix) String() string {
	lines := slices.SortedFunc(maps.Keys(m.lines), line.compare)
	row, verb := 0, 0
	for _, l := range lines {
		row, verb = max(row, len(l.row)), max(verb, len(l.verb))
	}
	var text strings.Builder
	text.WriteString(legend)
	for i, l := range lines {
		if collection := strings.Split(l.row, "/")[0]; i == 0 || !strings.HasPrefix(lines[i-1].row, collection+"/") {
			text.WriteString("\n")
		}
		written := fmt.Sprintf("%-*s  %-*s", row, l.row, verb, l.verb)
		for _, r := range roles {
			written += fmt.Sprintf("  %s %-5s", r.name, m.lines[l][r.name])
		}
		text.WriteString(strings.TrimRight(written, " ") + "\n")
	}
	return text.String()
}

// covers fails for a collection that lacks a verb.
func (m *matrix) covers(t *testing.T, collections []string) {
	t.Helper()
	for _, collection := range collections {
		for _, verb := range verbs {
			found := false
			for l := range m.lines {
				found = found || strings.HasPrefix(l.row, collection+"/") && strings.HasPrefix(l.verb, verb)
			}
			if !found {
				t.Errorf("the table has no line for %s of %s: add a row to openWorld", verb, collection)
			}
		}
	}
}

// same fails with the lines that differ unless the file holds text; with -update it writes it.
func same(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	stored, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if string(stored) == text {
		return
	}
	t.Errorf("%s differs; if that is meant, rewrite it with -update and let the review see it\n%s", file, diff(string(stored), text))
}

// diff returns the lines that are only in was or only in is, with their blanks squeezed.
func diff(was, is string) string {
	a, b := strings.Split(was, "\n"), strings.Split(is, "\n")
	common := make([][]int, len(a)+1) // how many lines a[i:] and b[j:] have in common
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	var text strings.Builder
	line := func(sign, l string) { text.WriteString(sign + strings.Join(strings.Fields(l), " ") + "\n") }
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			line("- ", a[i])
			i++
		default:
			line("+ ", b[j])
			j++
		}
	}
	return text.String()
}

// world is a prepared data folder, and what the table says of it.
type world struct {
	dir         string
	state       string            // of ada's account, empty for open and active
	people      map[string]string // ids
	tokens      map[string]string
	collections []string
	rows        []row
	creates     []try
}

// row is a stored record and the changes of it that each role tries.
type row struct {
	name, id string
	updates  []try
}

// try is a request that may change the world.
type try struct {
	row    string
	what   string // behind the verb in the table
	method string
	id     string
	body   fields
}

type fields map[string]any

// me in a body stands for the caller.
const me = "ME"

func collectionOf(row string) string { return strings.Split(row, "/")[0] }

// leavesFirst orders what a role tries in one world: what others hang on, or whose change lets people see more or
// less, comes after them.
var leavesFirst = []string{
	"feed", "retractions", "notification_events", "notifications", "reports", "saves", "mutes", "comment_likes", "likes",
	"comments", "post_tags", "hashtags", "story_views", "stories", "follows", "blocks", "posts", "users",
}

// measure fills the column of a role. Each verb finds a fresh world.
func (w *world) measure(t *testing.T, m *matrix, r role) {
	tries := map[string][]try{"POST": slices.Clone(w.creates)}
	for _, row := range w.rows {
		tries["PATCH"] = append(tries["PATCH"], row.updates...)
		tries["DELETE"] = append(tries["DELETE"], try{row: row.name, method: "DELETE", id: row.id})
	}
	t.Run("read", func(t *testing.T) { w.read(t, m, r) })
	for method, tries := range tries {
		slices.SortStableFunc(tries, func(a, b try) int {
			return slices.Index(leavesFirst, collectionOf(a.row)) - slices.Index(leavesFirst, collectionOf(b.row))
		})
		t.Run(method, func(t *testing.T) {
			_, c := w.enter(t, r)
			for _, try := range tries {
				m.set(w.named(try.row), try.verb(), r, fmt.Sprint(w.do(c, r, try)))
			}
		})
	}
}

func (w *world) read(t *testing.T, m *matrix, r role) {
	s, c := w.enter(t, r)
	lists := map[string]map[string]bool{}
	for _, row := range w.rows {
		collection := collectionOf(row.name)
		if lists[collection] == nil {
			lists[collection] = w.list(s, c, m, r, collection)
		}
		status := c.Do("GET", "/api/collections/"+collection+"/records/"+row.id, nil).Status
		m.set(w.named(row.name), "view", r, fmt.Sprint(status))
		if listed := lists[collection][row.id]; listed != (status == 200) {
			t.Errorf("%s: a view answers %d, but listed is %v", row.name, status, listed)
		}
	}
}

func (w *world) list(s *hookstest.Service, c *hookstest.Client, m *matrix, r role, collection string) map[string]bool {
	answer := c.Do("GET", "/api/collections/"+collection+"/records?perPage=500", nil)
	seen := map[string]bool{}
	for _, item := range answer.Items() {
		id, _ := item["id"].(string)
		seen[id] = true
	}
	cell := fmt.Sprintf("%d/%d", len(seen), s.Rows(collection, "1"))
	if answer.Status != 200 {
		cell = fmt.Sprint(answer.Status)
	}
	m.set(w.named(collection+"/*"), "list", r, cell)
	return seen
}

func (tr try) verb() string {
	verb := map[string]string{"POST": "create", "PATCH": "update", "DELETE": "delete"}[tr.method]
	return strings.TrimSpace(verb + " " + tr.what)
}

func (w *world) do(c *hookstest.Client, r role, tr try) int {
	collection := collectionOf(tr.row)
	path := "/api/collections/" + collection + "/records"
	if tr.id != "" {
		return c.Do(tr.method, path+"/"+tr.id, tr.body).Status
	}
	body := maps.Clone(tr.body)
	for field, value := range body {
		if value == me {
			body[field] = c.ID
		}
	}
	if owner := guard.Owners[collection]; owner != "" && body[owner] == nil && r.name == "superuser" {
		body[owner] = w.people["frank"]
	}
	photo := map[string]string{"posts": "photos", "stories": "photo"}[collection]
	if photo == "" {
		return c.Do(tr.method, path, body).Status
	}
	upload := &hookstest.Upload{Fields: map[string]string{}, Files: map[string][]byte{photo: hookstest.Photo()}}
	for field, value := range body {
		upload.Fields[field] = fmt.Sprint(value)
	}
	return c.Do(tr.method, path, upload).Status
}

func (w *world) named(row string) string {
	if w.state == "" {
		return row
	}
	return row + ", " + w.state
}

// enter starts a service in a copy of the world.
func (w *world) enter(t *testing.T, r role) (*hookstest.Service, *hookstest.Client) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		t.Fatal("copy the world:", err)
	}
	s := hookstest.Open(t, dir)
	c := s.Guest()
	c.Name, c.ID, c.Token = r.name, w.people[r.person], w.tokens[r.person]
	return s, c
}

// keep makes what s holds now the world.
func (w *world) keep(t *testing.T, s *hookstest.Service) {
	t.Helper()
	s.RunJobs()
	w.dir = t.TempDir()
	for name, db := range map[string]dbx.Builder{"data.db": s.App.NonconcurrentDB(), "auxiliary.db": s.App.AuxNonconcurrentDB()} {
		if _, err := db.NewQuery("VACUUM INTO {:file}").Bind(dbx.Params{"file": filepath.Join(w.dir, name)}).Execute(); err != nil {
			t.Fatal("keep the world:", err)
		}
	}
}

// but returns the world in which ada's account has changed, with what tell adds to it. Tokens are those of the time
// before. Its table has only the rows that depend on ada's account.
func (w *world) but(t *testing.T, state string, change fields, tell func(s *hookstest.Service, w *world)) *world {
	t.Helper()
	s, _ := w.enter(t, role{})
	other := &world{state: state, people: w.people, tokens: w.tokens, collections: w.collections}
	for _, r := range w.rows {
		if dependsOnAda(r.name) {
			other.rows = append(other.rows, r)
		}
	}
	for _, c := range w.creates {
		if dependsOnAda(c.row) && !strings.HasPrefix(c.what, "naming") {
			other.creates = append(other.creates, c)
		}
	}
	s.Admin().Update("users", w.people["ada"], change)
	tell(s, other)
	other.keep(t, s)
	return other
}

func dependsOnAda(row string) bool {
	collection, name, _ := strings.Cut(row, "/")
	if slices.Contains([]string{"retractions", "notification_events", "devices"}, collection) {
		return false // as settings
	}
	return row == "posts/*" || row == "stories/*" || slices.Contains([]string{"ada", "public", "followers", "ada by bob", "frank by ada", "followers of bob"}, name)
}

// add puts a stored record into the table, with the changes that each role tries.
func (w *world) add(name, id string, updates ...try) {
	for i := range updates {
		updates[i].row, updates[i].method, updates[i].id = name, "PATCH", id
	}
	w.rows = append(w.rows, row{name, id, updates})
}

// to is a change, named by what it changes unless it is the plain one.
func to(what string, body fields) try { return try{what: what, body: body} }

// create puts something that each role tries to create into the table.
func (w *world) create(row, what string, body fields) {
	w.creates = append(w.creates, try{row: row, what: what, method: "POST", body: body})
}

// openWorld tells the story that the table is about.
func openWorld(t *testing.T) *world {
	s := hookstest.New(t)
	w := &world{people: map[string]string{}, tokens: map[string]string{}}
	users, err := s.App.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	users.Fields.GetByName(core.FieldNamePassword).(*core.PasswordField).Cost = 4 // bcrypt's least, as every role signs somebody up
	if err := s.App.Save(users); err != nil {
		t.Fatal(err)
	}
	admin := s.Admin()
	newcomer := fields{"password": hookstest.Password, "passwordConfirm": hookstest.Password, "email": "newcomer@example.com", "handle": "newcomer"}
	admin.Create("users", fields{"password": hookstest.Password, "passwordConfirm": hookstest.Password, "email": "frank@example.com", "handle": "frank"})
	ada, bob, carol, dave, eve, frank := s.As("ada"), s.As("bob"), s.As("carol"), s.As("dave"), s.As("eve"), s.As("frank")
	admin.Update("users", s.User("mallory").Id, fields{"role": "moderator"})
	for _, c := range []*hookstest.Client{ada, bob, carol, dave, eve, frank, s.As("mallory"), admin} {
		w.people[c.Name], w.tokens[c.Name] = c.ID, c.Token
	}
	all, err := s.App.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if !strings.HasPrefix(c.Name, "_") {
			w.collections = append(w.collections, c.Name)
		}
	}
	id := func(collection, condition string, params dbx.Params) string {
		t.Helper()
		record, err := s.App.FindFirstRecordByFilter(collection, condition, params)
		if err != nil {
			t.Fatalf("find %s where %s: %v", collection, condition, err)
		}
		return record.Id
	}

	w.add("users/ada", ada.ID, to("", fields{"bio": "x"}))
	w.add("users/dave", dave.ID, to("", fields{"bio": "x"}))
	w.add("users/eve", eve.ID, to("", fields{"bio": "x"}))
	w.add("users/frank", frank.ID, to("", fields{"bio": "x"}))
	w.create("users/newcomer", "", newcomer)

	w.add("settings/ada", id("settings", "user = {:u}", dbx.Params{"u": ada.ID}),
		to("", fields{"locale": "en"}), to("user", fields{"user": frank.ID}))
	w.create("settings/*", "", fields{"user": me})

	followChanges := func() []try {
		return []try{
			to("notify", fields{"notify": true}), to("state", fields{"state": "accepted"}), to("state to pending", fields{"state": "pending"}),
			to("both", fields{"state": "accepted", "notify": true}), to("follower", fields{"follower": frank.ID, "notify": true}),
		}
	}
	w.add("follows/ada by bob", bob.Follow("ada"), followChanges()...)
	w.add("follows/frank by ada", ada.Follow("frank"), followChanges()...)
	w.add("follows/frank by dave", dave.Follow("frank"), followChanges()...)
	w.create("follows/ada", "", fields{"followee": ada.ID})
	w.create("follows/ada", "naming oneself", fields{"followee": ada.ID, "follower": me})
	w.create("follows/ada", "naming frank", fields{"followee": ada.ID, "follower": frank.ID})
	w.create("follows/frank", "", fields{"followee": frank.ID})
	w.create("follows/dave", "", fields{"followee": dave.ID})
	w.create("follows/*", "of oneself", fields{"followee": me})

	posts, comments := map[string]string{}, map[string]string{}
	for _, audience := range []string{"public", "followers", "private", "hidden", "closed"} {
		visibility := "public"
		if audience == "followers" || audience == "private" {
			visibility = audience
		}
		post := ada.Post("at the lake #sunset #only_"+audience, "visibility", visibility)
		comment := ada.Comment(post, "", "mine")
		posts[audience], comments[audience] = post, comment
		commentLike := ada.Create("comment_likes", fields{"comment": comment}).ID()
		like, save := ada.Like(post), ada.Create("saves", fields{"post": post}).ID()

		w.create("likes/"+audience, "", fields{"post": post})
		w.create("saves/"+audience, "", fields{"post": post})
		w.create("mutes/"+audience, "", fields{"post": post})
		w.create("comments/"+audience, "", fields{"post": post, "text": "hello"})
		w.create("comments/"+audience, "in answer", fields{"post": post, "text": "hello", "parent": comment})
		w.create("comment_likes/"+audience, "", fields{"comment": comment})
		w.create("reports/"+audience, "", fields{"post": post})
		w.create("reports/"+audience, "of the comment", fields{"comment": comment})
		if audience == "closed" {
			ada.Update("posts", post, fields{"commentsOff": true})
			continue
		}
		w.add("posts/"+audience, post, to("", fields{"caption": "x"}), to("author", fields{"author": frank.ID}), to("photos", fields{"photos": []string{}}))
		w.add("likes/"+audience, like, to("", fields{"user": frank.ID}))
		w.add("saves/"+audience, save, to("", fields{"board": "x"}), to("post", fields{"post": posts["public"]}), to("user", fields{"user": frank.ID}))
		w.add("comments/"+audience, comment, to("", fields{"text": "x"}), to("post", fields{"post": posts["public"]}),
			to("author", fields{"author": frank.ID}), to("parent", fields{"parent": comments["public"]}))
		w.add("comment_likes/"+audience, commentLike, to("", fields{"user": frank.ID}))
		w.add("post_tags/"+audience, id("post_tags", "post = {:p} && tag.name = 'sunset'", dbx.Params{"p": post}), to("", fields{"post": posts["public"]}))
		w.add("hashtags/"+audience, id("hashtags", "name = {:n}", dbx.Params{"n": "only_" + audience}), to("", fields{"banned": true}))
	}
	public := posts["public"]
	w.create("posts/*", "", fields{"caption": "x"})
	w.create("posts/*", "naming oneself", fields{"author": me})
	w.create("posts/*", "naming frank", fields{"author": frank.ID})
	for _, edge := range []string{"likes", "saves"} {
		w.create(edge+"/public", "naming oneself", fields{"post": public, "user": me})
		w.create(edge+"/public", "naming frank", fields{"post": public, "user": frank.ID})
		w.create(edge+"/*", "of what is not there", fields{"post": "nosuchpost00000"})
	}
	w.create("comments/public", "naming oneself", fields{"post": public, "text": "hello", "author": me})
	w.create("comments/public", "naming frank", fields{"post": public, "text": "hello", "author": frank.ID})
	w.create("comments/public", "without words", fields{"post": public, "text": " "})
	w.create("comments/public", "across posts", fields{"post": public, "text": "hello", "parent": comments["closed"]})
	w.create("comments/*", "of what is not there", fields{"post": "nosuchpost00000", "text": "hello"})
	w.create("comment_likes/public", "naming oneself", fields{"comment": comments["public"], "user": me})
	w.create("comment_likes/public", "naming frank", fields{"comment": comments["public"], "user": frank.ID})
	w.create("comment_likes/*", "of what is not there", fields{"comment": "nosuchcomment00"})
	w.create("post_tags/*", "", fields{"post": public, "tag": id("hashtags", "name = 'sunset'", nil)})

	// what dave and eve left there before they were parted from ada
	for _, who := range []*hookstest.Client{bob, dave, eve} {
		row := "public by " + who.Name
		comment := who.Comment(public, "", "hello")
		w.add("likes/"+row, who.Like(public), to("", fields{"user": frank.ID}))
		w.add("saves/"+row, who.Create("saves", fields{"post": public}).ID(), to("", fields{"board": "x"}))
		w.add("comments/"+row, comment, to("", fields{"text": "x"}))
		w.add("comment_likes/"+row, frank.Create("comment_likes", fields{"comment": comment}).ID(), to("", fields{"user": ada.ID}))
		w.create("comments/"+row, "in answer", fields{"post": public, "parent": comment, "text": "hello"})
		w.create("comment_likes/"+row, "", fields{"comment": comment})
		w.create("reports/"+row, "of the comment", fields{"comment": comment})
	}
	tombstone := frank.Comment(public, "", "taken back")
	bob.Comment(public, tombstone, "hello")
	frank.Delete("comments", tombstone)
	w.add("comments/tombstone", tombstone, to("", fields{"text": "x"}), to("author", fields{"author": me}))
	w.create("comments/tombstone", "in answer", fields{"post": public, "parent": tombstone, "text": "hello"})
	w.create("comment_likes/tombstone", "", fields{"comment": tombstone})

	frank.Delete("likes", frank.Like(posts["closed"])) // leaves a retraction in ada's tray
	w.add("mutes/frank", ada.Create("mutes", fields{"muted": frank.ID}).ID(),
		to("", fields{"keepNotifications": true}), to("muted", fields{"muted": bob.ID}), to("muter", fields{"muter": frank.ID}))
	w.add("mutes/closed", ada.Create("mutes", fields{"post": posts["closed"]}).ID(),
		to("", fields{"keepNotifications": true}), to("post", fields{"post": public}))
	w.create("mutes/ada", "", fields{"muted": ada.ID})
	w.create("mutes/frank", "", fields{"muted": frank.ID})
	w.create("mutes/frank", "naming oneself", fields{"muted": frank.ID, "muter": me})
	w.create("mutes/carol", "naming frank", fields{"muted": carol.ID, "muter": frank.ID})
	w.create("mutes/frank", "and a post", fields{"muted": frank.ID, "post": public})
	w.create("mutes/*", "of oneself", fields{"muted": me})
	w.create("mutes/*", "of nothing", fields{})

	ofAda := dbx.Params{"u": ada.ID, "p": public}
	w.add("notifications/ada", id("notifications", "recipient = {:u} && type = 'like' && post = {:p}", ofAda),
		to("", fields{"read": true}), to("back to unread", fields{"read": false}))
	w.create("notifications/*", "", fields{"recipient": ada.ID, "type": "system"})
	w.add("retractions/ada", id("retractions", "recipient = {:u}", ofAda), to("", fields{"seq": 1}))
	w.create("retractions/*", "", fields{"recipient": ada.ID, "seq": 999})
	w.add("notification_events/ada", id("notification_events", "recipient = {:u}", ofAda), to("", fields{"active": false}))
	w.create("notification_events/*", "", fields{"recipient": ada.ID, "actor": bob.ID, "type": "like", "subject": "x"})

	w.add("devices/ada", ada.Create("devices", fields{"kind": "fcm", "endpoint": "adas-phone-is-an-android"}).ID(),
		to("", fields{"name": "x"}), to("user", fields{"user": frank.ID}))
	w.create("devices/ada", "", fields{"kind": "fcm", "endpoint": "adas-phone-is-an-android"})
	w.create("devices/*", "", fields{"kind": "fcm", "endpoint": "another-phone-of-somebody"})
	w.create("devices/*", "naming oneself", fields{"kind": "fcm", "endpoint": "another-phone-of-somebody", "user": me})
	w.create("devices/*", "naming frank", fields{"kind": "fcm", "endpoint": "another-phone-of-somebody", "user": frank.ID})

	for _, audience := range []string{"public", "private", "hidden"} {
		w.add("feed/"+audience, id("feed", "viewer = {:u} && post = {:p}", dbx.Params{"u": ada.ID, "p": posts[audience]}), to("", fields{"gone": true}))
	}
	for _, audience := range []string{"followers", "hidden"} {
		w.add("feed/"+audience+" of bob", id("feed", "viewer = {:u} && post = {:p}", dbx.Params{"u": bob.ID, "p": posts[audience]}), to("", fields{"gone": true}))
	}
	w.create("feed/*", "", fields{"viewer": carol.ID, "post": public, "author": ada.ID})

	w.add("hashtags/all of them", id("hashtags", "name = 'sunset'", nil), to("", fields{"banned": true}))
	w.add("hashtags/banned", admin.Create("hashtags", fields{"name": "ugly", "banned": true}).ID(), to("", fields{"banned": false}))
	w.create("hashtags/*", "", fields{"name": "x"})

	w.add("reports/public by bob", bob.Create("reports", fields{"post": public}).ID(), to("", fields{"state": "upheld"}))
	w.add("reports/frank", ada.Create("reports", fields{"user": frank.ID}).ID(), to("", fields{"state": "upheld"}))
	w.create("reports/ada", "", fields{"user": ada.ID})
	w.create("reports/dave", "", fields{"user": dave.ID})
	w.create("reports/ada", "naming oneself", fields{"user": ada.ID, "reporter": me})
	w.create("reports/ada", "naming frank", fields{"user": ada.ID, "reporter": frank.ID})
	w.create("reports/*", "of nothing", fields{})

	stories := map[string]string{}
	for _, kind := range []string{"public", "followers", "over"} {
		story := ada.Story("visibility", map[string]string{"followers": "followers"}[kind])
		stories[kind] = story
		w.add("stories/"+kind, story, to("", fields{"visibility": "public"}), to("expires", fields{"expires": "2099-01-01 00:00:00.000Z"}))
		w.add("story_views/"+kind+" by bob", bob.Create("story_views", fields{"story": story}).ID(), to("", fields{"viewer": frank.ID}))
		w.create("story_views/"+kind, "", fields{"story": story})
		if kind == "public" {
			for _, who := range []*hookstest.Client{dave, eve} {
				w.add("story_views/public by "+who.Name, who.Create("story_views", fields{"story": story}).ID(), to("", fields{"viewer": frank.ID}))
			}
			w.create("story_views/public", "naming oneself", fields{"story": story, "viewer": me})
			w.create("story_views/public", "naming frank", fields{"story": story, "viewer": frank.ID})
		}
	}
	past(s, stories["over"])
	w.create("stories/*", "", fields{})
	w.create("stories/*", "naming oneself", fields{"author": me})
	w.create("stories/*", "naming frank", fields{"author": frank.ID})
	w.create("stories/*", "for oneself alone", fields{"visibility": "private"})
	w.create("story_views/*", "of what is not there", fields{"story": "nosuchstory0000"})

	w.add("blocks/dave", ada.Block("dave"), to("", fields{"blocked": frank.ID}))
	w.add("blocks/ada by eve", eve.Block("ada"), to("", fields{"blocked": frank.ID}))
	w.create("blocks/ada", "", fields{"blocked": ada.ID})
	w.create("blocks/frank", "", fields{"blocked": frank.ID})
	w.create("blocks/ada", "naming oneself", fields{"blocked": ada.ID, "blocker": me})
	w.create("blocks/ada", "naming frank", fields{"blocked": ada.ID, "blocker": frank.ID})
	w.create("blocks/*", "of oneself", fields{"blocked": me})

	w.add("handles/admin", id("handles", "name = 'admin'", nil), to("", fields{"reason": "x"}))
	w.create("handles/*", "", fields{"name": "taken"})
	w.add("audit/one", admin.Create("audit", fields{"action": "test"}).ID(), to("", fields{"action": "x"}))
	w.create("audit/*", "", fields{"action": "test"})
	w.add("jobs/one", admin.Create("jobs", fields{"kind": "test", "state": "dead"}).ID(), to("", fields{"state": "ready"}))
	w.create("jobs/*", "", fields{"kind": "test", "state": "dead"})

	w.add("secrets/one", admin.Create("secrets", fields{"name": "test", "value": "x"}).ID(), to("", fields{"value": "y"}))
	w.create("secrets/*", "", fields{"name": "another", "value": "x"})
	hook := func() string {
		return admin.Create("webhooks", fields{"url": "https://example.com/hook", "disabled": true}).ID()
	}
	w.add("webhooks/one", hook(), to("", fields{"events": []string{"like.created"}}))
	w.create("webhooks/*", "", fields{"url": "https://example.com/another", "disabled": true})
	other := hook()
	w.add("webhook_deliveries/one", admin.Create("webhook_deliveries", fields{"webhook": other, "event": "evt_1", "state": "dead"}).ID(), to("", fields{"state": "delivered"}))
	w.create("webhook_deliveries/*", "", fields{"webhook": other, "event": "evt_2", "state": "dead"})

	admin.Update("posts", posts["hidden"], fields{"hidden": true})
	w.keep(t, s)
	return w
}

// requested has frank ask to follow ada, whose account is private.
func requested(s *hookstest.Service, w *world) {
	pending := s.As("frank").Follow("ada")
	w.add("follows/ada by frank, pending", pending, to("state", fields{"state": "accepted"}), to("notify", fields{"notify": true}))
}

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
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

var updateFiles = flag.Bool("update", false, "rewrite testdata/access.txt and docs/schema.txt")

// TestAccess measures who may do what and compares it with testdata/access.txt, so that a review shows a change of a
// rule as changed cells. Every collection must have a line for each verb.
func TestAccess(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	open := newAccessWorld(t)
	private := open.changedWorld(t, "private account", jsonObject{"private": true}, requestFollow)
	suspended := open.changedWorld(t, "suspended account", jsonObject{"state": "suspended"}, func(*hookstest.Service, *accessWorld) {})

	m := &accessMatrix{lines: map[accessLine]map[string]string{}}
	for _, w := range []*accessWorld{open, private, suspended} {
		for _, r := range roles {
			t.Run(r.name+" with "+cmp.Or(w.state, "open account"), func(t *testing.T) {
				w.measureRole(t, m, r)
			})
		}
	}
	m.requireVerbs(t, open.collections)
	requireSameFile(t, filepath.Join("testdata", "access.txt"), m.String())
}

// role is a column of the table: somebody, by their tie to ada.
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

const accessLegend = `# Who may do what, as measured over HTTP. Rewrite with: go test ./hooks -run Access -update
#
# Rows are ada's unless they say otherwise; "likes/public" is ada's like of her own public post. The columns: bob follows
# ada, ada blocked dave (blocked), eve blocked ada (blocker), carol (stranger) and mallory (moderator) have no ties with
# her; frank is somebody else. Rows end in the state of ada's account unless it is open. In the line of a create, the
# row is what is created: "likes/followers create" is everybody's own like of ada's followers-only post, and a superuser,
# who is no user, creates it for frank. list counts the rows seen out of all.
`

// accessMatrix is the table: one line for each row and verb, with one cell for each role.
type accessMatrix struct {
	lines map[accessLine]map[string]string
}

type accessLine struct{ row, verb string }

var verbs = []string{"list", "view", "create", "update", "delete"}

func (l accessLine) compareLine(other accessLine) int {
	order := func(l accessLine) int {
		return slices.IndexFunc(verbs, func(v string) bool { return strings.HasPrefix(l.verb, v) })
	}
	return cmp.Or(strings.Compare(l.row, other.row), order(l)-order(other), strings.Compare(l.verb, other.verb))
}

func (m *accessMatrix) setCell(row, verb string, r role, cell string) {
	l := accessLine{row, verb}
	if m.lines[l] == nil {
		m.lines[l] = map[string]string{}
	}
	m.lines[l][r.name] = cell
}

func (m *accessMatrix) String() string {
	lines := slices.SortedFunc(maps.Keys(m.lines), accessLine.compareLine)
	row, verb := 0, 0
	for _, l := range lines {
		row, verb = max(row, len(l.row)), max(verb, len(l.verb))
	}
	var text strings.Builder
	text.WriteString(accessLegend)
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

// requireVerbs fails for a collection that lacks a verb.
func (m *accessMatrix) requireVerbs(t *testing.T, collections []string) {
	t.Helper()
	for _, collection := range collections {
		for _, verb := range verbs {
			found := false
			for l := range m.lines {
				found = found || strings.HasPrefix(l.row, collection+"/") && strings.HasPrefix(l.verb, verb)
			}
			if !found {
				t.Errorf("the table has no line for %s of %s: add a row to newAccessWorld", verb, collection)
			}
		}
	}
}

// requireSameFile fails with the lines that differ unless the file holds text. With -update it writes the file.
func requireSameFile(t *testing.T, file, text string) {
	t.Helper()
	if *updateFiles {
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
	t.Errorf("%s differs; if that is meant, rewrite it with -update and let the review see it\n%s", file, diffLines(string(stored), text))
}

// diffLines returns the lines that are only in was or only in is, with their blanks squeezed.
func diffLines(was, is string) string {
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

// accessWorld is a prepared data folder, with what the table needs to know about it.
type accessWorld struct {
	dir         string
	state       string            // of ada's account; empty if it is open and active
	userIDs     map[string]string // by name
	tokens      map[string]string
	collections []string
	rows        []storedRow
	creates     []accessAttempt
}

// storedRow is a stored record and the changes of it that each role tries.
type storedRow struct {
	name, id string
	updates  []accessAttempt
}

// accessAttempt is a request that may change the world.
type accessAttempt struct {
	row     string
	variant string // follows the verb in the table
	method  string
	id      string
	body    jsonObject
}

type jsonObject map[string]any

// callerPlaceholder in a body stands for the caller.
const callerPlaceholder = "ME"

func collectionOf(row string) string { return strings.Split(row, "/")[0] }

// leavesFirst is the order in which a role tries things in one world. A row that others depend on, or whose change
// lets people see more or less, comes after those others.
var leavesFirst = []string{
	"feed", "hidden_posts", "retractions", "notification_events", "notifications", "reports", "saves", "mutes", "comment_likes", "likes",
	"comments", "post_tags", "hashtags", "story_views", "stories", "follows", "blocks", "posts", "users",
}

// measureRole fills the column of a role. Each verb starts in a fresh world.
func (w *accessWorld) measureRole(t *testing.T, m *accessMatrix, r role) {
	tries := map[string][]accessAttempt{"POST": slices.Clone(w.creates)}
	for _, row := range w.rows {
		tries["PATCH"] = append(tries["PATCH"], row.updates...)
		tries["DELETE"] = append(tries["DELETE"], accessAttempt{row: row.name, method: "DELETE", id: row.id})
	}
	t.Run("read", func(t *testing.T) { w.measureReads(t, m, r) })
	for method, tries := range tries {
		slices.SortStableFunc(tries, func(a, b accessAttempt) int {
			return slices.Index(leavesFirst, collectionOf(a.row)) - slices.Index(leavesFirst, collectionOf(b.row))
		})
		t.Run(method, func(t *testing.T) {
			_, c := w.openCopy(t, r)
			for _, try := range tries {
				m.setCell(w.rowLabel(try.row), try.verbName(), r, fmt.Sprint(w.sendAttempt(c, r, try)))
			}
		})
	}
}

func (w *accessWorld) measureReads(t *testing.T, m *accessMatrix, r role) {
	s, c := w.openCopy(t, r)
	lists := map[string]map[string]bool{}
	for _, row := range w.rows {
		collection := collectionOf(row.name)
		if lists[collection] == nil {
			lists[collection] = w.measureList(s, c, m, r, collection)
		}
		status := c.Do("GET", "/api/collections/"+collection+"/records/"+row.id, nil).Status
		m.setCell(w.rowLabel(row.name), "view", r, fmt.Sprint(status))
		if listed := lists[collection][row.id]; listed != (status == 200) {
			t.Errorf("%s: a view answers %d, but listed is %v", row.name, status, listed)
		}
	}
}

func (w *accessWorld) measureList(s *hookstest.Service, c *hookstest.Client, m *accessMatrix, r role, collection string) map[string]bool {
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
	m.setCell(w.rowLabel(collection+"/*"), "list", r, cell)
	return seen
}

func (tr accessAttempt) verbName() string {
	verb := map[string]string{"POST": "create", "PATCH": "update", "DELETE": "delete"}[tr.method]
	return strings.TrimSpace(verb + " " + tr.variant)
}

func (w *accessWorld) sendAttempt(c *hookstest.Client, r role, tr accessAttempt) int {
	name := collectionOf(tr.row)
	path := "/api/collections/" + name + "/records"
	if tr.id != "" {
		return c.Do(tr.method, path+"/"+tr.id, tr.body).Status
	}
	body := maps.Clone(tr.body)
	for field, value := range body {
		if value == callerPlaceholder {
			body[field] = c.ID
		}
	}
	if owner := collection.Describe(name).Owner; owner != "" && body[owner] == nil && r.name == "superuser" {
		body[owner] = w.userIDs["frank"]
	}
	photo := map[string]string{"posts": "photos", "stories": "photo"}[name]
	if photo == "" {
		return c.Do(tr.method, path, body).Status
	}
	upload := &hookstest.Upload{Fields: map[string]string{}, Files: map[string][]byte{photo: hookstest.Photo()}}
	for field, value := range body {
		upload.Fields[field] = fmt.Sprint(value)
	}
	return c.Do(tr.method, path, upload).Status
}

func (w *accessWorld) rowLabel(row string) string {
	if w.state == "" {
		return row
	}
	return row + ", " + w.state
}

// openCopy starts a service in a copy of the world.
func (w *accessWorld) openCopy(t *testing.T, r role) (*hookstest.Service, *hookstest.Client) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		t.Fatal("copy the world:", err)
	}
	s := hookstest.Open(t, dir)
	c := s.Guest()
	c.Name, c.ID, c.Token = r.name, w.userIDs[r.person], w.tokens[r.person]
	return s, c
}

// saveCopy makes the present data of s the world's.
func (w *accessWorld) saveCopy(t *testing.T, s *hookstest.Service) {
	t.Helper()
	s.RunJobs()
	w.dir = t.TempDir()
	for name, db := range map[string]dbx.Builder{"data.db": s.App.NonconcurrentDB(), "auxiliary.db": s.App.AuxNonconcurrentDB()} {
		if _, err := db.NewQuery("VACUUM INTO {:file}").Bind(dbx.Params{"file": filepath.Join(w.dir, name)}).Execute(); err != nil {
			t.Fatal("keep the world:", err)
		}
	}
}

// changedWorld returns a world in which ada's account has changed and add has added rows. The tokens are those from
// before the change. Its table has only the rows that depend on ada's account.
func (w *accessWorld) changedWorld(t *testing.T, state string, change jsonObject, add func(s *hookstest.Service, w *accessWorld)) *accessWorld {
	t.Helper()
	s, _ := w.openCopy(t, role{})
	other := &accessWorld{state: state, userIDs: w.userIDs, tokens: w.tokens, collections: w.collections}
	for _, r := range w.rows {
		if dependsOnAda(r.name) {
			other.rows = append(other.rows, r)
		}
	}
	for _, c := range w.creates {
		if dependsOnAda(c.row) && !strings.HasPrefix(c.variant, "naming") {
			other.creates = append(other.creates, c)
		}
	}
	s.Admin().Update("users", w.userIDs["ada"], change)
	add(s, other)
	other.saveCopy(t, s)
	return other
}

func dependsOnAda(row string) bool {
	collection, name, _ := strings.Cut(row, "/")
	if slices.Contains([]string{"retractions", "notification_events", "devices"}, collection) {
		return false // like settings
	}
	return row == "posts/*" || row == "stories/*" || slices.Contains([]string{"ada", "public", "followers", "ada by bob", "frank by ada", "followers of bob"}, name)
}

// addRow adds a stored record to the table, with the changes that each role tries.
func (w *accessWorld) addRow(name, id string, updates ...accessAttempt) {
	for i := range updates {
		updates[i].row, updates[i].method, updates[i].id = name, "PATCH", id
	}
	w.rows = append(w.rows, storedRow{name, id, updates})
}

// changeOf returns a change. what names the part that it changes; it is empty for the ordinary change.
func changeOf(what string, body jsonObject) accessAttempt {
	return accessAttempt{variant: what, body: body}
}

// addCreate adds a create that each role tries to the table.
func (w *accessWorld) addCreate(row, what string, body jsonObject) {
	w.creates = append(w.creates, accessAttempt{row: row, variant: what, method: "POST", body: body})
}

// newAccessWorld makes the world that the table describes.
func newAccessWorld(t *testing.T) *accessWorld {
	s := hookstest.New(t)
	w := &accessWorld{userIDs: map[string]string{}, tokens: map[string]string{}}
	admin := s.Admin()
	newcomer := jsonObject{"password": hookstest.Password, "passwordConfirm": hookstest.Password, "email": "newcomer@example.com", "handle": "newcomer"}
	admin.Create("users", jsonObject{"password": hookstest.Password, "passwordConfirm": hookstest.Password, "email": "frank@example.com", "handle": "frank"})
	ada, bob, carol, dave, eve, frank := s.As("ada"), s.As("bob"), s.As("carol"), s.As("dave"), s.As("eve"), s.As("frank")
	admin.Update("users", s.User("mallory").Id, jsonObject{"role": "moderator"})
	for _, c := range []*hookstest.Client{ada, bob, carol, dave, eve, frank, s.As("mallory"), admin} {
		w.userIDs[c.Name], w.tokens[c.Name] = c.ID, c.Token
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

	w.addRow("users/ada", ada.ID, changeOf("", jsonObject{"bio": "x"}))
	w.addRow("users/dave", dave.ID, changeOf("", jsonObject{"bio": "x"}))
	w.addRow("users/eve", eve.ID, changeOf("", jsonObject{"bio": "x"}))
	w.addRow("users/frank", frank.ID, changeOf("", jsonObject{"bio": "x"}))
	w.addCreate("users/newcomer", "", newcomer)

	w.addRow("settings/ada", id("settings", "user = {:u}", dbx.Params{"u": ada.ID}),
		changeOf("", jsonObject{"locale": "en"}), changeOf("user", jsonObject{"user": frank.ID}))
	w.addCreate("settings/*", "", jsonObject{"user": callerPlaceholder})

	followChanges := func() []accessAttempt {
		return []accessAttempt{
			changeOf("notify", jsonObject{"notify": true}), changeOf("state", jsonObject{"state": "accepted"}), changeOf("state to pending", jsonObject{"state": "pending"}),
			changeOf("both", jsonObject{"state": "accepted", "notify": true}), changeOf("follower", jsonObject{"follower": frank.ID, "notify": true}),
		}
	}
	w.addRow("follows/ada by bob", bob.Follow("ada"), followChanges()...)
	w.addRow("follows/frank by ada", ada.Follow("frank"), followChanges()...)
	w.addRow("follows/frank by dave", dave.Follow("frank"), followChanges()...)
	w.addCreate("follows/ada", "", jsonObject{"followee": ada.ID})
	w.addCreate("follows/ada", "naming oneself", jsonObject{"followee": ada.ID, "follower": callerPlaceholder})
	w.addCreate("follows/ada", "naming frank", jsonObject{"followee": ada.ID, "follower": frank.ID})
	w.addCreate("follows/frank", "", jsonObject{"followee": frank.ID})
	w.addCreate("follows/dave", "", jsonObject{"followee": dave.ID})
	w.addCreate("follows/*", "of oneself", jsonObject{"followee": callerPlaceholder})

	posts, comments := map[string]string{}, map[string]string{}
	for _, audience := range []string{"public", "followers", "private", "hidden", "closed"} {
		visibility := "public"
		if audience == "followers" || audience == "private" {
			visibility = audience
		}
		post := ada.Post("at the lake #sunset #only_"+audience, "visibility", visibility)
		comment := ada.Comment(post, "", "mine")
		posts[audience], comments[audience] = post, comment
		commentLike := ada.Create("comment_likes", jsonObject{"comment": comment}).ID()
		like, save := ada.Like(post), ada.Create("saves", jsonObject{"post": post}).ID()

		w.addCreate("likes/"+audience, "", jsonObject{"post": post})
		w.addCreate("saves/"+audience, "", jsonObject{"post": post})
		w.addCreate("mutes/"+audience, "", jsonObject{"post": post})
		w.addCreate("comments/"+audience, "", jsonObject{"post": post, "text": "hello"})
		w.addCreate("comments/"+audience, "in answer", jsonObject{"post": post, "text": "hello", "parent": comment})
		w.addCreate("comment_likes/"+audience, "", jsonObject{"comment": comment})
		w.addCreate("reports/"+audience, "", jsonObject{"post": post})
		w.addCreate("reports/"+audience, "of the comment", jsonObject{"comment": comment})
		if audience == "closed" {
			ada.Update("posts", post, jsonObject{"commentsOff": true})
			continue
		}
		w.addRow("posts/"+audience, post, changeOf("", jsonObject{"caption": "x"}), changeOf("author", jsonObject{"author": frank.ID}), changeOf("photos", jsonObject{"photos": []string{}}))
		w.addRow("likes/"+audience, like, changeOf("", jsonObject{"user": frank.ID}))
		w.addRow("saves/"+audience, save, changeOf("", jsonObject{"board": "x"}), changeOf("post", jsonObject{"post": posts["public"]}), changeOf("user", jsonObject{"user": frank.ID}))
		w.addRow("comments/"+audience, comment, changeOf("", jsonObject{"text": "x"}), changeOf("post", jsonObject{"post": posts["public"]}),
			changeOf("author", jsonObject{"author": frank.ID}), changeOf("parent", jsonObject{"parent": comments["public"]}))
		w.addRow("comment_likes/"+audience, commentLike, changeOf("", jsonObject{"user": frank.ID}))
		w.addRow("post_tags/"+audience, id("post_tags", "post = {:p} && tag.name = 'sunset'", dbx.Params{"p": post}), changeOf("", jsonObject{"post": posts["public"]}))
		w.addRow("hashtags/"+audience, id("hashtags", "name = {:n}", dbx.Params{"n": "only_" + audience}), changeOf("", jsonObject{"banned": true}))
	}
	public := posts["public"]
	w.addCreate("posts/*", "", jsonObject{"caption": "x"})
	w.addCreate("posts/*", "naming oneself", jsonObject{"author": callerPlaceholder})
	w.addCreate("posts/*", "naming frank", jsonObject{"author": frank.ID})
	for _, edge := range []string{"likes", "saves"} {
		w.addCreate(edge+"/public", "naming oneself", jsonObject{"post": public, "user": callerPlaceholder})
		w.addCreate(edge+"/public", "naming frank", jsonObject{"post": public, "user": frank.ID})
		w.addCreate(edge+"/*", "of what is not there", jsonObject{"post": "nosuchpost00000"})
	}
	w.addCreate("comments/public", "naming oneself", jsonObject{"post": public, "text": "hello", "author": callerPlaceholder})
	w.addCreate("comments/public", "naming frank", jsonObject{"post": public, "text": "hello", "author": frank.ID})
	w.addCreate("comments/public", "without words", jsonObject{"post": public, "text": " "})
	w.addCreate("comments/public", "across posts", jsonObject{"post": public, "text": "hello", "parent": comments["closed"]})
	w.addCreate("comments/*", "of what is not there", jsonObject{"post": "nosuchpost00000", "text": "hello"})
	w.addCreate("comment_likes/public", "naming oneself", jsonObject{"comment": comments["public"], "user": callerPlaceholder})
	w.addCreate("comment_likes/public", "naming frank", jsonObject{"comment": comments["public"], "user": frank.ID})
	w.addCreate("comment_likes/*", "of what is not there", jsonObject{"comment": "nosuchcomment00"})
	w.addCreate("post_tags/*", "", jsonObject{"post": public, "tag": id("hashtags", "name = 'sunset'", nil)})

	// what dave and eve did there before they and ada blocked each other
	for _, who := range []*hookstest.Client{bob, dave, eve} {
		row := "public by " + who.Name
		comment := who.Comment(public, "", "hello")
		w.addRow("likes/"+row, who.Like(public), changeOf("", jsonObject{"user": frank.ID}))
		w.addRow("saves/"+row, who.Create("saves", jsonObject{"post": public}).ID(), changeOf("", jsonObject{"board": "x"}))
		w.addRow("comments/"+row, comment, changeOf("", jsonObject{"text": "x"}))
		w.addRow("comment_likes/"+row, frank.Create("comment_likes", jsonObject{"comment": comment}).ID(), changeOf("", jsonObject{"user": ada.ID}))
		w.addCreate("comments/"+row, "in answer", jsonObject{"post": public, "parent": comment, "text": "hello"})
		w.addCreate("comment_likes/"+row, "", jsonObject{"comment": comment})
		w.addCreate("reports/"+row, "of the comment", jsonObject{"comment": comment})
	}
	tombstone := frank.Comment(public, "", "taken back")
	bob.Comment(public, tombstone, "hello")
	frank.Delete("comments", tombstone)
	w.addRow("comments/tombstone", tombstone, changeOf("", jsonObject{"text": "x"}), changeOf("author", jsonObject{"author": callerPlaceholder}))
	w.addCreate("comments/tombstone", "in answer", jsonObject{"post": public, "parent": tombstone, "text": "hello"})
	w.addCreate("comment_likes/tombstone", "", jsonObject{"comment": tombstone})

	frank.Delete("likes", frank.Like(posts["closed"])) // leaves a retraction in ada's tray
	w.addRow("mutes/frank", ada.Create("mutes", jsonObject{"muted": frank.ID}).ID(),
		changeOf("", jsonObject{"keepNotifications": true}), changeOf("muted", jsonObject{"muted": bob.ID}), changeOf("muter", jsonObject{"muter": frank.ID}))
	w.addRow("mutes/closed", ada.Create("mutes", jsonObject{"post": posts["closed"]}).ID(),
		changeOf("", jsonObject{"keepNotifications": true}), changeOf("post", jsonObject{"post": public}))
	w.addCreate("mutes/ada", "", jsonObject{"muted": ada.ID})
	w.addCreate("mutes/frank", "", jsonObject{"muted": frank.ID})
	w.addCreate("mutes/frank", "naming oneself", jsonObject{"muted": frank.ID, "muter": callerPlaceholder})
	w.addCreate("mutes/carol", "naming frank", jsonObject{"muted": carol.ID, "muter": frank.ID})
	w.addCreate("mutes/frank", "and a post", jsonObject{"muted": frank.ID, "post": public})
	w.addCreate("mutes/*", "of oneself", jsonObject{"muted": callerPlaceholder})
	w.addCreate("mutes/*", "of nothing", jsonObject{})

	ofAda := dbx.Params{"u": ada.ID, "p": public}
	w.addRow("notifications/ada", id("notifications", "recipient = {:u} && type = 'like' && post = {:p}", ofAda),
		changeOf("", jsonObject{"read": true}), changeOf("back to unread", jsonObject{"read": false}))
	w.addCreate("notifications/*", "", jsonObject{"recipient": ada.ID, "type": "system"})
	w.addRow("retractions/ada", id("retractions", "recipient = {:u}", ofAda), changeOf("", jsonObject{"seq": 1}))
	w.addCreate("retractions/*", "", jsonObject{"recipient": ada.ID, "seq": 999})
	w.addRow("notification_events/ada", id("notification_events", "recipient = {:u}", ofAda), changeOf("", jsonObject{"active": false}))
	w.addCreate("notification_events/*", "", jsonObject{"recipient": ada.ID, "actor": bob.ID, "type": "like", "subject": "x"})

	w.addRow("devices/ada", ada.Create("devices", jsonObject{"kind": "fcm", "endpoint": "adas-phone-is-an-android"}).ID(),
		changeOf("", jsonObject{"name": "x"}), changeOf("user", jsonObject{"user": frank.ID}))
	w.addCreate("devices/ada", "", jsonObject{"kind": "fcm", "endpoint": "adas-phone-is-an-android"})
	w.addCreate("devices/*", "", jsonObject{"kind": "fcm", "endpoint": "another-phone-of-somebody"})
	w.addCreate("devices/*", "naming oneself", jsonObject{"kind": "fcm", "endpoint": "another-phone-of-somebody", "user": callerPlaceholder})
	w.addCreate("devices/*", "naming frank", jsonObject{"kind": "fcm", "endpoint": "another-phone-of-somebody", "user": frank.ID})

	for _, audience := range []string{"public", "private", "hidden"} {
		w.addRow("feed/"+audience, id("feed", "viewer = {:u} && post = {:p}", dbx.Params{"u": ada.ID, "p": posts[audience]}), changeOf("", jsonObject{"post": public}))
	}
	for _, audience := range []string{"followers", "hidden"} {
		w.addRow("feed/"+audience+" of bob", id("feed", "viewer = {:u} && post = {:p}", dbx.Params{"u": bob.ID, "p": posts[audience]}), changeOf("", jsonObject{"post": public}))
	}
	w.addRow("hidden_posts/ada", admin.Create("hidden_posts", jsonObject{"viewer": ada.ID, "post": posts["followers"]}).ID(), changeOf("", jsonObject{"post": public}))
	w.addCreate("hidden_posts/*", "", jsonObject{"viewer": ada.ID, "post": public})
	w.addCreate("feed/*", "", jsonObject{"viewer": carol.ID, "post": public, "author": ada.ID})

	w.addRow("hashtags/all of them", id("hashtags", "name = 'sunset'", nil), changeOf("", jsonObject{"banned": true}))
	w.addRow("hashtags/banned", admin.Create("hashtags", jsonObject{"name": "ugly", "banned": true}).ID(), changeOf("", jsonObject{"banned": false}))
	w.addCreate("hashtags/*", "", jsonObject{"name": "x"})

	w.addRow("reports/public by bob", bob.Create("reports", jsonObject{"post": public}).ID(), changeOf("", jsonObject{"state": "upheld"}))
	w.addRow("reports/frank", ada.Create("reports", jsonObject{"user": frank.ID}).ID(), changeOf("", jsonObject{"state": "upheld"}))
	w.addCreate("reports/ada", "", jsonObject{"user": ada.ID})
	w.addCreate("reports/dave", "", jsonObject{"user": dave.ID})
	w.addCreate("reports/ada", "naming oneself", jsonObject{"user": ada.ID, "reporter": callerPlaceholder})
	w.addCreate("reports/ada", "naming frank", jsonObject{"user": ada.ID, "reporter": frank.ID})
	w.addCreate("reports/*", "of nothing", jsonObject{})

	stories := map[string]string{}
	for _, kind := range []string{"public", "followers", "over"} {
		story := ada.Story("visibility", map[string]string{"followers": "followers"}[kind])
		stories[kind] = story
		w.addRow("stories/"+kind, story, changeOf("", jsonObject{"visibility": "public"}), changeOf("expires", jsonObject{"expires": "2099-01-01 00:00:00.000Z"}))
		w.addRow("story_views/"+kind+" by bob", bob.Create("story_views", jsonObject{"story": story}).ID(), changeOf("", jsonObject{"viewer": frank.ID}))
		w.addCreate("story_views/"+kind, "", jsonObject{"story": story})
		if kind == "public" {
			for _, who := range []*hookstest.Client{dave, eve} {
				w.addRow("story_views/public by "+who.Name, who.Create("story_views", jsonObject{"story": story}).ID(), changeOf("", jsonObject{"viewer": frank.ID}))
			}
			w.addCreate("story_views/public", "naming oneself", jsonObject{"story": story, "viewer": callerPlaceholder})
			w.addCreate("story_views/public", "naming frank", jsonObject{"story": story, "viewer": frank.ID})
		}
	}
	backdateStory(s, stories["over"])
	w.addCreate("stories/*", "", jsonObject{})
	w.addCreate("stories/*", "naming oneself", jsonObject{"author": callerPlaceholder})
	w.addCreate("stories/*", "naming frank", jsonObject{"author": frank.ID})
	w.addCreate("stories/*", "for oneself alone", jsonObject{"visibility": "private"})
	w.addCreate("story_views/*", "of what is not there", jsonObject{"story": "nosuchstory0000"})

	w.addRow("blocks/dave", ada.Block("dave"), changeOf("", jsonObject{"blocked": frank.ID}))
	w.addRow("blocks/ada by eve", eve.Block("ada"), changeOf("", jsonObject{"blocked": frank.ID}))
	w.addCreate("blocks/ada", "", jsonObject{"blocked": ada.ID})
	w.addCreate("blocks/frank", "", jsonObject{"blocked": frank.ID})
	w.addCreate("blocks/ada", "naming oneself", jsonObject{"blocked": ada.ID, "blocker": callerPlaceholder})
	w.addCreate("blocks/ada", "naming frank", jsonObject{"blocked": ada.ID, "blocker": frank.ID})
	w.addCreate("blocks/*", "of oneself", jsonObject{"blocked": callerPlaceholder})

	w.addRow("handles/admin", id("handles", "name = 'admin'", nil), changeOf("", jsonObject{"reason": "x"}))
	w.addCreate("handles/*", "", jsonObject{"name": "taken"})
	w.addRow("audit/one", admin.Create("audit", jsonObject{"action": "test"}).ID(), changeOf("", jsonObject{"action": "x"}))
	w.addCreate("audit/*", "", jsonObject{"action": "test"})
	w.addRow("jobs/one", admin.Create("jobs", jsonObject{"kind": "test", "state": "dead"}).ID(), changeOf("", jsonObject{"state": "ready"}))
	w.addCreate("jobs/*", "", jsonObject{"kind": "test", "state": "dead"})
	w.addRow("idempotency/one", admin.Create("idempotency", jsonObject{"user": ada.ID, "key": "one"}).ID(), changeOf("", jsonObject{"key": "x"}))
	w.addCreate("idempotency/*", "", jsonObject{"user": callerPlaceholder, "key": "two"})

	w.addRow("account_sessions/one", admin.Create("account_sessions", jsonObject{"user": ada.ID, "lastSeen": longAgo, "ends": longAgo}).ID(), changeOf("", jsonObject{"device": "x"}))
	w.addCreate("account_sessions/*", "", jsonObject{"user": callerPlaceholder, "device": "x"})

	w.addRow("secrets/one", admin.Create("secrets", jsonObject{"name": "test", "value": "x"}).ID(), changeOf("", jsonObject{"value": "y"}))
	w.addCreate("secrets/*", "", jsonObject{"name": "another", "value": "x"})
	hook := func() string {
		return admin.Create("webhooks", jsonObject{"url": "https://example.com/hook", "disabled": true}).ID()
	}
	w.addRow("webhooks/one", hook(), changeOf("", jsonObject{"events": []string{"like.created"}}))
	w.addCreate("webhooks/*", "", jsonObject{"url": "https://example.com/another", "disabled": true})
	other := hook()
	w.addRow("webhook_deliveries/one", admin.Create("webhook_deliveries", jsonObject{"webhook": other, "event": "evt_1", "state": "dead"}).ID(), changeOf("", jsonObject{"state": "delivered"}))
	w.addCreate("webhook_deliveries/*", "", jsonObject{"webhook": other, "event": "evt_2", "state": "dead"})

	for _, name := range collection.EdgeNames() { // those that have no rows above
		if slices.ContainsFunc(w.rows, func(row storedRow) bool { return collectionOf(row.name) == name }) {
			continue
		}
		for _, audience := range []string{"public", "followers", "private"} {
			body := clientRows[name](rowSubjects{bob.ID, posts[audience], comments[audience], stories["public"]})
			w.addRow(name+"/"+audience, ada.Create(name, body).ID(), changeOf("", jsonObject{collection.Describe(name).Owner: frank.ID}))
			w.addCreate(name+"/"+audience, "", body)
		}
	}
	admin.Update("posts", posts["hidden"], jsonObject{"hidden": true})
	w.saveCopy(t, s)
	return w
}

// requestFollow makes frank ask to follow ada, whose account is private.
func requestFollow(s *hookstest.Service, w *accessWorld) {
	pending := s.As("frank").Follow("ada")
	w.addRow("follows/ada by frank, pending", pending, changeOf("state", jsonObject{"state": "accepted"}), changeOf("notify", jsonObject{"notify": true}))
}

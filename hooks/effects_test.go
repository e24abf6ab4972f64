package hooks_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

const (
	effectsFile   = "testdata/effects.txt"
	effectsLegend = `# What each word of a client causes: the rows that its transaction stores, changes and removes, and who hears of what at
# once. bob does it, to something of ada's, whom he follows; carol follows both. Rewrite with: go test ./hooks -run Effects -update
#
# A word that stores nothing but its own row needs a reason in quietWords.
`
)

// markLocale begins the locale that a person sets to know that all before it was heard.
const markLocale = "en-x-mark"

// clientChange is a change that a client makes to a row, and what of it is in the file.
type clientChange struct {
	what string
	body jsonObject
}

// clientChanges are the changes of rows that clients create, see clientRows.
var clientChanges = map[string][]clientChange{
	"comments": {{"text", jsonObject{"text": "hello @carol"}}},
	"devices":  {{"name", jsonObject{"name": "mine"}}},
	"follows":  {{"notify", jsonObject{"notify": true}}},
	"mutes":    {{"keepNotifications", jsonObject{"keepNotifications": true}}},
	"posts": {
		{"caption", jsonObject{"caption": "hello @ada #new"}},
		{"to private", jsonObject{"visibility": "private"}},
		{"to public", jsonObject{"visibility": "public"}},
	},
	"saves": {{"board", jsonObject{"board": "later"}}},
}

// quietWords are the words that cause nothing else, with the reason.
var quietWords = map[string]string{
	"blocks delete":      "the rules show again what the block has hidden; follows stay gone",
	"devices create":     "only its owner knows of it",
	"devices update":     "only its owner knows of it",
	"devices delete":     "what was queued for it finds it gone",
	"mutes update":       "whether notifications are kept is asked when there is one",
	"mutes delete":       "what was muted is in the next page; nothing old appears in the tray",
	"reports create":     "moderators read the queue; nobody else may know",
	"saves create":       "a bookmark is its owner's secret",
	"saves update":       "a bookmark is its owner's secret",
	"saves delete":       "a bookmark is its owner's secret",
	"settings update":    "they are read when they are needed",
	"story_views create": "the author asks who has seen a story",
}

// specialWords are the words of collections whose rows no client creates as clientRows has it.
var specialWords = map[string]func(w *effectWorld){
	"users": func(w *effectWorld) {
		w.run("users create", "", func() {
			w.service.Guest().Create("users", jsonObject{"email": "newcomer@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password})
		})
		ada := w.people["ada"]
		w.run("users update", "bio", func() { ada.Update("users", ada.ID, jsonObject{"bio": "hello"}) })
		w.run("users update", "to private", func() { ada.Update("users", ada.ID, jsonObject{"private": true}) })
		w.run("users update", "to public", func() { ada.Update("users", ada.ID, jsonObject{"private": false}) })
		delete(w.streams, "ada") // whose streams end
		w.run("users delete", "", func() { ada.Delete("users", ada.ID) })
	},
	"settings": func(w *effectWorld) {
		ada := w.people["ada"]
		w.run("settings update", "locale", func() { ada.Update("settings", w.settings["ada"], jsonObject{"locale": "de"}) })
	},
	"notifications": func(w *effectWorld) {
		ada := w.people["ada"]
		note := ada.List("notifications", "filter="+escapeQuery("type='like'"))[0]["id"].(string)
		w.run("notifications update", "read", func() { ada.Update("notifications", note, jsonObject{"read": true}) })
		w.run("notifications delete", "", func() { ada.Delete("notifications", note) })
	},
	"feed": func(w *effectWorld) {
		bob := w.people["bob"]
		w.run("feed delete", "", func() { bob.Delete("feed", bob.ID+w.subjects.post) })
	},
}

// TestEffectsOfEachWord does all that clients may do to each collection, and compares what else is stored with it, and
// what is heard at once, with a file. A collection that is new fails here until its words are in the file, and a word
// that causes nothing until there is a reason. Both paths of a like have the same lines.
func TestEffectsOfEachWord(t *testing.T) {
	testenv.SkipSequential(t)
	expected := readEffects()
	var text strings.Builder
	text.WriteString(effectsLegend)
	done, quiet := map[string]bool{}, map[string]bool{}
	var stored []*core.Collection
	for _, d := range collection.All {
		if d.Owner == "" && specialWords[d.Name] == nil {
			continue
		}
		w := newEffectWorld(t, d.Name, expected)
		if stored == nil {
			stored, _ = storedCollections(t, w.service)
		}
		if special := specialWords[d.Name]; special != nil {
			special(w)
		} else {
			w.runRow(&d)
		}
		text.WriteString(w.text.String())
		maps.Copy(done, w.done)
		maps.Copy(quiet, w.quiet)
	}
	for _, c := range stored {
		for verb, rule := range map[string]*string{"create": c.CreateRule, "update": c.UpdateRule, "delete": c.DeleteRule} {
			if word := c.Name + " " + verb; rule != nil && !done[word] {
				t.Errorf("clients may do %q, and the test does not: clientRows, clientChanges or specialWords lack it", word)
			}
		}
	}
	for word, isQuiet := range quiet {
		if isQuiet && quietWords[word] == "" {
			t.Errorf("%q stores nothing but its row, and nobody hears of it: an effect is forgotten, or quietWords lacks the reason", word)
		}
	}
	for word := range quietWords {
		if !quiet[word] {
			t.Errorf("%q is among quietWords, and it causes something or is not done", word)
		}
	}
	requireSameFile(t, effectsFile, text.String())
}

// readEffects returns the lines of the file by their words, unless it is to be written anew.
func readEffects() map[string][]string {
	if *updateFiles {
		return nil
	}
	lines, word := map[string][]string{}, ""
	text, _ := os.ReadFile(effectsFile) // requireSameFile says when it is not there
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if effect, within := strings.CutPrefix(line, "  "); within {
			lines[word] = append(lines[word], effect)
		} else {
			word = line
		}
	}
	return lines
}

// effectWorld is a service in which the words of one collection are done.
type effectWorld struct {
	*testing.T
	service  *hookstest.Service
	people   map[string]*hookstest.Client
	names    map[string]string // of people, by their ids
	settings map[string]string // the ids of their settings
	streams  map[string]*hookstest.Stream
	topics   []string
	subjects rowSubjects
	expected map[string][]string
	waiting  string // for what
	marks    int

	text        strings.Builder
	done, quiet map[string]bool // words
}

func newEffectWorld(t *testing.T, name string, expected map[string][]string) *effectWorld {
	s := hookstest.New(t)
	w := &effectWorld{
		T: t, service: s, expected: expected, people: map[string]*hookstest.Client{}, names: map[string]string{}, settings: map[string]string{},
		streams: map[string]*hookstest.Stream{}, done: map[string]bool{}, quiet: map[string]bool{},
	}
	t.Cleanup(func() {
		if t.Failed() && w.waiting != "" {
			t.Log("waited for what " + w.waiting)
		}
	})
	for _, name := range []string{"ada", "bob", "carol"} {
		c := s.As(name)
		w.people[name], w.names[c.ID], w.settings[name] = c, name, c.List("settings", "")[0]["id"].(string)
	}
	ada, bob, carol := w.people["ada"], w.people["bob"], w.people["carol"]
	w.subjects = newSubjects(ada)
	ada.Like(bob.Post("hello"))
	if name != "likes" {
		bob.Like(w.subjects.post)
	}
	if name != "follows" {
		bob.Follow("ada")
	}
	carol.Follow("ada")
	carol.Update("follows", carol.Follow("bob"), jsonObject{"notify": true})
	w.topics = []string{"posts/" + w.subjects.post}
	stored, _ := storedCollections(t, s)
	for _, c := range stored {
		if c.ListRule != nil {
			w.topics = append(w.topics, c.Name+"/*")
		}
	}
	for name, c := range w.people {
		w.streams[name] = c.Listen()
	}
	return w
}

// listenAnew lets all subscribe anew, and reads what was caused so far. While nobody watches a post, it is forgotten when
// its counts were sent last: they are sent four times a second at most.
func (w *effectWorld) listenAnew() {
	w.Helper()
	for _, stream := range w.streams {
		stream.Subscribe("settings/*")
	}
	for name := range w.streams {
		w.readUntilMark(name, nil)
		w.streams[name].Subscribe(w.topics...)
	}
}

// runRow creates a row of the collection, changes it and deletes it, as far as its rules let clients.
func (w *effectWorld) runRow(d *collection.Descriptor) {
	bob := w.people["bob"]
	c, err := w.service.App.FindCachedCollectionByNameOrId(d.Name)
	if err != nil {
		w.Fatal(err)
	}
	id := ""
	create := func() { id = bob.Create(d.Name, w.newRow(d)).ID() }
	w.run(d.Name+" create", "", create)
	for _, change := range clientChanges[d.Name] {
		w.run(d.Name+" update", change.what, func() { bob.Update(d.Name, id, change.body) })
	}
	remove := func() { bob.Delete(d.Name, id) }
	if c.DeleteRule != nil {
		w.run(d.Name+" delete", "", remove)
	}
	if d.Name == "follows" {
		ada := w.people["ada"]
		// It is a word too: what is heard of it would else be taken for the next one's, as PocketBase sends after its answer.
		w.run("users update", "to private, when bob follows no more", func() { ada.Update("users", ada.ID, jsonObject{"private": true}) })
		w.run("follows create", "a request", create)
		w.run("follows update", "accepted", func() { ada.Update("follows", id, jsonObject{"state": "accepted"}) })
		w.run("follows delete", "one that was accepted", remove)
	}
}

// newRow is what a client sends to create a row.
func (w *effectWorld) newRow(d *collection.Descriptor) any {
	row := clientRows[d.Name](w.subjects)
	if d.Photos == "" {
		return row
	}
	upload := &hookstest.Upload{Fields: map[string]string{}, Files: map[string][]byte{d.Photos: hookstest.Photo()}}
	for field, value := range row {
		upload.Fields[field] = fmt.Sprint(value)
	}
	return upload
}

// run does a word, and writes what it caused.
func (w *effectWorld) run(word, what string, do func()) {
	w.Helper()
	heading := word
	if what != "" {
		heading += ": " + what
	}
	w.listenAnew()
	before := w.readTables()
	do()
	effects := w.compareTables(before, w.readTables())
	for _, name := range slices.Sorted(maps.Keys(w.streams)) {
		w.waiting = name + " hears of " + heading
		heard := map[string]bool{}
		w.readUntilMark(name, heard, w.expected[heading]...)
		effects = append(effects, slices.Sorted(maps.Keys(heard))...)
	}
	w.waiting = ""
	name, _, _ := strings.Cut(word, " ")
	isQuiet := !slices.ContainsFunc(effects, func(line string) bool { return !isOfTable(line, name) })
	if w.done[word] {
		isQuiet = isQuiet && w.quiet[word]
	}
	w.done[word], w.quiet[word] = true, isQuiet
	w.text.WriteString("\n" + heading + "\n")
	for _, line := range effects {
		w.text.WriteString("  " + line + "\n")
	}
}

// isOfTable reports whether an effect is about the rows of the table itself.
func isOfTable(effect, name string) bool {
	if _, what, isHeard := strings.Cut(effect, " hears "); isHeard {
		effect = what
	}
	return strings.HasPrefix(effect, name+" ") || strings.HasPrefix(effect, name+":")
}

// readUntilMark adds what a person hears to heard: all that is expected, and what else came before a message that is
// caused now.
func (w *effectWorld) readUntilMark(name string, heard map[string]bool, expected ...string) {
	w.Helper()
	stream, mark := w.streams[name], ""
	next := func() bool {
		m := stream.Next()
		locale, _ := m.Record["locale"].(string)
		if isMark := strings.HasPrefix(locale, markLocale); isMark || heard == nil {
			return !isMark || locale != mark
		}
		heard[name+" hears "+strings.NewReplacer("/*", "", w.subjects.post, "ID").Replace(m.Topic)+" "+m.Action] = true
		return true
	}
	for _, line := range expected {
		for strings.HasPrefix(line, name+" hears ") && !heard[line] {
			next()
		}
	}
	times := 1
	if *updateFiles && heard != nil {
		times = 20 // the file does not say yet for what to wait
	}
	for range times {
		w.marks++
		mark = markLocale + strconv.Itoa(w.marks)
		w.people[name].Update("settings", w.settings[name], jsonObject{"locale": mark})
		for next() {
		}
	}
}

// tableRows are the rows of tables, by table and by id; those of a table without ids by all they hold.
type tableRows map[string]map[string]dbx.NullStringMap

func (w *effectWorld) readTables() tableRows {
	w.Helper()
	var names []string
	if err := w.service.App.DB().NewQuery(`SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'`).Column(&names); err != nil {
		w.Fatal(err)
	}
	tables := tableRows{}
	for _, table := range names {
		var rows []dbx.NullStringMap
		if err := w.service.App.DB().NewQuery("SELECT * FROM " + table).All(&rows); err != nil {
			w.Fatalf("read %s: %v", table, err)
		}
		tables[table] = map[string]dbx.NullStringMap{}
		for _, row := range rows {
			tables[table][cmp.Or(row["id"].String, fmt.Sprint(row))] = row
		}
	}
	return tables
}

// compareTables says what is in one state of the tables and not in the other.
func (w *effectWorld) compareTables(before, after tableRows) (lines []string) {
	count := map[string]int{}
	for table, rows := range after {
		for id, row := range rows {
			former, stored := before[table][id]
			if !stored {
				count[table+" +"+w.describeRow(row)]++
				continue
			}
			if changed := w.changedColumns(former, row); changed != "" {
				count[table+w.describeRow(row)+": "+changed]++
			}
		}
		for id, row := range before[table] {
			if _, stored := rows[id]; !stored {
				count[table+" -"+w.describeRow(row)]++
			}
		}
	}
	for line, times := range count {
		if times > 1 {
			line += " (" + strconv.Itoa(times) + ")"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// describeRow says of what kind a row is, and whose.
func (w *effectWorld) describeRow(row dbx.NullStringMap) string {
	kind := cmp.Or(row["type"].String, row["kind"].String, row["action"].String)
	if kind != "" {
		kind = " " + kind
	}
	if whose := w.names[cmp.Or(row["recipient"].String, row["user"].String)]; whose != "" {
		kind += " for " + whose
	}
	return kind
}

// changedColumns says which columns of a row differ, and by how much where they are counts.
func (w *effectWorld) changedColumns(before, after dbx.NullStringMap) string {
	var changed []string
	for column, value := range after {
		if column == "updated" || value == before[column] {
			continue
		}
		was, err := strconv.Atoi(before[column].String)
		is, alsoErr := strconv.Atoi(value.String)
		if err == nil && alsoErr == nil {
			column += fmt.Sprintf(" %+d", is-was)
		}
		changed = append(changed, column)
	}
	slices.Sort(changed)
	return strings.Join(changed, ", ")
}

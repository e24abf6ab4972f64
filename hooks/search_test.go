package hooks_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/text/unicode/norm"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/search"
	"github.com/doubletap/doubletap/internal/testenv"
)

// searchField searches one kind and returns a field of each record, and the cursor.
func searchField(t *testing.T, c *hookstest.Client, kind, field, q, more string) ([]string, string) {
	t.Helper()
	a := c.Must(200, "GET", "/api/v1/search?type="+kind+"&q="+escapeQuery(q)+more, nil)
	list, ok := a.Body[kind].([]any)
	if !ok {
		t.Fatalf("%s: no list of %s: %s", q, kind, a.Raw)
	}
	values := []string{}
	for _, item := range list {
		value, _ := item.(map[string]any)[field].(string)
		values = append(values, value)
	}
	cursor, _ := a.Body["cursor"].(string)
	return values, cursor
}

// expectPostsFound fails unless c finds exactly these posts, given by their captions.
func expectPostsFound(t *testing.T, c *hookstest.Client, q string, want ...string) {
	t.Helper()
	got, _ := searchField(t, c, "posts", "caption", q, "")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s looks for %q and finds %q, want %q", c.Name, q, got, want)
	}
}

func TestSearchFindsWords(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	ada, guest := s.As("ada"), s.Guest()
	const cafe, tokyo, seoul, bangkok, plain = "Un café à Nîmes", "東京の夜 iPhoneで撮影 #散歩", "한국어로 쓴 여행", "กรุงเทพมหานคร", "Sunset over snake_case bay"
	for _, caption := range []string{cafe, tokyo, seoul, bangkok, plain} {
		ada.Post(caption)
	}
	ada.Post("elsewhere", "place", "Café Central, Wien")
	for q, want := range map[string][]string{
		"cafe": {cafe, "elsewhere"}, "CAFÉ": {cafe, "elsewhere"}, "cafe\u0301": {cafe, "elsewhere"}, "caf nimes": {cafe}, "nimes cafe": {cafe}, "afe": {},
		"東京": {tokyo}, "京の": {tokyo}, "の夜": {tokyo}, "東夜": {}, "iphoneで": {tokyo}, "散歩": {tokyo}, "#散歩": {tokyo}, "撮影 東京": {tokyo}, "影 #": {tokyo},
		"여행": {seoul}, "국어": {seoul}, "กรุงเทพ": {bangkok}, "มหา": {bangkok},
		"sun": {plain}, "SUNSET bay": {plain}, "snake_ca": {plain}, "@snake": {plain}, "wien": {"elsewhere"}, "sunrise": {},
	} {
		expectPostsFound(t, guest, q, want...)
	}
}

func TestSearchTakesNoSyntax(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	ada.Post("one OR two")
	for _, q := range []string{`""`, `"*`, `a"b`, `one" OR "two`, `caption:one`, `NEAR(one two)`, `one NOT two`, `-one`, `^one`, `**`, `((`, `))`, `{caption} : one`, `one + two`, "one\x00two",
		"\x01\x01", `'; DROP TABLE posts; --`, `%%`, `__`, `\\`, `🎉🎉`, `##`, `@@`, "\u202eeno", "\u0301\u0301", `one AND`, `AND OR`, strings.Repeat("漢", 50), strings.Repeat("a ", 25), strings.Repeat(`"`, 50)} {
		for _, kind := range []string{"", "&type=posts", "&type=users", "&type=tags"} {
			if a := ada.Do("GET", "/api/v1/search?q="+escapeQuery(q)+kind, nil); a.Status != 200 {
				t.Errorf("%q%s: %d %s", q, kind, a.Status, a.Raw)
			}
		}
	}
	for q, want := range map[string][]string{`one" OR "two`: {"one OR two"}, `one NOT two`: {}, `caption:one`: {}, "one\x00two": {"one OR two"}, `🎉🎉 one`: {"one OR two"}} {
		expectPostsFound(t, ada, q, want...)
	}
}

func TestSearchRefusesWhatIsNoQuestion(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	for query, field := range map[string]string{
		"": "q", "q=": "q", "q=a": "q", "q=%20a%20": "q", "q=" + strings.Repeat("a", 51): "q", "q=%ff%fe%fd": "q",
		"q=ada&type=": "type", "q=ada&type=comments": "type", "q=ada&type=posts&cursor=%21": "cursor", "q=ada&type=posts&cursor=-1": "cursor",
		"q=ada&type=users&cursor=1.2.%C3%A9": "cursor", "q=ada&type=users&cursor=" + strings.Repeat("1.", 300) + "1": "cursor", "q=ada&type=posts&cursor=zzzzzzzzzzzzzzzzzzz": "cursor",
	} {
		a := s.Guest().Must(400, "GET", "/api/v1/search?"+query, nil)
		if data, _ := a.Body["data"].(map[string]any); data[field] == nil {
			t.Errorf("%q: the answer names no %s: %s", query, field, a.Raw)
		}
	}
}

func TestAPageOfSearchHasAHundredRowsAtMost(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	for n := range 101 {
		s.Someone(n)
	}
	for _, perPage := range []string{"101", "100000"} {
		if people, next := searchField(t, s.Guest(), "users", "handle", "someone", "&perPage="+perPage); len(people) != 100 || next == "" {
			t.Errorf("perPage=%s gives %d people, next page %q", perPage, len(people), next)
		}
	}
}

// People who may not see a post do not find it, and nobody finds people on the other side of a block.
func TestSearchKeepsTheRules(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob, carol, dave, eve := s.As("ada"), s.As("bob"), s.As("carol"), s.As("dave"), s.As("eve")
	bob.Follow("ada")
	ada.Block("dave")
	eve.Block("ada")
	ada.Post("needle public")
	ada.Post("needle followers", "visibility", "followers")
	ada.Post("needle private", "visibility", "private")
	hidden := ada.Post("needle hidden")
	rare := ada.Post("#rare")
	s.Admin().Update("posts", rare, map[string]any{"hidden": true})
	s.Admin().Update("posts", hidden, map[string]any{"hidden": true})
	gone := ada.Post("needle gone")
	ada.Delete("posts", gone)

	expectPostsFound(t, s.Guest(), "needle", "needle public")
	expectPostsFound(t, carol, "needle", "needle public")
	expectPostsFound(t, bob, "needle", "needle public", "needle followers")
	expectPostsFound(t, ada, "needle", "needle public", "needle followers", "needle private", "needle hidden")
	expectPostsFound(t, dave, "needle")
	expectPostsFound(t, eve, "needle")
	expectPostsFound(t, s.Admin(), "needle", "needle public", "needle followers", "needle private", "needle hidden")

	people := func(c *hookstest.Client, q string, want ...string) {
		t.Helper()
		if got, _ := searchField(t, c, "users", "handle", q, ""); !slices.Equal(got, append([]string{}, want...)) {
			t.Errorf("%s looks for %q and finds %q, want %q", c.Name, q, got, want)
		}
	}
	people(s.Guest(), "ada", "ada")
	people(dave, "ada")
	people(eve, "ada")
	people(ada, "dave") // whom she blocked, though she may look at him
	people(ada, "eve")
	people(carol, "eve", "eve")

	tags := func(c *hookstest.Client, want ...string) {
		t.Helper()
		if got, _ := searchField(t, c, "tags", "name", "rar", ""); !slices.Equal(got, append([]string{}, want...)) {
			t.Errorf("%s finds the tags %q, want %q", c.Name, got, want)
		}
	}
	tags(carol) // the only post with it is hidden
	carol.Post("another #rare one")
	tags(s.Guest(), "rare")
	tag, err := s.App.FindFirstRecordByData("hashtags", "name", "rare")
	if err != nil {
		t.Fatal(err)
	}
	s.Admin().Update("hashtags", tag.Id, map[string]any{"banned": true})
	tags(s.Guest())
	tags(carol)

	ada.Update("users", ada.ID, map[string]any{"private": true})
	expectPostsFound(t, carol, "needle")
	expectPostsFound(t, bob, "needle", "needle public", "needle followers")
	people(carol, "ada", "ada")
	s.Admin().Update("users", ada.ID, map[string]any{"state": "suspended"})
	expectPostsFound(t, bob, "needle")
	people(bob, "ada")
}

func TestSearchFollowsChangesAtOnce(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, guest := s.As("ada"), s.Guest()
	post := ada.Post("before")
	expectPostsFound(t, guest, "before", "before")
	ada.Update("posts", post, map[string]any{"caption": "after"})
	expectPostsFound(t, guest, "before")
	expectPostsFound(t, guest, "after", "after")
	ada.Update("posts", post, map[string]any{"place": "Wien"})
	expectPostsFound(t, guest, "after wien", "after")
	s.Admin().Update("posts", post, map[string]any{"hidden": true})
	expectPostsFound(t, guest, "after")
	s.Admin().Update("posts", post, map[string]any{"hidden": false})
	expectPostsFound(t, guest, "after", "after")
	ada.Delete("posts", post)
	expectPostsFound(t, guest, "after")

	ada.Update("users", ada.ID, map[string]any{"handle": "lovelace", "name": "Ada Byron"})
	for q, want := range map[string][]string{"ada": {"lovelace"}, "love": {"lovelace"}, "byron": {"lovelace"}} {
		if got, _ := searchField(t, guest, "users", "handle", q, ""); !slices.Equal(got, want) {
			t.Errorf("%q finds %q, want %q", q, got, want)
		}
	}
	ada.Update("users", ada.ID, map[string]any{"name": ""})
	if got, _ := searchField(t, guest, "users", "handle", "ada", ""); len(got) > 0 {
		t.Errorf("a former name finds %q", got)
	}
	ada.Delete("users", ada.ID)
	if got, _ := searchField(t, guest, "users", "handle", "lovelace", ""); len(got) > 0 {
		t.Errorf("an erased account is found: %q", got)
	}
	s.RunJobs()
	for _, table := range []string{"posts", "users", "hashtags"} {
		if n := s.Rows("search_"+table, "id NOT IN (SELECT id FROM "+table+")"); n > 0 {
			t.Errorf("%d rows of %s that are gone are still in the index", n, table)
		}
	}
}

// A like changes the post's row, and must not touch the index.
func TestCountsDoNotTouchTheIndex(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	post := ada.Post("hello #world")
	before := indexSums(t, s)
	bob.Like(post)
	bob.Comment(post, "", "well")
	bob.Follow("ada")
	s.Admin().Update("posts", post, map[string]any{"hidden": true, "caption": "hello #world"})
	if after := indexSums(t, s); !maps.Equal(before, after) {
		t.Errorf("the index changed from %v to %v", before, after)
	}
	ada.Update("posts", post, map[string]any{"caption": "bye"})
	if after := indexSums(t, s); maps.Equal(before, after) {
		t.Error("the index did not change with the caption, so this test proves nothing")
	}
	var plan []struct{ Opcode, P4 sql.NullString }
	if err := s.App.DB().NewQuery("EXPLAIN UPDATE posts SET likesCount = likesCount + 1 WHERE id = 'x'").All(&plan); err != nil {
		t.Fatal(err)
	}
	for _, step := range plan {
		if strings.Contains(step.P4.String, "search_posts") || step.Opcode.String == "VUpdate" {
			t.Errorf("a like runs %s %s", step.Opcode.String, step.P4.String)
		}
	}
}

// indexSums returns sums of what FTS5 has stored.
func indexSums(t *testing.T, s *hookstest.Service) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for _, table := range []string{"posts", "users", "hashtags"} {
		var sum string
		if err := s.App.DB().NewQuery("SELECT group_concat(id || ':' || hex(block), ',') FROM search_" + table + "_words_data").Row(&sum); err != nil {
			t.Fatal(err)
		}
		sums[table] = sum
	}
	return sums
}

func TestSearchPagesNeitherJumpNorDouble(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, guest := s.As("ada"), s.Guest()
	var ids []string
	for i := range 23 {
		ids = append(ids, ada.Post(fmt.Sprintf("bird number %d", i)))
		if i%3 == 0 {
			ada.Post("bird of nobody else", "visibility", "private")
		}
	}
	slices.Reverse(ids) // newest first
	var got []string
	for cursor, pages := "", 0; ; pages++ {
		page, next := searchField(t, guest, "posts", "id", "bird", "&perPage=5&cursor="+cursor)
		got = append(got, page...)
		if next == "" {
			break
		}
		if len(page) != 5 || pages > 5 {
			t.Fatalf("page %d has %d posts and is not the last", pages, len(page))
		}
		cursor = next
		ada.Post("bird that came meanwhile")
		if pages == 0 { // neither is on a page to come, or is where the next page begins
			ada.Delete("posts", ids[4])
			ada.Update("posts", ids[2], map[string]any{"caption": "no more"})
			ada.Update("posts", ids[20], map[string]any{"caption": "bird, as before"})
		}
	}
	if !slices.Equal(got, ids) {
		t.Errorf("the pages are\n%q, want\n%q", got, ids)
	}

	// people: the best known first, then the others, each once, although some become known in between
	var all []string
	for i := range 12 {
		all = append(all, s.Someone(i).Name)
	}
	for n := range 3 {
		s.As(hookstest.Cast[n]).Follow("someone_7")
	}
	s.As("bob").Follow("someone_3")
	people, cursor := searchField(t, guest, "users", "handle", "someone", "&perPage=4")
	if len(people) != 4 || people[0] != "someone_7" || people[1] != "someone_3" {
		t.Errorf("the best known are %q", people)
	}
	for cursor != "" {
		for _, name := range []string{"someone_9", "someone_0", "someone_11"} {
			for _, c := range hookstest.Cast[:5] {
				s.As(c).Do("POST", "/api/collections/follows/records", map[string]any{"followee": s.User(name).Id})
			}
		}
		var page []string
		page, cursor = searchField(t, guest, "users", "handle", "someone", "&perPage=4&cursor="+cursor)
		people = append(people, page...)
	}
	slices.Sort(people)
	slices.Sort(all)
	if !slices.Equal(people, all) {
		t.Errorf("the pages have %q, want each of %q once", people, all)
	}

	// a person whose name matches exactly comes first, however unknown
	for _, name := range []string{"SOMEONE_1", "@someone_1"} {
		if people, _ := searchField(t, guest, "users", "handle", name, ""); len(people) == 0 || people[0] != "someone_1" {
			t.Errorf("%s finds %q first", name, people)
		}
	}
}

func TestSearchAnswersRecordsAsListsDo(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	post := ada.Post("ada at the #adasea")
	like := bob.Like(post)
	bob.Follow("ada")
	for range 6 {
		ada.Post("ada again")
	}

	a := bob.Must(200, "GET", "/api/v1/search?q=ada&expand=author", nil)
	for name, want := range map[string]int{"users": 1, "tags": 1, "posts": 5} {
		if list, _ := a.Body[name].([]any); len(list) != want {
			t.Errorf("%d %s, want %d: %s", len(list), name, want, a.Raw)
		}
	}
	if _, has := a.Body["cursor"]; has {
		t.Error("there is a cursor though nothing can be turned over")
	}
	user := a.Body["users"].([]any)[0].(map[string]any)
	relationship, _ := user["relationship"].(map[string]any)
	if relationship["following"] != true || user["email"] != nil || user["tokenKey"] != nil || user["publicPosts"] != nil || user["password"] != nil {
		t.Errorf("ada is shown to bob as %v", user)
	}
	page := bob.Must(200, "GET", "/api/v1/search?q="+escapeQuery("adasea")+"&type=posts&expand=author", nil)
	shown := page.Body["posts"].([]any)[0].(map[string]any)
	listed := bob.List("posts", "expand=author&filter="+escapeQuery("id='"+post+"'"))[0]
	if shown["liked"] != like || shown["likesCount"] != 1.0 || fmt.Sprint(shown) != fmt.Sprint(listed) {
		t.Errorf("found as\n%v, listed as\n%v", shown, listed)
	}
	if tag := a.Body["tags"].([]any)[0].(map[string]any); tag["name"] != "adasea" || tag["banned"] != nil {
		t.Errorf("the tag is shown as %v", tag)
	}
	some := s.Guest().Must(200, "GET", "/api/v1/search?q=ada&fields="+url.QueryEscape("posts.id"), nil)
	if strings.Contains(some.Raw, "caption") || !strings.Contains(some.Raw, post) && len(some.Body["posts"].([]any)) != 5 {
		t.Errorf("fields are not honoured: %s", some.Raw)
	}
	none := s.Guest().Must(200, "GET", "/api/v1/search?q=nothinghere", nil)
	for _, name := range []string{"users", "tags", "posts"} {
		if list, is := none.Body[name].([]any); !is || len(list) > 0 || len(none.Body) != 3 {
			t.Errorf("nothing is %s", none.Raw)
		}
	}
}

func TestSearchIsRateLimited(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	s.Admin().Must(200, "PATCH", "/api/settings", map[string]any{"rateLimits": map[string]any{
		"enabled": true, "rules": []map[string]any{{"label": "/api/v1/search", "maxRequests": 3, "duration": 60}}}})
	for range 3 {
		s.Guest().Must(200, "GET", "/api/v1/search?q=ada", nil)
	}
	s.Guest().Must(429, "GET", "/api/v1/search?q=ada", nil)
}

// When an owner closes a collection, the search of it is closed too.
func TestSearchKeepsAnOwnersRule(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	s.As("ada").Post("ada")
	for rule, want := range map[any][2]int{`@request.auth.id != ""`: {0, 1}, nil: {0, 0}, "": {1, 1}} {
		s.Admin().Must(200, "PATCH", "/api/collections/users", map[string]any{"listRule": rule})
		for i, c := range []*hookstest.Client{s.Guest(), s.As("bob")} {
			if got, _ := searchField(t, c, "users", "handle", "ada", ""); len(got) != want[i] {
				t.Errorf("with the rule %v %s finds %q", rule, c.Name, got)
			}
		}
	}
}

// What was there before the index is indexed by the job, and an owner may go on changing collections.
func TestSearchIndexesWhatIsThere(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	ada.Post("older 東京")
	ada.Post("newer 東京")
	var objects []string
	err := s.App.DB().NewQuery(`SELECT 'DROP ' || type || ' ' || name FROM sqlite_master
		WHERE type IN ('trigger', 'view', 'table') AND name LIKE 'search\_%' ESCAPE '\' AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
		ORDER BY type = 'table', name LIKE '%\_words' ESCAPE '\' DESC`).Column(&objects)
	if err != nil {
		t.Fatal(err)
	}
	for _, drop := range objects {
		execSQL(t, s.App, drop)
	}
	for _, step := range core.AppMigrations.Items() {
		if step.File == "1765001400_search.go" {
			if err := s.App.RunInTransaction(step.Up); err != nil {
				t.Fatal(err)
			}
		}
	}
	expectPostsFound(t, s.Guest(), "東京")
	ada.Post("newest 東京") // found before the others
	expectPostsFound(t, s.Guest(), "東京", "newest 東京")
	runIndexJob(t, s)
	if got, _ := searchField(t, s.Guest(), "posts", "caption", "東京", ""); !slices.Equal(got, []string{"newest 東京", "newer 東京", "older 東京"}) {
		t.Errorf("found %q", got)
	}
	if got, _ := searchField(t, s.Guest(), "users", "handle", "ada", ""); !slices.Equal(got, []string{"ada"}) {
		t.Errorf("found %q", got)
	}

	posts := s.Admin().Must(200, "GET", "/api/collections/posts", nil)
	fields := posts.Body["fields"].([]any)
	s.Admin().Must(200, "PATCH", "/api/collections/posts", map[string]any{"fields": append(slices.Clone(fields), map[string]any{"name": "mood", "type": "text"})})
	post := ada.Post("last 東京", "mood", "fine")
	s.Admin().Must(200, "PATCH", "/api/collections/posts", map[string]any{"fields": fields})
	ada.Update("posts", post, map[string]any{"caption": "last 大阪"})
	expectPostsFound(t, s.Guest(), "大阪", "last 大阪")
}

// runIndexJob runs the indexing job, as each start and each hour do when something waits.
func runIndexJob(t testing.TB, s *hookstest.Service) {
	t.Helper()
	if waiting, err := search.HasUnindexed(s.App); err != nil || !waiting {
		t.Fatalf("nothing waits to be indexed: %v", err)
	}
	if err := search.Indexing.Finish(t.Context(), s.App, nil); err != nil {
		t.Fatal(err)
	}
	if waiting, err := search.HasUnindexed(s.App); err != nil || waiting {
		t.Errorf("something still waits to be indexed: %v", err)
	}
	expectWholeIndex(t, s)
}

// expectWholeIndex fails unless each row that can be found has the words of its columns, and FTS5 has the same.
func expectWholeIndex(t testing.TB, s *hookstest.Service) {
	t.Helper()
	for _, kind := range search.Kinds {
		var rows []struct{ ID, Stored, A, B string }
		err := s.App.DB().NewQuery("SELECT t.id, coalesce(s.words, 'none') stored, t." + kind.Columns[0] + " a, t." + kind.Columns[len(kind.Columns)-1] + " b FROM " + kind.Collection +
			" t LEFT JOIN search_" + kind.Collection + " s ON s.id = t.id").All(&rows)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			want := kind.IndexText([]string{row.A, row.B}[:len(kind.Columns)]...)
			if row.Stored != want {
				t.Errorf("%s %s is indexed as %q, want %q", kind.Collection, row.ID, row.Stored, want)
			}
		}
		check := "INSERT INTO search_" + kind.Collection + "_words (search_" + kind.Collection + "_words, rank) VALUES ('integrity-check', 1)"
		if _, err := s.App.NonconcurrentDB().NewQuery(check).Execute(); err != nil {
			t.Errorf("the index of %s differs from its text: %v", kind.Collection, err)
		}
	}
}

// TestWordsAreFoundAsInTheVectors posts each text in each form of Unicode and searches for each query in each.
func TestWordsAreFoundAsInTheVectors(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	var vectors struct {
		Search []struct {
			Words         string
			Found, Missed []string
		}
	}
	file, err := os.ReadFile("../internal/words/testdata/vectors.json")
	if err == nil {
		err = json.Unmarshal(file, &vectors)
	}
	if err != nil || len(vectors.Search) < 20 {
		t.Fatal(len(vectors.Search), err)
	}
	forms := []norm.Form{norm.NFC, norm.NFD, norm.NFKC, norm.NFKD}
	s := hookstest.New(t)
	ada, guest := s.As("ada"), s.Guest()
	posts := map[string][]string{}
	for _, v := range vectors.Search {
		for _, form := range forms {
			posts[v.Words] = append(posts[v.Words], ada.Post(form.String(v.Words)))
		}
		slices.Sort(posts[v.Words])
	}
	for _, v := range vectors.Search {
		for _, q := range slices.Concat(v.Found, v.Missed) {
			for _, form := range forms {
				ids, _ := searchField(t, guest, "posts", "id", form.String(q), "&perPage=100")
				slices.Sort(ids)
				if slices.Contains(v.Found, q) != containsAll(ids, posts[v.Words]) || slices.Contains(v.Missed, q) && slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(posts[v.Words], id) }) {
					t.Errorf("%+q (%[1]s) finds %d posts, of %q %v", form.String(q), len(ids), v.Words, slices.Contains(v.Found, q))
				}
			}
		}
	}
	expectWholeIndex(t, s)
}

func containsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(all, one) })
}

func TestOneCharacterIsAQuestionWhereItIsAWord(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	s.As("ada").Post("東京の夜 한글 กรุง a #夜")
	for _, q := range []string{"東", "夜", "の", "한", norm.NFD.String("한"), "ก", " 京 "} {
		expectPostsFound(t, s.Guest(), q, "東京の夜 한글 กรุง a #夜")
	}
	if got, _ := searchField(t, s.Guest(), "tags", "name", "夜", ""); !slices.Equal(got, []string{"夜"}) {
		t.Errorf("夜 finds the tags %q", got)
	}
	for _, q := range []string{"a", "1", "#", "ж", "🎉", "。", "́", "ั", "x ", "ｘ"} {
		s.Guest().Must(400, "GET", "/api/v1/search?q="+escapeQuery(q), nil)
	}
}

// TestRowsWrittenBySQLAreIndexedByTheJob imports rows, and changes some by SQL: nothing wrong is found, and in the
// end everything is.
func TestRowsWrittenBySQLAreIndexedByTheJob(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	ada, guest := s.As("ada"), s.Guest()
	post := ada.Post("ours")
	execSQL(t, s.App, fmt.Sprintf(`INSERT INTO posts (id, author, caption, photos, visibility, created, updated) WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 200)
		SELECT printf('raw%%012d', i), '%s', 'Straße ' || i, '["x.jpg"]', 'public', '2026-01-01 00:00:00.000Z', '' FROM n`, ada.ID))
	execSQL(t, s.App, "UPDATE posts SET caption = 'theirs' WHERE id = '"+post+"'")
	execSQL(t, s.App, "UPDATE users SET name = 'Łukasz' WHERE handle = 'eve'")
	execSQL(t, s.App, "INSERT OR REPLACE INTO posts SELECT * FROM posts WHERE id = 'raw000000000007'")
	expectPostsFound(t, guest, "ours") // what no longer exists is not found
	expectPostsFound(t, guest, "strasse")
	ended, end := context.WithCancel(t.Context())
	end()
	if err := search.Indexing.Finish(ended, s.App, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a job that is to end says %v", err)
	}
	runIndexJob(t, s)
	expectPostsFound(t, guest, "theirs", "theirs")
	expectPostsFound(t, guest, "STRASSE 77", "Straße 77")
	expectPostsFound(t, guest, "strasse 7 ", "Straße 7", "Straße 70", "Straße 71", "Straße 72", "Straße 73", "Straße 74", "Straße 75", "Straße 76", "Straße 77", "Straße 78", "Straße 79")
	if got, _ := searchField(t, guest, "users", "handle", "lukasz", ""); !slices.Equal(got, []string{"eve"}) {
		t.Errorf("lukasz finds %q", got)
	}
	execSQL(t, s.App, "DELETE FROM posts WHERE id LIKE 'raw%'")
	expectPostsFound(t, guest, "strasse 7")
	expectWholeIndex(t, s)
}

// TestADamagedIndexIsRepaired does everything to the index that somebody can who writes past the triggers.
func TestADamagedIndexIsRepaired(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for name, damage := range map[string]string{
		"no place": "DELETE FROM search_@table", "not in FTS5": "DELETE FROM search_@table_words", "other words": "UPDATE search_@table SET words = 'nonsense'",
		"waiting": "UPDATE search_@table SET words = NULL", "of nothing": "INSERT INTO search_@table (n, id, words) VALUES (5, 'nosuchrow000000', 'nonsense')",
		"all gone": "INSERT INTO search_@table_words (search_@table_words) VALUES ('delete-all')",
	} {
		s := hookstest.New(t)
		s.As("ada").Post("Łódź #sea")
		for _, kind := range search.Kinds {
			execSQL(t, s.App, strings.ReplaceAll(damage, "@table", kind.Collection))
			var ids, left []string
			if err := s.App.DB().NewQuery("SELECT id FROM " + kind.Collection + " UNION SELECT id FROM search_" + kind.Collection).Column(&ids); err != nil {
				t.Fatal(err)
			}
			err := s.App.RunInTransaction(func(tx core.App) error { return search.RepairIndex(tx, kind, ids...) })
			if err != nil {
				t.Fatalf("%s of %s: %v", name, kind.Collection, err)
			}
			if err := s.App.DB().NewQuery("SELECT id FROM " + kind.Collection + " t WHERE " + kind.UnindexedCondition()).Column(&left); err != nil || len(left) > 0 {
				t.Errorf("%s of %s: %q are not found: %v", name, kind.Collection, left, err)
			}
			if n := s.Rows("search_"+kind.Collection, "id NOT IN (SELECT id FROM "+kind.Collection+")"); n > 0 {
				t.Errorf("%s of %s: %d rows of nothing", name, kind.Collection, n)
			}
		}
		expectWholeIndex(t, s)
		expectPostsFound(t, s.Guest(), "lodz sea", "Łódź #sea")
		expectPostsFound(t, s.Guest(), "nonsense")
	}
}

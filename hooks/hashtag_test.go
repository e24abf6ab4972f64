package hooks_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/text/unicode/norm"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// taggedPosts returns the ids of the posts that c sees under a name, by the filter that clients use.
func taggedPosts(c *hookstest.Client, name string) []string {
	ids := []string{}
	for _, row := range c.List("post_tags", "filter="+escapeQuery(fmt.Sprintf("tag.name = %q", name))) {
		id, _ := row["post"].(string)
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func TestSpellingsOfAHashtagAreOne(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for name, spellings := range map[string][]string{
		"fussball": {"Fußball", "FUSSBALL", "FUẞBALL", "ｆｕßball"}, "istanbul": {"İstanbul", "ISTANBUL", "ıstanbul"}, "lodz": {"Łódź", "lodz"},
		"αθηνα": {"Αθήνα", "ΑΘΗΝΑ"}, "한글날": {norm.NFD.String("한글날"), "한글날"}, "ガンダム": {"ｶﾞﾝﾀﾞﾑ", "ガンダム"}, "ميخواهم": {"می\u200cخواهم", "میخواهم"},
		"हिन्दी": {"हिन्दी"}, "スター・ウォーズ": {"スター・ウォーズ", "ｽﾀｰ･ｳｫｰｽﾞ"}, "мой": {"МОЙ", norm.NFD.String("мой")},
	} {
		s := hookstest.New(t)
		ada, guest := s.As("ada"), s.Guest()
		var posts []string
		for _, spelling := range spellings {
			posts = append(posts, ada.Post("look: #"+spelling+", #"+spelling))
		}
		slices.Sort(posts)
		if got := taggedPosts(guest, name); !slices.Equal(got, posts) {
			t.Errorf("%s has the posts %q, want %q", name, got, posts)
		}
		tags := guest.List("hashtags", "")
		if len(tags) != 1 || tags[0]["name"] != name || tags[0]["displayName"] != norm.NFKC.String(spellings[0]) || tags[0]["postsCount"] != float64(len(posts)) {
			t.Errorf("%s is %v", name, tags)
		}
		for _, spelling := range spellings {
			for _, form := range []norm.Form{norm.NFC, norm.NFD, norm.NFKC, norm.NFKD} {
				written := form.String(spelling)
				if got, _ := searchField(t, guest, "tags", "name", "#"+written, ""); !slices.Equal(got, []string{name}) {
					t.Errorf("#%s finds %q", written, got)
				}
				if page := guest.Do("GET", "/tags/"+url.PathEscape(written), nil); page.Status != 200 || !strings.Contains(page.Raw, "<title>#"+norm.NFKC.String(spellings[0])) {
					t.Errorf("the page of %s is %d", written, page.Status)
				}
			}
		}
		ada.Update("posts", posts[0], map[string]any{"caption": "no more"})
		if got := taggedPosts(guest, name); len(got) != len(posts)-1 {
			t.Errorf("%s still has %d posts", name, len(got))
		}
	}
}

// TestHashtagsOfBeforeAreMerged starts with a folder in which spellings were different hashtags, and with an owner's
// collection in which people follow hashtags.
func TestHashtagsOfBeforeAreMerged(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	hashtags, err := s.App.FindCollectionByNameOrId("hashtags")
	if err != nil {
		t.Fatal(err)
	}
	follows := core.NewBaseCollection("tag_follows")
	follows.Fields.Add(&core.TextField{Name: "who"}, &core.RelationField{Name: "tag", CollectionId: hashtags.Id, MaxSelect: 1, CascadeDelete: true},
		&core.RelationField{Name: "others", CollectionId: hashtags.Id, MaxSelect: 9})
	follows.AddIndex("tag_follows_edge", true, "who, tag", "")
	if err := s.App.Save(follows); err != nil {
		t.Fatal(err)
	}
	both := ada.Post("#fussball")
	private := ada.Post("#fussball", "visibility", "private")
	const posts = 120
	execSQL(t, s.App, fmt.Sprintf(`INSERT INTO posts (id, author, photos, visibility, created, updated) WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		SELECT 'old' || printf('%%012d', i), '%s', '["x.jpg"]', 'public', '2026-01-01 00:00:00.000Z', '' FROM n`, posts, ada.ID))
	execSQL(t, s.App, `INSERT INTO hashtags (id, name, banned, created) VALUES ('fussballbefore1', 'fußball', 1, '2020-01-01 00:00:00.000Z'), ('fussballbefore2', 'fußbåll', 0, '2026-01-01 00:00:00.000Z'),
		('alonealonealone', 'straße', 0, ''), ('emptyemptyempty', '', 0, ''), ('plainplainplain', 'sea', 0, '')`)
	execSQL(t, s.App, `INSERT INTO post_tags (id, tag, post, created) SELECT 'x' || substr(id, 2), 'fussballbefore1', id, created FROM posts WHERE id LIKE 'old%' OR id IN ('`+both+`', '`+private+`')`)
	execSQL(t, s.App, `INSERT INTO post_tags (id, tag, post, created) SELECT 'y' || substr(id, 2), 'fussballbefore2', id, created FROM posts WHERE id LIKE 'old%'`)
	winner, err := s.App.FindFirstRecordByData("hashtags", "name", "fussball")
	if err != nil {
		t.Fatal(err)
	}
	execSQL(t, s.App, `INSERT INTO tag_follows (id, who, tag, others) VALUES ('f1', 'bob', 'fussballbefore1', '["fussballbefore1","alonealonealone","`+winner.Id+`"]'), ('f2', 'bob', '`+winner.Id+`', '[]'),
		('f3', 'eve', 'fussballbefore2', '[]'), ('f4', 'eve', 'alonealonealone', '["fussballbefore2"]')`)

	execSQL(t, s.App, `INSERT INTO jobs (id, kind, payload, state, runAt, created, updated) VALUES ('fold', 'hashtags.fold', '{}', 'ready', '', '', '')`)
	s.RunJobs()

	var left []string
	if err := s.App.DB().NewQuery("SELECT name || ' ' || displayName || ' ' || banned || ' ' || substr(created, 1, 4) || ' ' || postsCount FROM hashtags WHERE name != '' ORDER BY name").Column(&left); err != nil {
		t.Fatal(err)
	}
	if want := []string{"fussball fussball 1 2020 121", "sea sea 0  0", "strasse straße 0  0"}; !slices.Equal(left, want) {
		t.Errorf("the hashtags are %q, want %q", left, want)
	}
	if n := s.Rows("post_tags", "tag = '"+winner.Id+"'"); n != posts+2 {
		t.Errorf("%d posts have it, want %d", n, posts+2)
	}
	if n := s.Rows("post_tags", "tag NOT IN (SELECT id FROM hashtags)"); n != 0 {
		t.Errorf("%d posts have a hashtag that is gone", n)
	}
	if n := s.Rows("hashtags h", "postsCount != (SELECT count(*) FROM post_tags WHERE tag = h.id AND counted)"); n != 0 {
		t.Error("a count is not right")
	}
	var follow []string
	if err := s.App.DB().NewQuery("SELECT who || ' ' || replace(replace(tag || ' ' || others, '" + winner.Id + "', 'F'), 'alonealonealone', 'S') FROM tag_follows ORDER BY id").Column(&follow); err != nil {
		t.Fatal(err)
	}
	if want := []string{`bob F []`, `eve F []`, `eve S ["F"]`}; !slices.Equal(follow, want) {
		t.Errorf("they follow %q, want %q", follow, want)
	}
	if banned, err := s.App.FindRecordById("hashtags", winner.Id); err != nil || !banned.GetBool("banned") {
		t.Errorf("a moderator's decision got lost: %v", err)
	}
	execSQL(t, s.App, "UPDATE hashtags SET banned = 0")
	bob.Post("#FUẞBALL")
	if got := taggedPosts(bob, "fussball"); len(got) == 0 {
		t.Error("nothing is found under the merged name")
	}
}

func TestASuperusersHashtagIsFolded(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	admin := s.Admin()
	made := admin.Create("hashtags", map[string]any{"name": "Łódź"})
	if made.Body["name"] != "lodz" || made.Body["displayName"] != "Łódź" {
		t.Errorf("it is %s", made.Raw)
	}
	for _, c := range []struct{ field, value, name, shown string }{
		{"displayName", "ŁÓDŹ", "lodz", "ŁÓDŹ"}, {"displayName", "other", "lodz", "lodz"}, {"displayName", "", "lodz", "lodz"}, {"name", "Straße", "strasse", "Straße"},
	} {
		if a := admin.Update("hashtags", made.ID(), map[string]any{c.field: c.value}); a.Body["name"] != c.name || a.Body["displayName"] != c.shown {
			t.Errorf("%s %q makes it %s", c.field, c.value, a.Raw)
		}
	}
	execSQL(t, s.App, "INSERT INTO hashtags (id, name) VALUES ('unfoldedunfolde', 'größe')")
	admin.Update("hashtags", "unfoldedunfolde", map[string]any{"banned": true})
	if n := s.Rows("hashtags", "name = 'größe' AND displayName = '' AND banned"); n != 1 {
		t.Error("a row that waits for the job does not wait any more")
	}
}

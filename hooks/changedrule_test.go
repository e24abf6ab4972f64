package hooks_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// ruleChange is what an admin does to a rule, and why the fast path then steps aside; empty where it need not.
type ruleChange struct {
	name, collection string
	change           func(c *core.Collection)
	reason           string
}

func setRules(rule string, rules ...func(*core.Collection) **string) func(*core.Collection) {
	return func(c *core.Collection) {
		for _, of := range rules {
			*of(c) = &rule
		}
	}
}

func closeRules(rules ...func(*core.Collection) **string) func(*core.Collection) {
	return func(c *core.Collection) {
		for _, of := range rules {
			*of(c) = nil
		}
	}
}

func listRuleOf(c *core.Collection) **string   { return &c.ListRule }
func viewRuleOf(c *core.Collection) **string   { return &c.ViewRule }
func createRuleOf(c *core.Collection) **string { return &c.CreateRule }
func deleteRuleOf(c *core.Collection) **string { return &c.DeleteRule }

// changeRule makes the same change in both services, and returns what undoes it.
func changeRule(t *testing.T, change ruleChange, services ...*hookstest.Service) (undo func()) {
	t.Helper()
	former := make([]core.Collection, len(services))
	save := func(i int, alter func(c *core.Collection)) {
		c, err := services[i].App.FindCollectionByNameOrId(change.collection)
		if err != nil {
			t.Fatal(err)
		}
		if former[i].Id == "" {
			former[i] = *c
		}
		alter(c)
		if err := services[i].App.Save(c); err != nil {
			t.Fatalf("%s: %v", change.name, err)
		}
	}
	for i := range services {
		save(i, change.change)
	}
	return func() {
		for i := range services {
			save(i, func(c *core.Collection) {
				c.ListRule, c.ViewRule, c.CreateRule, c.DeleteRule = former[i].ListRule, former[i].ViewRule, former[i].CreateRule, former[i].DeleteRule
			})
		}
	}
}

// skipCount returns how many requests the fast path left to the general one for a reason, or for any if it is empty.
func skipCount(t *testing.T, s *hookstest.Service, reason string) int {
	t.Helper()
	if reason == "" {
		reason = `[a-z_]+`
	}
	return metricSum(t, s, `doubletap_fast_path_skips_total\{reason="`+reason+`",request="[^"]+"\} (\d+)`)
}

// addArchivedField gives posts a field of the owner's, which every second post has set.
func addArchivedField(t *testing.T, services ...*hookstest.Service) {
	t.Helper()
	for _, s := range services {
		posts, err := s.App.FindCollectionByNameOrId("posts")
		if err != nil {
			t.Fatal(err)
		}
		posts.Fields.Add(&core.BoolField{Name: "archived"})
		if err := s.App.Save(posts); err != nil {
			t.Fatal(err)
		}
		execServiceSQL(t, s, `UPDATE posts SET archived = length(caption) % 2`)
	}
}

// newChangedRuleTwins returns a service and its twin on PocketBase's path, with people and a field that rules tell apart.
func newChangedRuleTwins(t *testing.T) (s, general *hookstest.Service, posts map[string]string) {
	t.Helper()
	s, posts = newNeighbourhood(t)
	execServiceSQL(t, s, `UPDATE users SET role = 'moderator' WHERE handle = 'carol'`)
	execServiceSQL(t, s, `UPDATE users SET verified = 0 WHERE handle = 'dave'`)
	general = startGeneralTwin(t, s)
	addArchivedField(t, s, general)
	return s, general, posts
}

func TestAChangedRuleKeepsTheFastReadsAndTheirAnswers(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s, general, posts := newChangedRuleTwins(t)
	shipped := *s.Record("posts", posts["public"]).Collection().ViewRule
	mine := `@request.auth.id != "" && recipient = @request.auth.id`
	for _, change := range []ruleChange{
		{"stricter", "posts", setRules(`likesCount > 0 && (`+shipped+`)`, listRuleOf, viewRuleOf), ""},
		{"a list that is stricter than a view", "posts", setRules(`author = @request.auth.id`, listRuleOf), ""},
		{"looser", "posts", setRules(``, listRuleOf, viewRuleOf), ""},
		{"by a field of the owner's", "posts", setRules(`archived = false && (`+shipped+`)`, listRuleOf, viewRuleOf), ""},
		{"by the caller's role", "posts", setRules(`@request.auth.role = "moderator" || (`+shipped+`)`, listRuleOf, viewRuleOf), ""},
		{"by whether the caller is verified", "posts", setRules(`@request.auth.verified = true && hidden = false`, listRuleOf, viewRuleOf), ""},
		{"by the author's field", "posts", setRules(`author.private = false && author.state = "active"`, listRuleOf, viewRuleOf), ""},
		{"by who likes it", "posts", setRules(`likes_via_post.user ?= @request.auth.id || author = @request.auth.id`, listRuleOf, viewRuleOf), ""},
		{"by the time", "posts", setRules(`created < @now && hidden = false`, listRuleOf, viewRuleOf), ""},
		{"people who see only themselves", "users", setRules(`id = @request.auth.id`, viewRuleOf), ""},
		{"people whom everybody sees", "users", setRules(``, viewRuleOf), ""},
		{"comments for those who wrote them", "comments", setRules(`author = @request.auth.id`, viewRuleOf), ""},
		{"comments that everybody sees", "comments", setRules(``, viewRuleOf), ""},
		{"notifications that are not read", "notifications", setRules(mine+` && read = false`, listRuleOf), ""},
		{"notifications of others too", "notifications", setRules(`(`+mine+`) || @request.auth.role = "moderator"`, listRuleOf), "rule_others"},
		{"for superusers", "posts", closeRules(listRuleOf, viewRuleOf), "rule_superusers"},
		{"by the query", "posts", setRules(`@request.query.secret = "" && (`+shipped+`)`, listRuleOf, viewRuleOf), "rule_request"},
		{"by the hour", "posts", setRules(`@hour < 25 && (`+shipped+`)`, listRuleOf, viewRuleOf), "rule_time"},
	} {
		t.Run(change.name, func(t *testing.T) {
			undo := changeRule(t, change, s, general)
			defer undo()
			fast, skipped := answeredCount(t, s, "read", "fast"), skipCount(t, s, change.reason)
			for _, name := range []string{"ada", "bob", "carol", "dave"} {
				a, b := s.As(name), general.As(name)
				for _, path := range []string{feedPath + feedExpand, trayPath + trayExpand, trayPath} {
					expectSameAnswer(t, name, path, a, b)
				}
				for _, author := range []string{"ada", "bob", "carol"} {
					expectSameAnswer(t, name, profilePath+"&filter="+escapeQuery(`(author = "`+s.User(author).Id+`")`), a, b)
				}
				for _, of := range slices.Sorted(maps.Keys(posts)) {
					expectSameAnswer(t, name, "/api/collections/posts/records/"+posts[of]+"?expand=author", a, b)
				}
			}
			fast, skipped = answeredCount(t, s, "read", "fast")-fast, skipCount(t, s, change.reason)-skipped
			if change.reason == "" && fast < 15 {
				t.Errorf("%d reads were fast, %d were not", fast, skipped)
			}
			if change.reason != "" && skipped == 0 {
				t.Errorf("no read was left to the general path because of %s", change.reason)
			}
		})
	}
}

// TestAChangedRuleHoldsInSearchAndOnPages compares what is found and what has a page with what PocketBase lists.
func TestAChangedRuleHoldsInSearchAndOnPages(t *testing.T) {
	testenv.SkipSequential(t)
	s, posts := newNeighbourhood(t)
	execServiceSQL(t, s, `UPDATE users SET role = 'moderator' WHERE handle = 'carol'`)
	execServiceSQL(t, s, `UPDATE users SET verified = 0 WHERE handle = 'dave'`)
	addArchivedField(t, s)
	ids := func(a hookstest.Answer, key string) string {
		var all []string
		for _, item := range a.Body[key].([]any) {
			all = append(all, item.(map[string]any)["id"].(string))
		}
		slices.Sort(all)
		return fmt.Sprint(all)
	}
	seen := map[string]bool{}
	for _, change := range []ruleChange{
		{"as it ships", "posts", func(*core.Collection) {}, ""},
		{"stricter", "posts", setRules(`likesCount > 0 && hidden = false`, listRuleOf, viewRuleOf), ""},
		{"looser", "posts", setRules(``, listRuleOf, viewRuleOf), ""},
		{"by a field of the owner's", "posts", setRules(`archived = false`, listRuleOf, viewRuleOf), ""},
		{"by the caller's role", "posts", setRules(`@request.auth.role = "moderator" || place != ""`, listRuleOf, viewRuleOf), ""},
		{"by the author's field", "posts", setRules(`author.private = false`, listRuleOf, viewRuleOf), ""},
		{"by who likes it", "posts", setRules(`likes_via_post.user ?= @request.auth.id`, listRuleOf, viewRuleOf), ""},
		{"by the hour", "posts", setRules(`@hour < 25 && hidden = false`, listRuleOf, viewRuleOf), ""},
		{"by the request", "posts", setRules(`@request.method = "GET" && hidden = false`, listRuleOf, viewRuleOf), ""},
	} {
		undo := changeRule(t, change, s)
		for _, c := range []*hookstest.Client{s.Guest(), s.As("ada"), s.As("bob"), s.As("carol"), s.As("dave"), s.Admin()} {
			want := ids(c.Must(200, "GET", "/api/collections/posts/records?perPage=100&filter="+escapeQuery(`caption ~ "of "`), nil), "items")
			if got := ids(c.Must(200, "GET", "/api/v1/search?type=posts&perPage=100&q=of", nil), "posts"); got != want {
				t.Errorf("%s: %s finds %s, want %s", change.name, c.Name, got, want)
			}
			seen[want] = true
		}
		for name, id := range posts {
			record := s.Guest().Do("GET", "/api/collections/posts/records/"+id+"?expand=author", nil)
			expanded, _ := record.Body["expand"].(map[string]any)
			shown := record.Status == 200 && expanded["author"] != nil
			if page := s.Guest().Do("GET", "/p/"+id, nil); (page.Status == 200) != shown {
				t.Errorf("%s: the page of the post %s is %d, the record %d", change.name, name, page.Status, record.Status)
			}
		}
		undo()
	}
	undo := changeRule(t, ruleChange{"for superusers", "posts", closeRules(listRuleOf, viewRuleOf), ""}, s)
	defer undo()
	if got := ids(s.As("bob").Must(200, "GET", "/api/v1/search?type=posts&q=of", nil), "posts"); got != "[]" {
		t.Errorf("superusers alone may list posts, and bob finds %s", got)
	}
	if page := s.Guest().Do("GET", "/p/"+posts["public"], nil); page.Status != 404 {
		t.Errorf("superusers alone may see posts, and one has a page: %d", page.Status)
	}
	if len(seen) < 5 {
		t.Errorf("the rules show %d different lists", len(seen))
	}
}

func TestAChangedRuleKeepsTheFastLikesAndTheirAnswers(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	s, general, posts := newChangedRuleTwins(t)
	likes, err := s.App.FindCollectionByNameOrId("likes")
	if err != nil {
		t.Fatal(err)
	}
	shipped, own := *likes.CreateRule, *likes.DeleteRule
	posts["nothing"] = "nothinglikethis"
	for _, change := range []ruleChange{
		{"as it ships", "likes", func(*core.Collection) {}, ""},
		{"stricter", "likes", setRules(`@request.auth.verified = true && `+shipped, createRuleOf), ""},
		{"looser", "likes", setRules(`@request.auth.id != ""`, createRuleOf), ""},
		{"for everybody", "likes", setRules(``, createRuleOf, deleteRuleOf), ""},
		{"only where the user is named", "likes", setRules(`user = @request.auth.id && seesPost(@request.auth.id, post) = true`, createRuleOf), ""},
		{"by a field of the owner's", "likes", setRules(`post.archived = false && (`+shipped+`)`, createRuleOf), ""},
		{"by the caller's role", "likes", setRules(`@request.auth.role = "moderator" && `+shipped, createRuleOf), ""},
		{"the author may take likes away", "likes", setRules(`(`+own+`) || post.author = @request.auth.id`, deleteRuleOf), ""},
		{"moderators may take likes away", "likes", setRules(`(`+own+`) || @request.auth.role = "moderator"`, deleteRuleOf), ""},
		{"for superusers", "likes", closeRules(createRuleOf, deleteRuleOf), "rule_superusers"},
		{"by the body", "likes", setRules(`@request.body.emoji:isset = false && `+shipped, createRuleOf), "rule_request"},
		{"by its id", "likes", setRules(`id != "" && `+shipped, createRuleOf), "rule_row"},
	} {
		t.Run(change.name, func(t *testing.T) {
			undo := changeRule(t, change, s, general)
			defer undo()
			fast, skipped := answeredLikes(t, s, "fast"), skipCount(t, s, change.reason)
			send := func(name, method, path string, body map[string]any) hookstest.Answer {
				got, want := s.As(name).Do(method, path, body), general.As(name).Do(method, path, body)
				plain := func(a hookstest.Answer) string {
					return fmt.Sprint(a.Status, volatileTimes.ReplaceAllString(a.Raw, "*"))
				}
				if plain(got) != plain(want) {
					t.Errorf("%s: %s %s %v: got\n%s\nwant\n%s", name, method, path, body, plain(got), plain(want))
				}
				return got
			}
			for _, name := range []string{"ada", "bob", "carol", "dave"} {
				for _, of := range slices.Sorted(maps.Keys(posts)) {
					body := map[string]any{"post": posts[of]}
					if of == "public" || of == "closed" {
						body["user"] = s.User(name).Id
					}
					like := send(name, "POST", likesPath, body)
					if like.Status == 200 {
						for _, who := range []string{"dave", "carol", "ada", name} {
							send(who, "DELETE", likesPath+"/"+like.ID(), nil)
						}
					}
				}
			}
			a, b := s.Rows("likes", "1"), general.Rows("likes", "1")
			c, d := s.Rows("notification_events", "active = 1"), general.Rows("notification_events", "active = 1")
			if a != b || c != d {
				t.Errorf("%d likes and %d events, want %d and %d", a, c, b, d)
			}
			fast, skipped = answeredLikes(t, s, "fast")-fast, skipCount(t, s, change.reason)-skipped
			switch { // a rule for superusers alone refuses everybody before a path is chosen
			case change.reason == "" && fast < 4, change.reason == "rule_superusers" && fast > 0, change.reason != "" && change.reason != "rule_superusers" && skipped == 0:
				t.Errorf("%d were fast, %d were not", fast, skipped)
			}
		})
	}
}

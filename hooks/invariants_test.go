package hooks_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// invariants are statements that count what must never exist.
var invariants = map[string]string{
	"likesCount":            `SELECT count(*) FROM posts p WHERE likesCount != (SELECT count(*) FROM likes WHERE post = p.id)`,
	"commentsCount":         `SELECT count(*) FROM posts p WHERE commentsCount != (SELECT count(*) FROM comments WHERE post = p.id)`,
	"repliesCount":          `SELECT count(*) FROM comments c WHERE repliesCount != (SELECT count(*) FROM comments WHERE parent = c.id)`,
	"comment likesCount":    `SELECT count(*) FROM comments c WHERE likesCount != (SELECT count(*) FROM comment_likes WHERE comment = c.id)`,
	"postsCount":            `SELECT count(*) FROM users u WHERE postsCount != (SELECT count(*) FROM posts WHERE author = u.id AND visibility = 'public' AND NOT hidden AND u.state = 'active' AND NOT u.private)`,
	"followersCount":        `SELECT count(*) FROM users u WHERE followersCount != (SELECT count(*) FROM follows WHERE followee = u.id AND state = 'accepted')`,
	"followingCount":        `SELECT count(*) FROM users u WHERE followingCount != (SELECT count(*) FROM follows WHERE follower = u.id AND state = 'accepted')`,
	"hashtag postsCount":    `SELECT count(*) FROM hashtags h WHERE postsCount != (SELECT count(*) FROM post_tags t JOIN posts p ON p.id = t.post JOIN users u ON u.id = p.author WHERE t.tag = h.id AND p.visibility = 'public' AND NOT p.hidden AND u.state = 'active' AND NOT u.private)`,
	"actorsCount":           `SELECT count(*) FROM notifications n WHERE actorsCount != (SELECT count(*) FROM notification_events WHERE notification = n.id AND active)`,
	"a group of nobody":     `SELECT count(*) FROM notifications WHERE actorsCount < 1 OR json_array_length(actors) != min(actorsCount, 8)`,
	"an actor who is not":   `SELECT count(*) FROM notifications n, json_each(n.actors) a WHERE NOT EXISTS (SELECT 1 FROM notification_events e WHERE e.notification = n.id AND e.actor = a.value AND e.active)`,
	"told of oneself":       `SELECT count(*) FROM notification_events WHERE recipient = actor`,
	"a seq not given":       `SELECT count(*) FROM notifications n JOIN settings s ON s.user = n.recipient WHERE n.seq < 1 OR n.seq > s.seq`,
	"a seq given twice":     `SELECT count(*) FROM notifications n JOIN retractions r ON r.recipient = n.recipient AND r.seq = n.seq`,
	"a like not recorded":   `SELECT count(*) FROM likes l JOIN posts p ON p.id = l.post WHERE p.author != l.user AND NOT EXISTS (SELECT 1 FROM blocks WHERE (blocker = p.author AND blocked = l.user) OR (blocker = l.user AND blocked = p.author)) AND NOT EXISTS (SELECT 1 FROM notification_events e WHERE e.type = 'like' AND e.subject = p.id AND e.actor = l.user AND e.recipient = p.author) AND NOT EXISTS (SELECT 1 FROM unblocked u WHERE u.a IN (p.author, l.user) AND u.b IN (p.author, l.user))`,
	"an event of nothing":   `SELECT count(*) FROM notification_events e WHERE e.type = 'like' AND e.active AND NOT EXISTS (SELECT 1 FROM likes WHERE post = e.subject AND user = e.actor)`,
	"a comment of nothing":  `SELECT count(*) FROM notification_events e WHERE e.type = 'comment' AND e.active AND NOT EXISTS (SELECT 1 FROM comments WHERE post = e.subject AND author = e.actor)`,
	"a reply of nothing":    `SELECT count(*) FROM notification_events e WHERE e.type = 'reply' AND e.active AND NOT EXISTS (SELECT 1 FROM comments WHERE parent = e.subject AND author = e.actor)`,
	"a follow of nothing":   `SELECT count(*) FROM notification_events e WHERE e.type IN ('follow', 'follow_request') AND e.active AND NOT EXISTS (SELECT 1 FROM follows WHERE follower = e.actor AND followee = e.recipient)`,
	"a retraction too many": `SELECT count(*) FROM retractions r JOIN notifications n ON n.id = r.notification`,
	"an orphan":             `SELECT count(*) FROM likes WHERE post NOT IN (SELECT id FROM posts) OR user NOT IN (SELECT id FROM users)`,
	"an orphaned comment":   `SELECT count(*) FROM comments WHERE post NOT IN (SELECT id FROM posts) OR (author = '' AND NOT deleted) OR (parent != '' AND parent NOT IN (SELECT id FROM comments))`,
	"an orphaned feed row":  `SELECT count(*) FROM feed WHERE post NOT IN (SELECT id FROM posts) OR viewer NOT IN (SELECT id FROM users)`,
	"an orphaned hiding":    `SELECT count(*) FROM hidden_posts WHERE post NOT IN (SELECT id FROM posts) OR viewer NOT IN (SELECT id FROM users)`,
	"an orphaned event":     `SELECT count(*) FROM notification_events WHERE actor NOT IN (SELECT id FROM users) OR recipient NOT IN (SELECT id FROM users) OR (notification != '' AND notification NOT IN (SELECT id FROM notifications))`,
	"a shown comment gone":  `SELECT count(*) FROM notifications WHERE comment != '' AND comment NOT IN (SELECT id FROM comments)`,
	"an orphaned story":     `SELECT count(*) FROM stories WHERE author NOT IN (SELECT id FROM users) OR expires = '' OR visibility = ''`,
	"an orphaned view":      `SELECT count(*) FROM story_views WHERE story NOT IN (SELECT id FROM stories) OR viewer NOT IN (SELECT id FROM users)`,
	"a view of one's own":   `SELECT count(*) FROM story_views v JOIN stories s ON s.id = v.story WHERE s.author = v.viewer`,
	"a feed of a stranger":  `SELECT count(*) FROM feed f WHERE f.viewer != f.author AND NOT EXISTS (SELECT 1 FROM follows WHERE follower = f.viewer AND followee = f.author AND state = 'accepted')`,
}

func checkInvariants(t *testing.T, s *hookstest.Service) {
	t.Helper()
	for name, statement := range invariants {
		var n int
		if err := s.App.DB().NewQuery(statement).Row(&n); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n != 0 {
			t.Errorf("%s: %d rows", name, n)
		}
	}
}

// TestWhateverPeopleDo lets the cast do random things, several at once, and checks the invariants.
func TestWhateverPeopleDo(t *testing.T) {
	t.Parallel()
	seeds, actions := 4, 120
	if testenv.Race { // the run without it looks for the order that breaks something
		seeds, actions = 1, 60
	}
	for range seeds {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			s := hookstest.New(t)
			// after an unblock there are likes whose events the block has taken back
			execSQL(t, s.App, "CREATE TABLE unblocked (a TEXT, b TEXT)")
			execSQL(t, s.App, "CREATE TRIGGER unblocked AFTER DELETE ON blocks BEGIN INSERT INTO unblocked VALUES (OLD.blocker, OLD.blocked); END")
			for _, name := range hookstest.Cast {
				s.As(name).Post("first #tag of " + name)
			}
			var all sync.WaitGroup
			for worker := range 4 {
				random := rand.New(rand.NewPCG(seed, uint64(worker)))
				all.Go(func() {
					for range actions {
						actRandomly(s, random)
					}
				})
			}
			all.Wait()
			checkInvariants(t, s)
			for _, name := range []string{"bob", "mallory"} {
				c := s.As(name)
				c.Delete("users", c.ID)
			}
			s.RunJobs()
			checkInvariants(t, s)
			if n := s.Rows("jobs", "1"); n != 0 {
				t.Errorf("%d jobs are left", n)
			}
		})
	}
}

// actRandomly lets a random person do a random thing to random rows, allowed or not. The answer may be a refusal but
// never a failure of ours.
func actRandomly(s *hookstest.Service, random *rand.Rand) {
	c := s.As(hookstest.Cast[random.IntN(len(hookstest.Cast))])
	other := s.User(hookstest.Cast[random.IntN(len(hookstest.Cast))])
	pick := func(collection string) string {
		var id string
		_ = s.App.DB().NewQuery("SELECT id FROM " + collection + " ORDER BY random() LIMIT 1").Row(&id) // no row is fine
		return id
	}
	create := func(collection string, body map[string]any) {
		c.Do("POST", "/api/collections/"+collection+"/records", body)
	}
	remove := func(collection string) {
		c.Do("DELETE", "/api/collections/"+collection+"/records/"+pick(collection), nil)
	}
	change := func(collection, id string, body map[string]any) {
		c.Do("PATCH", "/api/collections/"+collection+"/records/"+id, body)
	}
	words := []string{"hello", "hello @ada @bob", "#tag @carol", "@dave #other"}[random.IntN(4)]
	switch random.IntN(25) {
	case 0, 1, 2, 3:
		create("likes", map[string]any{"post": pick("posts")})
	case 4, 5:
		remove("likes")
	case 6, 7:
		create("comments", map[string]any{"post": pick("posts"), "text": words})
	case 8:
		parent := s.Record("comments", pick("comments"))
		if parent != nil {
			create("comments", map[string]any{"post": parent.GetString("post"), "parent": parent.Id, "text": words})
		}
	case 9, 10:
		remove("comments")
	case 11:
		change("comments", pick("comments"), map[string]any{"text": words})
	case 12:
		create("comment_likes", map[string]any{"comment": pick("comments")})
	case 13:
		create("follows", map[string]any{"followee": other.Id})
	case 14:
		remove("follows")
	case 15:
		change("follows", pick("follows"), map[string]any{"state": "accepted"})
	case 16:
		create("blocks", map[string]any{"blocked": other.Id})
	case 17:
		remove("blocks")
		remove("blocks")
	case 18:
		create("mutes", map[string]any{"muted": other.Id})
		remove("mutes")
	case 19:
		change("posts", pick("posts"), map[string]any{"caption": words, "visibility": []string{"public", "followers", "private"}[random.IntN(3)]})
	case 20:
		if random.IntN(3) == 0 {
			remove("posts")
			c.Post("another " + words)
		}
		change("users", c.ID, map[string]any{"private": random.IntN(2) == 0})
	case 21:
		c.Story("visibility", []string{"public", "followers"}[random.IntN(2)])
	case 22, 23:
		create("story_views", map[string]any{"story": pick("stories")})
		if random.IntN(4) == 0 {
			remove("stories")
			runStoryExpiry(s)
		}
	case 24:
		change("notifications", pick("notifications"), map[string]any{"read": true})
		remove("notifications")
		s.Advance(time.Duration(random.IntN(int(10 * time.Hour))))
	}
}

package seed

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"doubletap/bench/world"
)

const named = 8 // actors that a notification names

// Doubletap writes the world into Doubletap's tables as its hooks would have: natural keys, one notification for the
// likes of a post with an event for each, and feeds cut to their newest rows.
func Doubletap(file string, w *world.World) error {
	return fill(file, func(b *bulk) error {
		for _, part := range []func(*bulk, *world.World) error{people, posts, tray, feed} {
			if err := part(b, w); err != nil {
				return err
			}
		}
		return nil
	})
}

func people(b *bulk, w *world.World) error {
	start := world.Text(w.Start())
	err := b.table("users", "id, email, handle, name, password, tokenKey, verified, state, role, postsCount, publicPosts, followersCount, followingCount, created, updated", func(emit func(...any)) {
		for n := range w.Users + w.Crowd {
			posts, follows := 0, 0
			if n < w.Users {
				posts, follows = len(w.PostsOf(n)), w.Follows
			}
			emit(world.UserID(n), email(n), fmt.Sprintf("user%d", n), name(n), nobody, tokenKey(n), true, "active", "member", posts, posts, follows, follows, start, start)
		}
	})
	if err != nil {
		return err
	}
	err = b.table("settings", "id, user, digest, notify, seq, created, updated", func(emit func(...any)) {
		for n := range w.Users + w.Crowd {
			seq := 0
			if n < w.Users {
				seq = len(w.PostsOf(n)) * w.Likes
			}
			emit(world.ID(world.Setting, n), world.UserID(n), "off", "{}", seq, start, start)
		}
	})
	if err != nil {
		return err
	}
	return b.table("follows", "id, follower, followee, state, created, updated", func(emit func(...any)) {
		follows(w, func(_ int, follower, followee string) {
			emit(edge("follows", follower, followee), follower, followee, "accepted", start, start)
		})
	})
}

func posts(b *bulk, w *world.World) error {
	err := b.table("posts", "id, author, photos, caption, visibility, likesCount, commentsCount, created, updated", func(emit func(...any)) {
		for p := range w.Posts {
			at := world.Text(w.Posted(p))
			emit(world.PostID(p), world.UserID(w.Author(p)), `["`+photo+`"]`, caption(p), "public", w.Likes, 0, at, at)
		}
	})
	if err != nil {
		return err
	}
	return b.table("likes", "id, post, user, created, updated", func(emit func(...any)) {
		likes(w, func(p, _ int, user, at string) {
			emit(edge("likes", world.PostID(p), user), world.PostID(p), user, at, at)
		})
	})
}

func tray(b *bulk, w *world.World) error {
	err := b.table("notifications", "id, recipient, type, actors, actorsCount, post, comment, read, latestAt, seq, groupKey, created, updated", func(emit func(...any)) {
		for p := range w.Posts {
			first, last := world.Text(w.Liked(p, 0)), world.Text(w.Liked(p, w.Likes-1))
			emit(world.ID(world.Notification, p), world.UserID(w.Author(p)), "like", newest(w.Likers(p)), w.Likes, world.PostID(p), "", read(w, p),
				last, (p/w.Users+1)*w.Likes, "like:"+world.PostID(p)+":"+first, first, last)
		}
	})
	if err != nil {
		return err
	}
	return b.table("notification_events", "id, notification, recipient, actor, type, subject, active, alertedAt, created, updated", func(emit func(...any)) {
		likes(w, func(p, n int, user, at string) {
			emit(world.ID(world.Event, p*w.Likes+n), world.ID(world.Notification, p), world.UserID(w.Author(p)), user, "like", world.PostID(p), true, at, at, at)
		})
	})
}

// newest is the JSON of the last likers, the last one first.
func newest(likers []int) string {
	var ids []string
	for i := len(likers) - 1; i >= 0 && len(ids) < named; i-- {
		ids = append(ids, world.UserID(likers[i]))
	}
	return `["` + strings.Join(ids, `","`) + `"]`
}

// feed writes the rows in the order of the posts, as fan-out does, so that a viewer's
// rows lie as far apart as they do in life.
func feed(b *bulk, w *world.World) error {
	row := 0
	oldest := oldestKept(w)
	return b.table("feed", "id, viewer, post, author, at, gone, created, updated", func(emit func(...any)) {
		for p := range w.Posts {
			author, at := w.Author(p), world.Text(w.Posted(p))
			for _, viewer := range append(w.Followers(author), author) {
				if p >= oldest[viewer] {
					row++
					emit(world.ID(world.FeedRow, row), world.UserID(viewer), world.PostID(p), world.UserID(author), at, false, at, at)
				}
			}
		}
	})
}

// oldestKept returns each user's oldest post in the feed.
func oldestKept(w *world.World) []int {
	oldest := make([]int, w.Users)
	left := make([]int, w.Users)
	for u := range left {
		left[u] = w.Feed
	}
	for p := w.Posts - 1; p >= 0; p-- {
		author := w.Author(p)
		for _, viewer := range append(w.Followers(author), author) {
			if left[viewer] > 0 {
				left[viewer]--
				oldest[viewer] = p
			}
		}
	}
	return oldest
}

// edge returns the natural key that Doubletap gives a row between two others; see edge.ID there.
func edge(collection, a, b string) string {
	sum := sha256.Sum256([]byte(collection + "|" + a + "|" + b))
	return strings.ToLower(base32.HexEncoding.EncodeToString(sum[:10])[:15])
}

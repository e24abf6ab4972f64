package seed

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/doubletap/doubletap/bench/world"
)

const namedActors = 8 // how many actors a notification names at most

// Doubletap writes the world into Doubletap's tables as its hooks would have: with natural keys, and one notification for
// all likes of a post with an event for each like.
func Doubletap(file string, w *world.World) error {
	return fillDatabase(file, func(b *bulkWriter) error {
		for _, part := range []func(*bulkWriter, *world.World) error{writePeople, writePosts, writeTray} {
			if err := part(b, w); err != nil {
				return err
			}
		}
		return nil
	})
}

func writePeople(b *bulkWriter, w *world.World) error {
	start := world.TimeText(w.StartTime())
	err := b.insertRows("users", "id, email, handle, name, password, tokenKey, verified, state, role, postsCount, publicPosts, followersCount, followingCount, created, updated", func(emit func(...any)) {
		for n := range w.Users + w.Crowd {
			posts, follows := 0, 0
			if n < w.Users {
				posts, follows = len(w.PostsOf(n)), w.Follows
			}
			emit(world.UserID(n), emailOf(n), fmt.Sprintf("user%d", n), displayNameOf(n), noPassword, tokenKeyOf(n), true, "active", "member", posts, posts, follows, follows, start, start)
		}
	})
	if err != nil {
		return err
	}
	err = b.insertRows("settings", "id, user, digest, notify, seq, created, updated", func(emit func(...any)) {
		for n := range w.Users + w.Crowd {
			seq := 0
			if n < w.Users {
				seq = len(w.PostsOf(n)) * w.Likes
			}
			emit(world.RowID(world.Setting, n), world.UserID(n), "off", "{}", seq, start, start)
		}
	})
	if err != nil {
		return err
	}
	return b.insertRows("follows", "id, follower, followee, state, created, updated", func(emit func(...any)) {
		forEachFollow(w, func(_ int, follower, followee string) {
			emit(edgeID("follows", follower, followee), follower, followee, "accepted", start, start)
		})
	})
}

func writePosts(b *bulkWriter, w *world.World) error {
	err := b.insertRows("posts", "id, author, photos, caption, visibility, likesCount, commentsCount, created, updated", func(emit func(...any)) {
		for p := range w.Posts {
			at := world.TimeText(w.PostedAt(p))
			emit(world.PostID(p), world.UserID(w.AuthorOf(p)), `["`+PhotoName+`"]`, captionOf(p), "public", w.Likes, 0, at, at)
		}
	})
	if err != nil {
		return err
	}
	return b.insertRows("likes", "id, post, user, created, updated", func(emit func(...any)) {
		forEachLike(w, func(p, _ int, user, at string) {
			emit(edgeID("likes", world.PostID(p), user), world.PostID(p), user, at, at)
		})
	})
}

func writeTray(b *bulkWriter, w *world.World) error {
	err := b.insertRows("notifications", "id, recipient, type, actors, actorsCount, post, comment, read, latestAt, seq, groupKey, created, updated", func(emit func(...any)) {
		for p := range w.Posts {
			first, last := world.TimeText(w.LikedAt(p, 0)), world.TimeText(w.LikedAt(p, w.Likes-1))
			emit(world.RowID(world.Notification, p), world.UserID(w.AuthorOf(p)), "like", newestActors(w.LikersOf(p)), w.Likes, world.PostID(p), "", isReadRow(w, p),
				last, (p/w.Users+1)*w.Likes, "like:"+world.PostID(p)+":"+first, first, last)
		}
	})
	if err != nil {
		return err
	}
	return b.insertRows("notification_events", "id, notification, recipient, actor, type, subject, active, alertedAt, created, updated", func(emit func(...any)) {
		forEachLike(w, func(p, n int, user, at string) {
			emit(world.RowID(world.Event, p*w.Likes+n), world.RowID(world.Notification, p), world.UserID(w.AuthorOf(p)), user, "like", world.PostID(p), true, at, at, at)
		})
	})
}

// newestActors returns the ids of the last likers as JSON, the last one first.
func newestActors(likers []int) string {
	var ids []string
	for i := len(likers) - 1; i >= 0 && len(ids) < namedActors; i-- {
		ids = append(ids, world.UserID(likers[i]))
	}
	return `["` + strings.Join(ids, `","`) + `"]`
}

// edgeID returns the natural key that Doubletap gives a row that connects two others; see its edge.ID.
func edgeID(collection, a, b string) string {
	sum := sha256.Sum256([]byte(collection + "|" + a + "|" + b))
	return strings.ToLower(base32.HexEncoding.EncodeToString(sum[:10])[:15])
}

package seed

import (
	"fmt"

	"github.com/doubletap/doubletap/bench/world"
)

// PocketBase writes the world into the tables of the plain or the careful subject, with one notification for each
// like, as their hooks write. Columns that only one of the two has keep their defaults.
func PocketBase(file string, w *world.World) error {
	start := world.TimeText(w.StartTime())
	return fillDatabase(file, func(b *bulkWriter) error {
		err := b.insertRows("users", "id, email, name, password, tokenKey, verified, created, updated", func(emit func(...any)) {
			for n := range w.Users + w.Crowd {
				emit(world.UserID(n), emailOf(n), displayNameOf(n), noPassword, tokenKeyOf(n), true, start, start)
			}
		})
		if err != nil {
			return err
		}
		err = b.insertRows("follows", "id, follower, followee, created, updated", func(emit func(...any)) {
			forEachFollow(w, func(n int, follower, followee string) {
				emit(world.RowID(world.Follow, n), follower, followee, start, start)
			})
		})
		if err != nil {
			return err
		}
		err = b.insertRows("posts", "id, author, photo, caption, likesCount, commentsCount, created, updated", func(emit func(...any)) {
			for p := range w.Posts {
				at := world.TimeText(w.PostedAt(p))
				emit(world.PostID(p), world.UserID(w.AuthorOf(p)), PhotoName, captionOf(p), w.Likes, 0, at, at)
			}
		})
		if err != nil {
			return err
		}
		err = b.insertRows("likes", "id, post, user, created, updated", func(emit func(...any)) {
			forEachLike(w, func(p, n int, user, at string) {
				emit(world.RowID(world.Like, p*w.Likes+n), world.PostID(p), user, at, at)
			})
		})
		if err != nil {
			return err
		}
		return b.insertRows("notifications", "id, recipient, actor, post, type, read, created, updated", func(emit func(...any)) {
			forEachLike(w, func(p, n int, user, at string) {
				emit(world.RowID(world.Notification, p*w.Likes+n), world.UserID(w.AuthorOf(p)), user, world.PostID(p), "like", isReadRow(w, p), at, at)
			})
		})
	})
}

// forEachFollow calls row for each follow. It does not go person by person: people do not follow all others at once,
// so a person's rows lie apart.
func forEachFollow(w *world.World, row func(n int, follower, followee string)) {
	for j := range w.Follows {
		for u := range w.Users {
			row(j*w.Users+u, world.UserID(u), world.UserID(w.FolloweeOf(u, j)))
		}
	}
}

// forEachLike calls row for the nth like of each post p, in about the order of time.
func forEachLike(w *world.World, row func(p, n int, user, at string)) {
	for p := range w.Posts {
		for n, u := range w.LikersOf(p) {
			row(p, n, world.UserID(u), world.TimeText(w.LikedAt(p, n)))
		}
	}
}

const (
	noPassword = "-"                    // no password has this hash
	PhotoName  = "photo_0000000000.jpg" // no case loads the file of a seeded post
)

func emailOf(n int) string       { return fmt.Sprintf("user%d@example.com", n) }
func displayNameOf(n int) string { return fmt.Sprintf("User %d", n) }
func captionOf(p int) string     { return fmt.Sprintf("Photo %d, an afternoon by the sea", p) }

// isReadRow reports whether the notifications of a post are read; those of the last fifth of posts are not.
func isReadRow(w *world.World, p int) bool { return p < w.Posts*4/5 }

func tokenKeyOf(n int) string {
	return world.RowID(world.User, n) + world.RowID(world.Setting, n) + world.RowID(world.Event, n) + "01234"
}

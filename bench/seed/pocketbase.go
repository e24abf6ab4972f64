package seed

import (
	"fmt"

	"doubletap/bench/world"
)

// PocketBase writes the world into the tables of the plain or the careful subject: one notification for each like, as
// their hooks do. Columns that only one of them has keep their defaults.
func PocketBase(file string, w *world.World) error {
	start := world.Text(w.Start())
	return fill(file, func(b *bulk) error {
		err := b.table("users", "id, email, name, password, tokenKey, verified, created, updated", func(emit func(...any)) {
			for n := range w.Users + w.Crowd {
				emit(world.UserID(n), email(n), name(n), nobody, tokenKey(n), true, start, start)
			}
		})
		if err != nil {
			return err
		}
		err = b.table("follows", "id, follower, followee, created, updated", func(emit func(...any)) {
			follows(w, func(n int, follower, followee string) {
				emit(world.ID(world.Follow, n), follower, followee, start, start)
			})
		})
		if err != nil {
			return err
		}
		err = b.table("posts", "id, author, photo, caption, likesCount, commentsCount, created, updated", func(emit func(...any)) {
			for p := range w.Posts {
				at := world.Text(w.Posted(p))
				emit(world.PostID(p), world.UserID(w.Author(p)), photo, caption(p), w.Likes, 0, at, at)
			}
		})
		if err != nil {
			return err
		}
		err = b.table("likes", "id, post, user, created, updated", func(emit func(...any)) {
			likes(w, func(p, n int, user, at string) {
				emit(world.ID(world.Like, p*w.Likes+n), world.PostID(p), user, at, at)
			})
		})
		if err != nil {
			return err
		}
		return b.table("notifications", "id, recipient, actor, post, type, read, created, updated", func(emit func(...any)) {
			likes(w, func(p, n int, user, at string) {
				emit(world.ID(world.Notification, p*w.Likes+n), world.UserID(w.Author(p)), user, world.PostID(p), "like", read(w, p), at, at)
			})
		})
	})
}

// follows calls row for each follow, not person by person: nobody follows all of theirs at once, so
// their rows lie apart.
func follows(w *world.World, row func(n int, follower, followee string)) {
	for j := range w.Follows {
		for u := range w.Users {
			row(j*w.Users+u, world.UserID(u), world.UserID(w.Followee(u, j)))
		}
	}
}

// likes calls row for the nth like of each post p, in about the order of time.
func likes(w *world.World, row func(p, n int, user, at string)) {
	for p := range w.Posts {
		for n, u := range w.Likers(p) {
			row(p, n, world.UserID(u), world.Text(w.Liked(p, n)))
		}
	}
}

const (
	nobody = "-"                    // a password that fits no hash
	photo  = "photo_0000000000.jpg" // no case looks at a seeded post's file
)

func email(n int) string   { return fmt.Sprintf("user%d@example.com", n) }
func name(n int) string    { return fmt.Sprintf("User %d", n) }
func caption(p int) string { return fmt.Sprintf("Photo %d, an afternoon by the sea", p) }

// read tells whether what came of a post was seen: the last fifth was not.
func read(w *world.World, p int) bool { return p < w.Posts*4/5 }

func tokenKey(n int) string {
	return world.ID(world.User, n) + world.ID(world.Setting, n) + world.ID(world.Event, n) + "01234"
}

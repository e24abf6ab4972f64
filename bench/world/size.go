// Package world makes the people, posts, likes and follows that every subject of the benchmark is served with. They
// are the same for all subjects, computed from their numbers alone; package seed writes them by SQL.
package world

import "fmt"

// Size says how much a world holds. Users post, follow and are notified of likes; the crowd only has accounts, so
// that a post can have more likers than there are users.
type Size struct {
	Users, Crowd, Posts int
	Likes               int // of each post
	Follows             int // of each user
}

// The sizes that the benchmark knows by name. Standard is the README's; Quick is too small to say anything about
// speed; Toy is the smoke test's.
var (
	Standard = Size{Users: 5000, Crowd: 5100, Posts: 100_000, Likes: 10, Follows: 200}
	Quick    = Size{Users: 500, Crowd: 1200, Posts: 5_000, Likes: 10, Follows: 60}
	Toy      = Size{Users: 200, Crowd: 400, Posts: 2_000, Likes: 10, Follows: 40}
)

// ScaledBy returns a size with n times as many users and posts; each user does as much as before.
func (s Size) ScaledBy(n int) Size {
	s.Users *= n
	s.Posts *= n
	return s
}

func (s Size) String() string {
	return fmt.Sprintf("%d users, %d posts, %d likes, %d follows", s.Users, s.Posts, s.Posts*s.Likes, s.Users*s.Follows)
}

// Owners is how many of the last users are reserved for cases that need posts of their own.
const Owners = 40

package world

import (
	"math/rand/v2"
	"time"
)

// World knows in constant time who wrote a post, who follows whom and who likes what, so that a new like can be found
// without asking the database. Users have the numbers from 0, the crowd the numbers after them.
type World struct {
	Size
	author    []int32 // by a post's place in its generation; each user posts once in a generation
	place     []int32 // the inverse of author
	follow    []int32 // user u follows u + each of these
	like      []int32 // a post of user a is liked by a + each of these, in this order
	nonLikers []int32 // and not liked by a + each of these
}

// New returns the world of a size; the same size gives the same world.
func New(size Size) *World {
	rnd := rand.New(rand.NewPCG(uint64(size.Users), uint64(size.Posts)))
	w := &World{Size: size, author: numberRange(0, size.Users), place: make([]int32, size.Users)}
	shuffleNumbers(rnd, w.author)
	for place, author := range w.author {
		w.place[author] = int32(place)
	}
	steps := numberRange(1, size.Users) // to all users but oneself
	shuffleNumbers(rnd, steps)
	w.follow = steps[:size.Follows]

	// Half of a post's likes come from followers of its author, half from strangers.
	liked := map[int32]bool{}
	for _, step := range w.follow[:size.Likes/2] {
		liked[int32(size.Users)-step] = true
	}
	for _, step := range steps[size.Follows:] {
		if len(liked) == size.Likes {
			break
		}
		liked[step] = true
	}
	for _, step := range steps {
		if liked[step] {
			w.like = append(w.like, step)
		} else {
			w.nonLikers = append(w.nonLikers, step)
		}
	}
	shuffleNumbers(rnd, w.like)
	shuffleNumbers(rnd, w.nonLikers)
	return w
}

// AuthorOf returns the user who wrote a post; posts are numbered from the oldest, 0.
func (w *World) AuthorOf(post int) int { return int(w.author[post%w.Users]) }

// PostsOf returns the posts of a user, oldest first.
func (w *World) PostsOf(user int) (posts []int) {
	for post := int(w.place[user]); post < w.Posts; post += w.Users {
		posts = append(posts, post)
	}
	return posts
}

// LikersOf returns who likes a post, first to last.
func (w *World) LikersOf(post int) []int { return w.usersAround(w.AuthorOf(post), w.like) }

// NonLikerOf returns the nth person who neither wrote nor likes the post: first users, then the crowd. n must be
// below NonLikerCount.
func (w *World) NonLikerOf(post, n int) int {
	if n < len(w.nonLikers) {
		return (w.AuthorOf(post) + int(w.nonLikers[n])) % w.Users
	}
	return w.Users + n - len(w.nonLikers)
}

// NonLikerCount returns how many people neither wrote nor like a post.
func (w *World) NonLikerCount() int { return len(w.nonLikers) + w.Crowd }

// FolloweeOf returns the nth person that a user follows.
func (w *World) FolloweeOf(user, n int) int { return (user + int(w.follow[n])) % w.Users }

// FollowersOf returns who follows a user.
func (w *World) FollowersOf(user int) []int {
	var all []int
	for _, step := range w.follow {
		all = append(all, (user-int(step)+w.Users)%w.Users)
	}
	return all
}

func (w *World) usersAround(user int, steps []int32) []int {
	all := make([]int, len(steps))
	for i, step := range steps {
		all[i] = (user + int(step)) % w.Users
	}
	return all
}

// The world ended at this moment and lasted half a year. A post's likes came within five hours, so that Doubletap
// groups all of them.
var worldEnd = time.Date(2026, 10, 31, 12, 0, 0, 0, time.UTC)

const (
	worldSpan    = 180 * 24 * time.Hour
	likeInterval = 30 * time.Minute
)

// StartTime returns when the world began. All accounts and follows were created then.
func (w *World) StartTime() time.Time { return worldEnd.Add(-worldSpan) }

// PostedAt returns when a post was made.
func (w *World) PostedAt(post int) time.Time {
	return w.StartTime().Add(worldSpan / time.Duration(w.Posts) * time.Duration(post))
}

// LikedAt returns when a post got its nth like.
func (w *World) LikedAt(post, n int) time.Time {
	return w.PostedAt(post).Add(time.Duration(n+1) * likeInterval)
}

// TimeText returns a time, which must be in UTC, as PocketBase stores it.
func TimeText(t time.Time) string { return t.Format("2006-01-02 15:04:05.000Z") }

func numberRange(from, to int) []int32 {
	all := make([]int32, 0, to-from)
	for n := from; n < to; n++ {
		all = append(all, int32(n))
	}
	return all
}

func shuffleNumbers(rnd *rand.Rand, all []int32) {
	rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
}

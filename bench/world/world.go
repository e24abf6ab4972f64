package world

import (
	"math/rand/v2"
	"time"
)

// World answers in constant time who wrote a post, who follows whom and who likes what, so that a new like
// can be found without asking the database. Users are numbers from 0; the crowd's begin behind them.
type World struct {
	Size
	author []int32 // by a post's place in its generation: each user posts once a generation
	place  []int32 // the other way round
	follow []int32 // a user u follows u + each of these
	like   []int32 // a post of user a is liked by a + each of these, in this order
	fresh  []int32 // and not liked by a + each of these
}

// New returns the world of a size; the same size gives the same world.
func New(size Size) *World {
	rnd := rand.New(rand.NewPCG(uint64(size.Users), uint64(size.Posts)))
	w := &World{Size: size, author: numbers(0, size.Users), place: make([]int32, size.Users)}
	shuffle(rnd, w.author)
	for place, author := range w.author {
		w.place[author] = int32(place)
	}
	steps := numbers(1, size.Users) // all but oneself
	shuffle(rnd, steps)
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
			w.fresh = append(w.fresh, step)
		}
	}
	shuffle(rnd, w.like)
	shuffle(rnd, w.fresh)
	return w
}

// Author returns who wrote a post; posts are numbered from the oldest.
func (w *World) Author(post int) int { return int(w.author[post%w.Users]) }

// PostsOf returns the posts of a user, oldest first.
func (w *World) PostsOf(user int) (posts []int) {
	for post := int(w.place[user]); post < w.Posts; post += w.Users {
		posts = append(posts, post)
	}
	return posts
}

// Likers returns who likes a post, first to last.
func (w *World) Likers(post int) []int { return w.around(w.Author(post), w.like) }

// Fresh returns the nth user who neither wrote nor likes the post: first users, then the crowd. There are Unmoved of them.
func (w *World) Fresh(post, n int) int {
	if n < len(w.fresh) {
		return (w.Author(post) + int(w.fresh[n])) % w.Users
	}
	return w.Users + n - len(w.fresh)
}

// Unmoved returns how many people do not like a post.
func (w *World) Unmoved() int { return len(w.fresh) + w.Crowd }

// Followee returns the nth person that a user follows.
func (w *World) Followee(user, n int) int { return (user + int(w.follow[n])) % w.Users }

// Followers returns who follows a user.
func (w *World) Followers(user int) []int {
	var all []int
	for _, step := range w.follow {
		all = append(all, (user-int(step)+w.Users)%w.Users)
	}
	return all
}

func (w *World) around(user int, steps []int32) []int {
	all := make([]int, len(steps))
	for i, step := range steps {
		all[i] = (user + int(step)) % w.Users
	}
	return all
}

// The world ended at this moment, and took half a year; a post's likes came within five hours, all
// in one of Doubletap's groups.
var end = time.Date(2026, 10, 31, 12, 0, 0, 0, time.UTC)

const (
	span  = 180 * 24 * time.Hour
	pause = 30 * time.Minute
)

// Start returns when the world began: everybody signed up and followed then.
func (w *World) Start() time.Time { return end.Add(-span) }

// Posted returns when a post was made.
func (w *World) Posted(post int) time.Time {
	return w.Start().Add(span / time.Duration(w.Posts) * time.Duration(post))
}

// Liked returns when a post got its nth like.
func (w *World) Liked(post, n int) time.Time { return w.Posted(post).Add(time.Duration(n+1) * pause) }

// Text is a time as PocketBase stores it.
func Text(t time.Time) string { return t.Format("2006-01-02 15:04:05.000Z") }

func numbers(from, to int) []int32 {
	all := make([]int32, 0, to-from)
	for n := from; n < to; n++ {
		all = append(all, int32(n))
	}
	return all
}

func shuffle(rnd *rand.Rand, all []int32) {
	rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
}

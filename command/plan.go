package command

import (
	"fmt"
	"math/rand/v2"
)

// world is what Seed stores, decided before anything is: all of its chance is used up here.
type world struct {
	r        *rand.Rand
	people   []person
	joined   []float64
	follows  []following
	posts    []posted
	likes    []liked
	comments []said
}

// In these, people, posts and comments are places in the world's lists, and times go from 0 to 1.
type (
	following struct {
		follower, followee int
		at, accepted       float64 // accepted is 0 where nobody did
	}
	posted struct {
		share
		author int
		at     float64
	}
	liked struct {
		user, post int
		at         float64
	}
	said struct {
		id, text       string
		user, post, to int // to is the comment answered, or -1
		at             float64
	}
)

// plan makes a world up.
func plan(size Size) (*world, error) {
	if err := size.check(); err != nil {
		return nil, err
	}
	w := &world{r: rand.New(rand.NewPCG(size.Seed, 0x746170))} // #nosec G404 -- painted from a seed, alike each time
	w.populate(size.Users)
	w.connect(size.Follows)
	w.fill(size.Posts)
	audience := w.audiences()
	possible := 0
	for _, users := range audience {
		possible += len(users)
	}
	if size.Likes > possible {
		return nil, fmt.Errorf("these posts can have %d likes, not %d: each person likes a post that they see once", possible, size.Likes)
	}
	w.applaud(size.Likes, audience)
	w.talk(size.Comments, audience)
	return w, nil
}

// id is a record id.
func (w *world) id() string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	id := make([]byte, 15)
	for i := range id {
		id[i] = letters[w.r.IntN(len(letters))]
	}
	return string(id)
}

// story is the world as steps to be stored.
func (w *world) story(hash string) *story {
	s := &story{span: seededSpan}
	for i, p := range w.people {
		s.signUp(w.joined[i], p, hash)
	}
	for _, f := range w.follows {
		a, b := w.people[f.follower], w.people[f.followee]
		s.follow(f.at, a.id, b.id)
		if f.accepted > 0 && b.private {
			s.accept(f.accepted, a.id, b.id)
		}
	}
	for _, p := range w.posts {
		s.share(p.at, p.share)
	}
	for _, l := range w.likes {
		s.like(l.at, w.people[l.user].id, w.posts[l.post].id)
	}
	for _, c := range w.comments {
		parent := ""
		if c.to >= 0 {
			parent = w.comments[c.to].id
		}
		s.comment(c.at, c.id, w.people[c.user].id, w.posts[c.post].id, parent, c.text)
	}
	return s
}

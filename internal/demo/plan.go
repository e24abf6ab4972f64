package demo

import (
	"fmt"
	"math/rand/v2"
)

// world is what SeedData stores. All of it is decided before anything is stored; no random number is drawn later.
type world struct {
	rng      *rand.Rand
	people   []castMember
	joined   []float64
	follows  []plannedFollow
	posts    []plannedPost
	likes    []plannedLike
	comments []plannedComment
}

// In these types people, posts and comments are indexes into the world's lists, and times go from 0 to 1.
type (
	plannedFollow struct {
		follower, followee int
		at, accepted       float64 // accepted is 0 if the follow was not accepted
	}
	plannedPost struct {
		postContent
		author int
		at     float64
	}
	plannedLike struct {
		user, post int
		at         float64
	}
	plannedComment struct {
		id, text            string
		user, post, answers int // answers is the comment that it answers, or -1
		at                  float64
	}
)

// planWorld makes up a world of the size, or returns an error if there can be none.
func planWorld(size Size) (*world, error) {
	if err := size.validate(); err != nil {
		return nil, err
	}
	w := &world{rng: rand.New(rand.NewPCG(size.Seed, 0x746170))} // #nosec G404 -- painted from a seed, alike each time
	w.addPeople(size.Users)
	w.addFollows(size.Follows)
	w.addPosts(size.Posts)
	audience := w.audiencesOfPosts()
	possible := 0
	for _, users := range audience {
		possible += len(users)
	}
	if size.Likes > possible {
		return nil, fmt.Errorf("these posts can have %d likes, not %d: each person likes a post that they see once", possible, size.Likes)
	}
	w.addLikes(size.Likes, audience)
	w.addComments(size.Comments, audience)
	return w, nil
}

// newRecordID returns a random record id.
func (w *world) newRecordID() string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	id := make([]byte, 15)
	for i := range id {
		id[i] = letters[w.rng.IntN(len(letters))]
	}
	return string(id)
}

// buildTimeline returns the world as actions to be stored.
func (w *world) buildTimeline(hash string) *timeline {
	t := &timeline{span: seededSpan}
	for i, p := range w.people {
		t.addSignUp(w.joined[i], p, hash)
	}
	for _, f := range w.follows {
		a, b := w.people[f.follower], w.people[f.followee]
		t.addFollow(f.at, a.id, b.id)
		if f.accepted > 0 && b.private {
			t.addFollowAcceptance(f.accepted, a.id, b.id)
		}
	}
	for _, p := range w.posts {
		t.addPost(p.at, p.postContent)
	}
	for _, l := range w.likes {
		t.addLike(l.at, w.people[l.user].id, w.posts[l.post].id)
	}
	for _, c := range w.comments {
		parent := ""
		if c.answers >= 0 {
			parent = w.comments[c.answers].id
		}
		t.addComment(c.at, c.id, w.people[c.user].id, w.posts[c.post].id, parent, c.text)
	}
	return t
}

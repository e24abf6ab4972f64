package demo

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// skewedIntN returns a random number below n; small numbers are more frequent than large ones, as in fame.
func (w *world) skewedIntN(n int) int { return int(float64(n) * math.Pow(w.rng.Float64(), 2)) }

// timeBetween returns a random time between a and b.
func (w *world) timeBetween(a, b float64) float64 { return a + (b-a)*w.rng.Float64() }

func (w *world) addPeople(n int) {
	taken := map[string]bool{}
	for range n {
		first, last := pickOne(w.rng, firstNames), pickOne(w.rng, lastNames)
		handle := strings.ToLower(first + "_" + last)
		for base := handle; taken[handle]; {
			handle = fmt.Sprintf("%s_%d", base, 2+w.rng.IntN(10*n))
		}
		taken[handle] = true
		w.people = append(w.people, castMember{
			id: w.newRecordID(), handle: handle, name: first + " " + last, bio: pickOne(w.rng, bios), private: w.rng.IntN(10) == 0, avatarSeed: w.rng.Uint64(),
		})
		w.joined = append(w.joined, w.timeBetween(0, 0.1))
	}
}

func (w *world) addFollows(n int) {
	taken := map[[2]int]bool{}
	for tries := 0; len(w.follows) < n; tries++ {
		a, b := w.rng.IntN(len(w.people)), w.skewedIntN(len(w.people))
		if tries > 10*n { // everybody follows the famous already
			b = w.rng.IntN(len(w.people))
		}
		if a == b || taken[[2]int{a, b}] {
			continue
		}
		taken[[2]int{a, b}] = true
		f := plannedFollow{follower: a, followee: b, at: w.timeBetween(0.1, 0.6)}
		if !w.people[b].private {
			f.accepted = f.at
		} else if w.rng.IntN(4) > 0 {
			f.accepted = w.timeBetween(f.at, 0.7)
		}
		w.follows = append(w.follows, f)
	}
}

func (w *world) addPosts(n int) {
	for range n {
		author := w.skewedIntN(len(w.people))
		motif := pickOne(w.rng, photoMotifs)
		place := pickOne(w.rng, places)
		p := plannedPost{author: author, at: w.timeBetween(0.1, 1), postContent: postContent{id: w.newRecordID(), author: w.people[author].id, visibility: "public"}}
		first := w.rng.Uint64()
		for n := range 1 + w.skewedIntN(4)/2 { // neighbours, so that no post has a picture twice
			p.photos = append(p.photos, paintedPhoto{scene: motif, seed: (first + uint64(n)) % picturesPerMotif}) // #nosec G115 -- one or two
		}
		switch w.rng.IntN(20) {
		case 0:
			p.visibility = "private"
		case 1, 2:
			p.visibility = "followers"
		}
		p.caption = pickOne(w.rng, motif.captions)
		if w.rng.IntN(8) == 0 {
			p.caption += " with @" + pickOne(w.rng, w.people).handle
		}
		for _, tag := range motif.tags[:w.rng.IntN(len(motif.tags)+1)] {
			p.caption += " #" + tag
		}
		if w.rng.IntN(2) == 0 {
			p.place, p.lat, p.lon = place.name, place.lat, place.lon
		}
		w.posts = append(w.posts, p)
	}
}

// audienceMember is a person who sees a post, and since when.
type audienceMember struct {
	user  int
	since float64
}

// audiencesOfPosts returns who sees each post. A follower who was accepted after the post sees it from then on.
func (w *world) audiencesOfPosts() [][]audienceMember {
	followers := make([][]audienceMember, len(w.people))
	for _, f := range w.follows {
		if f.accepted > 0 {
			followers[f.followee] = append(followers[f.followee], audienceMember{f.follower, f.accepted})
		}
	}
	everybody := make([]audienceMember, len(w.people))
	for i := range everybody {
		everybody[i] = audienceMember{i, w.joined[i]}
	}
	all := make([][]audienceMember, len(w.posts))
	for i, p := range w.posts {
		self := audienceMember{p.author, w.joined[p.author]}
		switch {
		case p.visibility == "private":
			all[i] = []audienceMember{self}
		case p.visibility == "followers" || w.people[p.author].private:
			all[i] = append(slices.Clip(followers[p.author]), self)
		default:
			all[i] = everybody
		}
	}
	return all
}

// reactionTime returns a random time after viewer could first see the post; earlier times are more frequent.
func (w *world) reactionTime(post int, viewer audienceMember) float64 {
	from := max(w.posts[post].at, viewer.since)
	return from + (1-from)*math.Pow(w.rng.Float64(), 2)
}

func (w *world) addLikes(n int, audience [][]audienceMember) {
	taken := map[[2]int]bool{}
	for tries := 0; len(w.likes) < n; tries++ {
		post := w.skewedIntN(len(w.posts))
		if tries > 5*n { // the favourite posts have all their likes already
			post = w.rng.IntN(len(w.posts))
		}
		viewer := pickOne(w.rng, audience[post])
		if taken[[2]int{viewer.user, post}] {
			continue
		}
		taken[[2]int{viewer.user, post}] = true
		w.likes = append(w.likes, plannedLike{user: viewer.user, post: post, at: w.reactionTime(post, viewer)})
	}
}

func (w *world) addComments(n int, audience [][]audienceMember) {
	for range n {
		post := w.skewedIntN(len(w.posts))
		viewer := pickOne(w.rng, audience[post])
		w.comments = append(w.comments, plannedComment{id: w.newRecordID(), user: viewer.user, post: post, answers: -1, at: w.reactionTime(post, viewer)})
	}
	slices.SortStableFunc(w.comments, func(a, b plannedComment) int { return cmp.Compare(a.at, b.at) })
	threads := map[int][]int{}
	for i := range w.comments {
		c := &w.comments[i]
		c.text = pickOne(w.rng, remarks)
		if before := threads[c.post]; len(before) > 0 && w.rng.IntN(2) == 0 {
			c.answers = pickOne(w.rng, before)
			c.text = "@" + w.people[w.comments[c.answers].user].handle + " " + pickOne(w.rng, replies)
		}
		threads[c.post] = append(threads[c.post], i)
	}
}

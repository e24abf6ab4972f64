package command

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// few is a number below n that is more often small than large, as fame is.
func (w *world) few(n int) int { return int(float64(n) * math.Pow(w.r.Float64(), 2)) }

// between is a time after a.
func (w *world) between(a, b float64) float64 { return a + (b-a)*w.r.Float64() }

func (w *world) populate(n int) {
	taken := map[string]bool{}
	for range n {
		first, last := pick(w.r, firstNames), pick(w.r, lastNames)
		handle := strings.ToLower(first + "_" + last)
		for base := handle; taken[handle]; {
			handle = fmt.Sprintf("%s_%d", base, 2+w.r.IntN(10*n))
		}
		taken[handle] = true
		w.people = append(w.people, person{
			id: w.id(), handle: handle, name: first + " " + last, bio: pick(w.r, bios), private: w.r.IntN(10) == 0, face: w.r.Uint64(),
		})
		w.joined = append(w.joined, w.between(0, 0.1))
	}
}

func (w *world) connect(n int) {
	taken := map[[2]int]bool{}
	for tries := 0; len(w.follows) < n; tries++ {
		a, b := w.r.IntN(len(w.people)), w.few(len(w.people))
		if tries > 10*n { // the famous have everybody already
			b = w.r.IntN(len(w.people))
		}
		if a == b || taken[[2]int{a, b}] {
			continue
		}
		taken[[2]int{a, b}] = true
		f := following{follower: a, followee: b, at: w.between(0.1, 0.6)}
		if !w.people[b].private {
			f.accepted = f.at
		} else if w.r.IntN(4) > 0 {
			f.accepted = w.between(f.at, 0.7)
		}
		w.follows = append(w.follows, f)
	}
}

func (w *world) fill(n int) {
	for range n {
		author := w.few(len(w.people))
		s := pick(w.r, scenes)
		place := pick(w.r, places)
		p := posted{author: author, at: w.between(0.1, 1), share: share{id: w.id(), author: w.people[author].id, visibility: "public"}}
		for range 1 + w.few(4)/2 {
			p.photos = append(p.photos, photo{scene: s, seed: w.r.Uint64()})
		}
		switch w.r.IntN(20) {
		case 0:
			p.visibility = "private"
		case 1, 2:
			p.visibility = "followers"
		}
		p.caption = pick(w.r, s.captions)
		if w.r.IntN(8) == 0 {
			p.caption += " with @" + pick(w.r, w.people).handle
		}
		for _, tag := range s.tags[:w.r.IntN(len(s.tags)+1)] {
			p.caption += " #" + tag
		}
		if w.r.IntN(2) == 0 {
			p.place, p.lat, p.lon = place.name, place.lat, place.lon
		}
		w.posts = append(w.posts, p)
	}
}

// seer is somebody who sees a post, and since when.
type seer struct {
	user  int
	since float64
}

// audiences are those who see each post: a follower who was accepted after it sees it from then on.
func (w *world) audiences() [][]seer {
	followers := make([][]seer, len(w.people))
	for _, f := range w.follows {
		if f.accepted > 0 {
			followers[f.followee] = append(followers[f.followee], seer{f.follower, f.accepted})
		}
	}
	everybody := make([]seer, len(w.people))
	for i := range everybody {
		everybody[i] = seer{i, w.joined[i]}
	}
	all := make([][]seer, len(w.posts))
	for i, p := range w.posts {
		self := seer{p.author, w.joined[p.author]}
		switch {
		case p.visibility == "private":
			all[i] = []seer{self}
		case p.visibility == "followers" || w.people[p.author].private:
			all[i] = append(slices.Clip(followers[p.author]), self)
		default:
			all[i] = everybody
		}
	}
	return all
}

// look is a time at which s, who sees the post, may do something about it.
func (w *world) look(post int, s seer) float64 {
	from := max(w.posts[post].at, s.since)
	return from + (1-from)*math.Pow(w.r.Float64(), 2)
}

func (w *world) applaud(n int, audience [][]seer) {
	taken := map[[2]int]bool{}
	for tries := 0; len(w.likes) < n; tries++ {
		post := w.few(len(w.posts))
		if tries > 5*n { // the favourites have all their likes already
			post = w.r.IntN(len(w.posts))
		}
		s := pick(w.r, audience[post])
		if taken[[2]int{s.user, post}] {
			continue
		}
		taken[[2]int{s.user, post}] = true
		w.likes = append(w.likes, liked{user: s.user, post: post, at: w.look(post, s)})
	}
}

func (w *world) talk(n int, audience [][]seer) {
	for range n {
		post := w.few(len(w.posts))
		s := pick(w.r, audience[post])
		w.comments = append(w.comments, said{id: w.id(), user: s.user, post: post, to: -1, at: w.look(post, s)})
	}
	slices.SortStableFunc(w.comments, func(a, b said) int { return cmp.Compare(a.at, b.at) })
	threads := map[int][]int{}
	for i := range w.comments {
		c := &w.comments[i]
		c.text = pick(w.r, remarks)
		if before := threads[c.post]; len(before) > 0 && w.r.IntN(2) == 0 {
			c.to = pick(w.r, before)
			c.text = "@" + w.people[w.comments[c.to].user].handle + " " + pick(w.r, replies)
		}
		threads[c.post] = append(threads[c.post], i)
	}
}

package main

import (
	"context"
	"sync/atomic"

	"github.com/doubletap/doubletap/bench/stored"
	"github.com/doubletap/doubletap/bench/subject"
	"github.com/doubletap/doubletap/bench/world"
	"github.com/doubletap/doubletap/internal/load"
)

// servedSubject is a running server together with what the load generator knows of its people and posts.
type servedSubject struct {
	*subject.Server
	*load.Target
	lastOwner load.Owner   // the owner that a case was given last
	lastRows  *stored.Rows // the rows at the last check; nil before the first
}

// peopleWithTokens returns all users with a token each, for a folder that is not yet served.
func peopleWithTokens(ctx context.Context, tool, dir string, w *world.World) ([]load.Person, error) {
	tokens, err := subject.UserTokens(ctx, tool, dir, w.Size)
	if err != nil {
		return nil, err
	}
	all := make([]load.Person, w.Users+w.Crowd)
	for n := range all {
		id := world.UserID(n)
		all[n] = load.Person{ID: id, Token: tokens[id]}
	}
	return all, nil
}

// newServedSubject returns the server with a load target made of the world.
func newServedSubject(s *subject.Server, w *world.World, all []load.Person) *servedSubject {
	readers := w.Users - world.Owners
	g := &servedSubject{Server: s}
	g.Target = &load.Target{
		Address: s.Address, API: s.API, CPU: s.CPUTime,
		Readers: all[:readers],
		Others:  append(append([]load.Person{}, all[:readers]...), all[w.Users:]...),
	}
	var free []int // posts of readers, not of owners
	for p := range w.Posts {
		if w.AuthorOf(p) < readers {
			free = append(free, p)
			g.Posts = append(g.Posts, world.PostID(p))
		}
	}
	var likes, owners atomic.Int64
	g.Like = func() (load.Person, string) {
		n := int(likes.Add(1)) - 1
		p := free[n*7919%len(free)] // old and new posts by turns
		return all[w.NonLikerOf(p, n/len(free)%w.NonLikerCount())], world.PostID(p)
	}
	g.Owner = func() load.Owner {
		user := w.Users - 1 - (int(owners.Add(1))-1)%world.Owners
		o := load.Owner{Person: all[user]}
		mine := w.PostsOf(user)
		for _, p := range mine {
			o.Posts = append(o.Posts, world.PostID(p))
		}
		o.Liker = func(post, n int) (load.Person, bool) {
			if n >= w.NonLikerCount() {
				return load.Person{}, false
			}
			return all[w.NonLikerOf(mine[post], n)], true
		}
		g.lastOwner = o
		return o
	}
	return g
}

package main

import (
	"context"
	"sync/atomic"

	"doubletap/bench/load"
	"doubletap/bench/stored"
	"doubletap/bench/subject"
	"doubletap/bench/world"
)

// guest is a server together with the people of the world as the load generator sees them.
type guest struct {
	*subject.Server
	*load.Target
	owner load.Owner   // the last one that a case was given
	rows  *stored.Rows // that were there when we last looked
}

// people returns everybody with a token for the folder that is going to be served.
func people(ctx context.Context, tool, dir string, w *world.World) ([]load.Person, error) {
	tokens, err := subject.Tokens(ctx, tool, dir, w.Size)
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

// welcome makes a guest of a server.
func welcome(s *subject.Server, w *world.World, all []load.Person) *guest {
	readers := w.Users - world.Owners
	g := &guest{Server: s}
	g.Target = &load.Target{
		Address: s.Address, API: s.API, CPU: s.CPU,
		Readers: all[:readers],
		Others:  append(append([]load.Person{}, all[:readers]...), all[w.Users:]...),
	}
	var free []int // posts that are no owner's
	for p := range w.Posts {
		if w.Author(p) < readers {
			free = append(free, p)
			g.Posts = append(g.Posts, world.PostID(p))
		}
	}
	var likes, owners atomic.Int64
	g.Like = func() (load.Person, string) {
		n := int(likes.Add(1)) - 1
		p := free[n*7919%len(free)] // old and new posts by turns
		return all[w.Fresh(p, n/len(free)%w.Unmoved())], world.PostID(p)
	}
	g.Owner = func() load.Owner {
		user := w.Users - 1 - (int(owners.Add(1))-1)%world.Owners
		o := load.Owner{Person: all[user]}
		mine := w.PostsOf(user)
		for _, p := range mine {
			o.Posts = append(o.Posts, world.PostID(p))
		}
		o.Liker = func(post, n int) (load.Person, bool) {
			if n >= w.Unmoved() {
				return load.Person{}, false
			}
			return all[w.Fresh(mine[post], n)], true
		}
		g.owner = o
		return o
	}
	return g
}

package inbox

// watched is a post that somebody listens to.
type watched struct {
	author  string // known once somebody saw the post
	resting bool   // its counts were sent a moment ago
	moved   bool   // and have changed since
}

// enter lets a device in, unless the inbox is closed.
func (in *Inbox) enter(d *device) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return false
	}
	in.devices[d] = nil
	if in.beats == nil {
		in.beats = make(chan struct{})
		go in.beat(in.beats)
	}
	return true
}

// leave forgets a device and disconnects it; a second time it does nothing.
func (in *Inbox) leave(d *device) {
	in.mu.Lock()
	in.rise(in.devices[d])
	delete(in.devices, d)
	delete(in.lineOf, d.Id())
	in.mu.Unlock()
	d.hangUp()
}

// sit gives a device, if it is still here, its new seat and returns the one before.
func (in *Inbox) sit(d *device, s *seat) (before *seat) {
	in.mu.Lock()
	defer in.mu.Unlock()
	before, here := in.devices[d]
	if !here {
		return nil
	}
	in.devices[d] = s
	in.index(s, before)
	in.rise(before) // last, so that a post that stays watched keeps its pause
	return before
}

// index needs mu.
func (in *Inbox) index(s, before *seat) {
	if s == nil {
		return
	}
	if s.person != "" {
		if in.people[s.person] == nil {
			in.people[s.person] = seats{}
		}
		in.people[s.person][s] = struct{}{}
	}
	if s.super {
		in.supers[s] = struct{}{}
	}
	for _, t := range s.topics {
		if t.personal() {
			continue
		}
		if in.rows[t.about()] == nil {
			in.rows[t.about()] = seats{}
		}
		in.rows[t.about()][s] = struct{}{}
	}
	for post := range s.seen {
		if in.posts[post] == nil {
			in.posts[post] = &watched{}
		}
		if before != nil && before.viewer == s.viewer {
			s.seen[post] = s.seen[post] || before.seen[post]
		}
	}
}

// rise takes a seat out of the index. It needs mu.
func (in *Inbox) rise(s *seat) {
	if s == nil {
		return
	}
	delete(in.supers, s)
	delete(in.people[s.person], s)
	if len(in.people[s.person]) == 0 {
		delete(in.people, s.person)
	}
	for _, t := range s.topics {
		delete(in.rows[t.about()], s)
		if len(in.rows[t.about()]) == 0 {
			delete(in.rows, t.about())
		}
	}
	for post := range s.seen {
		if in.rows[about{posts, post}] == nil {
			delete(in.posts, post)
		}
	}
}

// listening returns the people of whom a device listens to a collection.
func (in *Inbox) listening(collection string) []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	var people []string
	for person, theirs := range in.people {
		for s := range theirs {
			if s.listens(collection) {
				people = append(people, person)
				break
			}
		}
	}
	return people
}

func (s *seat) listens(collection string) bool {
	for _, t := range s.topics {
		if t.collection == collection {
			return true
		}
	}
	return false
}

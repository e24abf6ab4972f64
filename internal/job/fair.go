package job

import (
	"maps"
	"slices"

	"doubletap/internal/db"
)

// ForUser names whom the job is done for, so that one person's many wait for each other and not everybody for them; see Fair.
func ForUser(id string) Option { return func(row db.Params) { row["user"] = id } }

// ToHost names the host that the job asks, likewise.
func ToHost(name string) Option { return func(row db.Params) { row["host"] = name } }

// Fair sets how many jobs of this kind the runner has in hand at once for one user, and how many that ask one host. Others
// that are due later go first while a user or a host has its share.
func Fair(perUser, perHost int) KindOption {
	return func(k *kind) { k.users, k.hosts = newShare(perUser), newShare(perHost) }
}

// Within sets how many jobs the runner has in hand at once of all kinds that are within the same group; a kind may be within
// several. Those whose work waits for others leave workers for ours that way, however many kinds they are.
func Within(name string, most int) KindOption {
	return func(k *kind) { k.groups = append(k.groups, &group{name: name, most: most}) }
}

// Waiting is the group of the kinds that wait for other machines, push services, mail servers and webhooks: at most MostWaiting of
// a runner's 32 workers do so, so that photos, counts and erasures go on when all of these hang.
const (
	Waiting     = "waiting"
	MostWaiting = 24
)

// group is how many jobs are in hand of several kinds, and how many may be.
type group struct {
	name          string
	most, running int
}

// share is how many jobs are in hand of each user, or to each host, and how many may be; none is counted without a bound.
type share struct {
	most   int
	inHand map[string]int
}

func newShare(most int) share { return share{most: most, inHand: map[string]int{}} }

func (s share) clone() share { return share{most: s.most, inHand: maps.Clone(s.inHand)} }

// free reports whether one more job of the name may be taken.
func (s share) free(name string) bool { return s.most == 0 || name == "" || s.inHand[name] < s.most }

func (s share) add(name string, n int) {
	if s.most == 0 || name == "" {
		return
	}
	if s.inHand[name] += n; s.inHand[name] == 0 {
		delete(s.inHand, name)
	}
}

// take counts a job of the kind as in hand, and give as no longer.
func (k *kind) take(user, host string) { k.count(user, host, 1) }
func (k *kind) give(user, host string) { k.count(user, host, -1) }

func (k *kind) count(user, host string, n int) {
	k.running += n
	for _, g := range k.groups {
		g.running += n
	}
	k.users.add(user, n)
	k.hosts.add(host, n)
}

// free reports whether one more job of the kind may be taken.
func (k *kind) free(user, host string) bool {
	if slices.ContainsFunc(k.groups, func(g *group) bool { return g.running >= g.most }) {
		return false
	}
	return (k.limit == 0 || k.running < k.limit) && k.users.free(user) && k.hosts.free(host)
}

// room is what may be taken of each kind: a copy of what is counted, to plan with.
type room map[string]*kind

// room returns what the runner may take once those that are done are gone.
func (r *Runner) room(done []*Job) room {
	r.mu.Lock()
	defer r.mu.Unlock()
	left, groups := room{}, map[string]*group{}
	for name, k := range r.kinds {
		copied := &kind{limit: k.limit, running: k.running, users: k.users.clone(), hosts: k.hosts.clone()}
		for _, g := range k.groups {
			copied.groups = append(copied.groups, sharedGroup(groups, *g))
		}
		left[name] = copied
	}
	for _, j := range done {
		left[j.Kind].give(j.user, j.host)
	}
	return left
}

// sharedGroup returns the one group of its name.
func sharedGroup(groups map[string]*group, g group) *group {
	if groups[g.name] == nil {
		groups[g.name] = &g
	}
	return groups[g.name]
}

// take returns up to n of the due jobs, those that may be taken, and counts them as in hand.
func (left room) take(all []due, n int) (taken []due) {
	for _, d := range all {
		if k := left[d.Kind]; len(taken) < n && k != nil && k.free(d.User, d.Host) {
			k.take(d.User, d.Host)
			taken = append(taken, d)
		}
	}
	return taken
}

// any reports whether anything may be taken.
func (left room) any() bool {
	for _, k := range left {
		if k.free("", "") {
			return true
		}
	}
	return false
}

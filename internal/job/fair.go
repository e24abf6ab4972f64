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

// FairShare sets how many jobs of this kind the runner has in hand at once for one user, and how many that ask one host. Others
// that are due later go first while a user or a host has its share.
func FairShare(perUser, perHost int) KindOption {
	return func(k *jobKind) { k.userQuota, k.hostQuota = newQuota(perUser), newQuota(perHost) }
}

// WithinGroup sets how many jobs the runner has in hand at once of all kinds that are within the same group; a kind may be within
// several. Those whose work waits for others leave workers for ours that way, however many kinds they are.
func WithinGroup(name string, most int) KindOption {
	return func(k *jobKind) { k.groups = append(k.groups, &group{name: name, limit: most}) }
}

// Waiting is the group of the kinds that wait for other machines, push services, mail servers and webhooks: at most MaxExternal of
// a runner's 32 workers do so, so that photos, counts and erasures go on when all of these hang.
const (
	ExternalGroup = "waiting"
	MaxExternal   = 24
)

// group is how many jobs are in hand of several kinds, and how many may be.
type group struct {
	name           string
	limit, running int
}

// quota is how many jobs are in hand of each user, or to each host, and how many may be; none is counted without a bound.
type quota struct {
	limit   int
	running map[string]int
}

func newQuota(most int) quota { return quota{limit: most, running: map[string]int{}} }

func (s quota) copyQuota() quota { return quota{limit: s.limit, running: maps.Clone(s.running)} }

// hasRoom reports whether one more job of the name may be taken.
func (s quota) hasRoom(name string) bool {
	return s.limit == 0 || name == "" || s.running[name] < s.limit
}

func (s quota) adjustCount(name string, n int) {
	if s.limit == 0 || name == "" {
		return
	}
	if s.running[name] += n; s.running[name] == 0 {
		delete(s.running, name)
	}
}

// markRunning counts a job of the kind as in hand, and give as no longer.
func (k *jobKind) markRunning(user, host string) { k.adjustRunning(user, host, 1) }
func (k *jobKind) markDone(user, host string)    { k.adjustRunning(user, host, -1) }

func (k *jobKind) adjustRunning(user, host string, n int) {
	k.running += n
	for _, g := range k.groups {
		g.running += n
	}
	k.userQuota.adjustCount(user, n)
	k.hostQuota.adjustCount(host, n)
}

// hasRoom reports whether one more job of the kind may be taken.
func (k *jobKind) hasRoom(user, host string) bool {
	if slices.ContainsFunc(k.groups, func(g *group) bool { return g.running >= g.limit }) {
		return false
	}
	return (k.maxRunning == 0 || k.running < k.maxRunning) && k.userQuota.hasRoom(user) && k.hostQuota.hasRoom(host)
}

// capacity is what may be taken of each kind: a copy of what is counted, to plan with.
type capacity map[string]*jobKind

// remainingCapacity returns what the runner may take once those that are done are gone.
func (r *Runner) remainingCapacity(done []*Job) capacity {
	r.mu.Lock()
	defer r.mu.Unlock()
	left, groups := capacity{}, map[string]*group{}
	for name, k := range r.kinds {
		copied := &jobKind{maxRunning: k.maxRunning, running: k.running, userQuota: k.userQuota.copyQuota(), hostQuota: k.hostQuota.copyQuota()}
		for _, g := range k.groups {
			copied.groups = append(copied.groups, sharedGroup(groups, *g))
		}
		left[name] = copied
	}
	for _, j := range done {
		left[j.Kind].markDone(j.user, j.host)
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
func (left capacity) take(all []dueJob, n int) (taken []dueJob) {
	for _, d := range all {
		if k := left[d.Kind]; len(taken) < n && k != nil && k.hasRoom(d.User, d.Host) {
			k.markRunning(d.User, d.Host)
			taken = append(taken, d)
		}
	}
	return taken
}

// any reports whether anything may be taken.
func (left capacity) any() bool {
	for _, k := range left {
		if k.hasRoom("", "") {
			return true
		}
	}
	return false
}

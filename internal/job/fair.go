package job

import (
	"maps"
	"slices"

	"github.com/doubletap/doubletap/internal/db"
)

// ForUser says for which user the job is done, so that a person's many jobs make each other wait and not everybody
// else; see FairShare.
func ForUser(id string) Option { return func(row db.Params) { row["user"] = id } }

// ToHost says which host the job asks, for the same reason.
func ToHost(name string) Option { return func(row db.Params) { row["host"] = name } }

// FairShare sets how many jobs of this kind may run at once for one user, and how many that ask one host. While a user
// or a host has its share, jobs of others that are due later go first.
func FairShare(perUser, perHost int) KindOption {
	return func(k *jobKind) { k.userQuota, k.hostQuota = newQuota(perUser), newQuota(perHost) }
}

// WithinGroup sets how many jobs may run at once of all kinds in the group; a kind may be in several groups. So kinds
// whose jobs wait for other machines leave workers for our own work, however many such kinds there are.
func WithinGroup(name string, most int) KindOption {
	return func(k *jobKind) { k.groups = append(k.groups, &group{name: name, limit: most}) }
}

// ExternalGroup is the group of the kinds that wait for other machines: push services, mail servers and webhooks. At
// most MaxExternal of a runner's 32 workers do so, so that photos, counts and erasures go on when all of those hang.
const (
	ExternalGroup = "waiting"
	MaxExternal   = 24
)

// group is how many jobs of several kinds run together, and how many may.
type group struct {
	name           string
	limit, running int
}

// quota is how many jobs run for each user, or to each host, and how many may. Without a limit nothing is counted.
type quota struct {
	limit   int
	running map[string]int
}

func newQuota(most int) quota { return quota{limit: most, running: map[string]int{}} }

func (q quota) copyQuota() quota { return quota{limit: q.limit, running: maps.Clone(q.running)} }

// hasRoom reports whether one more job for the name may run.
func (q quota) hasRoom(name string) bool {
	return q.limit == 0 || name == "" || q.running[name] < q.limit
}

func (q quota) adjustCount(name string, n int) {
	if q.limit == 0 || name == "" {
		return
	}
	if q.running[name] += n; q.running[name] == 0 {
		delete(q.running, name)
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

// hasRoom reports whether one more job of the kind may run.
func (k *jobKind) hasRoom(user, host string) bool {
	if slices.ContainsFunc(k.groups, func(g *group) bool { return g.running >= g.limit }) {
		return false
	}
	return (k.maxRunning == 0 || k.running < k.maxRunning) && k.userQuota.hasRoom(user) && k.hostQuota.hasRoom(host)
}

// capacity is how many more jobs of each kind may run: a copy of the counts, to plan with.
type capacity map[string]*jobKind

// remainingCapacity returns what the runner may claim once the jobs in done are removed.
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

// sharedGroup returns the one group of g's name in groups, and puts g there if there is none.
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

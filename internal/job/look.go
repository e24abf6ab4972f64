package job

import (
	"fmt"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// How far one look goes: so many of the jobs that are longest due, and so many lanes where all of those must wait. Lanes hold no
// delayed jobs, however many there are: those that are due by now come into them, so many at a time.
const (
	mostLooked   = 100
	mostLanes    = 1000
	maxEndDelays = 400
	maxRounds    = 10
)

// lane is what jobs have in common that take each other's share: their kind, the host they ask and whom they are for.
type lane struct {
	Kind string `db:"kind"`
	Host string `db:"host"`
	User string `db:"user"`
}

// behindAll sorts behind every name of a host or a user.
const behindAll = "\U0010FFFF"

// nextLane finds the lane behind another one, and lookInLane the jobs of a lane that are longest due; findDelayed finds the jobs that
// were delayed and are due by now. Each reads one range of one index, however many jobs the lanes before it have.
const (
	nextLane = `SELECT kind, host, user FROM jobs WHERE state IN ('ready', 'running') AND delayed = 0
		AND (kind, host, user) > ({:kind}, {:host}, {:user}) ORDER BY kind, host, user LIMIT 1`
	lookInLane = `SELECT id, kind, user, host FROM jobs WHERE state IN ('ready', 'running') AND delayed = 0
		AND kind = {:kind} AND host = {:host} AND user = {:user} AND runAt <= {:now} ORDER BY runAt LIMIT {:n}`
	findDelayed = `SELECT id FROM jobs WHERE state IN ('ready', 'running') AND delayed = 1 AND runAt <= {:now} ORDER BY runAt LIMIT {:n}`
)

// chooseDue returns up to n due jobs for which there is room once those that are done are gone, the one longest due first. Where the
// first that are due must all wait, as a hundred thousand may for one host that hangs, the others are found lane by lane.
func (r *Runner) chooseDue(n int, done []*Job) ([]dueJob, error) {
	if n <= 0 {
		return nil, nil
	}
	if r.app.ConcurrentDB() == nil {
		return nil, fmt.Errorf("claim jobs: %w", errClosed)
	}
	left := r.remainingCapacity(done)
	if !left.any() {
		return nil, nil
	}
	var all []dueJob
	err := db.QueryAll(r.app, &all, dueQuery, db.Params{"now": clock.Timestamp(r.app), "n": mostLooked})
	chosen := left.take(all, n)
	if len(all) == mostLooked {
		for ended, round := maxEndDelays, 0; err == nil && len(chosen) == 0 && ended == maxEndDelays && round < maxRounds; round++ {
			if ended, err = r.endDelays(); err == nil {
				chosen, err = r.chooseBehindBlocked(left, n)
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	return chosen, nil
}

// endDelays makes delayed jobs that are due by now ones that are found by their lanes, and returns how many.
func (r *Runner) endDelays() (int, error) {
	var due []string
	if err := db.QueryColumn(r.app, &due, findDelayed, db.Params{"now": clock.Timestamp(r.app), "n": maxEndDelays}); err != nil || len(due) == 0 {
		return 0, err
	}
	_, err := db.Exec(r.app, `UPDATE jobs SET delayed = 0 WHERE id IN (SELECT value FROM json_each({:ids}))`, db.Params{"ids": db.JSONList(due)})
	return len(due), err
}

// chooseBehindBlocked looks for jobs lane by lane, where the first that are due must all wait.
func (r *Runner) chooseBehindBlocked(left capacity, n int) ([]dueJob, error) {
	from := r.passed
	chosen, err := r.chooseByLane(left, n)
	if err == nil && len(chosen) == 0 && from != (lane{}) && r.passed == (lane{}) { // it began in the middle
		return r.chooseByLane(left, n)
	}
	return chosen, err
}

// chooseByLane goes through lanes from where the last look ended, so that each has its turn, until it has n jobs or comes to the end.
// A kind or a host that has its share is passed over in one step.
func (r *Runner) chooseByLane(left capacity, n int) (chosen []dueJob, err error) {
	now := clock.Timestamp(r.app)
	for range mostLanes {
		at := r.passed
		there, err := db.QueryOne(r.app, &at, nextLane, at.params())
		if err != nil {
			return nil, err
		}
		if !there {
			r.passed = lane{}
			break
		}
		switch k := left[at.Kind]; {
		case k == nil || !k.hasRoom("", ""):
			r.passed = lane{at.Kind, behindAll, behindAll}
			continue
		case !k.hostQuota.hasRoom(at.Host):
			r.passed = lane{at.Kind, at.Host, behindAll}
			continue
		case k.userQuota.hasRoom(at.User):
			var all []dueJob
			p := at.params()
			p["now"], p["n"] = now, n-len(chosen)
			if err := db.QueryAll(r.app, &all, lookInLane, p); err != nil {
				return nil, err
			}
			chosen = append(chosen, left.take(all, n-len(chosen))...)
		}
		if r.passed = at; len(chosen) == n {
			break
		}
	}
	return chosen, nil
}

func (l lane) params() db.Params { return db.Params{"kind": l.Kind, "host": l.Host, "user": l.User} }

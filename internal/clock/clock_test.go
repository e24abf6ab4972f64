package clock_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
)

func newTestApp(t *testing.T) core.App {
	return core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
}

func TestTimeNeverGoesBackWhateverTheMachineSays(t *testing.T) {
	app := newTestApp(t)
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	before := clock.Now(app)
	for n := range 2000 {
		clock.ShiftMachine(app, time.Duration(random.Int64N(int64(2*time.Hour)))-time.Hour)
		now := clock.Now(app)
		if now.Before(before) {
			t.Fatalf("seed %d, step %d: %s after %s", seed, n, now, before)
		}
		before = now
	}
}

func TestManyAskAtOnceAndNobodyGoesBack(t *testing.T) {
	app := newTestApp(t)
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			before := time.Time{}
			for n := range 500 {
				if n%50 == 0 {
					clock.ShiftMachine(app, -time.Minute)
				}
				now := clock.Now(app)
				if now.Before(before) {
					t.Errorf("%s after %s", now, before)
				}
				before = now
			}
		})
	}
	asking.Wait()
}

func TestTimeGoesOnAlthoughTheMachineWasPutBack(t *testing.T) {
	app := newTestApp(t)
	before := clock.Now(app)
	clock.ShiftMachine(app, -24*time.Hour)
	for clock.Now(app).Equal(before) { // ends only if time goes on
	}
	if ahead := clock.Now(app).Sub(clock.LatestPlausible(app)); ahead < 23*time.Hour {
		t.Errorf("%s ahead of what may be stored", ahead)
	}
	clock.FollowMachine(app)
	if now := clock.Now(app); now.After(before.Add(-23 * time.Hour)) {
		t.Errorf("still %s", now)
	}
}

func TestTimeGoesOnAtWhatIsStored(t *testing.T) {
	app := newTestApp(t)
	stored := clock.Now(app).Add(40 * time.Second)
	clock.ContinueFrom(app, stored)
	if now := clock.Now(app); now.Before(stored.Truncate(time.Millisecond)) || now.After(stored.Add(10*time.Second)) {
		t.Errorf("%s, stored is %s", now, stored)
	}
	clock.ContinueFrom(app, stored.Add(-time.Hour))
	if now := clock.Now(app); now.Before(stored.Truncate(time.Millisecond)) {
		t.Errorf("went back to %s", now)
	}
}

func TestAdvanceMovesBothWays(t *testing.T) {
	app := newTestApp(t)
	before := clock.Now(app)
	clock.Advance(app, time.Hour)
	if now := clock.Now(app); now.Before(before.Add(time.Hour)) {
		t.Errorf("%s", now)
	}
	clock.Advance(app, -2*time.Hour)
	if now := clock.Now(app); now.After(before) {
		t.Errorf("%s", now)
	}
}

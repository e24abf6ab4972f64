package limit

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	xrate "golang.org/x/time/rate"
)

// TestACellCountsAsATokenBucket compares cells with the token buckets of golang.org/x/time/rate, which are written
// independently and count the same: take by take, over random pauses.
func TestACellCountsAsATokenBucket(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		r := newRate(1+random.IntN(60), time.Duration(1+random.IntN(3600))*time.Second)
		bucket := xrate.NewLimiter(xrate.Limit(float64(time.Second)/float64(r.interval)), int(r.most))
		now, cell := time.Now().UnixNano(), int64(0)
		for n := range 400 {
			at := time.Unix(0, now)
			tokens := bucket.TokensAt(at)
			after, left, wait := r.take(cell, now)
			allowed := wait == 0
			if near := tokens - float64(int64(tokens+0.5)); near > -1e-6 && near < 1e-6 && tokens < 1.5 {
				now += r.interval / 7 // at the very moment at which a token comes back, their floats may differ from our integers
				continue
			}
			if want := bucket.AllowN(at, 1); allowed != want {
				t.Fatalf("seed %d, %v, step %d with %f tokens: allowed %v, want %v", seed, r, n, tokens, allowed, want)
			}
			if got := bucket.TokensAt(at); allowed && left != int64(got+1e-5) && left != int64(got-1e-5) { // their floats round
				t.Fatalf("seed %d, %v, step %d: %d left, want %f", seed, r, n, left, bucket.TokensAt(at))
			}
			if !allowed {
				if _, _, early := r.take(cell, now+int64(wait)-1); early == 0 {
					t.Fatalf("seed %d, %v: there is a unit before the wait is over", seed, r)
				}
				if _, _, late := r.take(cell, now+int64(wait)); late != 0 {
					t.Fatalf("seed %d, %v: there is none when the wait is over", seed, r)
				}
			}
			cell = after
			now += random.Int64N(r.interval * (1 + random.Int64N(3)))
		}
	}
}

// TestAClockThatIsPutBackClosesNoCellForLong.
func TestAClockThatIsPutBackClosesNoCellForLong(t *testing.T) {
	r := newRate(5, 5*time.Minute)
	cell, _, _ := r.take(0, int64(1000*time.Hour))
	if _, _, wait := r.take(cell, 0); wait > time.Minute {
		t.Errorf("waits %s", wait)
	}
}

// TestAFullTableFreesNobody floods a table with addresses that ask once, among whom one has nothing left.
func TestAFullTableFreesNobody(t *testing.T) {
	var table cellTable
	r := newRate(10, 15*time.Minute)
	victim := Claim{rule: SignIn, hi: 1, lo: 1}
	take := func(claim Claim) (wait time.Duration) {
		table.update(claim, func(cell int64, _ bool) (after int64) {
			after, _, wait = r.take(cell, 0)
			return after
		})
		return wait
	}
	for range 10 {
		take(victim)
	}
	for n := range uint64(4 * shardCount * maxShardCells) {
		take(Claim{rule: SignIn, hi: n, lo: n * 7})
	}
	if take(victim) == 0 {
		t.Error("whoever had nothing left is forgotten")
	}
	count := 0
	for n := range table.shards {
		count += len(table.shards[n].cells)
	}
	if count > shardCount*maxShardCells {
		t.Errorf("%d cells", count)
	}
}

// TestOneCellIsNeverTakenTwice has many take at once.
func TestOneCellIsNeverTakenTwice(t *testing.T) {
	var table cellTable
	r := newRate(100, time.Hour)
	var all sync.WaitGroup
	allowed := make(chan bool, 1000)
	for range 10 {
		all.Go(func() {
			for range 100 {
				table.update(Claim{rule: Likes, hi: 3}, func(cell int64, _ bool) int64 {
					after, _, wait := r.take(cell, 0)
					allowed <- wait == 0
					return after
				})
			}
		})
	}
	all.Wait()
	close(allowed)
	n := 0
	for ok := range allowed {
		if ok {
			n++
		}
	}
	if n != 100 {
		t.Errorf("%d were taken, want 100", n)
	}
}

func TestAddressesAreCountedByWhatOneHouseholdHas(t *testing.T) {
	for _, pair := range []struct {
		one, other string
		same       bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"::", "0.0.0.0", false},
	} {
		one, other := netip.MustParseAddr(pair.one), netip.MustParseAddr(pair.other)
		if same := AddressGroup(one) == AddressGroup(other); same != pair.same {
			t.Errorf("%s and %s are the same: %v", pair.one, pair.other, same)
		}
		var l Limits
		if same := l.ForAddress(Reads, one) == l.ForAddress(Reads, other); same != pair.same {
			t.Errorf("%s and %s have one cell: %v", pair.one, pair.other, same)
		}
	}
}

func TestSettingsChangeWhatTheyName(t *testing.T) {
	all, err := parseSettings("reads=3000/10m, likes=off streams=3")
	if err != nil || all[Reads].Most != 3000 || all[Reads].In != 10*time.Minute || all[Likes].Most != 0 || all[Streams].Most != 3 || all[Posts] != Definitions[Posts] {
		t.Errorf("%v, %v", all, err)
	}
	if all, err := parseSettings("off"); err != nil || all[Posts].Most != 0 {
		t.Errorf("%v, %v", all, err)
	}
	for _, mistake := range []string{"raeds=1/1m", "reads", "reads=", "reads=0/5m", "reads=-1/5m", "reads=10", "reads=10/0s", "reads=10/5", "streams=8/5m", "streams=0", "likes=many/24h", "on off", "reads=2000000000/1h"} {
		if _, err := parseSettings(mistake); err == nil {
			t.Errorf("%q is taken", mistake)
		}
	}
}

func TestWaitsAreNeverTooShort(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		1: "1 second", time.Second: "1 second", 1100 * time.Millisecond: "2 seconds", 2 * time.Minute: "120 seconds", 2*time.Minute + 1: "3 minutes",
		2 * time.Hour: "120 minutes", 2*time.Hour + 1: "3 hours", 24 * time.Hour: "24 hours",
	} {
		if got := formatWait(wait); got != want {
			t.Errorf("%s is told as %q, want %q", wait, got, want)
		}
	}
}

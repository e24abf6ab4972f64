package photo

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		release, err := b.Acquire(t.Context(), "ada", 70)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan int64, 2)
		for _, cost := range []int64{1000, 40} { // a cost above the budget waits for all of it, and the next waits behind it
			go func() {
				release, err := b.Acquire(t.Context(), "ada", cost)
				if err != nil {
					t.Error(err)
					return
				}
				got <- cost
				release()
			}()
			synctest.Wait()
		}
		if len(got) != 0 {
			t.Errorf("%d went past the budget", <-got)
		}
		release()
		synctest.Wait()
		if first, second := <-got, <-got; first != 1000 || second != 40 {
			t.Errorf("got %d, then %d", first, second)
		}

		ctx, cancel := context.WithCancel(t.Context())
		if release, err = b.Acquire(ctx, "ada", 100); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error)
		go func() {
			_, err := b.Acquire(ctx, "ada", 1)
			failed <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		release()
	})
}

// TestBudgetIsFairByPerson: 71 large photos of one person do not delay another's first.
func TestBudgetIsFairByPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, places := range []int64{1, 3} {
			b := NewBudget(places)
			var mu sync.Mutex
			var served []string // who was served, in order
			next := make(chan struct{})
			offer := func(ctx context.Context, person string, cost int64) {
				go func() {
					release, err := b.Acquire(ctx, person, cost)
					if err != nil {
						return
					}
					mu.Lock()
					served = append(served, person)
					mu.Unlock()
					<-next
					release()
				}()
				synctest.Wait()
			}
			for range 71 {
				offer(t.Context(), "ada", 1)
			}
			if int64(len(served)) != places {
				t.Fatalf("%d are served in %d places", len(served), places)
			}
			gone, leave := context.WithCancel(t.Context())
			offer(gone, "dave", places)
			offer(t.Context(), "bob", 1)
			offer(t.Context(), "bob", 1)
			offer(t.Context(), "carol", places) // she needs the whole budget
			leave()
			synctest.Wait()
			began := len(served)
			for range 71 + 3 - int(places) {
				next <- struct{}{}
				synctest.Wait()
			}
			order := []string{"bob", "carol", "ada", "bob"}
			if places > 1 {
				order = order[:2] // those behind carol are granted at the same moment
			}
			if got := served[began : began+len(order)]; !slices.Equal(got, order) {
				t.Errorf("in %d places, after ada's first: %v, want %v", places, got, order)
			}
			for range places {
				next <- struct{}{}
			}
			synctest.Wait()
			if b.available != places || len(b.heldShares)+len(b.waitingShares)+len(b.personQueue) != 0 || len(served) != 74 {
				t.Errorf("in the end %d of %d are free, %v are held, %v wait, %d were served", b.available, places, b.heldShares, b.waitingShares, len(served))
			}
		}
	})
}

package photo

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		release, err := b.Acquire(t.Context(), 70)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan int64, 2)
		for _, cost := range []int64{1000, 40} { // more than there is waits for all of it, and the next behind it
			go func() {
				release, err := b.Acquire(t.Context(), cost)
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
		if release, err = b.Acquire(ctx, 100); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error)
		go func() {
			_, err := b.Acquire(ctx, 1)
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

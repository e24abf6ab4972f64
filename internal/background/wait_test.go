package background

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func TestWaitEndsWithTheGroupOrTheContext(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	release := make(chan struct{})
	group.Go(func() { <-release })
	ended, end := context.WithCancel(t.Context())
	end()
	if err := Wait(ended, &group); !errors.Is(err, context.Canceled) {
		t.Errorf("while one runs: got %v, want the context's error", err)
	}
	close(release)
	if err := Wait(t.Context(), &group); err != nil {
		t.Errorf("when it has ended: %v", err)
	}
}

func TestAnEndedContextCutsNothingShortWhereNothingRuns(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	for range 1000 {
		var group sync.WaitGroup
		if err := Wait(ended, &group); err != nil {
			t.Fatal(err)
		}
	}
}

package hooks

import (
	"errors"
	"testing"

	"github.com/pocketbase/pocketbase/tools/hook"
)

// TestAHandlerThatDropsAnErrorIsNoSuccess: what Next could not do is not done, whatever the handler returns.
func TestAHandlerThatDropsAnErrorIsNoSuccess(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	likes := &hook.Hook[*LikeEvent]{}
	likes.BindFunc(func(e *LikeEvent) error {
		_ = e.Next()
		return nil
	})
	if err := runHook("OnLike", likes, &LikeEvent{}, func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if err := runHook("OnLike", likes, &LikeEvent{}, func() error { return nil }); err != nil {
		t.Errorf("got %v", err)
	}
}

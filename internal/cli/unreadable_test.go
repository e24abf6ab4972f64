package cli_test

import (
	"errors"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/demo"
	"github.com/doubletap/doubletap/internal/insight"
)

var errUnreadable = errors.New("the disk is on fire")

// unreadable is an app that can read no record by its id.
type unreadable struct{ core.App }

func (unreadable) FindRecordById(any, string, ...func(*dbx.SelectQuery) error) (*core.Record, error) {
	return nil, errUnreadable
}

// What cannot be read is not taken for gone.
func TestWhatCannotBeReadIsNotGone(t *testing.T) {
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	like := s.Record("likes", s.As("bob").Like(post))
	people := s.Rows("users", "1")
	app := unreadable{s.App}
	if _, err := demo.Seed(t.Context(), app, smallSize, nil); !errors.Is(err, errUnreadable) {
		t.Errorf("the seed says %v", err)
	}
	if _, err := demo.Create(t.Context(), app, nil); !errors.Is(err, errUnreadable) {
		t.Errorf("the demo says %v", err)
	}
	if _, err := insight.ExplainView(app, s.User("bob"), like); !errors.Is(err, errUnreadable) {
		t.Errorf("why somebody sees a like: %v", err)
	}
	if n := s.Rows("users", "1"); n != people {
		t.Errorf("%d people were made up", n-people)
	}
}

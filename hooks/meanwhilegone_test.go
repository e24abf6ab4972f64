package hooks_test

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestWhatGoesBeforeTheTransaction removes a row between the checks of a superuser's request, whom no rule refuses, and
// the transaction that stores it.
func TestWhatGoesBeforeTheTransaction(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	gone := "" // a statement
	goes := func(e *core.RecordEvent) error {
		if err := e.Next(); err != nil || gone == "" {
			return err
		}
		_, err := e.App.NonconcurrentDB().NewQuery(gone).Execute()
		return err
	}
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordValidate("saves", "comments").BindFunc(goes)
	})
	bob := s.As("bob")
	post := s.As("ada").Post("hello")
	comment := bob.Comment(post, "", "hello")
	gone = `DELETE FROM comments WHERE id = '` + comment + `'`
	if a := s.Admin().Do("PATCH", "/api/collections/comments/records/"+comment, jsonObject{"text": "@ada"}); a.Status != 404 {
		t.Errorf("a change of what is gone is answered %d %s", a.Status, a.Raw)
	}
	gone = `DELETE FROM posts WHERE id = '` + post + `'`
	if a := s.Admin().Do("POST", "/api/collections/saves/records", jsonObject{"post": post, "user": bob.ID}); a.Status != 400 || s.Rows("saves", "1") != 0 {
		t.Errorf("a save of what is gone is answered %d %s", a.Status, a.Raw)
	}
}

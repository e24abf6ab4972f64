package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/post"
	"github.com/doubletap/doubletap/internal/words"
)

func (s *Social) bindHashtags() {
	s.app.OnRecordCreate("hashtags").BindFunc(foldHashtagName)
	s.app.OnRecordUpdate("hashtags").BindFunc(foldHashtagName)
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if waiting, err := post.HasUnfoldedTags(s.app); err != nil || waiting {
			s.enqueueJob(post.Folding.Kind) // which says what went wrong
		}
		return e.Next()
	})
}

// foldHashtagName folds the name that a superuser or Go code gives a hashtag, as those of captions are folded, and
// shows the name as it was given. A display name must be a spelling of the name.
func foldHashtagName(e *core.RecordEvent) error {
	given := e.Record.GetString("name")
	if e.Record.IsNew() || hasChanged(e.Record, "name", "displayName") {
		e.Record.Set("name", words.Fold(given))
		if words.Fold(e.Record.GetString("displayName")) != words.Fold(given) {
			e.Record.Set("displayName", given)
		}
	}
	return e.Next()
}

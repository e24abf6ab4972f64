package effect

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/mention"
	"github.com/doubletap/doubletap/internal/notification"
)

// MentionsStored tells the users that text on a post mentions, except those who hear of it anyway. comment is empty for
// a caption.
func MentionsStored(tx core.App, post, author, comment, text string, except ...string) error {
	users, err := mention.UsersNamedIn(tx, text)
	if err != nil {
		return err
	}
	for _, user := range users {
		if slices.Contains(except, user) {
			continue
		}
		if err := notification.UserMentioned(tx, user, author, post, comment); err != nil {
			return err
		}
	}
	return nil
}

// MentionsRemoved takes back the mentions in text that is gone, unless the author's other texts on the post name the
// same people.
func MentionsRemoved(tx core.App, post, author, text string) error {
	users, err := mention.UsersNamedIn(tx, text)
	if err != nil || len(users) == 0 {
		return err
	}
	still, err := mention.UsersNamedOn(tx, post, author, "")
	if err != nil {
		return err
	}
	for _, user := range users {
		if slices.Contains(still, user) {
			continue
		}
		if err := notification.UserUnmentioned(tx, user, author, post); err != nil {
			return err
		}
	}
	return nil
}

package hooks

import (
	"errors"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/feed"
	"doubletap/internal/guard"
	"doubletap/internal/inbox"
	"doubletap/internal/mention"
	"doubletap/internal/notification"
	"doubletap/internal/post"
	"doubletap/internal/rendition"
)

func (s *Social) bindPosts() {
	s.app.OnRecordCreate("posts").BindFunc(answer(postOffered))
	s.app.OnRecordCreateExecute("posts").Bind(afterFiles(together(s.postStored)))
	s.app.OnRecordUpdate("posts").BindFunc(answer(postOffered))
	s.app.OnRecordUpdateExecute("posts").Bind(afterFiles(together(s.postChanged)))
	s.app.OnRecordDelete("posts").BindFunc(together(s.postRemoved))
}

func postOffered(e *core.RecordEvent) error {
	guard.Default(e.Record, "visibility", post.Public)
	return e.Next()
}

// postStored puts the post, its hashtags, the feeds of the first followers and the word to those
// it mentions into one transaction; a job reaches further followers.
func (s *Social) postStored(tx core.App, e *core.RecordEvent) error {
	author, err := find(tx, "users", e.Record.GetString("author"))
	if err != nil {
		return err
	}
	return run("OnPost", &s.events.post, &PostEvent{App: tx, Post: e.Record, Author: author}, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		if err := post.Tag(tx, e.Record); err != nil {
			return err
		}
		if err := feed.Posted(tx, e.Record); err != nil {
			return err
		}
		if err := notification.Posted(tx, e.Record); err != nil {
			return err
		}
		return mentioned(tx, e.Record.Id, author.Id, "", e.Record.GetString("caption"))
	})
}

func (s *Social) postChanged(tx core.App, e *core.RecordEvent) error {
	before, after := e.Record.Original(), e.Record
	if err := e.Next(); err != nil {
		return err
	}
	if post.Narrowed(before, after) {
		inbox.Recheck(tx, after.Id)
		if err := s.photosClosed(tx, purgePayload{URLs: rendition.URLs(before)}); err != nil {
			return err
		}
	}
	if post.Widened(before, after) {
		if err := errors.Join(feed.Posted(tx, after), notification.Posted(tx, after)); err != nil {
			return err
		}
	}
	if !changed(after, "caption", "visibility") {
		return nil
	}
	if err := post.Tag(tx, after); err != nil {
		return err
	}
	author := after.GetString("author")
	if err := unmentioned(tx, after.Id, author, before.GetString("caption"), ""); err != nil {
		return err
	}
	return mentioned(tx, after.Id, author, "", after.GetString("caption"))
}

// postRemoved takes what is counted elsewhere along; the rest goes by steps, see gone, and the files after the commit.
func (s *Social) postRemoved(tx core.App, e *core.RecordEvent) error {
	if err := s.photosClosed(tx, purgePayload{URLs: rendition.URLs(e.Record)}); err != nil {
		return err
	}
	if err := post.Untag(tx, e.Record.Id); err != nil {
		return err
	}
	return e.Next()
}

// mentioned tells those whom words on a post name, except those who hear of them anyway;
// comment is empty for a caption.
func mentioned(tx core.App, post, author, comment, words string, except ...string) error {
	users, err := mention.In(tx, words)
	if err != nil {
		return err
	}
	for _, user := range users {
		if slices.Contains(except, user) {
			continue
		}
		if err := notification.Mentioned(tx, user, author, post, comment); err != nil {
			return err
		}
	}
	return nil
}

// unmentioned takes back the mentions of words that are gone, unless the author's other
// words on the post name the same people.
func unmentioned(tx core.App, post, author, words, leftOut string) error {
	users, err := mention.In(tx, words)
	if err != nil || len(users) == 0 {
		return err
	}
	still, err := mention.On(tx, post, author, leftOut)
	if err != nil {
		return err
	}
	for _, user := range users {
		if slices.Contains(still, user) {
			continue
		}
		if err := notification.Unmentioned(tx, user, author, post); err != nil {
			return err
		}
	}
	return nil
}

// Package notification tells people what others did: grouped, counted, once, and
// taken back when it is undone.
package notification

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/deliver"
	"doubletap/internal/rule"
)

// The types of notification.
const (
	TypeLike           = "like"
	TypeComment        = "comment"
	TypeReply          = "reply"
	TypeCommentLike    = "comment_like"
	TypeMention        = "mention"
	TypeFollow         = "follow"
	TypeFollowRequest  = "follow_request"
	TypeFollowAccepted = "follow_accepted"
	TypePost           = "post"   // of somebody whose bell is on
	TypeSystem         = "system" // from the service itself; its message says what
)

// Event is one thing that one person is told: Actor did what Type says to Subject.
// Notices of one recipient, type and subject are grouped into one notification.
type Event struct {
	Recipient, Actor string
	Type             string
	Subject          string // a post, a comment, or for follows the recipient
	Post, Comment    string // what the notification shows; empty where it has none

	List bool // shown in the tray
	Live bool // told at once to those of the recipient's devices that are connected
	Push bool // may be sent to the recipient's devices
	Mail bool // may be sent by mail

	Plan      deliver.Plan // how the recipient wants to be told
	Reachable bool         // there may be a device or an address to send it to

	overBudget bool // the actor has alerted the recipient often enough for now
}

// isNewEachTime reports whether every notice of the type is news even from an actor who is
// already in the group: a second comment is, a second like is not.
func (n *Event) isNewEachTime() bool {
	return n.Type == TypeComment || n.Type == TypeReply || n.Type == TypeMention || n.Type == TypePost
}

// Listener is asked about each notice and hears which ones were listed, both inside the
// notice's transaction.
type Listener struct {
	// Intercept may alter the notice; when it returns false the notice is recorded but
	// neither listed nor sent.
	Intercept func(tx core.App, n *Event) (bool, error)
	// Listed hears of a notice that was listed anew, and in which notification.
	Listed func(tx core.App, n *Event, notification string) error
}

const listenerKey = "doubletap.notification.listener"

// SetListener makes every notice of app go through l.
func SetListener(app core.App, l Listener) { app.Store().Set(listenerKey, l) }

func askListener(tx core.App, n *Event) error {
	l, _ := tx.Store().Get(listenerKey).(Listener)
	if l.Intercept == nil {
		return nil
	}
	keep, err := l.Intercept(tx, n)
	if !keep {
		n.List, n.Live, n.Push, n.Mail = false, false, false, false
	}
	return err
}

func tellListener(tx core.App, n *Event, notification string) error {
	l, _ := tx.Store().Get(listenerKey).(Listener)
	if l.Listed == nil {
		return nil
	}
	return l.Listed(tx, n, notification)
}

// PostLiked tells owner, the post's author, of a like.
func PostLiked(tx core.App, user, post, owner string) error {
	return notifyRecipient(tx, &Event{Recipient: owner, Actor: user, Type: TypeLike, Subject: post, Post: post})
}

// PostUnliked takes a like back.
func PostUnliked(tx core.App, user, post, owner string) error {
	return retractFrom(tx, owner, TypeLike, post, user)
}

// CommentLiked tells the comment's author of a like.
func CommentLiked(tx core.App, like, comment *core.Record) error {
	return notifyRecipient(tx, &Event{
		Recipient: comment.GetString("author"), Actor: like.GetString("user"),
		Type: TypeCommentLike, Subject: comment.Id, Post: comment.GetString("post"), Comment: comment.Id,
	})
}

// CommentUnliked takes a comment's like back.
func CommentUnliked(tx core.App, like *core.Record) error {
	return retractFromAll(tx, TypeCommentLike, like.GetString("comment"), like.GetString("user"))
}

// UserMentioned tells user that actor named them in post, or in comment when there is one.
// Who may not see the post is not told.
func UserMentioned(tx core.App, user, actor, post, comment string) error {
	if sees, err := rule.MaySeePost(tx, user, post); err != nil || !sees {
		return err
	}
	return notifyRecipient(tx, &Event{Recipient: user, Actor: actor, Type: TypeMention, Subject: post, Post: post, Comment: comment})
}

// UserUnmentioned takes back that actor named user in post.
func UserUnmentioned(tx core.App, user, actor, post string) error {
	return retractFrom(tx, user, TypeMention, post, actor)
}

// CommentCreated tells the post's author, and of a reply the author of the comment
// replied to. answered is nil where the comment answers none; nobody is told twice.
func CommentCreated(tx core.App, comment, post, answered *core.Record) error {
	author, told := comment.GetString("author"), ""
	if answered != nil {
		told = answered.GetString("author")
		err := notifyRecipient(tx, &Event{
			Recipient: told, Actor: author,
			Type: TypeReply, Subject: comment.GetString("parent"), Post: post.Id, Comment: comment.Id,
		})
		if err != nil {
			return err
		}
	}
	if post.GetString("author") == told {
		return nil
	}
	return notifyRecipient(tx, &Event{
		Recipient: post.GetString("author"), Actor: author,
		Type: TypeComment, Subject: post.Id, Post: post.Id, Comment: comment.Id,
	})
}

// FollowCreated tells the followee of a new follower, or of somebody who asks to follow.
func FollowCreated(tx core.App, follow *core.Record) error {
	kind := TypeFollow
	if follow.GetString("state") == "pending" {
		kind = TypeFollowRequest
	}
	followee := follow.GetString("followee")
	return notifyRecipient(tx, &Event{Recipient: followee, Actor: follow.GetString("follower"), Type: kind, Subject: followee})
}

// RequestAccepted tells the follower that the request was accepted; the request leaves the followee's tray.
func RequestAccepted(tx core.App, follow *core.Record) error {
	follower, followee := follow.GetString("follower"), follow.GetString("followee")
	if err := retractFromAll(tx, TypeFollowRequest, followee, follower); err != nil {
		return err
	}
	return notifyRecipient(tx, &Event{Recipient: follower, Actor: followee, Type: TypeFollowAccepted, Subject: follower})
}

// FollowDeleted takes back what both sides were told of a follow.
func FollowDeleted(tx core.App, follow *core.Record) error {
	follower, followee := follow.GetString("follower"), follow.GetString("followee")
	for _, told := range []struct{ kind, recipient, actor string }{
		{TypeFollow, followee, follower}, {TypeFollowRequest, followee, follower}, {TypeFollowAccepted, follower, followee},
	} {
		if err := retractFrom(tx, told.recipient, told.kind, told.recipient, told.actor); err != nil {
			return fmt.Errorf("unfollow %s: %w", told.recipient, err)
		}
	}
	if err := retractFrom(tx, follower, TypePost, followee, followee); err != nil {
		return fmt.Errorf("unfollow %s: %w", followee, err)
	}
	return nil
}

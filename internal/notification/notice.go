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
	Like           = "like"
	Comment        = "comment"
	Reply          = "reply"
	CommentLike    = "comment_like"
	Mention        = "mention"
	Follow         = "follow"
	FollowRequest  = "follow_request"
	FollowAccepted = "follow_accepted"
	Post           = "post"   // of somebody whose bell is on
	System         = "system" // from the service itself; its message says what
)

// Notice is one thing that one person is told: Actor did what Type says to Subject.
// Notices of one recipient, type and subject are grouped into one notification.
type Notice struct {
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

// news reports whether every notice of the type is news even from an actor who is
// already in the group: a second comment is, a second like is not.
func (n *Notice) news() bool {
	return n.Type == Comment || n.Type == Reply || n.Type == Mention || n.Type == Post
}

// Listener is asked about each notice and hears which ones were listed, both inside the
// notice's transaction.
type Listener struct {
	// Ask may alter the notice; when it returns false the notice is recorded but
	// neither listed nor sent.
	Ask func(tx core.App, n *Notice) (bool, error)
	// Told hears of a notice that was listed anew, and in which notification.
	Told func(tx core.App, n *Notice, notification string) error
}

const listenerKey = "doubletap.notification.listener"

// Listen makes every notice of app go through l.
func Listen(app core.App, l Listener) { app.Store().Set(listenerKey, l) }

func ask(tx core.App, n *Notice) error {
	l, _ := tx.Store().Get(listenerKey).(Listener)
	if l.Ask == nil {
		return nil
	}
	keep, err := l.Ask(tx, n)
	if !keep {
		n.List, n.Live, n.Push, n.Mail = false, false, false, false
	}
	return err
}

func told(tx core.App, n *Notice, notification string) error {
	l, _ := tx.Store().Get(listenerKey).(Listener)
	if l.Told == nil {
		return nil
	}
	return l.Told(tx, n, notification)
}

// Liked tells owner, the post's author, of a like.
func Liked(tx core.App, user, post, owner string) error {
	return tell(tx, &Notice{Recipient: owner, Actor: user, Type: Like, Subject: post, Post: post})
}

// Unliked takes a like back.
func Unliked(tx core.App, user, post, owner string) error {
	return retractFrom(tx, owner, Like, post, user)
}

// CommentLiked tells the comment's author of a like.
func CommentLiked(tx core.App, like, comment *core.Record) error {
	return tell(tx, &Notice{
		Recipient: comment.GetString("author"), Actor: like.GetString("user"),
		Type: CommentLike, Subject: comment.Id, Post: comment.GetString("post"), Comment: comment.Id,
	})
}

// CommentUnliked takes a comment's like back.
func CommentUnliked(tx core.App, like *core.Record) error {
	return retract(tx, CommentLike, like.GetString("comment"), like.GetString("user"))
}

// Mentioned tells user that actor named them in post, or in comment when there is one.
// Who may not see the post is not told.
func Mentioned(tx core.App, user, actor, post, comment string) error {
	if sees, err := rule.SeesPost(tx, user, post); err != nil || !sees {
		return err
	}
	return tell(tx, &Notice{Recipient: user, Actor: actor, Type: Mention, Subject: post, Post: post, Comment: comment})
}

// Unmentioned takes back that actor named user in post.
func Unmentioned(tx core.App, user, actor, post string) error {
	return retractFrom(tx, user, Mention, post, actor)
}

// Commented tells the post's author, and of a reply the author of the comment
// replied to. answered is nil where the comment answers none; nobody is told twice.
func Commented(tx core.App, comment, post, answered *core.Record) error {
	author, told := comment.GetString("author"), ""
	if answered != nil {
		told = answered.GetString("author")
		err := tell(tx, &Notice{
			Recipient: told, Actor: author,
			Type: Reply, Subject: comment.GetString("parent"), Post: post.Id, Comment: comment.Id,
		})
		if err != nil {
			return err
		}
	}
	if post.GetString("author") == told {
		return nil
	}
	return tell(tx, &Notice{
		Recipient: post.GetString("author"), Actor: author,
		Type: Comment, Subject: post.Id, Post: post.Id, Comment: comment.Id,
	})
}

// Followed tells the followee of a new follower, or of somebody who asks to follow.
func Followed(tx core.App, follow *core.Record) error {
	kind := Follow
	if follow.GetString("state") == "pending" {
		kind = FollowRequest
	}
	followee := follow.GetString("followee")
	return tell(tx, &Notice{Recipient: followee, Actor: follow.GetString("follower"), Type: kind, Subject: followee})
}

// Accepted tells the follower that the request was accepted; the request leaves the followee's tray.
func Accepted(tx core.App, follow *core.Record) error {
	follower, followee := follow.GetString("follower"), follow.GetString("followee")
	if err := retract(tx, FollowRequest, followee, follower); err != nil {
		return err
	}
	return tell(tx, &Notice{Recipient: follower, Actor: followee, Type: FollowAccepted, Subject: follower})
}

// Unfollowed takes back what both sides were told of a follow.
func Unfollowed(tx core.App, follow *core.Record) error {
	follower, followee := follow.GetString("follower"), follow.GetString("followee")
	for _, told := range []struct{ kind, recipient, actor string }{
		{Follow, followee, follower}, {FollowRequest, followee, follower}, {FollowAccepted, follower, followee},
	} {
		if err := retractFrom(tx, told.recipient, told.kind, told.recipient, told.actor); err != nil {
			return fmt.Errorf("unfollow %s: %w", told.recipient, err)
		}
	}
	if err := retractFrom(tx, follower, Post, followee, followee); err != nil {
		return fmt.Errorf("unfollow %s: %w", followee, err)
	}
	return nil
}

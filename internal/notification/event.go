// Package notification tells people what others did: grouped, counted, once, and taken back when it is undone.
package notification

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/visibility"
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
	TypePost           = "post"   // a post of somebody for whom the recipient turned on follows.notify
	TypeSystem         = "system" // from the service itself; its message says what
)

// Event is one thing that one recipient is told of: Actor did to Subject what Type says. Events of one recipient, type
// and subject are grouped into one notification.
type Event struct {
	Recipient, Actor string
	Type             string
	Subject          string // a post or a comment; for follows the recipient; for TypePost the author
	Post, Comment    string // what the notification shows; empty where it shows none

	List bool // shown in the tray
	Live bool // sent at once to those of the recipient's devices that are connected
	Push bool // may be sent to the recipient's devices
	Mail bool // may be sent by mail

	Plan      deliver.Plan // how the recipient wants to be told
	Reachable bool         // there may be a device or an address to send it to

	overBudget bool // the actor has alerted the recipient often enough for now
}

// isNewEachTime reports whether every event of the type is new, even from an actor who is already in the group: a
// second comment is, a second like is not.
func (e *Event) isNewEachTime() bool {
	return e.Type == TypeComment || e.Type == TypeReply || e.Type == TypeMention || e.Type == TypePost
}

// Listener is called for each event, inside the event's transaction.
type Listener struct {
	// Intercept may change the event before it is listed. When it returns false, the event is recorded but neither
	// listed nor sent.
	Intercept func(tx core.App, e *Event) (bool, error)
	// Listed is called after an event was listed anew, with the id of the notification that shows it.
	Listed func(tx core.App, e *Event, notification string) error
}

const listenerKey = "doubletap.notification.listener"

// SetListener makes l the listener of app's events.
func SetListener(app core.App, l Listener) { app.Store().Set(listenerKey, l) }

func askListener(tx core.App, e *Event) error {
	l, _ := tx.Store().Get(listenerKey).(Listener)
	if l.Intercept == nil {
		return nil
	}
	list, err := l.Intercept(tx, e)
	if !list {
		e.List, e.Live, e.Push, e.Mail = false, false, false, false
	}
	return err
}

func tellListener(tx core.App, e *Event, notification string) error {
	l, _ := tx.Store().Get(listenerKey).(Listener)
	if l.Listed == nil {
		return nil
	}
	return l.Listed(tx, e, notification)
}

// How often one actor may alert one recipient by push and mail: about so many things in an hour, and not again at once
// about one that was taken back. Other events are in the tray only; devices that show the tray are sent them as usual.
const (
	maxAlertsPerHour = 5
	realertInterval  = 5 * time.Minute
)

// decidePlan decides how the recipient is told of the event: as they want, and then as the app owner's hook says. The
// hook is not called for a recipient who is being deleted, for an actor or a post that the recipient has muted, nor
// across a block that is newer than the event's cause; a rule has already refused what came across an older block.
func decidePlan(tx core.App, e *Event, was *priorState, now time.Time) error {
	if was.preferences.State == "deleting" || was.muted {
		return nil
	}
	p := was.preferences.Recipient()
	p.Follows = was.follows
	e.Plan, e.Reachable = deliver.DecidePlan(e.Type, p, now), was.reachable
	e.List, e.Live, e.Push, e.Mail = e.Plan.List, e.Plan.Live, !e.Plan.PushAt.IsZero(), !e.Plan.MailAt.IsZero()
	if e.Type == TypePost && was.group != "" { // one alert is enough for what somebody posts in half a day
		e.Push, e.Mail = false, false
	}
	switch {
	case e.Actor != "" && was.recentAlerts >= maxAlertsPerHour:
		e.overBudget = true
		e.dropAlerts()
	case was.event.isStored() && !was.event.active && was.event.alertedAt > clock.FormatTime(now.Add(-realertInterval)):
		e.dropAlerts() // taken back and done again
	}
	return askListener(tx, e)
}

// dropAlerts sends nothing for the event until its recipient looks; a digest still names it.
func (e *Event) dropAlerts() {
	e.Push = false
	if e.Plan.MailMode == deliver.MailNow {
		e.Mail = false
	}
}

// PostLiked tells owner, the post's author, of a like.
func PostLiked(tx core.App, user, post, owner string) error {
	return notifyRecipient(tx, &Event{Recipient: owner, Actor: user, Type: TypeLike, Subject: post, Post: post})
}

// PostUnliked takes back that user liked the post.
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

// CommentUnliked takes back a like of a comment.
func CommentUnliked(tx core.App, like *core.Record) error {
	return retractFromAll(tx, TypeCommentLike, like.GetString("comment"), like.GetString("user"))
}

// UserMentioned tells user that actor named them in post, or in comment unless that is empty. It does nothing when
// user may not see the post.
func UserMentioned(tx core.App, user, actor, post, comment string) error {
	if sees, err := visibility.MaySeePost(tx, user, post); err != nil || !sees {
		return err
	}
	return notifyRecipient(tx, &Event{Recipient: user, Actor: actor, Type: TypeMention, Subject: post, Post: post, Comment: comment})
}

// UserUnmentioned takes back that actor named user in post.
func UserUnmentioned(tx core.App, user, actor, post string) error {
	return retractFrom(tx, user, TypeMention, post, actor)
}

// CommentCreated tells the post's author of a comment and, if it is a reply, the author of the comment it answers.
// answered is nil where it answers none. Somebody who is both is told once, of the reply.
func CommentCreated(tx core.App, comment, post, answered *core.Record) error {
	author, answeredAuthor := comment.GetString("author"), ""
	if answered != nil {
		answeredAuthor = answered.GetString("author")
		err := notifyRecipient(tx, &Event{
			Recipient: answeredAuthor, Actor: author,
			Type: TypeReply, Subject: comment.GetString("parent"), Post: post.Id, Comment: comment.Id,
		})
		if err != nil {
			return err
		}
	}
	if post.GetString("author") == answeredAuthor {
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

// RequestAccepted tells the follower that the request was accepted, and takes the request out of the followee's tray.
func RequestAccepted(tx core.App, follow *core.Record) error {
	follower, followee := follow.GetString("follower"), follow.GetString("followee")
	if err := retractFromAll(tx, TypeFollowRequest, followee, follower); err != nil {
		return err
	}
	return notifyRecipient(tx, &Event{Recipient: follower, Actor: followee, Type: TypeFollowAccepted, Subject: follower})
}

// FollowDeleted takes back what both sides were told because of a follow.
func FollowDeleted(tx core.App, follow *core.Record) error {
	follower, followee := follow.GetString("follower"), follow.GetString("followee")
	for _, event := range []struct{ kind, recipient, actor string }{
		{TypeFollow, followee, follower}, {TypeFollowRequest, followee, follower}, {TypeFollowAccepted, follower, followee},
	} {
		if err := retractFrom(tx, event.recipient, event.kind, event.recipient, event.actor); err != nil {
			return fmt.Errorf("unfollow %s: %w", event.recipient, err)
		}
	}
	if err := retractFrom(tx, follower, TypePost, followee, followee); err != nil {
		return fmt.Errorf("unfollow %s: %w", followee, err)
	}
	return nil
}

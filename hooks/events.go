package hooks

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// LikeEvent is a like of a post that is being stored or taken back, in the transaction; see OnLike and OnUnlike.
type LikeEvent struct {
	hook.Event
	App   core.App     // the transaction
	Like  *core.Record // the row of likes
	Post  *core.Record
	Owner *core.Record // the post's author
	User  *core.Record // who likes
}

// CommentEvent is a comment that is being stored, in the transaction; see OnComment.
type CommentEvent struct {
	hook.Event
	App     core.App // the transaction
	Comment *core.Record
	Post    *core.Record
	Author  *core.Record
	Answers *core.Record // the comment it replies to, or nil
}

// FollowEvent is a follow that is being stored, accepted or taken back, in the transaction; see OnFollow and
// OnUnfollow. Its state, "pending" or "accepted", tells whether the followee has accepted.
type FollowEvent struct {
	hook.Event
	App      core.App // the transaction
	Follow   *core.Record
	Follower *core.Record
	Followee *core.Record
}

// BlockEvent is a block that is being stored, in the transaction; see OnBlock.
type BlockEvent struct {
	hook.Event
	App     core.App // the transaction
	Block   *core.Record
	Blocker *core.Record
	Blocked *core.Record
}

// PostEvent is a post that is being stored, in the transaction; see OnPost.
type PostEvent struct {
	hook.Event
	App    core.App // the transaction
	Post   *core.Record
	Author *core.Record
}

// AccountEvent is an account that is being stored, or closed for good, in the transaction; see OnSignup and OnErase.
type AccountEvent struct {
	hook.Event
	App  core.App // the transaction
	User *core.Record
}

// ReportEvent is a report that is being stored, in the transaction; see OnReport.
type ReportEvent struct {
	hook.Event
	App    core.App // the transaction
	Report *core.Record
}

// NotifyEvent is one person who is about to be notified of something, in the transaction; see OnNotify. Its flags
// List, Live, Push and Mail may be altered.
type NotifyEvent struct {
	hook.Event
	App       core.App     // the transaction
	Type      string       // such as "like"; OnNotify lists them
	Recipient *core.Record // who is notified
	Actor     *core.Record // who did it
	Post      *core.Record // nil where the notification has none
	Comment   *core.Record // nil where the notification has none
	List      bool         // shown in the tray; without it the person is not notified at all
	Live      bool         // sent at once to devices that are connected
	Push      bool         // sent to devices; can be cleared, but not set for somebody who does not want it
	Mail      bool         // sent by mail, now or in a digest; likewise
}

// Tags makes a handler of OnNotify("like") run for that type alone.
func (e *NotifyEvent) Tags() []string { return []string{e.Type} }

// NotifiedEvent is a notification that was added to a tray, after the commit and outside any transaction; see
// OnNotified.
type NotifiedEvent struct {
	hook.Event
	App          core.App
	Type         string
	Notification *core.Record // the row of the tray, which may show several actors
	Recipient    *core.Record
	Actor        *core.Record // who did it now
}

// Tags makes a handler of OnNotified("like") run for that type alone.
func (e *NotifiedEvent) Tags() []string { return []string{e.Type} }

// PurgeEvent names paths that shared caches must forget, because a post, a story or an avatar is no longer public;
// see OnPurge.
type PurgeEvent struct {
	hook.Event
	App  core.App
	URLs []string // paths with their query, without the host
}

// eventHooks are the hooks of all events but those of delivery; see deliveryState.
type eventHooks struct {
	signup, erase    hook.Hook[*AccountEvent]
	post             hook.Hook[*PostEvent]
	like, unlike     hook.Hook[*LikeEvent]
	comment          hook.Hook[*CommentEvent]
	follow, unfollow hook.Hook[*FollowEvent]
	block            hook.Hook[*BlockEvent]
	report           hook.Hook[*ReportEvent]
	notify           hook.Hook[*NotifyEvent]
	notified         hook.Hook[*NotifiedEvent]
	purge            hook.Hook[*PurgeEvent]
	render           hook.Hook[*RenderEvent]
}

// OnSignup runs in the transaction that stores a new account, however it is created. The account has its handle by
// then. After e.Next() the account and its settings are stored.
func (s *Social) OnSignup() *hook.Hook[*AccountEvent] { return &s.events.signup }

// OnErase runs once for each account that is closed for good, by its person, a superuser or Go code, in the
// transaction that closes it. After e.Next() the account is closed, its handle is reserved, and a job will erase it.
// That job runs no OnUnlike and no OnUnfollow.
func (s *Social) OnErase() *hook.Hook[*AccountEvent] { return &s.events.erase }

// OnPost runs in the transaction that stores a new post. After e.Next() its hashtags and mentions are stored too, and
// the transaction sees it in its followers' feeds. A job notifies those who want to hear of each post of the author.
func (s *Social) OnPost() *hook.Hook[*PostEvent] { return &s.events.post }

// OnLike runs in the transaction that stores a like of a post. After e.Next() the post's count and its author's
// notification are stored too. A repeated like runs no hook: it is answered with the stored one. Do not alter e.Like:
// the fast path stores the like as it was sent.
func (s *Social) OnLike() *hook.Hook[*LikeEvent] { return &s.events.like }

// OnUnlike runs in the transaction in which a like of a post is taken back. After e.Next() the post's count and its
// author's notification are updated too. It does not run for likes that go because their post or their account goes.
func (s *Social) OnUnlike() *hook.Hook[*LikeEvent] { return &s.events.unlike }

// OnComment runs in the transaction that stores a new comment or reply. After e.Next() its notifications and mentions
// are stored too.
func (s *Social) OnComment() *hook.Hook[*CommentEvent] { return &s.events.comment }

// OnFollow runs in the transaction that stores a follow, pending or accepted, and again in the one in which a pending
// follow is accepted. After e.Next() the notification is stored too, and with an accepted follow
// the followee's posts are in the follower's feed.
func (s *Social) OnFollow() *hook.Hook[*FollowEvent] { return &s.events.follow }

// OnUnfollow runs in the transaction in which a follow is taken back by either side, or ends by a block. After
// e.Next() the followee's posts are out of the follower's feed. It does not run for follows that go because an
// account is erased.
func (s *Social) OnUnfollow() *hook.Hook[*FollowEvent] { return &s.events.unfollow }

// OnBlock runs in the transaction that stores a block. After e.Next() the follows between the two people are gone,
// and so are their posts from each other's feeds. Their notifications of each other are retracted too, many of them
// by a job.
func (s *Social) OnBlock() *hook.Hook[*BlockEvent] { return &s.events.block }

// OnReport runs in the transaction that stores a new report. A report that is sent again while it is open runs no
// hook: it is answered with the stored one.
func (s *Social) OnReport() *hook.Hook[*ReportEvent] { return &s.events.report }

// OnPurge runs in a job after photos stopped being public, and a minute later again with the same paths, for answers
// that were then on their way to a cache. While nobody is bound to it, shared caches are told to ask again after a
// minute; with a handler they may keep photos for good.
func (s *Social) OnPurge() *hook.Hook[*PurgeEvent] { return &s.events.purge }

// OnNotify runs for each person who is about to be notified of something of the types, or of anything if there are
// none, in the transaction of the cause. The types are "like", "comment", "reply", "comment_like", "mention",
// "follow", "follow_request", "follow_accepted" and "post". Notifications from the service itself, of type "system",
// come without it.
//
// A handler may alter the event's flags. One that does not call e.Next(), and returns no error, drops the
// notification: it is neither listed nor sent. An error undoes the cause too, such as the like; where the cause is a
// job, as with "post", the job runs again.
func (s *Social) OnNotify(types ...string) *hook.TaggedHook[*NotifyEvent] {
	return hook.NewTaggedHook(&s.events.notify, types...)
}

// OnNotified runs in a job after a notification of the types, or of any if there are none, was added to a tray and
// committed. It is where a channel of one's own begins. It does not run for notifications of type "system", for those
// that were taken back or whose people are gone by then, and for what happened while nobody was bound to it.
func (s *Social) OnNotified(types ...string) *hook.TaggedHook[*NotifiedEvent] {
	return hook.NewTaggedHook(&s.events.notified, types...)
}

package hooks

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// LikeEvent is a like being stored, or being taken back. It runs in the
// transaction: an error rolls back and is the client's answer.
type LikeEvent struct {
	hook.Event
	App   core.App     // the transaction
	Like  *core.Record // the edge
	Post  *core.Record
	Owner *core.Record // the post's author
	User  *core.Record // who likes
}

// CommentEvent is a comment being stored, in the transaction.
type CommentEvent struct {
	hook.Event
	App     core.App
	Comment *core.Record
	Post    *core.Record
	Author  *core.Record
	Answers *core.Record // the comment it replies to, or nil
}

// FollowEvent is a follow being stored, accepted or taken back, in the transaction; its
// state tells whether the followee has accepted.
type FollowEvent struct {
	hook.Event
	App      core.App
	Follow   *core.Record
	Follower *core.Record
	Followee *core.Record
}

// BlockEvent is a block being stored, in the transaction.
type BlockEvent struct {
	hook.Event
	App     core.App
	Block   *core.Record
	Blocker *core.Record
	Blocked *core.Record
}

// PostEvent is a post being stored, in the transaction.
type PostEvent struct {
	hook.Event
	App    core.App
	Post   *core.Record
	Author *core.Record
}

// AccountEvent is somebody signing up, or an account being closed for good, in the transaction.
type AccountEvent struct {
	hook.Event
	App  core.App
	User *core.Record
}

// ReportEvent is a report being stored, in the transaction.
type ReportEvent struct {
	hook.Event
	App    core.App
	Report *core.Record
}

// NotifyEvent is one person about to be told of something, in the transaction. Its
// flags may be altered; not calling Next drops the notification.
type NotifyEvent struct {
	hook.Event
	App       core.App
	Type      string
	Recipient *core.Record
	Actor     *core.Record
	Post      *core.Record // nil where the notification has none
	Comment   *core.Record // nil where the notification has none
	List      bool         // shown in the tray; without it nobody is told at all
	Live      bool         // told at once to devices that are connected
	Push      bool         // sent to devices; can be cleared, but not set for who does not want it
	Mail      bool         // sent by mail, now or in a digest; likewise
}

// Tags makes OnNotify("like") run for likes alone.
func (e *NotifyEvent) Tags() []string { return []string{e.Type} }

// NotifiedEvent tells, after the commit and outside any transaction, that a notification was listed. It comes from
// a job: an error is tried again, and after a crash it may come twice.
type NotifiedEvent struct {
	hook.Event
	App          core.App
	Type         string
	Notification *core.Record
	Recipient    *core.Record
	Actor        *core.Record
}

// Tags makes a handler bound for a type run for it alone.
func (e *NotifiedEvent) Tags() []string { return []string{e.Type} }

// PurgeEvent names the paths that shared caches must forget, as a post, a story or an avatar is public no more. It comes from
// a job: an error is tried again.
type PurgeEvent struct {
	hook.Event
	App  core.App
	URLs []string // paths with their query, without the host
}

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

// OnSignup runs when an account is stored, in the transaction (see Social).
func (s *Social) OnSignup() *hook.Hook[*AccountEvent] { return &s.events.signup }

// OnErase runs when an account is closed for good, in the transaction (see Social) that closes it.
func (s *Social) OnErase() *hook.Hook[*AccountEvent] { return &s.events.erase }

// OnPost runs when a post is stored, in the transaction (see Social).
func (s *Social) OnPost() *hook.Hook[*PostEvent] { return &s.events.post }

// OnLike runs when a like is stored, in the transaction (see Social); a repeated like is none.
func (s *Social) OnLike() *hook.Hook[*LikeEvent] { return &s.events.like }

// OnUnlike runs when a like is taken back, in the transaction (see Social).
func (s *Social) OnUnlike() *hook.Hook[*LikeEvent] { return &s.events.unlike }

// OnComment runs when a comment is stored, in the transaction (see Social).
func (s *Social) OnComment() *hook.Hook[*CommentEvent] { return &s.events.comment }

// OnFollow runs when a follow is stored, pending or accepted, and when a pending one is accepted, in the transaction (see Social).
func (s *Social) OnFollow() *hook.Hook[*FollowEvent] { return &s.events.follow }

// OnUnfollow runs when a follow is taken back by either side, in the transaction (see Social).
func (s *Social) OnUnfollow() *hook.Hook[*FollowEvent] { return &s.events.unfollow }

// OnBlock runs when a block is stored, in the transaction (see Social).
func (s *Social) OnBlock() *hook.Hook[*BlockEvent] { return &s.events.block }

// OnReport runs when a report is stored, in the transaction (see Social).
func (s *Social) OnReport() *hook.Hook[*ReportEvent] { return &s.events.report }

// OnPurge runs after photos stopped being public. As long as nobody is bound to it, shared caches are told to ask
// again after a minute; with a handler they may keep photos for good.
func (s *Social) OnPurge() *hook.Hook[*PurgeEvent] { return &s.events.purge }

// OnNotify runs for each person about to be told of something of the types, or of anything when
// there are none, in the transaction (see Social).
func (s *Social) OnNotify(types ...string) *hook.TaggedHook[*NotifyEvent] {
	return hook.NewTaggedHook(&s.events.notify, types...)
}

// OnNotified runs after a notification of the types, or any, was listed and committed. It may be slow.
func (s *Social) OnNotified(types ...string) *hook.TaggedHook[*NotifiedEvent] {
	return hook.NewTaggedHook(&s.events.notified, types...)
}

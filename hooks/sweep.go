package hooks

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"doubletap/internal/comment"
	"doubletap/internal/deliver/webhook"
	"doubletap/internal/erase"
	"doubletap/internal/feed"
	"doubletap/internal/graph"
	"doubletap/internal/guard"
	"doubletap/internal/job"
	"doubletap/internal/notification"
	"doubletap/internal/post"
	"doubletap/internal/search"
	"doubletap/internal/story"
	"doubletap/internal/sweep"
)

// gone is what follows from the deletion of a record of ours, by its collection: everything of ours that points at it.
var gone = map[string]*sweep.Work{
	"users": &erase.Account,
	"posts": {Kind: "post.gone", Parts: slices.Concat(notification.PostParts, []sweep.Part{feed.PostPart}, post.Parts)},
	"comments": {Kind: "comment.gone", Parts: slices.Concat(notification.CommentParts, []sweep.Part{
		comment.LikePart,
		sweep.Update("reports", `comment = ''`, `comment = {:id} AND NOT EXISTS (SELECT 1 FROM comments WHERE id = {:id})`), // not of a tombstone
	})},
	"stories":       {Kind: "story.gone", Parts: []sweep.Part{story.ViewPart}},
	"hashtags":      {Kind: "hashtag.gone", Parts: []sweep.Part{sweep.Delete("post_tags", `tag = {:id}`)}},
	"notifications": &notification.Detached,
	"webhooks":      {Kind: "webhook.gone", Parts: webhook.Parts},
}

// bindSweeps has what follows from one thing for many rows done a little at a time.
func (s *Social) bindSweeps() {
	works := []*sweep.Work{&graph.Release, &notification.Parting, &notification.Reading, &notification.Ringing, &feed.Unwanted, &webhook.Resuming, &post.Counting, &post.Folding, &search.Indexing, s.settling()}
	for collection, work := range gone {
		if collection != "users" { // whose job ends with the account itself
			works = append(works, work)
		}
	}
	for _, work := range works {
		s.jobs.Handle(work.Kind, work.Run, job.Concurrency(1), sweepAttempts)
	}
	// right around PocketBase's own handler, which deletes the record and cascades
	s.app.OnRecordDeleteExecute(guard.Collections...).Bind(&hook.Handler[*core.RecordEvent]{Priority: 98, Func: recordGone})
}

// sweepAttempts is how often a work is begun that meets trouble or the end of a process: it has gone on each time.
var sweepAttempts = job.MaxAttempts(100)

// recordGone deletes a record without what points at it: rows of ours go in steps, and nobody sees them as the record is gone.
// PocketBase would load them all and delete one after the other in this transaction. It still does so for owners' collections.
func recordGone(e *core.RecordEvent) error {
	app := e.App
	defer func() { e.App = app }()
	return app.RunInTransaction(func(tx core.App) error {
		e.App = ownersRelations{tx}
		if err := e.Next(); err != nil {
			return err
		}
		work := gone[e.Record.Collection().Name]
		if work == nil {
			return nil
		}
		return work.Begin(tx, sweep.Subject{"id": e.Record.Id, "user": e.Record.Id, "author": e.Record.GetString("author"), "former": ""})
	})
}

// ownersRelations is a transaction in which nothing of ours points at anything.
type ownersRelations struct{ core.App }

// FindCachedCollectionReferences implements core.App. PocketBase asks it what to cascade to.
func (a ownersRelations) FindCachedCollectionReferences(c *core.Collection, excluded ...string) (map[*core.Collection][]core.Field, error) {
	references, err := a.App.FindCachedCollectionReferences(c, excluded...)
	owners := map[*core.Collection][]core.Field{}
	for from, fields := range references {
		if !slices.Contains(guard.Collections, from.Name) {
			owners[from] = fields
		}
	}
	return owners, err
}

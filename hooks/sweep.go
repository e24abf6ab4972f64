package hooks

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/deliver/webhook"
	"github.com/doubletap/doubletap/internal/erase"
	"github.com/doubletap/doubletap/internal/graph"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/post"
	"github.com/doubletap/doubletap/internal/search"
	"github.com/doubletap/doubletap/internal/sweep"
)

// deletionWorks are the works that follow from the deletion of a record of ours, by its collection: they remove or
// change everything of ours that points at it.
var deletionWorks = func() map[string]*sweep.Work {
	special := map[string][]sweep.Part{
		"posts":    notification.PostParts,
		"comments": notification.CommentParts,
		"webhooks": webhook.CleanupParts,
	}
	works := map[string]*sweep.Work{"users": &erase.AccountWork, "notifications": &notification.DetachWork}
	for _, d := range collection.All {
		if d.GoneJob != "" && works[d.Name] == nil {
			works[d.Name] = &sweep.Work{Kind: d.GoneJob, Parts: slices.Concat(special[d.Name], sweep.PartsPointingAt(d.Name))}
		}
	}
	return works
}()

// bindSweeps lets jobs do what follows from one thing for many rows, a little at a time.
func (s *Social) bindSweeps() {
	works := []*sweep.Work{&graph.ReleaseRequests, &notification.RetractBetweenWork, &notification.MarkReadWork, &notification.Ringing, &webhook.ResumeWork, &post.Counting, &post.Folding, &search.Indexing, &sessionWork, s.settleWork()}
	for collection, work := range deletionWorks {
		if collection != "users" { // whose job also deletes the account itself
			works = append(works, work)
		}
	}
	for _, work := range works {
		s.jobs.Handle(work.Kind, work.HandleJob, job.Concurrency(max(work.Concurrency, 1)), sweepAttempts)
	}
	s.jobs.Handle(sweep.CascadeJob, sweep.HandleCascade, job.Concurrency(2), sweepAttempts)
	// right around PocketBase's own handler, which deletes the record and cascades
	s.app.OnRecordDeleteExecute(collection.Names()...).Bind(&hook.Handler[*core.RecordEvent]{Priority: 98, Func: deleteWithoutCascade})
}

// sweepAttempts is how often a work may be begun again after an error or the end of a process: each time it goes on
// where it was.
var sweepAttempts = job.MaxAttempts(100)

// deleteWithoutCascade deletes a record without what points at it: rows of ours go in steps, and nobody sees them
// once the record is gone. PocketBase would load them all and delete one after the other in this transaction. It
// still does so for a few records of owners' collections; many of them go in steps too.
func deleteWithoutCascade(e *core.RecordEvent) error {
	app := e.App
	defer func() { e.App = app }()
	return app.RunInTransaction(func(tx core.App) error {
		atOnce, err := sweep.CascadesAtOnce(tx, e.Record)
		if err != nil {
			return err
		}
		e.App = relationsHidden{tx, atOnce}
		if err := e.Next(); err != nil {
			return err
		}
		work := deletionWorks[e.Record.Collection().Name]
		if work == nil {
			return nil
		}
		return work.Begin(tx, sweep.Subject{"id": e.Record.Id, "user": e.Record.Id, "author": e.Record.GetString("author"), "former": ""})
	})
}

// relationsHidden is a transaction in which no relation of the product points at anything, and an owner's only if owners is set.
type relationsHidden struct {
	core.App
	owners bool
}

// FindCachedCollectionReferences implements [core.App]. PocketBase asks it what to cascade to.
func (a relationsHidden) FindCachedCollectionReferences(c *core.Collection, excluded ...string) (map[*core.Collection][]core.Field, error) {
	references, err := a.App.FindCachedCollectionReferences(c, excluded...)
	shown := map[*core.Collection][]core.Field{}
	for from, fields := range references {
		owners := slices.DeleteFunc(slices.Clone(fields), func(f core.Field) bool { return !a.owners || collection.ShipsRelation(from.Name, f.GetName()) })
		if len(owners) > 0 {
			shown[from] = owners
		}
	}
	return shown, err
}

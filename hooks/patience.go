package hooks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"doubletap/internal/db"
	"doubletap/internal/fault"
)

// statementTimeout is how long one statement may read for a guest or a user; for all others PocketBase's own 30 s hold.
const statementTimeout = 3 * time.Second

func (s *Social) bindStatementTimeout() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Func: boundStatements, Priority: generalPathPriority})
		return e.Next()
	})
}

func boundStatements(e *core.RequestEvent) error {
	if e.HasSuperuserAuth() {
		return e.Next()
	}
	app, answer, asks := e.App, newClientAnswer(e.Request.Method), context.Background()
	if answer.isRead {
		asks = e.Request.Context() // nobody waits for the rows once the client is gone
	}
	ctx, leave := context.WithCancel(db.LimitReads(context.Background(), maxAnswerBytes, errAnswerTooLarge))
	stay := context.AfterFunc(asks, leave)
	defer stay() // what goes on in the background, as mails do, reads to its end
	e.App = clientApp{app, ctx, answer}
	err := e.Next()
	answer.ended.Store(true)
	e.App = app
	if cut := answer.unread(); err != nil && cut != nil { // and PocketBase took it for not there, or not allowed
		return fault.ForClient(cut)
	}
	return err
}

// clientApp is the app as a client's request sees it: what PocketBase reads for it by the client's own question, pages, single
// records and what is expanded, is ended when it takes longer than statementTimeout. Who keeps it for longer than the request has the app as it is.
type clientApp struct {
	core.App
	ctx    context.Context // of the request, and ended if the client leaves before the answer
	answer *clientAnswer
}

func (a clientApp) boundQuery(query *dbx.SelectQuery) *dbx.SelectQuery {
	if a.answer.ended.Load() || query.Context() != nil { // or PocketBase has ended it already
		return query
	}
	pocketbase := query.Info().BuildHook
	return query.WithBuildHook(func(q *dbx.Query) {
		if pocketbase != nil {
			pocketbase(q)
		}
		q.WithExecHook(a.runStatement) // in place of PocketBase's 30 s; who reads does not meet the locks that it waits for
	})
}

// runStatement runs a statement, and says so when it was ended: dbx takes rows that were cut short for all there are.
func (a clientApp) runStatement(query *dbx.Query, statement func() error) error {
	ctx, limit := db.LimitStatements(a.ctx, statementTimeout)
	query.WithContext(ctx)
	//lint:ignore SA1012 as PocketBase does, so that the query may run again
	defer query.WithContext(nil)
	err := statement()
	switch gone := ctx.Err(); {
	case limit.WasInterrupted():
		err = fmt.Errorf("read for a client: %w", errors.Join(context.DeadlineExceeded, err))
	case gone != nil:
		err = fmt.Errorf("read for a client: %w", errors.Join(gone, err))
	}
	a.answer.noteFailure(err)
	return err
}

func (a clientApp) boundFilter(query *dbx.SelectQuery) error {
	a.boundQuery(query)
	return nil
}

// RecordQuery implements [core.App].
func (a clientApp) RecordQuery(collection any) *dbx.SelectQuery {
	return a.boundQuery(a.App.RecordQuery(collection))
}

// FindRecordById implements [core.App].
func (a clientApp) FindRecordById(collection any, id string, filters ...func(*dbx.SelectQuery) error) (*core.Record, error) {
	return a.App.FindRecordById(collection, id, append(filters, a.boundFilter)...)
}

// FindRecordsByIds implements [core.App].
func (a clientApp) FindRecordsByIds(collection any, ids []string, filters ...func(*dbx.SelectQuery) error) ([]*core.Record, error) {
	return a.App.FindRecordsByIds(collection, ids, append(filters, a.boundFilter)...)
}

// CanAccessRecord implements [core.App].
func (a clientApp) CanAccessRecord(record *core.Record, info *core.RequestInfo, rule *string) (bool, error) {
	allowed, err := a.App.CanAccessRecord(record, info, rule)
	a.answer.noteFailure(err)
	return allowed, err
}

// RunInTransaction implements [core.App].
func (a clientApp) RunInTransaction(fn func(tx core.App) error) error {
	return a.App.RunInTransaction(func(tx core.App) error { return fn(clientApp{tx, a.ctx, a.answer}) })
}

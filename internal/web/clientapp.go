package web

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/feed"
)

// statementTimeout is how long one statement may read for a guest or a user; for all others PocketBase's own 30 s
// apply.
const statementTimeout = 3 * time.Second

// BoundStatements is the middleware that ends what a guest or a user reads for too long, and what is larger than an
// answer may be.
func BoundStatements(e *core.RequestEvent) error {
	if e.HasSuperuserAuth() {
		if isReadMethod(e.Request.Method) {
			app := e.App
			e.App = db.WithContext(e.Request.Context(), app)
			defer func() { e.App = app }()
		}
		return e.Next()
	}
	app, answer, clientCtx := e.App, newClientAnswer(e.Request.Method), context.Background()
	if answer.isRead {
		clientCtx = e.Request.Context() // nobody waits for the rows once the client is gone
	}
	ctx, cancel := context.WithCancel(db.LimitReads(context.Background(), MaxAnswerBytes, errAnswerTooLarge))
	stop := context.AfterFunc(clientCtx, cancel)
	defer stop() // what goes on in the background, as mails do, reads to its end
	e.App = clientApp{app, ctx, clientCtx, answer}
	err := e.Next()
	answer.ended.Store(true)
	e.App = app
	if cut := answer.unread(); err != nil && cut != nil { // and PocketBase took it for not there, or not allowed
		return fault.ForClient(cut)
	}
	return err
}

// AnswerAsRead runs what answers a request that stores nothing, whatever its method: what could not be read is an error
// of the answer, as it is with a GET, and not left out.
func AnswerAsRead(e *core.RequestEvent, answer func() error) error {
	app, ok := e.App.(clientApp)
	if !ok { // a superuser's
		return answer()
	}
	read := app
	read.answer = &clientAnswer{isRead: true}
	e.App = read
	err := answer()
	read.answer.ended.Store(true)
	e.App = app
	if cut := read.answer.unread(); err != nil && cut != nil {
		return fault.ForClient(cut)
	}
	return err
}

// clientApp is the app as a client's request sees it. What PocketBase reads for the client's own query (pages, single
// records and what is expanded) is ended when it takes longer than statementTimeout. Code that keeps a clientApp for
// longer than the request has the app without these limits.
type clientApp struct {
	core.App
	ctx       context.Context // of the request; it ends if the client leaves before the answer
	clientCtx context.Context // ends when the client of a read leaves, without ctx's limits
	answer    *clientAnswer
}

func (a clientApp) boundQuery(query *dbx.SelectQuery) *dbx.SelectQuery {
	if a.answer.ended.Load() || query.Context() != nil { // or it has a context of its own already
		return query
	}
	pocketbase := query.Info().BuildHook
	return query.WithBuildHook(func(q *dbx.Query) {
		if pocketbase != nil {
			pocketbase(q)
		}
		q.WithExecHook(a.runStatement) // in place of PocketBase's 30 s, and of its retries after locks, which reads do not meet
	})
}

// runStatement runs a statement, and returns an error if it was ended early: dbx takes rows that were cut short for
// all there are.
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
	return a.App.FindRecordById(collection, id, append(filters, a.boundFilter, feed.SeekRow(id))...)
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

// StatementContext implements [db.ContextApp]: what we read for the client is ended if the client leaves. It counts for
// no limit of time or bytes, as the client does not choose it.
func (a clientApp) StatementContext() context.Context {
	if !a.answer.isRead || a.answer.ended.Load() {
		return context.Background() // a context that is never done costs statements nothing
	}
	return a.clientCtx
}

// RunInTransaction implements [core.App].
func (a clientApp) RunInTransaction(fn func(tx core.App) error) error {
	return a.App.RunInTransaction(func(tx core.App) error { return fn(clientApp{tx, a.ctx, a.clientCtx, a.answer}) })
}

package db

import (
	"context"

	"github.com/pocketbase/pocketbase/core"
)

// ContextApp is an app with the context of what it is used for: a request, a job or a command. All statements of this
// package that run with such an app, or in a transaction of it, end when its context does.
type ContextApp interface {
	core.App
	StatementContext() context.Context
}

// WithContext returns app with a context. PocketBase's own statements have a time limit of theirs and know nothing of
// it.
func WithContext(ctx context.Context, app core.App) ContextApp { return contextApp{app, ctx} }

type contextApp struct {
	core.App
	ctx context.Context
}

// StatementContext implements ContextApp.
func (a contextApp) StatementContext() context.Context { return a.ctx }

// RunInTransaction implements [core.App].
func (a contextApp) RunInTransaction(fn func(tx core.App) error) error {
	return a.App.RunInTransaction(func(tx core.App) error { return fn(contextApp{tx, a.ctx}) })
}

// contextOf returns the context of an app's statements. Where none is given, as in PocketBase's own transactions, they
// run to their end.
func contextOf(app core.App) context.Context {
	if a, ok := app.(ContextApp); ok {
		return a.StatementContext()
	}
	return context.Background()
}

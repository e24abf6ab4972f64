package db

import (
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// CheckStatements has check asked before every statement of app's data.db, on the goroutine that runs it, and makes its error the
// statement's; nil ends that. Tests let a chosen statement fail by it, as one does that meets a page that cannot be read.
func CheckStatements(app core.App, check func(query string) error) {
	for _, builder := range []dbx.Builder{app.ConcurrentDB(), app.NonconcurrentDB()} {
		pool, ok := builder.(*dbx.DB)
		if !ok {
			continue
		}
		state, ours := pool.DB().Driver().(*poolState)
		switch {
		case !ours:
		case check == nil:
			state.check.Store(nil)
		default:
			state.check.Store(&check)
		}
	}
}

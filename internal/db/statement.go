package db

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// translation is our SQL in SQLite's form. Statements are literals of the program, or put together from a few, so each
// is translated once and the result is cached.
type translation struct {
	sql   string
	names []string // of the parameters, each once, in the order of their numbers
	reads bool
}

var translations sync.Map // by statement

var placeholders = regexp.MustCompile(`\{:(\w+)\}|\{\{(\w+)\}\}|\[\[([\w.]+)\]\]`)

func translateSQL(statement string) *translation {
	if t, known := translations.Load(statement); known {
		return t.(*translation)
	}
	t := &translation{reads: isReadStatement(statement)}
	t.sql = placeholders.ReplaceAllStringFunc(statement, func(mark string) string {
		inner := strings.Trim(mark, "{:}[]")
		if strings.HasPrefix(mark, "{:") {
			n := slices.Index(t.names, inner)
			if n < 0 {
				n = len(t.names)
				t.names = append(t.names, inner)
			}
			return "?" + strconv.Itoa(n+1)
		}
		return "`" + strings.ReplaceAll(inner, ".", "`.`") + "`"
	})
	translations.Store(statement, t)
	return t
}

// isReadStatement reports whether the statement is for the connections that read. It looks at the first word, as
// PocketBase does.
func isReadStatement(statement string) bool {
	word := strings.ToUpper(strings.TrimSpace(statement))
	return strings.HasPrefix(word, "SELECT") || strings.HasPrefix(word, "WITH")
}

func (t *translation) bindArgs(params Params) ([]any, error) {
	args := make([]any, len(t.names))
	for i, name := range t.names {
		value, given := params[name]
		if !given {
			return nil, fmt.Errorf("no value for {:%s}", name)
		}
		args[i] = value
	}
	return args, nil
}

// executorOf returns what runs SQL for app: its transaction, the connections that read, or the one that writes.
func executorOf(app core.App, reads bool) dbx.Executor {
	builder := app.NonconcurrentDB()
	if reads {
		builder = app.ConcurrentDB()
	}
	switch b := builder.(type) {
	case *dbx.Tx:
		builder = b.Builder
	case *dbx.DB:
		return b.DB()
	}
	return builder.(interface{ Executor() dbx.Executor }).Executor()
}

func execStatement(app core.App, statement string, params Params) (sql.Result, error) {
	t := translateSQL(statement)
	args, err := t.bindArgs(params)
	if err != nil {
		return nil, err
	}
	return executorOf(app, false).ExecContext(contextOf(app), t.sql, args...)
}

func queryStatement(ctx context.Context, app core.App, statement string, params Params) (*sql.Rows, error) {
	t := translateSQL(statement)
	args, err := t.bindArgs(params)
	if err != nil {
		return nil, err
	}
	return executorOf(app, t.reads).QueryContext(ctx, t.sql, args...)
}

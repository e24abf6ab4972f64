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

// translation is our SQL as SQLite reads it. Statements are literals of the program, or put together from
// a few, so they are translated once and kept.
type translation struct {
	sql   string
	names []string // of the parameters, each once, in the order of their numbers
	reads bool
}

var translations sync.Map // by statement

var marks = regexp.MustCompile(`\{:(\w+)\}|\{\{(\w+)\}\}|\[\[([\w.]+)\]\]`)

func translate(statement string) *translation {
	if t, known := translations.Load(statement); known {
		return t.(*translation)
	}
	t := &translation{reads: reading(statement)}
	t.sql = marks.ReplaceAllStringFunc(statement, func(mark string) string {
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

// reading tells by its first word, as PocketBase does, which connections a statement is for.
func reading(statement string) bool {
	word := strings.ToUpper(strings.TrimSpace(statement))
	return strings.HasPrefix(word, "SELECT") || strings.HasPrefix(word, "WITH")
}

func (t *translation) args(params Params) ([]any, error) {
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

// executor is what runs SQL for app: its transaction, the connections that read, or the one that writes.
func executor(app core.App, reads bool) dbx.Executor {
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

func exec(app core.App, statement string, params Params) (sql.Result, error) {
	t := translate(statement)
	args, err := t.args(params)
	if err != nil {
		return nil, err
	}
	return executor(app, false).ExecContext(context.Background(), t.sql, args...)
}

func query(app core.App, statement string, params Params) (*sql.Rows, error) {
	t := translate(statement)
	args, err := t.args(params)
	if err != nil {
		return nil, err
	}
	return executor(app, t.reads).QueryContext(context.Background(), t.sql, args...)
}

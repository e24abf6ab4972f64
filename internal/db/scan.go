package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

// QueryRowUnmapped does what QueryRow does, for a statement that reads much of the database. Afterwards it unmaps what
// was read, which otherwise would stay mapped as long as the connection lives.
func QueryRowUnmapped(app core.App, statement string, params Params, columns ...any) (found bool, err error) {
	pool, ok := executorOf(app, true).(*sql.DB)
	if !ok { // in a transaction
		return QueryRow(app, statement, params, columns...)
	}
	t := translateSQL(statement)
	args, err := t.bindArgs(params)
	if err != nil {
		return false, err
	}
	ctx := contextOf(app)
	conn, err := pool.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	var mapped int64
	if err := conn.QueryRowContext(ctx, `PRAGMA mmap_size`).Scan(&mapped); err != nil {
		return false, err
	}
	defer func() {
		_, again := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf(`PRAGMA mmap_size = 0; PRAGMA mmap_size = %d`, mapped))
		err = errors.Join(err, again)
	}()
	return Found(conn.QueryRowContext(ctx, t.sql, args...).Scan(columns...))
}

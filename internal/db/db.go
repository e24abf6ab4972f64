// Package db runs our SQL inside PocketBase's transactions, and functions after their commit.
package db

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"github.com/doubletap/doubletap/internal/clock"
)

// Params are the named values of a statement.
type Params = dbx.Params

// NewIDSQL is the SQL of a new record id, for statements that insert many rows.
const NewIDSQL = `substr(lower(hex(randomblob(8))), 1, 15)`

// NextIDSQL is the SQL of the new record ids of a statement that inserts many rows and gets NewIDPrefix as the
// parameter id. The ids follow each other, so that they share pages of the index.
const NextIDSQL = `{:id} || printf('%05x', row_number() OVER ())`

// NewIDPrefix returns the beginning of the new ids of one statement, for up to a million rows.
func NewIDPrefix() string {
	return security.PseudorandomStringWithAlphabet(10, idAlphabet)
}

const idAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz"

// OrderedID returns a new record id that sorts by time, to the millisecond. Rows that are added one after the other
// then share pages of an index, where random ids would each touch a page of their own.
func OrderedID(app core.App) string {
	at := strconv.FormatInt(clock.Now(app).UnixMilli(), 36)
	return at + security.PseudorandomStringWithAlphabet(15-len(at), idAlphabet)
}

// Exec runs a statement and returns how many rows it changed.
func Exec(app core.App, statement string, params Params) (int64, error) {
	result, err := execStatement(app, statement, params)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// QueryAll reads every row of a statement into rows, a pointer to a slice of structs with db tags.
func QueryAll(app core.App, rows any, statement string, params Params) error {
	ctx := contextOf(app)
	if err := app.DB().NewQuery(statement).WithContext(ctx).Bind(params).All(rows); err != nil {
		return err
	}
	return ctx.Err() // dbx takes rows that were cut short for all there are
}

// QueryOne reads the first row of a statement into row, a struct with db tags, and reports whether there was one.
func QueryOne(app core.App, row any, statement string, params Params) (bool, error) {
	ctx := contextOf(app)
	found, err := Found(app.DB().NewQuery(statement).WithContext(ctx).Bind(params).One(row))
	if err == nil {
		err = ctx.Err() // dbx takes a row that was not reached for none
	}
	return found, err
}

// QueryColumn appends the only column of a statement's rows to values.
func QueryColumn[T any](app core.App, values *[]T, statement string, params Params) error {
	rows, err := queryStatement(contextOf(app), app, statement, params)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var value T
		if err := rows.Scan(&value); err != nil {
			return err
		}
		*values = append(*values, value)
	}
	return rows.Err()
}

// QueryEach reads a statement's rows one after the other into columns and calls then after each. No column may be
// NULL.
func QueryEach(app core.App, statement string, params Params, then func(), columns ...any) error {
	rows, err := queryStatement(contextOf(app), app, statement, params)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(columns...); err != nil {
			return err
		}
		then()
	}
	return rows.Err()
}

// QueryRow reads the first row of a statement into columns and reports whether there was one. No column may be NULL.
func QueryRow(app core.App, statement string, params Params, columns ...any) (bool, error) {
	return queryRow(contextOf(app), app, statement, params, columns...)
}

func queryRow(ctx context.Context, app core.App, statement string, params Params, columns ...any) (bool, error) {
	rows, err := queryStatement(ctx, app, statement, params)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	if err := rows.Scan(columns...); err != nil {
		return false, err
	}
	for rows.Next() { // a statement that writes is done only when its last row has been read
	}
	return true, rows.Err()
}

// QueryValue reads the first column of a statement's first row into value and reports whether there was one.
func QueryValue(app core.App, value any, statement string, params Params) (bool, error) {
	return QueryRow(app, statement, params, value)
}

// QueryValueWithin is QueryValue for a statement that reads, which ends with an error when it takes longer than most.
func QueryValueWithin(app core.App, most time.Duration, value any, statement string, params Params) (bool, error) {
	ctx, _ := LimitStatements(contextOf(app), most)
	return queryRow(ctx, app, statement, params, value)
}

// JSONList returns values as JSON, for json_each and for columns that hold a list.
func JSONList(values []string) string {
	if len(values) == 0 {
		return "[]"
	}
	text, _ := json.Marshal(values) // a slice of strings always encodes
	return string(text)
}

// FreshReader returns where a short statement reads fastest what was just committed: the connection that wrote it and
// has it in its cache, unless somebody is writing.
func FreshReader(app core.App) dbx.Builder {
	if writer, ok := app.NonconcurrentDB().(*dbx.DB); ok && writer.DB().Stats().InUse == 0 {
		return writer
	}
	return app.ConcurrentDB()
}

// AfterCommit runs fn after the transaction of tx was committed, never when it was rolled back, and at once when tx is
// no transaction. Do not use it for what must happen: the process may end before fn runs.
func AfterCommit(tx core.App, fn func()) {
	info := tx.TxInfo()
	if info == nil {
		fn()
		return
	}
	info.OnComplete(func(err error) error {
		if err == nil {
			defer func() {
				if r := recover(); r != nil {
					tx.Logger().Error("after commit", "err", fmt.Sprint(r))
				}
			}()
			fn()
		}
		return nil
	})
}

// Package db runs our SQL inside PocketBase's transactions, and what follows a commit after it.
package db

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Params are the named values of a statement.
type Params = dbx.Params

// NewID is the SQL of a fresh record id, for statements that insert many rows.
const NewID = `substr(lower(hex(randomblob(8))), 1, 15)`

// Exec runs a statement and returns how many rows it changed.
func Exec(app core.App, statement string, params Params) (int64, error) {
	result, err := app.DB().NewQuery(statement).Bind(params).Execute()
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// All reads every row of a statement into rows, a pointer to a slice of structs with db tags.
func All(app core.App, rows any, statement string, params Params) error {
	return app.DB().NewQuery(statement).Bind(params).All(rows)
}

// Column reads the only column of a statement into values, a pointer to a slice.
func Column(app core.App, values any, statement string, params Params) error {
	return app.DB().NewQuery(statement).Bind(params).Column(values)
}

// One reads the first row of a statement into row and reports whether there was one.
func One(app core.App, row any, statement string, params Params) (bool, error) {
	return found(app.DB().NewQuery(statement).Bind(params).One(row))
}

// Value reads the first column of the first row of a statement into value and
// reports whether there was one.
func Value(app core.App, value any, statement string, params Params) (bool, error) {
	return found(app.DB().NewQuery(statement).Bind(params).Row(value))
}

func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// List is values as JSON, for json_each and for columns that hold a list.
func List(values []string) string {
	if len(values) == 0 {
		return "[]"
	}
	text, _ := json.Marshal(values) // a slice of strings always encodes
	return string(text)
}

// AfterCommit runs fn when the transaction of tx has been committed, never when
// it was rolled back, and at once when tx is no transaction. What must
// happen does not belong here: the process may end before it.
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

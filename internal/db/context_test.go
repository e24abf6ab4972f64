package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
)

// TestStatementsEndWithTheContextOfTheirApp runs, in each way that there is, a statement that would never end.
func TestStatementsEndWithTheContextOfTheirApp(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{DBConnect: db.Open})
	if _, err := db.Exec(app, `CREATE TABLE numbers (n INTEGER)`, nil); err != nil {
		t.Fatal(err)
	}
	const numbers = `WITH RECURSIVE numbers_(n) AS (SELECT {:from} UNION ALL SELECT n + 1 FROM numbers_)`
	const endless = numbers + ` SELECT n FROM numbers_ WHERE n < 0`
	params := db.Params{"from": 1}
	ways := map[string]func(app core.App) error{
		"Exec": func(app core.App) error {
			_, err := db.Exec(app, `INSERT INTO numbers `+endless, params)
			return err
		},
		"QueryAll": func(app core.App) error {
			var rows []struct{ N int }
			return db.QueryAll(app, &rows, endless, params)
		},
		"QueryAll, with rows": func(app core.App) error {
			var rows []struct{ N int }
			return db.QueryAll(app, &rows, numbers+` SELECT n FROM numbers_ WHERE n < 3`, params)
		},
		"QueryOne": func(app core.App) error {
			var row struct{ N int }
			_, err := db.QueryOne(app, &row, endless, params)
			return err
		},
		"QueryColumn": func(app core.App) error {
			var values []int
			return db.QueryColumn(app, &values, endless, params)
		},
		"QueryEach": func(app core.App) error {
			var n int
			return db.QueryEach(app, endless, params, func() {}, &n)
		},
		"QueryRow": func(app core.App) error {
			var n int
			_, err := db.QueryRow(app, endless, params, &n)
			return err
		},
		"QueryRowUnmapped": func(app core.App) error {
			var n int
			_, err := db.QueryRowUnmapped(app, endless, params, &n)
			return err
		},
		"QueryValue": func(app core.App) error {
			var n int
			_, err := db.QueryValue(app, &n, endless, params)
			return err
		},
		"QueryValueWithin": func(app core.App) error {
			var n int
			_, err := db.QueryValueWithin(app, time.Hour, &n, endless, params)
			return err
		},
	}
	for name, run := range ways {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := run(db.WithContext(ctx, app)); err == nil {
				t.Error("it ended without an error")
			}
			ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			err := db.WithContext(ctx, app).RunInTransaction(func(tx core.App) error {
				return tx.RunInTransaction(func(nested core.App) error {
					if err := run(nested); err == nil {
						t.Error("in a transaction: it ended without an error")
					}
					return errors.New("roll back")
				})
			})
			if err == nil {
				t.Error("the transaction was committed")
			}
			if _, err := db.Exec(app, `DELETE FROM numbers`, nil); err != nil {
				t.Error("what follows:", err)
			}
		})
	}
}

package db_test

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // the superusers

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	"github.com/doubletap/doubletap/internal/fault"
)

func TestOnlyNoRowsIsNotFound(t *testing.T) {
	unread := errors.New("disk I/O error")
	for _, c := range []struct {
		err    error
		found  bool
		failed error
	}{
		{nil, true, nil}, {sql.ErrNoRows, false, nil}, {fmt.Errorf("find: %w", sql.ErrNoRows), false, nil}, {unread, false, unread}, {fault.ErrDamaged, false, fault.ErrDamaged},
	} {
		if found, err := db.Found(c.err); found != c.found || !errors.Is(err, c.failed) || (err == nil) != (c.failed == nil) {
			t.Errorf("%v: got %v, %v", c.err, found, err)
		}
	}
}

func TestARowThatIsNotThereIsNoError(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{DBConnect: db.Open})
	for statement, want := range map[string]string{"SELECT 1 AS n WHERE 0": "false 0", "SELECT 1 AS n": "true 1", "SELECT 1 AS n UNION ALL SELECT 2": "true 1"} {
		var row, value, within int
		var one struct{ N int }
		found, err := db.QueryRow(app, statement, nil, &row)
		foundValue, errValue := db.QueryValue(app, &value, statement, nil)
		foundWithin, errWithin := db.QueryValueWithin(app, time.Minute, &within, statement, nil)
		foundOne, errOne := db.QueryOne(app, &one, statement, nil)
		if err := errors.Join(err, errValue, errWithin, errOne); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
		for _, got := range []string{fmt.Sprint(found, row), fmt.Sprint(foundValue, value), fmt.Sprint(foundWithin, within), fmt.Sprint(foundOne, one.N)} {
			if got != want {
				t.Errorf("%s: %s, want %s", statement, got, want)
			}
		}
	}
}

func TestWhatCannotBeReadIsNotGone(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{DBConnect: db.Open})
	look := func() (failed bool, answers string) {
		record, recordErr := db.FindRecord(app, core.CollectionNameSuperusers, "nobody000000000")
		table, tableErr := db.HasTable(app, "_Superusers")
		none, noneErr := db.HasTable(app, "nothing")
		return recordErr != nil && tableErr != nil && noneErr != nil && db.Failed(recordErr), fmt.Sprint(record == nil, table, none, recordErr == nil, tableErr == nil, noneErr == nil)
	}
	if _, answers := look(); answers != "true true false true true true" {
		t.Errorf("got %s", answers)
	}
	db.CheckStatements(app, func(string) error { return fault.ErrDamaged })
	if failed, answers := look(); !failed {
		t.Errorf("while nothing can be read: got %s", answers)
	}
	db.CheckStatements(app, nil)
	if _, answers := look(); answers != "true true false true true true" {
		t.Errorf("once it can be read again: got %s", answers)
	}
}

func TestAnErrorOfTheDatabaseIsToldFromOthers(t *testing.T) {
	app := dbtest.NewApp(t, core.BaseAppConfig{})
	_, broken := db.Exec(app, "SELECT nothing", nil)
	for err, want := range map[error]bool{nil: false, broken: true, fault.ErrTransactionEnded: true, sql.ErrNoRows: false, errors.New("missing token"): false} {
		if got := db.Failed(err); got != want {
			t.Errorf("%v: got %v", err, got)
		}
	}
}

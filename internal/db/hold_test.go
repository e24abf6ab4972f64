package db_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	"github.com/doubletap/doubletap/internal/fault"
)

// newLimitedApp returns an app whose transactions are reported when longer than tolerated and ended after longest.
func newLimitedApp(t *testing.T, tolerated, longest time.Duration, ends bool) (app core.App, told chan bool) {
	t.Helper()
	app = dbtest.NewApp(t, core.BaseAppConfig{DBConnect: func(path string) (*dbx.DB, error) {
		return db.Open(path + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate")
	}})
	told = make(chan bool, 100)
	db.LimitWriter(app, db.TransactionLimits{
		WarnAfter: tolerated, EndAfter: longest,
		MayEnd:    func() bool { return ends },
		OnTooLong: func(_ time.Duration, ended bool) { told <- ended },
	})
	if err := db.SetUpWriter(app, `PRAGMA cache_size = -1234`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(app, `CREATE TABLE writes (name TEXT)`, nil); err != nil {
		t.Fatal(err)
	}
	return app, told
}

func insertName(app core.App, name string) error {
	_, err := db.Exec(app, `INSERT INTO writes VALUES ({:name})`, db.Params{"name": name})
	return err
}

func nameCount(t *testing.T, app core.App) (n int) {
	t.Helper()
	if _, err := db.QueryValue(app, &n, `SELECT count(*) FROM writes`, nil); err != nil {
		t.Fatal(err)
	}
	return n
}

// endlessSQL is the beginning of a statement that would not end while anybody waits for it.
const endlessSQL = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) `

func TestATransactionThatHoldsTheWriterTooLongIsEnded(t *testing.T) {
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	for name, work := range map[string]func(tx core.App) error{
		"in its code": func(core.App) error { <-never; return nil },
		"in its code, with rows open": func(tx core.App) error {
			rows, err := tx.NonconcurrentDB().NewQuery(endlessSQL + `SELECT i FROM n LIMIT 1000`).Rows()
			if err != nil || !rows.Next() {
				return err
			}
			<-never
			if rows.Next() {
				return errors.New("there is a further row")
			}
			return rows.Err()
		},
		"in statements that are prepared": func(tx core.App) error {
			prepared := tx.NonconcurrentDB().NewQuery(`INSERT INTO writes VALUES ('prepared')`).Prepare()
			for {
				if _, err := prepared.Execute(); err != nil {
					return nil
				}
			}
		},
		"in a statement that reads": func(tx core.App) error { return db.QueryColumn(tx, new([]int), endlessSQL+`SELECT max(i) FROM n`, nil) },
		"between two rows": func(tx core.App) error {
			return db.QueryColumn(tx, new([]int), endlessSQL+`SELECT i FROM n WHERE i = 1 OR i < 0`, nil)
		},
		"in a statement that writes": func(tx core.App) error {
			_, err := db.Exec(tx, endlessSQL+`INSERT INTO writes SELECT 'endless' FROM n WHERE i < 0`, nil)
			return err
		},
		"in many short statements": func(tx core.App) error {
			for {
				if err := insertName(tx, "short"); err != nil {
					return nil // without reporting an error
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			app, told := newLimitedApp(t, time.Hour, 30*time.Millisecond, true)
			var heard atomic.Int32
			result := make(chan error, 1)
			go func() {
				result <- app.RunInTransaction(func(tx core.App) error {
					db.OnTransactionEnded(tx, func() { heard.Add(1) })
					if err := insertName(tx, "first"); err != nil {
						return err
					}
					return work(tx)
				})
			}()
			if ended := <-told; !ended {
				t.Fatal("it was told of, but not ended")
			}
			err := app.RunInTransaction(func(tx core.App) error { return insertName(tx, "second") })
			if n := nameCount(t, app); err != nil || n != 1 {
				t.Errorf("another transaction: %v, and there are %d rows, want its own alone", err, n)
			}
			if err := insertName(app, "third"); err != nil {
				t.Error("a write without a transaction:", err)
			}
			if strings.HasPrefix(name, "in its code") {
				never <- struct{}{}
			}
			if err := <-result; !fault.IsTransient(err) {
				t.Errorf("it is answered with %v", err)
			}
			if nameCount(t, app) != 2 || heard.Load() != 1 {
				t.Errorf("%d rows, want 2; OnEnded ran %d times", nameCount(t, app), heard.Load())
			}
			for range 3 { // on any connection
				var size int
				if err := app.NonconcurrentDB().NewQuery(`PRAGMA cache_size`).Row(&size); err != nil || size != -1234 {
					t.Errorf("a connection that took its place has a cache of %d: %v", size, err)
				}
			}
		})
	}
}

func TestOneConnectionWritesAgainOnceTheCodeOfAnEndedTransactionHasReturned(t *testing.T) {
	app, told := newLimitedApp(t, time.Hour, 20*time.Millisecond, true)
	pool := app.NonconcurrentDB().(*dbx.DB).DB()
	leave, result := make(chan struct{}), make(chan error, 3)
	for range 3 {
		go func() { result <- app.RunInTransaction(func(core.App) error { <-leave; return nil }) }()
	}
	for range 3 {
		<-told
	}
	if err := insertName(app, "meanwhile"); err != nil {
		t.Error(err)
	}
	close(leave)
	for range 3 {
		if err := <-result; !errors.Is(err, fault.ErrTransactionEnded) {
			t.Errorf("an ended transaction whose code found nothing wrong: %v", err)
		}
	}
	for pool.Stats().MaxOpenConnections != 1 || pool.Stats().OpenConnections > 1 {
		if err := pool.PingContext(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.RunInTransaction(func(tx core.App) error { return insertName(tx, "after") }); err != nil || nameCount(t, app) != 2 {
		t.Errorf("afterwards: %v, %d rows", err, nameCount(t, app))
	}
}

func TestAPatientTransactionIsToldOffAndStays(t *testing.T) {
	app, told := newLimitedApp(t, time.Nanosecond, 20*time.Millisecond, false)
	err := app.RunInTransaction(func(tx core.App) error {
		if ended := <-told; ended { // reported while it runs
			t.Error("it was ended")
		}
		return insertName(tx, "first")
	})
	if ended := <-told; err != nil || ended || nameCount(t, app) != 1 { // and reported when it is over
		t.Errorf("%v, ended %v, %d rows", err, ended, nameCount(t, app))
	}
	short, told := newLimitedApp(t, time.Hour, time.Hour, true)
	if err := short.RunInTransaction(func(tx core.App) error { return insertName(tx, "first") }); err != nil || len(told) != 0 {
		t.Errorf("a short one: %v, told %d times", err, len(told))
	}
}

func TestWithoutLimitsNothingIsWatched(t *testing.T) {
	d, err := db.Open(filepath.Join(t.TempDir(), "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Transactional(func(tx *dbx.Tx) error {
		_, err := tx.NewQuery(`CREATE TABLE t (x)`).Execute()
		return err
	}); err != nil {
		t.Error(err)
	}
}

func BenchmarkTransaction(b *testing.B) {
	for name, watched := range map[string]bool{"watched": true, "bare": false} {
		b.Run(name, func(b *testing.B) {
			app := dbtest.NewApp(b, core.BaseAppConfig{DBConnect: func(path string) (*dbx.DB, error) {
				return db.Open(path + "?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate")
			}})
			if watched {
				db.LimitWriter(app, db.TransactionLimits{WarnAfter: time.Hour, EndAfter: time.Hour, MayEnd: func() bool { return true }, OnTooLong: func(time.Duration, bool) {}})
			}
			if _, err := db.Exec(app, `CREATE TABLE writes (name TEXT)`, nil); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := app.RunInTransaction(func(tx core.App) error { return insertName(tx, "x") }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

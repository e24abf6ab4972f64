package batchwriter_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"

	"github.com/doubletap/doubletap/internal/batchwriter"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	"github.com/doubletap/doubletap/internal/fault"
)

func newTestApp(t *testing.T) core.App {
	t.Helper()
	app := dbtest.NewApp(t, core.BaseAppConfig{DBConnect: func(path string) (*dbx.DB, error) {
		return db.Open(path + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate")
	}})
	if _, err := db.Exec(app, `CREATE TABLE writes (name TEXT UNIQUE)`, nil); err != nil {
		t.Fatal(err)
	}
	return app
}

func insertName(tx core.App, name string) error {
	_, err := db.Exec(tx, `INSERT INTO writes VALUES ({:name})`, db.Params{"name": name})
	return err
}

func storedCount(t *testing.T, app core.App) (n int) {
	t.Helper()
	if _, err := db.QueryValue(app, &n, `SELECT count(*) FROM writes`, nil); err != nil {
		t.Fatal(err)
	}
	return n
}

// holdWriter keeps the writer busy until release is called, so that the test can queue what shall share the next
// transaction.
func holdWriter(w *batchwriter.BatchWriter) (release func()) {
	entered, open := make(chan struct{}), make(chan struct{})
	var once sync.Once
	go w.InSharedTx(func(core.App) error {
		once.Do(func() { close(entered) })
		<-open
		return nil
	})
	<-entered
	return func() { close(open) }
}

func TestWhatWaitsIsCommittedTogether(t *testing.T) {
	app := newTestApp(t)
	w := batchwriter.New(app, pprof.Labels("request", "test"))
	w.SetBatchTime(time.Hour)
	release := holdWriter(w)
	var all sync.WaitGroup
	var transactions sync.Map
	for i := range 50 {
		all.Go(func() {
			err := w.InSharedTx(func(tx core.App) error {
				transactions.Store(tx.TxInfo(), true)
				return insertName(tx, fmt.Sprint("write", i))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for w.WaitingCount() < 50 { // until all of them wait
		runtime.Gosched()
	}
	release()
	all.Wait()
	n := 0
	transactions.Range(func(any, any) bool { n++; return true })
	if n != 1 || storedCount(t, app) != 50 {
		t.Errorf("%d rows in %d transactions", storedCount(t, app), n)
	}
}

func TestAnErrorOrAPanicHarmsNobodyElse(t *testing.T) {
	app := newTestApp(t)
	w := batchwriter.New(app, pprof.Labels("request", "test"))
	release := holdWriter(w)
	refused := errors.New("refused")
	var all sync.WaitGroup
	var told, undone atomic.Int32
	for i := range 30 {
		all.Go(func() {
			err := w.InSharedTx(func(tx core.App) error {
				db.AfterCommit(tx, func() { told.Add(1) })
				if err := insertName(tx, fmt.Sprint("write", i)); err != nil {
					return err
				}
				switch i {
				case 7:
					return refused
				case 13:
					panic("thirteen")
				}
				return nil
			})
			switch {
			case i == 7 && !errors.Is(err, refused), i == 13 && err == nil, i != 7 && i != 13 && err != nil:
				t.Errorf("write %d: %v", i, err)
			case err != nil:
				undone.Add(1)
			}
		})
	}
	for w.WaitingCount() < 30 {
		runtime.Gosched()
	}
	release()
	all.Wait()
	if storedCount(t, app) != 28 || told.Load() != 28 || undone.Load() != 2 {
		t.Errorf("%d rows, %d told, %d undone", storedCount(t, app), told.Load(), undone.Load())
	}
}

func TestAPanicAfterTheCommitUndoesNothing(t *testing.T) {
	app := newTestApp(t)
	err := batchwriter.New(app, pprof.Labels("request", "test")).InSharedTx(func(tx core.App) error {
		tx.TxInfo().OnComplete(func(error) error { panic("too late") })
		return insertName(tx, "write")
	})
	if err != nil || storedCount(t, app) != 1 {
		t.Errorf("%d rows, %v", storedCount(t, app), err)
	}
}

func TestTheQueueHasAnEnd(t *testing.T) {
	app := newTestApp(t)
	w := batchwriter.New(app, pprof.Labels("request", "test"))
	release := holdWriter(w)
	var all sync.WaitGroup
	var busy atomic.Int32
	for i := range 1500 {
		all.Go(func() {
			err := w.InSharedTx(func(tx core.App) error { return insertName(tx, fmt.Sprint("write", i)) })
			if errors.Is(err, fault.ErrBusy) {
				busy.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	for int(busy.Load())+w.WaitingCount() < 1500 {
		runtime.Gosched()
	}
	release()
	all.Wait()
	if busy.Load() != 1500-1024 || storedCount(t, app) != 1024 {
		t.Errorf("%d refused, %d stored", busy.Load(), storedCount(t, app))
	}
}

func TestCloseWaitsForAllThatWait(t *testing.T) {
	app := newTestApp(t)
	w := batchwriter.New(app, pprof.Labels("request", "test"))
	release := holdWriter(w)
	errs := make(chan error, 3)
	for i := range cap(errs) {
		go func() {
			errs <- w.InSharedTx(func(tx core.App) error { return insertName(tx, fmt.Sprint("write", i)) })
		}()
	}
	for w.WaitingCount() < cap(errs) {
		runtime.Gosched()
	}
	over, end := context.WithCancel(t.Context())
	end()
	if err := w.Close(over); !errors.Is(err, context.Canceled) {
		t.Errorf("while they wait: got %v", err)
	}
	if err := w.InSharedTx(func(core.App) error { return nil }); !errors.Is(err, fault.ErrBusy) {
		t.Errorf("who comes after Close is answered %v", err)
	}
	release()
	if err := w.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := storedCount(t, app); n != cap(errs) {
		t.Errorf("when Close returned %d were stored, want %d", n, cap(errs))
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestItWorksAgainAfterARest(t *testing.T) {
	app := newTestApp(t)
	w := batchwriter.New(app, pprof.Labels("request", "test"))
	for i := range 20 {
		if err := w.InSharedTx(func(tx core.App) error { return insertName(tx, fmt.Sprint("write", i)) }); err != nil {
			t.Fatal(err)
		}
	}
	if storedCount(t, app) != 20 {
		t.Errorf("%d rows", storedCount(t, app))
	}
}

// limitTransactions has transactions ended after 30 ms.
func limitTransactions(app core.App) {
	db.LimitWriter(app, db.TransactionLimits{WarnAfter: time.Hour, EndAfter: 30 * time.Millisecond, MayEnd: func() bool { return true }, OnTooLong: func(time.Duration, bool) {}})
}

func TestWhoHoldsTheWriterTooLongHarmsNobodyElse(t *testing.T) {
	app := newTestApp(t)
	w := batchwriter.New(app, pprof.Labels("request", "test"))
	w.SetBatchTime(time.Hour)
	release := holdWriter(w)
	leave := make(chan struct{})
	var left, all sync.WaitGroup
	left.Add(2)
	blocks := func(i int) bool { return i == 7 || i == 31 }
	for i := range 64 {
		all.Go(func() {
			err := w.InSharedTx(func(tx core.App) error {
				if err := insertName(tx, fmt.Sprint("write", i)); err != nil {
					return err
				}
				if blocks(i) {
					defer left.Done()
					<-leave
				}
				return nil
			})
			if blocks(i) != errors.Is(err, fault.ErrTransactionEnded) {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	for w.WaitingCount() < 64 {
		runtime.Gosched()
	}
	limitTransactions(app)
	release()
	all.Wait() // also for the two, whose code is still blocked
	if n := storedCount(t, app); n != 62 {
		t.Errorf("%d rows, want 62", n)
	}
	close(leave)
	left.Wait()
	for i := range 3 {
		if err := w.InSharedTx(func(tx core.App) error { return insertName(tx, fmt.Sprint("later", i)) }); err != nil {
			t.Error(err)
		}
	}
	if n := storedCount(t, app); n != 65 {
		t.Errorf("%d rows, want 65", n)
	}
}

func TestWhoComesAloneAndBlocksDoesNotKeepTheQueue(t *testing.T) {
	app := newTestApp(t)
	limitTransactions(app)
	w := batchwriter.New(app, pprof.Labels("request", "test"))
	entered, leave, told := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		told <- w.InSharedTx(func(core.App) error {
			close(entered)
			<-leave
			return nil
		})
	}()
	<-entered
	for i := range 5 {
		if err := w.InSharedTx(func(tx core.App) error { return insertName(tx, fmt.Sprint("write", i)) }); err != nil {
			t.Error(err)
		}
	}
	close(leave)
	if err := <-told; !errors.Is(err, fault.ErrTransactionEnded) || storedCount(t, app) != 5 {
		t.Errorf("%v, %d rows", err, storedCount(t, app))
	}
}

func TestATransactionOfManySlowWritesIsSeveral(t *testing.T) {
	app := newTestApp(t)
	w := batchwriter.New(app, pprof.Labels("request", "test"))
	w.SetBatchTime(0)
	release := holdWriter(w)
	var transactions sync.Map
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			if err := w.InSharedTx(func(tx core.App) error {
				transactions.Store(tx.TxInfo(), true)
				return insertName(tx, fmt.Sprint("write", i))
			}); err != nil {
				t.Error(err)
			}
		})
	}
	for w.WaitingCount() < 10 {
		runtime.Gosched()
	}
	release()
	all.Wait()
	n := 0
	transactions.Range(func(any, any) bool { n++; return true })
	if n != 10 || storedCount(t, app) != 10 {
		t.Errorf("%d rows in %d transactions", storedCount(t, app), n)
	}
}

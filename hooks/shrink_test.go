package hooks_test

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/doubletap/doubletap/hooks"
)

// Reading a page of a mapped file that is gone ends the process. So the file shrinks and grows while people read it;
// each of them must see all of one state or all of another.
func TestTheFileShrinksUnderItsReaders(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	open := hooks.Config().DBConnect
	writer, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	readers, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer readers.Close()
	run := func(statement string) {
		t.Helper()
		if _, err := writer.NewQuery(statement).Execute(); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	size := func() int64 {
		t.Helper()
		found, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return found.Size()
	}
	const rows, long = 8000, 1000
	grow := func() {
		run(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000) INSERT INTO words SELECT i, hex(zeroblob(500)) FROM n`)
		run(`PRAGMA wal_checkpoint(TRUNCATE)`)
	}
	run(`CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT)`)
	grow()
	full := size()

	var mapped int64
	if err := readers.NewQuery(`PRAGMA mmap_size`).Row(&mapped); err != nil || mapped < full {
		t.Fatalf("readers map %d bytes, %v, want all %d", mapped, err, full)
	}
	var over atomic.Bool
	var reading sync.WaitGroup
	var reads, whole atomic.Int64
	for range 4 {
		reading.Go(func() {
			for !over.Load() {
				var n, sum int64
				if err := readers.NewQuery(`SELECT count(*), coalesce(sum(length(word)), 0) FROM words`).Row(&n, &sum); err != nil {
					t.Errorf("read: %v", err)
					return
				}
				if n != 0 && n != rows || sum != n*long {
					t.Errorf("read %d rows of %d bytes, want none or all %d", n, sum, rows)
					return
				}
				reads.Add(1)
				if n == rows {
					whole.Add(1)
				}
			}
		})
	}
	least := full
	for reads.Load() < 40 || whole.Load() < 5 {
		if t.Failed() {
			break
		}
		run(`DELETE FROM words`)
		run(`VACUUM`)
		run(`PRAGMA wal_checkpoint(TRUNCATE)`)
		least = min(least, size())
		grow()
	}
	over.Store(true)
	reading.Wait()
	if least > full/10 {
		t.Errorf("the file had %d bytes at least, of %d: it was never made smaller under a reader", least, full)
	}
}

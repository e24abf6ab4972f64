package db_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/doubletap/doubletap/internal/db"
)

func openTestDB(t *testing.T) *dbx.DB {
	t.Helper()
	d, err := db.Open(filepath.Join(t.TempDir(), "data.db") + "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	execTestSQL(t, d, `CREATE TABLE likes (id INTEGER PRIMARY KEY, user TEXT UNIQUE)`)
	return d
}

func execTestSQL(t *testing.T, d dbx.Builder, statement string, args ...any) {
	t.Helper()
	q := d.NewQuery(statement)
	for i, a := range args {
		q.Bind(dbx.Params{fmt.Sprint("p", i): a})
	}
	if _, err := q.Execute(); err != nil {
		t.Fatal(err)
	}
}

func TestAStatementMeansTheSameEveryTime(t *testing.T) {
	d := openTestDB(t)
	for i := range 300 {
		execTestSQL(t, d, `INSERT INTO likes (user) VALUES ({:p0})`, fmt.Sprint("user", i))
		var id int
		var user string
		if err := d.NewQuery(`SELECT id, user FROM likes ORDER BY id DESC LIMIT 1`).Row(&id, &user); err != nil {
			t.Fatal(err)
		}
		if id != i+1 || user != fmt.Sprint("user", i) {
			t.Fatalf("got %d %s", id, user)
		}
	}
}

func TestAStatementThatFailedWorksAgain(t *testing.T) {
	d := openTestDB(t)
	const insert = `INSERT INTO likes (user) VALUES ({:u})`
	for range 3 {
		_, first := d.NewQuery(insert).Bind(dbx.Params{"u": "ada"}).Execute()
		_, second := d.NewQuery(insert).Bind(dbx.Params{"u": "ada"}).Execute()
		if first != nil || second == nil {
			t.Fatalf("got %v, then %v", first, second)
		}
		execTestSQL(t, d, `DELETE FROM likes`)
	}
}

func TestAStatementMayRunWhileItRuns(t *testing.T) {
	d := openTestDB(t)
	for i := range 9 {
		execTestSQL(t, d, `INSERT INTO likes (user) VALUES ({:p0})`, fmt.Sprint("user", i))
	}
	err := d.Transactional(func(tx *dbx.Tx) error { // a transaction has one connection
		count := func(then func()) (n int) {
			rows, err := tx.NewQuery(`SELECT id FROM likes`).Rows()
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				n++
				then()
			}
			return n
		}
		inner := 0
		outer := count(func() { inner += count(func() {}) })
		if outer != 9 || inner != 81 {
			t.Errorf("got %d and %d rows", outer, inner)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAStatementSeesTheTableAsItIsNow(t *testing.T) {
	d := openTestDB(t)
	execTestSQL(t, d, `INSERT INTO likes (user) VALUES ('ada')`)
	for _, change := range []string{``, `ALTER TABLE likes ADD COLUMN post TEXT DEFAULT 'p1'`, `ALTER TABLE likes DROP COLUMN post`} {
		if change != "" {
			execTestSQL(t, d, change)
		}
		row := dbx.NullStringMap{}
		if err := d.NewQuery(`SELECT * FROM likes`).One(row); err != nil {
			t.Fatal(err)
		}
		if want := change == `ALTER TABLE likes ADD COLUMN post TEXT DEFAULT 'p1'`; row["post"].Valid != want || row["user"].String != "ada" {
			t.Errorf("after %q: %v", change, row)
		}
	}
}

func TestMoreStatementsThanAreKept(t *testing.T) {
	d := openTestDB(t)
	for range 2 {
		for i := range 500 {
			var got int
			if err := d.NewQuery(fmt.Sprintf(`SELECT %d`, i)).Row(&got); err != nil || got != i {
				t.Fatalf("got %d, %v", got, err)
			}
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	d := openTestDB(t)
	d.DB().SetMaxOpenConns(4)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 50 {
				if _, err := d.NewQuery(`INSERT INTO likes (user) VALUES ({:u})`).Bind(dbx.Params{"u": fmt.Sprint(w, "-", i)}).Execute(); err != nil {
					t.Error(err)
				}
				var n int
				if err := d.NewQuery(`SELECT count(*) FROM likes`).Row(&n); err != nil || n == 0 {
					t.Error(n, err)
				}
			}
		})
	}
	all.Wait()
	var n int
	if err := d.NewQuery(`SELECT count(*) FROM likes`).Row(&n); err != nil || n != 400 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// A PRAGMA may act while it is prepared; a script is several statements.
func TestWhatIsNotKept(t *testing.T) {
	d := openTestDB(t)
	for _, want := range []int{1, 0, 1} {
		execTestSQL(t, d, fmt.Sprintf(`PRAGMA recursive_triggers = %d`, want))
		var got int
		if err := d.NewQuery(`PRAGMA recursive_triggers`).Row(&got); err != nil || got != want {
			t.Errorf("got %d, %v", got, err)
		}
	}
	for range 3 {
		execTestSQL(t, d, `INSERT INTO likes (user) VALUES ('bob'); DELETE FROM likes; INSERT INTO likes (user) VALUES ('carol')`)
		var user string
		if err := d.NewQuery(`SELECT group_concat(user) FROM likes`).Row(&user); err != nil || user != "carol" {
			t.Errorf("got %q, %v", user, err)
		}
	}
}

// For each of these, SQLite would look at a value to choose a plan, and prepare the statement again for the next
// value.
func TestAStatementIsPreparedOnce(t *testing.T) {
	d := openTestDB(t)
	d.DB().SetMaxOpenConns(1)
	execTestSQL(t, d, `CREATE INDEX rare ON likes (id) WHERE user != 'ada'`)
	for name, query := range map[string]string{
		"a limit":         `SELECT id FROM likes ORDER BY id LIMIT {:p0}`,
		"an inner limit":  `SELECT count(*) FROM (SELECT 1 FROM likes LIMIT {:p0})`,
		"a partial index": `SELECT id FROM likes WHERE user = {:p0}`,
		"a pattern":       `SELECT id FROM likes WHERE user GLOB {:p0}`,
	} {
		for value := range 5 {
			execTestSQL(t, d, query, value+1)
		}
		if times, err := db.ReplanCount(d.DB()); err != nil || times != 0 {
			t.Errorf("%s: prepared %d times more, %v", name, times, err)
		}
	}
}

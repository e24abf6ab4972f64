package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// endlessSQL returns its first row at once and never a second one.
const endlessSQL = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i = 1 OR i < 0`

func TestNextIsInterrupted(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.DB().SetMaxOpenConns(1)
	for range 3 { // the connection, or the next one, still works
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		rows, err := d.DB().QueryContext(ctx, endlessSQL)
		if err != nil {
			t.Fatal(err)
		}
		n, value := 0, 0
		for rows.Next() { // it would never return
			if rows.Scan(&value) == nil {
				n++
			}
		}
		if rows.Err() == nil || n != 1 {
			t.Errorf("%d rows, and %v", n, rows.Err())
		}
		rows.Close()
		cancel()
		var one int
		if err := d.DB().QueryRowContext(context.Background(), "SELECT 1").Scan(&one); err != nil || one != 1 {
			t.Errorf("what follows is answered %d, %v", one, err)
		}
	}
}

// A context that ends after a statement does not affect the next statement on its connection.
func TestInterruptEndsWithItsRows(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.DB().SetMaxOpenConns(1)
	for range 100 {
		ctx, cancel := context.WithCancel(context.Background())
		rows, err := d.DB().QueryContext(ctx, "SELECT 1 UNION SELECT 2")
		if err != nil {
			t.Fatal(err)
		}
		rows.Next()
		rows.Close()
		go cancel()
		var n int
		if err := d.DB().QueryRowContext(context.Background(), "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n)").Scan(&n); err != nil || n != 1000 {
			t.Fatalf("the next statement is answered %d, %v", n, err)
		}
	}
}

// A statement that begins just when its context ends forgets the interrupt. So there is another one: the first statement
// here shows that there was one, and the second one ends by the next alone.
func TestAStatementThatMissedItsInterruptIsInterruptedToo(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	limited, _ := LimitStatements(context.Background(), time.Millisecond)
	ended, end := context.WithCancel(context.Background())
	end()
	for name, ctx := range map[string]context.Context{"by its context": ended, "by its limit": limited} {
		connection, err := d.DB().Conn(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		err = connection.Raw(func(raw any) error {
			c := raw.(*conn)
			defer c.interruptWhenDone(ctx)()
			for range 2 {
				rows, err := c.session.QueryContext(context.Background(), endlessSQL, nil)
				for row := make([]driver.Value, 1); err == nil; { // it would never return
					err = rows.Next(row)
				}
				if !strings.Contains(err.Error(), "interrupted") {
					t.Errorf("%s: %v", name, err)
				}
				if rows != nil {
					rows.Close()
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		connection.Close()
	}
}

// A limit limits the statement: waiting for the only connection takes nothing from it.
func TestLimitCountsTheStatementAlone(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.DB().SetMaxOpenConns(1)
	const each = 50 * time.Millisecond
	for name, query := range map[string]string{
		"before the first row": `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0`,
		"after it":             endlessSQL,
	} {
		for kind, ask := range map[string]func(ctx context.Context) (*sql.Rows, error){
			"kept": func(ctx context.Context) (*sql.Rows, error) { return d.DB().QueryContext(ctx, query) },
			"not kept": func(ctx context.Context) (*sql.Rows, error) {
				return d.DB().QueryContext(ctx, "/* no word that is kept */ "+query)
			},
			"a caller's own": func(ctx context.Context) (*sql.Rows, error) {
				own, err := d.DB().PrepareContext(context.Background(), query)
				if err != nil {
					return nil, err
				}
				t.Cleanup(func() { own.Close() })
				return own.QueryContext(ctx)
			},
		} {
			ctx, limit := LimitStatements(context.Background(), each)
			rows, err := ask(ctx)
			if err == nil {
				for rows.Next() { // it would never return
				}
				err = rows.Err()
				rows.Close()
			}
			if err == nil || !limit.WasInterrupted() {
				t.Errorf("%s, %s: %v, and ended is %v", kind, name, err, limit.WasInterrupted())
			}
		}
	}

	held, err := d.DB().Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ctx, limit := LimitStatements(context.Background(), each)
	answered := make(chan error)
	go func() {
		var one int
		answered <- d.DB().QueryRowContext(ctx, "SELECT 1").Scan(&one)
	}()
	time.AfterFunc(3*each, func() { held.Close() })
	if err := <-answered; err != nil || limit.WasInterrupted() {
		t.Errorf("who waited is answered %v, and ended is %v", err, limit.WasInterrupted())
	}
}

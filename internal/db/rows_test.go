package db

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
)

// brokenSQL returns two rows, and an error in place of the third one.
const brokenSQL = `SELECT 'a' AS id UNION ALL SELECT 'b' UNION ALL SELECT abs(-9223372036854775808)`

// dbx, with which PocketBase reads, never asks rows for their error. However rows are read, and by whom, rows that
// ended before their end are no result.
func TestRowsThatWereCutShortAreAnError(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	type row struct {
		ID string `db:"id"`
	}
	readers := map[string]func(dbx.Builder) error{
		"All":             func(b dbx.Builder) error { return b.NewQuery(brokenSQL).All(new([]row)) },
		"All of pointers": func(b dbx.Builder) error { return b.NewQuery(brokenSQL).All(new([]*row)) },
		"All of maps":     func(b dbx.Builder) error { return b.NewQuery(brokenSQL).All(new([]dbx.NullStringMap)) },
		"Column":          func(b dbx.Builder) error { return b.NewQuery(brokenSQL).Column(new([]string)) },
		"a prepared statement": func(b dbx.Builder) error {
			q := b.NewQuery(brokenSQL).Prepare()
			defer q.Close()
			return q.Column(new([]string))
		},
		"One": func(b dbx.Builder) error {
			return b.NewQuery(`SELECT abs(-9223372036854775808) AS id FROM (SELECT 1)`).One(&row{})
		},
		"Rows that are scanned": func(b dbx.Builder) error {
			rows, err := b.NewQuery(brokenSQL).Rows()
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				if err := rows.ScanStruct(&row{}); err != nil {
					return err
				}
			}
			return nil
		},
		"Rows that are only counted": func(b dbx.Builder) error {
			rows, err := b.NewQuery(brokenSQL).Rows()
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
			}
			return rows.Err()
		},
	}
	for name, read := range readers {
		if err := read(d); err == nil || !strings.Contains(err.Error(), "integer overflow") {
			t.Errorf("%s: %v", name, err)
		}
		if err := d.Transactional(func(tx *dbx.Tx) error { return read(tx) }); err == nil || !strings.Contains(err.Error(), "integer overflow") {
			t.Errorf("%s in a transaction: %v", name, err)
		}
	}
	var values []string
	if err := d.NewQuery(`SELECT 'a' AS id UNION ALL SELECT 'b'`).Column(&values); err != nil || len(values) != 2 {
		t.Errorf("what has an end is answered %q, %v", values, err)
	}
}

func TestReadBudget(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	over := errors.New("too much")
	ctx := LimitReads(context.Background(), 25, over)
	read := func(statement string) (values []string, err error) {
		return values, d.NewQuery(statement).WithContext(ctx).Column(&values)
	}
	if values, err := read(`SELECT '0123456789' UNION ALL SELECT 12345678901234567`); err != nil || len(values) != 2 {
		t.Errorf("10 of 25 bytes: %q, %v", values, err)
	}
	if _, err := read(`SELECT x'00010203040506070809' UNION ALL SELECT 'abcde'`); err != nil {
		t.Errorf("25 of 25 bytes: %v", err)
	}
	if _, err := read(`SELECT 'a'`); !errors.Is(err, over) {
		t.Errorf("26 of 25 bytes: %v", err)
	}
}

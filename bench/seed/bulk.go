// Package seed writes a world into the tables of each subject, by SQL and without hooks, with the rows that the
// subject's hooks would have stored.
package seed

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	_ "modernc.org/sqlite" // the driver that PocketBase uses
)

// Version must change when the same world is seeded in another way.
const Version = 1

// bulkWriter fills the tables of a database that nothing else has open. Indexes and triggers are dropped meanwhile
// and created again at the end. It is not safe against a crash and need not be.
type bulkWriter struct {
	db       *sql.DB
	laterDDL []string // the DDL that creates them again
}

// fillDatabase opens the database of a data folder and lets fn write into it.
func fillDatabase(file string, fn func(*bulkWriter) error) (err error) {
	db, err := sql.Open("sqlite", file+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=locking_mode(EXCLUSIVE)&_pragma=cache_size(-2000000)&_pragma=temp_store(MEMORY)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	b := &bulkWriter{db: db}
	if err := b.dropIndexes(); err != nil {
		return err
	}
	if err := fn(b); err != nil {
		return err
	}
	for _, ddl := range b.laterDDL {
		if _, err := db.Exec(ddl); err != nil {
			return fmt.Errorf("%s: %w", ddl, err)
		}
	}
	// the statistics that PocketBase's nightly PRAGMA optimize would have made by now
	for _, pragma := range []string{"PRAGMA analysis_limit = 1000", "ANALYZE", "PRAGMA journal_mode = WAL"} {
		if _, err := db.Exec(pragma); err != nil {
			return fmt.Errorf("%s: %w", pragma, err)
		}
	}
	return nil
}

// dropIndexes drops all indexes and triggers that were created by DDL, and notes them in laterDDL.
func (b *bulkWriter) dropIndexes() error {
	rows, err := b.db.Query(`SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND tbl_name NOT LIKE '\_%' ESCAPE '\' ORDER BY type`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var drops []string
	for rows.Next() {
		var kind, name, ddl string
		if err := rows.Scan(&kind, &name, &ddl); err != nil {
			return err
		}
		drops = append(drops, fmt.Sprintf("DROP %s `%s`", kind, name))
		b.laterDDL = append(b.laterDDL, ddl)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, drop := range drops {
		if _, err := b.db.Exec(drop); err != nil {
			return err
		}
	}
	return nil
}

// rowsPerInsert is how many rows one statement inserts.
const rowsPerInsert = 50

// insertRows writes rows into the table name; rows calls emit for each row with the values of the columns.
func (b *bulkWriter) insertRows(name, columns string, rows func(emit func(values ...any))) error {
	tx, err := b.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after the commit
	width := strings.Count(columns, ",") + 1
	tuple := "(?" + strings.Repeat(",?", width-1) + ")"
	head := "INSERT INTO " + name + " (" + columns + ") VALUES "
	full, err := tx.Prepare(head + tuple + strings.Repeat(","+tuple, rowsPerInsert-1))
	if err != nil {
		return fmt.Errorf("fill %s: %w", name, err)
	}
	values := make([]any, 0, rowsPerInsert*width)
	rows(func(row ...any) {
		values = append(values, row...)
		if len(values) == rowsPerInsert*width && err == nil {
			_, err = full.Exec(values...)
			values = values[:0]
		} else if err != nil {
			values = values[:0]
		}
	})
	for len(values) > 0 && err == nil {
		_, err = tx.Exec(head+tuple, values[:width]...)
		values = values[width:]
	}
	if err != nil {
		return fmt.Errorf("fill %s: %w", name, err)
	}
	return tx.Commit()
}

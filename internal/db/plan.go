package db

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// keepPlans has SQLite plan a statement for all values that its parameters may have. Otherwise SQLite looks at the
// value of a parameter, as in LIMIT {:n} or beside a partial index, and prepares such a statement anew each time it
// runs, which costs more than most of our statements. The price is that LIKE with a pattern in a parameter uses no
// index.
func (c *conn) keepPlans() error {
	tls := libc.NewTLS()
	defer tls.Close()
	arguments := libc.NewVaList(int32(1), uintptr(0))
	if arguments == 0 {
		return fmt.Errorf("keep the plans of statements: no memory")
	}
	defer libc.Xfree(tls, arguments)
	if code := sqlite3.Xsqlite3_db_config(tls, c.sqliteHandle(), sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, arguments); code != sqlite3.SQLITE_OK {
		return fmt.Errorf("keep the plans of statements: SQLite's code %d", code)
	}
	return nil
}

// sqliteHandle returns SQLite's own connection, which the driver hides.
func (c *conn) sqliteHandle() uintptr {
	return uintptr(reflect.ValueOf(c.session).Elem().FieldByName("db").Uint())
}

// StepCount returns how many steps SQLite's virtual machine has taken for the statements that a connection of the pool keeps
// prepared: what they cost, counted. A pool has one connection where this is to mean anything.
func StepCount(ctx context.Context, pool *sql.DB) (steps int, err error) {
	c, err := pool.Conn(ctx)
	if err != nil {
		return 0, fmt.Errorf("count SQLite's steps: %w", err)
	}
	defer c.Close()
	err = c.Raw(func(driver any) error {
		tls := libc.NewTLS()
		defer tls.Close()
		for _, kept := range driver.(*conn).prepared {
			steps += int(sqlite3.Xsqlite3_stmt_status(tls, kept.Value.(*preparedEntry).sqliteHandle(), sqlite3.SQLITE_STMTSTATUS_VM_STEP, 0))
		}
		return nil
	})
	return steps, err
}

func (e *preparedEntry) sqliteHandle() uintptr {
	return uintptr(reflect.ValueOf(e.driverStatement).Elem().FieldByName("pstmt").Uint())
}

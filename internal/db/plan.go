package db

import (
	"fmt"
	"reflect"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// keepPlans has SQLite plan a statement for all values that it may be given. Otherwise it looks at what a parameter holds, as in
// LIMIT {:n} or beside a partial index, and prepares such a statement anew each time it runs: that is dearer than most of ours.
// What is given up is an index for LIKE with a pattern in a parameter.
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

// sqliteHandle returns SQLite's own connection, which the driver keeps to itself.
func (c *conn) sqliteHandle() uintptr {
	return uintptr(reflect.ValueOf(c.session).Elem().FieldByName("db").Uint())
}

package db

import (
	"context"
	"database/sql"

	"modernc.org/libc"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// CacheUsed returns how many bytes of pages a connection of the pool has in its cache.
func CacheUsed(pool *sql.DB) (bytes int, err error) {
	c, err := pool.Conn(context.Background())
	if err != nil {
		return 0, err
	}
	defer c.Close()
	err = c.Raw(func(driver any) error {
		bytes, _, err = driver.(*conn).session.(sqlite.DBStatus).Status(sqlite.DBStatusCacheUsed, false)
		return err
	})
	return bytes, err
}

// ReplanCount returns how often SQLite prepared the cached statements of a connection of the pool again.
func ReplanCount(pool *sql.DB) (times int, err error) {
	c, err := pool.Conn(context.Background())
	if err != nil {
		return 0, err
	}
	defer c.Close()
	err = c.Raw(func(driver any) error {
		tls := libc.NewTLS()
		defer tls.Close()
		for _, kept := range driver.(*conn).prepared {
			times += int(sqlite3.Xsqlite3_stmt_status(tls, kept.Value.(*preparedEntry).sqliteHandle(), sqlite3.SQLITE_STMTSTATUS_REPREPARE, 0))
		}
		return nil
	})
	return times, err
}

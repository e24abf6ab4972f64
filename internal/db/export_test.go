package db

import (
	"context"
	"database/sql"

	"modernc.org/sqlite"
)

// CacheUsed returns how many bytes of pages a connection of the pool keeps.
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

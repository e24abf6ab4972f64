package db

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pocketbase/dbx"
	"modernc.org/sqlite" // PocketBase's own driver

	"github.com/doubletap/doubletap/internal/fault"
)

// maxPrepared is how many statements a connection keeps prepared.
const maxPrepared = 100

// Open opens an SQLite database whose connections keep the statements that they have run prepared: SQLite takes longer
// to parse a short statement than to run it.
func Open(dsn string) (*dbx.DB, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return dbx.NewFromDB(sql.OpenDB(connector{c, &poolState{Driver: c.Driver()}}), driverName), nil
}

type connector struct {
	driver.Connector
	pool *poolState
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.pool }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	opened := &conn{session: inner.(session), pool: c.pool, faults: c.pool.damage.faults.Load(), order: list.New(),
		prepared: map[string]*list.Element{}, openRows: map[*trackedRows]struct{}{}}
	if err := opened.runSetup(ctx); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}

// session is what database/sql uses of the driver's connection.
type session interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// conn is a connection with its prepared statements, the one used last first. A statement that is running is not among
// them, so that the same query can run a second time meanwhile.
type conn struct {
	session
	pool         *poolState
	faults       int64 // the pool's faults when this connection was opened
	stateUnknown bool  // after a fault

	order    *list.List
	prepared map[string]*list.Element

	hold     *hold                     // of the transaction, if that is watched
	openRows map[*trackedRows]struct{} // rows that are not closed: SQLite rolls back nothing that was interrupted while they are open
	unusable bool                      // not to be used again: its transaction was ended, or a fault was met

	closing sync.Mutex // guards closed
	closed  bool
}

// BeginTx implements driver.ConnBeginTx.
func (c *conn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	inner, err := c.session.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return &heldTx{inner, c}, nil
}

// IsValid implements driver.Validator.
func (c *conn) IsValid() bool {
	return !c.unusable && c.faults == c.pool.damage.faults.Load() && c.session.IsValid()
}

// checkNotEnded is asked before every statement.
func (c *conn) checkNotEnded(query string) error {
	if check := c.pool.check.Load(); check != nil {
		if err := (*check)(query); err != nil {
			return err
		}
	}
	if c.hold != nil && c.hold.state.Load() == holdEnded {
		return fault.ErrTransactionEnded
	}
	return nil
}

// driverStatement is what database/sql uses of the driver's prepared statement.
type driverStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type preparedEntry struct {
	query string
	driverStatement
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (_ driver.Result, err error) {
	expectFault()
	defer c.recoverFault(&err)
	if query == holdQuery {
		if do, ok := ctx.Value(holdKey{}).(func(*conn)); ok {
			do(c)
		}
		return driver.RowsAffected(0), nil
	}
	if err := c.checkNotEnded(query); err != nil {
		return nil, err
	}
	if !isCacheable(query) {
		return c.session.ExecContext(ctx, query, args)
	}
	e, err := c.takePrepared(ctx, query)
	if err != nil {
		return nil, err
	}
	defer c.keepPrepared(e)
	return e.ExecContext(ctx, args)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (_ driver.Rows, err error) {
	expectFault()
	defer c.recoverFault(&err)
	if err := c.checkNotEnded(query); err != nil {
		return nil, err
	}
	if !isCacheable(query) {
		return c.read(ctx, nil, func() (driver.Rows, error) { return c.session.QueryContext(ctx, query, args) })
	}
	e, err := c.takePrepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return c.read(ctx, e, func() (driver.Rows, error) { return e.QueryContext(ctx, args) })
}

// read asks for rows, of an entry if it has to be kept, and has them interrupted until they are closed.
func (c *conn) read(ctx context.Context, from *preparedEntry, ask func() (driver.Rows, error)) (driver.Rows, error) {
	stop := c.interruptWhenDone(ctx)
	found, err := ask()
	if err != nil {
		if stop != nil {
			stop()
		}
		if from != nil {
			c.keepPrepared(from)
		}
		return nil, err
	}
	r := c.trackRows(ctx, found, from)
	r.stop = stop
	return r, nil
}

// PrepareContext implements driver.ConnPrepareContext. Also statements that a caller prepares check whether its
// transaction was ended.
func (c *conn) PrepareContext(ctx context.Context, query string) (_ driver.Stmt, err error) {
	expectFault()
	defer c.recoverFault(&err)
	if err := c.checkNotEnded(query); err != nil {
		return nil, err
	}
	s, err := c.session.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &watchedStatement{s.(driverStatement), c, query}, nil
}

// watchedStatement is a statement that a caller has prepared.
type watchedStatement struct {
	driverStatement
	conn  *conn
	query string
}

// ExecContext implements driver.StmtExecContext.
func (s *watchedStatement) ExecContext(ctx context.Context, args []driver.NamedValue) (_ driver.Result, err error) {
	expectFault()
	defer s.conn.recoverFault(&err)
	if err := s.conn.checkNotEnded(s.query); err != nil {
		return nil, err
	}
	return s.driverStatement.ExecContext(ctx, args)
}

// QueryContext implements driver.StmtQueryContext.
func (s *watchedStatement) QueryContext(ctx context.Context, args []driver.NamedValue) (_ driver.Rows, err error) {
	expectFault()
	defer s.conn.recoverFault(&err)
	if err := s.conn.checkNotEnded(s.query); err != nil {
		return nil, err
	}
	return s.conn.read(ctx, nil, func() (driver.Rows, error) { return s.driverStatement.QueryContext(ctx, args) })
}

// Close ends the connection and its statements.
func (c *conn) Close() error {
	if c.stateUnknown {
		return nil
	}
	for e := c.order.Front(); e != nil; e = e.Next() {
		e.Value.(*preparedEntry).Close()
	}
	clear(c.prepared)
	c.order.Init()
	c.closing.Lock()
	defer c.closing.Unlock()
	c.closed = true
	return c.session.Close()
}

// isCacheable reports whether a statement means the same however often it runs. Others, such as a PRAGMA, may act
// while they are being prepared.
func isCacheable(query string) bool {
	word := strings.TrimLeft(query, " \t\r\n")
	if len(word) < 6 {
		return false
	}
	switch strings.ToUpper(word[:6]) {
	case "SELECT", "INSERT", "UPDATE", "DELETE":
		return true
	}
	return strings.EqualFold(word[:4], "WITH")
}

// ranCount is how many cacheable statements all connections have run.
var ranCount atomic.Int64

// StatementCount returns how many statements the connections of Open have run, without those that are not cacheable.
func StatementCount() int64 { return ranCount.Load() }

func (c *conn) takePrepared(ctx context.Context, query string) (*preparedEntry, error) {
	ranCount.Add(1)
	if at := c.prepared[query]; at != nil {
		delete(c.prepared, query)
		return c.order.Remove(at).(*preparedEntry), nil
	}
	s, err := c.session.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &preparedEntry{query, s.(driverStatement)}, nil
}

func (c *conn) keepPrepared(e *preparedEntry) {
	if c.prepared[e.query] != nil {
		e.Close()
		return
	}
	c.prepared[e.query] = c.order.PushFront(e)
	if c.order.Len() > maxPrepared {
		oldest := c.order.Remove(c.order.Back()).(*preparedEntry)
		delete(c.prepared, oldest.query)
		oldest.Close()
	}
}

package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/doubletap/doubletap/internal/fault"
)

// typedRows is what database/sql uses of the driver's rows.
type typedRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// trackedRows are rows that give their prepared statement back to the connection when they are closed.
type trackedRows struct {
	typedRows
	conn     *conn
	prepared *preparedEntry
	stop     func() // stops interrupts; nil for none
	closed   bool   // also when the transaction has closed them
	budget   *readBudget

	values []driver.Value // of the current row
	endErr error          // the error that ended the rows too early
}

var _ driver.RowsColumnScanner = (*trackedRows)(nil)

// trackRows returns the rows that the driver has found, with the prepared entry to give back, or nil if there is none.
func (c *conn) trackRows(ctx context.Context, found driver.Rows, from *preparedEntry) *trackedRows {
	r := &trackedRows{typedRows: found.(typedRows), conn: c, prepared: from, budget: readBudgetOf(ctx)}
	r.values = make([]driver.Value, len(found.Columns()))
	c.openRows[r] = struct{}{}
	return r
}

// NextRow implements driver.RowsColumnScanner. It first returns an error between rows as a row that cannot be scanned:
// dbx, and with it PocketBase, never asks sql.Rows.Err, and would take the rows before the error for all there are.
func (r *trackedRows) NextRow() error {
	if r.endErr != nil {
		return r.endErr
	}
	err := r.Next(r.values)
	if err != nil && !errors.Is(err, io.EOF) {
		r.endErr, err = err, nil
	}
	return err
}

// ScanColumn implements driver.RowsColumnScanner.
func (r *trackedRows) ScanColumn(ctx driver.ScanContext, column int, value any) error {
	if r.endErr != nil {
		return r.endErr
	}
	return sql.ConvertAssign(ctx, value, r.values[column])
}

// Next implements driver.Rows.
func (r *trackedRows) Next(row []driver.Value) (err error) {
	expectFault()
	defer r.conn.recoverFault(&err)
	if r.closed {
		return fault.ErrTransactionEnded
	}
	if err := r.typedRows.Next(row); err != nil {
		return err
	}
	return r.budget.spendRow(row)
}

// Close implements driver.Rows.
func (r *trackedRows) Close() error {
	if r.stop != nil {
		r.stop()
	}
	if r.conn.stateUnknown || r.closed {
		return nil
	}
	r.closed = true
	delete(r.conn.openRows, r)
	err := r.typedRows.Close()
	if r.prepared != nil {
		r.conn.keepPrepared(r.prepared)
		r.prepared = nil
	}
	return err
}

package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"

	"doubletap/internal/fault"
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

// trackedRows give their statement back when they are closed.
type trackedRows struct {
	typedRows
	conn     *conn
	prepared *preparedEntry
	stop     func() // of interrupts; nil for none
	closed   bool   // closed, perhaps with their transaction
	budget   *readBudget

	values []driver.Value // of the row that may be scanned
	endErr error          // what ended the rows before their end
}

var _ driver.RowsColumnScanner = (*trackedRows)(nil)

// trackRows returns rows that the driver has found, from an entry if it has to be kept.
func (c *conn) trackRows(ctx context.Context, found driver.Rows, from *preparedEntry) *trackedRows {
	r := &trackedRows{typedRows: found.(typedRows), conn: c, prepared: from, budget: readBudgetOf(ctx)}
	r.values = make([]driver.Value, len(found.Columns()))
	c.openRows[r] = struct{}{}
	return r
}

// NextRow implements driver.RowsColumnScanner. An error in the midst of the rows is at first a row that cannot be scanned: dbx,
// and with it PocketBase, never asks sql.Rows.Err, and would take the rows before it for all there are.
func (r *trackedRows) NextRow() error {
	if r.endErr != nil {
		return r.endErr
	}
	err := r.Next(r.values)
	if err != nil && err != io.EOF {
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
